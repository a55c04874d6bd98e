# SPDX-License-Identifier: MIT
# Authentication-Results: each method with its results, and nothing from outside
# that breaks the field.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Bridge qw(get put spool start with_log);
use DNSServer;
use Mail::MIMEDefang::Authres qw(:DEFAULT md_org_domain);
use Mail::MIMEDefang::DKIM;
use Mail::MIMEDefang::DKIM::ARC;
use Mail::MIMEDefang::Globals;
use Test::More;
use TestMail qw($KEY $KEY_RECORD $MAIL);

my $server = DNSServer->new(<<"END");
s1._domainkey.d.test. 300 IN TXT "$KEY_RECORD"
s1._domainkey.servfail.test. 300 IN TXT "x"
d.test. 300 IN TXT "v=spf1 ip4:192.0.2.1 ~all"
_dmarc.d.test. 300 IN TXT "v=DMARC1; p=reject"
default._bimi.d.test. 300 IN TXT "v=BIMI1; l=https://d.test/logo.svg"
helo.test. 300 IN TXT "v=spf1 -all"
neutral.test. 300 IN TXT "v=spf1 ?all"
bad.test. 300 IN TXT "v=spf1 x:y"
END
$Features{'DNS:Servers'} = $server->address;
$Features{'DNS:Timeout'} = 20;

my $dir = spool();
chdir $dir or die;
my $key = put("$dir/key", $KEY);

sub sign ($domain = 'd.test', @args) {
    my ($name, $value) = md_dkim_sign($key, $args[0] // 'rsa-sha256',
        'relaxed/relaxed', $domain, 's1', undef, 0);
    put('INPUTMSG', "$name: $value\n" . get('INPUTMSG'));
    return substr $value =~ s/.*; b=//r, 0, 8;
}

# The items, without their ends.
sub items (@args) {
    my ($first, @rest) = split /\n\t/, md_authres(@args);
    return join '|', $first, map {s/;\z//r} @rest;
}

sub item ($method, @args) {
    my ($item) = grep {/^$method=/} split /\|/, items(@args);
    return $item;
}

subtest 'all of it' => sub {
    put('INPUTMSG', $MAIL);
    my $b = sign();
    is(
        md_authres(
            '<a+t@d.test>', '192.0.2.1', 'mx.test', 'helo.test', 'd.test'
        ),
        "mx.test (MIMEDefang);\n"
            . "\tdkim=pass (1024-bit key) header.d=d.test header.b=$b"
            . " header.a=rsa-sha256 header.s=s1;\n"
            . "\tspf=pass (d.test: 192.0.2.1 is authorized to use 'a\@d.test'"
            . " in 'mfrom' identity \\(mechanism 'ip4:192.0.2.1' matched\\))"
            . " smtp.mailfrom=a\@d.test;\n"
            . "\tspf=fail (helo.test: Sender is not authorized by default to use"
            . " 'helo.test' in 'helo' identity \\(mechanism '-all' matched\\))"
            . " smtp.helo=helo.test;\n"
            . "\tdmarc=pass (p=reject dis=none) header.from=d.test;\n"
            . "\tbimi=pass header.d=d.test;",
        'every method'
    );
};

subtest 'dkim' => sub {
    put('INPUTMSG', $MAIL);
    is(item('dkim', 'a@d.test', '192.0.2.1', 'mx'), 'dkim=none', 'none');
    my $good  = sign();
    my $gone  = sign('gone.test');
    my $fail  = sign('servfail.test');
    my $sha1  = sign('d.test', 'rsa-sha1');
    my @items = grep {/^dkim=/} split /\|/,
        items('a@d.test', '192.0.2.1', 'mx');
    is(
        $items[3],
        "dkim=pass (1024-bit key) header.d=d.test header.b=$good"
            . ' header.a=rsa-sha256 header.s=s1',
        'one passes'
    );
    like(
        $items[2],
        qr{^dkim=permerror\ \(public\ key:\ not\ available\)
            \ header.d=gone.test\ header.b=\Q$gone\E}x, 'no key'
    );
    like($items[1],
        qr/^dkim=temperror \(.*DNS error.*\) header.d=servfail.test /,
        'no answer');
    like(
        $items[0],
        qr{^dkim=policy\ \(1024-bit\ key\)\ \(unsupported\ algorithm\ rsa-sha1\)
            \ header.d=d.test\ header.b=\Q$sha1\E\ header.a=rsa-sha1}x,
        'SHA-1'
    );
    put('INPUTMSG', get('INPUTMSG') =~ s/First/Last/r);
    like(
        (grep {/^dkim=/} split /\|/, items('a@d.test', '192.0.2.1', 'mx'))[3],
        qr/^dkim=fail \(1024-bit key\) \(.*altered.*\) header.d=d.test /,
        'one fails'
    );
};

subtest 'spf' => sub {
    put('INPUTMSG', $MAIL);
    my %want = (
        'd.test'          => 'softfail',
        'neutral.test'    => 'neutral',
        'bad.test'        => 'permerror',
        'x.servfail.test' => 'temperror',
        'gone.test'       => 'none',
    );
    like(
        item('spf', "a\@$_", '192.0.2.9', 'mx'),
        qr/^spf=$want{$_} \(.*\) smtp.mailfrom=a\@\Q$_\E\z/,
        $want{$_}
    ) for sort keys %want;
    like(
        item('spf', '<>', '192.0.2.9', 'mx', 'helo.test'),
        qr/^spf=fail \(.*\) smtp.helo=helo.test\z/,
        'a bounce'
    );
    is(item('spf', '<>', '192.0.2.9', 'mx'), undef, 'nothing to look at');
};

subtest 'dmarc' => sub {
    put('INPUTMSG', $MAIL);
    is(item('dmarc', 'a@e.test', '192.0.2.1', 'mx'),
        'dmarc=fail (p=reject dis=reject) header.from=d.test', 'fail');
    put('INPUTMSG', "From: x\@e.test\n\n");
    is(item('dmarc', 'a@e.test', '192.0.2.1', 'mx'),
        'dmarc=none header.from=e.test', 'none');
    is(
        item('bimi', 'a@e.test', '192.0.2.1', 'mx', 'h', 'e.test'),
        'bimi=fail header.d=e.test',
        'and no logo'
    );
    put('INPUTMSG', "From: x\@e.test, y\@f.test\n\n");
    is(
        item('dmarc', 'a@e.test', '192.0.2.1', 'mx'),
        'dmarc=permerror (addresses of several domains in From)',
        'two domains'
    );
};

subtest 'arc' => sub {
    put('INPUTMSG', "Authentication-Results: mx; dkim=none\n$MAIL");
    my %seal = md_arc_sign($key, undef, 'none', 'd.test', 'mx', 's1');
    my $mail = get('INPUTMSG');
    $mail = "$_: $seal{$_}\n$mail" for sort keys %seal;
    put('INPUTMSG', $mail);
    is(item('arc', 'a@d.test', '192.0.2.1', 'mx'),
        'arc=pass (as.1.d.test=pass, ams.1.d.test=pass)', 'pass');
    put('INPUTMSG', $mail . 'more');
    like(item('arc', 'a@d.test', '192.0.2.1', 'mx'),
        qr/^arc=fail \(.+\)\z/, 'fail');
    put('INPUTMSG', $MAIL);
    is(item('arc', 'a@d.test', '192.0.2.1', 'mx'), undef, 'no chain');
};

subtest 'nothing breaks out' => sub {
    put('INPUTMSG', $MAIL);
    my $text = md_authres("a b;\"c)\r\n X: y\x{e4}\@d.test",
        '192.0.2.1', 'mx;1', "h (x\n\ty");
    is((split /\n\t/, $text)[0], '"mx;1" (MIMEDefang);', 'id');
    like($text,
        qr/ smtp\.mailfrom="a b;\\"c\)\? X: y\?\@d\.test";\n/, 'sender');
    like($text, qr/ smtp\.helo="h \(x\?y";\n/, 'HELO');
    unlike($text, qr/[^\x20-\x7e\n\t]/, 'characters');
    is(scalar(() = $text =~ /\n/g),           4, 'lines');
    is(scalar(() = $text =~ /\n(?!\t\w+=)/g), 0, 'each is one result');
};

subtest 'arguments' => sub {
    for ([ undef, 'mx' ], [ '192.0.2.1', '' ]) {
        my ($log, $text) = with_log(sub { md_authres('a@d.test', @{$_}) });
        is($text, undef, 'no client, no id');
        is($log, "err: md_authres: IP address or authserv-id is missing\n",
            'logged');
    }
    is(md_org_domain('Mail.Example.CO.UK'), 'example.co.uk', 'md_org_domain');
    unlink 'INPUTMSG';
    my ($log, $item)
        = with_log(sub { item('dkim', 'a@d.test', '192.0.2.1', 'mx') });
    is($item, 'dkim=temperror', 'no message');
    is($log,
        "err: md_authres: Cannot read INPUTMSG: No such file or directory\n",
        'logged');
};

subtest 'forged results' => sub {
    my $w = start(<<'END');
use Mail::MIMEDefang::Authres qw(:DEFAULT md_authres_delete_forged);
sub filter_begin {
    action_add_header('X-Count', md_authres_delete_forged('mx.Test'));
}
END
    my $work = Bridge::work_dir($w->{spool}, <<'END');
Authentication-Results: mx.test; spf=pass
From: a@d.test
Authentication-Results: other.test; spf=pass
Authentication-Results: (a (b) \) c)
	MX.test 1; spf=pass
authentication-results: "mx.test" (x); none
Authentication-Results: mx.testing; none
Authentication-Results: ;mx.test
Authentication-Results: (mx.test; none

x
END
    is($w->ask("scan Q1 $work"), 'ok', 'scanned');
    is(
        get("$work/RESULTS"),
        "JAuthentication-Results 4\nJAuthentication-Results 3\n"
            . "JAuthentication-Results 1\nHX-Count 3\nF\n",
        'ours and no others'
    );
};

subtest 'from a filter, with one look at each name' => sub {
    put('INPUTMSG', $MAIL);
    my $b = sign();
    my $w = start( <<'END', env => { DNS => $server->address, DIR => $dir });
use strict;
use Mail::MIMEDefang::Authres;
use Mail::MIMEDefang::DKIM;
use Mail::MIMEDefang::DMARC;
use Mail::MIMEDefang::SPF;
$Features{'DNS:Servers'} = $ENV{DNS};
$Features{'DNS:Timeout'} = $Features{'DNS:Retry'} = 20;
sub filter_begin {
    ($Sender, $RelayAddr, $Helo) = ('<a@d.test>', '192.0.2.1', 'helo.test');
    my $results = md_authres($Sender, $RelayAddr, 'mx', $Helo);
    my ($dkim) = md_dkim_verify();
    my ($dmarc) = md_dmarc_verify();
    my ($spf) = md_spf_verify($Sender, $RelayAddr, $Helo);
    action_insert_header('Authentication-Results', $results, 0);
    action_add_header('X-Check', "$dkim $dmarc $spf");
}
END
    $server->asked;
    my $work = Bridge::work_dir($w->{spool}, get('INPUTMSG'));
    is($w->ask("scan Q1 $work"), 'ok', 'scanned');
    like(get("$work/RESULTS"),
        qr/^NAuthentication-Results 0 mx%20\(MIMEDefang\);%0A%09dkim=pass/,
        'header field');
    like(get("$work/RESULTS"), qr/^HX-Check pass%20pass%20pass$/m, 'the same');
    my %times;
    $times{$_}++ for $server->asked;
    is_deeply([ grep { $times{$_} > 1 } sort keys %times ],
        [], 'nothing was asked twice');
};

chdir '/';
done_testing();
