# SPDX-License-Identifier: MIT
package Ledger;

# Compares the notes of Traffic's clients with those of the sink: each message
# was delivered once and as the filter says, or refused, and nothing else came.

use v5.36;
use Exporter qw(import);
use Traffic  qw(kind_of);

our @EXPORT_OK = qw(judge);

=head1 FUNCTIONS

=head2 judge($sent, $arrived)

Takes the lines of both ends.  Returns { count => { word => number }, wrong =>
[sentences] }; the words are: delivered; discarded, refused (as the filter
says); gone (the client went away within the message); tempfailed (where the
filter says something else).

=cut

sub judge ($sent, $arrived) {
    my (%count, @wrong, %at_sink);
    for my $line (@$arrived) {
        my ($number, @rest) = split /\t/, $line;
        push @{ $at_sink{$number} }, \@rest;
    }
    for my $line (@$sent) {
        my ($number, @said) = split /\t/, $line, -1;
        my @there = @{ delete $at_sink{$number} // [] };
        my $what  = outcome(@said);
        $count{$what}++;
        my $differs
            = $what eq 'delivered' ? delivery_differs(\@said, @there)
            : $what eq 'wrong'     ? 'got "' . join(' ', @said[ 3, 4 ]) . '"'
            : @there               ? "$what, and has arrived"
            :                        undef;
        push @wrong, "$said[0] $number: $differs" if defined $differs;
    }
    push @wrong, map {"$_ has arrived, and was not sent"} sort keys %at_sink;
    return { count => \%count, wrong => \@wrong };
}

sub outcome ($name, $sum, $core, $stage, $reply) {
    my $kind = kind_of($name);
    my $as_planned
        = $stage eq $kind->{stage} && index($reply, $kind->{reply}) == 0;
    return 'tempfailed' if !$as_planned && $reply =~ /\A4/;
    return 'wrong'      if !$as_planned;
    return 'delivered'  if $kind->{arrives};
    return 'gone'       if $stage eq 'gone';
    return $reply =~ /\A2/ ? 'discarded' : 'refused';
}

sub delivery_differs ($said, @there) {
    my ($name, @sums) = @$said;
    return 'accepted, and arrived ' . @there . ' times' if @there != 1;
    my (undef, $seen, $core, $from, @to) = @{ $there[0] };
    my $kind = kind_of($name);
    my $want = ($kind->{from} // $name) . '.';
    return "was not scanned: $seen"    if $seen ne $sums[0];
    return 'arrived with another body' if $core ne $sums[1];
    return "arrived from $from"        if $from !~ /\A<\Q$want\E/;
    @to = sort @to;
    my @want = map {"<$_\@traffic.example>"} $kind->{more} ? 'more' : (), 'to';
    return "arrived for @to" if "@to" ne "@want";
    return;
}

1;
