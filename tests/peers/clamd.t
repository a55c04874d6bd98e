#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A real clamd, clamdscan and clamscan, with two signatures of our own, asked by
# the functions of the filter API and by a worker.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../system/lib", "$FindBin::Bin/../../perl-bridge/lib",
    "$FindBin::Bin/../../perl-bridge/t/lib";
use Bridge  qw(get put start work_dir);
use Harness qw(temp_dir start_process stop_process wait_for is_running
    free_port run_program);
use Mail::MIMEDefang;
use Mail::MIMEDefang::Antivirus;
use Mail::MIMEDefang::Antivirus::Table qw(@SCANNERS);
use Mail::MIMEDefang::Features         qw(find_program);
use MIME::Body;
use MIME::Entity;
use Test::More;

my %package = (
    clamd     => 'clamav-daemon',
    clamdscan => 'clamdscan',
    clamscan  => 'clamav'
);
my %program = map { $_ => find_program($_) } keys %package;
for my $name (sort keys %package) {
    plan skip_all => "no $name here (package $package{$name})"
        if !$program{$name};
}

my $dir  = temp_dir();
my $work = "$dir/Work";
mkdir "$dir/$_" for qw(db Work tmp);
chmod 0777, "$dir/tmp";
put(
    "$dir/db/test.ndb",
    join '',
    map { "Test.$_:0:*:" . unpack('H*', "sallyport test $_") . "\n" }
        qw(One Two)
);
put("$work/clean.txt", "nothing\n");
chdir $dir or die;
open STDERR, '>', "$dir/stderr" or die;    # what is logged

my $count = 0;

# A clamd with OPTIONS beside ours; (process, its socket, its configuration).
sub clamd (@options) {
    my $socket = "$dir/tmp/clamd" . ++$count;
    my $conf   = put(
        "$socket.conf",
        join "\n",
        "LocalSocket $socket",
        'Foreground yes',
        "DatabaseDirectory $dir/db",
        "TemporaryDirectory $dir/tmp",
        @options,
        ''
    );
    my $process = start_process(
        cmd    => [ $program{clamd}, '-c', $conf ],
        stdout => "$socket.log",
        stderr => "$socket.log"
    );
    wait_for('clamd',
        sub { !is_running($process) || -S $socket && ping($socket) }, 120);
    return ($process, $socket, $conf);
}

sub ping ($address) {
    require Mail::MIMEDefang::Peer;
    return (
        Mail::MIMEDefang::Peer::peer_talk(
            address => $address,
            send    => "PING\n"
        )
    )[0] eq "PONG\n";
}

sub result ($name, @args) {
    init_globals();
    $CWD                             = $dir;
    $InMessageContext                = 1;
    $VirusScannerRoutinesInitialized = 0;
    @VirusScannerMessageRoutines     = @VirusScannerEntityRoutines = ();
    my @result = main->can($name)->(@args);
    return join ' ', @result, length $VirusName ? $VirusName : ();
}

sub part ($name, $text) {
    put("$work/$name", $text);
    my $part = MIME::Entity->build(Type => 'text/plain', Data => 'x');
    $part->bodyhandle(MIME::Body::File->new("./Work/$name"));
    return $part;
}

$Features{"Virus:$_->{feature}"} = 0 for @SCANNERS;
$Features{'Virus:CLAMD'}         = 1;

my $port = free_port();
my ($clamd, $socket, $conf)
    = clamd("TCPSocket $port", 'TCPAddr 127.0.0.1', 'StreamMaxLength 1M');
ok(is_running($clamd), 'clamd runs') or BAIL_OUT(get("$socket.log"));
$ClamdSock = $socket;

my $one   = "x\nsallyport test One\n";
my $found = '1 virus quarantine Test.One.UNOFFICIAL';

for my $address ($socket, "127.0.0.1:$port") {
    subtest $address =~ m{^/} ? 'UNIX socket' : 'TCP' => sub {
        $ClamdSock = $address;
        my ($message, $entity)
            = map {"${_}_contains_virus_clamd"} qw(message entity);
        is(result($message), '0 ok ok', 'clean');
        my $clean = part('clean.txt', "nothing\n");
        is(result($entity, $clean), '0 ok ok', 'a clean part');
        my $bad = part('bad.txt', $one);
        is(result($entity, $bad),   $found,    'a virus');
        is(result($entity, $clean), '0 ok ok', 'not in the other part');
        part('worse.txt', 'sallyport test Two');
        my $either = qr/\A1 virus quarantine Test\.(?:One|Two)\.UNOFFICIAL\z/;
        like(result($message), $either, 'in the message');
        like($VirusScannerMessages,
            qr{^$work/bad\.txt: Test\.One\.UNOFFICIAL FOUND$}m,
            'the first');
        like(
            $VirusScannerMessages,
            qr{^$work/worse\.txt: Test\.Two\.UNOFFICIAL FOUND$}m,
            'and the second'
        );
        like(result('message_contains_virus'),
            $either, 'message_contains_virus');
        is(result('entity_contains_virus', $bad),
            $found, 'entity_contains_virus');
        unlink "$work/bad.txt", "$work/worse.txt";
        is(result($entity, $bad), '999 swerr tempfail', 'a part that is gone');
    };
}
$ClamdSock = $socket;

subtest 'INSTREAM' => sub {
    no warnings 'redefine';
    local *Mail::MIMEDefang::Antivirus::Clamd::_is_local = sub ($where) {0};
    my $message = 'message_contains_virus_clamd';
    is(result($message), '0 ok ok', 'clean');
    part('bad.txt', 'x' x 500_000 . $one);
    is(result($message), $found, 'a virus');
    is($VirusScannerMessages, "$work/bad.txt: Test.One.UNOFFICIAL FOUND\n",
        'its file');
    part('bad.txt', 'x' x 3_000_000 . $one);
    is(result($message), '999 swerr tempfail', 'more than clamd takes');
    unlink "$work/bad.txt";
};

subtest 'a file that clamd may not read' => sub {
    plan skip_all => 'only root can be another user' if $> != 0;
    my ($process, $other) = clamd('User nobody');
    my $bad  = part('bad.txt', $one);
    my $mode = (stat $work)[2] & oct 777;
    chmod 0700, $work;
    is(result('entity_contains_virus_clamd', $bad, $other),
        $found, 'is sent to it');
    is(result('message_contains_virus_clamd', $other), $found, 'all of them');
    chmod $mode, $work;
    unlink "$work/bad.txt";
    stop_process($process);
};

subtest 'clamdscan' => sub {
    local $Features{'Virus:CLAMD'}     = 0;
    local $Features{'Virus:CLAMDSCAN'} = $program{clamdscan};
    local $Features{'Path:CLAMDCONF'}  = $conf;
    my $message = 'message_contains_virus_clamdscan';
    is(result($message), '0 ok ok', 'clean');
    my $bad = part('bad.txt', $one);
    is(result($message),                                $found, 'a virus');
    is(result('entity_contains_virus_clamdscan', $bad), $found, 'in a part');
    is(result('message_contains_virus'),                $found, 'asked for');
    unlink "$work/bad.txt";
};

subtest 'clamscan' => sub {
    local $Features{'Virus:CLAMD'}  = 0;
    local $Features{'Virus:CLAMAV'} = "$program{clamscan} -d $dir/db";
    my $message = 'message_contains_virus_clamav';
    is(result($message), '0 ok ok', 'clean');
    my $bad = part('bad.txt', $one);
    is(result($message),                             $found, 'a virus');
    is(result('entity_contains_virus_clamav', $bad), $found, 'in a part');
    local $Features{'Virus:CLAMAV'} = "$program{clamscan} -d $dir/none";
    is(result($message), '999 swerr tempfail', 'without a database');
    unlink "$work/bad.txt";
};

subtest 'a worker' => sub {
    my $worker = start(<<"END");
\$Features{'Virus:CLAMD'} = 1;
\$Features{'Virus:CLAMAV'} = 0;
\$ClamdSock = '$socket';
sub filter_begin {
    my (\$code, \$category, \$action) = message_contains_virus();
    return action_bounce("\$category \$VirusName") if \$action eq 'quarantine';
    return action_tempfail("\$category") if \$action eq 'tempfail';
}
sub filter {
    my (\$entity, \$name) = \@_;
    action_drop() if entity_contains_virus(\$entity);
}
END
    my $scan = sub ($text) {
        my $work_dir = work_dir($worker->{spool}, <<"END");
From: a\@example.com
Subject: x
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b

nothing
--b
Content-Type: application/octet-stream; name=a.bin
Content-Transfer-Encoding: base64

$text
--b--
END
        my $answer = $worker->ask("scan QID1 $work_dir");
        return "$answer " . get("$work_dir/RESULTS") =~ s/\n/ /gr;
    };
    is($scan->('bm90aGluZwo='), 'ok F ', 'clean');
    like(
        $scan->('c2FsbHlwb3J0IHRlc3QgT25lCg=='),
        qr/^ok B554 5\.7\.1 virus%20Test\.One\.UNOFFICIAL M\S+ C F $/,
        'a virus in base64'
    );
    stop_process($clamd);
    like(
        $scan->('bm90aGluZwo='),
        qr/^ok T451 4\.3\.0 cannot-execute /,
        'clamd has stopped'
    );
};

subtest 'without clamd' => sub {
    my $clean = part('clean.txt', "nothing\n");
    is(
        result('message_contains_virus_clamd'),
        '999 cannot-execute tempfail',
        'a message'
    );
    is(
        result('entity_contains_virus_clamd', $clean),
        '999 cannot-execute tempfail',
        'a part'
    );
    is(result('message_contains_virus_clamd', "127.0.0.1:$port"),
        '999 cannot-execute tempfail', 'TCP');
    local $Features{'Virus:CLAMDSCAN'} = $program{clamdscan};
    local $Features{'Path:CLAMDCONF'}  = $conf;
    is(result('message_contains_virus_clamdscan'),
        '999 swerr tempfail', 'clamdscan');
};

done_testing;
