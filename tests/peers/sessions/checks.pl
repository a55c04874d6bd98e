#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Sessions (see lib/Sessions.pm): what the checks answer.
use v5.36;
use Sessions qw(@checks @hello @mail @rcpt @rest @message @all);

# A check's answer at a stage, and where the MTA stops then.
my %stage = (
    relayok  => [ [ connect => {} ] ],
    helook   => [@hello],
    senderok => [ @hello, @mail, ['abort'] ],
    recipok  => [ @hello, @mail, @rcpt, ['abort'] ],
);

sub answered ($name, $answer, @stages) {
    return map {
        {
            name    => "$name to $_",
            options => \@checks,
            mux     => { $_ => $answer },
            steps   => $stage{$_},
        }
    } @stages ? @stages : sort keys %stage;
}

sub at_mail ($name, $answer) {
    return answered($name, $answer, 'senderok');
}

[
    answered('continue',             "ok 1\n"),
    answered('continue with fields', "ok 1 fine 250 2.1.0 0\n"),
    answered('reject',               "ok 0\n"),
    answered('reject with fields',   "ok 0 Go%20away 550 5.7.9 0\n"),
    answered('tempfail',             "ok -1\n"),
    answered('tempfail with fields', "ok -1 Come%20back 452 4.2.2 0\n"),
    answered('accept',               "ok 2\n"),
    answered('accept with fields',   "ok 2 fine 250 2.1.0 0\n"),
    answered('discard',              "ok 3\n"),
    answered('error',                "error: No free workers\n"),
    at_mail('text only',                 "ok -1 Per-domain%20limit\n"),
    at_mail('no text',                   "ok 0  550 5.7.9 0\n"),
    at_mail('a delay',                   "ok 0 slow 550 5.7.9 1\n"),
    at_mail('a delay that is no number', "ok 0 slow 550 5.7.9 x\n"),
    at_mail('a negative delay',          "ok 0 slow 550 5.7.9 -3\n"),
    at_mail('a delay, continue',         "ok 1 slow 250 2.1.0 1\n"),
    at_mail('a code of the other class', "ok 0 t 450 5.7.9 0\n"),
    at_mail('a code of four digits',     "ok 0 t 5500 5.7.9 0\n"),
    at_mail('no code',                   "ok 0 t abc 5.7.9 0\n"),
    at_mail('a DSN of the other class',  "ok 0 t 550 4.7.9 0\n"),
    at_mail('a DSN with a long part',    "ok 0 t 550 5.1234.1 0\n"),
    at_mail('a DSN with three digits',   "ok 0 t 550 5.123.456 0\n"),
    at_mail('code 421',                  "ok -1 bye 421 4.3.2 0\n"),
    at_mail('percent in a text',  "ok 0 100%25%20%25s%20%25%25 550 5.7.9 0\n"),
    at_mail('control characters', "ok 0 a%09b%0Dc%7Fd%01e 550 5.7.9 0\n"),
    at_mail('8 bit in a text',    "ok 0 gr%C3%BC%C3%9F 550 5.7.9 0\n"),
    at_mail('two lines',          "ok 0 first%0Asecond 550 5.7.9 0\n"),
    at_mail('an LF at the end',   "ok 0 first%0Asecond%0A 550 5.7.9 0\n"),
    at_mail('an empty line',      "ok 0 first%0A%0Athird 550 5.7.9 0\n"),
    at_mail('31 lines', 'ok 0 ' . join('%0A', 1 .. 31) . " 550 5.7.9 0\n"),
    at_mail('40 lines', 'ok 0 ' . join('%0A', 1 .. 40) . " 550 5.7.9 0\n"),
    at_mail('a text of 900',  'ok 0 ' . 'x' x 900 . " 550 5.7.9 0\n"),
    at_mail('a text of 2000', 'ok 0 ' . 'x' x 2000 . " 550 5.7.9 0\n"),
    at_mail(
        'a long second line',
        'ok 0 first%0A' . 'x' x 2000 . " 550 5.7.9 0\n"
    ),
    at_mail('an escape that is none', "ok 0 a%zzb%4 550 5.7.9 0\n"),
    at_mail('CR LF at the end',       "ok 0 text 550 5.7.9 0\r\n"),
    at_mail('TAB between fields',     "ok 0 text\t550\t5.7.9\t0\n"),
    at_mail('no LF',                  'ok 0'),
    at_mail('no LF, with fields',     'ok 0 text 550 5.7.9 0'),
    at_mail('another number',         "ok 7\n"),
    at_mail('only ok',                "ok\n"),
    at_mail('OK',                     "OK 1\n"),
    at_mail('two lines of answer',    "ok 1\nok 0\n"),
    at_mail(
        'an answer in pieces',
        { pieces => [ 'ok', ' 0 te', 'xt 550 5.7.9', " 0\n" ] }
    ),
    at_mail('no answer',           { silent => 1 }),
    at_mail('nothing but LF',      "\n"),
    at_mail('binary garbage',      "\0\1\2\xff\n"),
    at_mail('an answer of 20,000', 'ok 0 ' . 'x' x 20_000 . " 550 5.7.9 0\n"),
    {
        name    => 'reject one of two recipients',
        options => \@checks,
        mux     => { recipok => [ "ok 0 no 550 5.1.1 0\n", "ok 1\n" ] },
        steps   => [
            @hello, @mail,
            [ rcpt => '<no@example.org>' ],
            [ rcpt => '<yes@example.org>' ], @rest
        ]
    },
    {
        name    => 'tempfail one of two recipients',
        options => \@checks,
        mux     => { recipok => [ "ok 1\n", "ok -1 later 450 4.2.1 0\n" ] },
        steps   => [
            @hello, @mail,
            [ rcpt => '<yes@example.org>' ],
            [ rcpt => '<no@example.org>' ], @rest
        ]
    },
    {
        name    => 'another message after a rejected sender',
        options => \@checks,
        mux     => { senderok => [ "ok 0 no 550 5.1.1 0\n", "ok 1\n" ] },
        steps   => [ @hello, @mail, ['abort'], @message ]
    },
    {
        name    => 'the multiplexor is not there',
        options => \@checks,
        mux     => { deaf => 1 },
        steps   => [ [ connect => {} ] ]
    },

];
