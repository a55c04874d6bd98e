# SPDX-License-Identifier: MIT
package PeerDaemon;

# A daemon under test (see Daemon) of which some programs are those of Debian's
# package mimedefang.  What they log to syslog is in log_text, too.

use v5.36;
use parent 'Daemon';
use Harness qw(stage_worker start_process wait_for is_running);
use IO::Socket::INET;
use IO::Socket::UNIX;
use Peers qw(peer_program peer_env peer_host);

=head1 METHODS

=head2 PeerDaemon->start(peer => [...], ...)

As Daemon; C<peer> lists which are the peer's: front, multiplexor, worker.  The
multiplexor is always a separate one.

=cut

=head2 PeerDaemon->why_not, PeerDaemon->version

Why the peer cannot be run here, undef if it can; what it says with -v.

=cut

sub why_not ($class) { return Peers::why_not() }

sub version ($class) {
    my $front = peer_program('mimedefang');
    return qx($front -v 2>&1) =~ s/\s*\z//r;
}

sub prepare ($class, %o) {
    my $self = $class->SUPER::prepare(%o, separate => 1);
    $self->{is_peer} = { map { $_ => 1 } @{ $o{peer} } };
    return $self;
}

sub worker ($self) {
    return $self->{is_peer}{worker}
        ? peer_program('mimedefang.pl')
        : stage_worker();
}

# The peer's programs log to a syslog of ours, and so do all in their company,
# for what a worker says; only ours know an option that logs elsewhere.
sub commands ($self) {
    my ($mux, $front) = $self->SUPER::commands;
    return ($mux, $front) if !%{ $self->{is_peer} };
    $self->{host} //= peer_host($self->{log});
    for ([ $mux, 'multiplexor' ], [ $front, 'front' ]) {
        my ($command, $part) = @$_;
        next if !$self->{is_peer}{$part};
        @$command = grep { $_ ne '--log-stderr' } @$command;
        $command->[0]
            = peer_program($command->[0] =~ s{.*/}{}r);
    }
    return map { [ $self->{host}->wrap(@$_) ] } $mux, $front;
}

sub launch_one ($self, $command) {
    my %env = (MIMEDEFANG_LOG => 'stderr');
    %env = (%env, peer_env()) if $self->{is_peer}{worker};
    return start_process(
        cmd    => $command,
        stdout => $self->{log},
        stderr => $self->{log},
        env    => \%env,
    );
}

sub await_ready ($self) {
    return wait_for(
        'start of the daemon',
        sub {
            return -1 if grep { !is_running($_) } @{ $self->{processes} };
            return 0 if $self->log_text !~ /entering main loop/;
            return $self->{address} =~ /\Ainet:(\d+)/
                ? IO::Socket::INET->new(
                PeerAddr => '127.0.0.1',
                PeerPort => $1
                )
                : IO::Socket::UNIX->new(
                Peer => $self->{address} =~ s/\Aunix://r);
        }
    ) ne '-1';
}

sub stop ($self, @args) {
    my $status = $self->SUPER::stop(@args);
    (delete $self->{host})->stop if $self->{host};
    return $status;
}

1;
