#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A filter that dies in a callback: that message is tempfailed, the worker
# lives, one line in the log names the callback.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Daemon       ();
use MilterClient qw(tempfailed);
use Harness      qw(need_programs wait_for);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

# callback => [the stage where it shows, part of the client address that
# triggers it]
my @callbacks = (
    [ filter_relay     => 'connect', 1 ],
    [ filter_helo      => 'helo',    2 ],
    [ filter_sender    => 'mail',    3 ],
    [ filter_recipient => 'rcpt',    4 ],
    [ filter_begin     => 'eom',     5 ],
    [ filter           => 'eom',     6 ],
    [ filter_multipart => 'eom',     7 ],
    [ filter_end       => 'eom',     8 ],
    [ filter_wrapup    => 'eom',     9 ],
);
my $filter = "use strict;\nuse warnings;\nour \$RelayAddr;\n";
for (@callbacks) {
    my ($name, undef, $n) = @$_;
    $filter .= <<"END";
sub $name {
    action_add_header('X-$name', 'done') if '$name' =~ /_(?:begin|end|wrapup)/;
    die "broken on purpose\\n" if \$RelayAddr eq '192.0.2.$n';
    return 'CONTINUE';
}
END
}

my $daemon = Daemon->start(
    filter  => $filter,
    mux     => [qw(-m 1 -x 1)],
    options => [qw(-r -H -s -t -X)]
);
my $worker = $daemon->first_worker;

my @nested = (
    headers => [
        [ 'Subject',      'parts' ],
        [ 'MIME-Version', '1.0' ],
        [ 'Content-Type', 'multipart/mixed; boundary="a"' ],
    ],
    body => join "\r\n",
    '--a',
    'Content-Type: multipart/alternative; boundary="b"',
    '', '--b',
    'Content-Type: text/plain',
    '', 'text', '--b--', '', '--a--',
    ''
);

for (@callbacks) {
    my ($name, $stage, $n) = @$_;

    my $line   = qr/\b$name\b/;
    my $before = $daemon->log_lines($line);
    my $got    = say_message("192.0.2.$n");
    is $got->{stage}, $stage, "$name: the message ends at $stage";
    ok tempfailed($got), "$name: with a temporary failure" or diag explain $got;
    is_deeply $got->{changes}, [], "$name: and no change";
    $daemon->await_log($line, $before + 1);
    my @lines = $daemon->log_lines($line);
    is scalar @lines, $before + 1, "$name: one line in the log"
        or diag join "\n", @lines;
    like $lines[-1], qr/broken on purpose/, "$name: with the reason";
}

my $got = say_message('192.0.2.99');
is $got->{code},                'c', 'a message without trouble is accepted';
is scalar @{ $got->{changes} }, 3,   'and changed by its callbacks';
is_deeply [ $daemon->workers ], [$worker], 'the worker is the same process';
is $daemon->stop, 0, 'the daemon ends with status 0';

# Before any message: a worker that cannot get ready serves nobody.
$daemon = Daemon->start(
    filter  => "sub filter_initialize { die qq(broken on purpose\\n) }",
    mux     => [qw(-m 1 -x 1)],
    options => ['-X']
);
$got = say_message('192.0.2.99');
ok tempfailed($got), 'filter_initialize: messages are tempfailed'
    or diag explain $got;
ok $daemon->await_log(
    qr/filter_initialize.*broken on purpose|broken on purpose.*filter_initialize/
    ),
    'filter_initialize: a line in the log names it';
is $daemon->stop, 0, 'the daemon ends with status 0';

# After the last one.
$daemon = Daemon->start(
    filter => "sub filter_cleanup { die qq(broken on purpose\\n) }");
is say_message('192.0.2.99')->{code}, 'c',
    'filter_cleanup: messages before it are accepted';
is $daemon->stop, 0, 'filter_cleanup: the daemon ends with status 0';
is scalar $daemon->log_lines(qr/filter_cleanup/), 1,
    'filter_cleanup: a line in the log names it';

diag $daemon->log_text if !Test::More->builder->is_passing;
done_testing;

sub say_message ($addr) {
    my $mta    = $daemon->milter;
    my $answer = $mta->hello(addr => $addr);
    $answer = $mta->message(@nested) if $answer->{code} eq 'c';
    $mta->quit;
    return $answer;
}
