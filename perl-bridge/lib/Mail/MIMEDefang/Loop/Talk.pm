# SPDX-License-Identifier: MIT
#
# One question to a daemon behind a TCP or UNIX socket, and its answer; in TLS if
# asked for.  Addresses are tried in turn.  The peer may be slow, silent, endless
# or hostile: all of it has one time limit, and the answer a size.
#
# What it does not bound is the look-up of a host name, which is the C library's:
# give addresses where the name server may be the trouble.

package Mail::MIMEDefang::Loop::Talk;
use v5.36;
use parent 'Mail::MIMEDefang::Loop::Job';
use Errno ();
use IO::Handle;
use IO::Poll qw(POLLIN POLLOUT);
use Socket   ();

use constant {
    TIMEOUT_S => 30,
    MAX_BYTES => 1 << 20,
    BLOCK     => 1 << 16,
    MAX_PATH  => 103,       # the shortest sun_path has 104
    RETRY_S   => 0.05,      # a UNIX socket whose queue is full
};

sub new ($class, %o) {
    return bless {
        name    => $o{address} // '',
        out     => '',
        more    => $o{send} // '',
        until   => $o{until},
        tls     => $o{tls},
        only    => $o{only_connect},
        max     => $o{max_bytes} // MAX_BYTES,
        limit   => $o{timeout_s} // TIMEOUT_S,
        end     => $o{end},
        targets => $o{targets},
        fh      => $o{fh},
        buffer  => $o{buffer} // '',
        step    => 'idle',
    }, $class;
}

sub start ($self, $now) {
    $self->{deadline} = $self->{end} //= $now + $self->{limit};
    if (ref $self->{more} ne 'CODE') {
        @{$self}{qw(out more)} = ($self->{more}, undef);
    }
    return $self->_connected if $self->{fh};
    my $error = '';
    ($self->{targets}, $error) = _resolve($self->{name})
        if !$self->{targets};
    return $self->_try_next($now, $error);
}

# [family, packed address] of each place to try, and why there is none.
sub _resolve ($address) {
    if ($address =~ m{^/}) {
        return ([], 'path too long') if length $address > MAX_PATH;
        return ([ [ Socket::AF_UNIX(), Socket::pack_sockaddr_un($address) ] ],
            '');
    }
    my ($host, $port) = $address =~ /^\[?([^\[\]]+)\]?:(\d+)\z/a
        or return ([], 'neither host:port nor the absolute path of a socket');
    my ($error, @found)
        = Socket::getaddrinfo($host, $port,
        { socktype => Socket::SOCK_STREAM() });
    return ([ map { [ @{$_}{qw(family addr)} ] } @found ], "$error");
}

sub _try_next ($self, $now, $error) {
    while (my $target = $self->{targets}[0]) {
        $self->{step} = 'connect';
        my $fh;
        if (socket $fh, $target->[0], Socket::SOCK_STREAM(), 0) {
            $fh->blocking(0);
            $self->{fh} = $fh;
            return $self->_connect($now, $target);
        }
        $error = "$!";
        shift @{ $self->{targets} };
    }
    return $self->abandon("cannot connect to $self->{name}: $error");
}

# A UNIX socket whose queue is full says EAGAIN, and poll does not tell when that
# is over.
sub _connect ($self, $now, $target) {
    return $self->_connected if connect $self->{fh}, $target->[1];
    if ($!{EAGAIN}) {
        my $retry = $now + RETRY_S;
        $self->{step}     = 'retry';
        $self->{deadline} = $retry < $self->{end} ? $retry : $self->{end};
        return;
    }
    return if $!{EINPROGRESS} || $!{EINTR};
    my $error = "$!";
    shift @{ $self->{targets} };
    return $self->_try_next($now, $error);
}

# What came before TLS must not count as said inside it.
sub _connected ($self) {
    $self->{deadline} = $self->{end};
    my $tls = $self->{tls} or return $self->_secured;
    return $self->abandon("$self->{name}: data before TLS")
        if length $self->{buffer};
    return $self->abandon(
        'IO::Socket::SSL is missing (package libio-socket-ssl-perl)')
        if !eval { require IO::Socket::SSL };
    my $fh
        = IO::Socket::SSL->start_SSL($self->{fh}, %{$tls},
        SSL_startHandshake => 0)
        or return $self->abandon(
        "$self->{name}: TLS: " . IO::Socket::SSL::errstr());
    @{$self}{qw(fh step want)} = ($fh, 'tls', POLLOUT);
    return $self->_handshake;
}

sub _secured ($self) {
    return $self->finish('') if $self->{only};
    $self->{step} = 'talk';
    return $self->_turn;
}

sub _handshake ($self) {
    return $self->_secured if $self->{fh}->connect_SSL;
    my $error = $IO::Socket::SSL::SSL_ERROR;
    $self->{want}
        = $error == IO::Socket::SSL::SSL_WANT_READ()  ? POLLIN
        : $error == IO::Socket::SSL::SSL_WANT_WRITE() ? POLLOUT
        :   return $self->abandon("$self->{name}: TLS: $error");
    return;
}

sub handles ($self) {
    my $step = $self->{step};
    return if $step eq 'retry';
    my $events
        = $step eq 'connect' ? POLLOUT
        : $step eq 'tls'     ? $self->{want}
        : $self->_is_sending ? POLLIN | POLLOUT
        :                      POLLIN;
    return [ $self->{fh}, $events ];
}

sub ready ($self, $now) {
    my $step = $self->{step};
    return $self->_handshake if $step eq 'tls';
    return $self->_turn      if $step eq 'talk';
    my $errno = unpack 'i',
        getsockopt $self->{fh}, Socket::SOL_SOCKET(), Socket::SO_ERROR();
    return $self->_connected if !$errno;
    shift @{ $self->{targets} };
    local $! = $errno;
    return $self->_try_next($now, "$!");
}

sub expire ($self, $now) {
    my $connecting = $self->{step} =~ /^(?:connect|retry)\z/;
    return $self->_try_next($now, '')
        if $self->{step} eq 'retry' && $now < $self->{end};
    return $self->abandon(
        ($connecting ? "cannot connect to $self->{name}" : $self->{name})
        . ": no answer within $self->{limit} s");
}

# Writes and reads what is possible: a peer that refuses in the middle of what we
# send is heard, and two full pipes do not wait for each other.
sub _turn ($self) {
    while ($self->_write) {
        return if !$self->_is_sending && $self->_answered(0);
        my $n = sysread $self->{fh}, $self->{buffer}, BLOCK,
            length $self->{buffer};
        return if !defined $n && _again();
        return $self->abandon("$self->{name}: cannot read: $!")
            if !defined $n
            && !$self->{refused}
            && !($!{ECONNRESET} && length $self->{out});
        return $self->abandon(
            "$self->{name}: answer longer than $self->{max} bytes")
            if length $self->{buffer} > $self->{max};
        next   if $n;
        return if $self->_answered(1);
        return $self->abandon(
            "$self->{name}: closed before its answer was complete");
    }
    return;
}

sub _is_sending ($self) {
    return length $self->{out} || $self->{more};
}

# Once, so that the loop can look at the clock.  0 if it has ended.
sub _write ($self) {
    if (!length $self->{out} && $self->{more}) {
        local $@;
        $self->{out} = eval { $self->{more}->() // '' };
        if (!defined $self->{out}) {
            $self->abandon($@ =~ s/\n.*//sr);
            return 0;
        }
        $self->{more} = undef if !length $self->{out};
    }
    return 1 if !length $self->{out};
    my $n = syswrite $self->{fh}, $self->{out}, BLOCK;
    if ($n) {
        substr $self->{out}, 0, $n, '';
    }
    elsif (!_again()) {    # it does not listen, but it may have said why
        @{$self}{qw(refused out more)} = (1, '', undef);
    }
    return 1;
}

sub _again () {
    return $!{EAGAIN} || $!{EWOULDBLOCK} || $!{EINTR};
}

# What follows the match of a pattern waits for the next question.
sub _answered ($self, $eof) {
    my $until = $self->{until};
    my $length
        = !defined $until
        ? ($eof ? length $self->{buffer} : undef)
        : ref $until eq 'CODE'
        ? ($until->($self->{buffer}) ? length $self->{buffer} : undef)
        : $self->{buffer} =~ $until ? $+[0]
        :                             undef;
    return 0 if !defined $length;
    $self->finish(substr $self->{buffer}, 0, $length, '');
    return 1;
}

sub rest ($self) {
    return $self->{buffer};
}

sub handle ($self) {
    return $self->{fh};
}

# The handle goes with the job.
sub let_go ($self) {
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Loop::Talk - one question to a daemon

=head1 METHODS

=head2 new(address => ..., send => ..., until => ..., max_bytes => ..., timeout_s => ..., tls => {...}, targets => [...], only_connect => ..., fh => ..., buffer => ..., end => ...)

As C<peer_talk> of L<Mail::MIMEDefang::Peer>. TLS: options of
L<IO::Socket::SSL>. TARGETS: pairs of family and packed address to try, instead
of what ADDRESS stands for.

ONLY_CONNECT: the job is done when there is a connection (and TLS). FH, BUFFER, END:
go on with a connection, with what was read from it already, until the clock of
L<Mail::MIMEDefang::Loop> says so.

=head2 rest(), handle()

What came after the answer, or instead of a complete one; the connection. It closes
with the last reference to it.

=head2 start(NOW), handles(), ready(NOW), expire(NOW)

For the loop.

=cut
