#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Changes of the message that common.pl has not: edges of header indices, odd
# values, the body replaced by very little and very much, the envelope.
use v5.36;
use Cases     qw(by_mta changed smtp content hello mail_from bye);
use Specimens qw($plain $head $body);

[
    changed(
        'header with UTF-8 added',
        q{action_add_header('X-New', "Gr\xc3\xbc\xc3\x9fe");},
        message => $head . "X-New: Gr\303\274\303\237e\n" . $body
    ),
    changed(
        'header without a value added',
        q{action_add_header('X-New', '');},
        like => [qr/^X-New: ?\n/m]
    ),
    changed(
        'long header added',
        q{action_add_header('X-New', join ' ', ('word') x 150);},
        message => $head . 'X-New: ' . join(' ', ('word') x 150) . "\n" . $body
    ),
    changed(
        'five headers of a name added',
        q{action_add_header('X-New', $_) for 1 .. 5;},
        differs => 'Each of several fields of a name goes above the one before'
            . ' it in Sendmail, below it in Postfix.',
        message => by_mta(
            postfix  => $head . join('', map {"X-New: $_\n"} 1 .. 5) . $body,
            sendmail => $head
                . join('', map {"X-New: $_\n"} reverse 1 .. 5)
                . $body
        )
    ),
    changed(
        'header inserted below the first',
        q{action_insert_header('X-In', 'here', 1);},
        message => "X-In: here\n$plain"
    ),
    changed(
        'header inserted far below',
        q{action_insert_header('X-In', 'here', 100);},
        message => $head . "X-In: here\n" . $body
    ),
    changed(
        'header changed to a folded one',
        q{action_change_header('Subject', "one\n two");},
        message => $plain =~ s/^Subject:.*?\n(?=X-Two)/Subject: one\n two\n/msr
    ),
    changed(
        'header that does not exist deleted',
        q{action_delete_header('X-None'); action_delete_header('X-Two', 9);},
        message => $plain
    ),
    changed(
        'header deleted and added',
        q{action_delete_header('Subject'); action_add_header('Subject', 'new');},
        differs =>
            'A field that is added after one of its name was deleted takes'
            . ' its place in Sendmail.',
        message => by_mta(
            postfix => ($head =~ s/^Subject:.*?\n(?=X-Two)//msr)
                . "Subject: new\n"
                . $body,
            sendmail => $plain =~ s/^Subject:.*?\n(?=X-Two)/Subject: new\n/msr
        )
    ),
    changed(
        'names in another case',
        q{action_change_header('SUBJECT', 'new');},
        like   => [qr/^subject: new\n/mi],
        unlike => [qr/plain/]
    ),
    {
        peers_differ => { front => 'keeps the body if the new one is empty' },
        %{
            changed(
                'body replaced by nothing',
                q{my $io = ($_[0]->parts)[0]->bodyhandle->open('w'); $io->close;
            action_rebuild();},
                like   => [qr/\n\n\z/],
                unlike => [qr/Hello/]
            )
        }
    },
    changed(
        'body replaced by a megabyte',
        q{my $io = ($_[0]->parts)[0]->bodyhandle->open('w');
            $io->print(('x' x 70 . "\n") x 15_000); $io->close;
            action_rebuild();},
        like   => [qr/\n\n(?:x{70}\n){15000}\z/],
        unlike => [qr/Hello/]
    ),
    changed(
        'a part added to a single-part message',
        q{action_add_part($_[0], 'text/plain', '-suggest', "The end.\n",
            'end.txt', 'inline');},
        like => [
            qr{^Content-Type: multipart/mixed; boundary=}m,
            qr/^Hello\.$/m, qr/^The end\.$/m
        ],
    ),
    changed(
        'all at once',
        q{action_insert_header('X-Top', 'here', 0);
            action_add_header('X-New', 'there');
            action_change_header('Subject', 'new');
            action_delete_all_headers('X-Two');
            add_recipient('<more@HERE>'); change_sender('<other@HERE>');
            append_text_boilerplate($_[0], 'The end.', 0);},
        part => 1,
        from => '<other@HERE>',
        to   => [ '<to@HERE>', '<more@HERE>' ],
        like => [
            qr/^X-Top: here\nFrom: from\@HERE\nTo: to\@HERE\nSubject: new\n/m,
            qr/^X-New: there\n/m,
            qr/\nThe end\.\n+\z/
        ],
        unlike      => [qr/^X-Two/m],
        received_at => 1,
    ),
    changed(
        'sender changed to the null sender',
        q{change_sender('<>');},
        from    => '<>',
        message => $plain
    ),
    changed(
        'a recipient added twice',
        q{add_recipient('<more@HERE>') for 1, 2;},
        to      => [ '<to@HERE>', '<more@HERE>' ],
        message => $plain
    ),
    changed(
        'a recipient that is not there deleted',
        q{delete_recipient('<none@HERE>');},
        message => $plain
    ),
]
