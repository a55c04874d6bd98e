# SPDX-License-Identifier: MIT
package BehindPostfix;

# Runs cases with a real Postfix in front of daemons, one test for each, and
# prints all logs if one failed.

use v5.36;
use Cases    qw(run_dialogue differences);
use Exporter qw(import);
use Harness  qw(wait_for);
use Postfix  ();
use Sink     ();
use Test::More;

our @EXPORT_OK = qw(options_for_all behind_postfix);

=head1 FUNCTIONS

=head2 options_for_all()

Options of daemons (see Daemon) that run all cases: more clients than workers,
so they wait for their turn.

=head2 behind_postfix($runs, %daemon)

Plays all runs, each with the daemon that its set-up names, waits until Postfix
has delivered everything, compares, stops the daemons.

=cut

sub options_for_all {
    return (
        options => [qw(-r -H -s -t -q -X)],
        mux     => [qw(-m 1 -x 4 -q 100 -Q 60)],
    );
}

sub behind_postfix ($runs, %daemon) {
    my $sink    = Sink->start;
    my $postfix = Postfix->start(
        sink    => $sink->port,
        milters =>
            { map { $_ => spelling($daemon{$_}{address}) } keys %daemon },
    );
    my %wrong = map {
        $_->{domain} => [ run_dialogue($_, $postfix->port($_->{set_up})) ]
    } @$runs;
    my $all = eval {
        wait_for('Postfix to deliver all', sub { $postfix->is_idle }, 60);
    };
    ok $all, 'Postfix delivers everything' or diag $@;

    my @messages = $sink->messages;
    for my $run (@$runs) {
        my @wrong
            = (@{ $wrong{ $run->{domain} } }, differences($run, @messages));
        is join("\n", @wrong), '', "$run->{name}, $run->{set_up}";
    }
    for my $name (sort keys %daemon) {
        is_deeply [ $daemon{$name}->leftovers ], [],
            "$name: no working directory is left";
        is $daemon{$name}->stop, 0, "$name: the daemon ends with status 0";
    }

    # a machine whose clock is set while the test runs is no fault of a milter
    my @warnings
        = grep { !/file system clock is \d+ seconds ahead/ }
        $postfix->log_text
        =~ /^.*(?:warning|fatal|panic|milter-\w+ error).*$/mg;
    is_deeply \@warnings, [], 'Postfix has no complaint';
    $postfix->stop;

    if (!Test::More->builder->is_passing) {
        diag "$_:\n" . $daemon{$_}->log_text for sort keys %daemon;
        diag $postfix->log_text;
    }
    return;
}

# The way in which Postfix spells an address.
sub spelling ($address) {
    return $address =~ s/\Ainet:(\d+)\@(.*)/inet:$2:$1/r;
}

1;
