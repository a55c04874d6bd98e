# SPDX-License-Identifier: MIT
# %Features, what is detected and when it is loaded; read_config.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(put run_program spool start);
use Test::More;

# What EXPRESSION is in a worker with FILTER.
sub value ($filter, $expression, %with) {
    my $w
        = start(
        "$filter\nsub filter_unknown_cmd { return ('ok', $expression) }\n",
        %with);
    my $answer = $w->ask('Value') // 'no answer';
    return $answer =~ s/^ok //r =~ s/%(..)/chr hex $1/ger;
}

# Makes programs of these NAMES; the directory that has them.
sub programs (@names) {
    my $dir = spool();
    for my $name (@names) {
        put("$dir/$name", "#!/bin/sh\n");
        chmod 0755, "$dir/$name";
    }
    return $dir;
}

subtest 'keys' => sub {
    my @virus
        = map {"Virus:$_"}
        qw(AVP AVP5 BDC CLAMAV CLAMD CLAMDSCAN CSAV FPROT FPROTD FPROTD6 FPSCAN
        FSAV HBEDV KAVSCANNER NAI NOD32 NVCC SAVSCAN SOPHIE SOPHOS SymantecCSS
        TREND TROPHIE VEXIRA);
    my @other = qw(Path:SENDMAIL Path:QUARANTINEDIR Path:SPOOLDIR Path:CONFDIR
        Path:CLAMDCONF tar 7zip SpamAssassin HTML::Parser Archive::Zip Net::DNS
        Digest::MD5 Digest::SHA Mail::BIMI);
    my @missing = grep { !length }
        split /,/,
        value('',
              "join ',', map { exists \$Features{\$_}"
            . " && defined \$Features{\$_} ? 'yes' : \$_ } qw(@virus @other)");
    is_deeply(\@missing, [], 'all are there');
    is(
        value(
            '', "join ',', grep { !defined \$Features{\$_} } qw(@virus @other)"
        ),
        '',
        'and defined'
    );
    is(value('', 'join ",", @Features{qw(unrar AutoDetectPerlModules)}'),
        ',', 'two are only read');
    is(
        value('', '$Features{"Path:CLAMDCONF"}'),
        "$ENV{MIMEDEFANG_CONFDIR}/MD-clamdscan.conf",
        'Path:CLAMDCONF'
    );
};

subtest 'programs' => sub {
    my $dir = programs(qw(7za rspamc tar));
    my $env = { PATH => "$dir:$ENV{PATH}" };
    is(value('', '$Features{tar}',           env => $env), "$dir/tar", 'tar');
    is(value('', '$Features{"Path:RSPAMC"}', env => $env),
        "$dir/rspamc", 'rspamc');
    is(value('$Features{tar} = "/own/tar";', '$Features{tar}'),
        '/own/tar', 'what the filter sets stays');
    is(
        value(
            '$Features{tar} = "/own/tar"; detect_and_load_perl_modules();',
            '$Features{tar}'
        ),
        '/own/tar',
        'after detection, too'
    );
    is(
        value(
            'BEGIN { $seen = $Features{tar} } $Features{"7zip"} = 0;'
                . ' detect_and_load_perl_modules();',
            '$Features{"7zip"}, length $seen > 3 ? 1 : 0'
        ),
        '0 1',
        '0 switches off; the filter sees it while it is loaded'
    );
};

subtest 'modules' => sub {
    my $detect = 'detect_and_load_perl_modules();';
    for my $module (qw(Archive::Zip HTML::Parser Net::DNS SpamAssassin)) {
        is(value("\$Features{'$module'} = 0;", "\$Features{'$module'}"),
            0, "$module: 0 stays");
        is(
            value(
                "\$Features{'$module'} = 0; $detect $detect",
                "\$Features{'$module'}"
            ),
            0,
            'however often it is detected'
        );
    }
    is(
        value(
            "\$Features{AutoDetectPerlModules} = 0; $detect",
            'defined $Features{"Net::DNS"} ? 1 : 0'
        ),
        0,
        'AutoDetectPerlModules: nothing is looked for'
    );
    is(
        value(
            $detect, '$Features{"Digest::SHA"}, $Features{"Mail::None"} // 5'
        ),
        '1 5',
        'installed'
    );

    # Devel::Cover loads Digest::MD5 itself
    return if $INC{'Devel/Cover.pm'};
    my $loaded = '(grep { $INC{$_} } "Net/DNS.pm", "Digest/MD5.pm") + 0';
    is(value($detect, $loaded), 0, 'what the filter does not name');
    is(value("$detect # Digest::MD5", $loaded), 1, 'is not loaded');

    my $broken = spool();
    mkdir "$broken/Digest";
    put("$broken/Digest/MD5.pm", "die 'broken';\n");
    is(
        value(
            "BEGIN { unshift \@INC, '$broken' } $detect # Digest::MD5",
            '$Features{"Digest::MD5"}'
        ),
        0,
        'one that cannot be loaded is not there'
    );
};

subtest 'detect_antivirus_support' => sub {
    my $ask = 'Mail::MIMEDefang::detect_antivirus_support()';
    my $off = '$Features{$_} = 0 for grep { /^Virus:/ } keys %Features;';
    is(value($off, $ask), 1, 'nothing said about detection');
    $off .= '$Features{AutoDetectPerlModules} = 1;';
    is(value($off,                                      $ask), 0, 'no scanner');
    is(value("$off \$Features{'Virus:CLAMAV'} = '/x';", $ask), 1, 'one');
};

subtest 'report' => sub {
    my $dir    = spool();
    my $filter = put("$dir/filter", <<'END');
%Features = ('Virus:B' => '/b', 'A' => 1, 'Z' => 0, 'Y' => '', 'Path:SPOOLDIR' => '/s',
    'Path:CONFDIR' => '/c', 'AutoDetectPerlModules' => 0);
1;
END
    my ($status, $out) = run_program('-f', $filter, '-features');
    is($status, 0, 'exit status');
    like(
        $out,
        qr{\AMIMEDefang\ version\ \d+\.\d+\.\d+\n\n
           A\ {29}:\ yes\n
           Path:CONFDIR\ {18}:\ yes\ \(/c\)\n
           Path:SPOOLDIR\ {17}:\ yes\ \(/s\)\n
           Virus:B\ {23}:\ yes\ \(/b\)\n
           AutoDetectPerlModules\ {9}:\ no\n
           Y\ {29}:\ no\n
           Z\ {29}:\ no\n
           \n
           Archive::Zip\ {18}:\ (?:Version\ \S+|missing)\n
           Digest::SHA\ {19}:\ Version\ \S+\n
           HTML::Parser\ {18}:\ (?:Version\ \S+|missing)\n
           IO::Socket\ {20}:\ Version\ \S+\n
           MIME::Base64\ {18}:\ Version\ \S+\n
           MIME::Tools\ {19}:\ Version\ \S+\n
           MIME::Words\ {19}:\ Version\ \S+\n
           Mail::Mailer\ {18}:\ (?:Version\ \S+|missing)\n
           Mail::SpamAssassin\ {12}:\ (?:Version\ \S+|missing)\n
           Net::DNS\ {22}:\ (?:Version\ \S+|missing)\n
           Unix::Syslog\ {18}:\ (?:Version\ \S+|missing)\n\z}x,
        'its columns and order'
    );
};

subtest 'mimedefang.pl.conf' => sub {
    my $file = "$ENV{MIMEDEFANG_CONFDIR}/mimedefang.pl.conf";
    put($file, "\$Features{'Virus:NAI'} = '/opt/uvscan';\n1;\n");
    is(value('$seen = $Features{"Virus:NAI"};', '$seen'),
        '/opt/uvscan', 'is loaded, before the filter');
    is(value('$Features{"Virus:NAI"} = 0;', '$Features{"Virus:NAI"}'),
        '0', 'which has the last word');
    put($file, "oops(\n1;\n");
    my ($status, undef, $errors) = run_program('-f', '/dev/null', '-test');
    isnt($status, 0, 'it does not compile: nothing starts');
    like($errors, qr{mimedefang\.pl\.conf line \d}, 'and it is named');
    unlink $file or die "$file: $!\n";
};

subtest 'read_config' => sub {
    my $dir = spool();
    my $own = put("$dir/own", '$from_file = 7; sub from_file { 8 }');
    my $bad = put("$dir/bad", 'sub {');
    my $die = put("$dir/die", "die qq{no\\n}");
    my $all = put("$dir/all", '1');
    chmod 0666, $all;
    my $w
        = start('sub filter_unknown_cmd { return ("ok",'
            . ' read_config($_[1]), $from_file,'
            . ' defined &from_file ? from_file() : 0) }');
    is($w->ask("Read $dir"),      'ok 1  0',           'a directory');
    is($w->ask('Read /nowhere'),  'ok 1  0',           'nothing');
    is($w->ask('Read /dev/null'), 'ok 1  0',           'a device');
    is($w->ask("Read $all"),      'ok 1  0',           'anybody may write it');
    is(() = $w->stderr =~ /^crit: read_config: /mg, 4, 'all logged');

SKIP: {
        skip 'only root has files of root', 5 if $> != 0;
        is($w->ask("Read $own"), 'ok 0 7 8', 'one of root: in package main');
        is($w->ask("Read $bad"), 'ok 1 7 8', 'does not compile');
        is($w->ask("Read $die"), 'ok 1 7 8', 'dies');
        like($w->stderr,
            qr/^err: read_config: \S+: .*\nerr: read_config: \S+: no$/m,
            'both logged');
        chown 1, -1, $own;
        is($w->ask("Read $own"), 'ok 1 7 8', 'not of root');
    }
};

done_testing;
