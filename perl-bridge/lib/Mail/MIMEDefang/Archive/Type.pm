# SPDX-License-Identifier: MIT
#
# What kind of archive a file is, from its content: names are the sender's
# choice.  A file can be two at once (a zip archive may follow anything), so that
# every answer counts.  Reads a few kilobytes; never dies.

package Mail::MIMEDefang::Archive::Type;
use v5.36;
use Exporter 'import';

our @EXPORT_OK = qw(archive_types begins_as looks_like_archive tar_header_ok);

use constant {
    HEAD      => 512,
    ISO_AT    => 32_769,
    ZIP_TAIL  => 22 + 65_535,    # end record and its comment
    STUB_SIZE => 1 << 22,        # of a self-extractor
};

# spec:archive-type
my @MAGIC = (
    [ zip  => qr/\APK(?:\x03\x04|\x05\x06|\x07\x08)/ ],
    [ '7z' => qr/\A7z\xbc\xaf\x27\x1c/ ],
    [ rar  => qr/\A(?:Rar!\x1a\x07|RE\x7e\x5e)/ ],
    [ gz   => qr/\A\x1f\x8b/ ],
    [ bz2  => qr/\ABZh[1-9]/ ],
    [ xz   => qr/\A\xfd7zXZ\0/ ],
    [ zst  => qr/\A\x28\xb5\x2f\xfd/ ],
    [ lz   => qr/\ALZIP/ ],
    [ lzma => qr/\A\x5d\0\0[\0-\x80]/ ],
    [ Z    => qr/\A\x1f\x9d/ ],
    [ lz4  => qr/\A\x04\x22\x4d\x18/ ],
    [ lzo  => qr/\A\x89LZO/ ],
    [ rpm  => qr/\A\xed\xab\xee\xdb/ ],
    [ cab  => qr/\AMSCF\0\0\0\0/ ],
    [ ar   => qr/\A!<arch>\n/ ],
    [ cpio => qr/\A0707(?:01|02|07)[0-9A-Fa-f]{8}/ ],
    [ xar  => qr/\Axar!\0/ ],
    [ lha  => qr/\A..-lh[0-9d]-/s ],
    [ arj  => qr/\A\x60\xea/ ],
    [ ace  => qr/\A.{7}\*\*ACE\*\*/s ],
);
my $STUB      = qr/\A(?:MZ|\x7fELF|#!)/;
my $SIGNATURE = qr/(7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|MSCF\0\0\0\0)/;

# Files of these names are looked at whole even if they do not begin like an
# archive.
my $NAME
    = qr/\.(?:zip|jar|apk|xpi|docx?m?|xls[xmb]?|ppt[xm]?|od[tsp]|7z|rar|r\d\d
    |tar|t[gbx]z2?|tzst|gz|bz2|xz|zst|lzma?|cab|iso|img|arj|lha|lzh|ace|cpio|exe)
    [.\s]*\z/xi;

sub looks_like_archive ($name) {
    return $name =~ $NAME ? 1 : 0;
}

# The type that the first bytes show, or undef.
sub begins_as ($head) {
    for (@MAGIC) {
        return $_->[0] if $head =~ $_->[1];
    }
    return 'tar' if tar_header_ok(substr $head, 0, HEAD);
    return;
}

# spec:archive-tar  The sum of its bytes, its own field counted as blanks; old
# programs added up signed bytes.
sub tar_header_ok ($block) {
    return 0 if length $block != HEAD || substr($block, 0, 1) eq "\0";
    my ($sum) = substr($block, 148, 8) =~ /\A\s*([0-7]{1,8})[\s\0]/
        or return 0;
    substr $block, 148, 8, ' ' x 8;
    $sum = oct $sum;
    return 1 if $sum == unpack '%32C*', $block;
    return $sum == unpack '%32c*', $block;
}

# [TYPE, OFFSET] of every archive that programs may see in the file.
sub archive_types ($path) {
    open my $fh, '<:raw', $path or return;
    my $size = -s $fh;
    my $head = _piece($fh, 0, HEAD);
    my @found;
    my $first = begins_as($head);
    push @found, [ $first, 0 ]             if $first;
    push @found, _further_down($fh, $head) if !$first;
    push @found, [ 'iso', 0 ]
        if !$first && _is_iso($head, _piece($fh, ISO_AT, 5));

    if (!grep { $_->[0] eq 'zip' } @found) {
        my $at = $size > ZIP_TAIL ? $size - ZIP_TAIL : 0;
        push @found, [ 'zip', 0 ]
            if _piece($fh, $at, ZIP_TAIL) =~ /PK\x05\x06.{18}/s;
    }
    return @found;
}

sub _piece ($fh, $at, $length) {
    seek $fh, $at, 0;
    read($fh, my $bytes, $length);
    return $bytes // '';
}

# Behind a self-extractor, or anything: there are programs that look for it.
sub _further_down ($fh, $head) {
    my %type  = ('7z' => '7z', Ra => 'rar', MS => 'cab');
    my $bytes = _piece($fh, 0, STUB_SIZE);
    while ($bytes =~ /$SIGNATURE/g) {
        my ($at, $name) = ($-[0], $type{ substr $1, 0, 2 });
        return [ $name, $at ] if $name ne 'cab' || $head =~ $STUB;
    }
    return;
}

# What boots, or nothing, comes before the volume: anything else might be taken
# for another format by the program that reads it.  choice:archive-programs
sub _is_iso ($head, $volume) {
    return $volume eq 'CD001'
        && $head =~ /\A(?:\0{16}|\x33\xed|\xeb.\x90|\xfa)/s;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Archive::Type - what kind of archive a file is

=head1 FUNCTIONS

=head2 archive_types(PATH)

A list of [TYPE, OFFSET], one for each archive that a program may see in the
file: what it begins with, what follows a self-extractor or a picture, a zip archive
at its end. Empty if there is none or the file cannot be read.

Types: C<zip 7z rar tar cab ar cpio xar lha iso arj ace>, and those of one
compressed file: C<gz bz2 xz zst lz lzma Z lz4 lzo rpm>.

=head2 begins_as(BYTES)

The type that the first 512 bytes show, or undef.

=head2 looks_like_archive(NAME)

Whether a file of this name is for a program that opens archives.

=head2 tar_header_ok(BLOCK)

Whether 512 bytes are the header of a member of a tar archive.

=cut
