# SPDX-License-Identifier: MIT
#
# The worker's pipes: commands in, one answer line each out, status tags to
# descriptor 3.  The protocol runs on private descriptors, so that neither a
# filter's print nor a program that it starts can touch it: STDIN becomes
# /dev/null and STDOUT becomes STDERR.  Write errors are ignored: when the
# multiplexor is gone the next read ends the loop.

package Mail::MIMEDefang::Channel;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(one_line percent_encode);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log qw(md_syslog);

our @EXPORT_OK = qw(open_channel command_waits read_command expect_answer
    answered print_and_flush init_status_tag push_status_tag pop_status_tag
    set_status_tag);

my ($commands, $answers, $status, $answered);

sub open_channel () {
    open $commands, '<&', \*STDIN     or die "Cannot duplicate stdin: $!\n";
    open $answers,  '>&', \*STDOUT    or die "Cannot duplicate stdout: $!\n";
    open STDIN,     '<',  '/dev/null' or die "Cannot open /dev/null: $!\n";
    open STDOUT,    '>&', \*STDERR or die "Cannot join stdout to stderr: $!\n";
    $| = 1;    ## no critic (RequireLocalizedPunctuationVars)
    return;
}

# Only before the first read_command: after it there may be buffered lines.
sub command_waits () {
    my $set = '';
    vec($set, fileno $commands, 1) = 1;
    return select $set, undef, undef, 0;
}

# The next line, or undef at the end; a line that was cut off is no command.
sub read_command () {
    my $line = readline $commands;
    return if !defined $line || !chomp $line;
    return $line;
}

sub expect_answer () {
    $answered = 0;
    return;
}

sub answered () {
    return $answered;
}

# spec:mux-answers  One line for each command, never two.
sub print_and_flush ($text, @) {
    if (!$answers) {
        local $| = 1;
        print {*STDOUT} "$text\n";
        return;
    }
    $text = one_line($text);
    if ($answered++) {
        md_syslog('err', "Second answer to one command dropped: $text");
        return;
    }
    _write($answers, "$text\n");
    return;
}

sub _write ($fh, $text) {
    while (length $text) {
        my $n = syswrite $fh, $text;
        next     if !defined $n && $!{EINTR};
        return 0 if !$n;
        substr $text, 0, $n, '';
    }
    return 1;
}

sub init_status_tag (@) {
    return if !$DoStatusTags;
    $DoStatusTags = open($status, '>&=', 3) ? 1 : 0;
    return;
}

sub set_status_tag ($depth, $tag = '', @) {
    return if !$DoStatusTags || !$status;
    my $line = '';
    if (length $tag) {
        $tag =~ s/[^[:graph:]]/ /g;
        $line = "$depth: $tag";
        $line .= " $MsgID" if ($MsgID // '') !~ /^(?:NOQUEUE)?\z/;
    }
    $DoStatusTags = _write($status, percent_encode($line) . "\n");
    return;
}

sub push_status_tag ($tag, @) {
    return if !$DoStatusTags;
    push @StatusTags, $tag;
    set_status_tag(scalar @StatusTags, "> $tag");
    return;
}

sub pop_status_tag (@) {
    return if !$DoStatusTags;
    pop @StatusTags;
    set_status_tag(scalar @StatusTags, '< ' . ($StatusTags[-1] // 'no_tag'));
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Channel - the pipes between multiplexor and worker

=head1 FUNCTIONS FOR FILTERS

=head2 print_and_flush(TEXT)

The answer to the current command; for a C<handle_NAME> of the filter's own.
Outside of the server loop: TEXT to standard output.

=head2 push_status_tag(TAG), pop_status_tag()

Tell the multiplexor what the worker is doing now, and that it has done it.

=head2 set_status_tag(DEPTH, TAG), init_status_tag()

What these two are made of; opening descriptor 3.

=head1 FUNCTIONS FOR THE BRIDGE

=head2 open_channel()

Moves the protocol to private descriptors. Dies if there are none left.

=head2 read_command(), command_waits()

The next command line without its end, undef when there are no more; whether
one can be read at once.

=head2 expect_answer(), answered()

Start of a command; whether it has been answered.

=cut
