# SPDX-License-Identifier: MIT
#
# A conversation with a program at the other end of a TCP or UNIX socket that may
# be slow, silent, endless or hostile: one limit on the time of all of it, one on
# what is read.  Nothing here dies or logs; every failure comes back as a text.
#
# What it does not bound is the look-up of a host name, which is the C library's:
# give addresses where the name server may be the trouble.

package Mail::MIMEDefang::Peer;
use v5.36;
use Errno ();
use Exporter 'import';
use IO::Handle;
use Socket      ();
use Time::HiRes qw(CLOCK_MONOTONIC clock_gettime);

our @EXPORT_OK = qw(peer_open peer_talk);

use constant {
    TIMEOUT_S => 30,
    MAX_BYTES => 1 << 20,
    BLOCK     => 1 << 16,
    MAX_PATH  => 103,       # of a UNIX socket, anywhere
    RETRY_S   => 0.05,      # a UNIX socket whose queue is full
};

sub peer_talk (%o) {
    my ($self, $error) = peer_open(%o);
    return ('', $error) if !$self;
    return $self->talk(%o{qw(send until)});
}

sub peer_open (%o) {
    my $self = bless {
        address => $o{address},
        name    => $o{address}   // '',
        max     => $o{max_bytes} // MAX_BYTES,
        limit   => $o{timeout_s} // TIMEOUT_S,
        buffer  => '',
        },
        __PACKAGE__;
    $self->{deadline} = clock_gettime(CLOCK_MONOTONIC) + $self->{limit};
    my ($targets, $error) = _resolve($self->{name});
    for my $target (@{$targets}) {
        $error = $self->_connect(@{$target});
        return $self if $error eq '';
    }
    return (undef, "cannot connect to $self->{name}: $error");
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

sub _connect ($self, $family, $packed) {
    socket my $fh, $family, Socket::SOCK_STREAM(), 0 or return "$!";
    $fh->blocking(0);
    $self->{fh} = $fh;
    while (!connect $fh, $packed) {
        return '' if $!{EISCONN};
        if ($!{EAGAIN} && $family == Socket::AF_UNIX()) {
            return $self->_late if $self->_left <= 0;
            Time::HiRes::sleep(RETRY_S);
            next;
        }
        return "$!" if !$!{EINPROGRESS} && !$!{EINTR} && !$!{EALREADY};
        $self->_wait(0, 1) or return $self->_late;
        my $errno = unpack 'i',
            getsockopt $fh, Socket::SOL_SOCKET(), Socket::SO_ERROR();
        return '' if !$errno;
        local $! = $errno;
        return "$!";
    }
    return '';
}

sub _left ($self) {
    return $self->{deadline} - clock_gettime(CLOCK_MONOTONIC);
}

sub _late ($self) {
    return "no answer within $self->{limit} s";
}

# Until one of the two is possible; false when the time is over.
sub _wait ($self, $read, $write) {
    my $fd = fileno $self->{fh};
    while ((my $left = $self->_left) > 0) {
        my ($r, $w) = ('', '');
        vec($r, $fd, 1) = 1 if $read;
        vec($w, $fd, 1) = 1 if $write;
        return 1 if select($r, $w, undef, $left) > 0;
    }
    return 0;
}

# Writes and reads at the same time: a peer that refuses in the middle of what we
# send is heard, and two full pipes do not wait for each other.
sub talk ($self, %o) {
    local $SIG{PIPE} = 'IGNORE';
    my $send = $o{send} // '';
    my $io   = ref $send ? { out => '', more => $send } : { out => $send };
    my $error;
    while (1) {
        _fill($io);
        if (!length $io->{out} || $io->{eof}) {
            my $reply = $self->_complete($o{until}, $io->{eof});
            return ($reply, '') if defined $reply;
        }
        $error
            = $io->{eof}
            ? 'closed before its answer was complete'
            : $self->_turn($io);
        last if $error ne '';
    }
    my $reply = $self->{buffer};
    $self->{buffer} = '';
    return ($reply, "$self->{name}: $error");
}

sub _fill ($io) {
    return if length $io->{out} || !$io->{more};
    $io->{out} = $io->{more}->() // '';
    delete $io->{more} if !length $io->{out};
    return;
}

# The answer, if it is there.  What follows the match of a pattern waits for the
# next question.
sub _complete ($self, $until, $eof) {
    my $length;
    if (!defined $until) {
        $length = length $self->{buffer} if $eof;
    }
    elsif (ref $until eq 'CODE') {
        $length = length $self->{buffer} if $until->($self->{buffer});
    }
    elsif ($self->{buffer} =~ $until) {
        $length = $+[0];
    }
    return defined $length ? substr $self->{buffer}, 0, $length, '' : undef;
}

# One write and one read, or a wait for either.  Returns what went wrong.
sub _turn ($self, $io) {
    $io->{refused} = 1 if length $io->{out} && !$self->_write($io);
    my $n = sysread $self->{fh}, $self->{buffer}, BLOCK, length $self->{buffer};
    if (!defined $n && !_again()) {
        return "cannot read: $!"
            if !$io->{refused} && !($!{ECONNRESET} && length $io->{out});
        $io->{out} = '';    # it closed, and we have read what it said before
        $n = 0;
    }
    return "answer longer than $self->{max} bytes"
        if length $self->{buffer} > $self->{max};
    return $self->_late if $self->_left <= 0;
    $io->{eof} = 1      if defined $n && !$n;
    return ''           if defined $n || length $io->{out} == 0 && $io->{more};
    return $self->_wait(1, length $io->{out}) ? '' : $self->_late;
}

# False if the peer reads no more; but it may have said why.
sub _write ($self, $io) {
    my $n = syswrite $self->{fh}, $io->{out}, BLOCK;
    if ($n) {
        substr $io->{out}, 0, $n, '';
    }
    elsif (!_again()) {
        %{$io} = (out => '');
        return 0;
    }
    return 1;
}

sub _again () {
    return $!{EAGAIN} || $!{EWOULDBLOCK} || $!{EINTR};
}

# What came before TLS must not count as said inside it.
sub starttls ($self, %options) {
    return "$self->{name}: data before TLS" if length $self->{buffer};
    return 'IO::Socket::SSL is missing (package libio-socket-ssl-perl)'
        if !eval { require IO::Socket::SSL };
    local $SIG{PIPE} = 'IGNORE';
    my $fh
        = IO::Socket::SSL->start_SSL($self->{fh}, %options,
        SSL_startHandshake => 0)
        or return "$self->{name}: TLS: " . IO::Socket::SSL::errstr();
    $self->{fh} = $fh;
    while (!$fh->connect_SSL) {
        my $want = $IO::Socket::SSL::SSL_ERROR;
        my $read = $want == IO::Socket::SSL::SSL_WANT_READ();
        return "$self->{name}: TLS: $want"
            if !$read && $want != IO::Socket::SSL::SSL_WANT_WRITE();
        $self->_wait($read, !$read) or return "$self->{name}: " . $self->_late;
    }
    return '';
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Peer - talk to a daemon, with limits

=head1 SYNOPSIS

    my ($reply, $error) = peer_talk(
        address   => '127.0.0.1:3310',     # or [::1]:3310, or /path
        send      => "zPING\0",
        until     => qr/\0/,
        max_bytes => 4096,
        timeout_s => 10,
    );

=head1 FUNCTIONS

=head2 peer_talk(address => ..., send => ..., until => ..., max_bytes => ..., timeout_s => ...)

Connects, sends, reads the answer, closes. Returns (REPLY, ERROR). ERROR is the
empty string if the answer is complete; else one line that names the address, and
REPLY is what came until then. If there was no connection ERROR begins with
C<cannot connect>.

=over

=item send

Bytes, or a function that returns the next bytes at each call and an empty string
or undef at the end (a file need not be in memory). A peer that answers and
closes before it has read everything is listened to.

=item until

When the answer is complete. A pattern: at the end of its first match. A function
that gets what was read and returns true. Nothing: when the peer closes.

=item max_bytes

Of the answer, default 1 MiB. One byte more is an error.

=item timeout_s

For everything together, in seconds (fractions too), default 30.

=back

=head2 peer_open(address => ..., max_bytes => ..., timeout_s => ...)

Only connects. Returns the peer, or (undef, ERROR).

=head2 $peer->talk(send => ..., until => ...)

One question and its answer, as peer_talk. The time limit is that of the whole
conversation. What was read after the match of a pattern stays for the next one.

=head2 $peer->starttls(OPTION => VALUE, ...)

Goes on in TLS, with options of L<IO::Socket::SSL> (the names to verify, for
one). Returns the empty string, or what went wrong.

=cut
