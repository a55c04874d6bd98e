# SPDX-License-Identifier: MIT
# The header actions that edit INPUTMSG and HEADERS at once: line ends, folds,
# a header without a body, files that are not there.  (What they leave in RESULTS
# is in results.t.)

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge qw(get logged put spool);
use Mail::MIMEDefang;
use Mail::MIMEDefang::Actions;
use Mail::MIMEDefang::Actions::Headers qw(:site);
use Test::More;

# A message with this text, in a directory that is now the current one.
sub message ($text, $headers = undef) {
    my $dir = spool();
    chdir $dir or die;
    init_globals();
    ($CWD, $InMessageContext) = ($dir, 1);
    put('INPUTMSG', $text);
    put('HEADERS',
        $headers
            // ($text =~ s/\r?\n\r?\n.*//sr =~ s/\n(?=[ \t])//gr =~ tr/\r//dr)
            . "\n");
    return;
}

sub results () {
    signal_unchanged();
    return get('RESULTS') // '';
}

subtest 'line ends' => sub {
    my @cases = (
        [ 'action_add_header_now',    [ 'X', 'v' ], "A: 1\nB: 2\n\t3\nX: v\n" ],
        [ 'action_insert_header_now', [ 'X', 'v' ], "X: v\nA: 1\nB: 2\n\t3\n" ],
        [
            'action_insert_header_now',
            [ 'X', 'v', 1 ],
            "A: 1\nX: v\nB: 2\n\t3\n"
        ],
        [ 'action_change_header_now', [ 'b', "v\n w" ], "A: 1\nb: v\n w\n" ],
        [ 'action_delete_header_now', ['B'],            "A: 1\n" ],
        [ 'action_delete_all_headers_now', ['a'],       "B: 2\n\t3\n" ],
    );
    for my $case (@cases) {
        my ($name, $args, $want) = @{$case};
        my $function = main->can($name);
        for my $body ("\nbody\n.\n", "\n", '', "\n\xe4\0\nno end") {
            message("A: 1\nB: 2\n\t3\n$body");
            is($function->(@{$args}), 1,            "$name returns 1");
            is(get('INPUTMSG'),       "$want$body", 'LF');
            is(get('HEADERS'),        $want =~ s/\n(?=[ \t])//gr, 'HEADERS');

            message("A: 1\nB: 2\n\t3\n$body" =~ s/\n/\r\n/gr);
            $function->(@{$args});
            is(
                get('INPUTMSG'),
                "$want$body" =~ s/\n/\r\n/gr,
                'CR LF stays, and is what is added'
            );
            is(get('HEADERS'), $want =~ s/\n(?=[ \t])//gr, 'HEADERS');
        }
    }
    message('A: 1');
    action_add_header_now('X', 'v');
    is(get('INPUTMSG'), "A: 1\nX: v\n", 'a last line without its end');
    message("\nbody\n", '');
    action_add_header_now('X', 'v');
    is(get('INPUTMSG'), "X: v\n\nbody\n", 'no fields');
    action_delete_all_headers_now('X');
    is(get('INPUTMSG'), "\nbody\n", 'the last one deleted');
    is(get('HEADERS'),  '',         'HEADERS');
};

subtest 'one after the other' => sub {
    message("A: 1\nB: 2\nA: 3\n\nbody\n");
    action_delete_header_now('A', 1);
    action_add_header_now('A', '4');
    action_change_header_now('A', '5', 1);
    action_change_header_now('A', '6', 3);
    is(get('INPUTMSG'), "B: 2\nA: 5\nA: 4\n\nbody\n", 'INPUTMSG');
    is(action_delete_all_headers('a'), 1, 'counts what is there now');
    is(results(), "JA 1\nHA 4\nIA 1 5\nIA 3 6\nJa 2\nJa 1\n", 'RESULTS');
};

subtest 'failures' => sub {
    my @calls = (
        [ \&action_add_header_now,         'X', 'v' ],
        [ \&action_insert_header_now,      'X', 'v' ],
        [ \&action_change_header_now,      'A', 'v' ],
        [ \&action_delete_header_now,      'A' ],
        [ \&action_delete_all_headers_now, 'A' ],
    );
    my $log = logged(
        sub {
            for my $call (@calls) {
                my ($function, @args) = @{$call};
                message("A: 1\n\nbody\n");
                unlink 'INPUTMSG';
                is($function->(@args), 0, 'no INPUTMSG');
                message("A: 1\n\nbody\n");
                mkdir 'INPUTMSG.new';
                is($function->(@args), 0,                'cannot be written');
                is(get('INPUTMSG'),    "A: 1\n\nbody\n", 'stays as it was');
                $InMessageContext = 0;
                is($function->(@args),           0, 'out of place');
                is($function->('not a name', 1), 0, 'still');
            }
            message("A: 1\n\nbody\n");
            unlink 'HEADERS';
            is(action_delete_all_headers('A'),      0, 'no HEADERS');
            is(action_delete_all_headers('a name'), 0, 'no name');
            is(add_ip_validation_header(),          0, 'no key');
            is(delete_ip_validation_header(),       0, 'no key');
        }
    );
    is(() = $log =~ /^err: Cannot edit the header of INPUTMSG: /mg,
        10, 'logged');
    is(results(), '', 'nothing in RESULTS');
};

subtest 'functions that return nothing' => sub {
    message("A: 1\n\nbody\n");
    my @nothing = (
        action_add_header('X', 'v'),
        action_insert_header('X', 'v', 2),
        action_change_header('A', 'v', 2),
        action_delete_header('A', 2)
    );
    is_deeply(\@nothing, [], 'in list context');
    is(add_recipient('<a@x>'),    1,       'add_recipient');
    is(delete_recipient('<b@x>'), 1,       'delete_recipient');
    is(change_sender('<c@x>'),    1,       'change_sender');
    is(results(),                 <<'END', 'RESULTS');
HX v
NX 2 v
IA 2 v
JA 2
R<a@x>
S<b@x>
f<c@x>
END
};

chdir '/';
done_testing;
