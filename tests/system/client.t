#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# md-mx-ctrl against a scripted multiplexor: what it sends, prints and exits
# with.
use v5.36;
use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use IPC::Open3;
use Socket qw(SOCK_STREAM);
use Symbol qw(gensym);
use Test::More;

my $ctl = ($ENV{BIN} // 'build/bin') . '/md-mx-ctrl';
plan skip_all => "$ctl is not built" if !-x $ctl;
my $dir  = tempdir(CLEANUP => 1);
my $path = "$dir/mux.sock";

# Serves one request with $answer (undef: no listener) while the client runs.
# Returns what the server got, and the client's exit status, output, errors.
sub control ($answer, $input, @args) {
    my ($server, $pid, $got);
    if (defined $answer) {
        $server = IO::Socket::UNIX->new(
            Type   => SOCK_STREAM,
            Local  => $path,
            Listen => 5
        ) or die "listen: $!";
    }
    pipe my $heard, my $tell or die "pipe: $!";
    if ($server && !($pid = fork)) {
        close $heard;
        while (my $client = $server->accept) {
            print {$tell} scalar <$client>;
            $tell->flush;
            print {$client} $answer;
            close $client;
        }
        exit 0;
    }
    close $tell;
    my $err = gensym;
    my $run = open3(my $in, my $out, $err, $ctl, '-s', $path, @args);
    print {$in} $input;
    close $in;
    local $/ = undef;
    my ($stdout, $stderr) = (scalar <$out>, scalar <$err>);
    waitpid $run, 0;
    my $status = $? >> 8;

    if ($pid) {
        kill 'TERM', $pid;
        waitpid $pid, 0;
        $got = <$heard>;
    }
    unlink $path;
    return {
        sent   => $got,
        out    => $stdout // q{},
        err    => $stderr // q{},
        status => $status
    };
}

sub prints ($name, $answer, $args, $sent, $out, $status = 0) {
    my $r = control($answer, '', @$args);
    is $r->{sent},   $sent,   "$name: request";
    is $r->{out},    $out,    "$name: output";
    is $r->{err},    '',      "$name: no complaint";
    is $r->{status}, $status, "$name: exit status";
    return;
}

my $state = "BIS 12 7 0 0 99\n";
prints 'status', $state, ['status'], "status\n",
    "Max workers: 3\nWorker 0: busy\nWorker 1: idle\nWorker 2: stopped\n";
prints 'rawstatus', $state, ['rawstatus'], "status\n", $state;
prints 'barstatus without a queue', "BBISSSSSSS 1542 7 0 0 99\n",
    ['barstatus'], "status\n", "  2/10 BB........ 1542\n";
prints 'barstatus with a queue', "BBBBB 0 7 2 2 99\n",
    ['barstatus'], "status\n", "  5/5 BBBBB    2/2 QQ 0\n";
prints 'barstatus of more than 25', ('B' x 15 . 'I' x 15) . " 1 1 0 0 1\n",
    ['barstatus'], "status\n", ' 15/30 ' . 'B' x 13 . '.' x 12 . " 1\n";
prints 'killed worker', "K 0 1 0 0 1\n", ['status'], "status\n",
    "Max workers: 1\nWorker 0: killed\n";
prints 'status refused', "error: no\n", ['status'], "status\n",
    "ERROR error: no\n", 1;
prints 'free',           "3\n",   ['free'],    "free\n",    "3\n";
prints 'version, no LF', '3.7.1', ['version'], "version\n", "3.7.1\n";
prints 'encoded both ways', "ok a%20b\n", [ 'Custom', q{x y'%} ],
    "Custom x%20y%27%25\n", "ok a b\n";
prints 'worker number', "Worker 3\n", [ 'workerinfo', '3' ], "workerinfo 3\n",
    "Worker 3\n";

my $json = control($state, '', 'jsonstatus');
like $json->{out},
    qr/\A\{"timestamp": "\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}","hostname": "[^"]+","Worker0": "busy","Worker1": "idle","Worker2": "stopped"\}\z/,
    'jsonstatus is one object without a newline';

my $none = control(undef, '', 'free');
is $none->{status}, 1, 'nobody there: exit status';
is $none->{err},
    "ERROR $path: No such file or directory (is the multiplexor running?)\n",
    'nobody there: says what to look at';

my $lines = control("1\n", "free\nmsgs\n", '-i');
is $lines->{sent},   "free\nmsgs\n", '-i: a connection a line, as it is';
is $lines->{out},    "1\n1\n",       '-i: answers in order';
is $lines->{status}, 0,              '-i: exit status';

my $usage = control(undef, '');
is $usage->{status}, 1, 'no command: exit status';
like $usage->{err}, qr/^Usage: md-mx-ctrl /m, 'no command: usage';
is control(undef, '', '--help')->{status}, 0, '--help: exit status';
like control(undef, '', '--version')->{out}, qr/^md-mx-ctrl version \d/,
    '--version';

done_testing;
