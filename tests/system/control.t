#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# md-mx-ctrl asks the built-in and the separate multiplexor alike.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon  ();
use Harness qw(both_ways need_programs program run_program wait_for);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my $version = "sub filter_end { action_add_header('X-Filter', '%s') }";

both_ways(\&all_of);
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

    $daemon->filter(sprintf $version, 'two');
    is_deeply [ $daemon->control('reread') ],
        [ 0, "Forced reread of filter rules\n", '' ], 'reread';
    is filter_version($daemon), 'two', 'the next message meets the new filter';
    wait_for('the old worker to go', sub { !kill 0, $first });
    pass 'the old worker is gone';

    is_deeply [ ($daemon->control('foo_no_such_command'))[ 0, 1 ] ],
        [ 0, "error: Unknown command\n" ],
        'an unknown command';
    is $daemon->stop, 0, 'the daemon ends with status 0';
    diag $daemon->log_text if !Test::More->builder->is_passing;
    return;
}

sub filter_version ($daemon) {
    my $mta = $daemon->milter;
    $mta->hello;
    my $got = $mta->message;
    $mta->quit;
    return $got->{changes}[0][2];
}
