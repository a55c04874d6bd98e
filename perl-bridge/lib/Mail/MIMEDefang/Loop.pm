# SPDX-License-Identifier: MIT
#
# Several things that take their time, side by side in one process: questions to
# name servers, talks with daemons, programs.  Each is a job; what the jobs have
# in common is here and in Loop::Job, what each does is in its own file.
#
# Nothing here dies or logs: a job ends with a result or with an error text.

package Mail::MIMEDefang::Loop;
use v5.36;
use Exporter 'import';
use IO::Poll    ();
use Time::HiRes qw(CLOCK_MONOTONIC clock_gettime);

our @EXPORT_OK = qw(now run_jobs);

use constant AT_ONCE => 64;

sub now () {
    return clock_gettime(CLOCK_MONOTONIC);
}

# Reads the clock after each wait and hands the time down.
sub run_jobs ($jobs, %o) {
    local $SIG{PIPE} = 'IGNORE';
    my $now     = now();
    my $end     = defined $o{timeout_s} ? $now + $o{timeout_s} : undef;
    my $at_once = $o{at_once} || AT_ONCE;
    my @waiting = @{$jobs};
    my @running;
    while (1) {
        while (@waiting && @running < $at_once) {
            push @running, shift @waiting;
            $running[-1]->start($now);
        }
        my $before = @running;
        @running = grep { !$_->done } @running;
        last if $o{enough}         && $o{enough}->();
        next if @running < $before && @waiting;
        last if !@running;
        _wait(\@running, $now, $end);
        $now = now();
        _step(\@running, $now);
        last if defined $end && $now >= $end;
    }
    $_->abandon('not answered in time')
        for grep { !$_->done } @running, @waiting;
    return;
}

# Until a descriptor is ready or the next deadline is there.
sub _wait ($running, $now, $end) {
    my $until = $end;
    my $poll  = IO::Poll->new;
    for my $job (@{$running}) {
        my $deadline = $job->deadline;
        $until = $deadline if !defined $until || $deadline < $until;
        $poll->mask(@{$_}) for $job->handles;
        $job->{ready} = 0;
    }
    my $left = $until - $now;
    if ($poll->poll($left > 0 ? $left : 0) > 0) {
        for my $job (@{$running}) {
            $job->{ready} = grep { $poll->events($_->[0]) } $job->handles;
        }
    }
    return;
}

sub _step ($running, $now) {
    for my $job (@{$running}) {
        $job->ready($now)  if $job->{ready};
        $job->expire($now) if !$job->done && $job->deadline <= $now;
    }
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Loop - jobs side by side

=head1 SYNOPSIS

    my @jobs = (
        Mail::MIMEDefang::Loop::Talk->new(address => '127.0.0.1:3310', ...),
        Mail::MIMEDefang::Loop::Process->new(argv => ['/bin/true']),
    );
    run_jobs(\@jobs, timeout_s => 10);
    print $_->error // $_->result for @jobs;

=head1 FUNCTIONS

=head2 run_jobs(\@JOBS, timeout_s => ..., at_once => ..., enough => ...)

Runs the jobs until all are done or TIMEOUT_S seconds are over; AT_ONCE (64) of
them at the same time. ENOUGH is called whenever something may have been
finished; when it returns true the rest is given up. A job that is given up has
an error.

=head2 now()

Seconds of a clock that nobody sets.

=cut
