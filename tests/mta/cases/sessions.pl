#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# How clients talk: pipelining, RSET, many messages, going away, and what the
# filter is told of it.
use v5.36;
use Cases
    qw(auth start_tls by_mta expect greeting hang_up octets smtp content hello mail_from
    bye);
use Specimens qw($plain $head $body);

my %from = (end => q{action_add_header('X-From', $main::Sender);});
my @envelope
    = (smtp('MAIL FROM:<gone@HERE>', '250'), smtp('RCPT TO:<to@HERE>', '250'));

# A client that goes away, and a message after it.
sub gone ($where, @steps) {
    return {
        name   => "the client goes away $where",
        filter => {%from},
        client =>
            [ @steps, hang_up(), hello(), mail_from(message => $plain), bye() ],
        delivered => [
            {
                from    => '<from@HERE>',
                message => $head . "X-From: <from\@HERE>\n" . $body
            }
        ],
    };
}

# What the filter finds in these variables, as fields that it adds.
sub told ($name, $perl, $client, $like, @more) {
    return {
        name => $name,
        @more,
        filter => {
            end => "use strict; my \%is;\n$perl\n"
                . q{action_add_header("X-$_", $is{$_}) for sort keys %is;}
        },
        client    => [ @$client, bye() ],
        delivered => [ { like => $like } ],
    };
}

[
    {
        name   => 'commands in one go',
        part   => 1,
        filter => {
            recipient =>
                q{return $_[0] =~ /bad/ ? ('REJECT', 'no') : ('CONTINUE', 'ok');},
            %from
        },
        client => [
            hello(),
            octets(
                      "MAIL FROM:<from\@HERE>\r\nRCPT TO:<one\@HERE>\r\n"
                    . "RCPT TO:<bad\@HERE>\r\nRCPT TO:<two\@HERE>\r\nDATA\r\n"
            ),
            (map { expect($_) } qw(250 250 554 250 354)),
            content($plain, '250'),
            bye(),
        ],
        delivered => [
            {
                to      => [ '<one@HERE>', '<two@HERE>' ],
                message => $head . "X-From: <from\@HERE>\n" . $body
            }
        ],
    },
    {
        name   => 'twenty messages in one connection',
        filter => {%from},
        client => [
            hello(),
            (map { mail_from(from => "n$_\@HERE", message => $plain) } 1 .. 20),
            bye()
        ],
        delivered => [
            map {
                {
                    from    => "<n$_\@HERE>",
                    message => $head . "X-From: <n$_\@HERE>\n" . $body
                }
            } 1 .. 20
        ],
    },
    {
        name   => 'HELO, RSET and NOOP at all places, EHLO again',
        filter => {%from},
        client => [
            greeting('220'),
            smtp('HELO client.example', '250'),
            smtp('RSET',                '250'),
            smtp('NOOP',                '250'),
            smtp('EHLO client.example', '250'),
            smtp('MAIL FROM:<x@HERE>',  '250'),
            smtp('NOOP',                '250'),
            smtp('RSET',                '250'),
            mail_from(message => $plain),
            smtp('RSET', '250'),
            bye()
        ],
        delivered =>
            [ { message => $head . "X-From: <from\@HERE>\n" . $body } ],
    },
    {
        name   => 'a command that nobody knows, a second sender',
        filter => {%from},
        client => [
            hello(),
            smtp('FROBNICATE',         '500'),
            smtp('MAIL FROM:<x@HERE>', '250'),
            smtp('MAIL FROM:<y@HERE>', '503'),
            smtp('RSET',               '250'),
            mail_from(message => $plain),
            bye()
        ],
        delivered =>
            [ { message => $head . "X-From: <from\@HERE>\n" . $body } ],
    },
    {
        name   => 'all parameters of MAIL, in their order',
        filter => {
            sender => q{our @ESMTPArgs;
                return "@ESMTPArgs" =~ /BODY/ ? 'CONTINUE' : 'REJECT';},
            end => q{our @SenderESMTPArgs;
                action_add_header('X-Args', "@SenderESMTPArgs");}
        },
        client => [
            hello(),
            smtp(
                'MAIL FROM:<from@HERE> SIZE=300 BODY=8BITMIME RET=FULL'
                    . ' ENVID=a+2Bb AUTH=<>',
                '250'
            ),
            smtp('RCPT TO:<to@HERE>', '250'),
            smtp('DATA',              '354'),
            content($plain, '250'),
            bye()
        ],
        delivered => [
            {
                      message => $head
                    . 'X-Args: SIZE=300 BODY=8BITMIME RET=FULL ENVID=a+2Bb'
                    . " AUTH=<>\n"
                    . $body
            }
        ],
    },
    gone('after the greeting', greeting('220')),
    gone('after EHLO',         hello()),
    gone('after MAIL',         hello(), smtp('MAIL FROM:<gone@HERE>', '250')),
    gone('after RCPT',         hello(), @envelope),
    gone('after DATA',         hello(), @envelope, smtp('DATA', '354')),
    gone(
        'within the header',
        hello(),
        @envelope,
        smtp('DATA', '354'),
        octets("Subject: x\r\nX-Y")
    ),
    gone(
        'within the body',
        hello(),
        @envelope,
        smtp('DATA', '354'),
        octets("Subject: x\r\n\r\n" . "line\r\n" x 20_000)
    ),
    gone(
        'without awaiting the last reply',
        hello(),
        smtp('MAIL FROM:<gone@other.example>', '250'),
        smtp('RCPT TO:<to@other.example>',     '250'),
        smtp('DATA',                           '354'),
        octets("Subject: x\r\n\r\nx\r\n.\r\n")
    ),
    {
        name   => 'parameters of RCPT',
        filter => {
            end => q{our %RecipientESMTPArgs;
                my %of = %RecipientESMTPArgs;
                action_add_header('X-Args', join ' ', map {"$_=@{ $of{$_} }"}
                    sort keys %of);}
        },
        client => [
            hello(),
            smtp('MAIL FROM:<from@HERE> RET=HDRS ENVID=abc', '250'),
            smtp('RCPT TO:<one@HERE> NOTIFY=NEVER',          '250'),
            smtp('RCPT TO:<two@HERE> NOTIFY=FAILURE',        '250'),
            smtp('DATA',                                     '354'),
            content($plain, '250'),
            bye()
        ],

        delivered => [
            {
                to      => [ '<one@HERE>', '<two@HERE>' ],
                message => $head
                    . "X-Args: <one\@HERE>=NOTIFY=NEVER <two\@HERE>=NOTIFY=FAILURE\n"
                    . $body
            }
        ],
    },
    told(
        'mailer, host and address of a recipient',
        q{our %RecipientMailers; $is{Mailer} = "@{ $RecipientMailers{'<to@HERE>'} }";},
        [ hello(), mail_from(message => $plain) ],
        [
            by_mta(
                postfix  => qr/^X-Mailer: smtp \[127\.0\.0\.1\]\S* to\@HERE\n/m,
                sendmail => qr/^X-Mailer: relay \[127\.0\.0\.1\] to\@HERE\n/m
            )
        ],
        differs =>
            'Each MTA tells what its mailer, host and address are called.'
    ),
    told(
        'who the client is',
        q{our ($RelayAddr, $RelayHostname, $Helo, $Sender, @Recipients, $Subject);
            $is{Client} = "$RelayAddr $RelayHostname $Helo";
            $is{Envelope} = "$Sender @Recipients"; $is{Subject} = $Subject;},
        [ hello(), mail_from(message => $plain) ],
        [
            qr/^X-Client: 127\.9\.\d+\.\d+ \[127\.9\.\d+\.\d+\] client\.example\n/m,
            qr/^X-Envelope: <from\@HERE> <to\@HERE>\n/m,
            qr/^X-Subject: a plain\s+folded subject\n/m
        ]
    ),
    told(
        'the queue id, and whether it is a macro',
        q{our ($QueueID, %SendmailMacros); $is{Id} = $QueueID;
            $is{Same} = $QueueID eq ($SendmailMacros{i} // '') ? 'yes' : 'no';},
        [ hello(), mail_from(message => $plain) ],
        [
            qr/^X-Id: \w{10,}\n/m,
            by_mta(
                postfix  => qr/^X-Same: no\n/m,
                sendmail => qr/^X-Same: yes\n/m
            )
        ],
        differs => 'The macro i is known at MAIL in Sendmail, after a recipient'
            . ' was accepted in Postfix.'
    ),
    {
        name    => 'a refusal in TLS',
        differs => 'Sendmail puts the address before a text of code 450, 550 or'
            . ' 553 at MAIL and RCPT.',
        filter => { sender => q{return ('REJECT', 'no', 550, '5.7.1');} },
        client => [
            hello(),
            start_tls(),
            mail_from(
                answers => {
                    mail => by_mta(
                        postfix  => '550 5.7.1 no',
                        sendmail => '550 5.7.1 <from@HERE>... no'
                    )
                }
            ),
            bye()
        ],
    },
]
