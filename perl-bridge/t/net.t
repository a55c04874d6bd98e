# SPDX-License-Identifier: MIT
# Blocklists, mail exchangers, names, texts, and which addresses are public.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use DNSServer;
use Bridge qw(start with_log);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Net qw(:DEFAULT get_host_name get_ptr_record md_init);
use Test::More;

my $server = DNSServer->new(<<'END');
2.0.0.127.bl.test. 300 IN A 127.0.0.2
2.0.0.127.other.test. 300 IN A 127.0.0.3
2.0.0.127.other.test. 300 IN A 127.0.0.4
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.test. 300 IN A 127.0.0.6
2.0.0.127.both.test. 300 IN A 127.0.0.7
2.0.0.127.both.other.test. 300 IN A 127.0.0.8
55502f40dc8b7c769880b10874abc9d0.bl.test. 300 IN A 127.0.0.9
567159d622ffbb50b11b0efd307be358624a26ee.bl.test. 300 IN A 127.0.0.10
mail.test. 300 IN MX 20 mx2.mail.test.
mail.test. 300 IN MX 10 mx1.mail.test.
mx1.mail.test. 300 IN A 192.0.2.1
mx1.mail.test. 300 IN AAAA fd00::1
mx2.mail.test. 300 IN A 8.8.8.8
mx2.mail.test. 300 IN AAAA 2a00::1
none.test. 300 IN MX 0 .
literal.test. 300 IN MX 0 192.0.2.7.
plain.test. 300 IN A 192.0.2.8
1.2.0.192.in-addr.arpa. 300 IN PTR host.example.com.
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 300 IN PTR six.example.com.
text.test. 300 IN TXT "first"
text.test. 300 IN TXT "sec" "ond"
_dmarc.d.test. 300 IN TXT "unrelated"
_dmarc.d.test. 300 IN TXT "v=DMARC1; p=rej" "ect"
_dmarc.alias.test. 300 IN CNAME _dmarc.d.test.
END
$Features{'DNS:Servers'} = $server->address;
$Features{'DNS:Timeout'} = 20;

subtest 'addresses' => sub {
    is(
        expand_ipv6_address('2001:db8::1'),
        '2001:0db8:0000:0000:0000:0000:0000:0001',
        'in the middle'
    );
    is(expand_ipv6_address('::'),
        '0000:0000:0000:0000:0000:0000:0000:0000', 'all');
    is(
        expand_ipv6_address('fe80::'),
        'fe80:0000:0000:0000:0000:0000:0000:0000',
        'at the end'
    );
    is(expand_ipv6_address('::FFFF:1.2.3.4'),
        '0000:0000:0000:0000:0000:ffff:0102:0304', 'mapped');
    is(expand_ipv6_address('2001:db8:::1'), undef, 'none');
    is(expand_ipv6_address(undef),          undef, 'undef');

    is(reverse_ip_address_for_rbl('192.0.2.99'), '99.2.0.192', 'IPv4');
    is(reverse_ip_address_for_rbl('2001:db8::1'),
        '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2',
        'IPv6');
    is(reverse_ip_address_for_rbl('::ffff:192.0.2.99'), '99.2.0.192', 'mapped');
    is(reverse_ip_address_for_rbl('1.2.3'),             undef,        'none');
};

subtest 'public addresses' => sub {
    my @no = qw(0.0.0.0 0.1.2.3 10.1.2.3 100.64.0.1 100.127.255.255 127.0.0.1
        169.254.1.1 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1
        192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1
        224.0.0.1 239.255.255.255 240.0.0.1 248.1.1.1 255.255.255.255);
    is(is_public_ip4_address($_), 0, $_) for @no;
    my @yes = qw(1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255
        100.128.0.0 172.15.255.255 172.32.0.0 192.0.0.9 192.0.0.10 192.0.1.1
        192.167.255.255 198.17.255.255 198.20.0.0 223.255.255.255);
    is(is_public_ip4_address($_), 1, $_) for @yes;
    is(is_public_ip4_address($_), 0, "'$_' is none")
        for '', '1.2.3', '256.1.1.1', '1.2.3.4.5', '1.2.3.4 ', '::1',
        "1.2.3.4\n";
    is(is_public_ip4_address(undef), 0, 'undef');

    @no = qw(:: ::1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 64:ff9b::10.0.0.1
        64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:db8::1 2001:10::1
        2002:0a00:0001::1 3fff::1 5f00::1 fc00::1 fd00::1 fe80::1 fec0::1
        ff02::1 4000::1 1::1);
    is(is_public_ip6_address($_), 0, $_) for @no;
    @yes = qw(2001:200::1 2001:4860:4860::8888 2a00:1450::1 2001:1::1
        2001:3::1 2001:4:112::1 2001:20::1 2001:30::1 2002:0808:0808::1
        64:ff9b::8.8.8.8 2620:4f:8000::1 3ffe:ffff::1 3FFE:FFFF::2);
    is(is_public_ip6_address($_), 1, $_) for @yes;
    is(is_public_ip6_address($_), 0, "'$_' is none")
        for '', '1.1.1.1', '2a00', '2a00:::1';
};

subtest 'one blocklist' => sub {
    is(relay_is_blacklisted('127.0.0.2',   'bl.test'), '127.0.0.2', 'listed');
    is(relay_is_blacklisted('2001:db8::1', 'bl.test'), '127.0.0.6', 'IPv6');
    is(relay_is_blacklisted('127.0.0.3',   'bl.test'), 0, 'not listed');
    is(relay_is_blacklisted('nonsense',    'bl.test'), 0, 'no address');
    is(email_is_blacklisted('test@example.com', 'bl.test', 'MD5'),
        '127.0.0.9', 'MD5');
    is(email_is_blacklisted('test@example.com', 'bl.test', 'sha1'),
        '127.0.0.10', 'SHA1');
    is(email_is_blacklisted('Test@example.com', 'bl.test', 'SHA1'),
        0, 'the case counts');
    is_deeply(
        [
            with_log(
                sub { relay_is_blacklisted('127.0.0.2', 'servfail.test') }
            )
        ],
        [ "warning: Cannot ask 2.0.0.127.servfail.test: SERVFAIL\n", 0 ],
        'failure'
    );
    is_deeply(
        [ with_log(sub { email_is_blacklisted('a@b', 'bl.test', 'CRC') }) ],
        [ "warning: email_is_blacklisted: 'CRC' is neither MD5 nor SHA1\n", 0 ],
        'no such hash'
    );
};

subtest 'many blocklists' => sub {
    my @zones = qw(bl.test servfail.test other.test none.test);
    my %all   = (
        'bl.test'       => ['127.0.0.2'],
        'servfail.test' => 'SERVFAIL',
        'other.test'    => [ '127.0.0.3', '127.0.0.4' ],
        'none.test'     => 'NXDOMAIN'
    );
    my $result = relay_is_blacklisted_multi('127.0.0.2', 20, 0, \@zones);
    $result->{'other.test'} = [ sort @{ $result->{'other.test'} } ];
    is_deeply($result, \%all, 'all');
    is(relay_is_blacklisted_multi_count('127.0.0.2', 20, 0, \@zones),
        2, 'count');
    is_deeply([ relay_is_blacklisted_multi_list('127.0.0.2', 20, 0, \@zones) ],
        [ 'bl.test', 'other.test' ], 'list');
    is_deeply(
        scalar relay_is_blacklisted_multi_list('127.0.0.2', 20, 0, \@zones),
        [ 'bl.test', 'other.test' ],
        'reference to the list'
    );

    is_deeply(
        relay_is_blacklisted_multi(
            '127.0.0.2', 20, 0, [ 'both.test', 'both.other.test' ]
        ),
        {
            'both.test'       => ['127.0.0.7'],
            'both.other.test' => ['127.0.0.8']
        },
        'at the same time'
    );
    is_deeply(
        relay_is_blacklisted_multi(
            '127.0.0.2', 120, 1, [ 'silent.test', 'bl.test' ]
        ),
        { 'silent.test' => 'SERVFAIL', 'bl.test' => ['127.0.0.2'] },
        'one is enough'
    );
    is_deeply(
        relay_is_blacklisted_multi(
            '127.0.0.2', 0.1, 0, [ 'silent.test', 'x.silent.test' ]
        ),
        { 'silent.test' => 'SERVFAIL', 'x.silent.test' => 'SERVFAIL' },
        'the time is over'
    );
    require Net::DNS;
    my $theirs = Net::DNS::Resolver->new(
        nameservers => ['127.0.0.1'],
        port        => $server->{port}
    );
    local $Features{'DNS:Servers'} = '127.0.0.1:1';
    is(
        relay_is_blacklisted_multi_count('127.0.0.2', 20, 0, \@zones, $theirs),
        2,
        'with a resolver'
    );
    is_deeply(
        relay_is_blacklisted_multi('x', 1, 0, ['bl.test']),
        { 'bl.test' => 'SERVFAIL' },
        'no address'
    );
};

subtest 'mail exchangers' => sub {
    is(
        "@{[ get_mx_ip_addresses('mail.test') ]}",
        '192.0.2.1 8.8.8.8',
        'by preference'
    );
    is("@{[ get_mx_ip_addresses('none.test') ]}",     '0.0.0.0',   'refuses');
    is("@{[ get_mx_ip_addresses('literal.test') ]}",  '192.0.2.7', 'literal');
    is("@{[ get_mx_ip_addresses('plain.test') ]}",    '192.0.2.8', 'no MX');
    is("@{[ get_mx_ip_addresses('no.test') ]}",       '',          'nothing');
    is("@{[ get_mx_ip_addresses('servfail.test') ]}", '',          'failure');
    is(
        "@{[ md_get_bogus_mx_hosts('mail.test') ]}",
        '192.0.2.1 fd00::1',
        'not public'
    );
    is("@{[ md_get_bogus_mx_hosts('none.test') ]}", '0.0.0.0', 'refuses');
};

subtest 'names and texts' => sub {
    is(get_ptr_record('192.0.2.1'),   'host.example.com', 'IPv4');
    is(get_ptr_record('2001:db8::1'), 'six.example.com',  'IPv6');
    is_deeply([ get_ptr_record('192.0.2.2') ], [], 'no name');
    is_deeply([ get_ptr_record('x') ],         [], 'no address');
    is(md_dns_txt(undef, 'text.test'), 'first', 'the first');
    is(md_dns_txt(undef, 'text.test', qr/o/), 'second', 'that matches');
    is_deeply([ md_dns_txt(undef, 'text.test', qr/x/) ], [], 'none does');
    is_deeply([ md_dns_txt(undef, 'none.test') ], [], 'no name');
    like(get_host_name(), qr/^\S+\z/, 'own name');
    is(get_host_name('mx.example.com'), 'mx.example.com', 'as told');
    is(md_init(),                       1,                'Net::DNS is there');
};

subtest 'DMARC records' => sub {
    is(md_get_dmarc_record('d.test'), 'v=DMARC1; p=reject', 'its own');
    is(
        md_get_dmarc_record('a.b.D.test.'),
        'v=DMARC1; p=reject',
        'of the domain above'
    );
    is(md_get_dmarc_record('alias.test'), 'v=DMARC1; p=reject', 'alias');
    is_deeply([ md_get_dmarc_record('e.test') ], [], 'none');
    $server->asked;
    md_get_dmarc_record('x.' x 100 . 'y.test');
    cmp_ok(scalar $server->asked, '<', 10, 'a long name');
};

subtest 'from a filter' => sub {
    my $address = $server->address;
    my $w       = start(<<"END", env => { DNS => $address });
\$Features{'DNS:Servers'} = \$ENV{DNS};
sub filter_relay {
    my (\$ip) = \@_;
    my \$hit = relay_is_blacklisted(\$ip, 'bl.test');
    return ('REJECT', "listed \$hit") if \$hit;
    return ('CONTINUE', Mail::MIMEDefang::Net::get_ptr_record(\$ip));
}
END
    is($w->ask('relayok 127.0.0.2 h 1 127.0.0.1 25 Q1'),
        'ok 0 listed%20127.0.0.2 554 5.7.1 0', 'listed');
    is(
        $w->ask('relayok 192.0.2.1 h 1 127.0.0.1 25 Q1'),
        'ok 1 host.example.com 250 2.1.0 0',
        'not listed'
    );
};

done_testing();
