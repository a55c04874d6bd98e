#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Started without -D: the command returns when mail can come, says so by its
# exit status, and leaves a daemon with a pid file.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon ();
use Harness
    qw(both_ways need_programs program run_program adopt_process stop_process
    is_running read_file wait_exit);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

both_ways(\&all_of);
done_testing;

sub all_of ($separate) {
    my $daemon = Daemon->prepare(
        filter   => "sub filter_end { action_add_header('X-Scanned', 'yes') }",
        separate => $separate,
        options  => [ '-X', '-P', 'SPOOL/front.pid', '-o', 'SPOOL/front.lock' ],
        mux      => [ '-m', 1,    $separate ? ('-p', 'SPOOL/mux.pid') : () ],
    );
    my @commands = $daemon->commands;
    my @running;
    for my $command (@commands) {
        my @words = grep { !/\A(?:-D|--log-stderr)\z/ } @$command;
        my ($status, $out, $err) = run_program(30, @words);
        is $status,    0,  'the command ends with status 0' or diag $err;
        is "$out$err", '', 'and says nothing';
        my $name = $command == $commands[-1] ? 'front' : 'mux';
        my $text = read_file("$daemon->{spool}/$name.pid");
        like $text, qr/\A\d+\n\z/, 'the pid file has a number';
        push @running, adopt_process($text + 0);
        ok is_running($running[-1]), 'of a process';

        ($status, $out, $err) = run_program(30, @words);
        is $status, 1, 'a second copy: status 1';
        like $err, qr/\AError from child: .*[Aa]nother copy/,
            'a second copy: told by the daemon';
    }
    my $mta = $daemon->milter;
    $mta->hello;
    is_deeply $mta->message->{changes},
        [ [ 'add_header', 'X-Scanned', 'yes' ] ],
        'a message is scanned';
    $mta->quit;
    for my $p (reverse @running) {
        stop_process($p);
        ok !is_running($p), 'TERM ends it';
    }
    opendir my $dh, $daemon->{spool} or die "$daemon->{spool}: $!\n";
    is_deeply [ grep { !/\A\.\.?\z|\.lock\z/ } readdir $dh ], [],
        'no file is left';
    return;
}
