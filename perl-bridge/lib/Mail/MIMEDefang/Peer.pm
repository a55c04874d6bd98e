# SPDX-License-Identifier: MIT
#
# A conversation with a program at the other end of a TCP or UNIX socket, for who
# has nothing else to do meanwhile: the work is that of Mail::MIMEDefang::Loop::Talk.
# Nothing here dies or logs; every failure comes back as a text.

package Mail::MIMEDefang::Peer;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Loop qw(now run_jobs);
use Mail::MIMEDefang::Loop::Talk;

our @EXPORT_OK = qw(peer_open peer_talk);

use constant TIMEOUT_S => 30;

sub peer_talk (%o) {
    my ($self, $error) = peer_open(%o);
    return ('', $error) if !$self;
    return $self->talk(%o{qw(send until)});
}

sub peer_open (%o) {
    my $limit = $o{timeout_s} // TIMEOUT_S;
    my $self  = bless {
        address   => $o{address} // '',
        max_bytes => $o{max_bytes},
        timeout_s => $limit,
        end       => now() + $limit,
        },
        __PACKAGE__;
    my $error = $self->_run(only_connect => 1)->error;
    return defined $error ? (undef, $error) : $self;
}

sub _run ($self, %o) {
    my $job = Mail::MIMEDefang::Loop::Talk->new(%{$self}, %o);
    run_jobs([$job]);
    @{$self}{qw(fh buffer)} = ($job->handle, $job->rest);
    return $job;
}

sub talk ($self, %o) {
    my $job = $self->_run(send => $o{send}, until => $o{until});
    return ($job->result,           '') if !defined $job->error;
    return (delete $self->{buffer}, $job->error);
}

sub starttls ($self, %options) {
    return $self->_run(tls => \%options, only_connect => 1)->error // '';
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
