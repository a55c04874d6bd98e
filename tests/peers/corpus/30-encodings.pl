#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Transfer encodings and charsets, kept and broken; uuencode in text.
use v5.36;
use Corpus qw(mail multipart part attached filler octets base64 quoted
    uuencoded);

sub encoded ($encoding, $body, $type = 'text/plain; charset=utf-8') {
    return mail(
        "MIME-Version: 1.0\nContent-Type: $type\n"
            . "Content-Transfer-Encoding: $encoding",
        $body
    );
}

sub with_part ($encoding, $body, $type = 'application/octet-stream') {
    return mail(
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b1",
        "--b1\n\nHello\n--b1\nContent-Type: $type; name=a.exe\n"
            . "Content-Transfer-Encoding: $encoding\n\n$body\n--b1--\n"
    );
}

my $b64 = base64(octets(1000, 7));

[
    [ 'base64: lines of 60' => with_part('base64', $b64 =~ s/(.{60})/$1\n/gr) ],
    [ 'base64: one long line' => with_part('base64', $b64 =~ s/\n//gr) ],
    [
        'base64: blank lines' => with_part('base64', $b64 =~ s/\n/\n\n/gr)
    ],
    [ 'base64: blanks in it' => with_part('base64', $b64 =~ s/(.{7})/$1 /gr) ],
    [
        'base64: other characters' =>
            with_part('base64', $b64 =~ s/(.{9})/$1-!/gr)
    ],
    [ 'base64: no padding'       => with_part('base64', 'YWJjZA') ],
    [ 'base64: padding inside'   => with_part('base64', "YWI=YWI=\nYWI=\n") ],
    [ 'base64: too much padding' => with_part('base64', "YWJj====\nYWJj\n") ],
    [ 'base64: one character too many' => with_part('base64', "YWJjZ\n") ],
    [
        'base64: text behind it' =>
            with_part('base64', "YWJj\n\nThis is text.\n")
    ],
    [ 'base64: empty' => with_part('base64', '') ],
    [ 'base64: CRLF'  => with_part('base64', $b64 =~ s/\n/\r\n/gr) ],
    [ 'base64: text, long lines' => encoded('base64', base64('x' x 3000)) ],
    [
        'base64: with NUL and CR' =>
            with_part('base64', base64("a\0b\rc\r\nd\n"))
    ],
    [ 'base64 in capitals'    => with_part('BASE64',       $b64) ],
    [ 'base64 with a comment' => with_part('base64 (yes)', $b64) ],
    [ 'base64 in quotes'      => with_part('"base64"',     $b64) ],
    [ 'base64;'               => with_part('base64;',      $b64) ],
    [ 'base-64'               => with_part('base-64',      $b64) ],
    [ 'x-base64'              => with_part('x-base64',     $b64) ],
    [ 'two encodings, comma'  => with_part('base64, 7bit', $b64) ],
    [
        'two encodings, fields' =>
            with_part("7bit\nContent-Transfer-Encoding: base64", $b64)
    ],
    [ 'encoding empty'   => with_part('',       "abc\n") ],
    [ 'encoding unknown' => with_part('x-none', "abc\n") ],
    [
        'quoted: soft breaks' =>
            encoded('quoted-printable', "ab=\ncd= \nef=\t\ngh\n")
    ],
    [
        'quoted: blanks at the end' =>
            encoded('quoted-printable', "ab  \ncd\t\nef\n")
    ],
    [
        'quoted: small letters' =>
            encoded('quoted-printable', "Gr=c3=bc=c3=9fe\n")
    ],
    [
        'quoted: broken escapes' =>
            encoded('quoted-printable', "a=zz b=4 c=\n= d==41\n")
    ],
    [ 'quoted: 8-bit' => encoded('quoted-printable', "Gr\xc3\xbc=C3=9Fe\n") ],
    [ 'quoted: ends with =' => encoded('quoted-printable', 'abc=') ],
    [
        'quoted: long lines' => encoded('quoted-printable', ('x' x 2000) . "\n")
    ],
    [ 'quoted: CRLF' => encoded('quoted-printable', "a=\r\nb\r\nc\r\n") ],
    [
        'quoted: encoded line ends' =>
            encoded('quoted-printable', "a=0D=0Ab=0Ac=0D\n")
    ],
    [
        'quoted: from and dots' =>
            encoded('quoted-printable', "From here\n.\n=2E\n")
    ],
    [
        'binary' =>
            encoded('binary', octets(300, 8), 'application/octet-stream')
    ],
    [ '8bit data said to be 7bit' => encoded('7bit', "\xc3\xa4\xe4\n") ],
    [ 'long lines, 7bit'          => encoded('7bit', ('y' x 5000) . "\nz\n") ],
    [
        'charset unknown' =>
            encoded('8bit', "abc\xff\n", 'text/plain; charset=x-none')
    ],
    [ 'charset empty' => encoded('8bit', "abc\n", 'text/plain; charset=""') ],
    [
        'charset utf-16' => encoded(
            'base64',
            base64("\xff\xfea\0b\0"),
            'text/plain; charset=utf-16'
        )
    ],
    [
        'charset iso-2022-jp' => encoded(
            '7bit', "\e\$BF|K\\\e(B\n", 'text/plain; charset=iso-2022-jp'
        )
    ],
    [
        'charset utf-7' =>
            encoded('7bit', "+AOQ-\n", 'text/plain; charset=utf-7')
    ],
    [
        'charset with blanks' =>
            encoded('8bit', "\xc3\xa4\n", 'text/plain; charset = " utf-8 "')
    ],
    [
        'charset twice' => encoded(
            '8bit', "\xc3\xa4\n",
            'text/plain; charset=utf-8; charset=latin1'
        )
    ],
    [
        'multipart in base64' => mail(
            "Content-Type: multipart/mixed; boundary=b1\nContent-Transfer-Encoding: base64",
            base64("--b1\n\nHello\n--b1--\n")
        )
    ],
    [
        'rfc822 in base64' => with_part(
            'base64', base64("From: a\@b\nSubject: in\n\nHello\n"),
            'message/rfc822'
        )
    ],
    [ 'uuencode: alone' => mail('', uuencoded('a.exe', octets(100, 9))) ],
    [
        'uuencode: with text' => mail(
            '',
            "Look:\n\n"
                . uuencoded('a.exe', octets(100, 9))
                . "\nthat was it\n"
        )
    ],
    [
        'uuencode: two' => mail(
            '',
            uuencoded('a.exe', 'abc') . "and\n" . uuencoded('b.txt', "def\n")
        )
    ],
    [ 'uuencode: no end'  => mail('', "begin 644 a.exe\n#86)C\n") ],
    [ 'uuencode: no data' => mail('', "begin 644 a.exe\nend\n") ],
    [
        'uuencode: only looks like it' =>
            mail('', "begin 644 years ago\nand so on\n")
    ],
    [ 'uuencode: in capitals' => mail('', "BEGIN 644 a.exe\n#86)C\n`\nend\n") ],
    [
        'uuencode: mode of two digits' =>
            mail('', "begin 64 a.exe\n#86)C\n`\nend\n")
    ],
    [ 'uuencode: name with blanks' => mail('', uuencoded('a b c.exe', 'abc')) ],
    [
        'uuencode: broken lines' =>
            mail('', "begin 644 a.exe\nM!!\n~~~\n#86)C\n`\nend\n")
    ],
    [
        'uuencode: in a part of text' => mail(
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b1",
            "--b1\nContent-Type: text/plain\n\n"
                . uuencoded('a.exe', 'abc')
                . "\n--b1--\n"
        )
    ],
    [
        'uuencode: in html' => mail(
            'Content-Type: text/html', "<p>\n" . uuencoded('a.exe', 'abc')
        )
    ],
    [
        'uuencode: in quoted-printable' => encoded(
            'quoted-printable', uuencoded('a.exe', 'abc=') =~ s/=/=3D/gr
        )
    ],
    [
        'uuencode: as the encoding' =>
            with_part('x-uuencode', uuencoded('b.exe', octets(99, 3)))
    ],
    [
        'uuencode: as the encoding, no begin' =>
            with_part('uuencode', "#86)C\n`\nend\n")
    ],
    [
        'binhex' =>
            mail('', "(This file must be converted with BinHex 4.0)\n:abc:\n")
    ],
];
