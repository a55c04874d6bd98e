# SPDX-License-Identifier: MIT
# Virus scanners that are programs: what they are called with and what is made of
# what they print and of each exit code.  A script of ours plays them all.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge qw(get logged put run_program spool start);
use Mail::MIMEDefang;
use Mail::MIMEDefang::Antivirus;
use Mail::MIMEDefang::Antivirus::Table qw(@SCANNERS);
use MIME::Body;
use MIME::Entity;
use Test::More;

my $dir = spool();
mkdir "$dir/Work";
put("$dir/Work/msg-1-1.txt", 'text');
put("$dir/Work/msg-1-2.dat", 'data');
chdir $dir or die;
open STDERR, '>', "$dir/stderr" or die;    # what is logged

# It keeps its arguments, and speaks and ends as it is told.
my $program = put("$dir/scanner", <<'END');
#!/bin/sh
for a; do echo "$a"; done > args
. ./end
END
chmod 0755, $program;

my $part = MIME::Entity->build(Type => 'text/plain', Data => 'x');
$part->bodyhandle(MIME::Body::File->new('./Work/msg-1-1.txt'));

sub message () {
    init_globals();
    $CWD                        = $dir;
    $InMessageContext           = 1;
    $CurrentVirusScannerMessage = '';
    return;
}

# Calls function NAME while the scanner says TEXT and ends with STATUS.
sub call ($name, $text, $status, @args) {
    my $end = $status =~ /\D/ ? $status : "exit $status";
    $text =~ s/'/'\\''/g;
    put("$dir/end", "printf %s '$text'\n$end\n");
    unlink "$dir/args";
    my $code = main->can($name) // die "no $name";
    my @got  = $code->(@args);
    my $args = get("$dir/args") // '';
    return (\@got, [ split /\n/, $args ]);
}

my $work = "$dir/Work";
my @all  = ("$work/msg-1-1.txt", "$work/msg-1-2.dat");
my $item = './Work/msg-1-1.txt';

my %ACTION = (
    ok          => 'ok',
    virus       => 'quarantine',
    suspicious  => 'quarantine',
    interrupted => 'tempfail',
    swerr       => 'tempfail',
);

# Of each scanner: arguments for a part, for a message, and then exit code, what
# it prints; code, category and name that are returned.
my @CASES = (
    {
        name    => 'clamdscan',
        feature => 'CLAMDSCAN',
        part    => [ qw(--no-summary --infected --fdpass --stream), $item ],
        message => [qw(--no-summary --infected --fdpass --stream ./Work)],
        ends    => [
            [ 0, '',                     0,   'ok',    '' ],
            [ 1, "$item: A.B-1 FOUND\n", 1,   'virus', 'A.B-1' ],
            [ 1, "garbage\n",            1,   'virus', 'unknown-Clamav-virus' ],
            [ 2, "ERROR: no daemon\n",   999, 'swerr', '' ],
            [ 40, '',                    999, 'swerr', '' ],
        ],
    },
    {
        name    => 'avp5',
        feature => 'AVP5',
        part    => [ qw(-s -p /var/run/aveserver), $item ],
        message => [ qw(-s -p /var/run/aveserver), @all ],
        ends    => [
            [ 0, '',                    0, 'ok',          '' ],
            [ 5, '',                    5, 'ok',          '' ],
            [ 6, '',                    6, 'ok',          '' ],
            [ 1, '',                    1, 'interrupted', '' ],
            [ 2, "x INFECTED Worm.A\n", 2, 'virus',       'Worm.A' ],
            [ 4, "nothing\n", 4,           'virus',      'unknown-AVP5-virus' ],
            [ 3, '',          3,           'suspicious', 'suspicious' ],
            [ 8, '',          8,           'suspicious', 'suspicious' ],
            [ 7, '',          7,           'swerr',      '' ],
            [ 9, '',          999,         'swerr',      '' ],
        ],
    },
    {
        name    => 'kavscanner',
        feature => 'KAVSCANNER',
        part    => [ qw(-e PASBME -o syslog -i0), $item ],
        message => [ qw(-e PASBME -o syslog -i0), @all ],
        ends    => [
            [ 0,  '', 0,  'ok',         '' ],
            [ 5,  '', 5,  'ok',         '' ],
            [ 10, '', 10, 'ok',         '' ],
            [ 9,  '', 9,  'suspicious', 'kavscanner-password-protected-zip' ],
            [ 20, '', 20, 'suspicious', 'suspicious' ],
            [ 21, "a INFECTED V\n", 21,  'virus', 'V' ],
            [ 25, '',               25,  'virus', 'unknown-kavscanner-virus' ],
            [ 30, '',               999, 'swerr', '' ],
        ],
    },
    {
        name    => 'clamav',
        feature => 'CLAMAV',
        part    => [ qw(--stdout --no-summary --infected), $item ],
        message => [qw(-r --stdout --no-summary --infected ./Work)],
        ends    => [
            [ 0,  '',                                  0, 'ok',    '' ],
            [ 1,  "x: First FOUND\ny: Second FOUND\n", 1, 'virus', 'First' ],
            [ 1,  '', 1,   'virus', 'unknown-Clamav-virus' ],
            [ 2,  '', 999, 'swerr', '' ],
            [ 50, '', 999, 'swerr', '' ],
        ],
    },
    {
        name    => 'avp',
        feature => 'AVP',
        part    => [ qw(-Y -O- -K -I0), $item ],
        message => [qw(-Y -O- -K -I0 ./Work)],
        ends    => [
            [ 0,  '',                  0, 'ok',          '' ],
            [ 5,  '',                  5, 'ok',          '' ],
            [ 6,  '',                  6, 'ok',          '' ],
            [ 1,  '',                  1, 'interrupted', '' ],
            [ 2,  "x infected: Foo\n", 2, 'virus',       'Foo' ],
            [ 4,  '',                  4, 'virus',       'unknown-AVP-virus' ],
            [ 3,  '',                  3, 'suspicious',  'suspicious' ],
            [ 8,  '',                  8, 'suspicious',  'suspicious' ],
            [ 7,  '',                  7, 'swerr',       '' ],
            [ 77, '',                  999, 'swerr',     '' ],
        ],
    },
    {
        name    => 'nai',
        feature => 'NAI',
        part    => [ qw(--mime --noboot --secure --allole), $item ],
        message => [qw(--mime --noboot --secure --allole ./Work)],
        ends    => [
            [ 0, '', 0, 'ok', '' ],
            [
                13, "a\n    Found the EICAR test file virus !!!\n",
                13, 'virus', 'EICAR-Test'
            ],
            [
                13, "Found the W32/K.h\@MM virus !!!\n",
                13, 'virus', 'W32/K.h@MM'
            ],
            [ 13, "Found the X!Y sort of virus\n",    13, 'virus', 'XY' ],
            [ 13, "Found the Bad trojan !!!\n",       13, 'virus', 'Bad' ],
            [ 13, "Found virus or variant New !!!\n", 13, 'virus', 'New' ],
            [ 13, '', 13, 'virus', 'unknown-NAI-virus' ],
            (map { [ $_, '', $_, 'swerr', '' ] } 2, 6, 8, 12, 19),
            [ 102, '', 102, 'interrupted', '' ],
            [ 1,   '', 999, 'swerr',       '' ],
        ],
    },
    {
        name    => 'fprot',
        feature => 'FPROT',
        part    => [ qw(-DUMB -ARCHIVE -PACKED), $item ],
        message => [qw(-DUMB -ARCHIVE -PACKED ./Work)],
        ends    => [
            [ 0, '',                   0, 'ok',    '' ],
            [ 8, '',                   8, 'ok',    '' ],
            [ 3, "x Infection: Foo\n", 3, 'virus', 'Foo' ],
            [ 3, '',                   3, 'virus', 'unknown-FPROT-virus' ],
            (map { [ $_, '', $_, 'swerr', '' ] } 1, 2, 4, 5, 6, 7),
            [ 9, '', 999, 'swerr', '' ],
        ],
    },
    {
        name    => 'fpscan',
        feature => 'FPSCAN',
        part => [ qw(--report --archive=5 --scanlevel=4 --heurlevel=3), $item ],
        message =>
            [qw(--report --archive=5 --scanlevel=4 --heurlevel=3 ./Work)],
        ends => [
            [ 0, '',                                0, 'ok',    '' ],
            [ 2, '',                                2, 'ok',    '' ],
            [ 1, "[Found virus] <Foo (exact)> x\n", 1, 'virus', 'Foo' ],
            [ 3, "[Found trojan] <W32/B>\tx\n",     3, 'virus', 'W32/B' ],
            [ 5, '', 5, 'virus', 'unknown-FPSCAN-virus' ],
            (map { [ $_, '', $_, 'swerr', '' ] } 4, 8, 16, 32, 64, 128, 6),
        ],
    },
    {
        name    => 'csav',
        feature => 'CSAV',
        part    => [$item],
        message => ['./Work'],
        ends    => [
            [ 50, '',                   50, 'ok',    '' ],
            [ 51, "x infection: Foo\n", 51, 'virus', 'Foo' ],
            [ 51, "x Infected: Bar\n",  51, 'virus', 'Bar' ],
            [ 51, '',                   51, 'virus', 'unknown-CSAV-virus' ],
            [
                53, "x infected: Foo\n",
                53, 'virus', 'unknown-CSAV-virus disinfected'
            ],
            [ 52,  '', 52,  'suspicious',  'suspicious' ],
            [ 5,   '', 5,   'interrupted', '' ],
            [ 101, '', 101, 'swerr',       '' ],
            [ 0,   '', 999, 'swerr',       '' ],
        ],
    },
    {
        name    => 'fsav',
        feature => 'FSAV',
        part    => [ qw(--dumb --mime), $item ],
        message => [qw(--dumb --mime ./Work)],
        ends    => [
            [ 0, '',                 0,   'ok',          '' ],
            [ 3, "x infected: V1\n", 3,   'virus',       'V1' ],
            [ 6, '',                 6,   'virus',       'unknown-FSAV-virus' ],
            [ 8, '',                 8,   'suspicious',  'suspicious' ],
            [ 5, '',                 5,   'interrupted', '' ],
            [ 1, '',                 1,   'swerr',       '' ],
            [ 2, '',                 2,   'swerr',       '' ],
            [ 7, '',                 7,   'swerr',       '' ],
            [ 4, '',                 999, 'swerr',       '' ],
        ],
    },
    {
        name    => 'hbedv',
        feature => 'HBEDV',
        part    => [ qw(--allfiles -z -rs), $item ],
        message => [qw(--allfiles -z -rs ./Work)],
        ends    => [
            [ 0, '',                                0, 'ok',    '' ],
            [ 1, "ALERT: [Worm/A worm] x\n",        1, 'virus', 'Worm/A' ],
            [ 2, "!Virus! ./Work/x W32.B\n",        2, 'virus', 'W32.B' ],
            [ 3, ">>> x code of the virus 'C D'\n", 3, 'virus', 'C D' ],
            [ 1, "ALERT nothing\n", 1,   'virus', 'unknown-HBEDV-virus' ],
            [ 4, '',                999, 'swerr', '' ],
        ],
    },
    {
        name    => 'bdc',
        feature => 'BDC',
        part    => [ $all[0], '--mail' ],
        message => [ $work,   '--mail', '--arc' ],
        ends    => [
            [ 0,   '',                   0,   'ok',    '' ],
            [ 1,   "x infected: V.1\n",  1,   'virus', 'V.1' ],
            [ 1,   "x suspected: V.2\n", 1,   'virus', 'V.2' ],
            [ 1,   '',                   1,   'virus', 'unknown-BDC-virus' ],
            [ 255, '',                   999, 'swerr', '' ],
        ],
    },
    {
        name    => 'nvcc',
        feature => 'NVCC',
        part    => [ qw(-u -c),    $item ],
        message => [ qw(-u -c -s), './Work' ],
        ends    => [
            [ 0,  '',                               0, 'ok',    '' ],
            [ 1,  "Possible virus in x: 'W32/A'\n", 1, 'virus', 'W32/A' ],
            [ 2,  "no\nPossible virus x \"B\"\n",   2, 'virus', 'B' ],
            [ 14, '', 14,  'virus',      'unknown-NVCC-virus' ],
            [ 11, '', 11,  'suspicious', 'NVCC-suspicious-code-11' ],
            [ 3,  '', 999, 'swerr',      '' ],
        ],
    },
    {
        name    => 'vexira',
        feature => 'VEXIRA',
        part    => [ qw(-qqq --log=/dev/null --all-files -as), $item ],
        message => [qw(-qqq --log=/dev/null --all-files -as ./Work)],
        ends    => [
            [ 0, '',                        0, 'ok',    '' ],
            [ 9, '',                        9, 'ok',    '' ],
            [ 1, "x: virus Foo detected\n", 1, 'virus', 'Foo' ],
            [ 2, "x: iworm Bar\n",          2, 'virus', 'Bar' ],
            [ 2, "x: hoax Bar\n", 2, 'virus', 'unknown-Vexira-virus' ],
            [ 3, '', 3,   'suspicious',       'vexira-password-protected-zip' ],
            [ 5, '', 5,   'suspicious',       'vexira-password-protected-zip' ],
            [ 4, '', 999, 'swerr',            '' ],
        ],
    },
    {
        name    => 'sophos',
        feature => 'SOPHOS',
        code    => 'sweep',
        part    => [ qw(-f -mime -all -archive -ss), $item ],
        message => [qw(-f -mime -all -archive -ss ./Work)],
        ends    => [
            [ 0, '',                               0, 'ok',          '' ],
            [ 2, '',                               0, 'ok',          '' ],
            [ 1, '',                               1, 'interrupted', '' ],
            [ 3, ">>> Virus 'W32/A' found in x\n", 3, 'virus',       'W32/A' ],
            [ 3, "Password protected\n", 3,   'virus', 'unknown-Sweep-virus' ],
            [ 4, '',                     999, 'swerr', '' ],
        ],
    },
    {
        name    => 'savscan',
        feature => 'SAVSCAN',
        part    => [ qw(-f -mime -all -cab -oe -tnef -archive -ss), $item ],
        message => [qw(-f -mime -all -cab -oe -tnef -archive -ss ./Work)],
        ends    => [
            [ 0, '',                               0, 'ok',          '' ],
            [ 2, '',                               0, 'ok',          '' ],
            [ 1, '',                               1, 'interrupted', '' ],
            [ 3, ">>> Virus 'W32/A' found in x\n", 3, 'virus',       'W32/A' ],
            [ 3, '', 3,   'virus', 'unknown-Savscan-virus' ],
            [ 8, '', 999, 'swerr', '' ],
        ],
    },
    {
        name    => 'trend',
        feature => 'TREND',
        part    => [ qw(-za -a), $item ],
        message => [ qw(-za -a), @all ],
        ends    => [
            [ 0, '',                           0, 'ok',    '' ],
            [ 1, "*** Found virus Foo in x\n", 1, 'virus', 'Foo' ],
            (map { [ $_, '', $_, 'virus', 'unknown-Trend-virus' ] } 2 .. 9),
            [ 10, '', 999, 'swerr', '' ],
        ],
    },
    {
        name    => 'nod32',
        feature => 'NOD32',
        part    => [ '--subdir', $item ],
        message => [ '--subdir', './Work' ],
        ends    => [
            [ 0, '',                             0, 'ok',    '' ],
            [ 1, qq{name="x", virus="A B", y\n}, 1, 'virus', 'A B' ],
            [ 2, '', 2,   'virus', 'unknown-NOD32-virus' ],
            [ 3, '', 999, 'swerr', '' ],
        ],
    },
);

is(
    join(' ', sort map { $_->{name} } @CASES),
    join(' ',
        sort map { $_->{name} } grep { $_->{kind} eq 'command' } @SCANNERS),
    'each row of the table is tested'
);

$Features{"Virus:$_->{feature}"} = 0 for @SCANNERS;
for my $case (@CASES) {
    subtest $case->{name} => sub {
        my ($name, $feature) = @{$case}{qw(name feature)};
        my $code = $case->{code} // $name;
        message();
        is_deeply(
            (call("message_contains_virus_$name", '', 0))[0],
            [ 1, 'not-installed', 'tempfail' ],
            'not installed'
        );
        local $Features{"Virus:$feature"} = $program;
        my (undef, $args) = call("message_contains_virus_$name", '', 0);
        is_deeply($args, $case->{message}, 'arguments for a message');
        (undef, $args) = call("entity_contains_virus_$name", '', 0, $part);
        is_deeply($args, $case->{part}, 'arguments for a part');

        my %scalar_seen = (999 => 1);
        for my $end (@{ $case->{ends} }) {
            my ($status, $says, $want, $category, $virus) = @{$end};
            my $all = [ $want, $category, $ACTION{$category} ];
            message();
            $VirusName = $category =~ /^(?:virus|sus)/ ? 'earlier' : '';
            my ($got) = call("message_contains_virus_$name", $says, $status);
            is_deeply($got, $all, "exit $status");
            is($VirusName, $virus, 'virus');
            my $interpret = main->can("interpret_${code}_code");
            is_deeply([ $interpret->($status) ], $all, 'interpreted');
            my $scalar = $category eq 'ok' ? 0 : $want;
            is(scalar $interpret->($status), $scalar, 'scalar');
            next if $scalar_seen{$scalar}++;
            is(scalar main->can($_->[0])->($_->[1]), $scalar, "of $_->[0]")
                for [ "entity_contains_virus_$name", $part ],
                ["message_contains_virus_$name"];
        }
        message();
        my ($got) = call("message_contains_virus_$name", '', 'kill -9 $$');
        is_deeply($got, [ 999, 'swerr', 'tempfail' ], 'killed');
        $Features{"Virus:$feature"} = "$dir/none";
        ($got) = call("message_contains_virus_$name", '', 0);
        is_deeply($got, [ 999, 'cannot-execute', 'tempfail' ], 'no program');
    };
}

subtest 'what was printed' => sub {
    local $Features{'Virus:HBEDV'} = $program;
    message();
    call('message_contains_virus_hbedv', "a\nALERT: [B]\nc\n>>> d\n", 1);
    is($CurrentVirusScannerMessage, "ALERT: [B]\n>>> d\n", 'lines that matter');
    call('message_contains_virus_hbedv', "VIRUS: e\n", 1);
    is($CurrentVirusScannerMessage, "VIRUS: e\n", 'of the last scan');
    is($VirusScannerMessages,       "ALERT: [B]\n>>> d\nVIRUS: e\n", 'of all');
    put("$dir/DAEMON.RPT", "f\nvirus: g\n");
    call('message_contains_virus_hbedv', "h\n", 0);
    is($CurrentVirusScannerMessage, "virus: g\n", 'DAEMON.RPT');
    ok(!-e "$dir/DAEMON.RPT", 'is removed');
    put("$dir/secret", "VIRUS: i\n");
    symlink "$dir/secret", "$dir/DAEMON.RPT";
    call('message_contains_virus_hbedv', "h\n", 0);
    is($CurrentVirusScannerMessage, '', 'and no link is followed');
    unlink "$dir/DAEMON.RPT";

    message();
    call('message_contains_virus_hbedv', "ALERT: [" . 'x' x 300 . "]\n", 1);
    is(length $VirusName, 200, 'a long name');
    call('message_contains_virus_hbedv',
        ('VIRUS: ' . 'x' x 93 . "\n") x 10_000, 1);
    cmp_ok(length $VirusScannerMessages, '<=', 1 << 18, 'many lines');
};

subtest 'programs' => sub {
    message();
    my $log = logged(
        sub {
            local $Features{'Virus:TREND'} = 1;
            is((message_contains_virus_trend())[1],
                'cannot-execute', 'the number 1');
        }
    );
    like(
        $log,
        qr/^err: virus scanner trend: cannot run vscan: No such file/,
        'stands for the usual name'
    );
    local $Features{'Virus:TREND'} = "$program -x  -y";
    my (undef, $args) = call('entity_contains_virus_trend', '', 0, $part);
    is_deeply($args, [ '-x', '-y', '-za', '-a', $item ], 'options');
    my $daemon = "$dir/kavdaemon";
    symlink $program, $daemon;
    local $Features{'Virus:AVP'} = $daemon;
    (undef, $args) = call('entity_contains_virus_avp', '', 0, $part);
    is_deeply($args,
        [ $dir, "-o{$all[0]}", qw(-dl -Y -O- -K -I0), "-WU=$dir/DAEMON.RPT" ],
        'kavdaemon');
    (undef, $args) = call('message_contains_virus_avp', '', 0);
    is($args->[1], "-o{$work}", 'for a message');
    local $Features{'Path:CLAMDCONF'}  = put("$dir/conf", '');
    local $Features{'Virus:CLAMDSCAN'} = $program;
    (undef, $args) = call('message_contains_virus_clamdscan', '', 0);
    is("@{$args}[0 .. 1]", "-c $dir/conf", "clamdscan's configuration");
};

subtest 'no parts' => sub {
    message();
    local $Features{'Virus:TREND'} = $program;
    mkdir "$dir/empty";
    mkdir "$dir/empty/Work";
    $CWD = "$dir/empty";
    my ($got, $args) = call('message_contains_virus_trend', '', 1);
    is_deeply($got,  [ 0, 'ok', 'ok' ], 'a message without any is clean');
    is_deeply($args, [],                'nobody is asked');
};

subtest 'time limit' => sub {
    message();
    local $Features{'Virus:NAI'} = $program;
    local $Mail::MIMEDefang::Antivirus::Timeout = 0.2;
    my $log = logged(
        sub {
            my ($got) = call('message_contains_virus_nai', '', 'sleep 1000');
            is_deeply($got, [ 999, 'swerr', 'tempfail' ], 'is an error');
        }
    );
    like($log, qr/virus scanner nai: .*not finished within 0\.2 s/, 'logged');
};

subtest 'parts' => sub {
    message();
    local $Features{'Virus:NAI'} = $program;
    my $container = MIME::Entity->build(Type => 'multipart/mixed');
    my $in_memory = MIME::Entity->build(Type => 'text/plain', Data => 'x');
    for my $name (qw(entity_contains_virus_nai entity_contains_virus)) {
        local $Features{'Virus:NAI'} = $program;
        is_deeply(
            (call($name, '', 13, $container))[0],
            [ 0, 'ok', 'ok' ],
            'a container is clean'
        );
    }
    is_deeply(
        (call('entity_contains_virus_nai', '', 0, $in_memory))[0],
        [ 999, 'swerr', 'tempfail' ],
        'a body in memory cannot be scanned'
    );
    my $odd = $in_memory->dup;
    $odd->bodyhandle(MIME::Body::File->new("./Work/a\nb"));
    is((call('entity_contains_virus_nai', '', 0, $odd))[0][1],
        'swerr', 'a name with a newline');
};

subtest 'context' => sub {
    message();
    $InMessageContext = 0;
    my @names = grep {/_contains_virus|^run_virus/}
        @Mail::MIMEDefang::Antivirus::EXPORT;
    my $log = logged(
        sub {
            for my $name (@names) {
                next if $name =~ /^item/;
                my $code = main->can($name);
                is_deeply([ $code->($part) ],
                    [ 999, 'wrong-context', 'tempfail' ], $name);
                is(scalar $code->($part), 999, 'scalar');
            }
        }
    );
    like($log, qr/^warning: $_ called outside of message context$/m, 'logged')
        for qw(message_contains_virus entity_contains_virus_nai
        run_virus_scanner);
};

subtest 'all scanners' => sub {
    my $all = sub (%says) {
        message();
        $VirusScannerRoutinesInitialized = 0;
        @VirusScannerMessageRoutines     = @VirusScannerEntityRoutines = ();
        $Features{"Virus:$_"}            = $says{$_} ? $program : 0
            for qw(NAI FPROT TREND CLAMAV);
        put("$dir/order", '');
        my $cases = join "\n", map {"$_) echo $_ >> order; $says{$_} ;;"}
            sort keys %says;
        put("$dir/scanner", <<"END");
#!/bin/sh
case "\$*" in
*--mime*noboot*) x=NAI;;
*DUMB*) x=FPROT;;
*-za*) x=TREND;;
*-r*stdout*|*stdout*) x=CLAMAV;;
esac
case \$x in
$cases
esac
END
        my @result = message_contains_virus();
        my $order  = get("$dir/order") =~ s/\n/ /gr;
        is(join(' ', entity_contains_virus($part)), "@result", 'and a part');
        is(scalar message_contains_virus(),
            $result[1] eq 'ok' ? 0 : $result[0], 'scalar');
        return "$order@result";
    };
    is($all->(), '0 ok ok', 'none');
    is($all->(NAI => 'exit 0', FPROT => 'exit 0'), 'NAI FPROT 0 ok ok',
        'clean');
    is(
        $all->(NAI => 'exit 13', FPROT => 'exit 0'),
        'NAI 13 virus quarantine',
        'a virus ends it'
    );
    is($all->(NAI => 'exit 2', FPROT => 'exit 3', TREND => 'exit 0'),
        'NAI FPROT 3 virus quarantine', 'wins');
    is(
        $all->(NAI => 'exit 102', FPROT => 'exit 1', TREND => 'exit 0'),
        'NAI FPROT TREND 1 swerr tempfail',
        'the last that is not clean'
    );
    is($all->(CLAMAV => 'exit 0', NAI => 'exit 0', FPROT => 'exit 0'),
        'CLAMAV NAI FPROT 0 ok ok', 'order');
    local $Features{'Virus:FPROTD'} = 1;
    $FprotdHost = 'nowhere';
    is(
        $all->(FPROT => 'exit 0'),
        '999 cannot-execute tempfail',
        'one stands for another'
    );

    message();
    $VirusScannerRoutinesInitialized = 1;
    @VirusScannerMessageRoutines
        = (sub { return (7, 'suspicious', 'quarantine') });
    is(
        join(' ', message_contains_virus()),
        '7 suspicious quarantine',
        "a filter's own"
    );
};

subtest 'run_virus_scanner' => sub {
    message();
    my $run = sub (@args) { return join ' ', run_virus_scanner(@args) };
    is($run->('echo a; echo B >&2; pwd; exit 3'), '3 ok proceed', 'status');
    is($CurrentVirusScannerMessage, "a\nB\n$dir\n", 'all that it said');
    is($run->('echo a; echo Bc; echo b', 'b'), '0 ok proceed', 'a pattern');
    is($CurrentVirusScannerMessage,            "Bc\nb\n",      'its lines');
    is($VirusScannerMessages, "a\nB\n$dir\nBc\nb\n",           'all messages');
    is(scalar run_virus_scanner('exit 4'), 4,                       'scalar');
    is($run->('kill -9 $$'),               '0.03515625 ok proceed', 'killed');
    local $Mail::MIMEDefang::Antivirus::Timeout = 0.2;
    is($run->('sleep 1000'), '999 swerr tempfail', 'time limit');
};

subtest 'names in a filter' => sub {
    my @scanners
        = qw(avp avp5 bdc carrier_scan clamav clamd clamdscan csav fprot
        fprotd fprotd_v6 fpscan fsav hbedv kavscanner nai nod32 nvcc savscan
        sophie sophos trend trophie vexira);
    my @codes = qw(avp avp5 bdc clamav clamdscan csav fprot fpscan fsav hbedv
        kavscanner nai nod32 nvcc savscan sweep trend vexira);
    my @names = (
        (
            map { ("message_contains_virus$_", "entity_contains_virus$_") } '',
            map {"_$_"} @scanners
        ),
        (map {"interpret_${_}_code"} @codes),
        qw(run_virus_scanner initialize_virus_scanner_routines
            scan_file_using_carrier_scan scan_file_using_fprotd_v6
            item_contains_virus_fprotd)
    );
    is(
        "@{[ sort @names ]}",
        "@{[ sort @Mail::MIMEDefang::Antivirus::EXPORT ]}",
        'all are exported'
    );
    my $worker
        = start('sub filter_unknown_cmd { ("ok", join(",", grep {'
            . ' !defined &{"main::$_"} } qw('
            . join(' ', @names)
            . ')), exists $INC{"Mail/MIMEDefang/Antivirus.pm"} ? 1 : 0,'
            . ' join "-", interpret_nai_code(13),'
            . ' Mail::MIMEDefang::Antivirus::interpret_bdc_code(0)) }');
    is(
        $worker->ask('X'),
        'ok  0 13-virus-quarantine-0-ok-ok',
        'there, and loaded when called'
    );
};

subtest 'features' => sub {
    mkdir "$dir/bin";
    for my $name (qw(clamscan uvscan sophie nvcc clamdscan)) {
        put("$dir/bin/$name", '');
        chmod 0755, "$dir/bin/$name";
    }
    put("$dir/bin/vascan", 'not executable');
    my $worker = start(
        '$Features{"Virus:NAI"} = 0; our $early = $Features{"Virus:CLAMAV"};'
            . 'sub filter_unknown_cmd { ("ok", $early, map { $_ // "undef" }'
            . ' @Features{map { "Virus:$_" } qw(CLAMAV NAI SOPHIE NVCC VEXIRA'
            . ' SymantecCSS FPROTD FPROTD6)}, $ClamdSock, $CSSHost,'
            . ' Mail::MIMEDefang::detect_antivirus_support()) }',
        env => { PATH => "$dir/bin:$ENV{PATH}" }
    );
    is(
        $worker->ask('X'),
        "ok $dir/bin/clamscan $dir/bin/clamscan 0 $dir/bin/sophie 0 0 0 0 0"
            . " $worker->{spool}/clamd.sock 127.0.0.1:7777:local 1",
        'in a filter'
    );
    local $ENV{PATH} = "$dir/bin:$ENV{PATH}";
    my ($status, $out) = run_program('-f', '/dev/null', '-features');
    like($out, qr/^Virus:NAI {21}: yes \(\Q$dir\E\/bin\/uvscan\)$/m, 'report');
    like($out, qr/^Virus:SymantecCSS {13}: no$/m, 'only by a filter');
};

done_testing;
