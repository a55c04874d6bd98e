# SPDX-License-Identifier: MIT
#
# What filters ask the DNS: blocklists, mail exchangers, names of hosts, texts.
# All of it goes through Resolver, with its limits and its cache.  No function
# dies; where a question stays open, that is not told from "no" unless it says so.

package Mail::MIMEDefang::Net;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Channel qw(push_status_tag pop_status_tag);
use Mail::MIMEDefang::Codec   qw(to_bytes);
use Mail::MIMEDefang::Log     qw(md_syslog);
use Mail::MIMEDefang::Net::Address
    qw(expand_ipv6_address reverse_ip_address_for_rbl reverse_name
    is_public_ip4_address is_public_ip6_address);
use Mail::MIMEDefang::Resolver
    qw(dns_lookup dns_lookup_all have_dns is_absent txt_strings);
use Mail::MIMEDefang::Utils ();

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(expand_ipv6_address reverse_ip_address_for_rbl relay_is_blacklisted
    email_is_blacklisted relay_is_blacklisted_multi
    relay_is_blacklisted_multi_count relay_is_blacklisted_multi_list
    is_public_ip4_address is_public_ip6_address get_mx_ip_addresses
    md_get_bogus_mx_hosts md_get_dmarc_record md_dns_txt);
our @EXPORT_OK = qw(get_host_name get_ptr_record md_init);

use constant {
    MAX_EXCHANGERS => 20,
    MAX_LABELS     => 8,    # of a domain whose parents are tried
};

sub md_init (@) {
    return have_dns();
}

sub get_host_name ($name = undef, @) {
    return
        length($name // '') ? $name : Mail::MIMEDefang::Utils::get_host_name();
}

sub relay_is_blacklisted ($ip = undef, $zone = undef, @) {
    my $reversed = reverse_ip_address_for_rbl($ip) // return 0;
    return _listed("$reversed.$zone");
}

sub email_is_blacklisted ($address = '', $zone = '', $hash = '', @) {
    my $digest = email_digest('email_is_blacklisted', $address, $hash)
        // return 0;
    return _listed("$digest.$zone");
}

# undef, and a warning, if there is no such hash.
sub email_digest ($caller, $address, $hash) {
    $address = to_bytes($address);
    if (uc $hash eq 'MD5') {
        require Digest::MD5;
        return Digest::MD5::md5_hex($address);
    }
    if (uc $hash eq 'SHA1') {
        require Digest::SHA;
        return Digest::SHA::sha1_hex($address);
    }
    md_syslog('warning', "$caller: '$hash' is neither MD5 nor SHA1");
    return;
}

sub _listed ($name) {
    push_status_tag('Doing RBL Lookup');
    my $answer = dns_lookup($name, 'A');
    pop_status_tag();
    my ($rr) = @{ $answer->{records} };
    md_syslog('warning', "Cannot ask $name: $answer->{error}")
        if defined $answer->{error};
    return $rr ? $rr->address : 0;
}

sub relay_is_blacklisted_multi ($ip, $timeout, $wanted, $zones,
    $resolver = undef, @)
{
    my %result   = map { $_ => 'SERVFAIL' } @{$zones};
    my $reversed = reverse_ip_address_for_rbl($ip) // return \%result;
    my $enough   = sub (@answers) {
        return $wanted <= grep { @{ $_->{records} } } @answers;
    };
    push_status_tag('Doing RBL Lookup');
    my @answers = dns_lookup_all(
        [ map { [ "$reversed.$_", 'A' ] } @{$zones} ],
        timeout_s => $timeout,
        resolver  => $resolver,
        ($wanted // 0) > 0 ? (enough => $enough) : (),
    );
    pop_status_tag();
    for my $i (0 .. $#answers) {
        my $answer    = $answers[$i];
        my @addresses = map { $_->address } @{ $answer->{records} };
        $result{ $zones->[$i] }
            = is_absent($answer) ? 'NXDOMAIN'
            : @addresses         ? \@addresses
            :                      'SERVFAIL';
    }
    return \%result;
}

sub relay_is_blacklisted_multi_list (@args) {
    my $result = relay_is_blacklisted_multi(@args);
    my @listed = grep { ref $result->{$_} } @{ $args[3] };
    return wantarray ? @listed : \@listed;
}

sub relay_is_blacklisted_multi_count (@args) {
    return scalar @{ relay_is_blacklisted_multi_list(@args) };
}

# Host names that mail for the domain goes to; addresses where somebody wrote
# those; "." and nothing stand for none.
sub _exchangers ($domain, $resolver) {
    my $answer = dns_lookup($domain, 'MX', resolver => $resolver);
    my @mx = sort { $a->preference <=> $b->preference } @{ $answer->{records} };
    return $domain if is_absent($answer);
    my @hosts = map { lc $_->exchange =~ s/\.\z//r } @mx;
    splice @hosts, MAX_EXCHANGERS if @hosts > MAX_EXCHANGERS;
    return @hosts;
}

sub _addresses ($domain, $resolver, @types) {
    my (@found, @questions);
    for my $host (_exchangers($domain // '', $resolver)) {
        if ($host eq '') {
            push @found, '0.0.0.0';
        }
        elsif ($host =~ /^\d+\.\d+\.\d+\.\d+\z/a) {
            push @found, $host;
        }
        else {
            push @questions, map { [ $host, $_ ] } @types;
        }
    }
    my @answers = dns_lookup_all(\@questions, resolver => $resolver);
    my %seen;
    return grep { !$seen{$_}++ } @found,
        map     { $_->can('address_short') ? $_->address_short : $_->address }
        map     { @{ $_->{records} } } @answers;
}

sub get_mx_ip_addresses ($domain = '', $resolver = undef, @) {
    return _addresses($domain, $resolver, 'A');
}

sub md_get_bogus_mx_hosts ($domain = '', @) {
    return
        grep { !is_public_ip4_address($_) && !is_public_ip6_address($_) }
        _addresses($domain, undef, 'A', 'AAAA');
}

sub get_ptr_record ($ip = undef, $resolver = undef, @) {
    my $name = reverse_name($ip) // return;
    my ($rr)
        = @{ dns_lookup($name, 'PTR', resolver => $resolver)->{records} };
    return $rr ? $rr->ptrdname =~ s/\.\z//r : ();
}

sub md_dns_txt ($resolver = undef, $name = undef, $regex = undef, @) {
    my $answer = dns_lookup($name, 'TXT', resolver => $resolver);
    my ($text)
        = grep { !defined $regex || $_ =~ $regex } txt_strings($answer);
    return $text // ();
}

# A domain without a record takes that of the domain above it.
sub md_get_dmarc_record ($domain = '', @) {
    my @labels = split /[.]/, lc($domain // '') =~ s/\.\z//r;
    my @names  = join '.', @labels;
    splice @labels, 0, @labels - MAX_LABELS if @labels > MAX_LABELS;
    while (@labels > 2) {
        shift @labels;
        push @names, join '.', @labels;
    }
    for my $name (@names) {
        my $answer = dns_lookup("_dmarc.$name", 'TXT');
        my ($text) = grep {/^v\s*=\s*DMARC1\s*(?:;|\z)/} txt_strings($answer);
        return $text if defined $text;
        return       if defined $answer->{error};
    }
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Net - what filters ask the DNS

=head1 DESCRIPTION

Servers, time limits and the cache: see L<Mail::MIMEDefang::Resolver/SETTINGS>.
Where a RESOLVER can be given (an object of L<Net::DNS::Resolver>) its servers are
asked. Without Net::DNS (package libnet-dns-perl) everything is answered as if
nothing had been found, and that is logged once.

The functions on addresses come from L<Mail::MIMEDefang::Net::Address>:
expand_ipv6_address, reverse_ip_address_for_rbl, is_public_ip4_address,
is_public_ip6_address.

=head1 FUNCTIONS

=head2 relay_is_blacklisted(IP, ZONE)

The first address that the blocklist ZONE has for IP, as text; 0 if there is none,
also if it did not answer (which is logged). Some lists answer C<127.255.255.x> to
say that they do not serve your resolver.

=head2 email_is_blacklisted(ADDRESS, ZONE, HASH)

The same for the hash of ADDRESS as given. HASH is C<MD5> or C<SHA1>; anything
else: a warning, and 0.

=head2 email_digest(CALLER, ADDRESS, HASH)

The name under which such a list has ADDRESS; undef for an unknown HASH, with a
warning that names CALLER. Not exported.

=head2 relay_is_blacklisted_multi(IP, TIMEOUT, WANTED, \@ZONES [, RESOLVER])

Asks all ZONES at the same time, for at most TIMEOUT seconds, or until WANTED (if
above 0) of them list IP. Returns a reference to a hash: for each zone a reference
to the list of addresses, or C<NXDOMAIN> if it does not list IP, or C<SERVFAIL> if
it failed or has not answered yet.

=head2 relay_is_blacklisted_multi_count(IP, TIMEOUT, WANTED, \@ZONES [, RESOLVER])

The number of zones that list it.

=head2 relay_is_blacklisted_multi_list(IP, TIMEOUT, WANTED, \@ZONES [, RESOLVER])

These zones, in the given order; in scalar context a reference to the list.

=head2 get_mx_ip_addresses(DOMAIN [, RESOLVER])

The IPv4 addresses of the hosts that take mail for DOMAIN (those of DOMAIN itself
if it has no MX record), by preference. A mail exchanger with an empty name is
C<0.0.0.0>. At most 20 mail exchangers are looked at. An empty list if there are
none or a name server failed.

=head2 md_get_bogus_mx_hosts(DOMAIN)

The addresses among them, and among the IPv6 addresses, that are not public.

=head2 get_ptr_record(IP [, RESOLVER])

The name of the host, without a dot at its end; nothing if it has none. Not
exported by default.

=head2 md_dns_txt(RESOLVER, NAME [, REGEX])

The first TXT record of NAME (that matches REGEX), its strings joined; nothing if
there is none. RESOLVER may be undef.

=head2 md_get_dmarc_record(DOMAIN)

The DMARC record of DOMAIN, or of the nearest domain above it; nothing if there is
none. For what it means see L<Mail::MIMEDefang::DMARC>.

=head2 get_host_name([NAME])

NAME, or the name of this host. Not exported by default.

=head2 md_init()

Loads Net::DNS; returns whether it is there. Not exported.

=cut
