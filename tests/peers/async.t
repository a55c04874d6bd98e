#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The checks of Mail::MIMEDefang::Async with a real clamd, spamd and rspamd and a
# name server, all in one call.  Each daemon has one rule of ours.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../system/lib", "$FindBin::Bin/../../perl-bridge/lib",
    "$FindBin::Bin/../../perl-bridge/t/lib";
use DNSServer;
use Harness qw(temp_dir start_process wait_for is_running free_port write_file);
use IO::Socket::INET;
use Mail::MIMEDefang::Async;
use Mail::MIMEDefang::Globals;
use Test::More;

my %program = (
    clamd  => [ '/usr/sbin/clamd', 'clamav-daemon' ],
    spamd  => [ '/usr/sbin/spamd', 'spamd' ],
    rspamd => [ '/usr/bin/rspamd', 'rspamd' ],
);
for my $name (sort keys %program) {
    my ($path, $package) = @{ $program{$name} };
    plan skip_all => "no $path here (package $package)" if !-x $path;
}

my $dir = temp_dir();
chmod 0755, $dir;
mkdir "$dir/$_" for qw(db sa tmp);
chmod 0777, "$dir/tmp";
my %port = map { $_ => free_port() } qw(clamd spamd rspamd);
my $root = $> == 0;

write_file("$dir/db/test.ndb",
    'Test.Sallyport:0:*:' . unpack('H*', 'a sallyport test') . "\n");
write_file("$dir/clamd.conf", <<"END");
TCPAddr 127.0.0.1
TCPSocket $port{clamd}
Foreground yes
DatabaseDirectory $dir/db
TemporaryDirectory $dir/tmp
END

write_file("$dir/sa/init.pre",
    "loadplugin Mail::SpamAssassin::Plugin::Check\n");
write_file("$dir/sa/test.cf", <<'END');
required_score 5
use_bayes 0
skip_rbl_checks 1
body SALLYPORT_TEST /sallyport test/
score SALLYPORT_TEST 7.5
END

write_file("$dir/tld",         "test\ncom\n");
write_file("$dir/rspamd.conf", <<"END");
options {
  pidfile = "$dir/tmp/rspamd.pid";
  tempdir = "$dir/tmp";
  control_socket = "$dir/tmp/control";
  url_tld = "$dir/tld";
  filters = [];
  dns { nameserver = ["127.0.0.1:1"]; }
}
logging { type = "console"; level = "warning"; }
worker "normal" { bind_socket = "127.0.0.1:$port{rspamd}"; count = 1; }
actions { reject = 10; add_header = 5; }
lua = "$dir/rules.lua";
END
write_file("$dir/rules.lua", <<'END');
rspamd_config:register_symbol{
  name = 'SALLYPORT_TEST', score = 12.0,
  callback = function(task)
    local from = task:get_from('smtp')
    return from ~= nil and from[1].addr == 'spammer@d.test'
  end
}
END

my %command = (
    clamd => [ $program{clamd}[0], '-c', "$dir/clamd.conf" ],
    spamd => [
        $program{spamd}[0],         qw(-x -L -m 1 --max-spare=1 -s stderr),
        $root ? qw(-u nobody) : (), "--listen=127.0.0.1:$port{spamd}",
        '-C',                       "$dir/sa",
        "--siteconfigpath=$dir/sa"
    ],
    rspamd => [
        $program{rspamd}[0],                    '-f',
        $root ? qw(-u _rspamd -g _rspamd) : (), '-c',
        "$dir/rspamd.conf"
    ],
);
my %process = map {
    $_ => start_process(
        cmd    => $command{$_},
        stdout => "$dir/$_.log",
        stderr => "$dir/$_.log"
    )
} sort keys %command;

for my $name (sort keys %process) {
    wait_for(
        $name,
        sub {
            return !is_running($process{$name})
                || IO::Socket::INET->new(
                PeerAddr => '127.0.0.1',
                PeerPort => $port{$name}
                );
        },
        120
    );
    if (!is_running($process{$name})) {
        open my $log, '<', "$dir/$name.log" or die;
        diag(<$log>);
        plan skip_all => "$name does not run here";
    }
}

my $server = DNSServer->new(<<'END');
2.0.0.127.bl.test. 300 IN A 127.0.0.2
END
$Features{'DNS:Servers'} = $server->address;
chdir $dir or die;

sub ask ($text) {
    write_file("$dir/INPUTMSG", "Subject: x\n\n$text\n");
    my $run = md_async_run_checks(
        [
            md_async_check_dnsbl(
                ip      => '127.0.0.2',
                zone    => 'bl.test',
                timeout => 60
            ),
            md_async_check_clamd(socket => "127.0.0.1:$port{clamd}"),
            md_async_check_spamd(port => $port{spamd}),
            md_async_check_rspamd(uri => "http://127.0.0.1:$port{rspamd}"),
            {
                name => 'program',
                type => 'process',
                args => { cmd => [ 'wc', '-c', 'INPUTMSG' ] }
            },
        ]
    );
    is_deeply($run->{errors}, {}, 'no errors');
    my ($result, $error) = @{$run}{qw(results errors)};
    return {
        dnsbl =>
            md_async_interpret_dnsbl($result->{'dnsbl_bl.test'}, 'bl.test'),
        clamd   => md_async_interpret_clamav($result->{clamd}),
        spamd   => md_async_interpret_spamassassin($result->{spamd}),
        rspamd  => md_async_interpret_rspamd($result->{rspamd}),
        program => $result->{program}{stdout}
    };
}
md_async_init(global_timeout => 120);

subtest 'a bad message' => sub {
    ($Sender, @Recipients) = ('<spammer@d.test>', '<b@d.test>');
    my $seen = ask('this is a sallyport test');
    is($seen->{dnsbl}{reason}, 'listed by bl.test (127.0.0.2)', 'blocklist');
    is($seen->{clamd}{name},   'Test.Sallyport.UNOFFICIAL',     'clamd');
    is($seen->{spamd}{score},  7.5,                             'spamd');
    is_deeply($seen->{spamd}{symbols}, ['SALLYPORT_TEST'], 'its rule');
    is($seen->{rspamd}{action}, 'reject', 'rspamd, by the envelope');
    is_deeply($seen->{rspamd}{symbols}, ['SALLYPORT_TEST'], 'its rule');
    is($seen->{program}, "37 INPUTMSG\n", 'a program');
    is(md_async_score_results($seen, { clamd => 5, spamd => 2 })->{score},
        10, 'all together');
};

subtest 'a good message, larger than what fits into the pipes' => sub {
    ($Sender, @Recipients) = ('<a@d.test>', '<b@d.test>');
    my $seen = ask("hello\n" x 200_000);
    is($seen->{clamd}{available}, 1,                    'clamd');
    is($seen->{clamd}{virus},     0,                    'found nothing');
    is($seen->{spamd}{is_spam},   0,                    'spamd');
    is($seen->{rspamd}{is_spam},  0,                    'rspamd');
    is($seen->{program},          "1200013 INPUTMSG\n", 'a program');
};

is_deeply(
    [
        (md_async_spamc_check('127.0.0.1', $port{spamd}, 'nobody', 60))
        [ 0, 1, 3 ]
    ],
    [ 0, 5, 'False' ],
    'md_async_spamc_check'
);

chdir '/';
done_testing();
