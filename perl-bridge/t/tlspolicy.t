# SPDX-License-Identifier: MIT
# MTA-STS from a web server with a CA of ours, and DANE.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Bridge qw(get logged put spool with_log);
use DNSServer;
use FakeDaemon;
use IO::Socket::SSL;
use IO::Socket::SSL::Utils;
use MIME::Base64 qw(decode_base64);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Resolver qw(dns_lookup_all);
use Mail::MIMEDefang::TLSPolicy;
use Mail::MIMEDefang::TLSPolicy::Certificate qw(public_key_of);
use Net::SSLeay                              ();
use Test::More;

my @names = qw(good redirect html long chunked short other.good changed none
    http broken age mute wild);
my $zone = join '', map {
          "_mta-sts.$_.test. 300 IN TXT \"v=STSv1; id=1;\"\n"
        . "mta-sts.$_.test. 300 IN A 127.0.0.1\n"
} @names, 'cert';
my $server = DNSServer->new($zone . <<'END');
_mta-sts.noid.test. 300 IN TXT "v=STSv1;"
_mta-sts.twice.test. 300 IN TXT "v=STSv1; id=1;"
_mta-sts.twice.test. 300 IN TXT "v=STSv1; id=2;"
_mta-sts.nohost.test. 300 IN TXT "v=STSv1; id=1;"
_25._tcp.mx.ad.test. 300 IN TLSA 3 1 1 0C72AC70B745AC19998811B131D662C9AC69DBDBE7CB23E5B514B56664C5D3D6
_25._tcp.mx.ad.test. 300 IN TLSA 2 0 2 AABB
_465._tcp.mx.test. 300 IN TLSA 3 0 0 aabb
END
$Features{'DNS:Servers'} = $server->address;
$Features{'DNS:Timeout'} = 20;

my $dir = spool();
my ($ca, $ca_key) = CERT_create(
    CA      => 1,
    subject => { commonName => 'Test CA' },
    key     => KEY_create_ec()
);

sub certificate (@hosts) {
    my ($cert, $key) = CERT_create(
        subject         => { commonName => 'test' },
        subjectAltNames => [ map { [ DNS => $_ ] } @hosts ],
        issuer          => [ $ca, $ca_key ],
        key             => KEY_create_ec()
    );
    return ($cert, $key);
}
my ($cert,  $key)  = certificate(map {"mta-sts.$_.test"} @names);
my ($wrong, $wkey) = certificate('mta-sts.evil.test', 'test');
$Features{'Path:CAFILE'} = put("$dir/ca", PEM_cert2string($ca));

my $POLICY = "version: STSv1\nmode: enforce\nmx: MX.good.test\n"
    . "mx: *.good.test.\nmax_age: 86400\n";
my $PLAIN = "Content-Type: text/plain\r\n";
my %page  = (
    'good'     => "HTTP/1.1 200 OK\r\n$PLAIN\r\n" . $POLICY =~ s/\n/\r\n/gr,
    'wild'     => "HTTP/1.1 200 OK\r\n$PLAIN\r\n" . $POLICY,
    'redirect' =>
        "HTTP/1.1 301 Moved\r\n${PLAIN}Location: https://mta-sts.good.test/"
        . "\r\n\r\n$POLICY",
    'html'    => "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n$POLICY",
    'long'    => "HTTP/1.1 200 OK\r\n$PLAIN\r\n" . "x\n" x 100_000 . $POLICY,
    'chunked' => "HTTP/1.1 200 OK\r\n${PLAIN}Transfer-Encoding: chunked\r\n\r\n"
        . "3\r\nver\r\n"
        . sprintf(
        "%x;a=b\r\n%s\r\n0\r\n\r\n",
        length($POLICY) - 3,
        substr $POLICY, 3
        ),
    'short' => "HTTP/1.1 200 OK\r\n${PLAIN}Content-Length: 999\r\n\r\n$POLICY",
    'other.good' =>
        "HTTP/1.1 200 OK\r\nContent-type: Text/Plain; charset=utf-8\r\n\r\n"
        . "version: STSv1\nmode: none\nmax_age: 99999999\nmode: enforce\n",
    'none'   => "HTTP/1.1 404 Not Found\r\n$PLAIN\r\n",
    'http'   => "220 mail.test ESMTP\r\n",
    'broken' => "HTTP/1.1 200 OK\r\n$PLAIN\r\nversion: STSv1\nmode: enforce\n"
        . "mx: b\xe4d.test\nmax_age: 1\n",
    'age' => "HTTP/1.1 200 OK\r\n$PLAIN\r\nversion: STSv1\nmode: testing\n"
        . "mx: x.test\nmax_age: forever\n",
);

# Tells which host was asked for, in a file.
sub web ($cert, $key) {
    return FakeDaemon->new(
        sub ($fh) {
            IO::Socket::SSL->start_SSL(
                $fh,
                SSL_server => 1,
                SSL_cert   => $cert,
                SSL_key    => $key
            ) or return;
            my $request = '';
            while (my $line = <$fh>) {
                $request .= $line;
                last if $line eq "\r\n";
            }
            my ($host) = $request =~ /^Host: mta-sts\.(\S+)\.test\r$/m;
            open my $log, '>>', "$dir/requests" or die;
            print {$log} $request;
            close $log;
            if ($host eq 'mute') { my $more = <$fh> }
            if ($host eq 'changed') {
                print {$fh} get("$dir/changed") // '';
            }
            print {$fh} $page{$host} // '';
            $fh->close(SSL_no_shutdown => 1);
        }
    );
}
my $web = web($cert, $key);
$Features{'MTA-STS:Port'} = $web->port;

# The policy, and what was logged.
sub check ($domain, @options) {
    my ($log, $policy)
        = with_log(sub { scalar md_check_mta_sts($domain, @options) });
    return ($policy, $log);
}

subtest 'md_check_mta_sts' => sub {
    is_deeply(
        md_check_mta_sts('Good.test.'),
        {
            mode    => 'enforce',
            max_age => 86400,
            mx      => [ 'mx.good.test', '*.good.test' ],
            id      => '1'
        },
        'a policy'
    );
    is(
        get("$dir/requests"),
        "GET /.well-known/mta-sts.txt HTTP/1.0\r\nHost: mta-sts.good.test\r\n"
            . "Accept: text/plain\r\n\r\n",
        'how it was asked for'
    );
    unlink "$dir/requests";
    is(md_check_mta_sts('good.test', 20)->{id}, '1', 'once more');
    ok(!-e "$dir/requests", 'it was kept');
    is_deeply(
        md_check_mta_sts('other.good.test'),
        { mode => 'none', max_age => 31557600, mx => [], id => '1' },
        'no policy any more, for a year at most'
    );
    is(md_check_mta_sts('chunked.test')->{mode}, 'enforce', 'in chunks');

    my %want = (
        redirect => 'HTTP status 301',
        html     => 'not text/plain',
        short    => 'cut off',
        none     => 'HTTP status 404',
        http     => 'not an answer of a web server',
        broken   => 'no valid mx',
        age      => 'no valid max_age',
        nohost   => 'mta-sts.nohost.test has no address',
        long     => 'mta-sts.long.test:'
            . $web->port
            . ': answer longer than 73728 bytes',
    );

    for my $name (sort keys %want) {
        my ($policy, $log) = check("$name.test");
        is($policy, undef, $name);
        is($log, "warning: MTA-STS policy of $name.test: $want{$name}\n",
            'and why');
    }
    dns_lookup_all(
        [
            [ '_mta-sts.mute.test', 'TXT' ],
            map { [ 'mta-sts.mute.test', $_ ] } qw(A AAAA)
        ]
    );
    my ($policy, $log) = check('mute.test', timeout => 0.3);
    is($policy, undef, 'no answer');
    like($log, qr/no answer within -?\d\S* s$/, 'and why');
    for my $name ('gone.test', 'noid.test', 'twice.test', 'localhost', '') {
        ($policy, $log) = check($name);
        is($policy, undef, "'$name' has none");
        is($log,    '',    'which is nothing to tell');
    }
    is(md_check_mta_sts(undef), undef, 'undef');
};

subtest 'certificates' => sub {
    my ($policy, $log) = check('cert.test');
    is($policy, undef, 'not for this host');
    like($log, qr/MTA-STS policy of cert.test: mta-sts.cert.test:\d+: TLS: /,
        'and why');
    my $other = web($wrong, $wkey);
    local $Features{'MTA-STS:Port'} = $other->port;
    ($policy, $log) = check('wild.test');
    is($policy, undef, 'of another host');
    like($log, qr/hostname verification failed/, 'and why');
    local $Features{'MTA-STS:Port'} = $web->port;
    my ($stranger) = CERT_create(
        CA      => 1,
        subject => { commonName => 'Stranger' },
        key     => KEY_create_ec()
    );
    local $Features{'Path:CAFILE'}
        = put("$dir/stranger", PEM_cert2string($stranger));
    ($policy, $log) = check('wild.test');
    is($policy, undef, 'of a CA that nobody knows');
    like($log, qr/certificate verify failed/, 'and why');
};

subtest 'a policy that changes' => sub {
    put("$dir/changed", "HTTP/1.1 200 OK\r\n$PLAIN\r\n$POLICY");
    is(md_check_mta_sts('changed.test')->{id}, '1', 'the first');
    my $next = DNSServer->new(<<'END');
_mta-sts.changed.test. 300 IN TXT "v=STSv1; id=2;"
mta-sts.changed.test. 300 IN A 127.0.0.1
END
    local $Features{'DNS:Servers'} = $next->address;
    put("$dir/changed", "HTTP/1.1 500 Oops\r\n\r\n");
    my ($policy) = check('changed.test');
    is($policy->{id}, '1', 'cannot be fetched');
    put("$dir/changed",
        "HTTP/1.1 200 OK\r\n$PLAIN\r\n" . $POLICY =~ s/enforce/testing/r);
    $policy = md_check_mta_sts('changed.test');
    is("$policy->{id} $policy->{mode}", '2 testing', 'the next');
    my $gone = DNSServer->new('x.test. 300 IN A 192.0.2.1');
    local $Features{'DNS:Servers'} = $gone->address;
    is(md_check_mta_sts('changed.test')->{id}, '2', 'without the record');
};

subtest 'md_verify_sts_mx' => sub {
    my $policy = { mx => [ 'mx.d.test', '*.Example.test.' ] };
    my %want   = (
        'mx.d.test'        => 1,
        'MX.D.test.'       => 1,
        'mx2.d.test'       => 0,
        'x.mx.d.test'      => 0,
        'a.example.test'   => 1,
        'a.b.example.test' => 0,
        'example.test'     => 0,
        'xexample.test'    => 0,
        '.example.test'    => 0,
        ''                 => 0,
    );
    is(md_verify_sts_mx($_,    $policy), $want{$_}, "'$_'") for sort keys %want;
    is(md_verify_sts_mx(undef, $policy), 0,         'no host');
    is(md_verify_sts_mx('mx.d.test', undef),              0, 'no policy');
    is(md_verify_sts_mx('mx.d.test', { mode => 'none' }), 0, 'no patterns');
};

subtest 'md_check_dane_tlsa' => sub {
    my @tlsa = sort { $a->{usage} <=> $b->{usage} }
        md_check_dane_tlsa('mx.ad.test', 25);
    is_deeply(
        \@tlsa,
        [
            {
                usage         => 2,
                selector      => 0,
                matching_type => 2,
                cert_data     => 'aabb',
                secure        => 1
            },
            {
                usage         => 3,
                selector      => 1,
                matching_type => 1,
                cert_data     => '0c72ac70b745ac19998811b131d662c9'
                    . 'ac69dbdbe7cb23e5b514b56664c5d3d6',
                secure => 1
            },
        ],
        'proved'
    );
    is_deeply(
        [ with_log(sub { md_check_dane_tlsa('mx.test', 465) }) ],
        ["info: TLSA records of mx.test are not proved by DNSSEC: not used\n"],
        'not proved'
    );
    is_deeply(
        [ md_check_dane_tlsa('mx.test', 465, insecure => 1) ],
        [
            {
                usage         => 3,
                selector      => 0,
                matching_type => 0,
                cert_data     => 'aabb',
                secure        => 0
            }
        ],
        'on request, and says so'
    );
    is_deeply([ md_check_dane_tlsa('mx.test', 25) ], [], 'none');
    is_deeply([ md_check_dane_tlsa(@{$_}) ],         [], 'no such place')
        for [ '', 25 ], [ 'mx.test', 'smtp' ], [undef], ['a b'];
};

# A certificate with an elliptic key; the digests are what openssl says.
my $DER = decode_base64(<<'END');
MIIBeTCCAR+gAwIBAgIUXgz3HY/mzsI+HLmDpU5x206AW7IwCgYIKoZIzj0EAwIwEjEQMA4GA1UE
AwwHbXgudGVzdDAeFw0yNjExMjUxNTAzMjhaFw0zNjExMjIxNTAzMjhaMBIxEDAOBgNVBAMMB214
LnRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATilgOzNcAd2zJCplgRDGEZ0okTn2uEvE2x
kzaF849+wn+zg35Q2E8BL2dWALpuo2hj+J3faLFKwUBrtwieBqkNo1MwUTAdBgNVHQ4EFgQUzYy4
Kf/Wptza563Lqx2QnxRKfEAwHwYDVR0jBBgwFoAUzYy4Kf/Wptza563Lqx2QnxRKfEAwDwYDVR0T
AQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBkK+lgMsUSc4SdJaR4sOPerGnYG3bynMDlDhH9
1tehmQIhANtGCTgHwfVnlDUvmMywD3iAQOJPPCtz5iQ04KTr65pd
END
my $KEY_SHA256
    = 'e7fc71a7a73b5a4f70b8c70beeccb7f2728b8152f502ed0623085d20e3298515';
my $CERT_SHA256
    = 'b066a276c09fda1bdc60c53a2a94835b21af489c44729849a93d815c2c3aabaf';
my $CERT_SHA512
    = 'e9ecb5a4ed1f1511a5ec388d082dde7c74bb6a97b0dfb873dcee3061f9f6e932'
    . '1545f999d891d81faffa43625da9989c422c1ae067db397efff029e307ed2443';

subtest 'md_verify_dane_cert' => sub {
    my $match = sub ($selector, $type, $data) {
        return md_verify_dane_cert(
            $DER,
            [
                {
                    usage         => 3,
                    selector      => $selector,
                    matching_type => $type,
                    cert_data     => $data
                }
            ]
        );
    };
    is($match->(0, 1, $CERT_SHA256),            1, 'SHA-256');
    is($match->(0, 1, uc $CERT_SHA256),         1, 'upper case');
    is($match->(0, 1, pack 'H*', $CERT_SHA256), 1, 'bytes');
    is($match->(0, 2, $CERT_SHA512),            1, 'SHA-512');
    is($match->(0, 0, unpack 'H*', $DER),       1, 'all of it');
    is($match->(1, 1, $KEY_SHA256),  1, 'the key');
    is($match->(1, 1, $CERT_SHA256), 0, 'another selector');
    is($match->(0, 2, $CERT_SHA256), 0, 'another digest');
    is($match->(0, 3, $CERT_SHA256), 0, 'no such digest');
    is($match->(2, 1, $CERT_SHA256), 0, 'no such selector');
    is($match->(0, 1, ''),           0, 'nothing');
    is(md_verify_dane_cert($DER, []),    0, 'no records');
    is(md_verify_dane_cert($DER, undef), 0, 'undef');
    is(md_verify_dane_cert('', [ { selector => 0, matching_type => 0 } ]),
        0, 'no certificate');
    is(
        md_verify_dane_cert(
            $DER,
            [
                { selector => 0, matching_type => 1, cert_data => 'aa' },
                {
                    selector      => 1,
                    matching_type => 1,
                    cert_data     => $KEY_SHA256
                }
            ]
        ),
        1,
        'the second one'
    );
};

subtest 'public_key_of' => sub {
    is(length public_key_of($DER), 91, 'of a certificate');
    my @found = grep { defined public_key_of(substr $DER, 0, $_) }
        0 .. length($DER) - 1;
    is("@found", '', 'of none that is cut off');
    is(public_key_of("\x30\x84\xff\xff\xff\xff"), undef, 'a huge length');
    is(public_key_of("\x30\x80\x00\x00"),         undef, 'no length');
};

done_testing();
