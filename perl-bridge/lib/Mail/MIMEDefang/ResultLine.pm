# SPDX-License-Identifier: MIT
#
# What may stand in a line of RESULTS.  Texts of a message get into header fields,
# replies and addresses; nothing of them may end a field or begin another one.
# Pure: says what it changed, and dies where the message would be delivered in
# another way than the filter wanted.  spec:bridge-results

package Mail::MIMEDefang::ResultLine;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(one_line to_bytes);

our @EXPORT_OK = qw(check_result header_name header_value);

use constant {
    MAX_NAME    => 900,    # a line of a header has 998 octets; rfc:5322#2.1.1
    MAX_ADDRESS => 1000,
};

# spec:spool-results  What the arguments of each letter are.
my %LINE = (
    H => [qw(name value)],
    N => [qw(name position value)],
    I => [qw(name number value)],
    J => [qw(name number)],
    M => ['value'],
    R => ['address'],
    S => ['address'],
    f => ['address'],
    Q => ['text'],
    B => [qw(code dsn text)],
    T => [qw(code dsn text)],
    C => [],
    D => [],
    F => [],
);

my %DEFAULT = (
    B => { code => '554', dsn => '5.7.1', class => 5 },
    T => { code => '451', dsn => '4.3.0', class => 4 },
);

# rfc:5322#2.2  A name is printable ASCII without colon.  undef: there is none.
sub header_name ($name) {
    $name = to_bytes($name);
    $name =~ s/:?\s*\z//;
    return if $name !~ /^[\x21-\x39\x3b-\x7e]+\z/ || length $name > MAX_NAME;
    return $name;
}

# A fold is allowed; a line that does not begin with white space is none.
# choice:header-lf
sub header_value ($value) {
    $value = to_bytes($value);
    $value =~ s/\r(?=\n)//g;
    $value =~ s/\s+\z// if $value =~ /\n\s*\z/;
    my $changed = $value =~ tr/\r\0//d;
    $changed += $value =~ s/\n(?![ \t])/\n /g;
    return wantarray ? ($value, $changed) : $value;
}

my %CHECK = (
    name => sub ($name, $how) {
        my $good = header_name($name);
        $how->{refuse}
            = "not the name of a header field: '" . _shown($name) . "'"
            if !defined $good;
        return $good;
    },
    value => sub ($value, $how) {
        my ($good, $changed) = header_value($value);
        push @{ $how->{changed} }, 'CR, NUL or a bare LF in the value'
            if $changed;
        return $good;
    },
    number   => sub ($n,       $how) { return _number($n, 1, $how) },
    position => sub ($n,       $how) { return _number($n, 0, $how) },
    address  => sub ($address, $how) {
        $address = to_bytes($address);
        die "Not an address: '" . _shown($address) . "'\n"
            if $address =~ /[\x00-\x1f\x7f]/
            || $address !~ /\S/
            || length $address > MAX_ADDRESS;
        return $address;
    },
    code => sub ($code, $how) {
        my ($class, $default) = @{ $how->{default} }{qw(class code)};
        return $code if ($code // '') =~ /^$class\d\d\z/a;
        push @{ $how->{changed} }, "the code '" . _shown($code) . "'";
        return $default;
    },
    dsn => sub ($dsn, $how) {
        my ($class, $default) = @{ $how->{default} }{qw(class dsn)};
        return $dsn if ($dsn // '') =~ /^$class\.\d{1,3}\.\d{1,3}\z/a;
        push @{ $how->{changed} }, "the code '" . _shown($dsn) . "'";
        return $default;
    },
    text => sub ($text, $how) {
        $text = to_bytes($text);
        push @{ $how->{changed} }, 'CR or NUL in the text'
            if $text =~ tr/\r\0//d;
        return $text;
    },
);

sub _number ($n, $default, $how) {
    return $n if ($n // '') =~ /^\d{1,9}\z/a;
    push @{ $how->{changed} }, "the number '" . _shown($n) . "'";
    return $default;
}

sub _shown ($text) {
    $text = one_line($text);
    return length $text > 60 ? substr($text, 0, 60) . '...' : $text;
}

# (why it is refused or undef, [what was changed], arguments)
sub check_result ($letter, @args) {
    my $kinds = $LINE{$letter}
        or return ("there is no line '" . _shown($letter) . "'", []);
    my $how = { default => $DEFAULT{$letter}, changed => [] };
    my @good;
    for my $kind (@{$kinds}) {
        my $arg = shift @args;
        push @good, $CHECK{$kind}->($arg, $how);
        return ($how->{refuse}, []) if $how->{refuse};
    }
    return (undef, $how->{changed}, @good);
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::ResultLine - what may stand in RESULTS

=head1 FUNCTIONS

=head2 check_result(LETTER, ARG...)

Returns a list: why there can be no such line (undef: there can), a reference to
the list of what had to be changed, the arguments as they may be written. Dies for
an address that is none.

=head2 header_name(NAME)

NAME without colon at its end; undef if it is none.

=head2 header_value(VALUE)

VALUE without NUL, CR and white space after its last LF, and with a blank after
each LF that has none; in list context also how many of these it had, other than
at the end.

=cut
