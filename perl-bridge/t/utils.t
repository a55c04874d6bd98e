# SPDX-License-Identifier: MIT
# The small pure things: percent-encoding, log lines, names of parts, zip.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge qw(logged put spool start_scripted with_log);
use Mail::MIMEDefang;
use Mail::MIMEDefang::Actions;
use Mail::MIMEDefang::MIME;
use Mail::MIMEDefang::Utils;
use MIME::Entity;
use Test::More;

subtest 'percent' => sub {
    for (
        [ '',             '' ],
        [ 'a b',          'a%20b' ],
        [ "\0\n\t\x7f",   '%00%0A%09%7F' ],
        [ q{%\\'"},       '%25%5C%27%22' ],
        [ '!#$&()*~',     '!#$&()*~' ],
        [ "\xc3\xa4\xff", '%C3%A4%FF' ],
        [ "\x{20ac}",     '%E2%82%AC' ],
        )
    {
        my ($text, $encoded) = @{$_};
        is(percent_encode($text), $encoded, $encoded);
        utf8::encode($text) if utf8::is_utf8($text);
        is(percent_decode($encoded), $text, 'and back');
    }
    is(percent_decode('%zz%4%%41%6a%'), '%zz%4%Aj%', 'malformed escapes stay');
    is(percent_encode(undef),           '',          'undef is empty');
    is(
        percent_encode_for_graphdefang(qq{a b,'"%\\\n}),
        q{a b%2C'"%25%5C%0A},
        'for graphdefang'
    );
};

subtest 'log' => sub {
    init_globals();
    for (
        [ 'err',       'err' ],
        [ 'ERROR',     'err' ],
        [ 'Panic',     'emerg' ],
        [ 'mail|info', 'info' ],
        [ 'nonsense',  'notice' ],
        )
    {
        my ($level, $want) = @{$_};
        is(logged(sub { md_syslog($level, "100%s\na\x{20ac}\x07b\n") }),
            "$want: 100%s a\xe2\x82\xac b\n", $level);
    }
    $MsgID = 'Q1';
    is(logged(sub { md_syslog('info', 'x') }), "info: Q1: x\n", 'with the id');
    my $noise
        = `env -u MIMEDEFANG_LOG $^X -I$FindBin::Bin/../lib -e 'use Mail::MIMEDefang; md_syslog("debug", "sallyport test")' 2>&1`;
    is($noise, '', 'syslog itself prints nothing');
};

subtest 'MDLOG' => sub {
    init_globals();
    my $log = sub {
        my @a = @_;
        return logged(sub { md_graphdefang_log(@a) });
    };
    $InMessageContext = 1;
    ($MsgID, $Sender, $Subject) = ('Q1', '<A@B>', 'a, b');
    @Recipients = ('<C@d>', '<e@f>');
    is($log->('spam'), '', 'off');
    md_graphdefang_log_enable();
    is(
        $log->('spam', 5, 'x,y'),
        "info: Q1: MDLOG,Q1,spam,5,x%2Cy,<a\@b>,<c\@d>,a%2C b\n"
            . "info: Q1: MDLOG,Q1,spam,5,x%2Cy,<a\@b>,<e\@f>,a%2C b\n",
        'one line for each recipient'
    );
    is(
        $log->('spam', undef, undef, 0, 1),
        "info: Q1: MDLOG,Q1,spam,,,<a\@b>,rcpts=2,a%2C b\n",
        'per message'
    );
    $Subject = '=?utf-8?q?=C3=A4,?=';
    is($log->('spam', '', '', 1, 1),
        "info: Q1: MDLOG,Q1,spam,,,<a\@b>,rcpts=2,\xc3\xa4%2C\n", 'decoded');
    @Recipients = ();
    is($log->('spam'), '', 'no recipients');
    md_graphdefang_log_enable('mail', 0);
    is(
        $log->('spam'),
        "info: Q1: MDLOG,Q1,spam,,,<a\@b>,rcpts=0,=?utf-8?q?=C3=A4%2C?=\n",
        'not enumerated'
    );
    @Recipients = ('<C@d>');
    is(
        logged(sub { md_graphdefang_log_array('e', 0, [ 1, 2, 3 ]) }),
        "info: Q1: MDLOG,Q1,e,1,2,3,<a\@b>,<c\@d>,=?utf-8?q?=C3=A4%2C?=\n",
        'any number of values'
    );
    $InMessageContext = 0;
    is($log->('x'),
        "warning: Q1: md_graphdefang_log called outside of message context\n",
        'outside');
};

sub entity (@fields) {
    my $e = MIME::Entity->build(Type => 'text/plain', Data => 'x');
    $e->head->delete($_) for 'Content-Type', 'Content-Disposition';
    $e->head->add(split /: /, $_, 2) for @fields;
    return $e;
}

subtest 'names' => sub {
    for (
        [ [],                                  '' ],
        [ ['Content-Type: a/b; name="a.exe"'], 'a.exe' ],
        [
            [
                'Content-Disposition: x; filename=b.exe',
                'Content-Type: a/b; name=a.exe'
            ],
            'b.exe'
        ],
        [ ['Content-Type: a/b; name="=?utf-8?q?a=2Eexe?="'],         'a.exe' ],
        [ ["Content-Disposition: x; filename*=utf-8''%61.exe"],      'a.exe' ],
        [ ['Content-Disposition: x; filename*0=a.; filename*1=exe'], 'a.exe' ],
        [ ['Content-Description: a.exe'],                            '' ],
        )
    {
        my ($fields, $want) = @{$_};
        is(takeStabAtFilename(entity(@{$fields})), $want,         "@{$fields}");
        is(re_match(entity(@{$fields}), '\.EXE$'), $want ? 1 : 0, 're_match');
    }
    my $two = entity(
        'Content-Disposition: x; filename=a.txt',
        'Content-Type: a/b; name=a.tar.exe'
    );
    is(re_match($two, '\.exe$'), 1, 'either name');
    for (
        q{filename*=''a.exe},
        'filename="=?x-none?Q?a=2Eexe?="',
        q{filename*0*=''a.; filename*1=exe}
        )
    {
        my $e = entity("Content-Disposition: attachment; $_");
        my ($log, $name) = with_log(sub { takeStabAtFilename($e) });
        is($name, '', "no name: $_");
        like($log, qr/^Unable to convert text in character set /, 'said');
        is(re_match($e, '\.?exe$'), 1, 'which is found nevertheless');
    }
    is(re_match_ext($two, '^\.exe$'), 1, 're_match_ext sees the extension');
    is(re_match_ext($two, 'tar'),     0, 'only');
    is(re_match_ext(entity('Content-Type: a/b; name=exe'), 'exe'), 0, 'no dot');
    is(
        re_match(
            entity(
                'Content-Disposition: x; filename=a.txt',
                'Content-Disposition: x; filename=a.exe'
            ),
            'exe'
        ),
        1,
        'the second of two fields'
    );
};

subtest 'zip' => sub {
    my $dir = spool();

    # local header, data, directory entry, end; rfc-like fixed fields are zero
    my $zip = sub ($local, $central) {
        "PK\3\4"
            . "\0" x 22
            . pack('vv', length $local, 0)
            . $local . 'data'
            . "PK\1\2"
            . "\0" x 24
            . pack('v', length $central)
            . "\0" x 16
            . $central
            . "PK\5\6"
            . "\0" x 18;
    };
    my $said = '';
    for (
        [ $zip->('a.txt',   'a.txt'),   0, 'no program' ],
        [ $zip->('d/a.EXE', 'd/a.EXE'), 1, 'a program' ],
        [ $zip->('a.txt',   'a.exe'),   1, 'only in the directory' ],
        [ $zip->('a.exe',   'a.txt'),   1, 'only before the member' ],
        [
            $zip->('a.txt', 'a.txt') . $zip->('b.exe', 'b.exe'),
            1, 'the second member'
        ],
        [ 'MZ' x 99 . $zip->('a.exe', 'a.exe'), 1, 'after a self-extractor' ],
        [
            $zip->("a.exe", "a.exe") =~ s/PK\x01.*//sr, 1,
            'without a directory'
        ],
        [ "PK\3\4", 0, 'cut' ],
        [
            "PK\3\4" . "\0" x 22 . "\xff\xff\0\0a.exe",
            1, 'a length beyond the end'
        ],
        [ '',      0, 'empty' ],
        [ 'a.exe', 0, 'no archive' ],
        )
    {
        my ($content, $want, $name) = @{$_};
        put("$dir/z", $content);
        my ($log, $found)
            = with_log(sub { re_match_in_zip_directory("$dir/z", '\.exe$') });
        is($found, $want, $name);
        $said .= $log;
    }
    my ($log, $found)
        = with_log(sub { re_match_in_zip_directory("$dir/none", '.') });
    is($found, 0, 'no file');
    is(
        "$said$log" =~ s/Archive \S+:/Archive:/gr,
        join('',
            map {"warning: Q1: Archive: names of members are not known: $_\n"}
                'zip: no member found',
            'no archive',
            'no archive',
            "$dir/none: No such file or directory"),
        'what cannot be read is logged'
    );
SKIP: {
        eval { require Archive::Zip; 1 } or skip 'no Archive::Zip', 2;
        my $z = Archive::Zip->new;
        $z->addString('x' x 1000, $_) for 'a.txt', 'dir/b.scr';
        $z->writeToFileNamed("$dir/real.zip");
        is(re_match_in_zip_directory("$dir/real.zip", '\.scr$'),
            1, 'a real one');
        is(re_match_in_zip_directory("$dir/real.zip", '\.exe$'), 0, 'without');
    }
};

subtest 'files, times, results' => sub {
    my $dir = spool();
    put("$dir/a", 'x');
    is(copy_or_link("$dir/a", "$dir/b"), 1, 'copy_or_link');
    is((stat "$dir/b")[3],               2, 'links');
    is(copy_or_link("$dir/a", "$dir/b"), 1, 'to an existing file');
    is((stat "$dir/b")[3],               1, 'copies');
    my $r;
    logged(sub { $r = copy_or_link("$dir/none", "$dir/c") });
    is($r, 0, 'no source');
    like(time_str(), qr/^\d{4}-\d\d-\d\d-\d\d\.\d\d\.\d\d$/, 'time_str');
    like(hour_str(), qr/^\d{4}-\d\d-\d\d-\d\d$/,             'hour_str');

    chdir $dir;
    init_globals();
    $CWD = $dir;
    write_result_line('H', 'X-A', 'b c');
    write_result_line('F');
    is_deeply(
        [ read_results() ],
        [ [ 'H', 'X-A', 'b c' ], ['F'] ],
        'read_results'
    );
};

subtest 'find_part, collect_parts' => sub {
    init_globals();
    my $top = MIME::Entity->build(Type => 'multipart/mixed');
    $top->attach(Type => 'text/html', Data => 'h');
    my $signed = $top->attach(Type => 'multipart/signed');
    my $text   = $signed->attach(Type => 'text/plain', Data => 't');
    is(find_part($top, 'text/PLAIN', 0), $text, 'inside');
    my $forwarded = entity('Content-Type: message/rfc822');
    $forwarded->bodyhandle(undef);
    $forwarded->parts([ entity('Content-Type: text/html') ]);
    my $all = MIME::Entity->build(Type => 'multipart/mixed');
    $all->add_part($_) for $forwarded, entity('Content-Type: text/html');
    is(
        find_part($all, 'text/html'),
        ($all->parts)[1],
        'not in a forwarded message'
    );
    is(find_part($all, 'message/rfc822'),  $forwarded, 'which is found itself');
    is(find_part($all, 'multipart/mixed'), undef,      'but no multipart');
    is(find_part($top, 'text/plain', 1), undef, 'not in signed parts');
    collect_parts($top, 0);
    is(scalar @FlatParts, 2, 'all');
    @FlatParts = ();
    collect_parts($top, 1);
    is(scalar @FlatParts, 1, 'without signed ones');
};

subtest 'greylisting' => sub {
    eval { require DBD::SQLite; 1 }
        or plan skip_all => 'no DBD::SQLite (libdbd-sqlite3-perl)';
    my $db = DBI->connect('dbi:SQLite:dbname=:memory:', '', '',
        { RaiseError => 1 });
    $db->do(
        'CREATE TABLE greylist (sender_host_ip TEXT, sender TEXT, recipient TEXT, first_received INTEGER,'
            . ' last_received INTEGER, known_ip INTEGER, UNIQUE (sender, recipient, sender_host_ip))'
    );
    my @who = ('<a>', '<b>', '192.0.2.1');
    my $age = sub ($seconds) {
        $db->do(
            "UPDATE greylist SET first_received = first_received - $seconds, last_received = last_received - $seconds"
        );
    };
    is(action_greylist($db, @who), 'tempfail', 'new');
    $age->(200);
    is(action_greylist($db, @who), 'tempfail', 'too early');
    $age->(200);
    is(action_greylist($db, @who), 'continue', 'in time');
    $age->(86400 * 30);
    is(action_greylist($db, @who), 'continue', 'known');
    $age->(86400 * 32);
    is(action_greylist($db, @who), 'tempfail', 'forgotten');
    $age->(20000);
    is(action_greylist($db, @who), 'tempfail', 'too late: starts over');
    is(action_greylist($db, @who[ 0, 1 ], '192.0.2.2'),
        'tempfail', 'another address');
    is($db->selectrow_array('SELECT count(*) FROM greylist'),
        1, 'takes its place');
};

done_testing;
