# SPDX-License-Identifier: MIT
#
# What is in an archive, and in the archives inside, for filters that refuse
# members by name.  What cannot be read is told, never passed over: as a text, in
# $ArchiveError and in the log.  Work, time and depth are limited.

package Mail::MIMEDefang::Archive;
use v5.36;
use Exporter 'import';
use File::Spec                         ();
use File::Temp                         ();
use Mail::MIMEDefang::Archive::Program qw(is_compressed list_members unpack_to);
use Mail::MIMEDefang::Archive::Tar     qw(read_tar);
use Mail::MIMEDefang::Archive::Type
    qw(archive_types begins_as looks_like_archive);
use Mail::MIMEDefang::Archive::Zip qw(zip_content zip_headers);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log qw(md_syslog);
use Time::HiRes           qw(CLOCK_MONOTONIC clock_gettime);

our @EXPORT_OK = qw(md_list_archive re_match_in_7zip_directory
    re_match_in_rar_directory re_match_in_tgz_directory
    re_match_in_zip_directory);

# choice:archive-limits
my %LIMIT = (
    members => 20_000,
    depth   => 6,
    bytes   => 200 << 20,
    seconds => 30,
);
use constant {
    HEAD     => 512,       # shows the type of a member
    MAX_LINK => 4096,
    BLOCK    => 1 << 16,
};

# A filter switches a kind of archive off with a feature of 0.
my %FEATURE = (rar => 'unrar', '7z' => '7zip', tar => 'tar');

sub md_list_archive ($path, $limits = {}, @) {
    return _walk($path, $limits, sub {0});
}

# One walk over a file and what is in it; ENOUGH is asked about each member and
# ends it with a true answer.
sub _walk ($path, $limits, $enough) {
    my %limit = (%LIMIT, %{ $limits // {} });
    my $self  = bless {
        limit    => \%limit,
        enough   => $enough,
        deadline => clock_gettime(CLOCK_MONOTONIC) + $limit{seconds},
        bytes    => $limit{bytes},
        members  => [],
        seen     => {},
        problems => [],
        },
        __PACKAGE__;
    my ($type, $stop);
    eval {
        local $SIG{__DIE__};
        $path = File::Spec->rel2abs($path);
        die "$path: $!\n" if !-r $path || !-f _;
        $type = $self->_file($path, '', 1) // die "no archive\n";
        1;
    } or $stop = $@;
    $self->_problem('', $stop) if length($stop // '') && !ref $stop;
    $self->_problem('', 'encrypted members are not looked into')
        if $self->{encrypted};
    return {
        type      => $type // $self->{type},
        members   => $self->{members},
        error     => join('; ', @{ $self->{problems} }),
        encrypted => $self->{encrypted} // 0,
        truncated => $self->{truncated} // 0,
    };
}

# Why this archive, or one in it, is not known whole.
sub _problem ($self, $inside, $why) {
    chomp $why;
    my $text = length $inside ? "$inside: $why" : $why;
    push @{ $self->{problems} }, $text if @{ $self->{problems} } < 10;
    return;
}

# A limit ends the walk.
sub _exceeded ($self, $text) {
    $self->{truncated} = 1;
    $self->_problem('', $text);
    die { stopped => 1 };    ## no critic (RequireCarping)
}

sub _seconds_left ($self) {
    my $left = $self->{deadline} - clock_gettime(CLOCK_MONOTONIC);
    $self->_exceeded("more than $self->{limit}{seconds} s of work")
        if $left <= 0;
    return $left;
}

# What a program may use.
sub _left ($self) {
    return { seconds => $self->_seconds_left, bytes => $self->{bytes} };
}

sub _member ($self, $inside, $member) {
    my $text = $member->{name};
    $self->_seconds_left;
    utf8::decode($text) if !utf8::is_utf8($text);
    $member->{name}    = $text;
    $member->{path}    = length $inside ? "$inside!/$text" : $text;
    $self->{encrypted} = 1 if $member->{encrypted};
    return if $self->{seen}{ $member->{path} }++;
    $self->_exceeded("more than $self->{limit}{members} members")
        if @{ $self->{members} } >= $self->{limit}{members};
    delete $member->{at};
    push @{ $self->{members} }, $member;
    die { found => 1 }    ## no critic (RequireCarping)

        if $self->{enough}->($member);
    return;
}

# What is in the file at PATH.  Returns its type, undef if it is no archive.
sub _file ($self, $path, $inside, $depth) {
    my @types = archive_types($path) or return;
    if ($depth > $self->{limit}{depth}) {
        $self->{truncated} = 1;
        $self->_problem($inside, "nested deeper than $self->{limit}{depth}");
        return $types[0][0];
    }
    my $name;
    for (@types) {
        my ($type, $offset) = @{$_};
        my $feature = $FEATURE{$type} // '';
        $self->{type} //= $type;
        my $is = eval {
            die "switched off by the filter: \$Features{'$feature'} is 0\n"
                if ($Features{$feature} // '') eq '0';
            my $copy = $offset ? $self->_cut_off($path, $offset) : undef;
            $self->_one($type, $copy ? $copy->filename : $path,
                $inside, $depth);
        };
        if (!defined $is) {
            die $@ if ref $@;    ## no critic (RequireCarping)
            $self->_problem($inside, "$type: $@");
        }
        $name //= $is // $type;
    }
    return $name;
}

sub _one ($self, $type, $path, $inside, $depth) {
    if (is_compressed($type)) {
        return $self->_compressed($type, $path, $inside, $depth);
    }
    if    ($type eq 'zip') { $self->_zip($path, $inside, $depth) }
    elsif ($type eq 'tar') { $self->_tar($path, $inside, $depth) }
    else                   { $self->_foreign($type, $path, $inside, $depth) }
    return $type;
}

# ---- temporary files -------------------------------------------------------

sub _temp ($self) {
    $self->{dir} //= File::Temp->newdir;
    my $file = File::Temp->new(DIR => $self->{dir});
    binmode $file;
    return $file;
}

# A function that writes what it gets into FILE, within the limit on bytes.
sub _sink ($self, $file) {
    return sub ($bytes) {
        $self->{bytes} -= length $bytes;
        $self->_exceeded("more than $self->{limit}{bytes} bytes unpacked")
            if $self->{bytes} < 0;
        $self->_seconds_left;
        print {$file} $bytes or die "temporary file: $!\n";
        return 1;
    };
}

sub _done ($file) {
    $file->flush or die "temporary file: $!\n";
    return $file;
}

sub _copy ($self, $from, $at, $length) {
    my $file = $self->_temp;
    my $sink = $self->_sink($file);
    seek $from, $at, 0;
    while ($length > 0 && read $from,
        my $bytes, $length < BLOCK ? $length : BLOCK)
    {
        $length -= length $bytes;
        $sink->($bytes);
    }
    return _done($file);
}

sub _cut_off ($self, $path, $offset) {
    open my $fh, '<:raw', $path or die "$path: $!\n";
    return $self->_copy($fh, $offset, -s $fh);
}

# ---- kinds of archives -----------------------------------------------------

# One file; gzip may say what it was called.
sub _compressed ($self, $type, $path, $inside, $depth) {
    my $name = $type eq 'gz' ? _gzip_name($path) : undef;
    $self->_member($inside, { name => $name }) if length($name // '');
    my $file  = $self->_temp;
    my $whole = eval {
        unpack_to($type, $path, $self->_left, $self->_sink($file));
        1;
    };
    my $why   = $@;         # what came until then still counts
    my $inner = $self->_file(_done($file)->filename, $inside, $depth + 1);
    die $why if !$whole;    ## no critic (RequireCarping)
    return $inner ? "$inner.$type" : $type;
}

sub _gzip_name ($path) {
    open my $fh, '<:raw', $path or return;
    read $fh, my $head, BLOCK or return;
    my $flags = unpack 'x3 C', $head;
    substr $head, 0, 10,                     '';
    substr $head, 0, 2 + unpack('v', $head), '' if $flags & 4;
    return $flags & 8 ? unpack 'Z*', $head : undef;
}

sub _tar ($self, $path, $inside, $depth) {
    open my $fh, '<:raw', $path or die "$path: $!\n";
    my @inner;
    my $read = eval {
        read_tar(
            $fh,
            sub ($member) {
                my $at = $member->{at};
                $self->_member($inside, $member);
                return if !$member->{size};
                seek $fh, $at, 0;
                read($fh, my $head, HEAD);
                push @inner, [ $member, $at ]
                    if begins_as($head) || looks_like_archive($member->{name});
            }
        );
        1;
    };
    my $why = $@;
    die $why if ref $why;    ## no critic (RequireCarping)
    for (@inner) {
        my ($member, $at) = @{$_};
        my $copy = $self->_copy($fh, $at, $member->{size});
        $self->_file($copy->filename, $member->{path}, $depth + 1);
    }
    die $why if !$read;      ## no critic (RequireCarping)
    return;
}

sub _zip ($self, $path, $inside, $depth) {
    open my $fh, '<:raw', $path or die "$path: $!\n";
    my @headers = zip_headers($fh);
    die "no member found\n" if !@headers && _first_bytes($fh) eq "PK\3\4";
    my (@inner, $strange);
    my $end = 0;             # of the last member that is looked into
    for my $header (@headers) {
        next if $header->{at} < $end;
        my $wanted = !$header->{central} && $self->_looked_into($fh, $header);
        if ($header->{is_link}) {
            zip_content($fh, $header, sub ($b) { $header->{link} = $b; 0 })
                if !$header->{central};
        }
        $self->_zip_member($inside, $header);
        $strange = 1 if !defined $wanted;
        next         if !$wanted;
        push @inner, $header;

      # What is stored is searched with it; what is no zip archive might not be.
        $end = $header->{content} + $header->{packed}
            if $wanted eq 'zip'
            && $header->{method} == 0
            && $depth < $self->{limit}{depth};
    }
    for my $header (@inner) {
        my $file = $self->_temp;
        zip_content($fh, $header, $self->_sink($file));
        my $where = length $inside ? "$inside!/" : '';
        $self->_file(
            _done($file)->filename,
            $where . $header->{name},
            $depth + 1
        );
    }
    return                           if !$strange;
    die "packed in an unknown way\n" if _first_bytes($fh) ne "PK\3\4";
    return $self->_foreign('zip', $path, $inside, $depth);
}

sub _first_bytes ($fh) {
    seek $fh, 0, 0;
    read($fh, my $bytes, 4);
    return $bytes // '';
}

sub _zip_member ($self, $inside, $header) {
    my %member = map { $_ => $header->{$_} } qw(size encrypted);
    $member{link} = substr $header->{link}, 0, MAX_LINK
        if length($header->{link} // '');
    $self->_member($inside, { %member, name => $_ })
        for grep { length($_ // '') } @{$header}{qw(name other_name)};
    return;
}

# The type of a member that is to be looked into, or 0; undef if it is packed in a
# way that we do not know.
sub _looked_into ($self, $fh, $header) {
    return 0 if $header->{encrypted} || $header->{name} =~ m{/\z};
    my $head = '';
    my $read = zip_content(
        $fh, $header,
        sub ($bytes) {
            $head .= $bytes;
            return length $head < HEAD;
        }
    );
    return if !$read;
    return begins_as(substr $head, 0, HEAD)
        // (looks_like_archive($header->{name}) ? 'by its name' : 0);
}

# The names first: they are known even if the contents cannot be had.
sub _foreign ($self, $type, $path, $inside, $depth) {
    my $encrypted = 0;
    my $member    = sub ($is) {
        $encrypted ||= $is->{encrypted} // 0;
        $self->_member($inside, $is);
    };
    list_members($type, $path, $self->_left, $member);
    return if $encrypted;
    my $file = $self->_temp;
    my $read = eval {
        unpack_to($type, $path, $self->_left, $self->_sink($file));
        1;
    };
    my $why = $@;
    $self->_tar(_done($file)->filename, $inside, $depth) if -s $file;
    return $type                                         if $read;

    # The one that tells which members are encrypted.
    eval {
        list_members($type, $path, $self->_left, $member, '7zip');
        1;
    } or $why = ref $@ ? $@ : $why;
    return $type if $encrypted;
    die $why;    ## no critic (RequireCarping)
}

# ---- for filters -----------------------------------------------------------

# As programs of other systems see the name: up to a NUL, without what Windows
# drops at the end.
sub _spellings ($name) {
    my ($cut)  = $name =~ /\A([^\0]*)/;
    my $shown  = $cut =~ s/[. ]+\z//r;
    my %unique = map { $_ => 1 } $name, $cut, $shown;
    return keys %unique;
}

sub _match ($path, $regex) {
    ($ArchiveMember, $ArchiveError) = ('', '');
    my $wanted = qr/$regex/i;
    my $result = _walk(
        $path,
        {},
        sub ($member) {
            return 0
                if !grep { $_ =~ $wanted }
                map { _spellings($_) } $member->{name}, $member->{link} // ();
            $ArchiveMember = $member->{path};
            return 1;
        }
    );
    return 1 if length $ArchiveMember;
    if (length $result->{error}) {
        $ArchiveError = $result->{error};
        md_syslog('warning',
            "Archive $path: names of members are not known: $ArchiveError");
    }
    return 0;
}

# Four names for one thing: the file says what it is.
sub re_match_in_zip_directory ($path, $regex, @) {
    return _match($path, $regex);
}

sub re_match_in_rar_directory ($path, $regex, @) {
    return _match($path, $regex);
}

sub re_match_in_7zip_directory ($path, $regex, @) {
    return _match($path, $regex);
}

sub re_match_in_tgz_directory ($path, $regex, @) {
    return _match($path, $regex);
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Archive - what is in archives

=head1 SYNOPSIS

    sub filter {
        my ($entity, $name, $extension, $type) = @_;
        my $body = $entity->bodyhandle;
        if (re_match_in_zip_directory($body->path, '\.(exe|scr|js)$')) {
            return action_drop_with_warning("Dropped: it had $ArchiveMember");
        }
        return action_bounce("Archives must be readable: $ArchiveError")
            if length $ArchiveError && $extension eq '.zip';
    }

=head1 DESCRIPTION

The type of an archive is told by its content, so each function takes archives of
every type: zip, tar, 7z, rar, cab, iso, cpio, ar, xar, lha, and files compressed
with gzip, bzip2, xz, lzma, zstd, lzip, compress, lz4, lzop. Archives inside are
looked into, up to limits. Zip and tar need no program; the others need bsdtar
(package libarchive-tools) or 7-Zip (package 7zip), rar perhaps unrar.

A filter sets C<$Features{'7zip'}> and C<$Features{unrar}> to the program to be
used (C<unrar>: or 1), and one of these or C<$Features{tar}> to 0 to have such
archives left alone, which then counts as an archive that cannot be read.

=head1 VARIABLES

=head2 $ArchiveMember

The member that matched in the last call, the empty string if none did. One in an
archive inside is told as C<inner.zip!/dir/name.exe>.

=head2 $ArchiveError

Why the names may not be known all: the file is no archive, is damaged, a program
is missing, a limit was reached, contents are encrypted. The empty string if they
are known. The same text is logged as a warning. Both variables are reset for
each message.

=head1 FUNCTIONS

=head2 re_match_in_zip_directory(PATH, REGEX), re_match_in_rar_directory(PATH, REGEX), re_match_in_7zip_directory(PATH, REGEX), re_match_in_tgz_directory(PATH, REGEX)

1 if the name of a member, or what a link points to, matches in any case, else 0.
All four do the same. 0 also if the archive cannot be read: then
C<$ArchiveError> says why. Names are also tried as other systems see them:
without what follows a NUL, without dots and blanks at the end.

=head2 md_list_archive(PATH [, \%LIMITS])

All members. LIMITS: C<members> (20,000), C<depth> of archives in archives (6),
C<bytes> unpacked to look into them (200 MiB), C<seconds> (30). Returns a
reference to a hash:

=over

=item type

C<zip>, C<7z>, C<tar>, C<tar.gz>, C<gz>...; undef if it is no archive.

=item members

A reference to a list of hashes: C<name>, decoded; C<path>, with the archives
around it; C<size>, if known; C<encrypted>; C<link>, what a link points to.

=item error

As C<$ArchiveError>. What members are known is there, too.

=item encrypted

1 if a member is encrypted.

=item truncated

1 if a limit was reached.

=back

=cut
