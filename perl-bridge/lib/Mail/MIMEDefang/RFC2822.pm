# SPDX-License-Identifier: MIT
#
# Dates and identifiers of header fields.  Each function is called in two ways:
# by filters with what they want to know, and with the values that it would
# otherwise take from the shared variables.  Never fails.

package Mail::MIMEDefang::RFC2822;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(one_line);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Utils qw(get_host_name);

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(gen_date_msgid_headers);
our @EXPORT_OK = qw(header_timezone rfc2822_date gen_msgid_header);

# rfc:5322#3.3  English, whatever the locale.
my @DAY   = qw(Sun Mon Tue Wed Thu Fri Sat);
my @MONTH = qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec);

sub header_timezone {
    my @args  = @_;
    my $zone  = @args > 1 ? shift @args : $CachedTimezone;
    my $epoch = $args[0] // time;
    return $zone if length($zone // '');

    my @here = localtime $epoch;
    my @utc  = gmtime $epoch;
    my $days = $here[5] <=> $utc[5] || $here[7] <=> $utc[7];
    my $min
        = ($days * 24 + $here[2] - $utc[2]) * 60 + $here[1] - $utc[1];
    return sprintf '%s%02d%02d', $min < 0 ? '-' : '+', abs($min) / 60,
        abs($min) % 60;
}

sub rfc2822_date ($zone = $CachedTimezone, @) {
    my $now = time;
    my ($s, $min, $h, $day, $month, $year, $weekday) = localtime $now;
    return sprintf '%s, %02d %s %04d %02d:%02d:%02d %s', $DAY[$weekday], $day,
        $MONTH[$month], $year + 1900, $h, $min, $s,
        header_timezone($zone, $now);
}

sub gen_msgid_header ($qid = $QueueID, $host = get_host_name(), @) {
    my ($s, $min, $h, $day, $month, $year) = localtime time;
    $qid = one_line($qid);
    $qid = _unique_number() if $qid eq 'NOQUEUE' || !length $qid;
    return sprintf "Message-ID: <%04d%02d%02d%02d%02d.%s\@%s>\n",
        $year + 1900, $month + 1, $day, $h, $min, $qid, one_line($host);
}

# Workers are forked from one process and many start in the same second.
sub _unique_number () {
    state $n = 0;
    return sprintf '%d.%d.%d', $$, ++$n, rand 1e9;
}

sub gen_date_msgid_headers ($msgid_header = gen_msgid_header(), @) {
    return 'Date: ' . rfc2822_date() . "\n$msgid_header";
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::RFC2822 - dates and identifiers of header fields

=head1 DESCRIPTION

A filter finds all of these in package main.

=head1 FUNCTIONS

Each returns one string, in any context, and never fails.

=head2 rfc2822_date([ZONE])

The time now, local, like C<Sun, 22 Nov 2026 11:29:05 +0000>. ZONE is written
as the time zone instead of the real one; default C<$CachedTimezone>, unless
that is empty.

=head2 header_timezone(EPOCH), header_timezone(ZONE, EPOCH)

The local time zone at that time as C<+HHMM>; ZONE (default C<$CachedTimezone>)
if that is not empty.

=head2 gen_msgid_header([QUEUE_ID [, HOST]])

C<< Message-ID: <YYYYMMDDHHMM.QUEUE_ID@HOST> >> and a newline. Defaults:
C<$QueueID> and get_host_name(). Numbers that do not come twice stand for a
queue id C<NOQUEUE>.

=head2 gen_date_msgid_headers([MSGID_HEADER])

A C<Date:> line and MSGID_HEADER, by default that of gen_msgid_header().

=cut
