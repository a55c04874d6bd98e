# SPDX-License-Identifier: MIT
package SmtpClient;

# One SMTP session of a test, from a chosen loopback address.

use v5.36;
use IO::Select ();
use IO::Socket::INET;
use IO::Socket::SSL ();

my $wait_seconds = 60;

=head1 METHODS

=head2 SmtpClient->new($port, $from_address)

Connects to the server on 127.0.0.1.

=head2 send_line($line), send_message($text), put($bytes)

One command; a message with LF or CRLF line ends, made transparent and ended
with a dot; bytes as they are.

=head2 start_tls([$certificate])

From here on in TLS; the server's certificate is not looked at, ours is that in
the file, if there is one.

=head2 reply()

The next reply, all its lines joined by LF; "closed" if the server has closed
the connection, "silent" if nothing comes for 60 seconds.

=cut

sub new ($class, $port, $from) {
    my $socket = IO::Socket::INET->new(
        PeerAddr  => '127.0.0.1',
        PeerPort  => $port,
        LocalAddr => $from
    ) or die "cannot connect to port $port from $from: $!\n";
    return bless { socket => $socket, input => '' }, $class;
}

sub send_line ($self, $line) { return $self->put("$line\r\n") }

sub send_message ($self, $text) {
    $text =~ s/\r?\n/\r\n/g;
    $text =~ s/^\./../mg;
    return $self->put("$text.\r\n");
}

sub start_tls ($self, $certificate = undef) {
    my %ours = (SSL_cert_file => $certificate, SSL_key_file => $certificate);
    IO::Socket::SSL->start_SSL(
        $self->{socket},
        ($certificate ? %ours : ()),
        SSL_verify_mode => IO::Socket::SSL::SSL_VERIFY_NONE()
    ) or die 'TLS: ' . IO::Socket::SSL::errstr() . "\n";
    return;
}

# A server that has closed shows at the next reply.
sub put ($self, $bytes) {
    my $at = 0;
    while ($at < length $bytes) {
        my $n = syswrite $self->{socket}, $bytes, length($bytes) - $at, $at;
        return if !defined $n;
        $at += $n;
    }
    return;
}

sub reply ($self) {
    my $select = IO::Select->new($self->{socket});
    my $reply;
    until (defined($reply = $self->whole_reply)) {
        return 'silent'
            if !$self->is_pending && !$select->can_read($wait_seconds);
        sysread $self->{socket}, $self->{input}, 65536, length $self->{input}
            or return 'closed';
    }
    return $reply;
}

# TLS may have read more than it was asked for.
sub is_pending ($self) {
    return $self->{socket}->isa('IO::Socket::SSL') && $self->{socket}->pending;
}

sub whole_reply ($self) {
    $self->{input} =~ s/\A((?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?)\r?\n//
        or return;
    return $1 =~ s/\r//gr;
}

1;
