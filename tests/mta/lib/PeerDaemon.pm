# SPDX-License-Identifier: MIT
package PeerDaemon;

# A daemon under test (see Daemon) of which some programs are those of Debian's
# package mimedefang, which we run but do not look into.  They are found below
# PEER_ROOT, by default "": installed.  They log to syslog only.

use v5.36;
use parent 'Daemon';
use Harness qw(program stage_worker wait_for);
use IO::Socket::INET;
use IO::Socket::UNIX;

my $root  = $ENV{PEER_ROOT} // '';
my $front = "$root/usr/bin/mimedefang";
my $mux   = "$root/usr/bin/mimedefang-multiplexor";

=head1 METHODS

=head2 PeerDaemon->why_not

Why this cannot be done here; undef if it can.

=head2 PeerDaemon->start(peer => [...], ...)

As Daemon; C<peer> lists which are the peer's: front, multiplexor, worker.  The
multiplexor is always a separate one.

=cut

sub why_not ($class) {
    return "$front is not there" if !-x $front || !-x $mux;
    my $version = qx($front -v 2>&1);
    return "$front is not the peer" if $version !~ /\Amimedefang version [23]/;
    return;
}

sub version ($class) {
    return qx($front -v 2>&1) =~ s/\s*\z//r;
}

sub prepare ($class, %o) {
    my $self = $class->SUPER::prepare(%o, separate => 1);
    $self->{is_peer} = { map { $_ => 1 } @{ $o{peer} } };
    return $self;
}

sub worker ($self) {
    return $self->{is_peer}{worker}
        ? "$root/usr/bin/mimedefang.pl"
        : stage_worker();
}

sub commands ($self) {
    my $is   = $self->{is_peer};
    my @ours = $self->SUPER::commands;
    my ($mux_command, $front_command) = map {
        [ grep { $_ ne '--log-stderr' } @$_ ]
    } @ours;
    $mux_command->[0]   = $mux;
    $front_command->[0] = $front;
    return (
        $is->{multiplexor} ? $mux_command   : $ours[0],
        $is->{front}       ? $front_command : $ours[1]
    );
}

sub await_ready ($self) {
    my $listens = sub {
        return $self->{address} =~ /\Ainet:(\d+)/
            ? IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $1)
            : IO::Socket::UNIX->new(Peer => $self->{address} =~ s/\Aunix://r);
    };
    return wait_for('start of the daemon', $listens);
}

1;
