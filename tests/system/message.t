#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Messages through the real daemon and real workers, with this test as the MTA:
# what the filter asks for is what the MTA is told, whichever multiplexor works.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon   ();
use Harness  qw(both_ways need_programs);
use Messages qw(options_for_messages messages_pass);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

both_ways(\&all_of);
done_testing;

sub all_of ($separate) {
    my $daemon = Daemon->start(options_for_messages(), separate => $separate);
    messages_pass($daemon);
    ok !-e $_, "$_ is gone"
        for "$daemon->{spool}/mimedefang.sock", $daemon->control_socket;
    return;
}
