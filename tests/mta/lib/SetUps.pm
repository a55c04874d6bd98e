# SPDX-License-Identifier: MIT
package SetUps;

# The set-ups of docs/mta.md, as they stand there, on a private host.

use v5.36;
use Exporter qw(import);
use Harness  qw(read_file top);

our @EXPORT_OK = qw(set_ups options_of);

=head1 FUNCTIONS

=head2 set_ups()

A list of { name => 'Postfix: By TCP', mta => 'Postfix', sh => text, main.cf =>
text ... }: what the fenced blocks of each section have.

=cut

sub set_ups {
    my ($mta,  $section) = ('', '');
    my (@list, $block);
    for my $line (split /^/, read_file(top() . '/docs/mta.md')) {
        if (defined $block && $line ne "```\n") {
            $list[-1]{$block} .= $line;
        }
        elsif ($line =~ /\A```(\S*)/) {
            $block = defined $block ? undef : $1;
            my $name = "$mta: $section";
            push @list, { name => $name, mta => $mta }
                if defined $block && (!@list || $list[-1]{name} ne $name);
        }
        $mta     = $1 if !defined $block && $line =~ /\A## (.*)/;
        $section = $1 if !defined $block && $line =~ /\A### (.*)/;
    }
    return @list;
}

=head2 options_of($set_up)

What the daemon of a set-up is started with: (address, own options, those of the
multiplexor; references).  The user is left out.

=cut

sub options_of ($set_up) {
    my (undef, @words) = split ' ', $set_up->{sh} =~ s/\\\n//gr;
    my ($address, @own);
    while (@words) {
        my $word = shift @words;
        last if $word eq '--';
        if    ($word eq '-p') { $address = shift @words }
        elsif ($word eq '-U') { shift @words }
        else                  { push @own, $word }
    }
    return ($address, \@own, [@words]);
}

1;
