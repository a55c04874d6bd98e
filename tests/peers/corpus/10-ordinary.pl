#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Ordinary mail: what most programs send.
use v5.36;
use Corpus qw(mail multipart part attached filler octets base64 quoted);

my $html   = "<html><body><p>Hello</p></body></html>\n";
my $plain  = part('Content-Type: text/plain; charset=us-ascii', "Hello\n");
my $markup = part('Content-Type: text/html; charset=utf-8',     $html);
my $mixed  = multipart('mixed', 'b1', $plain, attached('a.pdf', octets(300)));

# A whole message of an entity.
sub whole ($entity, $head = '') {
    my ($fields, $body) = split /\n\n/, $entity, 2;
    return mail("${head}MIME-Version: 1.0\n$fields", $body);
}

[
    [ 'no MIME at all' => mail('', "Hello\n\nBye\n") ],
    [
        'text, us-ascii' =>
            mail("MIME-Version: 1.0\nContent-Type: text/plain", "Hello\n")
    ],
    [
        'text, utf-8, 8bit' => mail(
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                . 'Content-Transfer-Encoding: 8bit',
            "Gr\xc3\xbc\xc3\x9fe\n"
        )
    ],
    [
        'text, latin1, quoted-printable' => mail(
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\n"
                . 'Content-Transfer-Encoding: quoted-printable',
            quoted(
                      "Gr\xfc\xdfe, und noch viele andere W\xf6rter in einer "
                    . "Zeile, die zu lang ist f\xfcr eine\n= and more\n"
            )
        )
    ],
    [
        'text, base64' => mail(
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                . 'Content-Transfer-Encoding: base64',
            base64(filler(500))
        )
    ],
    [ 'html alone' => mail('Content-Type: text/html', $html) ],
    [
        'html without end tags' =>
            mail('Content-Type: text/html', "<p>Hello\n<p>more\n")
    ],
    [
        'html, end of html only' =>
            mail('Content-Type: text/html', "<html><p>Hello</html>\n")
    ],
    [
        'html in capitals' => mail(
            'Content-Type: TEXT/HTML; CHARSET=US-ASCII',
            "<HTML><BODY>Hello</BODY></HTML>\n"
        )
    ],
    [ 'alternative' => whole(multipart('alternative', 'b1', $plain, $markup)) ],
    [ 'mixed, text and pdf' => whole($mixed) ],
    [ 'mixed, one part'     => whole(multipart('mixed', 'b1', $plain)) ],
    [
        'alternative, one part' =>
            whole(multipart('alternative', 'b1', $markup))
    ],
    [
        'alternative in mixed' => whole(
            multipart(
                'mixed', 'b1',
                multipart('alternative', 'b2', $plain, $markup),
                attached('b.doc', octets(500, 2))
            )
        )
    ],
    [
        'related in alternative in mixed' => whole(
            multipart(
                'mixed', 'b1',
                multipart(
                    'alternative',
                    'b2', $plain,
                    multipart(
                        'related',
                        'b3', $markup,
                        part(
                            "Content-Type: image/png\nContent-ID: <logo\@x>\n"
                                . 'Content-Transfer-Encoding: base64',
                            base64(octets(200, 3))
                        )
                    )
                ),
                attached('c.xls', octets(700, 3))
            )
        )
    ],
    [
        'signed' => whole(
            multipart(
                'signed; micalg=pgp-sha256; protocol="application/pgp-signature"',
                'b1', $plain,
                part(
                    'Content-Type: application/pgp-signature; name=x.asc',
                    "-----BEGIN PGP SIGNATURE-----\nabc\n-----END PGP SIGNATURE-----\n"
                )
            )
        )
    ],
    [
        'encrypted' => whole(
            multipart(
                'encrypted; protocol="application/pgp-encrypted"',
                'b1',
                part('Content-Type: application/pgp-encrypted', "Version: 1\n"),
                part(
                    'Content-Type: application/octet-stream; name=msg.asc',
                    "-----BEGIN PGP MESSAGE-----\nabc\n-----END PGP MESSAGE-----\n"
                )
            )
        )
    ],
    [
        'bounce' => whole(
            multipart(
                'report; report-type=delivery-status',
                'b1', $plain,
                part(
                    'Content-Type: message/delivery-status',
                    "Reporting-MTA: dns; mx.example\n\n"
                        . "Final-Recipient: rfc822; x\@example\nAction: failed\nStatus: 5.1.1\n"
                ),
                part(
                    'Content-Type: text/rfc822-headers',
                    "From: a\@example\nSubject: lost\n"
                )
            )
        )
    ],
    [
        'calendar' => whole(
            multipart(
                'alternative',
                'b1', $plain,
                part(
                    'Content-Type: text/calendar; method=REQUEST; charset=utf-8',
                    "BEGIN:VCALENDAR\nEND:VCALENDAR\n"
                )
            )
        )
    ],
    [
        'mailing list footer' => whole(
            multipart(
                'mixed', 'b1', $plain,
                part(
                    "Content-Type: text/plain\nContent-Disposition: inline",
                    "_____\nlist footer\n"
                )
            )
        )
    ],
    [
        'text attached as file' => whole(
            multipart(
                'mixed', 'b1', $plain,
                part(
                    "Content-Type: text/plain; name=notes.txt\n"
                        . 'Content-Disposition: attachment; filename=notes.txt',
                    "some notes\n"
                )
            )
        )
    ],
    [
        'attachment alone, pdf' => mail(
            "MIME-Version: 1.0\nContent-Type: application/pdf; name=\"a.pdf\"\n"
                . "Content-Disposition: attachment; filename=\"a.pdf\"\n"
                . 'Content-Transfer-Encoding: base64',
            base64(octets(400))
        )
    ],
    [
        'attachment alone, exe' => mail(
            "MIME-Version: 1.0\nContent-Type: application/octet-stream; name=\"a.exe\"\n"
                . 'Content-Transfer-Encoding: base64',
            base64(octets(400))
        )
    ],
    [
        'two exe' => whole(
            multipart(
                'mixed', 'b1', $plain,
                attached('one.exe', octets(50, 4)),
                attached('two.EXE', octets(50, 5))
            )
        )
    ],
    [
        'only exe in mixed' =>
            whole(multipart('mixed', 'b1', attached('one.exe', octets(50, 4))))
    ],
    [
        'exe in alternative' =>
            whole(multipart('alternative', 'b1', attached('x.exe', octets(9))))
    ],
    [
        'winmail.dat' => whole(
            multipart(
                'mixed', 'b1', $plain,
                attached(
                    'winmail.dat',
                    "\x78\x9f\x3e\x22" . octets(200, 6),
                    'application/ms-tnef'
                )
            )
        )
    ],
    [
        'digest' => whole(
            multipart(
                'digest', 'b1',
                part('', "From: a\@example\nSubject: one\n\nfirst\n"),
                part(
                    'Content-Type: message/rfc822',
                    "From: b\@example\nSubject: two\n\nsecond\n"
                ),
                part('', "From: c\@example\nSubject: three\n\nthird\n")
            )
        )
    ],
    [
        'parallel' => whole(multipart('parallel', 'b1', $plain, $markup))
    ],
    [
        'preamble and epilogue' => mail(
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b1",
            "This is a message in several parts.\n\n--b1\n$plain\n--b1\n"
                . attached('x.exe', 'abc')
                . "\n--b1--\nand the rest\nof it\n"
        )
    ],
    [
              'delivery fields before' => "Return-Path: <from\@example.com>\n"
            . "Received: from a.example (a.example [192.0.2.1])\n"
            . "\tby mx.example with ESMTP id 1; Wed, 25 Nov 2026 12:00:00 +0000\n"
            . mail(
            "DKIM-Signature: v=1; a=rsa-sha256; d=example.com;\n\tb=abc\n"
                . "X-Mailer: none\nPrecedence: bulk",
            "Hello\n"
            )
    ],
    [
        'content fields of the top' => mail(
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8; format=flowed\n"
                . "Content-Language: de\nContent-Description: words\n"
                . "Content-ID: <a\@b>\nContent-Transfer-Encoding: 8bit",
            "Gr\xc3\xbc\xc3\x9fe\n"
        )
    ],
    [
        'multipart with content fields' => mail(
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b1\n"
                . "Content-Language: de\nContent-Transfer-Encoding: 8bit",
            "--b1\n$plain\n--b1\n" . attached('x.exe', 'abc') . "\n--b1--\n"
        )
    ],
];
