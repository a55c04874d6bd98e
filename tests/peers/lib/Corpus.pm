# SPDX-License-Identifier: MIT
package Corpus;

# Messages made for the purpose, the same in each run: the files of corpus/ list
# them with the functions below.  Lines end with LF, as in INPUTMSG, unless a
# message is about something else.

use v5.36;
use Exporter          qw(import);
use MIME::Base64      qw(encode_base64);
use MIME::QuotedPrint qw(encode_qp);

our @EXPORT_OK = qw(all_messages mail multipart part attached filler octets
    base64 quoted uuencoded);

my $top = "From: Sender <from\@example.com>\nTo: to\@example.net\n"
    . "Date: Wed, 25 Nov 2026 12:00:00 +0000\nMessage-ID: <id\@example.com>\n";

=head1 FUNCTIONS

=head2 all_messages($directory)

The list of [ name, octets ] of all files of the directory.

=head2 mail($head, $body)

A message: the usual fields, then the lines of $head, an empty line, $body.  A
Subject is added if $head has none.

=head2 part($head, $body), multipart($type, $boundary, @parts)

A part; a whole entity, from its Content-Type on, that holds the parts.

=head2 attached($name, $octets [, $type])

A base64 part with a file name.

=head2 filler($n [, $seed]), octets($n [, $seed])

About so many octets of words in lines; so many octets of any value.

=head2 base64($octets), quoted($octets), uuencoded($name, $octets)

=cut

sub all_messages ($directory) {
    my @messages;
    for my $file (sort glob "$directory/*.pl") {
        my $list = do $file;
        die "$file: ", $@ || $!, "\n" if !$list;
        push @messages, @$list;
    }
    return @messages;
}

sub mail ($head, $body) {
    my $subject = $head =~ /^Subject:/mi ? '' : "Subject: a message\n";
    $head .= "\n" if length $head && $head !~ /\n\z/;
    return "$top$subject$head\n$body";
}

sub part ($head, $body) {
    $head .= "\n" if length $head && $head !~ /\n\z/;
    return "$head\n$body";
}

sub multipart ($type, $boundary, @parts) {
    return
          qq{Content-Type: multipart/$type; boundary="$boundary"\n\n}
        . join('', map {"--$boundary\n$_\n"} @parts)
        . "--$boundary--\n";
}

sub attached ($name, $octets, $type = 'application/octet-stream') {
    return part(
        qq{Content-Type: $type; name="$name"\n}
            . "Content-Transfer-Encoding: base64\n"
            . qq{Content-Disposition: attachment; filename="$name"},
        base64($octets)
    );
}

# Numbers that are the same everywhere.
sub _numbers ($seed) {
    my $x = $seed * 2654435761 % 2**32;
    return sub ($below) {
        $x = ($x * 1664525 + 1013904223) % 2**32;
        return ($x >> 8) % $below;
    };
}

my @words = qw(the quick brown fox jumps over a lazy dog and then it sleeps
    under some tree where nobody looks for one);

sub filler ($n, $seed = 1) {
    my $number = _numbers($seed);
    my ($text, $line) = ('', '');
    while (length $text < $n) {
        $line .= $words[ $number->(scalar @words) ] . ' ';
        next if length $line < 60;
        $text .= $line =~ s/ \z/\n/r;
        $line = '';
    }
    return $text;
}

sub octets ($n, $seed = 1) {
    my $number = _numbers($seed);
    return join '', map { chr $number->(256) } 1 .. $n;
}

sub base64 ($octets) { return encode_base64($octets) }
sub quoted ($octets) { return encode_qp($octets) }

sub uuencoded ($name, $octets) {
    return "begin 644 $name\n" . pack('u', $octets) . "`\nend\n";
}

1;
