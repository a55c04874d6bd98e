#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# `milter-check dump` behind a real Postfix and a real Sendmail; and what `send`
# says as one of them is what that MTA says: the same packets with the same
# macros in the same order.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use AuthServer ();
use Harness
    qw(program need_programs temp_dir start_process stop_process wait_for
    free_port read_file write_file run_program);
use JSON::PP;
use Postfix    ();
use Sendmail   ();
use Sink       ();
use SmtpClient ();
use Test::More;

need_programs('milter-check');
my $check = program('milter-check');
my $eml   = temp_dir() . '/message.eml';
my $text
    = "From: a\@example.net\nTo: c\@example.com\n"
    . "Date: Sun, 22 Nov 2026 21:46:00 +0000\nMessage-ID: <1\@example.net>\n"
    . "Subject: hello\n\nHello\nworld\n";
write_file($eml, $text);

# Its address, and a function that waits until the connection with a message is
# over and returns its packets.
sub start_dump () {
    state $count = 0;
    my $out     = temp_dir() . '/dump' . ++$count;
    my $address = 'inet:' . free_port() . '@127.0.0.1';
    my $process = start_process(
        cmd    => [ $check, 'dump', '--json', $address ],
        stdout => $out,
        stderr => "$out.err"
    );
    wait_for('dump', sub { -s "$out.err" });
    return (
        $address,
        sub {
            wait_for('the message', sub { one_with_message(read_file($out)) });
            is stop_process($process), 0, 'dump ends';
            return one_with_message(read_file($out));
        }
    );
}

# An MTA may have been asked before whether it is there, and have asked, too.
sub one_with_message ($text) {
    my (%packets, $found);
    for my $p (map { decode_json($_) } $text =~ /^(.*)\n/gm) {
        my $c = $p->{connection};
        push @{ $packets{$c} }, $p;
        $found = $c              if ($p->{name} // '') eq 'EOM';
        return @{ $packets{$c} } if $p->{note} && $c == ($found // 0);
    }
    return;
}

# What has to be the same: packets of the MTA, names of macros, what the client
# said.  The negotiation of a filter is its own.
sub essence (@packets) {
    return join '', map {"$_\n"} map {
        my $p = $_;
        !$p->{name}                  ? ()
            : $p->{from} eq 'filter' ? "< $p->{name}"
            : $p->{name} eq 'MACRO'
            ? "MACRO $p->{for} @{[ sort keys %{ $p->{macros} } ]}"
            : $p->{name} eq 'CONNECT' ? 'CONNECT'
            : $p->{words}
    } @packets;
}

sub by_smtp ($port) {
    my $client = SmtpClient->new($port, '127.0.0.1');
    my @said   = (
        'HELO client.example.net',
        'MAIL FROM:<a@example.net>',
        'RCPT TO:<c@example.com>',
        'DATA'
    );
    like $client->reply, qr/^220/, 'greeting';
    for (@said) {
        $client->send_line($_);
        like $client->reply, qr/^[23]/, $_;
    }
    $client->send_message($text);
    like $client->reply, qr/^250/, 'accepted';
    $client->send_line('QUIT');
    like $client->reply, qr/^221/, 'end';
    return;
}

sub by_send ($address, $mta) {
    my ($status) = run_program(
        30,                     $check,
        'send',                 $address,
        $eml,                   "--mta=$mta",
        '--from=a@example.net', '--to=c@example.com',
        '--ip=127.0.0.1',       '--helo=client.example.net'
    );
    is $status, 0, "send as $mta";
    return;
}

for my $class (qw(Postfix Sendmail)) {
    subtest $class => sub {
        my $why = $class->why_not;
        plan skip_all => $why if $why;
        my $sink = Sink->start;
        my ($address, $end) = start_dump();
        my $mta = $class->start(
            sink  => $sink->port,
            auth  => AuthServer->start,
            ports => { one => { milter => $address } }
        );
        by_smtp($mta->port('one'));
        my $real = essence($end->());
        $mta->stop;
        ($address, $end) = start_dump();
        by_send($address, lc $class);
        my $played = essence($end->());
        is $played, $real, 'the same is said';
        like $real, qr/^MAIL <a\@example\.net>.*^EOM\n< CONTINUE\n/ms,
            'a whole message';
    };
}

done_testing;
