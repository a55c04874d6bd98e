#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Where our worker differs from Debian's in what scan.t looks at, and why.  A
# deviation has "in": for "filter: message" the lines "- theirs" and "+ ours"; or
# "alike": what makes of a line of either side the line that is compared, undef
# if it does not count.  The list is also in docs/compatibility.md.  The value of
# this file is the list.
use v5.36;

# Rows of "in" that are alike but for some words: {1} stands for the first behind
# the names of the messages.
sub each_of ($lines, @rows) {
    return map {
        my ($with, @words) = @$_;
        {
            with  => ref $with ? $with : [$with],
            lines => $lines =~ s/\{(\d)\}/$words[$1 - 1]/gr
        }
    } @rows;
}

[
    {
        name => 'mail-wording',
        why  => <<'WHY',
Mail that the bridge sends has our words, a complete header and an encoding.
WHY
        alike => sub ($line) {
            return $line
                if $line !~ /\Asent (?!(?:sendmail|From|To|Subject|text)\b)/;
            return;
        },
    },
    {
        name  => 'mail-names',
        why   => 'A name in From is quoted.',
        alike => sub ($line) { $line =~ s/\A(sent From: )"(\w+)"/$1$2/r },
    },
    {
        name  => 'warning-charset',
        why   => 'The part with the warnings says which charset it has.',
        alike => sub ($line) {
            $line
                =~ s{\A(NEWBODY Content-Type: text/plain; )charset="utf-8"; (?=name="warning)}{$1}r
                =~ s{\A(RESULTS Mtext/plain;%20)charset=%22utf-8%22;%20(?=name=%22warning)}{$1}r;
        },
    },

    # ---- messages
    {
        name => 'inner-part-fields',
        why  => <<'WHY',
An added part beside a top that cannot hold it: the old top becomes a part with its
Content fields only; the peer puts the whole header of the message there, and says
that all is binary.
WHY
        in => [
            {
                with => [
                    'extensions: calendar',
                    'extensions: exe in alternative',
                    'extensions: multipart/unknown',
                    'extensions: multipart/ without a subtype',
                    'extensions: multipart without a slash',
                    'extensions: type with blanks',
                    'quarantine: alternative',
                    'quarantine: alternative, one part',
                    'quarantine: signed',
                    'quarantine: encrypted',
                    'quarantine: bounce',
                    'quarantine: calendar',
                    'quarantine: exe in alternative',
                    'quarantine: digest',
                    'quarantine: parallel',
                    'quarantine: multipart/digest with odd types',
                    'quarantine: multipart/unknown',
                    'quarantine: multipart/ without a subtype',
                    'quarantine: multipart without a slash',
                    'quarantine: type with blanks',
                    'rebuild: exe in alternative',
                    'rebuild: multipart/ without a subtype',
                    'rebuild: multipart without a slash',
                    'rebuild: type with blanks',
                ],
                lines => <<'END',
- NEWBODY Date: Wed, 25 Nov 2026 12:00:00 +0000
- NEWBODY From: Sender <from@example.com>
- NEWBODY MIME-Version: 1.0
- NEWBODY Message-ID: <id@example.com>
- NEWBODY Subject: a message
- NEWBODY To: to@example.net
- RESULTS IContent-Transfer-Encoding 1 binary
END
            },
            {
                with => [
                    'extensions: forwarded: rfc822 in alternative',
                    'quarantine: forwarded: rfc822 in alternative',
                ],
                lines => <<'END',
- NEWBODY Date: Wed, 25 Nov 2026 12:00:00 +0000
- NEWBODY From: Sender <from@example.com>
- NEWBODY Message-ID: <id@example.com>
- NEWBODY Subject: a message
- NEWBODY To: to@example.net
- RESULTS IContent-Transfer-Encoding 1 binary
END
            },
        ],
    },
    {
        name => 'every-name',
        why  => <<'WHY',
A pattern is tried on every name that a part has: mail programs differ in which
one they show.
WHY
        in => [
            {
                with  => [ 'extensions: name: two dispositions', ],
                lines => <<'END',
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY --=_b
+ NEWBODY --=_b
+ NEWBODY --=_b--
+ NEWBODY Content-Disposition: inline; filename="warning1.txt"
+ NEWBODY Content-Transfer-Encoding: 7bit
+ NEWBODY Content-Type: text/plain
+ NEWBODY Content-Type: text/plain; name="warning1.txt"
+ NEWBODY File a.txt was removed
+ NEWBODY Hello
+ NEWBODY Warning: this message was changed.
+ RESULTS C
+ RESULTS Mmultipart/mixed;%20boundary=%22=_b%22
+ saw filter_end | multipart/mixed, head 201:e9cb0d77, parts 1, preamble 0:d41d8cd9, epilogue 0:d41d8cd9
- saw filter_end | multipart/mixed, head 201:e9cb0d77, parts 2, preamble 0:d41d8cd9, epilogue 0:d41d8cd9
END
            },
            {
                with  => [ 'extensions: two dispositions at the top', ],
                lines => <<'END',
+ NEWBODY 
+ NEWBODY File  was removed
+ NEWBODY Warning: this message was changed.
+ RESULTS C
+ RESULTS IContent-Disposition 1 inline;%20filename=%22warning1.txt%22
+ RESULTS IContent-Transfer-Encoding 1 7bit
+ RESULTS Mtext/plain;%20name=%22warning1.txt%22
+ saw filter_end | multipart/mixed, head 188:a2c709f7, parts 0, preamble 0:d41d8cd9, epilogue 0:d41d8cd9
- saw filter_end | multipart/mixed, head 188:a2c709f7, parts 1, preamble 0:d41d8cd9, epilogue 0:d41d8cd9
END
            },
        ],
    },
    {
        name => 'wide-names',
        why  => <<'WHY',
A name beyond Latin-1 in a text ends the peer's worker.
WHY
        in => [
            each_of(
                <<'END',
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY --=_b
+ NEWBODY --=_b--
+ NEWBODY Content-Transfer-Encoding: quoted-printable
+ NEWBODY Content-Type: text/plain
+ NEWBODY File {1}.exe was removed
+ NEWBODY Hello
+ NEWBODY Warning: this message was changed.
+ RESULTS C
+ RESULTS F
+ RESULTS Mmultipart/mixed;%20boundary=%22=_b%22
+ answer ok
- answer worker ended, status 5632: open body: Invalid argument
END
                [ 'extensions: name: 2047, big5',        '=E4=B8=AD=E6=96=87' ],
                [ 'extensions: name: 2047, iso-2022-jp', '=E6=97=A5=E6=9C=AC' ],
                [ 'extensions: name: 2231, utf-8',       '=E2=82=AC rates' ],
            ),
            each_of(
                <<'END',
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY --=_b
+ NEWBODY --=_b
+ NEWBODY --=_b--
+ NEWBODY An added part.
+ NEWBODY Content-Disposition: inline; filename="added.txt"
+ NEWBODY Content-Transfer-Encoding: 7bit
+ NEWBODY Content-Transfer-Encoding: quoted-printable
+ NEWBODY Content-Type: text/plain
+ NEWBODY Content-Type: text/plain; name="added.txt"
+ NEWBODY Hello
+ NEWBODY Part {1}.exe is kept
+ NEWBODY Warning: this message was changed.
+ RESULTS C
+ RESULTS F
+ RESULTS Mmultipart/mixed;%20boundary=%22=_b%22
+ answer ok
+ sent From: Daemon <daemon@localhost>
+ sent From: Daemon <daemon@localhost>
+ sent Subject: MIMEDefang Notification
+ sent Subject: MIMEDefang Notification
+ sent To: "Admin" <admin@localhost>
+ sent To: <from@example.com>
+ sent text Part {2}.exe was kept
+ sent text Part {2}.exe was refused
+ sent: sendmail -fdaemon@localhost -FDaemon -odd -Ac -oi -- <from@example.com>
+ sent: sendmail -fdaemon@localhost -FDaemon -odd -Ac -oi -- admin@localhost
- answer worker ended, status 5632: open body: Invalid argument
END
                [
                    'quarantine: name: 2047, big5', '=E4=B8=AD=E6=96=87',
                    '\xe4\xb8\xad\xe6\x96\x87'
                ],
                [
                    'quarantine: name: 2047, iso-2022-jp',
                    '=E6=97=A5=E6=9C=AC',
                    '\xe6\x97\xa5\xe6\x9c\xac'
                ],
                [
                    'quarantine: name: 2231, utf-8',
                    '=E2=82=AC rates',
                    '\xe2\x82\xac rates'
                ],
            ),
        ],
    },
    {
        name => 'utf-8-texts',
        why  => <<'WHY',
Texts of the filter are written as UTF-8, whichever characters they have.
WHY
        in => [
            each_of(
                <<'END',
+ NEWBODY File {1}.exe was removed
- NEWBODY File {2}.exe was removed
END
                [
                    'extensions: name: 2047, a character over two words',
                    '=C3=A4\x5cxC3\x5cxA4',
                    '=E4\x5cxC3\x5cxA4'
                ],
                [ 'extensions: name: 2047, utf-7', '=C3=A4', '=E4' ],
                [
                    'extensions: name: 2231, latin1 and language',
                    '=C2=A3 rates', '=A3 rates'
                ],
                [
                    [
                        'extensions: name: 2231, pieces encoded',
                        'extensions: name: 2047, utf-8 base64',
                        'extensions: name: 2047, latin1 quoted'
                    ],
                    '=C3=A4=C3=B6',
                    '=E4=F6'
                ],
            ),
            each_of(
                <<'END',
+ ADMIN_NOTIFICATION Part {3}.exe was kept
+ NEWBODY Part {1}.exe is kept
+ NOTIFICATION Part {3}.exe was refused
+ quarantine MSG.1 Part {3}.exe is kept
+ sent text Part {3}.exe was kept
+ sent text Part {3}.exe was refused
- ADMIN_NOTIFICATION Part {4}.exe was kept
- NEWBODY Part {2}.exe is kept
- NOTIFICATION Part {4}.exe was refused
- quarantine MSG.1 Part {4}.exe is kept
- sent text Part {4}.exe was kept
- sent text Part {4}.exe was refused
END
                [
                    'quarantine: name: 2047, a character over two words',
                    '=C3=A4\x5cxC3\x5cxA4',
                    '=E4\x5cxC3\x5cxA4',
                    '\xc3\xa4\x5cxC3\x5cxA4',
                    '\xe4\x5cxC3\x5cxA4'
                ],
                [
                    'quarantine: name: 2047, utf-7',
                    '=C3=A4', '=E4', '\xc3\xa4', '\xe4'
                ],
                [
                    'quarantine: name: 2231, latin1 and language',
                    '=C2=A3 rates', '=A3 rates', '\xc2\xa3 rates',
                    '\xa3 rates'
                ],
                [
                    [
                        'quarantine: name: 2231, pieces encoded',
                        'quarantine: name: 2047, utf-8 base64',
                        'quarantine: name: 2047, latin1 quoted'
                    ],
                    '=C3=A4=C3=B6',
                    '=E4=F6',
                    '\xc3\xa4\xc3\xb6',
                    '\xe4\xf6'
                ],
            ),
        ],
    },
    {
        name => 'names-as-written',
        why  => <<'WHY',
A name that cannot be parsed or decoded counts as it is written: mail programs show
it.
WHY
        in => [
            {
                with => [
                    'extensions: name: quote not closed',
                    'extensions: name: no semicolon',
                    'extensions: name: no type of disposition',
                ],
                lines => <<'END',
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY --=_b
+ NEWBODY --=_b
+ NEWBODY --=_b--
+ NEWBODY Content-Disposition: inline; filename="warning1.txt"
+ NEWBODY Content-Transfer-Encoding: 7bit
+ NEWBODY Content-Type: text/plain
+ NEWBODY Content-Type: text/plain; name="warning1.txt"
+ NEWBODY File  was removed
+ NEWBODY Hello
+ NEWBODY Warning: this message was changed.
+ RESULTS C
+ RESULTS Mmultipart/mixed;%20boundary=%22=_b%22
+ saw filter_end | multipart/mixed, head 201:e9cb0d77, parts 1, preamble 0:d41d8cd9, epilogue 0:d41d8cd9
- saw filter_end | multipart/mixed, head 201:e9cb0d77, parts 2, preamble 0:d41d8cd9, epilogue 0:d41d8cd9
END
            },
        ],
    },
    {
        name => 'empty-multipart',
        why  => <<'WHY',
A multipart in which there is no part is none of the parts that collect_parts finds.
WHY
        in => [
            each_of(
                <<'END',
+ saw all, 0
+ saw all, 1
- saw all, 0 | multipart/mixed, {1}, parts 0, {2}, epilogue 0:d41d8cd9
- saw all, 1 | multipart/mixed, {1}, parts 0, {2}, epilogue 0:d41d8cd9
END
                [
                    'watch: NUL in a boundary line',
                    'head 198:f71f5d63',
                    'preamble 69:88905ddb'
                ],
                [
                    'watch: bare CR as line end',
                    'head 198:f71f5d63',
                    'preamble 105:5245c762'
                ],
                [
                    'watch: blank before the boundary',
                    'head 198:f71f5d63',
                    'preamble 69:60c6c930'
                ],
                [
                    'watch: boundary encoded by RFC 2231',
                    'head 211:13c6d699',
                    'preamble 67:d92bb7de'
                ],
                [
                    'watch: boundary folded',
                    'head 202:6e45de3f',
                    'preamble 67:d92bb7de'
                ],
                [
                    'watch: boundary in capitals in the body',
                    'head 198:f71f5d63',
                    'preamble 67:4090f8e1'
                ],
                [
                    'watch: boundary of blanks',
                    'head 200:65ad0b15',
                    'preamble 37:9f250387'
                ],
                [
                    'watch: boundary with a blank at its end',
                    'head 201:83378dd1',
                    'preamble 38:04d91161'
                ],
                [
                    [ 'watch: empty body', 'watch: only the last boundary' ],
                    'head 198:f71f5d63',
                    'preamble 0:d41d8cd9'
                ],
                [
                    'watch: multipart in base64',
                    'head 214:bda02384',
                    'preamble 28:99e4a443'
                ],
                [
                    'watch: no boundary in the body',
                    'head 198:f71f5d63',
                    'preamble 11:04567fad'
                ],
                [
                    'watch: text behind the boundary',
                    'head 198:f71f5d63',
                    'preamble 64:e10226ae'
                ],
                [
                    'watch: vertical tab and form feed',
                    'head 198:f71f5d63',
                    'preamble 100:ba2c516b'
                ],
            ),
        ],
    },
    {
        name => 'unparseable-multipart',
        why  => <<'WHY',
A multipart without a boundary is a leaf of the type that MIME-tools give it, also for
the filter's fourth argument, and for find_part. Its content survives rebuilding.
WHY
        in => [
            {
                with => [
                    'extensions: no boundary parameter',
                    'footer: no boundary parameter',
                ],
                lines => <<'END',
+ saw filter | application/x-unparseable-multipart, head 30:e06fd99e, Work/msg.dat, body 45:a379bc0b | '' | '' | 'application/x-unparseable-multipart'
- saw filter | application/x-unparseable-multipart, head 30:e06fd99e, Work/msg.dat, body 45:a379bc0b | '' | '' | 'multipart/mixed'
END
            },
            {
                with  => [ 'quarantine: no boundary parameter', ],
                lines => <<'END',
+ NEWBODY 
+ NEWBODY --b1
+ NEWBODY --b1--
+ NEWBODY Content-Type: text/plain
+ NEWBODY Hello
+ saw filter | application/x-unparseable-multipart, head 30:e06fd99e, Work/msg.dat, body 45:a379bc0b | '' | '' | 'application/x-unparseable-multipart'
- NEWBODY ----
- NEWBODY This is a multi-part message in MIME format...
- saw filter | application/x-unparseable-multipart, head 30:e06fd99e, Work/msg.dat, body 45:a379bc0b | '' | '' | 'multipart/mixed'
END
            },
            {
                with  => [ 'rebuild: no boundary parameter', ],
                lines => <<'END',
+ NEWBODY 
+ NEWBODY --b1
+ NEWBODY --b1--
+ NEWBODY Content-Type: text/plain
+ NEWBODY Hello
+ saw filter | application/x-unparseable-multipart, head 30:e06fd99e, Work/msg.dat, body 45:a379bc0b | '' | '' | 'application/x-unparseable-multipart'
- NEWBODY ----
- NEWBODY This is a multi-part message in MIME format...
- RESULTS JContent-Transfer-Encoding 1
- saw filter | application/x-unparseable-multipart, head 30:e06fd99e, Work/msg.dat, body 45:a379bc0b | '' | '' | 'multipart/mixed'
END
            },
            {
                with  => [ 'watch: no boundary parameter', ],
                lines => <<'END',
+ saw filter | application/x-unparseable-multipart, head 30:e06fd99e, Work/msg.dat, body 45:a379bc0b | '' | '' | 'application/x-unparseable-multipart'
+ saw first multipart/mixed, 0
+ saw first multipart/mixed, 1
- saw filter | application/x-unparseable-multipart, head 30:e06fd99e, Work/msg.dat, body 45:a379bc0b | '' | '' | 'multipart/mixed'
- saw first multipart/mixed, 0 | application/x-unparseable-multipart, head 30:e06fd99e, Work/msg.dat, body 45:a379bc0b
- saw first multipart/mixed, 1 | application/x-unparseable-multipart, head 30:e06fd99e, Work/msg.dat, body 45:a379bc0b
END
            },
        ],
    },
];
