# SPDX-License-Identifier: MIT
#
# Content-Transfer-Encodings in blocks: what the classes of MIME::Decoder do
# line by line, with the same results.  And files in one go.

package Mail::MIMEDefang::Body;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Fast ();
use MIME::Base64           qw(decode_base64 encode_base64);
use MIME::QuotedPrint      qw(decode_qp encode_qp);

our @EXPORT_OK = qw(decoded encoded give_back is_known read_all write_all);

use constant {
    CHUNK => 8192,      # of MIME::Decoder::NBit
    LARGE => 1 << 21,
};

my %DECODE = (
    '7bit'             => \&_decode_lines,
    '8bit'             => \&_decode_lines,
    'binary'           => sub ($bytes) {$bytes},
    'none'             => sub ($bytes) {$bytes},
    'base64'           => \&_decode_base64,
    'quoted-printable' => \&_decode_qp,
);

my %ENCODE = (
    '7bit'             => sub ($bytes, $) {$bytes},
    '8bit'             => sub ($bytes, $) {$bytes},
    'binary'           => sub ($bytes, $) {$bytes},
    'none'             => sub ($bytes, $) {$bytes},
    'base64'           => \&_encode_base64,
    'quoted-printable' => \&_encode_qp,
);

sub is_known ($encoding) {
    return exists $DECODE{$encoding};
}

sub decoded ($bytes, $encoding) {
    return $DECODE{$encoding}->($bytes);
}

sub encoded ($bytes, $encoding, $is_text) {
    return $ENCODE{$encoding}->($bytes, $is_text);
}

# MIME::Decoder::NBit makes LF of CR LF at the end of each of its chunks only.
sub _decode_lines ($bytes) {
    return $bytes if index($bytes, "\r\n") < 0;
    my $text = '';
    for (my $at = 0; $at < length $bytes;) {
        my $end = index $bytes, "\n", $at + CHUNK;
        $end = $end < 0 ? length $bytes : $end + 1;
        $text .= substr($bytes, $at, $end - $at) =~ s/\r\n$/\n/r;
        $at = $end;
    }
    return $text;
}

# It takes "=" for nothing wherever it is, MIME::Base64 for the end.
sub _decode_base64 ($bytes) {
    return Mail::MIMEDefang::Fast::decode_base64($bytes)
        if $Mail::MIMEDefang::Fast::Loaded;
    my $equals = index $bytes, '=';
    if ($equals >= 0 && substr($bytes, $equals) =~ tr/A-Za-z0-9+\///) {
        $bytes =~ tr{A-Za-z0-9+/}{}cd;
        $bytes .= '=' x (-length($bytes) % 4);
    }
    return decode_base64($bytes);
}

# Outlook's PDF files are repaired by MIME::Decoder, and nobody else.
sub _decode_qp ($bytes) {
    return _by_mime_tools('quoted-printable', 'decode', $bytes)
        if $bytes =~ /\A%PDF-[0-9.]+=0D/;
    return Mail::MIMEDefang::Fast::decode_qp($bytes)
        if $Mail::MIMEDefang::Fast::Loaded;
    return decode_qp($bytes);
}

sub _by_mime_tools ($encoding, $method, $bytes, @args) {
    my $result = '';
    my $in     = IO::File->new(\$bytes,  '<:');
    my $out    = IO::File->new(\$result, '>:');
    MIME::Decoder->new($encoding)->$method($in, $out, @args);
    close $out;
    return $result;
}

sub _encode_base64 ($bytes, $) {
    return Mail::MIMEDefang::Fast::encode_base64($bytes)
        if $Mail::MIMEDefang::Fast::Loaded;
    return '' if !length $bytes;
    return join "\n", unpack('(a60)*', encode_base64($bytes, '')), '';
}

# It encodes each line for itself, and if that is a short line, hides what a
# mailer could take for more than text.  A line after "=" LF is not a new one.
sub _encode_qp ($bytes, $is_text) {
    return _by_mime_tools('quoted-printable', 'encode', $bytes, $is_text)
        if !$is_text;
    return Mail::MIMEDefang::Fast::encode_qp($bytes)
        if $Mail::MIMEDefang::Fast::Loaded;
    my $text = encode_qp($bytes);
    $text =~ s/(?<!=\n)^\.\n/=2E\n/mg if "\n$text" =~ /\n\.\n/;
    $text =~ s/(?<!=\n)^From (?=[^\n]{0,67}\n)/=46rom /mg
        if index("\n$text", "\nFrom ") >= 0;
    return $text;
}

# A variable of a function keeps its memory for the next call, which makes that
# one faster; but not that of a large message for as long as the worker lives.
sub give_back ($bytes) {
    undef ${$bytes} if length(${$bytes} // '') > LARGE;
    return;
}

sub read_all ($path) {
    open my $fh, '<:raw', $path or return;
    my $bytes = '';
    my $size  = -s $fh;
    while (1) {
        my $n = sysread $fh, $bytes, $size + 1 - length $bytes, length $bytes;
        return                    if !defined $n;
        last                      if !$n;
        $size = 2 * length $bytes if length $bytes > $size;
    }
    return $bytes;
}

sub write_all ($fh, $bytes) {
    my $at = 0;
    while ($at < length ${$bytes}) {
        $at += syswrite($fh, ${$bytes}, length(${$bytes}) - $at, $at)
            // return 0;
    }
    return 1;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Body - encoded bytes, decoded bytes, bytes in files

=head1 FUNCTIONS

=head2 is_known(ENCODING)

Whether it is one of MIME's, in small letters, and so fit for the next two.

=head2 decoded(BYTES, ENCODING), encoded(BYTES, ENCODING, IS_TEXT)

What the decoder of MIME-tools makes of the bytes.

=head2 give_back(BYTES)

Forgets what BYTES refers to if it is large.

=head2 read_all(PATH)

The content of a file, or nothing if it cannot be read.

=head2 write_all(HANDLE, BYTES)

Writes the bytes that BYTES refers to. 1, or 0 on failure.

=cut
