# SPDX-License-Identifier: MIT
# SPF: every result, its two shapes, and what is no address.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use DNSServer;
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::SPF;
use Test::More;

my $many = join ' ', map {"include:n$_.test"} 1 .. 21;
my $some = join ' ', map {"a:h$_.test"} 1 .. 15;
my $zone = <<"END";
d.test. 300 IN TXT "other"
d.test. 300 IN TXT "v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 -all"
soft.test. 300 IN TXT "v=spf1 ~all"
neutral.test. 300 IN TXT "v=spf1 ?all"
two.test. 300 IN TXT "v=spf1 a -all"
two.test. 300 IN TXT "v=spf1 mx -all"
bad.test. 300 IN TXT "v=spf1 nonsense:x -all"
loop.test. 300 IN TXT "v=spf1 include:loop.test -all"
down.test. 300 IN TXT "v=spf1 include:x.servfail.test -all"
split.test. 300 IN TXT "v=spf1 ip4:192.0.2.1" " -all"
many.test. 300 IN TXT "$many"
some.test. 300 IN TXT "v=spf1 $some -all"
helo.test. 300 IN TXT "v=spf1 a -all"
helo.test. 300 IN A 192.0.2.1
alias.test. 300 IN CNAME d.test.
exists.test. 300 IN TXT "v=spf1 exists:%{ir}.%{l}.x.test -all"
1.2.0.192.alice.x.test. 300 IN A 127.0.0.2
END
$zone .= "h$_.test. 300 IN A 192.0.2.$_\n" for 1 .. 15;
$zone =~ s/"include/"v=spf1 include/;
my $server = DNSServer->new($zone);
$Features{'DNS:Servers'} = $server->address;
$Features{'DNS:Timeout'} = 20;

sub code (@args) { return (md_spf_verify(@args))[0] }

subtest 'results' => sub {
    is(code('a@d.test',       '192.0.2.1'),        'pass',      'pass');
    is(code('a@d.test',       '2001:db8::1'),      'pass',      'IPv6');
    is(code('a@d.test',       '::ffff:192.0.2.1'), 'pass',      'mapped');
    is(code('a@d.test',       '192.0.2.2'),        'fail',      'fail');
    is(code('a@soft.test',    '192.0.2.2'),        'softfail',  'softfail');
    is(code('a@neutral.test', '192.0.2.2'),        'neutral',   'neutral');
    is(code('a@gone.test',    '192.0.2.2'),        'none',      'none');
    is(code('a@two.test',     '192.0.2.2'),        'permerror', 'two records');
    is(code('a@bad.test',     '192.0.2.2'),        'permerror', 'nonsense');
    is(code('a@loop.test',    '192.0.2.2'),        'permerror', 'a circle');
    is(code('a@many.test',    '192.0.2.2'),        'permerror', 'too much');
    is(code('a@some.test',       '192.0.2.15'), 'pass',      'a bit too much');
    is(code('a@down.test',       '192.0.2.2'),  'temperror', 'a failure');
    is(code('a@x.servfail.test', '192.0.2.2'),  'temperror', 'at once');
    is(code('a@split.test',      '192.0.2.1'),  'pass',      'two strings');
    is(code('a@alias.test',      '192.0.2.1'),  'pass',      'an alias');
    is(code('alice@exists.test', '192.0.2.1'),  'pass',      'macros');
    {
        local @Features{qw(DNS:Timeout DNS:Retry)} = (0.1, 0.05);
        is(code('a@x.silent.test', '192.0.2.2'), 'temperror', 'no answer');
    }
};

subtest 'addresses' => sub {
    is(code('<a+tag@d.test>',      '192.0.2.1'), 'pass', 'brackets and a tag');
    is(code('alice+x@exists.test', '192.0.2.1'), 'pass', 'the tag is gone');
    is_deeply([ md_spf_verify('<>', '192.0.2.1') ],
        [ 'invalid', 'no sender address' ], 'nobody');
    is_deeply([ md_spf_verify(undef, '192.0.2.1') ],
        [ 'invalid', 'no sender address' ], 'undef');
    is_deeply(
        scalar md_spf_verify('', '192.0.2.1'),
        { code => 'invalid', local_explanation => 'no sender address' },
        'as a hash'
    );
    is_deeply(
        [ md_spf_verify('a@d.test', '') ],
        [ 'invalid', 'no IP address' ],
        'no client'
    );
    is(code('a@d.test', 'nonsense'), 'permerror', 'no address');
    for my $domain (
        'localhost',        '[192.0.2.1]',
        '192.0.2.1',        'a b.test',
        'x' x 64 . '.test', "d\n.test",
        '..',               "\xfcml\xe4ut.test"
        )
    {
        is_deeply(
            [ (md_spf_verify("a\@$domain", '192.0.2.1'))[ 0, 1 ] ],
            [ 'none', 'not a domain name' ],
            'no domain'
        );
    }
};

subtest 'both shapes' => sub {
    is_deeply(
        [ md_spf_verify('<a@d.test>', '192.0.2.1', 'helo.test') ],
        [
            'pass',
            q{d.test: 192.0.2.1 is authorized to use 'a@d.test' in 'mfrom'}
                . q{ identity (mechanism 'ip4:192.0.2.1' matched)},
            'pass',
            q{helo.test: 192.0.2.1 is authorized to use 'helo.test' in 'helo'}
                . q{ identity (mechanism 'a' matched)},
            'v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 -all',
            'v=spf1 a -all'
        ],
        'list'
    );
    my $hash = md_spf_verify('<a@d.test>', '192.0.2.1', 'helo.test');
    is_deeply(
        {
            %{$hash},
            map { $_ => substr $hash->{$_}, 0, 17 }
                qw(local_explanation helo_local_explanation)
        },
        {
            code              => 'pass',
            local_explanation => 'd.test: 192.0.2.1',
            record            => 'v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 -all',
            dns_lookups       => 0,
            helo_code         => 'pass',
            helo_local_explanation => 'helo.test: 192.0.',
            helo_record            => 'v=spf1 a -all',
            helo_dns_lookups       => 1
        },
        'hash'
    );
    is_deeply(
        [ (md_spf_verify('a@d.test', '192.0.2.1'))[ 2, 3, 5 ] ],
        [ undef, undef, undef ],
        'without HELO'
    );
    is(
        (md_spf_verify('a@bad.test', '192.0.2.1'))[4],
        'v=spf1 nonsense:x -all',
        'the record of a permerror'
    );
    is((md_spf_verify('a@d.test', '192.0.2.1', 'gone.test'))[2],
        'none', 'HELO has none');
};

done_testing();
