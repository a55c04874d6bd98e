# SPDX-License-Identifier: MIT
#
# Addresses as text: written out, reversed for the DNS, and whether the Internet
# leads to them.  Pure.

package Mail::MIMEDefang::Net::Address;
use v5.36;
use Exporter 'import';
use Socket qw(AF_INET AF_INET6 inet_pton);

our @EXPORT_OK = qw(expand_ipv6_address reverse_ip_address_for_rbl
    reverse_name is_public_ip4_address is_public_ip6_address);

# The IANA registries of special-purpose addresses (rfc:6890), as of 2025: what
# is not globally reachable, and inside of it what is.  The first match counts.
my @SPECIAL_4 = map { _row($_) } qw(
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16
    172.16.0.0/12 +192.0.0.9/32 +192.0.0.10/32 192.0.0.0/24 192.0.2.0/24
    192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24
    224.0.0.0/4 240.0.0.0/4
);
my @SPECIAL_6 = map { _row($_) } qw(
    +2001:1::1/128 +2001:1::2/128 +2001:1::3/128 +2001:3::/32 +2001:4:112::/48
    +2001:20::/28 +2001:30::/28 2001::/23 2001:db8::/32 3fff::/20 +2000::/3
    ::/0
);

# Addresses that stand for one of IPv4: where it is in them.
my @EMBEDS = ([ _row('2002::/16'), 16 ], [ _row('64:ff9b::/96'), 96 ]);

sub _row ($text) {
    my ($public, $address, $length) = $text =~ m{^(\+?)(.*)/(\d+)\z};
    return [ $public ? 1 : 0, substr(_bits($address), 0, $length) ];
}

# "" if it is no address.
sub _bits ($address) {
    $address //= '';
    my $packed = inet_pton($address =~ /:/ ? AF_INET6 : AF_INET, $address)
        // return '';
    return unpack 'B*', $packed;
}

sub _judge ($bits, $rows) {
    for my $row (@{$rows}) {
        return $row->[0] if index($bits, $row->[1]) == 0;
    }
    return 1;
}

sub is_public_ip4_address ($address = undef, @) {
    my $bits = _bits($address);
    return length $bits == 32 ? _judge($bits, \@SPECIAL_4) : 0;
}

sub is_public_ip6_address ($address = undef, @) {
    my $bits = _bits($address);
    return 0 if length $bits != 128;
    for my $embed (@EMBEDS) {
        my ($row, $at) = @{$embed};
        return _judge(substr($bits, $at, 32), \@SPECIAL_4)
            if index($bits, $row->[1]) == 0;
    }
    return _judge($bits, \@SPECIAL_6);
}

sub expand_ipv6_address ($address = undef, @) {
    my $packed = inet_pton(AF_INET6, $address // '') // return;
    return join ':', unpack '(H4)*', $packed;
}

# A mapped address is one of IPv4 that arrived on a socket for both.
sub reverse_ip_address_for_rbl ($address = undef, @) {
    my $bits = _bits($address) or return;
    $bits = substr $bits, 96 if $bits =~ /^0{80}1{16}/;
    my $bytes = pack 'B*', $bits;
    return join '.', reverse length $bytes == 4
        ? unpack 'C*', $bytes
        : split //, unpack 'H*',
        $bytes;
}

sub reverse_name ($address) {
    my $reversed = reverse_ip_address_for_rbl($address) // return;
    return
        "$reversed." . ($reversed =~ tr/.// == 3 ? 'in-addr' : 'ip6') . '.arpa';
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Net::Address - addresses as text

=head1 FUNCTIONS

=head2 expand_ipv6_address(ADDRESS)

All eight groups with four digits each, in lower case; undef if it is no IPv6
address.

=head2 reverse_ip_address_for_rbl(ADDRESS)

C<4.3.2.1> for C<1.2.3.4> and for C<::ffff:1.2.3.4>, else the nibbles; undef if
it is no address.

=head2 reverse_name(ADDRESS)

The same below C<in-addr.arpa> or C<ip6.arpa>.

=head2 is_public_ip4_address(ADDRESS), is_public_ip6_address(ADDRESS)

1 if a host on the Internet can have this address, by the registries of IANA; 0 if
not, or if it is no address of that kind. Mapped addresses (C<::ffff:1.2.3.4>) are
not public; what stands for an address of IPv4 in 6to4 and NAT64 is what that is.

=cut
