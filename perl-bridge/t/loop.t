# SPDX-License-Identifier: MIT
# The server loop through real pipes: every command, every answer.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(get put spool start start_scripted work_dir);
use Test::More;

my $CONTINUE = 'ok 1 ok 250 2.1.0 0';

subtest 'a filter without callbacks' => sub {
    my $w = start('');
    for (
        [ 'ping',                                          'PONG' ],
        [ 'PiNg',                                          'PONG' ],
        [ '  ping  ',                                      'PONG' ],
        [ 'relayok 192.0.2.1 h 1 192.0.2.2 25 Q',          $CONTINUE ],
        [ 'helook 192.0.2.1 h helo 1 192.0.2.2 25 Q',      $CONTINUE ],
        [ 'senderok <a> 192.0.2.1 h helo /nowhere Q',      $CONTINUE ],
        [ 'recipok <b> <a> 1 h <b> helo /nowhere Q ? ? ?', $CONTINUE ],
        [ 'map m k',    'PERM No filter_map function defined' ],
        [ 'tick 3',     'error: tick 3: filter_tick undefined' ],
        [ 'tick',       'error: tick 0: filter_tick undefined' ],
        [ 'frobnicate', 'error: Unknown command' ],
        [ '',           'error: Unknown command' ],
        [ '%zz%',       'error: Unknown command' ],
        [ 'a::b',       'error: Unknown command' ],
        )
    {
        my ($line, $want) = @{$_};
        is($w->ask($line), $want, "'$line'");
    }
    is($w->stderr, '', 'nothing logged');
    is_deeply([ $w->stop ], [0], 'exit status 0 at the end of input');
};

subtest 'verdicts' => sub {
    my $w    = start_scripted();
    my $code = "$w->{spool}/code.filter_relay";
    for (
        [ q{'CONTINUE', 'fine'},                 'ok 1 fine 250 2.1.0 0' ],
        [ q{'CONTINUE'},                         'ok 1 ? 250 2.1.0 0' ],
        [ q{1, 'fine'},                          'ok 1 fine 250 2.1.0 0' ],
        [ q{17, ''},                             'ok 1 ? 250 2.1.0 0' ],
        [ q{'CONTINUE', 'a b', 251, '2.7.9', 5}, 'ok 1 a%20b 251 2.7.9 5' ],
        [ q{'CONTINUE', 'x', 451, '4.7.9', -5},  'ok 1 x 250 2.1.0 0' ],
        [
            q{'ACCEPT_AND_NO_MORE_FILTERING', 'x', 299, '2.99.999'},
            'ok 2 x 299 2.99.999 0'
        ],
        [ q{'DISCARD', 'x'},                'ok 3 x 250 2.1.0 0' ],
        [ q{'TEMPFAIL', 'x'},               'ok -1 x 451 4.3.0 0' ],
        [ q{-1, 'x', 450, '4.7.1', 10},     'ok -1 x 450 4.7.1 10' ],
        [ q{'TEMPFAIL', 'x', 550, '5.7.1'}, 'ok -1 x 451 4.3.0 0' ],
        [
            q{'REJECT', q(50% "off" 'now'\\\\)},
            'ok 0 50%25%20%22off%22%20%27now%27%5C 554 5.7.1 0'
        ],
        [ q{0, 'x', 571, '5.1.8', '7'},        'ok 0 x 571 5.1.8 7' ],
        [ q{'REJECT', 'x', 5711, '5.1', '7s'}, 'ok 0 x 554 5.7.1 0' ],
        [ q{'REJECT', "a\nb"},                 'ok 0 a%0Ab 554 5.7.1 0' ],
        [ q{'REJECT', "\x{20ac}"},             'ok 0 %E2%82%AC 554 5.7.1 0' ],
        [ q{'REJECT', 'x', "554\n"},           'ok 0 x 554 5.7.1 0' ],
        [ q{'Continue', 'x'},                  'ok 0 x 554 5.7.1 0' ],
        [ q{'1x', 'x'},                        'ok 0 x 554 5.7.1 0' ],
        [ q{''},                               'ok 0 ? 554 5.7.1 0' ],
        [ q{undef},                            'ok 0 ? 554 5.7.1 0' ],
        [ q{},                                 'ok 0 ? 554 5.7.1 0' ],
        )
    {
        my ($list, $want) = @{$_};
        put($code, "return ($list);");
        is($w->ask('relayok 192.0.2.1 h 1 192.0.2.2 25 Q'), $want, "($list)");
    }
    $w->stderr;
    put($code, 'return;');
    $w->ask('relayok 192.0.2.1 h 1 192.0.2.2 25 Q7');
    is(
        $w->stderr,
        "warning: Q7: filter_relay returned '', which is no verdict:"
            . " treated as REJECT\n"
            . "debug: Q7: filter_relay answered REJECT for host 192.0.2.1\n",
        'an empty list is logged'
    );
    put($code, q{return ('REJECT', 'x' x 5000)});
    my $answer = $w->ask('relayok 192.0.2.1 h 1 192.0.2.2 25 Q');
    is($answer, 'ok 0 ' . 'x' x 3900 . ' 554 5.7.1 0', 'a long text is cut');
};

subtest 'what the callbacks get and see' => sub {
    my $w   = start_scripted();
    my $dir = work_dir($w->{spool}, '');
    my $see
        = 'return (1, join "|", @_, map { "<$_>" }'
        . ' $RelayAddr, $RelayHostname, $Helo, $Sender, $QueueID, $MsgID,'
        . ' "@ESMTPArgs", "@Recipients", $CWD)';
    put("$w->{spool}/code.$_", $see) for qw(filter_relay filter_helo);
    put("$dir/code.$_",        $see) for qw(filter_sender filter_recipient);
    my $text = sub ($answer) {
        my ($t) = $answer =~ /^ok 1 (\S+) 250 2\.1\.0 0$/ or return $answer;
        return $t =~ s/%(..)/chr hex $1/ger;
    };
    my $spool = $w->{spool};

    is(
        $text->($w->ask('relayok 192.0.2.1 host%20a 4321 192.0.2.2 25 Q1')),
        'h' =~ s/h/192.0.2.1|host a|4321|192.0.2.2|25|Q1/r
            . "|<192.0.2.1>|<host a>|<>|<>|<Q1>|<Q1>|<>|<>|<$spool>",
        'relay'
    );
    is(
        $text->($w->ask('relayok 192.0.2.1 h')),
        '192.0.2.1|h||||NOQUEUE'
            . "|<192.0.2.1>|<h>|<>|<>|<NOQUEUE>|<NOQUEUE>|<>|<>|<$spool>",
        'relay from a multiplexor that sends less'
    );
    is(
        $text->($w->ask('helook 192.0.2.1 h he%2flo 4321 192.0.2.2 25 Q2')),
        '192.0.2.1|h|he/lo|4321|192.0.2.2|25|Q2'
            . "|<192.0.2.1>|<h>|<he/lo>|<>|<Q2>|<Q2>|<>|<>|<$spool>",
        'helo'
    );
    is(
        $text->(
            $w->ask("senderok <a\@b> 192.0.2.1 h helo $dir Q3 SIZE=1 X=%20")
        ),
        '<a@b>|192.0.2.1|h|helo'
            . "|<192.0.2.1>|<h>|<helo>|<<a\@b>>|<Q3>|<Q3>|<SIZE=1 X= >|<>|<$dir>",
        'sender'
    );
    is(
        $text->(
            $w->ask(
                      "recipok <c\@d> <a\@b> 192.0.2.1 h <c\@d> helo $dir Q4"
                    . ' esmtp mx addr NOTIFY=NEVER'
            )
        ),
        '<c@d>|<a@b>|192.0.2.1|h|<c@d>|helo|esmtp|mx|addr'
            . '|<192.0.2.1>|<h>|<helo>|<<a@b>>|<Q4>|<Q4>|<NOTIFY=NEVER>'
            . "|<<c\@d>>|<$dir>",
        'recipient'
    );

    put("$dir/code.filter_recipient",
              'read_commands_file() or die; return (1, join "|", @Recipients,'
            . ' $SendmailMacros{_}, "@SenderESMTPArgs", $Helo,'
            . ' "@{$RecipientMailers{q{<c@d>}}}", -e "COMMANDS")');
    is(
        $text->(
            $w->ask(
                      "recipok <c\@d> <a\@b> 192.0.2.1 h <c\@d> helo $dir Q4"
                    . ' esmtp mx addr'
            )
        ),
        '<to@example.net>|<c@d>|host [192.0.2.1]|SIZE=100|helo.example.com'
            . '|esmtp mx addr|1',
        'COMMANDS read by the filter; the current recipient is last'
    );
};

subtest 'words that are missing' => sub {
    my $w = start(
        join ' ',
        map {"sub $_ { return 'CONTINUE', scalar grep { defined } \@_ }"}
            qw(filter_relay filter_helo filter_sender filter_recipient)
    );
    my $dir = work_dir($w->{spool}, "Subject: x\n\ny\n");
    for (
        [ 'relayok',                           'ok 1 1 250 2.1.0 0' ],
        [ 'relayok 192.0.2.1',                 'ok 1 2 250 2.1.0 0' ],
        [ 'helook',                            'ok 1 1 250 2.1.0 0' ],
        [ "senderok <a> 1 h helo $dir",        'ok 1 4 250 2.1.0 0' ],
        [ "recipok <b> <a> 1 h <b> helo $dir", 'ok 1 6 250 2.1.0 0' ],
        [ 'map',  'PERM No filter_map function defined' ],
        [ 'tick', 'error: tick 0: filter_tick undefined' ],
        [ 'scan', 'error: scan: no directory given' ],
        )
    {
        my ($line, $want) = @{$_};
        is($w->ask($line), $want, "'$line'");
    }
    is($w->stderr, '', 'nothing said');
    my $tempfail = qr/^ok -1 Filter%20failed/;
    like($w->ask($_), $tempfail, "'$_': no directory") for qw(senderok recipok);
    is(
        $w->stderr,
        "err: Cannot chdir to '': No such file or directory\n" x 2,
        'is logged once each'
    );
};

subtest 'RESULTS before the scan' => sub {
    my $w   = start_scripted();
    my $dir = work_dir($w->{spool}, "Subject: x\n\ny\n");
    put("$dir/code.filter_sender",
        'action_add_header("X-S", "1"); return "CONTINUE"');
    put("$dir/code.filter_recipient",
        'add_recipient(q{<z@z>}); return "CONTINUE"');
    put("$dir/code.filter_end", 'action_add_header("X-E", "2")');
    $w->ask("senderok <a\@b> 192.0.2.1 h helo $dir Q");
    $w->ask("recipok <b> <a> 1 h <b> helo $dir Q ? ? ?");
    is(get("$dir/RESULTS"),    "HX-S 1\nR<z\@z>\n",            'MAIL and RCPT');
    is($w->ask("scan Q $dir"), 'ok',                           'scan');
    is(get("$dir/RESULTS"),    "HX-S 1\nR<z\@z>\nHX-E 2\nF\n", 'all in order');

    put("$w->{spool}/code.filter_relay",
        'action_add_header("X-R", "1"); return "CONTINUE"');
    $w->stderr;
    is($w->ask('relayok 192.0.2.1 h 1 1 25 Q'), 'ok 1 ? 250 2.1.0 0', 'relay');
    is($w->stderr,
        "warning: Q: RESULTS line 'H' refused: there is no message yet\n",
        'refused');
    is(get("$w->{spool}/RESULTS"), undef, 'and not written');
};

subtest 'map, tick, other commands' => sub {
    my $w    = start_scripted();
    my $code = sub ($name, $text) { put("$w->{spool}/code.$name", $text) };
    $code->('filter_map', 'return ($_[1], "value $_[0]")');
    is($w->ask("map m $_"), "$_ value%20m", "map: $_")
        for qw(OK NOTFOUND TEMP TIMEOUT PERM);
    is($w->ask('map m%20m OK'), 'OK value%20m%20m', 'decoded arguments');
    is(
        $w->ask('map m no%20code'),
        'PERM Invalid code from filter_map: no%20code',
        'no code'
    );
    is($w->stderr, "err: Invalid code from filter_map: no code\n", 'logged');
    $code->('filter_map', 'return "OK"');
    is($w->ask('map m k'), 'OK ', 'no value');

    $code->('filter_tick', 'md_syslog("info", "tick @_")');
    is($w->ask('tick 2'), 'tock 2',         'tick');
    is($w->stderr,        "info: tick 2\n", 'has its number');

    $code->('filter_unknown_cmd', 'return ("ok", @_, "a b")');
    is(
        $w->ask('Frob x%20y Z'),
        'ok Frob x%20y Z a%20b',
        'the word as it was typed'
    );
    $code->('filter_unknown_cmd', 'return ("fine", "x")');
    is($w->ask('Frob'), 'error: x', 'another first word');
    $code->('filter_unknown_cmd', 'return');
    is($w->ask('Frob'), 'error:', 'nothing');

    my $own
        = start('sub handle_hello { print_and_flush("hi @_") }'
            . 'sub handle_mute { } sub handle_twice {'
            . ' print_and_flush($_) for 1, 2 }'
            . 'sub handle_lines { print_and_flush("a\nb\r\n\nc") }');
    is($own->ask('HELLO you%20'), 'hi you ',         'a handler of the filter');
    is($own->ask('lines'),        'a b c',           'always one line');
    is($own->ask('mute'),  'error: no answer given', 'that does not answer');
    is($own->ask('twice'), '1',                      'that answers twice');
    is($own->ask('ping'),  'PONG',                   'has one answer');
    is(
        $own->stderr,
        "err: no answer given\nerr: Second answer to one command dropped: 2\n",
        'both logged'
    );
};

subtest 'the protocol is out of reach' => sub {
    my $w = start_scripted();
    put("$w->{spool}/code.filter_relay",
              'print "a\n"; print STDOUT "b\n"; system "echo c; cat";'
            . 'print "<", scalar <STDIN>, ">\n"; return 1');
    is($w->ask('relayok 1 h'), 'ok 1 ? 250 2.1.0 0', 'print, system, STDIN');
    is($w->ask('ping'),        'PONG',               'still in step');
    like($w->stderr, qr/^c$/m, 'output goes to standard error');
};

subtest 'what a filter leaves behind' => sub {
    my $w    = start_scripted();
    my $code = "$w->{spool}/code.filter_relay";
    put($code,
              'undef $/; $\\ = "x"; $, = "y"; $_ = 5; chdir "/"; select STDERR;'
            . ' close STDOUT; close STDIN; return 1');
    for my $n (1 .. 2) {
        is($w->ask('relayok 1 h'), 'ok 1 ? 250 2.1.0 0', "time $n");
        my ($answer, $dir) = $w->scan(
            "Subject: x\n\nhello\n",
            filter_end => 'undef $/; $\\ = "x"; $, = "y"; action_rebuild();'
                . ' action_add_header("X-A", 1)'
        );
        is($answer,             'ok',                          'a scan');
        is(get("$dir/RESULTS"), "HX-A 1\nMtext/plain\nC\nF\n", 'RESULTS');
        is(get("$dir/NEWBODY"), "hello\n",                     'NEWBODY');
    }
    is($w->ask('ping'), 'PONG', 'alive');
};

subtest 'fork, exit, alarm' => sub {
    my $w    = start_scripted();
    my $code = sub ($text) { put("$w->{spool}/code.filter_relay", $text) };
    for my $end ('return 1', 'die "no"', 'exit 3', 'filter_relay2()') {
        $code->(
            "my \$p = fork; if (\$p) { waitpid \$p, 0; return (1, \$? >> 8) }"
                . " $end");
        my $answer = $w->ask('relayok 1 h');
        my $want   = $end eq 'exit 3' ? 3 : 255;
        is($answer, "ok 1 $want 250 2.1.0 0", "a child ends with '$end'");
        is($w->ask('ping'), 'PONG',           'one worker goes on');
    }
    $code->('alarm 1; return 1');
    $w->ask('relayok 1 h');
    $code->('return (1, alarm 0)');
    is($w->ask('relayok 1 h'), 'ok 1 0 250 2.1.0 0', 'no alarm is left');

    $code->('exit 4');
    $w->stderr;
    is(
        $w->ask('relayok 1 h 1 1 25 Q'),
        'ok -1 Filter%20failed,%20please%20try%20again%20later 451 4.3.0 0',
        'exit is answered'
    );
    is($w->stderr, "err: Q: filter_relay called exit\n", 'and logged');
    is_deeply([ $w->stop ], [4], 'and ends the worker');
};

subtest 'beginning and end' => sub {
    my $w = start('sub filter_initialize { print "init in ", `pwd` }'
            . 'sub filter_cleanup { print "clean\n"; return 9 }');
    is($w->ask('ping'), 'PONG',             'ping');
    is($w->stderr, "init in $w->{spool}\n", 'filter_initialize in the spool');
    is_deeply([ $w->stop ], [9], 'status of filter_cleanup');
    is($w->stderr, "clean\n", 'filter_cleanup');

    $w = start('sub filter_cleanup { die "x\n" }');
    is_deeply([ $w->stop ], [1], 'filter_cleanup dies');
    is($w->stderr,
        "err: filter_cleanup died: x ($w->{spool}/filter line 1)\n", 'logged');

    $w = start('sub filter_relay { 1 }');
    my $in = $w->{in};
    print {$in} 'relayok 1 h';
    is_deeply([ $w->stop ], [0], 'a command that is cut off is none');

    $w = start('');
    is($w->ask('ping'), 'PONG', 'it is in its loop');
    kill INT => $w->{pid};
    waitpid delete $w->{pid}, 0;
    is($? & 127, 2, 'SIGINT ends it at once');
};

subtest 'status tags' => sub {
    my $spool = spool();
    my $tags  = "$spool/tags";
    my $w     = start(
        'sub filter { return action_accept() }',
        spool => $spool,
        mode  => '-serveru',
        tags  => $tags
    );
    my $dir = work_dir($spool, "Subject: x\n\ny\n");
    is($w->ask("scan QID1 $dir"), 'ok', 'scan');
    is(
        get($tags),
        "1:%20>%20Reading%20COMMANDS\n0:%20<%20no_tag\n"
            . "1:%20>%20Parsing%20Message%20QID1\n0:%20<%20no_tag%20QID1\n"
            . "1:%20>%20In%20rebuild%20loop%20QID1\n"
            . "2:%20>%20In%20filter%20routine%20QID1\n"
            . "1:%20<%20In%20rebuild%20loop%20QID1\n"
            . "0:%20<%20no_tag%20QID1\n",
        'descriptor 3'
    );
};

done_testing;
