#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# `mimedefang prcap`: what site scripts look for, word by word, without
# Sendmail's library.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Harness qw(need_programs program run_program);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my ($status, $out, $err) = run_program(10, program('mimedefang'), 'prcap');
is $status, 0,       'exit status';
is $err,    '',      'nothing on standard error';
is $out,    <<'END', 'standard output';
SMFI_VERSION                   1.0.1 (New-Style)
MILTER_BUILDLIB_HAS_CHGFROM    1
MILTER_BUILDLIB_HAS_CHGHDRS    1
MILTER_BUILDLIB_HAS_DATA       1
MILTER_BUILDLIB_HAS_INSHEADER  1
MILTER_BUILDLIB_HAS_NEGOTIATE  1
MILTER_BUILDLIB_HAS_OPENSOCKET 1
MILTER_BUILDLIB_HAS_PROGRESS   1
MILTER_BUILDLIB_HAS_QUARANTINE 1
MILTER_BUILDLIB_HAS_SETMLREPLY 1
MILTER_BUILDLIB_HAS_SETSYMLIST 1
MILTER_BUILDLIB_HAS_UNKNOWN    1
MILTER_BUILDLIB_HAS_VERSION    1
END

for my $name (qw(mimedefang mimedefang-multiplexor md-mx-ctrl)) {
    my ($ok, $libraries) = run_program(10, 'ldd', program($name));
    is $ok, 0, "ldd $name";
    unlike $libraries, qr/libmilter\./, "$name is not linked with libmilter";
}
done_testing;
