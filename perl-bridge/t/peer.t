# SPDX-License-Identifier: MIT
# Talking to daemons that answer, and to those that drip, flood, hang up, or never
# come: a child of ours plays them.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge qw(spool);
use IO::Socket::INET;
use IO::Socket::UNIX;
use Mail::MIMEDefang::Peer qw(peer_open peer_talk);
use Test::More;
use Time::HiRes qw(sleep);

my $dir = spool();
my (@pids, $count);

# A daemon that runs CODE with each connection, until the test ends; its address.
sub daemon ($kind, $code) {
    my $path = "$dir/sock" . ++$count;
    my $listen
        = $kind eq 'unix'
        ? IO::Socket::UNIX->new(Local     => $path,       Listen => 5)
        : IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5);
    die "no socket: $!" if !$listen;
    my $address = $kind eq 'unix' ? $path : '127.0.0.1:' . $listen->sockport;
    my $pid     = fork // die;
    if (!$pid) {
        local $SIG{PIPE} = 'IGNORE';
        local $SIG{TERM} = 'DEFAULT';
        while (my $fh = $listen->accept) {
            $fh->autoflush(1);
            $code->($fh);
        }
        kill KILL => $$;
    }
    push @pids, $pid;
    return $address;
}

END {
    local $?;
    kill KILL => @pids;
    waitpid $_, 0 for @pids;
}

sub line ($fh) { return scalar readline $fh }

for my $kind (qw(unix tcp)) {
    subtest $kind => sub {
        my $echo
            = daemon($kind, sub ($fh) { print {$fh} 'you said ', line($fh) });
        is_deeply(
            [ peer_talk(address => $echo, send => "hello\n") ],
            [ "you said hello\n", '' ],
            'until it closes'
        );
        is_deeply(
            [
                peer_talk(
                    address => $echo,
                    send    => "a b c\n",
                    until   => qr/said /
                )
            ],
            [ 'you said ', '' ],
            'until a pattern'
        );
        is_deeply(
            [
                peer_talk(
                    address => $echo,
                    send    => "a\n",
                    until   => sub { length $_[0] > 9 }
                )
            ],
            [ "you said a\n", '' ],
            'until a function says so'
        );
        my @got
            = peer_talk(address => $echo, send => "a\n", until => qr/never/);
        is_deeply(
            \@got,
            [ "you said a\n", "$echo: closed before its answer was complete" ],
            'closed too early'
        );
    };
}

subtest 'a conversation' => sub {
    my $talker = daemon(
        'unix',
        sub ($fh) {
            print {$fh} "220 hello\n2\n";
            while (my $line = line($fh)) { print {$fh} ">$line" }
        }
    );
    my ($peer, $error) = peer_open(address => $talker, timeout_s => 60);
    is($error,                            undef,         'connected');
    is(($peer->talk(until => qr/\n/))[0], "220 hello\n", 'greeting');
    is(($peer->talk(until => qr/\n/))[0], "2\n",         'the rest of it');
    is(($peer->talk(send => "a\nb\n", until => qr/\n/))[0], ">a\n", 'answer');
    is(($peer->talk(send => "c\n", until => qr/c\n/))[0],
        ">b\n>c\n", 'what was left, and the next');
};

subtest 'bytes' => sub {
    my $counter = daemon(
        'tcp',
        sub ($fh) {
            binmode $fh;
            my ($all, $block) = ('', '');
            while (sysread $fh, $block, 65_536) {
                $all .= $block;
                last if $all =~ /END\z/;
            }
            print {$fh} length $all;
        }
    );
    my $big = 'x' x 3_000_000;
    is((peer_talk(address => $counter, send => $big . 'END'))[0],
        3_000_003, 'many');
    my @blocks = (('x' x 100_000) x 20, 'END');
    is((peer_talk(address => $counter, send => sub { shift @blocks }))[0],
        2_000_003, 'from a function');
    my $flood = daemon('tcp',
        sub ($fh) { print {$fh} 'y' x 3_000_000; readline $fh });
    my ($reply, $error) = peer_talk(
        address   => $flood,
        send      => $big,
        until     => sub { length $_[0] == 3_000_000 },
        max_bytes => 3_000_000
    );
    is($error,        '',        'both sides full of words');
    is(length $reply, 3_000_000, 'nobody waits for the other');
};

subtest 'hostile' => sub {
    my $silent = daemon('tcp', sub ($fh) { 1 while line($fh) });
    my $late   = qr/no answer within 0\.2 s\z/;
    like((peer_talk(address => $silent, timeout_s => 0.2))[1],
        $late, 'silence');

    my $drip = daemon(
        'unix',
        sub ($fh) {
            while (syswrite $fh, 'x') { sleep 0.02 }
        }
    );
    my ($reply, $error);
    for my $limit (0.3, 3, 30) {    # long enough for the first
        ($reply, $error) = peer_talk(address => $drip, timeout_s => $limit);
        last if length $reply;
    }
    like($error, qr/\A\Q$drip\E: no answer within \d\S* s\z/, 'byte by byte');
    like($reply, qr/\Ax+\z/,                                  'what came');

    my $endless = daemon('tcp', sub ($fh) { 1 while syswrite $fh, 'x' x 4096 });
    ($reply, $error) = peer_talk(address => $endless, max_bytes => 10_000);
    is($error, "$endless: answer longer than 10000 bytes", 'endless');
    cmp_ok(length $reply, '<', 100_000, 'is not kept');

    my $deaf = daemon('unix', sub ($fh) { sleep 1000 });
    my $big  = 'x' x 5_000_000;
    is(
        (peer_talk(address => $deaf, send => $big, timeout_s => 0.2))[1],
        "$deaf: no answer within 0.2 s",
        'one that does not read'
    );
    like(
        (
            peer_talk(
                address   => $silent,
                send      => sub {'x'},
                timeout_s => 0.2
            )
        )[1],
        $late,
        'our own endless file'
    );

    my $refuses = daemon(
        'unix',
        sub ($fh) {
            sysread $fh, my $some, 10;
            print {$fh} "too large\n";
            shutdown $fh, 2;
        }
    );
    is_deeply(
        [ peer_talk(address => $refuses, send => $big) ],
        [ "too large\n", '' ],
        'an answer in the middle of what we send'
    );

    my $closes = daemon('tcp', sub ($fh) { });
    ($reply, $error)
        = peer_talk(address => $closes, send => $big, until => qr/\n/);
    like($error, qr/\A\Q$closes\E: (?:closed before|cannot read)/, 'closes');
};

subtest 'no connection' => sub {
    my $listen  = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
    my $refused = '127.0.0.1:' . $listen->sockport;
    close $listen;
    is((peer_talk(address => $refused))[1],
        "cannot connect to $refused: Connection refused", 'refused');
    is(
        (peer_talk(address => "$dir/none"))[1],
        "cannot connect to $dir/none: No such file or directory",
        'no socket'
    );
    is(
        (peer_talk(address => '/' . 'x' x 300))[1],
        'cannot connect to /' . 'x' x 300 . ': path too long',
        'long path'
    );
    like((peer_talk(address => $_))[1],
        qr/\Acannot connect to \Q$_\E: neither host:port nor/, "'$_'")
        for '', 'localhost', 'sock', '127.0.0.1:', '127.0.0.1:x';
    my ($peer, $error) = peer_open(address => $refused);
    is($peer, undef, 'peer_open too');

    # Nobody accepts: the queue of the socket is full.
    my $full = IO::Socket::UNIX->new(Local => "$dir/full", Listen => 1);
    my @held;
    for (1 .. 20) {
        my ($p, $why) = peer_open(address => "$dir/full", timeout_s => 0.1);
        last if !$p;
        push @held, $p;
    }
    is((peer_talk(address => "$dir/full", timeout_s => 0.2))[1],
        "cannot connect to $dir/full: no answer within 0.2 s", 'full');
};

subtest 'IPv6' => sub {
    my $listen = eval { require IO::Socket::IP }
        && IO::Socket::IP->new(LocalHost => '::1', Listen => 1);
    plan skip_all => 'no ::1 here' if !$listen;
    my $address = '[::1]:' . $listen->sockport;
    my ($peer) = peer_open(address => $address);
    ok($peer, $address);
};

done_testing;
