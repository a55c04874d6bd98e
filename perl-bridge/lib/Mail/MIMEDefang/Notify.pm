# SPDX-License-Identifier: MIT
#
# Mail that the bridge itself sends, through the sendmail program: notes to the
# sender and the administrator, quarantine reports.  A failure is logged; it
# never fails the scan.

package Mail::MIMEDefang::Notify;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(one_line to_bytes);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log      qw(md_syslog);
use Mail::MIMEDefang::RFC2822  qw(:DEFAULT gen_msgid_header);
use Mail::MIMEDefang::Sendmail qw(new_mail submit_mail);
use Mail::MIMEDefang::Utils    qw(get_host_name slurp);

our @EXPORT_OK = qw(send_mail send_multipart_mail send_admin_mail
    send_pending_notifications send_quarantine_notifications);

sub send_mail ($from, $fullname, $rcpt, $message, $mode = '-odd', @) {
    my ($mail, $error) = new_mail($message);
    $error = submit_mail(
        $mail,
        from     => $from,
        fullname => $fullname,
        mode     => $mode,
        to       => [$rcpt]
    ) if $mail;
    md_syslog('err',
        "$Features{'Path:SENDMAIL'} did not take the mail to $rcpt: $error")
        if $error ne '';
    return;
}

# Header fields that every generated mail has; EXTRA come last.  rfc:3834#5
sub _header ($from, $to, $subject, @extra) {
    return join '', map { one_line($_) . "\n" } "From: $from", "To: $to",
        'Subject: ' . _word($subject), split(/\n/, _date_and_id()),
        'Auto-Submitted: auto-generated', 'Precedence: bulk', @extra,
        'MIME-Version: 1.0';
}

# rfc:2047#2  TEXT as it is if it is ASCII.
sub _word ($text) {
    $text = one_line($text);
    return $text if $text !~ /[^\x20-\x7e]/;
    require MIME::Words;
    return MIME::Words::encode_mimeword($text, 'Q', 'UTF-8');
}

sub _mailbox ($name, $address) {
    $name = one_line($name);
    return "<$address>" if !length $name;
    my $word = _word($name);
    $word = '"' . ($name =~ s/(["\\])/\\$1/gr) . '"' if $word eq $name;
    return "$word <$address>";
}

# One message may give rise to several mails, so its queue id is no name for them.
sub _date_and_id () {
    return gen_date_msgid_headers(gen_msgid_header('NOQUEUE'));
}

sub _text ($type, $text) {
    require MIME::QuotedPrint;
    return
          "Content-Type: $type; charset=utf-8\n"
        . "Content-Transfer-Encoding: quoted-printable\n\n"
        . MIME::QuotedPrint::encode_qp(to_bytes($text));
}

sub send_multipart_mail {
    my ($from, $fullname, $rcpt, $subject, $text, $html, $headers) = @_;
    if (!length($from // '')) {
        md_syslog('warning', 'send_multipart_mail called without a sender');
        return;
    }
    my $boundary = sprintf '=_%x.%x.%x', time, $$, int rand 2**31;
    my @extra    = map {"$_: $headers->{$_}"} sort keys %{ $headers // {} };
    my $message  = _header(_mailbox($fullname, $from), $rcpt, $subject, @extra);
    $message .= "Content-Type: multipart/alternative; boundary=\"$boundary\"\n";
    $message .= "\n--$boundary\n$_"
        for _text('text/plain', $text), _text('text/html', $html);
    return send_mail($from, $fullname, $rcpt, "$message\n--$boundary--\n");
}

sub send_admin_mail ($subject, $text, @) {
    return send_mail(
        $DaemonAddress,
        $DaemonName,
        $AdminAddress,
        _header(
            _word($DaemonName) . " <$DaemonAddress>",
            _mailbox($AdminName, $AdminAddress),
            $subject
            )
            . _text('text/plain', $text)
    );
}

sub _notify_sender ($details) {
    my $text = '';
    $text
        = "The mail filter changed a message that you sent:\n\n"
        . "Message-ID: $MessageID\n"
        . "Recipients: @Recipients\n\n"
        . "This is what it says:\n\n"
        if !$NotifyNoPreamble;
    return send_mail(
        $DaemonAddress,
        $DaemonName,
        $Sender,
        _header(
            _mailbox($DaemonName, $DaemonAddress), $Sender,
            $NotifySenderSubject
            )
            . _text('text/plain', $text . $details)
    );
}

sub send_pending_notifications () {
    my $note = slurp('NOTIFICATION');
    _notify_sender($note) if defined $note && $Sender ne '<>';
    $note = slurp('ADMIN_NOTIFICATION');
    send_admin_mail($NotifyAdministratorSubject, $note) if defined $note;
    return;
}

sub send_quarantine_notifications (@) {
    return if !length $QuarantineSubdir;
    my $what
        = $QuarantineCount == 1 ? 'One part'
        : $QuarantineCount      ? "$QuarantineCount parts"
        :                         'A message';
    my $text
        = "$what went to quarantine in\n$QuarantineSubdir\non "
        . get_host_name()
        . ".\n\nSender: $Sender\n";
    $text .= "Queue-ID: $QueueID\n" if $QueueID ne 'NOQUEUE';
    $text .= "Relay: $RelayHostname [$RelayAddr]\n";
    $text .= "Message: $QuarantineSubdir/ENTIRE_MESSAGE\n"
        if $EntireMessageQuarantined;
    $text .= "Recipient: $_\n" for @Recipients;
    $text .= "\nReasons:\n" . join '',
        map { slurp("$QuarantineSubdir/MSG.$_") // '' } 0 .. $QuarantineCount;
    $text .= "\nHeader of the message:\n"
        . (slurp("$QuarantineSubdir/HEADERS") // '');

    for my $n (1 .. $QuarantineCount) {
        $text .= "----------\nHeader of part $n:\n"
            . (slurp("$QuarantineSubdir/PART.$n.HEADERS") // '');
    }
    $text .= "----------\nWarnings:\n" . join "\n", @Warnings
        if @Warnings;

    return send_mail(
        $DaemonAddress,
        $DaemonName,
        $AdminAddress,
        _header(
            _mailbox($DaemonName, $DaemonAddress),
            _mailbox($AdminName,  $AdminAddress),
            $QuarantineSubject
            )
            . _text('text/plain', $text)
    );
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Notify - mail that the filter sends

=head1 FUNCTIONS

A filter finds all but the last in package main. They return nothing; mail that
sendmail does not take is logged and lost. Generated mail has the fields
C<Date>, C<Message-ID>, C<Auto-Submitted: auto-generated> and
C<Precedence: bulk>; its text is quoted-printable UTF-8.

=head2 send_mail(FROM, FULLNAME, RCPT, MESSAGE [, MODE])

Gives MESSAGE, with its header, to the program C<$Features{'Path:SENDMAIL'}>, as
it is. FROM: C<< <> >> if empty. FULLNAME: may be empty. MODE: C<-odb -odq -odd
-odi>, default C<-odd>.

=head2 send_multipart_mail(FROM, FULLNAME, RCPT, SUBJECT, TEXT, HTML [, \%HEADERS])

Sends TEXT and HTML as alternatives, with HEADERS in the header. Without FROM it
only logs a warning.

=head2 send_admin_mail(SUBJECT, TEXT)

Sends TEXT from C<$DaemonAddress> to C<$AdminAddress>.

=head2 send_quarantine_notifications()

Tells the administrator what was put in quarantine, and why; normally in
filter_end. Nothing was: does nothing.

=head2 send_pending_notifications()

Sends what action_notify_sender and action_notify_administrator collected in
F<NOTIFICATION> and F<ADMIN_NOTIFICATION>.

=cut
