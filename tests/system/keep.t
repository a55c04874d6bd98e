#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Which working directories stay: none, those of failed filters (-k), all (-d).
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon       ();
use MilterClient qw(tempfailed);
use Harness      qw(need_programs wait_for read_file);

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
done_testing;

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
