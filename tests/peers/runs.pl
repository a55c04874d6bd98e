#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The runs of multiplexor.t (see lib/Pool.pm).
use v5.36;

my @one = qw(-l -u -m 1 -x 1 -w 1);
my @two = qw(-l -u -m 1 -x 2 -w 1);

sub ask (@lines) {
    return map { [ ask => $_ ] } @lines;
}

# One worker, one request, and the pool is as before.
sub one ($name, $request, %more) {
    return {
        name    => $name,
        options => \@one,
        steps   => [ ask($request), [ letters => 'I' ], ask('scan Q2 /x') ],
        %more
    };
}

# The worker does not outlive the request.
sub dies ($name, $request, %more) {
    return {
        name    => $name,
        options => \@one,
        steps   => [
            ask($request),      [ log => 'Reap: worker 0 ' ],
            [ letters => 'I' ], ask('scan Q2 /x')
        ],
        %more
    };
}

[
    {
        name    => 'start and stop',
        options => \@two,
        stops   => 1,
        steps   => [ [ letters => 'IS' ], [ mode => 'DIR/spool/socket' ] ]
    },
    {
        name    => 'start and stop with -G',
        options => [ @two, '-G' ],
        stops   => 1,
        steps   => [
            [ letters => 'IS' ],
            [ mode    => 'DIR/spool/socket' ],
            [ mode    => 'DIR/statistics' ],
            ask('env')
        ]
    },
    {
        name    => 'what a worker gets',
        options => [ @one, '-F', '/etc/hosts' ],
        steps   => [ ask(qw(args env fds)) ]
    },
    {
        name    => 'what a worker gets with -Z',
        options => [ @one, '-Z' ],
        steps   => [ ask(qw(args fds)) ]
    },
    {
        name    => 'reports of nothing',
        options => \@two,
        steps   => [
            [ letters => 'IS' ],
            ask(
                qw(free workers busyworkers slaves busyslaves msgs histo),
                (
                    map { ("load$_", "hload$_") } '',
                    qw(-relayok -senderok -recipok)
                ),
                'load1 60',
                'load1 600',
                'load1 10x',
                'load1 9',
                'load1 601',
                'load1 x',
                'load1',
                'workerinfo 0',
                'workerinfo 1',
                'workerinfo 2',
                'workerinfo -1',
                'workerinfo x',
                'slaveinfo 0',
                'foo_no_such_command',
                'tick',
                'autoscale'
            )
        ]
    },
    {
        name    => 'reports of requests',
        options => \@two,
        steps   => [
            ask(
                'scan Q1 /x', 'scan Q2 /x', 'relayok 1 2', 'helook 1 2 3',
                'senderok <a@b> 1 2 3 /d Q3',
                'recipok <a@b> c d',
                'other words'
            ),
            [ letters => 'IS' ],
            ask(
                qw(workers msgs histo),
                (
                    map { ("load$_", "hload$_") } '',
                    qw(-relayok -senderok -recipok)
                ),
                'load1 60',
                'workerinfo 0'
            )
        ]
    },
    {
        name    => 'tick with a number',
        options => \@one,
        steps   => [ ask('tick 3') ]
    },
    {
        name    => 'names are compared exactly',
        options => \@one,
        steps   => [ ask('STATUS', 'free ', ' free', 'workers 1') ]
    },
    {
        name    => 'requests that are not quite',
        options => \@one,
        steps   => [
            [ raw => "slow a\r\n" ],
            [ raw => "slow a\nslow b\n" ],
            [ raw => "slow a\0b\n" ],
            [ raw => "free\r\n" ],
            [ raw => "free\nstatus\n" ],
            [ raw => "\n" ],
        ]
    },
    {
        name    => 'no LF',
        options => \@one,
        steps   => [ [ raw => 'free', 'half' ], [ raw => '', 'half' ] ]
    },
    {
        name    => 'long requests',
        options => \@one,
        steps   => [
            map { [ raw => 'odd ' . 'x' x ($_ - 4) . "\n" ] } 4094,
            4095, 4096, 5000, 100_000
        ]
    },
    {
        name    => 'a silent client',
        options => [ @one,          qw(-c 10) ],
        steps   => [ [ raw => '' ], [ raw => 'fre' ] ]
    },

    # ---- answers
    one('an answer',          'text ok%20more%0A'),
    one('an error',           'text error:%20no%0A'),
    one('an empty answer',    'text %0A'),
    one('an answer with CR',  'text ok%0D%0A'),
    one('an answer with NUL', 'text a%00b%0A'),
    one('an answer of 8 bit', 'text %FF%FE%0A'),
    one('an answer, slowly',  'slow ok_but_slow'),
    one('an answer of 4095',  'big 4094'),
    one('an answer of 4096',  'big 4095'),
    one('an answer of 4097',  'big 4096'),
    one('an answer of 1 MB',  'big 1000000'),
    one('two lines at once',  'two'),
    {
        name    => 'half a line',
        options => \@two,
        steps   => [
            [ fifo => 'DIR/f' ],
            [ send => 'a', 'half DIR/f' ],
            [ open => 'DIR/f' ],
            [ take => 'a' ],
            ask('scan Q2 /x')
        ]
    },
    {
        name    => 'a line that nobody asked for',
        options => \@one,
        steps   => [
            [ fifo => 'DIR/f' ],
            ask('later DIR/f'),
            [ open   => 'DIR/f' ],
            [ theirs => 'file',    'DIR/f.done' ],
            [ ours   => 'log',     'Reap' ],
            [ ours   => 'letters', 'I' ],
            ask('scan Q2 /x', 'scan Q3 /x')
        ]
    },
    one(
        'a line and the beginning of another', 'more',
        steps => [ ask('more') ],
        only  => 'steps'
    ),

    # ---- deaths
    dies('it exits without an answer', 'die 3'),
    dies('it exits with status 0',     'die 0'),
    dies('it is killed',               'crash'),
    dies('it says half and exits',     'cut half'),
    dies('it says all and exits',      'text ok%0A'),
    one(
        'it closes its answers', 'closed',
        steps => [ ask('closed') ],
        only  => 'steps'
    ),
    dies('last words',          'die 3 3'),
    dies('it is out of memory', 'oom', only => 'statistics'),
    dies('a scan kills it',     'scan Q1 /x die'),
    dies('it forks and exits',  'fork 2'),
    {
        name    => 'it dies once',
        options => \@two,
        steps   => [ ask('dieonce DIR/once'), [ log => 'Reap' ] ]
    },
    {
        name    => 'it cannot be started',
        options => \@one,
        worker  => '/nonexistent/worker',
        once    => 1,
        only    => 'log',
        steps   => [ [ log => '', 3 ] ]
    },

    # ---- diagnostics
    one('a line on stderr',       'err something is odd'),
    one('stderr without LF',      'noeol something is odd'),
    one('a line on stderr, scan', 'scan Q1 /x err something is odd'),
    one('stderr of 8 bit',        "err \xe9\xff"),
    one('it closes stderr',       'close 2'),
    one(
        '100 lines on stderr', 'flood 100',
        steps => [ ask('flood 100') ],
        only  => 'steps'
    ),
    one(
        'a long line on stderr', 'err ' . 'x' x 3000,
        steps => [ ask('err ' . 'x' x 3000) ],
        only  => 'steps'
    ),
    {
        name    => 'no -l',
        options => [qw(-u -m 1 -x 1 -w 1)],
        only    => 'log',
        steps   => [ ask('err odd', 'die 3'), [ letters => 'I' ] ]
    },
    {
        name    => 'status reports',
        options => [ @one, '-Z' ],
        steps   => [
            [ fifo => 'DIR/f' ],
            [ send => 'a', 'status 1:%20>%20Reading DIR/f' ],
            [ open => 'DIR/f' ],
            [ take => 'a' ],
            ask('workers', 'close 3')
        ]
    },

    # ---- time-outs
    {
        name    => 'it does not answer',
        options => [ @one, qw(-b 10) ],
        steps   => [ ask('mute'), [ letters => 'I' ], ask('scan Q2 /x') ]
    },
    {
        name    => 'it does not answer a scan',
        options => [ @one, qw(-b 10) ],
        steps   => [
            [ fifo    => 'DIR/f' ], ask('scan Q1 /x wait DIR/f'),
            [ letters => 'I' ],     ask(qw(msgs load))
        ]
    },
    {
        name    => 'it ignores TERM',
        options => [ @one, qw(-b 10) ],
        steps   => [ ask('deaf'), [ letters => 'I' ], ask('scan Q2 /x') ]
    },
    {
        name    => 'it stops itself',
        options => [ @one,        qw(-b 10) ],
        steps   => [ ask('stop'), [ letters => 'I' ] ]
    },
    {
        name    => 'four do not answer',
        options => [qw(-l -u -m 1 -x 4 -w 60 -b 10)],
        only    => 'steps',
        steps   => [
            (map { [ send => $_, 'mute' ] } 1 .. 4),
            [ letters => 'BBBB' ],
            ask(qw(free busyworkers)),
            [ takes => 1 .. 4 ],
            [ log   => 'Reap', 4 ]
        ]
    },

    # ---- the pool
    {
        name    => 'no free worker',
        options => \@one,
        steps   => [
            [ fifo    => 'DIR/f' ],
            [ send    => 'a', 'wait DIR/f' ],
            [ letters => 'B' ],
            ask('scan Q2 /x', 'free', 'busyworkers', 'workers'),
            [ open => 'DIR/f' ],
            [ take => 'a' ]
        ]
    },
    {
        name    => 'a queue',
        options => [ @one, qw(-q 2) ],
        steps   => [
            [ fifo    => 'DIR/f' ],
            [ send    => 'a', 'wait DIR/f' ],
            [ letters => 'B' ],
            [ send    => 'b',        'scan Q2 /x' ],
            [ log     => 'Queueing', 1 ],
            [ send    => 'c',        'scan Q3 /x' ],
            [ log     => 'Queueing', 2 ],
            ask('scan Q4 /x', 'status'),
            [ open => 'DIR/f' ],
            (map { [ take => $_ ] } qw(a b c)),
            ask('status')
        ]
    },
    {
        name    => 'waiting too long',
        options => [ @one, qw(-q 2 -Q 1) ],
        steps   => [
            [ fifo    => 'DIR/f' ],
            [ send    => 'a', 'wait DIR/f' ],
            [ letters => 'B' ],
            ask('scan Q2 /x'),
            [ open => 'DIR/f' ],
            [ take => 'a' ]
        ]
    },
    {
        name    => 'a client that goes',
        options => \@one,
        steps   => [
            [ fifo    => 'DIR/f' ],
            [ send    => 'a', 'wait DIR/f' ],
            [ letters => 'B' ],
            [ drop    => 'a' ],
            [ open    => 'DIR/f' ],
            [ letters => 'I' ],
            ask('scan Q2 /x')
        ]
    },
    {
        name    => 'a worker on demand',
        options => \@two,
        steps   => [
            [ fifo    => 'DIR/f' ],
            [ send    => 'a', 'wait DIR/f' ],
            [ letters => 'BS' ],
            ask('relayok 1 2', 'workers'),
            [ open => 'DIR/f' ],
            [ take => 'a' ]
        ]
    },
    {
        name    => 'no start so soon',
        options => [ @two, qw(-W 100) ],
        steps   => [
            [ fifo    => 'DIR/f' ],
            [ send    => 'a', 'wait DIR/f' ],
            [ letters => 'BS' ],
            ask('scan Q2 /x'),
            [ open => 'DIR/f' ],
            [ take => 'a' ]
        ]
    },
    {
        name    => 'retired after two requests',
        options => [ @one, qw(-r 2) ],
        steps   => [
            ask('scan Q1 /x', 'relayok 1 2'),
            [ log     => 'Reap' ],
            [ letters => 'I' ],
            ask('scan Q3 /x', 'workerinfo 0')
        ]
    },
    {
        name    => 'reread',
        options => [qw(-l -u -m 1 -x 2 -w 60)],
        only    => 'log',
        steps   => [
            ask('scan Q1 /x', 'reread'),
            [ log => 'Worker 0 resource usage' ],
            ask('scan Q2 /x')
        ]
    },
    {
        name    => 'reread while one is busy',
        options => \@one,
        only    => 'log',
        steps   => [
            [ fifo    => 'DIR/f' ],
            [ send    => 'a', 'wait DIR/f' ],
            [ letters => 'B' ],
            ask('reread'),
            ask('status'),
            [ open => 'DIR/f' ],
            [ take => 'a' ],
            [ log  => 'Reap' ],
            [ log  => 'Starting', 2 ],
        ]
    },
    {
        name    => 'a limit for a domain',
        options => [qw(-l -u -m 1 -x 3 -y 1)],
        steps   => [
            [ fifo => 'DIR/f' ],
            [ send => 'a', 'recipok <a@Example.org> x' ],
            [ take => 'a' ],
            ask('recipok <b@example.ORG> x', 'recipok nobody x')
        ]
    },
    {
        name    => 'scheduling',
        options => [qw(-l -u -A -m 2 -x 2 -w 1)],
        steps   => [
            [ letters => 'II' ],
            ask(
                'scan Q1 /x',
                'relayok 1 2',
                'scan Q2 /x',
                'relayok 1 2',
                'senderok <a@b>',
                'helook 1 2',
                'other',
                'recipok <a@b>'
            ),
            ask('workers')
        ]
    },
    {
        name    => 'a status line',
        options => [ @one, qw(-L 5) ],
        once    => 1,
        steps   => [ [ log => 'Worker status' ] ]
    },
    {
        name    => 'statistics to syslog',
        options => [ @one, '-T' ],
        steps   => [ ask('scan Q1 /x', 'odd command') ]
    },
    {
        name    => 'it stops while one is busy',
        options => \@one,
        stops   => 1,
        steps   => [ [ send => 'a', 'mute' ], [ letters => 'B' ] ]
    },

    # ---- other sockets
    {
        name    => 'the socket for everybody',
        options => [ @two, qw(-a DIR/spool/open) ],
        steps   => [
            [ letters => 'IS' ],
            [ mode    => 'DIR/spool/open' ],
            (
                map { [ ask_at => 'DIR/spool/open', $_ ] }
                    qw(free status workers busyworkers msgs histo load hload
                    reread tick foo_no_such_command other),
                'load1 60',
                'workerinfo 0',
                'tick 1',
                'scan Q1 /x',
                'relayok 1 2',
                ''
            ),
            [ hold_at => 'DIR/spool/open', 20 ],
            [ ask_at  => 'DIR/spool/open', 'free' ],
            ask('free'),
        ]
    },
    {
        name    => 'maps',
        options => [ @one, qw(-N DIR/spool/map) ],
        steps   => [
            [ letters => 'I' ],
            [ mode    => 'DIR/spool/map' ],
            (
                map { [ map => 'DIR/spool/map', $_ ] } '10:mysock a@b,',
                '7:m a b c,',
                '2:m ,',
                '3:one,',
                '3:one;',
                '0:,',
                '-1:,',
                'x:,',
                '65537:',
                '12345678901234567:',
                "8:m \xff%20\x01x,",
            ),
            ask('workerinfo 0', 'histo', 'msgs', 'load'),
        ]
    },
    {
        name    => 'maps without a worker',
        options => [ @one, qw(-q 5 -N DIR/spool/map) ],
        steps   => [
            [ fifo    => 'DIR/f' ],
            [ send    => 'a', 'wait DIR/f' ],
            [ letters => 'B' ],
            [ map     => 'DIR/spool/map', '3:m a,' ],
            [ open    => 'DIR/f' ],
            [ take    => 'a' ]
        ]
    },
    {
        name    => 'maps with -W',
        options => [ @two, qw(-W 100 -N DIR/spool/map) ],
        steps   => [
            [ fifo    => 'DIR/f' ],
            [ send    => 'a', 'wait DIR/f' ],
            [ letters => 'BS' ],
            [ map     => 'DIR/spool/map', '3:m a,' ],
            [ open    => 'DIR/f' ],
            [ take    => 'a' ]
        ]
    },
    {
        name    => 'maps that are not answered',
        options => [ @one, qw(-b 10 -N DIR/spool/map) ],
        only    => 'steps',
        steps   => [
            [ map     => 'DIR/spool/map', '6:mute x,' ],
            [ log     => 'Reap' ],
            [ letters => 'I' ],
            [ map     => 'DIR/spool/map', '3:m x,' ]
        ]
    },

    # ---- by the clock
    {
        name    => 'ticks',
        options => [ @one, qw(-X 1 -P 2 -Z) ],
        only    => 'steps',
        steps   => [
            [ report => 'histo', '1 [2-9]' ],
            ask(qw(msgs load)),
            [ report => 'workers', 'I .*ago' ]
        ]
    },
    {
        name    => 'ticks without a worker',
        options => [ @one, qw(-X 1) ],
        once    => 1,
        only    => 'log',
        steps   => [
            [ fifo => 'DIR/f' ],
            [ send => 'a', 'wait DIR/f' ],
            [ log  => 'Tick 0 skipped' ],
            [ open => 'DIR/f' ],
            [ take => 'a' ]
        ]
    },
    {
        name    => 'ticks with -W',
        options => [ @two, qw(-X 1 -W 100) ],
        once    => 1,
        only    => 'log',
        steps   => [
            [ fifo => 'DIR/f' ],
            [ send => 'a', 'wait DIR/f' ],
            [ log  => 'Tick 0 skipped' ],
            [ open => 'DIR/f' ],
            [ take => 'a' ]
        ]
    },
    {
        name    => 'ticks that are not answered',
        options => [ @one, qw(-X 1 -b 10) ],
        env     => { WORKER_TICK => 'mute' },
        notes   => 1,
        only    => 'notes',
        steps   => [ [ log => 'resource usage' ] ]
    },

    # ---- the filter is loaded once
    {
        name    => 'workers of -E',
        options => [ @two, '-E' ],
        steps   => [
            [ log => 'Starting worker' ],
            ask('scan Q1 /x', 'env', 'fds', 'relayok 1 2', 'histo'),
            [ fifo    => 'DIR/f' ],
            [ send    => 'a', 'wait DIR/f' ],
            [ letters => 'BS' ],
            ask('scan Q2 /x', 'workers'),
            [ open => 'DIR/f' ],
            [ take => 'a' ],
        ]
    },
    {
        name    => 'workers of -E with -Z',
        options => [ @one, '-E', '-Z' ],
        only    => 'steps',
        steps   => [
            [ log => 'Starting worker' ],
            ask('fds'),
            [ fifo   => 'DIR/f' ],
            [ send   => 'a',           'status 1:%20>%20Reading DIR/f' ],
            [ report => 'busyworkers', '[(]1: ' ],
            [ open   => 'DIR/f' ],
            [ take   => 'a' ]
        ]
    },
    {
        name    => 'a worker of -E that dies once',
        options => [ @two, '-E' ],
        only    => 'steps',
        steps   => [
            [ log => 'Starting worker' ], ask('dieonce DIR/once'),
            [ log => 'Reap' ],            ask('scan Q1 /x')
        ]
    },
    {
        name    => 'a worker of -E that is retired',
        options => [ @one, qw(-E -r 1) ],
        steps   => [
            [ log => 'Starting worker' ],
            ask('scan Q1 /x'),
            [ log => 'Starting worker', 2 ],
            ask('status', 'workerinfo 0')
        ]
    },

    # ---- notifications
    {
        name    => 'notes of requests',
        options => [qw(-m 1 -x 2 -w 60 -Z)],
        notes   => 1,
        only    => 'notes',
        steps   => [
            [ fifo   => 'DIR/f' ],
            [ send   => 'a',           'status 1:%20>%20Reading DIR/f' ],
            [ report => 'busyworkers', '[(]1: ' ],
            ask('scan Q1 /x', 'relayok 1 2'),
            [ open => 'DIR/f' ],
            [ take => 'a' ]
        ]
    },
    {
        name    => 'notes of a time-out',
        options => [qw(-l -m 1 -x 1 -w 60 -b 10)],
        notes   => 1,
        only    => 'notes',
        steps   => [ ask('mute'), [ log => 'resource usage' ] ]
    },
    {
        name    => 'notes of a reread',
        options => [qw(-l -m 1 -x 1 -w 60)],
        notes   => 1,
        only    => 'notes',
        steps   => [
            ask('scan Q1 /x', 'reread'),
            [ log  => 'resource usage' ],
            [ ours => 'log', 'Starting', 2 ]
        ]
    },
    {
        name    => 'notes of a death',
        options => [qw(-l -m 1 -x 1 -w 60)],
        notes   => 1,
        only    => 'notes',
        steps   => [ ask('cut half'), [ log => 'resource usage' ] ]
    },
];
