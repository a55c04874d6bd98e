#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Verdicts at each stage that common.pl has not: defaults, what ends filtering,
# what the MTA cannot be told there, and filters that fail.
use v5.36;
use Cases
    qw(by_mta expect greeting smtp content hello mail_from bye quarantined);
use Specimens qw($plain $head $body $nested);

my $no_text = '554 5.7.1 ?';
my $kept    = { message => $plain };
my $seen    = { message => $head . "X-Seen: yes\n" . $body };
my %mark    = (end => q{action_add_header('X-Seen', 'yes');});

# The first reply that shows it, and the callback that gives the verdict.
sub at ($callback, $verdict, %answers) {
    my $differs = delete $answers{differs};
    return {
        name => "$verdict at $callback",
        (differs => $differs) x defined $differs,
        filter => { $callback => "return $verdict;" },
        client => [ hello(), mail_from(answers => \%answers), bye() ],
    };
}

sub delivered ($name, $filter, $message) {
    return {
        name      => $name,
        filter    => {%$filter},
        client    => [ hello(), mail_from(message => $plain), bye() ],
        delivered => [ {%$message} ],
    };
}

# What a message gets whose filter answers so.
sub refused ($name, $filter, $reply) {
    return {
        name   => $name,
        filter => $filter,
        client => [
            hello(),
            mail_from(message => $plain, answers => { content => $reply }),
            bye()
        ],
    };
}

[
    at('helo',      q{('REJECT', 'no')},   mail => '554 5.7.1 no'),
    at('sender',    q{('REJECT', 'no')},   mail => '554 5.7.1 no'),
    at('recipient', q{('REJECT', 'no')},   rcpt => '554 5.7.1 no'),
    at('helo',      q{('TEMPFAIL', 'no')}, mail => '451 4.3.0 no'),
    at('sender',    q{('TEMPFAIL', 'no')}, mail => '451 4.3.0 no'),
    at('recipient', q{('TEMPFAIL', 'no')}, rcpt => '451 4.3.0 no'),
    at('helo',      q{0},                  mail => $no_text),
    at('sender',    q{0},                  mail => $no_text),
    at('recipient', q{0},                  rcpt => $no_text),
    at('helo',      q{-1},                 mail => '451 4.3.0 ?'),
    at('sender',    q{-1},                 mail => '451 4.3.0 ?'),
    at('recipient', q{-1},                 rcpt => '451 4.3.0 ?'),
    at('sender',    q{'REJCET'},           mail => $no_text),
    at(
        'recipient',
        q{('REJECT', "one\ntwo", '554', '5.7.2')},
        rcpt => "554-5.7.2 one\n554 5.7.2 two"
    ),
    at(
        'sender',
        q{('TEMPFAIL', "one\ntwo", '450', '4.7.2')},
        differs => 'Sendmail puts the address before a text of code 450, 550 or'
            . ' 553 at MAIL and RCPT.',
        mail => by_mta(
            postfix  => "450-4.7.2 one\n450 4.7.2 two",
            sendmail => "450-4.7.2 <from\@HERE>... one\n450 4.7.2 two"
        )
    ),
    at(
        'recipient',
        q{('REJECT', 'slowly', '554', '5.7.1', 1)},
        rcpt => '554 5.7.1 slowly'
    ),
    {
        name   => 'code 421 at RCPT ends the connection',
        filter => {
            recipient => q{return ('TEMPFAIL', 'goodbye', '421', '4.3.2');}
        },
        client => [
            hello(),
            smtp('MAIL FROM:<from@HERE>', '250'),
            smtp('RCPT TO:<to@HERE>',     '421 4.3.2 goodbye'),
            expect('closed')
        ],
    },

    # a code or DSN of another class is replaced by the default
    at(
        'sender', q{('REJECT', 'no', '451', '4.7.1')}, mail => '554 5.7.1 no'
    ),
    at(
        'recipient',
        q{('TEMPFAIL', 'no', '550', '5.1.1')},
        rcpt => '451 4.3.0 no'
    ),
    at(
        'recipient',
        q{('REJECT', '50% off <b>', '550', '5.7.999')},
        differs => 'Sendmail puts the address before a text of code 450, 550 or'
            . ' 553 at MAIL and RCPT.',
        rcpt => by_mta(
            postfix  => '550 5.7.999 50% off <b>',
            sendmail => '550 5.7.999 <to@HERE>... 50% off <b>'
        )
    ),
    {
        name    => 'every recipient is refused',
        differs => 'DATA without a recipient is a 554 in Postfix, a 503 in'
            . ' Sendmail.',
        filter => { recipient => q{return ('REJECT', 'no');} },
        client => [
            hello(),
            smtp('MAIL FROM:<from@HERE>', '250'),
            smtp('RCPT TO:<one@HERE>',    '554 5.7.1 no'),
            smtp('RCPT TO:<two@HERE>',    '554 5.7.1 no'),
            smtp('DATA', by_mta(postfix => '554', sendmail => '503')),
            bye(),
        ],
    },
    delivered(
        'a delay at MAIL',
        { sender => q{return ('CONTINUE', 'ok', 250, '2.1.0', 1);}, %mark },
        $seen
    ),

    # there is no message to throw away yet
    {
        peers_differ => {
            front => 'discards, to which Postfix objects and Sendmail accepts'
        },
        %{
            delivered('discard at HELO',
                { helo => q{return ('DISCARD', 'gone');}, %mark }, $seen)
        }
    },
    {
        peers_differ => {
            front => 'discards, to which Postfix objects and Sendmail accepts'
        },
        %{
            delivered('discard at connect',
                { relay => q{return ('DISCARD', 'gone');}, %mark }, $seen)
        }
    },
    delivered(
        'accept without further filtering at connect',
        { relay => q{return ('ACCEPT_AND_NO_MORE_FILTERING', 'ok');}, %mark },
        $kept
    ),
    delivered(
        'accept without further filtering at HELO',
        { helo => q{return ('ACCEPT_AND_NO_MORE_FILTERING', 'ok');}, %mark },
        $kept
    ),
    delivered(
        'accept without further filtering at RCPT',
        {
            recipient => q{return ('ACCEPT_AND_NO_MORE_FILTERING', 'ok');},
            %mark
        },
        $kept
    ),
    delivered(
        'any positive number goes on',
        { sender => 'return 7;', recipient => 'return 1;', %mark }, $seen
    ),
    refused(
        'bounce in filter_begin',
        { begin => q{action_bounce('no', '550', '5.7.2');} },
        '550 5.7.2 no'
    ),
    refused(
        'bounce in filter',
        { filter => q{action_bounce('no', '550', '5.7.2');} },
        '550 5.7.2 no'
    ),
    refused(
        'tempfail in filter_begin',
        { begin => q{action_tempfail('later', '450', '4.2.1');} },
        '450 4.2.1 later'
    ),
    refused(
        'tempfail in filter',
        { filter => q{action_tempfail('later');} },
        '451 4.3.0 later'
    ),
    refused(
        'bounce with a text only',
        { end => q{action_bounce('no');} },
        '554 5.7.1 no'
    ),
    {
        name   => 'code 421 at the end of the message ends the connection',
        filter => { end => q{action_tempfail('goodbye', '421', '4.3.2');} },
        client => [
            hello(),
            mail_from(
                message => $plain,
                answers => { content => '421 4.3.2 goodbye' }
            ),
            expect('closed')
        ],
    },
    {
        name   => 'bounce in filter_multipart',
        filter => { multipart => q{action_bounce('no', '550', '5.7.2');} },
        client => [
            hello(),
            mail_from(
                message => $nested,
                answers => { content => '550 5.7.2 no' }
            ),
            bye()
        ],
    },
    refused(
        'tempfail in filter_wrapup',
        { wrapup => q{action_tempfail('later', '450', '4.2.1');} },
        '450 4.2.1 later'
    ),
    refused(
        'a bounce counts more than changes',
        {
            begin => q{action_bounce('no'); action_add_header('X-No', 'no');},
            end   => q{add_recipient('<more@HERE>');}
        },
        '554 5.7.1 no'
    ),
    refused(
        'a bounce with a code of another class',
        { end => q{action_bounce('no', '450', '4.7.1');} },
        '554 5.7.1 no'
    ),
    {
        peers_differ => {
            'all but front-end' =>
                'the worker died and is not replaced: the message is kept'
        },
        %{ refused('filter_end dies', { end => 'die "broken\n";' }, '451') }
    },
    at('sender',    'die "broken\n"', mail => '451'),
    at('recipient', 'die "broken\n"', rcpt => '451'),
    {
        name    => 'quarantine by the MTA',
        filter  => { end => q{action_sm_quarantine('looks odd');} },
        differs => 'Postfix does not keep the reason.',
        client  => [
            hello(), mail_from(message => $plain),
            bye(),
            quarantined(by_mta(postfix => 'held', sendmail => 'looks odd'))
        ],
    },
]
