# SPDX-License-Identifier: MIT
#
# What a filter can do with a part and with the message.  A call in the wrong
# place is logged and refused.  Header and envelope actions, the quarantine and
# greylisting have modules of their own and are exported from here.

package Mail::MIMEDefang::Actions;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Actions::Headers    ();
use Mail::MIMEDefang::Actions::Quarantine qw(get_quarantine_dir quarantine_part
    action_quarantine_entire_message);
use Mail::MIMEDefang::Callback qw(call_filter);
use Mail::MIMEDefang::Codec    qw(to_bytes);
use Mail::MIMEDefang::Context
    qw(in_filter_context in_filter_wrapup in_message_context);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Lazy 'Mail::MIMEDefang::Actions::Greylist' =>
    [qw(action_greylist md_greylist md_greylist_expire)];
use Mail::MIMEDefang::Log    qw(md_syslog);
use Mail::MIMEDefang::MIME   qw(warning_part);
use Mail::MIMEDefang::Notify qw(send_admin_mail);
use Mail::MIMEDefang::Spool  qw(write_result_line);
use Mail::MIMEDefang::Utils  qw(copy_file copy_or_link write_file);

BEGIN {
    Mail::MIMEDefang::Actions::Headers->import(
        @Mail::MIMEDefang::Actions::Headers::EXPORT_OK);
}

our @EXPORT = (    ## no critic (ProhibitAutomaticExportation)
    qw(action_accept action_accept_with_warning action_drop
        action_drop_with_warning action_replace_with_warning action_quarantine
        action_replace_with_url action_defang action_external_filter
        action_add_part action_add_entity process_added_parts action_rebuild
        action_bounce action_tempfail action_discard message_rejected
        action_sm_quarantine action_quarantine_entire_message
        get_quarantine_dir action_notify_sender action_notify_administrator
        action_greylist md_greylist md_greylist_expire),
    @Mail::MIMEDefang::Actions::Headers::EXPORT_OK
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

sub action_quarantine ($entity, $message = '', @) {
    return 0 if !_dispose('quarantine', 'drop', $message);
    return quarantine_part($entity, $message);
}

sub action_replace_with_url {
    my ($entity, $docroot, $base_url, $message, $cd_data, $salt) = @_;
    return 0 if !in_filter_context('action_replace_with_url');
    my $path = _body_path($entity) // return 0;

    require Digest::SHA;
    my $sha = Digest::SHA->new(1);
    eval { $sha->addfile($path, 'b') } or return 0;
    $sha->add($salt) if length($salt // '');
    my ($ext) = $path =~ /(\.[A-Za-z0-9_]*)\z/;
    my $name = $sha->hexdigest . ($ext // '');

    if (-e "$docroot/$name") {
        utime undef, undef, "$docroot/$name";
    }
    else {
        copy_file($path, "$docroot/$name") or return 0;
        chmod 0644, "$docroot/$name";
    }
    if (length($cd_data // '')) {
        write_file('>', "$docroot/.$name", $cd_data) or return 0;
        chmod 0644, "$docroot/.$name";
    }
    $message =~ s/_URL_/$base_url\/$name/g;
    return action_replace_with_warning($message);
}

sub _body_path ($entity) {
    my $body = $entity->bodyhandle or return;
    return $body->path;
}

sub action_defang {
    my ($entity, $name, $file_name, $type) = @_;
    return 0 if !in_filter_context('action_defang');
    return 0 if !defined $entity->bodyhandle;
    my $head = $entity->head;
    my $old  = $head->recommended_filename // '';
    my $new  = sprintf 'defang-%d.binary', ++$DefangCounter;
    $name      = $new                       if !length($name      // '');
    $file_name = $new                       if !length($file_name // '');
    $type      = 'application/octet-stream' if !length($type      // '');

    $head->replace('Content-Type', $type);
    $head->mime_attr('Content-Type.name'   => $name);
    $head->mime_attr('Content-Disposition' => 'attachment')
        if !$head->count('Content-Disposition');
    $head->mime_attr('Content-Disposition.filename' => $file_name);
    $head->replace('Content-Description', $file_name);
    $entity->effective_type($type);

    $Changed = 1;
    $Actions{defang}++;
    my ($warning) = call_filter('defang_warning', $old, $file_name);
    return action_accept_with_warning($warning
            // "An attachment named '$old' was renamed to '$file_name'.\n"
            . 'Be careful when you open it.');
}

# The command may be anything that the filter's author typed, so it has a shell.
sub action_external_filter ($entity, $command, @) {
    return 0 if !in_filter_context('action_external_filter');
    my $path = _body_path($entity) // return 0;
    unlink qw(FILTERINPUT FILTEROUTPUT);
    copy_or_link($path, 'FILTERINPUT') or return 0;
    local $SIG{CHLD} = 'DEFAULT';
    if (system($command) != 0) {
        md_syslog('warning', "External filter failed (status $?): $command");
        return 0;
    }
    return 1 if !-r 'FILTEROUTPUT';
    if (!rename 'FILTEROUTPUT', $path) {
        md_syslog('err', "Cannot rename FILTEROUTPUT to $path: $!");
        return 0;
    }
    $Changed = 1;
    $Actions{external_filter}++;
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
        Filename    => $file_name,
        Disposition => $disposition,
        @charset
    );
    return action_add_entity($part, $offset);
}

sub action_add_entity ($entity, $offset = -1, @) {
    my $name = 'action_add_entity';
    return if !in_message_context($name) || in_filter_wrapup($name);
    push @AddedParts, [ $entity, $offset // -1 ];
    action_rebuild();
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
    return;
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

In filter and filter_multipart; the last call for a part decides. 1, or 0 if
refused.

=head2 action_accept(), action_accept_with_warning(MESSAGE)

Keep the part; tell the recipient.

=head2 action_drop(), action_drop_with_warning(MESSAGE)

Leave the part out; tell the recipient.

=head2 action_replace_with_warning(MESSAGE)

A text part with MESSAGE in its place.

=head2 action_quarantine(ENTITY, MESSAGE)

Drop with a warning, and keep a copy in the quarantine. 0 if it could not be
kept; it is dropped nevertheless.

=head2 action_replace_with_url(ENTITY, DOCROOT, BASE_URL, MESSAGE [, CD_DATA [, SALT]])

Copies the body to DOCROOT under the SHA-1 of body and SALT, CD_DATA to a
dot-file beside it, and replaces the part by MESSAGE, C<_URL_> in it being
BASE_URL/name.

=head2 action_defang(ENTITY, NAME, FILE_NAME, TYPE)

Keeps the part with other names (default C<defang-N.binary>) and type (default
application/octet-stream), with the warning that C<defang_warning(OLD, NEW)> of
the filter returns.

=head2 action_external_filter(ENTITY, COMMAND)

Runs COMMAND, which reads F<./FILTERINPUT> and may write F<./FILTEROUTPUT>, the
new body. 0 if it fails.

=head1 MESSAGE

=head2 action_add_part(ENTITY, TYPE, ENCODING, DATA, FILE_NAME, DISPOSITION [, OFFSET])

Queues a new part and returns it; OFFSET as for add_part of MIME::Entity. The
first argument is not used.

=head2 action_add_entity(ENTITY [, OFFSET])

Queues an entity as a part.

=head2 process_added_parts(TREE)

Puts the queued parts into TREE.

=head2 action_rebuild()

The message is written again even if no part changed.

=head2 action_bounce([TEXT [, CODE [, DSN]]]), action_tempfail([TEXT [, CODE [, DSN]]]), action_discard()

Refuse the message, for ever or for now; accept and forget it. The callbacks
that follow still run. 1 or 0.

=head2 message_rejected()

1 after one of these three.

=head2 action_sm_quarantine(REASON)

The MTA holds the message in its queue.

=head2 action_notify_sender(TEXT), action_notify_administrator(TEXT)

Collect text to mail when the scan is done. 1 or 0. No mail to an empty sender
or about a virus. Outside of a message the administrator gets it at once.

=cut
