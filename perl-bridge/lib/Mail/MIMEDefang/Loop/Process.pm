# SPDX-License-Identifier: MIT
#
# A program, without a shell: what it writes, and how it ended.  One that takes
# too long or writes too much is killed, with all that it started.

package Mail::MIMEDefang::Loop::Process;
use v5.36;
use parent 'Mail::MIMEDefang::Loop::Job';
use Errno ();
use IO::Handle;
use IO::Poll                qw(POLLIN);
use Mail::MIMEDefang::Child qw(start_program);
use POSIX                   ();

use constant {
    TIMEOUT_S => 30,
    MAX_BYTES => 1 << 20,
    BLOCK     => 1 << 16,
    NOT_RUN   => 127,       # as a shell says it
    LOOK_S    => 0.01,      # for the end of one that closed its output
};

sub new ($class, %o) {
    return bless {
        argv   => $o{argv},
        max    => $o{max_bytes} // MAX_BYTES,
        limit  => $o{timeout_s} // TIMEOUT_S,
        output => [ '', '' ],
    }, $class;
}

sub start ($self, $now) {
    $self->{deadline} = $self->{end} = $now + $self->{limit};
    my (@ours, @theirs);
    for my $i (0, 1) {
        pipe $ours[$i], $theirs[$i]
            or return $self->abandon("cannot make a pipe: $!");
        $ours[$i]->blocking(0);
    }
    my ($pid, $why) = start_program(
        argv => $self->{argv},
        out  => $theirs[0],
        err  => $theirs[1]
    );
    return $self->finish(
        { stdout => '', stderr => "$why\n", exit_code => NOT_RUN })
        if !$pid;
    @{$self}{qw(pid owner out)} = ($pid, $$, \@ours);
    return;
}

sub handles ($self) {
    return map { [ $_, POLLIN ] } grep {defined} @{ $self->{out} };
}

sub ready ($self, $now) {
    for my $i (0, 1) {
        $self->_read($i);
        return if $self->done;
    }
    return if grep {defined} @{ $self->{out} };
    return $self->_look($now);
}

sub _read ($self, $i) {
    while (defined $self->{out}[$i]) {
        my $n = sysread $self->{out}[$i], $self->{output}[$i], BLOCK,
            length $self->{output}[$i];
        return                   if !defined $n && ($!{EAGAIN} || $!{EINTR});
        $self->{out}[$i] = undef if !$n;
        return $self->abandon(
            "$self->{argv}[0]: output longer than $self->{max} bytes")
            if length $self->{output}[$i] > $self->{max};
    }
    return;
}

sub _look ($self, $now) {
    my $pid = waitpid $self->{pid}, POSIX::WNOHANG();
    if ($pid == 0) {
        my $look = $now + LOOK_S;
        $self->{deadline} = $look < $self->{end} ? $look : $self->{end};
        return;
    }
    my $status = $pid > 0 ? $? : -1;    # somebody else has reaped it
    delete $self->{pid};
    return $self->finish(
        {
            stdout    => $self->{output}[0],
            stderr    => $self->{output}[1],
            exit_code => $status < 0 ? -1
            : $status & 127 ? 128 + ($status & 127)
            :                 $status >> 8,
        }
    );
}

sub expire ($self, $now) {
    return $self->_look($now) if $now < $self->{end};
    return $self->abandon(
        "$self->{argv}[0]: not finished within $self->{limit} s");
}

sub let_go ($self) {
    $self->{out} = [];
    my $pid = delete $self->{pid} // return;
    return if $self->{owner} != $$;
    local ($?, $!);
    kill KILL => -$pid, $pid;
    waitpid $pid, 0;
    return;
}

# The loop was left by a die.
sub DESTROY ($self) {
    $self->let_go;
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Loop::Process - run a program

=head1 METHODS

=head2 new(argv => [...], timeout_s => ..., max_bytes => ...)

RESULT is a reference to a hash with C<stdout>, C<stderr> and C<exit_code> (128
and the signal's number if one ended it; 127 if it could not be run). Each output
may have MAX_BYTES (1 MiB); it may take TIMEOUT_S (30).

=head2 start(NOW), handles(), ready(NOW), expire(NOW)

For the loop.

=cut
