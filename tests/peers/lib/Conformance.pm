# SPDX-License-Identifier: MIT
package Conformance;

# Runs milter-check against peers and keeps its reports, one for each peer, in
# the folder of which `make matrix` makes docs/matrix.md.

use v5.36;
use AuthServer ();
use Exporter   qw(import);
use Harness qw(free_port program read_file run_program temp_dir top write_file);
use JSON::PP qw(decode_json encode_json);

our @EXPORT_OK = qw(check_mta failed_cases keep_report);

=head1 FUNCTIONS

=head2 check_mta($class)

Starts an MTA of this class (Postfix, Sendmail), runs all cases, keeps the
report.  Returns the exit status of milter-check, the report and what it said.

=cut

# Filters that never answer are tested too, so the MTA must not be patient.
my $patience_s = 4;

sub check_mta ($class) {
    my $dir = temp_dir() . "/check-$class";
    mkdir $dir or die "$dir: $!\n";
    my ($sink, $milter) = (free_port(), free_port());

    # One of them by each kind of socket: Postfix's processes are of another
    # user.
    my $socket
        = $class eq 'Postfix' ? "inet:$milter\@127.0.0.1" : "unix:$dir/milter";
    mkdir "$dir/arrived" or die "$dir/arrived: $!\n";
    my $mta = $class->start(
        auth     => AuthServer->start,
        sink     => $sink,
        ports    => { check => { milter => $socket } },
        patience => $patience_s,
    );
    my ($status, @said) = run_program(
        240,                                program('milter-check'),
        'mta',                              '--smtp',
        '127.0.0.1:' . $mta->port('check'), '--listen',
        $socket,                            '--sink',
        "$dir/arrived",                     '--sink-listen',
        "127.0.0.1:$sink",                  '--mta-timeout-ms',
        1000 * $patience_s,                 '--json',
        "$dir/report"
    );
    $mta->stop;
    my $report = -e "$dir/report" ? decode_json(read_file("$dir/report")) : {};
    keep_report($class, $class->version, $report) if $report->{cases};
    return ($status // -1, $report, "@said" . $mta->log_text);
}

=head2 failed_cases($report)

The names of the cases that failed, sorted.

=cut

sub failed_cases ($report) {
    my %failed = map { $_->{name} => 1 }
        grep { $_->{result} eq 'fail' } @{ $report->{cases} };
    my @names = sort keys %failed;
    return @names;
}

=head2 keep_report($peer, $version, $report)

Writes it to F<build/matrix>, with the peer's name and version.

=cut

sub keep_report ($peer, $version, $report) {
    my $dir = top() . '/build/matrix';
    mkdir $dir if !-d $dir;
    my $file = "$dir/$report->{role}-" . lc($peer) =~ s/[^a-z0-9]+/-/gr;
    write_file("$file.json",
        encode_json({ %$report, peer => $peer, peer_version => $version }));
    return;
}

1;
