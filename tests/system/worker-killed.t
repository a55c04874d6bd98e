#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A worker that is killed in the middle of a scan costs no message; a message
# that kills its workers costs nobody else's.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon       ();
use MilterClient qw(tempfailed);
use Harness      qw(both_ways need_programs wait_for read_file write_file);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

# The first scan that finds the file "hold" in the spool takes it and stays;
# a message with the subject "poison" kills each worker that scans it.
my $filter = <<'END';
use strict;
use warnings;
our $Subject;
sub note {
    my ($file) = @_;
    open my $fh, '>>', "../$file" or die "../$file: $!";
    syswrite $fh, "$$\n";
    close $fh;
    return;
}
sub filter_begin {
    if (rename '../hold', "../held.$$") {
        note('holder');
        my $parent = getppid;
        sleep 1 while getppid == $parent;
        exit 1;
    }
    if (($Subject // '') eq 'poison') {
        note('poisoned');
        kill 'KILL', $$;
        sleep 100;
    }
    action_add_header('X-Worker', $$);
    return;
}
END

# Each callback notes itself in a header field; it kills its worker once for
# each file of its name in the spool.
my @callbacks = qw(filter_sender filter_recipient filter_begin filter
    filter_end filter_wrapup);
my $deadly = join '', map {<<"END"} @callbacks;
sub $_ {
    action_add_header('X-Callback', '$_');
    unlink '../$_' and kill 'KILL', \$\$ and sleep 100;
    return 'CONTINUE';
}
END

both_ways(\&all_of);
done_testing;

sub killed_in_callbacks ($separate) {
    my $daemon = Daemon->start(
        filter   => $deadly,
        separate => $separate,
        options  => [qw(-X -s -t)]
    );
    my $mta = $daemon->milter;
    $mta->hello;
    for my $name (@callbacks) {
        write_file("$daemon->{spool}/$name", '');
        my $got = $mta->message;
        is_deeply [ map { $_->[2] } @{ $got->{changes} } ], \@callbacks,
            "killed once in $name: each change is made once"
            or diag explain $got;
    }
    $mta->quit;
    is $daemon->stop, 0, 'the daemon ends with status 0';
    diag $daemon->log_text if !Test::More->builder->is_passing;
    return;
}

sub all_of ($separate) {
    killed_in_callbacks($separate);
    my $daemon = Daemon->start(
        filter   => $filter,
        separate => $separate,
        options  => ['-X']
    );
    my $mta = $daemon->milter;
    $mta->hello;
    killed_once($daemon, $mta);
    killed_twice($daemon, $mta);
    $mta->quit;
    wait_for('the last directory to go', sub { $daemon->leftovers <= 1 });
    is $daemon->stop, 0, 'the daemon ends with status 0';
    diag $daemon->log_text if !Test::More->builder->is_passing;
    return;
}

sub killed_once ($daemon, $mta) {
    my $spool = $daemon->{spool};
    write_file("$spool/hold", '');

    # The answer is read by the parent, the child only kills.
    my $child = fork // die "fork: $!\n";
    if (!$child) {
        my $victim = wait_for('the scan',
            sub { -s "$spool/holder" && read_file("$spool/holder") });
        kill 'KILL', $victim;
        require POSIX;
        POSIX::_exit(0);
    }
    my $got = $mta->message(id => 'QKILLED');
    waitpid $child, 0;
    chomp(my $victim = read_file("$spool/holder"));
    is $got->{code}, 'c',
        'killed in the middle of a scan: the message is accepted';
    my ($change) = @{ $got->{changes} };
    is $change->[1],                'X-Worker', 'and was scanned to the end';
    isnt $change->[2],              $victim,    'by another worker';
    is scalar @{ $got->{changes} }, 1,          'with each change once';
    return;
}

sub killed_twice ($daemon, $mta) {
    my $got = $mta->message(
        id      => 'QPOISON',
        headers => [ [ 'Subject', 'poison' ] ]
    );
    ok tempfailed($got), 'a message that kills two workers gets 451'
        or diag explain $got;
    is_deeply $got->{changes}, [], 'and no change';
    my @victims = split /\n/, read_file("$daemon->{spool}/poisoned");
    is scalar @victims, 2,           'it was tried twice';
    isnt $victims[0],   $victims[1], 'on different workers';
    ok $daemon->await_log(qr/QPOISON/), 'the log names it';
    is_deeply [ $daemon->leftovers ], ['mdefang-QPOISON'],
        'its directory is kept';
    ok $daemon->log_lines(qr{/mdefang-QPOISON}) > 0, 'the log says where';
    $got = $mta->message(id => 'QNEXT');
    is_deeply [ $got->{code}, scalar @{ $got->{changes} } ], [ 'c', 1 ],
        'the next message is scanned';
    return;
}
