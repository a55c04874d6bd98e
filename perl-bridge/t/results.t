# SPDX-License-Identifier: MIT
# Each action of sections "message", "header" and "envelope": the bytes that it
# leaves in RESULTS.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(get put start_scripted work_dir);
use Test::More;

my $w       = start_scripted();
my $MESSAGE = <<'END';
Subject: x
X-Two: 1
X-One: 1
x-two: 2

body
END

# What filter_end returns goes to the log, so that it can be compared.
sub check ($code, $returns, @want) {
    my ($answer, $dir)
        = $w->scan($MESSAGE,
        filter_end => "my \@r = do { $code }; md_syslog('info', qq{<\@r>})");
    my @log = grep { !/^debug: / } split /\n/, $w->stderr;
    is($log[-1], "info: QID1: <$returns>", "$code returns ($returns)");
    is_deeply([ split /\n/, get("$dir/RESULTS") ], [ @want, 'F' ], 'RESULTS');
    return ($dir, @log[ 0 .. $#log - 1 ]);
}

subtest 'message' => sub {
    check('action_bounce()', 1,
        'B554 5.7.1 Forbidden%20for%20policy%20reasons');
    check('action_bounce("a b", "550", "5.1.1")', 1, 'B550 5.1.1 a%20b');
    check('action_bounce("x", "451", "4.1.1")',   1, 'B554 5.7.1 x');
    check('action_bounce("100%\n", 5544, "5.1")', 1, 'B554 5.7.1 100%25%0A');
    check('action_tempfail()', 1, 'T451 4.3.0 Try%20again%20later');
    check('action_tempfail("x", 450, "4.2.1")', 1, 'T450 4.2.1 x');
    check('action_tempfail("x", 550, "5.2.1")', 1, 'T451 4.3.0 x');
    check('action_discard()',                   1, 'D');
    check('action_sm_quarantine("a b"); 0',     0, 'Qa%20b');
    check('message_rejected()',                 0);
    check(
        "$_(); message_rejected()",
        1,
        $_ eq 'action_bounce' ? 'B554 5.7.1 Forbidden%20for%20policy%20reasons'
        : $_ eq 'action_discard' ? 'D'
        :                          'T451 4.3.0 Try%20again%20later'
    ) for qw(action_bounce action_discard action_tempfail);
    check(
        'action_bounce(); action_tempfail(); join ",", map {"$_=$Actions{$_}"}'
            . ' sort keys %Actions',
        'bounce=1,tempfail=1',
        'B554 5.7.1 Forbidden%20for%20policy%20reasons',
        'T451 4.3.0 Try%20again%20later'
    );
};

subtest 'header' => sub {
    check('action_add_header("X-A", "b c"); 1', 1, 'HX-A b%20c');
    check('action_add_header("X-A", ""); 1',    1, 'HX-A ');
    check('action_add_header("X-A", "a\n\tb\r\n c"); 1',
        1, 'HX-A a%0A%09b%0A%20c');
    check('action_add_header("X-A", "a\nEvil: b\n\n"); 1',
        1, 'HX-A a%0A%20Evil:%20b');
    check('action_add_header("X-A", "\0a\r"); 1',    1, 'HX-A a');
    check('action_add_header("X-A", "\xc3\xa4"); 1', 1, 'HX-A %C3%A4');
    check('action_add_header("X-A", "\x{e4}\x{20ac}"); 1',
        1, 'HX-A %C3%A4%E2%82%AC');
    check('action_add_header("X-A:", q{"\\\\\'%}); 1', 1, 'HX-A %22%5C%27%25');
    check('action_insert_header("X-A", "b"); 1',       1, 'NX-A 0 b');
    check('action_insert_header("X-A", "b", 3); 1',    1, 'NX-A 3 b');
    check('action_insert_header("X-A", "b", -1); 1',   1, 'NX-A 0 b');
    check('action_change_header("X-A", "b"); 1',       1, 'IX-A 1 b');
    check('action_change_header("X-A", "b", 2); 1',    1, 'IX-A 2 b');
    check('action_delete_header("X-A"); 1',            1, 'JX-A 1');
    check('action_delete_header("X-A", 7); 1',         1, 'JX-A 7');
    check('action_delete_all_headers("X-TWO")', 1, 'JX-TWO 2', 'JX-TWO 1');
    check('action_delete_all_headers("X-T")',   1);

    for my $name ('', 'a b', "a\nb", 'a:b') {
        my (undef, @log) = check("action_add_header(q{$name}, 'x'); 1", 1);
        like($log[0], qr/^warning: QID1: Not the name of a header field: '/,
            'logged');
    }
    check('action_add_header("X-A", "x" x 20000); 1', 1, 'HX-A ' . 'x' x 16377);
    check('action_add_header("X-A", "xx" . " " x 20000 . "x"); 1',
        1, 'HX-A xx' . '%20' x 5458);
};

subtest 'header, now' => sub {
    my $is = sub ($code, $returns, $want, @results) {
        my ($dir) = check($code, $returns, @results);
        is(get("$dir/INPUTMSG"), "$want\nbody\n",       'INPUTMSG');
        is(get("$dir/HEADERS"),  $want =~ s/\n\t/\t/gr, 'HEADERS');
    };
    my ($s, $two, $one, $two2)
        = ("Subject: x\n", "X-Two: 1\n", "X-One: 1\n", "x-two: 2\n");
    $is->(
        'action_add_header_now("X-A", "b\n\tc")',
        1,
        "$s$two$one${two2}X-A: b\n\tc\n",
        'HX-A b%0A%09c'
    );
    $is->(
        'action_insert_header_now("X-A", "b")',
        1, "X-A: b\n$s$two$one$two2",
        'NX-A 0 b'
    );
    $is->(
        'action_insert_header_now("X-A", "b", 2)',
        1, "$s${two}X-A: b\n$one$two2",
        'NX-A 2 b'
    );
    $is->(
        'action_insert_header_now("X-A", "b", 9)',
        1, "$s$two$one${two2}X-A: b\n",
        'NX-A 9 b'
    );
    $is->(
        'action_change_header_now("X-Two", "b", 2)',
        1, "$s$two${one}X-Two: b\n",
        'IX-Two 2 b'
    );
    $is->(
        'action_change_header_now("X-Two", "b", 3)',
        1, "$s$two$one$two2", 'IX-Two 3 b'
    );
    $is->('action_delete_header_now("X-Two")', 1, "$s$one$two2", 'JX-Two 1');
    $is->(
        'action_delete_all_headers_now("X-Two")',
        1, "$s$one", 'JX-Two 2', 'JX-Two 1'
    );
    $is->(
        'action_add_header_now("X-Two", "3");'
            . ' action_delete_all_headers("X-Two")',
        1,
        "$s$two$one${two2}X-Two: 3\n",
        'HX-Two 3',
        'JX-Two 3',
        'JX-Two 2',
        'JX-Two 1'
    );
    check('$InMessageContext = 0; action_add_header_now("X-A", "b")', 0);
};

subtest 'envelope' => sub {
    check('add_recipient(q{<a b@x>})',  1, 'R<a%20b@x>');
    check('delete_recipient(q{<a@x>})', 1, 'S<a@x>');
    check('change_sender("<>")',        1, 'f<>');
    check(
        'add_recipient(q{<a@x>}); "@Recipients $Sender"',
        '<to@example.net> <from@example.com>',
        'R<a@x>'
    );
};

subtest 'out of place' => sub {
    for my $name (
        qw(action_bounce action_tempfail action_discard message_rejected
        action_change_header action_delete_header action_delete_all_headers
        action_quarantine_entire_message action_notify_sender
        action_sm_quarantine action_add_part action_add_entity action_rebuild)
        )
    {
        my (undef, @log) = check(
            "\$InMessageContext = 0; my \@x = $name('X-Two');"
                . ' $InMessageContext = 1; $x[0] // 0',
            0
        );
        is($log[0], "warning: QID1: $name called outside of message context",
            'logged');
    }
    for my $name (
        qw(accept accept_with_warning drop drop_with_warning
        replace_with_warning quarantine replace_with_url defang external_filter)
        )
    {
        my (undef, @log) = check("action_$name(1, 1)", 0);
        is(
            $log[0],
            "warning: QID1: action_$name called outside of filter or"
                . ' filter_multipart',
            'logged'
        );
    }
    my ($answer, $dir) = $w->scan($MESSAGE,
        filter_wrapup => 'action_add_header("X-W", "1"); action_rebuild();'
            . ' action_add_part(undef, "text/plain", "-suggest", "x", "y", "inline")'
    );
    is(get("$dir/RESULTS"), "HX-W 1\nF\n", 'filter_wrapup: header only');
    is(
        $w->stderr,
        "warning: QID1: action_rebuild called inside filter_wrapup\n"
            . "warning: QID1: action_add_part called inside filter_wrapup\n",
        'logged'
    );
};

done_testing;
