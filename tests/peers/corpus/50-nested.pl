#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Messages in messages; many parts; large ones.
use v5.36;
use Corpus qw(mail multipart part attached filler octets base64 quoted);

my $text = "Content-Type: text/plain\n\nHello\n";

sub rfc822 ($message, $head = '') {
    return part("Content-Type: message/rfc822$head", $message);
}

sub in_mixed (@parts) {
    return mail(
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b1",
        multipart('mixed', 'b1', @parts) =~ s/\A.*?\n\n//sr
    );
}

# A message in a message in a message...
sub deep ($n) {
    return $n
        ? mail('Content-Type: message/rfc822', deep($n - 1))
        : mail('',                             "deep\n");
}

sub deep_multipart ($n) {
    return "Content-Type: text/plain\n\ndeep\n" if !$n;
    return multipart(
        'mixed', "n$n",
        deep_multipart($n - 1),
        $n % 3 ? () : attached("f$n.exe", "abc$n")
    );
}

my $inner = mail(
    "Subject: inner\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=i1",
    multipart('mixed', 'i1', $text, attached('in.exe', 'abc'))
        =~ s/\A.*?\n\n//sr
);

[
    [
        'forwarded: alone' => mail(
            'Content-Type: message/rfc822', mail('Subject: in', "Hello\n")
        )
    ],
    [
        'forwarded: in mixed' =>
            in_mixed($text, rfc822(mail('Subject: in', "Hello\n")))
    ],
    [ 'forwarded: with exe' => in_mixed($text, rfc822($inner)) ],
    [
        'forwarded: html, then text' => in_mixed(
            rfc822(mail('Content-Type: text/html', "<p>in</p>\n")),
            rfc822(mail('',                        "in\n")),
            multipart(
                'mixed',                                    'b2',
                "Content-Type: text/html\n\n<p>deep</p>\n", $text
            )
        )
    ],
    [
        'forwarded: with a name' =>
            in_mixed($text, rfc822($inner, '; name="mail.eml"'))
    ],
    [
        'forwarded: name ends with exe' =>
            in_mixed($text, rfc822($inner, '; name="mail.exe"'))
    ],
    [
        'forwarded: twice' => in_mixed(
            $text, rfc822(mail('Content-Type: message/rfc822', $inner))
        )
    ],
    [ 'forwarded: five deep'   => deep(5) ],
    [ 'forwarded: empty'       => in_mixed(rfc822('')) ],
    [ 'forwarded: header only' => in_mixed(rfc822("Subject: x\n")) ],
    [ 'forwarded: no header'   => in_mixed(rfc822("\nHello\n")) ],
    [
        'forwarded: broken header' =>
            in_mixed(rfc822("this is no header\nHello\n"))
    ],
    [
        'forwarded: From_ line' => in_mixed(
            rfc822("From a\@b Wed Nov 25 12:00:00 2026\nSubject: x\n\nHello\n")
        )
    ],
    [
        'forwarded: rfc822 in alternative' => mail(
            'Content-Type: multipart/alternative; boundary=b1',
            multipart('alternative', 'b1', $text, rfc822($inner))
                =~ s/\A.*?\n\n//sr
        )
    ],
    [
        'forwarded: message/global' =>
            in_mixed(part('Content-Type: message/global', $inner))
    ],
    [
        'forwarded: message/news' =>
            in_mixed(part('Content-Type: message/news', $inner))
    ],
    [
        'multiparts, ten deep' => mail(
            'Content-Type: multipart/mixed; boundary=n10',
            deep_multipart(10) =~ s/\A.*?\n\n//sr
        )
    ],
    [
        'multiparts, thirty deep' => mail(
            'Content-Type: multipart/mixed; boundary=n30',
            deep_multipart(30) =~ s/\A.*?\n\n//sr
        )
    ],
    [
        '20 parts' => in_mixed(
            map { part("Content-Type: text/plain; name=p$_.txt", "$_\n") }
                1 .. 20
        )
    ],
    [
        '500 parts' =>
            in_mixed(map { part('Content-Type: text/plain', "$_\n") } 1 .. 500)
    ],
    [
        '60 parts, exe' => in_mixed(
            map { attached("p$_." . ($_ % 2 ? 'exe' : 'txt'), "$_\n") } 1 .. 60
        )
    ],
    [ '100 KB of text' => mail('', filler(100_000, 11)) ],
    [
        '100 KB quoted-printable' => mail(
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable",
            quoted(filler(100_000, 12) =~ s/o/\xc3\xb6/gr)
        )
    ],
    [
        '100 KB attached' =>
            in_mixed($text, attached('a.bin', octets(100_000, 13)))
    ],
    [
        '300 KB attached, exe' =>
            in_mixed($text, attached('a.exe', octets(300_000, 14)))
    ],
    [
        '20 levels of quotes' =>
            mail('', join '', map { ('> ' x $_) . "said\n" } 1 .. 20)
    ],
    [ '70,000 octets in a line'       => mail('', 'x' x 70_000 . "\n") ],
    [ 'a million empty lines, nearly' => mail('', "\n" x 200_000) ],
];
