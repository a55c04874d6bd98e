# SPDX-License-Identifier: MIT
package Harness;

# What tests with real processes need: one temporary directory, processes that
# are stopped by their pid, free ports, waiting with an end.
#
# Nothing outlives the test, whether it passes, dies, runs out of time or gets
# Ctrl-C.  A wait that ends in vain dies with a line that says what was awaited.

use v5.36;
use Cwd        ();
use Errno      qw(EINTR);
use Exporter   qw(import);
use File::Path ();
use File::Spec ();
use File::Temp ();
use FindBin    ();
use IO::Handle ();
use IO::Socket::INET;
use POSIX       qw(WNOHANG);
use Time::HiRes ();

our @EXPORT_OK = qw(both_ways top program need_programs temp_dir daemon_user
    start_process adopt_process uninterrupted stop_process is_running is_alive
    descendants wait_exit wait_for free_port read_file write_file run_program
    stage_worker mount_small);

my $owner = $$;
my $temp_dir;
my @started;
my @mounted;
my ($uninterrupted, $pending);
my $worker;

=head1 FUNCTIONS

=head2 top()

The absolute path of the source tree.

=head2 program($name)

The absolute path of one of our programs; the folder is C<$ENV{BIN}> or
F<build/bin>.

=cut

# A subtest with each kind of multiplexor; $code gets true for the separate one.
sub both_ways ($code) {
    Test::More::subtest('built-in multiplexor' => sub { $code->(0) });
    Test::More::subtest('separate multiplexor' => sub { $code->(1) });
    return;
}

sub top {
    state $top = Cwd::realpath("$FindBin::Bin/../..");
    return $top;
}

sub program ($name) {
    return File::Spec->rel2abs($ENV{BIN} // 'build/bin', top()) . "/$name";
}

=head2 need_programs(@names)

Skips the whole test with the reason if one of our programs is not built.

=cut

sub need_programs (@names) {
    my @missing = grep { !-x } map { program($_) } @names;
    push @missing, grep { !-e } top() . '/perl-bridge/bin/mimedefang.pl';
    Test::More::plan(skip_all => "not built: @missing") if @missing;
    return;
}

=head2 temp_dir()

The temporary directory of this test, made at the first call, passable for all
users, removed at the end.

=cut

sub temp_dir {
    if (!$temp_dir) {
        $temp_dir = File::Temp::mkdtemp(File::Spec->tmpdir . '/sp-test.XXXXXX');
        chmod 0711, $temp_dir or die "$temp_dir: $!\n";
    }
    return $temp_dir;
}

=head2 daemon_user()

The user that daemons drop to, undef if we are not root: then they run as we.

=cut

sub daemon_user {
    return if $>;
    for my $name (qw(defang nobody)) {
        return $name if getpwnam $name;
    }
    die "there is neither a user defang nor nobody\n";
}

=head2 stage_worker()

Copies the worker program and its modules to a place that every user can read
(the tree may lie below /root).  Returns the path of the program.

=cut

sub stage_worker {
    return $worker if $worker;
    my $to = temp_dir() . '/worker';
    mkdir $to or die "$to: $!\n";
    system(
        'cp', '-R',
        top() . '/perl-bridge/bin',
        top() . '/perl-bridge/lib', $to
        ) == 0
        or die "cannot copy the worker to $to\n";
    system('chmod', '-R', 'a+rX', $to) == 0 or die "chmod $to\n";
    return $worker = "$to/bin/mimedefang.pl";
}

=head2 start_process(cmd => [...], stdout => FILE, stderr => FILE, ...)

Starts a program in a process group of its own, so that Ctrl-C reaches only the
test, which then stops the program.  C<code> instead of C<cmd> runs a function
in the child.  Returns a process object: { pid, status (once it has ended) }.

=cut

sub start_process (%o) {
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        local $SIG{__DIE__} = 'DEFAULT';
        on_signals('DEFAULT', qw(INT TERM ALRM PIPE));
        setpgrp 0, 0;
        eval { become(%o); 1 } or print {*STDERR} $@;
        POSIX::_exit(126);
    }
    my $p = { %o, pid => $pid, all => -$pid };
    push @started, $p;
    return $p;
}

=head2 adopt_process($pid)

The same for a daemon, which is not our child, so that it is stopped too.

=head2 uninterrupted($code)

Calls the function; signals that would end the test wait until it has returned.
For a program that leaves a daemon: until we know its pid.

=cut

sub adopt_process ($pid) {
    my $all = getpgrp $pid == $pid ? -$pid : $pid;
    my $p   = { pid => $pid, all => $all, adopted => 1 };
    push @started, $p;
    return $p;
}

sub become (%o) {
    open STDIN, '<', '/dev/null' or die "/dev/null: $!\n";
    if ($o{stdout}) {
        open STDOUT, '>>', $o{stdout} or die "$o{stdout}: $!\n";
    }
    if ($o{stderr}) {
        open STDERR, '>>', $o{stderr} or die "$o{stderr}: $!\n";
    }
    $ENV{$_} = $o{env}{$_} for keys %{ $o{env} // {} };
    if ($o{code}) {
        $o{code}->();
        POSIX::_exit(0);
    }
    exec { $o{cmd}[0] } @{ $o{cmd} } or die "exec $o{cmd}[0]: $!\n";
}

=head2 is_running($process)

True as long as it has not ended; notes its wait status when it has.

=head2 wait_exit($process [, $seconds])

Waits until it has ended and returns its wait status; undef if it did not.

=head2 stop_process($process [, $signal])

Asks it to end, waits until no process of its group is left, kills them if they
do not end within 15 seconds.  Returns its wait status.

=cut

sub is_running ($p) {
    return 0 if defined $p->{status};
    if ($p->{adopted}) {
        return 1 if is_alive($p->{pid});
        $p->{status} = 0;
        return 0;
    }
    my $got = waitpid $p->{pid}, WNOHANG;
    return 1 if $got == 0;
    $p->{status} = $got == $p->{pid} ? $? : -1;
    return 0;
}

sub wait_exit ($p, $seconds = 15) {
    my $end = Time::HiRes::time() + $seconds;
    while (is_running($p)) {
        return if Time::HiRes::time() > $end;
        nap();
    }
    return $p->{status};
}

sub stop_process ($p, $signal = 'TERM') {
    kill $signal, $p->{pid} if is_running($p);
    if (!ended($p)) {
        print {*STDERR} "# pid $p->{pid} did not stop, killing it\n";
        kill 'KILL', $p->{all}, descendants($p->{pid});
        ended($p);
    }
    @started = grep { $_ != $p } @started;
    return $p->{status};
}

# Whether it and all of its group have ended, after at most 15 seconds.
sub ended ($p) {
    my $end = Time::HiRes::time() + 15;
    while (is_running($p) || is_alive($p->{all})) {
        return 0 if Time::HiRes::time() > $end;
        nap();
    }
    return 1;
}

=head2 is_alive($pid)

Whether this process, or any of this group if the number is negative, is there;
the dead that nobody has waited for do not count.

=cut

sub is_alive ($pid) {
    return 0 if !kill 0, $pid;
    my @processes = processes() or return 1;
    my $key       = $pid < 0 ? 'group' : 'pid';
    return 0 < grep { $_->{$key} == abs $pid && $_->{state} !~ /[ZX]/ }
        @processes;
}

=head2 descendants($pid)

Pids of its children, their children and so on.  None where there is no /proc.

=cut

sub descendants ($pid) {
    my @processes = processes();
    my @found     = ($pid);
    for (my $i = 0; $i < @found; $i++) {
        push @found,
            map { $_->{pid} } grep { $_->{parent} == $found[$i] } @processes;
    }
    return @found[ 1 .. $#found ];
}

# All processes of this machine, if that can be known.
sub processes {
    my @processes;
    for my $file (glob '/proc/[0-9]*/stat') {
        open my $fh, '<', $file or next;
        my %p;
        (readline $fh // '') =~ /\A(\d+) .*\) (\S) (\d+) (\d+)/s or next;
        @p{qw(pid state parent group)} = ($1, $2, $3, $4);
        push @processes, \%p;
    }
    return @processes;
}

sub nap { return Time::HiRes::sleep(0.01) }

=head2 wait_for($what, $condition [, $seconds])

Calls the function until it returns something true, and returns that.

=cut

sub wait_for ($what, $condition, $seconds = 30) {
    my $end = Time::HiRes::time() + $seconds;
    my $got;
    until ($got = $condition->()) {
        die "waited $seconds s in vain: $what\n" if Time::HiRes::time() > $end;
        nap();
    }
    return $got;
}

=head2 free_port()

A TCP port on 127.0.0.1 that nobody used a moment ago: the caller has to be
ready to try again.

=cut

sub free_port {
    my $s = IO::Socket::INET->new(
        Listen    => 1,
        LocalAddr => '127.0.0.1',
        LocalPort => 0
    ) or die "no free port: $@\n";
    return $s->sockport;
}

=head2 read_file($path), write_file($path, $bytes)

=cut

sub read_file ($path) {
    open my $fh, '<:raw', $path or die "$path: $!\n";
    local $/ = undef;
    return scalar(readline $fh) // '';
}

sub write_file ($path, $bytes) {
    open my $fh, '>:raw', $path or die "$path: $!\n";
    print {$fh} $bytes;
    close $fh or die "$path: $!\n";
    return;
}

=head2 run_program($seconds, @command)

Runs it to its end.  Returns (exit status, stdout, stderr); the status is 128 +
signal if a signal ended it, undef if it had to be stopped after so many
seconds.

=cut

sub run_program ($seconds, @command) {
    state $n = 0;
    my $base = temp_dir() . '/run' . ++$n;
    my $p    = start_process(
        cmd    => \@command,
        stdout => "$base.out",
        stderr => "$base.err"
    );
    my $status = wait_exit($p, $seconds);
    stop_process($p);
    my @text = map { -e ? read_file($_) : '' } "$base.out", "$base.err";
    return (undef, @text) if !defined $status;
    return ($status & 127 ? 128 + ($status & 127) : $status >> 8, @text);
}

=head2 mount_small($name, $options)

Mounts a tmpfs with these options below the temporary directory and returns its
path; undef if that is not possible here.

=cut

sub mount_small ($name, $options) {
    my $dir = temp_dir() . "/$name";
    mkdir $dir or die "$dir: $!\n";
    my ($status)
        = run_program(10, 'mount', '-t', 'tmpfs', '-o', $options, 'none', $dir);
    return if !defined $status || $status != 0;
    push @mounted, $dir;
    return $dir;
}

sub clean_up {
    local ($?, $!);
    on_signals('IGNORE', qw(INT TERM ALRM));
    my @running = reverse @started;
    stop_process($_) for @running;
    system 'umount', $_ for @mounted;
    File::Path::remove_tree($temp_dir) if $temp_dir;
    $temp_dir = undef;
    return;
}

sub give_up ($signal) {
    if ($uninterrupted) {
        $pending = $signal;
        return;
    }
    print {*STDERR} "# $0: SIG$signal, stopping what was started\n";
    exit($signal eq 'ALRM' ? 1 : 130);
}

sub uninterrupted ($code) {
    $uninterrupted = 1;
    my $result = eval { $code->() };
    my $error  = $@;
    $uninterrupted = 0;
    give_up($pending) if $pending;
    die $error        if $error;
    return $result;
}

sub on_signals ($handler, @names) {
    $SIG{$_} = $handler for @names;    ## no critic (LocalizedPunct)
    return;
}

on_signals(\&give_up, qw(INT TERM ALRM));
on_signals('IGNORE',  'PIPE');
alarm($ENV{TEST_SECONDS} // 150);

END {
    clean_up() if $$ == $owner;
}

1;
