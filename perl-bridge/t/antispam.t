# SPDX-License-Identifier: MIT
# SpamAssassin with two rules of our own; spamd and rspamd played by children.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge qw(get put spool start);
use FakeDaemon;
use JSON::PP ();
use Mail::MIMEDefang;
use Mail::MIMEDefang::Antispam;
use Test::More;

my $dir = spool();
chdir $dir or die;
open STDERR, '>', "$dir/stderr" or die;    # what is logged
mkdir "$dir/rules";
put("$dir/rules/v320.pre", "loadplugin Mail::SpamAssassin::Plugin::Check\n");
put("$dir/rules/10.cf",    <<'END');
util_rb_tld com net org example
report_safe 0
body SPAMMY /buy\s+sallyport\s+pills/
score SPAMMY 7.5
header BY_US Received =~ /\(MIMEDefang\)/
score BY_US 0.25
header FROM_ENVELOPE Return-Path =~ /<from\@example\.com>/
score FROM_ENVELOPE 0.125
header APPARENTLY Apparently-To =~ /<to\@example\.net>, <too\@example\.net>/
score APPARENTLY 1
clear_report_template
report _YESNO_ _SCORE_
END
put("$ENV{MIMEDEFANG_CONFDIR}/spamassassin.cf", "required_score 5\n");

sub message ($text = 'a message') {
    init_globals();
    $CWD              = $dir;
    $InMessageContext = 1;
    $Sender           = '<from@example.com>';
    @Recipients       = ('<to@example.net>', '<too@example.net>');
    ($RelayAddr, $RelayHostname, $Helo)
        = ('192.0.2.1', 'mx.example.org', 'helo.example.org');
    ($RealRelayAddr, $RealRelayHostname) = ($RelayAddr, $RelayHostname);
    $QueueID        = $MsgID = 'QID1';
    %SendmailMacros = (
        if_name     => 'mail.example',
        auth_authen => "user\r\nEvil: 1",
        tls_version => 'TLSv1.3',
        cipher      => 'AES'
    );
    put("$dir/INPUTMSG", "From: a\@example.com\nSubject: s\n\n$text\n");
    return;
}

sub logged ($code) {
    my $before = length get("$dir/stderr");
    $code->();
    return substr get("$dir/stderr"), $before;
}

my @made;    # options of each Mail::SpamAssassin

subtest 'SpamAssassin' => sub {
    plan skip_all => 'no Mail::SpamAssassin (package spamassassin)'
        if !eval { require Mail::SpamAssassin };
    my $new = \&Mail::SpamAssassin::new;
    no warnings 'redefine';
    local *Mail::SpamAssassin::new = sub ($class, $o) {
        push @made, $o;
        return $new->(
            $class,
            {
                %{$o},
                rules_filename      => "$dir/rules",
                site_rules_filename => "$dir/rules"
            }
        );
    };

    message();
    Mail::MIMEDefang::Antispam::before_fork('sub filter_end { }');
    is(scalar @made, 0, 'not for a filter that does not ask');
    Mail::MIMEDefang::Antispam::before_fork('spam_assassin_check()');
    is(scalar @made,  1,     'rules are compiled before workers are forked');
    is($SASpamTester, undef, 'that is not seen');
    my @result = spam_assassin_check();
    is_deeply(
        \@result,
        [ 0.375, 5, 'BY_US,FROM_ENVELOPE', "No 0.4\n\n" ],
        'score, required, tests, report'
    );
    is(scalar @made, 1, 'the rules that were compiled');
    is_deeply(
        $made[0],
        {
            local_tests_only   => 1,
            dont_copy_prefs    => 1,
            userprefs_filename => "$ENV{MIMEDEFANG_CONFDIR}/spamassassin.cf",
            user_dir           => $ENV{MIMEDEFANG_QUARANTINEDIR},
        },
        'how it was made'
    );
    is(ref $SASpamTester,       'Mail::SpamAssassin', '$SASpamTester');
    is(spam_assassin_init(),    $SASpamTester,        'is what init returns');
    is(spam_assassin_is_spam(), 0,                    'no spam');

    message('buy sallyport pills');
    is(spam_assassin_is_spam(), 1, 'spam');
    $AddApparentlyToForSpamAssassin = 1;
    is((spam_assassin_check())[0], 8.875, 'with Apparently-To');
    my $status = spam_assassin_status();
    is($status->get_names_of_tests_hit,
        'APPARENTLY,BY_US,FROM_ENVELOPE,SPAMMY', 'status');
    $status->finish;
    my $mail = spam_assassin_mail();
    is($mail->get_header('Return-Path'), "<from\@example.com>\n", 'mail');
    $AddApparentlyToForSpamAssassin = 0;

    undef $SASpamTester;
    my $own = put("$dir/own.cf", "required_score 50\n");
    is((spam_assassin_check($own))[1], 50, 'another configuration');
    is(scalar @made,                   2,  'is a new object');
    is((spam_assassin_check())[1],     50, 'which stays');
    undef $SASpamTester;
    $SALocalTestsOnly = 0;
    spam_assassin_init();
    is(scalar @made,               3, 'and so are other settings');
    is($made[2]{local_tests_only}, 0, 'of the filter');
    $SALocalTestsOnly = 1;

    for my $name ('sa-mimedefang.cf', 'spamassassin/local.cf',
        'spamassassin/sa-mimedefang.cf')
    {
        mkdir "$ENV{MIMEDEFANG_CONFDIR}/spamassassin";
        my $file = put("$ENV{MIMEDEFANG_CONFDIR}/$name", "required_score 3\n");
        is(Mail::MIMEDefang::Antispam::_config(), $file, $name);
        unlink $file if $name eq 'sa-mimedefang.cf';
    }

    unlink "$dir/INPUTMSG";
    is_deeply([ spam_assassin_check() ], [], 'no message');
    undef $SASpamTester;
    local *Mail::SpamAssassin::new = sub { die "broken\n" };
    ok(!eval { message(); spam_assassin_check(); 1 }, 'a failure of its own');
    is($@, "broken\n", 'goes through');
};

subtest 'no SpamAssassin' => sub {
    message();
    undef $SASpamTester;
    local $Features{SpamAssassin} = 0;
    my %got;
    my $log = logged(
        sub {
            for my $name (
                qw(spam_assassin_init spam_assassin_mail spam_assassin_status
                spam_assassin_check spam_assassin_is_spam)
                )
            {
                $got{$name} = [ main->can($name)->() ];
            }
        }
    );
    is_deeply($got{$_}, [], $_) for sort keys %got;
    is(scalar(() = $log =~ /package spamassassin/g), 5, 'is logged');
    $InMessageContext = 0;
    $log              = logged(
        sub {
            main->can($_)->()
                for qw(spam_assassin_mail spam_assassin_status rspamd_check
                md_rspamd_verdict);
            md_spamc_check({ host => 'x', port => 1 });
        }
    );
    is(scalar(() = $log =~ /called outside of message context/g),
        5, 'outside of a message');
};

# A daemon that keeps what it hears and says what is in the file.
sub fake ($complete, @path) {
    return FakeDaemon->new(
        sub ($fh) {
            my $heard = '';
            while ($heard !~ $complete) {
                sysread $fh, $heard, 65_536, length $heard or last;
            }
            put("$dir/heard", $heard);
            my $say = get("$dir/say");
            while (length $say) {
                syswrite $fh, substr $say, 0, 700, '';
            }
        },
        @path
    );
}

subtest 'spamd' => sub {
    plan skip_all => 'no Mail::SpamAssassin::Client (package spamassassin)'
        if !eval { require Mail::SpamAssassin::Client };
    message();
    my $end    = qr/a message\n\z/;
    my $tcp    = fake($end);
    my $report = "Report\r\n" x 200;
    my $say    = sub ($text) { put("$dir/say", $text) };
    my $answer = sub ($spam, $body = $report) {
        return
              "SPAMD/1.1 0 EX_OK\r\nContent-length: "
            . length($report)
            . "\r\nSpam: $spam\r\n\r\n$body";
    };
    my $client = md_spamc_init('127.0.0.1', $tcp->port, 'somebody');
    isa_ok($client, 'Mail::SpamAssassin::Client');
    $say->($answer->('True ; 15.2 / 5.0'));
    is_deeply([ md_spamc_check($client) ],
        [ '15.2', '5.0', $report, 'True' ], 'spam');
    my $heard = get("$dir/heard");
    my ($head, $body) = split /\r\n\r\n/, $heard, 2;
    is(
        $head,
        "REPORT SPAMC/1.5\r\nContent-length: "
            . length($body)
            . "\r\nUser: somebody",
        'request'
    );
    like(
        $body,
        qr/\AReturn-Path:\ <from\@example\.com>\n
        Received:\ from\ helo\.example\.org\ [^\n]*\n(?:\t[^\n]*\n)+From:\ a\@example\.com\nSubject:\ s\n\na\ message\n\z/x,
        'message'
    );
    $say->($answer->('False ; -1.5 / 5.0'));
    is((md_spamc_check($client))[ $_->[0] ], $_->[1], "no spam $_->[0]")
        for [ 0, '-1.5' ], [ 3, 'False' ];

    my $unix = fake($end, "$dir/spamd");
    is((md_spamc_check(md_spamc_init("$dir/spamd")))[3], 'False',
        'UNIX socket');

    my $size = length $body;
    is_deeply(
        [
            md_spamc_check(
                md_spamc_init('127.0.0.1', $tcp->port, 'x', $size - 1)
            )
        ],
        [],
        'too large'
    );
    is(
        (md_spamc_check(md_spamc_init('127.0.0.1', $tcp->port, 'x', $size)))[3],
        'False',
        'as large as it may be'
    );
    my $log = logged(
        sub {
            for (
                [ 'nothing',    '' ],
                [ 'error',      "SPAMD/1.0 76 Bad header line\r\n\r\n" ],
                [ 'cut',        $answer->('True ; 9 / 5', substr $report, 9) ],
                [ 'no verdict', "SPAMD/1.1 0 EX_OK\r\n\r\nx" ],
                [ 'garbage',    "\0\1\r\n\r\n" ],
                )
            {
                my ($what, $text) = @{$_};
                $say->($text);
                is_deeply([ md_spamc_check($client) ], [], $what);
            }
        }
    );
    is(scalar(() = $log =~ /^err: QID1: spamd: /mg), 5, 'logged');
    my $silent = FakeDaemon->new(sub ($fh) { sleep 1000 });
    local $Mail::MIMEDefang::Antispam::Timeout = 0.2;
    like(
        logged(
            sub { md_spamc_check(md_spamc_init('127.0.0.1', $silent->port)) }
        ),
        qr/no answer within 0\.2 s/,
        'time limit'
    );
};

subtest 'rspamd' => sub {
    message();
    my $tcp  = fake(qr/a message\n\z/);
    my $uri  = 'http://' . $tcp->address;
    my $json = JSON::PP->new->canonical->encode(
        {
            score          => 7.5,
            required_score => 15,
            action         => 'add header',
            subject        => '*** s',
            messages       => { smtp_message => 'Try again' },
            symbols        => {
                ZULU  => { name => 'ZULU',  score => -1.25 },
                ALPHA => { name => 'ALPHA', score => 8.75 },
            },
        }
    );
    my $say = sub ($text, $head = 'HTTP/1.1 200 OK') {
        put("$dir/say",
            "$head\r\nContent-Length: " . length($text) . "\r\n\r\n$text");
    };
    my @failed = (0, 0, '', '', 'soft reject', 'false');

    $say->($json);
    is_deeply(
        [ rspamd_check($uri) ],
        [ 7.5, 15, 'ALPHA (8.75), ZULU (-1.25)', $json, 'add header', 'false' ],
        'an answer'
    );
    my ($head) = split /\r\n\r\n/, get("$dir/heard");
    my ($first, @lines) = split /\r\n/, $head;
    is($first, 'POST /checkv2 HTTP/1.0', 'request');
    my @envelope = grep { !/^(?:Host|Content-Length): / } @lines;
    is_deeply(
        [ sort @envelope ],
        [
            'From: from@example.com',
            'Helo: helo.example.org',
            'Hostname: mx.example.org',
            'IP: 192.0.2.1',
            'MTA-Name: mail.example',
            'Queue-Id: QID1',
            'Rcpt: to@example.net',
            'Rcpt: too@example.net',
            'TLS-Cipher: AES',
            'TLS-Version: TLSv1.3',
            'User: user Evil: 1',
        ],
        'envelope'
    );

    my $verdict = md_rspamd_verdict(uri => $uri, envelope => { User => 'u2' });
    is_deeply(
        $verdict,
        {
            error    => '',
            score    => 7.5,
            required => 15,
            action   => 'add header',
            is_spam  => 0,
            message  => 'Try again',
            subject  => '*** s',
            json     => $json,
            symbols  => [
                { name => 'ALPHA', score => 8.75 },
                { name => 'ZULU',  score => -1.25 }
            ],
        },
        'as a hash'
    );
    like(get("$dir/heard"), qr/^User: u2\r$/m, 'more of the envelope');
    $say->($json =~ s/7\.5/15/r);
    is((rspamd_check($uri))[5], 'true', 'score reached');
    ($Sender, $RelayHostname) = ('<>', '[192.0.2.1]');
    rspamd_check($uri);
    like(get("$dir/heard"), qr/^From: <>\r$/m, 'empty sender');
    unlike(get("$dir/heard"), qr/^Hostname/m, 'no name');

    my $log = logged(
        sub {
            for (
                [ 'error of HTTP', $json, 'HTTP/1.1 500 Broken' ],
                [ 'no JSON',       '{"score": ' ],
                [ 'no object',     '[1]' ],
                [ 'no score',      '{"error": "x"}' ],
                [ 'no HTTP',       $json, 'hello' ],
                )
            {
                my ($what, @text) = @{$_};
                $say->(@text);
                is_deeply([ rspamd_check($uri) ], \@failed, $what);
            }
            is_deeply([ rspamd_check($_) ], \@failed, "'$_'")
                for 'ftp://127.0.0.1', 'nonsense', '';
        }
    );
    is(scalar(() = $log =~ /^err: QID1: rspamd: /mg), 8,             'logged');
    is(md_rspamd_verdict(uri => $uri)->{error}, 'no answer in HTTP', 'error');
    my $silent = FakeDaemon->new(sub ($fh) { sleep 1000 });
    like(
        md_rspamd_verdict(
            uri     => 'http://' . $silent->address,
            timeout => 0.2
        )->{error},
        qr/no answer within 0\.2 s/,
        'time limit'
    );
    my $gone = $silent->address;
    undef $silent;
    is_deeply([ rspamd_check("http://$gone") ], \@failed, 'no daemon');
};

subtest 'names in a filter' => sub {
    my $worker = start(<<'END');
sub filter_unknown_cmd {
    return ('ok', join(',', grep { !defined &{"main::$_"} }
        qw(spam_assassin_init spam_assassin_mail spam_assassin_status
        spam_assassin_check spam_assassin_is_spam md_spamc_init md_spamc_check
        rspamd_check md_rspamd_verdict)),
        exists $INC{'Mail/MIMEDefang/Antispam.pm'} ? 1 : 0, rspamd_check());
}
END
    is($worker->ask('X'), 'ok  0 0 0   soft%20reject false', 'there');
};

done_testing;
