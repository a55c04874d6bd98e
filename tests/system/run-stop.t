#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What `make run` starts, and that Ctrl-C leaves nothing of it.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Harness
    qw(top need_programs program temp_dir daemon_user start_process stop_process
    is_running is_alive descendants wait_exit wait_for free_port read_file write_file);
use File::Basename qw(dirname);
use MilterClient   ();

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my $place = temp_dir() . '/place';
mkdir $place or die "$place: $!\n";
chmod 0755, $place or die "$place: $!\n";
my $log = temp_dir() . '/run.log';
write_file($log, '');
chdir top() or die top() . ": $!\n";

my ($run, $address);
for (1 .. 3) {
    $address = 'inet:' . free_port() . '@127.0.0.1';
    $run     = start_process(
        cmd    => ['cli/run-sample'],
        stdout => $log,
        stderr => $log,
        env    => {
            TMPDIR => $place,
            LISTEN => $address,
            BIN    => dirname(program('x'))
        },
    );
    last
        if wait_for('start',
        sub { read_file($log) =~ /entering main loop/ || !is_running($run) })
        && is_running($run);
}
ok is_running($run), 'it serves' or diag read_file($log);
my ($port) = $address =~ /:(\d+)/;
like read_file($log), qr/smtpd_milters = inet:127\.0\.0\.1:$port$/m,
    'it says what Postfix needs';
like read_file($log), qr/INPUT_MAIL_FILTER/, 'it says what Sendmail needs';
my $user = daemon_user();
like read_file($log), qr/user $user\b/, 'it says which user it runs as'
    if defined $user;

my $mta = MilterClient->new($address);
is $mta->hello->{code},   'c', 'hello';
is $mta->message->{code}, 'c', 'a message passes the sample filter';

# With a session open.  Ctrl-C reaches all processes of the terminal.
my @all = ($run->{pid}, descendants($run->{pid}));
ok @all >= 3, 'there are a starter, a daemon and a worker';
kill 'INT', -$run->{pid};
my $status = wait_exit($run, 20);
is $status >> 8, 130, 'Ctrl-C ends it' or diag read_file($log);
wait_for(
    'all its processes to end',
    sub {
        !grep { is_alive($_) } @all;
    }
);
pass 'no process is left';
opendir my $dh, $place or die "$place: $!\n";
is_deeply [ grep { !/\A\.\.?\z/ } readdir $dh ], [], 'no file is left';
ok !eval { MilterClient->new($address) }, 'nobody listens any more';
stop_process($run);
done_testing;
