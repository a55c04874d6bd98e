#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The sessions of front-end.t.  Each is a hash:
#   name     unique words
#   options  list, beside those that every front-end gets
#   offer    what the MTA offers (see MilterClient), by default all of version 6
#   mux      the script of the multiplexor (see ScriptedMux)
#   steps    what the MTA does (see ScriptedMta)
#   keeps    true: directories stay when it is over
#   differs  lines "- theirs" and "+ ours", "- log theirs" for a line that we do
#            not log; other lines say why
# The value of this file is the list.
use v5.36;

my @checks = qw(-r -H -s -t);
my @hello  = ([ connect => {} ], [ helo => 'client.example' ]);
my @mail   = ([ mail    => '<from@example.org>' ]);
my @rcpt   = ([ rcpt    => '<to@example.org>' ]);
my @rest   = (
    ['data'], [ header => 'Subject', 'hi' ],
    ['eoh'],  [ body   => "Hello.\r\n" ], ['eom']
);
my @message = (@mail,  @rcpt, @rest);
my @all     = (@hello, @message);

# What Sendmail and Postfix say before a step.
my @sendmail = (
    [
        macros => connect => {
            j               => 'mx.example',
            _               => 'client [192.0.2.1]',
            '{daemon_name}' => 'MTA',
            '{if_name}'     => 'mx.example',
            '{if_addr}'     => '192.0.2.99',
            '{daemon_port}' => '25'
        }
    ],
    [ connect => { host => 'client.example.org' } ],
    [
        macros => helo => {
            '{tls_version}' => 'TLSv1.3',
            '{cipher}'      => 'AES256',
            '{cipher_bits}' => 256
        }
    ],
    [ helo => 'client.example' ],
    [
        macros => mail => {
            i               => '5AP8x1',
            '{mail_mailer}' => 'esmtp',
            '{mail_host}'   => 'example.org.',
            '{mail_addr}'   => 'from@example.org',
            '{auth_type}'   => 'PLAIN',
            '{auth_authen}' => 'joe'
        }
    ],
    [ mail => '<from@example.org>', 'SIZE=100', 'BODY=8BITMIME' ],
    [
        macros => rcpt => {
            '{rcpt_mailer}' => 'local',
            '{rcpt_host}'   => 'x y',
            '{rcpt_addr}'   => 'to'
        }
    ],
    [ rcpt => '<to@example.org>', 'NOTIFY=NEVER' ],
    @rest[ 0 .. 3 ],
    [ macros => eom => { '{msg_id}' => '<1@x>' } ],
    ['eom']
);
my @postfix = (
    [
        macros => connect => {
            j               => 'mx.example',
            '{daemon_name}' => 'mx',
            '{daemon_addr}' => '192.0.2.99',
            v               => 'Postfix 3.7.11',
            _               => 'client [192.0.2.1]'
        }
    ],
    [ connect => { host => 'client.example.org', port => 0 } ],
    [ macros  => helo => {} ],
    [ helo    => 'client.example' ],
    [
        macros => mail => {
            '{mail_addr}'   => 'from@example.org',
            '{mail_host}'   => 'example.org',
            '{mail_mailer}' => 'smtp'
        }
    ],
    [ mail => '<from@example.org>', 'SIZE=100' ],
    [
        macros => rcpt => {
            '{rcpt_addr}'   => 'to@example.org',
            '{rcpt_host}'   => 'example.org',
            '{rcpt_mailer}' => 'smtp'
        }
    ],
    [ rcpt => '<to@example.org>' ],
    [
        macros => rcpt => {
            i               => '4Zq1',
            '{rcpt_addr}'   => 'cc@example.org',
            '{rcpt_host}'   => 'example.org',
            '{rcpt_mailer}' => 'smtp'
        }
    ],
    [ rcpt => '<cc@example.org>' ],
    map { ([ macros => $_->[0], { i => '4Zq1' } ], $_) } @rest
);

# A check's answer at a stage, and where the MTA stops then.
my %stage = (
    relayok  => [ [ connect => {} ] ],
    helook   => [@hello],
    senderok => [ @hello, @mail, ['abort'] ],
    recipok  => [ @hello, @mail, @rcpt, ['abort'] ],
);

sub answered ($name, $answer, %more) {
    return map {
        {
            name    => "$name to $_",
            options => \@checks,
            mux     => { $_ => $answer },
            steps   => $stage{$_},
            differs => $more{$_},
        }
    } grep { !$more{only} || $_ eq $more{only} } sort keys %stage;
}

sub at_mail ($name, $answer, $differs = undef) {
    return answered($name, $answer, only => 'senderok', senderok => $differs);
}

sub headers ($name, $list, %more) {
    return {
        name  => $name,
        steps => [
            @hello,                             @mail,
            @rcpt,                              ['data'],
            (map { [ header => @$_ ] } @$list), ['eoh'],
            [ body => "Hello.\r\n" ],           ['eom']
        ],
        %more
    };
}

sub body ($name, $chunks, %more) {
    return {
        name  => $name,
        steps => [
            @hello, @mail, @rcpt,
            @rest[ 0 .. 2 ],
            (map { [ body => $_ ] } @$chunks), ['eom']
        ],
        %more
    };
}

sub results ($name, $results, %more) {
    my $mux = delete $more{mux} // {};
    return {
        name  => $name,
        mux   => { results => $results, %$mux },
        steps => \@all,
        %more
    };
}

[
    { name => 'Sendmail 8.17', options => \@checks, steps => \@sendmail },
    { name => 'Sendmail 8.17, no checks', steps => \@sendmail },
    {
        name    => 'Sendmail 8.13',
        options => \@checks,
        steps   => \@sendmail,
        offer   => { version => 2, actions => 0x3f, protocol => 0x7f }
    },
    {
        name  => 'Sendmail 8.12',
        steps => \@sendmail,
        offer => { version => 2, actions => 0x1f, protocol => 0x7f }
    },
    { name => 'Postfix 3', options => \@checks, steps => \@postfix },
    { name => 'Postfix 3, no checks', steps => \@postfix },
    {
        name    => 'Postfix, milter_protocol 4',
        options => \@checks,
        steps   => \@postfix,
        offer   => { version => 4, protocol => 0x37f }
    },
    {
        name  => 'Postfix, milter_protocol 2',
        steps => \@postfix,
        offer => { version => 2, protocol => 0x7f }
    },

    # ---- connections
    {
        name    => 'no address',
        options => \@checks,
        steps   => [
            [ connect => { family => 'U', host => 'unknown' } ],
            [ helo    => 'x' ], @message
        ]
    },
    {
        name    => 'IPv6',
        options => \@checks,
        steps   => [
            [ connect => { family => '6', addr => '2001:db8::1' } ],
            [ helo    => 'x' ], @message
        ]
    },
    {
        name    => 'IPv6 as Sendmail spells it',
        options => \@checks,
        steps   => [
            [
                connect =>
                    { family => '6', addr => 'IPv6:2001:db8:0:0:0:0:0:1' }
            ],
            [ helo => 'x' ],
            @message
        ]
    },
    {
        name    => 'IPv6 loopback',
        options => [qw(-r -R 3)],
        steps   => [
            [ connect => { family => '6', addr => '::1' } ],
            [ helo    => 'x' ], @message
        ]
    },
    {
        name    => 'mapped IPv4',
        options => \@checks,
        steps   => [
            [ connect => { family => '6', addr => '::ffff:192.0.2.7' } ],
            [ helo    => 'x' ], @message
        ]
    },
    {
        name    => 'UNIX-domain client',
        options => \@checks,
        steps   => [
            [ connect => { family => 'L', addr => '/run/x', port => 0 } ],
            [ helo    => 'x' ], @message
        ]
    },
    {
        name    => 'no HELO',
        options => \@checks,
        steps   => [ [ connect => {} ], @message ]
    },
    {
        name    => 'empty HELO',
        options => \@checks,
        steps   => [ [ connect => {} ], [ helo => '' ], @message ]
    },
    {
        name    => 'odd HELO',
        options => \@checks,
        steps   => [
            [ connect => {} ],
            [ helo    => qq(a b"c'd\\e%f\xe9\x01) ], @message
        ]
    },
    {
        name    => 'HELO twice',
        options => \@checks,
        steps   => [ @hello, [ helo => 'second' ], @message ]
    },
    {
        name    => 'empty host name',
        options => \@checks,
        steps   => [ [ connect => { host => '' } ], [ helo => 'x' ], @message ]
    },
    {
        name    => 'loopback interface',
        options => \@checks,
        steps   => [
            [
                macros => connect =>
                    { '{if_addr}' => '127.0.0.1', '{daemon_port}' => '25x' }
            ],
            @all
        ]
    },
    {
        name    => 'queue id at connect',
        options => \@checks,
        steps   => [ [ macros => connect => { i => 'Q0' } ], @all ]
    },
    {
        name    => 'queue id with a slash',
        options => \@checks,
        steps   =>
            [ @hello, [ macros => mail => { i => '../x' } ], @mail, ['abort'] ]
    },

    # ---- free workers
    {
        name  => 'no free worker',
        mux   => { free => "0\n" },
        steps => [ [ connect => {} ] ]
    },
    { name => 'one free worker', mux => { free => "1\n" }, steps => \@all },
    {
        name  => 'no free worker, local client',
        mux   => { free => "0\n" },
        steps => [ [ connect => { addr => '127.0.0.1' } ] ]
    },
    {
        name  => 'free answers garbage',
        mux   => { free => "many\n" },
        steps => [ [ connect => {} ] ]
    },
    {
        name  => 'free answers a negative number',
        mux   => { free => "-1\n" },
        steps => [ [ connect => {} ] ]
    },
    {
        name  => 'free answers an error',
        mux   => { free => "error: x\n" },
        steps => [ [ connect => {} ] ]
    },
    {
        name  => 'free answers nothing',
        mux   => { free => { silent => 1 } },
        steps => [ [ connect => {} ] ]
    },
    {
        name    => 'no free worker, queued',
        options => ['-q'],
        mux     => { free => "0\n" },
        steps   => \@all
    },
    {
        name    => 'no free worker, -R, local client',
        options => [qw(-R 1)],
        mux     => { free => "0\n" },
        steps   => [
            [ connect => { addr => '127.0.0.1' } ],
            [ helo    => 'x' ], @message
        ]
    },
    {
        name    => 'one free worker, -R 1',
        options => [qw(-R 1)],
        mux     => { free => "1\n" },
        steps   => [ [ connect => {} ] ]
    },
    {
        name    => 'two free workers, -R 1',
        options => [qw(-R 1)],
        mux     => { free => "2\n" },
        steps   => \@all
    },
    {
        name    => 'one free worker, -R 0',
        options => [qw(-R 0)],
        mux     => { free => "1\n" },
        steps   => \@all
    },
    {
        name    => '127.0.0.2 is local',
        options => [qw(-R 1)],
        mux     => { free => "0\n" },
        steps   => [ [ connect => { addr => '127.0.0.2' } ] ]
    },
    {
        name    => 'a UNIX-domain client is local',
        options => [qw(-R 1)],
        mux     => { free => "0\n" },
        steps   =>
            [ [ connect => { family => 'L', addr => '/run/x', port => 0 } ] ]
    },

    # ---- what a check says, at each stage
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

    # ---- envelope
    {
        name    => 'null sender',
        options => \@checks,
        steps   =>
            [ @hello, [ mail => '<>' ], [ rcpt => '<to@example.org>' ], @rest ]
    },
    {
        name    => 'empty sender',
        options => \@checks,
        steps   => [ @hello, [ mail => '' ], [ rcpt => '' ], @rest ]
    },
    {
        name    => 'odd addresses',
        options => \@checks,
        steps   => [
            @hello,
            [ mail => qq(<"a b"%c'd\\e\xe9\@x>), 'X=1 2', '' ],
            [ rcpt => qq(<"a b"%c'd\\e\xe9\@x>), 'ORCPT=rfc822;a+3Db' ], @rest
        ]
    },
    {
        name    => 'many parameters',
        options => \@checks,
        steps   => [
            @hello, [ mail => '<a@x>', map { "P$_=" . 'v' x 50 } 1 .. 40 ],
            @rcpt,  @rest
        ]
    },
    {
        name    => 'a request beyond 4094 octets',
        options => \@checks,
        steps   => [ @hello, [ mail => '<' . 'a' x 5000 . '@x>' ], ['abort'] ]
    },
    {
        name    => 'parameters beyond 4094 octets',
        options => \@checks,
        steps   => [
            @hello, [ mail => '<a@x>', map { "P$_=" . 'v' x 150 } 1 .. 40 ],
            ['abort']
        ]
    },
    {
        name    => 'odd recipient macros',
        options => \@checks,
        steps   => [
            @hello, @mail,
            [
                macros => rcpt => {
                    '{rcpt_mailer}' => '',
                    '{rcpt_host}'   => 'a b',
                    '{rcpt_addr}'   => '%'
                }
            ],
            @rcpt, @rest
        ]
    },
    {
        name    => 'a rejected recipient',
        options => \@checks,
        steps   => [
            @hello, @mail,
            [
                macros => rcpt => {
                    '{rcpt_mailer}' => 'error',
                    '{rcpt_host}'   => '5.1.1',
                    '{rcpt_addr}'   => 'no such user'
                }
            ],
            [ rejected => '<no@example.org>' ],
            [ macros   => rcpt => {} ],
            @rcpt, @rest
        ]
    },
    {
        name    => 'a rejected recipient, -N',
        options => [ @checks, '-N' ],
        steps   => [
            @hello, @mail,
            [
                macros => rcpt => {
                    '{rcpt_mailer}' => 'error',
                    '{rcpt_host}'   => '5.1.1',
                    '{rcpt_addr}'   => 'no such user'
                }
            ],
            [ rejected => '<no@example.org>' ],
            [ macros   => rcpt => {} ],
            @rcpt, @rest
        ]
    },

    # ---- header fields
    headers('no header',         []),
    headers('folded',            [ [ 'Subject', "a\n\tb\n c" ] ]),
    headers('folded with CR LF', [ [ 'Subject', "a\r\n\tb\r\n c" ] ]),
    headers('leading blanks',    [ [ 'X-Foo', ' bar' ], [ 'X-Tab', "\tbar" ] ]),
    headers('empty value',       [ [ 'Subject', '' ], [ 'X-Empty', '' ] ]),
    headers(
        '8 bit', [ [ 'Subject', "gr\xc3\xbc\xc3\x9f" ], [ "X-\xe9", "\xe9" ] ]
    ),
    headers(
        'bare CR in headers',
        [ [ 'Subject', "foo\rbar" ], [ 'X-End', "foo\r" ], [ "X\rY", 'z' ] ]
    ),
    headers('two CR', [ [ 'Subject', "foo\r\r\n bar" ] ]),
    headers(
        'two subjects, two message ids',
        [
            [ 'SUBJECT',    'one' ],
            [ 'subject',    'two%' ],
            [ 'Message-ID', '<1@x>' ],
            [ 'Message-Id', '<2 3@x>' ]
        ]
    ),
    headers(
        'folded subject',
        [ [ 'Subject', "one\r\n two" ], [ 'Message-ID', "\r\n <x\@y>" ] ]
    ),
    headers(
        'three Content-Types',
        [
            [ 'Content-Type', 'text/plain' ],
            [ 'content-type', 'text/html' ],
            [ 'CONTENT-TYPE', "a\rb" ]
        ]
    ),
    headers(
        'MIME-Version',
        [ [ 'MIME-Version', '1.0' ], [ 'Content-Type', 'text/plain' ] ],
        mux => { results => "Mtext/html\nF\n" }
    ),
    headers('a header of 60,000 octets', [ [ 'X-Long', 'x' x 60_000 ] ]),
    headers(
        'a header of 1 MiB in lines',
        [ [ 'X-Long', join "\n ", ('x' x 1000) x 1048 ] ]
    ),
    headers('1,000 headers', [ map { [ "X-$_", $_ ] } 1 .. 1000 ]),
    headers(
        'a validation header',
        [ [ 'X-MIMEDefang-Relay-0123456789', '9.8.7.006 x' ] ]
    ),
    headers(
        'a validation header of another case',
        [ [ 'x-mimedefang-relay-0123456789', '9.8.7.6' ] ]
    ),
    headers(
        'validation headers that are none',
        [
            map { [ 'X-MIMEDefang-Relay-0123456789', $_ ] } '1.2.3',
            '1.2.3.256', 'x', ''
        ]
    ),
    headers(
        'two validation headers',
        [
            [ 'X-MIMEDefang-Relay-0123456789', '9.8.7.6' ],
            [ 'X-MIMEDefang-Relay-0123456789', ' 1.2.3.4' ]
        ]
    ),
    headers('empty name', [ [ '', 'value' ] ]),

    # ---- body
    body('no body',                        []),
    body('an empty chunk',                 ['']),
    body('CR LF at the border of chunks',  [ "a\r", "\nb\r\n" ]),
    body('CR at the border of chunks',     [ "a\r", "b\r\n" ]),
    body('two CR at the border of chunks', [ "a\r", "\r", "\nb\r\n" ]),
    body('bare CR',                        ["a\rb\r\n"]),
    body('bare CR, -c',                    ["a\rb\r\n"], options => ['-c']),
    body(
        'CR at the border of chunks, -c',
        [ "a\r", "b\r", "\n" ],
        options => ['-c']
    ),
    body('CR CR LF',       ["a\r\r\nb\r\n"]),
    body('CR CR LF, -c',   ["a\r\r\nb\r\n"], options => ['-c']),
    body('CR at the end',  ["a\r"]),
    body('bare LF',        ["a\nb\n\nc"]),
    body('NUL',            ["a\0b\r\n"]),
    body('dots and 8 bit', ["..\r\n.\r\n\xff\xfe\r\n"]),
    body(
        'a body of 200,000',
        [ map { "$_" x 5 . "x" x 65_000 . "\r\n" } 1 .. 3 ]
    ),
    body('5,000 lines', [ "line\r\n" x 5000 ]),

    # ---- several messages, aborts, ends
    {
        name    => 'two messages',
        options => \@checks,
        steps   => [ @hello, @message, @message ]
    },
    {
        name    => 'two messages with queue ids',
        options => \@checks,
        steps   => [
            @hello,   [ macros => mail => { i => 'Q1' } ],
            @message, [ macros => mail => { i => 'Q2' } ],
            @message
        ]
    },
    {
        name    => 'two messages, the queue id comes late',
        options => \@checks,
        steps   => [
            @hello, @mail, [ macros => rcpt => { i => 'Q1' } ],
            @rcpt,  @rest, @mail, [ macros => rcpt => { i => 'Q2' } ],
            @rcpt,  @rest
        ]
    },
    {
        name  => 'the queue id comes at the end',
        steps => [
            @hello, @mail, @rcpt,
            @rest[ 0 .. 3 ],
            [ macros => eom => { i => 'Q9' } ], ['eom']
        ]
    },
    {
        name    => 'the queue id changes',
        options => \@checks,
        steps   => [
            @hello, [ macros => mail => { i => 'Q1' } ],
            @mail,  [ macros => rcpt => { i => 'Q2' } ],
            @rcpt,  @rest
        ]
    },
    (
        map {
            my $n = $_;
            {
                name    => "ABORT after step $n, then a message",
                options => \@checks,
                steps   => [ @hello, @message[ 0 .. $n ], ['abort'], @message ]
            }
        } 0 .. 5
    ),
    {
        name    => 'ABORT before MAIL',
        options => \@checks,
        steps   => [ @hello, ['abort'], @message ]
    },
    {
        name    => 'QUIT in the middle of a message',
        options => \@checks,
        steps   => [ @hello, @message[ 0 .. 4 ], ['quit'] ]
    },
    {
        name    => 'hanging up in the middle of a message',
        options => \@checks,
        steps   => [ @hello, @message[ 0 .. 4 ], ['hang-up'] ]
    },
    {
        name  => 'an unknown command',
        steps => [ @hello, [ unknown => 'VRFY x' ], @message ]
    },
    { name => 'no recipient', steps => [ @hello, @mail, ['abort'] ] },

    # ---- RESULTS
    results('no RESULTS',          undef),
    results('empty RESULTS',       ''),
    results('only F',              "F\n"),
    results('no F',                "HX-A a\n"),
    results('F without LF',        'F'),
    results('add',                 "HX-A b%20c\nHX-Empty \nF\n"),
    results('a name with a blank', "HX-B%20C d\nHX-A b\nF\n"),
    results('add without a value', "HX-A\nF\n"),
    results('add a folded field',  "HX-A one%0D%0A%09two%0Athree\nF\n"),
    results('insert', "NX-A 0 top\nNX-B 3 third\nNX-C -1 neg\nNX-D x no\nF\n"),
    results('insert without a value', "NX-A 0\nNX-B\nF\n"),
    results('replace', "IX-A 1 new\nIX-B 2 new\nIX-C 0 zero\nIX-D x no\nF\n"),
    results('replace without a value', "IX-A 1\nIX-B\nF\n"),
    results('delete', "JX-A 1\nJX-B 2\nJX-C 0\nJX-D x\nJX-E\nF\n"),
    results(
        'recipients',
        "R<new\@example.org>\nRbare\@example.org\nS<to\@example.org>\nF\n"
    ),
    results('a recipient that is none',    "R\nS\nF\n"),
    results('sender',                      "f<other\@example.org>\nF\n"),
    results('sender that is none',         "f\nF\n"),
    results('quarantine',                  "Qsuspicious%20thing\nF\n"),
    results('quarantine without a reason', "Q\nF\n"),
    results('quarantine and reject',       "Qwhy\nB550 5.7.1 no\nF\n"),
    results('Content-Type',               "Mtext/html;%0D%0A%09charset=x\nF\n"),
    results('Content-Type that is empty', "M\nF\n"),
    results(
        'body', "C\nF\n",
        mux => { files => { NEWBODY => "new\nbody\r\nend" } }
    ),
    results(
        'a large body', "C\nF\n",
        mux => { files => { NEWBODY => "line of the body\r\n" x 10_000 } }
    ),
    results('an empty body', "C\nF\n", mux => { files => { NEWBODY => '' } }),
    results('no NEWBODY',    "C\nF\n"),
    results(
        'NEWBODY is a link',
        "C\nF\n", mux => { files => { NEWBODY => \'/etc/hosts' } }
    ),
    results('bounce',                     "B550 5.7.9 Not%20here\nF\n"),
    results('bounce without anything',    "B\nF\n"),
    results('bounce with a wrong code',   "B450 4.7.9 no\nF\n"),
    results('bounce with two lines',      "B550 5.7.9 one%0Atwo%25\nF\n"),
    results('bounce without F',           "B550 5.7.9 no\n"),
    results('tempfail',                   "T450 4.7.9 Later\nF\n"),
    results('tempfail without anything',  "T\n"),
    results('tempfail with a wrong code', "T550 5.7.9 no\nF\n"),
    results('discard',                    "D\nF\n"),
    results('discard with words',         "Dbecause\nHX-A b\nF\n"),
    results('the first verdict wins',     "T450 4.7.9 t\nB550 5.7.9 b\nD\nF\n"),
    results('changes and a verdict', "HX-A b\nR<x\@y>\nB550 5.7.9 no\nF\n"),
    results('a verdict after F',     "HX-A b\nF\nB550 5.7.9 no\n"),
    results('a change after F',      "HX-A b\nF\nHX-B c\n"),
    results('an unknown letter',     "ZX\nHX-A b\nF\n"),
    results('an empty line',         "\nHX-A b\nF\n"),
    results('NUL in RESULTS',        "HX-A b\n\0HX-B c\nF\n"),
    results('an encoded NUL',        "HX-A b%00c\nF\n"),
    results('TAB between fields',    "HX-A\tb\nIX-B\t1\tc\nF\n"),
    results('CR LF',                 "HX-A b\r\nF\r\n"),
    results('escapes that are none', "HX-A a%zz%4\nF\n"),
    results('a line of 16,382',      'HX-A ' . 'x' x 16_377 . "\nF\n"),
    results('a line of 16,383',      'HX-A ' . 'x' x 16_378 . "\nF\n"),
    results(
        '65,535 octets',
        ('HX-A ' . 'x' x 994 . "\n") x 65 . 'HX-A ' . 'x' x 527 . "\nF\n"
    ),
    results(
        '65,536 octets',
        ('HX-A ' . 'x' x 994 . "\n") x 65 . 'HX-A ' . 'x' x 528 . "\nF\n"
    ),
    results('a name that is none', "H: b\nHX-A b\nF\n"),
    results(
        'RESULTS is a link',
        undef, mux => { files => { RESULTS => \'/etc/hosts' } }
    ),
    results(
        'results of the sender check', "F\n",
        options => \@checks,
        mux => { early => { senderok => "HX-S s\n", recipok => "HX-R r\n" } }
    ),
    results(
        'changes that the MTA did not offer',
        "HX-A b\nR<x\@y>\nQz\nf<a\@b>\nF\n",
        offer => { actions => 0x1 }
    ),

    # ---- the scan itself
    (
        map {
            my ($name, $answer) = @$_;
            {
                name  => "scan: $name",
                mux   => { scan => $answer },
                steps => \@all
            }
        } [ 'error', "error: it died\n" ],
        [ 'no answer',   { silent => 1 } ],
        [ 'no LF',       'ok' ],
        [ 'ok and more', "ok 1\n" ],
        [ 'CR LF',       "ok\r\n" ],
        [ 'ERR',         "ERR No response from worker\n" ],
        [ 'garbage',     "\0\xff\n" ],
        [ 'in pieces',   { pieces => [ 'o', 'k', "\n" ] } ],
        [ 'two lines',   "ok\nok\n" ]
    ),

    # ---- options
    {
        name    => 'a text',
        options => [ '-x', 'Filter of example.org' ],
        steps   => \@all
    },
    { name => 'no text', options => [ '-x', '' ], steps => \@all },
    { name => 'no text', options => ['-X'],       steps => \@all },
    {
        name    => 'extra macros',
        options => [qw(-a foo -a client_ptr -a v)],
        steps   => [
            [ macros => connect => { '{client_ptr}' => 'p', v => 'x y' } ],
            @hello, [ macros => mail => { '{foo}' => '' } ], @message
        ]
    },
    {
        name    => 'an address like loopback',
        options => [ @checks, qw(-L 192.0.2.1) ],
        steps   => \@all
    },
    {
        name    => 'another address',
        options => [ @checks, qw(-L 192.0.2.1) ],
        steps   => [
            [ connect => { addr => '192.0.2.2' } ],
            [ helo    => 'x' ], @message
        ]
    },
    {
        name    => 'macro lists',
        options => [ @checks, '-y' ],
        steps   => \@sendmail
    },
    {
        name    => 'directories stay',
        options => ['-d'],
        keeps   => 1,
        steps   => [ @hello, [ macros => mail => { i => 'Q1' } ], @message ]
    },
    {
        name    => 'a failed scan',
        options => ['-k'],
        keeps   => 1,
        mux     => { scan => "error: x\n" },
        steps   => [ @hello, [ macros => mail => { i => 'Q1' } ], @message ]
    },
    {
        name    => 'no RESULTS',
        options => ['-k'],
        keeps   => 1,
        mux     => { results => undef },
        steps   => [ @hello, [ macros => mail => { i => 'Q2' } ], @message ]
    },
    {
        name    => 'a good scan',
        options => ['-k'],
        keeps   => 1,
        steps   => [ @hello, [ macros => mail => { i => 'Q3' } ], @message ]
    },
    {
        name    => 'RESULTS without F',
        options => ['-k'],
        keeps   => 1,
        mux     => { results => "HX-A b\n" },
        steps   => [ @hello, [ macros => mail => { i => 'Q4' } ], @message ]
    },
    {
        name    => 'a rejected message',
        options => ['-k'],
        keeps   => 1,
        mux     => { results => "B\nF\n" },
        steps   => [ @hello, [ macros => mail => { i => 'Q5' } ], @message ]
    },
    { name => 'descriptors', options => ['-C'], steps => \@all },
    { name => 'group',       options => ['-G'], steps => \@all },
    {
        name  => 'interface address',
        steps =>
            [ [ macros => connect => { '{if_addr}' => '192.0.2.99' } ], @all ]
    },
];
