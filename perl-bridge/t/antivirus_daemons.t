# SPDX-License-Identifier: MIT
# Virus-scanning daemons: each protocol, with answers that come in pieces, late,
# long, broken, or not at all.  Children of ours play them.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge qw(get put spool);
use FakeDaemon;
use IO::Socket::INET;
use Mail::MIMEDefang;
use Mail::MIMEDefang::Antivirus;
use Mail::MIMEDefang::Antivirus::Table qw(@SCANNERS);
use MIME::Body;
use MIME::Entity;
use Test::More;
use Time::HiRes qw(sleep);

my $dir  = spool();
my $work = "$dir/Work";
mkdir $work;
put("$work/msg-1-1.txt", 'text');
put("$work/msg-1-2.dat", 'data' x 50_000);
chdir $dir or die;
open STDERR, '>', "$dir/stderr" or die;    # what is logged
put("$dir/heard", '');

my @daemons;

# A fake of KIND, unix or tcp, that runs CODE with each connection; its address.
sub daemon ($kind, $code) {
    my @path = $kind eq 'unix' ? "$dir/sock" . @daemons : ();
    push @daemons, FakeDaemon->new($code, @path);
    return $daemons[-1]->address;
}

my $part = MIME::Entity->build(Type => 'text/plain', Data => 'x');
$part->bodyhandle(MIME::Body::File->new('./Work/msg-1-1.txt'));

$Features{"Virus:$_->{feature}"} = 0 for @SCANNERS;

my %seen;

# (code, category, action) and the name of the virus, in one string.
sub result ($name, @args) {
    init_globals();
    $CWD              = $dir;
    $InMessageContext = 1;
    put("$dir/heard", '');
    my $code   = main->can($name);
    my @result = $code->(@args);
    if (!$seen{"$name $result[0]"}++) {
        is(
            scalar $code->(@args),
            $result[1] eq 'ok' ? 0 : $result[0],
            "scalar of $name"
        );
        put("$dir/heard", '');
        $code->(@args);
    }
    return join ' ', @result, length $VirusName ? $VirusName : ();
}

# What the fake heard since the last question.
sub hear ($text) {
    open my $fh, '>>', "$dir/heard" or die;
    syswrite $fh, $text;
    return;
}

sub heard () { return get("$dir/heard") }

sub no_daemon () {
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
    return '127.0.0.1:' . $listen->sockport;
}

# Writes the pieces one by one, so that each arrives alone.
sub in_pieces ($fh, @pieces) {
    while (@pieces) {
        syswrite $fh, shift @pieces;
        sleep 0.005 if @pieces;
    }
    return;
}

# Follows what the file script says: pieces, one a line, in quotes as Perl has them.
sub script (@pieces) {
    return put("$dir/script", join "\0", @pieces);
}

sub scripted () { return split /\0/, get("$dir/script") }

my %RESULT = (
    cannot => '999 cannot-execute tempfail',
    swerr  => '999 swerr tempfail',
    ok     => '0 ok ok',
    off    => '1 not-installed tempfail',
);

subtest 'clamd' => sub {
    my $clamd = sub ($fh) {
        while (defined(my $line = readline $fh)) {
            hear($line) if $line ne "PING\n";
            if ($line eq "PING\n") {
                my $pong = get("$dir/pong") // "PONG\n";
                print {$fh} $pong;
                return;
            }
            if ($line eq "nINSTREAM\n") {
                my $all = '';
                while (1) {
                    read($fh, my $n, 4) or return;
                    $n = unpack 'N', $n or last;
                    read($fh, my $block, $n);
                    $all .= $block;
                }
                hear(length($all) . "\n");
                my ($name) = $all =~ /^(text)/ ? 'stream: OK' : get("$dir/big");
                print {$fh} "$name\n";
                return;
            }
            in_pieces($fh, scripted());
            return;
        }
    };
    my $address = daemon('unix', $clamd);
    is(result('message_contains_virus_clamd', $address), $RESULT{off}, 'off');
    local $Features{'Virus:CLAMD'} = 1;

    my $file = "$work/msg-1-1.txt";
    for (
        [ 'clean',        'ok',    "$file: OK\n" ],
        [ 'in pieces',    'ok',    $file, ': ', 'O', "K\n" ],
        [ 'virus',        'A.B-1', "$file: A.B-1 FOUND\n" ],
        [ 'in pieces',    'A.B-1', "$file: A.", 'B-1 FOU', 'ND', "\n" ],
        [ 'no newline',   'A.B-1', "$file: A.B-1 FOUND" ],
        [ 'after errors', 'V2', "x: Bad thing. ERROR\ny: V2 FOUND\nz: OK\n" ],
        [
            'long',                                  'V3',
            (map { "$work/$_: OK\n" x 500 } 1 .. 3), "y: V3 FOUND\n"
        ],
        [ 'error',     'swerr', "$file: Something broke. ERROR\n" ],
        [ 'and clean', 'swerr', "a: OK\nb: Something broke. ERROR\n" ],
        [ 'garbage',   'swerr', "\xff\xfe\n" ],
        [ 'half',      'swerr', "$file: O" ],
        [ 'unknown',   'swerr', "UNKNOWN COMMAND\n" ],
        [ 'nothing',   'swerr', '' ],
        [ 'too long',  'swerr', "x: OK\n" x 400_000 ],
        )
    {
        my ($what, $want, @pieces) = @{$_};
        $want = $RESULT{$want} // "1 virus quarantine $want";
        script(@pieces);
        is(result('entity_contains_virus_clamd', $part, $address),
            $want, "part: $what");
        is(heard(), "SCAN $file\n", 'asked');
        is(result('message_contains_virus_clamd', $address),
            $want, "message: $what");
        is(heard(), "CONTSCAN $work\n", 'asked');
    }
    script("a: V1 FOUND\nb: OK\nc: V2 FOUND\n");
    result('entity_contains_virus_clamd', $part, $address);
    is($VirusScannerMessages, "a: V1 FOUND\nc: V2 FOUND\n", 'what was said');

    script("$file: lstat() failed: Permission denied. ERROR\n");
    put("$dir/big", 'stream: Big.V FOUND');
    is(result('entity_contains_virus_clamd', $part, $address),
        $RESULT{ok}, 'what it cannot read is sent');
    is(heard(), "SCAN $file\nnINSTREAM\n4\n", 'the bytes');
    is(
        result('message_contains_virus_clamd', $address),
        '1 virus quarantine Big.V',
        'all files'
    );
    is(heard(), "CONTSCAN $work\nnINSTREAM\n4\nnINSTREAM\n200000\n",
        'one by one');
    like(
        $VirusScannerMessages,
        qr{^$work/msg-1-2\.dat: Big\.V FOUND$}m,
        'names the file'
    );
    put("$dir/big", 'INSTREAM size limit exceeded. ERROR');
    is(result('message_contains_virus_clamd', $address),
        $RESULT{swerr}, 'too large for it');

    put("$dir/pong", "PANG\n");
    is(result('message_contains_virus_clamd', $address),
        $RESULT{cannot}, 'not clamd');
    put("$dir/pong", '');
    is(result('message_contains_virus_clamd', $address),
        $RESULT{cannot}, 'silent');
    unlink "$dir/pong";

    my $port = daemon('tcp', $clamd);
    script("x: OK\n");
    is(result('message_contains_virus_clamd', $port), $RESULT{ok}, 'TCP');
    like(heard(), qr/^CONTSCAN/, 'on this host');
    $ClamdSock = $port;
    is(result('entity_contains_virus_clamd', $part), $RESULT{ok}, '$ClamdSock');
    $ClamdSock = undef;
    is(result('entity_contains_virus_clamd', $part, no_daemon()),
        $RESULT{cannot}, 'no daemon');
    is(result('message_contains_virus_clamd', "$dir/none"),
        $RESULT{cannot}, 'no socket');

  # As long as it does not listen on another address, only the choice is tested.
    ok(Mail::MIMEDefang::Antivirus::Clamd::_is_local($_), "$_ is this host")
        for '/s', '127.0.0.1:1', 'localhost:1', '[::1]:1';
    ok(!Mail::MIMEDefang::Antivirus::Clamd::_is_local($_), "$_ is another")
        for '192.0.2.1:1', 'av.example.com:1', '[2001:db8::1]:1';

    my $hangs = daemon('unix', sub ($fh) { sleep 1000 });
    local $Mail::MIMEDefang::Antivirus::Timeout = 0.2;
    is(result('entity_contains_virus_clamd', $part, $hangs),
        $RESULT{swerr}, 'time limit');
    is(result('message_contains_virus_clamd', $hangs),
        $RESULT{cannot}, 'found out by PING');
};

subtest 'clamd asks clamscan' => sub {
    local $Features{'Virus:CLAMD'}  = 1;
    local $Features{'Virus:CLAMAV'} = put("$dir/clamscan", <<"END");
#!/bin/sh
echo "\$*" > $dir/args
echo x: Packed FOUND
exit 1
END
    chmod 0755, "$dir/clamscan";
    my $address = daemon('unix',
        sub ($fh) { readline $fh; print {$fh} "x: Zip module failure. ERROR\n" }
    );
    is(
        result('entity_contains_virus_clamd', $part, $address),
        '1 virus quarantine Packed',
        'what clamd cannot unpack'
    );
    is(
        get("$dir/args"),
        "--unzip --unrar -r --stdout --no-summary --infected $work/msg-1-1.txt\n",
        'its arguments'
    );
    $Features{'Virus:CLAMAV'} = 0;
    is(result('entity_contains_virus_clamd', $part, $address),
        $RESULT{swerr}, 'without clamscan an error');
};

for my $name (qw(sophie trophie)) {
    subtest $name => sub {
        my $address = daemon(
            'unix',
            sub ($fh) {
                hear(scalar readline $fh);
                in_pieces($fh, scripted());
                readline $fh if get("$dir/stays");
            }
        );
        my ($message, $entity)
            = map {"${_}_contains_virus_$name"} qw(message entity);
        is(result($message, $address), $RESULT{off}, 'off');
        local $Features{ 'Virus:' . uc $name } = 1;
        for my $stays ('', 1) {
            put("$dir/stays", $stays);
            my $end = $stays ? "\n" : '';
            for (
                [ 'clean',     'ok',                  '0' ],
                [ 'clean',     'ok',                  "0\n" ],
                [ 'virus',     'EICAR',               "1:EICAR$end" ],
                [ 'in pieces', 'EICAR',               '1', ':EI', "CAR$end" ],
                [ 'no name',   "Unknown-$name-virus", "1$end" ],
                [ 'error',     'swerr',               "-1:BUG$end" ],
                [ 'garbage',   'swerr',               "hello$end" ],
                [ 'empty',     'swerr',               $end ],
                )
            {
                my ($what, $want, @pieces) = @{$_};
                $want = $RESULT{$want} // "1 virus quarantine $want";
                script(@pieces);
                is(result($entity, $part, $address), $want,           $what);
                is(heard(),                    "$work/msg-1-1.txt\n", 'asked');
                is(result($message, $address), $want,     'message');
                is(heard(),                    "$work\n", 'asked');
            }
        }
        script("-1:something\n");
        result($entity, $part, $address);
        is($VirusScannerMessages, "-1:something\n", 'what it said');
        is(result($entity, $part, "$dir/none"), $RESULT{cannot}, 'no socket');
        script('1:LATE');
        my $late;
        for my $limit (0.3, 3, 30) {    # long enough for the daemon to begin
            local $Mail::MIMEDefang::Antivirus::Timeout = $limit;
            $late = result($entity, $part, $address);
            last if $late ne $RESULT{swerr};
        }
        is($late, '1 virus quarantine LATE', 'a virus without an end is one');
        local $Mail::MIMEDefang::Antivirus::Timeout = 0.3;
        script('hello');
        is(result($entity, $part, $address), $RESULT{swerr}, 'time limit');
    };
}

subtest 'CarrierScan' => sub {
    my $address = daemon(
        'tcp',
        sub ($fh) {
            my ($greeting, @reply) = scripted();
            in_pieces($fh, split /(?<=\n)/, $greeting);
            my ($version, $verb, $path) = map { scalar readline $fh } 1 .. 3;
            return if !defined $path;
            my $got = join '|', map {s/\n//r} $version, $verb, $path;
            if ($verb eq "AVSCAN\n") {
                chomp(my $size = readline $fh);
                read($fh, my $bytes, $size);
                $got .= "|$size|" . length $bytes;
            }
            hear("$got\n");
            in_pieces($fh, @reply);
        }
    );
    my @names = map {"${_}_contains_virus_carrier_scan"} qw(message entity);
    is(result($names[0], $address), $RESULT{off}, 'off');
    local $Features{'Virus:SymantecCSS'} = 1;
    my $hello = "220 Symantec\n2\n";
    my $found = "1\nNov 25 2026\n1.2\n1\nmsg-1-1.txt\nEicar\nmore\n";
    for (
        [ 'clean',     'ok',    $hello,           "230 x\n0\n" ],
        [ 'CRLF',      'ok',    "220 x\r\n2\r\n", "230 x\r\n0\r\n" ],
        [ 'in pieces', 'ok',    $hello, "23", "0 x", "\n", "0", "\n" ],
        [ 'virus',     'Eicar', $hello, "230 x\n$found" ],
        [
            'in pieces',      'Eicar',
            $hello,           "230 x\n1\nNo",
            "v\n1\n1\nf\nEi", "car\n"
        ],
        [ 'no name',  'swerr', $hello, "230 x\n1\nNov\n" ],
        [ 'refused',  'swerr', $hello, "500 no\n" ],
        [ 'status',   'swerr', $hello, "230 x\nwhat\n" ],
        [ 'silent',   'swerr', $hello ],
        [ 'version',  'swerr', "220 x\n3\n", "230 x\n0\n" ],
        [ 'greeting', 'swerr', "hello\n2\n", "230 x\n0\n" ],
        )
    {
        my ($what, $want, @script) = @{$_};
        $want = $RESULT{$want} // "1 virus quarantine $want";
        script(@script);
        is(result($names[1], $part, $address), $want, "part: $what");
        is(result($names[0], $address), $want, "message: $what");
    }
    script($hello, "230 x\n0\n");
    result($names[0], $address);
    is(
        heard(),
        "Version 2|AVSCANLOCAL|$work/msg-1-1.txt\n"
            . "Version 2|AVSCANLOCAL|$work/msg-1-2.dat\n",
        'each file'
    );
    is(
        result(
            'scan_file_using_carrier_scan', "$work/msg-1-2.dat",
            "$address:nonlocal"
        ),
        $RESULT{ok},
        'one file'
    );
    is(heard(), "Version 2|AVSCAN|$work/msg-1-2.dat|200000|200000\n",
        'its bytes');
    result('scan_file_using_carrier_scan',
        "$work/msg-1-1.txt", "$address:local");
    like(heard(), qr/AVSCANLOCAL/, 'its name');
    is(result($names[0], no_daemon()), $RESULT{cannot}, 'no daemon');
    is(result($names[0], 'nonsense'),  $RESULT{cannot}, 'no address');
    is(result('scan_file_using_carrier_scan', '/none/x', $address),
        $RESULT{swerr}, 'no file');
};

subtest 'F-Prot' => sub {
    my $address = daemon(
        'tcp',
        sub ($fh) {
            my ($get) = (readline $fh) =~ /^GET (\S+) HTTP/;
            1 while (readline $fh) =~ /\S/;
            hear("$get\n");
            in_pieces($fh, scripted());
        }
    );
    my @names = map {"${_}_contains_virus_fprotd"} qw(message entity);
    is(result($names[0], $address), $RESULT{off}, 'off');
    local $Features{'Virus:FPROTD'} = 1;
    my $head = "HTTP/1.0 200 OK\r\nServer: fprotd/1\r\n\r\n";
    my $xml  = sub ($code, $inside = '') {
        return
              qq{<?xml version="1.0"?>\n<fprot-results version="1.0">}
            . qq{<detected>$inside</detected><summary code="$code">x</summary>}
            . '</fprot-results>';
    };
    for (
        (map { [ "code $_", 'ok',     $head, $xml->($_) ] } 3, 4, 7, 9),
        (map { [ "code $_", 'cannot', $head, $xml->($_) ] } 0, 1, 2, 5),
        (map { [ "code $_", 'swerr',  $head, $xml->($_) ] } 6, 8, 10),
        [
            'virus', 'W32/A&B', $head,
            $xml->(11, '<name>W32/A&amp;B</name><message>m</message>')
        ],
        [
            'message', 'Bad thing',
            $head,     $xml->(12, '<message>Bad thing</message>')
        ],
        [ 'unnamed', 'unknown', $head, $xml->(13) ],
        [
            'in pieces',
            'V',
            "HTTP/1.0 2",
            "00 OK\r\nServer: fpr",
            "otd\r\n\r",
            "\n",
            substr($xml->(11, '<name>V</name>'), 0, 90),
            substr($xml->(11, '<name>V</name>'), 90)
        ],
        [ 'not 200', 'cannot', "HTTP/1.0 404 No\r\nServer: fprotd\r\n\r\n" ],
        [
            'another',                              'cannot',
            "HTTP/1.0 200 OK\r\nServer: x\r\n\r\n", $xml->(3)
        ],
        [ 'garbage', 'cannot', "\0\1\2" ],
        [ 'other answer', 'swerr', $head, '<html>' ],
        [
            'version', 'swerr',
            $head,     $xml->(3) =~ s/results version="1/results version="2/r
        ],
        [ 'cut', 'swerr', $head, substr $xml->(3), 0, 60 ],
        )
    {
        my ($what, $want, @script) = @{$_};
        $want = $RESULT{$want} // "1 virus quarantine $want";
        script(@script);
        is(result($names[1], $part, $address), $want, "part: $what");
        is(result($names[0], $address), $want, "message: $what")
            if $what =~ /virus|code [345]/;
    }
    script($head, $xml->(3));
    my $args = '?-dumb%20-archive%20-packed%20-remote-dtd';
    result($names[0], $address);
    is(heard(), "$work/msg-1-1.txt$args\n$work/msg-1-2.dat$args\n",
        'each file');
    mkdir "$dir/a b";
    put("$dir/a b/c", 'x');
    result('item_contains_virus_fprotd', "$dir/a b", $address);
    is(heard(),                       "$dir/a%20b/c$args\n", 'a directory');
    is(result($names[0], 'nonsense'), $RESULT{cannot},       'no address');
};

subtest 'F-Prot 6' => sub {
    my $address = daemon(
        'tcp',
        sub ($fh) {
            hear(scalar readline $fh);
            in_pieces($fh, scripted());
            readline $fh;
        }
    );
    my @names = map {"${_}_contains_virus_fprotd_v6"} qw(message entity);
    is(result($names[0], $address), $RESULT{off}, 'off');
    local $Features{'Virus:FPROTD6'} = 1;
    my $virus = 'virus quarantine';
    for (
        [ '0 ok ok',        "0 <clean> x\n" ],
        [ '0 ok ok',        "8 <skipped> x\n" ],
        [ '0 ok ok',        "64 <encrypted> x\n" ],
        [ "1 $virus EICAR", "1 <infected: EICAR> x\n" ],
        [ "2 $virus V",     '2 <contains in', "fected objects: V> x\n" ],
        [ "128 $virus V",                   "128 <V> x\n" ],
        [ "5 $virus unknown-FPROTD6-virus", "5 <> x\n" ],
        [ '4 interrupted tempfail',         "4 <stopped> x\n" ],
        [ $RESULT{swerr},                   "16 <broken> x\n" ],
        [ $RESULT{swerr},                   "32 <broken> x\n" ],
        [ $RESULT{cannot},                  "hello\n" ],
        [ $RESULT{cannot},                  "\n" ],
        )
    {
        my ($want, @script) = @{$_};
        script(@script);
        is(result($names[1], $part, $address), $want, "part: @script");
        is(result($names[0], $address), $want, "message: @script");
    }
    script("0 <x> y\n");
    my $command = 'SCAN --scanlevel=2 --archive=2 --heurlevel=2 --adware'
        . ' --applications FILE';
    result('scan_file_using_fprotd_v6', "$work/msg-1-1.txt", $address);
    is(heard(),                        "$command $work/msg-1-1.txt\n", 'asked');
    is(result($names[0], no_daemon()), $RESULT{cannot}, 'no daemon');
    local $Mail::MIMEDefang::Antivirus::Timeout = 0.2;
    script('0');
    is(result($names[1], $part, $address), $RESULT{cannot}, 'time limit');
};

done_testing;
