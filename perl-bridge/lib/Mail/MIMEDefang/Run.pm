# SPDX-License-Identifier: MIT
#
# Runs a program and reads what it says, without a shell, with a limit on its
# time and on its output.  A program that breaks one is killed with everything
# that it started.  Nothing here dies or logs; every failure comes back as a text.

package Mail::MIMEDefang::Run;
use v5.36;
use Errno ();
use Exporter 'import';
use IO::Handle;
use Mail::MIMEDefang::Child qw(start_program);
use POSIX                   ();
use Time::HiRes             qw(CLOCK_MONOTONIC clock_gettime);

our @EXPORT_OK = qw(run_command);

use constant {
    TIMEOUT_S => 120,
    MAX_BYTES => 4 << 20,
    BLOCK     => 1 << 16,
    SLICE_S   => 0.1,       # how often a program that is silent is looked at
    GRACE_S   => 1,         # between TERM and KILL
};

sub run_command (%o) {
    my $self = bless {
        name   => $o{argv}[0],
        max    => $o{max_bytes} // MAX_BYTES,
        limit  => $o{timeout_s} // TIMEOUT_S,
        output => '',
        total  => 0,
        sink   => $o{sink},
        },
        __PACKAGE__;
    $self->{deadline} = clock_gettime(CLOCK_MONOTONIC) + $self->{limit};
    local $?;
    local $SIG{CHLD} = 'DEFAULT';    # else somebody else may reap it
    my $error = _start($self, \%o) // _read($self);
    _kill($self) if $error ne '' && $self->{pid};
    delete $self->{pid};
    my $status = $self->{status};
    return {
        status => defined $status && !($status & 127) ? $status >> 8  : undef,
        signal => defined $status                     ? $status & 127 : 0,
        output => $self->{output},
        error  => $error,
    };
}

# Somebody's time limit may end the wait: it must not leave the program behind.
sub DESTROY ($self) {
    return if !$self->{pid};
    local ($?, $!, $@);
    local $SIG{CHLD} = 'DEFAULT';
    _kill($self);
    return;
}

# undef, or why it did not start.
sub _start ($self, $o) {
    pipe my $out, my $to_us or return "cannot make a pipe: $!";
    my ($pid, $why) = start_program(
        argv => $o->{argv},
        in   => $o->{stdin},
        out  => $to_us,
        err  => $o->{stderr} // ($o->{only_stdout} ? undef : $to_us),
        dir  => $o->{dir},
        env  => $o->{env},
    );
    return $why if !$pid;
    $out->blocking(0);
    @{$self}{qw(pid out)} = ($pid, $out);
    return;
}

# Until the program has ended.  One that leaves another behind, which still has
# its output open, has ended; one that only closes its output has not.
sub _read ($self) {
    my ($open, $wait) = (1, SLICE_S / 100);
    while (1) {
        my $got;
        while ($open) {
            my $n = sysread $self->{out}, $self->{output}, BLOCK,
                length $self->{output};
            last if !defined $n;
            $open = 0 if !$n;
            $got  = 1;
            $self->{total} += $n;
            return "$self->{name}: output longer than $self->{max} bytes"
                if $self->{total} > $self->{max};
            return "$self->{name}: stopped by us" if $n && !_pass_on($self);
            return _late($self)                   if _left($self) <= 0;
        }
        return ''           if defined $self->{status} && !$got;
        return _late($self) if _left($self) <= 0;
        if (waitpid($self->{pid}, POSIX::WNOHANG()) > 0) {
            $self->{status} = $?;
            next;    # for what it wrote last
        }
        _pause($self, $open, $wait);
        $wait = $wait * 2 < SLICE_S ? $wait * 2 : SLICE_S;
    }
    return '';
}

# False if who reads has enough.
sub _pass_on ($self) {
    my $sink = $self->{sink} or return 1;
    my $text = $self->{output};
    $self->{output} = '';
    return $sink->($text);
}

sub _pause ($self, $open, $wait) {
    my $set = '';
    vec($set, fileno $self->{out}, 1) = 1 if $open;
    my $left = _left($self);
    select $set, undef, undef, $left < $wait ? $left : $wait;
    return;
}

sub _left ($self) {
    return $self->{deadline} - clock_gettime(CLOCK_MONOTONIC);
}

sub _late ($self) {
    return "$self->{name}: not finished within $self->{limit} s";
}

# The whole group: first with a chance to remove its temporary files.
sub _kill ($self) {
    my $pid = $self->{pid};
    kill TERM => -$pid;
    my $end = clock_gettime(CLOCK_MONOTONIC) + GRACE_S;
    while (!defined $self->{status}) {
        kill KILL => -$pid if clock_gettime(CLOCK_MONOTONIC) >= $end;
        if (waitpid($pid, POSIX::WNOHANG()) > 0) {
            $self->{status} = $?;
            last;
        }
        Time::HiRes::sleep(SLICE_S / 10);
    }
    kill KILL => -$pid;
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Run - run a program, with limits

=head1 SYNOPSIS

    my $run = run_command(
        argv      => [ '/usr/bin/7z', 'l', '--', $path ],
        dir       => $CWD,
        env       => { LC_ALL => 'C' },
        max_bytes => 1 << 20,
        timeout_s => 60,
    );
    return if $run->{error} ne '' || ($run->{status} // 255) != 0;
    print $run->{output};

=head1 FUNCTIONS

=head2 run_command(argv => [...], dir => ..., env => {...}, stdin => ..., only_stdout => ..., stderr => ..., sink => ..., max_bytes => ..., timeout_s => ...)

Runs a program, found as C<argv[0]> or on C<$PATH> if that has no slash, and
waits for its end. No shell sees the arguments. It runs in DIR (default: here),
in a process group of its own, with ENV added to the environment; its standard
input is the file STDIN (a name, default F</dev/null>, or an open handle, which it
reads from where that stands); its standard error goes where its output goes, or
stays ours if ONLY_STDOUT is true, or goes to the file STDERR.

With SINK, a function, it gets the output block by block and OUTPUT stays empty;
it must not die. When it returns false the program is ended, which is an error.

When it has not ended after TIMEOUT_S seconds (default 120), or has written more
than MAX_BYTES (default 4 MiB), it and all that it started get a TERM, and a KILL
one second later. A process that it leaves behind is otherwise left alone and not
waited for.

Returns a reference to a hash:

=over

=item status

The exit status, 0 to 255; undef if it did not start or a signal ended it.

=item signal

The number of that signal, else 0.

=item output

What it wrote, as bytes; also with an error what came until then.

=item error

The empty string if it started and kept to the limits, whatever its exit status
is. Else one line that says what was wrong. C<cannot ...>: it did not start.

=back

=cut
