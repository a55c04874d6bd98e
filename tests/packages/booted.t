#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The units under systemd itself, with all the rights that they take away.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use Test::More;
use Booted  ();
use Harness qw(top wait_for);
use Host    ();

my @debs = grep { !/-dbgsym_/ } glob top() . '/build/deb/*.deb';
plan skip_all => 'no packages: make deb' if !@debs;

my $host = Host->new;
$host->apt('update');
$host->copy_in($_, '/root') for @debs, "$FindBin::Bin/send-message";
$host->copy_in($_, '/root/lib') for glob top() . '/tests/system/lib/*.pm';
$host->write('/etc/default/mimedefang', "X_SCANNED_BY=\"our words\"\n");
filter('first');
$host->apt(qw(install systemd-sysv postfix),
    map {s{.*/}{/root/}r} grep {m{/sallyport_}} @debs);

# Local delivery only, without a network.
$host->write('/etc/postfix/main.cf', <<'END');
compatibility_level = 3.6
mydestination = localhost
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
END
my $booted = Booted->new($host)
    or plan skip_all => 'systemd does not run in namespaces here';

systemctl(qw(start mimedefang));
is state_of('mimedefang'),             'active', 'the front-end runs';
is state_of('mimedefang-multiplexor'), 'active', 'and brought the multiplexor';
my $user = user_of('mimedefang');
is $user,  'defang',        'not as root';
is sent(), header('first'), 'a message is filtered';

# Through postdrop, which is setgid.
systemctl(qw(start postfix));
filter('second', 'action_notify_administrator("Hello");');
systemctl(qw(reload mimedefang));
wait_for('the new filter', sub { sent() eq header('second') }, 60);
pass 'reload: the filter is read anew';
my $told = wait_for(
    'mail of the filter',
    sub {
        my ($status, $out)
            = $booted->run('sh', '-c',
            'cat /var/mail/root /var/spool/postfix/deferred/*/* 2>/dev/null');
        return $out;
    },
    60
);
like $told, qr/Hello/, 'mail of the filter gets to Postfix';

my $front = pid_of('mimedefang');
systemctl(qw(restart mimedefang-multiplexor));
is pid_of('mimedefang'), $front, 'the workers start again, not the front-end';
is sent(),               header('second'), 'and it goes on';
my $workers = pid_of('mimedefang-multiplexor');
systemctl(qw(restart mimedefang));
isnt pid_of('mimedefang'),             $front,   'restart: both';
isnt pid_of('mimedefang-multiplexor'), $workers, 'start again';

systemctl(qw(stop mimedefang));
ok wait_for('the end of the multiplexor',
    sub { state_of('mimedefang-multiplexor') eq 'inactive' }, 60),
    'stop: both';
systemctl(qw(start mimedefang.socket));
systemctl(qw(start mimedefang));
is sent(), header('second'), 'with a socket of systemd';

# Another user: MX_USER says so, without daemon-reload.
systemctl(qw(stop mimedefang.socket mimedefang mimedefang-multiplexor));
$host->write('/etc/default/mimedefang',
    "X_SCANNED_BY=\"our words\"\nMX_USER=games\n");
$booted->run(
    qw(sh -c),
    'rm -rf /var/spool/MIMEDefang/*;'
        . ' chown -R games: /var/spool/MIMEDefang'
);
systemctl(qw(start mimedefang));
is user_of('mimedefang'), 'games',          'MX_USER';
is sent(),                header('second'), 'serves, too';
$booted->stop;
done_testing;

# ---- subroutines --------------------------------------------------------------

sub filter ($word, $more = '') {
    $host->write('/etc/mail/mimedefang-filter', <<"END");
\$AdminAddress = 'root\@localhost';
sub filter_begin { action_add_header('X-Filter', '$word'); $more }
1;
END
    return;
}

sub header ($word) {
    return "add_header X-Filter $word\n"
        . "add_header X-Scanned-By our words on 127.0.0.1\n";
}

sub systemctl (@words) {
    my ($status, $out, $errors) = $booted->run('systemctl', @words);
    return if !$status;
    my (undef, $log) = $booted->run(qw(journalctl --no-pager -n 40));
    die "systemctl @words: status $status\n$out$errors$log\n";
}

sub state_of ($unit) {
    my (undef, $out) = $booted->run('systemctl', 'is-active', $unit);
    return $out =~ s/\n//r;
}

sub pid_of ($unit) {
    my (undef, $out)
        = $booted->run(qw(systemctl show --value -p MainPID), $unit);
    return $out =~ s/\n//r;
}

# Whose it is.
sub user_of ($unit) {
    my (undef, $out)
        = $booted->run('stat', '-c', '%U', '/proc/' . pid_of($unit));
    return $out =~ s/\n//r;
}

sub sent {
    my ($status, $out, $errors) = $booted->run('/root/send-message', 'systemd');
    diag $errors if $status;
    return $out;
}
