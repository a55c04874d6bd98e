#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# md-mx-ctrl asks the built-in and the separate multiplexor alike.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;
use Daemon  ();
use Harness qw(both_ways need_programs program run_program wait_for);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my $version = "sub filter_end { action_add_header('X-Filter', '%s') }";

both_ways(\&all_of);
loading();
my ($status, $out, $err)
    = run_program(10, program('md-mx-ctrl'), '-s', '/nonexistent/sock', 'free');
is $status, 1, 'nobody listens: exit status 1';
like $err, qr/\AERROR .*running.*\n\z/,
    'nobody listens: one line, and what to look at';
is $out, '', 'nobody listens: no answer';
done_testing;

sub all_of ($separate) {
    my $daemon = Daemon->start(
        filter   => sprintf($version, 'one'),
        separate => $separate,
        mux      => [qw(-m 1 -x 3)],
        options  => ['-X']
    );
    is_deeply [ $daemon->control('wait-ready') ], [ 0, '', '' ], 'wait-ready';
    my $first = $daemon->first_worker;
    is_deeply [ $daemon->control('free') ], [ 0, "3\n", '' ], 'free';
    is_deeply [ $daemon->control('msgs') ], [ 0, "0\n", '' ],
        'msgs before the first message';
    is_deeply [ $daemon->control('status') ],
        [
        0,
        "Max workers: 3\nWorker 0: idle\nWorker 1: stopped\nWorker 2: stopped\n",
        ''
        ],
        'status';
    my ($exit, $text) = $daemon->control('workers');
    is $exit, 0, 'workers: exit status';
    like $text, qr/\A0 I $first\b[^\n]*\n1 S\b[^\n]*\n2 S\b[^\n]*\n\z/,
        'workers';
    is filter_version($daemon), 'one', 'a message';
    is_deeply [ $daemon->control('msgs') ], [ 0, "1\n", '' ], 'msgs after it';

    looks_alike($daemon, $first);

    $daemon->filter(sprintf $version, 'two');
    is_deeply [ $daemon->control('reread') ],
        [ 0, "Forced reread of filter rules\n", '' ], 'reread';
    wait_for('the old worker to go', sub { !kill 0, $first });
    is filter_version($daemon), 'two', 'then messages meet the new filter';

    is_deeply [ ($daemon->control('foo_no_such_command'))[ 0, 1 ] ],
        [ 0, "error: Unknown command\n" ],
        'an unknown command';
    is $daemon->stop, 0, 'the daemon ends with status 0';
    diag $daemon->log_text if !Test::More->builder->is_passing;
    return;
}

# JSON and the plain `top` say what the other reports say.
sub looks_alike ($daemon, $worker) {
    my ($exit, $text) = $daemon->control(qw(workers --json));
    is $exit, 0, 'workers --json: exit status';
    my $workers = decode_json($text)->{workers};
    is_deeply [ map { $_->{state} } @$workers ], [qw(idle stopped stopped)],
        'workers --json: states';
    is $workers->[0]{pid}, $worker, 'workers --json: pid';
    is decode_json(($daemon->control(qw(msgs --json)))[1])->{msgs}, 1,
        'msgs --json';
    my $status = decode_json(($daemon->control(qw(status --json)))[1]);
    is $status->{stoppedworkers}, 2, 'status --json: totals';
    is_deeply $status->{workers}, [qw(idle stopped stopped)],
        'status --json: states';

    ($exit, $text) = $daemon->control('top');
    is $exit, 0, 'top: exit status';
    like $text, qr{ 0/3 busy, 1 idle, 2 stopped\n},         'top: workers';
    like $text, qr{^Scanned 1 messages; started }m,         'top: messages';
    like $text, qr/^ +0 idle +$worker +\d+s  last scan\n/m, 'top: a worker';
    return;
}

# A filter that is not loaded in time is waited for, in vain.
sub loading {
    my $daemon = Daemon->start(
        filter => 'sleep 600;',
        mux    => [qw(-m 1 -x 1)],
    );
    my ($exit, $out, $err) = $daemon->control(qw(wait-ready --timeout=1));
    is $exit, 1, 'wait-ready in vain: exit status';
    like $err, qr/\AERROR \S+: no answer in time\n\z/,
        'wait-ready in vain: says why';
    kill 'KILL', $daemon->workers;
    $daemon->stop;
    return;
}

sub filter_version ($daemon) {
    my $mta = $daemon->milter;
    $mta->hello;
    my $got = $mta->message;
    $mta->quit;
    return $got->{changes}[0][2];
}
