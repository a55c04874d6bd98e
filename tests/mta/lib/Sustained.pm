# SPDX-License-Identifier: MIT
package Sustained;

# An MTA with our daemons as its milter under mixed traffic (see Traffic), whose
# workers are killed meanwhile.

use v5.36;
use AuthServer ();
use Daemon     ();
use Harness    qw(temp_dir read_file stop_process wait_exit wait_for);
use Ledger     qw(judge);
use Samples    ();
use Sink       ();
use Traffic    qw(filter_text note start_client);

=head1 METHODS

=head2 Sustained->start($class, %o)

Starts a sink, a daemon (C<daemon>: its options, see Daemon), an MTA of the
class, and C<clients> clients with C<seed> and C<pause> that send until the
function C<until> is true.

=head2 kill_a_worker()

Kills one at random.  True if there was one.

=head2 stop_multiplexor($signal), start_multiplexor()

Ends the separate multiplexor with this signal; starts it again.

=head2 replies($digit)

How many dialogues have ended with a reply that begins so.

=head2 sample()

Notes what the daemons hold.

=head2 finish()

Waits until all is sent and delivered, stops everything.  Returns { lines => what
to print, wrong => [sentences], count: see Ledger }.

=cut

my $count = 0;

sub start ($me, $class, %o) {
    my $self = bless { class => $class, killed => 0 }, $me;
    my $n    = ++$count;
    $self->{sink}   = Sink->start(note => \&note);
    $self->{daemon} = Daemon->start(filter => filter_text(), %{ $o{daemon} });
    $self->{mta}    = $class->start(
        auth  => AuthServer->start,
        sink  => $self->{sink}->port,
        ports => { all => { milter => $self->{daemon}{address} } },
    );
    my @names = map { (split m{/}, $_->[0])[-1] } $self->{daemon}->commands;
    my @pids  = map { $_->{pid} } @{ $self->{daemon}{processes} };
    $self->{samples}
        = Samples->new(map { ("$names[$_], $class" => $pids[$_]) } 0 .. $#pids);
    $self->{notes} = [ map { temp_dir() . "/client$n-$_" } 1 .. $o{clients} ];

    for my $i (1 .. $o{clients}) {
        push @{ $self->{clients} },
            start_client(
            name  => lc($class) . "-$i",
            port  => $self->{mta}->port('all'),
            ip    => "127.8.$n.$i",
            seed  => $o{seed} + 100 * $n + $i,
            notes => $self->{notes}[ $i - 1 ],
            %o{qw(pause until)}
            );
    }
    return $self;
}

sub kill_a_worker ($self) {
    my @pids = $self->{daemon}->workers or return 0;
    return $self->{killed} += kill 'KILL', $pids[ rand @pids ];
}

sub stop_multiplexor ($self, $signal) {
    stop_process($self->{daemon}{processes}[0], $signal);
    return;
}

sub start_multiplexor ($self) {
    my ($command) = $self->{daemon}->commands;
    $self->{daemon}{processes}[0] = $self->{daemon}->launch_one($command);
    return;
}

sub replies ($self, $digit) {
    return scalar grep {/\t$digit[^\t]*\z/} $self->sent;
}

sub sent ($self) {
    return map { -e ? split /\n/, read_file($_) : () } @{ $self->{notes} };
}

sub sample ($self) {
    $self->{sampled}++;
    return $self->{samples}->take;
}

sub finish ($self) {
    my @wrong;
    for my $client (@{ $self->{clients} }) {
        my $status = wait_exit($client, 120);
        push @wrong, 'a client: ' . read_file($client->{stderr})
            if !defined $status || $status != 0;
    }
    my $idle = sub { $self->{mta}->is_idle };
    push @wrong, $@ if !eval { wait_for('an empty queue', $idle, 120) };
    my @sent = map { -e ? split /\n/, read_file($_) : () } @{ $self->{notes} };
    my $judged = judge(\@sent, [ $self->{sink}->notes ]);
    push @wrong, @{ $judged->{wrong} }, $self->left_behind;
    my @lines
        = ($self->summary(scalar @sent, $judged), $self->{samples}->lines);
    push @wrong, $self->{samples}->grown if $self->{sampled};
    return { %$judged, lines => \@lines, wrong => \@wrong };
}

# Stops the daemons; sentences about what they should not have left.
sub left_behind ($self) {
    my $daemon = $self->{daemon};
    my @wrong  = map {"the MTA complains: $_"} $self->{mta}->complaints;
    $self->{mta}->stop;
    my $status = $daemon->stop;
    push @wrong, "the daemon ended with status $status" if $status != 0;

    # a message that has killed two workers is kept, and named
    my %kept = map { m{Message kept in .*/([^/\s]+)\z} ? ($1 => 1) : () }
        $daemon->log_lines(qr/Message kept in/);
    $self->{kept}  = keys %kept;
    $self->{again} = $daemon->log_lines(qr/will be tried once more/);
    return @wrong,
        map {"left in the spool: $_"} grep { !$kept{$_} } $daemon->leftovers;
}

sub summary ($self, $sent, $judged) {
    my $count = $judged->{count};
    return
        sprintf
        '%s: %d messages; %s; %d workers killed, %d requests tried again, '
        . '%d messages kept', $self->{class},
        $sent, join(', ', map {"$count->{$_} $_"} sort keys %$count),
        @$self{qw(killed again kept)};
}

1;
