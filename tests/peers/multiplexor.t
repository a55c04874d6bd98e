#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The runs of runs/ through Debian's multiplexor and through ours: workers and
# clients that misbehave.  Answers, log lines (in any order), statistics and
# notifications are the same.  pool-deviations.pl says where we differ on
# purpose, and why.
#   RUN=pattern  only those;  SHOW=1  print what ours does, too
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use Test::More;
use Difference qw(difference missing);
use Harness    qw(need_programs);
use List::Util qw(uniq);
use Parallel   qw(in_parallel);
use Peers      qw(need_peers peer_program);
use Pool       ();

need_peers();
need_programs(qw(mimedefang-multiplexor));

my $deviations = do "$FindBin::Bin/pool-deviations.pl" or die $@ || $!;
my %expected;
for my $deviation (@$deviations) {
    push @{ $expected{$_} }, split /\n/, $deviation->{in}{$_}
        for keys %{ $deviation->{in} };
}
my $runs = do "$FindBin::Bin/runs.pl" or die $@ || $!;
my @runs = grep { $_->{name} =~ ($ENV{RUN} // '') } @$runs;
peer_program('mimedefang-multiplexor');    # made now, for all processes
my @done = in_parallel(
    8,
    map {
        my $run = $_;
        map {
            my $whose = $_;
            sub { Pool->play($whose, $run) }
        } qw(theirs ours)
    } @runs
);
for my $run (@runs) {
    my ($theirs, $ours) = splice @done, 0, 2;
    if ($run->{once}) {
        $_->{log} = [ uniq(@{ $_->{log} }) ] for $theirs, $ours;
    }
    my $only = $run->{only} // '';
    my %their
        = map { $_ => looked_at($_, $only) ? $theirs->{$_} : [] } keys %$theirs;
    my %our = map { $_ => looked_at($_, $only) ? $ours->{$_} : [] } keys %$ours;
    my @found = (
        difference($their{steps}, $our{steps}),
        (map {"- log $_"} missing($their{log}, $our{log})),
        (map {"+ log $_"} missing($our{log},   $their{log})),
        (
            map {s/\A[-+]/$& statistics/r}
                difference($their{statistics}, $our{statistics})
        ),
        (map {s/\A[-+]/$& note/r} difference($their{notes}, $our{notes})),
    );
    my $same = is join("\n", sort @found),
        join("\n", sort @{ $expected{ $run->{name} } // [] }), $run->{name};
    if (!$same || $ENV{SHOW}) {
        for ([ 'theirs', $theirs ], [ 'ours', $ours ]) {
            my ($whose, $lines) = @$_;
            diag join "\n", "$whose:", @{ $lines->{steps} }, map {
                my $kind = $_;
                map {"  $kind $_"} @{ $lines->{$kind} }
            } qw(log statistics notes);
        }
    }
}
done_testing;

sub looked_at ($kind, $only) { return $only eq '' || $only eq $kind }
