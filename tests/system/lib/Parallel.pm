# SPDX-License-Identifier: MIT
package Parallel;

# Functions that mostly wait, side by side, each in a process of its own.

use v5.36;
use Exporter qw(import);
use Harness  qw(temp_dir start_process stop_process is_running wait_for);
use Storable qw(store retrieve);

our @EXPORT_OK = qw(in_parallel);

=head1 FUNCTIONS

=head2 in_parallel($n, @functions)

Calls them, at most so many at a time; returns what they return (references), in
order.  Dies if one died.  A function has to stop what it starts; it is told to
end by an exception.

=cut

sub in_parallel ($n, @functions) {
    temp_dir();    # one for all
    my (%running, @results);
    my @waiting = 0 .. $#functions;
    while (@waiting || %running) {
        while (@waiting && keys %running < $n) {
            my $i = shift @waiting;
            $running{$i}
                = start_process(code => sub { run_one($i, $functions[$i]) });
        }
        my ($done) = wait_for(
            'one of the functions',
            sub {
                my ($over) = grep { !is_running($running{$_}) } keys %running;
                return defined $over ? [$over] : 0;
            },
            120
        )->[0];
        my $process = delete $running{$done};
        stop_process($process);
        die "function $done ended with status $process->{status}\n"
            if $process->{status} != 0;
        $results[$done] = retrieve(file($done));
    }
    return @results;
}

sub file ($i) { return temp_dir() . "/result$i" }

sub run_one ($i, $function) {
    local @SIG{qw(TERM INT)} = (sub { die "stopped\n" }) x 2;
    local $SIG{PIPE} = 'IGNORE';
    store($function->(), file($i));
    return;
}

1;
