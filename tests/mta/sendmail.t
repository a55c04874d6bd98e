#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# All cases through a real Sendmail with our daemon as its milter.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use BehindMta qw(our_daemons_behind);

our_daemons_behind('Sendmail');
