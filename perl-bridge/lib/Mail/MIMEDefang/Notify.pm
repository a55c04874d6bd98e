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
use Mail::MIMEDefang::Log   qw(md_syslog);
use Mail::MIMEDefang::Utils qw(get_host_name slurp);

our @EXPORT_OK = qw(send_mail send_multipart_mail send_admin_mail
    send_pending_notifications send_quarantine_notifications);

# No shell: arguments come from the network.
sub send_mail ($from, $fullname, $rcpt, $message, $mode = '-odd', @) {
    $mode = '-odd' if $mode !~ /^-od[bqdi]\z/;
    my @command = ($Features{'Path:SENDMAIL'}, '-f' . ($from || '<>'));
    push @command, "-F$fullname" if length($fullname // '');
    push @command, $mode, qw(-Ac -oi --), $rcpt;

    local $SIG{PIPE} = 'IGNORE';
    local $SIG{CHLD} = 'DEFAULT';
    my $pid = open my $pipe, '|-';
    if (!defined $pid) {
        md_syslog('err', "Cannot fork to run $command[0]: $!");
        return;
    }
    if (!$pid) {
        open STDOUT, '>&', \*STDERR;    ## no critic (RequireCheckedOpen)
        no warnings 'exec';
        exec { $command[0] } @command;
        require POSIX;
        POSIX::_exit(127);
    }
    my $written = print {$pipe} to_bytes($message);
    my $error   = $!;
    return if close($pipe) && $written;

    # A program that ends without reading may also break the pipe: why it ended
    # tells more.
    my $why
        = $? & 127 ? 'signal ' . ($? & 127)
        : $?       ? 'exit status ' . ($? >> 8)
        : $written ? $!
        :            $error;
    md_syslog('err', "$command[0] did not take the mail to $rcpt: $why");
    return;
}

# Header fields that every generated mail has; EXTRA come last.
sub _header ($from, $to, $subject, @extra) {
    return join '', map { one_line($_) . "\n" } "From: $from", "To: $to",
        "Subject: $subject", @extra, 'MIME-Version: 1.0';
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
    my $message  = _header(
        length($fullname // '') ? "\"$fullname\" <$from>" : "<$from>",
        $rcpt,
        $subject,
        'Auto-Submitted: auto-generated',
        'Precedence: bulk',
        @extra
    );
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
            "$DaemonName <$DaemonAddress>",
            "\"$AdminName\" <$AdminAddress>",
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
            "\"$DaemonName\" <$DaemonAddress>",
            $Sender,
            $NotifySenderSubject,
            'Auto-Submitted: auto-generated',
            'Precedence: bulk'
            )
            . _text('text/plain', $text . $details)
    );
}

sub send_pending_notifications () {
    my $note = $Actions{notify_sender} ? slurp('NOTIFICATION') : undef;
    _notify_sender($note) if defined $note && $Sender ne '<>';
    $note
        = $Actions{notify_administrator} ? slurp('ADMIN_NOTIFICATION') : undef;
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
    $text .= "----------\nWarnings:\n@Warnings" if @Warnings;

    return send_mail(
        $DaemonAddress,
        $DaemonName,
        $AdminAddress,
        _header(
            "\"$DaemonName\" <$DaemonAddress>",
            "\"$AdminName\" <$AdminAddress>",
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

=head2 send_mail(FROM, FULLNAME, RCPT, MESSAGE [, MODE])

Gives MESSAGE, with its header, to the program C<$Features{'Path:SENDMAIL'}>.
MODE: C<-odb -odq -odd -odi>, default C<-odd>.

=head2 send_multipart_mail(FROM, FULLNAME, RCPT, SUBJECT, TEXT, HTML [, \%HEADERS])

Sends TEXT and HTML as alternatives.

=head2 send_admin_mail(SUBJECT, TEXT)

Sends TEXT to the administrator.

=head2 send_quarantine_notifications()

Tells the administrator what was put in quarantine; normally in filter_end.

=head2 send_pending_notifications()

Sends what action_notify_sender and action_notify_administrator collected.

=cut
