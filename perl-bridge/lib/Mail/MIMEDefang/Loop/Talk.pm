# SPDX-License-Identifier: MIT
#
# One question to a daemon behind a TCP or UNIX socket, and its answer; in TLS if
# asked for.  Addresses are tried in turn.  The peer may be slow, silent, endless
# or hostile: all of it has one time limit, and the answer a size.

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
        max     => $o{max_bytes} // MAX_BYTES,
        limit   => $o{timeout_s} // TIMEOUT_S,
        targets => $o{targets},
        buffer  => '',
        step    => 'idle',
    }, $class;
}

sub start ($self, $now) {
    $self->{deadline} = $self->{end} = $now + $self->{limit};
    if (ref $self->{more} ne 'CODE') {
        @{$self}{qw(out more)} = ($self->{more}, undef);
    }
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
    return $self->_connected($now) if connect $self->{fh}, $target->[1];
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

sub _connected ($self, $now) {
    @{$self}{qw(step deadline)} = ('talk', $self->{end});
    return $self->_turn if !$self->{tls};
    return $self->abandon(
        'IO::Socket::SSL is missing (package libio-socket-ssl-perl)')
        if !eval { require IO::Socket::SSL };
    my $fh = IO::Socket::SSL->start_SSL(
        $self->{fh},
        %{ $self->{tls} },
        SSL_startHandshake => 0
    ) or return $self->abandon("TLS: " . IO::Socket::SSL::errstr());
    @{$self}{qw(fh step want)} = ($fh, 'tls', POLLOUT);
    return $self->_handshake;
}

sub _handshake ($self) {
    if ($self->{fh}->connect_SSL) {
        $self->{step} = 'talk';
        return $self->_turn;
    }
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
        = $step eq 'connect'                   ? POLLOUT
        : $step eq 'tls'                       ? $self->{want}
        : length $self->{out} || $self->{more} ? POLLIN | POLLOUT
        :                                        POLLIN;
    return [ $self->{fh}, $events ];
}

sub ready ($self, $now) {
    my $step = $self->{step};
    return $self->_handshake if $step eq 'tls';
    return $self->_turn      if $step eq 'talk';
    my $errno = unpack 'i',
        getsockopt $self->{fh}, Socket::SOL_SOCKET(), Socket::SO_ERROR();
    return $self->_connected($now) if !$errno;
    shift @{ $self->{targets} };
    local $! = $errno;
    return $self->_try_next($now, "$!");
}

sub expire ($self, $now) {
    return $self->_try_next($now, '')
        if $self->{step} eq 'retry' && $now < $self->{end};
    return $self->abandon("$self->{name}: no answer within $self->{limit} s");
}

# Writes and reads what is possible: a peer that refuses in the middle of what we
# send is heard, and two full pipes do not wait for each other.
sub _turn ($self) {
    while ($self->_write) {
        my $n = sysread $self->{fh}, $self->{buffer}, BLOCK,
            length $self->{buffer};
        return if !defined $n && _again();
        return $self->abandon("$self->{name}: cannot read: $!")
            if !defined $n && !$self->{deaf};
        return $self->abandon(
            "$self->{name}: answer longer than $self->{max} bytes")
            if length $self->{buffer} > $self->{max};
        my $reply = $self->_complete(!$n);
        return $self->finish($reply) if defined $reply;
        return $self->abandon(
            "$self->{name}: closed before its answer was complete")
            if !$n;
    }
    return;
}

# 0 if it has ended.  A peer that does not listen may have said why.
sub _write ($self) {
    while (1) {
        if (!length $self->{out} && $self->{more}) {
            $self->{out} = eval { $self->{more}->() } // '';
            if ($@) {
                $self->abandon($@ =~ s/\n.*//sr);
                return 0;
            }
            $self->{more} = undef if !length $self->{out};
        }
        return 1 if !length $self->{out};
        my $n = syswrite $self->{fh}, $self->{out}, BLOCK;
        return 1 if !$n && _again();
        if (!$n) {
            @{$self}{qw(deaf out more)} = (1, '', undef);
            return 1;
        }
        substr $self->{out}, 0, $n, '';
    }
    return 1;
}

sub _again () {
    return $!{EAGAIN} || $!{EWOULDBLOCK} || $!{EINTR};
}

sub _complete ($self, $eof) {
    my $until = $self->{until};
    if (!defined $until) {
        return $eof ? $self->{buffer} : undef;
    }
    if (ref $until eq 'CODE') {
        return $until->($self->{buffer}) ? $self->{buffer} : undef;
    }
    return $self->{buffer} =~ $until
        ? substr($self->{buffer}, 0, $+[0])
        : undef;
}

sub reply ($self) {
    return $self->{buffer};
}

sub _close ($self) {
    $self->{fh}->close(SSL_no_shutdown => 1)
        if ref $self->{fh} && ref $self->{fh} ne 'GLOB';
    delete $self->{fh};
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Loop::Talk - one question to a daemon

=head1 METHODS

=head2 new(address => ..., send => ..., until => ..., max_bytes => ..., timeout_s => ..., tls => {...}, targets => [...])

As C<peer_talk> of L<Mail::MIMEDefang::Peer>. TLS: options of
L<IO::Socket::SSL>. TARGETS: pairs of family and packed address to try, instead
of what ADDRESS stands for.

=head2 reply()

What came, also if it was not complete. C<result> is the complete answer.

=head2 start(NOW), handles(), ready(NOW), expire(NOW)

For the loop.

=cut
