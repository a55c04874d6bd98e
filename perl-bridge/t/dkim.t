# SPDX-License-Identifier: MIT
# DKIM and ARC: signing, verifying, and what is wrong with a signature.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Bridge qw(get put spool start with_log);
use DNSServer;
use Mail::MIMEDefang::Authentication
    qw(feed_message have_module header_values remember);
use Mail::MIMEDefang::DKIM qw(:DEFAULT);
use Mail::MIMEDefang::DKIM::ARC;
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Rebuilt qw(change_fields);
use Test::More;
use TestMail qw($KEY $KEY_RECORD $MAIL);

my $server = DNSServer->new(<<"END");
s1._domainkey.d.test. 300 IN TXT "$KEY_RECORD"
default._domainkey.d.test. 300 IN TXT "$KEY_RECORD"
s1._domainkey.servfail.test. 300 IN TXT "x"
revoked._domainkey.d.test. 300 IN TXT "v=DKIM1; p="
END
$Features{'DNS:Servers'} = $server->address;
$Features{'DNS:Timeout'} = 20;

my $dir = spool();
chdir $dir or die;
my $key = put("$dir/key", $KEY);

sub signed (@args) {
    put('INPUTMSG', $MAIL);
    my ($name, $value) = md_dkim_sign($key, @args);
    put('INPUTMSG', "$name: $value\n$MAIL");
    return $value;
}

sub verify () { return [ md_dkim_verify() ] }

my $B
    = 'tFJhGI+sbjW1wu9n7XaXsIXoQUhtsxkdz/9WlwJLuYGqUXFsH9Osa4/yrABtDaGWzjs+'
    . 'HM1sgcxPI4KIK62FX0HyevIuiMWl2O/hSa9OycytXSHqQf9obgV6TKhtpBJN7B/NIb3A'
    . 'EmsyLTQWkKpWQWkFcBGq8K9p2wyPoZQKpz4=';

subtest 'signing' => sub {
    put('INPUTMSG', $MAIL);
    is_deeply(
        [
            md_dkim_sign(
                $key, 'rsa-sha256', 'relaxed/relaxed', 'd.test', 's1', undef, 0
            )
        ],
        [
            'DKIM-Signature',
            'v=1; a=rsa-sha256; c=relaxed/relaxed; d=d.test;'
                . ' h=from:to:subject:date:message-id; s=s1;'
                . ' bh=xxga3269UUQnVTC0Jff4Bqu4B35qRStl/xVI66jdjJQ=;'
                . " b=$B"
        ],
        'one line'
    );
    my ($name, $value) = md_dkim_sign($key);
    like(
        $value =~ s/\s+//gr,
        qr{\Av=1;a=rsa-sha256;c=relaxed/simple;d=d.test;h=from:to:subject:date:message-id;s=default;},
        'defaults'
    );
    unlike($value, qr/[^\n]{76}|\r|\n(?!\t)/, 'in lines');
    like(
        (md_dkim_sign($key, undef, undef, undef, undef, 'X-Folded', 0))[1],
        qr/ h=from:to:subject:date:message-id:x-folded;/i,
        'more header fields'
    );
    put('INPUTMSG', $MAIL =~ s/\n/\r\n/gr);
    like(
        (
            md_dkim_sign(
                $key, 'rsa-sha256', 'relaxed/relaxed', 'd.test', 's1', undef, 0
            )
        )[1],
        qr/ b=\Q$B\E\z/,
        'CRLF is the same'
    );
};

subtest 'signing fails' => sub {
    put('INPUTMSG', $MAIL);
    my %call = (
        'Cannot read the key /no/key: No such file or directory' => ['/no/key'],
        'Cannot read the key : no file is named'                 => [],
        'more than one From field'                               => [$key],
    );
    for my $why (sort keys %call) {
        put('INPUTMSG', "From: x\@y.test\n$MAIL") if $why =~ /From/;
        my ($log, @result) = with_log(sub { md_dkim_sign(@{ $call{$why} }) });
        is_deeply(\@result, [], $why);
        is($log, "err: md_dkim_sign: $why\n", 'and says so');
    }
    put('INPUTMSG',      $MAIL);
    put("$dir/nonsense", "nothing\n");
    my ($log, @result)
        = with_log(sub { md_dkim_sign("$dir/nonsense") });
    is_deeply(\@result, [], 'no key');
    like($log, qr/^err: md_dkim_sign: \S/, 'and says so');
    ($log, @result) = with_log(sub { md_dkim_sign($key, 'rsa-md2') });
    is_deeply(\@result, [], 'no such algorithm');
    unlink 'INPUTMSG';
    ($log, @result) = with_log(sub { md_dkim_sign($key) });
    is_deeply(\@result, [], 'no message');
};

subtest 'verifying' => sub {
    my $value = signed('rsa-sha256', 'relaxed/relaxed', 'd.test', 's1');
    my ($b) = $value =~ /;\s*b=(.*)\z/s;
    is_deeply(verify(), [ 'pass', 'd.test', 1024, $b =~ s/\s//gr ], 'pass');
    isa_ok(scalar md_dkim_verify(), 'Mail::DKIM::Verifier');
    $server->asked;
    verify();
    is(scalar md_dkim_verify(), scalar md_dkim_verify(), 'checked once');

    put('INPUTMSG', get('INPUTMSG') =~ s/First/Last/r);
    is_deeply(
        [ @{ verify() }[ 0 .. 2 ] ],
        [ 'fail', 'd.test', 1024 ],
        'another body'
    );
    put('INPUTMSG', $MAIL);
    is_deeply(verify(), [ 'none', undef, 0, undef ], 'no signature');

    signed('rsa-sha256', 'simple/simple', 'd.test', 's1');
    put('INPUTMSG', get('INPUTMSG') =~ s/\n/\r\n/gr);
    is(verify()->[0], 'pass', 'CRLF');
    put('INPUTMSG', get('INPUTMSG') . 'x' x 200_000 . "\r\n");
    is(verify()->[0], 'fail', 'longer than a block');
};

subtest 'keys and algorithms' => sub {
    my %want = (
        's1 servfail.test' => 'temperror',
        'gone d.test'      => 'invalid',
        'revoked d.test'   => 'invalid',
    );
    for my $where (sort keys %want) {
        my ($selector, $domain) = split / /, $where;
        signed('rsa-sha256', 'relaxed/relaxed', $domain, $selector);
        is(verify()->[0], $want{$where}, $where);
    }
    signed('rsa-sha1', 'relaxed/relaxed', 'd.test', 's1');
    is(verify()->[0], 'invalid', 'rsa-sha1');
};

subtest 'a hundred signatures' => sub {
    my $field = "DKIM-Signature: v=1; a=rsa-sha256; d=d%d.test; s=s;"
        . " h=from; bh=xx; b=xx\n";
    signed('rsa-sha256', 'relaxed/relaxed', 'd.test', 's1');
    put('INPUTMSG',
        get('INPUTMSG')
            =~ s/(?=From:)/join '', map { sprintf $field, $_ } 1 .. 100/er);
    $server->asked;
    is(verify()->[0], 'pass', 'the good one is among the first');
    cmp_ok(scalar $server->asked, '<', 15, 'few questions');
    is(scalar md_dkim_verify()->signatures, 10, 'ten are looked at');
};

subtest 'sealing' => sub {
    put('INPUTMSG',
        "Authentication-Results: mx.test;\n\tdkim=pass header.d=d.test\n$MAIL");
    my %seal = md_arc_sign($key, undef, 'none', 'd.test', 'mx.test', 's1');
    is_deeply(
        [ sort keys %seal ],
        [qw(ARC-Authentication-Results ARC-Message-Signature ARC-Seal)],
        'three fields'
    );
    like($seal{'ARC-Seal'},
        qr/\Ai=1; a=rsa-sha256; cv=none; d=d.test; s=s1; t=\d+;/, 'seal');
    like($seal{'ARC-Authentication-Results'},
        qr/\Ai=1; mx.test;\s+dkim=pass header.d=d.test\z/, 'results');
    my $sealed = get('INPUTMSG');
    $sealed = "$_: $seal{$_}\n$sealed" for sort keys %seal;
    put('INPUTMSG', "Authentication-Results: mx.test; arc=pass\n$sealed");
    my (undef, $arc) = Mail::MIMEDefang::Authentication::verified('test');
    is($arc->result, 'pass', 'verifies');
    %seal = md_arc_sign($key, 'rsa-sha256', 'pass', 'd.test', 'mx.test', 's1');
    like($seal{'ARC-Seal'}, qr/\Ai=2; a=rsa-sha256; cv=pass;/, 'a second one');

    my ($log, @result)
        = with_log(sub { md_arc_sign($key, undef, 'maybe', 'd.test') });
    is_deeply(
        \@result,
        [ error => "chain is 'maybe', not none, ar, pass or fail" ],
        'no such chain'
    );
    ($log, @result) = with_log(sub { md_arc_sign($key, undef, 'none', '') });
    is_deeply(\@result, [], 'no domain');
    is($log, "err: md_arc_sign: key file, chain or domain is missing\n",
        'and says so');
    ($log, @result)
        = with_log(sub { md_arc_sign('/no/key', undef, 'none', 'd.test') });
    is_deeply(
        \@result,
        [
            error => 'Cannot read the key /no/key: No such file or directory'
        ],
        'no key'
    );
    ($log, @result)
        = with_log(sub { md_arc_sign($key, undef, 'none', 'd.test', 'other') });
    is($result[0], 'error', 'no results of that id');
};

subtest 'the rebuilt message' => sub {
    my @fields = ("From: a\n", "Subject: x\n\ty\n", "X: 1\n", "x: 2\n");
    change_fields(
        \@fields,
        'HX-Added a%20b',
        'NX-Top 0 t',
        'NX-Far 99 f',
        'ISubject 1 new',
        'IX-New 3 v',
        'IFrom 1 ',
        'JX 2',
        'JX 7',
        'Mtext/html',
        'HX-Added a%20b',
        'R<a@b>',
        'C',
        'IX 1 a%0A%09b',
    );
    is(
        join('', @fields),
        "X-Top: t\nSubject: new\nX: a\n\tb\nX-Added: a b\nX-Far: f\n"
            . "X-New: v\nContent-Type: text/html\nMIME-Version: 1.0\n",
        'changes of fields'
    );

    my $w = start( <<'END', env => { DNS => $server->address, KEY => $key });
use Mail::MIMEDefang::DKIM qw(:DEFAULT md_dkim_sign_rebuilt);
sub filter_sender {
    action_add_header('X-Early', 1);
    return 'CONTINUE';
}
sub filter {
    my ($entity, $fname, $ext, $type) = @_;
    return $type eq 'text/html' ? action_drop() : action_accept();
}
sub filter_end { action_change_header('Subject', 'Changed') }
sub filter_wrapup {
    my ($name, $value) = md_dkim_sign_rebuilt($ENV{KEY}, 'rsa-sha256',
        'simple/simple', 'd.test', 's1', 'X-Early');
    action_insert_header($name, $value, 0);
}
END
    my $mail = $MAIL =~ s/\n\n.*//sr . <<'END';

MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

kept
--b
Content-Type: text/plain

kept
--b
Content-Type: text/html

dropped
--b--
END
    $mail =~ s/\n\n/\n/;
    my $work = Bridge::work_dir($w->{spool}, $mail);
    $w->ask("senderok <a\@d.test> 192.0.2.1 h h $work Q1");
    is($w->ask("scan Q1 $work"), 'ok', 'scanned');
    ok(!-e "$work/REBUILT", 'nothing is left');
    @fields = split /^(?![ \t])/m, $mail =~ s/\n\n.*/\n/sr;
    change_fields(\@fields, split /\n/, get("$work/RESULTS"));
    put('INPUTMSG', join '', @fields, "\n", get("$work/NEWBODY"));
    unlike(get('INPUTMSG'), qr/dropped/, 'what leaves');
    my ($h) = get('INPUTMSG') =~ /\bh=(.*?);/s;
    like($h, qr/subject.*x-early/is, 'has its fields signed');
    is(verify()->[0], 'pass', 'and verifies');
};

subtest 'one message, many questions' => sub {
    put('INPUTMSG', "Received: a\n b\nRECEIVED : c\nbroken\n$MAIL");
    is_deeply([ header_values('received') ], [ "a\n b", 'c' ], 'fields');
    is_deeply([ header_values('Cc') ],       [],               'none');
    my $count = 0;
    remember('x', sub { ++$count }) for 1 .. 3;
    is((remember('x', sub { ++$count }))[0], 1, 'remembered');
    put('INPUTMSG', "X: y\n");
    is((remember('x', sub { ++$count }))[0], 2, 'until it changes');
    is(
        feed_message('/no/message'),
        'Cannot read /no/message: No such file or directory',
        'no message'
    );
    my ($log, $have)
        = with_log(sub { have_module('No::Such::Module', 'libno-perl', 'me') });
    is($have, 0, 'no module');
    is(
        $log,
        "err: me: No::Such::Module is missing (package libno-perl)\n",
        'names the package'
    );
};

chdir '/';
done_testing();
