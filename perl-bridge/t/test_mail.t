# SPDX-License-Identifier: MIT
# The program mimedefang-test-mail: envelopes, verdicts, what it prints, what it
# keeps from happening, expectations.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge                               qw(get put spool);
use IPC::Open3                           qw(open3);
use JSON::PP                             ();
use Mail::MIMEDefang::TestMail::Envelope qw(add_recipient begin_commands
    end_commands make_envelope read_message write_message);
use Mail::MIMEDefang::TestMail::Expect
    qw(read_expectations record_expectations unmet);
use Mail::MIMEDefang::TestMail::Report qw(resulting_message);
use Mail::MIMEDefang::Utils            ();
use Test::More;

my $program = "$FindBin::Bin/../bin/mimedefang-test-mail";
my $dir     = spool();

# (exit status, standard output, standard error)
sub run (@arguments) {
    open my $in,  '<', '/dev/null' or die;
    open my $out, '>', "$dir/out"  or die;
    open my $err, '>', "$dir/err"  or die;
    my $pid = open3(
        '<&' . fileno $in,
        '>&' . fileno $out,
        '>&' . fileno $err,
        $^X, $program, @arguments
    );
    waitpid $pid, 0;
    return ($? >> 8, get("$dir/out"), get("$dir/err"));
}

my $MESSAGE = put("$dir/message.eml", <<'END');
From: A <a@from.example>
To: "Me" <me@to.example>
Subject: hello
	there
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b"

--b

text
--b
Content-Type: application/octet-stream; name=a.exe

x
--b--
END

sub filter ($text) {
    return put("$dir/filter", "$text\n1;\n");
}

sub with ($filter, @arguments) {
    return run('-f', filter($filter), @arguments, $MESSAGE);
}

subtest 'envelope' => sub {
    my $of = sub ($header, %option) {
        return make_envelope(read_message("$header\n\n"), \%option);
    };
    my $trace
        = "Received: from h.example (c.example [192.0.2.7])\n"
        . "\t(using TLSv1.3 with cipher TLS_AES_256 (256/256 bits))\n"
        . "\t(Authenticated sender: joe)\n\tby mx.example";
    for (
        [ '',     {}, 'relay_ip',   '127.0.0.1' ],
        [ '',     {}, 'relay_host', 'localhost' ],
        [ '',     {}, 'helo',       'localhost' ],
        [ '',     {}, 'from',       '<>' ],
        [ '',     {}, 'to',         ['<postmaster@localhost>'] ],
        [ $trace, {}, 'relay_ip',   '192.0.2.7' ],
        [ $trace, {}, 'relay_host', 'c.example' ],
        [ $trace, {}, 'helo',       'h.example' ],
        [
            $trace,
            {},
            'macro',
            {
                _           => 'c.example [192.0.2.7]',
                auth_authen => 'joe',
                cipher      => 'TLS_AES_256',
                cipher_bits => '256',
                tls_version => 'TLSv1.3',
            }
        ],
        [
            "Received: from h.example (c.example [192.0.2.7])\n"
                . "\tby mx.example (8.17.1/8.17.1) with ESMTPS\n"
                . "\t(version=TLSv1.2 cipher=ECDHE-RSA-AES256 bits=256 verify=NO)",
            {},
            'macro',
            {
                _           => 'c.example [192.0.2.7]',
                cipher      => 'ECDHE-RSA-AES256',
                cipher_bits => '256',
                tls_version => 'TLSv1.2',
            }
        ],
        [
            'Received: from unknown ([IPv6:2001:db8::1])', {},
            'relay_ip', '2001:db8::1'
        ],
        [ "X-Relay-Addr: 192.0.2.9\n$trace", {}, 'relay_ip', '192.0.2.9' ],
        [ "$trace\nFrom: B <b\@b>",          {}, 'from',     '<b@b>' ],
        [ "Sender: s\@s\nFrom: B <b\@b>",    {}, 'from',     '<s@s>' ],
        [
            'Authentication-Results: mx; spf=pass smtp.mailfrom=q@q.example;',
            {}, 'from', '<q@q.example>'
        ],
        [ "To: x\@x, y\@y", {}, 'to', ['<x@x>'] ],
        [ $trace, { relay_ip   => '1.2.3.4' },      'relay_ip',   '1.2.3.4' ],
        [ $trace, { relay_host => 'n' },            'relay_host', 'n' ],
        [ $trace, { helo       => 'x' },            'helo',       'x' ],
        [ $trace, { from       => 'f@f' },          'from',       '<f@f>' ],
        [ $trace, { to         => [ 'a', '<b>' ] }, 'to', [ '<a>', '<b>' ] ],
        )
    {
        my ($header, $option, $key, $want) = @{$_};
        is_deeply(
            $of->($header, %{$option})->{$key},
            $want, "$key from '" . substr($header, 0, 20) . "' and " . join ' ',
            %{$option}
        );
    }
    is($of->($trace, macro => { auth_authen => 'x' })->{macro}{auth_authen},
        'x', 'a macro that is given');
};

subtest 'files' => sub {
    my $work    = spool();
    my $message = read_message("From mbox\nA: 1\r\n 2\r\nSubject: a b\r\n"
            . "Content-Type: x/y\nContent-Type: z/z\n\nbo\rdy\n");
    write_message($work, $message);
    is(get("$work/INPUTMSG"),
        "A: 1\n 2\nSubject: a b\nContent-Type: x/y\n\nbo\rdy\n", 'INPUTMSG');
    is(get("$work/HEADERS"), "A: 1 2\nSubject: a b\nContent-Type: x/y\n",
        'HEADERS');
    begin_commands(
        $work,
        {
            qid        => 'Q',
            from       => '<a@b>',
            relay_host => 'h',
            relay_ip   => '192.0.2.1',
            helo       => 'x y',
            macro      => { m => 'v v' }
        }
    );
    add_recipient($work, '<c@d>');
    end_commands($work, $message);
    is(get("$work/COMMANDS"), <<'END', 'COMMANDS');
iTEST001
S<a@b>
=m v%20v
QQ
Hh
I192.0.2.1
Ex%20y
R<c@d> ? ? ?
?
Ua%20b
F
END
};

subtest 'verdicts' => sub {
    for (
        [ '',                                          0, 'accepted' ],
        [ 'sub filter_begin { action_bounce("no") }',  1, 'rejected' ],
        [ 'sub filter_begin { action_discard() }',     1, 'discarded' ],
        [ 'sub filter_begin { action_tempfail("x") }', 2, 'tempfailed' ],
        [ 'sub filter_begin { die "oops" }',           2, 'tempfailed' ],
        [ 'sub filter_begin { exit 5 }',               2, 'tempfailed' ],
        [ 'sub filter_begin { kill 9, $$ }',           2, 'tempfailed' ],
        [ 'sub filter_relay { ("REJECT", "no") }',     1, 'rejected' ],
        [ 'sub filter_helo { ("TEMPFAIL", "no") }',    2, 'tempfailed' ],
        [ 'sub filter_sender { ("DISCARD", "") }',     1, 'discarded' ],
        [ 'sub filter_recipient { ("REJECT", "no") }', 1, 'rejected' ],
        [
            'sub filter_sender { "ACCEPT_AND_NO_MORE_FILTERING" }'
                . ' sub filter_begin { action_bounce("no") }',
            0,
            'accepted'
        ],
        )
    {
        my ($filter, $want, $verdict) = @{$_};
        my ($status, $out) = with($filter);
        is($status, $want, "$filter: status");
        like($out, qr/^Verdict: $verdict/m, "$filter: $verdict");
    }
    my ($status, $out) = with('sub filter_begin { sleep 600 }', '--timeout', 1);
    is($status, 2, 'hangs: status');
    like($out,
        qr/^Verdict: tempfailed by \w+: 451 4\.3\.0 no answer within 1 s$/m,
        'hangs: told');
};

my $BUSY = <<'END';
sub filter_recipient {
    my ($rcpt) = @_;
    return ('REJECT', 'no such user', 550, '5.1.1') if $rcpt =~ /bad/;
    return ('CONTINUE', 'ok');
}
sub filter_begin {
    md_syslog('info', "from $Sender to @Recipients helo $Helo macro $SendmailMacros{m}");
    print "stray\n";
    action_add_header('X-Foo', 'bar');
    action_delete_all_headers('To');
    action_change_header('Subject', "new\n\tone");
    action_notify_administrator('note');
    action_quarantine_entire_message('kept');
}
sub filter {
    my ($entity, $name, $extension) = @_;
    return action_drop_with_warning("no $name") if $extension eq '.exe';
    return action_accept();
}
END

subtest 'what it prints' => sub {
    my ($status, $out, $err)
        = with($BUSY, '--from', 'x@y', '--to', 'bad@z', '--to',
        'good@z',          '--helo', 'h', '--macro', 'm=7', '-o',
        "$dir/output.eml", '--keep-workdir');
    is("$status$err", '0', 'status, and no complaint');
    $out =~ s/^(\w+ +\d+ x) .*/$1/mg;
    my $kept = $out =~ s/^(Working directory: )(.*)/$1/m ? $2 : '';
    is($out, <<'END', 'report');
== Envelope phases ==
filter_recipient: <bad@z> REJECT 550 5.1.1 no such user
filter_recipient: <good@z> CONTINUE
== Content filter ==
[debug] TEST0001: filter_recipient answered REJECT for recipient <bad@z>
[info] TEST0001: from <x@y> to <good@z> helo h macro 7
[output] stray
[debug] TEST0001: Actions: drop_with_warning=1 notify_administrator=1 quarantine_entire_message=1
Actions taken: drop_with_warning 1, notify_administrator 1, quarantine_entire_message 1
Warning: no a.exe
Mail that was not sent: to postmaster@localhost from mailer-daemon@localhost: MIMEDefang Notification
Message was rebuilt: yes
--- raw RESULTS ---
H X-Foo bar
J To 1
I Subject 1 new\x0A\x09one
M multipart/mixed; boundary="b"
C
--- times ---
filter                  2 x
filter_begin            1 x
filter_recipient        2 x
Verdict: accepted
Working directory: 
END
    my $output = get("$dir/output.eml");
    like(
        $output,
        qr/\AFrom: A <a\@from.example>\nSubject: new\n\tone\nMIME-V/,
        'output: changed header'
    );
    like($output, qr/^X-Foo: bar\n\n--b/m, 'output: added header');
    unlike($output, qr/a\.exe;|^x$/m, 'output: new body');
    ok(-e "$kept/INPUTMSG", 'the working directory is there');
    require File::Path;
    File::Path::remove_tree($kept =~ s{/spool/.*}{}r) if $kept =~ m{/spool/};
};

subtest 'nothing is really sent' => sub {
    my $trap = put("$dir/trap", "#!/bin/sh\ntouch $dir/sprung\n");
    chmod 0755, $trap;
    local $ENV{MIMEDEFANG_SENDMAIL} = $trap;
    my ($status, $out)
        = with("\$Features{'Path:SENDMAIL'} = '$trap';"
            . 'sub filter_begin { send_mail("a", "", "b", "Subject: s\n\n") }');
    like($out, qr/^Mail that was not sent: to b from a: s$/m, 'told');
    ok(!-e "$dir/sprung", 'not done');
    ok(!-e $_, "nothing in $_") for glob "$ENV{MIMEDEFANG_QUARANTINEDIR}/*";
};

subtest 'JSON' => sub {
    my ($status, $out) = with($BUSY, '--json');
    my $got = JSON::PP->new->decode($out);
    is($got->{verdict},                    'accepted',         'verdict');
    is($got->{phases}[-1]{callback},       'filter_recipient', 'phases');
    is($got->{actions}{drop_with_warning}, 1,                  'actions');
    is_deeply($got->{results}[0], [ 'H', 'X-Foo', 'bar' ], 'results');
    is($got->{log}[0]{level},        'info', 'log');
    is($got->{times}{filter}{calls}, 2,      'times');
    is_deeply(
        [ map { $_->{part} // () } @{ $got->{calls} } ],
        [ 'text/plain ', 'application/octet-stream a.exe' ],
        'each call'
    );
    ok($got->{rebuilt}, 'rebuilt');
};

subtest 'could not be run' => sub {
    for (
        [ [],                                 qr/^Usage: /m ],
        [ [ '-x', $MESSAGE ],                 qr/Unknown option: x\nUsage/ ],
        [ [ '-f', "$dir/none", $MESSAGE ],    qr/none: No such file/ ],
        [ [ '-f', '/dev/null', "$dir/none" ], qr/none: No such file/ ],
        [
            [ '-f', filter('sub {'), $MESSAGE ],
            qr/syntax error.*cannot be loaded/s
        ],
        [ [ '-f', '/dev/null', '--timeout', 0, $MESSAGE ], qr/Usage/ ],
        [
            [ '-f', '/dev/null', '--expect', "$dir/none", $MESSAGE ],
            qr/none: No such file/
        ],
        [
            [ '-f', '/dev/null', '-o', "$dir/none/x", $MESSAGE ],
            qr{none/x: No such file}
        ],
        )
    {
        my ($arguments, $want) = @{$_};
        my ($status, $out, $err) = run(@{$arguments});
        is($status, 4, "@{$arguments}: 4");
        like($err, qr/^mimedefang-test-mail: /m, "@{$arguments}: who");
        like($err, $want,                        "@{$arguments}: why");
    }
    my ($status, $out) = run('--help');
    is($status, 0, 'help');
    like($out, qr/^  --expect FILE/m, 'help');
};

my @LINES = (
    [ verdict => 'accepted' ],
    [ reply   => '' ],
    [ result  => 'H X-A 1' ],
    [ result  => 'M multipart/mixed; boundary="--=_1-2"' ],
    [ sent    => 'to a from b: c' ],
    [ output  => 'Subject: x' ],
);

subtest 'expectations' => sub {
    for (
        [ 'verdict: accepted',                        '' ],
        [ "# a comment\n\nreply:",                    '' ],
        [ 'result~ ^H X-\w 1$',                       '' ],
        [ '!result~ ^B',                              '' ],
        [ "output: Subject: x",                       '' ],
        [ "result: H X-A 1\nresult~ ^M\nonly result", '' ],
        [ 'only action, warning',                     '' ],
        [
            'verdict: rejected',
            "line 1:\n  - verdict: rejected\n  + verdict: accepted\n"
        ],
        [ 'log~ x', "line 1:\n  - log~ x\n  + (no log)\n" ],
        [
            "\n!result~ X-A",
            "line 2:\n  - !result~ X-A\n  + result: H X-A 1\n"
        ],
        [
            "result~ ^M\nonly result,sent",
            "line 2:\n  - only result,sent\n  + result: H X-A 1\n"
                . "line 2:\n  - only result,sent\n  + sent: to a from b: c\n"
        ],
        )
    {
        my ($text, $want) = @{$_};
        is(join('', unmet(read_expectations($text, 'file'), @LINES)),
            $want, $text =~ s/\n/, /gr);
    }
    for (
        [ 'verdict accepted', qr/^file:1: neither KEY: TEXT nor/ ],
        [ "\nfoo: bar",       qr/^file:2: 'foo' is none of verdict/ ],
        [ 'only foo',         qr/^file:1: 'foo' is none of/ ],
        [ 'log~ (',           qr/^file:1: Unmatched \(/ ],
        [ "# nothing\n",      qr/^file: nothing is expected/ ],
        )
    {
        my ($text, $want) = @{$_};
        ok(!eval { read_expectations($text, 'file') }, "'$text' is refused");
        like($@, $want, 'with the place');
    }
    my $recorded = record_expectations(@LINES);
    like(
        $recorded,
        qr/^result~ \^M.*boundary\\=".\*"\$$/m,
        'a boundary becomes a pattern'
    );
    is_deeply([ unmet(read_expectations($recorded, 'file'), @LINES) ],
        [], 'what is recorded is met');
};

subtest 'regression tests of an administrator' => sub {
    my ($status, $out) = with($BUSY, '--record', "$dir/expect");
    is($status, 0, 'recorded');
    ($status, $out) = with($BUSY, '--expect', "$dir/expect");
    is($status, 0,  'met');
    is($out,    '', 'and quiet');
    ($status, $out) = with($BUSY =~ s/'bar'/'baz'/r, '--expect', "$dir/expect");
    is($status, 3, 'not met');
    like($out, qr/^\Q$dir\E\/expect: 2 of \d+ expectations not met\n/, 'told');
    like(
        $out,
        qr/^  - result: H X-Foo bar\n  \+ result: H X-Foo baz\n/m,
        'wanted and got'
    );
    put("$dir/expect", "verdict: rejected\n");
    ($status, $out) = with('sub filter_begin { action_bounce("x") }',
        '--expect', "$dir/expect");
    is($status, 0, 'a refusal can be expected');
};

subtest 'changes of the header' => sub {
    for (
        [ [ 'H', 'X', 'v' ],     "A: 1\nB: 2\nA: 3\nX: v\n" ],
        [ [ 'N', 'X', 1, 'v' ],  "A: 1\nX: v\nB: 2\nA: 3\n" ],
        [ [ 'N', 'X', 99, 'v' ], "A: 1\nB: 2\nA: 3\nX: v\n" ],
        [ [ 'I', 'a', 2, 'v' ],  "A: 1\nB: 2\nA: v\n" ],
        [ [ 'I', 'C', 1, 'v' ],  "A: 1\nB: 2\nA: 3\nC: v\n" ],
        [ [ 'J', 'A', 1 ],       "B: 2\nA: 3\n" ],
        [ [ 'J', 'A', 9 ],       "A: 1\nB: 2\nA: 3\n" ],
        [
            [ 'M', 't/s' ],
            "A: 1\nB: 2\nA: 3\nMIME-Version: 1.0\nContent-Type: t/s\n"
        ],
        )
    {
        my ($result, $want) = @{$_};
        my $message = read_message("A: 1\nB: 2\nA: 3\n\nbody\n");
        my %session = (verdict => 'accepted', results => [$result]);
        is(resulting_message(\%session, $message), "$want\nbody\n", "@$result");
        is(
            resulting_message({ %session, verdict => 'rejected' }, $message),
            "A: 1\nB: 2\nA: 3\n\nbody\n",
            'not if refused'
        );
    }
};

done_testing;
