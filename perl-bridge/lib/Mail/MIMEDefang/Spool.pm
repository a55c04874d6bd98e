# SPDX-License-Identifier: MIT
#
# The files that front-end and worker share: reads COMMANDS, appends to
# RESULTS.  Inside a request the lines of RESULTS are kept in memory and written
# at its end in one go; a request that fails leaves nothing.  Functions without
# an underscore are for filters: they log and return false.  The others die.

package Mail::MIMEDefang::Spool;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(percent_decode percent_encode);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log        qw(md_syslog);
use Mail::MIMEDefang::ResultLine qw(check_result);

our @EXPORT_OK = qw(read_commands_file write_result_line signal_changed
    signal_unchanged load_commands hold_results drop_results commit_results
    results_so_far);

use constant MAX_LINE => 16382;    # spec:spool-results-limits

my $held;                          # lines of this request, or undef: no request

# spec:spool-commands  Letters whose argument is only stored.
my %STORE = (
    S   => sub ($v) { $Sender = $v },
    's' => sub ($v) { push @SenderESMTPArgs, $v },
    r   =>
        sub ($v) { push @{ $RecipientESMTPArgs{ $Recipients[-1] // '' } }, $v },
    '!' => sub ($v) { $SuspiciousCharsInHeaders = 1 },
    '?' => sub ($v) { $SuspiciousCharsInBody    = 1 },
    I   => sub ($v) { $RelayAddr     = $RealRelayAddr     = $v },
    H   => sub ($v) { $RelayHostname = $RealRelayHostname = $v },
    E   => sub ($v) { $Helo          = $v },
    Q   => sub ($v) { $QueueID       = $v },
    X   => sub ($v) { $MessageID     = $v },
    i   => sub ($v) { $MIMEDefangID  = $v },
    J   => \&_relay_from_header,
    U   => \&_subject,
);

sub _relay_from_header ($addr) {
    require Socket;
    my $family = $addr =~ /:/ ? Socket::AF_INET6() : Socket::AF_INET();
    my $packed = Socket::inet_pton($family, $addr);

    $WasResent     = 1;
    $RelayAddr     = $addr;
    $RelayHostname = ($packed && gethostbyaddr $packed, $family) || "[$addr]";
    return;
}

sub _subject ($text) {
    $Subject = $text if ++$SubjectCount == 1;
    md_syslog('warning', 'message has more than one Subject field')
        if $SubjectCount == 2;
    return;
}

# Reads ./COMMANDS into the globals.  Dies if it cannot be read or, when a whole
# file is needed, has no F.
sub load_commands ($need_end) {
    open my $fh, '<', 'COMMANDS' or die "Cannot open COMMANDS: $!\n";
    my @before = @Recipients;
    @Recipients         = @SenderESMTPArgs = ();
    %RecipientESMTPArgs = ();
    $SubjectCount       = 0;
    my $ended = 0;

    while (defined(my $line = <$fh>)) {
        chomp $line;
        my ($letter, $rest)
            = (substr($line, 0, 1), length $line ? substr $line, 1 : '');
        if ($letter eq 'F') {
            $ended = 1;
            last;
        }
        if (my $store = $STORE{$letter}) {
            $store->(percent_decode($rest));
        }
        elsif ($letter eq 'R') {
            my ($rcpt, @how) = map { percent_decode($_) } split ' ', $rest;
            $rcpt //= '';
            push @Recipients, $rcpt;
            $RecipientMailers{$rcpt} = [ map { $how[$_] // '?' } 0 .. 2 ];
        }
        elsif ($letter eq '=') {
            my ($name, $value) = map { percent_decode($_) } split ' ', $rest, 2;
            $SendmailMacros{$name} = $value // '' if defined $name;
        }
        else {
            md_syslog('warning', "Unknown line in COMMANDS: '$line'");
        }
    }
    close $fh;
    push @Recipients, @before;
    die "COMMANDS file did not end with F\n" if $need_end && !$ended;
    return;
}

sub read_commands_file ($need_end = 0, @) {
    return 1 if eval { load_commands($need_end); 1 };
    md_syslog('err', $@);
    return 0;
}

# Since there is no working directory at connect and HELO, nothing can be asked
# for there.
sub write_result_line ($letter, @args) {
    if ($CWD eq $Features{'Path:SPOOLDIR'}) {
        md_syslog('warning',
            "RESULTS line '$letter' refused: there is no message yet");
        return;
    }
    my ($refused, $changed, @good) = check_result($letter, @args);
    if (defined $refused) {
        md_syslog('warning', "RESULTS line '$letter' refused: $refused");
        return;
    }
    md_syslog('warning', "RESULTS line '$letter': $_ replaced") for @{$changed};

    my $line = $letter . join ' ', map { percent_encode($_) } @good;
    if (length $line > MAX_LINE) {
        $line = substr $line, 0, MAX_LINE;
        $line =~ s/%[0-9A-F]?\z//;
        md_syslog('warning', "RESULTS line '$letter' cut: too long");
    }
    if ($held) {
        push @{$held}, "$line\n";
        return;
    }
    _append("$line\n");
    return;
}

sub signal_changed (@) {
    return write_result_line('C');
}

sub signal_unchanged (@) {
    return;
}

sub hold_results () {
    $held = [];
    return;
}

# The lines until now, also those of the sender's and the recipients' callbacks.
sub results_so_far () {
    my @lines;
    if (open my $fh, '<', 'RESULTS') {
        @lines = <$fh>;
        close $fh;
    }
    push @lines, @{ $held // [] };
    chomp @lines;
    return @lines;
}

sub drop_results () {
    undef $held;
    return;
}

sub commit_results () {
    my $lines = $held;
    undef $held;
    _append(join '', @{$lines}) if $lines && @{$lines};
    return;
}

# One write, and all of it or nothing.  spec:spool-results-once
sub _append ($text) {
    if (!$results_fh) {
        open $results_fh, '>>', 'RESULTS' or die "Cannot open RESULTS: $!\n";
    }
    my $size = -s $results_fh;
    my $n    = syswrite $results_fh, $text;
    return if defined $n && $n == length $text;
    my $why = defined $n ? 'disk full' : $!;
    truncate $results_fh, $size;
    die "Cannot write RESULTS: $why\n";
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Spool - COMMANDS and RESULTS of a working directory

=head1 FUNCTIONS FOR FILTERS

=head2 read_commands_file([NEED_END])

Reads F<./COMMANDS> into the globals; for filter_sender and filter_recipient,
which otherwise know only what they are called with. True on success. NEED_END:
false also if the file is not complete. In filter_recipient the current
recipient stays the last of C<@Recipients>.

=head2 write_result_line(LETTER, ARG...)

One line for F<RESULTS>; C<docs/spool.md> lists the letters. What cannot stand in
one is replaced or the line refused, with a line in the log; it dies if ARG is to be
an address and is none. Nothing in filter_relay and filter_helo.

=head2 signal_changed(), signal_unchanged()

Say that F<NEWBODY> replaces the body; do nothing.

=head1 FUNCTIONS FOR THE BRIDGE

=head2 load_commands(NEED_END)

As read_commands_file, but dies with the reason.

=head2 results_so_far()

The lines that F<RESULTS> would have if the request ended now.

=head2 hold_results(), commit_results(), drop_results()

Keep lines in memory from now on; write them; forget them. commit_results dies
if the file cannot be written completely, and then leaves it as it was.

=cut
