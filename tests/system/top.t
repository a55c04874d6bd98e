#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# md-mx-ctrl top on a terminal: keys, a terminal that goes away.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fcntl   qw(O_NOCTTY O_RDWR);
use Harness qw(need_programs program start_process temp_dir wait_exit wait_for);
use Test::More;

need_programs('md-mx-ctrl');

use constant {
    TIOCSPTLCK => 0x40045431,    # Linux: unlock the other end
    TIOCGPTN   => 0x80045430,    # and its number
};
plan skip_all => 'no pseudo-terminals as on Linux' if !-e '/dev/ptmx';

# A terminal with the live screen in it, of a multiplexor that is not there.
# Returns (our end, process).
sub on_terminal () {
    sysopen my $ours, '/dev/ptmx', O_RDWR | O_NOCTTY or die "/dev/ptmx: $!";
    my ($unlock, $number) = (pack('i', 0), pack 'i', 0);
    ioctl $ours, TIOCSPTLCK, $unlock or die "TIOCSPTLCK: $!";
    ioctl $ours, TIOCGPTN,   $number or die "TIOCGPTN: $!";
    my $path = '/dev/pts/' . unpack 'i', $number;
    sysopen my $theirs, $path, O_RDWR | O_NOCTTY or die "$path: $!";
    my $process = start_process(
        code => sub {
            close $ours;
            open STDIN,  '<&', $theirs or die;
            open STDOUT, '>&', $theirs or die;
            exec program('md-mx-ctrl'), '-s', temp_dir() . '/none', 'top';
        }
    );
    close $theirs;
    my $seen = '';
    wait_for(
        'the screen',
        sub {
            sysread $ours, $seen, 4096, length $seen;
            return $seen =~ /NO ANSWER/;
        }
    );
    return ($ours, $process);
}

my ($terminal, $process) = on_terminal();
syswrite $terminal, 'q';
is wait_exit($process), 0, 'q ends it';

($terminal, $process) = on_terminal();
close $terminal;
ok defined wait_exit($process), 'the end of its terminal ends it';

done_testing;
