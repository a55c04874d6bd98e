# SPDX-License-Identifier: MIT
#
# What a handler says: a verdict about a message or a disposition of a part.
# Both are checked when they are made, and die with the reason.

package Mail::MIMEDefang::Context::Response;
use v5.36;
use Carp                    qw(croak);
use Mail::MIMEDefang::Codec qw(to_bytes);

our @CARP_NOT = ('Mail::MIMEDefang::Context');

# Class of the code, its default, that of the DSN.  spec:mux-answers
my %DEFAULT = (
    ACCEPT_AND_NO_MORE_FILTERING => [ 2, '250', '2.1.0' ],
    DISCARD                      => [ 2, '250', '2.1.0' ],
    CONTINUE                     => [ 2, '250', '2.1.0' ],
    TEMPFAIL                     => [ 4, '451', '4.3.0' ],
    REJECT                       => [ 5, '554', '5.7.1' ],
);

sub new ($class, $verdict, $text, %with) {
    my ($first, $std_code, $std_dsn) = @{ $DEFAULT{$verdict} };
    my $code  = delete $with{code}  // $std_code;
    my $dsn   = delete $with{dsn}   // $std_dsn;
    my $delay = delete $with{delay} // 0;
    croak "$verdict has no option '$_'" for sort keys %with;
    croak "Code '$code' does not fit $verdict: it is $first and two digits"
        if $code !~ /\A$first\d\d\z/a;
    croak "DSN '$dsn' does not fit $verdict: it is like $std_dsn"
        if $dsn !~ /\A$first\.\d{1,3}\.\d{1,3}\z/a;
    croak "Delay '$delay' is no number of seconds" if $delay !~ /\A\d+\z/a;
    $text = to_bytes($text // '') =~ s/[\x00-\x1f\x7f]+/ /gr;
    return bless [ $verdict, $text, $code, $dsn, $delay ], $class;
}

sub verdict ($self) { return $self->[0] }
sub as_list ($self) { return @$self }

package Mail::MIMEDefang::Context::Disposition;
use Carp qw(croak);

our @CARP_NOT = ('Mail::MIMEDefang::Context');

my %NEEDS_TEXT = (replace => 1, quarantine => 1);

sub new ($class, $what, $text) {
    croak "${what}_part needs a text"
        if $NEEDS_TEXT{$what} && !length($text // '');
    return bless [ $what, $text // () ], $class;
}

sub as_list ($self) { return @$self }

1;

__END__

=head1 NAME

Mail::MIMEDefang::Context::Response - what a handler of Mail::MIMEDefang::Context says

=head1 METHODS

=head2 new(VERDICT, TEXT, OPTION => VALUE...)

Made by the methods of the context, which describes the options. Dies when a code
does not fit.

=head2 verdict(), as_list()

The word; the list that a callback of the old kind would return.

=cut
