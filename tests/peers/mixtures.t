#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The messages of the system tests through every mixture of our programs and
# those of Debian's package: front-end, multiplexor, worker.  (postfix.t: the
# same mixtures behind a real Postfix.)
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use Test::More;
use Harness    qw(need_programs);
use Messages   qw(options_for_messages messages_pass);
use PeerDaemon ();
use Peers      qw(need_peers);

need_peers();
need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my @parts = qw(front multiplexor worker);
for my $which (1 .. 7) {
    my @peer = map { $which & 1 << $_ ? $parts[$_] : () } 0 .. 2;
    subtest "Debian's: @peer" => sub {
        my $daemon = PeerDaemon->start(options_for_messages(), peer => \@peer);
        my $is_theirs = $peer[0] eq 'front';
        messages_pass($daemon, line_end => $is_theirs ? "\n" : "\r\n");
    };
}
done_testing;
