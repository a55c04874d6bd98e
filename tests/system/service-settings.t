#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The variables of /etc/default/mimedefang, which run-daemon makes options of,
# and that the daemons understand them so.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Harness    qw(need_programs program read_file run_program temp_dir top);
use File::Copy qw(copy);

need_programs(qw(mimedefang mimedefang-multiplexor));

my $prefix = temp_dir() . '/usr';
my $runner = "$prefix/lib/sallyport/run-daemon";
mkdir $_
    or die "$_: $!\n"
    for $prefix, "$prefix/bin", "$prefix/lib", "$prefix/lib/sallyport";
copy(top() . '/service/run-daemon', $runner) or die "$runner: $!\n";
chmod 0755, $runner or die "$runner: $!\n";
symlink program($_), "$prefix/bin/$_"
    or die "$_: $!\n"
    for qw(mimedefang mimedefang-multiplexor);

# What is added to the words that are always there: without a variable, and with.
my %always = (
    'mimedefang' => "-o /S/mimedefang.lock -p /S/mimedefang.sock "
        . '-m /S/mimedefang-multiplexor.sock -z /S',
    'mimedefang-multiplexor' => '-o /S/mimedefang-multiplexor.lock '
        . '-s /S/mimedefang-multiplexor.sock -z /S',
);
my @rows = (
    [ 'mimedefang', 'SOCKET=inet:10025@127.0.0.1', '-p inet:10025@127.0.0.1' ],
    [ 'mimedefang', 'SOCKET=$SPOOLDIR/x.sock',     '-p /S/x.sock' ],
    [ 'mimedefang', 'SOCKET=${SPOOLDIR}/x.sock',   '-p /S/x.sock' ],
    [ 'mimedefang', 'SOCKET=$SPOOLDIRS/x',         '-p $SPOOLDIRS/x' ],
    [ 'mimedefang', 'MX_SOCKET=/run/mx',           '-m /run/mx' ],
    [ 'mimedefang', 'SYSLOG_FACILITY=local1',      '-S local1' ],
    [ 'mimedefang', 'LOOPBACK_RESERVED_CONNECTIONS=-1',   '-R -1' ],
    [ 'mimedefang', 'USE_SETSYMLIST=yes',                 '-y' ],
    [ 'mimedefang', 'MX_RELAY_CHECK=yes',                 '-r' ],
    [ 'mimedefang', 'MX_HELO_CHECK=yes',                  '-H' ],
    [ 'mimedefang', 'MX_SENDER_CHECK=yes',                '-s' ],
    [ 'mimedefang', 'MX_RECIPIENT_CHECK=yes',             '-t' ],
    [ 'mimedefang', 'MX_RECIPIENT_CHECK=no',              '' ],
    [ 'mimedefang', 'MX_RECIPIENT_CHECK=',                '' ],
    [ 'mimedefang', 'KEEP_FAILED_DIRECTORIES=yes',        '-k' ],
    [ 'mimedefang', 'MD_SKIP_BAD_RCPTS=yes',              '-N' ],
    [ 'mimedefang', 'MD_ALLOW_GROUP_ACCESS=yes',          '-G' ],
    [ 'mimedefang', 'ALLOW_NEW_CONNECTIONS_TO_QUEUE=yes', '-q' ],
    [ 'mimedefang', 'X_SCANNED_BY=-',                     '-X' ],
    [ 'mimedefang', 'X_SCANNED_BY=us',                    '-x us' ],
    [ 'mimedefang', 'MD_EXTRA=-a auth_author  -c',        '-a auth_author -c' ],
    [ 'mimedefang', 'MX_MINIMUM=3',                       '' ],
    (
        map { [ 'mimedefang-multiplexor', @$_ ] } (
            [ 'MX_SOCKET=/run/mx',                '-s /run/mx' ],
            [ 'FILTER=/opt/worker',               '-f /opt/worker' ],
            [ 'SUBFILTER=/etc/f',                 '-F /etc/f' ],
            [ 'SYSLOG_FACILITY=local1',           '-S local1' ],
            [ 'MX_MINIMUM=3',                     '-m 3' ],
            [ 'MX_MAXIMUM=7',                     '-x 7' ],
            [ 'MX_REQUESTS=200',                  '-r 200' ],
            [ 'MX_MAX_LIFETIME=900',              '-V 900' ],
            [ 'MX_IDLE=60',                       '-i 60' ],
            [ 'MX_BUSY=600',                      '-b 600' ],
            [ 'MX_WORKER_DELAY=4',                '-w 4' ],
            [ 'MX_SLAVE_DELAY=5',                 '-w 5' ],
            [ 'MX_MIN_WORKER_DELAY=2',            '-W 2' ],
            [ 'MX_MIN_SLAVE_DELAY=3',             '-W 3' ],
            [ 'MX_QUEUE_SIZE=10',                 '-q 10' ],
            [ 'MX_QUEUE_TIMEOUT=20',              '-Q 20' ],
            [ 'MX_RECIPOK_PERDOMAIN_LIMIT=4',     '-y 4' ],
            [ 'MX_MAX_RSS=10000',                 '-R 10000' ],
            [ 'MX_MAX_AS=30000',                  '-M 30000' ],
            [ 'MX_LOG_WORKER_STATUS_INTERVAL=30', '-L 30' ],
            [ 'MX_LOG_SLAVE_STATUS_INTERVAL=31',  '-L 31' ],
            [ 'MX_TICK_REQUEST=60',               '-X 60' ],
            [ 'MX_TICK_PARALLEL=2',               '-P 2' ],
            [ 'MX_MAP_SOCKET=$SPOOLDIR/map',      '-N /S/map' ],
            [ 'MX_NOTIFIER=inet:4567',            '-O inet:4567' ],
            [ 'MX_EMBED_PERL=yes',                '-E' ],
            [ 'MX_AUTOSCALE=yes',                 '-k' ],
            [ 'MX_LOG=yes',                       '-l' ],
            [ 'MX_STATS=yes', '-t /var/log/mimedefang/stats' ],
            [
                'MX_STATS=yes MX_FLUSH_STATS=yes',
                '-t /var/log/mimedefang/stats -u'
            ],
            [ 'MX_FLUSH_STATS=yes',        '' ],
            [ 'MX_STATS_SYSLOG=yes',       '-T' ],
            [ 'MX_STATUS_UPDATES=yes',     '-Z' ],
            [ 'MD_ALLOW_GROUP_ACCESS=yes', '-G' ],
            [ 'MX_EXTRA=--max-clients 9',  '--max-clients 9' ],
            [ 'MX_RELAY_CHECK=yes',        '' ],
        )
    ),
);

my %named;
for my $row (@rows) {
    my ($program, $set, $want) = @$row;
    $named{$_}++ for $set =~ /\b(M[XD]_\w+|[A-Z]\w+)=/g;

    # MD_EXTRA and others have blanks in their values.
    my %env = map {/^(\w+)=(.*)\z/s} $set =~ /EXTRA/ ? $set : split ' ', $set;
    is_deeply [ added($program, %env) ], [ split ' ', $want ], "$program: $set";
}

# ---- values that are not usual ------------------------------------------------

is_deeply [ added('mimedefang', X_SCANNED_BY => 'the mail filter') ],
    [ '-x', 'the mail filter' ], 'a value with blanks is one word';
is_deeply [
    added(
        'mimedefang-multiplexor',
        MX_WORKER_DELAY => 4,
        MX_SLAVE_DELAY  => 5
    )
    ],
    [ '-w', 4 ], 'the name of today wins';

my (undef, undef, $errors)
    = printed('mimedefang', [], MX_RELAY_CHECK => 'true');
like $errors, qr/MX_RELAY_CHECK is yes or no; 'true' counts as no/,
    'neither yes nor no: it says so';

my ($status, $out) = printed('mimedefang', [ '-D', '-P', '/run/x.pid' ]);
is_deeply [ (split /\n/, $out)[ 1 .. 3 ] ], [ '-D', '-P', '/run/x.pid' ],
    'words behind the program go in front';

($status, undef, $errors) = run_program(10, $runner, 'mimedefang-filter');
is $status, 1, 'another program: status';
like $errors, qr/^Usage: run-daemon /, 'and usage';

# As root it is an option; another user cannot become somebody else.
($status, $out, $errors) = printed('mimedefang', [], MX_USER => 'daemon');
if ($>) {
    isnt $status, 0, 'MX_USER of somebody else: it does not start';
    like $errors, qr/MX_USER is daemon, but this is started as \S+: start it/,
        'and says how it would';
}
else {
    like $out, qr/^-U\ndaemon$/m, 'MX_USER';
}

# ---- what the daemons take them for -------------------------------------------

like config('mimedefang', X_SCANNED_BY => 'the mail filter'),
    qr/^scanned-by=the mail filter$/m, 'mimedefang understands it';
like config('mimedefang-multiplexor', MX_MAXIMUM => 7),
    qr/^max-workers=7$/m, 'mimedefang-multiplexor understands it';

# ---- the file in which they are explained -------------------------------------

my $conf    = read_file(top() . '/service/mimedefang.conf');
my $rows    = read_file(top() . '/service/run-daemon');
my %in_conf = map { $_ => 1 } $conf =~ /^(?:# )?([A-Z_]+)=/mg;
my %known   = map { $_ => 1 } 'SPOOLDIR', 'MX_USER', 'MX_FLUSH_STATS',
    $rows =~ /=> '[^']*',\s+'([A-Z_]+)'/g;
is_deeply [ sort keys %in_conf ], [ sort keys %known ],
    'mimedefang.conf explains what run-daemon knows';
is_deeply [ grep { !$named{$_} } sort keys %known ], [qw(MX_USER SPOOLDIR)],
    'and here is a row for each';
done_testing;

# ---- subroutines --------------------------------------------------------------

sub printed ($program, $words, %env) {
    return run_program(10, 'env', '-i', 'SPOOLDIR=/S',
        (map {"$_=$env{$_}"} sort keys %env),
        $^X, $runner, '--print', $program, @$words);
}

# The words that are there only with these variables.
sub added ($program, %env) {
    my ($code, $text, $err) = printed($program, [], %env);
    is $err, '', 'no complaint' if $code || $err;
    my @words = split /\n/, $text;
    shift @words;
    my %skip = split q{ }, $always{$program};
    my @rest;
    while (@words) {
        if (@words > 1 && ($skip{ $words[0] } // '') eq $words[1]) {
            splice @words, 0, 2;
        }
        else {
            push @rest, shift @words;
        }
    }
    return @rest;
}

sub config ($program, %env) {
    my (undef, $text)
        = run_program(10, 'env', (map {"$_=$env{$_}"} sort keys %env),
        $^X, $runner, $program, '--print-config');
    return $text;
}
