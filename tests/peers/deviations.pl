#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Where our front-end differs from Debian's mimedefang, in which sessions of
# sessions/ ("name", or "name, options"), and why: lines "- theirs" and
# "+ ours", "- log theirs" for a line that we do not log.  The list is also in
# docs/compatibility.md.  The value of this file is the list.
use v5.36;

[
    {
        name => 'scanned-by-address',
        why  => <<'WHY',
X-Scanned-By names the address of the interface, as documented; the peer
forgets it at MAIL.
WHY
        in => {
            'Sendmail 8.17, no checks' => <<'END',
+ eom: add_header X-Scanned-By MIMEDefang VERSION on 192.0.2.99
- eom: add_header X-Scanned-By MIMEDefang VERSION
END
            'Sendmail 8.12' => <<'END',
+ eom: add_header X-Scanned-By MIMEDefang VERSION on 192.0.2.99
- eom: add_header X-Scanned-By MIMEDefang VERSION
END
            'interface address' => <<'END',
+ eom: add_header X-Scanned-By MIMEDefang VERSION on 192.0.2.99
- eom: add_header X-Scanned-By MIMEDefang VERSION
END
            'Sendmail 8.17, -r -H -s -t' => <<'END',
+ eom: add_header X-Scanned-By MIMEDefang VERSION on 192.0.2.99
- eom: add_header X-Scanned-By MIMEDefang VERSION
END
            'Sendmail 8.13, -r -H -s -t' => <<'END',
+ eom: add_header X-Scanned-By MIMEDefang VERSION on 192.0.2.99
- eom: add_header X-Scanned-By MIMEDefang VERSION
END
            'macro lists, -r -H -s -t -y' => <<'END',
+ eom: add_header X-Scanned-By MIMEDefang VERSION on 192.0.2.99
- eom: add_header X-Scanned-By MIMEDefang VERSION
END
        },
    },
    {
        name => 'crlf-in-fields',
        why  => <<'WHY',
CR before LF in a field is dropped in INPUTMSG, as later versions of
MIMEDefang do.
WHY
        in => {
            'folded with CR LF' => <<'END',
+   INPUTMSG Subject: a
+   INPUTMSG \x09b
-   INPUTMSG Subject: a\x0d
-   INPUTMSG \x09b\x0d
END
            'two CR' => <<'END',
+   INPUTMSG Subject: foo 
-   INPUTMSG Subject: foo \x0d
END
            'folded subject' => <<'END',
+   INPUTMSG Message-ID: 
+   INPUTMSG Subject: one
-   INPUTMSG Message-ID: \x0d
-   INPUTMSG Subject: one\x0d
END
        },
    },
    {
        name => 'content-types-downwards',
        why  => <<'WHY',
Superfluous Content-Type fields are deleted from the last one on: right for
every MTA, also those that count anew after each deletion.
WHY
        in => {
            'three Content-Types' => <<'END',
+ eom: change_header 2 Content-Type 
- eom: change_header 2 Content-Type 
END
        },
    },
    {
        name => 'validation-header',
        why  => <<'WHY',
The name of the validation header is compared without regard to case, and
every occurrence is deleted, so that the secret does not leave.
WHY
        in => {
            'a validation header of another case' => <<'END',
+   COMMANDS J9.8.7.6
+ eom: change_header 1 X-MIMEDefang-Relay-0123456789 
END
            'validation headers that are none' => <<'END',
+ eom: change_header 1 X-MIMEDefang-Relay-0123456789 
+ eom: change_header 2 X-MIMEDefang-Relay-0123456789 
+ eom: change_header 3 X-MIMEDefang-Relay-0123456789 
+ eom: change_header 4 X-MIMEDefang-Relay-0123456789 
END
            'two validation headers' => <<'END',
+ eom: change_header 2 X-MIMEDefang-Relay-0123456789 
END
        },
    },
    {
        name => 'libmilter-closes',
        why  => <<'WHY',
libmilter closes a connection on which a header has no name or is too long, or a
chunk of the body is empty; our sessions refuse the first two, where nothing is
answered before the end of the message, and take the third.
WHY
        in => {
            'empty name' => <<'END',
+ body: c
+ eoh: c
+ eom: the filter closed the connection
+ header: c
- header: the filter closed the connection
END
            'a header of 1 MiB in lines' => <<'END',
+ body: c
+ eoh: c
+ eom: the filter closed the connection
+ header: c
- header: the filter closed the connection
END
            'an empty chunk' => <<'END',
+   (modes) 0700 with 0600 
+   COMMANDS =client_port 4321
+   COMMANDS Eclient.example
+   COMMANDS F
+   COMMANDS H[192.0.2.1]
+   COMMANDS I192.0.2.1
+   COMMANDS R<to@example.org> ? ? ?
+   COMMANDS S<from@example.org>
+   COMMANDS Uhi
+   COMMANDS iID
+   HEADERS Subject: hi
+   INPUTMSG 
+   INPUTMSG Subject: hi
+   asks scan NOQUEUE SPOOL/mdefang-ID
+ body: c
+ eom: add_header X-Scanned-By MIMEDefang VERSION on 127.0.0.1
+ eom: c
- body: the filter closed the connection
END
        },
    },
    {
        name => 'cr-at-the-end',
        why  => <<'WHY',
A CR as the last octet of the body is a bare CR: kept, and told.
WHY
        in => {
            'CR at the end' => <<'END',
+   COMMANDS ?
+   INPUTMSG a\x0d (no LF)
-   INPUTMSG a (no LF)
END
        },
    },
    {
        name => 'results-whole',
        why  => <<'WHY',
RESULTS is read whole before the first change leaves (choice:results-whole),
and a file without F is a failed filter for -k, too.
WHY
        in => {
            'no F' => <<'END',
- eom: add_header X-A a
END
            'NUL in RESULTS' => <<'END',
- eom: add_header X-A b
END
            'RESULTS without F, -k' => <<'END',
+ left mdefang-Q4: COMMANDS HEADERS INPUTMSG KEPT RESULTS
- eom: add_header X-A b
END
        },
    },
    {
        name => 'refused-change',
        why  => <<'WHY',
A change that cannot be carried out fails the whole message
(choice:refused-change).
WHY
        in => {
            'a name with a blank' => <<'END',
+ eom: t
- eom: add_header X-A b
- eom: add_header X-B C d
- eom: add_header X-Scanned-By MIMEDefang VERSION on 127.0.0.1
- eom: c
END
            'a recipient that is none' => <<'END',
+ eom: t
- eom: add_header X-Scanned-By MIMEDefang VERSION on 127.0.0.1
- eom: c
- log warning mimedefang: NOQUEUE: smfi_delrcpt returned MI_FAILURE
END
            'sender that is none' => <<'END',
+ eom: t
- eom: add_header X-Scanned-By MIMEDefang VERSION on 127.0.0.1
- eom: c
END
            'a name that is none' => <<'END',
+ eom: t
- eom: add_header : b
- eom: add_header X-A b
- eom: add_header X-Scanned-By MIMEDefang VERSION on 127.0.0.1
- eom: c
END
            'changes that the MTA did not offer' => <<'END',
+ eom: t
- eom: add_header X-Scanned-By MIMEDefang VERSION on 127.0.0.1
- eom: c
- log warning mimedefang: NOQUEUE: do_sm_quarantine returned MI_FAILURE
- log warning mimedefang: NOQUEUE: smfi_chgfrom returned MI_FAILURE
END
        },
    },
    {
        name => 'header-lf',
        why  => <<'WHY',
No CR reaches a header value, and an LF that begins no continuation line is a
blank (choice:header-lf).
WHY
        in => {
            'add a folded field' => <<'END',
+ eom: add_header X-A one\x0a\x09two three
- eom: add_header X-A one\x0d\x0a\x09two\x0athree
END
            'Content-Type' => <<'END',
+ eom: change_header 1 Content-Type text/html;\x0a\x09charset=x
- eom: change_header 1 Content-Type text/html;\x0d\x0a\x09charset=x
END
            'CR LF' => <<'END',
+ eom: add_header X-A b
- eom: add_header X-A b\x0d
END
        },
    },
    {
        name => 'quarantine-reason',
        why  => <<'WHY',
choice:quarantine-reason
WHY
        in => {
            'quarantine without a reason' => <<'END',
+ eom: quarantine no reason
- log warning mimedefang: NOQUEUE: do_sm_quarantine returned MI_FAILURE
END
        },
    },
    {
        name => 'body-line-ends',
        why  => <<'WHY',
LF in NEWBODY becomes CR LF, as the milter protocol asks.
WHY
        in => {
            'body' => <<'END',
+ eom: body new\x0d\x0abody\x0d\x0aend
- eom: body new\x0abody\x0d\x0aend
END
        },
    },
    {
        name => 'empty-newbody',
        why  => <<'WHY',
An empty NEWBODY empties the body; the peer keeps the old one.
WHY
        in => {
            'an empty body' => <<'END',
+ eom: body 
END
        },
    },
    {
        name => 'no-follow',
        why  => <<'WHY',
Symbolic links are not followed (choice:no-follow).
WHY
        in => {
            'NEWBODY is a link' => <<'END',
+ eom: t
- eom: add_header X-Scanned-By MIMEDefang VERSION on 127.0.0.1
- eom: body 127.0.0.1 localhost\x0a127.0.0.1 runsc\x0a127.0.0.1 vm\x0a
- eom: c
END
            'RESULTS is a link' => <<'END',
- log err mimedefang: NOQUEUE: RESULTS file did not finish with 'F' line: Tempfailing
- log warning mimedefang: NOQUEUE: Unknown command '1' in RESULTS file
- log warning mimedefang: NOQUEUE: Unknown command '1' in RESULTS file
- log warning mimedefang: NOQUEUE: Unknown command '1' in RESULTS file
END
        },
    },
    {
        name => 'after-f',
        why  => <<'WHY',
Nothing after F counts; the peer looks for verdicts in the whole file, and
then leaves out the changes.
WHY
        in => {
            'a verdict after F' => <<'END',
+ eom: add_header X-A b
+ eom: add_header X-Scanned-By MIMEDefang VERSION on 127.0.0.1
END
        },
    },
    {
        name => 'log-is-clean',
        why  => <<'WHY',
No control character reaches our log, and only the first line of an answer.
WHY
        in => {
            'an empty line' => <<'END',
- log warning mimedefang: NOQUEUE: Unknown command '\x00' in RESULTS file
END
            'scan: CR LF' => <<'END',
- log err mimedefang: NOQUEUE: Error from multiplexor: ok\x0d
END
            'scan: two lines' => <<'END',
- log err mimedefang: NOQUEUE: Error from multiplexor: ok\x0aok
END
        },
    },
    {
        name => 'sweep',
        why  => <<'WHY',
A directory that is kept on purpose has a mark, so that no later start takes it
for one that a crash left (choice:sweep).
WHY
        in => {
            'directories stay, -d' => <<'END',
+ left mdefang-Q1: COMMANDS HEADERS INPUTMSG KEPT RESULTS
- left mdefang-Q1: COMMANDS HEADERS INPUTMSG RESULTS
END
            'a failed scan, -k' => <<'END',
+ left mdefang-Q1: COMMANDS HEADERS INPUTMSG KEPT RESULTS
- left mdefang-Q1: COMMANDS HEADERS INPUTMSG RESULTS
END
            'no RESULTS, -k' => <<'END',
+ left mdefang-Q2: COMMANDS HEADERS INPUTMSG KEPT
- left mdefang-Q2: COMMANDS HEADERS INPUTMSG
END
        },
    },
    {
        name => 'retry-once',
        why  => <<'WHY',
A message that killed two workers is kept (choice:retry-once).
WHY
        in => {
            'scan: ERR' => <<'END',
+ left mdefang-ID: COMMANDS HEADERS INPUTMSG KEPT RESULTS
END
        },
    },
    {
        name => 'local-clients',
        why  => <<'WHY',
choice:local-clients
WHY
        in => {
            '127.0.0.2 is local, -R 1' => <<'END',
+ connect: c
- connect: t
- log warning mimedefang: mfconnect: No free workers: Need 2, found 0
END
            'a UNIX-domain client is local, -R 1' => <<'END',
+ connect: c
- connect: t
- log warning mimedefang: mfconnect: No free workers: Need 2, found 0
END
        },
    },
    {
        name => 'placeholders',
        why  => <<'WHY',
No word of a request is ever empty: workers split at runs of blanks.
WHY
        in => {
            'empty HELO, -r -H -s -t' => <<'END',
+   asks helook 192.0.2.1 [192.0.2.1] UNKNOWN 4321 127.0.0.1 0 NOQUEUE
+   asks recipok <to@example.org> <from@example.org> 192.0.2.1 [192.0.2.1] <to@example.org> UNKNOWN SPOOL/mdefang-ID NOQUEUE ? ? ?
+   asks senderok <from@example.org> 192.0.2.1 [192.0.2.1] UNKNOWN SPOOL/mdefang-ID NOQUEUE
-   asks helook 192.0.2.1 [192.0.2.1]  4321 127.0.0.1 0 NOQUEUE
-   asks recipok <to@example.org> <from@example.org> 192.0.2.1 [192.0.2.1] <to@example.org>  SPOOL/mdefang-ID NOQUEUE ? ? ?
-   asks senderok <from@example.org> 192.0.2.1 [192.0.2.1]  SPOOL/mdefang-ID NOQUEUE
END
            'odd addresses, -r -H -s -t' => <<'END',
+   asks senderok <%22a%20b%22%25c%27d%5Ce%E9@x> 192.0.2.1 [192.0.2.1] client.example SPOOL/mdefang-ID NOQUEUE X=1%202
-   asks senderok <%22a%20b%22%25c%27d%5Ce%E9@x> 192.0.2.1 [192.0.2.1] client.example SPOOL/mdefang-ID NOQUEUE X=1%202 
END
        },
    },
    {
        name => 'queue-id-as-path',
        why  => <<'WHY',
A queue id that is no good in a path names no directory; the identifier does.
WHY
        in => {
            'queue id with a slash, -r -H -s -t' => <<'END',
+   (modes) 0700 with 0600 
+   COMMANDS =client_port 4321
+   COMMANDS =i ../x
+   COMMANDS Eclient.example
+   COMMANDS H[192.0.2.1]
+   COMMANDS I192.0.2.1
+   COMMANDS Q../x
+   COMMANDS S<from@example.org>
+   COMMANDS iID
+   asks senderok <from@example.org> 192.0.2.1 [192.0.2.1] client.example SPOOL/mdefang-ID ../x
+ mail: c
- log warning mimedefang: ../x: Could not create directory SPOOL/mdefang-../x: No such file or directory
- mail: t
END
        },
    },
    {
        name => 'early-discard',
        why  => <<'WHY',
choice:early-discard
WHY
        in => {
            'discard to helook, -r -H -s -t' => <<'END',
+ helo: c
- helo: d
END
            'discard to relayok, -r -H -s -t' => <<'END',
+ connect: c
- connect: d
END
        },
    },
    {
        name => 'reply-ascii',
        why  => <<'WHY',
An octet beyond ASCII in a reply becomes a question mark, not a blank.
WHY
        in => {
            '8 bit in a text to senderok, -r -H -s -t' => <<'END',
+ mail: y 550 5.7.9 gr????
- mail: y 550 5.7.9 gr    
END
        },
    },
    {
        name => 'reply-line-cut',
        why  => <<'WHY',
choice:reply-line-cut
WHY
        in => {
            'a text of 2000 to senderok, -r -H -s -t' => <<'END',
+ mail: y 550 5.7.9 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... (990 octets, 6e566de1)
- log warning mimedefang: NOQUEUE: set_reply returned MI_FAILURE
- mail: r
END
            'a long second line to senderok, -r -H -s -t' => <<'END',
+ mail: y 550-5.7.9 first\x0d\x0a550 5.7.9 xxxxxxxxxxxxxxxxxxxxxxxxxxx... (1007 octets, 5025197c)
- log warning mimedefang: NOQUEUE: set_reply returned MI_FAILURE
- mail: r
END
        },
    },
    {
        name => 'multiplexor-wait',
        why  => <<'WHY',
An answer beyond 16382 octets is an error (choice:multiplexor-wait).
WHY
        in => {
            'an answer of 20,000 to senderok, -r -H -s -t' => <<'END',
+ mail: t
- log warning mimedefang: NOQUEUE: MXCommand: Overlong reply from multiplexor was truncated!
- log warning mimedefang: NOQUEUE: set_reply returned MI_FAILURE
- mail: r
END
        },
    },
    {
        name => 'request-limit',
        why  => <<'WHY',
What the multiplexor would refuse is not asked: ESMTP parameters that do not
fit are left out, a longer request fails the message.
WHY
        in => {
            'a request beyond 4094 octets, -r -H -s -t' => <<'END',
+ mail: t
-   (modes) 0700 with 0600 
-   COMMANDS =client_port 4321
-   COMMANDS Eclient.example
-   COMMANDS H[192.0.2.1]
-   COMMANDS I192.0.2.1
-   COMMANDS S<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa... (5005 octets, dbe8ca12)
-   COMMANDS iID
-   asks senderok <aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa... (5075 octets, 7f4c544e)
- mail: c
END
            'parameters beyond 4094 octets, -r -H -s -t' => <<'END',
+   asks senderok <a@x> 192.0.2.1 [192.0.2.1] client.example SPOOL/md... (3942 octets, e5e59769)
-   asks senderok <a@x> 192.0.2.1 [192.0.2.1] client.example SPOOL/md... (6267 octets, 85675dae)
END
        },
    },
    {
        name => 'empty-macros',
        why  => <<'WHY',
An empty list of macros means that there are none; libmilter keeps those of
the recipient before.
WHY
        in => {
            'a rejected recipient, -r -H -s -t' => <<'END',
+   COMMANDS R<to@example.org> ? ? ?
+   asks recipok <to@example.org> <from@example.org> 192.0.2.1 [192.0.2.1] <no@example.org> client.example SPOOL/mdefang-ID NOQUEUE ? ? ?
-   COMMANDS R<to@example.org> error 5.1.1 no%20such%20user
-   asks recipok <to@example.org> <from@example.org> 192.0.2.1 [192.0.2.1] <no@example.org> client.example SPOOL/mdefang-ID NOQUEUE error 5.1.1 no%20such%20user
END
            'a rejected recipient, -N, -r -H -s -t -N' => <<'END',
+   COMMANDS R<to@example.org> ? ? ?
+   asks recipok <to@example.org> <from@example.org> 192.0.2.1 [192.0.2.1] <to@example.org> client.example SPOOL/mdefang-ID NOQUEUE ? ? ?
-   COMMANDS R<to@example.org> error 5.1.1 no%20such%20user
-   asks recipok <to@example.org> <from@example.org> 192.0.2.1 [192.0.2.1] <to@example.org> client.example SPOOL/mdefang-ID NOQUEUE error 5.1.1 no%20such%20user
END
        },
    },
    {
        name => 'queue-id-per-message',
        why  => <<'WHY',
The queue id is forgotten when a message ends; the peer names the next one
after it.
WHY
        in => {
            'two messages, the queue id comes late, -r -H -s -t' => <<'END',
+   asks recipok <to@example.org> <from@example.org> 192.0.2.1 [192.0.2.1] <to@example.org> client.example SPOOL/mdefang-ID Q2 ? ? ?
+   asks scan Q2 SPOOL/mdefang-ID
+   asks senderok <from@example.org> 192.0.2.1 [192.0.2.1] client.example SPOOL/mdefang-ID NOQUEUE
-   COMMANDS QQ1
-   asks recipok <to@example.org> <from@example.org> 192.0.2.1 [192.0.2.1] <to@example.org> client.example SPOOL/mdefang-Q1 Q2 ? ? ?
-   asks scan Q2 SPOOL/mdefang-Q1
-   asks senderok <from@example.org> 192.0.2.1 [192.0.2.1] client.example SPOOL/mdefang-Q1 Q1
END
        },
    },
    {
        name => 'results-limits',
        why  => <<'WHY',
RESULTS may be longer, in all and a line: many recipients or fields are no
failure.  What is too long is no reason to reject, but to try again.
WHY
        in => {
            'a line of 16,383' => <<'END',
+ eom: add_header X-A xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... (16378 octets, baafa852)
+ eom: add_header X-Scanned-By MIMEDefang VERSION on 127.0.0.1
+ eom: c
- eom: y 554 5.4.0 Overlong line in RESULTS file
- log warning mimedefang: NOQUEUE: Overlong line in RESULTS file - 16383 chars (max 16383)
END
            '65,536 octets' => <<'END',
+ eom: add_header X-A xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... (1504 octets, 51f56ca7)
+ eom: add_header X-A xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... (16000 octets, ae8b4c81)
+ eom: add_header X-A xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... (16000 octets, ae8b4c81)
+ eom: add_header X-A xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... (16000 octets, ae8b4c81)
+ eom: add_header X-A xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... (16000 octets, ae8b4c81)
+ eom: add_header X-Scanned-By MIMEDefang VERSION on 127.0.0.1
+ eom: c
- eom: t
- log warning mimedefang: NOQUEUE: RESULTS file is unreasonably large - 65536 byes; max is 65535 bytes
END
        },
    },
];
