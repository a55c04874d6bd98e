# SPDX-License-Identifier: MIT
#
# What a filter can do with a part and with the message.  A call in the wrong
# place is logged and refused.  Header and envelope actions, the quarantine and
# greylisting have modules of their own and are exported from here.

package Mail::MIMEDefang::Actions;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Actions::Headers ();
use Mail::MIMEDefang::Codec            qw(to_bytes);
use Mail::MIMEDefang::Guard
    qw(in_filter_context in_filter_wrapup in_message_context);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Lazy
    'Mail::MIMEDefang::Actions::Greylist' =>
    [qw(action_greylist md_greylist md_greylist_expire)],
    'Mail::MIMEDefang::Actions::Parts' =>
    [qw(action_replace_with_url action_defang action_external_filter)],
    'Mail::MIMEDefang::Actions::Quarantine' =>
    [qw(get_quarantine_dir quarantine_part action_quarantine_entire_message)],
    'Mail::MIMEDefang::Notify' => ['send_admin_mail'];
use Mail::MIMEDefang::Log   qw(md_syslog);
use Mail::MIMEDefang::MIME  qw(header_word warning_part);
use Mail::MIMEDefang::Spool qw(write_result_line);
use Mail::MIMEDefang::Utils qw(write_file);

BEGIN { Mail::MIMEDefang::Actions::Headers->import(':actions') }

our @EXPORT = (    ## no critic (ProhibitAutomaticExportation)
    qw(action_accept action_accept_with_warning action_drop
        action_drop_with_warning action_replace_with_warning action_quarantine
        action_replace_with_url action_defang action_external_filter
        action_add_part action_add_entity process_added_parts action_rebuild
        action_bounce action_tempfail action_discard message_rejected
        action_sm_quarantine action_quarantine_entire_message
        get_quarantine_dir action_notify_sender action_notify_administrator
        action_greylist md_greylist md_greylist_expire),
    @{ $Mail::MIMEDefang::Actions::Headers::EXPORT_TAGS{actions} }
);

# Dispositions of a part, in filter and filter_multipart.

sub _dispose ($name, $action, @warning) {
    return 0 if !in_filter_context("action_$name");
    $Action = $action;
    $Actions{$name}++ if $name ne 'accept';
    push @Warnings, map { to_bytes($_) . "\n" } @warning;
    return 1;
}

sub action_accept (@) {
    return _dispose('accept', 'accept');
}

sub action_accept_with_warning ($message = '', @) {
    return _dispose('accept_with_warning', 'accept', $message);
}

sub action_drop (@) {
    return _dispose('drop', 'drop');
}

sub action_drop_with_warning ($message = '', @) {
    return _dispose('drop_with_warning', 'drop', $message);
}

sub action_replace_with_warning ($message = '', @) {
    return 0 if !_dispose('replace_with_warning', 'replace');
    $ReplacementEntity = warning_part(to_bytes($message) . "\n");
    return 1;
}

# Out it goes, also if it cannot be kept.
sub action_quarantine ($entity, $message = '', @) {
    return 0 if !in_filter_context('action_quarantine');
    $Action = 'drop';
    push @Warnings, to_bytes($message) . "\n";
    return 0 if !quarantine_part($entity, $message);
    $Actions{quarantine}++;
    return 1;
}

# Additions to the message.

sub action_add_part {
    my (undef, $type, $encoding, $data, $file_name, $disposition, $offset) = @_;
    my $name = 'action_add_part';
    return if !in_message_context($name) || in_filter_wrapup($name);
    my @charset = utf8::is_utf8($data // '') ? (Charset => 'utf-8') : ();
    require MIME::Entity;
    my $part = MIME::Entity->build(
        Top         => 0,
        Type        => $type,
        Encoding    => $encoding,
        Data        => [ to_bytes($data) ],
        Filename    => header_word($file_name),
        Disposition => $disposition,
        @charset
    );
    return _add($part, $offset);
}

sub action_add_entity ($entity, $offset = -1, @) {
    my $name = 'action_add_entity';
    return if !in_message_context($name) || in_filter_wrapup($name);
    return _add($entity, $offset);
}

sub _add ($entity, $offset) {
    push @AddedParts, [ $entity, $offset // -1 ];
    $Rebuild = 1;
    return $entity;
}

sub process_added_parts ($tree, @) {
    return $tree if !@AddedParts;
    $tree->make_multipart('mixed', Force => 1)
        if lc $tree->effective_type ne 'multipart/mixed';
    $tree->add_part(@{$_}) for @AddedParts;
    @AddedParts = ();
    return $tree;
}

sub action_rebuild (@) {
    return
        if !in_message_context('action_rebuild')
        || in_filter_wrapup('action_rebuild');
    $Rebuild = 1;
    return 1;
}

# What becomes of the message.

sub _refuse ($letter, $class, $text, $code, $dsn) {
    my ($std_text, $std_code, $std_dsn)
        = $class == 5
        ? ('Forbidden for policy reasons', '554', '5.7.1')
        : ('Try again later', '451', '4.3.0');
    $text = $std_text if !length($text // '');
    $code = $std_code if ($code // '') !~ /^$class\d\d\z/a;
    $dsn  = $std_dsn  if ($dsn  // '') !~ /^$class\.\d{1,3}\.\d{1,3}\z/a;
    write_result_line($letter, $code, $dsn, $text);
    return 1;
}

sub action_bounce ($text = undef, $code = undef, $dsn = undef, @) {
    return 0 if !in_message_context('action_bounce');
    $Actions{bounce}++;
    return _refuse('B', 5, $text, $code, $dsn);
}

sub action_tempfail ($text = undef, $code = undef, $dsn = undef, @) {
    return 0 if !in_message_context('action_tempfail');
    $Actions{tempfail}++;
    return _refuse('T', 4, $text, $code, $dsn);
}

sub action_discard (@) {
    return 0 if !in_message_context('action_discard');
    $Actions{discard}++;
    write_result_line('D');
    return 1;
}

sub message_rejected (@) {
    return 0 if !in_message_context('message_rejected');
    return $Actions{bounce} || $Actions{tempfail} || $Actions{discard} ? 1 : 0;
}

sub action_sm_quarantine ($reason = '', @) {
    return if !in_message_context('action_sm_quarantine');
    $Actions{sm_quarantine} = 1;
    write_result_line('Q', $reason);
    return;
}

# Notes, mailed when the scan ends.

sub action_notify_sender ($text, @) {
    return 0 if !in_message_context('action_notify_sender');
    if ($Sender eq '<>' || length $VirusName) {
        md_syslog('info',
            'Sender not notified: '
                . ($Sender eq '<>' ? 'empty sender' : 'message has a virus'));
        return 0;
    }
    write_file('>>', 'NOTIFICATION', $text) or return 0;
    $Actions{notify_sender}++;
    return 1;
}

sub action_notify_administrator ($text, @) {
    if (!$InMessageContext) {
        send_admin_mail($NotifyAdministratorSubject, $text);
        return 1;
    }
    write_file('>>', 'ADMIN_NOTIFICATION', $text) or return 0;
    $Actions{notify_administrator}++;
    return 1;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Actions - what a filter can do

=head1 PARTS

In filter and filter_multipart; the last call for a part decides. 1, or 0 when
called elsewhere, which is logged.

=head2 action_accept(), action_accept_with_warning(MESSAGE)

Keep the part; tell the recipient.

=head2 action_drop(), action_drop_with_warning(MESSAGE)

Leave the part out; tell the recipient.

=head2 action_replace_with_warning(MESSAGE)

A text part F<warningN.txt> with MESSAGE in its place. The other parts may refer to
it as they did to the original: it keeps the Content-ID.

=head2 action_quarantine(ENTITY, MESSAGE)

Drop with a warning, and keep a copy in the quarantine. 0 if it could not be
kept: it is dropped nevertheless. Containers have no body that could.

=head2 action_replace_with_url, action_defang, action_external_filter

See L<Mail::MIMEDefang::Actions::Parts>.

=head1 MESSAGE

=head2 action_add_part(ENTITY, TYPE, ENCODING, DATA, FILE_NAME, DISPOSITION [, OFFSET])

Queues a new part and returns it; OFFSET as for add_part of MIME::Entity, default
-1, at the end. ENCODING as there; C<-suggest> chooses one. DATA: bytes, or
characters, which become UTF-8. The first argument is not used. Nothing is returned
outside of a message and in filter_wrapup.

=head2 action_add_entity(ENTITY [, OFFSET])

Queues an entity as a part, and returns it; else as action_add_part.

=head2 process_added_parts(TREE)

Puts the queued parts into TREE, which becomes multipart/mixed if it is not, and
returns it. The scan does so itself.

=head2 action_rebuild()

The message is written again even if no part changed. 1; nothing outside of a
message and in filter_wrapup.

=head2 action_bounce([TEXT [, CODE [, DSN]]]), action_tempfail([TEXT [, CODE [, DSN]]]), action_discard()

Refuse the message, for ever or for now; accept and forget it. The first of them
counts. The callbacks that follow still run. 1, or 0 outside of a message.

TEXT: default C<Forbidden for policy reasons>, C<Try again later>. CODE and DSN:
554 and 5.7.1, 451 and 4.3.0, unless of the same class.

=head2 message_rejected()

1 after one of these three, else 0.

=head2 action_sm_quarantine(REASON)

The MTA holds the message in its queue. Returns nothing.

=head2 action_notify_sender(TEXT), action_notify_administrator(TEXT)

Collect text to mail when the scan is done, however it ends. 1, or 0 if it cannot
be kept. No mail to an empty sender or about a virus (if C<$VirusName> is set): 0.
Outside of a message the administrator gets it at once, and the sender nothing.

=head2 get_quarantine_dir(), action_quarantine_entire_message([REASON])

See L<Mail::MIMEDefang::Actions::Quarantine>.

=head2 action_greylist

See L<Mail::MIMEDefang::Actions::Greylist>.

=head2 action_add_header and so on, add_recipient, delete_recipient, change_sender

See L<Mail::MIMEDefang::Actions::Headers>.

=cut
