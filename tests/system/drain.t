#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# 2,000 sessions are in the middle of a message when mimedefang is told to stop:
# each gets its answer, what is accepted was scanned, and the spool is empty
# afterwards.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";

BEGIN {    # a descriptor for each session
    if (!$ENV{DRAIN_DESCRIPTORS}) {
        exec '/bin/sh', '-c',
            'ulimit -n 4096 2>/dev/null || ulimit -n $(ulimit -Hn);'
            . 'DRAIN_DESCRIPTORS=$(ulimit -n) exec "$@"', 'sh', $^X, $0
            or die "exec /bin/sh: $!\n";
    }
}
use Test::More;
use Daemon   ();
use IO::Poll qw(POLLIN);
use IO::Socket::UNIX;
use Harness qw(need_programs temp_dir wait_exit write_file);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my $window = 100;                             # what the multiplexor can queue
my $n      = $ENV{DRAIN_DESCRIPTORS} - 100;
$n = 2000 if $n > 2000;
plan skip_all => "only $ENV{DRAIN_DESCRIPTORS} descriptors" if $n < 200;
note "$n sessions";
alarm 500;    # a slow machine makes 2,000 directories, too

my $d = Daemon->prepare(
    options => [qw(-X -q -s --drain-time 400)],
    mux     => [qw(-m 2 -x 2 -q 128 -Q 100)],
);
{
    no warnings 'redefine';
    *Daemon::worker = \&instant_worker;
}
$d->launch;
$d->await_ready or die "it does not come up:\n" . $d->log_text;

my @sessions = map { session($_) } 1 .. $n;
ask($_, frame('O', pack 'N3', 6, 0x1ff, 0x1fffff)) for @sessions;
is_deeply [ grep { ($_->{got}[0] // '') ne 'O' } answers(@sessions) ], [],
    'all have negotiated';

# In the middle of a message: its directory is there.
my $greeting = frame('C', pack 'Z* a n Z*', 'client', '4', 1, '192.0.2.1')
    . frame('H', "client\0");
in_windows(
    sub ($s) {
        ask($s,
                  $greeting
                . frame('D', "Mi\0Q$s->{n}\0")
                . frame('M', "<a\@example.org>\0"));
    },
    @sessions
);
is_deeply [ grep { "@{ $_->{got} }" ne 'c' } @sessions ], [],
    'all senders are fine'
    or diag $d->log_text;
for my $s (@sessions) {
    $s->{socket}->print(frame('R', "<b\@example.org>\0")
            . frame('L', "Subject\0 test\0")
            . frame('N')
            . frame('B', 'x' x 50_000) x ($s->{n} % 50 ? 0 : 3)
            . frame('B', "Hello.\r\n"));
    $s->{socket}->flush;
}
is scalar($d->leftovers), $n, 'each has a directory';

kill 'TERM', $d->pid;
ok $d->await_log(qr/Received SIGTERM: .* in $n sessions/),
    'it hears the signal';

# One half as the multiplexor can take them, the other at once.
my @half = splice @sessions, 0, $n / 2;
in_windows(sub ($s) { ask($s, frame('E')) }, @half);
is_deeply [ map { outcome($_) } @half ], [ ('scanned') x @half ],
    'what the workers can do, they do'
    or diag $d->log_text;
ask($_, frame('E')) for @sessions;
answers(@sessions);
my %count;
$count{ outcome($_) }++ for @sessions;
note explain \%count;
is + ($count{scanned} // 0) + ($count{tempfailed} // 0), scalar @sessions,
    'the rest is scanned or tempfailed'
    or diag explain \%count;
ok $count{scanned}, 'some are scanned';

is wait_exit($d->{processes}[0], 60), 0, 'it ends with status 0'
    or diag $d->log_text;
is_deeply [ $d->leftovers ], [], 'nothing is left in the spool';
ok !$d->log_lines(qr/drain time|ERR|Out of memory/), 'the log has no complaint';
$d->stop;
done_testing;

# ---- the worker --------------------------------------------------------------------

sub instant_worker {
    my $path = temp_dir() . '/instant';
    write_file($path, <<"END");
#!$^X
\$| = 1;
while (<STDIN>) {
    my (\$verb, \$id, \$dir) = split;
    if (\$verb eq 'scan') {
        open my \$fh, '>', "\$dir/RESULTS" or die;
        print {\$fh} "HX-Scanned \$id\\nF\\n";
        close \$fh;
        print "ok\\n";
    }
    else {
        print "ok 1\\n";
    }
}
END
    chmod 0755, $path or die "$path: $!\n";
    return $path;
}

# ---- sessions -----------------------------------------------------------------------

sub session ($number) {
    my $socket = IO::Socket::UNIX->new(Peer => $d->{address} =~ s/\Aunix://r)
        or die "session $number: $!\n";
    $socket->blocking(1);
    return { n => $number, socket => $socket };
}

sub frame ($letter, $payload = '') {
    return pack 'N a a*', 1 + length $payload, $letter, $payload;
}

# Sends something that has an answer; `got` gets the letters and payloads.
sub ask ($s, $octets) {
    @$s{qw(input got done)} = ('', [], 0);
    $s->{socket}->print($octets);
    $s->{socket}->flush;
    return;
}

# Until all are answered.
sub answers (@asked) {
    my $poll = IO::Poll->new;
    my %of   = map { $_->{socket} => $_ } @asked;
    $poll->mask($_->{socket} => POLLIN) for @asked;
    while (%of) {
        $poll->poll(60) > 0 or die keys(%of) . " sessions are silent\n";
        for my $socket ($poll->handles(POLLIN)) {
            my $s = $of{$socket};
            take($s);
            next if !$s->{done};
            $poll->remove($socket);
            delete $of{$socket};
        }
    }
    return @asked;
}

sub take ($s) {
    my $got = sysread $s->{socket}, $s->{input}, 65536, length $s->{input};
    if (!$got) {
        push @{ $s->{got} }, 'closed';
        $s->{done} = 1;
        return;
    }
    while (length $s->{input} > 4) {
        my $size = unpack 'N', $s->{input};
        last if length $s->{input} < 4 + $size;
        my (undef, $letter, $payload) = unpack "N a a@{[ $size - 1 ]}",
            substr $s->{input}, 0, 4 + $size, '';
        next if $letter eq 'p';
        push @{ $s->{got} }, $letter, $letter eq 'h' ? $payload : ();
        $s->{done} = 1 if $letter ne 'h';
    }
    return;
}

# Asks for each, no more at a time than the multiplexor takes.
sub in_windows ($ask, @all) {
    while (my @some = splice @all, 0, $window) {
        $ask->($_) for @some;
        answers(@some);
    }
    return;
}

sub outcome ($s) {
    my $got = join ' ', @{ $s->{got} };
    return 'scanned'    if $got =~ /\Ah X-Scanned\0 ?Q$s->{n}\0 [ac]\z/;
    return 'tempfailed' if $got eq 't';
    return "session $s->{n}: $got";
}
