#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What is logged of a message, as text and as JSON.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use JSON::PP qw(decode_json);
use Daemon   ();
use Harness  qw(need_programs);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my $filter = <<'END';
sub filter_recipient { return $_[0] =~ /bad/ ? ('REJECT', 'no') : ('CONTINUE') }
END

subtest text => sub {
    my $daemon = one_message('-t');
    $daemon->await_log(qr/QLOG: message /);
    my @lines = $daemon->log_lines(qr/: message /);
    is @lines, 1, 'one line for the message' or diag explain \@lines;
    like $lines[0], qr{
        QLOG:[ ]message[ ]qid=QLOG[ ]id=\w{7}[ ]verdict=accept[ ]at=EOM
        [ ]size=[1-9]\d*[ ]rcpts=1[ ]ms=\d+[ ](?:ms_free=\d+[ ])?
        ms_rcpt=\d+[ ]ms_scan=\d+[ ]client=\S+[ ]
        from=<log%20me\@example.org>[ ]rcpt=<\S+>$}x, 'what it says';
    is $daemon->stop, 0, 'the daemon ends with status 0';
};

subtest json => sub {
    my $daemon = one_message(qw(-t --log-format json));
    $daemon->await_log(qr/"event":"message"/);
    is $daemon->stop, 0, 'the daemon ends with status 0';
    my @objects;
    for my $line (split /\n/, $daemon->log_text) {
        my $object = eval { decode_json($line) };
        ok ref $object eq 'HASH', "an object: $line";
        push @objects, $object if $object;
    }
    is_deeply [
        grep { !/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z/ }
        map  { $_->{time} } @objects
        ],
        [], 'each has a time';
    is_deeply [ grep { $_->{program} ne 'mimedefang' || !$_->{pid} } @objects ],
        [], 'each says who logged it';
    my ($message) = grep { ($_->{event} // '') eq 'message' } @objects;
    is $message->{qid},      'QLOG',                 'queue id';
    is $message->{context},  'QLOG',                 'context';
    is $message->{verdict},  'accept',               'verdict';
    is $message->{rcpts},    1,                      'number of recipients';
    is $message->{from},     '<log me@example.org>', 'sender';
    is ref $message->{rcpt}, 'ARRAY',                'recipients';
};

subtest off => sub {
    my $daemon = one_message('--no-log-summary');
    is $daemon->stop, 0, 'the daemon ends with status 0';
    is_deeply [ $daemon->log_lines(qr/: message /) ], [], 'no line';
};
done_testing;

sub one_message (@options) {
    my $daemon = Daemon->start(
        filter  => $filter,
        options => [ '-X', @options ]
    );
    my $mta = $daemon->milter;
    $mta->hello;
    my $got = $mta->message(id => 'QLOG', from => '<log me@example.org>');
    is $got->{code}, 'c', 'the message is accepted' or diag explain $got;
    $mta->quit;
    return $daemon;
}
