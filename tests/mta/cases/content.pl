#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Messages of odd form and size, and what the filter can read of them.
use v5.36;
use Cases     qw(by_mta expect octets smtp content hello mail_from bye);
use Specimens qw($plain $head $body);

my %mark = (end => q{action_add_header('X-Seen', 'yes');});

# A message that comes through as it is, but for the mark of the filter.
sub whole ($name, $text, @more) {
    my ($fields, $rest) = $text =~ /\A(.*?\n)(\n.*)\z/s;
    return {
        name => $name,
        @more,
        filter    => {%mark},
        client    => [ hello(), mail_from(message => $text), bye() ],
        delivered => [ { message => $fields . "X-Seen: yes\n" . $rest } ],
    };
}

sub of_size ($lines) {
    return $head . "\n" . ('0123456789abcdef' x 4 . "\n") x $lines;
}

sub chunk ($bytes, $last = '') {
    return octets('BDAT ' . length($bytes) . "$last\r\n$bytes");
}

my $eight_bit = "$head\nGr\303\274\303\237e \200\377\n";
my $binary    = $plain =~ s/\n/\r\n/gr;

[
    whole('8 bit in the body',   $eight_bit),
    whole('8 bit in the header', $plain =~ s/a plain/Gr\303\274\303\237e/r),
    whole('2 MB',                of_size(32_000)),
    whole('30 MB',               of_size(480_000), via => ['built-in']),
    whole(
        '500 header fields',
        join('', map {"X-$_: value $_\n"} 1 .. 500) . $plain
    ),
    whole(
        'a header field of 30 lines',
        'X-Long: ' . join("\n\t", ('a' x 60) x 30) . "\n$plain"
    ),
    whole('lines of dots',          "$head\n.\n..\n...\n.x\n\n.\n"),
    whole('empty lines at the end', "$head\nx\n\n\n\n"),
    {
        name    => 'a line of 5,000 letters',
        differs => 'Postfix shows the filter a long line as it is, Sendmail may'
            . ' break it up.',
        filter => {
            end => q{my $io = $_[0]->parts(0)->open('r');
            action_add_header('X-Longest', length $io->getline);}
        },
        client => [
            hello(), mail_from(message => "$head\n" . 'x' x 5000 . "\n"),
            bye()
        ],
        delivered => [
            {
                like => [
                    by_mta(
                        postfix  => qr/^X-Longest: 5001\n/m,
                        sendmail => qr/^X-Longest: \d+\n/m
                    )
                ]
            }
        ],
    },
    {
        name    => 'nothing but the final dot',
        differs => 'Postfix delivers it without the empty line that ends the'
            . ' header.',
        filter => {%mark},
        client => [
            hello(),
            smtp('MAIL FROM:<from@HERE>', '250'),
            smtp('RCPT TO:<to@HERE>',     '250'),
            smtp('DATA',                  '354'),
            smtp('.',                     '250'), bye()
        ],
        delivered => [
            {
                like        => [qr/^X-Seen: yes\n/m],
                received_at => by_mta(postfix => 'none', sendmail => 0)
            }
        ],
    },
    {
        name    => 'bare CR in the body',
        differs => 'Sendmail 8.17 refuses it and ends the connection.',
        filter  => {%mark},
        client  => [
            hello(),
            smtp('MAIL FROM:<from@HERE>', '250'),
            smtp('RCPT TO:<to@HERE>',     '250'),
            smtp('DATA',                  '354'),
            octets("Subject: x\r\n\r\na\rb\r\n.\r\n"),
            expect(by_mta(postfix => '250', sendmail => '421')),
        ],
        delivered => by_mta(
            postfix  => [ { like => [qr/^X-Seen: yes\n/m] } ],
            sendmail => []
        ),
    },
    {
        name    => 'the whole message in a chunk',
        differs => 'Sendmail 8.17 has no CHUNKING.',
        filter  => {%mark},
        client  => by_mta(
            postfix => [
                hello(),
                smtp('MAIL FROM:<from@HERE>', '250'),
                smtp('RCPT TO:<to@HERE>',     '250'),
                octets(
                          'BDAT '
                        . length($binary =~ s/HERE/case000.example/gr)
                        . " LAST\r\n$binary"
                ),
                expect('250'),
                bye()
            ],
            sendmail => [ hello(), smtp('BDAT 10 LAST', '500'), bye() ]
        ),
        delivered => by_mta(
            postfix  => [ { message => $head . "X-Seen: yes\n" . $body } ],
            sendmail => []
        ),
    },
    {
        name    => 'a message in three chunks, cut within a line end',
        differs => 'Sendmail 8.17 has no CHUNKING.',
        filter  => {%mark},
        client  => by_mta(
            postfix => [
                hello(),
                smtp('MAIL FROM:<from@HERE>', '250'),
                smtp('RCPT TO:<to@HERE>',     '250'),
                chunk("Subject: x\r\n\r\none\r\n.\r"),
                expect('250'),
                chunk("\n."),
                expect('250'),
                chunk("\r\nx\r\n", ' LAST'),
                expect('250'),
                bye()
            ],
            sendmail => [ hello(), smtp('BDAT 10 LAST', '500'), bye() ]
        ),
        delivered => by_mta(
            postfix =>
                [ { message => "Subject: x\nX-Seen: yes\n\none\n.\n.\nx\n" } ],
            sendmail => []
        ),
    },
    {
        name    => 'an address in UTF-8',
        differs => "Debian's Sendmail 8.17 has no SMTPUTF8.",
        filter  => {
            end => q{action_add_header('X-To', join ' ', @main::Recipients);}
        },
        client => by_mta(
            postfix => [
                hello(),
                smtp('MAIL FROM:<from@HERE> SMTPUTF8', '250'),
                smtp("RCPT TO:<gr\303\274n\@HERE>",    '250'),
                smtp('DATA',                           '354'),
                content($plain, '250'),
                bye()
            ],
            sendmail => [
                hello(), smtp('MAIL FROM:<from@HERE> SMTPUTF8', '555'),
                bye()
            ]
        ),
        delivered => by_mta(
            postfix => [
                {
                    to      => ["<gr\303\274n\@HERE>"],
                    message => $head . "X-To: <gr\303\274n\@HERE>\n" . $body
                }
            ],
            sendmail => []
        ),
    },
]
