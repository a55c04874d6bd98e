# SPDX-License-Identifier: MIT
#
# The members of a tar archive in a file: all kinds of headers that are in use.
# Reads headers only; dies with one line when the archive is damaged.

package Mail::MIMEDefang::Archive::Tar;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Archive::Type qw(tar_header_ok);

our @EXPORT_OK = qw(read_tar);

use constant {
    BLOCK    => 512,
    MAX_META => 1 << 20,    # of a long name or of extended attributes
};

# Calls MEMBER for each; returns when the archive ends.
sub read_tar ($fh, $member) {
    my ($at, $count, $zeros, $size) = (0, 0, 0, -s $fh);
    my (%next, %global);
    while ($at < $size) {
        my $block = _read($fh, $at, BLOCK);
        $at += BLOCK;
        if ($block !~ /[^\0]/) {
            $zeros++;
            next;    # another archive may follow
        }
        if (!tar_header_ok($block)) {
            last if $zeros;
            die $count ? "damaged after $count members\n" : "damaged\n";
        }
        $zeros = 0;
        my ($type, $length) = _type_and_length($block);
        if ($type =~ /[LKxgX]/) {
            my $text = _read($fh, $at, $length < MAX_META ? $length : MAX_META);
            _meta($type, $text, $type eq 'g' ? \%global : \%next);
            $at += _padded($length);
            next;
        }
        $at = _after_sparse_map($fh, $at, $block) if $type eq 'S';
        my %is = (%global, %next);
        %next   = ();
        $length = $is{size} if ($is{size} // '') =~ /\A\d{1,15}\z/a;
        $length = 0 if $type =~ /[12345]/;    # links and directories have none
        my $real = $is{'GNU.sparse.name'} // $is{path} // _name($block);
        $member->(
            {
                name => $real,
                size => $length,
                at   => $at,
                ($type =~ /[12]/)
                ? (link => $is{linkpath} // _text($block, 157, 100))
                : (),
            }
        );
        $count++;
        $at += _padded($length);
    }
    die "cut off after $count members\n" if $at > $size + BLOCK;
    return;
}

sub _read ($fh, $at, $length) {
    seek $fh, $at, 0;
    my $n = read($fh, my $bytes, $length);
    die "cannot be read: $!\n" if !defined $n;
    return $bytes;
}

sub _padded ($length) {
    return int(($length + BLOCK - 1) / BLOCK) * BLOCK;
}

sub _text ($block, $at, $length) {
    return unpack 'Z*', substr($block, $at, $length) . "\0";
}

sub _name ($block) {
    my $name = _text($block, 0, 100);
    my $prefix
        = substr($block, 257, 6) eq "ustar\0"
        ? _text($block, 345, 155)
        : '';
    return length $prefix ? "$prefix/$name" : $name;
}

sub _type_and_length ($block) {
    my $field = substr $block, 124, 12;
    my $type  = substr $block, 156, 1;
    if (substr($field, 0, 1) =~ /[\x80-\xff]/) {    # binary: what is too large
        my $length = 0;                             # is as good as endless
        $length = $length * 256 + $_ for unpack 'x4 C8', $field;
        return ($type, $length < 2**53 ? $length : 2**53);
    }
    my ($digits) = $field =~ /([0-7]+)/;
    return ($type, oct($digits // 0));
}

# A name (L), a target (K) or "LENGTH KEY=VALUE\n"...  for the next member.
sub _meta ($type, $text, $into) {
    if ($type =~ /[LK]/) {
        $into->{ $type eq 'L' ? 'path' : 'linkpath' } = unpack 'Z*', "$text\0";
        return;
    }
    while ($text =~ /\G(\d+) /gc) {
        my $rest = $1 - length($1) - 1;
        last if $rest < 2;
        my ($key, $value)
            = substr($text, pos $text, $rest) =~ /\A([^=]*)=(.*)\n\z/s
            or last;
        $into->{$key} = $value;
        pos($text) += $rest;
    }
    return;
}

# Old GNU headers of files with holes go on in more blocks.
sub _after_sparse_map ($fh, $at, $block) {
    my $more = substr $block, 482, 1;
    while ($more eq "\1") {
        $more = substr _read($fh, $at, BLOCK) . "\0" x BLOCK, 504, 1;
        $at += BLOCK;
    }
    return $at;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Archive::Tar - the members of a tar archive

=head1 FUNCTIONS

=head2 read_tar(HANDLE, CODE)

Calls CODE with a hash for each member: C<name> (bytes), C<size>, C<at> (offset
of its content), C<link> (target, for links only). Understands old, POSIX and GNU
headers, long names, extended attributes, binary sizes, several archives one
after the other. Dies if the archive is damaged or cut off.

=cut
