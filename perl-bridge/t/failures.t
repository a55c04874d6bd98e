# SPDX-License-Identifier: MIT
# Whatever goes wrong in a filter or a directory: one answer, one log line that
# names the place, nothing left in RESULTS, and the worker goes on.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(get put start start_scripted work_dir);
use Test::More;

my $TEMPFAIL
    = 'ok -1 Filter%20failed,%20please%20try%20again%20later 451 4.3.0 0';

# Where in the filter: the line of start_scripted's that calls the code.
my $PLACE     = qr{ \(/\S+/filter line 18\)};
my $MULTIPART = <<'END';
Subject: x
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b

one
--b--
END

subtest 'a die in each callback of a scan' => sub {
    my $w      = start_scripted();
    my $nested = $MULTIPART
        =~ s/--b\n\none\n/--b\nContent-Type: message\/rfc822\n\nSubject: y\n\nz\n/r;
    for my $callback (
        qw(filter_begin filter filter_multipart filter_end
        filter_wrapup filter_create_parser)
        )
    {
        my ($answer, $dir) = $w->scan(
            $nested,
            filter_begin => 'action_add_header("X-A", "1")',
            $callback    => 'action_add_header("X-B", "1"); die "no\ngood"',
        );
        my $why
            = qr/\Q$callback\E died: no good at \(eval \d+\)(?:\[\S+\])? line 1\.$PLACE/;
        like($answer, qr/^error: $why$/, "$callback: the answer");
        is($w->stderr,          '',     'who asked logs it');
        is(get("$dir/RESULTS"), undef,  'no RESULTS');
        is($w->ask('ping'),     'PONG', 'alive');
    }
    is_deeply(
        $w->results("Subject: x\n\ny\n"),
        [ 'ok', 'F' ],
        'the next message is scanned'
    );
};

subtest 'a die in the other callbacks' => sub {
    my $w   = start_scripted();
    my $dir = work_dir($w->{spool}, "Subject: x\n\ny\n");
    put("$dir/RESULTS", "HX-Old 1\n");
    for (
        [ filter_relay  => 'relayok 192.0.2.1 h 1 1 25 QID1',     $TEMPFAIL ],
        [ filter_helo   => 'helook 192.0.2.1 h helo 1 1 25 QID1', $TEMPFAIL ],
        [ filter_sender => "senderok <a> 1 h helo $dir QID1",     $TEMPFAIL ],
        [
            filter_recipient => "recipok <b> <a> 1 h <b> helo $dir QID1 ? ? ?",
            $TEMPFAIL
        ],
        [ filter_map  => 'map m k', 'TEMP Filter%20failed' ],
        [ filter_tick => 'tick 1',  qr/^error: filter_tick died: no/ ],
        [
            filter_unknown_cmd => 'Frob',
            qr/^error: filter_unknown_cmd died: no/
        ],
        )
    {
        my ($callback, $command, $want) = @{$_};
        my $place = -d $dir && $command =~ m{/} ? $dir : $w->{spool};
        put("$place/code.$callback",
            'action_add_header("X-New", "1"); die "no\n"');
        my $answer = $w->ask($command);
        ref $want
            ? like($answer, $want, "$callback: the answer")
            : is($answer, $want, "$callback: the answer");
        my $log = $w->stderr;
        is((my @all = $log =~ /^(err: .*)$/mg), 1, 'one error logged');
        like(
            $log,
            qr/^err: (?:QID1: )?$callback died: no$PLACE$/m,
            'names the callback and the line'
        );
        is($w->ask('ping'), 'PONG', 'alive');
    }
    is(get("$dir/RESULTS"), "HX-Old 1\n", 'RESULTS is as it was');
};

subtest 'filter_initialize dies' => sub {
    my $w
        = start(
        'my $n = 0; sub filter_initialize { die "no database\n" if ++$n < 3 }'
            . 'sub filter_relay { 1 }');
    is($w->ask('ping'),        'PONG',    'ping is answered');
    is($w->ask('relayok 1 h'), $TEMPFAIL, 'a request is not');
    is(
        $w->stderr,
        "err: filter_initialize died: no database ($w->{spool}/filter line 1)\n"
            x 2,
        'logged at the start and for the request'
    );
    is($w->ask('relayok 1 h'), 'ok 1 ? 250 2.1.0 0', 'until it succeeds');
};

subtest 'odd exceptions' => sub {
    my $w = start_scripted();
    for (
        [ 'die { code => 5 }', qr/^filter_end died: HASH\(0x\w+\)$PLACE$/ ],
        [
            'die bless [], "Odd"',
            qr/^filter_end died: Odd=ARRAY\(0x\w+\)$PLACE$/
        ],
        [ 'die ""',                    qr/^filter_end died: Died at / ],
        [ 'local $@ = "x"; die "y\n"', qr/^filter_end died: y$PLACE$/ ],
        [ 'die "\x{20ac}\n"', qr/^filter_end died: \xe2\x82\xac$PLACE$/ ],
        [ 'die "x" x 5000',   qr/^filter_end died: x{900}\.\.\.$PLACE$/ ],
        [ 'die Shy->new',     qr/^filter_end died: error that/ ],
        [
            'local $SIG{ALRM} = sub { die "late\n" }; kill ALRM => $$; 1',
            qr/^filter_end died: late$PLACE$/
        ],
        [
            'undefined_function(1)',
            qr/^filter_end died: Undefined subroutine &main::/
        ],
        [ 'fatal("enough")', qr/^enough$/ ],
        [
            'chdir "/"; rmdir $CWD; rename $CWD, "$CWD.gone"',
            qr/^Cannot chdir to /
        ],
        )
    {
        my ($code, $want) = @{$_};
        my $shy = '{ package Shy; use overload q{""} => sub { die "shy" };'
            . ' sub new { bless {} } } ';
        my ($answer)
            = $w->scan("Subject: x\n\ny\n", filter_end => $shy . $code);
        like($answer =~ s/^error: //r, $want, $code);
    }
    is($w->ask('ping'), 'PONG', 'alive');
};

subtest 'the line of the filter' => sub {
    my $file = sub ($w) {"$w->{spool}/filter"};
    for (
        [ "\n\ndie 'here'",                       'here at FILE line 3.' ],
        [ "\n\ndie qq{x\\n}",                     'x (FILE line 3)' ],
        [ "\neval { die 'no' };\n\ndie qq{x\\n}", 'x (FILE line 4)' ],
        [ "\n\ndeep()",                           'y (FILE line 7)' ],
        [ "\nmodule()", 'Cannot load nothing at ELSE (FILE line 8)' ],
        [
            "\n\$SIG{__DIE__} = sub { die qq{z \$_[0]} };\ndie qq{x\\n}",
            'z x (FILE from line 2)'
        ],
        )
    {
        my ($code, $want) = @{$_};
        my $w
            = start("sub filter_relay { $code }\n\n\nsub deep {\n"
                . "die qq{y\\n} }\nsub module {\n local \@ARGV;"
                . ' Carp::croak("Cannot load nothing") }');
        is($w->ask('relayok 1 h'), $TEMPFAIL, 'answered');
        my $path = $file->($w);
        $want =~ s/FILE/$path/;
        my $log = $w->stderr;
        $log =~ s/ at \S+ line \d+\.(?= \()/ at ELSE/;
        like($log, qr/^err: filter_relay died: \Q$want\E$/m, $code);
    }
    my $w
        = start('$SIG{__DIE__} = sub { die qq{z $_[0]} };'
            . qq{\nsub filter_relay {\n die "x\\n" }});
    $w->ask('relayok 1 h');
    my $path = $file->($w);
    is(
        $w->stderr,
        "err: filter_relay died: z x ($path line 3)\n",
        'a handler of the filter sees it, too'
    );
};

subtest 'exit in a scan' => sub {
    my $w = start_scripted();
    my ($answer, $dir) = $w->scan("Subject: x\n\ny\n",
        filter_end => 'action_add_header("X-A", "1"); exit 3');
    is($answer,             'error: filter_end called exit', 'answered');
    is(get("$dir/RESULTS"), undef,                           'no RESULTS');
    is($w->stderr,          '', 'who asked logs it');
    is_deeply([ $w->stop ], [3], 'its status');
};

subtest 'broken directories' => sub {
    my $w       = start_scripted();
    my $message = "Subject: x\n\ny\n";
    for (
        [ undef,        'COMMANDS', qr/^Cannot open COMMANDS: No such file/ ],
        [ '',           'COMMANDS', qr/^COMMANDS file did not end with F$/ ],
        [ "S<a>\nI1\n", 'COMMANDS', qr/^COMMANDS file did not end with F$/ ],
        [ undef,        'INPUTMSG', qr/^Cannot open INPUTMSG: No such file/ ],
        )
    {
        my ($content, $name, $want) = @{$_};
        my $dir = work_dir($w->{spool}, $message);
        unlink "$dir/$name";
        put("$dir/$name", $content) if defined $content;
        like($w->ask("scan Q $dir") =~ s/^error: //r, $want, $want);
        is($w->ask('ping'),     'PONG', 'one answer only');
        is(get("$dir/RESULTS"), undef,  'no RESULTS');
    }
    like(
        $w->ask('scan Q /nowhere'),
        qr{^error: Cannot chdir to /nowhere: },
        'no directory'
    );
    is($w->ask('scan Q'), 'error: scan: no directory given', 'none named');
    for my $command ('senderok <a> 1 h helo /nowhere Q',
        'recipok <b> <a> 1 h <b> helo /nowhere Q ? ? ?')
    {
        $w->stderr;
        is($w->ask($command), $TEMPFAIL, $command);
        is($w->stderr,
            "err: Q: Cannot chdir to '/nowhere': No such file or directory\n",
            'logged');
        is($w->ask('ping'), 'PONG', 'one answer only');
    }
};

subtest 'after another worker was killed' => sub {
    my $w   = start_scripted();
    my $dir = work_dir($w->{spool}, "Subject: x\n\ny\n");
    mkdir "$dir/$_" for qw(Work tmp);
    put("$dir/Work/msg-1-1.txt", 'old');
    put("$dir/NOTIFICATION",     'old');
    put("$dir/RESULTS",          "HX-S 1\n");
    is($w->ask("scan Q $dir"), 'ok',          'scanned');
    is(get("$dir/RESULTS"),    "HX-S 1\nF\n", 'RESULTS');
    ok(!-e "$dir/$_", "$_ is gone") for qw(Work/msg-1-1.txt NOTIFICATION);

    is(
        $w->ask("scan Q $dir"),
        'error: This message has been scanned already',
        'but not twice'
    );
    is(get("$dir/RESULTS"), "HX-S 1\nF\n", 'RESULTS stays');
};

subtest 'a full disk' => sub {
    plan skip_all => 'no /dev/full' if !-e '/dev/full';
    my $w = start_scripted();
    for my $name (qw(RESULTS NEWBODY)) {
        my $dir = work_dir($w->{spool}, "Subject: x\n\ny\n");
        put("$dir/code.filter_end", 'action_rebuild()');
        symlink '/dev/full', "$dir/$name";
        like($w->ask("scan Q $dir"),
            qr/^error: Cannot write $name: No space left on device$/, $name);
    }
    my $dir = work_dir($w->{spool}, '');
    put("$dir/code.filter_recipient", 'add_recipient("<x>"); return 1');
    symlink '/dev/full', "$dir/RESULTS";
    is($w->ask("recipok <b> <a> 1 h <b> helo $dir Q ? ? ?"),
        $TEMPFAIL, 'at RCPT');
};

done_testing;
