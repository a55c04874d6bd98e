#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The daemons under a service manager: what it hears, in order, and sockets that
# it hands over.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon ();
use IO::Socket::UNIX;
use POSIX   qw(dup2);
use Socket  qw(SOCK_DGRAM);
use Harness qw(need_programs temp_dir wait_for wait_exit start_process
    stop_process run_program);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my $manager = temp_dir() . '/manager';
my $socket  = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $manager)
    or die "$manager: $!\n";
$socket->blocking(0);
chmod 0666, $manager;
my @heard;

subtest 'mimedefang' => sub {
    my $d = Daemon->prepare(options => ['-X']);
    my $p = launch($d, ($d->commands)[0]);
    is_deeply [ await('STATUS=Serving') ], [ 'READY=1', 'STATUS=Serving' ],
        'it is ready when the multiplexor answers';
    await('WATCHDOG=1');
    pass 'the watchdog hears of it';
    kill 'HUP', $p->{pid};
    like + (await('RELOADING=1'))[-1],
        qr/\ARELOADING=1\nMONOTONIC_USEC=\d+\z/, 'HUP: when it began';
    await('READY=1');
    pass 'and that it is ready again';
    my $mta = $d->milter;
    $mta->hello;
    is $mta->message->{code}, 'c', 'it serves';
    kill 'TERM', $p->{pid};
    await('STOPPING=1');
    await('STATUS=Stopping');
    pass 'TERM: it stops';
    is wait_exit($p), 0, 'and ends with status 0';
    stop_process($p);
};

subtest 'mimedefang-multiplexor' => sub {
    my $d = Daemon->prepare(separate => 1);
    my $p = launch($d, ($d->commands)[0]);
    await('READY=1');
    pass 'it is ready';
    await('WATCHDOG=1');
    pass 'the watchdog hears of it';
    kill 'INT', $p->{pid};
    await('RELOADING=1');
    await('READY=1');
    pass 'INT: it loads the filter anew';
    kill 'TERM', $p->{pid};
    await('STOPPING=1');
    pass 'TERM: it stops';
    is wait_exit($p), 0, 'and ends with status 0';
    stop_process($p);
};

subtest 'workers do not see the variables' => sub {
    local $ENV{NOTIFY_SOCKET} = $manager;
    my $d = Daemon->start(
        options => ['-X'],
        filter  => 'sub filter_end { action_add_header("X-Env",'
            . ' join " ", grep { /NOTIFY|WATCHDOG|LISTEN/ } keys %ENV) }',
    );
    my $mta = $d->milter;
    $mta->hello;
    is $mta->message->{changes}[0][2], '', 'none';
    $mta->quit;
    is $d->stop, 0, 'it ends with status 0';
};

# A socket with another name than that of -p, which is not needed then.
for my $with_p (0, 1) {
    subtest 'sockets that are handed over'
        . ($with_p ? ', and -p' : '') => sub { handed_over($with_p) };
}
done_testing;

sub handed_over ($with_p) {
    my $d    = Daemon->prepare(options => ['-X']);
    my $path = temp_dir() . "/handed$with_p";
    my $l    = IO::Socket::UNIX->new(Local => $path, Listen => 5)
        or die "$path: $!\n";
    chmod 0666, $path;
    my @command = ($d->commands)[0]->@*;
    my ($at) = grep { $command[$_] eq '-p' } 0 .. $#command;
    splice @command, $at, 2 if !$with_p;
    my $p = start_process(
        stdout => $d->{log},
        stderr => $d->{log},
        code   => sub {
            dup2(fileno $l, 3) // die "dup2: $!\n";
            $ENV{LISTEN_PID}     = $$;
            $ENV{LISTEN_FDS}     = 1;
            $ENV{LISTEN_FDNAMES} = 'milter';
            exec { $command[0] } @command or die "exec: $!\n";
        }
    );
    close $l;
    ok $d->await_log(qr/entering main loop/), 'it starts';
    my $mta = MilterClient->new("unix:$path");
    $mta->hello;
    is $mta->message->{code}, 'c', 'and serves on the socket';
    ok !-e "$d->{spool}/mimedefang.sock", 'and on no other one';
    is $d->log_lines(qr/handed over 1 sockets: -p \S+ is not opened/),
        $with_p, 'the log says what is not opened';
    is stop_process($p), 0, 'it ends with status 0';
    ok -e $path, 'the socket stays: it is not ours';
    return;
}

sub launch ($d, $command) {
    @heard = ();
    return start_process(
        cmd    => $command,
        stdout => $d->{log},
        stderr => $d->{log},
        env    => { NOTIFY_SOCKET => $manager, WATCHDOG_USEC => 1_000_000 },
    );
}

# Until a message begins so: that one, behind those that came before it.
sub await ($start) {
    my $at;
    wait_for(
        "message $start",
        sub {
            hear();
            ($at) = grep { $heard[$_] =~ /\A\Q$start\E/ } 0 .. $#heard;
            return defined $at;
        }
    );
    return splice @heard, 0, $at + 1;
}

sub hear {
    while (defined $socket->recv(my $text, 4096)) {
        push @heard, $text;
    }
    return;
}
