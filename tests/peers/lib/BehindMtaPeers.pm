# SPDX-License-Identifier: MIT
package BehindMtaPeers;

# The cases of tests/mta with Debian's mimedefang in place of ours: of all of
# our programs (so the cases do not merely mirror them), and of each one (so
# ours work beside the old ones; with the common cases).

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

=head2 peers_behind($class)

A whole test behind an MTA of this class, Postfix or Sendmail; skipped where
it, or the peer, cannot be run.

=cut

sub peers_behind ($class) {
    my $why_not = $class->why_not;
    plan skip_all => $why_not if $why_not;
    need_peers();
    need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

    my %common = map  { $_->{name} => 1 } cases('common');
    my @cases  = grep { ($_->{via} // [''])->[0] ne 'sample' } cases();
    for my $case (@cases) {
        my @set_ups
            = $common{ $case->{name} } ? sort keys %peer : 'all programs';
        $case->{via} = [ grep { !differs($case, $_) } @set_ups ];
    }
    my @runs   = runs(\@cases, lc $class);
    my %daemon = map {
        $_ => PeerDaemon->start(
            options_for_all(),
            filter => filter_text(@runs),
            listen => 'inet',
            peer   => $peer{$_}
        )
    } sort keys %peer;
    behind($class, \@runs, %daemon);
    done_testing;
    return;
}

# Why a case is not run with this set-up.
sub differs ($case, $set_up) {
    my $reason = $case->{peers_differ} // {};
    return grep { $reason->{$_} } $set_up, @{ $peer{$set_up} };
}

1;
