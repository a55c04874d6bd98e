# SPDX-License-Identifier: MIT
# A few mutated messages through the scan; "make fuzz-bridge" takes as many as
# one likes.

use v5.36;
use FindBin;
use Test::More;

my $program = "$FindBin::Bin/../../fuzz/bridge-mutate.pl";
open my $out, '-|', $^X, $program, qw(--seed 6 --count 200) or die;
my $said = join '', <$out>;
close $out;
is($?, 0, 'none failed') or diag $said;
like(
    $said,
    qr/^200 messages, \d+ rebuilt, 0 failed, \d+ s$/,
    'all were scanned'
);

done_testing;
