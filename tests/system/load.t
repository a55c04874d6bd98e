#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Many messages side by side while worker after worker is killed in the middle
# of a scan: each message is scanned to the end or tempfailed, none is accepted
# without its change, and the daemons end as they should.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon       ();
use MilterClient qw(tempfailed);
use Harness
    qw(both_ways need_programs temp_dir start_process wait_exit wait_for read_file);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my ($clients, $messages) = (6, 25);

# Each worker dies in its seventh scan.
my $filter = <<'END';
my $scans = 0;
sub filter_sender { return ('CONTINUE', 'ok') }
sub filter_end {
    if (++$scans == 7) {
        kill 'KILL', $$;
        sleep 100;
    }
    return action_add_header('X-Scanned', $main::Sender);
}
END

both_ways(\&all_of);
done_testing;

sub all_of ($separate) {
    my $daemon = Daemon->start(
        filter   => $filter,
        separate => $separate,
        mux      => [qw(-m 2 -x 4 -q 20 -Q 60 -r 50)],
        options  => [qw(-X -q -s)]
    );
    my @clients = map { client($daemon, $_, "$separate-$_") } 1 .. $clients;
    my %count;
    for my $n (1 .. $clients) {
        is wait_exit($clients[ $n - 1 ], 100), 0, "client $n has ended";
        $count{$_}++ for split /\n/, read_file(result("$separate-$n"));
    }
    is_deeply [ grep { !/\A(?:scanned|tempfailed)\z/ } keys %count ], [],
        'no message was accepted unscanned';
    is + ($count{scanned} // 0) + ($count{tempfailed} // 0),
        $clients * $messages, 'each message has its answer';
    ok $count{scanned} > $clients * $messages / 4, 'many were scanned';
    my $killed = $daemon->log_lines(qr/exited due to signal 9/);
    ok $killed >= $clients * $messages / 14, 'many workers were killed';
    note explain { killed => $killed, %count };

    my $mta = $daemon->milter;
    $mta->hello;
    wait_for(
        'a message to be scanned again',
        sub { $mta->message->{code} eq 'c' }
    );
    $mta->quit;
    wait_for('the last directory to go', sub { !not_kept($daemon) });
    is $daemon->stop, 0, 'the daemon ends with status 0'
        or diag $daemon->log_text;
    return;
}

# Directories but those of messages that killed two workers, which the log
# names.
sub not_kept ($daemon) {
    my %kept = map { m{Message kept in .*/([^/\s]+)\z} ? ($1 => 1) : () }
        $daemon->log_lines(qr/Message kept in/);
    return grep { !$kept{$_} } $daemon->leftovers;
}

sub result ($name) { return temp_dir() . "/result$name" }

# A process that says messages and writes what became of each.
sub client ($daemon, $n, $name) {
    return start_process(
        code => sub {
            open my $out, '>', result($name) or die "result$name: $!\n";
            my $mta = $daemon->milter;
            $mta->hello;
            for my $i (1 .. $messages) {
                my $from = "<m$i\@client$n.example>";
                my $got  = $mta->message(from => $from, id => "Q${n}x$i");
                say {$out} outcome($got, $from);
            }
            $mta->quit;
            close $out or die "result$name: $!\n";
        }
    );
}

sub outcome ($got, $from) {
    return 'tempfailed' if tempfailed($got);
    my @changes = map {"@$_"} @{ $got->{changes} // [] };
    return 'scanned'
        if $got->{code} eq 'c' && "@changes" eq "add_header X-Scanned $from";
    return "$got->{stage} $got->{code} @changes";
}
