#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# milter-check mta against a real Postfix and a real Sendmail.  What each of
# them was seen to do otherwise than required is listed here: it is found again,
# and nothing else is.  The reports are left for `make matrix`.
use v5.36;
use FindBin;
use lib map {"$FindBin::Bin/$_"} qw(lib ../mta/lib ../system/lib);
use Conformance                  qw(check_mta failed_cases);
use Harness                      qw(need_programs);
use Postfix                      ();
use Sendmail                     ();
use Test::More;

need_programs('milter-check');

# By the version that it was seen with.
my %known = (
    Postfix => {
        '3.7' => [
            qw(body-not-agreed header-not-agreed header-without-name
                text-of-two-codes text-without-end)
        ],
    },
    Sendmail => {
        '8.17' => [
            qw(header-not-agreed length-zero list-read-beyond text-of-two-codes
                text-without-dash text-without-end)
        ],
    },
);

# What lies behind a list without an end is not the same each time.
my %sometimes = (Sendmail => { 'list-unterminated' => 1 });

for my $class (sort keys %known) {
SKIP: {
        my $why_not = $class->why_not;
        skip $why_not, 3 if $why_not;
        my ($status, $report, $said) = check_mta($class);
        is $status, 1, "$class: all cases were run" or diag $said;
        my @cases = @{ $report->{cases} // [] };
        cmp_ok scalar @cases, '>=', 150, "$class: the report has them";

        my ($version) = $class->version =~ /\A(\d+\.\d+)/;
        my $failed = $known{$class}{$version};
        skip "nobody has looked at $class $version yet", 1 if !$failed;
        my @found = grep { !$sometimes{$class}{$_} } failed_cases($report);
        is_deeply \@found, $failed,
            "$class $version: what was found before, and nothing else"
            or diag $said;
    }
}
done_testing;
