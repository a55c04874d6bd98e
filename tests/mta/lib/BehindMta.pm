# SPDX-License-Identifier: MIT
package BehindMta;

# Runs cases with a real MTA in front of daemons, one test for each, and prints
# all logs if one failed.

use v5.36;
use AuthServer ();
use Cases      qw(differences filter_text run_dialogue runs);
use Daemon     ();
use Exporter   qw(import);
use Harness    qw(need_programs read_file top wait_for);
use Parallel   qw(in_parallel);
use Postfix    ();
use Sendmail   ();
use Sink       ();
use Test::More;

our @EXPORT_OK = qw(behind cases options_for_all our_daemons_behind);

=head1 FUNCTIONS

=head2 our_daemons_behind($class)

All cases with all our set-ups behind an MTA of this class, Postfix or
Sendmail: a whole test, skipped where the MTA cannot be run.

=cut

sub our_daemons_behind ($class) {
    my $why_not = $class->why_not;
    plan skip_all => $why_not if $why_not;
    need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

    my @runs = grep { $class eq 'Postfix' || $_->{set_up} !~ /\Aprotocol/ }
        runs([ cases() ], lc $class);
    my @common = (options_for_all(), filter => filter_text(@runs));
    my @user   = $class eq 'Postfix' ? (user => 'postfix') : ();
    my $sample = read_file(top() . '/docs/examples/mimedefang-filter');
    my %daemon = (
        'built-in' => Daemon->start(@common, listen => 'inet'),
        separate   => Daemon->start(@common, listen => 'inet', separate => 1),
        unix       => Daemon->start(@common, listen => 'unix', @user),
        sample     => Daemon->start(filter => $sample, listen => 'inet'),
    );
    $daemon{$_} = $daemon{'built-in'}
        for grep {/\Aprotocol/} map { $_->{set_up} } @runs;
    behind($class, \@runs, %daemon);
    done_testing;
    return;
}

=head2 cases([$file])

All cases: the lists of F<tests/mta/cases>, or the one of this name.

=cut

sub cases ($file = '*') {
    state %cases;
    my @files = glob top() . "/tests/mta/cases/$file.pl";
    return map { @{ $cases{$_} //= do($_) || die $@ || $! } } @files;
}

=head2 options_for_all()

Options of daemons (see Daemon) that run all cases: more clients than workers,
so they wait for their turn.

=head2 behind($class, $runs, %daemon)

Plays all runs through an MTA of this class (Postfix, Sendmail), each with the
daemon that its set-up names, waits until everything is delivered, compares,
stops the daemons.

=cut

sub options_for_all {
    return (
        options => [qw(-r -H -s -t -q -X)],
        mux     => [qw(-m 1 -x 4 -q 100 -Q 60)],
    );
}

sub behind ($class, $runs, %daemon) {
    my $sink = Sink->start;
    my $mta  = $class->start(
        auth    => AuthServer->start,
        sink    => $sink->port,
        milters => { map { $_ => $daemon{$_}{address} } keys %daemon },
    );
    my %wrong;
    @wrong{ map { $_->{domain} } @$runs } = in_parallel(
        6,
        map {
            my $run = $_;
            sub { [ run_dialogue($run, $mta->port($run->{set_up})) ] }
        } @$runs
    );
    my $all = eval {
        wait_for("$class to deliver all", sub { $mta->is_idle }, 60);
    };
    ok $all, "$class delivers everything" or diag $@;

    my @messages = $sink->messages;
    for my $run (@$runs) {
        my @wrong
            = (@{ $wrong{ $run->{domain} } }, differences($run, @messages));
        is join("\n", @wrong), '', "$run->{name}, $run->{set_up}";
    }
    my %name = reverse %daemon;    # one may serve several set-ups
    for my $name (sort values %name) {
        is_deeply [ $daemon{$name}->leftovers ], [],
            "$name: no working directory is left";
        is $daemon{$name}->stop, 0, "$name: the daemon ends with status 0";
    }

    is_deeply [ $mta->complaints ], [], "$class has no complaint";
    $mta->stop;

    if (!Test::More->builder->is_passing) {
        diag "$_:\n" . $daemon{$_}->log_text for sort keys %daemon;
        diag $mta->log_text;
    }
    return;
}

1;
