# SPDX-License-Identifier: MIT
#
# The verifier of Mail::DKIM, which checks every signature that a message brings:
# each costs a question to the DNS of somebody's choice and a decryption.  Ours
# stops after some.  Loaded when Mail::DKIM is known to be there.

package Mail::MIMEDefang::DKIM::Verifier;
use v5.36;
use parent 'Mail::DKIM::Verifier';

sub add_signature ($self, $signature) {
    return if @{ $self->{signatures} } >= $self->{most};
    return $self->SUPER::add_signature($signature);
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::DKIM::Verifier - check some signatures

=head1 METHODS

As L<Mail::DKIM::Verifier>. C<new> has the option C<most>.

=head2 add_signature(SIGNATURE)

Passed over if there are enough.

=cut
