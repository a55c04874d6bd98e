#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Starts that must fail, and fail with a line that says what to do; and starts
# that may succeed but accept no mail unscanned.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon       ();
use MilterClient qw(tempfailed);
use Harness
    qw(need_programs program run_program temp_dir daemon_user stage_worker
    start_process stop_process wait_for read_file write_file);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

use IO::Socket::UNIX;

my $daemon = Daemon->prepare(filter => '1;');
my $spool  = $daemon->{spool};
my @user   = defined daemon_user() ? ('-U', daemon_user()) : ();
my @milter = ('-p', "unix:$spool/mimedefang.sock");
my @mux    = (
    '-f', stage_worker(), '-F', $daemon->{filter}, '-s', $daemon->control_socket
);

sub directory ($name, $mode) {
    my $dir = temp_dir() . "/$name";
    mkdir $dir or die "$dir: $!\n";
    chmod $mode, $dir or die "$dir: $!\n";
    return $dir;
}

# As root: root's own, so that the daemon's user cannot write.
my $unwritable = directory('unwritable', $> ? 0555 : 0755);
my $open       = directory('open',       0777);
if (@user) {
    chown scalar getpwnam(daemon_user()), -1, $open or die "$open: $!\n";
}
my $link = temp_dir() . '/link';
symlink $spool, $link or die "$link: $!\n";

my %word = (
    MILTER     => [@milter],
    MUX        => [@mux],
    SPOOL      => [ '-z', $spool,        @user ],
    NONE       => [ '-z', "$spool/none", @user ],
    UNWRITABLE => [ '-z', $unwritable,   @user ],
    OPEN       => [ '-z', $open,         @user ],
    LINK       => [ '-z', $link,         @user ],
    RELATIVE   => [ '-z', 'spool',       @user ],
    ROOTS      => [ '-z', $spool ],
    EMPTY      => [''],
    LONG       => [ 'x' x 201 ],
);

# name | options | what the message contains; the words in capitals stand for
# options above.
refused('mimedefang', <<'END', '-D');
no -p                        | SPOOL -- MUX                        | -p
empty -p                     | SPOOL -p EMPTY -- MUX               | Illegal conn
unknown kind of address      | SPOOL -p bogus:25 -- MUX            | bogus:25
port out of range            | SPOOL -p inet:99999@127.0.0.1 -- MUX | 99999
unknown option               | SPOOL MILTER -K -- MUX              | K.*Usage:
missing argument             | MILTER -z                           | z.*Usage:
unknown facility             | SPOOL MILTER -S nosuch -- MUX       | facility nosuch
overlong macro               | SPOOL MILTER -a LONG -- MUX         | too long
-x and -X                    | SPOOL MILTER -x a -X -- MUX         | '-X'
-m and options behind --     | SPOOL MILTER -m /tmp/x -- -x 3      | leave out -m
relative spool               | RELATIVE MILTER -- MUX              | absolute
missing spool                | NONE MILTER -- MUX                  | /none.*No such file.*create
unwritable spool             | UNWRITABLE MILTER -- MUX            | unwritable.*(?:chown|-U)
spool open to others         | OPEN MILTER -- MUX                  | /open.*chmod
spool is a symbolic link     | LINK MILTER -- MUX                  | /link.*symbolic link
queue too big                | SPOOL MILTER -- MUX -q 129          | 129.*128
number of workers: no number | SPOOL MILTER -- MUX -x many         | many|-x
worker: no absolute path     | SPOOL MILTER -- MUX -f worker.pl    | -f.*absolute path
worker: missing              | SPOOL MILTER -- MUX -f /none/w.pl   | /none/w\.pl
filter: missing              | SPOOL MILTER -- MUX -F /none/filter | /none/filter
control socket is TCP        | SPOOL MILTER -- MUX -s inet:1       | UNIX-domain
unknown user                 | ROOTS MILTER -U nosuch -- MUX       | nosuch
END
refused('mimedefang-multiplexor', <<'END', '-D');
multiplexor: queue too big    | SPOOL MUX -q 129 | 129.*128
multiplexor: missing spool    | NONE MUX         | No such file
multiplexor: unwritable spool | UNWRITABLE MUX   | unwritable.*(?:chown|-U)
multiplexor: missing filter   | SPOOL MUX -F /none/filter | /none/filter
END
refused('mimedefang', <<'END', '-D') if @user;
root without -U | ROOTS MILTER -- MUX | must not run mimedefang as root.*-U
END

# A second copy disturbs nothing.
$daemon = Daemon->start(
    filter  => "sub filter_end { action_add_header('X-Scanned', 'yes') }",
    options => [ '-X', '-o', 'SPOOL/lock' ],
);
my @same         = grep { $_ ne '--log-stderr' } ($daemon->commands)[0]->@*;
my @without_lock = grep { !/\A-o\z|lock\z/ } @same;
fails_with('second copy, lock file', qr/lock.*[Aa]nother copy/s, @same);
fails_with(
    'second copy, no lock file',
    qr/(?:mimedefang|multiplexor)\.sock.*(?:in use|answers there)/s,
    @without_lock
);
my @other_control
    = map { $_ eq $daemon->control_socket ? "$_.2" : $_ } @without_lock;
fails_with(
    'second copy, own control socket',
    qr/mimedefang\.sock.*(?:in use|answers there)/s,
    @other_control
);
my $mta = $daemon->milter;
$mta->hello;
is_deeply $mta->message->{changes}, [ [ 'add_header', 'X-Scanned', 'yes' ] ],
    'the first copy still serves';
$mta->quit;
is_deeply [ $daemon->control('msgs') ], [ 0, "1\n", '' ], 'and is controlled';
is $daemon->stop, 0, 'it ends with status 0';

# What is no socket is never removed, and the waiting parent hears of it.
my $file = "$daemon->{spool}/mail.cf";
write_file($file, "precious\n");
chmod 0666, $file;
my @wrong_path = map { $_ eq $daemon->{address} ? "unix:$file" : $_ }
    grep { $_ ne '-D' } @same;
fails_with('a file where the socket should be',
    qr/\AError from child: .*unix:\Q$file\E: something that is not a socket/,
    @wrong_path);
is read_file($file), "precious\n", 'the file is as it was';
fails_with(
    'an address that is not ours',
    qr/\AError from child: .*inet:10025\@192\.0\.2\.1: cannot bind: /,
    map { $_ eq "unix:$file" ? 'inet:10025@192.0.2.1' : $_ } @wrong_path
);
fails_with(
    'a lock file that cannot be made',
    qr{\AError from child: Could not open lock file /none/lock: .*use -o},
    map { m{/lock\z} ? '/none/lock' : $_ } @wrong_path
);
fails_with(
    'a pid file that cannot be made',
    qr{: Could not open PID file /none/pid: No such file or directory},
    $wrong_path[0],
    '-P',
    '/none/pid',
    @wrong_path[ 1 .. $#wrong_path ]
);

# Whoever was to hear of it may be gone.
my $pipe = start_process(
    code => sub {
        pipe my $out, my $in or die "pipe: $!\n";
        close $out;
        open STDERR, '>&', $in or die "stderr: $!\n";
        exec { $same[0] } $same[0], '--log-stderr', @same[ 1 .. $#same ]
            or die "exec: $!\n";
    }
);
wait_for(
    'the daemon to serve',
    sub {
        eval { $daemon->milter }
    }
);
is stop_process($pipe), 0,
    'nobody reads its standard error: it serves, status 0';

# A dead socket is no obstacle.
wait_for('the socket to go', sub { !-e "$daemon->{spool}/mimedefang.sock" });
my $dead = IO::Socket::UNIX->new(
    Local  => "$daemon->{spool}/mimedefang.sock",
    Listen => 1
) or die "a socket: $!\n";
chmod 0777, "$daemon->{spool}/mimedefang.sock";
close $dead;
$daemon->launch;
ok wait_for(
    'the daemon to serve',
    sub {
        eval { $daemon->milter }
    }
    ),
    'a dead socket is replaced';
is $daemon->stop, 0, 'and it ends with status 0';

# Filters that do not load.
for (
    [
        'syntax error',
        'sub filter_begin {',
        qr/syntax error|Missing right curly/
    ],
    [ 'false value', "1;\n0;\n__END__", qr/true value/ ]
    )
{
    my ($name, $text, $why) = @$_;
    my $broken = eval { Daemon->start(filter => $text, options => ['-X']) };
    if (!$broken) {
        like $@, $why, "$name: refused at start, with the reason";
        next;
    }
    $mta = $broken->milter;
    my $got = $mta->hello;
    $got = $mta->message if $got->{code} eq 'c';
    ok tempfailed($got), "$name: messages are tempfailed"
        or diag explain $got;
    ok $broken->await_log($why), "$name: the log says why";
    is $broken->stop, 0, "$name: the daemon ends with status 0";
}
done_testing;

# Runs each line of a table.
sub refused ($program, $table, @first) {
    for my $line (split /\n/, $table) {
        my ($name, $options, $message) = split /\s*\|\s+/, $line, 3;
        my @options = map { $word{$_} ? @{ $word{$_} } : $_ } split ' ',
            $options;
        fails_with($name, qr/$message/s, program($program), @first, @options);
    }
    return;
}

# The command ends with status 1, nothing on stdout, and a message that says
# why; it leaves no socket.
sub fails_with ($name, $message, @command) {
    my ($status, $out, $err) = run_program(25, @command);
    is $status, 1,  "$name: exit status 1";
    is $out,    '', "$name: nothing on standard output";
    like $err,   $message,      "$name: a clear message";
    unlike $err, qr/Sanitizer/, "$name: and no sanitizer's";
    return;
}
