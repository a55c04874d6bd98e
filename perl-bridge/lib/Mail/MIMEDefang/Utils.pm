# SPDX-License-Identifier: MIT
#
# Small helpers for filters: names of parts, times, files.

package Mail::MIMEDefang::Utils;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(percent_decode to_bytes);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Lazy 'Mail::MIMEDefang::Archive' => [
    qw(md_list_archive re_match_in_7zip_directory re_match_in_rar_directory
        re_match_in_tgz_directory re_match_in_zip_directory)
];
use Mail::MIMEDefang::Log  qw(md_syslog);
use Mail::MIMEDefang::MIME qw(file_names);

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(time_str hour_str copy_or_link re_match re_match_ext
    md_list_archive re_match_in_7zip_directory re_match_in_rar_directory
    re_match_in_tgz_directory re_match_in_zip_directory read_results);
our @EXPORT_OK = qw(copy_file get_host_name md_init slurp write_file);

# Programs that functions of ours use.
sub md_init (@) {
    require Mail::MIMEDefang::Features;
    Mail::MIMEDefang::Features::detect_programs();
    return 1;
}

sub time_str (@) {
    my ($s, $min, $h, $day, $month, $year) = localtime;
    return sprintf '%04d-%02d-%02d-%02d.%02d.%02d', $year + 1900, $month + 1,
        $day, $h, $min, $s;
}

sub hour_str (@) {
    return substr time_str(), 0, 13;
}

my $host_name;

sub get_host_name (@) {
    return $PrivateMyHostName if length($PrivateMyHostName // '');
    if (!defined $host_name) {
        require Sys::Hostname;
        my $short = Sys::Hostname::hostname();
        my ($full) = gethostbyname $short;
        $host_name = length($full // '') > length $short ? $full : $short;
    }
    return $host_name;
}

# The content of a file; undef if it cannot be read.
sub slurp ($path) {
    open my $fh, '<:raw', $path or return;
    local $/;
    return scalar <$fh>;
}

# MODE is '>' or '>>'.  1, or 0 after logging why not.
sub write_file ($mode, $path, $text) {
    if (open my $fh, $mode, $path) {
        my $written = print {$fh} to_bytes($text);
        return 1 if close($fh) && $written;
    }
    md_syslog('err', "Cannot write $path: $!");
    return 0;
}

# Complete or not there at all.  1 or 0.
sub copy_file ($from, $to) {
    require File::Copy;
    return 1
        if File::Copy::copy($from, "$to.new") && rename "$to.new", $to;
    md_syslog('err', "Cannot copy $from to $to: $!");
    unlink "$to.new";
    return 0;
}

sub copy_or_link ($from, $to, @) {
    return 1 if link $from, $to;
    return copy_file($from, $to);
}

sub re_match ($entity, $regex, @) {
    return (grep {/$regex/i} file_names($entity)) ? 1 : 0;
}

sub re_match_ext ($entity, $regex, @) {
    my @extensions = map { /(\.[^.]*)\z/ ? $1 : () } file_names($entity);
    return (grep {/$regex/i} @extensions) ? 1 : 0;
}

sub read_results (@) {
    open my $fh, '<', 'RESULTS' or return;
    my @lines;
    while (my $line = <$fh>) {
        chomp $line;
        my ($letter, $rest) = $line =~ /^(.)(.*)\z/s or next;
        push @lines, [ $letter, map { percent_decode($_) } split ' ', $rest ];
    }
    close $fh;
    return @lines;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Utils - helpers for filters

=head1 FUNCTIONS

=head2 md_init()

Fills in what the filter left undefined of the programs in C<%Features>, as is done
before a filter is loaded. 1.

=head2 time_str(), hour_str()

Local time as C<YYYY-MM-DD-HH.MM.SS> and C<YYYY-MM-DD-HH>.

=head2 get_host_name()

C<$PrivateMyHostName> if set, else the name of this host, looked up once.

=head2 re_match(ENTITY, REGEX), re_match_ext(ENTITY, REGEX)

1 if a name of the part (its text from the last dot on) matches, in any case.

=head2 re_match_in_zip_directory(PATH, REGEX) and others, md_list_archive(PATH)

See L<Mail::MIMEDefang::Archive>.

=head2 copy_or_link(FROM, TO), copy_file(FROM, TO)

A hard link, or a copy if that is impossible; always a copy. 1 or 0.

=head2 slurp(PATH), write_file(MODE, PATH, TEXT)

The content of a file, or undef; writes (C<< > >>) or appends (C<<< >> >>>) to
one, 1 or 0.

=head2 read_results()

F<./RESULTS> as a list of [letter, argument...]; for tests of filters.

=cut
