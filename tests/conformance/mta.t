#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# milter-check mta against broken_mta: without a fault it meets all
# requirements; each of its faults is found by the case of the requirement that
# it breaks.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../system/lib";
use Harness qw(need_programs program run_program start_process stop_process
    temp_dir top read_file wait_for);
use File::Spec ();
use Test::More;

need_programs('milter-check');
my $mta = File::Spec->rel2abs($ENV{TST} // 'build/test', top())
    . '/conformance/broken_mta';
plan skip_all => "not built: $mta" if !-x $mta;

my ($status, $list) = run_program(20, $mta, '--list');
my @faults = map { [ split /\t/ ] } split /\n/, $list;
is $status, 0, 'the faults are listed';
cmp_ok scalar @faults, '>=', 40, 'there are enough of them';

# Without a fault: every case, those of filters that never answer too; they and
# a text without an end are the ones that wait.
{
    my ($ended, $said) = check('none', 20_000);
    is $ended, 0, 'an MTA without a fault conforms' or diag $said;
    unlike $said, qr/^not ok/m, 'it meets every should, too';
}

for my $fault (@faults) {
    my ($name, $requirement, $case) = @$fault;
    my ($ended, $said) = check($name, 6000, '--strict', '--only', $case);
    is $ended, 1, "$name: does not conform" or diag $said;
    like $said, qr/^not ok \d+ - $requirement \Q$case\E\b/m,
        "$name: $case finds it";
}

# What has to be in order before a case can be run.
{
    my ($ended, $said) = run_check(qw(--smtp 127.0.0.1:1));
    is $ended, 2, 'a missing option is a usage error';
    like $said, qr/it needs --listen SOCKET/, 'and it says which one';

    my %address = (from => "a\r\nRSET", to => 'a b@example.net', helo => '');
    for my $option (sort keys %address) {
        ($ended, $said) = run_check("--$option", $address{$option});
        is $ended, 2, "--$option: what would break a command is refused";
        like $said, qr/--\Q$option\E: /, "--$option: and it says so";
    }
}
{
    my ($ended, $said)
        = check('none', 6000, qw(--only order --smtp 127.0.0.1:1));
    is $ended, 3, 'no MTA: not reachable';
    like $said, qr/no SMTP server greets there/, 'and it says so';
}
{
    my ($ended, $said) = check(
        'none', 6000,
        qw(--only order --listen),
        'unix:' . temp_dir() . '/elsewhere'
    );
    is $ended, 3, 'an MTA without our filter: not reachable';
    like $said, qr/nobody connected to the filter's socket/, 'and it says so';
}
{
    my $empty = temp_dir() . '/empty';
    mkdir $empty or die "$empty: $!\n";
    my ($ended, $said) = check('none', 4000, qw(--only order --sink), $empty);
    is $ended, 3, 'mail that goes elsewhere: not reachable';
    like $said, qr/did not arrive in the sink/, 'and it says so';
}
{
    my ($ended, $said) = check('none', 6000, 'Maildir', qw(--only rcpt-added));
    is $ended, 0, 'a Maildir will do' or diag $said;
    like $said, qr/^ok 1 - MLT-393 rcpt-added/m, 'with its envelope';
}
done_testing;

sub run_check (@options) {
    my ($ended, $out, $err)
        = run_program(120, program('milter-check'), 'mta', @options);
    return ($ended, $out . $err);
}

# Runs cases with an MTA that has this fault; the exit status and the output.
# Maildir, in front of the options: that is what it delivers into.
sub check ($fault, $wait_ms, @options) {
    state $n = 0;
    my $dir  = temp_dir() . '/run' . ++$n;
    my $into = @options && $options[0] eq 'Maildir' ? shift @options : '';
    $into &&= '/new';
    for my $made ($dir, "$dir/sink", $into ? "$dir/sink$into" : ()) {
        mkdir $made or die "$made: $!\n";
    }
    my $p = start_process(
        cmd => [
            $mta, '--fault', $fault, '--milter',
            "unix:$dir/milter", '--sink', "$dir/sink$into"
        ],
        stdout => "$dir/port",
        stderr => "$dir/said",
    );
    my ($port) = wait_for(
        'the MTA to listen',
        sub { -s "$dir/port" && read_file("$dir/port") =~ /(\d+)\n/ ? $1 : 0 }
    );
    my ($ended, $out, $err) = run_program(
        120,                program('milter-check'),
        'mta',              '--smtp',
        "127.0.0.1:$port",  '--listen',
        "unix:$dir/milter", '--sink',
        "$dir/sink",        '--wait-ms',
        $wait_ms,           '--progress-ms',
        200,                @options
    );
    stop_process($p);
    return ($ended, $out . $err . read_file("$dir/said"));
}
