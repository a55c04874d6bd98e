# SPDX-License-Identifier: MIT
#
# A message from a file and what the MTA would have said about it: the options,
# else what the header tells, else a local client.  Writes the working directory
# as the front-end does.  Asks no name server.  Dies if a file cannot be written.

package Mail::MIMEDefang::TestMail::Envelope;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(percent_encode);

our @EXPORT_OK = qw(read_message make_envelope write_message begin_commands
    add_recipient end_commands put);

use constant QID => 'TEST0001';

# Header fields as [NAME, VALUE with folding], and the body; LF only.
sub read_message ($text) {
    $text =~ s/\r\n/\n/g;
    $text =~ s/\AFrom [^\n]*\n//;    # of a mailbox
    my ($head, $body) = ($text, '');
    if ($text =~ /^\n/m) {
        ($head, $body) = (substr($text, 0, $-[0]), substr $text, $+[0]);
    }
    my (@fields, @strange);
    for my $field (split /\n(?![ \t])/, $head) {
        my ($name, $value) = $field =~ /^([^\s:]+)[ \t]*:[ \t]?(.*)\z/s
            or next;
        push @strange, '!' if $value =~ s/\r/ /g || $value =~ /\0/;
        next
            if lc $name eq 'content-type'
            && grep { lc $_->[0] eq 'content-type' } @fields;
        push @fields, [ $name, $value ];
    }
    push @strange, '?' if $body =~ /[\r\0]/;
    return { fields => \@fields, body => $body, strange => \@strange };
}

# The value of the first field of that name, unfolded.
sub _field ($message, $name) {
    for my $field (@{ $message->{fields} }) {
        next if lc $field->[0] ne $name;
        return $field->[1] =~ s/\n\s*/ /gr;
    }
    return '';
}

sub _address ($text) {
    return
          $text =~ /<([^<>\s]*)>/                     ? "<$1>"
        : $text =~ /([^\s<>,;:"()]+\@[^\s<>,;:"()]+)/ ? "<$1>"
        :                                               undef;
}

sub _bracketed ($address) {
    return $address =~ /^<.*>\z/ ? $address : "<$address>";
}

# OPTION: from, to (list), relay_ip, relay_host, helo, macro (hash).
sub make_envelope ($message, $option) {
    my $received = _field($message, 'received');
    my $results  = _field($message, 'authentication-results');
    my %macro    = (_macros($received), %{ $option->{macro} // {} });
    my ($helo)   = $received =~ /^from\s+(\S+)/;
    my ($name)
        = $received =~ /^from\s+\S+\s+\((?:HELO\s+\S+\s+)?([\w.-]+\w)\s+\[/;
    my ($ip)    = $received =~ /^from\s[^;]*?\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]/;
    my ($given) = _field($message, 'x-relay-addr') =~ /([0-9A-Fa-f.:]{3,})/;
    my ($tested)
        = $results =~ /\b(?:smtp\.client-ip|policy\.iprev)=([0-9A-Fa-f.:]+)/;
    my ($mailed) = $results =~ /\bsmtp\.mailfrom=([^\s;]+)/;

    my $relay_ip = $option->{relay_ip} // $given // $tested // $ip
        // '127.0.0.1';
    my $host = $option->{relay_host} // $name
        // ($relay_ip eq '127.0.0.1' ? 'localhost' : "[$relay_ip]");
    my @to = @{ $option->{to} // [] };
    push @to, _address(_field($message, 'to')) // '<postmaster@localhost>'
        if !@to;
    my ($sender) = grep {defined} $option->{from},
        (defined $mailed && $mailed =~ /@/ ? $mailed : undef),
        (map { _address(_field($message, $_)) } qw(return-path sender from)),
        '<>';
    $macro{_} //= "$host [$relay_ip]";
    return {
        qid        => QID,
        relay_ip   => $relay_ip,
        relay_host => $host,
        helo       => $option->{helo} // $helo // $host,
        from       => _bracketed($sender),
        to         => [ map { _bracketed($_) } @to ],
        macro      => \%macro,
    };
}

# What Postfix and Sendmail write about TLS and authentication.
sub _macros ($received) {
    my %macro;
    @macro{qw(tls_version cipher)} = ($1, $2)
        if $received =~ /using (TLS\S+) with cipher ([\w-]+)/
        || $received =~ /\(version=(TLS\S+) cipher=([\w-]+)/;
    $macro{cipher_bits} = $1
        if defined $macro{cipher}
        && $received =~ /(?|\((\d+)\/\d+ bits\)|bits=(\d+))/;
    $macro{auth_authen} = $1
        if $received =~ /\(Authenticated sender: ([^()\s]+)\)/;
    return map { $_ => $macro{$_} } grep { defined $macro{$_} } keys %macro;
}

# ---- files -----------------------------------------------------------------

sub put ($path, $text, $mode = '>') {
    open my $fh, "$mode:raw", $path or die "$path: $!\n";
    print {$fh} $text or die "$path: $!\n";
    close $fh         or die "$path: $!\n";
    return $path;
}

# spec:spool-inputmsg spec:spool-headers
sub write_message ($dir, $message) {
    my $head = join '', map {"$_->[0]: $_->[1]\n"} @{ $message->{fields} };
    put("$dir/INPUTMSG", "$head\n$message->{body}");
    put("$dir/HEADERS",  $head =~ s/\n(?=[ \t])//gr);
    return;
}

sub _line ($letter, @arguments) {
    return $letter . join(' ', map { percent_encode($_) } @arguments) . "\n";
}

# spec:spool-commands  What is known at MAIL.
sub begin_commands ($dir, $envelope) {
    my $macro = $envelope->{macro};
    put(
        "$dir/COMMANDS",
        join '',
        _line('i', 'TEST001'),
        _line('S', $envelope->{from}),
        (map { _line('=', $_, $macro->{$_}) } sort keys %{$macro}),
        _line('Q', $envelope->{qid}),
        _line('H', $envelope->{relay_host}),
        _line('I', $envelope->{relay_ip}),
        _line('E', $envelope->{helo})
    );
    return;
}

sub add_recipient ($dir, $address) {
    put("$dir/COMMANDS", _line('R', $address, '?', '?', '?'), '>>');
    return;
}

sub end_commands ($dir, $message) {
    my $text = join '', map {"$_\n"} @{ $message->{strange} };
    for my $field (@{ $message->{fields} }) {
        my $letter
            = { subject => 'U', 'message-id' => 'X' }->{ lc $field->[0] };
        $text .= _line($letter, $field->[1] =~ s/\n//gr) if $letter;
    }
    put("$dir/COMMANDS", "${text}F\n", '>>');
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::TestMail::Envelope - a message and its envelope

=head1 FUNCTIONS

=head2 read_message(TEXT)

A hash: C<fields>, a list of [NAME, VALUE]; C<body>; C<strange>, the lines of
F<COMMANDS> that say which part has suspicious octets.

=head2 make_envelope(MESSAGE, \%OPTIONS)

A hash: C<qid relay_ip relay_host helo from to macro>.

=head2 write_message(DIR, MESSAGE), begin_commands(DIR, ENVELOPE), add_recipient(DIR, ADDRESS), end_commands(DIR, MESSAGE)

Write F<INPUTMSG> and F<HEADERS>; F<COMMANDS>, in the steps in which it grows.

=head2 put(PATH, TEXT [, MODE])

=cut
