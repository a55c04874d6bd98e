# SPDX-License-Identifier: MIT
package Messages;

# Messages through a daemon and real workers, with the test as the MTA: what the
# filter asks for is what the MTA is told.

use v5.36;
use Exporter qw(import);
use Harness  qw(wait_for);
use Test::More;

our @EXPORT_OK = qw(options_for_messages messages_pass);

=head1 FUNCTIONS

=head2 options_for_messages()

Options of a daemon (see Daemon) for the messages.

=head2 messages_pass($daemon [, %o])

Sends all messages, as tests; stops the daemon.  C<line_end> is how lines of a
replaced body end, by default CR LF.

=cut

# The sender's local part says what the filter does at the end, the HELO name
# or the local part of the recipient what it answers there.
my $filter = <<'END';
use strict;
use warnings;
our ($Sender, $Helo, $QueueID, @Recipients, $Subject, $RelayAddr);
my %answer = (
    reject   => ['REJECT', 'no, 100% no', '553', '5.1.8'],
    tempfail => ['TEMPFAIL', 'not now', '452', '4.2.2'],
    accept   => ['ACCEPT_AND_NO_MORE_FILTERING', 'ok'],
    discard  => ['DISCARD', 'gone'],
);
sub answer {
    my ($word) = $_[0] =~ /(\w+)/;
    return @{ $answer{ $word // '' } || ['CONTINUE', 'ok'] };
}
sub filter_relay     { return answer($_[0] eq '192.0.2.66' ? 'reject' : '') }
sub filter_helo      { return answer($_[2]) }
sub filter_sender    { return answer($_[0] =~ /-mail/ ? $_[0] : '') }
sub filter_recipient { return answer($_[0]) }
my %end = (
    add      => sub { action_add_header('X-New', 'value') },
    insert   => sub { action_insert_header('X-Top', 'value', 0) },
    change   => sub { action_change_header('Subject', 'other') },
    delete   => sub { action_delete_header('Subject') },
    hold     => sub { action_sm_quarantine('look at it') },
    bounce   => sub { action_bounce('no', '553', '5.7.9') },
    tempfail => sub { action_tempfail('later', '452', '4.7.9') },
    discard  => sub { action_discard() },
    replace  => sub { append_text_boilerplate($_[0], 'fine print', 0) },
    envelope => sub {
        add_recipient('<more@example.org>');
        delete_recipient('<to@example.org>');
        change_sender('<other@example.org>');
    },
    bounce_after_change => sub {
        action_add_header('X-New', 'value');
        action_bounce();
    },
    facts => sub {
        my @facts = ($Sender, @Recipients, $QueueID, $Helo, $RelayAddr);
        action_add_header('X-Facts', join ' ', @facts, $Subject);
    },
);
sub filter_end {
    my ($name) = $Sender =~ /<(\w+)@/;
    my $do = $end{ $name // '' } or return;
    return $do->(@_);
}
END

# sender => [final code, text of a 'y', changes]
my %expected = (
    clean    => ['c'],
    add      => [ 'c', '', [ 'add_header',    'X-New', 'value' ] ],
    insert   => [ 'c', '', [ 'insert_header', 0,       'X-Top',   'value' ] ],
    change   => [ 'c', '', [ 'change_header', 1,       'Subject', 'other' ] ],
    delete   => [ 'c', '', [ 'change_header', 1,       'Subject', '' ] ],
    hold     => [ 'c', '', [ 'quarantine',    'look at it' ] ],
    bounce   => [ 'y', '553 5.7.9 no' ],
    tempfail => [ 'y', '452 4.7.9 later' ],
    discard             => ['d'],
    bounce_after_change => [ 'y', '554 5.7.1 Forbidden for policy reasons' ],
    envelope            => [
        'c',
        '',
        [ 'add_rcpt',    '<more@example.org>' ],
        [ 'delete_rcpt', '<to@example.org>' ],
        [ 'sender',      '<other@example.org>' ]
    ],
    facts => [
        'c', '',
        [
            'add_header',
            'X-Facts',
            '<facts@example.org> <to@example.org> QFACTS '
                . 'client.example 192.0.2.1 test'
        ]
    ],
);

sub options_for_messages {
    return (filter => $filter, options => [qw(-r -H -s -t -X)]);
}

sub messages_pass ($daemon, %o) {
    my $mta = $daemon->milter;
    is $mta->hello->{code}, 'c', 'hello';
    for my $name (sort keys %expected) {
        my ($code, $text, @changes) = @{ $expected{$name} };
        my $got = $mta->message(
            from => "<$name\@example.org>",
            id   => 'Q' . uc $name
        );
        is_deeply [ @$got{qw(stage code text changes)} ],
            [ 'eom', $code, $text // '', \@changes ], $name
            or diag explain $got;
    }
    replaced_body($mta, $o{line_end} // "\r\n");
    early_verdicts($daemon);
    versions($daemon);
    $mta->quit;
    wait_for('the last directory to go', sub { !$daemon->leftovers });
    is $daemon->stop, 0, 'the daemon ends with status 0'
        or diag $daemon->log_text;
    diag $daemon->log_text if !Test::More->builder->is_passing;
    return;
}

sub replaced_body ($mta, $end) {
    my $got
        = $mta->message(from => '<replace@example.org>', body => "Hello.\r\n");
    my $body = join '',
        map { $_->[1] } grep { $_->[0] eq 'body' } @{ $got->{changes} };
    is $got->{code}, 'c',                       'a replaced body is accepted';
    is $body, "Hello.$end${end}fine print$end", 'and sent with its line ends';
    return;
}

sub early_verdicts ($daemon) {
    my $mta = $daemon->milter;
    my $got = $mta->hello(addr => '192.0.2.66');
    is_deeply [ @$got{qw(stage code text)} ], [ 'connect', 'r', '' ],
        'reject at connect has no text';
    $mta->quit;
    for (
        [ reject   => 'y', '553 5.1.8 no, 100%% no' ],
        [ tempfail => 'y', '452 4.2.2 not now' ]
        )
    {
        my ($word, $code, $text) = @$_;
        $mta = $daemon->milter;
        $got = $mta->hello(helo => "$word.example");
        is_deeply [ @$got{qw(stage code text)} ], [ 'helo', $code, $text ],
            "$word at HELO";
        $mta->quit;
        $mta = $daemon->milter;
        $mta->hello;
        $got = $mta->message(from => "<$word-mail\@example.org>");
        is_deeply [ @$got{qw(stage code text)} ], [ 'mail', $code, $text ],
            "$word at MAIL";
        $got = $mta->message(to => ["<$word\@example.org>"]);
        is_deeply [ @$got{qw(stage code text)} ], [ 'rcpt', $code, $text ],
            "$word at RCPT";
        $got = $mta->message(
            from => '<facts@example.org>',
            id   => 'QFACTS',
            to   => [ "<$word\@example.org>", '<to@example.org>' ]
        );
        is_deeply $got->{changes}, [ $expected{facts}[2] ],
            "$word at RCPT: the other recipient stays";
        $mta->quit;
    }
    for ([ accept => 'a' ], [ discard => 'd' ]) {
        my ($word, $code) = @$_;
        $mta = $daemon->milter;
        $mta->hello;
        $got = $mta->message(from => "<$word-mail\@example.org>");
        is_deeply [ @$got{qw(stage code)} ], [ 'mail', $code ], "$word at MAIL";
        $got = $mta->message(to => ["<$word\@example.org>"]);
        is_deeply [ @$got{qw(stage code)} ], [ 'rcpt', $code ], "$word at RCPT";
        $mta->quit;
    }
    return;
}

sub versions ($daemon) {
    for my $offer (
        [ 2, 0x3f,  0x7f ],
        [ 3, 0x3f,  0x17f ],
        [ 4, 0x3f,  0x37f ],
        [ 6, 0x1ff, 0x1fffff ]
        )
    {
        my ($version, $actions, $protocol) = @$offer;
        my $mta = $daemon->milter(
            version  => $version,
            actions  => $actions,
            protocol => $protocol
        );
        is $mta->{version}, $version, "version $version is agreed";
        $mta->hello;
        my $got = $mta->message(from => '<add@example.org>');
        is_deeply [ @$got{qw(code changes)} ],
            [ 'c', [ [ 'add_header', 'X-New', 'value' ] ] ],
            "version $version: a message";
        $mta->quit;
    }
    return;
}

1;
