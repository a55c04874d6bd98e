# SPDX-License-Identifier: MIT
#
# How long a callback may take.  The process has one timer, which ends whatever
# it waits for with SIGALRM, and filters use it with alarm().  So alarm() is
# replaced, for all code that is compiled after this module: the filter's alarm
# and our limit are kept apart, and the timer is set for what comes first.  When
# the filter's alarm is due the handler that it has set is called; when our limit
# is, the callback dies, again every second in case it catches that.
#
# The signal is seen where the program may branch, between operations of Perl.  What waits in a system call
# (read, sleep, connect, wait for a program) is interrupted; a call of a C library
# that begins again by itself (name look-ups of the system, databases), and one
# match of a regular expression, end first.  spec:bridge-time-limits

package Mail::MIMEDefang::Deadline;
use v5.36;
use Exporter 'import';
use Time::HiRes ();

our @EXPORT_OK = qw(clear_alarm take_signals with_limit);

use constant {
    CLOCK   => Time::HiRes::CLOCK_MONOTONIC(),
    AGAIN   => 1,                                # seconds
    AT_ONCE => 0.001,
    EARLY   => 0.002,                            # what a timer may be
};

our $limit_at;      # of the running callback; undef: none
our $limit_text;    # what it dies with then
my $alarm_at;       # the filter's own; undef: none
my $timer_at;       # when the signal comes first; undef: never

BEGIN {
    no warnings 'once';
    *CORE::GLOBAL::alarm = \&_alarm;
}

sub _now () {
    return Time::HiRes::clock_gettime(CLOCK);
}

sub _from_now ($at, $now) {
    my $wait = $at - $now;
    return $wait > AT_ONCE ? $wait : AT_ONCE;
}

# Sets the timer for what comes first, and for what comes then.
sub _set_timer () {
    my $now = _now();
    my ($first, $next) = (0, 0);
    if (defined $alarm_at && (!defined $limit_at || $alarm_at < $limit_at)) {
        $first = _from_now($alarm_at, $now);
        $next  = _from_now($limit_at, $alarm_at) if defined $limit_at;
    }
    elsif (defined $limit_at) {
        ($first, $next) = (_from_now($limit_at, $now), AGAIN);
    }
    Time::HiRes::setitimer(Time::HiRes::ITIMER_REAL(), $first, $next);
    $timer_at = $first ? $now + $first : undef;
    return;
}

# As alarm of perlfunc(1), for the filter.
sub _alarm : prototype(_) {
    my ($seconds) = @_;
    my $now = _now();
    die $limit_text if defined $limit_at && $now >= $limit_at;
    my $left = defined $alarm_at && $alarm_at > $now ? $alarm_at - $now : 0;
    $seconds  = int($seconds || 0);
    $alarm_at = $seconds > 0 ? $now + $seconds : undef;
    _set_timer();
    return $left ? int($left + 0.999) : 0;
}

# The handler, unless the filter has set one of its own.
sub _signalled {
    my $now = _now();
    die $limit_text if defined $limit_at && $now + EARLY >= $limit_at;
    my $alarm_is_due = defined $alarm_at && $now + EARLY >= $alarm_at;
    undef $alarm_at if $alarm_is_due;
    _set_timer();
    die "Alarm clock\n" if $alarm_is_due;
    return;    # it was set for an earlier callback
}

sub take_signals () {
    ## no critic (RequireLocalizedPunctuationVars)
    $SIG{ALRM} = \&_signalled;
    return;
}

# Limits of callbacks within callbacks only become shorter.  The timer is left
# alone when a callback ends: there may be thousands, and each sets it anew only
# if it would be too late.
sub with_limit ($seconds, $code) {
    return $code->() if !$seconds;
    my $at = _now() + $seconds;
    return $code->() if defined $limit_at && $limit_at <= $at;

    local $limit_at   = $at;
    local $limit_text = "time limit of $seconds s exceeded\n";
    _set_timer() if !defined $timer_at || $timer_at > $at || $timer_at < _now();
    my @result = $code->();
    die $limit_text if _now() >= $limit_at;    # Perl may not have looked yet
    return @result;
}

sub clear_alarm () {
    undef $alarm_at;
    _set_timer() if defined $timer_at;
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Deadline - time limits of callbacks

=head1 DESCRIPTION

C<alarm> in a filter, and in modules that are loaded after this one, works as
documented in L<perlfunc>, with one difference: if the filter has no handler for
SIGALRM its callback dies, and not the worker. C<Time::HiRes::alarm> and
C<ualarm> set the timer itself and so end the limit of the callback that calls
them.

=head1 FUNCTIONS

=head2 with_limit(SECONDS, CODE)

Runs CODE and returns the list that it returns. After SECONDS (0 or undef: never) it dies
with C<time limit of SECONDS s exceeded>.

=head2 clear_alarm()

Forgets an alarm that the filter has set, and stops the timer.

=head2 take_signals()

Installs the handler.

=cut
