# SPDX-License-Identifier: MIT
#
# The little that Perl cannot do fast enough, in C (perl-bridge/xs).  Optional: it
# is used if it has been built for this perl, and the results are the same.
# choice:bridge-fast

package Mail::MIMEDefang::Fast;
use v5.36;

our $VERSION = '3';    # of the functions: that of the Makefile

# Whether it could be loaded.
our $Loaded = 0;

sub _load () {
    return 0 if $ENV{MIMEDEFANG_PURE_PERL};
    my $file = 'auto/Mail/MIMEDefang/Fast/Fast.so';
    return 0 if !grep { !ref && -e "$_/$file" } @INC;
    require XSLoader;
    return eval { XSLoader::load(__PACKAGE__, $VERSION); 1 } || 0;
}

$Loaded = _load();

1;

__END__

=head1 NAME

Mail::MIMEDefang::Fast - encodings in C

=head1 FUNCTIONS

They are there if C<$Mail::MIMEDefang::Fast::Loaded> is true: not if the module
has not been built, was built for another perl, or the environment variable
C<MIMEDEFANG_PURE_PERL> is set.

=head2 decode_base64(TEXT)

The bytes; what is no letter of the alphabet, C<=> too, is passed over.

=head2 encode_base64(BYTES)

In lines of 60 letters.

=head2 decode_qp(TEXT)

As MIME::QuotedPrint's.

=head2 encode_qp(TEXT)

Text with LF at the ends of its lines, as MIME::Decoder::QuotedPrint encodes it.

=cut
