# SPDX-License-Identifier: MIT
package PrivateNet;

# A network of this test's own, in which it is alone: loopback, and the addresses
# of 192.0.2.0/24 from which clients come that are not local.

use v5.36;
use Exporter qw(import);

our @EXPORT_OK = qw(enter_private_net has_private_net);

my $mark = 'SALLYPORT_TEST_NET';

=head1 FUNCTIONS

=head2 enter_private_net()

Starts the test again in such a network, where that is possible.  To be called
before anything else is started.

=head2 has_private_net()

Whether we are there.

=cut

my $set_up = 'ip link set lo up && ip address add 192.0.2.1/24 dev lo';

sub enter_private_net {
    return if has_private_net() || $>;
    system("unshare --net sh -c '$set_up' >/dev/null 2>&1") == 0 or return;
    $ENV{$mark} = 1; ## no critic (LocalizedPunct): for the program that follows
    exec 'unshare', '--net', 'sh', '-c', qq{$set_up && exec "\$@"}, 'sh',
        $^X, (map {"-I$_"} @INC), $0
        or die "unshare: $!\n";
}

sub has_private_net { return $ENV{$mark} }

1;
