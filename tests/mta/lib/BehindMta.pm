# SPDX-License-Identifier: MIT
package BehindMta;

# Runs cases with a real MTA in front of daemons, one test for each, and prints
# all logs if one failed.

use v5.36;
use AuthServer ();
use Daemon     ();
use Delivered  qw(differences);
use Dialogue   qw(run_dialogue);
use Exporter   qw(import);
use Harness    qw(need_programs top wait_for);
use Parallel   qw(in_parallel);
use Postfix    ();
use PrivateNet qw(enter_private_net has_private_net);
use Runs       qw(filter_text is_special runs);
use Sendmail   ();
use CaseSetUps qw(daemon_of daemon_options port_options);
use Sink       ();
use Table      ();
use Test::More;

our @EXPORT_OK = qw(behind cases our_daemons_behind picked);

=head1 FUNCTIONS

=head2 our_daemons_behind($class)

All cases with all our set-ups behind an MTA of this class, Postfix or
Sendmail: a whole test, skipped where the MTA cannot be run.

=cut

sub our_daemons_behind ($class) {
    enter_private_net();
    my $why_not = $class->why_not;
    plan skip_all => $why_not if $why_not;
    need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

    my @runs   = picked(runs([ cases() ], $class));
    my $filter = filter_text(@runs);
    my %daemon;
    for my $name (map { $_->{set_up} } @runs) {
        my $of = daemon_of($name);
        $daemon{$name} = $daemon{$of}
            //= Daemon->start(daemon_options($of, $class, $filter));
    }
    my @results = behind($class, \@runs, %daemon);
    Table::save($class, @results);
    done_testing;
    return;
}

=head2 picked(@runs)

Those that are wanted: all; with PART in the environment, the part that `make
check` runs; with CASES, those whose name matches it.  Without a private network
nobody comes from afar.

=cut

sub picked (@runs) {
    my $wanted = $ENV{CASES} // '';
    my @picked = grep { $_->{name} =~ /$wanted/i } @runs;
    @picked = grep { $_->{part} && $_->{set_up} !~ /\Aprotocol/ } @picked
        if $ENV{PART};
    @picked = grep { !is_special($_) } @picked if !has_private_net();
    return @picked;
}

=head2 cases([$file])

All cases: the lists of F<tests/mta/cases>, or the one of this name.

=cut

sub cases ($file = '*') {
    state %cases;
    my @files = glob top() . "/tests/mta/cases/$file.pl";
    return map { @{ $cases{$_} //= do($_) || die $@ || $! } } @files;
}

=head2 behind($class, $runs, %daemon)

Plays all runs through an MTA of this class (Postfix, Sendmail), each with the
daemon of its set-up, waits until everything is delivered, compares, stops the
daemons.  Returns [run, what is wrong] for each.

=cut

sub behind ($class, $runs, %daemon) {
    my $sink = Sink->start;
    my $mta  = $class->start(
        auth  => AuthServer->start,
        sink  => $sink->port,
        ports => { map { $_ => port_options($_, $daemon{$_}) } keys %daemon },
    );
    my %wrong;
    @wrong{ map { $_->{domain} } @$runs } = in_parallel(
        6,
        map {
            my $run = $_;
            sub { [ run_dialogue($run, $mta) ] }
        } @$runs
    );
    my $all = eval {
        wait_for("$class to deliver all", sub { $mta->is_idle }, 60);
    };
    ok $all, "$class delivers everything" or diag $@;

    my @messages = $sink->messages;
    my @results;
    for my $run (@$runs) {
        my $wrong = join "\n", @{ $wrong{ $run->{domain} } },
            differences($run, @messages);
        is $wrong, '', "$run->{name}, $run->{set_up}";
        push @results, [ $run, $wrong ];
    }
    my %name = reverse %daemon;    # one may serve several set-ups
    for my $name (sort values %name) {

        # the MTA tells of a client that has gone when it gets round to it
        my $clean = sub { !$daemon{$name}->leftovers };
        ok eval { wait_for("no working directory of $name", $clean) },
            "$name: no working directory is left"
            or diag $@, $daemon{$name}->leftovers;
        is $daemon{$name}->stop, 0, "$name: the daemon ends with status 0";
    }

    is_deeply [ $mta->complaints ], [], "$class has no complaint";
    $mta->stop;

    if (!Test::More->builder->is_passing) {
        diag "$_:\n" . $daemon{$_}->log_text for sort keys %daemon;
        diag $mta->log_text;
    }
    return @results;
}

1;
