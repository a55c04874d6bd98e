# SPDX-License-Identifier: MIT
#
# Syslog, and the MDLOG lines that graphdefang reads.  Logging never dies and
# prints nothing when there is no syslog daemon.  MIMEDEFANG_LOG=stderr sends
# the lines to standard error instead, where the multiplexor collects them.

package Mail::MIMEDefang::Log;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec
    qw(one_line percent_encode_for_graphdefang to_bytes);
use Mail::MIMEDefang::Globals;

our @EXPORT_OK = qw(md_openlog md_syslog md_graphdefang_log_enable
    md_graphdefang_log md_graphdefang_log_array);

my %LEVEL = (
    (map { $_ => $_ } qw(emerg alert crit err warning notice info debug)),
    panic => 'emerg',
    error => 'err',
    warn  => 'warning',
);
my $opened;

# choice:bridge-syslog  The native mechanism is silent without a daemon.
sub md_openlog ($tag, $facility, @) {
    require Sys::Syslog;
    Sys::Syslog::setlogsock('native');
    Sys::Syslog::openlog($tag, 'pid,ndelay', $facility);
    $opened = 1;
    return;
}

sub md_syslog ($level, $text, @) {
    my ($facility, $name) = lc($level) =~ /^(?:(\w+)\|)?(\w+)\z/;
    my $priority = $LEVEL{ $name // '' } // 'notice';

    $text = one_line($text);
    $text = "$MsgID: $text" if ($MsgID // '') !~ /^(?:NOQUEUE)?\z/;
    if (($ENV{MIMEDEFANG_LOG} // '') eq 'stderr') {
        print {*STDERR} "$priority: $text\n";
        return;
    }
    local $@;
    local $SIG{__DIE__};
    eval {
        md_openlog('mimedefang.pl', $SyslogFacility) if !$opened;
        Sys::Syslog::syslog(
            defined $facility ? "$facility|$priority" : $priority,
            '%s', $text);
    };
    return;
}

sub md_graphdefang_log_enable ($facility = $SyslogFacility, $enumerate = 1, @) {
    $GraphDefangSyslogFacility = $facility;
    $EnumerateRecipients       = $enumerate;
    return;
}

sub md_graphdefang_log ($event, $v1 = '', $v2 = '', $utf8 = 0, $once = 0, @) {
    return md_graphdefang_log_array($event, $utf8, [ $v1, $v2 ], $once);
}

sub md_graphdefang_log_array ($event, $utf8, $values, $once = 0, @) {
    return if !defined $GraphDefangSyslogFacility;
    if (!$InMessageContext) {
        md_syslog('warning',
            'md_graphdefang_log called outside of message context');
        return;
    }
    my $encode = $utf8 ? \&_readable : \&percent_encode_for_graphdefang;
    my @to
        = $EnumerateRecipients && !$once ? @Recipients
        : @Recipients == 1               ? @Recipients
        :                                  'rcpts=' . @Recipients;

    for my $rcpt (@to) {
        md_syslog(
            "$GraphDefangSyslogFacility|info",
            join ',',
            'MDLOG',
            percent_encode_for_graphdefang($MsgID),
            $encode->($event),
            (
                map { percent_encode_for_graphdefang($_) } @{$values},
                lc $Sender, lc $rcpt
            ),
            $encode->($Subject)
        );
    }
    return;
}

# Decoded, but without what would break the format of the line.
sub _readable ($text) {
    require MIME::WordDecoder;
    $text = MIME::WordDecoder::mime_to_perl_string($text // '');
    $text =~ s/[^[:print:]]//g;
    $text = to_bytes($text);
    $text =~ s/([%\\,])/sprintf '%%%02X', ord $1/ge;
    return $text;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Log - syslog and MDLOG lines

=head1 FUNCTIONS

=head2 md_openlog(TAG, FACILITY)

Opens the connection to syslog. Not needed: the first line opens it with the
tag C<mimedefang.pl> and the facility C<$SyslogFacility>.

=head2 md_syslog(LEVEL, TEXT)

Logs one line, with the queue id in front if there is one. LEVEL is a syslog
level in any case, or C<FACILITY|LEVEL>. Control characters become spaces.

=head2 md_graphdefang_log_enable([FACILITY [, ENUMERATE]])

Switches MDLOG lines on. ENUMERATE (default 1): one line for each recipient.

=head2 md_graphdefang_log(EVENT [, V1 [, V2 [, UTF8 [, ONCE]]]])

Logs C<MDLOG,msgid,event,v1,v2,sender,recipient,subject> at level info. UTF8:
event and subject decoded. ONCE: one line whatever ENUMERATE says. Nothing
before md_graphdefang_log_enable and outside of a message.

=head2 md_graphdefang_log_array(EVENT, UTF8, \@VALUES [, ONCE])

The same with any number of values.

=cut
