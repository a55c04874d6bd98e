#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Our own filters meet every requirement, in every profile and hostile: the null
# filter on each kind of socket, and the daemon with real workers, whose filter
# changes whatever can be changed.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../system/lib", "$FindBin::Bin/lib";
use Test::More;
use Check   qw(check_filter start_null_filter);
use Daemon  ();
use Harness qw(need_programs temp_dir free_port);

need_programs(qw(mimedefang mimedefang-multiplexor milter-check));

# Each line of a report that is a failure, or that says why there is none.
sub conforms ($report, $least, $name) {
    is join("\n", map {"$_->{profile} $_->{name}: $_->{why}"} $report->failed),
        '', "$name meets all requirements";
    cmp_ok $report->{totals}{pass}, '>=', $least,
        "$name: $report->{totals}{pass} cases passed";
    is $report->{status}, 0, "$name: the exit status";
    return;
}

my $unix = 'unix:' . temp_dir() . '/null.sock';
start_null_filter($unix);
conforms(check_filter($unix), 350, 'null-filter');

my $quiet = 'unix:' . temp_dir() . '/quiet.sock';
start_null_filter('--no-reply', $quiet);
conforms(check_filter($quiet), 350, 'null-filter --no-reply');

for my $where ('inet:PORT@127.0.0.1', 'inet6:PORT@[::1]') {
    my $spec = $where =~ s/PORT/free_port()/er;
    start_null_filter($spec) or next;
    conforms(check_filter($spec, qw(--profile hostile)), 90, "over $where");
}

my $daemon = Daemon->start(
    options => [qw(-r -H -s -t)],
    filter  => <<'END');
sub filter_relay     { return ('CONTINUE', 'ok') }
sub filter_helo      { return ('CONTINUE', 'ok') }
sub filter_sender    { return ('CONTINUE', 'ok') }
sub filter_recipient { return ('CONTINUE', 'ok') }
sub filter_end {
    my ($entity) = @_;
    action_add_header('X-New', 'value');
    action_insert_header('X-Top', "first\n\tsecond", 0);
    action_change_header('Subject', 'other');
    action_delete_header('X-Empty');
    action_delete_all_headers('X-Filler');
    append_text_boilerplate($entity, 'fine print', 0);
    add_recipient('<more@example.org>');
    delete_recipient($main::Recipients[0]);
    change_sender('<other@example.org>');
    action_sm_quarantine('look at it');
    return;
}
1;
END
conforms(check_filter($daemon->{address}), 350, 'mimedefang');
conforms(
    check_filter(
        $daemon->{address},
        qw(--profile postfix-3 --profile sendmail-8.17 --from),
        '<>', qw(--ip 2001:db8::1 --header),
        'X-More: yes'
    ),
    40,
    'mimedefang, of a bounce by IPv6'
);
$daemon->stop;

my $refusing = Daemon->start(
    options => [qw(-r -H -s -t)],
    filter  => <<'END');
sub filter_recipient {
    return ('REJECT', '100% full, %s', '552', '5.2.2');
}
1;
END
conforms(
    check_filter(
        $refusing->{address},
        map { ('--profile', $_) }
            qw(postfix-3 sendmail-8.17 generic-v2 hostile)
    ),
    100,
    'mimedefang that refuses recipients'
);
$refusing->stop;
done_testing;
