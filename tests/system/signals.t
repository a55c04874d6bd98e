#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What the signals do to mimedefang: HUP reads anew, TERM and INT let messages in
# progress finish, for --drain-time, and a second one does not wait.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon       ();
use MilterClient qw(tempfailed);
use POSIX        qw(mkfifo);
use Harness      qw(both_ways need_programs temp_dir wait_for wait_exit
    read_file write_file start_process stop_process);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my $filter = "sub filter_end { action_add_header('X-Scanned', 'NAME') }";

both_ways(\&stops);
both_ways(\&reads_anew);
subtest 'the drain time is over'         => \&is_out_of_time;
subtest 'a second signal'                => \&does_not_wait;
subtest 'before the multiplexor answers' => \&waits_for_the_multiplexor;
done_testing;

sub stops ($separate) {
    for my $signal (qw(TERM INT)) {
        my $d = Daemon->start(
            filter   => $filter,
            separate => $separate,
            options  => [qw(-X -r)]
        );
        my ($open, $idle, $silent) = map { $d->milter } 1 .. 3;
        $_->hello for $open, $idle;
        begin($open);
        kill $signal, $d->pid;
        ok !eval { $idle->read_frame },   "$signal: an idle session ends";
        ok !eval { $silent->read_frame }, 'and one that said nothing';
        ok !-e "$d->{spool}/mimedefang.sock", 'the socket is gone';
        ok !eval { $d->milter },              'there are no new ones';
        my $got = finish($open);
        is_deeply [ $got->{code}, $got->{changes} ],
            [ 'c', [ [ 'add_header', 'X-Scanned', 'NAME' ] ] ],
            'a message in progress is scanned';
        ok !eval { $open->read_frame }, 'and its session ends';
        is wait_exit($d->{processes}[-1]), 0, 'status 0'
            or diag $d->log_text;
        ok $d->log_lines(qr/Received SIG$signal: .*25 s, in \d session/),
            'the log says it';
        ok !$d->leftovers, 'no directory is left';
        $d->stop;
    }
    return;
}

sub reads_anew ($separate) {
    my $key = temp_dir() . "/key$separate";
    write_file($key, "X-First\n");
    chmod 0644, $key;
    my $d = Daemon->start(
        filter   => $filter,
        separate => $separate,
        options  => [ '-X', '--ip-key-file', $key ],
        mux      => [qw(-m 1 -x 2)],
    );
    my $mta = $d->milter;
    $mta->hello;
    is deleted($mta), 'X-First', 'the header of the key file goes';
    begin($mta);
    write_file($key, "X-Second\n");
    hup($d, 1);
    is deleted_of(finish($mta)), 'X-First',
        'HUP: a message in progress keeps to the old name';
    is deleted($mta), 'X-Second', 'the next one has the new one';
    unlink $key or die "$key: $!\n";
    hup($d, 2);
    is deleted($mta), '', 'HUP: without a key file nothing goes';
    mkdir $key or die "$key: $!\n";
    hup($d, 3);
    ok $d->await_log(qr/cannot read key file \Q$key\E, error:/),
        'HUP: what cannot be read is told';

    if (!$separate) {
        $d->filter($filter =~ s/NAME/OTHER/r);
        hup($d, 4);
        wait_for('the new filter',
            sub { $mta->message->{changes}[0][2] eq 'OTHER' });
        pass 'HUP: the filter of the built-in multiplexor is loaded anew';
    }
    $mta->quit;
    is $d->stop, 0, 'it ends with status 0';
    return;
}

sub is_out_of_time {
    my $d = Daemon->start(
        filter  => $filter,
        options => [qw(-X --drain-time 1)]
    );
    my $mta = $d->milter;
    $mta->hello;
    begin($mta);
    kill 'TERM', $d->pid;
    ok !eval { $mta->read_frame }, 'the session is cut';
    is wait_exit($d->{processes}[-1]), 0, 'status 0';
    ok $d->log_lines(qr/The drain time of 1 s is over: 1 sessions/),
        'the log says it';
    ok !$d->leftovers, 'no directory is left';
    $d->stop;
    return;
}

# In the middle of a scan, which does not end by itself.
sub does_not_wait {
    my $fifo = temp_dir() . '/fifo';
    mkfifo($fifo, 0666) or die "$fifo: $!\n";
    chmod 0666, $fifo;
    my $d = Daemon->start(
        filter  => "sub filter_end { open my \$fh, '<', '$fifo' or die }",
        options => [qw(-X)]
    );
    my $mta = start_process(
        code => sub {
            my $mta = $d->milter;
            $mta->hello;
            POSIX::_exit(tempfailed($mta->message) ? 0 : 1);
        }
    );
    wait_for('the scan', sub { ($d->control('busyworkers'))[1] =~ /\A0 B/ });
    kill 'TERM', $d->pid;
    ok $d->await_log(qr/Received SIGTERM/), 'the first signal is heard';
    kill 'INT', $d->pid;
    is wait_exit($d->{processes}[-1]), 0, 'status 0';
    ok $d->log_lines(qr/A second signal: not waiting for 1 sessions/),
        'the log says it';
    is wait_exit($mta), 0, 'the message is tempfailed';
    ok !$d->leftovers, 'no directory is left';
    $d->stop;
    return;
}

# The MTA is not kept waiting, and who stops it need not wait either.
sub waits_for_the_multiplexor {
    my $d       = Daemon->prepare(separate => 1, options => [qw(-X -q)]);
    my $command = ($d->commands)[1];
    my $front   = start_process(
        cmd    => $command,
        stdout => $d->{log},
        stderr => $d->{log}
    );
    $d->await_log(qr/Waiting for the multiplexor: /);
    my $mta = $d->milter;
    $mta->hello;
    ok tempfailed($mta->message), 'a message is tempfailed';
    is stop_process($front), 0, 'TERM ends it, status 0';
    ok !$d->log_lines(qr/entering main loop/), 'it never was ready';
    ok !-e "$d->{spool}/mimedefang.sock",      'the socket is gone';
    return;
}

# ---- subroutines ------------------------------------------------------------------

# Up to the header; the rest of it.
sub begin ($mta) {
    $mta->command('mail',   "<a\@example.org>\0");
    $mta->command('rcpt',   "<b\@example.org>\0");
    $mta->command('header', $_) for header_fields();
    return;
}

sub header_fields {
    return ("X-First\0 1.2.3.4\0", "X-Second\0 1.2.3.4\0");
}

sub finish ($mta) {
    $mta->command('eoh');
    $mta->command('body', "Hello.\r\n");
    return $mta->command('eom');
}

# The header that a message loses.
sub deleted ($mta) {
    begin($mta);
    return deleted_of(finish($mta));
}

sub deleted_of ($got) {
    my @gone = grep { $_->[0] eq 'change_header' && $_->[3] eq '' }
        @{ $got->{changes} };
    return join ' ', map { $_->[2] } @gone;
}

sub hup ($d, $n) {
    kill 'HUP', $d->pid;
    return $d->await_log(qr/Received SIGHUP: reading /, $n);
}
