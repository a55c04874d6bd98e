# SPDX-License-Identifier: MIT
package AuthServer;

# Answers MTAs that ask whether a password is right: Postfix as Dovecot's
# authentication server (protocol 1.1), the SASL library of Sendmail as
# saslauthd.  There is one user, anna, with the password "secret".
#
# Also makes the certificate that MTAs and clients show.

use v5.36;
use Harness                qw(temp_dir start_process write_file);
use IO::Select             ();
use IO::Socket::SSL::Utils qw(CERT_create PEM_cert2string PEM_key2string);
use IO::Socket::UNIX;
use MIME::Base64 qw(decode_base64);
use Socket       qw(SOCK_STREAM);

=head1 METHODS

=head2 AuthServer->start

Starts it as a process of its own.

=head2 dovecot(), saslauthd()

The paths of its sockets.

=head2 certificate()

The path of a file with a certificate for mx.example, its key, and the
certificate of ca.example, which has signed it.

=cut

sub start ($class) {
    state $count = 0;
    my $self = bless { dir => temp_dir() . '/auth' . ++$count }, $class;
    mkdir $self->{dir}, 0755 or die "$self->{dir}: $!\n";
    my %listener = map { $_ => listen_at($self->$_) } qw(dovecot saslauthd);
    $self->{process} = start_process(code => sub { serve(%listener) });
    my ($ca, $ca_key)
        = CERT_create(CA => 1, subject => { commonName => 'ca.example' });
    my ($cert, $key) = CERT_create(
        subject     => { commonName => 'mx.example' },
        issuer_cert => $ca,
        issuer_key  => $ca_key,
        purpose     => 'server,client'
    );
    write_file($self->certificate, join '',
        PEM_key2string($key), map { PEM_cert2string($_) } $cert, $ca);
    chmod 0600, $self->certificate or die $self->certificate . ": $!\n";
    return $self;
}

sub dovecot     ($self) { return "$self->{dir}/dovecot" }
sub saslauthd   ($self) { return "$self->{dir}/mux" }
sub certificate ($self) { return "$self->{dir}/certificate.pem" }

sub listen_at ($path) {
    my $socket = IO::Socket::UNIX->new(
        Local  => $path,
        Type   => SOCK_STREAM,
        Listen => 64
    ) or die "$path: $!\n";
    chmod 0666, $path or die "$path: $!\n";
    return $socket;
}

sub serve (%listener) {
    my $select = IO::Select->new(values %listener);
    my (%step, %in);
    while (1) {
        for my $fh ($select->can_read) {
            my ($kind) = grep { $listener{$_} == $fh } keys %listener;
            if ($kind) {
                my $new = $fh->accept or next;
                $select->add($new);
                $in{$new}   = '';
                $step{$new} = $kind eq 'dovecot' ? \&dovecot_step : \&sasl_step;
                syswrite $new, greeting() if $kind eq 'dovecot';
                next;
            }
            next
                if sysread($fh, $in{$fh}, 65536, length $in{$fh})
                && $step{$fh}->($fh, \$in{$fh});
            $select->remove($fh);
            close $fh;
        }
    }
    return;
}

sub greeting {
    return "VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\n"
        . "COOKIE\t0123456789abcdef0123456789abcdef\nDONE\n";
}

sub dovecot_step ($fh, $in) {
    while ($$in =~ s/\A([^\n]*)\n//) {
        my ($what, $id, @words) = split /\t/, $1;
        next if $what ne 'AUTH';
        my ($resp) = map {/\Aresp=(.*)/} @words;
        my (undef, $user, $password) = split /\0/, decode_base64($resp // '');
        syswrite $fh, is_right($user, $password)
            ? "OK\t$id\tuser=$user\n"
            : "FAIL\t$id\n";
    }
    return 1;
}

# User, password, service, realm: each with its length.
sub sasl_step ($fh, $in) {
    my @words = eval { unpack '(n/a)4', $$in };
    return 1 if @words < 4;
    syswrite $fh, pack 'n/a', is_right(@words) ? 'OK' : 'NO';
    return 0;
}

sub is_right ($user, $password, @) {
    return $user eq 'anna' && $password eq 'secret';
}

1;
