#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# docs/examples/milter.lua in tshark: it names every frame of a conversation
# with every command and reply, however TCP cuts it, shows what is in them, and
# marks what is wrong; and, where we may capture, those of a real filter.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Harness qw(free_port program read_file run_program start_process
    stop_process temp_dir top wait_for write_file);
use MilterClient ();

my $tshark = (grep { -x "$_/tshark" } split /:/, $ENV{PATH})[0];
plan skip_all => 'tshark is not installed' if !$tshark;
local $ENV{HOME} = temp_dir();    # nobody's preferences
my $port = 8891;

# ---- a capture made here -------------------------------------------------

# Frames as [from the MTA or '<' the filter, name, payload].
my @frames = (
    [ '>', 'OPTNEG',  pack 'N3',    6, 0x1ff, 0x1fffff ],
    [ '<', 'OPTNEG',  pack 'N4 Z*', 6, 0x101, 0x80, 2, 'i {auth_type}' ],
    [ '>', 'MACRO',   "Cj\0mx.example\0_\0\0" ],
    [ '>', 'CONNECT', pack 'Z* a n Z*', 'client', '6', 4321, '2001:db8::1' ],
    [ '<', 'CONTINUE' ],
    [ '>', 'HELO', "helo.example\0" ],
    [ '<', 'ACCEPT' ],
    [ '>', 'UNKNOWN', "XYZZY 1\0" ],
    [ '<', 'REJECT' ],
    [ '>', 'MAIL', "<from\@example.org>\0SIZE=1\0" ],
    [ '<', 'TEMPFAIL' ],
    [ '>', 'RCPT',      "<to\@example.org>\0" ],
    [ '<', 'REPLYCODE', "550 5.7.1 no\0" ],
    [ '>', 'DATA' ],
    [ '<', 'DISCARD' ],
    [ '>', 'HEADER', "Subject\0hi\0" ],
    [ '>', 'EOH' ],
    [ '>', 'BODY', "x\r\n" x 2000 ],
    [ '<', 'SKIP' ],
    [ '>', 'EOM' ],
    [ '<', 'PROGRESS' ],
    [ '<', 'ADDHEADER',   "X-Add\0a\0" ],
    [ '<', 'INSHEADER',   "\0\0\0\1X-Ins\0b\0" ],
    [ '<', 'CHGHEADER',   "\0\0\0\2X-Chg\0\0" ],
    [ '<', 'REPLBODY',    "y\r\n" ],
    [ '<', 'ADDRCPT',     "more\@example.org\0" ],
    [ '<', 'ADDRCPT_PAR', "par\@example.org\0NOTIFY=NEVER\0" ],
    [ '<', 'DELRCPT',     "less\@example.org\0" ],
    [ '<', 'CHGFROM',     "<>\0" ],
    [ '<', 'QUARANTINE',  "look at it\0" ],
    [ '<', 'SHUTDOWN' ],
    [ '<', 'CONN_FAIL' ],
    [ '<', 'SETSYMLIST' ],
    [ '>', 'ABORT' ],
    [ '>', 'QUIT_NC' ],
    [ '>', 'QUIT' ],
);

# The list of all names, so that one that is new is missed here.
my (%octet, %covered);
{
    my $list = read_file(top() . '/milterproto/include/milterproto.def');
    while ($list =~ /^MLT_X_(COMMAND|REPLY)\((\w+), '(.)'/gm) {
        $octet{ $1 eq 'COMMAND' ? '>' : '<' }{$2} = $3;
    }
}
$covered{ $_->[0] }{ $_->[1] } = 1 for @frames;
for my $way ('>', '<') {
    is_deeply [ sort keys %{ $covered{$way} } ],
        [ sort keys %{ $octet{$way} } ], "the conversation has all $way";
}

sub octets ($frame) {
    my ($way, $name, $payload) = @$frame;
    $payload //= '';
    return pack 'N a a*', 1 + length $payload, $octet{$way}{$name}, $payload;
}

# Writes a capture of IPv4 packets with these [way, octets] in them.
sub write_capture ($file, @pieces) {
    my %sequence = ('>' => 1000, '<' => 2000);
    my $pcap     = pack 'L S S l L L L', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101;
    my $time     = 0;
    for my $piece (@pieces) {
        my ($way, $data) = @$piece;
        my $back = $way eq '>' ? '<'            : '>';
        my @port = $way eq '>' ? (40000, $port) : ($port, 40000);
        my $tcp  = pack 'n n N N C C n n n', @port, $sequence{$way},
            $sequence{$back}, 0x50, 0x18, 65535, 0, 0;
        my $ip = pack 'C C n n n C C n C4 C4', 0x45, 0,
            40 + length $data, 0, 0, 64, 6, 0, (127, 0, 0, 1) x 2;
        my $packet = $ip . $tcp . $data;
        $pcap .= pack 'L4 a*', 1, ++$time, (length $packet) x 2, $packet;
        $sequence{$way} += length $data;
    }
    write_file($file, $pcap);
    return;
}

# What tshark says about a capture; dies if it complains about the script.
sub dissect ($file, $filter_port, @args) {
    my ($status, $out, $errors)
        = run_program(60, 'tshark', '-n', '-X',
        'lua_script:' . top() . '/docs/examples/milter.lua',
        '-o', "milter.ports:$filter_port", '-r', $file, @args);
    die "tshark: status $status: $errors\n"
        if $status || $errors =~ /lua|error/i;
    return $out;
}

# The names, in order, each with its way.
sub names ($file, $filter_port = $port) {
    my $lines = dissect($file, $filter_port, qw(-T fields -e _ws.col.Info));
    return [ $lines =~ /([<>](?:[A-Z_]+|[?]))(?= )/g ];
}

my @want = map {"$_->[0]$_->[1]"} @frames;
my $file = temp_dir() . '/made.pcap';

write_capture($file, map { [ $_->[0], octets($_) ] } @frames);
is_deeply names($file), \@want, 'a frame a packet: each has its name';

my $tree = dissect($file, $port, '-O', 'milter', '-V');
for my $line (
    'Version: 6',
    'Actions: 0x000001ff',
    'Actions: 0x00000101',
    '.... .... .... .... .... .... .... ...1 = ADDHDRS: True',
    '.... .... .... .... .... .... ..0. .... = QUARANTINE: False',
    '.... .... ...1 .... .... .... .... .... = HDR_LEADSPC: True',
    'Stage: MAIL (2)',
    'Macros wanted: i {auth_type}',
    'Macros for: CONNECT (0x43)',
    'Macro: j = mx.example',
    'Macro: _ = ',
    'Host: client',
    'Family: 6 (IPv6)',
    'Port: 4321',
    'Address: 2001:db8::1',
    'Text: helo.example',
    'Address: <from@example.org>',
    'Parameter: SIZE=1',
    'Text: 550 5.7.1 no',
    'Header name: Subject',
    'Header value: hi',
    'Index: 2',
    'Parameter: NOTIFY=NEVER',
    'Text: look at it',
    )
{
    like $tree, qr/^ *\Q$line\E$/m, "shown: $line";
}
is_deeply [ $tree =~ /\[Expert Info.*: (.*?)\]$/gm ],
    [ ('reserved, never used') x 3 ], 'only the reserved replies are marked';

# All that one side says in one go, in packets of 7 octets: reassembled.
my @runs;
for my $frame (@frames) {
    push @runs, [ $frame->[0], '' ]
        if !@runs || $runs[-1][0] ne $frame->[0];
    $runs[-1][1] .= octets($frame);
}
my @pieces;
for my $run (@runs) {
    push @pieces, map { [ $run->[0], $_ ] } unpack '(a7)*', $run->[1];
}
write_capture($file, @pieces);
is_deeply names($file), \@want, 'frames cut into small packets';
write_capture($file, @runs);
is_deeply names($file), \@want, 'several frames in a packet';

# ---- what is wrong is marked ---------------------------------------------

my @bad = (
    [ 'length 0',         "\0\0\0\0Hx",         'length of the frame' ],
    [ 'length too large', "\x7f\0\0\0Hx",       'length of the frame' ],
    [ 'unknown octet',    "\0\0\0\1z",          'unknown octet' ],
    [ 'string cut',       "\0\0\0\2Hx",         'string without NUL' ],
    [ 'number cut',       "\0\0\0\3O\0\0",      'cut off' ],
    [ 'no family',        "\0\0\0\3Cx\0",       'no family' ],
    [ 'bad family',       "\0\0\0\4Cx\0X",      'unknown family' ],
    [ 'third string',     "\0\0\0\7La\0b\0c\0", 'octets behind' ],
    [ 'macro cut',        "\0\0\0\4DMi\0",      'string without NUL' ],
);
write_capture($file, map { [ '>', $_->[1] ] } @bad);
$tree = dissect($file, $port, '-O', 'milter', '-V');
unlike $tree, qr/Lua Error/, 'what is wrong is no error of the script';
my @packets = split /^(?=Frame \d)/m, $tree;
for my $i (0 .. $#bad) {
    like $packets[$i], qr/Expert Info.*\Q$bad[$i][2]\E/,
        "$bad[$i][0] is marked";
}

# ---- a real filter -------------------------------------------------------

SKIP: {
    my $filter = program('../examples/null-filter');
    skip 'null-filter is not built',          1 if !-x $filter;
    skip 'only root may capture on loopback', 1 if $>;
    my $live  = temp_dir() . '/live.pcap';
    my $at    = free_port();
    my $sniff = start_process(
        cmd => [
            qw(tshark -q -n -i lo -a duration:60 -c 2000),
            '-f', "tcp port $at", '-w', $live
        ],
        stderr => temp_dir() . '/sniff.err'
    );
    my $ready = eval {
        wait_for('the capture', sub { -s $live }, 20);
    };
    skip 'capturing on loopback is not possible here', 1 if !$ready;
    start_process(cmd => [ $filter, "inet:$at\@127.0.0.1" ]);
    my $mta = wait_for(
        'the filter',
        sub {
            eval { MilterClient->new("inet:$at\@127.0.0.1") }
        }
    );
    $mta->hello;
    $mta->message(id => '4F1A2B');
    $mta->quit;
    wait_for('QUIT in the capture',
        sub { index(read_file($live), "\0\0\0\1Q") > 0 });
    stop_process($sniff, 'INT');

    my @session = qw(>OPTNEG <OPTNEG >CONNECT <CONTINUE >HELO <CONTINUE
        >MACRO >MAIL <CONTINUE >RCPT <CONTINUE >DATA <CONTINUE
        >HEADER <CONTINUE >HEADER <CONTINUE >EOH <CONTINUE >BODY <CONTINUE
        >EOM <ADDHEADER <CONTINUE >QUIT);
    is_deeply names($live, $at), \@session,
        'each packet of a session on loopback has its name';
}

done_testing;
