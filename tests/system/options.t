#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Each option of mimedefang, by letter and by long name: what --print-config
# shows of it, and what it does.  Options behind "--" are in mux-options.t.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon       ();
use MilterClient qw(tempfailed);
use Fcntl        qw(O_RDWR);
use POSIX        qw(mkfifo);
use Harness      qw(need_programs program run_program temp_dir wait_for
    read_file write_file is_running start_process stop_process);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my %named;    # options for which there was a test

# ---- what is in effect --------------------------------------------------------

# letter or "-", long name or "-", value given ("-": takes none), in effect
for (split /\n/, <<'END') {
p listen              inet:1@127.0.0.1  inet:1@127.0.0.1
m multiplexor         /run/mx.sock      /run/mx.sock
U user                nosuch            nosuch
z spool-dir           /var/spool/other  /var/spool/other
b backlog             3                 5
G group-access        -                 yes
d keep-dirs           -                 yes
k keep-failed         -                 yes
r relay-check         -                 yes
H helo-check          -                 yes
s sender-check        -                 yes
t recipient-check     -                 yes
q queue-connections   -                 yes
R reserve             -7                -1
P pid-file            /run/pid          /run/pid
o lock-file           /run/lock         /run/lock
C conserve-fds        -                 yes
T log-time            -                 yes
x scanned-by          MIMEDefang        MIMEDefang
D foreground          -                 yes
N skip-bad-recipients -                 yes
S syslog-facility     LOG_LOCAL3        LOG_LOCAL3
a macro               auth_type         auth_type
c strip-cr            -                 yes
L loopback            192.0.2.1         192.0.2.1
y set-macro-list      -                 yes
- ip-key-file         /etc/key          /etc/key
- log-stderr          -                 yes
- log-format          json              json
- drain-time          0                 0
- socket-mode         0660              0660
- socket-group        mail              mail
- allow               127.0.0.1,::1     127.0.0.1,::1
- allow-user          root              root
- allow-group         root              root
- max-sessions        9                 9
- idle-timeout        8                 8
- reply-timeout       7                 7
- max-frame           70000             70000
- max-macros          5000              5000
- max-output          70000             70000
- max-queued          1048576           1048576
- memory              100               100
- max-message         1000000           1000000
- max-headers         500               500
- max-header-bytes    9000              9000
- max-request         4000              4000
- max-results         70000             70000
- max-results-line    20000             20000
- max-delay           30                30
- min-free            0                 0
- sweep-age           24                24
- spare-dirs          0                 0
- mux-connect-timeout 20                20
- mux-timeout         800               800
- no-log-summary      -                 yes
END
    my ($letter, $name, $given, $want) = split ' ';
    my @value  = $given eq '-'         ? ()                     : $given;
    my @listen = $letter eq 'p'        ? ()                     : ('-p', '/s');
    my @output = $name eq 'max-queued' ? qw(--max-output 65536) : ();
    if ($letter ne '-') {
        is value_of($name, @listen, "-$letter", @value), $want,
            named($letter, 'by letter');
        is value_of($name, @listen, "-$letter$given"), $want,
            named($letter, 'in one word')
            if @value;
    }
    is value_of($name, @listen, @output, "--$name", @value), $want,
        named($name, 'by name');
}
is value_of('conserve-fds', '-p', '/s', '-M'), 'yes',
    named('M', 'accepted, takes no argument');
is value_of('scanned-by', '-p', '/s', '-X'), '', named('X', 'as an empty -x');
is value_of('scanned-by', '-p', '/s', '--no-scanned-by'), '',
    named('no-scanned-by', 'the same');
is value_of('keep-dirs', '-rHdk', '-p/s', 'word', '-x', ''), 'yes',
    'a cluster, an attached value, and a word that is none';
is value_of('macro', '-p', '/s', '-a', 'one', '-ax', '-a', 'two'),
    'one x two', named('a', 'repeatable');
is value_of('listen', '-p', '/s', '-p', '/t'), '/t',
    named('p', 'the last one counts');
is_deeply [ values_of('group-access', '-p', '/s', '-G') ], [qw(yes yes)],
    named('G', 'handed down to the built-in multiplexor');
named('print-config', 'see above');

for my $word (qw(-v --version)) {
    my ($status, $out, $err)
        = run_program(10, program('mimedefang'), $word, '-?');
    is "$status$err", 0, named($word =~ s/^-+//r, 'status 0');
    like $out, qr/\Amimedefang version \S+\n\z/, "$word: on standard output";
}
for my $case ([ '-h', 1, 2 ], [ '--help', 0, 1 ]) {
    my ($word, $want, $where) = @$case;
    my @got = run_program(10, program('mimedefang'), $word);
    is $got[0], $want, named($word =~ s/^-+//r, 'exit status');
    like $got[$where], qr/\Amimedefang\ version\ \S+\n
        Usage:\ mimedefang\ \[options\].*\n Options:\n .*^\ \ -p\ CONN/smx,
        "$word: the usage";
    is $got[ 3 - $where ], '', "$word: and nothing else";
}
like + (run_program(10, program('mimedefang'), '--help-mdoc'))[1],
    qr/^\.It Fl p Ar CONN , Fl -listen Ns = Ns Ar CONN$/m,
    named('help-mdoc', 'the manual page');
for my $case (
    [ 'm', '/a' ],
    [ 'U', 'a' ],
    [ 'P', '/a' ],
    [ 'o', '/a' ],
    [ 'x', 'a' ],
    [ 'L', 'a' ]
    )
{
    my ($letter, $value) = @$case;
    my ($status, undef, $err)
        = run_program(10, program('mimedefang'),
        '-p', '/s', ("-$letter", $value) x 2);
    is $status, 1, named($letter, 'not twice');
    like $err, qr/: Cannot use multiple '-$letter' options$/m,
        "-$letter: the message";
}

# ---- what it does to a session ---------------------------------------------------

my $filter = <<'END';
sub mode_of { return sprintf '%o', (stat $_[0])[2] & 07777 }
sub filter_end {
    open my $fh, '<:raw', 'INPUTMSG' or die;
    my $text = join '', <$fh>;
    action_add_header('X-Bare', $text =~ /a\rb/ ? 'kept' : 'gone');
    action_add_header('X-Addr', $RelayAddr);
    action_add_header('X-Macro', $SendmailMacros{my_macro} // 'none');
    action_add_header('X-Mode', mode_of('.') . ' ' . mode_of('INPUTMSG'));
    action_add_header('X-Dir', Cwd::getcwd());
    action_add_header('X-Rcpts', "@Recipients");
}
sub filter_relay     { return ($Helo // '') eq '' ? ('REJECT', 'no') : 1 }
sub filter_helo      { return ('REJECT', 'no') }
sub filter_sender    { return ('REJECT', 'no') }
sub filter_recipient { return ('REJECT', 'no') }
use Cwd ();
END

subtest 'without options' => sub {
    my $d   = start([]);
    my $got = session($d);
    is $got->{'X-Bare'},  'kept',      named('c', 'without it bare CR stays');
    is $got->{'X-Addr'},  '192.0.2.1', named('L', 'without it addresses stay');
    is $got->{'X-Macro'}, 'none', named('a', 'without it macros are not told');
    is $got->{'X-Mode'},  '700 600', named('G', 'without it: modes');
    is $got->{'X-Dir'}, "$d->{spool}/mdefang-Q1", named('z', 'is where it is');
    like $got->{'X-Scanned-By'}, qr/\AMIMEDefang \d/, named('x', 'default');
    is $got->{mta}{wanted}, '', named('y', 'without it no macro is asked for');
    ok $got->{mta}{protocol} & 0x800, named('N', 'without it: all recipients');
    is $got->{mta}{protocol} & 0xe000, 0xe000,
        named($_, 'without it no answer is waited for')
        for qw(H s t);
    is socket_mode($d), '700', named('socket-mode', 'default');

    if (defined $d->{user}) {
        my $uid = getpwnam $d->{user};
        like read_file('/proc/' . $d->pid . '/status'),
            qr/^Uid:\t$uid\t$uid\t$uid\t$uid\nGid:\t(\d+)\t\1\t\1\t\1$/m,
            named('U', 'is who it runs as')
            if -e '/proc/self/status';
    }
    ok !$d->log_lines(qr/Filter time/),
        named('T', 'without it no time is told');
    is $d->stop, 0, 'ends with status 0';
};

subtest 'with options' => sub {
    my $d = start(
        [
            qw(-G -T -c -L 192.0.2.1 -a my_macro -a more -y -N -C -M),
            '-x', 'my text', '-b', 20, '-P', 'SPOOL/pid', '-R', 0
        ]
    );
    my $got = session($d);
    is $got->{'X-Bare'},  'gone',      named('c', 'bare CR goes');
    is $got->{'X-Addr'},  '127.0.0.1', named('L', 'is the loopback');
    is $got->{'X-Macro'}, 'mine',      named('a', 'the filter has the macro');
    is $got->{'X-Mode'},  '750 640',   named('G', 'modes');
    is socket_mode($d),   '770',       named('G', 'mode of the socket');
    like $got->{'X-Scanned-By'}, qr/\Amy text\b/, named('x', 'text');
    like $got->{mta}{wanted}, qr/\bmy_macro\b.*\bmore\b/s,
        named('y', 'macros are asked for, those of -a too');
    is $got->{mta}{protocol} & 0x800, 0, named('N', 'only good recipients');
    ok $d->await_log(qr/Q1: Filter time is \d+ms/), named('T', 'time is told');
    is read_file("$d->{spool}/pid"), $d->pid . "\n", named('P', 'has the pid');
    ok -e "$d->{spool}/pid.lock", named('o', 'by default beside that of -P');
    ok is_running($d->{processes}[0]), named('D',          'it is our child');
    ok $d->log_text ne '',             named('log-stderr', 'the log is there');
    is $d->stop, 0, 'ends with status 0';
    ok !-e "$d->{spool}/$_", "$_ is gone" for qw(pid pid.lock mimedefang.sock);
};

# Each check alone: where a filter that refuses everything is heard.
for (
    [ r => 'connect', 0x1000 ],
    [ H => 'helo',    0x2000 ],
    [ s => 'mail',    0x4000 ],
    [ t => 'rcpt',    0x8000 ]
    )
{
    my ($letter, $stage, $silent) = @$_;
    my $d   = start([ "-$letter", qw(-X -q) ]);
    my $mta = $d->milter;
    is $mta->{protocol} & 0xf000, 0xf000 & ~$silent,
        named($letter, 'asks for that answer only');
    my $got = $mta->hello;
    $got = $mta->message if $got->{code} eq 'c';
    is "$got->{stage} $got->{code}", "$stage " . ($letter eq 'r' ? 'r' : 'y'),
        named($letter, "refuses at $stage");
    $mta->quit;
    is $d->stop, 0, 'ends with status 0';
}

# ---- while no worker is free -------------------------------------------------------

my $fifo = temp_dir() . '/fifo';
mkfifo($fifo, 0666) or die "$fifo: $!\n";
chmod 0666, $fifo;
my $waiting = "sub filter_end { open my \$fh, '<', '$fifo' or die }";
for (
    [ '',   'tt' ],    # a local client, another one
    [ '-q', 'cc' ],
    [ '-R', 'ct', 0 ],
    )
{
    my ($option, $want, @value) = @$_;
    my $d = Daemon->start(
        filter  => $waiting,
        options => [ '-X', $option || (), @value ],
        mux     => [qw(-m 1 -x 1 -q 5)]
    );
    my $busy = $d->milter;
    $busy->hello;
    my $scanning = start_process(code => sub { $busy->message });
    wait_for('the scan', sub { ($d->control('busyworkers'))[1] =~ /\A0 B/ });
    my $got = join '', map { code_of($d, $_) } qw(127.0.0.1 192.0.2.1);
    is $got, $want,
        named($option =~ s/-//r || 'q',
        $option ? 'no worker is free' : 'without it: no worker is free');
    my $open = let_go();
    stop_process($scanning);
    is $d->stop, 0, 'ends with status 0' or diag $d->log_text;
}

# ---- who may connect, and how much he may use ----------------------------------------

subtest 'addresses' => sub {
    my $d = Daemon->start(
        listen  => 'inet',
        options => [ '-X', '--allow', '192.0.2.0/24,::1' ]
    );
    ok !eval { $d->milter; 1 }, named('allow', 'others are not let in');
    ok $d->await_log(qr/Refused a connection from 127\.0\.0\.1/),
        'allow: the log says who';
    is $d->stop, 0, 'ends with status 0';
    $d = Daemon->start(
        listen  => 'inet',
        options => [ '-X', '--allow', '127.0.0.0/8' ]
    );
    is session($d)->{code}, 'c', named('allow', 'those are let in');
    is $d->stop,            0,   'ends with status 0';
};
for my $case ([ 'allow-user', $> ], [ 'allow-group', $) + 0 ]) {
    my ($name, $id) = @$case;
    my $d = Daemon->start(options => [ '-X', "--$name", $id + 1 ]);
    ok !eval { $d->milter; 1 }, named($name, 'others are not let in');
    ok $d->await_log(qr/Refused a connection from uid $>/),
        "$name: the log says who";
    is $d->stop, 0, 'ends with status 0';
    $d = Daemon->start(
        options => [ '-X', "--$name=" . ($id + 1), "--$name=$id" ]);
    is session($d)->{code}, 'c', named($name, 'any of several is let in');
    is $d->stop,            0,   'ends with status 0';
}

subtest 'limits' => sub {
    my $d = Daemon->start(
        options => [
            qw(-X --max-frame 70000 --max-macros 4096 --max-sessions 1),
            qw(--socket-mode 0606 --max-output 65536 --max-queued 1048576)
        ]
    );
    is socket_mode($d), '606', named('socket-mode', 'as given');
    is session($d, headers => [ [ 'A', 'x' x 69_990 ] ])->{code}, 'c',
        named('max-frame', 'a large piece');
    ok !eval { session($d, headers => [ [ 'A', 'x' x 70_001 ] ]) },
        named('max-frame', 'a larger one ends the session');
    ok $d->await_log(qr/Closed an MTA's connection: /), 'the log says it';
    ok !eval { session($d, macros => { a => 'x' x 4100 }) },
        named('max-macros', 'too many end the session');

    my $first  = $d->milter;
    my $second = start_process(
        code => sub { POSIX::_exit(session($d)->{code} eq 'c' ? 0 : 1) });
    is session($d, mta => $first)->{code}, 'c', 'the first is served';
    ok is_running($second), named('max-sessions', 'the second waits');
    $first->quit;
    wait_for('the second', sub { !is_running($second) });
    is $second->{status}, 0, 'and is served when the first is gone';
    is $d->stop,          0, 'ends with status 0';
};

subtest 'times' => sub {
    my $d = Daemon->start(options => [qw(-X --idle-timeout 1)]);
    ok !eval { $d->milter->read_frame },
        named('idle-timeout', 'the session ends');
    ok $d->await_log(qr/Closed an MTA's connection: .*--idle-timeout/),
        'the log says it';
    is $d->stop, 0, 'ends with status 0';

    $d = Daemon->start(
        filter  => $waiting,
        options => [qw(-X -q --reply-timeout 1)]
    );
    my $mta = $d->milter;
    $mta->hello;
    ok tempfailed($mta->message),  named('reply-timeout', 'tempfail');
    ok !eval { $mta->read_frame }, 'and the session ends';
    ok $d->await_log(qr/Closed an MTA's connection: .*--reply-timeout/),
        'the log says it';
    my $open = let_go();
    is $d->stop, 0, 'ends with status 0';
};
if (!$>) {
    my $d = Daemon->prepare(options => []);
    my ($gid, $group);
    if (defined $d->{user}) {
        $gid   = (getpwnam $d->{user})[3];
        $group = getgrgid $gid;
    }
    $d = Daemon->start(options => [ '-X', '--socket-group', $group ]);
    is + (stat "$d->{spool}/mimedefang.sock")[5], $gid,
        named('socket-group', 'as given');
    is $d->stop, 0, 'ends with status 0';
}

# The unit in docs/examples says nothing that is not understood.
{
    my $unit
        = read_file("$FindBin::Bin/../../docs/examples/mimedefang.service");
    my %value = $unit =~ /^Environment="(\w+)=(.*)"$/mg;
    for my $key (qw(ExecStart ExecStartPre)) {
        my ($words) = $unit =~ m{^$key=/usr/bin/mimedefang (.*)$}m;
        $words =~ s/\$(\w+)/$value{$1}/g;
        my @words = grep { $_ ne '--check-config' } split ' ', $words;
        is value_of('max-workers', @words), 8, "the example unit: $key";
    }
}

# In files of their own.
my %elsewhere = (
    'check-config.t' => [qw(check-config)],
    'daemonize.t'    => [qw(P o D)],
    'keep.t'         => [qw(d k)],
    'signals.t'      => [qw(ip-key-file drain-time)],
    'bad-start.t'    => [qw(S p z)],
);
for my $file (sort keys %elsewhere) {
    my $text = read_file("$FindBin::Bin/$file");
    like $text, qr/-$_\b/, named($_, "in $file") for @{ $elsewhere{$file} };
}

# Nobody was forgotten; tests/lint/options looks after the long names.
my $help    = (run_program(10, program('mimedefang'), '--help'))[1];
my @letters = $help =~ /^  -(\w)/mg;
is_deeply [ grep { !$named{$_} } @letters ], [], 'each letter has a test';
done_testing;

# ---- subroutines ------------------------------------------------------------------

sub named ($option, $what) {
    $named{$option}++;
    return (length $option > 1 ? '--' : '-') . "$option: $what";
}

sub values_of ($name, @words) {
    my ($status, $out, $err)
        = run_program(10, program('mimedefang'), @words, '--print-config');
    return "status $status: $err" if $status || $err ne '';
    return $out =~ /^\Q$name\E=(.*)$/mg;
}

sub value_of ($name, @words) { return (values_of($name, @words))[0] }

sub start ($options) {
    return Daemon->start(filter => $filter, options => $options);
}

sub socket_mode ($d) {
    return sprintf '%o', (stat "$d->{spool}/mimedefang.sock")[2] & 0777;
}

# Whoever opens the FIFO meanwhile goes on, and so does who waits already.
sub let_go {
    sysopen my $fh, $fifo, O_RDWR or die "$fifo: $!\n";
    return $fh;
}

# The answer to a connection from there.
sub code_of ($d, $addr) {
    my $mta  = $d->milter;
    my $code = $mta->hello(addr => $addr)->{code};
    $mta->quit;
    return $code;
}

# A whole session with one message: its answer, headers that were added, the
# client.
sub session ($d, %o) {
    my $mta = $o{mta} // $d->milter;
    $mta->hello;
    $mta->macros(
        'mail',
        i            => 'Q1',
        '{my_macro}' => 'mine',
        %{ $o{macros} // {} }
    );
    my $got     = $mta->message(body => "a\rb\r\n", %o);
    my %headers = map { $_->[0] eq 'add_header' ? @$_[ 1, 2 ] : () }
        @{ $got->{changes} // [] };
    $mta->quit if !$o{mta};
    return { %headers, code => $got->{code}, mta => $mta };
}
