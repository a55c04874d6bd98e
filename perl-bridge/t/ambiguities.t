# SPDX-License-Identifier: MIT
# What is flagged in a message that programs take apart differently, and what it
# may have of parts, depth and octets.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge                      qw(get start work_dir);
use Mail::MIMEDefang::Structure qw(examine);
use Test::More;

my $PART  = "--b\nContent-Type: text/plain\n\nx\n";
my $EXE   = "Content-Type: application/x; name=a.exe\n";
my $BASE  = "Content-Transfer-Encoding: base64\n";
my $START = "Subject: x\nMIME-Version: 1.0\n";

sub mixed ($parts, $type = 'multipart/mixed; boundary=b') {
    return "${START}Content-Type: $type\n\n$parts";
}

sub codes ($message) {
    return join ' ', map { $_->[0] } @{ examine(\$message)->{ambiguities} };
}

sub texts ($message) {
    return join '|', map { $_->[1] } @{ examine(\$message)->{ambiguities} };
}

my %CASE = (
    'field-twice' => [
        "${START}Content-Type: text/plain\nContent-Type: text/html\n\nx\n",
        "${START}Content-Transfer-Encoding: 7bit\n$BASE\nQUJD\n",
        "${START}MIME-Version: 1.0\n\nx\n",
        mixed("${PART}--b\n${EXE}content-type: text/plain\n\nx\n--b--\n"),
        mixed(
                  "--b\n${EXE}Content-Disposition: inline\n"
                . "Content-Disposition: attachment\n\nx\n--b--\n"
        ),
    ],
    'parameter-twice' => [
        mixed("$PART--b--\n", 'multipart/mixed; boundary=b; boundary=c'),
        mixed("$PART--b--\n", "multipart/mixed; boundary=b;\n\tBoundary=c"),
        mixed("--b\nContent-Type: a/b; name=a.txt; name=a.exe\n\nx\n--b--\n"),
        mixed(
                  "--b\nContent-Disposition: attachment; filename=a.txt;"
                . " filename=a.exe\n\nx\n--b--\n"
        ),
        mixed("--b\nContent-Type: a/b; name*0=a; name*0=b\n\nx\n--b--\n"),
    ],
    'parameter-forms' => [
        mixed(
            "--b\nContent-Type: a/b; name=a.txt; name*=''a.exe\n\nx\n--b--\n"),
        mixed(
                  "--b\nContent-Disposition: attachment; filename=a.txt;"
                . "\n filename*0=a.; filename*1=exe\n\nx\n--b--\n"
        ),
    ],
    'parameter-pieces' => [
        mixed("--b\nContent-Type: a/b; name*1=exe; name*0=a.\n\nx\n--b--\n"),
        mixed("--b\nContent-Type: a/b; name*0=a.; name*2=exe\n\nx\n--b--\n"),
        mixed("--b\nContent-Type: a/b; name*00=a.; name*01=e\n\nx\n--b--\n"),
    ],
    'boundary-pieces' => [
        mixed("$PART--b--\n", 'multipart/mixed; boundary*0=b'),
        mixed("$PART--b--\n", "multipart/mixed; boundary*=us-ascii''b"),
    ],
    'parameter' => [
        mixed("--b\nContent-Type: a/b; name=a b.exe\n\nx\n--b--\n"),
        mixed(qq{--b\nContent-Type: a/b; name="a.exe\n\nx\n--b--\n}),
        mixed(qq{--b\nContent-Type: a/b; name="a".exe\n\nx\n--b--\n}),
        mixed("--b\nContent-Type: a/b; (c) name=a.exe\n\nx\n--b--\n"),
        mixed("--b\nContent-Disposition: attachment; filename\n\nx\n--b--\n"),
    ],
    'type' => [
        "${START}Content-Type: text\n\nx\n",
        "${START}Content-Type: text/plain/x\n\nx\n",
        "${START}Content-Type:\n\nx\n",
        "${START}Content-Type: \"text/plain\"\n\nx\n",
    ],
    'no-boundary' => [
        mixed($PART, 'multipart/mixed'),
        mixed($PART, 'multipart/mixed; boundary=""'),
    ],
    'odd-boundary' => [
        mixed("--b>\n\nx\n--b>--\n", 'multipart/mixed; boundary="b>"'),
        mixed(
            "--" . 'b' x 71 . "\n\nx\n--" . 'b' x 71 . "--\n",
            'multipart/mixed; boundary=' . 'b' x 71
        ),
        mixed("--b\n\nx\n--b--\n", 'multipart/mixed; boundary="b "'),
    ],
    'boundary-twice' => [
        mixed("--b\nContent-Type: multipart/mixed; boundary=b\n\n$PART--b--\n"),
        mixed(
                  "--b\nContent-Type: multipart/mixed; boundary=\"b--\"\n\n"
                . "--b--\n\nx\n--b----\n--b--\n"
        ),
    ],
    'unterminated' => [
        mixed($PART),
        mixed("$PART$PART--b"),
        mixed(
            "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nx\n--b--\n"
        ),
        mixed("$PART--b --\n"),
    ],
    'no-parts' => [ mixed("x\n") ],
    'bare-cr'  => [
        "${START}X: a\rContent-Type: text/html\n\nx\n",
        mixed("--b\r\n\r\nx\r--b--\r\n--b--\n"),
        "$START\nx\r",
    ],
    'nul'        => ["${START}Content-Type: text/\0html\n\nx\n"],
    'blank-line' => ["${START}X: a\n \nContent-Type: text/html\n\nx\n"],
    'no-field'   => [
        "${START}no field\nContent-Type: text/html\n\nx\n",
        "${START}Content-Type : text/html\n\nx\n",
        " Content-Type: text/html\n\nx\n",
        mixed("--b\n:\n\nx\n--b--\n"),
    ],
    'no-header-end' => [
        "${START}Content-Type: text/html\n",
        mixed("--b\nContent-Type: text/html\n--b--\n"),
    ],
    'encoding' => [
        "${START}Content-Transfer-Encoding: base-64\n\nx\n",
        "${START}Content-Transfer-Encoding: base64, 7bit\n\nQUJD\n",
        "${START}Content-Transfer-Encoding: \"base64\"\n\nQUJD\n",
        "${START}Content-Transfer-Encoding: base64 (c)\n\nQUJD\n",
    ],
    'encoded-container' => [
        "${START}Content-Type: multipart/mixed; boundary=b\n$BASE\n$PART--b--\n",
        mixed("--b\nContent-Type: message/rfc822\n$BASE\nQUJD\n--b--\n"),
        mixed(
                  "--b\nContent-Type: multipart/mixed; boundary=c\n"
                . "Content-Transfer-Encoding: quoted-printable\n\n"
                . "--c\n\nx\n--c--\n--b--\n"
        ),
    ],
    'bad-base64' => [
        "$START$BASE\nQU!JD\n",
        "$START$BASE\nQUJ\n",
        "$START$BASE\nQUI=\nQUJD\n",
        "$START$BASE\n====\n",
        "$START$BASE\nQUJD\n-- \nthe list\n",
        mixed("--b\n$EXE$BASE\nQUJD QUJD\n--b--\n"),
    ],
);

for my $code (sort keys %CASE) {
    subtest $code => sub {
        for my $message (@{ $CASE{$code} }) {
            like(' ' . codes($message) . ' ', qr/ $code /, 'flagged')
                or diag $message;
        }
    };
}

subtest 'what is in order' => sub {
    for my $message (
        '', "\n",
        "Subject: x\n\n",
        "Subject: x\n\nfrom nobody\n",
        mixed("preamble\n$PART$PART--b--\nepilogue\n"),
        mixed("--b\n\nx\n--b--"),
        mixed("$PART--b  \n${EXE}$BASE\nQUJD\nQUI=\n\n--b--\t\n"),
        mixed("$PART--b--\n") =~ s/\n/\r\n/gr,
        mixed("$PART--b--\n", qq{multipart/mixed; boundary="b";}),
        mixed("$PART--b--\n", qq{Multipart/Mixed;\n\tboundary="b" ; type=a/b}),
        mixed(
            "--b\nContent-Type: multipart/alternative; boundary=\"b-c\"\n\n"
                . "--b-c\n\nx\n--b-c\nContent-Type: text/html\n\ny\n--b-c--\n"
                . "\n--b\nContent-Type: message/rfc822\n\n"
                . mixed("--d\n\nx\n--d--\n", 'multipart/mixed; boundary=d')
                . "\n--b--\n"
        ),
        mixed(
                  "--b\nContent-Type: a/b; name*0=a; name*1*=%20; name*2=c\n"
                . "Content-Disposition: attachment; filename*=utf-8''%c3%a4;\n"
                . " size=10\nContent-ID: <a\@b>\n\nx\n--b--\n"
        ),
        mixed(
            qq{--b\nContent-Type: a/b; name="a \\"b\\"; c.txt"\n\nx\n--b--\n}),
        "${START}Content-Type: text/plain (a comment)\n\nx\n",
        "${START}Content-Transfer-Encoding: 8BIT \n\n\xe4 -- x\n--b\n",
        "$START$BASE\n",
        )
    {
        is(texts($message), '', 'nothing flagged') or diag $message;
    }
};

subtest 'texts and counts' => sub {
    is(
        texts(mixed("$PART--b\n${EXE}$BASE\nQU!D\n--b--\n")),
        'part 3: octets that are no base64',
        'which part'
    );
    is(
        texts("${START}Content-Type: \x1b[2Jtext\n\nx\n"),
        'Content-Type [2Jtext',
        'nothing but text'
    );
    my $many = mixed(
        join('', map {"--b\nContent-Type: x y$_\n\nx\n"} 1 .. 300) . "--b--\n");
    is(scalar @{ examine(\$many)->{ambiguities} }, 100, 'not too many');

    my $nested
        = mixed("--b\nContent-Type: message/rfc822\n\n"
            . mixed("--c\n\nx\n--c\n\ny\n--c--\n",
            'multipart/mixed; boundary=c')
            . "--b\n\nz\n--b--\n");
    my $got = examine(\$nested);
    is($got->{parts}, 6, 'parts');
    is($got->{depth}, 3, 'depth');
    is_deeply($got->{ambiguities}, [], 'none');
    $got = examine(\"$START\nx\n");
    is($got->{parts}, 1, 'a part');
    is($got->{depth}, 0, 'no depth');
};

# Each would take minutes if some pattern looked at it again and again.
subtest 'long things' => sub {
    my ($blanks, $n) = (' ' x 300_000, 20_000);
    for (
        [ "${START}Content-Type: text$blanks\n\nx\n",           'type' ],
        [ "${START}Content-Type: a/b; n=${blanks}x$blanks\n\n", 'very long' ],
        [ "${START}Content-Transfer-Encoding: a${blanks}b\n\n", 'very long' ],
        [ mixed("--b\n--${blanks}x\n--b--\n"),                  'no field' ],
        [ mixed("--b\n\n" . "--${blanks}x\n" x 3 . "--b--\n"),  '' ],
        [ "${START}no field$blanks\t${blanks}x\n\n",            'no field' ],
        [ "${START}Content-Type: a/b" . '; n="' x $n . "\n\n",  'very long' ],
        [ mixed("--x\n" x $n),                                  'no last' ],
        [ mixed("--b\n" x $n),                                  'no last' ],
        )
    {
        my ($message, $want) = @{$_};
        like(texts($message), qr/$want/, $want || 'in order');
    }
};

subtest 'in a filter' => sub {
    my $show = 'sub filter_begin { action_add_header("X-A", $AmbiguousMIME);'
        . ' action_add_header("X-A", "@$_") for @Ambiguities }';
    my $w   = start($show);
    my $bad = mixed("$PART--b\n${EXE}$BASE\nQU!D\n");
    my $dir = work_dir($w->{spool}, $bad);
    is($w->ask("scan Q $dir"), 'ok', 'scanned');
    is(
        get("$dir/RESULTS"),
        "HX-A 2\nHX-A bad-base64%20part%203:%20octets%20that%20are%20no%20base64\n"
            . "HX-A unterminated%20part%203:%20multipart%201%20has%20no%20last%20boundary\nF\n",
        'there before filter_begin'
    );
    $dir = work_dir($w->{spool}, mixed("$PART--b--\n"));
    is($w->ask("scan Q $dir"), 'ok',          'the next message');
    is(get("$dir/RESULTS"),    "HX-A 0\nF\n", 'has its own');
};

subtest 'limits' => sub {
    my $deep = mixed("--b\nContent-Type: multipart/mixed; boundary=c\n\n"
            . "--c\n\nx\n--c--\n--b--\n");
    my $part = mixed($PART x 4 . "--b--\n");
    for (
        [ 'parts => 4', $part, 'Message%20has%20too%20many%20MIME%20parts' ],
        [ 'parts => 5', $part, undef ],
        [ 'parts => 0', $part, undef ],
        [ 'depth => 1', $deep, 'Message%20is%20nested%20too%20deeply' ],
        [ 'depth => 2', $deep, undef ],
        [
            'bytes => ' . (length($part) - 1), $part,
            'Message%20is%20too%20large%20to%20be%20examined'
        ],
        [ 'bytes => ' . length $part, $part, undef ],
        [ 'bytes => undef',           $part, undef ],
        )
    {
        my ($limit, $message, $want) = @{$_};
        for my $action ('bounce', 'tempfail') {
            my $w
                = start("\%ScanLimit = ($limit, action => '$action');"
                    . ' sub filter_begin { action_add_header("X-A", "@Ambiguities") }'
                );
            my $dir = work_dir($w->{spool}, $message);
            is($w->ask("scan Q $dir"), 'ok', "$limit, $action");
            my $line
                = !defined $want      ? 'HX-A '
                : $action eq 'bounce' ? "B554 5.7.1 $want"
                :                       "T451 4.7.1 $want";
            is(get("$dir/RESULTS"), "$line\nF\n", 'RESULTS');
            my $text = ($want // '') =~ s/%20/ /gr;
            like($w->stderr, qr/^warning: QID1: \Q$text\E$/m, 'logged')
                if $want;
            next if !$want;

            $w = start("\%ScanLimit = ($limit, action => '$action');"
                    . ' sub filter_begin { }');
            $dir = work_dir($w->{spool}, $message);
            $w->ask("scan Q $dir");
            is(get("$dir/RESULTS"), "$line\nF\n",
                'whatever else the filter looks at');
        }
    }

    # Runs of one octet in BinHex: three octets say 255.
    my $hqx  = '';
    my $bits = unpack 'B*',
        "\1a\0TEXTabcd\0\0" . pack('N2n', 510_000, 0, 0) . "\0\x90\xff" x 2000;
    my @letters = split //,
        q{!"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr};
    $hqx .= $letters[ oct "0b$1" ] while $bits =~ /(.{6})/g;
    my $bomb
        = "${START}Content-Type: application/x\nContent-Transfer-Encoding: binhex\n"
        . "\n(This file must be converted with BinHex 4.0)\n:"
        . join("\n", unpack '(A64)*', $hqx) . ":\n";
    for my $limit (600_000, 100_000) {
        my $w = start("\$ScanLimit{bytes} = $limit; sub filter {"
                . ' action_add_header("X-A", -s $_[0]->bodyhandle->path) }');
        my $dir = work_dir($w->{spool}, $bomb);
        is($w->ask("scan Q $dir"), 'ok', "$limit octets");
        my $size = 0;
        $size += -s for glob "$dir/Work/*";
        like(
            get("$dir/RESULTS"),
            $limit == 100_000
            ? qr/^B554 5\.7\.1 Message%20is%20too%20large%20when%20it%20is%20d/
            : qr/^HX-A 5\d{5}$/m,
            'what a decoder may make'
        );
        cmp_ok($size, '<=', $limit, 'nor is more written');
    }

    my $w = start('sub filter_begin { action_add_header("X-A",'
            . ' join ",", map { "$_=$ScanLimit{$_}" } sort keys %ScanLimit) }');
    my $dir = work_dir($w->{spool}, $part);
    $w->ask("scan Q $dir");
    is(get("$dir/RESULTS"),
        "HX-A action=bounce,bytes=1073741824,depth=250,parts=5000\nF\n",
        'defaults');
};

done_testing;
