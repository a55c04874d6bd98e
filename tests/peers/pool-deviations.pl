#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Where our multiplexor differs from Debian's, in which runs of runs.pl, and why:
# lines "- theirs" and "+ ours"; those that begin with "log" or "statistics" are
# such.  The value of this file is the list.
use v5.36;

[
    {
        name => 'stop-is-told',
        why  => <<'WHY',
Stopping a worker is logged and counted like every other end of one (choice:term-drains); "no
lifetime" is -1.
WHY
        in => {
            'start and stop' => <<'END',
+ log info mimedefang-multiplexor: Killing idle worker 0 (pid P) req=0 age=N req_age=-1: Stopping workers and terminating
+ log info mimedefang-multiplexor: started; minWorkers=1, maxWorkers=2, maxRequests=500, maxLifetime=-1, maxIdleTime=300, busyTimeout=120, clientTimeout=10
+ statistics WHEN KillWorker worker=0 nworkers=1 nbusy=0 req=0 age=N reason="Stopping workers and terminating"
- log info mimedefang-multiplexor: started; minWorkers=1, maxWorkers=2, maxRequests=500, maxLifetime=0, maxIdleTime=300, busyTimeout=120, clientTimeout=10
END
            'start and stop with -G' => <<'END',
+ env: ok 027 DIR/spool leader ignored\x0a
+ log info mimedefang-multiplexor: Killing idle worker 0 (pid P) req=1 age=N req_age=N: Stopping workers and terminating
+ log info mimedefang-multiplexor: started; minWorkers=1, maxWorkers=2, maxRequests=500, maxLifetime=-1, maxIdleTime=300, busyTimeout=120, clientTimeout=10
+ statistics WHEN KillWorker worker=0 nworkers=1 nbusy=0 req=1 age=N reason="Stopping workers and terminating"
- env: ok 027 DIR/spool member ignored\x0a
- log info mimedefang-multiplexor: started; minWorkers=1, maxWorkers=2, maxRequests=500, maxLifetime=0, maxIdleTime=300, busyTimeout=120, clientTimeout=10
END
            'it stops while one is busy' => <<'END',
+ log info mimedefang-multiplexor: Killing busy worker 0 (pid P) req=1 age=N req_age=N: Stopping workers and terminating
+ log info mimedefang-multiplexor: Worker 0 (pid P) taking too long to exit; sending SIGTERM
+ log info mimedefang-multiplexor: Worker 0 resource usage: req=1, scans=0, ...
+ log info mimedefang-multiplexor: started; minWorkers=1, maxWorkers=1, maxRequests=500, maxLifetime=-1, maxIdleTime=300, busyTimeout=120, clientTimeout=10
+ statistics WHEN KillWorker worker=0 nworkers=1 nbusy=1 req=1 age=N reason="Stopping workers and terminating"
- log info mimedefang-multiplexor: Still some workers alive: Sending SIGTERM
- log info mimedefang-multiplexor: Worker 0 resource usage: req=0, scans=0, ...
- log info mimedefang-multiplexor: started; minWorkers=1, maxWorkers=1, maxRequests=500, maxLifetime=0, maxIdleTime=300, busyTimeout=120, clientTimeout=10
END
        },
    },
    {
        name => 'process-group',
        why  => <<'WHY',
A worker leads a process group of its own.
WHY
        in => {
            'workers of -E' => <<'END',
+ env: ok 077 DIR/spool leader ignored\x0a
- env: ok 077 DIR/spool member ignored\x0a
END
            'what a worker gets' => <<'END',
+ env: ok 077 DIR/spool leader ignored\x0a
- env: ok 077 DIR/spool member ignored\x0a
END
        },
    },
    {
        name => 'autoscale',
        why  => <<'WHY',
A command of later versions.
WHY
        in => {
            'reports of nothing' => <<'END',
+ autoscale: enabled=0 interval=15 ema_busy=0.0000 scale_out=0.80 scale_in=0.30 out_cool=5 in_cool=30 ema_alpha=0.2500\x0a
- autoscale: ok\x0a
END
        },
    },
    {
        name => 'incomplete-requests',
        why  => <<'WHY',
A request without its LF, an empty one and a tick from outside are answered
with an error; no worker is spent on them (spec:mux-framing).
WHY
        in => {
            'tick with a number' => <<'END',
+ tick 3: error: External agents may not invoke 'tick'\x0a
- tick 3: ok\x0a
END
            'the socket for everybody' => <<'END',
+ tick 1: error: External agents may not invoke 'tick'\x0a
- tick 1: error: Attempt to use privileged command on unprivileged socket\x0a
END
            'requests that are not quite' => <<'END',
+ \x0a: error: Unknown command\x0a
- \x0a: ok\x0a
END
            'no LF' => <<'END',
+ : error: Incomplete command\x0a
+ free: error: Incomplete command\x0a
- : ok\x0a
- free: ok\x0a
END
        },
    },
    {
        name => 'log-of-requests',
        why  => <<'WHY',
A request that is too long or never came is told in other words.
WHY
        in => {
            'long requests' => <<'END',
- log debug mimedefang-multiplexor: doWorkerCommand: Command too long
- log debug mimedefang-multiplexor: doWorkerCommand: Command too long
- log debug mimedefang-multiplexor: doWorkerCommand: Command too long
- log debug mimedefang-multiplexor: doWorkerCommand: Command too long
END
            'a silent client' => <<'END',
+ log err mimedefang-multiplexor: a client did not complete its request: flag=3: Connection timed out
+ log err mimedefang-multiplexor: a client did not complete its request: flag=3: Connection timed out
- log err mimedefang-multiplexor: handleCommand: Timeout or error: Flag = 3: Connection timed out
- log err mimedefang-multiplexor: handleCommand: Timeout or error: Flag = 3: Connection timed out
END
        },
    },
    {
        name => 'extra-output',
        why  => <<'WHY',
A worker that says more than it was asked is told, and ended if that could be
the answer to another request (spec:mux-partial-answer).
WHY
        in => {
            'two lines at once' => <<'END',
+ log warning mimedefang-multiplexor: Worker 0 (pid P): a second line for one request; filters must not print to standard output
END
            'a line that nobody asked for' => <<'END',
+ log debug mimedefang-multiplexor: Reap: worker 0 (pid P) exited due to SIGTERM/SIGKILL as expected.
+ log info mimedefang-multiplexor: Killing idle worker 0 (pid P) req=1 age=N req_age=N: Unexpected output of worker
+ log info mimedefang-multiplexor: Starting worker 0 (pid P) (1 running): Bringing workers up to minWorkers (1)
+ log info mimedefang-multiplexor: Worker 0 resource usage: req=1, scans=0, ...
+ log warning mimedefang-multiplexor: Worker 0 (pid P): output without a request; filters must not print to standard output
+ scan Q2 /x: ok\x0a
+ statistics WHEN EndFilter worker=0 nworkers=1 nbusy=0 numRequests=1
+ statistics WHEN EndFilter worker=0 nworkers=1 nbusy=0 numRequests=2
+ statistics WHEN KillWorker worker=0 nworkers=1 nbusy=0 req=1 age=N reason="Unexpected output of worker"
+ statistics WHEN ReapWorker worker=0 nworkers=0 nbusy=0
+ statistics WHEN StartWorker worker=0 nworkers=1 nbusy=0 reason="Bringing workers up to minWorkers (1)"
- scan Q2 /x: unasked\x0a
- statistics WHEN EndFilter worker=0 nworkers=1 nbusy=0 numRequests=2
- statistics WHEN EndFilter worker=0 nworkers=1 nbusy=0 numRequests=3
END
        },
    },
    {
        name => 'retry-once',
        why  => <<'WHY',
A request whose worker died is tried on another (choice:retry-once), and
workers that die at once are started more slowly (spec:activation).
WHY
        in => {
            'it exits without an answer' => <<'END',
+ log err mimedefang-multiplexor: "die 3" is given up: the worker that had it died, and so did the next one
+ log err mimedefang-multiplexor: Reap: worker 0 (pid P) exited normally with status 3 (WORKER DIED UNEXPECTEDLY)
+ log err mimedefang-multiplexor: Worker 0 died prematurely -- check your filter rules
+ log err mimedefang-multiplexor: workers die before they answer anything: next start in 1 s; check that "DIR/worker -test" accepts the filter
+ log info mimedefang-multiplexor: Starting worker 0 (pid P) (1 running): About to execute command 'die 3'
+ log info mimedefang-multiplexor: Worker 0 resource usage: req=1, scans=0, ...
+ log warning mimedefang-multiplexor: request of worker 0 will be tried once more on another
+ statistics WHEN ReapWorker worker=0 nworkers=0 nbusy=0
+ statistics WHEN StartWorker worker=0 nworkers=1 nbusy=0 reason="About to execute command 'die 3'"
+ status: I 0 3 0 0 UPTIME\x0a
- status: I 0 2 0 0 UPTIME\x0a
END
            'it exits with status 0' => <<'END',
+ log err mimedefang-multiplexor: "die 0" is given up: the worker that had it died, and so did the next one
+ log err mimedefang-multiplexor: Reap: worker 0 (pid P) exited normally with status 0 (WORKER DIED UNEXPECTEDLY)
+ log err mimedefang-multiplexor: Worker 0 died prematurely -- check your filter rules
+ log err mimedefang-multiplexor: workers die before they answer anything: next start in 1 s; check that "DIR/worker -test" accepts the filter
+ log info mimedefang-multiplexor: Starting worker 0 (pid P) (1 running): About to execute command 'die 0'
+ log info mimedefang-multiplexor: Worker 0 resource usage: req=1, scans=0, ...
+ log warning mimedefang-multiplexor: request of worker 0 will be tried once more on another
+ statistics WHEN ReapWorker worker=0 nworkers=0 nbusy=0
+ statistics WHEN StartWorker worker=0 nworkers=1 nbusy=0 reason="About to execute command 'die 0'"
+ status: I 0 3 0 0 UPTIME\x0a
- status: I 0 2 0 0 UPTIME\x0a
END
            'it is killed' => <<'END',
+ log err mimedefang-multiplexor: "crash" is given up: the worker that had it died, and so did the next one
+ log err mimedefang-multiplexor: Reap: worker 0 (pid P) exited due to signal 9 (WORKER DIED UNEXPECTEDLY)
+ log err mimedefang-multiplexor: Worker 0 died prematurely -- check your filter rules
+ log err mimedefang-multiplexor: workers die before they answer anything: next start in 1 s; check that "DIR/worker -test" accepts the filter
+ log info mimedefang-multiplexor: Starting worker 0 (pid P) (1 running): About to execute command 'crash'
+ log info mimedefang-multiplexor: Worker 0 resource usage: req=1, scans=0, ...
+ log warning mimedefang-multiplexor: request of worker 0 will be tried once more on another
+ statistics WHEN ReapWorker worker=0 nworkers=0 nbusy=0
+ statistics WHEN StartWorker worker=0 nworkers=1 nbusy=0 reason="About to execute command 'crash'"
+ status: I 0 3 0 0 UPTIME\x0a
- status: I 0 2 0 0 UPTIME\x0a
END
            'last words' => <<'END',
+ log err mimedefang-multiplexor: "die 3" is given up: the worker that had it died, and so did the next one
+ log err mimedefang-multiplexor: Reap: worker 0 (pid P) exited normally with status 3 (WORKER DIED UNEXPECTEDLY)
+ log err mimedefang-multiplexor: Worker 0 died prematurely -- check your filter rules
+ log err mimedefang-multiplexor: workers die before they answer anything: next start in 1 s; check that "DIR/worker -test" accepts the filter
+ log info mimedefang-multiplexor: Starting worker 0 (pid P) (1 running): About to execute command 'die 3 3'
+ log info mimedefang-multiplexor: Worker 0 resource usage: req=1, scans=0, ...
+ log info mimedefang-multiplexor: Worker 0 stderr: last words 1
+ log info mimedefang-multiplexor: Worker 0 stderr: last words 2
+ log info mimedefang-multiplexor: Worker 0 stderr: last words 3
+ log warning mimedefang-multiplexor: request of worker 0 will be tried once more on another
+ statistics WHEN ReapWorker worker=0 nworkers=0 nbusy=0
+ statistics WHEN StartWorker worker=0 nworkers=1 nbusy=0 reason="About to execute command 'die 3 3'"
+ status: I 0 3 0 0 UPTIME\x0a
- status: I 0 2 0 0 UPTIME\x0a
END
            'it is out of memory' => <<'END',
+ statistics WHEN ReapWorker worker=0 nworkers=0 nbusy=0
+ statistics WHEN StartWorker worker=0 nworkers=1 nbusy=0 reason="About to execute command 'oom'"
END
            'a scan kills it' => <<'END',
+ log err mimedefang-multiplexor: Q1: "scan Q1" is given up: the worker that had it died, and so did the next one
+ log err mimedefang-multiplexor: Reap: worker 0 (pid P) exited normally with status 9 (WORKER DIED UNEXPECTEDLY)
+ log err mimedefang-multiplexor: Worker 0 died prematurely -- check your filter rules
+ log err mimedefang-multiplexor: workers die before they answer anything: next start in 1 s; check that "DIR/worker -test" accepts the filter
+ log info mimedefang-multiplexor: Starting worker 0 (pid P) (1 running): About to perform scan
+ log info mimedefang-multiplexor: Worker 0 resource usage: req=1, scans=1, ...
+ log warning mimedefang-multiplexor: Q1: request of worker 0 will be tried once more on another
+ statistics WHEN EndFilter worker=0 nworkers=1 nbusy=0 numRequests=1
+ statistics WHEN ReapWorker worker=0 nworkers=0 nbusy=0
+ statistics WHEN StartFilter worker=0 nworkers=1 nbusy=1
+ statistics WHEN StartWorker worker=0 nworkers=1 nbusy=0 reason="About to perform scan"
+ status: I 1 3 0 0 UPTIME\x0a
- status: I 1 2 0 0 UPTIME\x0a
END
            'it forks and exits' => <<'END',
+ fork 2: ERR No response from worker\x0a
+ log err mimedefang-multiplexor: "fork 2" is given up: the worker that had it died, and so did the next one
+ log err mimedefang-multiplexor: Reap: worker 0 (pid P) exited normally with status 0 (WORKER DIED UNEXPECTEDLY)
+ log err mimedefang-multiplexor: Worker 0 died prematurely -- check your filter rules
+ log err mimedefang-multiplexor: Worker 0 died prematurely -- check your filter rules
+ log err mimedefang-multiplexor: workers die before they answer anything: next start in 1 s; check that "DIR/worker -test" accepts the filter
+ log info mimedefang-multiplexor: Starting worker 0 (pid P) (1 running): About to execute command 'fork 2'
+ log info mimedefang-multiplexor: Worker 0 resource usage: req=1, scans=0, ...
+ log info mimedefang-multiplexor: Worker 0 resource usage: req=1, scans=0, ...
+ log warning mimedefang-multiplexor: request of worker 0 will be tried once more on another
+ statistics WHEN ReapWorker worker=0 nworkers=0 nbusy=0
+ statistics WHEN StartWorker worker=0 nworkers=1 nbusy=0 reason="About to execute command 'fork 2'"
+ status: I 0 3 0 0 UPTIME\x0a
- fork 2: (nothing)
- log info mimedefang-multiplexor: Worker 0 resource usage: req=0, scans=0, ...
- status: I 0 2 0 0 UPTIME\x0a
END
            'a worker of -E that dies once' => <<'END',
+ dieonce DIR/once: ok\x0a
- dieonce DIR/once: ERR No response from worker\x0a
END
            'it dies once' => <<'END',
+ dieonce DIR/once: ok\x0a
+ log info mimedefang-multiplexor: Starting worker 1 (pid P) (2 running): About to execute command 'dieonce DIR/once'
+ log warning mimedefang-multiplexor: request of worker 0 will be tried once more on another
+ statistics WHEN ReapWorker worker=0 nworkers=1 nbusy=1
+ statistics WHEN StartWorker worker=1 nworkers=2 nbusy=0 reason="About to execute command 'dieonce DIR/once'"
- dieonce DIR/once: ERR No response from worker\x0a
- statistics WHEN ReapWorker worker=0 nworkers=0 nbusy=0
END
            'no -l' => <<'END',
+ log err mimedefang-multiplexor: "die 3" is given up: the worker that had it died, and so did the next one
+ log err mimedefang-multiplexor: Worker 0 died prematurely -- check your filter rules (-l logs all that workers write to stderr)
+ log err mimedefang-multiplexor: Worker 0 died prematurely -- check your filter rules (-l logs all that workers write to stderr)
+ log warning mimedefang-multiplexor: request of worker 0 will be tried once more on another
- log err mimedefang-multiplexor: Worker 0 died prematurely -- check your filter rules and use the '-l' flag on mimedefang-multiplexor to see Perl error messages
END
        },
    },
    {
        name => 'no-worker',
        why  => <<'WHY',
A worker program that is not there is told at the start.
WHY
        in => {
            'it cannot be started' => <<'END',
+ log err mimedefang-multiplexor: worker program /nonexistent/worker: No such file or directory; install it or give the right path with -f
- log err mimedefang-multiplexor: Reap: worker 0 (pid P) exited normally with status 1 (WORKER DIED UNEXPECTEDLY)
- log info mimedefang-multiplexor: Starting worker 0 (pid P) (1 running): Bringing workers up to minWorkers (1)
- log info mimedefang-multiplexor: Worker 0 resource usage: req=0, scans=0, ...
END
        },
    },
    {
        name => 'stderr-line',
        why  => <<'WHY',
A line of diagnostics is logged when it is complete.
WHY
        in => {
            'stderr without LF' => <<'END',
- log info mimedefang-multiplexor: Worker 0 stderr: something is odd
END
        },
    },
    {
        name => 'start-reason',
        why  => <<'WHY',
The reason of a start is one line, without the LF of the request.
WHY
        in => {
            'a worker on demand' => <<'END',
+ log info mimedefang-multiplexor: Starting worker 1 (pid P) (2 running): About to execute command 'relayok 1 2'
+ statistics WHEN StartWorker worker=1 nworkers=2 nbusy=1 reason="About to execute command 'relayok 1 2'"
- log info mimedefang-multiplexor: Starting worker 1 (pid P) (2 running): About to execute command 'relayok 1 2\x0a'
- statistics '"
- statistics WHEN StartWorker worker=1 nworkers=2 nbusy=1 reason="About to execute command 'relayok 1 2
END
        },
    },
    {
        name => 'order-of-statistics',
        why  => <<'WHY',
A request ends in the statistics before the next one begins.
WHY
        in => {
            'it does not answer a scan' => <<'END',
+ statistics WHEN KillWorker worker=0 nworkers=1 nbusy=0 req=1 age=N reason="Busy timeout"
- statistics WHEN KillWorker worker=0 nworkers=1 nbusy=0 req=1 age=N reason="Busy timeout"
END
            'a worker of -E that is retired' => <<'END',
+ statistics WHEN KillWorker worker=0 nworkers=1 nbusy=0 req=1 age=N reason="Worker has processed 1 requests"
- statistics WHEN KillWorker worker=0 nworkers=1 nbusy=0 req=1 age=N reason="Worker has processed 1 requests"
END
            'a queue' => <<'END',
+ statistics WHEN EndFilter worker=0 nworkers=1 nbusy=0 numRequests=2
- statistics WHEN EndFilter worker=0 nworkers=1 nbusy=1 numRequests=1
- statistics WHEN EndFilter worker=0 nworkers=1 nbusy=1 numRequests=2
END
        },
    },
    {
        name => 'zygote-words',
        why  => <<'WHY',
With -E it is another process that has loaded the filter (spec:zygote).
WHY
        in => {
            'workers of -E' => <<'END',
+ log info mimedefang-multiplexor: zygote (pid P) is ready
- log info mimedefang-multiplexor: Initialized embedded Perl interpreter
END
            'a worker of -E that is retired' => <<'END',
+ log info mimedefang-multiplexor: zygote (pid P) is ready
- log info mimedefang-multiplexor: Initialized embedded Perl interpreter
END
        },
    },
    {
        name => 'refusals-are-told',
        why  => <<'WHY',
A connection that is refused is logged.
WHY
        in => {
            'the socket for everybody' => <<'END',
+ log warning mimedefang-multiplexor: unprivileged socket: as many clients that have not asked yet as --max-open-clients allows (1 connections refused so far)
END
        },
    },
    {
        name => 'warm-generation',
        why  => <<'WHY',
The new generation is started before it is needed (spec:retirement).
WHY
        in => {
            'reread' => <<'END',
+ log info mimedefang-multiplexor: Starting worker 1 (pid P) (2 running): Bringing up the new generation
- log info mimedefang-multiplexor: Starting worker 0 (pid P) (1 running): About to perform scan
END
            'reread while one is busy' => <<'END',
+ log info mimedefang-multiplexor: Starting worker 0 (pid P) (1 running): Bringing up the new generation
- log info mimedefang-multiplexor: Starting worker 0 (pid P) (1 running): Bringing workers up to minWorkers (1)
END
        },
    },
    {
        name => 'notes-of-reread',
        why  => <<'WHY',
Behind R comes the new generation's first worker.
WHY
        in => {
            'notes of a reread' => <<'END',
+ note S 0 StateChange Stopped -> Idle
END
        },
    },
];
