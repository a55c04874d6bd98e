#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A real spamd with two rules of our own, asked over TCP and a UNIX socket.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../system/lib", "$FindBin::Bin/../../perl-bridge/lib",
    "$FindBin::Bin/../../perl-bridge/t/lib";
use Bridge  qw(get put start work_dir);
use Harness qw(temp_dir start_process stop_process wait_for is_running
    free_port);
use Mail::MIMEDefang;
use Mail::MIMEDefang::Antispam;
use Mail::MIMEDefang::Features qw(find_program);
use Mail::MIMEDefang::Peer     qw(peer_talk);
use Test::More;

my $program = find_program('spamd')
    or plan skip_all => 'no spamd here (package spamd)';

my $dir = temp_dir() . '/spamd';
mkdir $dir;
mkdir "$dir/$_" for qw(rules home);
chmod 0777, $dir, "$dir/home";
chdir $dir or die;
open STDERR, '>', "$dir/stderr" or die;    # what is logged
put("$dir/rules/v320.pre", "loadplugin Mail::SpamAssassin::Plugin::Check\n");
put("$dir/rules/10.cf",    <<'END');
util_rb_tld com net org example
body SPAMMY /buy\s+sallyport\s+pills/
score SPAMMY 7.5
header FROM_ENVELOPE Return-Path =~ /<from\@example\.com>/
score FROM_ENVELOPE 0.25
required_score 5
clear_report_template
report _YESNO_ _SCORE_ _TESTS_
END

# With OPTIONS, until ADDRESS answers.
sub spamd ($address, @options) {
    my $process = start_process(
        cmd => [
            $program,                 '--local',
            '--nouser-config',        '--max-children=1',
            '--configpath=rules',     '--siteconfigpath=rules',
            '--helper-home-dir=home', '--syslog=stderr',
            @options
        ],
        stdout => "$dir/log",
        stderr => "$dir/log",
    );
    wait_for(
        'spamd',
        sub {
            return 1 if !is_running($process);
            my ($reply) = peer_talk(
                address   => $address,
                send      => "PING SPAMC/1.5\r\n\r\n",
                timeout_s => 5
            );
            return $reply =~ /PONG/;
        },
        120
    );
    return $process;
}

sub message ($text) {
    init_globals();
    $CWD              = $dir;
    $InMessageContext = 1;
    $Sender           = '<from@example.com>';
    @Recipients       = ('<to@example.net>');
    ($RealRelayAddr, $RealRelayHostname) = ('192.0.2.1', 'mx.example.org');
    put("$dir/INPUTMSG", "From: a\@example.com\nSubject: s\n\n$text\n");
    return;
}

my $port = free_port();
for (
    [
        'TCP',                  "127.0.0.1:$port",
        [ '127.0.0.1', $port ], '--listen=127.0.0.1',
        "--port=$port"
    ],
    [ 'UNIX socket', "$dir/sock", ["$dir/sock"], "--socketpath=$dir/sock" ],
    )
{
    my ($name, $address, $where, @options) = @{$_};
    subtest $name => sub {
        my $spamd = spamd($address, @options);
        ok(is_running($spamd), 'spamd runs') or diag(get("$dir/log"));
        my $client = md_spamc_init(@{$where});
        message('hello');
        my ($score, $required, $report, $is_spam) = md_spamc_check($client);
        is_deeply(
            [ $score, $required, $is_spam ],
            [ '0.2',  '5.0',     'False' ],
            'no spam'
        );
        like($report, qr/^No,? 0\.[23] FROM_ENVELOPE\s*\z/, 'report');
        message('buy sallyport pills');
        ($score, $required, $report, $is_spam) = md_spamc_check($client);
        is_deeply([ $score, $required, $is_spam ],
            [ '7.8', '5.0', 'True' ], 'spam');
        like($report, qr/^Yes,? 7\.[78] FROM_ENVELOPE,SPAMMY\s*\z/, 'report');
        is_deeply([ md_spamc_check(md_spamc_init(@{$where}, $port, 'x', 10)) ],
            [], 'too large')
            if @{$where} == 1;
        stop_process($spamd);
        is_deeply([ md_spamc_check($client) ], [], 'spamd has stopped');
    };
}

done_testing;
