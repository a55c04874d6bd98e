#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What counts as lost, unscanned or wrong in mixed traffic.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use Ledger qw(judge);
use Test::More;

my $t    = '@traffic.example>';
my @good = (
    [ '1', 'plain', 'sum1', 'core1', 'content',    '250 2.0.0 Ok' ],
    [ '1', 'plain', 'sum1', 'core1', "<plain.1$t", "<to$t" ]
);

# [what it is, line of a client, lines of the sink, sentence or word]
my @cases = (
    [ 'delivered',       @good,                                  'delivered' ],
    [ 'discarded',       change($good[0], 1 => 'discard'),       'discarded' ],
    [ 'refused',         sent('refuse', '550 5.7.9 not this'),   'refused' ],
    [ 'refused at MAIL', sent('notyou', '553 5.1.8 no', 'mail'), 'refused' ],
    [ 'tempfailed',      sent('plain', '451 4.3.0 later'),       'tempfailed' ],
    [ 'gone',            sent('vanish', '', 'gone'),             'gone' ],
    [ 'lost',            $good[0], 'plain 1: accepted, and arrived 0 times' ],
    [ 'twice', @good, $good[1], 'plain 1: accepted, and arrived 2 times' ],
    [
        'unscanned',                     $good[0],
        change($good[1], 2 => 'unseen'), 'plain 1: was not scanned: unseen'
    ],
    [
        'scanned in part',
        $good[0],
        change($good[1], 2 => 'sum2'),
        'plain 1: was not scanned: sum2'
    ],
    [
        'another body',
        $good[0],
        change($good[1], 3 => 'core2'),
        'plain 1: arrived with another body'
    ],
    [
        'sender not changed',
        change($good[0], 1 => 'sender'),
        change($good[1], 1 => 'sender'),
        "sender 1: arrived from <plain.1$t"
    ],
    [
        'recipient not added',
        change($good[0], 1 => 'recipient'),
        change($good[1], 1 => 'recipient', 4 => "<recipient.1$t"),
        "recipient 1: arrived for <to$t"
    ],
    [
        'refused without a reason',
        sent('plain', '550 5.7.9 no'),
        'plain 1: got "content 550 5.7.9 no"'
    ],
    [
        'accepted, should be refused',
        sent('refuse', '250 Ok'),
        'refuse 1: got "content 250 Ok"'
    ],
    [ 'no reply', sent('plain', 'closed'), 'plain 1: got "content closed"' ],
    [
        'tempfailed and delivered',
        sent('plain', '451 4.3.0 later'),
        $good[1],
        'plain 1: tempfailed, and has arrived'
    ],
);

sub change ($line, %new) {
    my @words = @$line;
    @words[ keys %new ] = values %new;
    return \@words;
}

sub sent ($kind, $reply, $stage = 'content') {
    return change($good[0], 1 => $kind, 4 => $stage, 5 => $reply);
}

for my $case (@cases) {
    my ($name, $sent, @arrived) = @$case;
    my $want = pop @arrived;
    my $got = judge([ join "\t", @$sent ], [ map { join "\t", @$_ } @arrived ]);
    my @got = @{ $got->{wrong} } ? @{ $got->{wrong} } : keys %{ $got->{count} };
    is_deeply \@got, [$want], $name;
}
my $got = judge([], [ join "\t", @{ $good[1] } ]);
is_deeply $got->{wrong}, ['1 has arrived, and was not sent'], 'from nowhere';
done_testing;
