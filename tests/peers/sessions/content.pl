#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Sessions (see lib/Sessions.pm): envelope, header, body, several messages.
use v5.36;
use Sessions qw(@checks @hello @mail @rcpt @rest @message @all);

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

[
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

];
