# SPDX-License-Identifier: MIT
package Cases;

# The words in which the table of cases is written.  Runs makes runs and a filter
# of them, Dialogue plays one.  None of them knows which MTA it is.
#
# A case is a hash:
#   name       unique; words
#   via        list of set-ups (see CaseSetUps) that it is run with (default: the
#              built-in multiplexor, with all versions of the protocol)
#   part       true: one of those that `make check` runs
#   differs    a sentence that says how MTAs differ, and why, where they do
#   filter     { callback => Perl text }: relay helo sender recipient begin
#              filter multipart end wrapup; the text is a function's body
#   client     list of steps (made by the functions below)
#   peers_differ  { set-up or program of the peer => reason }: not run there
#   parallel   so many clients do the steps side by side
#   delivered  list of what the sink gets: { from, to => [...], message =>
#              exact text with LF line ends without the MTA's Received field,
#              received_at => fields above that one (default 0),
#              like / unlike => [regex, ...] instead of message }
# Where MTAs differ, by_mta(postfix => X, sendmail => Y) stands for any value; a
# set-up like "protocol 2" may have one of its own.
# HERE in any text stands for a domain that belongs to this run of the case.
#
# Each run has a client address of its own, by which the filter knows it, and
# the domain, by which the sink's messages are found (and the filter knows mail
# that was not sent by one of our clients).

use v5.36;
use Exporter     qw(import);
use MIME::Base64 qw(encode_base64);
use Specimens    qw($plain);

our @EXPORT_OK = qw(afar auth start_tls by_mta changed content expect greeting
    hang_up held hello mail_from near octets quarantined release smtp submit
    bye);

=head1 STEPS

A step is [what, argument, expected reply].  An expected reply of three digits
is compared with the code only, any other with the whole text.

=head2 greeting($reply), smtp($line, $reply), content($text, $reply)

Connect; a command; the message with the final dot.

=head2 octets($bytes), expect($reply), hang_up()

Bytes as they are, for which no reply is awaited; the next reply; the client
goes away.

=head2 start_tls(['certificate']), auth($user, $password, $reply)

STARTTLS, with a certificate of the client, and EHLO again; AUTH PLAIN.

=head2 afar(@steps), near(@steps)

The same by another client, whose address is not on this host, or is.

=head2 held(), release()

Waits until the filter of this run is in its function hold(); lets it go on.

=head2 submit($text, $status)

Hands the message to the MTA's program sendmail, with the sender from@HERE and
the recipient to@HERE; the exit status that is expected.

=head2 quarantined($reason)

The MTA keeps this run's message, and why.

=head2 hello(), mail_from(%o), bye()

The common parts: greeting and EHLO; MAIL, RCPT, DATA and message, with
C<from>, C<to> (list), C<message> and C<answers> { mail, rcpt, data, content }
where they are not 250 - the steps end where the server refuses; QUIT.

=head2 changed($name, $perl, %delivered)

A case: the plain message gets through, changed by this text of filter_end;
C<differs> and C<part> are those of the case.

=cut

sub by_mta   (%differs)      { return bless {%differs}, 'ByMta' }
sub greeting ($reply)        { return [ 'connect', '', $reply ] }
sub smtp     ($line, $reply) { return [ 'smtp',    $line, $reply ] }
sub content  ($text, $reply) { return [ 'content', $text, $reply ] }
sub octets   ($bytes)        { return [ 'octets',  $bytes ] }
sub expect   ($reply)        { return [ 'nothing', '', $reply ] }

sub start_tls ($with = '') {
    return (
        smtp('STARTTLS', '220'),
        [ 'tls', $with ],
        smtp('EHLO client.example', '250')
    );
}

sub auth ($user, $password, $reply) {
    my $initial = encode_base64("\0$user\0$password", '');
    return smtp("AUTH PLAIN $initial", $reply);
}

sub afar (@steps) {
    return map { [ @$_[ 0 .. 2 ], 'afar' ] } @steps;
}

sub near (@steps) {
    return map { [ @$_[ 0 .. 2 ], 'near' ] } @steps;
}
sub submit ($text, $status) { return [ 'submit',      $text, $status ] }
sub held                    { return [ 'held',        '' ] }
sub release                 { return [ 'release',     '' ] }
sub quarantined ($reason)   { return [ 'quarantined', $reason ] }
sub hang_up                 { return [ 'hang up',     '' ] }
sub bye                     { return smtp('QUIT', '221') }

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
    my %case = map { $_ => delete $delivered{$_} }
        grep { exists $delivered{$_} } qw(differs part);
    return {
        %case,
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

1;
