# SPDX-License-Identifier: MIT
# The loop and its jobs: talks with daemons and programs, side by side.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Bridge qw(spool);
use FakeDaemon;
use Mail::MIMEDefang::Loop qw(run_jobs);
use Mail::MIMEDefang::Loop::Process;
use Mail::MIMEDefang::Loop::Talk;
use Test::More;

sub talk (%o) {
    return Mail::MIMEDefang::Loop::Talk->new(timeout_s => 20, %o);
}

sub program (@argv) {
    return Mail::MIMEDefang::Loop::Process->new(
        argv      => \@argv,
        timeout_s => 20
    );
}

sub outcome ($job) {
    run_jobs([$job]);
    return $job->error // $job->result;
}

my $dir  = spool();
my $echo = FakeDaemon->new(sub ($fh) { print {$fh} 'got ', scalar <$fh> });
my $mute = FakeDaemon->new(sub ($fh) { my @all = <$fh> });

subtest 'talks' => sub {
    my $unix
        = FakeDaemon->new(
        sub ($fh) { print {$fh} 'got ', scalar <$fh>; my $more = <$fh> },
        "$dir/socket");
    is(outcome(talk(address => $echo->address, send => "a b\n")),
        "got a b\n", 'until it closes');
    is(
        outcome(
            talk(
                address => $unix->address,
                send    => "a\n",
                until   => qr/a/
            )
        ),
        'got a',
        'a UNIX socket, until a pattern'
    );
    is(
        outcome(
            talk(
                address => $unix->address,
                send    => "abc\n",
                until   => sub ($reply) { length $reply > 4 }
            )
        ),
        "got abc\n",
        'until a function says so'
    );
    my @pieces = ('x' x 100_000, 'y' x 100_000, "\n", '');
    my $count
        = FakeDaemon->new(sub ($fh) { print {$fh} length scalar <$fh> });
    is(
        outcome(
            talk(
                address => $count->address,
                send    => sub { shift @pieces }
            )
        ),
        200_001,
        'pieces from a function'
    );
};

subtest 'talks that fail' => sub {
    my $gone = FakeDaemon->new(sub { })->address;
    like(
        outcome(talk(address => $gone)),
        qr/^cannot connect to 127\.0\.0\.1:\d+: \w/,
        'nobody there'
    );
    like(
        outcome(talk(address => "$dir/nothing")),
        qr{^cannot connect to $dir/nothing: No such file},
        'no socket'
    );
    like(
        outcome(talk(address => '/' . 'x' x 200)),
        qr{path too long$},
        'a long path'
    );
    like(
        outcome(talk(address => 'nonsense')),
        qr/neither host:port nor/,
        'no address'
    );
    is(
        outcome(
            talk(
                address => $echo->address,
                send    => "a\n",
                until   => qr/b/
            )
        ),
        $echo->address . ': closed before its answer was complete',
        'half an answer'
    );
    my $flood
        = FakeDaemon->new(sub ($fh) { 1 while print {$fh} 'x' x 10_000 });
    is(
        outcome(talk(address => $flood->address, max_bytes => 50_000)),
        $flood->address . ': answer longer than 50000 bytes',
        'a flood'
    );
    is(outcome(talk(address => $mute->address, timeout_s => 0.1)),
        $mute->address . ': no answer within 0.1 s', 'silence');
    is(
        outcome(
            talk(
                address => $mute->address,
                send    => sub { die "no more of it\n" }
            )
        ),
        'no more of it',
        'what we send ends'
    );
};

subtest 'programs' => sub {
    is_deeply(
        outcome(program('sh', '-c', 'echo out; echo err >&2; exit 3')),
        { stdout => "out\n", stderr => "err\n", exit_code => 3 },
        'outputs and status'
    );
    is_deeply(
        outcome(program('sh', '-c', 'kill -9 $$')),
        { stdout => '', stderr => '', exit_code => 137 },
        'a signal'
    );
    is_deeply(
        outcome(program('/nonexistent/program')),
        {
            stdout => '',
            stderr => "cannot run /nonexistent/program: "
                . "No such file or directory\n",
            exit_code => 127
        },
        'no program'
    );
    is(
        outcome(program('sh', '-c', 'exec >&- 2>&-; exec sleep 0.05'))
            ->{exit_code},
        0,
        'closes its output and goes on'
    );
    my $slow = Mail::MIMEDefang::Loop::Process->new(
        argv      => [ 'sh', '-c', 'sleep 60; echo late' ],
        timeout_s => 0.3
    );
    is(outcome($slow), 'sh: not finished within 0.3 s', 'too slow');
    my $flood = Mail::MIMEDefang::Loop::Process->new(
        argv      => [ 'sh', '-c', 'while :; do echo xxxxxxxxxx; done' ],
        max_bytes => 1000
    );
    is(outcome($flood), 'sh: output longer than 1000 bytes', 'a flood');

    my $pid;
    eval {
        local $SIG{ALRM} = sub { die "alarm\n" };
        my $job = program('sleep', '60');
        $job->start(0);
        $pid = $job->{pid};
        die "left\n";
    };
    is(kill(0 => $pid), 0, 'the loop was left by a die: killed');
};

subtest 'side by side' => sub {

    # Each waits for the other.
    my @fifos = map {"$dir/fifo$_"} 1, 2;
    system 'mkfifo', @fifos;
    my @jobs = (
        program('sh', '-c', "echo 1 > $fifos[0]; cat $fifos[1]"),
        program('sh', '-c', "cat $fifos[0]; echo 2 > $fifos[1]")
    );
    run_jobs(\@jobs, timeout_s => 20);
    is_deeply([ map { $_->result->{stdout} } @jobs ], [ "2\n", "1\n" ], 'two');

    @jobs = map { talk(address => $echo->address, send => "$_\n") } 1 .. 20;
    run_jobs(\@jobs, at_once => 3);
    is(
        join(',', map { $_->result =~ /(\d+)/ } @jobs),
        join(',', 1 .. 20),
        'twenty, three at once'
    );

    @jobs = map { talk(address => $_->address, send => "\n") } $mute, $echo;
    run_jobs(
        \@jobs,
        timeout_s => 60,
        enough    => sub {
            grep { defined $_->result } @jobs;
        }
    );
    is_deeply([ map { $_->error // 'ok' } @jobs ],
        [ 'not answered in time', 'ok' ], 'enough');

    @jobs = map { talk(address => $_->address, send => "\n") } $mute, $mute;
    run_jobs(\@jobs, timeout_s => 0.1, at_once => 1);
    is_deeply(
        [ map { $_->error } @jobs ],
        [ ('not answered in time') x 2 ],
        'the time is over'
    );
    run_jobs([]);
    pass('nothing to do');
};

done_testing();
