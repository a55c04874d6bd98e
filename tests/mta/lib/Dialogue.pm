# SPDX-License-Identifier: MIT
package Dialogue;

# Plays the steps of a run (see Cases) with an MTA.

use v5.36;
use Exporter   qw(import);
use Runs       qw(let_go wait_for_hold);
use SmtpClient ();

our @EXPORT_OK = qw(run_dialogue);

=head1 FUNCTIONS

=head2 run_dialogue($run, $mta)

Plays the steps, with all clients side by side.  Returns a list of lines, one
for each reply that is not as expected; empty if all were.  A client stops at
its first difference.

=cut

sub run_dialogue ($run, $mta) {
    my @wrong = eval { play($run, $mta) };
    push @wrong, $@ if $@;
    return map { substr $_, 0, 1000 } @wrong;
}

sub play ($run, $mta) {
    my %client;
    my @wrong;
    my @alive = (1 .. $run->{parallel} // 1);
    for my $step (@{ $run->{client} }) {
        my ($what, $text, $want, $who) = @$step;
        if (my $does = done_by_nobody($what)) {
            push @wrong, $does->($run, $mta, $step);
            next;
        }
        my %mine = map { $_ => ($who // 'client') . $_ } @alive;
        for my $n (@alive) {
            my $client = $client{ $mine{$n} }
                //= SmtpClient->new($mta->port($run->{set_up}),
                $run->{ ($who // 'client') . '_ip' });
            say_to($client, $what, $text =~ s/CLIENT/$n/gr);
            $client->start_tls($text ? $mta->certificate : ())
                if $what eq 'tls';
            delete $client{ $mine{$n} } if $what eq 'hang up';
        }
        next if !defined $want;
        my %got = map  { $_ => $client{ $mine{$_} }->reply } @alive;
        my @bad = grep { !is_wanted($got{$_}, $want) } @alive;
        $text =~ s/\n.*//s;
        push @wrong, map {"$what $text: got '$got{$_}', want '$want'"} @bad;
        @alive = grep { is_wanted($got{$_}, $want) } @alive;
    }
    return @wrong;
}

sub say_to ($client, $what, $text) {
    $client->send_line($text)    if $what eq 'smtp';
    $client->send_message($text) if $what eq 'content';
    $client->put($text)          if $what eq 'octets';
    return;
}

# Steps that are not a client's; they return what is wrong.
sub done_by_nobody ($what) {
    state $does = {
        held        => sub ($run, @) { wait_for_hold($run) },
        release     => sub ($run, @) { let_go($run) },
        submit      => \&submit_one,
        quarantined => \&quarantined_as,
    };
    return $does->{$what};
}

sub quarantined_as ($run, $mta, $step) {
    my $got = $mta->quarantined($run->{domain}) // 'nothing';
    return () if $got eq $step->[1];
    return "quarantined: got '$got', want '$step->[1]'";
}

sub submit_one ($run, $mta, $step) {
    my (undef, $text, $want) = @$step;
    my ($status, $said)
        = $mta->submit($run->{set_up}, "from\@$run->{domain}",
        "to\@$run->{domain}", $text);
    return if defined $status && $status == $want;
    return 'submit: exit status ' . ($status // 'none') . ", $said";
}

sub is_wanted ($got, $want) {
    return $want =~ /\A\d{3}\z/ ? $got =~ /\A$want[ -]/ : $got eq $want;
}

1;
