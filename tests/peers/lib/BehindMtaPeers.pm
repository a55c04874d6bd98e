# SPDX-License-Identifier: MIT
package BehindMtaPeers;

# The cases of tests/mta with Debian's mimedefang in place of ours: of all of
# our programs (so the cases do not merely mirror them), and of each one (so
# ours work beside the old ones; with the common cases).

use v5.36;
use BehindMta  qw(behind cases picked);
use Exporter   qw(import);
use Harness    qw(need_programs);
use PeerDaemon ();
use Peers      qw(need_peers);
use PrivateNet qw(enter_private_net);
use Runs       qw(filter_text runs);
use CaseSetUps qw(daemon_of daemon_options);
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
    enter_private_net();
    my $why_not = $class->why_not;
    plan skip_all => $why_not if $why_not;
    need_peers();
    need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

    my %common = map  { $_->{name} => 1 } cases('common');
    my @cases  = grep { ($_->{via} // [''])->[0] ne 'sample' } cases();
    for my $case (@cases) {
        my @set_ups
            = $common{ $case->{name} } ? sort keys %peer
            : special($case)           ? special($case)
            :                            'all programs';
        $case->{via} = [ grep { !differs($case, $_) } @set_ups ];
    }
    my @runs   = picked(runs(\@cases, $class));
    my $filter = filter_text(@runs);
    my %daemon;
    for my $name (map { $_->{set_up} } @runs) {
        my $of = $peer{$name} ? $name : daemon_of($name);
        $of = 'all programs' if $of eq 'built-in';
        $daemon{$name} = $daemon{$of} //= PeerDaemon->start(
            daemon_options($of, $class, $filter),
            peer => $peer{$of} // $peer{'all programs'}
        );
    }
    behind($class, \@runs, %daemon);
    done_testing;
    return;
}

# Set-ups of this case that are none of the usual ones: all its programs are the
# peer's there.
sub special ($case) {
    return
        grep { !/\A(?:built-in|separate|unix|protocol \d)\z/ }
        @{ $case->{via} // [] };
}

# Why a case is not run with this set-up.
sub differs ($case, $set_up) {
    my $reason = $case->{peers_differ} // {};
    return grep { $reason->{$_} } $set_up,
        @{ $peer{$set_up} // $peer{'all programs'} };
}

1;
