#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A worker that does what a request tells it, for tests of the pool.  Requests
# are "VERB [ARG...]"; every other line is answered "ok".
#
#   scan QID DIR [err TEXT]  ok, after TEXT on stderr
#   scan QID DIR wait PATH   ok, when FIFO PATH lets it go on
#   scan QID DIR die         exits without an answer
#   pid               ok PID
#   args              ok WORDS of the command line
#   half PATH         "ok ha", opens the FIFO PATH for reading, then "lf\n"
#   wait PATH         opens the FIFO PATH for reading, then "ok\n"
#   die [STATUS [N]]  exits without an answer, after N lines on stderr
#   dieonce PATH      dies if it can create PATH, else ok
#   crash             kills itself with SIGKILL
#   brood PATH        leaves a child that holds all pipes, and dies; when the
#                     child gets SIGTERM it opens FIFO PATH for writing
#   cut TEXT          TEXT without LF, then exits
#   two               two lines at once
#   more              a line and the beginning of another
#   later PATH        ok; when FIFO PATH is opened, another line; then makes
#                     PATH.done
#   ahead PATH        ok; answers the next request before reading it; FIFO
#                     PATH lets it go on.  Its pipe holds one page.
#   big N             N octets and an LF
#   map mute KEY      never answers; any other name: OK KEY
#   mute              never answers
#   deaf              ignores TERM, never answers
#   closed            closes stdout, lives on
#   err TEXT          TEXT on stderr, then ok
#   flood N           N lines on stderr, then ok
#   oom               says Out of memory! on stderr and dies
#   status TEXT PATH  TEXT to descriptor 3, then as wait
#   text WORDS        WORDS; %0A and the like are decoded, no LF is added
#   slow TEXT         TEXT and an LF, one octet a write
#   noeol TEXT        TEXT without LF on stderr, then ok
#   stop              stops itself (SIGSTOP)
#   close N           closes descriptor N, then ok if that is not 1
#   fork SECONDS      exits; a child lives on with all descriptors so long
#   fds               ok and the numbers of open descriptors
#   env               ok umask, directory, process group is own, SIGPIPE state
#   limit             ok what it was told of -b
#
# With -zygote or -zygoteu it forks such workers on request (spec:zygote), or
# misbehaves as WORKER_ZYGOTE says: ignorant (exits), slow (never ready), failing
# (answers "failed"), lying (names process 1), dying (at the first order), mute
# (does not answer), babbling (says what nobody understands, then serves).
#
# WORKER_TICK=mute: does not answer ticks; die: exits.  With -embserver it only defines do_main_loop.
#
# WORKER_START=die: exits at once; odd: so, with terminal codes in its words; hang: does not come up.  WORKER_END=ignore: ignores end of file and
# TERM.
use v5.36;
use Cwd ();
use Fcntl;
use POSIX ();

STDOUT->autoflush(1);
my %last_words = (
    die => 'cannot load the filter',
    odd => "\e[2Jgone\r \xc3\xa9\0.",
);
if (my $words = $last_words{ $ENV{WORKER_START} // '' }) {
    print STDERR "$words\n";
    exit 3;
}
sleep 1000 while ($ENV{WORKER_START} // '') eq 'hang';
$SIG{TERM} = 'IGNORE' if ($ENV{WORKER_END} // '') eq 'ignore';

sub forever () { sleep 1000 while 1; return }

sub wait_for ($path) {
    open my $fh, '<', $path or return;
    my $line = <$fh>;
    return;
}

sub mark ($path) {
    open my $fh, '>', $path or die "$path: $!\n";
    return;
}

# One worker: between us and it a process that exits, so that it is adopted.
sub deliver ($path, $status) {
    pipe my $from, my $to or die "pipe: $!\n";
    if (fork) {
        close $to;
        my $pid = readline $from;
        wait;
        return $pid;
    }
    close $from;
    my @mode = ('<', '>', '>', '>');
    open STDIN,  $mode[0], "$path.0" or die "$path.0: $!\n";
    open STDOUT, $mode[1], "$path.1" or die "$path.1: $!\n";
    open STDERR, $mode[2], "$path.2" or die "$path.2: $!\n";
    my $tags;
    $status and open $tags, $mode[3], "$path.3";

    if (my $pid = fork) {
        setpgrp $pid, $pid;
        print {$to} $pid;
        close $to;
        POSIX::_exit(0);
    }
    setpgrp 0, 0;
    close $to;
    $tags ? POSIX::dup2(fileno $tags, 3) : POSIX::close(3);
    @ARGV = '-forked';    ## no critic (RequireLocalizedPunctuationVars)
    STDOUT->autoflush(1);
    return;
}

my $control;    # not closed when zygote() returns: 3 is another pipe then

# Returns in each worker.
sub zygote ($status) {
    require POSIX;
    my $how = $ENV{WORKER_ZYGOTE} // '';
    exit 4 if $how eq 'ignorant';
    open $control, '+<&=', 3 or die "no descriptor 3\n";
    sleep 1000 while $how eq 'slow';
    syswrite $control, 'what?' if $how eq 'babbling';
    syswrite $control, 'ready';
    while (sysread $control, my $order, 512) {
        my ($id, $path) = $order =~ /^start (\S+) (.+)/ or next;
        exit 5 if $how eq 'dying';
        next   if $how eq 'mute';
        if ($how eq 'failing' || $how eq 'lying') {
            syswrite $control,
                $how eq 'lying' ? "up $id 1" : "failed $id no will";
            next if $how eq 'failing';
        }
        my $pid = deliver($path, $status) or return;
        syswrite $control, "up $id $pid";
    }
    exit 0;
}

zygote($1) if "@ARGV" =~ /-zygote(u?)$/;

my %verb = (
    scan => sub ($qid = '', $dir = '', $err = '', @text) {
        print STDERR "@text\n" if $err eq 'err';
        wait_for(@text)        if $err eq 'wait';
        exit 9                 if $err eq 'die';
        say 'ok';
    },
    tick => sub (@) {
        forever() if ($ENV{WORKER_TICK} // '') eq 'mute';
        exit 9    if ($ENV{WORKER_TICK} // '') eq 'die';
        say 'ok';
    },
    pid   => sub { say "ok $$" },
    limit => sub { say "ok $ENV{MIMEDEFANG_BUSY_TIMEOUT}" },
    args  => sub { say "ok @ARGV" },
    half  => sub ($path) { print 'ok ha';   wait_for($path); say 'lf' },
    wait  => sub ($path) { wait_for($path); say 'ok'; mark("$path.done") },
    die   => sub ($status = 9, $n = 0) {
        print STDERR "last words $_\n" for 1 .. $n;
        exit $status;
    },
    dieonce => sub ($path) {
        exit 9 if sysopen my $fh, $path, O_CREAT | O_EXCL | O_WRONLY;
        say 'ok';
    },
    crash => sub { kill KILL => $$; forever() },
    brood => sub ($path) {
        $SIG{TERM} = sub {
            sysopen my $fh, $path, O_WRONLY | O_NONBLOCK;
            exit 0;
        };
        exit 8 if fork;

        # a signal that comes just before one long sleep would not end it
        sleep 1 while 1;
    },
    cut   => sub ($text) { print $text; exit 0 },
    two   => sub { print "ok one\nok two\n" },
    more  => sub { print "ok one\nok t" },
    later => sub ($path) {
        say 'ok';
        wait_for($path);
        say 'unasked';
        mark("$path.done");
    },
    ahead => sub ($path) {
        fcntl STDIN, 1031, 4096;    # F_SETPIPE_SZ of Linux
        say 'ok';
        vec(my $in = q{}, 0, 1) = 1;
        select $in, undef, undef, undef;
        say 'ok ahead';
        wait_for($path);
        readline STDIN;
    },
    big => sub ($n) { print 'x' x $n, "\n" },
    map =>
        sub ($name, $key = '') { $name eq 'mute' ? forever() : say "OK $key" },
    mute   => sub { forever() },
    deaf   => sub { $SIG{TERM} = 'IGNORE';                     forever() },
    closed => sub { close STDOUT;                              forever() },
    err    => sub (@text) { print STDERR "@text\n";            say 'ok' },
    flood  => sub ($n) { print STDERR "line $_\n" for 1 .. $n; say 'ok' },
    oom    => sub { print STDERR "Out of memory!\n";           exit 1 },
    status => sub ($text, $path) {
        open my $fh, '>&=', 3 or die "no descriptor 3\n";
        syswrite $fh, "$text\n";
        wait_for($path);
        say 'ok';
    },
    text => sub (@text) {
        print "@text" =~ s/%([[:xdigit:]]{2})/chr hex $1/ger;
    },
    slow  => sub ($text) { syswrite STDOUT, $_ for split(//, $text), "\n" },
    noeol => sub (@text) { print STDERR "@text"; say 'ok' },
    stop  => sub { kill STOP => $$; say 'ok' },
    close => sub ($n) {
        POSIX::close($n);
        $n == 1 ? forever() : say 'ok';
    },
    fork => sub ($seconds) {
        my $pid = fork // die "fork: $!\n";
        sleep $seconds if !$pid;
        POSIX::_exit(0);
    },
    fds => sub {
        opendir my $d, "/proc/$$/fd" or return say 'ok unknown';
        say join q{ }, 'ok', sort { $a <=> $b } grep {/\d/} readdir $d;
    },
    env => sub {
        my $pipe = ($SIG{PIPE} // '') eq 'IGNORE' ? 'ignored' : 'default';
        printf "ok %03o %s %s %s\n", umask, Cwd::getcwd(),
            (getpgrp(0) == $$ ? 'leader' : 'member'), $pipe;
    },
);

sub serve () {
    while (defined(my $line = readline STDIN)) {
        chomp $line;
        my ($word, @args) = split /\s+/, $line;
        my $do = $verb{ $word // '' };
        $do ? $do->(@args) : say 'ok';
    }
    forever() if ($ENV{WORKER_END} // '') eq 'ignore';
    return 0;
}
sub do_main_loop { return serve() }    # for whom Perl is embedded in

exit serve() if "@ARGV" !~ /-embserveru?$/;
1;
