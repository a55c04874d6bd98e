#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Each option of the multiplexor, by letter and by long name, of the separate
# program and behind "--" of mimedefang: what --print-config shows of it.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Harness qw(need_programs program run_program);

need_programs(qw(mimedefang mimedefang-multiplexor));

my @separate = (program('mimedefang-multiplexor'));
my @builtin  = (program('mimedefang'), '-p', 'unix:/none', '--');

# letter, long name, value given ("-": takes none), value in effect.
# Numbers out of range are moved into it.
for (split /\n/, <<'END') {
m min-workers     9            2
x max-workers     0            1
r max-requests    20           20
V max-lifetime    0            -1
i idle-timeout    3            10
b busy-timeout    9            10
c client-timeout  60           60
w start-delay     0            1
W min-start-delay -4           0
q queue-size      128          128
Q queue-timeout   1000         600
I backlog         500          200
y per-domain      1            1
R max-rss         1000         1000
M max-memory      2000         2000
X tick-interval   60           60
P tick-types      40           30
L log-status      2            5
t stats-file      /tmp/stats   /tmp/stats
T stats-syslog    -            yes
u stats-flush     -            yes
k autoscale       -            yes
s socket          unix:/run/x  /run/x
f worker          /usr/bin/w   /usr/bin/w
F filter          /etc/filter  /etc/filter
l log-events      -            yes
A log-scheduling  -            yes
Z status-updates  -            yes
d debug-events    -            yes
S facility        LOG_LOCAL3   LOG_LOCAL3
Y log-label       mx           mx
END
    my ($letter, $name, $given, $want) = split ' ';
    for (
        [ 'by letter',   "-$letter",       $given ],
        [ 'by name',     "--$name",        $given ],
        [ 'in one word', "-$letter$given", '-' ]
        )
    {
        my ($how, @words) = @$_;
        pop @words if $words[-1] eq '-';
        next       if $how eq 'in one word' && $given eq '-';
        is value_of($name, @separate, @words), $want, "-$letter: $how";
        is value_of($name, @builtin, @words), $want,
            "-$letter: $how, behind --"
            if $how eq 'by letter';
    }
}

# Those without a letter; a wrong value is refused with the right ones.
for (split /\n/, <<'END') {
scale-interval 5
scale-out      90
scale-in       10
scale-step     3
END
    my ($name, $given) = split ' ';
    is value_of($name, @separate, "--$name=$given"), $given, "--$name";
    is value_of($name, @builtin, "--$name", $given), $given,
        "--$name: behind --";
    like value_of($name, @separate, "--$name=1000000"),
        qr/status 1: .*--$name: '1000000' is not a number from \d+ to \d+/,
        "--$name: wrong value";
}

# Of the separate program only.
for (split /\n/, <<'END') {
z spool      /var/spool/other  /var/spool/other
U user       defang            defang
p pid-file   /run/pid          /run/pid
o lock-file  /run/lock         /run/lock
D foreground -                 yes
G group-access -               yes
END
    my ($letter, $name, $given, $want) = split ' ';
    my @words = ("-$letter", $given eq '-' ? () : $given);
    is value_of($name, @separate, @words), $want, "-$letter: by letter";
    next if $letter =~ /[zG]/;
    my ($status, $out, $err) = run_program(10, @builtin, @words);
    is "$status$out", 1, "-$letter: refused behind --";
    like $err, qr/give them before --/, "-$letter: with a reason";
}
is value_of('socket', @separate, '-z', '/s'),
    '/s/mimedefang-multiplexor.sock', '-s: default follows -z';
is value_of('max-workers', @separate, '-x', '5abc'), 5, '-x: a number prefix';
is value_of('max-workers', @separate, '-x', 3, '-x', 4), 4,
    '-x: the last one counts';
is value_of('log-events', @separate, '-lAx', 3, 'word'), 'yes',
    '-l: in a cluster, and a word that is none is passed over';

my ($status, $out, $err) = run_program(10, @separate, '-v');
is $status, 0, '-v: status 0';
like $out, qr/\Amimedefang-multiplexor version \S+\n\z/, '-v: the version';
($status, $out, $err) = run_program(10, @separate, '-h');
is "$status$out", 1, '-h: status 1, nothing on standard output';
like $err, qr/^Usage:/m, '-h: usage on standard error';
($status, $out, $err) = run_program(10, @separate, '--help');
is "$status$err", 0, '--help: status 0, nothing on standard error';
like $out, qr/^  -x N, --max-workers=N/m, '--help: options on standard output';

for my $words ('-x many', '-x', '-K', '--nosuch') {
    ($status, $out, $err) = run_program(10, @separate, split ' ', $words);
    is "$status$out", 1, "$words: status 1";
    like $err, qr/^Usage:/m, "$words: usage";
}
done_testing;

sub value_of ($name, @command) {
    my ($code, $text, $errors) = run_program(10, @command, '--print-config');
    return "status $code: $errors" if $code || $errors ne '';
    return $text =~ /^\Q$name\E=(.*)$/m ? $1 : 'missing';
}
