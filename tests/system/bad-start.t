#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Starts that must fail, and fail with a line that says what to do; and starts
# that may succeed but accept no mail unscanned.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon ();
use Harness
    qw(need_programs program run_program temp_dir daemon_user stage_worker);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

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

# name, options before --, options behind it, what the message says
my @refused = (
    [ 'no -p',    [ '-z', $spool ], [], qr/-p/ ],
    [ 'empty -p', [ '-z', $spool, '-p', '' ], [], qr/Illegal conn/ ],
    [
        'unknown kind of address', [ '-z', $spool, '-p', 'bogus:25' ],
        [],                        qr/bogus:25/
    ],
    [
        'port out of range', [ '-z', $spool, '-p', 'inet:99999@127.0.0.1' ],
        [],                  qr/99999/
    ],
    [ 'unknown option',   [ '-z', $spool, @milter, '-K' ], [], qr/K.*Usage:/s ],
    [ 'missing argument', [ @milter, '-z' ], [], qr/z.*Usage:/s ],
    [
        'unknown facility',
        [ '-z', $spool, @milter, '-S', 'nosuch' ],
        [],
        qr/Unknown syslog facility nosuch/
    ],
    [
        'overlong macro',
        [ '-z', $spool, @milter, '-a', 'x' x 201 ],
        [], qr/Macro name too long/
    ],
    [ '-x and -X', [ '-z', $spool, @milter, '-x', 'a', '-X' ], [], qr/'-X'/ ],
    [
        '-m and options behind --',
        [ '-z', $spool, @milter, '-m', '/tmp/x' ],
        [ '-x', '3' ],
        qr/leave out -m/
    ],
    [ 'relative spool', [ '-z', 'spool', @milter ], [], qr/absolute/ ],
    [
        'missing spool',
        [ '-z', "$spool/none", @milter ],
        [], qr{\Q$spool\E/none.*No such file.*create}
    ],
    [
        'unwritable spool', [ '-z', $unwritable, @milter ],
        [],                 qr/\Q$unwritable\E.*(?:chown|-U)/
    ],
    [
        'spool open to others', [ '-z', $open, @milter ],
        [],                     qr/\Q$open\E.*chmod/
    ],
    [
        'spool is a symbolic link',
        [ '-z', $link, @milter ],
        [],
        qr/\Q$link\E.*symbolic link/
    ],
    [
        'queue too big',
        [ '-z', $spool, @milter ],
        [ @mux, '-q',   '129' ],
        qr/129.*128/
    ],
    [
        'workers: not a number',
        [ '-z', $spool, @milter ],
        [ @mux, '-x',   'many' ],
        qr/x/
    ],
    [
        'worker: no absolute path',
        [ '-z', $spool, @milter ],
        [ '-f', 'worker.pl' ],
        qr/-f.*absolute path/
    ],
    [
        'worker: missing',
        [ '-z', $spool, @milter ],
        [ @mux, '-f',   '/nonexistent/worker.pl' ],
        qr{/nonexistent/worker\.pl}
    ],
    [
        'filter: missing',
        [ '-z', $spool, @milter ],
        [ @mux, '-F',   '/nonexistent/filter' ],
        qr{/nonexistent/filter}
    ],
    [
        'unprivileged socket is TCP',
        [ '-z', $spool, @milter ],
        [ @mux, '-s',   'inet:1' ],
        qr/-s|UNIX/
    ],
);
for (@refused) {
    my ($name, $options, $behind, $message) = @$_;
    my @behind = @$behind ? ('--', @$behind) : ('--', @mux);
    @behind = () if "@$options" =~ / -m / && !@$behind;
    fails_with($name, $message, program('mimedefang'), '-D', @user, @$options,
        @behind);
}
fails_with('unknown user', qr/nosuchuser/,
    program('mimedefang'), '-D', '-U', 'nosuchuser', '-z', $spool, @milter,
    '--', @mux);
SKIP: {
    skip 'needs root', 4 if !@user;
    fails_with(
        'root without -U',
        qr/must not run mimedefang as root.*-U/s,
        program('mimedefang'), '-D', '-z', $spool, @milter, '--', @mux
    );
}
fails_with(
    'multiplexor: queue too big',
    qr/129.*128/, program('mimedefang-multiplexor'),
    '-D', @user, '-z', $spool, @mux, '-q', '129'
);
fails_with(
    'multiplexor: missing spool',
    qr/No such file/,
    program('mimedefang-multiplexor'),
    '-D', @user, '-z', "$spool/none", @mux
);
fails_with(
    'multiplexor: unwritable spool',
    qr/\Q$unwritable\E.*(?:chown|-U)/,
    program('mimedefang-multiplexor'),
    '-D', @user, '-z', $unwritable, @mux
);

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
    qr/(?:mimedefang|multiplexor)\.sock.*(?:in use|running)/s,
    @without_lock
);
my @other_control
    = map { $_ eq $daemon->control_socket ? "$_.2" : $_ } @without_lock;
fails_with(
    'second copy, own control socket',
    qr/mimedefang\.sock.*(?:in use|running)/s,
    @other_control
);
my $mta = $daemon->milter;
$mta->hello;
is_deeply $mta->message->{changes}, [ [ 'add_header', 'X-Scanned', 'yes' ] ],
    'the first copy still serves';
$mta->quit;
is_deeply [ $daemon->control('msgs') ], [ 0, "1\n", '' ], 'and is controlled';
is $daemon->stop, 0, 'it ends with status 0';

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
