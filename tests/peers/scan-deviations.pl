#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Where our worker differs from Debian's in what scan.t looks at, and why.  A
# deviation has "in": for "filter: message" the lines "- theirs" and "+ ours"; or
# "alike": what makes of a line of either side the line that is compared, undef
# if it does not count.  The list is also in docs/compatibility.md.  The value of
# this file is the list.
use v5.36;

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
            {
                with  => [ 'extensions: name: 2047, big5', ],
                lines => <<'END',
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY --=_b
+ NEWBODY --=_b--
+ NEWBODY Content-Transfer-Encoding: quoted-printable
+ NEWBODY Content-Type: text/plain
+ NEWBODY File =E4=B8=AD=E6=96=87.exe was removed
+ NEWBODY Hello
+ NEWBODY Warning: this message was changed.
+ RESULTS C
+ RESULTS F
+ RESULTS Mmultipart/mixed;%20boundary=%22=_b%22
+ answer ok
- answer worker ended, status 5632: open body: Invalid argument
END
            },
            {
                with  => [ 'extensions: name: 2047, iso-2022-jp', ],
                lines => <<'END',
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY --=_b
+ NEWBODY --=_b--
+ NEWBODY Content-Transfer-Encoding: quoted-printable
+ NEWBODY Content-Type: text/plain
+ NEWBODY File =E6=97=A5=E6=9C=AC.exe was removed
+ NEWBODY Hello
+ NEWBODY Warning: this message was changed.
+ RESULTS C
+ RESULTS F
+ RESULTS Mmultipart/mixed;%20boundary=%22=_b%22
+ answer ok
- answer worker ended, status 5632: open body: Invalid argument
END
            },
            {
                with  => [ 'extensions: name: 2231, utf-8', ],
                lines => <<'END',
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY --=_b
+ NEWBODY --=_b--
+ NEWBODY Content-Transfer-Encoding: quoted-printable
+ NEWBODY Content-Type: text/plain
+ NEWBODY File =E2=82=AC rates.exe was removed
+ NEWBODY Hello
+ NEWBODY Warning: this message was changed.
+ RESULTS C
+ RESULTS F
+ RESULTS Mmultipart/mixed;%20boundary=%22=_b%22
+ answer ok
- answer worker ended, status 5632: open body: Invalid argument
END
            },
            {
                with  => [ 'quarantine: name: 2047, big5', ],
                lines => <<'END',
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
+ NEWBODY Part =E4=B8=AD=E6=96=87.exe is kept
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
+ sent text Part \xe4\xb8\xad\xe6\x96\x87.exe was kept
+ sent text Part \xe4\xb8\xad\xe6\x96\x87.exe was refused
+ sent: sendmail -fdaemon@localhost -FDaemon -odd -Ac -oi -- <from@example.com>
+ sent: sendmail -fdaemon@localhost -FDaemon -odd -Ac -oi -- admin@localhost
- answer worker ended, status 5632: open body: Invalid argument
END
            },
            {
                with  => [ 'quarantine: name: 2047, iso-2022-jp', ],
                lines => <<'END',
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
+ NEWBODY Part =E6=97=A5=E6=9C=AC.exe is kept
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
+ sent text Part \xe6\x97\xa5\xe6\x9c\xac.exe was kept
+ sent text Part \xe6\x97\xa5\xe6\x9c\xac.exe was refused
+ sent: sendmail -fdaemon@localhost -FDaemon -odd -Ac -oi -- <from@example.com>
+ sent: sendmail -fdaemon@localhost -FDaemon -odd -Ac -oi -- admin@localhost
- answer worker ended, status 5632: open body: Invalid argument
END
            },
            {
                with  => [ 'quarantine: name: 2231, utf-8', ],
                lines => <<'END',
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
+ NEWBODY Part =E2=82=AC rates.exe is kept
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
+ sent text Part \xe2\x82\xac rates.exe was kept
+ sent text Part \xe2\x82\xac rates.exe was refused
+ sent: sendmail -fdaemon@localhost -FDaemon -odd -Ac -oi -- <from@example.com>
+ sent: sendmail -fdaemon@localhost -FDaemon -odd -Ac -oi -- admin@localhost
- answer worker ended, status 5632: open body: Invalid argument
END
            },
        ],
    },
    {
        name => 'utf-8-texts',
        why  => <<'WHY',
Texts of the filter are written as UTF-8, whichever characters they have.
WHY
        in => [
            {
                with =>
                    [ 'extensions: name: 2047, a character over two words', ],
                lines => <<'END',
+ NEWBODY File =C3=A4\x5cxC3\x5cxA4.exe was removed
- NEWBODY File =E4\x5cxC3\x5cxA4.exe was removed
END
            },
            {
                with  => [ 'extensions: name: 2047, utf-7', ],
                lines => <<'END',
+ NEWBODY File =C3=A4.exe was removed
- NEWBODY File =E4.exe was removed
END
            },
            {
                with  => [ 'extensions: name: 2231, latin1 and language', ],
                lines => <<'END',
+ NEWBODY File =C2=A3 rates.exe was removed
- NEWBODY File =A3 rates.exe was removed
END
            },
            {
                with => [
                    'extensions: name: 2231, pieces encoded',
                    'extensions: name: 2047, utf-8 base64',
                    'extensions: name: 2047, latin1 quoted',
                ],
                lines => <<'END',
+ NEWBODY File =C3=A4=C3=B6.exe was removed
- NEWBODY File =E4=F6.exe was removed
END
            },
            {
                with =>
                    [ 'quarantine: name: 2047, a character over two words', ],
                lines => <<'END',
+ ADMIN_NOTIFICATION Part \xc3\xa4\x5cxC3\x5cxA4.exe was kept
+ NEWBODY Part =C3=A4\x5cxC3\x5cxA4.exe is kept
+ NOTIFICATION Part \xc3\xa4\x5cxC3\x5cxA4.exe was refused
+ quarantine MSG.1 Part \xc3\xa4\x5cxC3\x5cxA4.exe is kept
+ sent text Part \xc3\xa4\x5cxC3\x5cxA4.exe was kept
+ sent text Part \xc3\xa4\x5cxC3\x5cxA4.exe was refused
- ADMIN_NOTIFICATION Part \xe4\x5cxC3\x5cxA4.exe was kept
- NEWBODY Part =E4\x5cxC3\x5cxA4.exe is kept
- NOTIFICATION Part \xe4\x5cxC3\x5cxA4.exe was refused
- quarantine MSG.1 Part \xe4\x5cxC3\x5cxA4.exe is kept
- sent text Part \xe4\x5cxC3\x5cxA4.exe was kept
- sent text Part \xe4\x5cxC3\x5cxA4.exe was refused
END
            },
            {
                with  => [ 'quarantine: name: 2047, utf-7', ],
                lines => <<'END',
+ ADMIN_NOTIFICATION Part \xc3\xa4.exe was kept
+ NEWBODY Part =C3=A4.exe is kept
+ NOTIFICATION Part \xc3\xa4.exe was refused
+ quarantine MSG.1 Part \xc3\xa4.exe is kept
+ sent text Part \xc3\xa4.exe was kept
+ sent text Part \xc3\xa4.exe was refused
- ADMIN_NOTIFICATION Part \xe4.exe was kept
- NEWBODY Part =E4.exe is kept
- NOTIFICATION Part \xe4.exe was refused
- quarantine MSG.1 Part \xe4.exe is kept
- sent text Part \xe4.exe was kept
- sent text Part \xe4.exe was refused
END
            },
            {
                with  => [ 'quarantine: name: 2231, latin1 and language', ],
                lines => <<'END',
+ ADMIN_NOTIFICATION Part \xc2\xa3 rates.exe was kept
+ NEWBODY Part =C2=A3 rates.exe is kept
+ NOTIFICATION Part \xc2\xa3 rates.exe was refused
+ quarantine MSG.1 Part \xc2\xa3 rates.exe is kept
+ sent text Part \xc2\xa3 rates.exe was kept
+ sent text Part \xc2\xa3 rates.exe was refused
- ADMIN_NOTIFICATION Part \xa3 rates.exe was kept
- NEWBODY Part =A3 rates.exe is kept
- NOTIFICATION Part \xa3 rates.exe was refused
- quarantine MSG.1 Part \xa3 rates.exe is kept
- sent text Part \xa3 rates.exe was kept
- sent text Part \xa3 rates.exe was refused
END
            },
            {
                with => [
                    'quarantine: name: 2231, pieces encoded',
                    'quarantine: name: 2047, utf-8 base64',
                    'quarantine: name: 2047, latin1 quoted',
                ],
                lines => <<'END',
+ ADMIN_NOTIFICATION Part \xc3\xa4\xc3\xb6.exe was kept
+ NEWBODY Part =C3=A4=C3=B6.exe is kept
+ NOTIFICATION Part \xc3\xa4\xc3\xb6.exe was refused
+ quarantine MSG.1 Part \xc3\xa4\xc3\xb6.exe is kept
+ sent text Part \xc3\xa4\xc3\xb6.exe was kept
+ sent text Part \xc3\xa4\xc3\xb6.exe was refused
- ADMIN_NOTIFICATION Part \xe4\xf6.exe was kept
- NEWBODY Part =E4=F6.exe is kept
- NOTIFICATION Part \xe4\xf6.exe was refused
- quarantine MSG.1 Part \xe4\xf6.exe is kept
- sent text Part \xe4\xf6.exe was kept
- sent text Part \xe4\xf6.exe was refused
END
            },
        ],
    },
    {
        name => 'unparseable-multipart',
        why  => <<'WHY',
A multipart without a boundary is a leaf of the type that MIME-tools give it, also for
the filter's fourth argument.
WHY
        in => [
            {
                with => [
                    'extensions: no boundary parameter',
                    'footer: no boundary parameter',
                    'quarantine: no boundary parameter',
                    'watch: no boundary parameter',
                ],
                lines => <<'END',
+ saw filter | application/x-unparseable-multipart, head 30:e06fd99e, Work/msg.dat, body 45:a379bc0b | '' | '' | 'application/x-unparseable-multipart'
- saw filter | application/x-unparseable-multipart, head 30:e06fd99e, Work/msg.dat, body 45:a379bc0b | '' | '' | 'multipart/mixed'
END
            },
            {
                with  => [ 'rebuild: no boundary parameter', ],
                lines => <<'END',
+ saw filter | application/x-unparseable-multipart, head 30:e06fd99e, Work/msg.dat, body 45:a379bc0b | '' | '' | 'application/x-unparseable-multipart'
- RESULTS JContent-Transfer-Encoding 1
- saw filter | application/x-unparseable-multipart, head 30:e06fd99e, Work/msg.dat, body 45:a379bc0b | '' | '' | 'multipart/mixed'
END
            },
        ],
    },
    {
        name => 'html-line-end',
        why  => <<'WHY',
To be mended: the peer ends appended HTML with a line end.
WHY
        in => [
            {
                with => [
                    'footer: html alone',
                    'footer: alternative',
                    'footer: alternative, one part',
                    'footer: alternative in mixed',
                    'footer: related in alternative in mixed',
                    'footer: parallel',
                ],
                lines => <<'END',
+ NEWBODY <html><body><p>Hello</p><p>A disclaimer.</p></body></html>
- NEWBODY </body></html>
- NEWBODY <html><body><p>Hello</p><p>A disclaimer.</p>
END
            },
            {
                with  => [ 'footer: html body without line end', ],
                lines => <<'END',
+ NEWBODY <body>x<p>A disclaimer.</p></body>
- NEWBODY </body>
- NEWBODY <body>x<p>A disclaimer.</p>
END
            },
            {
                with  => [ 'footer: html in capitals', ],
                lines => <<'END',
+ NEWBODY <HTML><BODY>Hello<p>A disclaimer.</p></BODY></HTML>
- NEWBODY </BODY></HTML>
- NEWBODY <HTML><BODY>Hello<p>A disclaimer.</p>
END
            },
            {
                with => [
                    'footer: html without end tags',
                    'footer: uuencode: in html',
                    'footer: no blank behind the colon',
                    'footer: Content-Type folded at once',
                ],
                lines => <<'END',
+ NEWBODY has no line end
- NEWBODY 
END
            },
            {
                with  => [ 'footer: html, end of html only', ],
                lines => <<'END',
+ NEWBODY <html><p>Hello<p>A disclaimer.</p></html>
- NEWBODY </html>
- NEWBODY <html><p>Hello<p>A disclaimer.</p>
END
            },
            {
                with  => [ 'footer: html: end tag with blanks', ],
                lines => <<'END',
+ NEWBODY <BODY>1<p>A disclaimer.</p></BODY  >
- NEWBODY </BODY  >
- NEWBODY <BODY>1<p>A disclaimer.</p>
END
            },
            {
                with  => [ 'footer: html: end tags in a comment', ],
                lines => <<'END',
+ NEWBODY <body><!-- </body> --><p>x<p>A disclaimer.</p></body>
- NEWBODY </body>
- NEWBODY <body><!-- </body> --><p>x<p>A disclaimer.</p>
END
            },
            {
                with  => [ 'footer: html: end tags in a script', ],
                lines => <<'END',
+ NEWBODY <body><script>'</body>'</script><p>x<p>A disclaimer.</p></body>
- NEWBODY </body>
- NEWBODY <body><script>'</body>'</script><p>x<p>A disclaimer.</p>
END
            },
            {
                with  => [ 'footer: html: text behind it', ],
                lines => <<'END',
+ NEWBODY <html><body>1<p>A disclaimer.</p></body></html>
- NEWBODY </body></html>
- NEWBODY <html><body>1<p>A disclaimer.</p>
END
            },
            {
                with  => [ 'footer: html: two bodies', ],
                lines => <<'END',
+ NEWBODY <body>1<p>A disclaimer.</p></body><body>2</body></html>
- NEWBODY </body><body>2</body></html>
- NEWBODY <body>1<p>A disclaimer.</p>
END
            },
        ],
    },
    {
        name => 'forwarded-texts',
        why  => <<'WHY',
To be mended: the peer leaves forwarded messages without a boilerplate.
WHY
        in => [
            {
                with  => [ 'footer: digest', ],
                lines => <<'END',
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY -- 
+ NEWBODY --b1
+ NEWBODY --b1
+ NEWBODY --b1
+ NEWBODY --b1--
+ NEWBODY A disclaimer.
+ NEWBODY Content-Type: message/rfc822
+ NEWBODY Content-Type: message/rfc822
+ NEWBODY Content-Type: message/rfc822
+ NEWBODY Content-Type: text/plain
+ NEWBODY Content-Type: text/plain
+ NEWBODY Content-Type: text/plain
+ NEWBODY From: a@example
+ NEWBODY From: b@example
+ NEWBODY From: c@example
+ NEWBODY Subject: one
+ NEWBODY Subject: three
+ NEWBODY Subject: two
+ NEWBODY first
+ NEWBODY second
+ NEWBODY third
+ RESULTS C
+ RESULTS Mmultipart/digest;%20boundary=%22b1%22
+ saw appended 1
- saw appended 0
END
            },
            {
                with  => [ 'footer: forwarded: From_ line', ],
                lines => <<'END',
+ NEWBODY 
+ NEWBODY 
+ NEWBODY -- 
+ NEWBODY A disclaimer.
+ NEWBODY Content-Type: text/plain
+ NEWBODY From a@b Wed Nov 25 12:00:00 2026
+ NEWBODY Hello
+ NEWBODY Subject: x
+ RESULTS C
+ RESULTS Mmessage/rfc822
+ saw appended 1
- saw appended 0
END
            },
            {
                with  => [ 'footer: forwarded: alone', ],
                lines => <<'END',
+ NEWBODY 
+ NEWBODY 
+ NEWBODY -- 
+ NEWBODY A disclaimer.
+ NEWBODY Content-Type: text/plain
+ NEWBODY Date: Wed, 25 Nov 2026 12:00:00 +0000
+ NEWBODY From: Sender <from@example.com>
+ NEWBODY Hello
+ NEWBODY Message-ID: <id@example.com>
+ NEWBODY Subject: in
+ NEWBODY To: to@example.net
+ RESULTS C
+ RESULTS Mmessage/rfc822
+ saw appended 1
- saw appended 0
END
            },
            {
                with => [
                    'footer: forwarded: empty',
                    'footer: forwarded: broken header',
                ],
                lines => <<'END',
+ NEWBODY 
+ NEWBODY 
+ NEWBODY -- 
+ NEWBODY A disclaimer.
+ NEWBODY Content-Type: text/plain
+ RESULTS C
+ RESULTS Mmessage/rfc822
+ saw appended 1
- saw appended 0
END
            },
            {
                with  => [ 'footer: forwarded: five deep', ],
                lines => <<'END',
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY 
+ NEWBODY -- 
+ NEWBODY A disclaimer.
+ NEWBODY Content-Type: message/rfc822
+ NEWBODY Content-Type: message/rfc822
+ NEWBODY Content-Type: message/rfc822
+ NEWBODY Content-Type: message/rfc822
+ NEWBODY Content-Type: text/plain
+ NEWBODY Date: Wed, 25 Nov 2026 12:00:00 +0000
+ NEWBODY Date: Wed, 25 Nov 2026 12:00:00 +0000
+ NEWBODY Date: Wed, 25 Nov 2026 12:00:00 +0000
+ NEWBODY Date: Wed, 25 Nov 2026 12:00:00 +0000
+ NEWBODY Date: Wed, 25 Nov 2026 12:00:00 +0000
+ NEWBODY From: Sender <from@example.com>
+ NEWBODY From: Sender <from@example.com>
+ NEWBODY From: Sender <from@example.com>
+ NEWBODY From: Sender <from@example.com>
+ NEWBODY From: Sender <from@example.com>
+ NEWBODY Message-ID: <id@example.com>
+ NEWBODY Message-ID: <id@example.com>
+ NEWBODY Message-ID: <id@example.com>
+ NEWBODY Message-ID: <id@example.com>
+ NEWBODY Message-ID: <id@example.com>
+ NEWBODY Subject: a message
+ NEWBODY Subject: a message
+ NEWBODY Subject: a message
+ NEWBODY Subject: a message
+ NEWBODY Subject: a message
+ NEWBODY To: to@example.net
+ NEWBODY To: to@example.net
+ NEWBODY To: to@example.net
+ NEWBODY To: to@example.net
+ NEWBODY To: to@example.net
+ NEWBODY deep
+ RESULTS C
+ RESULTS Mmessage/rfc822
+ saw appended 1
- saw appended 0
END
            },
            {
                with  => [ 'footer: forwarded: header only', ],
                lines => <<'END',
+ NEWBODY 
+ NEWBODY 
+ NEWBODY -- 
+ NEWBODY A disclaimer.
+ NEWBODY Content-Type: text/plain
+ NEWBODY Subject: x
+ RESULTS C
+ RESULTS Mmessage/rfc822
+ saw appended 1
- saw appended 0
END
            },
            {
                with  => [ 'footer: forwarded: no header', ],
                lines => <<'END',
+ NEWBODY 
+ NEWBODY 
+ NEWBODY -- 
+ NEWBODY A disclaimer.
+ NEWBODY Content-Type: text/plain
+ NEWBODY Hello
+ RESULTS C
+ RESULTS Mmessage/rfc822
+ saw appended 1
- saw appended 0
END
            },
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
];
