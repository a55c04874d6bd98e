# SPDX-License-Identifier: MIT
# Percent-encoding, and texts made fit for one line.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Mail::MIMEDefang::Codec qw(one_line percent_decode percent_encode
    percent_encode_for_graphdefang to_bytes);
use Test::More;

is(percent_encode(q{a b%\\'"}),      'a%20b%25%5C%27%22',  'percent_encode');
is(percent_encode("\0\xe4\x{20ac}"), '%00%C3%A4%E2%82%AC', 'wide characters');
is(percent_encode(undef),            '',                   'nothing');
is(percent_decode('a%20%c3%A4'),     "a \xc3\xa4",         'percent_decode');
is(percent_decode('%zz%2%'),         '%zz%2%', 'malformed escapes stay');
is(
    percent_encode_for_graphdefang(q{a 'b',%\\}),
    q{a 'b'%2C%25%5C},
    'percent_encode_for_graphdefang'
);
is(to_bytes("\x{e4}\x{20ac}"), "\xc3\xa4\xe2\x82\xac", 'to_bytes');

subtest 'one_line' => sub {
    for (
        [ '',                 '' ],
        [ "\n\r\n",           '' ],
        [ ' a  b ',           ' a  b ' ],
        [ "a\n",              'a' ],
        [ "a \n\t b \0\x7fc", 'a b c' ],
        [ "\na",              ' a' ],
        [ "a \t",             'a ' ],
        [ undef,              '' ],
        [ "\x{20ac}\n1",      "\xe2\x82\xac 1" ],
        )
    {
        my ($text, $want) = @{$_};
        is(one_line($text), $want, 'text');
    }
    my $blanks = ' ' x 300_000;
    is(one_line("a$blanks\tb$blanks\n$blanks."), 'a b .', 'a long one');
};

done_testing;
