# SPDX-License-Identifier: MIT
package Traffic;

# Mixed mail for a while: clients that send numbered messages of all kinds, a
# filter that does with each what the sender's address says, and notes of both
# ends, in which Ledger finds what went wrong.
#
# A message's sender is <KIND.NUMBER@traffic.example>.  The filter adds a field
# that says which body it has read: X-Seen: NUMBER SUM.  Notes are lines of
# words separated by tabs:
#   a client's   NUMBER KIND SUM CORE STAGE REPLY
#   the sink's   NUMBER KIND SUM CORE FROM TO...
# SUM is that of the body as sent, or as the filter has read it; CORE the one of
# what this kind of message still has after the filter.

use v5.36;
use Digest::MD5  qw(md5_hex);
use Exporter     qw(import);
use Harness      qw(start_process);
use MIME::Base64 qw(encode_base64);
use SmtpClient   ();
use Time::HiRes  ();

our @EXPORT_OK = qw(kind_of filter_text note start_client);

# What there is: how often (weight), what becomes of it (see kind_of).
my %kind = (
    plain     => { weight => 30,  arrives => 1 },
    multipart => { weight => 15,  arrives => 1 },
    large     => { weight => 3,   arrives => 1 },
    huge      => { weight => 0.3, arrives => 1 },
    append    => { weight => 8,   arrives => 1 },
    drop      => { weight => 8,   arrives => 1 },
    recipient => { weight => 5,   arrives => 1, more => 1 },
    sender    => { weight => 5,   arrives => 1, from => 'bounces' },
    bad       => { weight => 5,   arrives => 1 },
    discard   => { weight => 3 },
    refuse    => { weight => 5, reply => '550 5.7.9 ' },
    later     => { weight => 3, reply => '450 4.2.9 ' },
    notyou    => { weight => 4, reply => '553 5.1.8 ', stage => 'mail' },
    younot    => { weight => 3, reply => '452 4.2.2 ', stage => 'mail' },
    vanish    => { weight => 3, reply => '',           stage => 'gone' },
);

=head1 FUNCTIONS

=head2 kind_of($name)

What becomes of such a message if nothing goes wrong: { stage, reply: where the
dialogue ends and the beginning of that reply; arrives; from: local part that
the filter makes it have; more: true if it adds a recipient }.

=head2 filter_text()

The filter.

=cut

sub kind_of ($name) {
    return { stage => 'content', reply => '250 ', %{ $kind{$name} } };
}

sub filter_text {
    return <<'END';
use strict;
use warnings;
use Digest::MD5;
our $Sender;

sub told { return "@_" =~ /\A<?([a-z]+)\.([\w-]+)\@traffic/ ? ($1, $2) : ('') }

sub filter_sender {
    my ($kind) = told($_[0]);
    return ('REJECT', 'not you', '553', '5.1.8')          if $kind eq 'notyou';
    return ('TEMPFAIL', 'not you, yet', '452', '4.2.2')   if $kind eq 'younot';
    return ('CONTINUE', 'ok');
}

sub filter_recipient {
    return ('REJECT', 'not here', '550', '5.1.1') if $_[0] =~ /<bad@/;
    return ('CONTINUE', 'ok');
}

sub filter_begin {
    my ($kind) = told($Sender);
    action_bounce('not this', '550', '5.7.9')           if $kind eq 'refuse';
    action_tempfail('not this, yet', '450', '4.2.9')    if $kind eq 'later';
    action_discard()                                    if $kind eq 'discard';
    return;
}

sub filter {
    my ($kind) = told($Sender);
    return action_drop() if $kind eq 'drop' && $_[3] eq 'text/html';
    return action_accept();
}

sub filter_end {
    my ($entity) = @_;
    my ($kind, $number) = told($Sender);
    open my $in, '<:raw', 'INPUTMSG' or die "INPUTMSG: $!";
    while (defined(my $line = readline $in)) { last if $line eq "\n" }
    my $sum = Digest::MD5->new->addfile($in)->hexdigest;
    action_add_header('X-Seen', "$number $sum");
    add_recipient('<more@traffic.example>')         if $kind eq 'recipient';
    change_sender("<bounces.$number\@traffic.example>") if $kind eq 'sender';
    append_text_boilerplate($entity, 'The fine print.', 0)
        if $kind eq 'append';
    return;
}
1;
END
}

=head2 note($message)

The sink's line about a message.

=cut

sub note ($message) {
    my ($head, $body)
        = $message->{bytes} =~ s/\r\n/\n/gr =~ /\A(.*?\n)\n(.*)\z/s;
    my ($number, $kind) = $head =~ /^X-Number: (\S+) (\S+)$/m;
    my ($seen,   $sum)  = $head =~ /^X-Seen: (\S+) (\S+)$/m;
    $sum = 'unseen' if ($seen // '') ne $number;
    return join "\t", $number, $kind, $sum, core($kind, $body),
        $message->{from}, @{ $message->{to} };
}

sub core ($kind, $body) {
    $body =~ s/\n+The fine print\.\n+\z/\n/ if $kind eq 'append';
    $body = join '', $body =~ /^(?:keep|go) .*\n/mg if $kind eq 'drop';
    return md5_hex($body);
}

=head2 start_client(%o)

A process that sends until C<until> (a function) returns true: to C<port> from
the address C<ip>, messages numbered NAME-1, NAME-2... with C<name>, chance from
C<seed>, resting up to C<pause> seconds between connections; its lines go to the
file C<notes>.

=cut

sub start_client (%o) {
    return start_process(
        code   => sub { send_all(%o) },
        stderr => "$o{notes}.err"
    );
}

sub send_all (%o) {
    srand $o{seed};
    open my $notes, '>>:raw', $o{notes} or die "$o{notes}: $!\n";
    $notes->autoflush(1);
    my @lines = map { random_line() } 1 .. 200;
    my $n     = 0;
    until ($o{until}->()) {
        my $client   = SmtpClient->new($o{port}, $o{ip});
        my $greeting = $client->reply;
        my $goes_on  = $greeting =~ /\A220/;
        $client->send_line('EHLO client.example') if $goes_on;
        my $refused = $goes_on ? $client->reply : $greeting;
        for (1 .. 1 + int rand 5) {
            my $message = message("$o{name}-" . ++$n, \@lines);
            my ($stage, $reply)
                = $refused =~ /\A2/
                ? send_one($client, $message)
                : ('connect', $refused);
            say {$notes} join "\t", @$message{qw(number kind sum core)},
                $stage, $reply =~ tr/\n\t/  /r;
            $goes_on &&= $stage ne 'gone' && $reply =~ /\A(?!421)\d/;
            last if !$goes_on;
        }
        $client->send_line('QUIT') if $goes_on;
        Time::HiRes::sleep(rand $o{pause});
    }
    return;
}

# Where the dialogue about a message ended, and the last reply.
sub send_one ($client, $message) {
    my $ask = sub ($line) {
        $client->send_line($line);
        return $client->reply;
    };
    my ($number, $kind) = @$message{qw(number kind)};
    my $reply = $ask->("MAIL FROM:<$kind.$number\@traffic.example>");
    return ('mail', $reply) if $reply !~ /\A2/;
    for my $to ($kind eq 'bad' ? 'bad' : (), 'to') {
        $reply = $ask->("RCPT TO:<$to\@traffic.example>");
        next if $reply =~ ($to eq 'bad' ? qr/\A[45]/ : qr/\A2/);
        $ask->('RSET');
        return ("rcpt $to", $reply);
    }
    $reply = $ask->('DATA');
    return ('data', $reply) if $reply !~ /\A3/;
    if ($kind eq 'vanish') {
        $client->put(substr $message->{text}, 0, rand length $message->{text});
        return ('gone', '');
    }
    $client->send_message($message->{text});
    return ('content', $client->reply);
}

sub random_line {
    return
        join('', map { chr(33 + rand 94) } 1 .. 10 + rand 60)
        . (rand() < 0.1 ? "\303\274" : '') . "\n";
}

# A message: { number, kind, text, sum, core }.
sub message ($number, $lines) {
    my $kind = random_kind();
    my ($fields, $body)
        = $kind eq 'multipart' ? multipart($lines)
        : $kind eq 'drop'      ? alternative($lines)
        :                        ('', text($lines, lines_of($kind)));
    my $core = $kind eq 'drop' ? $body =~ s/^go .*\n//mgr : $body;
    return {
        number => $number,
        kind   => $kind,
        sum    => md5_hex($body),
        core   => core($kind, $core),
        text   => "From: from\@traffic.example\nTo: to\@traffic.example\n"
            . "Subject: message $number\nX-Number: $number $kind\n"
            . "Message-ID: <$number\@traffic.example>\n"
            . "Date: Wed, 25 Nov 2026 10:00:00 +0000\n$fields\n$body"
    };
}

sub random_kind {
    state $sum = eval { my $n = 0; $n += $_->{weight} for values %kind; $n };
    my $at = rand $sum;
    for my $name (sort keys %kind) {
        $at -= $kind{$name}{weight};
        return $name if $at < 0;
    }
    return 'plain';
}

sub lines_of ($kind) {
    return 25_000  if $kind eq 'large';
    return 120_000 if $kind eq 'huge';
    return 1 + int rand(rand() < 0.2 ? 1000 : 50);
}

sub text ($lines, $n, $prefix = '') {
    return join '', map { $prefix . $lines->[ rand @$lines ] } 1 .. $n;
}

my $mime = "MIME-Version: 1.0\nContent-Type: multipart/%s; boundary=\"=-b\"\n";

sub multipart ($lines) {
    my $octets = join '', map { chr int rand 256 } 1 .. 100 + rand 5000;
    return (
        sprintf($mime, 'mixed'),
        "--=-b\nContent-Type: text/plain\n\n"
            . text($lines, 20)
            . "--=-b\nContent-Type: application/octet-stream; name=\"x.bin\"\n"
            . "Content-Transfer-Encoding: base64\n\n"
            . encode_base64($octets x (1 + int rand 20))
            . "--=-b--\n"
    );
}

sub alternative ($lines) {
    return (
        sprintf($mime, 'alternative'),
        "--=-b\nContent-Type: text/plain\n\n"
            . text($lines, 1 + int rand 300, 'keep ')
            . "--=-b\nContent-Type: text/html\n\n"
            . text($lines, 1 + int rand 300, 'go ')
            . "--=-b--\n"
    );
}

1;
