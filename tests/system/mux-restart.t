#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The separate multiplexor is killed and started again while messages pass: each
# of them is scanned, or tempfailed, and afterwards all are scanned again.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon ();
use Harness
    qw(need_programs temp_dir read_file wait_for wait_exit start_process stop_process);
use MilterClient qw(tempfailed);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my $senders = 3;
my $daemon  = Daemon->start(
    separate => 1,
    mux      => [qw(-m 3 -x 3 -q 20)],
    filter   => 'sub filter_end { action_add_header("X-Scanned", "yes") }',
);

# Sends messages until the file "end" is there; a letter for each: s(canned),
# t(empfailed), ?.
sub send_all ($to) {
    open my $fh, '>', $to or die "$to: $!\n";
    $fh->autoflush(1);
    until (-e temp_dir() . '/end') {
        my $client = $daemon->milter;
        my $got    = $client->hello;
        $got = $client->message if $got->{code} eq 'c';
        print {$fh} letter($got);
        $client->quit;
    }
    return;
}

sub letter ($got) {
    return 't' if tempfailed($got);
    my ($change) = @{ $got->{changes} // [] };
    return 's' if $got->{code} eq 'c' && $change && $change->[1] eq 'X-Scanned';
    return '?';
}

my @files   = map { temp_dir() . "/sent$_" } 1 .. $senders;
my @sending = map {
    my $to = $_;
    start_process(code => sub { send_all($to) }, stderr => "$to.err")
} @files;

sub sent () {
    return join '', map { -e $_ ? read_file($_) : '' } @files;
}

# Until as many more messages were scanned.
sub some_more ($n) {
    my $want = $n + (sent() =~ tr/s//);
    wait_for('messages that pass', sub { (sent() =~ tr/s//) >= $want });
    return;
}

some_more(6);
for my $signal (qw(KILL TERM)) {
    my $mux = $daemon->{processes}[0];
    kill $signal, $mux->{pid};
    wait_exit($mux);
    wait_for('workers that ended', sub { !kill 0, $mux->{all} });
    my $failed = sent() =~ tr/t//;
    wait_for('tempfails', sub { (sent() =~ tr/t//) > $failed });
    my ($command) = $daemon->commands;
    $daemon->{processes}[0] = $daemon->launch_one($command);
    some_more(6);
    pass("messages pass again after SIG$signal");
}
Harness::write_file(temp_dir() . '/end', '');
for my $p (@sending) {
    is(wait_exit($p, 60), 0, 'a sender has ended well')
        or diag(read_file($p->{stderr}));
}
is(sent() =~ tr/?//, 0, 'no message is answered otherwise')
    or diag(sent(), "\n", $daemon->log_text);
is_deeply([ $daemon->leftovers ], [], 'no working directory is left');
$daemon->stop;
done_testing;
