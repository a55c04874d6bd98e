# SPDX-License-Identifier: MIT
# What a filter passes does not reach RESULTS unchecked: names, values, codes,
# texts, addresses.  A line is left out, or mended, or the message is tempfailed.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge                       qw(get start_scripted);
use Mail::MIMEDefang::ResultLine qw(check_result header_name header_value);
use Test::More;

sub shown (@list) {
    return join '|', map {s/([^\x20-\x7e])/sprintf '\x%02x', ord $1/ger} @list;
}

subtest 'lines' => sub {
    for (
        [ [ 'H', 'X-A',   'b' ],           [ 'X-A', 'b' ] ],
        [ [ 'H', 'X-A: ', "b\r\n c\r\n" ], [ 'X-A', "b\n c" ] ],
        [ [ 'H', 'X-A',   undef ],         [ 'X-A', '' ] ],
        [ [ 'H', 'X-A', 'b', 'more' ], [ 'X-A', 'b' ] ],
        [
            [ 'H',   'X-A', "b\nC: d" ],
            [ 'X-A', "b\n C: d" ],
            'CR, NUL or a bare LF in the value'
        ],
        [
            [ 'H',   'X-A', "b\n\nd" ],
            [ 'X-A', "b\n \n d" ],
            'CR, NUL or a bare LF in the value'
        ],
        [
            [ 'H',   'X-A', "b\0c\rd" ],
            [ 'X-A', 'bcd' ],
            'CR, NUL or a bare LF in the value'
        ],
        [ [ 'N', 'X-A', 3,     'b' ], [ 'X-A', 3, 'b' ] ],
        [ [ 'N', 'X-A', "3\n", 'b' ], [ 'X-A', 0, 'b' ], q{the number '3'} ],
        [
            [ 'N',   'X-A', '9' x 20, 'b' ],
            [ 'X-A', 0,     'b' ],
            q{the number '} . '9' x 20 . q{'}
        ],
        [ [ 'I', 'X-A', -1, 'b' ], [ 'X-A', 1, 'b' ], q{the number '-1'} ],
        [ [ 'J', 'X-A', 2 ], [ 'X-A', 2 ] ],
        [ [ 'J', 'X-A' ], [ 'X-A', 1 ], q{the number ''} ],
        [ [ 'M', "a/b;\n\tc=d" ], ["a/b;\n\tc=d"] ],
        [
            [ 'M', "a/b\nX: y" ],
            ["a/b\n X: y"],
            'CR, NUL or a bare LF in the value'
        ],
        [ [ 'R', '<a@b>' ],     ['<a@b>'] ],
        [ [ 'f', '<>' ],        ['<>'] ],
        [ [ 'Q', "a\0b\r\nc" ], ["ab\nc"], 'CR or NUL in the text' ],
        [ [ 'B', 550, '5.1.1', 'x' ],    [ 550, '5.1.1', 'x' ] ],
        [ [ 'B', 550, '5.1.1', "x\ny" ], [ 550, '5.1.1', "x\ny" ] ],
        [
            [ 'B', 450, '5.1.1', 'x' ], [ 554, '5.1.1', 'x' ],
            q{the code '450'}
        ],
        [
            [ 'B', '550 x', '4.1.1', 'x' ],
            [ 554, '5.7.1', 'x' ],
            q{the code '550 x'},
            q{the code '4.1.1'}
        ],
        [
            [ 'T', 450,     "4.1.1\n", 'x' ],
            [ 450, '4.3.0', 'x' ],
            q{the code '4.1.1'}
        ],
        [
            [ 'T', undef,   undef, "\0" ],
            [ 451, '4.3.0', '' ],
            q{the code ''},
            q{the code ''},
            'CR or NUL in the text'
        ],
        [ ['C'],        [] ],
        [ [ 'D', 'x' ], [] ],
        [ ['F'],        [] ],
        )
    {
        my ($line, $want, @changed) = @{$_};
        my $name = shown(map { $_ // '' } @{$line});
        my ($refused, $changed, @args) = check_result(@{$line});
        is($refused,     undef,           $name);
        is(shown(@args), shown(@{$want}), 'written');
        is_deeply($changed, \@changed, 'changed');
    }
};

subtest 'refused' => sub {
    for (
        [ [ 'H', '', 'b' ],        q{not the name of a header field: ''} ],
        [ [ 'H', 'a b', 'b' ],     q{not the name of a header field: 'a b'} ],
        [ [ 'I', "a\nb", 1, 'b' ], q{not the name of a header field: 'a b'} ],
        [ [ 'J', "\xe4", 1 ],      qq{not the name of a header field: '\xe4'} ],
        [
            [ 'H', 'x' x 901, 'b' ],
            q{not the name of a header field: '} . 'x' x 60 . q{...'}
        ],
        [ [ 'X',    'a' ], q{there is no line 'X'} ],
        [ [ "F\nD", 'a' ], q{there is no line 'F D'} ],
        )
    {
        my ($line, $want) = @{$_};
        my ($refused, $changed, @args) = check_result(@{$line});
        is($refused, $want, shown(@{$line}));
        is_deeply([@args], [], 'nothing to write');
    }
    for my $address ('', ' ', "a\@b\n", "a\0b", "a\rb", 'x' x 1001, undef) {
        for my $letter (qw(R S f)) {
            ok(
                !eval { check_result($letter, $address); 1 },
                "$letter " . shown($address // 'undef')
            );
            like($@, qr/^Not an address: '/, 'dies');
        }
    }
    is(header_name("X-A:\t "),       'X-A', 'header_name');
    is(header_name("X\0A"),          undef, 'none');
    is(scalar header_value("a\r\n"), 'a',   'header_value');
    is_deeply([ header_value("a\rb") ], [ 'ab', 1 ], 'and what it changed');
};

subtest 'in a worker' => sub {
    my $w  = start_scripted();
    my $do = sub ($code) {
        my @lines = @{ $w->results("Subject: a\n\nb\n", filter_end => $code) };
        my @log   = map {s/^warning: QID1: //r}
            grep { !/^debug/ } split /\n/, $w->stderr;
        return (\@lines, \@log);
    };
    for (
        [
            'action_add_header("X-A", "b\nReceived: c")',
            'HX-A b%0A%20Received:%20c',
            q{RESULTS line 'H': CR, NUL or a bare LF in the value replaced}
        ],
        [
            'action_bounce("a\0b")',
            'B554 5.7.1 ab',
            q{RESULTS line 'B': CR or NUL in the text replaced}
        ],
        [
            'write_result_line("H", "a b", "c")',
            undef,
            q{RESULTS line 'H' refused: not the name of a header field: 'a b'}
        ],
        [
            'write_result_line("Z", "a")',
            undef, q{RESULTS line 'Z' refused: there is no line 'Z'}
        ],
        [
            'action_sm_quarantine("x" x 20000)',
            'Q' . 'x' x 16381,
            q{RESULTS line 'Q' cut: too long}
        ],
        )
    {
        my ($code, $want, $log) = @{$_};
        my ($lines, $said) = $do->($code);
        is_deeply($lines, [ 'ok', $want // (), 'F' ], $code);
        is_deeply($said,  [$log],                     'logged');
    }
    for my $name (qw(add_recipient delete_recipient change_sender)) {
        my ($lines)
            = $do->("action_add_header('X', 1); " . $name . q{("<a\\@b>\n")});
        is(@{$lines}, 1, "$name with a line end: no RESULTS");
        like(
            $lines->[0],
            qr/^error: filter_end died: Not an address: '<a\@b>' \(\S+ line \d+\)$/,
            'the message is tempfailed'
        );
    }
    is($w->ask('ping'), 'PONG', 'the worker lives');
};

done_testing;
