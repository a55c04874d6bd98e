#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# md-mx-ctrl, ours and Debian's, asks multiplexors, ours and Debian's: what one
# prints is what the other prints.  Debian's worker under our multiplexor with
# status reports (-Z): all messages pass.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use Test::More;
use Harness    qw(program need_programs run_program);
use Messages   qw(options_for_messages messages_pass);
use PeerDaemon ();
use Peers      qw(need_peers peer_program);

need_peers();
need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my @commands = (
    qw(status rawstatus barstatus free msgs workers busyworkers
        histo),
    [ 'workerinfo', '0' ],
    [ 'workerinfo', '9' ],
    (
        map { ($_, "raw$_") }
            map { ("load$_", "hload$_") } '',
        qw(-relayok -senderok -recipok)
    ),
    [ 'load1', '60' ],

    [ 'rawload1', '60' ],
    [ 'load1',    '5' ],
    ['foo_no_such_command'],
    ['reread']
);

for my $peer ([qw(front worker)], [qw(front multiplexor worker)]) {
    my $name = @$peer == 3 ? 'their multiplexor' : 'our multiplexor';
    subtest $name => sub {
        my $daemon = PeerDaemon->start(
            peer => $peer,
            mux  => [qw(-m 1 -x 3 -Z)]
        );
        my $mta = $daemon->milter;
        $mta->hello;
        is $mta->message->{code}, 'c', 'a message passes';
        $mta->quit;
        for my $command (@commands) {
            my @words = ref $command ? @$command : $command;
            my @said  = map {
                my ($status, $out, $err)
                    = run_program(20, $_, '-s',
                    $daemon->control_socket, @words);
                comparable("status $status\n$out$err")
            } program('md-mx-ctrl'), peer_program('md-mx-ctrl');
            is $said[0], $said[1], "@words";
        }
        $daemon->stop;
    };
}

subtest "Debian's worker, -Z" => sub {
    my $daemon = PeerDaemon->start(
        options_for_messages(),
        peer => ['worker'],
        mux  => [qw(-m 1 -x 4 -Z)]
    );
    messages_pass($daemon);
};
done_testing;

# Without ages and the time of day.
sub comparable ($text) {
    $text =~ s/ago=\d+/ago=N/g;
    $text =~ s/Age \d+/Age N/g;
    $text =~ s/"timestamp": "[^"]*"/"timestamp": "NOW"/g;
    $text =~ s/^((?:[\d.]+ ){20,}.*|[IBSK]+ .*)/$1 =~ s{\d+\.?\d*}{N}gr/gem;
    return $text;
}
