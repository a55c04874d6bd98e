#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Boundaries that are wrong, missing or doubled; parts that are empty, cut or
# nested in what cannot hold them.
use v5.36;
use Corpus qw(mail multipart part attached octets base64);

my $text = "Content-Type: text/plain\n\nHello\n";
my $exe  = "Content-Type: application/octet-stream; name=a.exe\n\nMZ\n";
my $type = 'Content-Type: multipart/mixed; boundary=b1';

sub body ($type, $body) { return mail("MIME-Version: 1.0\n$type", $body) }

[
    [ 'no last boundary' => body($type, "--b1\n$text\n--b1\n$exe") ],
    [
        'ends in the header of a part' =>
            body($type, "--b1\n$text\n--b1\nContent-Type: text/")
    ],
    [ 'ends behind a boundary'  => body($type, "--b1\n$text\n--b1\n") ],
    [ 'ends in a boundary'      => body($type, "--b1\n$text\n--b") ],
    [ 'no boundary in the body' => body($type, "Hello\nWorld\n") ],
    [ 'empty body'              => body($type, '') ],
    [ 'only the last boundary'  => body($type, "--b1--\n") ],
    [ 'only a first boundary'   => body($type, "--b1\n") ],
    [
        'no boundary parameter' =>
            body('Content-Type: multipart/mixed', "--b1\n$text\n--b1--\n")
    ],
    [
        'empty boundary parameter' => body(
            'Content-Type: multipart/mixed; boundary=""',
            "--\n$text\n----\n"
        )
    ],
    [
        'boundary of blanks' => body(
            'Content-Type: multipart/mixed; boundary="  "',
            "--  \n$text\n--  --\n"
        )
    ],
    [
        'boundary with blanks inside' => body(
            'Content-Type: multipart/mixed; boundary="a b"',
            "--a b\n$text\n--a b--\n"
        )
    ],
    [
        'boundary with a blank at its end' => body(
            'Content-Type: multipart/mixed; boundary="b1 "',
            "--b1 \n$text\n--b1 --\n"
        )
    ],
    [
        'boundary of 70' => body(
            'Content-Type: multipart/mixed; boundary=' . 'x' x 70,
            '--' . 'x' x 70 . "\n$text\n--" . 'x' x 70 . "--\n"
        )
    ],
    [
        'boundary of 300' => body(
            'Content-Type: multipart/mixed; boundary=' . 'x' x 300,
            '--' . 'x' x 300 . "\n$exe\n--" . 'x' x 300 . "--\n"
        )
    ],
    [
        'boundary with special characters' => body(
            q{Content-Type: multipart/mixed; boundary="'()+_,-./:=?"},
            "--'()+_,-./:=?\n$exe\n--'()+_,-./:=?--\n"
        )
    ],
    [
        'boundary like a regex' => body(
            'Content-Type: multipart/mixed; boundary="a.*[b"',
            "--a.*[b\n$exe\n--a.*[b--\n"
        )
    ],
    [
        'boundary in 8-bit' => body(
            qq{Content-Type: multipart/mixed; boundary="b\xe4"},
            "--b\xe4\n$exe\n--b\xe4--\n"
        )
    ],
    [
        'boundary in RFC 2231 pieces' => body(
            'Content-Type: multipart/mixed; boundary*0=b; boundary*1=1',
            "--b1\n$exe\n--b1--\n"
        )
    ],
    [
        'boundary encoded by RFC 2231' => body(
            q{Content-Type: multipart/mixed; boundary*=us-ascii''b%31},
            "--b1\n$exe\n--b1--\n"
        )
    ],
    [
        'two boundary parameters' => body(
            'Content-Type: multipart/mixed; boundary=b1; boundary=b2',
            "--b1\n$text\n--b1--\n--b2\n$exe\n--b2--\n"
        )
    ],
    [
        'two Content-Types, both multipart' => body(
            "$type\nContent-Type: multipart/mixed; boundary=b2",
            "--b1\n$text\n--b1--\n--b2\n$exe\n--b2--\n"
        )
    ],
    [
        'two Content-Types, text first' => body(
            "Content-Type: text/plain\n$type",
            "--b1\n$text\n--b1\n$exe\n--b1--\n"
        )
    ],
    [
        'two Content-Types, multipart first' => body(
            "$type\nContent-Type: text/plain",
            "--b1\n$text\n--b1\n$exe\n--b1--\n"
        )
    ],
    [
        'boundary in capitals in the body' =>
            body($type, "--B1\n$exe\n--B1--\n")
    ],
    [ 'blanks behind the boundary' => body($type, "--b1 \t\n$exe\n--b1-- \n") ],
    [ 'text behind the boundary'   => body($type, "--b1 xyz\n$exe\n--b1--\n") ],
    [ 'blank before the boundary'  => body($type, " --b1\n$exe\n --b1--\n") ],
    [
        'boundary that begins like another' => body(
            $type,
            "--b1\nContent-Type: multipart/mixed; boundary=b12\n\n--b12\n$text\n--b12\n$exe\n--b12--\n--b1--\n"
        )
    ],
    [
        'inner boundary is the outer one' => body(
            $type, "--b1\n$type\n\n--b1\n$text\n--b1\n$exe\n--b1--\n--b1--\n"
        )
    ],
    [
        'inner multipart is not ended' => body(
            $type,
            "--b1\nContent-Type: multipart/mixed; boundary=b2\n\n--b2\n$text\n--b1\n$exe\n--b1--\n"
        )
    ],
    [
        'last boundary, then more parts' =>
            body($type, "--b1\n$text\n--b1--\n--b1\n$exe\n--b1--\n")
    ],
    [ 'boundaries at the very ends' => body($type, "--b1\n$exe--b1--") ],
    [
        'no line end behind a part' =>
            body($type, "--b1\n\nHello--b1\n$exe\n--b1--\n")
    ],
    [ 'empty parts' => body($type, "--b1\n--b1\n\n--b1\n\n\n--b1--\n") ],
    [
        'part without an empty line' =>
            body($type, "--b1\nHello there\nnot a header\n--b1--\n")
    ],
    [
        'part with a header only' => body(
            $type, "--b1\nContent-Type: application/x; name=a.exe\n--b1--\n"
        )
    ],
    [ 'part with an empty header' => body($type, "--b1\n\nHello\n--b1--\n") ],
    [
        'parts with CRLF' => body(
            $type,
            "--b1\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b1\r\nContent-Type: application/x; name=a.exe\r\n\r\nMZ\r\n--b1--\r\n"
        )
    ],
    [
        'CRLF throughout' => mail($type, "--b1\n$text\n--b1\n$exe\n--b1--\n")
            =~ s/\n/\r\n/gr
    ],
    [
        'bare CR as line end' =>
            body($type, "--b1\r$text\r--b1\r$exe\r--b1--\r" =~ s/\n/\r/gr)
    ],
    [
        'bare CR in text' =>
            body('Content-Type: text/plain', "one\rtwo\r\rthree\n")
    ],
    [
        'bare CR before a boundary' =>
            body($type, "--b1\n\nHello\r--b1\r\nmore\n--b1\n$exe\n--b1--\n")
    ],
    [ 'NUL in a boundary line' => body($type, "--b1\0\n$exe\n--b1\0--\n") ],
    [ 'NUL in a part'          => body($type, "--b1\n\na\0b\n--b1--\n") ],
    [
        'vertical tab and form feed' =>
            body($type, "--b1\x0b\n$text\n--b1\x0c\n$exe\n--b1--\n")
    ],
    [
        'multipart/digest with odd types' => body(
            'Content-Type: multipart/digest; boundary=b1',
            "--b1\nContent-Type: text/plain\n\nHello\n--b1\n\nnot a message\n--b1--\n"
        )
    ],
    [
        'multipart/unknown' => body(
            'Content-Type: multipart/x-unknown; boundary=b1',
            "--b1\n$text\n--b1\n$exe\n--b1--\n"
        )
    ],
    [
        'Multipart in capitals' => body(
            'CONTENT-TYPE: MULTIPART/MIXED; BOUNDARY=b1',
            "--b1\n$text\n--b1\n$exe\n--b1--\n"
        )
    ],
    [
        'multipart/ without a subtype' => body(
            'Content-Type: multipart/; boundary=b1',
            "--b1\n$exe\n--b1--\n"
        )
    ],
    [
        'multipart without a slash' => body(
            'Content-Type: multipart; boundary=b1', "--b1\n$exe\n--b1--\n"
        )
    ],
    [
        'type with blanks' => body(
            'Content-Type: multipart / mixed ; boundary = b1',
            "--b1\n$exe\n--b1--\n"
        )
    ],
    [
        'type with a comment' => body(
            'Content-Type: multipart/mixed (parts); boundary=b1',
            "--b1\n$exe\n--b1--\n"
        )
    ],
    [ 'type empty'       => body('Content-Type:',     "Hello\n") ],
    [ 'type is nonsense' => body('Content-Type: ???', "Hello\n") ],
    [
        'type folded' => body(
            "Content-Type: multipart/mixed;\n\tboundary=\"b1\"",
            "--b1\n$exe\n--b1--\n"
        )
    ],
    [
        'boundary folded' => body(
            "Content-Type: multipart/mixed; boundary=\"b1\n \"",
            "--b1\n$exe\n--b1--\n"
        )
    ],
    [
        'text/plain with a boundary' => body(
            'Content-Type: text/plain; boundary=b1',
            "--b1\n$exe\n--b1--\n"
        )
    ],
    [ 'no MIME-Version' => mail($type, "--b1\n$text\n--b1\n$exe\n--b1--\n") ],
    [
        'MIME-Version 2.0' =>
            mail("MIME-Version: 2.0\n$type", "--b1\n$exe\n--b1--\n")
    ],
    [
        'partial' => body(
            'Content-Type: message/partial; id=a; number=1; total=2', "$exe"
        )
    ],
    [
        'external-body' => body(
            'Content-Type: message/external-body; access-type=URL; URL="http://x/"',
            "Content-Type: application/x-exe\n\n"
        )
    ],
];
