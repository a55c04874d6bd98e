# SPDX-License-Identifier: MIT
# DMARC: records, whose they are, alignment, and organisational domains.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Bridge qw(get put spool with_log);
use DNSServer;
use Mail::MIMEDefang::DKIM;
use Mail::MIMEDefang::DMARC;
use Mail::MIMEDefang::DMARC::Record qw(parse_dmarc);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::PublicSuffix qw(org_domain public_suffix);
use Test::More;
use TestMail qw($KEY $KEY_RECORD $MAIL);

my $dir = spool();
chdir $dir or die;
$Features{'Path:PUBLICSUFFIX'} = put("$dir/list", <<'END');
// rules
test
co.test
*.star.test
!city.star.test
公司.test
bank
END

my $server = DNSServer->new(<<"END");
_dmarc.d.test. 300 IN TXT "v=DMARC1; p=reject; sp=quarantine"
sub.d.test. 300 IN A 192.0.2.1
_dmarc.strict.test. 300 IN TXT "v=DMARC1; p=quarantine; adkim=s; aspf=s"
_dmarc.never.test. 300 IN TXT "v=DMARC1; p=reject; pct=0"
_dmarc.np.test. 300 IN TXT "v=DMARC1; p=none; np=reject"
there.np.test. 300 IN MX 0 mx.np.test.
_dmarc.shop.co.test. 300 IN TXT "v=DMARC1; p=none"
_dmarc.two.test. 300 IN TXT "v=DMARC1; p=none"
_dmarc.two.test. 300 IN TXT "v=DMARC1; p=reject"
_dmarc.odd.test. 300 IN TXT "v=DMARC1; p=whatever"
_dmarc.report.test. 300 IN TXT "v=DMARC1; p=whatever; rua=mailto:a\@b.test"
_dmarc.other.test. 300 IN TXT "v=spf1 -all"
_dmarc.parts.test. 300 IN TXT "v=DMARC1; p=rej" "ect"
_dmarc.alias.test. 300 IN CNAME _dmarc.d.test.
_dmarc.bank. 300 IN TXT "v=DMARC1; p=reject; psd=y"
_dmarc.test. 300 IN TXT "v=DMARC1; p=reject"
_dmarc.servfail.test. 300 IN TXT "v=DMARC1; p=reject"
s1._domainkey.d.test. 300 IN TXT "$KEY_RECORD"
spf.d.test. 300 IN TXT "v=spf1 ip4:192.0.2.1 -all"
END
$Features{'DNS:Servers'} = $server->address;
$Features{'DNS:Timeout'} = 20;

# result, policy, disposition
sub verdict (@args) {
    my $dmarc = md_dmarc_verify(@args);
    return join ' ', map { $_ // '-' } @{$dmarc}{qw(result policy disposition)};
}
my @none = ([], []);

subtest 'records' => sub {
    is_deeply(
        parse_dmarc('v=DMARC1;p=Reject;; sp = none ;x=y;pct=7;p=none;rua=A@B'),
        {
            p     => 'reject',
            sp    => 'none',
            pct   => 7,
            adkim => 'r',
            aspf  => 'r',
            psd   => 'u',
            rua   => 'A@B',
            x     => 'y'
        },
        'all kinds of tags'
    );
    for my $none (
        '',
        'v=dmarc1; p=none',
        'p=none; v=DMARC1',
        'v=DMARC1',
        'v=DMARC10; p=none',
        'v=DMARC1; p=',
        'v=DMARC1; p=none; sp=bad'
        )
    {
        is(parse_dmarc($none), undef, "none: $none");
    }
    is(parse_dmarc(undef), undef, 'undef');
    is(parse_dmarc('v=DMARC1; sp=reject; rua=mailto:a@b')->{p},
        'none', 'only reports');
    is(parse_dmarc("v=DMARC1; p=none; pct=$_")->{pct}, 100, "pct=$_")
        for '101', '-1', 'x', '';
};

subtest 'organisations' => sub {
    my %want = (
        'a.b.d.test'          => 'd.test test',
        'd.test.'             => 'd.test test',
        'A.Shop.CO.test'      => 'shop.co.test co.test',
        'co.test'             => 'co.test co.test',
        'test'                => 'test test',
        'a.b.c.star.test'     => 'b.c.star.test c.star.test',
        'c.star.test'         => 'c.star.test c.star.test',
        'a.city.star.test'    => 'city.star.test star.test',
        'x.y.unknown'         => 'y.unknown unknown',
        'a.b.xn--55qx5d.test' => 'b.xn--55qx5d.test xn--55qx5d.test',
        'a.b.xn--.test'       => 'xn--.test test',
        ''                    => ' ',
    );
    is(org_domain($_) . ' ' . public_suffix($_), $want{$_}, "of '$_'")
        for sort keys %want;
    local $Features{'Path:PUBLICSUFFIX'} = '/no/list';
    my ($log, $domain) = with_log(sub { org_domain('a.shop.co.test') });
    is($domain, 'co.test', 'without a list');
    like(
        $log,
        qr/^warning: Cannot read \/no\/list \(package publicsuffix\)/,
        'which is logged'
    );
    $Features{'Path:PUBLICSUFFIX'}
        = '/usr/share/publicsuffix/public_suffix_list.dat';
SKIP: {
        skip 'no package publicsuffix', 2 if !-e $Features{'Path:PUBLICSUFFIX'};
        is(org_domain('www.example.co.uk'), 'example.co.uk', 'the real list');
        is(org_domain('a.b.city.kawasaki.jp'),
            'city.kawasaki.jp', 'its exceptions');
    }
};

subtest 'whose policy' => sub {
    is(verdict('d.test',     @none), 'fail reject reject',         'its own');
    is(verdict('D.test.',    @none), 'fail reject reject',         'any case');
    is(verdict('sub.d.test', @none), 'fail quarantine quarantine', 'sp');
    is(verdict('a.np.test',  @none), 'fail reject reject',         'np');
    is(verdict('there.np.test',  @none), 'fail none none', 'it exists');
    is(verdict('x.shop.co.test', @none), 'fail none none', 'of the shop');
    is(verdict('other.co.test',  @none), 'none - none',    'not of co.test');
    is(verdict('gone.test',      @none), 'none - none',    'nor of test');
    is(verdict('gone.bank',   @none), 'fail reject reject',     'a registry');
    is(verdict('never.test',  @none), 'fail reject quarantine', 'pct=0');
    is(verdict('two.test',    @none), 'none - none',            'two records');
    is(verdict('odd.test',    @none), 'permerror - none',       'no policy');
    is(verdict('report.test', @none), 'fail none none',         'only reports');
    is(verdict('other.test',  @none), 'none - none',            'no record');
    is(verdict('parts.test',  @none), 'fail reject reject',     'two strings');
    is(verdict('alias.test',  @none), 'fail reject reject',     'an alias');
    is(verdict('servfail.test',   @none), 'temperror - none',   'a failure');
    is(verdict('x.servfail.test', @none), 'temperror - none',   'above too');
};

subtest 'alignment' => sub {
    my $pass = sub (@domains) {
        return [ map { { result => 'pass', domain => $_ } } @domains ];
    };
    my @cases = (
        [ 'd.test',       'd.test',        [],                     'pass' ],
        [ 'd.test',       'Sub.D.test.',   [],                     'pass' ],
        [ 'sub.d.test',   'd.test',        [],                     'pass' ],
        [ 'd.test',       'e.test',        [],                     'fail' ],
        [ 'd.test',       'xd.test',       [],                     'fail' ],
        [ 'd.test',       '',              [],                     'fail' ],
        [ 'd.test',       'e.test',        ['x.d.test'],           'pass' ],
        [ 'd.test',       'e.test',        [ 'e.test', 'd.test' ], 'pass' ],
        [ 'd.test',       'e.test',        ['d.test.evil.test'],   'fail' ],
        [ 'strict.test',  'strict.test',   [],                     'pass' ],
        [ 'strict.test',  'x.strict.test', ['x.strict.test'],      'fail' ],
        [ 'strict.test',  'e.test',        ['strict.test'],        'pass' ],
        [ 'shop.co.test', 'e.co.test',     ['co.test'],            'fail' ],
    );
    for my $case (@cases) {
        my ($domain, $spf, $dkim, $want) = @{$case};
        is(
            (md_dmarc_verify($domain, [ 'pass', $spf ], $pass->(@{$dkim})))[0],
            $want,
            "$domain: SPF $spf, DKIM @{$dkim}"
        );
    }
    my $out = md_dmarc_verify(
        'd.test',
        {
            result => 'softfail',
            domain => 'd.test'
        },
        $pass->('d.test')
    );
    is("$out->{spf_aligned} $out->{dkim_aligned}", '0 1', 'which one');
    is($out->{disposition}, 'none', 'and nothing is to be done');
    is(
        verdict('d.test', [ 'temperror', 'd.test' ], []),
        'temperror reject none',
        'not known'
    );
    is(
        verdict('d.test', [ 'temperror', 'e.test' ], []),
        'fail reject reject',
        'but of another domain'
    );
    is(
        verdict('d.test', [ 'temperror', 'd.test' ], $pass->('d.test')),
        'pass reject none',
        'or it does not matter'
    );
    is_deeply(
        [ md_dmarc_verify('d.test', [ 'pass', 'd.test' ], []) ],
        [ 'pass', 'reject', 'v=DMARC1; p=reject; sp=quarantine' ],
        'a list'
    );
    is_deeply(
        scalar md_dmarc_verify('sub.d.test', [ 'fail', 'd.test' ], []),
        {
            result        => 'fail',
            policy        => 'quarantine',
            disposition   => 'quarantine',
            record        => 'v=DMARC1; p=reject; sp=quarantine',
            record_domain => 'd.test',
            pct           => 100,
            adkim         => 'r',
            aspf          => 'r',
            domain        => 'sub.d.test',
            org_domain    => 'd.test',
            spf_aligned   => 0,
            dkim_aligned  => 0,
            reason        => ''
        },
        'a hash'
    );
};

subtest 'From' => sub {
    my %want = (
        "From: a\@D.test\n"                    => 'd.test',
        "from: \"x\@evil.test\" <a\@d.test>\n" => 'd.test',
        "From: (c\@evil.test) a\@d.test\n"     => 'd.test',
        "From: a\@d.test,\n b\@D.test\n"       => 'd.test',
        "From: a\@d.test, b\@e.test\n"         =>
            'addresses of several domains in From',
        "From: a\@d.test\nFrom: a\@d.test\n" => 'more than one From field',
        "To: a\@d.test\n"                    => 'no From field',
        "From: \n"                           => 'no address in From',
        "From: a\@[192.0.2.1]\n"             => 'no domain name in From',
        "From: a\@localhost\n"               => 'no domain name in From',
    );
    for my $header (sort keys %want) {
        put('INPUTMSG', "$header\nFrom: body\@b.test\n");
        my ($domain, $error) = md_dmarc_from_domain();
        is($domain // $error, $want{$header}, $header =~ s/\n/|/gr);
    }
    put('INPUTMSG', "From: a\@d.test\nFrom: a\@e.test\n\n");
    is_deeply(
        scalar(md_dmarc_verify(undef, @none))->{reason},
        'more than one From field',
        'nothing to evaluate'
    );
    is(verdict(undef, @none), 'permerror - none', 'and its result');
};

subtest 'from the message' => sub {
    my $key = put("$dir/key", $KEY);
    put('INPUTMSG', $MAIL);
    ($Sender, $RelayAddr, $Helo) = ('<a@spf.d.test>', '192.0.2.1', 'helo.test');
    my $out = md_dmarc_verify();
    is("$out->{result} $out->{spf_aligned} $out->{dkim_aligned}",
        'pass 1 0', 'SPF');
    put('INPUTMSG',
        join(': ', md_dkim_sign($key, undef, undef, 'd.test', 's1'))
            . "\n$MAIL");
    $RelayAddr = '192.0.2.2';
    $out       = md_dmarc_verify();
    is("$out->{result} $out->{spf_aligned} $out->{dkim_aligned}",
        'pass 0 1', 'DKIM');
    put('INPUTMSG', get('INPUTMSG') . 'more');
    is(verdict(), 'fail reject reject', 'neither');
    put('INPUTMSG',
        join(': ', md_dkim_sign($key, undef, undef, 'x.servfail.d.test', 's1'))
            . "\n$MAIL");
    is(verdict(), 'temperror reject none', 'a key cannot be had');
    ($Sender, $RelayAddr, $Helo) = ('<>', '192.0.2.1', 'spf.d.test');
    is(verdict(), 'pass reject none', 'HELO of a bounce');
};

chdir '/';
done_testing();
