# SPDX-License-Identifier: MIT
#
# One question to name servers: over UDP, from a fresh port and with a random id
# each time, to the next server when one is silent or says that it failed, and
# over TCP when the answer was cut.  What does not answer this question (another
# id, another name, garbage) is not seen, and so costs nothing but the wait.
#
# The result is the answer as a Net::DNS::Packet, whatever its code is: also
# SERVFAIL or REFUSED, if no server had anything better.

package Mail::MIMEDefang::Loop::Question;
use v5.36;
use parent 'Mail::MIMEDefang::Loop::Job';
use Errno ();
use IO::Handle;
use IO::Poll qw(POLLIN);
use Mail::MIMEDefang::Loop::Talk;
use Net::DNS::Packet;
use Socket ();

use constant {
    TIMEOUT_S => 5,
    RETRY_S   => 1.5,     # doubled after each round
    ROUNDS    => 3,
    UDP_SIZE  => 1232,    # fits into one packet everywhere
    MAX_BYTES => 65537,
    MAX_NAME  => 253,
};

# SERVERS: pairs of address and port.
sub new ($class, $name, $type, %o) {
    return bless {
        name    => $name,
        type    => $type,
        secure  => $o{secure},
        limit   => $o{timeout_s} // TIMEOUT_S,
        retry   => $o{retry_s}   // RETRY_S,
        servers => $o{servers},
        sockets => [],
    }, $class;
}

sub start ($self, $now) {
    $self->{deadline} = $self->{end} = $now + $self->{limit};
    return $self->abandon('not a domain name')
        if length $self->{name} > MAX_NAME;
    my $packet = eval { Net::DNS::Packet->new($self->{name}, $self->{type}) };
    my ($question) = $packet ? $packet->question : ();
    return $self->abandon('not a domain name') if !$question;
    my $header = $packet->header;
    $header->id(_random_id());
    $header->rd(1);
    $packet->edns->size(UDP_SIZE);
    $header->do(1) && $header->ad(1) if $self->{secure};
    $self->{question} = [ $header->id, _key($question) ];
    $self->{bytes}
        = eval { $packet->data } // return $self->abandon('not a domain name');
    my @round = @{ $self->{servers} };
    return $self->abandon('no name server is configured') if !@round;
    $self->{left} = [ (@round) x ROUNDS ];
    return $self->_ask_next($now);
}

sub _key ($question) {
    return lc join ' ', $question->qname, $question->qtype;
}

# Not rand: workers forked from one process would all say the same.
my $urandom;

sub _random_id () {
    if (!$urandom) {
        open $urandom, '<:raw', '/dev/urandom' or return int rand 65536;
    }
    sysread $urandom, my $bytes, 2 or return int rand 65536;
    return unpack 'n', $bytes;
}

sub _ask_next ($self, $now) {
    while (my $server = shift @{ $self->{left} }) {
        my $fh = $self->_send($server) // next;
        push @{ $self->{sockets} }, [ $fh, $server ];
        my $round = ROUNDS - int(@{ $self->{left} } / @{ $self->{servers} });
        my $next  = $now + $self->{retry} * 2**($round - 1);
        $self->{deadline}
            = @{ $self->{left} } && $next < $self->{end}
            ? $next
            : $self->{end};
        return;
    }
    return $self->_wait_for_others;
}

# There is nobody left to ask.
sub _wait_for_others ($self) {
    $self->{deadline} = $self->{end};
    return                                 if @{ $self->{sockets} };
    return $self->finish($self->{failure}) if $self->{failure};
    return $self->abandon($self->{reason} // 'no name server answers');
}

sub _send ($self, $server) {
    my ($family, $to) = _target(@{$server});
    my $fh;
    if (   !$family
        || !socket($fh, $family, Socket::SOCK_DGRAM(), 0)
        || !connect($fh, $to)
        || !defined syswrite($fh, $self->{bytes}))
    {
        $self->{reason} = "$server->[0]: $!";
        return;
    }
    return $fh;
}

sub _target ($address, $port) {
    if (my $v4 = Socket::inet_pton(Socket::AF_INET(), $address)) {
        return (Socket::AF_INET(), Socket::pack_sockaddr_in($port, $v4));
    }
    my $v6 = Socket::inet_pton(Socket::AF_INET6(), $address) // return;
    return (Socket::AF_INET6(), Socket::pack_sockaddr_in6($port, $v6));
}

sub handles ($self) {
    return $self->{tcp}->handles if $self->{tcp};
    return map { [ $_->[0], POLLIN ] } @{ $self->{sockets} };
}

sub ready ($self, $now) {
    return $self->_go_on_in_tcp(sub ($tcp) { $tcp->ready($now) }, $now)
        if $self->{tcp};
    for my $entry (@{ $self->{sockets} }) {
        $self->_receive($entry, $now);
        return if $self->done || $self->{tcp};
    }
    my @failed = map { $_->[2] ? $_->[1] : () } @{ $self->{sockets} };
    return if !@failed;
    $self->{sockets} = [ grep { !$_->[2] } @{ $self->{sockets} } ];
    $self->_strike($_) for @failed;
    return $self->_ask_next($now);
}

# One that failed will do so again.
sub _strike ($self, $server) {
    $self->{left} = [ grep { $_ != $server } @{ $self->{left} } ];
    return;
}

# Marks the socket if there is nothing to expect from it any more.
sub _receive ($self, $entry, $now) {
    my ($fh, $server) = @{$entry};
    while (1) {
        my $got = recv $fh, my $bytes, MAX_BYTES, Socket::MSG_DONTWAIT();
        if (!defined $got) {
            return if $!{EAGAIN} || $!{EWOULDBLOCK} || $!{EINTR};
            $self->{reason} = "$server->[0]: $!";
            $entry->[2] = 1;
            return;
        }
        my $packet = $self->_mine($bytes) // next;
        return $self->_ask_in_tcp($server, $now) if $packet->header->tc;
        $self->_judge($packet) or $entry->[2] = 1;
        return;
    }
    return;
}

sub _mine ($self, $bytes) {
    return if length $bytes < 12;
    my ($id, $flags) = unpack 'nn', $bytes;
    return if $id != $self->{question}[0] || !($flags & 0x8000);
    local $SIG{__WARN__} = sub { };    # at garbage
    my $packet = eval { Net::DNS::Packet->new(\$bytes) } // return;
    my ($question) = $packet->question;
    return if !$question || _key($question) ne $self->{question}[1];
    return $packet;
}

sub _judge ($self, $packet) {
    my $code = $packet->header->rcode;
    if ($code eq 'NOERROR' || $code eq 'NXDOMAIN') {
        $self->finish($packet);
        return 1;
    }
    $self->{failure} = $packet;
    return 0;
}

sub _ask_in_tcp ($self, $server, $now) {
    my ($family, $to) = _target(@{$server});
    my $tcp = Mail::MIMEDefang::Loop::Talk->new(
        address   => $server->[0],
        targets   => [ [ $family, $to ] ],
        send      => pack('n/a*', $self->{bytes}),
        max_bytes => MAX_BYTES,
        timeout_s => $self->{end} - $now,
        until     => sub ($reply) {
            return length $reply >= 2
                && length $reply >= 2 + unpack 'n', $reply;
        },
    );
    $self->_strike($server);
    $self->{sockets} = [];
    $self->{tcp}     = $tcp;
    return $self->_go_on_in_tcp(sub ($) { $tcp->start($now) }, $now);
}

sub _go_on_in_tcp ($self, $step, $now) {
    my $tcp = $self->{tcp};
    $step->($tcp);
    $self->{deadline} = $tcp->deadline;
    return if !$tcp->done;
    delete $self->{tcp};
    if (defined $tcp->error) {
        $self->{reason} = $tcp->error;
        return $self->_ask_next($now);
    }
    my $packet = $self->_mine(substr $tcp->result, 2);
    return $self->_ask_next($now)
        if !$packet || $packet->header->tc || !$self->_judge($packet);
    return;
}

sub expire ($self, $now) {
    if ($now >= $self->{end}) {
        return $self->finish($self->{failure}) if $self->{failure};
        return $self->abandon('timeout');
    }
    return $self->_go_on_in_tcp(sub ($tcp) { $tcp->expire($now) }, $now)
        if $self->{tcp};
    return $self->_ask_next($now);
}

sub let_go ($self) {
    $self->{tcp}->abandon('given up') if $self->{tcp} && !$self->{tcp}->done;
    delete $self->{tcp};
    $self->{sockets} = [];
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Loop::Question - ask name servers

=head1 METHODS

=head2 new(NAME, TYPE, servers => [[ADDRESS, PORT], ...], timeout_s => ..., retry_s => ..., secure => ...)

RESULT is a L<Net::DNS::Packet>. All of it may take TIMEOUT_S (5); a server that
is silent for RETRY_S (1.5, doubled after each round) gets company of the next.
SECURE asks for DNSSEC: the answer's AD flag then says whether the server has
verified it.

=head2 start(NOW), handles(), ready(NOW), expire(NOW)

For the loop.

=cut
