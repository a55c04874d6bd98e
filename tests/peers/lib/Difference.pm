# SPDX-License-Identifier: MIT
package Difference;

# Two lists of lines, and what differs: "- line" for what only the first has,
# "+ line" for what only the second has, in order.

use v5.36;
use Digest::MD5 qw(md5_hex);
use Exporter    qw(import);

our @EXPORT_OK = qw(difference missing shown);

=head1 FUNCTIONS

=head2 difference(\@theirs, \@ours)

Lines of a shortest difference.

=head2 missing(\@theirs, \@ours)

The lines that only the first has, in whatever order they stand.

=head2 shown($octets)

One printable line; a long one is cut, and its end told by a digest.

=cut

sub difference ($x, $y) {
    my @common;    # [i][j]: of what follows
    for my $i (reverse 0 .. $#$x) {
        for my $j (reverse 0 .. $#$y) {
            my ($down, $right)
                = ($common[ $i + 1 ][$j] // 0, $common[$i][ $j + 1 ] // 0);
            $common[$i][$j]
                = $x->[$i] eq $y->[$j] ? 1 + ($common[ $i + 1 ][ $j + 1 ] // 0)
                : $down > $right       ? $down
                :                        $right;
        }
    }
    my @lines;
    my ($i, $j) = (0, 0);
    while ($i < @$x || $j < @$y) {
        if ($i < @$x && $j < @$y && $x->[$i] eq $y->[$j]) {
            $i++;
            $j++;
        }
        elsif (
            $j == @$y
            || ($i < @$x
                && ($common[ $i + 1 ][$j] // 0) >= ($common[$i][ $j + 1 ] // 0))
            )
        {
            push @lines, "- $x->[$i++]";
        }
        else {
            push @lines, "+ $y->[$j++]";
        }
    }
    return @lines;
}

sub missing ($x, $y) {
    my %have;
    $have{$_}++ for @$y;
    return grep { !$have{$_} || !$have{$_}-- } @$x;
}

sub shown ($octets) {
    my $text = $octets =~ s/([^\x20-\x7e]|\\(?=x))/sprintf '\x%02x', ord $1/ger;
    return $text if length $text <= 240;
    return sprintf '%s... (%d octets, %s)', substr($text, 0, 60),
        length $octets,
        substr md5_hex($octets), 0, 8;
}

1;
