# SPDX-License-Identifier: MIT
#
# The members of a zip archive in a file.  Their headers are looked for anywhere
# in it, in the directory at the end and in front of each member: programs differ
# in which they believe, and what is hidden from one is found by another.

package Mail::MIMEDefang::Archive::Zip;
use v5.36;
use Compress::Raw::Zlib ();
use Exporter 'import';

our @EXPORT_OK = qw(zip_headers zip_content);

use constant {
    WINDOW  => 1 << 20,
    HEADER  => 46 + 2 * 65_535,    # the longest one
    BLOCK   => 1 << 16,
    STORED  => 0,
    DEFLATE => 8,
};

# spec:archive-zip  Of all headers, in the order of the file.
sub zip_headers ($fh) {
    my ($size, $start, @found) = (-s $fh, 0);
    while ($start < $size) {
        seek $fh, $start, 0;
        read $fh, my $bytes, WINDOW + HEADER or last;
        while ($bytes =~ /PK(?:\x01\x02|\x03\x04)/g) {
            last if $-[0] >= WINDOW;
            my $header = _header(substr($bytes, $-[0], HEADER), $start + $-[0]);
            push @found, $header if $header;
        }
        $start += WINDOW;
    }
    my %central = map { $_->{raw} => $_ } grep { $_->{central} } @found;
    for my $local (grep { !$_->{central} } @found) {
        my $other = $central{ $local->{raw} } // {};
        $local->{packed} ||= $other->{packed} || 0;
        $local->{packed} = $size
            if $local->{packed} == 0xffff_ffff
            || (!$local->{packed} && $local->{flags} & 8);
        $local->{is_link} = $other->{is_link};
    }
    return @found;
}

sub _header ($bytes, $at) {
    my $central = substr($bytes, 2, 1) eq "\1";
    return if length $bytes < ($central ? 46 : 30);
    my %h = (at => $at, central => $central);
    my ($names, $extras, $after);
    (@h{qw(flags method)}, @h{qw(packed size)}, $names, $extras)
        = unpack $central ? 'x8 v2 x8 V2 v2' : 'x6 v2 x8 V2 v2', $bytes;
    $after        = $central ? 46 : 30;
    $h{raw}       = substr $bytes, $after, $names;
    $h{encrypted} = $h{flags} & 1;
    $h{is_link}   = 1
        if $central && (unpack('x38 V', $bytes) >> 16 & 0170000) == 0120000;
    $h{content} = $at + $after + $names + $extras;
    return if !length $h{raw};
    my $extra = substr $bytes . "\0" x $names, $after + $names, $extras;
    @h{qw(name other_name)} = _names($h{raw}, $h{flags}, $extra);
    return \%h;
}

# What the name is by the flag, and by the field with the name in Unicode.
sub _names ($raw, $flags, $extra) {
    my $name = _decoded($raw, $flags & 0x800);
    while ($extra =~ /\G(..)(..)/gcs) {
        my ($id, $length) = (unpack('v', $1), unpack 'v', $2);
        my $value = substr $extra, pos $extra, $length;
        return ($name, _decoded(substr($value, 5), 1))
            if $id == 0x7075 && length $value > 5;
        last if pos($extra) + $length > length $extra;
        pos($extra) += $length;
    }
    return ($name);
}

sub _decoded ($bytes, $is_utf8) {
    my $text = $bytes;
    if ($bytes =~ /[\x80-\xff]/ && !utf8::decode($text)) {
        require Encode;
        $text = Encode::decode($is_utf8 ? 'iso-8859-1' : 'cp437', $bytes);
    }
    return $text =~ tr{\\}{/}r;
}

# Gives the content to SINK in pieces until that returns false.  True if there
# was some; undef if we do not know the method.
sub zip_content ($fh, $header, $sink) {
    my ($method, $left) = @{$header}{qw(method packed)};
    return if $method != STORED && $method != DEFLATE;
    my $inflate = Compress::Raw::Zlib::Inflate->new(
        -WindowBits  => -Compress::Raw::Zlib::MAX_WBITS(),
        -LimitOutput => 1,
        -Bufsize     => BLOCK,
    );
    seek $fh, $header->{content}, 0;
    while ($left > 0 && read $fh, my $bytes, $left < BLOCK ? $left : BLOCK) {
        $left -= length $bytes;
        if ($method == STORED) {
            $sink->($bytes) or return 1;
            next;
        }
        _inflate($inflate, $bytes, $sink) or return 1;
    }
    return 1;
}

# False at the end of the content.
sub _inflate ($inflate, $bytes, $sink) {
    while (1) {
        my $status = $inflate->inflate($bytes, my $out);
        return 0 if length($out // '')                        && !$sink->($out);
        next if $status == Compress::Raw::Zlib::Z_BUF_ERROR() && length $out;
        return $status == Compress::Raw::Zlib::Z_OK()
            || $status == Compress::Raw::Zlib::Z_BUF_ERROR();
    }
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Archive::Zip - the members of a zip archive

=head1 FUNCTIONS

=head2 zip_headers(HANDLE)

A list of hashes, one for each header in the file: C<central> (in the directory)
or in front of a member; C<at>, its offset; C<content>, where the content is;
C<packed>, how long at most; C<size>; C<method>; C<encrypted>; C<is_link>; C<name>
and perhaps C<other_name>, decoded: UTF-8 if it is valid, else code page 437.

=head2 zip_content(HANDLE, HEADER, CODE)

Gives what is in a member to CODE, in pieces, until that returns false or the
content ends. Undef if it is packed in a way that is not understood (known are
stored and deflated), else true.

=cut
