# SPDX-License-Identifier: MIT
#
# Percent-encoding, and text made fit for one line.  Pure; never fails.
# A string with the utf8 flag stands for characters and becomes UTF-8 bytes.

package Mail::MIMEDefang::Codec;
use v5.36;
use Exporter 'import';

our @EXPORT_OK = qw(percent_encode percent_encode_for_graphdefang
    percent_decode one_line to_bytes);

my @ESCAPE = map { sprintf '%%%02X', $_ } 0 .. 255;

sub to_bytes ($text) {
    $text //= '';
    utf8::encode($text) if utf8::is_utf8($text);
    return $text;
}

# spec:spool-percent
sub percent_encode ($text = '', @) {
    $text = to_bytes($text);
    $text =~ s/([^\x21-\x7e]|[%\\'"])/$ESCAPE[ord $1]/g;
    return $text;
}

sub percent_encode_for_graphdefang ($text = '', @) {
    $text = to_bytes($text);
    $text =~ s/([^\x20-\x7e]|[%\\,])/$ESCAPE[ord $1]/g;
    return $text;
}

sub percent_decode ($text = '', @) {
    return $text if index($text, '%') < 0;
    $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return $text;
}

sub _without_end ($text) {
    return $text =~ /\A(.*[^ ])/s ? $1 : '';
}

sub one_line ($text) {
    $text = to_bytes($text);
    return $text if $text !~ /[\x00-\x1f\x7f]/;
    $text = $1   if $text =~ /\A(.*[^\r\n])/s;
    return ''    if $text !~ /[^\r\n]/;

    # Piece by piece: a pattern with blanks on both sides would look at each run
    # of blanks as often as it is long.
    my @pieces = split /[\x00-\x1f\x7f]+/, $text, -1;
    for my $i (0 .. $#pieces) {
        $pieces[$i] =~ s/\A +//                 if $i;
        $pieces[$i] = _without_end($pieces[$i]) if $i < $#pieces;
    }
    return join ' ', @pieces;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Codec - percent-encoding

=head1 FUNCTIONS

=head2 percent_encode(TEXT)

Every byte outside 0x21 to 0x7E, and each of C<% \ ' ">, as C<%XX>.

=head2 percent_encode_for_graphdefang(TEXT)

For fields of MDLOG lines: every byte outside 0x20 to 0x7E, and C<% \ ,>.

=head2 percent_decode(TEXT)

Undoes both; a malformed escape stays as it is.

=head2 one_line(TEXT)

TEXT without its line end, and each run of control characters made one space.

=head2 to_bytes(TEXT)

TEXT as bytes; the empty string for undef.

=cut
