#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Every set-up of docs/mta.md for Sendmail, with the real one.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use Documented qw(documented_set_ups_of);

documented_set_ups_of('Sendmail');
