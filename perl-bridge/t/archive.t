# SPDX-License-Identifier: MIT
# What is in archives of all kinds, made here by the programs that make them.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge              qw(get logged put spool);
use Compress::Raw::Zlib ();
use IPC::Open3          qw(open3);
use Mail::MIMEDefang;
use Mail::MIMEDefang::Utils;
use Test::More;

my $dir = spool();
chdir $dir or die;

# Runs a program quietly, here.
sub run (@command) {
    open my $null, '<',  '/dev/null' or die;
    open my $log,  '>>', 'log'       or die;
    my $pid = open3('<&' . fileno $null, '>&' . fileno $log, undef, @command);
    waitpid $pid, 0;
    return $? == 0 || die "@command: status $?\n", get('log');
}

sub have ($program) {
    return grep {-x} map {"$_/$program"} split /:/, $ENV{PATH};
}

sub names ($path, %limits) {
    return [ map { $_->{path} }
            @{ md_list_archive($path, \%limits)->{members} } ];
}

# ---- zip archives by hand -------------------------------------------------

sub deflated ($bytes) {
    my $z = Compress::Raw::Zlib::Deflate->new(
        -WindowBits   => -Compress::Raw::Zlib::MAX_WBITS(),
        -AppendOutput => 1
    );
    my $out = '';
    $z->deflate($bytes, $out);
    $z->flush($out);
    return $out;
}

# zip([NAME, CONTENT, OPTION => VALUE...]...): options flags, method, mode,
# central (another name in the directory), extra.
sub zip (@members) {
    my ($locals, $centrals) = ('', '');
    for (@members) {
        my ($name, $content, %o) = @{$_};
        $content //= '';
        my $method = $o{method} // 0;
        my $packed = $method == 8 ? deflated($content) : $content;
        my $extra  = $o{extra} // '';
        my $at     = length $locals;
        my @common = (
            $o{flags} // 0,
            $method, 0, 0, 0,
            length $packed,
            length $content
        );
        $locals .= pack('a4 v v v v v V V V v v',
            "PK\3\4", 20, @common, length $name, length $extra)
            . $name
            . $extra
            . $packed;
        my $other = $o{central} // $name;
        $centrals .= pack(
            'a4 v v v v v v V V V v v v v v V V',
            "PK\1\2", 20, 20, @common,
            length $other,
            length $extra,
            0, 0, 0, ($o{mode} // 0) << 16, $at
            )
            . $other
            . $extra;
    }
    return $locals . $centrals . pack 'a4 v v v v V V v', "PK\5\6", 0, 0,
        scalar @members,
        scalar @members, length $centrals, length $locals, 0;
}

subtest 'zip: names' => sub {
    my $uni = pack('v v C V', 0x7075, 5 + 5, 1, 0) . "\xc3\xa4.js";
    for (
        [ 'plain',  [ [ 'a.txt', 'x' ] ], ['a.txt'] ],
        [ 'blanks', [ [' a b .exe '] ],   [' a b .exe '] ],
        [
            'UTF-8 by flag',
            [ [ "\xc3\xa4.exe", '', flags => 0x800 ] ],
            ["\xe4.exe"]
        ],
        [ 'UTF-8 without', [ ["\xc3\xa4.exe"] ], ["\xe4.exe"] ],
        [ 'code page 437', [ ["\x84.exe"] ],     ["\xe4.exe"] ],
        [ 'backslash',     [ ['d\\a.exe'] ],     ['d/a.exe'] ],
        [
            'two directories',
            [ [ 'a.txt', '', central => 'a.exe' ] ],
            [ 'a.txt', 'a.exe' ]
        ],
        [ 'Unicode field', [ [ 'a', '', extra => $uni ] ], [ 'a', "\xe4.js" ] ],
        [ 'empty',         [],                             [] ],
        )
    {
        my ($label, $members, $want) = @{$_};
        is_deeply(names(put('z', zip(@{$members}))), $want, $label);
    }
    my $list = md_list_archive(
        put('z', zip([ 'l', 'target.exe', mode => 0120777 ])));
    is($list->{members}[0]{link}, 'target.exe', 'target of a link');
    is_deeply(
        [ @{$list}{qw(type error encrypted truncated)} ],
        [ 'zip', '', 0, 0 ],
        'type and no complaint'
    );
};

subtest 'zip: matching' => sub {
    for (
        [ 'no program',      zip(['a.txt']),                            0 ],
        [ 'a program',       zip(['d/a.EXE']),                          1 ],
        [ 'in second place', zip(['a.txt'], ['b.exe']),                 1 ],
        [ 'self-extractor',  'MZ' x 99 . zip(['a.exe']),                1 ],
        [ 'without end',     zip(['a.exe']) =~ s/PK\x01.*//sr,          1 ],
        [ 'in stored zip',   zip([ 'b', zip(['a.exe']) ]),              1 ],
        [ 'in deflated zip', zip([ 'b', zip(['a.exe']), method => 8 ]), 1 ],
        [
            'after a size that is a lie',
            do {
                my $z = zip([ 'a.img', 'x' ], ['b.exe']);
                substr $z, 18, 4, pack 'V', 140_000;
                $z . 'x' x 150_000;
            },
            1
        ],
        [ 'link to one',      zip([ 'l', 'a.exe', mode => 0120777 ]),       1 ],
        [ 'blank at the end', zip(['a.exe . ']),                            1 ],
        [ 'NUL inside',       zip(["a.exe\0.txt"]),                         1 ],
        [ 'behind a picture', "\xff\xd8\xff" . 'x' x 9000 . zip(['a.exe']), 1 ],
        )
    {
        my ($label, $bytes, $want) = @{$_};
        my $log = logged(
            sub {
                is(re_match_in_zip_directory(put('z', $bytes), '\.exe$'),
                    $want, $label);
            }
        );
        is($log, '', "$label: nothing to log");
    }
};

subtest 'which one matched' => sub {
    put('z', zip([ 'x.zip', zip([ 'd/b.exe', 'x' ]), method => 8 ]));
    is(re_match_in_zip_directory('z', '\.EXE$'), 1, 'in another archive');
    is($ArchiveMember,                           'x.zip!/d/b.exe', 'its path');
    is($ArchiveError,                            '',               'no error');
    is(re_match_in_zip_directory('z', '\.com$'), 0,                'no match');
    is($ArchiveMember,                           '', 'and no member');
    init_globals();
    is("$ArchiveMember$ArchiveError", '', 'reset for the next message');
};

subtest 'never silently unprotected' => sub {
    for (
        [ 'text', 'hello',  qr/no archive/ ],
        [ 'cut',  "PK\3\4", qr/zip: no member found/ ],
        [
            'encrypted',
            zip([ 'a', 'x', flags => 1 ]),
            qr/encrypted members are not looked into/
        ],
        [
            'unknown method',
            'MZ' . zip([ 'a', 'x', method => 99 ]),
            qr/packed in an unknown way/
        ],
        [ 'no program for it', "\x60\xea" . 'x' x 99, qr/arj/ ],
        )
    {
        my ($label, $bytes, $want) = @{$_};
        my $log = logged(
            sub {
                is(re_match_in_zip_directory(put('z', $bytes), '\.exe$'),
                    0, "$label: 0");
            }
        );
        like($log, qr/^warning: Archive \S*z: names of members are not known: /,
            "$label: told");
        like($log,          $want, "$label: why");
        like($ArchiveError, $want, "$label: in the variable");
    }
    my $log
        = logged(sub { is(re_match_in_zip_directory('none', '.'), 0, 'none') });
    like($log, qr/No such file/, 'no file');
    is(md_list_archive('none')->{type}, undef, 'and no type');
};

subtest 'limits' => sub {
    my $bytes = 'x' x 100_000;
    my $deep  = zip(['a.exe']);
    $deep = zip([ "$_.zip", $deep, method => 8 ]) for 1 .. 7;
    for (
        [
            'members',
            zip(map { ["f$_"] } 1 .. 9),
            { members => 5 },
            qr/more than 5 members/,
            5
        ],
        [ 'depth', $deep, {}, qr/nested deeper than 6/, 6 ],
        [
            'bytes',
            zip([ 'a.zip', zip([ 'b', $bytes ]), method => 8 ], ['c']),
            { bytes => 50_000 },
            qr/more than 50000 bytes unpacked/, 2
        ],
        [ 'time', zip(['a']), { seconds => 0 }, qr/more than 0 s of work/, 0 ],
        )
    {
        my ($label, $archive, $limits, $want, $count) = @{$_};
        my $list = md_list_archive(put('z', $archive), $limits);
        is($list->{truncated}, 1, "$label: truncated");
        like($list->{error}, $want, "$label: told");
        is(scalar @{ $list->{members} }, $count, "$label: members until then");
    }
    put('z', zip(map { ["f$_"] } 1 .. 9));
    is(scalar @{ names('z', members => 9) }, 9, 'just enough');
};

# ---- tar ---------------------------------------------------------------

my $long = 'd' x 90 . '/' . 'n' x 90 . '.exe';
mkdir 'in';
mkdir 'in/' . 'd' x 90;
put('in/a b.exe',      'x' x 700);
put("in/$long",        'y');
put("in/\xc3\xa4.txt", '');
symlink 'a b.exe', 'in/link';
my @MEMBERS = ('a b.exe', $long, "\xe4.txt", 'link');

sub has_members ($path, $type, $label) {
    my $list = md_list_archive($path);
    my %is   = map { $_->{path} =~ s{^\./}{}r => $_ } @{ $list->{members} };
    is($list->{type}, $type, "$label: type");
    ok($is{$_}, "$label: $_") || diag explain $list for @MEMBERS;
    is($list->{error}, '', "$label: no complaint");
    return \%is;
}

subtest 'tar' => sub {
    plan skip_all => 'needs GNU tar' if !have('tar');
    for my $format (qw(gnu oldgnu pax ustar)) {
        run(qw(tar -C in --format), $format, qw(-cf f .));
        my $is = has_members('f', 'tar', $format);
        is($is->{link}{link},      'a b.exe', "$format: target of the link");
        is($is->{'a b.exe'}{size}, 700,       "$format: size");
    }
    run(qw(tar -C in --format v7 -cf f), 'a b.exe');
    is_deeply(names('f'), ['a b.exe'], 'without magic');
    is(re_match_in_tgz_directory('f', '^a b\.exe$'), 1, 'name with blanks');

    my $two = get('f') . get('f') =~ s/a b/a c/r;
    $two =~ s/(a c\.exe.{141}).{8}/$1 . '        '/se;
    my $at  = index $two, 'a c.exe';
    my $sum = unpack '%32C*', substr $two, $at, 512;
    substr $two, $at + 148, 8, sprintf "%06o\0 ", $sum;
    put('f', $two);
    is_deeply(names('f'), [ 'a b.exe', 'a c.exe' ], 'two, one after the other');
    put('f', substr $two, 0, 900);
    like(md_list_archive('f')->{error}, qr/tar: cut off after 1 members/,
        'cut');

    open my $fh, '>', 'in/sparse' or die;
    truncate $fh, 1 << 20;
    for (0 .. 40) { seek $fh, 20_000 * $_, 0; print {$fh} 'data' }
    close $fh;
    for my $format (qw(oldgnu pax)) {
        run(qw(tar -S -C in --format), $format, '-cf', 'f', 'sparse',
            'a b.exe');
        is_deeply(names('f'), [ 'sparse', 'a b.exe' ], "$format: with holes");
    }
    unlink 'in/sparse';
};

subtest 'compressed tar' => sub {
    run(qw(tar -C in -cf f.tar .));
    for (
        [ gz   => qw(gzip -c) ],
        [ bz2  => qw(bzip2 -c) ],
        [ xz   => qw(xz -c) ],
        [ lzma => qw(xz --format=lzma -c) ],
        [ zst  => qw(zstd -qc) ],
        [ lz   => qw(lzip -c) ],
        )
    {
        my ($type, @command) = @{$_};
    SKIP: {
            skip "no $command[0]", 1 if !have($command[0]);
            run('sh', '-c', "@command < f.tar > msg-1-1.dat");
            has_members('msg-1-1.dat', "tar.$type", $type);
            is(re_match_in_tgz_directory('msg-1-1.dat', '/link$'),
                1, "$type: the last member");
        }
    }
    run(qw(gzip -kf f.tar));
    ok((grep { $_ eq 'f.tar' } @{ names('f.tar.gz') }), 'name in the header');
    put('evil.exe', 'x');
    run(qw(gzip -f evil.exe));
    is(re_match_in_tgz_directory('evil.exe.gz', '\.exe$'), 1, 'of one file');
    put('f', substr get('f.tar.gz'), 0, 200);
    like(md_list_archive('f')->{error}, qr/\w/, 'cut: told');
};

# ---- read by programs ----------------------------------------------------

subtest '7z, cab, cpio, ar, iso' => sub {
    plan skip_all => 'needs bsdtar' if !have('bsdtar');
    for (
        [ '7z'   => qw(--format=7zip) ],
        [ 'xar'  => qw(--format=xar) ],
        [ 'cpio' => qw(--format=newc) ],
        [ 'iso'  => qw(--format=iso9660 --options=rockridge) ],
        )
    {
        my ($type, @how) = @{$_};
        local $ENV{LC_ALL} = 'C.UTF-8';
        run('bsdtar', @how, qw(-C in -cf f .));
        has_members('f', $type, $type);
        is(re_match_in_7zip_directory('f', '\.txt$'), 1, "$type: match");
    }
    put('a.exe', 'x');
    run(qw(bsdtar --format=ar -cf f a.exe));
    is_deeply(names('f'), ['a.exe'], 'ar');
    is(md_list_archive('f')->{type}, 'ar', 'ar: type');

    my $sfx = 'MZ' . "\x90" x 3000;
    run(qw(bsdtar --format=7zip -cf f a.exe));
    put('sfx', $sfx . get('f'));
    is_deeply(names('sfx'), ['a.exe'], '7z behind a self-extractor');
};

subtest '7z of the 7-Zip program' => sub {
    my ($program) = map { have($_) } qw(7zz 7z 7za);
    plan skip_all => 'needs 7zz' if !$program;
    put('a.txt', 'x' x 3000);
    put('b.exe', 'y' x 3000);
    unlink 'f.7z';
    run($program, qw(a -bd f.7z a.txt b.exe));
    is(re_match_in_7zip_directory('f.7z', '^b\.exe$'), 1, 'second member');
    unlink 'f.7z';
    run($program, qw(a -bd -psecret f.7z a.txt b.exe));
    my $list = md_list_archive('f.7z');
    is_deeply(
        [ [ map { $_->{path} } @{ $list->{members} } ], $list->{encrypted} ],
        [ [ 'a.txt', 'b.exe' ],                         1 ],
        'encrypted contents'
    );
    unlink 'f.7z';
    run($program, qw(a -bd -psecret -mhe=on f.7z a.txt));
    like(md_list_archive('f.7z')->{error}, qr/\w/, 'encrypted names: told');
    unlink 'f.zip';
    run($program, qw(a -bd -tzip -mm=LZMA f.zip a.txt b.exe));
    is_deeply(names('f.zip'), [ 'a.txt', 'b.exe' ], 'zip with LZMA');
};

subtest 'nested, of all kinds' => sub {
    plan skip_all => 'needs bsdtar' if !have('bsdtar');
    put('inner.exe', 'x');
    run(qw(bsdtar --format=7zip -cf i.7z inner.exe));
    run(qw(tar -czf i.tgz i.7z));
    put('i.zip', zip([ 'i.tgz', get('i.tgz'), method => 8 ]));
    run(qw(bsdtar --format=7zip -cf o.7z i.zip));
    is(re_match_in_zip_directory('o.7z', '\.exe$'), 1,  'found');
    is($ArchiveMember, 'i.zip!/i.tgz!/i.7z!/inner.exe', 'told where');
};

# A description of files, which bsdtar would read from our disk.
subtest 'nothing from the disk' => sub {
    plan skip_all => 'needs bsdtar' if !have('bsdtar');
    my $zip   = put("$dir/bait", zip(['bait.exe']));
    my $mtree = "#mtree\nx type=file contents=$zip\n";
    put('m', $mtree);
    run(qw(gzip -kf m));
    put('m.iso', $mtree . ' ' x (32_769 - length $mtree) . 'CD001' . "\0" x 99);
    put('m.sfx', "MZ type=file contents=$zip\nRar!\x1a\x07" . 'x' x 99);
    for my $file (qw(m m.gz m.iso m.sfx)) {
        is_deeply([ grep {/bait/} @{ names($file) } ], [], $file);
    }
};

# ---- rar -----------------------------------------------------------------

# Stored members in an archive of version 4.
sub rar4 (@names) {
    my $block = sub ($type, $flags, $body) {
        my $head = pack 'C v v', $type, $flags, 7 + length $body;
        my $crc  = Compress::Raw::Zlib::crc32($head . $body) & 0xffff;
        return pack('v', $crc) . $head . $body;
    };
    my $rar = "Rar!\x1a\x07\x00" . $block->(0x73, 0, "\0" x 6);
    for my $name (@names) {
        my $body = pack 'V V C V V C C v V', 1, 1, 3,
            Compress::Raw::Zlib::crc32('x'), 0x5000_0000, 20, 0x30,
            length $name, 0x81a4;
        $rar .= $block->(0x74, 0x8000, $body . $name) . 'x';
    }
    return $rar . $block->(0x7b, 0x4000, '');
}

# The same in version 5.
sub rar5 (@names) {
    my $vint = sub ($n) {
        my $out = '';
        while ($n > 127) { $out .= chr($n & 127 | 128); $n >>= 7 }
        return $out . chr $n;
    };
    my $block = sub (@fields) {
        my $head = join '', map { ref $_ ? ${$_} : $vint->($_) } @fields;
        $head = $vint->(length $head) . $head;
        return pack('V', Compress::Raw::Zlib::crc32($head)) . $head;
    };
    my $rar = "Rar!\x1a\x07\x01\x00" . $block->(1, 0, 0);
    for my $name (@names) {
        $rar .= $block->(2, 2, 1, 0, 1, 0x81a4, 0, 1, length $name, \$name)
            . 'x';
    }
    return $rar . $block->(5, 0, 0);
}

subtest 'rar' => sub {
    plan skip_all => 'needs bsdtar' if !have('bsdtar');
    for (
        [ rar4 => rar4('a.txt', 'b c.exe') ],
        [ rar5 => rar5('a.txt', 'b c.exe') ]
        )
    {
        my ($label, $bytes) = @{$_};
        put('f', $bytes);
        is_deeply(names('f'), [ 'a.txt', 'b c.exe' ], "$label: all members");
        is(re_match_in_rar_directory('f', '^b c\.exe$'), 1, "$label: match");
        is(md_list_archive('f')->{type},  'rar', "$label: type");
        is(md_list_archive('f')->{error}, '',    "$label: no complaint");
    }
    put('sfx', 'MZ' . "\x90" x 5000 . rar5('a.exe'));
    is_deeply(names('sfx'), ['a.exe'], 'behind a self-extractor');
    put('picture', "\xff\xd8\xff" . 'x' x 5000 . rar5('a.exe'));
    is_deeply(names('picture'), ['a.exe'], 'behind a picture');
};

subtest '7-Zip of the filter\'s choice' => sub {
    plan skip_all => 'needs bsdtar' if !have('bsdtar');
    put('a.txt', 'x');
    run(qw(bsdtar --format=7zip -cf f a.txt));
    my $program = put("$dir/my-7z", <<"END");
#!/bin/sh
echo "\$*" > $dir/args
printf 'Path = one\\nSize = 7\\nEncrypted = -\\n\\nPath = two words.exe\\n'
END
    chmod 0755, $program;
    local $Features{'7zip'} = $program;
    is_deeply(
        names('f'),
        [ 'one', 'two words.exe', 'a.txt' ],
        'its list, and what is found when the archive is unpacked'
    );
    is(get('args'), "l -slt -ba -pnone -- $dir/f\n", 'how it is called');
};

subtest 'what the filter chose stays' => sub {
    local $Features{'7zip'} = '/opt/7z';
    local $Features{tar};
    is(Mail::MIMEDefang::Utils::md_init(), 1,         'md_init');
    is($Features{'7zip'},                  '/opt/7z', 'as it was');
    like($Features{tar}, qr/tar\z|\A\z/, 'found, or known not to be there');
};

subtest 'unrar of the filter\'s choice' => sub {
    put('f', rar4('a.txt'));
    my $program = put("$dir/my-unrar", <<"END");
#!/bin/sh
echo "\$*" > $dir/args
cat <<'LIST'
Archive: f
 Attributes      Size     Date    Time   Name
----------- ---------  ---------- -----  ----
    ..A....         1  2020-01-01 10:00  one.txt
*   ..A....         1  2020-01-01 10:00  two words.exe
----------- ---------  ---------- -----  ----
LIST
END
    chmod 0755, $program;
    local $Features{unrar} = $program;
    my $list = md_list_archive('f');
    is_deeply(
        [
            map { "$_->{path} " . ($_->{encrypted} // 0) } @{ $list->{members} }
        ],
        [ 'one.txt 0', 'two words.exe 1' ],
        'all lines are read'
    );
    is(get('args'), "l -c- -p- -idcdp $dir/f\n",   'how it is called');
    is(re_match_in_rar_directory('f', 'words'), 1, 'second member');
    $Features{unrar} = 0;
    like(md_list_archive('f')->{error},
        qr/switched off by the filter: \$Features\{'unrar'\} is 0/, 'off');
};

subtest 'without programs' => sub {
    require Mail::MIMEDefang::Archive::Program;
    no warnings qw(once redefine);
    local *Mail::MIMEDefang::Archive::Program::find_program = sub {return};
    local $Features{'7zip'};
    put('f', rar4('a.txt'));
    my $list = md_list_archive('f');
    like(
        $list->{error},
        qr/no program that reads rar archives \(package libarchive-tools\)/,
        'told what to install'
    );
    put('z', zip([ 'b', zip(['a.exe']), method => 8 ]));
    is(re_match_in_zip_directory('z', '\.exe$'),     1, 'zip needs none');
    is(re_match_in_tgz_directory('f.tar', '\.exe$'), 1, 'nor does tar');
    local $Features{tar} = 0;
    like(md_list_archive('f.tar')->{error}, qr/switched off/, 'tar off');
};

subtest 'a program that hangs' => sub {
    mkdir 'bin';
    put('bin/bsdtar', "#!/bin/sh\nexec sleep 600\n");
    chmod 0755, 'bin/bsdtar';
    local $ENV{PATH} = "$dir/bin:$ENV{PATH}";
    put('f', rar4('a.txt'));
    local $Features{'7zip'} = 'none';
    my $list = md_list_archive('f', { seconds => 0.2 });
    like($list->{error}, qr/not finished within|s of work/, 'ended and told');
};

chdir '/';
done_testing;
