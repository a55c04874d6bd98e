# SPDX-License-Identifier: MIT
#
# As MIME::Decoder::BinHex; but what it decodes to, where three octets can stand
# for 255, does not fill the disk.  What is too much is thrown away and noted.

package Mail::MIMEDefang::Limits::BinHex;
use v5.36;
use parent 'MIME::Decoder::BinHex';
use Mail::MIMEDefang::Limits ();

sub decode_it ($self, $in, $out) {
    return $self->SUPER::decode_it(
        $in,
        bless { out => $out, size => 0 },
        'Mail::MIMEDefang::Limits::Output'
    );
}

package Mail::MIMEDefang::Limits::Output {

    sub print ($self, @text) {    ## no critic (ProhibitBuiltinHomonyms)
        $self->{size} += length for @text;
        return 1 if !Mail::MIMEDefang::Limits::count_octets($self->{size});
        return $self->{out}->print(@text);
    }
}

1;
