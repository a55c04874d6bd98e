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

# Serves requests with $answer (undef: no listener; a reference: without end)
# while the client runs.  Returns what the server got, and the client's exit status, output, errors.
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
            sleep 60 if ref $answer;
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

my $load1
    = "14 1.857143 388.214286 20 1.100000 2.300000 18 1.200000 5.100000 25 "
    . "1.400000 9.800000 2 3 5 0 1542 17 10 0 86423 60 1 0 0 1\n";
prints 'rawload1', $load1, [qw(rawload1 60)], "load1 60\n", $load1;
like control($load1, '', 'jsonload1', '60')->{out},
    qr/"hostname": "[^"]+","busyworkers":2, .* "queued_requests":0\}\n\z/,
    'jsonload1 has an LF';
prints 'load refused', "error: no\n", ['load'], "load\n",
    "Could not interpret response: error: no\n", 1;
my $hostile = "ok \e[2J%1B[31m\n";
prints 'octets for programs', $hostile, ['custom'], "custom\n",
    "ok \e[2J\e[31m\n";

sub fails ($name, $answer, $args, $err) {
    my $r = control($answer, '', @$args);
    is $r->{out},    '',   "$name: no output";
    is $r->{err},    $err, "$name: complaint";
    is $r->{status}, 1,    "$name: exit status";
    return;
}
fails 'status refused', "error: \e[2J\nno\n", ['status'],
    "ERROR error: \\x1B[2J\\x0Ano\n";
fails 'an empty answer', '', ['free'],
    "ERROR multiplexor: closed the connection without an answer\n";
fails 'no argument', '', ['load1'],
    "ERROR load1: a number is missing behind it\n";
fails 'no such socket', undef, [qw(-s inet:99999 free)],
    "ERROR -s inet:99999: \"99999\" is no port from 1 to 65535, possibly with "
    . "\@ADDRESS behind it\n";

like control("3\n", '', qw(free --json))->{out},
    qr/\A\{"timestamp":"[-\d]+T[:\d]+Z","hostname":"[^"]+","free":3\}\n\z/,
    '--json behind the command';
is control("ok\n", '', qw(custom --json -x))->{sent}, "custom --json -x\n",
    "another command's words are its own";
my $error = control("error: no such worker\n", '', qw(--json workerinfo 9));
is $error->{out}, qq({"error":"error: no such worker"}\n), '--json: an error';
is $error->{status}, 1, '--json: its exit status';

my $none = control(undef, '', 'free');
is $none->{status}, 1, 'nobody there: exit status';
is $none->{err},
    "ERROR $path: No such file or directory (is the multiplexor running?)\n",
    'nobody there: says what to look at';

my $lines = control("1\n", "free\nmsgs\n", '-i');
is $lines->{sent},   "free\nmsgs\n", '-i: a connection a line, as it is';
is $lines->{out},    "1\n1\n",       '-i: answers in order';
is $lines->{status}, 0,              '-i: exit status';

my $mixed = control("error: no\n", "load1\nstatus\ntop\nfree\n", '-i');
is $mixed->{out},
    "ERROR load1: a number is missing behind it\nERROR error: no\n"
    . "ERROR top: not with -i or --json; run it by itself\nerror: no\n",
    '-i: errors among the answers';
is control("1\n", 'free', '-i')->{out}, "1\n", '-i: a last line without LF';

my $frozen = control(\'', '', qw(--timeout 1 free));
is $frozen->{err}, "ERROR $path: no answer in time (--timeout)\n",
    'a frozen multiplexor';

my $asked = control("help text\e\n", '', '-h');
is $asked->{status}, 0, '-h: exit status';
like $asked->{err}, qr/^Possible commands:\nhelp text\\x1B\n/m,
    '-h: what the multiplexor knows';

SKIP: {
    skip 'there is no bash', 2 if !grep { -x "$_/bash" } split /:/, $ENV{PATH};
    my $complete
        = 'source docs/examples/md-mx-ctrl.bash; COMP_WORDS=("$0" "$1");'
        . 'COMP_CWORD=1; _md_mx_ctrl; echo "${COMPREPLY[@]}"';
    is `bash -c '$complete' $ctl busy`, "busyworkers busyslaves\n",
        'completion of a command';
    is `bash -c '$complete' $ctl --ti`, "--timeout\n",
        'completion of an option';
}

my $usage = control(undef, '');
is $usage->{status}, 1, 'no command: exit status';
like $usage->{err}, qr/^Usage: md-mx-ctrl /m, 'no command: usage';
is control(undef, '', '--help')->{status}, 0, '--help: exit status';
like control(undef, '', '--version')->{out}, qr/^md-mx-ctrl version \d/,
    '--version';

done_testing;
