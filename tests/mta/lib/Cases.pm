# SPDX-License-Identifier: MIT
package Cases;

# The words in which the table of cases is written, the filter made of all
# cases, and what runs one.  Nothing here knows which MTA it is.
#
# A case is a hash:
#   name       unique; words
#   via        list of set-ups that it is run with (default: built-in)
#   filter     { callback => Perl text }: relay helo sender recipient begin
#              filter multipart end wrapup; the text is a function's body
#   client     list of steps (made by the functions below)
#   peers_differ  { set-up or program of the peer => reason }: not run there
#   parallel   so many clients do the steps side by side
#   delivered  list of what the sink gets: { from, to => [...], message =>
#              exact text with LF line ends without the MTA's Received field,
#              received_at => fields above that one (default 0),
#              like / unlike => [regex, ...] instead of message }
# Where MTAs differ, by_mta(postfix => X, sendmail => Y) stands for any value.
# HERE in any text stands for a domain that belongs to this run of the case.
#
# Each run has a client address of its own, by which the filter knows it, and
# the domain, by which the sink's messages are found.

use v5.36;
use Exporter     qw(import);
use MIME::Base64 qw(encode_base64);
use SmtpClient   ();
use Specimens    qw($plain);

our @EXPORT_OK
    = qw(auth start_tls by_mta changed content expect greeting hang_up hello
    mail_from octets smtp bye filter_text runs run_dialogue differences);

=head1 STEPS

A step is [what, argument, expected reply].  An expected reply of three digits
is compared with the code only, any other with the whole text.

=head2 greeting($reply), smtp($line, $reply), content($text, $reply)

Connect; a command; the message with the final dot.

=head2 octets($bytes), expect($reply), hang_up()

Bytes as they are, for which no reply is awaited; the next reply; the client
goes away.

=head2 start_tls(), auth($user, $password, $reply)

STARTTLS and EHLO again; AUTH PLAIN.

=head2 hello(), mail_from(%o), bye()

The common parts: greeting and EHLO; MAIL, RCPT, DATA and message, with
C<from>, C<to> (list), C<message> and C<answers> { mail, rcpt, data, content }
where they are not 250 - the steps end where the server refuses; QUIT.

=head2 changed($name, $perl, %delivered)

A case: the plain message gets through, changed by this text of filter_end.

=cut

sub by_mta   (%differs)      { return bless {%differs}, 'ByMta' }
sub greeting ($reply)        { return [ 'connect', '', $reply ] }
sub smtp     ($line, $reply) { return [ 'smtp',    $line, $reply ] }
sub content  ($text, $reply) { return [ 'content', $text, $reply ] }
sub octets   ($bytes)        { return [ 'octets',  $bytes ] }
sub expect   ($reply)        { return [ 'nothing', '', $reply ] }

sub start_tls {
    return (
        smtp('STARTTLS', '220'),
        [ 'tls', '' ],
        smtp('EHLO client.example', '250')
    );
}

sub auth ($user, $password, $reply) {
    my $initial = encode_base64("\0$user\0$password", '');
    return smtp("AUTH PLAIN $initial", $reply);
}
sub hang_up { return [ 'hang up', '' ] }
sub bye     { return smtp('QUIT', '221') }

sub hello { return (greeting('220'), smtp('EHLO client.example', '250')) }

sub mail_from (%o) {
    my %answer = (
        mail    => '250',
        rcpt    => '250',
        data    => '354',
        content => '250',
        %{ $o{answers} // {} }
    );
    my @steps
        = smtp('MAIL FROM:<' . ($o{from} // 'from@HERE') . '>', $answer{mail});
    return @steps if !goes_on($answer{mail}, 2);
    push @steps,
        map { smtp("RCPT TO:<$_>", $answer{rcpt}) } @{ $o{to} // ['to@HERE'] };
    return @steps                                if !goes_on($answer{rcpt}, 2);
    return (@steps, smtp('DATA', $answer{data})) if !goes_on($answer{data}, 3);
    return (@steps, smtp('DATA', '354'),
        content($o{message}, $answer{content}));
}

sub changed ($name, $perl, %delivered) {
    return {
        name      => $name,
        filter    => { end => $perl },
        client    => [ hello(), mail_from(message => $plain), bye() ],
        delivered =>
            [ { from => '<from@HERE>', to => ['<to@HERE>'], %delivered } ],
    };
}

# MTAs differ in the text of a reply, not in whether they refuse.
sub goes_on ($reply, $digit) {
    ($reply) = values %$reply if ref $reply;
    return $reply =~ /\A$digit/;
}

=head1 RUNNING

=head2 runs($cases, $mta)

Each case with each of its set-ups: copies of the case with C<set_up>,
C<client_ip> and C<domain>, all HERE replaced, and what is said of this MTA
('postfix', 'sendmail') where they differ.

=cut

sub runs ($cases, $mta) {
    my @runs;
    for my $case (@$cases) {
        for my $set_up (@{ $case->{via} // ['built-in'] }) {
            my $n      = 1 + @runs;
            my $domain = sprintf 'case%03d.example', $n;
            push @runs,
                {
                %{ for_run($case, $mta, $domain) },
                set_up    => $set_up,
                domain    => $domain,
                client_ip => sprintf('127.9.%d.%d', $n >> 7, 1 + ($n & 127)),
                };
        }
    }
    return @runs;
}

sub for_run ($x, $mta, $domain) {
    return for_run($x->{$mta}, $mta, $domain) if ref $x eq 'ByMta';
    return { map { $_ => for_run($x->{$_}, $mta, $domain) } keys %$x }
        if ref $x eq 'HASH';
    return [ map { for_run($_, $mta, $domain) } @$x ] if ref $x eq 'ARRAY';
    return qr/${\ ("$x" =~ s{HERE}{$domain}gr)}/      if ref $x eq 'Regexp';
    return $x                                         if !defined $x;
    return $x =~ s/HERE/$domain/gr;
}

=head2 filter_text(@runs)

A filter file that does for each run what its case says.

=cut

sub filter_text (@runs) {
    my $text = "use strict;\nuse warnings;\nour (\$RelayAddr, \%does);\n";
    for my $run (@runs) {
        my $filter = $run->{filter} or next;
        $text .= "# $run->{name}\n";
        $text .= "\$does{'$run->{client_ip}'}{$_} = sub {\n$filter->{$_}\n};\n"
            for sort keys %$filter;
    }
    return $text . <<'END';
sub answer {
    my ($callback, @args) = @_;
    my $code = $does{$RelayAddr}{$callback};
    return $code ? $code->(@args) : ('CONTINUE', 'ok');
}
sub filter_relay     { return answer('relay', @_) }
sub filter_helo      { return answer('helo', @_) }
sub filter_sender    { return answer('sender', @_) }
sub filter_recipient { return answer('recipient', @_) }
sub filter_begin     { return answer('begin', @_) }
sub filter           { return answer('filter', @_) }
sub filter_multipart { return answer('multipart', @_) }
sub filter_end       { return answer('end', @_) }
sub filter_wrapup    { return answer('wrapup', @_) }
1;
END
}

=head2 run_dialogue($run, $port)

Plays the steps, with all clients side by side.  Returns a list of lines, one
for each reply that is not as expected; empty if all were.  A client stops at
its first difference.

=cut

sub run_dialogue ($run, $port) {
    my %client;
    my @wrong;
    my @alive = (1 .. $run->{parallel} // 1);
    for my $step (@{ $run->{client} }) {
        my ($what, $text, $want) = @$step;
        for my $n (@alive) {
            $client{$n} //= SmtpClient->new($port, $run->{client_ip});
            my $mine = $text =~ s/CLIENT/$n/gr;
            $client{$n}->send_line($mine)    if $what eq 'smtp';
            $client{$n}->send_message($mine) if $what eq 'content';
            $client{$n}->put($mine)          if $what eq 'octets';
            $client{$n}->start_tls           if $what eq 'tls';
            delete $client{$n}               if $what eq 'hang up';
        }
        next if !defined $want;
        my %got = map  { $_ => $client{$_}->reply } @alive;
        my @bad = grep { !is_wanted($got{$_}, $want) } @alive;
        push @wrong, map {"$what $text: got '$got{$_}', want '$want'"} @bad;
        @alive = grep { is_wanted($got{$_}, $want) } @alive;
    }
    return map { substr $_, 0, 1000 } @wrong;
}

sub is_wanted ($got, $want) {
    return $want =~ /\A\d{3}\z/ ? $got =~ /\A$want[ -]/ : $got eq $want;
}

=head2 differences($run, @messages)

Compares what the sink got for this run with what the case says.  Returns lines
that say what is wrong; empty if nothing is.

=cut

sub differences ($run, @messages) {
    my @want = sort { ($a->{from} // '') cmp($b->{from} // '') }
        @{ $run->{delivered} // [] };
    my $in_domain = quotemeta $run->{domain};
    my @got       = sort { $a->{from} cmp $b->{from} }
        grep { "$_->{from} @{ $_->{to} }" =~ /\@$in_domain>/ } @messages;
    return 'delivered: got ' . @got . ', want ' . @want . ' messages'
        if @got != @want;
    return map { compare($got[$_], $want[$_]) } 0 .. $#want;
}

sub compare ($got, $want) {
    my @wrong;
    my $from = $want->{from};
    push @wrong, "sender: got $got->{from}, want $from"
        if defined $from && $got->{from} ne $from;
    if ($want->{to}) {
        my ($is, $should) = map { join ' ', sort @$_ } $got->{to}, $want->{to};
        push @wrong, "recipients: got $is, want $should" if $is ne $should;
    }
    my ($text, $at) = without_received($got->{bytes});
    push @wrong, 'a line end that is not CRLF'
        if $got->{bytes} =~ /(?<!\r)\n|\r(?!\n)/;
    push @wrong,
        "Received field: got place $at, want " . ($want->{received_at} // 0)
        if $at ne ($want->{received_at} // 0);
    push @wrong, first_difference($text, $want->{message})
        if defined $want->{message};
    push @wrong, map {"message is not like $_:\n$text"}
        grep { $text !~ $_ } @{ $want->{like} // [] };
    push @wrong, map {"message is like $_:\n$text"}
        grep { $text =~ $_ } @{ $want->{unlike} // [] };
    return @wrong;
}

# The message with LF line ends and without the field that the MTA added, and
# the number of fields above it.
sub without_received ($bytes) {
    my $text   = $bytes =~ s/\r\n/\n/gr;
    my ($head) = $text  =~ /\A(.*?\n)(?=\n)/s or return ($text, 'none');
    my @fields = $head  =~ /^(\S[^\n]*\n(?:[ \t][^\n]*\n)*)/mg;
    for my $i (0 .. $#fields) {
        next
            if $fields[$i]
            !~ /\AReceived: from client\.example .*by mx\.example/s;
        splice @fields, $i, 1;
        return (join('', @fields) . substr($text, length $head), $i);
    }
    return ($text, 'none');
}

sub first_difference ($got, $want) {
    return () if $got eq $want;
    ($got ^. $want) =~ /\A\0*/;
    my $at = $+[0];
    my ($is, $should) = map { substr $_, $at > 30 ? $at - 30 : 0, 200 } $got,
        $want;
    return
          "message: differs at octet $at, length got "
        . length($got)
        . ', want '
        . length($want)
        . "\n got: $is\n want: $should";
}

1;
