#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Somebody goes away, or misbehaves, in the middle of a scan: the MTA, the
# multiplexor, the daemon itself, the filter.  No message is accepted that was
# not scanned to the end, and nothing is left behind.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon       ();
use MilterClient qw(tempfailed);
use Harness      qw(need_programs start_process stop_process wait_exit wait_for
    read_file is_alive write_file);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

# A scan that finds the file "hold" in the spool takes it, leaves its pid in
# "held", and waits for the file "release", or until its parent has died.  The
# subject asks for other trouble.
my $filter = <<'END';
use strict;
use warnings;
our $Subject;
sub filter_begin {
    if (unlink '../hold') {
        my $parent = getppid;
        open my $fh, '>', '../holding' or die "../holding: $!";
        print {$fh} $$;
        close $fh;
        rename '../holding', '../held';
        until (-e '../release' || getppid != $parent) {
            select undef, undef, undef, 0.01;
        }
        unlink '../held', '../release';
    }
    my $what = $Subject // '';
    print "ok\nnoise\n" if $what eq 'noise';
    exit 0 if $what eq 'exit';
    if ($what eq 'close') { close STDOUT; exit 3 }
    chdir '/' if $what eq 'chdir';
    action_add_header('X-Scanned', 'yes');
    return;
}
END
my @scanned = ([ 'add_header', 'X-Scanned', 'yes' ]);

mta_goes($_)     for 0, 1;
daemon_stops($_) for 0, 1;
daemon_stops_idle();
multiplexor_goes();
filter_misbehaves();
done_testing;

sub start_held ($separate) {
    my $daemon = Daemon->start(
        filter   => $filter,
        separate => $separate,
        mux      => [qw(-m 1 -x 2)],
        options  => ['-X']
    );
    write_file("$daemon->{spool}/hold", '');
    return $daemon;
}

# A client that says a message in a process of its own, which ends with status
# 0 if it was scanned, 1 if it was tempfailed, else 2.
sub sender ($daemon) {
    my $say = sub {
        my $mta = $daemon->milter;
        $mta->hello;
        my $got = $mta->message;
        POSIX::_exit(
              tempfailed($got)                                ? 1
            : $got->{code} eq 'c' && $got->{changes}->@* == 1 ? 0
            :                                                   2
        );
    };
    my $sender = start_process(code => $say);
    wait_for('the scan', sub { -e "$daemon->{spool}/held" });
    return $sender;
}

sub release ($daemon) { return write_file("$daemon->{spool}/release", '') }

sub is_fine ($daemon, $name) {
    my $mta = $daemon->milter;
    $mta->hello;
    is_deeply $mta->message->{changes}, \@scanned, $name;
    $mta->quit;
    return;
}

sub nothing_left ($daemon, $name) {
    wait_for("$name: the last directory to go", sub { !$daemon->leftovers });
    is $daemon->stop, 0, "$name: the daemon ends with status 0"
        or diag $daemon->log_text;
    return;
}

sub mta_goes ($separate) {
    my $name   = $separate ? 'MTA goes, separate' : 'MTA goes';
    my $daemon = start_held($separate);
    my $sender = sender($daemon);
    stop_process($sender, 'KILL');
    is_fine($daemon, "$name: the next one is served meanwhile");
    release($daemon);
    is_fine($daemon, "$name: and afterwards");
    nothing_left($daemon, $name);
    return;
}

# Sessions that are open but have nothing to finish hold up nothing.
sub daemon_stops_idle {
    my $name   = 'TERM with idle sessions';
    my $daemon = Daemon->start(
        filter => <<'END',
sub filter_relay { return $_[0] eq '192.0.2.9' ? 'REJECT' : 'CONTINUE' }
sub filter_helo  { return $_[2] =~ /bad/ ? 'TEMPFAIL' : 'CONTINUE' }
END
        options => [qw(-X -r -H)]
    );
    my @sessions = map { $daemon->milter } 1 .. 5;
    $sessions[1]->hello;
    $sessions[2]->hello;
    is $sessions[2]->message->{code}, 'c', "$name: one after a message";
    is $sessions[3]->hello(addr => '192.0.2.9')->{code}, 'r',
        "$name: one refused at connect";
    is $sessions[4]->hello(helo => 'bad.example')->{code}, 'y',
        "$name: one refused at HELO";
    kill 'TERM', $daemon->pid;
    my $status = wait_exit($daemon->{processes}[-1], 4);
    is $status, 0, "$name: it ends at once";
    @sessions = ();    # closes them
    $daemon->stop;
    return;
}

sub daemon_stops ($separate) {
    my $name   = $separate ? 'TERM, separate' : 'TERM';
    my $daemon = start_held($separate);
    my $sender = sender($daemon);
    my $idle   = $daemon->milter;
    $idle->hello;
    kill 'TERM', $daemon->pid;
    wait_for(
        "$name: no new sessions",
        sub {
            !eval { $daemon->milter; 1 }
        }
    );
    pass "$name: no new sessions";
    release($daemon);
    is wait_exit($sender) >> 8, 0, "$name: the message in progress is finished";
    nothing_left($daemon, $name);
    return;
}

sub multiplexor_goes {
    my $name   = 'multiplexor is killed';
    my $daemon = start_held(1);
    my $sender = sender($daemon);
    my ($mux)  = @{ $daemon->{processes} };
    my $orphan = read_file("$daemon->{spool}/held");
    stop_process($mux, 'KILL');
    is wait_exit($sender) >> 8, 1, "$name: the message is tempfailed";
    wait_for("$name: its worker to end", sub { !is_alive($orphan) });

    my $mta = $daemon->milter;
    my $got = $mta->hello;
    $got = $mta->message if $got->{code} eq 'c';
    ok tempfailed($got), "$name: and so are others" or diag explain $got;
    $mta->quit;
    $daemon->await_log(qr/Is multiplexor running\?/);
    pass "$name: the log says so";

    $daemon->{processes}[0] = $daemon->launch_one(($daemon->commands)[0]);
    wait_for("$name: a new one", sub { ($daemon->control('free'))[0] == 0 });
    is_fine($daemon, "$name: a new one serves");
    nothing_left($daemon, $name);
    return;
}

sub filter_misbehaves {
    my $daemon = Daemon->start(filter => $filter, options => ['-X']);
    my $mta    = $daemon->milter;
    $mta->hello;
    for my $what (qw(noise chdir)) {
        my $got = $mta->message(headers => [ [ 'Subject', $what ] ]);
        is_deeply [ @$got{qw(code changes)} ], [ 'c', \@scanned ],
            "$what: does no harm";
    }
    for my $what (qw(exit close)) {
        my $got = $mta->message(headers => [ [ 'Subject', $what ] ]);
        ok tempfailed($got), "$what: tempfailed" or diag explain $got;
        is_fine($daemon, "$what: the next message is scanned");
    }
    $mta->quit;
    nothing_left($daemon, 'misbehaving filter');
    return;
}
