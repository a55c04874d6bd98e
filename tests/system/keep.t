#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Which working directories stay: none, those of failed filters (-k), all (-d).
# Those that do not are used again.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon       ();
use MilterClient qw(tempfailed);
use Harness      qw(need_programs wait_for read_file write_file);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my $filter = <<'END';
sub filter_begin { die "broken on purpose\n" if $main::Sender =~ /die/ }
sub filter_end   { action_bounce() if $main::Sender =~ /bounce/ }
END

# options => what stays
my %stays = (
    ''   => [],
    '-k' => ['mdefang-QDIE'],
    '-d' => [qw(mdefang-QBOUNCE mdefang-QDIE mdefang-QFINE)],
);
for my $option (sort keys %stays) {
    subtest "options: -X $option" => sub { all_of($option, $stays{$option}) };
}
subtest 'leftovers of a crash'       => \&leftovers;
subtest 'directories are used again' => \&used_again;
subtest '--spare-dirs=0'             => \&not_used_again;
done_testing;

# The filter says which directory it is in.
sub start_telling (@options) {
    return Daemon->start(
        filter => <<'END',
sub filter       { open my $fh, '>', 'extracted.txt'; return }
sub filter_begin { action_add_header('X-Number', (stat '.')[1]); return }
sub filter_end   { unlink 'extracted.txt'; return }
END
        options => [ '-X', @options ]
    );
}

sub numbers ($daemon, @ids) {
    my $mta = $daemon->milter;
    $mta->hello;
    my @numbers = map { $mta->message(id => $_)->{changes}[0][2] } @ids;
    $mta->quit;
    return @numbers;
}

sub used_again {
    my $daemon  = start_telling();
    my @numbers = numbers($daemon, qw(QONE QTWO));
    like $numbers[0], qr/\A\d+\z/, 'a message is scanned';
    is $numbers[1], $numbers[0], 'the next one gets its directory';
    is_deeply [ $daemon->leftovers ], [], 'none is called after a message';
    is_deeply [ $daemon->spares ],    [".spare-$numbers[0]"], 'one waits';
    is_deeply [ grep {-s} glob "$daemon->{spool}/.spare-$numbers[0]/*" ], [],
        'there is nothing in its files';
    kill 'IO', $daemon->pid;    # comes when somebody opens one just then
    is + (numbers($daemon, 'QAGAIN'))[0], $numbers[0], 'the daemon goes on';
    $daemon->stop('KILL');
    is_deeply [ $daemon->spares ], [".spare-$numbers[0]"],
        'a daemon that is killed leaves it';
    $daemon->launch;
    wait_for('the empty one to go', sub { !$daemon->spares });
    pass 'the next start removes it';
    numbers($daemon, 'QTHREE');
    is scalar($daemon->spares), 1, 'one waits again';
    is $daemon->stop,           0, 'the daemon ends with status 0';
    is_deeply [ $daemon->spares ], [], 'and takes it away';
    return;
}

sub not_used_again {
    my $daemon = start_telling('--spare-dirs=0');
    like + (numbers($daemon, 'QONE'))[0], qr/\A\d+\z/, 'a message is scanned';
    is_deeply [ $daemon->leftovers, $daemon->spares ], [], 'nothing waits';
    is $daemon->stop, 0, 'the daemon ends with status 0';
    return;
}

sub leftovers {
    my $daemon = Daemon->prepare(options => ['-X']);
    my $user   = $daemon->{user} // getpwuid $>;
    my (undef, undef, $uid, $gid) = getpwnam $user;
    for my $name (qw(mdefang-OLD mdefang-NEW mdefang-WANTED)) {
        my $dir = "$daemon->{spool}/$name";
        mkdir $dir or die "$dir: $!\n";
        write_file("$dir/KEPT", '') if $name eq 'mdefang-WANTED';
        chown $uid, $gid, $dir or die "$dir: $!\n";
        utime 1, 1, $dir or die "$dir: $!\n" if $name ne 'mdefang-NEW';
    }
    $daemon->launch;
    ok $daemon->await_ready, 'the daemon starts' or diag $daemon->log_text;
    is_deeply [ sort $daemon->leftovers ], [qw(mdefang-NEW mdefang-WANTED)],
        'the old one is gone';
    is $daemon->stop, 0, 'the daemon ends with status 0';
    return;
}

sub all_of ($option, $stays) {
    my $daemon = Daemon->start(
        filter  => $filter,
        options => [ '-X', $option || () ]
    );
    my $mta = $daemon->milter;
    $mta->hello;
    my $fine   = $mta->message(id => 'QFINE');
    my $die    = $mta->message(id => 'QDIE',    from => '<die@example.org>');
    my $bounce = $mta->message(id => 'QBOUNCE', from => '<bounce@example.org>');
    is $fine->{code}, 'c', 'a fine message';
    ok tempfailed($die), 'one whose filter fails' or diag explain $die;
    is $bounce->{code}, 'y', 'one that is refused';
    $mta->quit;
    wait_for('directories to go', sub { $daemon->leftovers <= @$stays });
    is_deeply [ sort $daemon->leftovers ], $stays, 'what stays';
    is $daemon->stop, 0, 'the daemon ends with status 0';

    is_deeply [ sort $daemon->leftovers ], $stays, 'what stays after its end';
    for my $name (@$stays) {
        my $dir = "$daemon->{spool}/$name";
        ok $daemon->log_lines(qr/\Q$dir\E(?: |$)/) > 0, "the log names $name";
        like read_file("$dir/COMMANDS"), qr/^F$/m, "$name is complete";
    }
    diag $daemon->log_text if !Test::More->builder->is_passing;
    return;
}
