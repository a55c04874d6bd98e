#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The cases behind Sendmail with Debian's mimedefang in place of ours.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../mta/lib",
    "$FindBin::Bin/../system/lib";
use BehindMtaPeers qw(peers_behind);

peers_behind('Sendmail');
