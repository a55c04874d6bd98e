# SPDX-License-Identifier: MIT
package Peers;

# Debian's package mimedefang, which we run but do not look into: where its
# programs are, and copies of them that every user can read.
#
# `make deps-peers` unpacks it in PEER_ROOT, by default build/peers.

use v5.36;
use Exporter    qw(import);
use File::Spec  ();
use Harness     qw(top temp_dir read_file);
use PrivateHost ();

our @EXPORT_OK = qw(need_peers peer_program peer_env peer_host);

=head1 FUNCTIONS

=head2 need_peers()

Skips the whole test with the reason if the peer cannot be run here.

=cut

sub root {
    return File::Spec->rel2abs($ENV{PEER_ROOT} || 'build/peers', top());
}

sub why_not {
    my $front = root() . '/usr/bin/mimedefang';
    return "$front is not there: make deps-peers" if !-x $front;
    my $version = qx($front -v 2>&1);
    return "$front does not run: $version"
        if $version !~ /\Amimedefang version [23]/;
    return PrivateHost->why_not;
}

sub need_peers {
    my $why = why_not() or return;
    Test::More::plan(skip_all => $why =~ s/\s+/ /gr);
    return;
}

=head2 peer_program($name)

The path of one of the peer's programs.

=head2 peer_env()

What the environment of its worker needs: a list of pairs.

=head2 peer_host([$file])

A private host (see there) with the files that the peer needs.

=cut

sub peer_host (@args) {
    my $host = PrivateHost->start(@args);
    my $name = 'mail/mimedefang.pl.conf';
    $host->etc($name, read_file(root() . "/etc/$name"));
    return $host;
}

sub peer_program ($name) { return staged() . "/bin/$name" }
sub peer_env             { return (PERL5LIB => staged() . '/share/perl5') }

sub staged {
    state $staged;
    return $staged if $staged;
    $staged = temp_dir() . '/peer';
    mkdir $staged         or die "$staged: $!\n";
    mkdir "$staged/share" or die "$staged/share: $!\n";
    for my $command (
        [ qw(cp -R),         root() . '/usr/bin',         $staged ],
        [ qw(cp -R),         root() . '/usr/share/perl5', "$staged/share" ],
        [ qw(chmod -R a+rX), $staged ]
        )
    {
        system(@$command) == 0 or die "failed: @$command\n";
    }
    return $staged;
}

1;
