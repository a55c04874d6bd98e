#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Headers: none, odd, doubled, huge; bodies: none.
use v5.36;
use Corpus qw(mail filler);

my $mixed = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b1\n";
my $parts
    = "--b1\nContent-Type: text/plain\n\nHello\n--b1\nContent-Type: application/x; name=a.exe\n\nMZ\n--b1--\n";

[
    [ 'an empty file'                => '' ],
    [ 'only a line end'              => "\n" ],
    [ 'no header'                    => "\nHello\n" ],
    [ 'no body'                      => "From: a\@b\nSubject: x\n" ],
    [ 'no body, empty line'          => "From: a\@b\nSubject: x\n\n" ],
    [ 'no line end'                  => "From: a\@b\nSubject: x\n\nHello" ],
    [ 'header without a line end'    => 'Subject: x' ],
    [ 'line that is no field, first' => "Hello there\nSubject: x\n\nbody\n" ],
    [
        'line that is no field, inside' =>
            "From: a\@b\nHello there\nSubject: x\n${mixed}\n$parts"
    ],
    [
        'From_ line' => "From a\@b Wed Nov 25 12:00:00 2026\n"
            . mail($mixed, $parts)
    ],
    [
        '>From_ line' => ">From a\@b Wed Nov 25 12:00:00 2026\n"
            . mail($mixed, $parts)
    ],
    [ 'begins with a fold' => " folded\nSubject: x\n\nbody\n" ],
    [
        'empty fields' =>
            mail("X-A:\nX-B: \nSubject:\nContent-Type:\n", "Hello\n")
    ],
    [
        'blank before the colon' =>
            mail("X-A : b\nContent-Type : text/html", "<p>\n")
    ],
    [
        'no blank behind the colon' =>
            mail("X-A:b\nContent-Type:text/html", "<p>\n")
    ],
    [
        'folds of all kinds' =>
            mail("X-A: a\n\tb\n  c\n \n d\nX-B:\n e", "Hello\n")
    ],
    [
        'Content-Type folded at once' =>
            mail("Content-Type:\n text/html", "<p>\n")
    ],
    [ 'two Subjects' => mail("Subject: one\nSubject: two", "Hello\n") ],
    [
        'three Subjects' =>
            mail("Subject: one\nSUBJECT: two\nsubject: three", "Hello\n")
    ],
    [
        'two From, To, Date' =>
            mail("From: x\@y\nTo: x\@y\nDate: never", "Hello\n")
    ],
    [ 'two MIME-Versions' => mail("MIME-Version: 1.0\n$mixed", $parts) ],
    [
        'two encodings at the top' => mail(
            "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit",
            "YWJj\n"
        )
    ],
    [
        'two dispositions at the top' => mail(
            "Content-Type: text/plain\nContent-Disposition: inline\nContent-Disposition: attachment; filename=a.exe",
            "abc\n"
        )
    ],
    [ 'Subject, 2047' => mail('Subject: =?utf-8?B?R3LDvMOfZQ==?=', "Hello\n") ],
    [ 'Subject, 8-bit'    => mail("Subject: Gr\xfc\xdfe",         "Hello\n") ],
    [ 'Subject, utf-8'    => mail("Subject: Gr\xc3\xbc\xc3\x9fe", "Hello\n") ],
    [ 'a field of 20,000' => mail('X-Long: ' . 'x' x 20_000,      "Hello\n") ],
    [
        'a field of 500 folds' => mail('X-Long:' . "\n folded" x 500, "Hello\n")
    ],
    [
        '1,000 fields' =>
            mail(join("\n", map {"X-$_: $_"} 1 .. 1000), "Hello\n")
    ],
    [
        '300 Received' => join(
            '',
            map {
                "Received: from a$_ by b$_;\n\tWed, 25 Nov 2026 12:00:00 +0000\n"
            } 1 .. 300
            )
            . mail($mixed, $parts)
    ],
    [
        'field names of all kinds' =>
            mail("x: 1\nX.Y/Z: 2\nX_Y: 3\n\"X\": 4\nX\xe4: 5", "Hello\n")
    ],
    [ 'CR in a field'           => mail("X-A: a\rb", "Hello\n") ],
    [ 'CRLF in the header only' => mail($mixed, '') =~ s/\n/\r\n/gr . $parts ],
    [ 'NUL in a field'          => mail("X-A: a\0b", "Hello\n") ],
    [ 'body begins with blanks' => mail('',          "  Hello\n\n\n") ],
    [ 'body of empty lines'     => mail('',          "\n\n\n") ],
    [
        'body like a header' =>
            mail('', "Subject: x\nContent-Type: text/html\n\nHello\n")
    ],
    [ 'body with From_' => mail('', "From here to there\n>From\n.\n..\n") ],
    [ 'body without line end' => mail('', 'Hello') ],
    [
        'html body without line end' =>
            mail('Content-Type: text/html', '<body>x</body>')
    ],
    [
        'html: end tags in a comment' => mail(
            'Content-Type: text/html',
            "<body><!-- </body> --><p>x</body>\n"
        )
    ],
    [
        'html: end tags in a script' => mail(
            'Content-Type: text/html',
            "<body><script>'</body>'</script><p>x</body>\n"
        )
    ],
    [
        'html: two bodies' => mail(
            'Content-Type: text/html',
            "<body>1</body><body>2</body></html>\n"
        )
    ],
    [
        'html: end tag with blanks' =>
            mail('Content-Type: text/html', "<BODY>1</BODY  >\n</ html>\n")
    ],
    [
        'html: text behind it' => mail(
            'Content-Type: text/html',
            "<html><body>1</body></html>\nmore\n"
        )
    ],
];
