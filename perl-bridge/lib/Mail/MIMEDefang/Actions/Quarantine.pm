# SPDX-License-Identifier: MIT
#
# Keeps parts and messages in a directory of their own below the quarantine.
# Always copies: a link would share the worker's file, which filters may edit.

package Mail::MIMEDefang::Actions::Quarantine;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(to_bytes);
use Mail::MIMEDefang::Guard qw(in_message_context);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log   qw(md_syslog);
use Mail::MIMEDefang::Utils qw(copy_file hour_str time_str write_file);

our @EXPORT_OK = qw(get_quarantine_dir quarantine_part
    action_quarantine_entire_message);

use constant MAX_TRIES => 1000;    # directories with the same second

sub get_quarantine_dir (@) {
    return $QuarantineSubdir if length $QuarantineSubdir;
    my $base = "$Features{'Path:QUARANTINEDIR'}/" . hour_str();
    mkdir $base, 0750;             # may exist
    my $prefix = "$base/qdir-" . time_str();
    for my $n (1 .. MAX_TRIES) {
        my $dir = sprintf '%s-%03d', $prefix, $n;
        if (mkdir $dir, 0750) {
            $QuarantineSubdir = $dir;
            _describe_message();
            return $dir;
        }
        last if !-d $dir;
    }
    md_syslog('err', "Cannot make a quarantine directory in $base: $!");
    return '';
}

sub _describe_message () {
    _write('SENDER',       "$Sender\n");
    _write('SENDMAIL-QID', "$QueueID\n");
    _write('RECIPIENTS',   join '', map {"$_\n"} @Recipients);
    copy_file('HEADERS', "$QuarantineSubdir/HEADERS") if -e 'HEADERS';
    return;
}

sub _write ($name, $text) {
    return write_file('>', "$QuarantineSubdir/$name", $text);
}

sub quarantine_part ($entity, $reason) {
    my $body = $entity->bodyhandle;
    my $path = $body && $body->path;
    return 0 if !defined $path || !get_quarantine_dir();
    my $n = $QuarantineCount + 1;
    copy_file($path, "$QuarantineSubdir/PART.$n.BODY") or return 0;
    $QuarantineCount = $n;
    _write("PART.$n.HEADERS", $entity->head->as_string);
    _write("MSG.$n",          to_bytes($reason) . "\n");
    return 1;
}

sub action_quarantine_entire_message ($reason = '', @) {
    return 0 if !in_message_context('action_quarantine_entire_message');
    return 1 if $EntireMessageQuarantined;
    return 0 if !get_quarantine_dir();
    copy_file('INPUTMSG', "$QuarantineSubdir/ENTIRE_MESSAGE") or return 0;
    _write('MSG.0', to_bytes($reason) . "\n") if length($reason // '');
    $EntireMessageQuarantined = 1;
    $Actions{quarantine_entire_message}++;
    return 1;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Actions::Quarantine - copies of what was taken out

=head1 FUNCTIONS

=head2 get_quarantine_dir()

The directory for this message,
F<QUARANTINE/YYYY-MM-DD-HH/qdir-YYYY-MM-DD-HH.MM.SS-NNN>, made at the first
call with F<SENDER>, F<SENDMAIL-QID>, F<RECIPIENTS> and F<HEADERS> in it. The
empty string if it cannot be made.

=head2 action_quarantine_entire_message([REASON])

Keeps the message as F<ENTIRE_MESSAGE>, once; the delivery does not change.
1 or 0.

=head2 quarantine_part(ENTITY, REASON)

Keeps the part as F<PART.N.BODY>, F<PART.N.HEADERS> and F<MSG.N>. 1, or 0 if it
has no file or cannot be copied.

=cut
