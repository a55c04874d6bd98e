# SPDX-License-Identifier: MIT
# Checks side by side: descriptions, answers, what they mean, stand-ins.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Bridge qw(put spool with_log);
use DNSServer;
use FakeDaemon;
use Mail::MIMEDefang::Async;
use Mail::MIMEDefang::Globals;
use Test::More;

my $server = DNSServer->new(<<'END');
2.0.0.127.bl.test. 300 IN A 127.0.0.2
8.0.0.127.bl.test. 300 IN A 127.255.255.254
55502f40dc8b7c769880b10874abc9d0.bl.test. 300 IN A 127.0.0.9
d.test. 300 IN MX 10 mx.d.test.
d.test. 300 IN TXT "v=spf1 -all"
_dmarc.d.test. 300 IN TXT "v=DMARC1; p=quarantine; pct=50"
s._domainkey.d.test. 300 IN TXT "v=DKIM1; p=" "abc"
1.2.0.192.in-addr.arpa. 300 IN PTR Host.d.test.
a.both.test. 300 IN A 192.0.2.1
b.both.test. 300 IN A 192.0.2.2
six.test. 300 IN AAAA 2001:db8::1
END
$Features{'DNS:Servers'} = $server->address;

my $dir = spool();
chdir $dir or die;
put("$dir/INPUTMSG", "Subject: x\n\nbody\n");

# What a daemon got comes back in its answer.
sub daemon ($head, $read) {
    return FakeDaemon->new(
        sub ($fh) { my $got = $read->($fh); print {$fh} "$head$got" });
}
my $clamd = daemon(
    '',
    sub ($fh) {
        local $/ = "\0";
        my $command = <$fh>;
        my ($text, $length, $block) = ('');
        while (1) {
            read $fh, $length, 4;
            $length = unpack 'N', $length or last;
            read $fh, $block, $length;
            $text .= $block;
        }
        chomp $command;
        return "stream: $command " . length($text) . " FOUND\0";
    }
);
my $read_body = sub ($fh) {
    my ($head, $length, $body) = ('', 0);
    while (my $line = <$fh>) {
        $head .= $line;
        $length = $1 if $line =~ /^Content-Length: (\d+)/i;
        last         if $line eq "\r\n";
    }
    read $fh, $body, $length;
    return $head . $body;
};
my $spamd
    = daemon("SPAMD/1.1 0 EX_OK\r\nSpam: True ; 7.5 / 5.0\r\n\r\n", $read_body);

subtest 'before init' => sub {
    my %call = (
        md_async_relay_is_blacklisted => [ '127.0.0.2', 'bl.test' ],
        md_async_email_is_blacklisted => [ 'a@b',       'bl.test', 'MD5' ],
        md_async_spf_verify           => [ 'a@d.test',  '192.0.2.1' ],
        md_async_dmarc_verify         => ['d.test'],
        md_async_spamc_check          => [],
        map { $_ => [] }
            qw(md_async_message_contains_virus_clamd
            md_async_message_contains_virus_clamdscan
            md_async_spam_assassin_check md_async_rspamd_check)
    );
    for my $name (sort keys %call) {
        ok(!eval { main->can($name)->(@{ $call{$name} }); 1 }, $name);
        like($@, qr/^$name: call md_async_init before at /, 'and why');
    }
};

subtest 'init' => sub {
    is(md_async_init(), 1, 'defaults');
    is(
        md_async_init(
            max_concurrency => 20,
            global_timeout  => 60,
            dns_timeout     => 15,
            socket_timeout  => 15.5
        ),
        1, 'all'
    );
    for my $bad (
        [ global_timeout  => 0 ],
        [ dns_timeout     => 'x' ],
        [ socket_timeout  => undef ],
        [ max_concurrency => -1 ]
        )
    {
        ok(!eval { md_async_init(@{$bad}); 1 }, "$bad->[0]");
        like($@, qr/^md_async_init: $bad->[0] must be a number above 0/,
            'says');
    }
    ok(!eval { md_async_init(speed => 1); 1 }, 'unknown');
    like($@, qr/^md_async_init: no such option: speed/, 'says');
};

subtest 'descriptions' => sub {
    is_deeply(
        md_async_check_dnsbl(ip => '127.0.0.2', zone => 'bl.test'),
        {
            name => 'dnsbl_bl.test',
            type => 'dns',
            args => { host => '2.0.0.127.bl.test', type => 'A', timeout => 5 }
        },
        'dnsbl'
    );
    my %want = (
        spf_record => [ { domain => 'd.test' }, 'spf_d.test', 'd.test', 'TXT' ],
        mx_exists  => [ { domain => 'd.test' }, 'mx_d.test',  'd.test', 'MX' ],
        rdns       => [
            { ip => '192.0.2.1' },    'rdns_192.0.2.1',
            '1.2.0.192.in-addr.arpa', 'PTR'
        ],
        dkim_record => [
            { selector => 's', domain => 'd.test' }, 'dkim_s_d.test',
            's._domainkey.d.test',                   'TXT'
        ],
        dmarc_record =>
            [ { domain => 'd.test' }, 'dmarc_d.test', '_dmarc.d.test', 'TXT' ],
    );
    for my $kind (sort keys %want) {
        my ($args, $name, $host, $type) = @{ $want{$kind} };
        my $make = main->can("md_async_check_$kind");
        is_deeply(
            $make->(%{$args}),
            {
                name => $name,
                type => 'dns',
                args => { host => $host, type => $type, timeout => 5 }
            },
            $kind
        );
        my $named = $make->(%{$args}, name => 'n', timeout => 2);
        is("$named->{name} $named->{args}{timeout}", 'n 2', 'name, timeout');
        my ($first) = sort keys %{$args};
        ok(!eval { $make->(%{$args}, $first => ''); 1 }, "no $first");
        like($@, qr/^md_async_check_$kind: $first is missing at /, 'says');
    }
    for my $call (
        sub { md_async_check_dnsbl(ip => 'x', zone => 'z') },
        sub { md_async_check_rdns(ip => 'x') },
        sub { md_async_check_clamd(socket => 'x') },
        sub { md_async_check_rspamd(uri => 'https://x/') }
        )
    {
        ok(!eval { $call->(); 1 }, "refused: $@");
    }
    my $six = md_async_check_clamd(socket => '[::1]:3310');
    is("$six->{args}{host} $six->{args}{port}", '::1 3310', 'address');
};

subtest 'answers' => sub {
    my @checks = (
        md_async_check_dnsbl(ip => '127.0.0.2', zone => 'bl.test'),
        md_async_check_dnsbl(
            ip   => '127.0.0.3',
            zone => 'bl.test',
            name => 'clean'
        ),
        md_async_check_dnsbl(ip => '127.0.0.2', zone => 'servfail.test'),
        md_async_check_spf_record(domain => 'd.test'),
        md_async_check_mx_exists(domain => 'd.test'),
        md_async_check_rdns(ip => '192.0.2.1'),
        md_async_check_dkim_record(selector => 's', domain => 'd.test'),
        md_async_check_dmarc_record(domain => 'd.test'),
        (
            map { { name => $_, type => 'dns', args => { host => "$_.test" } } }
                qw(a.both b.both)
        ),
        {
            name => 'six',
            type => 'dns',
            args => { host => 'six.test', type => 'AAAA' }
        },
        {
            name => 'echo',
            type => 'process',
            args => { cmd => [ 'echo', '$HOME;' ] }
        },
        {
            name => 'line',
            type => 'socket',
            args => {
                host    => '127.0.0.1',
                port    => $spamd->port,
                request => "\r\n"
            }
        },
        { name => 'odd',     type => 'carrier pigeon' },
        { type => 'process', args => { cmd     => 'a string' } },
        { type => 'dns',     args => { host    => '' } },
        { type => 'socket',  args => { request => 'x' } },
        {
            name => 'gone',
            type => 'socket',
            args => { unix_path => "$dir/none" }
        },
        {
            name => 'slow',
            type => 'dns',
            args => { host => 'silent.test', timeout => 0.1 }
        },
    );
    for my $check (grep { ($_->{args}{timeout} // 0) == 5 } @checks) {
        $check->{args}{timeout} = 60;    # the machine may be busy
    }
    my $run = md_async_run_checks(\@checks);
    is_deeply(
        $run->{results},
        {
            'dnsbl_bl.test'       => ['127.0.0.2'],
            'clean'               => undef,
            'dnsbl_servfail.test' => undef,
            'spf_d.test'          => ['v=spf1 -all'],
            'mx_d.test'           => ['mx.d.test'],
            'rdns_192.0.2.1'      => ['Host.d.test'],
            'dkim_s_d.test'       => ['v=DKIM1; p=abc'],
            'dmarc_d.test'        => ['v=DMARC1; p=quarantine; pct=50'],
            'a.both'              => ['192.0.2.1'],
            'b.both'              => ['192.0.2.2'],
            'six'                 => ['2001:db8::1'],
            'echo' => { stdout => "\$HOME;\n", stderr => '', exit_code => 0 },
            'line' => "SPAMD/1.1 0 EX_OK\r\n",
            (map { $_ => undef } qw(odd check_15 check_16 check_17 gone slow)),
        },
        'results'
    );
    is_deeply(
        $run->{errors},
        {
            'dnsbl_servfail.test' => 'SERVFAIL',
            'odd'                 => "unknown type 'carrier pigeon'",
            'check_15' => 'process: cmd must be a reference to a list',
            'check_16' => 'dns: host is missing',
            'check_17' => 'socket: host and port or unix_path is missing',
            'gone'     => "cannot connect to $dir/none: "
                . 'No such file or directory',
            'slow' => 'timeout',
        },
        'errors'
    );
    is_deeply(
        md_async_run_checks([]),
        { results => {}, errors => {} },
        'nothing to do'
    );
};

subtest 'daemons that see the message' => sub {
    ($Sender, @Recipients) = ('<a@b>', '<c@d>');
    ($RelayAddr, $Helo, $QueueID) = ('192.0.2.1', 'h', 'Q1');
    my $run = md_async_run_checks(
        [
            md_async_check_clamd(socket => $clamd->address),
            md_async_check_spamd(port => $spamd->port, user => 'defang'),
            md_async_check_spamd(
                socket => $spamd->address,
                name   => 'report',
                prefix => "X: y\n",
                report => 1
            ),
            md_async_check_rspamd(
                uri  => 'http://' . $spamd->address,
                name => 'known'
            ),
            md_async_check_rspamd(
                uri      => 'http://' . $spamd->address,
                envelope => { From => "a\@b\r\nX: y", Rcpt => [ 'c@d', 'e@f' ] }
            ),
            md_async_check_clamd(
                socket => $clamd->address,
                path   => './nothing',
                name   => 'nothing'
            ),
        ]
    );
    my %got = %{ $run->{results} };
    is($got{clamd}, "stream: zINSTREAM 17 FOUND\0", 'clamd');
    my $head = "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 7.5 / 5.0\r\n\r\n";
    is(
        $got{spamd},
        $head
            . "SYMBOLS SPAMC/1.5\r\nContent-length: 17\r\nUser: defang\r\n\r\n"
            . "Subject: x\n\nbody\n",
        'spamd'
    );
    is(
        $got{report},
        $head
            . "REPORT SPAMC/1.5\r\nContent-length: 22\r\n\r\n"
            . "X: y\nSubject: x\n\nbody\n",
        'report of spamd'
    );
    is(
        $got{known},
        $head
            . "POST /checkv2 HTTP/1.0\r\nContent-Length: 17\r\n"
            . "From: <a\@b>\r\nHelo: h\r\nHost: 127.0.0.1\r\n"
            . "IP: 192.0.2.1\r\nQueue-Id: Q1\r\nRcpt: <c\@d>\r\n\r\n"
            . "Subject: x\n\nbody\n",
        'rspamd and the envelope'
    );
    is(
        $got{rspamd},
        $head
            . "POST /checkv2 HTTP/1.0\r\nContent-Length: 17\r\n"
            . "From: a\@b X: y\r\nHost: 127.0.0.1\r\n"
            . "Rcpt: c\@d\r\nRcpt: e\@f\r\n\r\nSubject: x\n\nbody\n",
        'rspamd'
    );
    is_deeply($run->{errors},
        { nothing => 'cannot read ./nothing: No such file or directory' },
        'errors');
};

subtest 'what answers mean' => sub {
    is_deeply(
        md_async_interpret_dnsbl(['127.0.0.2'], 'bl.test'),
        {
            listed => 1,
            code   => '127.0.0.2',
            reason => 'listed by bl.test (127.0.0.2)',
            error  => undef
        },
        'listed'
    );
    is(md_async_interpret_dnsbl(undef, 'bl.test')->{listed}, 0, 'not listed');
    my $refused = md_async_interpret_dnsbl(['127.255.255.254'], 'bl.test');
    is($refused->{listed}, 0, 'the list refuses');
    is($refused->{error},
        'the list does not serve this resolver (127.255.255.254)', 'says');
    is_deeply(
        md_async_interpret_dnsbl(undef, 'bl.test', 'timeout'),
        {
            listed => 0,
            code   => undef,
            reason => 'bl.test: timeout',
            error  => 'timeout'
        },
        'failure'
    );

    my $ok   = "SPAMD/1.1 0 EX_OK\r\nContent-length: 9\r\n";
    my $spam = md_async_interpret_spamassassin(
        "${ok}Spam: True ; 15.5 / 5.0\r\n\r\nONE,TWO_2\r\n");
    is_deeply(
        $spam,
        {
            is_spam   => 1,
            score     => 15.5,
            threshold => 5,
            symbols   => [ 'ONE', 'TWO_2' ],
            report    => "ONE,TWO_2\r\n",
            reason    => 'SpamAssassin score 15.5 of 5'
        },
        'spam'
    );
    is(
        md_async_interpret_spamassassin("${ok}Spam: True ; 15.5 / 5.0\r\n\r\n",
            undef, 20)->{is_spam},
        0,
        'by our threshold'
    );
    is(
        md_async_interpret_spamassassin(
            "${ok}Spam: False ; -1.5 / 5.0\r\n\r\nA report: x\n")->{score},
        -1.5,
        'no spam'
    );
    is(md_async_interpret_spamassassin('', 'timeout')->{error},
        'timeout', 'failure');
    is(
        md_async_interpret_spamassassin("SPAMD/1.1 76 Bad header\r\n\r\n")
            ->{error},
        'spamd says 76 Bad header', 'refused'
    );
    is(
        md_async_interpret_spamassassin("HTTP/1.1 200 OK\r\n\r\n")->{error},
        'not an answer of spamd',
        'something else'
    );

    is_deeply(
        md_async_interpret_clamav("stream: Eicar-Test FOUND\0"),
        {
            available => 1,
            virus     => 1,
            name      => 'Eicar-Test',
            reason    => 'virus Eicar-Test'
        },
        'virus'
    );
    is_deeply(md_async_interpret_clamav("stream: OK\n"),
        { available => 1, virus => 0, name => '', reason => '' }, 'clean');

    for my $bad (
        [ undef, 'timeout', 'timeout' ],
        [ '',    undef,     'no answer' ],
        [
            "INSTREAM size limit exceeded. ERROR\0",
            undef,
            'INSTREAM size limit exceeded. ERROR'
        ]
        )
    {
        my $got = md_async_interpret_clamav(@{$bad}[ 0, 1 ]);
        is(
            "$got->{available} $got->{virus} $got->{error}",
            "0 0 $bad->[2]",
            $bad->[2]
        );
    }

    my $rspamd = "HTTP/1.1 200 OK\r\nServer: rspamd\r\n\r\n";
    is_deeply(
        md_async_interpret_rspamd(
                  $rspamd
                . '{"score":16.5,"required_score":15,"action":"reject",'
                . '"symbols":{"B":{},"A":{}}}'
        ),
        {
            is_spam   => 1,
            score     => 16.5,
            threshold => 15,
            symbols   => [ 'A', 'B' ],
            action    => 'reject',
            reason    => 'rspamd score 16.5 of 15 (reject)'
        },
        'rspamd'
    );
    is(
        md_async_interpret_rspamd($rspamd . '{"score":5,"action":"greylist"}')
            ->{is_spam},
        0,
        'greylisting is no spam'
    );
    is(
        md_async_interpret_rspamd("${rspamd}oops")->{error},
        'not an answer of rspamd',
        'no JSON'
    );
    is(
        md_async_interpret_rspamd("HTTP/1.0 403 Forbidden\r\n\r\n")->{error},
        'HTTP 403 Forbidden',
        'HTTP error'
    );

    is_deeply(
        md_async_interpret_rdns(['mail.example.com.'], undef, '192.0.2.1'),
        {
            has_rdns => 1,
            ptr      => 'mail.example.com',
            dynamic  => 0,
            reason   => ''
        },
        'a name'
    );
    my %dynamic = (
        'ip-192-0-2-1.example.com'    => 1,
        '1.2.0.192.example.com'       => 1,
        'x192-0-2-11.example.com'     => 0,
        'dynamic.7.example.com'       => 1,
        'pool7.example.com'           => 1,
        'liverpool.example.com'       => 0,
        'mx1.example.com'             => 0,
        '192-000-002-001.net.invalid' => 1,
    );
    is(md_async_interpret_rdns([$_], undef, '192.0.2.1')->{dynamic},
        $dynamic{$_}, $_)
        for sort keys %dynamic;
    is(
        md_async_interpret_rdns(undef, undef, '192.0.2.1')->{reason},
        '192.0.2.1 has no name',
        'no name'
    );
    is(md_async_interpret_rdns(undef, 'timeout', '192.0.2.1')->{reason},
        'name of 192.0.2.1: timeout', 'failure');

    is_deeply(
        md_async_interpret_spf_txt(
            [ 'x', 'v=spf1 -all', 'v=spf10' ],
            undef, 'd.test'
        ),
        { has_spf => 1, record => 'v=spf1 -all', reason => '' },
        'SPF'
    );
    is(
        md_async_interpret_spf_txt([ 'v=spf1 a', 'v=spf1' ], undef, 'd.test')
            ->{reason},
        'd.test has several SPF records',
        'two'
    );
    is(md_async_interpret_spf_txt(undef, undef, 'd.test')->{reason},
        'd.test has no SPF record', 'none');

    is_deeply(
        md_async_interpret_dmarc(
            'v=DMARC1; p=Reject; sp=none; pct=20; adkim=s; rua=mailto:a@B'),
        {
            has_dmarc        => 1,
            policy           => 'reject',
            subdomain_policy => 'none',
            pct              => 20,
            rua              => 'mailto:a@B',
            ruf              => undef,
            adkim            => 's',
            aspf             => 'r',
            reason           => 'DMARC policy reject'
        },
        'DMARC'
    );
    is(md_async_interpret_dmarc('v=spf1')->{has_dmarc}, 0,           'none');
    is(md_async_interpret_dmarc(undef)->{reason}, 'no DMARC record', 'undef');
};

subtest 'score' => sub {
    my %seen = (
        bl    => { listed  => 1, reason => 'listed' },
        virus => { virus   => 0, reason => '' },
        spam  => { is_spam => 1, score => 7, threshold => 5, reason => 'spam' },
        rdns   => { has_rdns => 0, dynamic => 0,         reason => 'no name' },
        failed => { listed   => 0, reason  => 'timeout', error  => 'timeout' },
        other  => { listed   => 1, reason  => 'no weight' },
    );
    my %weight = (bl => 4, virus => 50, spam => 1.5, rdns => 0.5, failed => 9);
    is_deeply(
        md_async_score_results(\%seen, \%weight),
        {
            score   => 7.5,
            action  => 'PASS',
            reasons => [ 'listed', 'no name', 'spam' ]
        },
        'below all'
    );
    is(md_async_score_results(\%seen, \%weight, 7.5)->{action},
        'REJECT', 'a limit');
    is(md_async_score_results(\%seen, \%weight, 7, 7.1)->{action},
        'TEMPFAIL', 'two limits');
    is(md_async_score_results(\%seen, { %weight, bl => 4.5 })->{action},
        'REJECT', 'the default');
    is(md_async_score_results(\%seen, { %weight, bl => 8.5 })->{action},
        'TEMPFAIL', 'the other default');
    is(
        md_async_score_results(
            \%seen, \%weight,
            tempfail_at => 5,
            reject_at   => 7
        )->{action},
        'REJECT',
        'by name'
    );
};

subtest 'stand-ins' => sub {
    is_deeply(md_async_relay_is_blacklisted('127.0.0.2', 'bl.test'),
        ['127.0.0.2'], 'listed');
    is(md_async_relay_is_blacklisted('127.0.0.3', 'bl.test'), 0, 'not listed');
    is_deeply([ md_async_relay_is_blacklisted('127.0.0.2', 'servfail.test') ],
        [], 'not known');
    is_deeply([ md_async_relay_is_blacklisted('x', 'bl.test') ],
        [], 'no address');
    is_deeply(
        md_async_email_is_blacklisted('test@example.com', 'bl.test', 'MD5'),
        ['127.0.0.9'], 'address');
    is_deeply(
        [
            with_log(
                sub { md_async_email_is_blacklisted('a@b', 'bl.test', 'CRC') }
            )
        ],
        [
                  "warning: md_async_email_is_blacklisted:"
                . " 'CRC' is neither MD5 nor SHA1\n"
        ],
        'no such hash'
    );
    my $dmarc = md_async_dmarc_verify('sub.d.test');
    is("$dmarc->{policy} $dmarc->{pct}", 'quarantine 50',  'DMARC');
    is(md_async_dmarc_verify('none.test')->{has_dmarc}, 0, 'no DMARC');
    my @spam = md_async_spamc_check('127.0.0.1', $spamd->port, 'u', 15);
    is("@spam[0, 1, 3]", '7.5 5 True', 'spamd');
    like($spam[2], qr/^REPORT SPAMC/, 'its report');
    is_deeply([ md_async_spamc_check('127.0.0.1', $clamd->port, 'u', 0.1) ],
        [], 'no spamd');
};

subtest 'virus scanners' => sub {
    mkdir "$dir/Work";
    put("$dir/Work/part", 'x');
    ($CWD, $InMessageContext) = ($dir, 1);
    @Features{ 'Virus:CLAMD', 'Virus:CLAMDSCAN' } = (1, "$dir/clamdscan");
    my $scanner = FakeDaemon->new(
        sub ($fh) {
            my $command = <$fh>;
            print {$fh} $command eq "PING\n"
                ? "PONG\n"
                : "$dir/Work/part: Test-Virus FOUND\n";
        }
    );
    is_deeply([ md_async_message_contains_virus_clamd($scanner->address) ],
        [ 1, 'virus', 'quarantine' ], 'clamd');
    is($VirusName, 'Test-Virus', 'what it found');

    put("$dir/clamdscan", "#!/bin/sh\necho \"x: \$(cat \$2) FOUND\"; exit 1\n");
    chmod 0755, "$dir/clamdscan";
    put("$dir/conf", "By-Conf\n");
    $VirusName = '';
    is_deeply([ md_async_message_contains_virus_clamdscan("$dir/conf") ],
        [ 1, 'virus', 'quarantine' ], 'clamdscan');
    is($VirusName, 'By-Conf', 'by that configuration');
    $InMessageContext = 0;
    my ($log, $code)
        = with_log(
        sub { scalar md_async_message_contains_virus_clamd($scanner->address) }
        );
    is($code, 999, 'elsewhere');
    is(
        $log,
        "warning: message_contains_virus_clamd called outside of message context\n",
        'logged'
    );
};

subtest 'spam scanners' => sub {
    my $json = '{"score":3.5,"required_score":15,"action":"no action",'
        . '"symbols":{"A":{"name":"A","score":3.5}}}';
    my $rspamd = FakeDaemon->new(
        sub ($fh) {
            $read_body->($fh);
            print {$fh} "HTTP/1.1 200 OK\r\nConnection: close\r\n"
                . 'Content-Length: '
                . length($json)
                . "\r\n\r\n$json";
        }
    );
    $InMessageContext = 1;
    is_deeply(
        [
            (md_async_rspamd_check('http://' . $rspamd->address))
            [ 0, 1, 2, 4, 5 ]
        ],
        [ 3.5, 15, 'A (3.5)', 'no action', 'false' ],
        'rspamd'
    );

    no warnings qw(once redefine);
    local *Mail::MIMEDefang::Antispam::spam_assassin_check
        = sub { ('called', @_) };
    is_deeply(
        [ md_async_spam_assassin_check('config') ],
        [ 'called', 'config' ],
        'SpamAssassin'
    );
};

chdir '/';
done_testing();
