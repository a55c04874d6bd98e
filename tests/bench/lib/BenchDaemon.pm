# SPDX-License-Identifier: MIT
package BenchDaemon;

# Daemons to measure (see PeerDaemon, Daemon): with the instant worker, with a
# spool where it is wanted, without logging each start of a worker.

use v5.36;
use parent 'PeerDaemon';
use File::Copy qw(copy);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);

=head1 METHODS

=head2 BenchDaemon->start(who => ..., below => DIRECTORY, ...)

As PeerDaemon.  C<who>: ours (built-in multiplexor), apart (separate), peer.
The spool is made below C<below>.

=head2 remove()

Removes the spool.

=cut

sub prepare ($class, %o) {
    my $below = tempdir('sallyport-XXXXXX', DIR => $o{below}, CLEANUP => 1);
    chmod 0711, $below or die "$below: $!\n";
    my $self = $class->SUPER::prepare(
        peer => $o{who} eq 'peer' ? [qw(front multiplexor)] : [],
        %o,
        spool => "$below/spool",
    );
    $self->{below}    = $below;
    $self->{separate} = $o{who} ne 'ours';
    $self->make_spool;
    return $self;
}

# Where every user can run it.
sub worker ($self) {
    my $to = "$self->{below}/worker";
    if (!-e $to) {
        copy('build/test/bench/instant_worker', $to) or die "$to: $!\n";
        chmod 0755, $to or die "$to: $!\n";
    }
    return $to;
}

sub commands ($self) {
    return $self->{separate} ? $self->SUPER::commands : $self->Daemon::commands;
}

sub mux_options ($self) {
    return grep { $_ ne '-l' } $self->SUPER::mux_options;
}

sub await_ready ($self) {
    return $self->{is_peer}{front}
        ? $self->SUPER::await_ready
        : $self->Daemon::await_ready;
}

sub remove ($self) {
    remove_tree($self->{below});
    return;
}

1;
