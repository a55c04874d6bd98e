# SPDX-License-Identifier: MIT
#
# One field of a certificate in DER: its public key with the algorithm
# (SubjectPublicKeyInfo, rfc:5280#4.1).  Pure; nothing is verified.

package Mail::MIMEDefang::TLSPolicy::Certificate;
use v5.36;
use Exporter 'import';

our @EXPORT_OK = qw(public_key_of);

use constant {
    SEQUENCE => 0x30,
    VERSION  => 0xa0,
};

# The bytes, or undef if this is no certificate.
sub public_key_of ($der) {
    my ($tag, undef, $certificate) = _element($der, 0);
    return if ($tag // 0) != SEQUENCE;
    ($tag, undef, my $signed) = _element($certificate, 0);
    return if ($tag // 0) != SEQUENCE;

    # [version,] serial number, algorithm, issuer, validity, subject
    my ($at, $skip) = (0, 5);
    while ($skip >= 0) {
        my ($kind, $end) = _element($signed, $at);
        return if !defined $kind;
        return $kind == SEQUENCE ? substr $signed, $at, $end - $at : undef
            if !$skip;
        $skip-- if $kind != VERSION;
        $at = $end;
    }
    return;
}

# (tag, where it ends, content), or nothing.
sub _element ($bytes, $at) {
    return if length $bytes < $at + 2;
    my ($tag, $length) = unpack 'CC', substr $bytes, $at, 2;
    $at += 2;
    if ($length & 0x80) {
        my $size = $length & 0x7f;
        return if $size < 1 || $size > 3 || length $bytes < $at + $size;
        $length = unpack 'N', "\0" x (4 - $size) . substr $bytes, $at, $size;
        $at += $size;
    }
    return if length $bytes < $at + $length;
    return ($tag, $at + $length, substr $bytes, $at, $length);
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::TLSPolicy::Certificate - the public key of a certificate

=head1 FUNCTIONS

=head2 public_key_of(DER)

The SubjectPublicKeyInfo of a certificate, as bytes; undef if it is none.

=cut
