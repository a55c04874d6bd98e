# SPDX-License-Identifier: MIT
#
# The message that is being scanned, as mail: sent once more as if its sender had
# sent it, and printed as text.

package Mail::MIMEDefang::Mail;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(to_bytes);
use Mail::MIMEDefang::Guard qw(in_message_context);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Lazy 'Mail::MIMEDefang::CallForward' =>
    [qw(md_check_against_smtp_server get_smtp_extensions get_smtp_return_code)];
use Mail::MIMEDefang::Log      qw(md_syslog);
use Mail::MIMEDefang::MIME     qw(takeStabAtFilename);
use Mail::MIMEDefang::Sendmail qw(new_mail submit_mail);
use Mail::MIMEDefang::Utils    qw(synthesize_received_header);

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(resend_message resend_message_one_recipient
    resend_message_specifying_mode pretty_print_mail
    md_check_against_smtp_server get_smtp_extensions get_smtp_return_code);
our @EXPORT_OK = qw(copy_to_resend resend_copy);

no warnings 'recursion';    # the depth of a message is the sender's choice

use constant PRETTY_SIZE => 16_384;

sub resend_message {
    my @rcpts = @_;
    return 0 if !in_message_context('resend_message');
    return _resend('-odd', @rcpts);
}

sub resend_message_one_recipient ($rcpt, $mode = '-odd', @) {
    return 0 if !in_message_context('resend_message_one_recipient');
    return _resend($mode, $rcpt);
}

sub resend_message_specifying_mode ($mode, $rcpts, @) {
    return 0 if !in_message_context('resend_message_specifying_mode');
    return _resend($mode, @{$rcpts});
}

sub _resend ($mode, @rcpts) {
    my $copy = copy_to_resend() // return 0;
    return resend_copy($copy, $mode, @rcpts);
}

# It passes a relay once more, which must know where it came from first.  undef
# after logging why there is none.
sub copy_to_resend () {
    my $header = synthesize_received_header();
    $header = "$ValidateIPHeader: $RelayAddr\n$header"
        if length $ValidateIPHeader;
    my ($copy, $error) = new_mail($header, 'INPUTMSG');
    md_syslog('err', "Cannot send the message again: $error") if !$copy;
    return $copy;
}

# 1, or 0 after logging why not.
sub resend_copy ($copy, $mode, @rcpts) {
    my $error
        = @rcpts
        ? submit_mail(
        $copy,
        from => $Sender,
        mode => $mode,
        to   => \@rcpts
        )
        : 'no recipients';
    return 1 if $error eq '';
    md_syslog('err', "Cannot send the message again to @rcpts: $error");
    return 0;
}

sub pretty_print_mail ($entity, $size = PRETTY_SIZE, @) {
    my $text = '';
    _print_part($entity, $size, '', \$text);
    return $text;
}

sub _print_part ($entity, $size, $indent, $text) {
    my $type = $entity->effective_type;
    my $name = to_bytes(takeStabAtFilename($entity));
    ${$text}
        .= "\n${indent}[Part: $type"
        . (length $name ? "; filename=$name" : '') . "]\n\n";

    for my $part ($entity->parts) {
        _print_part($part, $size, "$indent  ", $text);
        return if length ${$text} >= $size;
    }
    _print_body($entity->bodyhandle, $size, $text)
        if $type =~ m{^text/}i && defined $entity->bodyhandle;
    return;
}

# Whole lines, of which the last may begin before SIZE and end after it, unless
# it is longer than a line of mail can be.  rfc:5322#2.1.1
sub _print_body ($body, $size, $text) {
    my $in = $body->open('r') // return;
    while (defined(my $line = $in->getline)) {
        my $left = $size - length ${$text};
        $left = 1000 if $left < 1000;
        ${$text} .= substr $line, 0, $left;
        last if length ${$text} >= $size;
    }
    $in->close;
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Mail - send the message again, print it

=head1 RESENDING

The message goes to the sendmail program (C<$Features{'Path:SENDMAIL'}>, option
C<-Ac>) from C<$Sender>, as it is in F<INPUTMSG>, with the field of
synthesize_received_header() on top, and over it C<$ValidateIPHeader> with
C<$RelayAddr> if this site has such a header. It is scanned again, as local mail;
Postfix needs C<non_smtpd_milters> for that.

Inside a message only. 1, or 0 after logging why it could not be sent.

=head2 resend_message(RECIPIENT...)

One copy for all of them.

=head2 resend_message_one_recipient(RECIPIENT [, MODE])

MODE: C<-odb -odq -odd -odi>, default C<-odd>.

=head2 resend_message_specifying_mode(MODE, \@RECIPIENTS)

One copy for all of them.

=head1 PRINTING

=head2 pretty_print_mail(ENTITY [, SIZE])

The outline of the parts, with type and file name, and the decoded bodies of text
parts, as bytes. Ends after the line with which it reaches SIZE (default 16384).

=head1 ASKING OTHER SERVERS

=head2 md_check_against_smtp_server, get_smtp_return_code, get_smtp_extensions

Exported from here, too: see L<Mail::MIMEDefang::CallForward>.

=head1 FOR THE BRIDGE

=head2 copy_to_resend(), resend_copy(COPY, MODE, RECIPIENT...)

The copy that is sent, or undef; sends it, as often as wanted, 1 or 0.

=cut
