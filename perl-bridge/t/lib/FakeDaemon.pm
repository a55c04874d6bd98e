# SPDX-License-Identifier: MIT
#
# For tests: a child of ours that runs CODE with each connection to a port of
# 127.0.0.1 or a UNIX socket, until the test ends.

package FakeDaemon;
use v5.36;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();

sub new ($class, $code, $path = undef) {
    my $listen
        = defined $path
        ? IO::Socket::UNIX->new(Local     => $path,       Listen => 16)
        : IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16);
    die "no socket: $!" if !$listen;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        $SIG{PIPE} = 'IGNORE';
        eval {
            while (my $fh = $listen->accept) {
                $fh->autoflush(1);
                $code->($fh);
                close $fh;
            }
            1;
        } or warn $@;
        POSIX::_exit(0);
    }
    return bless {
        pid   => $pid,
        owner => $$,
        port  => defined $path ? undef : $listen->sockport,
        path  => $path
    }, $class;
}

sub port    ($self) { return $self->{port} }
sub address ($self) { return $self->{path} // "127.0.0.1:$self->{port}" }

sub DESTROY ($self) {
    return if $self->{owner} != $$;
    local $?;
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

1;
