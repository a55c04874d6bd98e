#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# `milter-check send` and `load` with filters that behave, our daemon among them,
# and with some that do not; `dump` as the filter of both.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Daemon  ();
use Harness qw(top program need_programs temp_dir start_process stop_process
    wait_exit wait_for read_file write_file run_program);
use IO::Socket::UNIX;
use JSON::PP;
use Test::More;

need_programs(
    qw(milter-check mimedefang ../examples/null-filter
        ../examples/dkim-like-filter)
);
my $check = program('milter-check');
my $dir   = temp_dir();
my $eml   = "$dir/message.eml";
write_file($eml, "From: a\@example.net\nSubject: hello\n\nHello\nworld\n");

sub example ($name) {
    my $socket  = "$dir/$name.sock";
    my $process = start_process(
        cmd    => [ program("../examples/$name"), $socket ],
        stderr => "$dir/$name.log"
    );
    wait_for($name, sub { IO::Socket::UNIX->new(Peer => $socket) });
    return ($socket, $process);
}

# A filter that says this, packet by packet, to each connection, then closes.
my $broken = 0;

sub broken_filter (@says) {
    my $socket   = "$dir/broken" . ++$broken;
    my $listener = IO::Socket::UNIX->new(Local => $socket, Listen => 5)
        or die "$socket: $!\n";
    my $process = start_process(
        code => sub {
            local $SIG{PIPE} = 'IGNORE';
            while (my $client = $listener->accept) {
                for my $octets (@says) {
                    sysread $client, my $heard, 65536 or last;
                    syswrite $client, $octets;
                }
                close $client;
            }
        }
    );
    close $listener;
    return ($socket, $process);
}

sub milter_check (@args) { return run_program(60, $check, @args) }

my $agreed = pack 'NaNNN', 13, 'O', 6, 1, 0;    # may add header fields
my $go_on  = pack 'Na',    1,  'c';
my ($null) = example('null-filter');
my ($dkim) = example('dkim-like-filter');

# ---- send -------------------------------------------------------------------------

subtest 'send: dialogue, verdict and difference' => sub {
    my ($status, $out, $err) = milter_check('send', $null, $eml);
    is $status, 0,  'exit status';
    is $err,    '', 'no complaint';
    like $out, qr/^> MAIL <sender\@example\.net>\n< CONTINUE\n/m,
        'command and reply';
    like $out, qr/^< ADDHEADER X-Null: 1\n< CONTINUE\n/m, 'a change';
    like $out, qr/^verdict: accepted, at EOM\n/m,         'verdict';
    is $out =~ s/.*(?=^--- )//msr, <<'END', 'difference';
--- message
+++ message, edited
@@ -1,5 +1,6 @@
 From: a@example.net
 Subject: hello
+X-Null: 1
 
 Hello
 world
END
    ($status, $out) = milter_check('send', '-x', $null, $eml);
    like $out, qr/^< ADDHEADER X-Null: 1\n  0000000a 68 582d4e756c6c003100\n/m,
        'octets';
};

subtest 'send: client and envelope as the options say' => sub {
    my ($status, $out) = milter_check(
        'send',    $null,
        $eml,      '--mta=sendmail',
        '--from',  'x@y.example SIZE=10',
        '--to',    'b@c.example',
        '--to',    'd@e.example',
        '--ip',    '2001:db8::1',
        '--helo',  'helo.example',
        '--macro', 'auth_authen=alice',
        '--macro=other=1'
    );
    is $status, 0, 'exit status';
    like $out, qr/^> CONNECT \[IPv6:2001:db8:0:0:0:0:0:1\] family 6 /m,
        'address as Sendmail spells it';
    like $out, qr/^> HELO helo\.example\n/m,                   'HELO';
    like $out, qr/^> MAIL <x\@y\.example> SIZE=10\n/m,         'sender';
    like $out, qr/^> RCPT <b\@c.*^> RCPT <d\@e\.example>\n/ms, 'recipients';
    like $out, qr/^> MACRO for M:.* \{auth_authen\}=alice/m,   'macro';
    like $out, qr/^> MACRO for C:.* \{other\}=1/m, 'macro that no list has';
};

subtest 'send: --diff, --message, --json' => sub {
    my ($status, $out, $err) = milter_check('send', '--diff', $null, $eml);
    like $out, qr/\A--- message\n.*^\+X-Null: 1\n/ms, 'difference only';
    like $err, qr/\Averdict: accepted, at EOM\n/,     'the verdict apart';
    write_file("$dir/patch", $out);
    my $copy = "$dir/copy.eml";
    write_file($copy, read_file($eml));
    ($status) = run_program(30, 'patch', '-s', $copy, "$dir/patch");
    is $status, 0, 'it is a patch';
    ($status, $out) = milter_check('send', '--message', $null, $eml);
    is $out, read_file($copy), 'the edited message is the patched one';
    is $out,
        "From: a\@example.net\nSubject: hello\nX-Null: 1\n\nHello\nworld\n",
        'edited message';

    ($status, $out) = milter_check('send', '--json', $null, $eml);
    my $r = decode_json($out);
    is_deeply [ @$r{qw(verdict stage mta actions)} ],
        [ 'accept', 'EOM', 'postfix-3', ['ADDHDRS'] ], 'result';
    is_deeply [
        map  { $_->{name} }
        grep { $_->{from} eq 'filter' } @{ $r->{dialogue} }[ -6 .. -1 ]
        ],
        [qw(ADDHEADER CONTINUE)], 'dialogue';
    like $r->{diff}, qr/^\+X-Null: 1\n/m, 'difference';
    ok $r->{changed}, 'changed';
};

subtest 'send: a filter that wants little' => sub {
    my ($status, $out) = milter_check('send', $dkim, $eml);
    is $status, 0, 'exit status';
    like $out, qr/^- HEADER is not said: the filter does not want it\n/m,
        'what is not said';
    like $out, qr/^\+X-Body-Digest: fnv1a=\w{16}; l=14; i=\w+\n/m, 'change';
};

subtest 'send: messages of all sorts' => sub {
    my $send = sub ($text, @options) {
        write_file("$dir/odd.eml", $text);
        return milter_check('send', @options, $null, "$dir/odd.eml");
    };
    my ($status, $out) = $send->("hello\n");
    like $out, qr/\A- line 1 of the message is no header field/, 'no header';
    like $out, qr/^\+X-Null: 1\n/m,                              '... sent';
    (undef, $out) = $send->('');
    like $out, qr/^> EOH\n.*^\+X-Null: 1\n/ms, 'nothing at all';
    (undef, $out)
        = $send->("From x Sun\nA: 1\r\n\r\nx\0\e[2J\r\n", '--message');
    is $out, "A: 1\nX-Null: 1\n\nx\0\e[2J\n", 'mbox, CRLF, control characters';
    ($status, undef, my $err) = $send->("A: 1\nB: \0\n\n");
    is $status, 2, 'NUL in the header';
    like $err, qr/odd\.eml, line 2: a header field with a NUL/, '... is named';
    ($status, undef, $err)
        = $send->('A: ' . 'x' x 70_000 . "\n\n", '--mta=generic-v6');
    is $status, 2, 'a field that fits into no packet';
    like $err, qr/header field 1 has 70003 octets/, '... is named';
    ($status, $out) = $send->("A: 1\n\n" . "x\n" x 1_000_000);
    like $out, qr/^> BODY \[65535 octets/m, 'a large body';
    is $status, 0, '... goes through';
};

subtest 'send: without a message' => sub {
    my ($status, $out) = milter_check('send', $null);
    is $status, 0, 'exit status';
    like $out, qr/^> HEADER Subject: .*^verdict: accepted, at EOM/ms,
        'one is made up';
};

subtest 'send: standard input' => sub {
    my ($status, $out)
        = run_program(60, 'sh', '-c', '"$1" send --message "$2" - < "$3"',
        'sh', $check, $null, $eml);
    like $out, qr/^X-Null: 1$/m, 'is read';
};

subtest 'send: bad input' => sub {
    my @cases = (
        [ 'no socket at all', 2, qr/^Usage:/m ],
        [ 'no such file',     2, qr{/none: No such file}, $null, "$dir/none" ],
        [ 'a directory',      2, qr/Is a directory/,      $null, $dir ],
        [
            'no such MTA', 2, qr/"x" is none of postfix/, '--mta=x', $null,
            $eml
        ],
        [ 'no macro', 2, qr/"x" is not NAME=VALUE/, '--macro=x', $null, $eml ],
        [ 'no such socket', 3, qr{/none: cannot connect}, "$dir/none", $eml ],
        [ 'something else', 3, qr/cannot connect/,        $eml,        $eml ],
        [ 'no such type',   3, qr/one cannot connect there/, 'tcp:1',  $eml ],
    );
    for (@cases) {
        my ($name, $want, $like, @args) = @$_;
        my ($status, $out, $err) = milter_check('send', @args);
        is $status, $want, "$name: exit status";
        like $err, $like, "$name: complaint";
        is $out, '', "$name: nothing else";
    }
};

subtest 'send: filters that break the protocol' => sub {
    my @cases = (
        [ 'closes at once',       qr/the filter closed/ ],
        [ 'closes in the middle', qr/the filter closed/,  $agreed, $go_on ],
        [ 'no length',          qr/an impossible length/, $agreed, "\0\0\0\0" ],
        [ 'unknown reply',      qr/CONNECT/, $agreed, pack 'Na', 1, 'Z' ],
        [ 'CONTINUE to OPTNEG', qr/OPTNEG/,  $go_on ],
        [
            'a change at HELO', qr/HELO/,
            $agreed,            $go_on,
            pack('Na*', 5, "hX\0y\0") . $go_on
        ],
        [ 'cut off', qr/cut off/, $agreed, "\0\0\0\5y55" ],
    );
    for (@cases) {
        my ($name, $like, @says) = @$_;
        my ($socket, $process) = broken_filter(@says);
        my ($status, $out)     = milter_check('send', $socket, $eml);
        is $status, 1, "$name: exit status";
        like $out, qr/^the filter broke the protocol: .*$like/m,
            "$name: what it did";
        ($status, $out)
            = milter_check('send', '--json', '--timeout=5', $socket, $eml);
        like decode_json($out)->{violation}, $like, "$name: JSON";
        stop_process($process);
    }
    my ($socket, $process) = broken_filter($agreed, '', '');
    my ($status, $out)     = milter_check('send', '--timeout=1', $socket, $eml);
    is $status, 1, 'no answer: exit status';
    like $out, qr/^the filter broke the protocol: no answer for 1 s/m,
        'no answer: said';
    stop_process($process);
};

# ---- load -------------------------------------------------------------------------

subtest 'load: counts and times' => sub {
    my ($status, $out, $err)
        = milter_check('load', $null, qw(-c 4 -n 40 -m 5 -b 1000));
    is $status, 0,  'exit status';
    is $err,    '', 'no complaint';
    like $out, qr/\A40 messages on \d+ connections in /,           'messages';
    like $out, qr/^verdicts: accept 40; 1\.0 changes a message$/m, 'verdicts';
    like $out, qr/^HEADER +320 /m, 'eight fields in each';
    like $out, qr/^errors: 0$/m,   'no error';
    ($status, $out)
        = milter_check('load', '--json', $null, qw(-c 2 -n 6 -m 3), $eml);
    my $r = decode_json($out);
    is $r->{messages},                 6,  'messages';
    is $r->{connections},              2,  'connections';
    is $r->{times_us}{HEADER}{count},  12, 'fields of the given message';
    is $r->{times_us}{message}{count}, 6,  'whole messages';
    is $r->{errors}{all},              0,  'no error';
    is $r->{verdicts}{accept},         6,  'verdicts';
    ok !$r->{times_us}{UNKNOWN}, 'nothing that was not said';
};

subtest 'load: as other MTAs, over a network, packet by packet' => sub {
    for my $options (['--mta=sendmail'],
        [ '--mta=postfix-3-cleanup', '--same-id' ],
        ['--apart'], ['--latency=2'])
    {
        my ($status, $out)
            = milter_check('load', '--json', $dkim, qw(-n 10), @$options);
        is $status,                               0,  "@$options: exit status";
        is decode_json($out)->{verdicts}{accept}, 10, "@$options: accepted";
    }
};

subtest 'load: until the time is over' => sub {
    my ($status, $out)
        = milter_check('load', '--json', $null,
        qw(--seconds 0.5 --warm-up 0.1));
    is $status, 0, 'exit status';
    cmp_ok decode_json($out)->{messages}, '>', 0, 'messages';
};

subtest 'load: idle sessions' => sub {
    my $log     = "$dir/idle.log";
    my $process = start_process(
        cmd    => [ $check, 'load', $null, '--idle', 20, '--pid', $$ ],
        stdout => $log,
        stderr => $log
    );
    wait_for(
        'idle sessions',
        sub {
            -e $log && read_file($log) =~ /^20 sessions are held after HELO/m;
        }
    );
    is stop_process($process), 0, 'ends with a signal';
    like read_file($log),
        qr/^20 sessions were held to the end, 0 were closed/m, 'held';
    my ($status, $out)
        = milter_check('load', '--json', $null,
        qw(--idle 5 -m 2 --seconds 0.1));
    is_deeply [ @{ decode_json($out) }{qw(idle lost messages)} ], [ 5, 0, 2 ],
        'after messages';
};

subtest 'load: verdicts before the end' => sub {
    my @cases = (
        [ 'CONNECT', 'r', 'reject',   $agreed ],
        [ 'MAIL',    't', 'tempfail', $agreed, ($go_on) x 2 ],
        [ 'RCPT',    'r', 'reject',   $agreed, ($go_on) x 3 ],
        [ 'RCPT',    'a', 'accept',   $agreed, ($go_on) x 3 ],
        [ 'HEADER',  'd', 'discard',  $agreed, ($go_on) x 5 ],
    );
    for (@cases) {
        my ($stage, $octet, $verdict, @says) = @$_;
        my ($socket, $process)
            = broken_filter(@says, pack('Na', 1, $octet), '');
        my ($status, $out)
            = milter_check('load', '--json', $socket, qw(-c 1 -n 3 -m 1));
        is $status, 0, "$verdict at $stage: exit status";
        is decode_json($out)->{verdicts}{$verdict}, 3,
            "$verdict at $stage: counted";
        stop_process($process);
    }
};

subtest 'load: errors by kind' => sub {
    my @cases = (
        [ 'closed', $agreed, $go_on ],
        [ 'reply',  $agreed, pack('Na', 1, 'Z') ],
        [ 'reply',  $agreed, "\0\0\0\0" ],
        [ 'reply',  $agreed, $go_on x 2 ],
        [ 'reply',  $agreed, $go_on, pack('Na*', 5, "hX\0y\0") ],
    );
    for (@cases) {
        my ($kind,   @says)    = @$_;
        my ($socket, $process) = broken_filter(@says);
        my ($status, $out)
            = milter_check('load', '--json', $socket, qw(-c 1 -n 5));
        is $status, 1, "$kind: exit status";
        my $errors = decode_json($out)->{errors};
        cmp_ok $errors->{$kind}, '>', 0, "$kind: counted";
        is $errors->{all}, $errors->{$kind}, "$kind: and nothing else";
        stop_process($process);
    }
    my ($status, undef, $err) = milter_check('load', "$dir/none");
    is $status, 3, 'not reachable: exit status';
    my ($socket, $process) = broken_filter('');
    ($status, undef, $err) = milter_check('load', '--timeout=1', $socket);
    is $status, 1, 'no answer to the negotiation: exit status';
    like $err, qr/no answer to the negotiation/, '... said';
    stop_process($process);

    for my $bad ([qw(--seconds x)], [qw(-c 0)], [qw(--pid 0)], [qw(-b -1)],
        [qw(a b)])
    {
        ($status) = milter_check('load', $null, @$bad);
        is $status, 2, "usage: @$bad";
    }
};

# ---- dump -------------------------------------------------------------------------

sub dump_filter ($socket, @options) {
    my $out     = "$dir/dump" . ++$broken;
    my $process = start_process(
        cmd    => [ $check, 'dump', $socket, @options ],
        stdout => $out,
        stderr => "$out.err"
    );
    wait_for('dump', sub { -s "$out.err" });
    return ($process, $out);
}

subtest 'dump: what an MTA says' => sub {
    my $socket = "$dir/dump.sock";
    my ($process, $out) = dump_filter($socket, qw(-n 2 -x));
    is((stat $socket)[2] & 0777, 0666, 'the MTA may connect');
    my ($status, undef, $err) = milter_check('send', '--diff', $socket, $eml);
    is $status, 0, 'it lets everything pass';
    like $err, qr/^verdict: accepted/, '... to the end';
    ($status) = milter_check('send', '--mta=generic-v2', $socket, $eml);
    is $status,             0, 'an old MTA, too';
    is wait_exit($process), 0, 'ends after so many connections';
    ok !-e $socket, 'removes its socket';
    my $text = read_file($out) =~ s/^(#\d) +[\d.]+ /$1 /gmr;
    like $text, qr/^#1 > OPTNEG version 6, .*\n +0000000d 4f 00000006/m,
        'negotiation, octets';
    like $text, qr/^#1 > MACRO for T: i=\w+\n/m,                'macros';
    like $text, qr/^#1 > MAIL <sender.*\n.*\n#1 < CONTINUE\n/m, 'answers';
    like $text, qr/^#1 > QUIT\n +00000001 51 \n#1 - closed$/m,  'the end';
    like $text, qr/^#2 > OPTNEG version 2, /m, 'the other connection';
};

subtest 'dump: JSON, macros, a signal' => sub {
    my $socket = "$dir/dump.sock";
    my ($process, $out)
        = dump_filter($socket, '--json', '--mode=0600', '--macros=j {x}');
    is((stat $socket)[2] & 0777, 0600, 'mode');
    milter_check('send', '--macro=x=1', $socket, $eml);
    is stop_process($process), 0, 'ends with a signal';
    ok !-e $socket, 'removes its socket';
    my @lines    = map  { decode_json($_) } split /\n/, read_file($out);
    my ($macros) = grep { ($_->{for} // '') eq 'M' } @lines;
    is_deeply $macros->{macros}, { j => 'mx.example.org', '{x}' => 1 },
        'macros that were asked for';
    my ($rcpt) = grep { ($_->{name} // '') eq 'RCPT' } @lines;
    is_deeply $rcpt->{strings}, ['<recipient@example.org>'], 'strings';
    is $lines[-1]{note}, 'closed', 'the end';
};

subtest 'dump: an MTA that breaks the protocol' => sub {
    my $socket = "$dir/dump.sock";
    my ($process, $out) = dump_filter($socket, '-n', 3);
    my $say = sub ($octets) {
        my $peer = IO::Socket::UNIX->new(Peer => $socket)
            or die "$socket: $!\n";
        syswrite $peer, $octets;
        shutdown $peer, 1;
        1 while sysread $peer, my $heard, 4096;
    };
    my $optneg = pack 'NaNNN', 13, 'O', 6, 0x1ff, 0x1fffff;
    $say->("$optneg\0\0\0\0");
    $say->("$optneg\0\0\0\7Cabc");
    $say->($optneg . pack 'Na*', 5, "H\e[2J");
    is wait_exit($process), 0, 'it goes on';
    my $text = read_file($out) =~ s/^(#\d) +[\d.]+ /$1 /gmr;
    like $text, qr/^#1 - what follows is no packet: a length that none/m,
        'no length';
    like $text, qr/^#2 - a packet was cut off$/m, 'cut off';
    like $text, qr/^#3 > HELO .*\\x1B\[2J/m,      'nothing unescaped';
    like $text, qr/^#3 - (?!closed)\w/m,          'why it closed';
};

subtest 'dump: bad input' => sub {
    my @cases = (
        [ 'no socket',         2, qr/^Usage:/m ],
        [ 'no such type',      3, qr/unknown socket type/, 'tcp:1' ],
        [ 'no such directory', 3, qr/cannot bind/,         "$dir/none/x" ],
        [ 'in use',            3, qr/another process answers there/, $null ],
        [ 'no mode',           2, qr/octal digits/, '--mode=9', "$dir/x" ],
    );
    for (@cases) {
        my ($name, $want, $like, @args) = @$_;
        my ($status, $out, $err) = milter_check('dump', @args);
        is $status, $want, "$name: exit status";
        like $err, $like, "$name: complaint";
    }
};

# ---- the manual page ------------------------------------------------------------------

# Those for a filter on port 10025, as they stand there, but for the socket, the
# pid and the time.
subtest 'examples of the manual page' => sub {
    my $page     = read_file(top() . '/docs/man/milter-check.1.in');
    my @examples = $page =~ /^\.Dl (milter-check (?:send|load) .*)/gm;
    push @examples,
        map {s/\\e\n//gr}
        $page =~ /^\.Bd.*\n(milter-check (?:send|load) (?:.*\\e\n)*.*\n)/gm;
    cmp_ok scalar @examples, '>', 6, 'there are some';
    for my $example (@examples) {
        my $line = $example =~ s/\\\(aq/'/gr;
        $line =~ s/inet:10025\@127\.0\.0\.1/"\$NULL"/;
        $line =~ s/--pid 4711/--pid $$ --seconds 0.1/;
        $line =~ s/--seconds 10 --warm-up 1/--seconds 0.3 --warm-up 0.1/;
        $line =~ s/-n 5000/-n 50/;
        my ($status, $out, $err) = run_program(60, 'sh', '-c',
                  "cd '$dir' && PATH='"
                . ($check =~ s{/[^/]*\z}{}r)
                . q{':$PATH }
                . "NULL='$null' && $line");
        is $status, 0, $example =~ s/\n//gr or diag $err;
    }
    like read_file("$dir/edited.eml"), qr/^X-Null: 1$/m, 'edited message';
};

# ---- our daemon -----------------------------------------------------------------------

subtest 'mimedefang' => sub {
    my $daemon = Daemon->start(filter => <<'END');
sub filter_recipient {
    my ($to) = @_;
    return $to =~ /nobody/ ? ('REJECT', 'No such user') : ('CONTINUE', 'ok');
}
sub filter_end {
    action_change_header('Subject', 'changed');
    action_add_header('X-Filter', 'seen');
    add_recipient('<archive@example.org>');
    delete_recipient('<b@example.org>');
    change_sender('<new@example.net>');
}
END
    my ($status, $out)
        = milter_check('send', $daemon->{address}, $eml,
        map { ('--to', "$_\@example.org") } qw(b c nobody));
    is $status, 0, 'exit status';
    like $out,
        qr/^recipient <nobody\@example\.org>: rejected, .*No such user/m,
        'a refused recipient';
    like $out, qr/^recipient removed: <b\@example\.org>\n/m,     'removed';
    like $out, qr/^recipient added: <archive\@example\.org>\n/m, 'added';
    like $out,
        qr/^sender: <sender\@example\.net> -> <new\@example\.net>\n/m,
        'sender';
    like $out, qr/^-Subject: hello\n\+Subject: changed\n/m, 'header';
    ($status, $out)
        = milter_check('send', $daemon->{address}, $eml, '--to=nobody@x');
    like $out, qr/^verdict: rejected, at RCPT\n.*No such user/ms,
        'all recipients refused';
    ($status, $out)
        = milter_check('load', '--json', $daemon->{address},
        qw(-c 2 -n 10 -m 5));
    is $status,                               0,  'load: exit status';
    is decode_json($out)->{verdicts}{accept}, 10, 'load: accepted';
    $daemon->stop;
};

done_testing;
