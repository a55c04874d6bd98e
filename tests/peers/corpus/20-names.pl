#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Names of attached files, in every way in which mail programs write them, and in
# some in which senders hide them.  Each is the second part of a multipart/mixed.
use v5.36;
use Corpus qw(mail multipart part);

# What tells the name: the fields of the part, one by one.
my @fields = (
    [ 'name only', 'Content-Type: application/octet-stream; name=a.exe' ],
    [
        'filename only',
        'Content-Type: application/octet-stream',
        'Content-Disposition: attachment; filename=a.exe'
    ],
    [
        'name and filename differ',
        'Content-Type: application/octet-stream; name=a.txt',
        'Content-Disposition: attachment; filename=b.exe'
    ],
    [
        'filename empty',
        'Content-Type: application/octet-stream; name=a.exe',
        'Content-Disposition: attachment; filename=""'
    ],
    [ 'description only', 'Content-Description: a.exe' ],
    [
        'quoted, with blanks',
        'Content-Disposition: attachment; filename="a  b c.exe"'
    ],
    [
        'not quoted, with blanks',
        'Content-Disposition: attachment; filename=a b c.exe'
    ],
    [
        'quoted pairs',
        'Content-Disposition: attachment; filename="a\"b\\\\c.exe"'
    ],
    [ 'quote not closed', 'Content-Disposition: attachment; filename="a.exe' ],
    [ 'single quotes', q{Content-Disposition: attachment; filename='a.exe'} ],
    [
        'semicolon in quotes',
        'Content-Disposition: attachment; filename="a;b.exe"'
    ],
    [ 'comment before', 'Content-Disposition: (x) attachment; filename=a.exe' ],
    [ 'comment behind', 'Content-Disposition: attachment; filename=a.exe (x)' ],
    [
        'blanks around =',
        'Content-Disposition: attachment; filename = "a.exe"'
    ],
    [ 'capitals', 'CONTENT-DISPOSITION: ATTACHMENT; FILENAME="A.EXE"' ],
    [ 'folded',   "Content-Disposition: attachment;\n\tfilename=\"a.exe\"" ],
    [
        'folded in the name',
        "Content-Disposition: attachment;\n\tfilename=\"long name\n of it.exe\""
    ],
    [ 'no semicolon',   'Content-Disposition: attachment filename=a.exe' ],
    [ 'two semicolons', 'Content-Disposition: attachment;; filename=a.exe;' ],
    [
        'twice',
        'Content-Disposition: attachment; filename=a.txt; filename=b.exe'
    ],
    [
        'two dispositions',
        'Content-Disposition: attachment; filename=a.txt',
        'Content-Disposition: attachment; filename=b.exe'
    ],
    [ 'no type of disposition', 'Content-Disposition: filename=a.exe' ],
    [ 'disposition empty',      'Content-Disposition: ; filename=a.exe' ],
    [
        '2231, utf-8',
        q{Content-Disposition: attachment; filename*=UTF-8''%e2%82%ac%20rates.exe}
    ],
    [
        '2231, latin1 and language',
        q{Content-Disposition: attachment; filename*=iso-8859-1'en'%A3%20rates.exe}
    ],
    [
        '2231, pieces',
        'Content-Disposition: attachment; filename*0="part"; filename*1=".exe"'
    ],
    [
        '2231, pieces out of order',
        'Content-Disposition: attachment; filename*1=".exe"; filename*0="part"'
    ],
    [
        '2231, pieces encoded',
        q{Content-Disposition: attachment; filename*0*=UTF-8''%c3%a4; filename*1*=%c3%b6; filename*2=".exe"}
    ],
    [
        '2231, a piece is missing',
        'Content-Disposition: attachment; filename*0="part"; filename*2=".exe"'
    ],
    [
        '2231, and plain',
        q{Content-Disposition: attachment; filename=plain.txt; filename*=UTF-8''other.exe}
    ],
    [
        '2231, no charset',
        q{Content-Disposition: attachment; filename*=''a.exe}
    ],
    [
        '2231, broken escapes',
        q{Content-Disposition: attachment; filename*=UTF-8''a%zz%4.exe}
    ],
    [
        '2231, name split',
        q{Content-Type: application/octet-stream; name*0=a.; name*1=exe}
    ],
    [
        '2047, utf-8 base64',
        'Content-Disposition: attachment; filename="=?UTF-8?B?w6TDti5leGU=?="'
    ],
    [
        '2047, latin1 quoted',
        'Content-Type: application/octet-stream; name="=?iso-8859-1?Q?=E4=F6.exe?="'
    ],
    [
        '2047, not in quotes',
        'Content-Disposition: attachment; filename==?UTF-8?Q?a=2Eexe?='
    ],
    [
        '2047, two words',
        qq{Content-Disposition: attachment; filename="=?UTF-8?Q?long_?=\n\t=?UTF-8?Q?name.exe?="}
    ],
    [
        '2047, a character over two words',
        'Content-Disposition: attachment; filename="=?UTF-8?B?w6Q=?= =?UTF-8?Q?=C3?= =?UTF-8?Q?=A4.exe?="'
    ],
    [
        '2047, no such charset',
        'Content-Disposition: attachment; filename="=?x-none?Q?a=2Eexe?="'
    ],
    [
        '2047, not ended',
        'Content-Disposition: attachment; filename="=?UTF-8?Q?a=2Eexe"'
    ],
    [
        '2047, utf-7',
        'Content-Disposition: attachment; filename="=?UTF-7?Q?+AOQ-.exe?="'
    ],
    [
        '2047, big5',
        'Content-Disposition: attachment; filename="=?big5?B?pKSk5S5leGU=?="'
    ],
    [
        '2047, iso-2022-jp',
        'Content-Disposition: attachment; filename="=?ISO-2022-JP?B?GyRCRnxLXBsoQi5leGU=?="'
    ],
    [
        '8-bit utf-8',
        qq{Content-Disposition: attachment; filename="\xc3\xa4\xc3\xb6.exe"}
    ],
    [
        '8-bit latin1',
        qq{Content-Disposition: attachment; filename="\xe4\xf6.exe"}
    ],
    [ 'NUL',    qq{Content-Disposition: attachment; filename="a\0b.exe"} ],
    [ 'tab',    qq{Content-Disposition: attachment; filename="a\tb.exe"} ],
    [ 'escape', qq{Content-Disposition: attachment; filename="a\e[1mb.exe"} ],
    [
        'slashes',
        'Content-Disposition: attachment; filename="../../etc/a.exe"'
    ],
    [
        'backslashes',
        'Content-Disposition: attachment; filename="C:\\temp\\a.exe"'
    ],
    [ 'only dots', 'Content-Disposition: attachment; filename="..."' ],
    [
        'a dot at the end',
        'Content-Disposition: attachment; filename="a.exe."'
    ],
    [
        'a blank at the end',
        'Content-Disposition: attachment; filename="a.exe "'
    ],
    [
        'blanks hide the extension',
        'Content-Disposition: attachment; filename="a.txt'
            . ' ' x 100 . '.exe"'
    ],
    [
        'two extensions',
        'Content-Disposition: attachment; filename="a.txt.exe"'
    ],
    [
        'class id',
        'Content-Disposition: attachment; filename="a.{3050F4D8-98B5-11CF-BB82-00AA00BDCE0B}"'
    ],
    [
        '300 octets',
        'Content-Disposition: attachment; filename="' . 'n' x 296 . '.exe"'
    ],
    [
        '5,000 octets',
        'Content-Disposition: attachment; filename="' . 'n' x 4996 . '.exe"'
    ],
    [ 'type unknown',         'Content-Type: x-unknown/x-thing; name="a.exe"' ],
    [ 'type without subtype', 'Content-Type: application; name="a.exe"' ],
    [ 'type empty',           'Content-Type: ; name="a.exe"' ],
    [
        'other parameters',
        'Content-Disposition: attachment; size=3; filename=a.exe; read-date="x; filename=b.txt"'
    ],
);

[
    map {
        my ($name, @lines) = @$_;
        [
            "name: $name" => mail(
                "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=_b\"",
                multipart(
                    'mixed',             '=_b',
                    part('', "Hello\n"), part(join("\n", @lines), "MZ abc\n")
                ) =~ s/\A.*?\n\n//sr
            )
        ]
    } @fields
];
