# SPDX-License-Identifier: MIT
# Programs that the bridge runs: what they say, how they end, and those that do
# not end.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge                qw(get put spool with_log);
use Mail::MIMEDefang::Run qw(run_command);
use POSIX                 ();
use Test::More;
use Time::HiRes qw(sleep);

my $dir = spool();

sub script ($text) {
    my $path = put("$dir/program", "#!/bin/sh\n$text\n");
    chmod 0755, $path;
    return $path;
}

sub run ($text, %with) {
    return run_command(argv => [ script($text) ], %with);
}

# Whether a process is still there, other than as a zombie.
sub lives ($pid) {
    my $stat = get("/proc/$pid/stat") // return 0;
    return $stat !~ /\) Z /;
}

sub waits_for ($what) {
    for (1 .. 600) {
        return 1 if $what->();
        sleep 0.1;
    }
    return 0;
}

subtest 'what it says and how it ends' => sub {
    for (
        [ 'echo a; echo b >&2; echo c', 0,     0,  "a\nb\nc\n" ],
        [ 'printf x; exit 3',           3,     0,  'x' ],
        [ 'exit 255',                   255,   0,  '' ],
        [ 'echo a; kill -15 $$',        undef, 15, "a\n" ],
        [ 'cat; echo end',              0,     0,  "end\n" ],
        [ 'printf "\303\244\000"',      0,     0,  "\xc3\xa4\0" ],
        )
    {
        my ($text, $status, $signal, $output) = @{$_};
        is_deeply(
            run($text),
            {
                status => $status,
                signal => $signal,
                output => $output,
                error  => ''
            },
            $text
        );
    }
    is(run('pwd',     dir => '/usr')->{output},       "/usr\n", 'directory');
    is(run('echo $A', env => { A => 'b' })->{output}, "b\n",    'environment');
    is(run('cat',     stdin => put("$dir/in", "text\n"))->{output},
        "text\n", 'input');
    my ($said, $run)
        = with_log(sub { run('echo a; echo b >&2', only_stdout => 1) });
    is("$run->{output}|$said", "a\n|b\n", 'standard output only');
    is(length run('head -c 300000 /dev/zero')->{output}, 300_000, 'all of it');
};

subtest 'no shell' => sub {
    my @odd = ('$(touch x)', 'a b', '"', q{'}, '`id`', '*', '');
    my $run = run_command(argv => [ 'printf', '<%s>', @odd ], dir => $dir);
    is($run->{output}, '<' . join('><', @odd) . '>', 'arguments as they are');
    is(
        run_command(argv => ['echo $HOME'])->{error},
        'cannot run echo $HOME: No such file or directory',
        'one string too'
    );
};

subtest 'cannot start' => sub {
    my $run = run_command(argv => ["$dir/none"]);
    is($run->{error}, "cannot run $dir/none: No such file or directory",
        'text');
    is($run->{status}, undef, 'no status');
    put("$dir/plain", 'x');
    is(
        run_command(argv => ["$dir/plain"])->{error},
        "cannot run $dir/plain: Permission denied",
        'no program'
    );
    like(
        run('exit 0', dir => "$dir/none")->{error},
        qr{\Acannot chdir to \S+/none: No such file},
        'no directory'
    );
    like(
        run('exit 0', stdin => "$dir/none")->{error},
        qr{\Acannot open \S+/none: No such file},
        'no input'
    );
    is(run('echo fine')->{output}, "fine\n", 'the next one runs');
};

# With a limit that is long enough for what the program says first.
sub limited ($text) {
    my $run;
    for my $limit (0.5, 5, 50) {
        $run = run($text, timeout_s => $limit);
        last if $run->{output} eq "early\n";
    }
    return $run;
}

subtest 'time limit' => sub {
    my $run
        = limited("sleep 1000 & echo \$! > $dir/child; echo early; sleep 1000");
    like($run->{error}, qr{\A$dir/program: not finished within \d\S* s\z},
        'error');
    is($run->{output}, "early\n", 'what came before');
    is($run->{signal}, 15,        'its end');
    chomp(my $child = get("$dir/child"));
    ok(waits_for(sub { !lives($child) }), 'its children too');

    $run = limited("trap '' TERM; echo early; sleep 1000; sleep 1000");
    is($run->{signal}, 9, 'one that ignores TERM');
    $run = run('exec >&- 2>&-; exec sleep 1000', timeout_s => 0.3);
    like($run->{error}, qr/not finished/, 'one that closes its output');
    $run = run('while :; do echo x; done', timeout_s => 0.3, max_bytes => 1e9);
    like($run->{error}, qr/not finished/, 'one that writes all the time');
};

subtest 'too much output' => sub {
    my $run = run('cat /dev/zero', max_bytes => 100_000);
    is($run->{error}, "$dir/program: output longer than 100000 bytes", 'error');
    cmp_ok(length $run->{output}, '<', 200_000, 'is not kept');
    is(run('head -c 1000 /dev/zero', max_bytes => 1000)->{error}, '', 'limit');
};

subtest 'left behind' => sub {
    my $run = run("sleep 1000 & echo \$! > $dir/child; echo done");
    is_deeply(
        [ @{$run}{qw(status output error)} ],
        [ 0, "done\n", '' ],
        'not waited for'
    );
    chomp(my $child = get("$dir/child"));
    ok(lives($child), 'and not killed');
    kill KILL => $child;
};

subtest 'a time limit of somebody else' => sub {
    my $died = eval {
        local $SIG{ALRM} = sub { die "limit\n" };
        Time::HiRes::alarm(0.3);
        run("echo \$\$ > $dir/child; sleep 1000");
        1;
    };
    Time::HiRes::alarm(0);
    is($died, undef,     'goes through');
    is($@,    "limit\n", 'with its reason');
    chomp(my $child = get("$dir/child") // '');
    ok(!length $child || !lives($child), 'and nothing is left behind');
    is(run('echo fine')->{output}, "fine\n", 'the next one runs');

    POSIX::mkfifo("$dir/fifo", oct 600) or die "$dir/fifo: $!";
    $died = eval {
        local $SIG{ALRM} = sub { die "limit\n" };
        Time::HiRes::alarm(0.1);
        run('exit 0', stdin => "$dir/fifo");    # nobody will write to it
        1;
    };
    Time::HiRes::alarm(0);
    is($died,                         undef, 'before it runs');
    is(waitpid(-1, POSIX::WNOHANG()), -1,    'there is no child any more');
};

subtest 'around it' => sub {
    local $SIG{CHLD} = 'IGNORE';
    local $SIG{PIPE} = 'IGNORE';
    local $?         = 7;
    is(run('exit 5')->{status}, 5, 'a filter that ignores its children');
    is($?,                      7, 'its own status');
    is(run('yes | head -1; exit 4')->{output},
        "y\n", 'its ignored signals do not reach the program');
    my $before = () = glob '/proc/self/fd/*';
    run('exit 0') for 1 .. 5;
    run_command(argv => ['/none']) for 1 .. 5;
    my $after = () = glob '/proc/self/fd/*';
    is($after, $before, 'no descriptor is left open');
};

subtest 'where the output goes' => sub {
    my $got = '';
    my $run = run(
        'echo out; echo err >&2',
        stderr => "$dir/errors",
        sink   => sub ($bytes) { $got .= $bytes; return 1 }
    );
    is($got,               "out\n", 'to a function');
    is($run->{output},     '',      'and nowhere else');
    is(get("$dir/errors"), "err\n", 'errors to a file');
    $run = run('yes', sink => sub ($bytes) {0});
    like($run->{error}, qr/program: stopped by us/, 'enough');
    $run = run('yes', sink => sub ($bytes) {1}, max_bytes => 100_000);
    like($run->{error}, qr/longer than 100000 bytes/, 'its limit counts');
};

done_testing;
