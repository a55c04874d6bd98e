# SPDX-License-Identifier: MIT
#
# Where parts go when a message is taken apart: spec:spool-work.  The sender says
# what comes behind the dot, but not how much of it: a name that the file system
# refuses would keep the message in the queue for ever.

package Mail::MIMEDefang::Filer;
use v5.36;
use MIME::Parser::Filer ();
use parent -norequire, 'MIME::Parser::FileInto';

use constant MAX_EXTENSION => 40;    # characters, of up to 4 octets

sub new ($class, @args) {
    my $self = $class->SUPER::new(@args);
    $self->ignore_filename(1);
    return $self;
}

sub output_filename ($self, $head) {
    my $name = $self->SUPER::output_filename($head);
    $name =~ s/(\.[^.]{1,${\MAX_EXTENSION}})[^.]*\z/$1/;
    return $name;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Filer - names of the files of parts

=head1 DESCRIPTION

A MIME::Parser::FileInto that takes no names from the message but the extension,
and of that at most 40 characters.

=cut
