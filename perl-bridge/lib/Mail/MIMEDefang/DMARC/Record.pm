# SPDX-License-Identifier: MIT
#
# The text of a DMARC record, taken apart.  rfc:7489#6.3  Pure.

package Mail::MIMEDefang::DMARC::Record;
use v5.36;
use Exporter 'import';

our @EXPORT_OK = qw(parse_dmarc);

my $POLICY = qr/\A(?:none|quarantine|reject)\z/;

# undef if it is none, or has no policy that can be understood.
sub parse_dmarc ($text = undef, @) {
    my ($first, @rest) = split /\s*;\s*/, ($text // '') =~ s/\A\s+|\s+\z//gr;
    return if ($first // '') !~ /\Av\s*=\s*DMARC1\z/;
    my %record = (adkim => 'r', aspf => 'r', pct => 100, psd => 'u');
    my %seen;
    for my $tag (@rest) {
        my ($name, $value) = $tag =~ /\A([A-Za-z]+)\s*=\s*(.*)\z/s or next;
        $name = lc $name;
        next if $seen{$name}++;
        $value         = lc $value if $name !~ /\A(?:rua|ruf)\z/;
        $record{$name} = $value    if _makes_sense($name, $value);
    }

    # rfc:7489#6.6.3  Whoever wants reports meant it.
    my $wrong = grep { $seen{$_} && !defined $record{$_} } qw(p sp np);
    if (!defined $record{p} || $wrong) {
        return if ($record{rua} // '') !~ /\bmailto:[^\s,@]+@/i;
        delete @record{qw(sp np)};
        $record{p} = 'none';
    }
    return \%record;
}

sub _makes_sense ($name, $value) {
    return $value =~ $POLICY    if $name =~ /\A(?:p|sp|np)\z/;
    return $value =~ /\A[rs]\z/ if $name =~ /\Aa(?:dkim|spf)\z/;
    return $value =~ /\A[ynu]\z/                     if $name eq 'psd';
    return $value =~ /\A\d{1,3}\z/a && $value <= 100 if $name eq 'pct';
    return 1;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::DMARC::Record - the text of a DMARC record

=head1 FUNCTIONS

=head2 parse_dmarc(TEXT)

A reference to a hash of its tags, with the defaults of C<adkim>, C<aspf>, C<pct> and
C<psd>; undef if it is no DMARC record. A record whose policy cannot be understood
counts as C<p=none> if it asks for reports, and else as none.

=cut
