# SPDX-License-Identifier: MIT
package BehindMtaPeers;

# The cases of tests/mta with Debian's mimedefang in place of ours: of all of
# our programs (so the cases do not merely mirror them), and of each one (so
# ours work beside the old ones).

use v5.36;
use BehindMta  qw(behind cases options_for_all);
use Cases      qw(filter_text runs);
use Exporter   qw(import);
use Harness    qw(need_programs);
use PeerDaemon ();
use Peers      qw(need_peers);
use Test::More;

our @EXPORT_OK = qw(peers_behind);

my %peer = (
    'all programs'      => [qw(front multiplexor worker)],
    'front-end'         => [qw(front)],
    'multiplexor'       => [qw(multiplexor)],
    'worker'            => [qw(worker)],
    'all but front-end' => [qw(multiplexor worker)],
    'all but worker'    => [qw(front multiplexor)],
);

=head1 FUNCTIONS

=head2 peers_behind($class [, @set_ups])

A whole test behind an MTA of this class, Postfix or Sendmail, with all set-ups
or only these; skipped where it, or the peer, cannot be run.

=cut

sub peers_behind ($class, @set_ups) {
    @set_ups = sort keys %peer if !@set_ups;
    my $why_not = $class->why_not;
    plan skip_all => $why_not if $why_not;
    need_peers();
    need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

    my @cases = grep { ($_->{via} // [''])->[0] ne 'sample' } @{ cases() };
    $_->{via} = [@set_ups] for @cases;
    my @runs   = runs(\@cases, lc $class);
    my %daemon = map {
        $_ => PeerDaemon->start(
            options_for_all(),
            filter => filter_text(@runs),
            listen => 'inet',
            peer   => $peer{$_}
        )
    } @set_ups;
    behind($class, \@runs, %daemon);
    done_testing;
    return;
}

1;
