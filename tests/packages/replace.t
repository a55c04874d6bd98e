#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Our packages on a host that had Debian's mimedefang: what the administrator had
# goes on working, whatever is installed, removed and purged afterwards.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use Test::More;
use Harness   qw(run_program top);
use Host      ();
use Installed qw(tool);

my @debs = grep { !/-dbgsym_/ } glob top() . '/build/deb/*.deb';
plan skip_all => 'no packages: make deb' if !@debs;
my ($ours) = map {s{.*/}{/root/}r} grep {m{/sallyport_}} @debs;

# As an administrator leaves it: a filter, settings, a message in quarantine.
my $FILTER     = '/etc/mail/mimedefang-filter';
my $SETTINGS   = '/etc/default/mimedefang';
my $SPOOL      = '/var/spool/MIMEDefang';
my $QUARANTINE = "$SPOOL/2026-11-28-10/qdir-2026-11-28-10.00.00-001";
my $MESSAGE    = "$QUARANTINE/ENTIRE_MESSAGE";
my @KEPT       = (
    $FILTER, $SETTINGS, $SPOOL, $MESSAGE,
    qw(/etc/mail/mimedefang.pl.conf /etc/mail/sa-mimedefang.cf)
);
my $ADDED = <<'END';
add_header X-Site relay is /opt/uvscan
add_header X-Scanned-By our words on 127.0.0.1
END

my $host = Host->new;
subtest 'Debian\'s mimedefang, as it was configured' => sub {
    $host->apt('update');
    $host->apt(qw(install mimedefang libnet-dns-perl logrotate));
    $host->write($FILTER, <<'END');
sub filter_relay { open my $f, '>', '/var/spool/MIMEDefang/relay'; return ('CONTINUE', 'ok') }
sub filter_begin {
    action_add_header('X-Site',
        (-e '/var/spool/MIMEDefang/relay' ? 'relay' : 'no relay') . " is $Features{'Virus:NAI'}");
}
1;
END
    $host->write('/etc/mail/mimedefang.pl.conf',
        "\$Features{'Virus:NAI'} = '/opt/uvscan';\n1;\n");
    $host->write($SETTINGS, <<'END');
MX_RELAY_CHECK=yes
MX_EMBED_PERL=yes
MX_SLAVE_DELAY=1
MX_STATS=yes
MX_FLUSH_STATS=yes
X_SCANNED_BY="our words"
END
    $host->write($MESSAGE, "From: a\n\nb\n");
    in_host('sh', '-c',
              "mkdir -p /var/log/mimedefang &&"
            . " chown -R defang: $SPOOL /var/log/mimedefang &&"
            . " chmod 750 $SPOOL/2* $QUARANTINE && chmod 640 $MESSAGE");
    $host->copy_in($_, '/root') for @debs, "$FindBin::Bin/send-message";
    $host->copy_in($_, '/root/lib') for glob top() . '/tests/system/lib/*.pm';
    is sent('init'), $ADDED, 'it serves';
};
my $before = facts();

subtest 'sallyport instead of it' => sub {
    my $said = $host->apt('install', $ours);
    like $said, qr/Do not purge that one/, 'the old one is not to be purged';
    is $host->status('mimedefang'), 'config-files', 'which is removed';
    is $host->status('sallyport'),  'installed',    'and ours is there';
    kept('all that the administrator had');
    is sent('units'), $ADDED, 'the units serve with that filter and settings';
    ok -s $host->path('/var/log/mimedefang/stats'), 'and write statistics';
    my ($status, $out, $errors) = run_program(
        60, tool('systemd-analyze'), 'verify', '--man=no',
        "--root=" . $host->path(''),
        map {"$_.service"} qw(mimedefang mimedefang-multiplexor)
    );
    is "$status $out$errors", '0 ', 'systemd understands the units there';
    ($status, $out, $errors)
        = $host->run(qw(logrotate --force /etc/logrotate.d/mimedefang));
    is $status, 0, 'logrotate rotates' or diag $out, $errors;
    ok -e $host->path('/var/log/mimedefang/stats.1'), 'the statistics';
};

subtest 'installed again' => sub {
    my $saved = $host->read($SETTINGS);
    unlink $host->path($SETTINGS) or die "$SETTINGS: $!\n";
    $host->apt('install', '--reinstall', $ours);
    is $host->facts($SETTINGS), 'none',
        'what the administrator has removed does not come back';
    $host->write($SETTINGS, $saved);
    kept('the rest is as it was');
};

subtest 'removed' => sub {
    $host->apt(qw(remove sallyport));
    ok !-e $host->path('/usr/bin/mimedefang'), 'the programs are gone';
    kept('filter, settings and quarantine are not');
};

subtest 'the old package again' => sub {
    $host->apt(qw(install mimedefang));
    is $host->status('mimedefang'), 'installed', 'is installed';
    kept('nothing has changed');
    is sent('init'), $ADDED, 'it serves';
    $host->apt(qw(purge sallyport));
    kept('a purge of ours, which is removed, changes nothing');
    is sent('init'), $ADDED, 'and it serves';
};

subtest 'the old package is purged' => sub {
    $host->apt('install', $ours);
    kept('ours again: nothing has changed');
    my $said = in_host(qw(dpkg --purge mimedefang));
    like $said, qr/\Q$FILTER\E is back/, 'ours puts back what that deletes';
    is $host->facts($_), $before->{$_}, "$_ is back"
        for $FILTER, $SETTINGS, '/etc/mail/mimedefang.pl.conf';
    is sent('units'), $ADDED, 'and serves';
};

subtest 'purged' => sub {
    $host->write($MESSAGE, "From: a\n\nb\n");
    my $said = $host->apt(qw(purge sallyport));
    like $said, qr/kept: \Q$FILTER\E/, 'it says that the filter is kept';
    like $said, qr/kept: \Q$SPOOL\E/,  'and the quarantine';
    is $host->read($_) ne '', 1, "$_ is there" for $FILTER, $MESSAGE;
    is $host->facts($_), 'none', "$_ is gone"
        for $SETTINGS, '/var/log/mimedefang', '/var/lib/sallyport',
        '/etc/logrotate.d/mimedefang', '/etc/apparmor.d/mimedefang',
        "$SPOOL/mimedefang.lock";
};
done_testing;

# ---- subroutines --------------------------------------------------------------

sub in_host (@command) {
    my ($status, $out, $errors) = $host->run(@command);
    die "@command: status $status\n$out$errors\n" if $status;
    return $out . $errors;
}

# What the filter adds to a message with the daemons started this way.
sub sent ($how) {
    my ($status, $out, $errors) = $host->run('/root/send-message', $how);
    diag $errors if $status;
    return $out;
}

# The user, too: others on this host come and go.
sub facts {
    my ($user) = $host->read('/etc/passwd') =~ /^(defang:.*)$/m;
    return { user => $user, map { $_ => $host->facts($_) } @KEPT };
}

sub kept ($what) {
    is_deeply facts(), $before, $what;
    return;
}
