#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What milter-check filter says and how it ends: the three forms of a report, the
# command line that repeats a case, the exit status.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../system/lib", "$FindBin::Bin/lib";
use Test::More;
use Check   qw(start_filter test_program);
use Harness qw(need_programs program temp_dir run_program read_file);

need_programs('milter-check');
my $broken = test_program('conformance/broken_filter');
plan skip_all => "not built: $broken" if !-x $broken;

my $check = program('milter-check');
my $dir   = temp_dir();
my $bad   = "unix:$dir/bad.sock";
my $good  = "unix:$dir/good.sock";
start_filter($bad,  $broken, 'text-with-percent', $bad);
start_filter($good, $broken, 'none',              $good);

my @one = qw(--profile generic-v6 --only reply-percent);
my ($status, $tap) = run_program(
    60,       $check,      'filter', @one, '--junit', "$dir/junit",
    '--json', "$dir/json", $bad
);
is $status, 1, 'a filter that does not conform';
like $tap, qr/^TAP version 13\n1\.\.1\nnot ok 1 - MLT-238 reply-percent /,
    'TAP: the plan and the result';
like $tap, qr/^#   requirement MLT-238 \(must, spec:reply-text\): Each %/m,
    'TAP: the requirement';
like $tap, qr/^#   seen: a single % at octet 6$/m, 'TAP: what was seen';
like $tap, qr/^# +[\d.]+ #1 > .*MAIL <alice\@example\.net>/m,
    'TAP: what was sent, in words';
like $tap, qr/^# +[\d.]+ #1 < REPLYCODE 550 50% off\n# +< 0000000d79353530/m,
    'TAP: what was received, in words and in hex';

my ($again) = $tap =~ /^#   again: milter-check (.*)$/m;
($status, my $repeated) = run_program(60, $check, split ' ', $again);
is $status, 1, 'the command line that is shown repeats it';
like $repeated, qr/^not ok 1 - MLT-238 reply-percent \(generic-v6\)$/m,
    'the same case, and no other';

my $junit = read_file("$dir/junit");
like $junit, qr/<testsuite name="milter-check filter" tests="1" failures="1"/,
    'JUnit: the totals';
like $junit, qr/<failure message="a single % at octet 6">MLT-238/,
    'JUnit: the failure';
like read_file("$dir/json"),
    qr/"name":"reply-percent","requirement":"MLT-238","strength":"must"/,
    'JSON: the case';

($status, $tap) = run_program(60, $check, 'filter', @one, $good);
is $status, 0, 'a filter that conforms';
like $tap, qr/^ok 1 .* # SKIP not applicable: /m, 'what does not apply';

# [name, status, what is said, words of the command line]
for my $case (
    [ 'nobody listens', 3, qr/cannot connect/, 'filter', "unix:$dir/none" ],
    [ 'no socket', 2, qr/^Usage: /m, 'filter' ],
    [
        'an unknown case',         2,
        qr/no case has this name/, 'filter',
        '--only',                  'nix',
        $good
    ],
    [
        'an unknown profile',       2,
        qr/one of sendmail-8\.12 /, 'filter',
        '--profile',                'nix',
        $good
    ],
    [
        'no field', 2, qr/NAME: VALUE is needed/,
        'filter',   '--header', 'x', $good
    ],
    [ 'an unknown command', 2, qr/there is no command "nix"/, 'nix' ],
    )
{
    my ($name, $want, $say, @words) = @$case;
    my ($got, undef, $err) = run_program(60, $check, @words);
    is $got, $want, "$name: the exit status";
    like $err, $say, "$name: what is said";
}

my ($list_status, $list) = run_program(60, $check, 'filter', '--list');
is $list_status, 0, 'the list of cases';
like $list, qr/^every-split\tMLT-105\tmust\thostile$/m,
    'a case with its requirement and profiles';
done_testing;
