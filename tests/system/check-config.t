#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# mimedefang --check-config: what it finds, in one line each, and that it
# changes nothing, beside a running daemon too.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon  ();
use Harness qw(need_programs program run_program temp_dir daemon_user
    stage_worker write_file);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my $daemon = Daemon->prepare(
    filter   => '1;',
    separate => 1,
    options  => [ '-o', 'SPOOL/lock' ],
);
my $spool   = $daemon->{spool};
my $control = $daemon->control_socket;
my $key     = temp_dir() . '/key';
my @user    = defined $daemon->{user} ? ('-U', $daemon->{user}) : ();
my @common  = (
    '-z', $spool, @user, '-p', "unix:$spool/milter.sock", '--ip-key-file', $key
);
my @lock = ('-o', "$spool/lock");
my @mux
    = ('--', '-f', stage_worker(), '-F', $daemon->{filter}, '-s', $control);

# All is well.
my ($status, $out) = check(@common, @lock, @mux);
is $status, 0, 'all is well: exit status 0';
unlike $out, qr/^error/m, 'no error' or diag $out;
like $out, qr/^ok: \Q$_\E/m, "it says: $_"
    for 'options', 'user', "spool $spool", "lock file $spool/lock",
    "milter socket unix:$spool/milter.sock",
    "key file $key: none", "multiplexor socket $control", 'filter: ';
is_deeply [ listing() ], [], 'nothing was made';

# One thing at a time is wrong.  Options behind the good ones win.
my $file   = temp_dir() . '/file';
my $broken = temp_dir() . '/broken';
my $link   = temp_dir() . '/link';
write_file($file,   'x');
write_file($broken, "1;\nsub filter_begin {\n");
chmod 0644, $file, $broken;
symlink $spool, $link or die "$link: $!\n";
finds(
    'error',
    'a relative spool',
    qr/spool: -z spool: .* absolute path/,
    '-z', 'spool'
);
finds('error', 'no spool', qr{spool: Unable to chdir\(/none\): .*create it},
    '-z', '/none');
finds(
    'error',
    'a link as spool',
    qr/spool: .* is a symbolic link; give the/,
    '-z', $link
);
finds(
    'error',
    'no directory for the socket',
    qr{milter socket unix:/none/s: cannot make a socket in that directory},
    '-p', 'unix:/none/s'
);
finds(
    'error',
    'a file as socket',
    qr/milter socket unix:\Q$file\E: something that is not a socket is there/,
    '-p', "unix:$file"
);
finds(
    'error',
    'an unknown kind of socket',
    qr/milter socket bogus:1: unknown socket type: use unix:/,
    '-p', 'bogus:1'
);
finds(
    'error',
    'no directory for the lock',
    qr{lock file /none/lock: .*use -o to name one},
    '-o', '/none/lock'
);
finds(
    'error',
    'no directory for the pid file',
    qr{pid file /none/pid: .*choose another with -P},
    '-P', '/none/pid'
);
finds(
    'error',
    'a link as pid file',
    qr/pid file \Q$link\E: not a regular file/,
    '-P', $link
);
finds('error', 'a facility', qr/Unknown syslog facility post/, '-S', 'post');
finds(
    'error',
    'addresses to allow',
    qr/--allow: 'nosuch' is no list of/,
    '--allow', 'nosuch'
);
finds(
    'error',
    'a user to allow',
    qr/--allow-user: there is no user "nosuch"/,
    '--allow-user', 'nosuch'
);
finds(
    'error',                        'a group of the socket',
    qr/there is no group "nosuch"/, '--socket-group',
    'nosuch'
);
finds(
    'error',
    'a key file that is none',
    qr/cannot read key file \Q$spool\E/,
    '--ip-key-file', $spool
);
finds('warning', 'a descriptor', qr/milter socket fd:9: .*not checked/,
    '-p', 'fd:9');
like + (check(@common, @lock, @mux, '-F', $broken))[1],
    qr/^error: filter: \S+ does not load it: .*\Q$broken\E/m,
    'a filter with an error: the reason';
like + (check(@common, @lock, @mux, '-f', '/none'))[1],
    qr{^error: worker program /none: No such file}m, 'no worker program';
like + (check(@common, @lock, '-m', "$spool/none"))[1],
    qr{^error: multiplexor \Q$spool\E/none: .*start it, or give}m,
    'no multiplexor';
like + (check(@common, @mux))[1], qr/^warning: no lock file: .*give -o/m,
    'no lock file';

if (@user) {
    my @others = grep { $_ ne '-U' && $_ ne $daemon->{user} } @common;
    ($status, $out) = check(@others, @lock, @mux);
    is $status, 1, 'root without -U: status 1';
    like $out, qr/^error: user: must not be root; use -U/m,
        'root without -U: the reason';
    like + (check(@others, @lock, '-U', 'nosuch', @mux))[1],
        qr/^error: user: Unknown user `nosuch'/m, 'an unknown user';
}
is_deeply [ listing() ], [], 'still nothing was made';

# Bad options end it as they end a start.
my $err;
($status, $out, $err)
    = run_program(30, program('mimedefang'), @common,
    '--check-config', '--drain-time', 'long');
is "$status$out", '1', 'a bad option: status 1';
like $err, qr/--drain-time: 'long' is not a number from 0 to 86400/,
    'a bad option: the reason';

# Beside a running daemon.
$daemon = Daemon->start(
    filter   => '1;',
    separate => 1,
    options  => [ '-o', 'SPOOL/lock' ],
);
$spool   = $daemon->{spool};
$control = $daemon->control_socket;
write_file($key, "X-Some-Name\n");
chmod 0644, $key;
($status, $out)
    = check('-z', $spool, @user, '-p', $daemon->{address}, '-m', $control, '-o',
    "$spool/lock", '--ip-key-file', $key);
is $status, 0, 'beside a running daemon: exit status 0' or diag $out;
my $pid = $daemon->pid;
like $out, qr/^warning: lock file \S+: held by pid $pid;/m,
    'it says who has the lock';
like $out, qr/^warning: milter socket .*another process answers there/m,
    'and that somebody serves';
like $out, qr/^ok: multiplexor \Q$control\E: answers, \d+ workers are free/m,
    'the multiplexor answers';
like $out,   qr/^ok: key file \Q$key\E$/m, 'the key file is read';
unlike $out, qr/X-Some-Name/,              'its secret stays one';
my $mta = $daemon->milter;
is $mta->hello->{code}, 'c', 'the daemon still serves';
$mta->quit;
is $daemon->stop, 0, 'and ends as it should';
done_testing;

sub check (@options) {
    my @words = splice @options, 0,
        (grep { $options[$_] eq '--' } 0 .. $#options)[0] // @options;
    my ($code, $text, $errors)
        = run_program(60, program('mimedefang'), @words, '--check-config',
        @options);
    is $errors, '', 'nothing on standard error';
    unlike $text, qr/^(?!ok: |warning: |error: )/m, 'each line is a finding'
        if $text =~ s/\n\z//;
    return ($code, "$text\n");
}

sub finds ($what, $name, $message, @options) {
    my @one_lock = $options[0] eq '-o' ? () : @lock;    # not twice
    my ($code, $text) = check(@common, @one_lock, @options, @mux);
    is $code, $what eq 'error' ? 1 : 0, "$name: exit status"
        or diag $text;
    like $text, qr/^$what: .*$message/m, "$name: the reason";
    return;
}

sub listing {
    opendir my $dh, $spool or die "$spool: $!\n";
    my @names = grep { !/\A\.\.?\z/ } readdir $dh;
    return @names;
}
