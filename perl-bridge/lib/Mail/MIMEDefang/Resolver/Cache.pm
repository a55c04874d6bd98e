# SPDX-License-Identifier: MIT
#
# What was found out lately, each for its own time.  Pure: the caller says what
# time it is.  There are never more than MAX entries: they live in two generations,
# and when the young one is half of MAX the old one goes.

package Mail::MIMEDefang::Resolver::Cache;
use v5.36;

sub new ($class, $max) {
    return bless { half => $max / 2, young => {}, old => {} }, $class;
}

# undef if there is nothing, or no more.
sub fetch ($self, $key, $now) {
    my $entry = $self->{young}{$key} // $self->{old}{$key} // return;
    return if $entry->[0] <= $now;
    return $entry->[1];
}

sub store ($self, $key, $value, $until) {
    return if $self->{half} < 1;
    if (keys %{ $self->{young} } >= $self->{half}) {
        @{$self}{qw(old young)} = ($self->{young}, {});
    }
    $self->{young}{$key} = [ $until, $value ];
    return;
}

sub count ($self) {
    return keys(%{ $self->{young} }) + keys %{ $self->{old} };
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Resolver::Cache - a bounded cache

=head1 METHODS

=head2 new(MAX)

At most MAX entries; less than 2: none at all.

=head2 store(KEY, VALUE, UNTIL), fetch(KEY, NOW)

Keeps VALUE until that time; it, or undef. Times are seconds of any one clock.

=head2 count()

How many entries there are, counting those whose time is over.

=cut
