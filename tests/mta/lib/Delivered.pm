# SPDX-License-Identifier: MIT
package Delivered;

# Compares what has arrived with what a run (see Cases) wants.

use v5.36;
use Exporter qw(import);

our @EXPORT_OK = qw(differences);

=head1 FUNCTIONS

=head2 differences($run, @messages)

Compares what the sink got for this run with what the case says.  Returns lines
that say what is wrong; empty if nothing is.

=cut

sub differences ($run, @messages) {
    my @want = sort { ($a->{from} // '') cmp($b->{from} // '') }
        @{ $run->{delivered} // [] };
    my $in_domain = quotemeta $run->{domain};
    my @got       = sort { $a->{from} cmp $b->{from} }
        grep { "$_->{from} @{ $_->{to} }" =~ /\@$in_domain>/ } @messages;
    return 'delivered: got ' . @got . ', want ' . @want . ' messages'
        if @got != @want;
    return map { compare($got[$_], $want[$_]) } 0 .. $#want;
}

sub compare ($got, $want) {
    my @wrong;
    my $from = $want->{from};
    push @wrong, "sender: got $got->{from}, want $from"
        if defined $from && $got->{from} ne $from;
    if ($want->{to}) {
        my ($is, $should) = map { join ' ', sort @$_ } $got->{to}, $want->{to};
        push @wrong, "recipients: got $is, want $should" if $is ne $should;
    }
    my ($text, $at) = without_received($got->{bytes});
    push @wrong, 'a line end that is not CRLF'
        if $got->{bytes} =~ /(?<!\r)\n|\r(?!\n)/;
    push @wrong,
        "Received field: got place $at, want " . ($want->{received_at} // 0)
        if $at ne ($want->{received_at} // 0);
    push @wrong, first_difference($text, $want->{message})
        if defined $want->{message};
    push @wrong, map {"message is not like $_:\n$text"}
        grep { $text !~ $_ } @{ $want->{like} // [] };
    push @wrong, map {"message is like $_:\n$text"}
        grep { $text =~ $_ } @{ $want->{unlike} // [] };
    return @wrong;
}

# The message with LF line ends and without the field that the MTA added, and
# the number of fields above it.
sub without_received ($bytes) {
    my $text   = $bytes =~ s/\r\n/\n/gr;
    my ($head) = $text  =~ /\A(.*?\n)(?=\n)/s or return ($text, 'none');
    my @fields = $head  =~ /^(\S[^\n]*\n(?:[ \t][^\n]*\n)*)/mg;
    for my $i (0 .. $#fields) {
        next
            if $fields[$i]
            !~ /\AReceived: from client\.example .*by mx\.example/s;
        splice @fields, $i, 1;
        return (join('', @fields) . substr($text, length $head), $i);
    }
    return ($text, 'none');
}

sub first_difference ($got, $want) {
    return () if $got eq $want;
    ($got ^. $want) =~ /\A\0*/;
    my $at = $+[0];
    my ($is, $should) = map { substr $_, $at > 30 ? $at - 30 : 0, 200 } $got,
        $want;
    return
          "message: differs at octet $at, length got "
        . length($got)
        . ', want '
        . length($want)
        . "\n got: $is\n want: $should";
}

1;
