#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The cases behind Postfix with Debian's mimedefang in place of ours: of all of
# our programs (so the cases do not merely mirror them), and of each one (so
# ours work beside the old ones).
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../mta/lib",
    "$FindBin::Bin/../system/lib";
use Test::More;
use BehindPostfix qw(options_for_all behind_postfix);
use Cases         qw(runs filter_text);
use Harness       qw(need_programs);
use PeerDaemon    ();
use Peers         qw(need_peers);
use Postfix       ();

plan skip_all => Postfix->why_not if Postfix->why_not;
need_peers();
need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my %peer = (
    'all programs'      => [qw(front multiplexor worker)],
    'front-end'         => [qw(front)],
    'multiplexor'       => [qw(multiplexor)],
    'worker'            => [qw(worker)],
    'all but front-end' => [qw(multiplexor worker)],
    'all but worker'    => [qw(front multiplexor)],
);
my $cases = do "$FindBin::Bin/../mta/cases.pl" or die $@ || $!;
my @cases = grep { !$_->{via} || $_->{via}[0] ne 'sample' } @$cases;
$_->{via} = [ sort keys %peer ] for @cases;
my @runs = runs(\@cases);
my %daemon;

for my $name (sort keys %peer) {
    $daemon{$name} = PeerDaemon->start(
        options_for_all(),
        filter => filter_text(@runs),
        listen => 'inet',
        peer   => $peer{$name}
    );
}
behind_postfix(\@runs, %daemon);
done_testing;
