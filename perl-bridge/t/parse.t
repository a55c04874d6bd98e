# SPDX-License-Identifier: MIT
# What we parse, decode and write faster than MIME-tools is the same to the last
# byte: trees, heads, preambles, names and contents of files, rebuilt bodies.
# MIME::Parser, with the settings of the scan, is the reference.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Bridge                 qw(get put spool);
use Mail::MIMEDefang::MIME qw(builtin_create_parser);
use Mail::MIMEDefang::Scan qw(load_mime_tools);
use Test::More;

load_mime_tools();
my $dir = spool();
chdir $dir or die "$dir: $!";
local $SIG{__WARN__} = sub { };    # MIME-tools carp about what is odd

sub filer () {
    state $n = 0;
    my $work = 'Work' . ++$n;
    mkdir $work or die "$work: $!";
    my $filer = MIME::Parser::FileInto->new("./$work");
    $filer->ignore_filename(1);
    return $filer;
}

my $first;                         # number of the first file of a tree

# All that can be seen of an entity, as lines.
sub dump_of ($entity, $in = '') {
    my $head  = $entity->head;
    my @lines = (
        'head ' . $head->as_string,
        'tags ' . join(' ', map { "$_=" . $head->count($_) } sort $head->tags),
        'fields ' . join('|', map { $head->get_all($_) } sort $head->tags),
    );
    for my $method (
        qw(mime_type mime_encoding multipart_boundary
        recommended_filename)
        )
    {
        push @lines, "$method " . join '|',
            map { $_ // 'undef' } $head->$method;
    }
    for my $attribute (
        qw(content-type Content-Type.charset content-type.NAME
        content-disposition content-disposition.filename
        Content-Transfer-Encoding content-type.name*0 x-none.y)
        )
    {
        push @lines, "$attribute " . ($head->mime_attr($attribute) // 'undef');
    }
    for my $method (qw(effective_type is_multipart)) {
        push @lines, "$method " . $entity->$method;
    }
    for my $method (qw(preamble epilogue)) {
        my $text = $entity->$method;
        push @lines, "$method " . ($text ? join '|', @{$text} : 'undef');
    }
    my $body = $entity->bodyhandle;
    if ($body) {
        my ($name, $n, $extension)
            = $body->path =~ m{^(?:\./)?Work\d+/msg-(\d+)-(\d+)(.*)}
            or die 'path of a body: ' . $body->path;
        $first //= $n;
        push @lines, ref $body, $name, $n - $first, $extension,
            'binmode ' . ($body->binmode // 'undef'),
            'body ' . get($body->path);
    }
    push @lines, map { dump_of($_, "$in  ") } $entity->parts;
    return map {"$in$_"} @lines;
}

sub dumped ($entity) {
    return 'none' if !$entity;
    undef $first;
    return join "\n", dump_of($entity);
}

# MIME::Head adds the fields of a part in any order.
sub sorted_dump ($entity) {
    my $text = dumped($entity) =~ s/^head //r;
    return join "\n", sort split /\n(?! )/, $text;
}

sub parse_theirs ($message, $max_parts) {
    put('INPUTMSG', $message);
    my $parser = builtin_create_parser();
    $parser->filer(filer());
    $parser->max_parts($max_parts) if $max_parts > 0;
    return $parser->parse(IO::File->new('INPUTMSG', 'r'));
}

sub parse_ours ($message, $max_parts) {
    return Mail::MIMEDefang::Parse::parse_message(\$message, filer(),
        $max_parts);
}

sub printed ($entity) {
    my $fh = IO::File->new('theirs', 'w');
    $entity->print_body($fh);
    close $fh;
    return get('theirs');
}

sub written ($entity) {
    Mail::MIMEDefang::Output::write_body($entity, 'ours');
    return get('ours');
}

# How it was parsed: fast, odd, parts; dies at the first difference.
sub compare ($message, $max_parts = -1) {
    my ($ours, $why) = parse_ours($message, $max_parts);
    return $why if !$ours && $why eq 'odd';
    my $theirs = parse_theirs($message, $max_parts);
    return 'parts' if !$ours && !$theirs;

    my @dumps = map { dumped($_) } $ours, $theirs;
    return
        "DIFFERENT:\n$message\n---- ours:\n$dumps[0]\n---- theirs:\n$dumps[1]"
        if $dumps[0] ne $dumps[1];
    my @bodies = (written($ours), printed($theirs));
    return
        "PRINTED:\n$message\n---- ours:\n$bodies[0]\n---- theirs:\n$bodies[1]"
        if $bodies[0] ne $bodies[1];

    my @wrapped = (
        Mail::MIMEDefang::Parse::wrap_single_part($ours),
        $theirs->make_multipart ne 'ALREADY'
    );
    @dumps = map { dumped($_) =~ s/----------=_[-\d]+/BOUND/gr } $ours, $theirs;
    return "WRAPPED:\n$message\n---- ours:\n$dumps[0]\n---- theirs:\n$dumps[1]"
        if $dumps[0] ne $dumps[1] || !$wrapped[0] ne !$wrapped[1];
    return 'fast' if !$wrapped[0];
    Mail::MIMEDefang::Parse::unwrap_single_part($ours);
    $theirs->make_singlepart;
    @dumps = map { sorted_dump($_) } $ours, $theirs;
    return
        "UNWRAPPED:\n$message\n---- ours:\n$dumps[0]\n---- theirs:\n$dumps[1]"
        if $dumps[0] ne $dumps[1];
    return 'fast';
}

my $TOP   = "Subject: x\nMIME-Version: 1.0\n";
my $MIXED = qq{${TOP}Content-Type: multipart/mixed; boundary="b"\n\n};

# name => [message, how it must be parsed]
my @cases = (
    [ 'empty',                 '',                               'odd' ],
    [ 'no blank line',         "Subject: x\n",                   'odd' ],
    [ 'no header',             "\nx",                            'fast' ],
    [ 'no body',               "Subject: x\n\n",                 'fast' ],
    [ 'plain',                 "Subject: x\n\nhello\n",          'fast' ],
    [ 'plain, no last LF',     "Subject: x\n\nhello",            'fast' ],
    [ 'folded',                "Subject: x\n y\n\tz\nTo: a\n\n", 'fast' ],
    [ 'blank continuation',    "Subject: x\n \nTo: a\n\nb",      'fast' ],
    [ 'mbox line',             "From a\nSubject: x\n\nb",        'odd' ],
    [ 'garbage in the header', "Subject: x\ngarbage\n\nb",       'odd' ],
    [ 'CR in the header',      "Subject: x\r\n\r\nb\r\n",        'odd' ],
    [
        'repeated fields',
        "A: 1\na: 2\nCONTENT-TYPE: text/html\nA:3\n"
            . "Content-type: text/plain\n\nb",
        'fast'
    ],
    [ '8-bit header',    "Subject: \xe9\xff\n\nb",                 'fast' ],
    [ 'BOM',             "\xef\xbb\xbfSubject: x\n\nb",            'odd' ],
    [ 'CR LF in a body', "Subject: x\n\na\r\nb\rc\r\n",            'fast' ],
    [ 'long CR LF body', "Subject: x\n\n" . "12345678\r\n" x 3000, 'fast' ],
    [ 'two parts',       "$MIXED--b\n\none\n--b\n\ntwo\n--b--\n",  'fast' ],
    [
        'preamble, epilogue',
        "${MIXED}pre\namble\n--b\n\none\n--b--\nepi\nlogue\n", 'fast'
    ],
    [ 'epilogue without LF', "$MIXED--b\n\none\n--b--\nepi", 'fast' ],
    [
        'blanks after boundaries',
        "$MIXED--b \t\n\none\n--b\r\n\ntwo\n--b-- \nepi", 'fast'
    ],
    [
        'boundary as prefix',
        "$MIXED--b\n\n--bb\n--b-\n --b\n--b--x\n--b--\n", 'fast'
    ],
    (
        map {
            [
                "preamble @{[s/\n/LF/gr =~ s/\r/CR/gr]}",
                "$MIXED$_--b\n\none\n--b--\n",
                'fast'
            ]
        } "\n",
        "\n\n", "\n\n\n", "a\n\n",
        "a\n\n\n",
        "\r\n", "a\r\n",
        "a\r\r\n",
        "\n\r\n",
        "a\n\r\n",
        "\r\r\n"
    ),
    (
        map {
            [
                "body @{[s/\n/LF/gr =~ s/\r/CR/gr]}",
                "$MIXED--b\n\n$_--b--\n",
                'fast'
            ]
        } '',
        "\n", "\n\n", "a\n\n", "\r\n", "a\r\n",
        "a\r\r\n",
        "\n\r\n"
    ),
    [ 'empty part',        "$MIXED--b\n--b\n\ntwo\n--b--\n", 'odd' ],
    [ 'header to the end', "$MIXED--b\nA: b\n--b--\n",       'odd' ],
    [ 'unterminated',      "$MIXED--b\n\none\n",             'odd' ],
    [ 'no parts',          "$MIXED--b--\n",                  'odd' ],
    [ 'no boundary line',  "${MIXED}x\n",                    'odd' ],
    [
        'no boundary parameter',
        "Content-Type: multipart/mixed\n\n--b\n\none\n--b--\n",
        'odd'
    ],
    [
        'empty boundary',
        qq{Content-Type: multipart/mixed; boundary=""\n\n--\n\none\n----\n},
        'odd'
    ],
    [
        'nested',
        "$MIXED--b\nContent-Type: multipart/alternative; boundary=c\n\npre\n"
            . "--c\n\none\n--c\nContent-Type: text/html\n\n<p>\n--c--\nepi\n"
            . "--b\n\ntwo\n--b--\n",
        'fast'
    ],
    [
        'nested, same boundary',
        "$MIXED--b\nContent-Type: multipart/alternative; boundary=b\n\n"
            . "--b\n\none\n--b--\n--b\n\ntwo\n--b--\n",
        'odd'
    ],
    [
        'nested, unterminated',
        "$MIXED--b\nContent-Type: multipart/alternative; boundary=c\n\n"
            . "--c\n\none\n--b\n\ntwo\n--b--\n",
        'odd'
    ],
    [
        'digest',
        qq{Content-Type: multipart/digest; boundary="b"\n\n--b\n\nSubject: y\n\n}
            . "one\n--b\nContent-Type: text/plain\n\ntwo\n--b--\n",
        'fast'
    ],
    [
        'message/rfc822',
        "Content-Type: message/rfc822\n\nSubject: y\n\ninner\n",
        'fast'
    ],
    [
        'message/rfc822 in a part',
        "$MIXED--b\nContent-Type: message/rfc822\n\nSubject: y\n"
            . "Content-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--c--\n"
            . "--b--\n",
        'fast'
    ],
    [
        'message/rfc822 in base64',
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
            . "U3ViamVjdA==\n",
        'odd'
    ],
    [
        'message/partial 1',
        "Content-Type: message/partial; number=1\n\nSubject: y\n\nx\n",
        'fast'
    ],
    [
        'message/partial 2',
        "Content-Type: message/partial; number=2\n\nSubject: y\n\nx\n",
        'fast'
    ],
    [
        'message/delivery-status',
        "Content-Type: message/delivery-status\n\nA: b\n\nC: d\n",
        'fast'
    ],
    [ 'odd type',         "Content-Type: text\n\nx",                   'fast' ],
    [ 'doubled name',     "content-type:Content-Type: text/x\n\nx",    'fast' ],
    [ 'folded type',      "CONTENT-type:\n text/html;\n\tname=x\n\nx", 'fast' ],
    [ 'empty type',       "Content-Type:\nA: b\n\nx",                  'fast' ],
    [ 'unknown encoding', "Content-Transfer-Encoding: x-y\n\nx",       'odd' ],
    [ '8-bit',            "Content-Transfer-Encoding: 8-BIT\n\nx",     'fast' ],
    [ '8 bit',            "Content-Transfer-Encoding: 8 BIT\n\nx",     'odd' ],
    [
        'base64',
        "Content-Type: image/gif\nContent-Transfer-Encoding: Base64\n\n"
            . "aGVsbG8=\nd29ybGQ\n",
        'fast'
    ],
    [
        'quoted-printable',
        "Content-Transfer-Encoding: quoted-printable\n\na=3D=\n=zz =\n=E9 \n.\n"
            . "From x\n=46rom y\n",
        'fast'
    ],
    [
        'quoted-printable PDF',
        "Content-Transfer-Encoding: quoted-printable\n\n%PDF-1.4=0D\nx=20y\n",
        'fast'
    ],
    [
        'quoted-printable image',
        "Content-Type: image/x\nContent-Transfer-Encoding: quoted-printable\n\n"
            . "a=3D\nb\n",
        'fast'
    ],
    [ 'uuencode', "Subject: x\n\nbegin 644 a\n#86)C\n`\nend\n", 'odd' ],
    [
        'uuencode in HTML',
        "Content-Type: text/html\n\nbegin 644 a\n#86)C\n`\nend\n",
        'fast'
    ],
    [
        'uuencode after a part',
        "$MIXED--b\n\none\n--b--\nbegin 644 a\n#86)C\n`\nend\n",
        'fast'
    ],
    [ 'binhex', "Subject: x\n\n(tHIS file must be converted with B\n", 'odd' ],
    [ 'no uuencode', "Subject: x\n\nbegin 9\n(this\n begin 644\n",     'fast' ],
    (
        map { [ "name $_", qq{Content-Type: application/x; $_\n\nx}, 'fast' ] }
            'name=a.exe',
        'name="a b.C"',
        'name*0=a;name*1=.zip',
        q{name*=utf-8''%e2%82%ac.pdf},
        'name="=?utf-8?q?=C3=A4=2Eexe?="',
        'name=',
        "name=a.\x80",
        'name=" "',
        'name="../x.y/z"',
        'NAME=a.b; name=c.d'
    ),
);
for my $case (@cases) {
    my ($name, $message, $how) = @{$case};
    is(compare($message), $how, $name);
}

for my $max (1 .. 4) {
    is(
        compare("$MIXED--b\n\none\n--b\n\ntwo\n--b--\n", $max),
        $max < 3 ? 'parts' : 'fast',
        "limit of $max parts"
    );
}
my $deep = join '',
    map {"Content-Type: multipart/x; boundary=b$_\n\n--b$_\n"} 1 .. 60;
is(compare("$deep\nx" . join '', map {"\n--b$_--"} reverse 1 .. 60),
    'odd', 'very deep');

subtest 'made-up messages' => sub {
    srand 20240101;
    my @pieces = (
        "--b\n",
        "--b\n\n",
        "--b--\n",
        "--c\n",
        "--c\n\n",
        "--c--\n",
        "\n",
        "text\n",
        "a=3D=\n",
        "\r\n",
        "aGVs\nbG8=\n",
        "--b \n",
        '--b',
        "Content-Type: multipart/mixed; boundary=c\n\n",
        "Content-Type: multipart/digest; boundary=\"c\"\n",
        "Content-Type: text/html; name=a.b\n",
        "Content-Transfer-Encoding: base64\n",
        "Content-Transfer-Encoding: quoted-printable\n",
        "Content-Type: message/rfc822\n\n",
        "Content-Disposition: attachment; filename=\"x y.Z\"\n",
        "Subject: y\n",
        " folded\n",
        "x: y\n\n",
    );
    my @good = (
        "--b\n\ntext\n",
        "--b\n" . $pieces[15] . "\n<p>\n",
        "--b\n" . $pieces[13] . "--c\n\none\n--c--\n",
        "--b\n" . $pieces[16] . "\naGVs\nbG8=\n",
    );
    my (%how, @different);
    for my $n (1 .. 400) {
        my $message = $MIXED;
        $message .= $good[ rand @good ]     for 1 .. rand 4;
        $message .= $pieces[ rand @pieces ] for 1 .. rand($n % 2 ? 4 : 12);
        $message .= "--b--\n" if $n % 4;
        my $how = compare($message);
        $how{$how}++;
        push @different, $how if length $how > 5;
        last if @different;
    }
    is("@different", '', 'no difference');
    cmp_ok($how{fast}, '>', 80, 'many that were in order');
    cmp_ok($how{odd},  '>', 80, 'many that were not');
};

chdir '/';
done_testing;
