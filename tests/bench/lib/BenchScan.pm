# SPDX-License-Identifier: MIT
package BenchScan;

# A worker to measure, Debian's or ours: speaks to mimedefang.pl -server on its
# standard input and output, as a multiplexor does.  And the messages for it.

use v5.36;
use Bench      qw(seconds);
use Exporter   qw(import);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IPC::Open2 qw(open2);
use List::Util qw(max);
use MIME::Base64;
use MIME::QuotedPrint;
use Peers       qw(peer_program peer_env peer_host);
use Time::HiRes qw(time);

our @EXPORT_OK = qw(message);

my $top      = Harness::top();
my $at_least = 10;               # scans of one measurement

=head1 FUNCTIONS

=head2 message($kind, $octets)

A message of about that size.  Kinds: text, qp, alternative, attachment, parts
(500 tiny ones).

=cut

# The same pseudo-random letters every time.
sub _letters ($n) {
    my ($state, $text) = (1, '');
    while (length $text < $n) {
        $state = ($state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
        $text .= chr 97 + ($state >> 16) % 26;
    }
    return substr $text, 0, $n;
}

sub _lines ($n) {
    state $block = _letters(1 << 16) =~ s/(.{5})./$1 /gr =~ s/(.{71})./$1\n/gr;
    my $text = $block x (1 + $n / length $block);
    return substr($text, 0, $n - 1) . "\n";
}

my $HEADER = <<'END_HEADER';
Received: from mail.example.com (mail.example.com [192.0.2.1])
	by mx.example.net (Postfix) with ESMTPS id 4Sxy1z2abc
	for <to@example.net>; Mon, 1 Jan 2024 12:00:00 +0000 (UTC)
From: Some Body <from@example.com>
To: Any Body <to@example.net>
Subject: Hello World
Date: Mon, 1 Jan 2024 12:00:00 +0000
Message-ID: <id@example.com>
MIME-Version: 1.0
END_HEADER

sub _multipart ($subtype, @parts) {
    my $between = "\n--=_bound_1";
    return
          $HEADER
        . qq{Content-Type: multipart/$subtype; boundary="=_bound_1"\n\n}
        . "This is a multi-part message in MIME format."
        . join('', map {"$between\n$_"} @parts)
        . "$between--\n";
}

my $PLAIN = "Content-Type: text/plain; charset=us-ascii\n"
    . "Content-Transfer-Encoding: 7bit\n\n";
my %KIND = (
    text => sub ($n) { $HEADER . $PLAIN . _lines($n) },
    qp   => sub ($n) {
        my $text = encode_qp(_lines($n / 1.15) =~ s/(.{40})./$1\xe9/gr);
        return
              $HEADER
            . "Content-Type: text/plain; charset=iso-8859-1\n"
            . "Content-Transfer-Encoding: quoted-printable\n\n$text";
    },
    alternative => sub ($n) {
        _multipart(
            'alternative',
            $PLAIN . _lines($n / 2),
            "Content-Type: text/html; charset=us-ascii\n\n<html><body><p>\n"
                . _lines($n / 2)
                . '</body></html>'
        );
    },
    attachment => sub ($n) {
        _multipart(
            'mixed',
            $PLAIN . _lines(1000),
            qq{Content-Type: application/octet-stream; name="data.bin"\n}
                . "Content-Transfer-Encoding: base64\n"
                . qq{Content-Disposition: attachment; filename="data.bin"\n\n}
                . encode_base64(_letters(int(($n - 1500) * 0.74)))
        );
    },
    parts => sub ($) {
        _multipart('mixed',
            map {"Content-Type: text/plain\n\nPart $_"} 1 .. 500);
    },
);

sub message ($kind, $octets) {
    return $KIND{$kind}->($octets);
}

=head1 METHODS

=head2 BenchScan->start($who, $filter)

Starts the worker of the peer or ours with a filter (its text), and waits for its
first answer.

=head2 measure($message)

Scans it again and again for the given time; returns { ms => median time from
command to answer, per_second => how many of these make a second }.

=cut

my $COMMANDS = <<'END_COMMANDS';
iabcde12
S<from@example.com>
=i QID1
=_ host%20[192.0.2.1]
QQID1
Hhost.example.com
I192.0.2.1
Ehelo.example.com
R<to@example.net> esmtp mx.example.net to@example.net
UHello%20World
X<id@example.com>
F
END_COMMANDS

sub start ($class, $who, $filter) {
    my $dir  = tempdir('sallyport-XXXXXX', DIR => '/dev/shm', CLEANUP => 1);
    my $self = bless { dir => $dir, n => 0 }, $class;
    _write("$dir/filter", "$filter\n1;\n");
    my @command = ("$top/perl-bridge/bin/mimedefang.pl");
    my %env     = (MIMEDEFANG_LOG => 'stderr', MIMEDEFANG_SPOOLDIR => $dir);
    if ($who eq 'peer') {
        $self->{host} = peer_host();
        @command      = $self->{host}->wrap(peer_program('mimedefang.pl'));
        %env          = peer_env();
    }
    local %ENV = (%ENV, %env);
    $self->{pid} = open2($self->{out}, $self->{in},
        @command, '-f', "$dir/filter", '-server');
    $self->_ask('ping') eq 'PONG' or die "$who: no answer to a ping\n";
    return $self;
}

sub _write ($path, $bytes) {
    open my $fh, '>:raw', $path or die "$path: $!\n";
    print {$fh} $bytes;
    close $fh or die "$path: $!\n";
    return;
}

sub _ask ($self, $line) {
    syswrite $self->{in}, "$line\n" or die "the worker is gone: $!\n";
    my $answer = readline $self->{out};
    return ($answer // 'nothing') =~ s/\n\z//r;
}

# Seconds of one scan.
sub _scan ($self, $message) {
    my $dir = "$self->{dir}/mdefang-" . ++$self->{n};
    mkdir $dir or die "$dir: $!\n";
    my ($header) = $message =~ /\A(.*?\n)\n/s;
    _write("$dir/INPUTMSG", $message);
    _write("$dir/HEADERS",  $header =~ s/\n(?=[ \t])//gr);
    _write("$dir/COMMANDS", $COMMANDS);
    my $before = time;
    my $answer = $self->_ask("scan QID1 $dir");
    my $took   = time - $before;
    $answer eq 'ok' or die "a scan was answered by: $answer\n";
    remove_tree($dir);
    return $took;
}

sub measure ($self, $message) {
    $self->_scan($message) for 1 .. 3;
    my $end = time + seconds() / 8;
    my @took;
    push @took, $self->_scan($message) while time < $end || @took < $at_least;
    @took = sort { $a <=> $b } @took;
    my $median = $took[ @took / 2 ];
    return { ms => $median * 1000, per_second => 1 / $median };
}

=head2 stop()

Ends it and removes its directory.

=cut

sub stop ($self) {
    my $pid = delete $self->{pid} or return;
    kill TERM => $pid;    # a process forked since may hold its input open
    waitpid $pid, 0;
    $self->{host}->stop if $self->{host};
    remove_tree($self->{dir});
    return;
}

1;
