# SPDX-License-Identifier: MIT
# Finding parts, names of parts, and editing text: what is returned, what becomes
# of bodies on disk and in memory, charsets, parts that must not be touched.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge qw(get put spool with_log);
use Mail::MIMEDefang;
use Mail::MIMEDefang::MIME
    qw(:DEFAULT file_names header_word is_pgp leaves warning_part);
use Mail::MIMEDefang::Utils;
use MIME::Entity;
use Test::More;

init_globals();

# A part with this body in a file, or in memory.
sub part ($type, $body, %with) {
    my $file = $with{file} // spool() . '/body';
    delete $with{file};
    my $e = MIME::Entity->build(
        Top      => 0,
        Type     => $type,
        Encoding => '7bit',
        Data     => $body,
        %with
    );
    return $e if !length $file;
    put($file, $body);
    $e->bodyhandle(MIME::Body::File->new($file));
    return $e;
}

sub container ($type, @parts) {
    my $top = MIME::Entity->build(Type => $type);
    $top->add_part($_) for @parts;
    return $top;
}

subtest 'builtin_create_parser' => sub {
    my $parser = builtin_create_parser();
    isa_ok($parser, 'MIME::Parser');
    is($parser->extract_uuencode, 1, 'uuencode');
    is($parser->output_to_core,   0, 'bodies in files');
};

subtest 'find_part, collect_parts, leaves, is_pgp' => sub {
    my ($a, $b, $c, $d) = (
        part('text/html',  'h'),
        part('text/plain', 't'),
        part('Text/Plain', 'u'),
        part('image/png',  'p')
    );
    my $signed    = container('multipart/signed', $b, $d);
    my $encrypted = container('multipart/encrypted', part('a/b', 'x'));
    my $top       = container('multipart/mixed', $a, $signed, $c, $encrypted);
    is(find_part($top, 'text/plain'), $b, 'the first, depth first');
    is(find_part($top, 'TEXT/PLAIN', 0), $b, 'in any case');
    is(find_part($top, 'text/plain', 1), $c, 'not in a signed part');
    is_deeply([ find_part($top, 'a/b', 1) ], [], 'nothing');
    is(find_part($c, 'text/plain', 1), $c, 'the entity itself');
    is_deeply([ find_part($top, 'multipart/signed') ], [], 'no container');
    my $forwarded = container('multipart/mixed', part('text/x-in', 'f'));
    $forwarded->effective_type('message/rfc822');
    is_deeply([ find_part($forwarded, 'text/x-in') ],
        [], 'not in a forwarded message');
    @FlatParts = ('before');
    is_deeply([ collect_parts($top, 1) ], [], 'collect_parts: nothing');
    is_deeply(\@FlatParts,                [ 'before', $a, $c ], 'appends');
    @FlatParts = ();
    collect_parts($top);
    is(scalar @FlatParts, 5, 'all');
    is_deeply([ leaves($signed, 0) ], [ $b, $d ], 'leaves');
    is_deeply([ leaves($signed, 1) ], [],         'not of a signed part');
    is_deeply([ map { is_pgp($_) ? 1 : 0 } $signed, $encrypted, $top, $a ],
        [ 1, 1, 0, 0 ], 'is_pgp');
};

subtest 'takeStabAtFilename, file_names, re_match, re_match_ext' => sub {
    my $named = sub (%with) { part('a/b', 'x', %with) };
    is(takeStabAtFilename($named->()), '', 'no name');
    my $part = $named->(Filename => 'a.tar.GZ');
    is(takeStabAtFilename($part), 'a.tar.GZ', 'a name');
    is_deeply([ file_names($part) ], [ ('a.tar.GZ') x 2 ], 'in both fields');
    is(re_match($part, '^A\.TAR\.gz$'), 1, 're_match: in any case');
    is(re_match($part, 'tgz'),          0, 'not');
    is(re_match_ext($part, '^\.gz$'),   1, 're_match_ext');
    is(re_match_ext($part, 'tar'),      0, 'only the last extension');
    is(re_match($named->(), '.'),       0, 'no name');
    is(re_match_ext($named->(), '.'),   0, 'no name');
    $part->head->replace('Content-Disposition',
        'attachment; filename="=?utf-8?q?=C3=A4=2Eexe?="');
    is(takeStabAtFilename($part), "\x{e4}.exe", 'decoded');
    is(re_match($part, "^\x{e4}\\.exe\$"), 1, 'a decoded name');
    is(re_match($part, 'gz$'),             1, 'the name in Content-Type');

    for (
        [ 'x; filename="=?x-none?Q?a=2Eexe?="',     'a.exe' ],
        [ 'x; filename="=?x-none*en?B?YS5leGU=?="', 'a.exe' ],
        [ q{x; filename*=x-none''a%2Eexe},          'a.exe' ],
        [ q{x; filename*=''a%2Eexe},                'a.exe' ],
        [ q{x; filename*=iso-8859-15''a%A4%2Eexe},  "a\x{20ac}.exe" ],
        [ 'x; filename=""',                         '' ],
        )
    {
        my ($field, $want) = @{$_};
        $part = $named->();
        $part->head->replace('Content-Disposition', $field);
        is(re_match_ext($part, '\.exe$'), $want ne '' ? 1 : 0, 're_match_ext');
    }
};

subtest 'append_to_part, append_to_html_part' => sub {
    for my $file (undef, '') {
        my $where = defined $file ? 'in memory'  : 'in a file';
        my @with  = defined $file ? (file => '') : ();
        $Changed = 0;
        my $part = part('text/plain', "one\n", @with);
        is(append_to_part($part, 'two'), 1, "append_to_part $where");
        is($part->bodyhandle->as_string, "one\n\ntwo\n", 'the body');
        is($Changed,                     1,              '$Changed');
        $part = part('text/html', '<p>x</body></html>', @with);
        is(append_to_html_part($part, '<b>'), 1, "append_to_html_part $where");
        is($part->bodyhandle->as_string, "<p>x<b>\n</body></html>", 'the body');
    }
    for (
        [ '<p>x',                     "<p>x\n<b>\n",             'no end tag' ],
        [ '<p>x</html>',              "<p>x<b>\n</html>",        '</html>' ],
        [ "x</BODY\n>y</body>",       "x<b>\n</BODY\n>y</body>", 'first' ],
        [ '<!-- </body> -->x</html>', "<!-- </body> -->x<b>\n</html>", '' ],
        [ '<!-- </body>',             "<!-- </body>\n<b>\n", 'comment' ],
        [ '<style></body></style>x',  "<style></body></style>x\n<b>\n", '' ],
        [ '<script>"</body>"',        qq{<script>"</body>"\n<b>\n},     '' ],
        [ 'x</bodyguard></body>',     "x</bodyguard><b>\n</body>",      '' ],
        [ '',                         "\n<b>\n", 'empty' ],
        )
    {
        my ($html, $want) = @{$_};
        my $part = part('text/html', $html);
        append_to_html_part($part, '<b>');
        is($part->bodyhandle->as_string, $want, $html);
    }
    $Changed = 0;
    is(append_to_part(container('multipart/mixed'), 'x'), 0, 'a container');
    is($Changed,                                          0, 'nothing changed');

    my $part = part('text/plain', "one\n");
    my $path = $part->bodyhandle->path;
    link $path, "$path.kept";
    append_to_part($part, 'two');
    is(get("$path.kept"), "one\n", 'a link keeps the old body');
    mkdir "$path.new";
    my ($log, $done) = with_log(sub { append_to_part($part, 'three') });
    is($done,      0,              'cannot be written');
    is(get($path), "one\n\ntwo\n", 'stays');
    like($log, qr/^err: Cannot write the new body of a part: /, 'logged');
};

subtest 'charsets' => sub {
    for (
        [ 'us-ascii', "\x{e4}", "\xc3\xa4", 'utf-8', 'quoted-printable' ],
        [ 'utf-8',    "\x{e4}", "\xc3\xa4", 'utf-8', 'quoted-printable' ],
        [
            'iso-8859-15', "\x{20ac}", "\xa4", 'iso-8859-15',
            'quoted-printable'
        ],
        [
            'iso-8859-1',   "\x{20ac}",
            "\xe2\x82\xac", 'iso-8859-1',
            'quoted-printable'
        ],
        [
            'x-unknown', "\x{20ac}", "\xe2\x82\xac", 'x-unknown',
            'quoted-printable'
        ],
        [ 'us-ascii', 'a', 'a', 'us-ascii', '7bit' ],
        )
    {
        my ($charset, $text, $bytes, $new_charset, $encoding) = @{$_};
        utf8::upgrade($text);
        my $part = part('text/plain', 'x', Charset => $charset);
        append_to_part($part, $text);
        is($part->bodyhandle->as_string, "x\n$bytes\n", "in $charset");
        is($part->head->mime_attr('content-type.charset'),
            $new_charset, 'charset');
        is($part->head->mime_encoding, $encoding, 'encoding');
    }
    my $part = part('text/plain', 'x', Charset => 'iso-8859-1');
    append_to_part($part, "\xc3\xa4");
    is($part->bodyhandle->as_string, "x\n\xc3\xa4\n", 'bytes stay as they are');
};

subtest 'append_text_boilerplate, append_html_boilerplate' => sub {
    my $tree = sub {
        my @p = (
            part('text/plain', 'a'),
            part('text/html',  'b'),
            part('text/plain', 'c'),
            part('text/html',  'd'),
            part('text/plain', 's'),
        );
        return (
            container(
                'multipart/mixed',
                container('multipart/signed', $p[4]),
                @p[ 0 .. 3 ]
            ),
            sub {
                map { $_->bodyhandle->as_string } @p;
            }
        );
    };
    my ($top, $bodies) = $tree->();
    %Actions = ();
    is(append_text_boilerplate($top, 'T'), 1, 'text, the first');
    is_deeply([ $bodies->() ], [ "a\nT\n", qw(b c d s) ], 'not the signed one');
    is(append_text_boilerplate($top, 'U', 1), 1, 'all');
    is_deeply([ $bodies->() ],
        [ "a\nT\n\nU\n", 'b', "c\nU\n", qw(d s) ], 'bodies');
    ($top, $bodies) = $tree->();
    is(append_html_boilerplate($top, 'H', 0), 1, 'html, the first');
    is(append_html_boilerplate($top, 'I', 1), 1, 'all');
    is_deeply([ $bodies->() ],
        [ 'a', "b\nH\n\nI\n", 'c', "d\nI\n", 's' ], 'bodies');
    is_deeply(\%Actions,
        { append_text_boilerplate => 2, append_html_boilerplate => 2 },
        'counted');
    my $none = container('multipart/mixed', part('image/png', 'x'));
    is(append_text_boilerplate($none, 'T', 1), 0, 'no such part');
    is(append_html_boilerplate($none, 'T', 1), 0, 'no such part');
};

subtest 'remove_redundant_html_parts' => sub {
    my $types = sub ($e) {
        my @p = $e->parts;
        return $e->effective_type
            . (@p ? '(' . join(' ', map { __SUB__->($_) } @p) . ')' : '');
    };
    my $both = sub ($type) {
        container(
            "multipart/$type",
            part('text/plain', 'a'),
            part('text/html',  'b')
        );
    };
    my $top = container(
        'multipart/mixed',
        $both->('alternative'),
        container('multipart/signed',      $both->('alternative')),
        container('multipart/alternative', part('text/html', 'c')),
        container(
            'multipart/alternative',
            part('text/plain', 'd'),
            container('multipart/related', part('text/html', 'e'))
        ),
        container('multipart/related', $both->('alternative'))
    );
    my ($log, $done) = with_log(sub { remove_redundant_html_parts($top) });
    is($done, 0, 'out of place');
    is($log,
        "warning: remove_redundant_html_parts called outside of filter_end\n",
        'logged');
    ($InFilterEnd, $Changed) = (1, 0);
    %Actions = ();
    is(remove_redundant_html_parts($top), 1, 'done');
    is(
        $types->($top),
        'multipart/mixed(multipart/alternative(text/plain)'
            . ' multipart/signed(multipart/alternative(text/plain text/html))'
            . ' multipart/alternative(text/html)'
            . ' multipart/alternative(text/plain multipart/related(text/html))'
            . ' multipart/related(multipart/alternative(text/plain)))',
        'what is left'
    );
    is($Changed, 1, '$Changed');
    $Changed = 0;
    is(remove_redundant_html_parts($top), 0, 'nothing more to do');
    is(remove_redundant_html_parts(part('text/html', 'x')), 0, 'a leaf');
    is($Changed, 0, 'nothing changed');
    $InFilterEnd = 0;
};

subtest 'anonymize_uri' => sub {
    $Changed = 0;
    my @p = (
        part('text/plain', "http://h/?utm_a=1\n\nhttp://h/?b=2&utm_c=3&\n"),
        part('text/html',  '<a href="http://h/?utm_a=1&amp;x=y">z</a>'),
        part('text/x-foo', 'http://h/?utm_a=1'),
        part('text/plain', 'ftp://h/?utm_a=1 http://h/?utm=2&autm_x=3'),
    );
    my $top = container('multipart/mixed', @p);
    is(anonymize_uri($top), 1, 'done');
    is_deeply(
        [ map { $_->bodyhandle->as_string } @p ],
        [
            "http://h/\n\nhttp://h/?b=2&\n",
            '<a href="http://h/?x=y">z</a>',
            'http://h/?utm_a=1',
            'ftp://h/?utm_a=1 http://h/?utm=2&autm_x=3',
        ],
        'everything else stays'
    );
    is($Changed, 1, '$Changed');
    $Changed = 0;
    is(anonymize_uri($top), 0, 'nothing more to do');
    is($Changed,            0, 'nothing changed');
};

subtest 'warning_part, header_word' => sub {
    $WarningCounter = 4;
    my $part = warning_part("text\n");
    is($WarningCounter,  5,       'counted');
    is($part->as_string, <<'END', 'ASCII');
Content-Type: text/plain; name="warning5.txt"
Content-Disposition: inline; filename="warning5.txt"
Content-Transfer-Encoding: 7bit

text
END
    is(warning_part("\xc3\xa4\n")->head->mime_attr('content-type.charset'),
        'utf-8', 'more than ASCII');
    is(header_word("a b"),       'a b',                    'bytes');
    is(header_word("\xc3\xa4"),  "\xc3\xa4",               '8-bit bytes');
    is(header_word("\x{20ac}a"), '=?UTF-8?Q?=E2=82=ACa?=', 'characters');
    is(header_word(undef),       undef,                    'none');
};

done_testing;
