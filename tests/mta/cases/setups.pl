#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What needs a set-up of its own: too few workers, the multiplexor's socket map,
# mail that is submitted on the host.
use v5.36;
use Cases
    qw(afar by_mta bye content expect hang_up hello held mail_from near release
    smtp submit);
use Specimens qw($plain $head $body);

my %slow = (
    end => q{hold() if $main::Sender =~ /slow/;
        action_add_header('X-From', $main::Sender);}
);

sub by ($from) {
    return {
        from    => "<$from\@HERE>",
        message => $head . "X-From: <$from\@HERE>\n" . $body
    };
}

# The first client's message is held by a worker; the replies of the others.
my @slow = (
    hello(),
    smtp('MAIL FROM:<slow@HERE>', '250'),
    smtp('RCPT TO:<to@HERE>',     '250'),
    smtp('DATA',                  '354'),
    content($plain, undef), held()
);
my $later = by_mta(
    postfix  => '451 4.7.1 Service unavailable - try again later',
    sendmail => '451 4.3.2 Please try again later'
);
my $later_differs = 'A tempfail at connect is told at MAIL, with a text of the'
    . ' MTA, not of the filter.';

sub one ($from) {
    return (hello(), mail_from(from => $from, message => $plain));
}

sub submitted ($name, $filter, $status, @more) {
    return {
        name   => "submitted on the host: $name",
        via    => ['submission'],
        filter => $filter,
        client => [ submit($plain, $status) ],
        @more
    };
}

[
    {
        name    => 'no free worker: a second client is told to come back',
        via     => ['busy'],
        differs => $later_differs,
        filter  => {%slow},
        client  => [
            @slow,
            near(hello(), smtp('MAIL FROM:<near@HERE>', $later), hang_up()),
            release(),
            expect('250'),
            near(one('near@HERE'), bye()),
            bye()
        ],
        delivered => [ by('near'), by('slow') ],
    },
    {
        name   => 'no free worker, -q: a second client waits',
        via    => ['busy, -q'],
        filter => {%slow},
        client => [
            @slow,
            near(
                hello(),
                smtp('MAIL FROM:<near@HERE>', '250'),
                smtp('RCPT TO:<to@HERE>',     '250'),
                smtp('DATA',                  '354'),
                content($plain, undef)
            ),
            release(),
            expect('250'),
            near(expect('250'), bye()),
            bye()
        ],
        delivered => [ by('near'), by('slow') ],
    },
    {
        name    => 'too few free workers, -R: only local clients are let in',
        via     => ['busy, -R'],
        differs => $later_differs,
        peers_differ => { front => 'knows no local clients but 127.0.0.1' },
        filter       => {%slow},
        client       => [
            @slow,
            afar(hello(), smtp('MAIL FROM:<afar@HERE>', $later), hang_up()),
            near(one('near@HERE'), bye()),
            release(),
            expect('250'),
            afar(one('afar@HERE'), bye()),
            bye()
        ],
        delivered => [ by('afar'), by('near'), by('slow') ],
    },
    {
        name    => 'the socket map that the MTA asks about recipients',
        via     => ['map'],
        part    => 1,
        differs => 'A permanent failure of the map (PERM) is a 451 in Postfix;'
            . ' Sendmail goes on as if the key were not there.',
        filter => {
            map => q{my ($map, $key) = @_;
                return ('PERM', "map $map") if $map ne 'mail';
                return ('OK', 'OK')             if $key =~ /^yes\@/;
                return ('OK', 'REJECT 50% off') if $key =~ /^no%25\@/;
                return ('TEMP', 'later')        if $key =~ /^later\@/;
                return ('TIMEOUT', 'slow')      if $key =~ /^slow\@/;
                return ('PERM', 'broken')       if $key =~ /^broken\@/;
                return ('NOTFOUND', '');}
        },
        client => [
            hello(),
            smtp('MAIL FROM:<from@HERE>',    '250'),
            smtp('RCPT TO:<yes@map.HERE>',   '250'),
            smtp('RCPT TO:<no%25@map.HERE>', '554'),
            smtp('RCPT TO:<later@map.HERE>', '451'),
            smtp('RCPT TO:<slow@map.HERE>',  '451'),
            smtp(
                'RCPT TO:<broken@map.HERE>',
                by_mta(postfix => '451', sendmail => '250')
            ),
            smtp('RCPT TO:<unknown@map.HERE>', '250'),
            smtp('DATA',                       '354'),
            content($plain, '250'),
            bye()
        ],
        delivered => [
            {
                to => by_mta(
                    postfix  => [ '<yes@map.HERE>', '<unknown@map.HERE>' ],
                    sendmail =>
                        [ map {"<$_\@map.HERE>"} qw(yes broken unknown) ]
                ),
                message => $plain
            }
        ],
    },
    {
        name    => 'the filter is told of a recipient that the MTA refuses',
        differs => 'Sendmail tells the filter nothing of a recipient that its'
            . ' rule set check_rcpt refuses.',
        via    => ['map'],
        filter => {
            map =>
                q{return $_[1] =~ /^no\@/ ? ('OK', 'REJECT no') : ('NOTFOUND', '');},
            end => q{our %RecipientMailers;
                action_add_header('X-To', join ' ',
                    map {"$_ $RecipientMailers{$_}[0]"} @main::Recipients);}
        },
        client => [
            hello(),
            smtp('MAIL FROM:<from@HERE>', '250'),
            smtp('RCPT TO:<no@map.HERE>', '554'),
            smtp('RCPT TO:<to@HERE>',     '250'),
            smtp('DATA',                  '354'),
            content($plain, '250'),
            bye()
        ],
        delivered => [
            {
                to   => ['<to@HERE>'],
                like => [
                    by_mta(
                        postfix =>
                            qr/^X-To: <no\@map\.HERE> error <to\@HERE> smtp\n/m,
                        sendmail => qr/^X-To: <to\@HERE> relay\n/m
                    )
                ]
            }
        ],
    },
    submitted(
        'what the filter is told',
        {
            end => q{our ($RelayAddr, $RelayHostname, $Helo);
                action_add_header('X-Is', "$RelayAddr $RelayHostname $Helo");}
        },
        0,
        part    => 1,
        differs => "Sendmail's submission program talks SMTP to the daemon, so"
            . ' there is a HELO; Postfix makes one up.',
        delivered => [
            {
                from => '<from@HERE>',
                to   => ['<to@HERE>'],
                like => [
                    by_mta(
                        postfix =>
                            qr/^X-Is: 127\.0\.0\.1 localhost localhost\n/m,
                        sendmail =>
                            qr/^X-Is: 127\.0\.0\.1 localhost mx\.example\n/m
                    )
                ],
                received_at => 'none'
            }
        ],
    ),
    submitted(
        'discarded',
        { begin => 'action_discard();' },
        0,
    ),
    submitted(
        'refused at the end of the message',
        { end => q{action_bounce('We do not want this', '550', '5.7.9');} },
        by_mta(postfix => 0, sendmail => 69),
        differs =>
            'Postfix sends a bounce; Sendmail says it with its exit status, too.',
        delivered => [
            {
                from        => '<>',
                to          => ['<from@HERE>'],
                like        => [qr/5\.7\.9/],
                received_at => 'none'
            }
        ],
    ),
    submitted(
        'refused at MAIL',
        { sender => q{return ('REJECT', 'not you', '554', '5.1.8');} },
        by_mta(postfix => 0, sendmail => 69),
        differs =>
            'Postfix sends a bounce; Sendmail says it with its exit status, too.',
        delivered => [
            {
                from        => '<>',
                to          => ['<from@HERE>'],
                like        => [qr/5\.1\.8/],
                received_at => 'none'
            }
        ],
    ),
]
