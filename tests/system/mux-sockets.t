#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The multiplexor's other sockets, built in and apart: everybody may look at that
# of -a, listeners of -O are told of a message, and Sendmail's maps of -N ask the
# filter.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Daemon  ();
use Harness qw(both_ways free_port need_programs run_program program);

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my $filter = <<'END';
sub filter_map { my ($map, $key) = @_; return ('OK', "$map has $key") }
END

sub dial ($where) {
    my $s
        = $where =~ m{\A/}
        ? IO::Socket::UNIX->new(Peer     => $where)
        : IO::Socket::INET->new(PeerAddr => "127.0.0.1:$where");
    return $s // die "$where: $!\n";
}

# Reads until the text matches; what was read.
sub hear ($s, $regex) {
    my ($select, $text) = (IO::Select->new($s), '');
    while ($text !~ $regex) {
        die "silence behind: $text\n" if !$select->can_read(30);
        sysread $s, $text, 4096, length $text
            or die "end of file behind: $text\n";
    }
    return $text;
}

sub ask ($where, $line) {
    my $s = dial($where);
    syswrite $s, "$line\n";
    return join '', readline $s;
}

# Another program may have taken the port meanwhile.
sub start ($separate, $port) {
    my @mux = (qw(-m 1 -x 1 -O SPOOL/O -N SPOOL/N), '-a' => "inet:$port");
    return Daemon->start(
        separate => $separate,
        mux      => \@mux,
        filter   => $filter
    );
}

both_ways(
    sub ($separate) {
        my ($port, $daemon);
        for (1 .. 3) {
            $port   = free_port();
            $daemon = eval { start($separate, $port) } and last;
        }
        die $@ if !$daemon;
        $daemon->first_worker;

        is(ask($port, 'free'), "1\n", 'whoever comes by inet may look');
        like(
            ask($port, 'reread'),
            qr/\Aerror: Attempt to use privileged/,
            'and do nothing'
        );
        my ($status, $out)
            = run_program(20, program('md-mx-ctrl'), '-s',
            $daemon->control_socket, 'help');
        like($out, qr/^reread +-- /m, 'others may, who have the other socket');

        my $spool = $daemon->{spool};
        my $ear   = dial("$spool/O");
        is(hear($ear, qr/\n/), "*OK\n", 'a listener is greeted');
        syswrite $ear, "?FS\n";
        ask($port, 'free') for 1 .. 3;    # it was heard by now
        my $client = $daemon->milter;
        $client->hello;
        is($client->message->{code}, 'c', 'a message passes');
        $client->quit;
        my $told = hear($ear, qr/S 0 scan.*F 1\n/s);
        like(
            $told,
            qr{ ^S\ 0\ StateChange\ Idle\ ->\ Busy\n
                F\ 0\n
                S\ 0\ scan\ \S+\n
                S\ 0\ StateChange\ Busy\ ->\ Idle\n
                F\ 1\n }mx, 'the listener is told of it'
        );

        my $map = dial("$spool/N");
        syswrite $map, '10:mysock a@b,';
        is(
            hear($map, qr/,\z/),
            '17:OK mysock has a@b,',
            'a map asks the filter'
        );
        syswrite $map, '5:other,';
        is(
            hear($map, qr/,\z/),
            '27:PERM Invalid request format,',
            'and says what is wrong'
        );

        is($daemon->stop, 0, 'it stops');
        ok(!-e "$spool/$_", "$_ is removed") for qw(O N);
    }
);
done_testing;
