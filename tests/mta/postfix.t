#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# All cases of cases.pl through a real Postfix with our daemon as its milter.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use Test::More;
use BehindPostfix qw(options_for_all behind_postfix);
use Cases         qw(runs filter_text);
use Daemon        ();
use Harness       qw(top need_programs read_file);
use Postfix       ();

plan skip_all => Postfix->why_not if Postfix->why_not;
need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my $cases  = do "$FindBin::Bin/cases.pl" or die $@ || $!;
my @runs   = runs($cases);
my @common = (options_for_all(), filter => filter_text(@runs));
my $sample = read_file(top() . '/docs/examples/mimedefang-filter');

behind_postfix(
    \@runs,
    'built-in' => Daemon->start(@common, listen => 'inet'),
    separate => Daemon->start(@common, listen => 'inet', separate => 1),
    unix     => Daemon->start(@common, listen => 'unix', user     => 'postfix'),
    sample   => Daemon->start(filter => $sample, listen => 'inet'),
);
done_testing;
