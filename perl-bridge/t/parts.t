# SPDX-License-Identifier: MIT
# Actions on parts, additions, boilerplates: what is delivered in the end.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(get put spool start_scripted);
use Test::More;

my $w     = start_scripted();
my $MIXED = <<'END';
Subject: x
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b

hello
--b
Content-Type: application/octet-stream; name="a b.exe"; x=y
Content-Disposition: attachment; filename=a.exe

MZ
--b--
END
my $BOTH = <<'END';
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b

hello
--b
Content-Type: text/html

<p>hello</p>
--b--
END
my $FIRST = "Content-Type: text/plain\n\nhello\n";

# Runs CODE in filter for the second part.  Returns (what it returned, the second
# part as delivered, the directory).
sub on_part ($code, %more) {
    my ($answer, $dir) = $w->scan(
        $MIXED,
        filter => 'return if $_[3] eq "text/plain"; my $e = $_[0];'
            . " my \$r = do { $code };"
            . ' md_syslog("info", "<$r>")',
        filter_end => '@Warnings = ()',
        %more
    );
    my ($returned) = $w->stderr =~ /^info: QID1: <(.*)>$/m;
    my $body = get("$dir/NEWBODY") // '';
    return ($returned, (split /^--b(?:--)?\n/m, $body)[-1] // '', $dir);
}

subtest 'dispositions' => sub {
    for (
        [ 'action_accept()',                1, '' ],
        [ 'action_drop(); action_accept()', 1, '' ],
        [ 'action_drop("x")',               1, '' ],
        [ 'action_drop_with_warning("w")',  1, '' ],
        )
    {
        my ($code, $want) = @{$_};
        my ($returned, $part, $dir) = on_part($code);
        is($returned, $want, "$code returns $want");
    }
    my ($returned, $part) = on_part('action_replace_with_warning("w\x{20ac}")');
    is($returned, 1,              'action_replace_with_warning');
    is($part,     <<'END' . "\n", 'in the place of the part');
Content-Type: text/plain; charset="utf-8"; name="warning1.txt"
Content-Disposition: inline; filename="warning1.txt"
Content-Transfer-Encoding: quoted-printable

w=E2=82=AC
END
    my (undef, $dir) = $w->scan(
        $MIXED,
        filter =>
            'action_replace_with_warning("w"); action_accept_with_warning("v")',
        filter_end =>
            'md_syslog("info", join "|", "@Warnings", $WarningCounter,'
            . ' map {"$_=$Actions{$_}"} sort keys %Actions)'
    );
    is(
        $w->stderr,
        "info: QID1: v v |3|accept_with_warning=2|replace_with_warning=2\n"
            . "debug: QID1: Actions: accept_with_warning=2 replace_with_warning=2\n",
        'counters; the last disposition counts'
    );
    like(
        get("$dir/NEWBODY"),
        qr/name="warning3\.txt".*\nMZ\n--b--/s,
        'the part stays'
    );
};

subtest 'action_defang' => sub {
    my ($returned, $part)
        = on_part('action_defang($e, "n", "f", "text/x-safe")');
    is($returned, 1,       'done');
    is($part,     <<'END', 'with the names given');
Content-Type: text/x-safe; name="n"
Content-Disposition: attachment; filename="f"
Content-Description: f

MZ
END
    ($returned, $part) = on_part('action_defang($e)');
    is($part, <<'END', 'with names of its own');
Content-Type: application/octet-stream; name="defang-1.binary"
Content-Disposition: attachment; filename="defang-1.binary"
Content-Description: defang-1.binary

MZ
END
    my ($returned2)
        = on_part('no warnings; *defang_warning = sub { "W @_" };'
            . ' action_defang($e, "n", "f"); $Warnings[0]');
    is($returned2, 'W a.exe f ', "the filter's defang_warning");
};

subtest 'action_external_filter' => sub {
    my ($returned, $part)
        = on_part(
        'action_external_filter($e, "tr A-Z a-z <FILTERINPUT >FILTEROUTPUT")');
    is($returned, 1, 'done');
    like($part, qr/\n\nmz\n\z/, 'the new body');
    for my $code ('exit 255', 'exit 1', 'kill -9 $$', '/nonexistent') {
        ($returned, $part, my $dir)
            = on_part("action_external_filter(\$e, q{$code})");
        is($returned,           0,     $code);
        is(get("$dir/NEWBODY"), undef, 'nothing changed');
    }
    ($returned, undef, my $dir) = on_part('action_external_filter($e, "true")');
    is($returned,           1,     'no output');
    is(get("$dir/NEWBODY"), undef, 'nothing changed');
};

subtest 'action_replace_with_url' => sub {
    my $root = spool();
    my ($returned, $part, $dir)
        = on_part(
        "action_replace_with_url(\$e, '$root', 'http://h', 'at _URL_ or _URL_', 'cd', 'salt')"
        );
    is($returned, 1, 'done');
    my $name = '5a4cdc6db613648d18fb2ef684ca65c977b02243.exe';    # sha1sum
    is(get("$root/$name"),              "MZ", 'the body');
    is(get("$root/.$name"),             'cd', 'the dot-file');
    is((stat "$root/$name")[2] & 07777, 0644, 'mode');
    like($part, qr{at http://h/$name or http://h/$name\n}, 'the message');
    ($returned)
        = on_part(
        "action_replace_with_url(\$e, '/nonexistent', 'http://h', 'x')");
    is($returned, 0, 'no such directory');
};

subtest 'a type that is missing or empty' => sub {
    my $show = 'my $t = $_[0]->head->get("Content-Type"); chomp $t;'
        . 'action_add_header("X-Type", $t)';
    for (
        [ 'X-A: b',                     'text/plain' ],
        [ 'Content-Type:',              'text/plain' ],
        [ 'Content-Type: ; name=a.exe', 'text/plain;%20name=%22a.exe%22' ],
        [ 'Content-Type: a/b; x=y',     'a/b;%20x=y' ],
        )
    {
        my ($field, $want) = @{$_};
        is_deeply($w->results("$field\n\nbody\n", filter => $show),
            [ 'ok', "HX-Type $want", 'F' ], $field);
    }
};

subtest 'additions' => sub {
    my ($answer, $dir) = $w->scan(
        "Subject: x\n\nhello\n",
        filter_end =>
            'action_add_part($_[0], "text/plain", "-suggest", "bye\n", "d.txt", "inline")'
    );
    is(get("$dir/NEWBODY") =~ s/-+=_[\d-]+\d/B/gr,
        <<'END', 'a part after a plain message');
This is a multi-part message in MIME format...

B
Content-Type: text/plain

hello

B
Content-Type: text/plain; name="d.txt"
Content-Disposition: inline; filename="d.txt"
Content-Transfer-Encoding: 7bit

bye

B--
END
    like(
        get("$dir/RESULTS"),
        qr/\AMmultipart\/mixed;%20boundary=\S+\nJContent-Transfer-Encoding 1\nC\nF\n\z/,
        'RESULTS'
    );

    ($answer, $dir) = $w->scan($BOTH,
        filter_begin =>
            'action_add_part(undef, "text/x-c", "base64", "\x{20ac}", "c", "attachment", 0)'
    );
    like(
        get("$dir/NEWBODY"),
        qr{\A.*?\n--\S+\nContent-Type: text/x-c; charset="utf-8"; name="c"\n.*?\n4oKs\n.*\nContent-Type: multipart/alternative; boundary=b\n}s,
        'in front of an alternative: both in a new multipart/mixed'
    );
    is($w->stderr, '', 'nothing logged');
};

subtest 'boilerplates' => sub {
    my $signed
        = "MIME-Version: 1.0\nContent-Type: multipart/signed; boundary=b\n\n--b\n\nx\n--b--\n";
    my $text = sub ($code, $message = $BOTH) {
        my ($answer, $dir)
            = $w->scan($message,
            filter_end => "my \$r = $code; md_syslog('info', \"<\$r>\")");
        my ($r) = $w->stderr =~ /<(.*)>/;
        return ($r, get("$dir/NEWBODY"));
    };
    my ($r, $body) = $text->('append_text_boilerplate($_[0], "bye", 0)');
    is($r, 1, 'text');
    like($body, qr/\nhello\nbye\n\n--b\n/, 'after the text');
    ($r, $body) = $text->('append_html_boilerplate($_[0], "<b>", 0)');
    is($r, 1, 'html');
    like($body, qr{<p>hello</p>\n<b>\n\n--b--}, 'at the end');
    ($r, $body) = $text->(
        'append_html_boilerplate($_[0], "<b>", 0)',
        $BOTH =~ s{<p>.*}{<script>"</body>"</script><p></HTML>}r
    );
    like($body, qr{<p><b>\n</HTML>}, 'before the end tag');
    ($r, $body) = $text->('append_text_boilerplate($_[0], "bye", 0)', $signed);
    is($r,    0,     'signed');
    is($body, undef, 'is not touched');
    ($r, $body) = $text->(
        'append_text_boilerplate($_[0], "\x{20ac}", 0)',
        "Subject: x\n\nhi\n"
    );
    is($body, "hi\n\n=E2=82=AC\n", 'more than ASCII in an ASCII message');
    ($r, $body) = $text->(
        'append_text_boilerplate($_[0], "bye", 1)',
        $BOTH =~ s{text/html}{text/plain}r
    );
    is(() = $body =~ /^bye$/mg, 2, 'all');

    ($r, $body) = $text->('remove_redundant_html_parts($_[0])');
    is($r,    1,       'remove_redundant_html_parts');
    is($body, "hello", 'leaves the text');
    ($r, $body) = $text->(
        'remove_redundant_html_parts($_[0])',
        $BOTH =~ s/alternative/mixed/r
    );
    is($r, 0, 'only in alternatives');
};

subtest 'anonymize_uri' => sub {
    for (
        [ 'http://h/?utm_source=a',               'http://h/' ],
        [ 'https://h/p?utm_a=1&x=2#f y',          'https://h/p?x=2#f y' ],
        [ 'http://h/?a=1&utm_b=2&c=3.',           'http://h/?a=1&c=3.' ],
        [ '<a href="http://h/?a=1&amp;utm_b=2">', '<a href="http://h/?a=1">' ],
        [ 'see http://h/?utm_b=2, and',           'see http://h/, and' ],
        [
            "a http://h/?utm_b=2\nb http://h/?utm_c",
            "a http://h/\nb http://h/"
        ],
        [ 'HTTP://h/?UTM_b=2&z', 'HTTP://h/?z' ],
        )
    {
        my ($in,     $out) = @{$_};
        my ($answer, $dir) = $w->scan("Subject: x\n\n$in\n",
            filter_end => 'anonymize_uri($_[0])');
        is(get("$dir/NEWBODY"), "$out\n", $in);
    }
    for my $text ('http://h/?', 'http://h/?a&&b=&', 'h?utm_a=1',
        'http://h/?x=utm_a=1')
    {
        my ($answer, $dir) = $w->scan("Subject: x\n\n$text\n",
            filter_end => 'anonymize_uri($_[0])');
        is(get("$dir/NEWBODY"), undef, "$text is not touched");
    }
};

done_testing;
