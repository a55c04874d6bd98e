# SPDX-License-Identifier: MIT
# The command line of mimedefang.pl.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(get program put run_program spool work_dir);
use Test::More;

my $dir  = spool();
my $good = put("$dir/good", "sub filter_validate { return 7 }\n1;\n");

subtest 'words' => sub {
    my ($status, $out, $err) = run_program('-version');
    is($status, 0,                       '-version succeeds');
    is($out,    "mimedefang.pl 0.1.0\n", 'and says which');
    ($status, $out) = run_program('--help');
    is($status, 0, '--help succeeds');
    like($out, qr/^Usage: mimedefang\.pl .*-server/, 'and begins with usage');

    for my $args ([], ['-bad'], [ 'a', 'b' ], [ '-f', $good ]) {
        ($status, $out, $err) = run_program(@{$args});
        is($status, 1,  "exit status of '@{$args}'");
        is($out,    '', 'nothing on standard output');
        like(
            $err,
            qr/^Usage: mimedefang\.pl \[-f FILTER\] WORKDIR\|-server/m,
            'usage on standard error'
        );
    }
};

subtest 'words that have moved' => sub {
    for (
        [ -structure   => '--structure' ],
        [ -prettyprint => '--prettyprint' ],
        [ -dump        => '--dump' ],
        [ -data        => '--data-dump' ],
        )
    {
        my ($word, $option) = @{$_};
        my ($status, $out, $err) = run_program($word);
        is($status, 1,  "$word: exit status");
        is($out,    '', 'nothing on standard output');
        is(
            $err,
            "mimedefang.pl: $word is done by another program:"
                . " mimedefang-util $option < MESSAGE\n",
            'the program that does it'
        );
    }
};

subtest 'inside another program' => sub {
    my $filter = put("$dir/emb",
        'sub filter_unknown_cmd { ("ok", $DoStatusTags, $ServerMode) } 1;');
    for ([ -embserver => 'ok 0 1' ], [ -embserveru => 'ok 1 1' ]) {
        my ($mode, $want) = @{$_};
        my $host = put("$dir/host.pl", <<'END');
$0 = shift;
do $0;
die $@ if $@;
print "loaded\n";
exit do_main_loop();
END
        open my $in, '-|', 'sh', '-c',
            'cd "$1"; printf "Mode\n" | "$2" "$3" "$4" -f "$5" "$6" 3>/dev/null',
            'sh', $dir, $^X, $host, program(), "$filter", $mode
            or die;
        is(join('', <$in>),
            "loaded\n$want\n", "$mode returns; do_main_loop serves");
        close $in;
        is($?, 0, 'exit status');
    }
};

subtest 'test' => sub {
    my ($status, $out) = run_program('-f', $good, '-test');
    is($status, 0,                                             'a good filter');
    is($out,    "Filter $good seems syntactically correct.\n", 'is named');

    my $bad = put("$dir/bad", "sub filter { (\n1;\n");
    ($status, $out, my $err) = run_program('-f', $bad, '-test');
    is($status, 255, 'a filter that does not compile');
    like($err, qr/^syntax error at \Q$bad\E line 2/m, 'with the place');

    my $false = put("$dir/false", "0;\n");
    ($status, $out, $err) = run_program('-f', $false, '-test');
    is($status, 255, 'a filter that returns false');

    ($status, $out, $err) = run_program('-f', "$dir/missing", '-test');
    is($status, 2, 'a missing filter: ENOENT');
    like($err,
        qr/^err: Cannot load the filter: Can't locate \Q$dir\E\/missing at /m,
        'is logged');

    ($status) = run_program('-f', '/dev/null', '-test');
    is($status, 0, '/dev/null is no filter');

    put("$dir/required.pl", "1;\n");
    chdir $dir;
    ($status) = run_program('-f', 'good', '-test');
    is($status, 0, 'a relative path');
    chdir '/';
};

subtest 'validate and features' => sub {
    my ($status) = run_program('-f', $good, '-validate');
    is($status, 7, 'what filter_validate returned');
    ($status, my $out, my $err) = run_program('-f', '/dev/null', '-validate');
    is($status, 1, 'no filter_validate');
    like($err, qr/^ERROR: .*\nERROR: /, 'two lines');

    my $off = put("$dir/off",
        "\$Features{'HTML::Parser'} = 0; detect_and_load_perl_modules(); 1;\n");
    ($status, $out) = run_program('-f', $off, '-features');
    is($status, 0, '-features succeeds');
    like($out, qr/\AMIMEDefang version 0\.1\.0\n\n/, 'version first');
    like($out,
        qr{^Path:SPOOLDIR                 : yes \(/var/spool/MIMEDefang\)$}m,
        'a value');
    like(
        $out,
        qr/^HTML::Parser                  : no$/m,
        'what the filter switched off stays off'
    );
    like($out, qr/^MIME::Tools                   : Version 5\.\d+$/m,
        'a version');
};

subtest 'one directory' => sub {
    my $spool = spool();
    local $ENV{MIMEDEFANG_SPOOLDIR} = $spool;
    my $filter = put("$dir/once",
              "sub filter_initialize { \$n = 5 }\n"
            . "sub filter_end { action_add_header('X-N', \$n) }\n1;\n");
    my $work = work_dir($spool, "Subject: a\n\nb\n");
    my ($status, $out) = run_program('-f', $filter, $work);
    is($status,              0,  'scanned');
    is($out,                 '', 'no answer outside of the server loop');
    is(get("$work/RESULTS"), "HX-N 5\nF\n", 'RESULTS');

    my ($name) = work_dir($spool, "Subject: a\n\nb\n") =~ m{([^/]+)\z};
    ($status) = run_program('-f', $filter, $name);
    is($status, 0, 'a name below the spool');

    my $relative = work_dir($spool, "Subject: a\n\nb\n");
    chdir program() =~ s{/[^/]*\z}{}r;
    system $^X, '../bin/mimedefang.pl', '-f', $filter, $relative;
    is($?, 0, 'started by a relative path');
    chdir '/';

    ($status, $out, my $err) = run_program('-f', $filter, 'nowhere');
    isnt($status, 0, 'no such directory');
    like($err, qr{Cannot chdir to \Q$spool\E/nowhere: No such file}, 'says so');
};

subtest 'installed' => sub {
    my $prefix = spool();
    my $top    = $FindBin::Bin =~ s{/t\z}{}r;
    mkdir "$prefix/$_" for qw(bin share other);
    symlink "$top/lib", "$prefix/share/perl5";
    put("$prefix/bin/mimedefang.pl", get(program()));
    symlink '../bin/mimedefang.pl', "$prefix/other/mimedefang.pl";
    for my $place (qw(bin other)) {
        is(
            `$^X $prefix/$place/mimedefang.pl -version`,
            "mimedefang.pl 0.1.0\n",
            "modules are found from $place"
        );
    }
};

done_testing;
