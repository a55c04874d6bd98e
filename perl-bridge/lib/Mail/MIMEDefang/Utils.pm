# SPDX-License-Identifier: MIT
#
# Small helpers for filters: names of parts, times, identifiers, files, the
# Received field of a message.

package Mail::MIMEDefang::Utils;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(one_line percent_decode to_bytes);
use Mail::MIMEDefang::Guard qw(in_message_context);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Lazy 'Mail::MIMEDefang::Archive' => [
    qw(md_list_archive re_match_in_7zip_directory re_match_in_rar_directory
        re_match_in_tgz_directory re_match_in_zip_directory)
];
use Mail::MIMEDefang::Log   qw(md_syslog);
use Mail::MIMEDefang::MIME  qw(file_names);
use Mail::MIMEDefang::Spool qw(results_so_far);

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(time_str hour_str synthesize_received_header copy_or_link re_match
    re_match_ext md_list_archive re_match_in_7zip_directory
    re_match_in_rar_directory re_match_in_tgz_directory
    re_match_in_zip_directory md_copy_orig_msg_to_work_dir_as_mbox_file
    read_results);
our @EXPORT_OK = qw(copy_file gen_mx_id get_host_name
    md_copy_orig_msg_to_work_dir md_init slurp write_file);

# Programs that functions of ours use.
sub md_init (@) {
    require Mail::MIMEDefang::Features;
    Mail::MIMEDefang::Features::detect_programs();
    return 1;
}

sub time_str (@) {
    my ($s, $min, $h, $day, $month, $year) = localtime time;
    return sprintf '%04d-%02d-%02d-%02d.%02d.%02d', $year + 1900, $month + 1,
        $day, $h, $min, $s;
}

sub hour_str (@) {
    return substr time_str(), 0, 13;
}

my $host_name;

sub get_host_name ($name = $PrivateMyHostName, @) {
    return $name if length($name // '');
    if (!defined $host_name) {
        require Sys::Hostname;
        my $short = Sys::Hostname::hostname();
        my ($full) = gethostbyname $short;
        $host_name = length($full // '') > length $short ? $full : $short;
    }
    return $host_name;
}

# Five digits for the second, one for the process, one that counts: workers that
# run at the same time have process ids near each other.  What does not fit into
# a second takes the next ones.
use constant MX_DIGITS => join '', 0 .. 9, 'a' .. 'z', 'A' .. 'X';
my ($mx_pid, $mx_last) = (0, -1);

sub gen_mx_id (@) {
    my $n = time * 60;
    $n       = $mx_last + 1 if $mx_pid == $$ && $n <= $mx_last;
    $mx_pid  = $$;
    $mx_last = $n;
    my @digits = ($n % 60, $$ % 60);
    push @digits, ($n = int($n / 60)) % 60 for 1 .. 5;
    return join '', map { substr MX_DIGITS, $_, 1 } reverse @digits;
}

# The field that our MTA is about to add: what reads INPUTMSG as if it had been
# delivered needs it on top.
sub synthesize_received_header (@) {
    my %macro = map { $_ => one_line($SendmailMacros{$_}) }
        qw(if_name tls_version auth_authen);
    my $host = length $macro{if_name} ? $macro{if_name} : get_host_name();
    my $name = one_line(_relay_name());
    my $with
        = 'ESMTP'
        . (length $macro{tls_version} ? 'S' : '')
        . (length $macro{auth_authen} ? 'A' : '');

    require Mail::MIMEDefang::RFC2822;
    return
          'Received: from '
        . one_line($Helo) . ' ('
        . (length $name ? "$name " : '') . '['
        . one_line($RealRelayAddr)
        . "])\n\tby $host (envelope-sender "
        . one_line($Sender)
        . ") (MIMEDefang) with $with id $MsgID"
        . (@Recipients == 1 ? "\n\tfor " . one_line($Recipients[0]) : '') . '; '
        . Mail::MIMEDefang::RFC2822::rfc2822_date() . "\n";
}

# Empty if unknown.
sub _relay_name () {
    return ''                 if $RealRelayHostname eq "[$RealRelayAddr]";
    return $RealRelayHostname if length $RealRelayHostname;
    require Socket;
    my $family = $RealRelayAddr =~ /:/ ? Socket::AF_INET6() : Socket::AF_INET();
    my $packed = Socket::inet_pton($family, $RealRelayAddr) // return '';
    return scalar gethostbyaddr($packed, $family) // '';
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

# Complete or not there at all, also if another worker makes the same file.
# 1 or 0.
sub copy_file ($from, $to, $mode = undef) {
    require File::Copy;
    my $new = "$to.$$.new";
    return 1
        if File::Copy::copy($from, $new)
        && (!defined $mode || chmod $mode, $new)
        && rename $new, $to;
    md_syslog('err', "Cannot copy $from to $to: $!");
    unlink $new;
    return 0;
}

sub copy_or_link ($from, $to, @) {
    return 1 if link $from, $to;
    return copy_file($from, $to);
}

# Virus scanners look at what is in Work.
sub md_copy_orig_msg_to_work_dir (@) {
    return 0 if !in_message_context('md_copy_orig_msg_to_work_dir');
    return copy_or_link('INPUTMSG', 'Work/INPUTMSG');
}

sub md_copy_orig_msg_to_work_dir_as_mbox_file (@) {
    return 0
        if !in_message_context('md_copy_orig_msg_to_work_dir_as_mbox_file');
    require Mail::MIMEDefang::RFC2822;
    my $sender = one_line($Sender) =~ s/^<|>\z//gr;
    $sender = 'MAILER-DAEMON' if !length $sender;
    my $to = 'Work/INPUTMBOX';
    my $ok
        = write_file('>', $to,
        "From $sender " . Mail::MIMEDefang::RFC2822::rfc2822_date() . "\n")
        && append_file('INPUTMSG', $to);
    unlink $to if !$ok;
    return $ok;
}

# 1 or 0.
sub append_file ($from, $to) {
    require File::Copy;
    if (open my $out, '>>:raw', $to) {
        return 1 if File::Copy::copy($from, $out) && close $out;
    }
    md_syslog('err', "Cannot append $from to $to: $!");
    return 0;
}

sub re_match ($entity, $regex, @) {
    return (grep {/$regex/i} file_names($entity)) ? 1 : 0;
}

sub re_match_ext ($entity, $regex, @) {
    my @extensions = map { /(\.[^.]*)\z/ ? $1 : () } file_names($entity);
    return (grep {/$regex/i} @extensions) ? 1 : 0;
}

# What is in the file, and what this request will add to it.
sub read_results (@) {
    my @results;
    for my $line (results_so_far()) {
        my ($letter, $rest) = $line =~ /^(.)(.*)\z/s or next;
        push @results,
            [ $letter, map { percent_decode($_) } split / /, $rest, -1 ];
    }
    return @results;
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

=head2 get_host_name([NAME])

NAME (default C<$PrivateMyHostName>) if it is not empty, else the name of this
host, looked up once.

=head2 gen_mx_id()

Seven letters and digits, other ones at each call. Not exported.

=head2 synthesize_received_header()

The Received field that the MTA will add, as text with its newline: HELO, name
and address of the client, sender, protocol, queue id, the recipient if there is
only one, the time. Reads C<$Helo $RealRelayHostname $RealRelayAddr $Sender
$MsgID @Recipients> and the macros C<if_name>, C<tls_version>, C<auth_authen>.
If the client's name is not known it is looked up.

=head2 md_copy_orig_msg_to_work_dir(), md_copy_orig_msg_to_work_dir_as_mbox_file()

Put the message where virus scanners look: a link or a copy F<Work/INPUTMSG>; a
mailbox F<Work/INPUTMBOX> with that message. 1, or 0 if it cannot be written or
there is no message.

=head2 re_match(ENTITY, REGEX), re_match_ext(ENTITY, REGEX)

1 if a name of the part (its text from the last dot on) matches, in any case.

=head2 re_match_in_zip_directory(PATH, REGEX) and others, md_list_archive(PATH)

See L<Mail::MIMEDefang::Archive>.

=head2 copy_or_link(FROM, TO), copy_file(FROM, TO [, MODE])

A hard link, or a copy if that is impossible; always a copy. 1, or 0 after
logging why not; then TO is as it was.

=head2 slurp(PATH), write_file(MODE, PATH, TEXT), append_file(FROM, TO)

The content of a file, or undef; writes (C<< > >>) or appends (C<<< >> >>>) to
one, 1 or 0; appends a file to another, 1 or 0.

=head2 read_results()

What was asked for until now, F<RESULTS> and the lines that this request will
add, as a list of [letter, argument...]; for tests of filters.

=cut
