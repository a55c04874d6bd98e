# SPDX-License-Identifier: MIT
#
# What programs tell about archives that we do not read ourselves: the names of
# their members, and their contents as a stream that we do read.  No shell; time
# and output are limited by the caller.  Everything dies with one line.

package Mail::MIMEDefang::Archive::Program;
use v5.36;
use Exporter 'import';
use File::Temp                 ();
use Mail::MIMEDefang::Features qw(find_program);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Run qw(run_command);

our @EXPORT_OK = qw(is_compressed list_members unpack_to);

use constant MAX_ERRORS => 1 << 16;

# Of what holds one file: bsdcat knows them all, and each has its own program.
my %DECOMPRESS = (
    gz   => ['gzip'],
    bz2  => ['bzip2'],
    xz   => ['xz'],
    lzma => ['xz'],
    zst  => ['zstd'],
    lz   => ['lzip'],
    Z    => ['gzip'],
    lz4  => ['lz4'],
    lzo  => ['lzop'],
    rpm  => [],
);

# Who reads what.  choice:archive-programs
my %READERS = (
    '7z' => [qw(bsdtar 7zip)],
    rar  => [qw(unrar bsdtar 7zip)],
    cab  => [qw(bsdtar 7zip)],
    ar   => [qw(bsdtar 7zip)],
    cpio => [qw(bsdtar 7zip)],
    xar  => [qw(bsdtar 7zip)],
    lha  => [qw(bsdtar 7zip)],
    iso  => [qw(bsdtar 7zip)],
    zip  => [qw(bsdtar)],
    arj  => [qw(7zip)],
    ace  => [],
);
my @SEVEN_ZIP = qw(7zz 7z 7za);    # as they are looked for at the start
my %PACKAGE   = (bsdtar => 'libarchive-tools', '7zip' => '7zip');
my %LIST      = (
    bsdtar => \&_list_bsdtar,
    '7zip' => \&_list_7zip,
    unrar  => \&_list_unrar,
);

sub is_compressed ($type) {
    return exists $DECOMPRESS{$type};
}

sub _program ($reader) {
    return find_program('bsdtar') if $reader eq 'bsdtar';
    if ($reader eq 'unrar') {
        my $set = $Features{unrar} or return;
        return $set eq '1' ? find_program('unrar') : $set;
    }
    my $set = $Features{'7zip'};
    return length($set // '') ? $set : find_program(@SEVEN_ZIP);
}

# The program that the filter has chosen comes first.
sub _readers ($type) {
    my @readers = @{ $READERS{$type} // [] };
    my $set     = $Features{'7zip'} // '';
    return @readers
        if $type ne '7z'
        || $set eq ''
        || $set eq (find_program(@SEVEN_ZIP) // '');
    return ('7zip', grep { $_ ne '7zip' } @readers);
}

sub _run ($limits, $argv, %more) {
    my $errors = File::Temp->new;
    my $run    = run_command(
        argv      => $argv,
        env       => { LC_ALL => 'C.UTF-8', TZ => 'UTC' },
        timeout_s => $limits->{seconds},
        max_bytes => $limits->{bytes},
        stderr    => $errors->filename,
        %more
    );
    return $run if $run->{error} ne '';
    return $run if defined $run->{status} && $run->{status} == 0;
    read $errors, my ($text), MAX_ERRORS;
    $text .= $run->{output} if ($text // '') !~ /\S/;
    my $status = $run->{status} // "signal $run->{signal}";
    my ($line) = $text =~ /([^\n]*\w[^\n]*)\s*\z/;
    $run->{error} = "$argv->[0]: " . ($line // "status $status");
    return $run;
}

# Calls MEMBER with a hash for each.  A reader that fails is followed by the
# next one; those that come later are asked only then.
sub list_members ($type, $path, $limits, $member, @readers) {
    my @why;
    @readers = _readers($type) if !@readers;
    for my $reader (@readers) {
        my $program = _program($reader) // next;
        my $run     = $LIST{$reader}->($program, $path, $limits, $member);
        return if $run->{error} eq '';
        push @why, $run->{error};
    }
    die join('; ', @why), "\n" if @why;
    my ($package)
        = grep {defined} map { $PACKAGE{$_} } @readers;
    die "no program that reads $type archives",
        $package ? " (package $package)" : '', "\n";
}

# Names are escaped as C does it.
my %ESCAPE = (
    a => "\a",
    b => "\b",
    f => "\f",
    n => "\n",
    r => "\r",
    t => "\t",
    v => "\x0b"
);

sub _list_bsdtar ($program, $path, $limits, $member) {
    my $run = _run($limits, [ $program, '-tf', $path ]);
    for my $line (split /\n/, $run->{output}) {
        $line =~ s{\\(?:([0-7]{3})|(.))}
            {defined $1 ? chr oct($1) & 255 : $ESCAPE{$2} // $2}ge;
        $member->({ name => $line });
    }
    return $run;
}

sub _list_7zip ($program, $path, $limits, $member) {
    my $run = _run($limits, [ $program, qw(l -slt -ba -pnone --), $path ]);
    for my $record (split /\n\n+/, $run->{output}) {
        my %is = $record =~ /^(Path|Size|Encrypted) = (.*)$/mg;
        $member->(
            {
                name      => $is{Path},
                size      => $is{Size} || 0,
                encrypted => ($is{Encrypted} // '') eq '+' ? 1 : 0,
            }
        ) if defined $is{Path};
    }
    return $run;
}

# The name follows date and time; a star in front marks what is encrypted.
sub _list_unrar ($program, $path, $limits, $member) {
    my $run = _run($limits, [ $program, qw(l -c- -p- -idcdp), $path ]);
    for my $line (split /\n/, $run->{output}) {
        my ($before, $name)
            = $line
            =~ /^(.*?)\b(?:\d\d)?\d\d-\d\d-\d\d\ +\d\d:\d\d\ +(.+?)\r?\z/
            or next;
        $member->({ name => $name, encrypted => $before =~ /^\*/ ? 1 : 0 });
    }
    return $run;
}

# Writes the content of a compressed file, or a tar archive with the members of
# another one, through SINK.
sub unpack_to ($type, $path, $limits, $sink) {
    my $bsdtar = find_program(is_compressed($type) ? 'bsdcat' : 'bsdtar');
    my @argv;
    if (is_compressed($type)) {
        my $own = find_program(@{ $DECOMPRESS{$type} });
        @argv = $bsdtar ? ($bsdtar, '-') : $own ? ($own, '-dc') : ();
    }
    elsif ($bsdtar && grep { $_ eq 'bsdtar' } @{ $READERS{$type} // [] }) {
        @argv = ($bsdtar, qw(--format=pax -cf -), "\@$path");
    }
    die "no program that unpacks $type (package libarchive-tools)\n" if !@argv;
    my $thrown;
    my $run = _run(
        $limits,
        \@argv,
        stdin => is_compressed($type) ? $path : '/dev/null',
        sink  => sub ($bytes) {
            return 1 if eval { $sink->($bytes) };
            $thrown = $@;
            return 0;
        }
    );
    die $thrown           if $thrown;              ## no critic (RequireCarping)
    die "$run->{error}\n" if $run->{error} ne '';
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Archive::Program - programs that read archives

=head1 FUNCTIONS

=head2 is_compressed(TYPE)

Whether it holds one file and no directory.

=head2 list_members(TYPE, PATH, \%LIMITS, CODE [, READER...])

Calls CODE with a hash for each member (C<name>; perhaps C<size>, C<encrypted>).
Dies if no program could read all of it. LIMITS: C<seconds>, C<bytes>. READER:
C<bsdtar>, C<7zip>, C<unrar>.

=head2 unpack_to(TYPE, PATH, \%LIMITS, CODE)

Gives CODE the content of a compressed file, or a tar archive with what is in
another archive, block by block, until it returns false. Dies if that fails.

=cut
