# SPDX-License-Identifier: MIT
package Bench;

# Ratios: what is compared is measured in turn, round by round, the order
# reversed in every second round; what counts are the ratios within a round, and
# their median is the result.  A ratio that is missed is said, not an error: time
# depends on the machine.
#
# With the right to it all runs at the highest ordinary priority, so that whatever
# else the machine does is not measured too.  A real-time one would not be what
# daemons run at: threads that take turns gain a third by it, a loop nothing.
#
#   BENCH_ROUNDS (5)  BENCH_SECONDS (2, for each measurement)
#   BENCH_ONLY (a pattern of names of runs)
use v5.36;
use Exporter qw(import);
use JSON::PP;
use List::Util qw(max min uniq);
use POSIX      qw(isatty strftime uname);

our @EXPORT_OK = qw(bench seconds run_load);

my $rounds  = $ENV{BENCH_ROUNDS}  || 5;
my $seconds = $ENV{BENCH_SECONDS} || 2;
my $only    = $ENV{BENCH_ONLY} // '';
my %unit    = (
    per_second        => 'messages/s',
    filter_cpu_us     => 'CPU us/message',
    bytes_per_session => 'octets each',
    start_ms          => 'ms, first answer',
    asked_kb          => 'private KB, new',
    private_kb        => 'private KB, used',
    status_us         => 'us, `status`',
);

sub seconds () { return $seconds }

# The rounds of one run: a list of { who => figures }.
sub _rounds ($measure, $name, @who) {
    my @results;
    for my $round (1 .. $rounds) {
        print STDERR "\r\e[K$name: round $round of $rounds" if isatty(2);
        my %r;
        $r{$_} = $measure->($name, $_) for $round % 2 ? @who : reverse @who;
        push @results, \%r;
    }
    print STDERR "\r\e[K" if isatty(2);
    return \@results;
}

sub _median (@v) {
    @v = sort { $a <=> $b } @v;
    return ($v[ $#v / 2 ] + $v[ @v / 2 ]) / 2;
}

# One line of the table from all results.
sub _compared ($results, $title, $name, $field, $whose, $other, @limit) {
    my @pairs
        = map { [ $_->{$other}{$field}, $_->{$whose}{$field} ] } @$results;
    my @ratio = map { $_->[0] > 0 ? $_->[1] / $_->[0] : 0 } @pairs;
    my %line  = (
        run    => $name,
        title  => $title,
        field  => $field,
        whose  => $whose,
        value  => _median(map { $_->[1] } @pairs),
        beside => $other,
        theirs => _median(map { $_->[0] } @pairs),
        ratio  => _median(@ratio),
        least  => min(@ratio),
        most   => max(@ratio),
    );
    if (my ($op, $limit) = @limit) {
        my $met = $op eq '>=' ? $line{ratio} >= $limit : $line{ratio} <= $limit;
        $line{wanted} = sprintf '%s %.3g', $op, $limit;
        $line{met}    = $met ? JSON::PP::true : JSON::PP::false;
    }
    return \%line;
}

sub _number ($v) {
    return sprintf $v >= 1000 ? '%.0f' : $v >= 10 ? '%.1f' : '%.2f', $v;
}

sub _print_table (@lines) {
    my $format = "%-29s %-16s %-8s %9s  %-8s %9s  %7s %7s %7s  %s\n";
    my $last   = '';
    printf $format, ('') x 4, 'beside', '', qw(ratio least most wanted);
    for my $l (@lines) {
        my $met = !$l->{wanted} ? '' : $l->{met} ? ' met' : ' MISSED';
        printf $format, $l->{title} eq $last ? '' : $l->{title},
            $unit{ $l->{field} }, $l->{whose}, _number($l->{value}),
            $l->{beside}, _number($l->{theirs}),
            map({ sprintf '%.3f', $l->{$_} } qw(ratio least most)),
            ($l->{wanted} // '') . $met;
        $last = $l->{title};
    }
    return;
}

sub _first_line ($file, $pattern) {
    open my $fh, '<', $file or return '';
    while (<$fh>) { return $1 if /$pattern/ }
    return '';
}

sub _machine () {
    my @u     = uname();
    my $first = setpriority 0, 0, -20;
    return {
        when      => strftime('%Y-%m-%dT%H:%M:%SZ', gmtime),
        kernel    => "$u[0] $u[2]",
        cpu       => _first_line('/proc/cpuinfo', qr/^model name\s*:\s*(.*)/),
        cpus      => `getconf _NPROCESSORS_ONLN` + 0,
        load_1min => _first_line('/proc/loadavg', qr/^(\S+)/) + 0,
        first     => $first ? JSON::PP::true : JSON::PP::false,
        rounds    => $rounds + 0,
        seconds   => $seconds + 0,
    };
}

=head1 FUNCTIONS

=head2 run_load($socket, @options)

What `milter-check load` found out about the filter there in BENCH_SECONDS, the
first part of which is not counted, or when all idle sessions were held; undef if
anything went wrong, also if a message was not changed.

=cut

sub run_load ($socket, @options) {
    my $is_idle = grep { $_ eq '--idle' } @options;
    my @time
        = $is_idle
        ? ('--seconds', 0.1)
        : ('--seconds', $seconds, '--warm-up', $seconds / 8);
    open my $fh, '-|', 'build/bin/milter-check', 'load', '--json', @time,
        @options, $socket
        or die "milter-check: $!\n";
    my $line = <$fh>;
    my $ok   = close $fh;
    return if !$ok || !$line;
    my $r = decode_json($line);

    # Each session may have been amid a message when the warm-up was over.
    return if !$is_idle && $r->{changes} + $r->{sessions} < $r->{messages};
    return $r;
}

=head2 bench(%what)

Measures, prints the table, writes the file.  Returns all results: { run => [
{ who => figures } of each round ] }.

  titles    { run => what it is called }
  compare   list of [ run, figure, whose, beside whose, limit of the ratio ]
            (the limit, two words such as '>=', 3, may be missing)
  measure   sub (run, who) that returns figures
  subtitle  of the table
  peer      name and version of what is compared with
  file      for the results as JSON

=cut

sub bench (%o) {
    my $machine = _machine();
    my @compare = grep { $_->[0] =~ /(?:$only)/ } @{ $o{compare} };
    my (@lines, %raw);
    for my $name (uniq map { $_->[0] } @compare) {
        my @mine = grep { $_->[0] eq $name } @compare;
        $raw{$name}
            = _rounds($o{measure}, $name, uniq map { @$_[ 2, 3 ] } @mine);
        push @lines,
            map { _compared($raw{$name}, $o{titles}{$name}, @$_) } @mine;
    }
    $machine->{peer} = $o{peer};
    printf "%s, %d CPUs, load %.2f at the start; %s; peer: %s\n",
        @$machine{qw(cpu cpus load_1min kernel peer)};
    printf "%s; %d rounds of %g s%s; medians\n\n", $o{subtitle}, $rounds,
        $seconds, $machine->{first} ? ' at the highest priority' : '';
    _print_table(@lines);
    my $missed = grep { $_->{wanted} && !$_->{met} } @lines;
    say $missed
        ? "\n$missed of the wanted ratios MISSED"
        : "\nall ratios as wanted";
    open my $out, '>', $o{file} or die "$o{file}: $!\n";
    print {$out}
        JSON::PP->new->canonical->pretty->encode(
        { machine => $machine, table => \@lines, raw => \%raw });
    close $out or die "$o{file}: $!\n";
    return \%raw;
}

1;
