# SPDX-License-Identifier: MIT
#
# What the loop knows of a job: descriptors to watch, the time when it wants to be
# looked at in any case, and how it ended.  Kinds of jobs replace start, handles,
# ready, expire and, if they hold more than handles, let_go.

package Mail::MIMEDefang::Loop::Job;
use v5.36;

sub done     ($self) { return $self->{done} }
sub error    ($self) { return $self->{error} }
sub result   ($self) { return $self->{result} }
sub deadline ($self) { return $self->{deadline} }

sub finish ($self, $result) {
    $self->{result} = $result;
    return $self->_end;
}

sub abandon ($self, $error) {
    $self->{error} = $error;
    return $self->_end;
}

sub _end ($self) {
    $self->let_go;
    $self->{done} = 1;
    return;
}

sub let_go ($self) {
    return;
}

sub expire ($self, $now) {
    return $self->abandon("no answer within $self->{limit} s");
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Loop::Job - what all jobs have in common

=head1 METHODS

=head2 done(), result(), error()

Whether it has ended; what it found, and why it failed: one of them is undef.

=head2 deadline()

When the loop calls C<expire> if nothing happens before.

=head2 finish(RESULT), abandon(ERROR)

End it.

=head2 expire(NOW)

The deadline is over.

=cut
