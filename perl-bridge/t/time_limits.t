# SPDX-License-Identifier: MIT
# Time limits of callbacks, and filters that use alarm themselves.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(get put start start_scripted work_dir);
use Test::More;

my $TEMPFAIL
    = 'ok -1 Filter%20failed,%20please%20try%20again%20later 451 4.3.0 0';

# A worker whose filter_relay runs CODE, with LIMITS.
sub worker ($limits, $code, %with) {
    return start(
        "%CallbackTimeout = ($limits); sub filter_relay { $code }"
            . ' sub filter_helo { 1 }',
        %with
    );
}

subtest 'whatever it is doing' => sub {
    for (
        [ 'computes' => '1 while 1' ],
        [ 'sleeps'   => 'sleep 1000' ],
        [ 'selects'  => 'select undef, undef, undef, 1000' ],
        [ 'reads'    => 'pipe my $r, my $w; <$r>' ],
        [
            'reads from a socket' =>
                'socketpair my $r, my $w, 1, 1, 0; sysread $r, my $x, 1'
        ],
        [
            'waits for a program' => 'exec "sleep", 1000 if !(my $p = fork);'
                . ' eval { waitpid $p, 0 }; kill 9, $p; waitpid $p, 0; die'
        ],
        [ 'catches it once' => 'eval { sleep 1000 }; sleep 1000' ],
        )
    {
        my ($what, $code) = @{$_};
        my $w = worker('filter_relay => 0.2', $code);
        is($w->ask('relayok 1 h'), $TEMPFAIL, "a callback that $what");
        my $log = $w->stderr;
        like(
            $log,
            qr/^err: filter_relay died: .*filter (?:from )?line 1\)?\.?$/m,
            'is logged with its name and line'
        );
        like($log, qr/time limit of 0\.2 s exceeded/, 'and the limit')
            if $code !~ /die/;
        is($w->ask('helook 1 h h'), 'ok 1 ? 250 2.1.0 0', 'the worker lives');
    }
};

subtest 'of a scan' => sub {
    for my $callback (
        qw(filter_begin filter filter_multipart filter_end
        filter_wrapup filter_create_parser)
        )
    {
        my $w
            = start("%CallbackTimeout = ($callback => 0.2);"
                . " sub $callback { action_add_header(qw(X-A 1)); 1 while sleep 1000 }"
            );
        my $dir = work_dir($w->{spool}, <<'END');
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/mixed; boundary=c

--c

x
--c--
--b--
END
        is(
            $w->ask("scan Q $dir"),
            "error: $callback died: time limit of 0.2 s exceeded"
                . " ($w->{spool}/filter line 1)",
            $callback
        );
        is(get("$dir/RESULTS"), undef,  'no RESULTS');
        is($w->ask('ping'),     'PONG', 'the worker lives');
    }
};

subtest 'which limit' => sub {
    my $limit = sub ($limits, %with) {
        my $w = worker($limits, 'sleep 1000', %with);
        is($w->ask('relayok 1 h'), $TEMPFAIL, 'answered');
        return $w->stderr =~ /time limit of (\S+) s/ ? $1 : 'none';
    };
    is($limit->('default => 0.3, filter_end => 9'), '0.3', 'default');
    is($limit->('default => 999, command => 0.4'),
        '0.4', 'of the whole request');
    is($limit->('default => 0.3, command => 999'), '0.3', 'the shorter one');
    is($limit->('filter_relay => "x", command => 0.2'), '0.2', 'no number');

    my $w = start(
        'sub filter_relay { return (1, join ",",'
            . ' map { "$_=$CallbackTimeout{$_}" } sort keys %CallbackTimeout) }',
        env => { MIMEDEFANG_BUSY_TIMEOUT => 200 }
    );
    is(
        $w->ask('relayok 1 h'),
        'ok 1 command=190,default=180 250 2.1.0 0',
        'below what the multiplexor grants'
    );
    $w = start('sub filter_relay { return (1, scalar %CallbackTimeout) }');
    is($w->ask('relayok 1 h'), 'ok 1 0 250 2.1.0 0', 'none if that is unknown');
};

subtest 'a limit is for one callback' => sub {
    my $w = worker('filter_relay => 0.2, filter_helo => 500', 'return 1');
    is($w->ask('relayok 1 h'), 'ok 1 ? 250 2.1.0 0', 'in time');
    my $slow
        = start('%CallbackTimeout = (filter_relay => 0.2);'
            . ' sub filter_relay { 1 } sub filter_helo {'
            . ' my $end = time + 1; 1 while time <= $end;'
            . ' return 1 }');
    is($slow->ask('relayok 1 h'), 'ok 1 ? 250 2.1.0 0', 'in time');
    is(
        $slow->ask('helook 1 h h'),
        'ok 1 ? 250 2.1.0 0',
        'nothing of it is left for the next'
    );

    my $inner
        = start('%CallbackTimeout = (filter => 0.3, defang_warning => 500);'
            . ' sub filter { action_defang($_[0], "a", "b", "c/d") }'
            . ' sub defang_warning { 1 while sleep 1000 }');
    my $dir = work_dir($inner->{spool}, "Subject: a\n\nb\n");
    like(
        $inner->ask("scan Q $dir"),
        qr/^error: defang_warning died: time limit of 0\.3 s exceeded/,
        'one inside another has no more than is left'
    );
};

subtest 'alarm in a filter' => sub {
    my $ask = sub ($code, $limits = '') {
        my $w = worker($limits, $code);
        return $w->ask('relayok 1 h') =~ s/%(..)/chr hex $1/ger;
    };
    my $mine = 'eval { local $SIG{ALRM} = sub { die "mine\n" };'
        . ' alarm 1; sleep 1000; alarm 0; }; my $e = $@ || "none";';
    for my $limits ('', 'filter_relay => 500') {
        is(
            $ask->("$mine chomp \$e; return (1, \$e)", $limits),
            'ok 1 mine 250 2.1.0 0',
            'comes when it is due'
        );
    }
    like(
        $ask->(
            'alarm 900; $_ = 500; my @l = alarm; return (1, "$l[0] " . alarm 0)',
            'filter_relay => 400'
        ),
        qr/^ok 1 (?:900|8\d\d) (?:500|4\d\d) 250/,
        'returns what was left'
    );
    is($ask->('return (1, alarm 0)'), 'ok 1 0 250 2.1.0 0', 'or 0');
    is(
        $ask->('alarm 1; sleep 1000'),
        $TEMPFAIL =~ s/%20/ /gr,
        'without a handler: not the end of the worker'
    );

    my $w = worker(
        'filter_relay => 0.3',
        'eval { local $SIG{ALRM} = sub { die "mine\n" }; alarm 900;'
            . ' sleep 1000; alarm 0; }; sleep 1000; return 1'
    );
    is($w->ask('relayok 1 h'), $TEMPFAIL, 'one that is due after the limit');
    like($w->stderr, qr/time limit of 0\.3 s/, 'cannot hide it');

    $w = worker('filter_relay => 500',
        '$SIG{ALRM} = sub { $n++ }; alarm 1; sleep 1000; return (1, $n)');
    is($w->ask('relayok 1 h'), 'ok 1 1 250 2.1.0 0', 'a handler that returns');
    is($w->ask('relayok 1 h'), 'ok 1 2 250 2.1.0 0', 'again');
};

done_testing;
