# SPDX-License-Identifier: MIT
# docs/examples/mimedefang-filter does what it says.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(get run_program start work_dir);
use Test::More;

my $path = "$FindBin::Bin/../../docs/examples/mimedefang-filter";
my ($status, $out) = run_program('-f', $path, '-test');
is($status, 0, 'compiles');

my $w = start(get($path) . '$PrivateMyHostName = "mx.example";');

# A zip archive with one empty, stored member.
sub zip ($name) {
    my $n     = length $name;
    my $local = pack('VvvvvvVVVvv', 0x04034b50, 10, 0, 0, 0, 0, 0, 0, 0, $n, 0)
        . $name;
    my $central = pack('VvvvvvvVVVvvvvvVV',
        0x02014b50, 10, 10, 0, 0, 0, 0, 0, 0, 0, $n, (0) x 6)
        . $name;
    return
          $local
        . $central
        . pack('VvvvvVVv',
        0x06054b50, 0, 0, 1, 1,
        length $central,
        length $local, 0);
}

sub message ($name, $content, $type = 'application/octet-stream') {
    require MIME::Base64;
    return <<"END" . MIME::Base64::encode_base64($content) . "--b--\n";
Subject: x
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b

hello
--b
Content-Type: $type; name="$name"
Content-Transfer-Encoding: base64

END
}

for (
    [ 'a.txt',      'text' ],
    [ 'a.exe.txt',  'text' ],
    [ 'exe',        'text' ],
    [ 'a.zip',      zip('readme.txt') ],
    [ 'broken.zip', 'PK' ],
    )
{
    my ($name,   $content) = @{$_};
    my ($answer, $dir)     = $w->scan(message($name, $content));
    is($answer, 'ok', "$name: answer");
    is(
        get("$dir/RESULTS"),
        "HX-Filtered by%20MIMEDefang%20on%20mx.example\nF\n",
        'passes with a header field'
    );
    is(get("$dir/NEWBODY"), undef, 'and is not changed');
}

for (
    [ 'x.exe',    'MZ' ],
    [ 'x.EXE',    'MZ' ],
    [ 'x.scr.. ', 'MZ' ],
    [ 'a.zip',    zip('x.exe') ],
    [ 'a.ZIP',    zip('dir/X.JS') ],
    [ 'a.tgz',    zip('x.exe') ],
    [ 'x.com',    'MZ', 'text/plain' ],
    )
{
    my ($name, $content, $type) = @{$_};
    my ($answer, $dir)
        = $w->scan(message($name, $content, $type // 'image/png'));
    is($answer, 'ok', "$name: answer");
    is(
        get("$dir/RESULTS"),
        "HX-Filtered by%20MIMEDefang%20on%20mx.example\nMmultipart/mixed;%20boundary=b\nC\nF\n",
        'the body is replaced'
    );
    my $body = get("$dir/NEWBODY");
    like(
        $body,
        qr/^--b\nContent-Type: text\/plain; .*name="warning1\.txt"$/m,
        'a warning part'
    );
    like(
        $body,
        qr/^The attachment '\Q$name\E' was removed: it is, or contains, a program\.$/m,
        'names it'
    );
    like($body, qr/^hello$/m, 'the text is still there');
    unlike($body, qr/base64/, 'the program is not');
}
my ($answer, $dir) = $w->scan("Subject: x\nX-Filtered: me\n\nhello\n");
is(
    get("$dir/RESULTS"),
    "JX-Filtered 1\nHX-Filtered by%20MIMEDefang%20on%20mx.example\nF\n",
    'a forged header field goes'
);

my $many
    = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    . "--b\n\nx\n" x 200
    . "--b--\n";
($answer, $dir) = $w->scan($many);
is(
    get("$dir/RESULTS"),
    "B554 5.7.1 Message%20has%20too%20many%20MIME%20parts\nF\n",
    'too many parts'
);

$dir = work_dir($w->{spool}, "Subject: x\n\nhello\n",
    COMMANDS => "S<a>\n!\nF\n");
$w->ask("scan Q $dir");
is(
    get("$dir/RESULTS"),
    "B554 5.7.1 Stray%20carriage%20returns%20in%20the%20header\nF\n",
    'suspicious header'
);

done_testing;
