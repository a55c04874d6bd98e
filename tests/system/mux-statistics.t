#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Statistics of a daemon at work: the file's lines, its mode, and what SIGHUP
# does after it was moved away; load and metrics; the filter's tick function.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use JSON::PP qw(decode_json);
use Daemon   ();
use Harness  qw(both_ways need_programs wait_for read_file);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

both_ways(\&all_of);
done_testing;

sub all_of ($separate) {
    my $daemon = Daemon->start(
        filter => "sub filter_end { action_add_header('X-Scanned', 'yes') }\n"
            . "sub filter_tick { md_syslog('info', \"ticked \$_[0]\") }\n",
        separate => $separate,
        options  => ['-X'],
        mux      => [
            '-m', 1, '-x', 3, '-t', 'SPOOL/stats', '-u', '-T', '-X', 1, '-P', 2
        ],
    );
    my $file = "$daemon->{spool}/stats";
    my $head = qr{^\d\d/\d\d/\d{4}:\d\d:\d\d:\d\d [ ] \d+[.]\d{3} [ ]}msx;
    my $mta  = $daemon->milter;
    $mta->hello;
    is_deeply $mta->message->{changes},
        [ [ 'add_header', 'X-Scanned', 'yes' ] ], 'a message passes';
    $mta->quit;

    like read_file($file),
        qr/${head}StartWorker worker=\d nworkers=\d nbusy=\d reason="/,
        'a line for the worker';
    like read_file($file),
        qr/${head}StartFilter worker=\d nworkers=\d nbusy=\d$/m,
        'one for the start of the scan';
    like read_file($file),
        qr/${head}EndFilter worker=\d nworkers=\d nbusy=\d numRequests=\d+$/m,
        'one for its end';
    is sprintf('%04o', (stat $file)[2] & 07777), '0600', 'the mode of the file';
    ok $daemon->await_log(qr/stats \d+[.]\d{3} EndFilter worker=\d /),
        'the same lines in the log';

    my (undef, $load) = $daemon->control('rawload');
    my @numbers = split ' ', $load;
    is scalar @numbers, 29, 'load has 29 numbers';
    is $numbers[3],     1,  'one scan in the last ten minutes';
    my (undef, $json) = $daemon->control('jsonstats');
    my $all = decode_json($json);
    is $all->{requests}{scan}{count},   1, 'one in the histogram, too';
    is scalar @{ $all->{worker_list} }, 3, 'and all three workers';

    rename $file, "$file.1" or die "$file: $!\n";
    kill HUP => $daemon->{processes}[0]{pid};
    wait_for('the new file', sub { -e $file });
    pass 'HUP makes a new file';
    ok $daemon->await_log(qr/ticked 0/), 'type 0 of the ticks is run';
    ok $daemon->await_log(qr/ticked 1/), 'type 1, too';
    my @rereads = $daemon->log_lines(qr/Forcing reread|new generation/);
    is scalar @rereads, 0, 'HUP does not reread' if $separate;
    is $daemon->stop,   0, 'the daemon ends with status 0';
    like read_file($file),
        qr/${head}ReapWorker worker=\d nworkers=\d nbusy=\d$/m,
        'the end of the worker is in the new file';
    diag $daemon->log_text if !Test::More->builder->is_passing;
    return;
}
