# SPDX-License-Identifier: MIT
package Check;

# Runs milter-check and reads its report.

use v5.36;
use Exporter qw(import);
use Harness  qw(top program temp_dir start_process wait_for run_program
    read_file is_running);
use JSON::PP ();

our @EXPORT_OK = qw(check_filter start_null_filter start_filter test_program);

=head1 FUNCTIONS

=head2 test_program($name)

A program below the folder of the tests, C<$ENV{TST}> or F<build/test>.

=cut

sub test_program ($name) {
    return File::Spec->rel2abs($ENV{TST} // 'build/test', top()) . "/$name";
}

=head2 start_filter($spec, @command)

Starts a filter, waits until somebody can connect to the socket, and returns the
process; undef if it ended before.

=head2 start_null_filter([options,] $spec)

Our null filter.

=cut

sub start_filter ($spec, @command) {
    state $n = 0;
    my $log = temp_dir() . '/filter' . ++$n . '.log';
    my $p   = start_process(cmd => \@command, stderr => $log, stdout => $log);
    my $up  = wait_for("$command[0] on $spec",
        sub { !is_running($p) ? -1 : reachable($spec) }, 60);
    return $p if $up > 0;
    Test::More::diag("@command: " . read_file($log));
    return;
}

sub start_null_filter (@words) {
    my $null = program('milter-check')
        =~ s{bin/milter-check\z}{}r . 'examples/null-filter';
    return start_filter($words[-1], $null, @words);
}

sub reachable ($spec) {
    my ($status)
        = run_program(30, program('milter-check'),
        qw(filter --only newer-version --profile hostile), $spec);
    return defined $status && $status != 3;
}

=head2 check_filter($spec, @options)

Checks the filter, strictly, and returns the report as a hash of its JSON, with
C<status>, the exit status, and C<text>, the TAP, in it.

=head2 $report->failed

The cases that failed.

=cut

sub check_filter ($spec, @options) {
    state $n = 0;
    my $json = temp_dir() . '/report' . ++$n . '.json';
    my ($status, $out, $err)
        = run_program(280, program('milter-check'), 'filter', '--strict',
        '--json', $json, @options, $spec);
    die "milter-check filter @options $spec: no report\n$out$err\n"
        if !-e $json;
    my $report = JSON::PP->new->utf8->decode(read_file($json));
    @$report{qw(status text)} = ($status, $out);
    return bless $report, __PACKAGE__;
}

sub failed ($report) {
    return grep { $_->{result} eq 'fail' } @{ $report->{cases} };
}

1;
