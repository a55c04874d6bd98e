#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# All cases of cases.pl through a real Postfix with our daemon as its milter.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use Test::More;
use Cases   qw(runs filter_text run_dialogue differences);
use Daemon  ();
use Harness qw(top need_programs read_file wait_for);
use Postfix ();
use Sink    ();

plan skip_all => Postfix->why_not if Postfix->why_not;
need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my $cases = do "$FindBin::Bin/cases.pl" or die $@ || $!;
my @runs  = runs($cases);

# More clients than workers: they wait for their turn.
my @common = (
    filter  => filter_text(@runs),
    options => [qw(-r -H -s -t -q -X)],
    mux     => [qw(-m 1 -x 4 -q 100 -Q 60)],
);
my %daemon = (
    'built-in' => Daemon->start(@common, listen => 'inet'),
    separate => Daemon->start(@common, listen => 'inet', separate => 1),
    unix     => Daemon->start(@common, listen => 'unix', user     => 'postfix'),
    sample   => Daemon->start(
        listen => 'inet',
        filter => read_file(top() . '/docs/examples/mimedefang-filter')
    ),
);
my $sink    = Sink->start;
my $postfix = Postfix->start(
    sink    => $sink->port,
    milters => { map { $_ => spelling($daemon{$_}{address}) } keys %daemon },
);

my %wrong;
for my $run (@runs) {
    $wrong{ $run->{domain} }
        = [ run_dialogue($run, $postfix->port($run->{set_up})) ];
}
wait_for('Postfix to deliver everything', sub { $postfix->is_idle }, 60);
my @messages = $sink->messages;

for my $run (@runs) {
    my @wrong = (@{ $wrong{ $run->{domain} } }, differences($run, @messages));
    is join("\n", @wrong), '', "$run->{name}, $run->{set_up}";
}
for my $name (sort keys %daemon) {
    is_deeply [ $daemon{$name}->leftovers ], [],
        "$name: no working directory is left";
    is $daemon{$name}->stop, 0, "$name: the daemon ends with status 0";
}
my @warnings
    = $postfix->log_text =~ /^.*(?:warning|fatal|panic|milter-\w+ error).*$/mg;
is_deeply \@warnings, [], 'Postfix has no complaint';

if (!Test::More->builder->is_passing) {
    diag "$_:\n" . $daemon{$_}->log_text for sort keys %daemon;
    diag $postfix->log_text;
}
done_testing;

# The way in which Postfix spells an address.
sub spelling ($address) {
    return $address =~ s/\Ainet:(\d+)\@(.*)/inet:$2:$1/r;
}
