#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Cases that are run behind a real MTA: what filters do most.  lib/Cases.pm says
# what the words mean.  The value of this file is the list.
use v5.36;
use Cases     qw(by_mta changed greeting smtp content hello mail_from bye);
use Specimens qw($plain $head $body $alternative $executable $zip $large);

my @everywhere = (qw(built-in separate unix), map {"protocol $_"} 2, 3, 4);
my $address_before
    = 'Sendmail puts the address before a text of code 450, 550 or 553'
    . ' at MAIL and RCPT.';

# What the sample filter and the daemon add.
my $marks = qr/X-Filtered: by MIMEDefang on \S+\n/
    . qr/X-Scanned-By: MIMEDefang \S+(?: on \S+)?\n/;

# What callbacks answer, and what the client sees.
my %own = (
    REJECT => {
        list  => q{('REJECT', 'We do not want this', '553', '5.1.8')},
        reply => '553 5.1.8 We do not want this',

        differs => $address_before,
        mail    => by_mta(
            postfix  => '553 5.1.8 We do not want this',
            sendmail => '553 5.1.8 <from@HERE>... We do not want this'
        ),
        rcpt => by_mta(
            postfix  => '553 5.1.8 We do not want this',
            sendmail => '553 5.1.8 <to@HERE>... We do not want this'
        ),
        bad => by_mta(
            postfix  => '553 5.1.8 We do not want this',
            sendmail => '553 5.1.8 <bad@HERE>... We do not want this'
        ),
    },
    TEMPFAIL => {
        list  => q{('TEMPFAIL', 'Come back later', '452', '4.2.2')},
        reply => '452 4.2.2 Come back later'
    },
);

sub refusals ($verdict, $word) {
    my $own   = $own{$verdict};
    my $reply = $own->{reply};
    my ($mail, $rcpt, $bad) = map { $own->{$_} // $reply } qw(mail rcpt bad);
    my @differs = (differs => $own->{differs}) x exists $own->{differs};
    my $later   = by_mta(
        postfix  => '451 4.7.1 Service unavailable - try again later',
        sendmail => '451 4.3.2 Please try again later'
    );
    return (
        {
            name => "$word at connect",
            (
                differs => 'A tempfail at connect is told at MAIL, with a text'
                    . ' of the MTA, not of the filter.'
            ) x ($verdict eq 'TEMPFAIL'),
            via    => \@everywhere,
            filter => { relay => "return $own->{list};" },

            # The filter's text never shows here.
            client => $verdict eq 'REJECT' ? [ greeting('554') ]
            : [ hello(), mail_from(answers => { mail => $later }), bye() ],
        },
        {
            name   => "$word at HELO",
            filter => { helo => "return $own->{list};" },
            client =>
                [ hello(), mail_from(answers => { mail => $reply }), bye() ],
        },
        {
            name => "$word at MAIL",
            part => $verdict eq 'REJECT',
            @differs,
            via    => \@everywhere,
            filter => { sender => "return $own->{list};" },
            client =>
                [ hello(), mail_from(answers => { mail => $mail }), bye() ],
        },
        {
            name => "$word at RCPT",
            @differs,
            filter => { recipient => "return $own->{list};" },
            client =>
                [ hello(), mail_from(answers => { rcpt => $rcpt }), bye() ],
        },
        {
            name => "$word at RCPT of one recipient of two",
            part => $verdict eq 'TEMPFAIL',
            @differs,
            filter => {
                recipient =>
                    "return \$_[0] =~ /bad/ ? $own->{list} : ('CONTINUE', 'ok');"
            },
            client => [
                hello(),
                smtp('MAIL FROM:<from@HERE>', '250'),
                smtp('RCPT TO:<bad@HERE>',    $bad),
                smtp('RCPT TO:<good@HERE>',   '250'),
                smtp('DATA',                  '354'),
                content($plain, '250'),
                bye(),
            ],
            delivered => [ { to => ['<good@HERE>'], message => $plain } ],
        },
        {
            name   => "$word at the end of the message",
            part   => $verdict eq 'REJECT',
            via    => \@everywhere,
            filter => {
                end => $verdict eq 'REJECT'
                ? q{action_bounce('We do not want this', '553', '5.1.8');}
                : q{action_tempfail('Come back later', '452', '4.2.2');}
            },
            client => [
                hello(),
                mail_from(message => $plain, answers => { content => $reply }),
                bye()
            ],
        },
        {
            name   => "$word with default code, DSN and text",
            filter => {
                end => $verdict eq 'REJECT' ? 'action_bounce();'
                : 'action_tempfail();'
            },
            client => [
                hello(),
                mail_from(
                    message => $plain,
                    answers => {
                        content => $verdict eq 'REJECT'
                        ? '554 5.7.1 Forbidden for policy reasons'
                        : '451 4.3.0 Try again later'
                    }
                ),
                bye()
            ],
        },
    );
}

[
    {
        name      => 'clean message',
        part      => 1,
        via       => \@everywhere,
        client    => [ hello(), mail_from(message => $plain), bye() ],
        delivered => [
            { from => '<from@HERE>', to => ['<to@HERE>'], message => $plain }
        ],
    },
    {
        name      => 'clean message, multipart and 8 bit',
        client    => [ hello(), mail_from(message => $alternative), bye() ],
        delivered => [ { message => $alternative } ],
    },
    {
        name      => 'clean message, sample filter',
        via       => ['sample'],
        client    => [ hello(), mail_from(message => $plain), bye() ],
        delivered => [
            {
                like => [qr/\A\Q$head\E$marks\Q$body\E\z/]
            }
        ],
    },
    {
        name      => 'x.exe is dropped, a warning is added',
        part      => 1,
        via       => ['sample'],
        client    => [ hello(), mail_from(message => $executable), bye() ],
        delivered => [
            {
                like => [
                    qr/See the attachment\./,
                    qr/^Content-Type: [^\n]*name="warning1\.txt"/m,
                    qr/'x\.exe' was removed/
                ],
                unlike => [ qr/TVqQAAMAAAAEAAAA/, qr/filename="x\.exe"/ ],
            }
        ],
    },
    {
        name      => 'a zip archive with x.exe is dropped',
        via       => ['sample'],
        client    => [ hello(), mail_from(message => $zip), bye() ],
        delivered => [
            {
                like =>
                    [ qr/See the attachment\./, qr/'letter\.zip' was removed/ ],
                unlike => [ qr/UEsDB/, qr/filename="letter\.zip"/ ],
            }
        ],
    },
    refusals('REJECT',   'reject'),
    refusals('TEMPFAIL', 'tempfail'),
    {
        name   => 'discard at MAIL',
        filter => { sender => q{return ('DISCARD', 'gone');} },
        client => [ hello(), mail_from(message => $plain), bye() ],
    },
    {
        name   => 'discard at RCPT',
        filter => { recipient => q{return ('DISCARD', 'gone');} },
        client => [ hello(), mail_from(message => $plain), bye() ],
    },
    {
        name   => 'discard at the end of the message',
        via    => \@everywhere,
        filter => { begin => 'action_discard();' },
        client => [ hello(), mail_from(message => $plain), bye() ],
    },
    {
        name   => 'accept without further filtering at MAIL',
        filter => {
            sender => q{return ('ACCEPT_AND_NO_MORE_FILTERING', 'ok');},
            end    => q{action_add_header('X-Filtered', 'yes');}
        },
        client    => [ hello(), mail_from(message => $plain), bye() ],
        delivered => [ { message => $plain } ],
    },
    {
        name   => 'a text with % and several lines',
        filter =>
            { end => q{action_bounce("100% no\n<&> \"q\"", '550', '5.7.9');} },
        client => [
            hello(),
            mail_from(
                message => $plain,
                answers =>
                    { content => "550-5.7.9 100% no\n550 5.7.9 <&> \"q\"" }
            ),
            bye()
        ],
    },
    {
        name   => 'null sender',
        filter => { end => q{action_add_header('X-From', $main::Sender);} },
        client => [ hello(), mail_from(from => '', message => $plain), bye() ],
        delivered => [
            {
                from    => '<>',
                message => $head . "X-From: <>\n" . $body
            }
        ],
    },
    {
        name      => 'message without a body',
        client    => [ hello(), mail_from(message => "$head\n"), bye() ],
        delivered => [ { message => "$head\n" } ],
    },
    {
        name    => 'message without a header',
        differs => 'Sendmail gives a message a Date, a From and a Message-Id'
            . ' that has none.',
        filter    => { end => q{action_add_header('X-New', 'value');} },
        client    => [ hello(), mail_from(message => "\nHello.\n"), bye() ],
        delivered => [
            by_mta(
                postfix  => { message => "X-New: value\n\nHello.\n" },
                sendmail => {
                    like => [
                        qr/\ADate: .*\nFrom: from\@HERE\nMessage-Id: .*\nX-New: value\n\nHello\.\n\z/
                    ]
                }
            )
        ],
    },
    {
        name   => '50 recipients, two of them refused',
        filter => {
            recipient => q{return $_[0] =~ /x[27]@/ ? 'REJECT' : 'CONTINUE';},
            end => q{action_add_header('X-Count', scalar @main::Recipients);}
        },
        client => [
            hello(),
            smtp('MAIL FROM:<from@HERE>', '250'),
            (
                map { smtp("RCPT TO:<x$_\@HERE>", /\A[27]\z/ ? '554' : '250') }
                    1 .. 50
            ),
            smtp('DATA', '354'),
            content($plain, '250'),
            bye(),
        ],
        delivered => [
            {
                to      => [ map {"<x$_\@HERE>"} 1, 3 .. 6, 8 .. 50 ],
                message => $head . "X-Count: 48\n" . $body
            }
        ],
    },
    {
        name   => 'parameters of MAIL reach the filter',
        filter => {
            sender =>
                q{our @ESMTPArgs; return @ESMTPArgs ? 'CONTINUE' : 'REJECT';},
            end => q{our @SenderESMTPArgs;
                action_add_header('X-Args', join ' ', sort @SenderESMTPArgs);}
        },
        client => [
            hello(),
            smtp('MAIL FROM:<from@HERE> SIZE=1000 BODY=8BITMIME', '250'),
            smtp('RCPT TO:<to@HERE>',                             '250'),
            smtp('DATA',                                          '354'),
            content($plain, '250'),
            bye(),
        ],
        delivered => [
            { message => $head . "X-Args: BODY=8BITMIME SIZE=1000\n" . $body }
        ],
    },
    changed(
        'header added',
        q{action_add_header('X-New', 'a value');},
        message => $head . "X-New: a value\n" . $body
    ),
    changed(
        'header added whose name is there',
        q{action_add_header('X-Two', 'third');},
        differs => 'A field that is added goes below all others in Postfix,'
            . ' above those of its name in Sendmail.',
        message => by_mta(
            postfix  => $head . "X-Two: third\n" . $body,
            sendmail => $plain =~ s/^(?=X-Two: first)/X-Two: third\n/mr
        )
    ),
    changed(
        'folded header added',
        q{action_add_header('X-New', "one\n\ttwo % three");},
        message => $head . "X-New: one\n\ttwo % three\n" . $body
    ),
    changed(
        'header inserted on top',
        q{action_insert_header('X-Top', 'here', 0);},
        message     => "X-Top: here\n" . $plain,
        received_at => 1
    ),
    changed(
        'header inserted at a place',
        q{action_insert_header('X-In', 'here', 2);},
        differs => 'For the place of an inserted field Sendmail counts one more'
            . ' above it than Postfix, which is not delivered.',
        message => by_mta(
            postfix  => $plain =~ s/^(?=To:)/X-In: here\n/mr,
            sendmail => "X-In: here\n$plain"
        )
    ),
    changed(
        'header changed',
        q{action_change_header('Subject', 'other');},
        message => $plain =~ s/^Subject:.*?\n(?=X-Two)/Subject: other\n/msr
    ),
    changed(
        'second header of a name changed',
        q{action_change_header('X-Two', 'other', 2);},
        message => $plain =~ s/second/other/r
    ),
    changed(
        'missing header changed',
        q{action_change_header('X-None', 'new');},
        message => $head . "X-None: new\n" . $body
    ),
    changed(
        'header deleted',
        q{action_delete_header('Subject');},
        message => $plain =~ s/^Subject:.*?\n(?=X-Two)//msr
    ),
    changed(
        'second header of a name deleted',
        q{action_delete_header('X-Two', 2);},
        message => $plain =~ s/^X-Two: second\n//mr
    ),
    changed(
        'all headers of a name deleted',
        q{action_delete_all_headers('X-Two');},
        message => $plain =~ s/^X-Two: .*\n//mgr
    ),
    changed(
        'recipient added',
        q{add_recipient('<more@HERE>');},
        to      => [ '<to@HERE>', '<more@HERE>' ],
        message => $plain
    ),
    changed(
        'recipient replaced',
        q{delete_recipient('<to@HERE>'); add_recipient('<more@HERE>');},
        to      => ['<more@HERE>'],
        message => $plain
    ),
    changed(
        'sender changed',
        q{change_sender('<bounces@HERE>');},
        from    => '<bounces@HERE>',
        message => $plain
    ),
    {
        name   => 'one of two recipients deleted',
        filter => { end => q{delete_recipient('<two@HERE>');} },
        client => [
            hello(),
            mail_from(to => [ 'one@HERE', 'two@HERE' ], message => $plain),
            bye()
        ],
        delivered => [ { to => ['<one@HERE>'], message => $plain } ],
    },
    {
        name   => 'body replaced: a text is appended',
        via    => \@everywhere,
        filter =>
            { end => q{append_text_boilerplate($_[0], 'The fine print.', 0);} },
        client    => [ hello(), mail_from(message => $plain), bye() ],
        delivered => [
            {
                like => [
                    qr/^Subject: a plain\n  folded subject\n/m,
                    qr/\n\Q$body\E\nThe fine print\.\n+\z/
                ]
            }
        ],
    },
    {
        name   => 'body replaced: a part is dropped',
        filter => {
            filter =>
                q{return $_[3] eq 'text/html' ? action_drop() : action_accept();}
        },
        client    => [ hello(), mail_from(message => $alternative), bye() ],
        delivered =>
            [ { like => [qr/^Gr\303\274\303\237e$/m], unlike => [qr/<p>/] } ],
    },
    {
        name   => 'two messages in one connection, the second after RSET',
        filter => { end => q{action_add_header('X-From', $main::Sender);} },
        client => [
            hello(),
            mail_from(from => 'one@HERE', message => $plain),
            smtp('MAIL FROM:<never@HERE>', '250'),
            smtp('RCPT TO:<to@HERE>',      '250'),
            smtp('RSET',                   '250'),
            mail_from(from => 'two@HERE', message => $plain),
            bye(),
        ],
        delivered => [
            {
                from    => '<one@HERE>',
                message => $head . "X-From: <one\@HERE>\n" . $body
            },
            {
                from    => '<two@HERE>',
                message => $head . "X-From: <two\@HERE>\n" . $body
            },
        ],
    },
    {
        name   => 'a message after a refused one in the same connection',
        filter => {
            sender =>
                q{return $_[0] =~ /bad/ ? ('REJECT', 'not you') : ('CONTINUE', 'ok');},
            end => q{action_bounce('not this') if $main::Sender =~ /later/;},
        },
        client => [
            hello(),
            mail_from(
                from    => 'bad@HERE',
                answers => { mail => '554 5.7.1 not you' }
            ),
            mail_from(
                from    => 'later@HERE',
                message => $plain,
                answers => { content => '554 5.7.1 not this' }
            ),
            mail_from(message => $plain),
            bye(),
        ],
        delivered => [ { from => '<from@HERE>', message => $plain } ],
    },
    {
        name      => '10 MB',
        via       => ['built-in'],
        client    => [ hello(), mail_from(message => $large), bye() ],
        delivered => [ { message => $large } ],
    },
    {
        name     => '50 clients side by side',
        via      => ['built-in'],
        parallel => 50,
        filter   => { end => q{action_add_header('X-From', $main::Sender);} },
        client   => [
            hello(), mail_from(from => 'cCLIENT@HERE', message => $plain),
            bye()
        ],
        delivered => [
            map {
                {
                    from    => "<c$_\@HERE>",
                    message => $head . "X-From: <c$_\@HERE>\n" . $body
                }
            } 1 .. 50
        ],
    },
]
