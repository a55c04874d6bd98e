# SPDX-License-Identifier: MIT
# BIMI: selectors, records, verdicts.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use DNSServer;
use MIME::Entity;
use Mail::MIMEDefang::BIMI qw(:DEFAULT md_init);
use Mail::MIMEDefang::Globals;
use Test::More;

my $server = DNSServer->new(<<'END');
default._bimi.d.test. 300 IN TXT "v=BIMI1; l=https://d.test/logo.svg; " "a=https://d.test/vmc.pem"
brand._bimi.d.test. 300 IN TXT "v=BIMI1;l=https://d.test/brand.svg"
default._bimi.none.test. 300 IN TXT "v=BIMI1; l=; a="
default._bimi.http.test. 300 IN TXT "v=BIMI1; l=http://d.test/logo.svg"
default._bimi.two.test. 300 IN TXT "v=BIMI1; l=https://d.test/1.svg"
default._bimi.two.test. 300 IN TXT "v=BIMI1; l=https://d.test/2.svg"
default._bimi.other.test. 300 IN TXT "v=spf1 -all"
END
$Features{'DNS:Servers'}       = $server->address;
$Features{'DNS:Timeout'}       = 20;
$Features{'Path:PUBLICSUFFIX'} = '/dev/null';

sub selector (@fields) {
    my $entity = MIME::Entity->build(Data => ["x\n"], @fields);
    return md_bimi_get_selector($entity);
}

subtest 'md_bimi_get_selector' => sub {
    is(selector('BIMI-Selector:' => 'v=BIMI1; s=Brand;'), 'brand', 'named');
    is(selector('BIMI-Selector:' => "v=BIMI1;\n s=a-1"),  'a-1',   'folded');
    is(selector('BIMI-Selector:' => 's=brand'),        'default', 'no version');
    is(selector('BIMI-Selector:' => 'v=BIMI1; s=a.b'), 'default', 'no word');
    is(selector('BIMI-Selector:' => 'v=BIMI1; s='),    'default', 'empty');
    is(selector(),                                     'default', 'no field');
    is(md_bimi_get_selector(undef),                    'default', 'no message');
};

subtest 'md_bimi_lookup' => sub {
    my $want = {
        version => 'BIMI1',
        l       => 'https://d.test/logo.svg',
        a       => 'https://d.test/vmc.pem',
        raw     => 'v=BIMI1; l=https://d.test/logo.svg;'
            . ' a=https://d.test/vmc.pem'
    };
    is_deeply(md_bimi_lookup('d.test'),      $want, 'a domain');
    is_deeply(md_bimi_lookup('Sub.D.test.'), $want, 'one below it');
    is(md_bimi_lookup('d.test', 'BRAND')->{l},
        'https://d.test/brand.svg', 'another selector');
    is(md_bimi_lookup('d.test', 'brand')->{a}, '', 'no certificate');
    is_deeply(md_bimi_lookup('d.test', 'a._x'), $want, 'no selector');
    is(md_bimi_lookup('none.test')->{l}, '', 'declined');
    is(md_bimi_lookup('http.test')->{l}, '', 'not HTTPS');
    is_deeply([ md_bimi_lookup($_) ], [], "nothing: $_")
        for 'gone.test', 'two.test', 'other.test', 'x.servfail.test',
        'localhost', '', '[192.0.2.1]';
    is_deeply([ md_bimi_lookup(undef) ], [], 'undef');
};

subtest 'md_bimi_verify' => sub {
    is(md_bimi_verify('d.test', 'pass', 'reject'),     'pass', 'reject');
    is(md_bimi_verify('d.test', 'PASS', 'Quarantine'), 'pass', 'quarantine');
    is(md_bimi_verify('d.test', 'pass', 'reject', 'brand'), 'pass', 'selector');
    is(md_bimi_verify('d.test', 'pass', 'none'),      'fail', 'no policy');
    is(md_bimi_verify('d.test', 'pass', undef),       'fail', 'undef');
    is(md_bimi_verify('d.test', 'fail', 'reject'),    'fail', 'no pass');
    is(md_bimi_verify('none.test', 'pass', 'reject'), 'fail', 'no logo');
    is(md_bimi_verify('gone.test', 'pass', 'reject'), 'fail', 'no record');
};

is(md_init(), 1, 'md_init');
done_testing();
