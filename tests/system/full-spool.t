#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A spool without room: messages are tempfailed, the log says why, and all is
# well again when there is room.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon       ();
use MilterClient qw(tempfailed);
use Harness      qw(need_programs daemon_user mount_small write_file wait_for);

plan skip_all => 'needs root: mounts a small file system' if $>;
need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));
my (undef, undef, $uid, $gid) = getpwnam daemon_user();
my $spool
    = mount_small('small', "size=1m,nr_inodes=60,mode=750,uid=$uid,gid=$gid")
    or plan skip_all => 'cannot mount a file system here';

my $filter = "sub filter_end { action_add_header('X-Scanned', 'yes') }";
my $large = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n"
    x 4000;

for my $options (['-X'], [qw(-X -r -H -s -t)]) {
    my $daemon = Daemon->start(
        spool   => $spool,
        filter  => $filter,
        options => $options
    );
    my $mta = $daemon->milter;
    $mta->hello;
    is_fine($mta, "@$options: with room");

    write_file("$spool/filler", 'x' x 900_000);
    is_refused($mta, "@$options: a large message, no room", body => $large);
    is_fine($mta, "@$options: a small message that fits");
    $daemon->await_log(qr/No space left on device/);
    ok + (() = $daemon->log_lines(qr/No space left/)) >= 1,
        "@$options: the log says why";
    unlink "$spool/filler" or die "$spool/filler: $!\n";
    is_fine($mta, "@$options: a large message, room again", body => $large);

    my $n = 0;
    while (open my $fh, '>', "$spool/filler" . ++$n) { close $fh }
    is_refused($mta, "@$options: no directory can be made");
    unlink glob "$spool/filler*";
    is_fine($mta, "@$options: room again");

    $mta->quit;
    wait_for('the last directory to go', sub { !$daemon->leftovers });
    is $daemon->stop, 0, "@$options: the daemon ends with status 0";
    diag $daemon->log_text if !Test::More->builder->is_passing;
}
done_testing;

sub is_fine ($mta, $name, %o) {
    my $got = $mta->message(%o);
    is_deeply [ @$got{qw(stage code changes)} ],
        [ 'eom', 'c', [ [ 'add_header', 'X-Scanned', 'yes' ] ] ], $name
        or diag explain $got;
    return;
}

sub is_refused ($mta, $name, %o) {
    my $got = $mta->message(%o);
    ok tempfailed($got), "$name: tempfail"
        or diag explain $got;
    is_deeply $got->{changes}, [], "$name: no change";
    return;
}
