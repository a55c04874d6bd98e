# SPDX-License-Identifier: MIT
# A message through the filter: what the callbacks see, when the body is
# rebuilt, and the bytes of RESULTS and NEWBODY then.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(get put start start_scripted work_dir);
use Test::More;

my $w     = start_scripted(env => { HOSTNAME => 'h' });
my $PLAIN = "Subject: x\n\nhello\n";
my $MIXED = <<'END';
Subject: x
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=b"

preamble
--=b
Content-Type: text/plain; charset=us-ascii

hello
--=b
Content-Type: application/octet-stream; name="a.EXE"
Content-Disposition: attachment; filename="=?utf-8?q?=C3=A4=2Eexe?="
Content-Transfer-Encoding: base64

aGVsbG8gd29ybGQ=
--=b--
epilogue
END
my $WARNING = '$GeneralWarning = qq{General.\n\n}; ';
my $DROP_EXE
    = 'return action_drop_with_warning("bad $_[1]") if re_match($_[0], q{\.exe$});';

# RESULTS without M's boundary, which MIME-tools make up.
sub lines ($dir) {
    my $text = get("$dir/RESULTS") // return ['none'];
    return [ split /\n/, $text =~ s/-{10}=_\d+-\d+-\d+/BOUND/gr ];
}

sub body ($dir) {
    return (get("$dir/NEWBODY") // 'none') =~ s/-{10}=_\d+-\d+-\d+/BOUND/gr;
}

subtest 'nothing to do' => sub {
    for my $message ($PLAIN, $MIXED, "Subject: x\n\n", "Subject: x\n", '',
        "\nx")
    {
        my ($answer, $dir) = $w->scan($message);
        is($answer, 'ok', 'answer');
        is_deeply(lines($dir), ['F'], 'RESULTS');
        is(body($dir),           'none',   'no NEWBODY');
        is(get("$dir/INPUTMSG"), $message, 'INPUTMSG is as it was');
    }
    is($w->stderr, '', 'nothing logged');
};

subtest 'what the callbacks get' => sub {
    my $log = 'my ($e, @r) = @_; md_syslog("info", join "|", q{NAME}, map {'
        . ' utf8::encode($_) if utf8::is_utf8($_); $_ } @r);';
    my %code   = map { $_ => $log =~ s/NAME/$_/r } qw(filter filter_multipart);
    my $nested = <<'END';
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=a

--a
Content-Type: MULTIPART/Alternative; boundary=b

--b

default type
--b
Content-Type: TEXT/Html; name=x.tar.GZ

<p>
--b--

--a
Content-Type: message/rfc822; name="m.eml"

Subject: inner
Content-Type: application/pdf
Content-Disposition: attachment; filename*=utf-8''%e2%82%ac.pdf

x
--a
Content-Type: multipart/mixed; name=broken

no boundary
--a--
END
    $w->scan($nested, %code);
    is($w->stderr, <<'END', 'depth first, in message order');
info: QID1: filter_multipart|||multipart/alternative
info: QID1: filter|||text/plain
info: QID1: filter|x.tar.GZ|.GZ|text/html
info: QID1: filter_multipart|m.eml|.eml|message/rfc822
info: QID1: filter|€.pdf|.pdf|application/pdf
info: QID1: filter|broken||application/x-unparseable-multipart
END
};

subtest 'the state' => sub {
    my $see
        = 'md_syslog("info", join "|", "NAME", map { $_ // "undef" } $CWD eq do { require Cwd; Cwd::getcwd() },'
        . ' $WasMultiPart, $InFilterContext, $InFilterEnd, $InFilterWrapUp, $InMessageContext,'
        . ' $Subject, $Helo, $Sender, "@Recipients", $SendmailMacros{_}, scalar $_[0]->parts, $_[0]->head->mime_type)';
    for my $message ($PLAIN, $MIXED) {
        my %code = map { $_ => $see =~ s/NAME/$_/r }
            qw(filter_begin filter filter_end filter_wrapup);
        $w->scan($message, %code);
    }
    is($w->stderr, <<'END', 'globals in each callback');
info: QID1: filter_begin|1|0|0|0|0|1|Hello World|helo.example.com|<from@example.com>|<to@example.net>|host [192.0.2.1]|1|multipart/mixed
info: QID1: filter|1|0|1|0|0|1|Hello World|helo.example.com|<from@example.com>|<to@example.net>|host [192.0.2.1]|0|text/plain
info: QID1: filter_end|1|0|0|1|0|1|Hello World|helo.example.com|<from@example.com>|<to@example.net>|host [192.0.2.1]|1|multipart/mixed
info: QID1: filter_wrapup|1|0|0|0|1|1|Hello World|helo.example.com|<from@example.com>|<to@example.net>|host [192.0.2.1]|1|multipart/mixed
info: QID1: filter_begin|1|1|0|0|0|1|Hello World|helo.example.com|<from@example.com>|<to@example.net>|host [192.0.2.1]|2|multipart/mixed
info: QID1: filter|1|1|1|0|0|1|Hello World|helo.example.com|<from@example.com>|<to@example.net>|host [192.0.2.1]|0|text/plain
info: QID1: filter|1|1|1|0|0|1|Hello World|helo.example.com|<from@example.com>|<to@example.net>|host [192.0.2.1]|0|application/octet-stream
info: QID1: filter_end|1|1|0|1|0|1|Hello World|helo.example.com|<from@example.com>|<to@example.net>|host [192.0.2.1]|2|multipart/mixed
info: QID1: filter_wrapup|1|1|0|0|1|1|Hello World|helo.example.com|<from@example.com>|<to@example.net>|host [192.0.2.1]|2|multipart/mixed
END
    my (undef, $dir) = $w->scan($MIXED,
        filter =>
            'my $p = $_[0]->bodyhandle->path; md_syslog("info", $p =~ s/\d+/N/gr);'
            . ' open my $f, "<", $p; md_syslog("info", <$f>); md_syslog("info", $ENV{TMPDIR})'
    );
    is(
        $w->stderr,
        "info: QID1: Work/msg-N-N.txt\ninfo: QID1: hello\ninfo: QID1: $dir/tmp\n"
            . "info: QID1: Work/msg-N-N.exe\ninfo: QID1: hello world\n"
            . "info: QID1: $dir/tmp\n",
        'decoded bodies'
    );
};

subtest 'order' => sub {
    my ($answer, $dir) = $w->scan(
        $MIXED,
        filter_begin  => 'action_add_header("X-Begin", 1)',
        filter        => "action_add_header('X-Filter', 1); $DROP_EXE",
        filter_end    => 'action_add_header("X-End", 1)',
        filter_wrapup => 'action_add_header("X-Wrapup", 1)',
    );
    is_deeply(
        lines($dir),
        [
            'HX-Begin 1', 'HX-Filter 1', 'HX-Filter 1', 'HX-End 1',
            'Mmultipart/mixed;%20boundary=%22=b%22',
            'C', 'HX-Wrapup 1', 'F'
        ],
        'of calls'
    );
    $w->stderr;
};

subtest 'warnings' => sub {
    my ($answer, $dir) = $w->scan($MIXED, filter => $WARNING . $DROP_EXE);
    is(body($dir), <<'END', 'a part instead of the program');
preamble
--=b
Content-Type: text/plain; charset="utf-8"; name="warning1.txt"
Content-Disposition: inline; filename="warning1.txt"
Content-Transfer-Encoding: quoted-printable

General.

bad =C3=A4.exe

--=b
Content-Type: text/plain; charset=us-ascii

hello
--=b--
epilogue
END
    ($answer, $dir) = $w->scan(
        $MIXED,
        filter       => $DROP_EXE,
        filter_begin => '$WarningLocation = -1',
        filter_end   => '$WarningLocation = 0'
    );
    like(body($dir),
        qr/hello\n--=b\nContent-Type: text\/plain; charset="utf-8"/,
        'at the end');

    ($answer, $dir)
        = $w->scan($PLAIN,
        filter => $WARNING . 'action_drop_with_warning("gone")');
    is(body($dir), "General.\n\ngone\n",
        'the only part replaced: no multipart');
    is_deeply(
        lines($dir),
        [
            'Mtext/plain;%20name=%22warning1.txt%22',
            'IContent-Disposition 1 inline;%20filename=%22warning1.txt%22',
            'IContent-Transfer-Encoding 1 7bit',
            'C',
            'F'
        ],
        'its fields'
    );

    ($answer, $dir)
        = $w->scan($PLAIN,
        filter => $WARNING . 'action_accept_with_warning("note")');
    is(body($dir), <<'END', 'a plain message with a warning');
This is a multi-part message in MIME format...

--BOUND
Content-Type: text/plain; name="warning1.txt"
Content-Disposition: inline; filename="warning1.txt"
Content-Transfer-Encoding: 7bit

General.

note

--BOUND
Content-Type: text/plain

hello

--BOUND--
END
    is_deeply(
        lines($dir),
        [
            'Mmultipart/mixed;%20boundary=%22BOUND%22',
            'JContent-Transfer-Encoding 1',
            'C', 'F'
        ],
        'its fields'
    );
    $w->stderr;
};

subtest 'warnings inline' => sub {
    my $alternative = <<'END';
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b

hello
--b
Content-Type: text/html

<body><!-- </body> --><p>hello</BODY ></html>
--b--
END
    my $inline = '$AddWarningsInline = 1; ' . $WARNING;
    my ($answer, $dir) = $w->scan($alternative,
        filter => $inline
            . 'action_accept_with_warning("a <b> & c") if $_[3] eq "text/html"'
    );
    is(body($dir), <<'END' =~ s/RULER/'=' x 75/er, 'in both forms');
--b
Content-Type: text/plain

hello
RULER
General.

a <b> & c


--b
Content-Type: text/html

<body><!-- </body> --><p>hello<hr>
<pre>
General.

a &lt;b&gt; &amp; c
</pre>
</BODY ></html>
--b--
END
    ($answer, $dir) = $w->scan($MIXED =~ s/text.plain/image\/png/r,
        filter => $inline . $DROP_EXE);
    like(body($dir), qr/warning1\.txt/, 'no text part: a part');
    $w->ask('ping');
    $w->scan($PLAIN, filter_begin => '$AddWarningsInline = 0');

    ($answer, $dir) = $w->scan(
        $MIXED,
        filter_begin => '$Stupidity{NoMultipleInlines} = 1',
        filter       => $DROP_EXE,
        filter_end   => '$Stupidity{NoMultipleInlines} = 0'
    );
    like(
        body($dir),
        qr{Content-Type: text/plain; charset="us-ascii"; name="MESSAGE.TXT"\nContent-Disposition: inline; filename="MESSAGE.TXT"\nContent-Description: MESSAGE.TXT\n},
        'NoMultipleInlines'
    );
    $w->stderr;
};

subtest 'rebuilding' => sub {
    my ($answer, $dir) = $w->scan($PLAIN, filter_end => 'action_rebuild()');
    is(body($dir), "hello\n", 'a plain message stays one');
    is_deeply(lines($dir), [ 'Mtext/plain', 'C', 'F' ], 'its fields');

    ($answer, $dir)
        = $w->scan($MIXED, filter => 'action_drop() if $_[3] !~ /text/');
    is(body($dir), "hello", 'one part left: collapsed');
    is_deeply(lines($dir), [ 'Mtext/plain;%20charset=us-ascii', 'C', 'F' ],
        'its fields');

    ($answer, $dir) = $w->scan($MIXED, filter => 'action_drop()');
    is(body($dir), "preamble\n--=b--\nepilogue\n", 'no part left');

    my $folded = $MIXED =~ s/mixed; b/mixed;\n\tcharset=x;\n b/r;
    ($answer, $dir) = $w->scan($folded, filter_end => 'action_rebuild()');
    is(
        lines($dir)->[0],
        'Mmultipart/mixed;%0A%09charset=x;%0A%20boundary=%22=b%22',
        'folding is kept'
    );
    is(
        body($dir),
        $folded =~ s/\A.*?\n\n//sr =~ s/GQ=\n/GQ=\n\n/r,
        'the same body, but for one newline of the encoder'
    );

    my $nul = $MIXED =~ s/mixed; b/mixed;\0 b/r;
    ($answer, $dir) = $w->scan($nul, filter_end => 'action_rebuild()');
    is(lines($dir)->[0],
        'Mmultipart/mixed', 'no boundary that the filter has not seen');
    $nul = $MIXED =~ s/"=b"/"=\0b"/r =~ s/^--=b/--=\0b/mgr;
    ($answer, $dir)
        = $w->scan($nul, filter => 'action_drop() if $_[3] !~ /plain/');
    is(body($dir), 'hello', 'a NUL in a boundary: a part is dropped');
    ($answer, $dir) = $w->scan($nul, filter_end => 'action_rebuild()');
    my ($made) = lines($dir)->[0] =~ /boundary=%22([\w=-]+)%22\z/;
    ok($made, 'a boundary without a NUL');
    like(body($dir), qr/^--\Q$made\E--$/m, 'is that of the body');

    my $odd = $MIXED
        =~ s/Content-Type: multi/Content-Transfer-Encoding: base64\nContent-Type: multi/r;
    ($answer, $dir)
        = $w->scan($odd, filter => 'action_drop() if $_[3] !~ /text/');
    is(body($dir), "hello", 'an encoding that a multipart cannot have');
    is_deeply(
        lines($dir),
        [
            'Mtext/plain;%20charset=us-ascii',
            'JContent-Transfer-Encoding 1',
            'C', 'F'
        ],
        'does not become that of its only part'
    );

    my $encoded
        = "Subject: x\nContent-Type: text/plain\nContent-Description: d\n"
        . "Content-Transfer-Encoding: base64\n\naGVsbG8K\n";
    ($answer, $dir) = $w->scan($encoded, filter_end => 'action_rebuild()');
    is(body($dir), "aGVsbG8K\n", 'encoded again');
    is_deeply(
        lines($dir),
        [
            'Mtext/plain',
            'IContent-Description 1 d',
            'IContent-Transfer-Encoding 1 base64',
            'C', 'F'
        ],
        'its fields'
    );

    ($answer, $dir) = $w->scan($PLAIN,
        filter_end =>
            'replace_entire_message(MIME::Entity->build(Type => "text/html", Data => "<p>", Encoding => "7bit"))'
    );
    is(body($dir), "<p>", 'another message');
    is_deeply(lines($dir)->[0], 'Mtext/html', 'its type');
    ($answer, $dir) = $w->scan(
        $PLAIN,
        filter_end   => 'replace_entire_message("x")',
        filter_begin => 'replace_entire_message($_[0])'
    );
    is_deeply(lines($dir), ['F'], 'refused elsewhere and for anything else');
    $w->stderr;
};

subtest 'too many parts' => sub {
    my $many
        = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        . "--b\n\nx\n" x 20
        . "--b--\n";
    my $limited = start(
        '$MaxMIMEParts = 20; sub filter_begin { action_add_header("X-A", 1) }');
    my $dir = work_dir($limited->{spool}, $many);
    is($limited->ask("scan QID1 $dir"), 'ok', 'answer');
    is(
        get("$dir/RESULTS"),
        "B554 5.7.1 Message%20has%20too%20many%20MIME%20parts\nF\n",
        'refused, and no callback ran'
    );
    $dir = work_dir($limited->{spool}, $many =~ s/--b\n\nx\n//r);
    is($limited->ask("scan QID1 $dir"), 'ok',          'as many as allowed');
    is(get("$dir/RESULTS"),             "HX-A 1\nF\n", 'are filtered');
};

subtest 'odd messages' => sub {
    my $deep = "Content-Type: multipart/mixed; boundary=b0\n\n";
    $deep
        .= "--b$_\nContent-Type: multipart/mixed; boundary=b"
        . ($_ + 1) . "\n\n"
        for 0 .. 149;
    my ($answer) = $w->scan("MIME-Version: 1.0\n$deep--b150\n\nx\n");
    is($answer,    'ok', '150 levels');
    is($w->stderr, '',   'and no complaint');

    my $long = "Content-Type: a/b; name=\"a." . 'x' x 400 . "\"\n\nx\n";
    ($answer, my $long_dir)
        = $w->scan($long,
        filter => 'md_syslog("info", $_[0]->bodyhandle->path)');
    is($answer, 'ok', 'an extension that no file can have');
    like($w->stderr, qr{^info: QID1: (?:\./)?Work/msg-\d+-\d+\.x{40}$}m,
        'is cut');

    my $whole
        = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        . "--b\nContent-Type: multipart/mixed\n\nno boundary\n--b\n\nx\n--b--\n";
    ($answer, my $whole_dir)
        = $w->scan($whole, filter_end => 'action_rebuild()');
    like(
        body($whole_dir),
        qr{^--b\nContent-Type: multipart/mixed\n\nno boundary\n--b\n}m,
        'a multipart that is one part keeps its content'
    );

    my $twice
        = "Content-Type: Content-Type: message/rfc822\n\nSubject: y\n\nz\n";
    ($answer, my $twice_dir) = $w->scan(
        $twice,
        filter     => 'md_syslog("info", $_[3])',
        filter_end => 'action_rebuild()'
    );
    is($w->stderr, "info: QID1: content-type:\n", 'a type that is none');
    is(
        lines($twice_dir)->[0],
        'MContent-Type:%20message/rfc822',
        'does not become one'
    );

    my $nbsp
        = "Content-Type:\xa0multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n";
    $w->scan($nbsp, filter => 'md_syslog("info", $_[3])');
    is($w->stderr, "info: QID1: text/plain\n", 'an octet that is no blank');

    my $rfc822 = "Content-Type: message/rfc822\n\nSubject: y\n\nz\n";
    ($answer, my $dir) = $w->scan(
        $rfc822,
        filter_multipart => 'md_syslog("info", $_[3])',
        filter_end       => 'action_rebuild()'
    );
    is($w->stderr, "info: QID1: message/rfc822\n",
        'a message on top is a part');
    is(
        body($dir),
        "Subject: y\nContent-Type: text/plain\n\nz\n",
        'and is collapsed'
    );

    my $uu = "Subject: x\n\ntext\nbegin 644 a.exe\n#86)C\n`\nend\n";
    ($answer, $dir)
        = $w->scan($uu, filter => 'md_syslog("info", "$_[1] $_[3]")');
    is(
        $w->stderr,
        "info: QID1:  text/plain\ninfo: QID1: a.exe application/octet-stream\n",
        'uuencoded files are parts'
    );

    ($answer, $dir) = $w->scan(
        $PLAIN,
        filter_create_parser =>
            'my $p = MIME::Parser->new; $p->output_to_core(1); $p',
        filter =>
            'md_syslog("info", defined $_[0]->bodyhandle->path ? "file" : "core")'
    );
    is($w->stderr, "info: QID1: core\n", 'a parser of the filter');
    ($answer) = $w->scan($PLAIN, filter_create_parser => 'return 5');
    is($answer, 'ok', 'something else is not used');

    my $hears = start(<<'END');
$SIG{__DIE__} = sub { md_syslog('info', "died: $_[0]") };
sub filter { return action_add_header('X', 1) }
END
    $dir = work_dir($hears->{spool}, $MIXED);
    is($hears->ask("scan QID1 $dir"), 'ok', 'a filter that hears of what dies');
    is($hears->stderr,                '',   'nothing of our own does');

    $dir = work_dir($w->{spool}, $PLAIN,
        COMMANDS => "S<a>\nQQ9\nUa\nUb\nUc\nF\n");
    is($w->ask("scan QID1 $dir"), 'ok', 'three subjects');
    is(
        get("$dir/RESULTS"),
        "JSubject 3\nJSubject 2\nF\n",
        'all but the first go'
    );
    $w->stderr;

    ($answer, $dir) = $w->scan(
        $MIXED,
        filter_begin => '$TerminateAndDiscard = 1',
        filter       => 'action_add_header("X", 1)',
        filter_end   => 'action_add_header("X", 1)'
    );
    is(get("$dir/RESULTS"), "D\nF\n", '$TerminateAndDiscard');
};

subtest 'nobody looks at parts' => sub {
    my %filter = (
        ''                                     => 0,
        'sub filter_relay { return CONTINUE }' => 0,
        (
            map { ("sub $_ { return }" => 1) }
                qw(filter filter_multipart filter_begin filter_end
                filter_wrapup filter_create_parser)
        ),
    );
    for my $filter (sort keys %filter) {
        my $worker = start($filter);
        my $dir    = work_dir($worker->{spool}, $PLAIN);
        my $answer = $worker->ask("scan QID1 $dir");
        my @bodies = glob "$dir/Work/*";
        is_deeply(
            [ $answer, lines($dir), scalar @bodies ],
            [ 'ok',    ['F'],       $filter{$filter} ],
            "parsed or not: '$filter'"
        );
    }

    my $worker = start('');
    my $dir
        = work_dir($worker->{spool}, $PLAIN, COMMANDS => "UHello\nUagain\nF\n");
    is($worker->ask("scan QID1 $dir"), 'ok', 'two Subjects');
    is_deeply(lines($dir), [ 'JSubject 2', 'F' ], 'the second one goes');

    $worker = start('$MaxMIMEParts = 2;');
    $dir    = work_dir($worker->{spool}, $MIXED);
    is($worker->ask("scan QID1 $dir"), 'ok', 'too many parts');
    like("@{lines($dir)}", qr/^B554 5\.7\.1 .* F\z/, 'is bounced');
};

done_testing;
