#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# milter-check sees each fault of broken_filter in a case of the requirement that
# the fault breaks, and in no other, but for those that cannot be met then.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../system/lib", "$FindBin::Bin/lib";
use Test::More;
use Check   qw(check_filter start_filter test_program);
use Harness qw(need_programs temp_dir stop_process);

# What follows from the fault: a filter that closes, or says too much, owes an
# answer afterwards; a long reply has a long line.
my %follows = (
    'huge-reply'            => ['MLT-216'],
    'large-chunk'           => ['MLT-104'],
    'one-frame-a-read'      => ['MLT-160'],
    'small-limit'           => ['MLT-160'],
    'macros-answered'       => ['MLT-160'],
    'abort-answered'        => ['MLT-160'],
    'answers-in-spite'      => ['MLT-160'],
    'one-message'           => ['MLT-160'],
    'closes-at-abort'       => ['MLT-160'],
    'closes-at-second-helo' => ['MLT-160'],
    'closes-at-null-sender' => ['MLT-160'],
);

need_programs('milter-check');
my $broken = test_program('conformance/broken_filter');
plan skip_all => "not built: $broken" if !-x $broken;

my $socket = 'unix:' . temp_dir() . '/broken.sock';

# The requirements that were not met by a filter with this fault.
sub seen ($fault, @options) {
    my $filter = start_filter($socket, $broken, $fault, $socket);
    my $report = check_filter($socket, @options);
    stop_process($filter);
    return map { $_->{requirement} } $report->failed;
}

my @played  = map { ('--profile', $_) } qw(generic-v6 generic-v2);
my @hostile = qw(--profile hostile --grace-ms 30 --reply-ms 1000);
is join(' ', seen('none', @played, @hostile)), '', 'without a fault';

my $faults = 0;
for my $line (qx($broken --list)) {
    my ($fault, $number) = split ' ', $line;
    my %seen = map { $_ => 1 } seen($fault, @played, @hostile[ 2 .. 5 ]),
        seen($fault, @hostile, '--only', "MLT-$number");
    ok delete $seen{"MLT-$number"}, "$fault is seen by MLT-$number";
    delete $seen{$_} for @{ $follows{$fault} // [] };
    is join(' ', sort keys %seen), '', "$fault is seen by no other";
    $faults++;
}
cmp_ok $faults, '>=', 25, "$faults faults";
done_testing;
