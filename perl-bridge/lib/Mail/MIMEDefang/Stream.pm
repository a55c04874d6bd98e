# SPDX-License-Identifier: MIT
#
# Splits a message whose recipients want different filtering: a copy for each
# group of them is sent again, and filtered when it comes back.
#
# choice:stream-partial  No recipient gets two copies and none gets no copy when
# some of the copies cannot be sent: see _stream.

package Mail::MIMEDefang::Stream;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Actions  qw(action_tempfail delete_recipient);
use Mail::MIMEDefang::Callback qw(running);
use Mail::MIMEDefang::Guard    qw(in_message_context);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log  qw(md_syslog);
use Mail::MIMEDefang::Mail qw(copy_to_resend resend_copy);

our @EXPORT_OK = qw(stream_by_domain stream_by_recipient);

sub stream_by_domain (@) {
    return 0 if !_may_stream('stream_by_domain');
    my (%groups, @order);
    for my $rcpt (@Recipients) {
        $Domain = _domain($rcpt);
        push @order,                $Domain if !$groups{$Domain};
        push @{ $groups{$Domain} }, $rcpt;
    }
    return 0 if @order < 2;
    return _stream(@groups{@order});
}

sub _domain ($rcpt) {
    return lc($rcpt =~ tr/<>//dr =~ s/.*@//sr);
}

sub stream_by_recipient (@) {
    return 0 if !_may_stream('stream_by_recipient');
    my (%seen, @groups);
    for my $rcpt (@Recipients) {
        push @groups, [$rcpt] if !$seen{$rcpt}++;
    }
    return 0 if @groups < 2;
    return _stream(@groups);
}

# Only what filter_begin does can end the scan; elsewhere the message would be
# delivered besides its copies.
sub _may_stream ($name) {
    return 0 if !in_message_context($name);
    return 1 if running() =~ /^(?:filter_begin)?\z/;
    md_syslog('warning', "$name called outside of filter_begin");
    return 0;
}

# If the first copy cannot be sent, none is: the client tries again.  If a later
# one cannot, its recipients keep this message, and those who have a copy are
# taken from it.
sub _stream (@groups) {
    my $copy = copy_to_resend();
    my (@sent, @left);
    for my $group (@groups) {
        my $ok = $copy && resend_copy($copy, '-odd', @{$group});
        push @{ $ok ? \@sent : \@left }, $group;
        last if !@sent;
    }
    if (!@sent) {
        md_syslog('crit', 'Cannot stream the message: told to try again');
        action_tempfail('Unable to stream message');
        return 1;
    }
    if (!@left) {
        $TerminateAndDiscard = 1;
        return 1;
    }
    return _keep(\@sent, \@left);
}

sub _keep ($sent, $left) {
    delete_recipient($_) for map { @{$_} } @{$sent};
    @Recipients = map { @{$_} } @{$left};
    $Domain     = _domain($Recipients[-1]) if length $Domain;
    md_syslog('crit',
        'Streamed only a part of the message: it goes on for ' . join ' ',
        @Recipients);
    return 0;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Stream - a copy of the message for each domain or recipient

=head1 SYNOPSIS

    sub filter_begin {
        return if stream_by_domain();
        # from here on all recipients are of $Domain
    }

=head1 FUNCTIONS

For filter_begin. Both return 1 if the caller must return: the message was sent
again (and C<$TerminateAndDiscard> is set), or cannot be (and the client is told to
try again). They return 0 if this message is to be filtered: there was nothing to
split, or the function was called in a wrong place, which is logged.

When some of the copies could be sent and others could not, those who have a copy
are removed from the recipients of this message (and from C<@Recipients>), the
function returns 0, and the message goes on for the others. It is logged at level
crit.

=head2 stream_by_domain()

Sends one copy for the recipients of each domain if there is more than one, and
sets C<$Domain> to the domain of the last recipient, in lower case.

=head2 stream_by_recipient()

Sends one copy to each recipient if there are at least two.

=cut
