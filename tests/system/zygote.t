#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# -E with our own worker program: the filter is loaded once, by one process;
# each worker initialises itself, loads nothing, and is replaced like any other.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon  ();
use Harness qw(both_ways need_programs wait_for);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

# Header fields say who loaded, who initialised, and how many modules came later.
my $filter = <<'END';
use strict;
use warnings;
my $loaded = $$;
my ($initialized, %before, $random);
print "printed while loading\n";
sub filter_initialize {
    $initialized = $$;
    %before      = %INC;
    $random      = rand;
    return;
}
sub filter_end {
    my $late = join q{,}, grep { !$before{$_} } sort keys %INC;
    my $init = $initialized == $$ ? 'itself' : 'another';
    my $load = $loaded == $$ ? 'itself' : 'another';
    action_add_header('X-Worker', "VERSION load=$load init=$init late=$late");
    action_add_header('X-Random', $random);
    action_add_header('X-Pid', $$);
    return;
}
END

both_ways(\&all_of);
done_testing;

sub all_of ($separate) {
    my $daemon = Daemon->start(
        filter   => $filter =~ s/VERSION/one/r,
        separate => $separate,
        mux      => [qw(-E -m 2 -x 4 -w 1 -r 2 -Z --zygote-dir SPOOL)],
        options  => ['-X'],
    );
    $daemon->await_log(qr/zygote \(pid \d+\) is ready/);
    like $daemon->log_text, qr/stderr: printed while loading/,
        'what the filter prints is logged';
    wait_for('two workers', sub { scan_workers($daemon) == 2 });

    my (%pid, %random);
    for (1 .. 4) {
        my %got = fields($daemon);
        is $got{'X-Worker'}, 'one load=another init=itself late=', 'a message';
        $pid{ $got{'X-Pid'} }++;
        $random{ $got{'X-Random'} }++;
    }
    is keys %pid,    2, 'workers are retired as ever';
    is keys %random, 2, 'and have random numbers of their own';
    $daemon->await_log(qr/Worker 0 resource usage: req=2, scans=2, user=\d/);
    pass 'their usage is known';

    $daemon->filter($filter =~ s/VERSION/two/r);
    is_deeply [ $daemon->control('reread') ],
        [ 0, "Forced reread of filter rules\n", '' ], 'reread';
    wait_for('the new filter', sub { loaded($daemon) =~ /^two/ });
    pass 'the new filter serves';

    $daemon->filter('sub filter_end { this is no Perl');
    like [ $daemon->control('reread') ]->[1],
        qr/\Aerror: reread refused: .*-zygote exited with status \d+ before it was ready: .*syntax error.*; the filter that was loaded stays in use\n\z/,
        'a filter that does not compile is refused';
    like loaded($daemon), qr/^two/, 'and the one before it serves';
    is $daemon->stop, 0, 'the daemon ends with status 0';
    opendir my $d, $daemon->{spool} or die "$daemon->{spool}: $!\n";
    is_deeply [ grep {/^\.zygote/} readdir $d ], [], 'no directory is left';
    diag $daemon->log_text if !Test::More->builder->is_passing;
    return;
}

sub scan_workers ($daemon) {
    my ($status, $text) = $daemon->control('rawstatus');
    return scalar(() = (split ' ', $text)[0] =~ /I/g);
}

sub loaded ($daemon) {
    my %got = fields($daemon);
    return $got{'X-Worker'};
}

sub fields ($daemon) {
    my $mta = $daemon->milter;
    $mta->hello;
    my $got = $mta->message;
    $mta->quit;
    return map { $_->[1] => $_->[2] } @{ $got->{changes} };
}
