# SPDX-License-Identifier: MIT
#
# What an administrator expects of his filter, line by line in a file, and what
# differs.  Pure, but for reading the file; dies over a line that makes no sense.

package Mail::MIMEDefang::TestMail::Expect;
use v5.36;
use Exporter 'import';

our @EXPORT_OK = qw(read_expectations unmet record_expectations);

my @KEYS = qw(verdict reply filter_relay filter_helo filter_sender
    filter_recipient result rebuilt action warning sent log output);
my %IS_KEY = map { $_ => 1 } @KEYS;

# What a recorded file holds, and of which of them it is everything.
my %RECORDED = map { $_ => 1 } grep { !/^(?:log|output)\z/ } @KEYS;
use constant WHOLE => 'only result, action, warning, sent';

# TEXT of the file NAME; mimedefang-test-mail(8) describes the format.
sub read_expectations ($text, $name) {
    my (@expected, $number);
    for my $line (split /\n/, $text) {
        $number++;
        next if $line =~ /^\s*(?:#|\z)/;
        my %e = (line => $number, text => $line);
        if ($line =~ /^only\s+(.+)/) {
            $e{only} = [ split /[\s,]+/, $1 ];
        }
        elsif ($line =~ /^(!?)(\w+)\s*([:~])\s?(.*)\z/) {
            @e{qw(not key kind value)} = ($1, $2, $3, $4);
            $e{value} = _regex($4, $name, $number) if $3 eq '~';
        }
        else {
            die "$name:$number: neither KEY: TEXT nor KEY~ REGEX nor"
                . " only KEY, ...\n";
        }
        for my $key (@{ $e{only} // [ $e{key} ] }) {
            die "$name:$number: '$key' is none of @KEYS\n" if !$IS_KEY{$key};
        }
        push @expected, \%e;
    }
    die "$name: nothing is expected\n" if !@expected;
    return \@expected;
}

sub _regex ($text, $name, $number) {
    my $regex = eval {qr/$text/};
    return $regex if defined $regex;
    my $why = $@ =~ s/ at \S+ line \d+.*//sr;
    die "$name:$number: $why\n";
}

sub _meets ($e, $text) {
    return $e->{kind} eq '~' ? $text =~ $e->{value} : $text eq $e->{value};
}

# A text for each expectation that is not met; LINES are [KEY, TEXT].
sub unmet ($expected, @lines) {
    my (%got, @failures, %wanted);
    push @{ $got{ $_->[0] } }, $_->[1] for @lines;
    for my $e (@{$expected}) {
        next if $e->{only};
        my @of_key  = @{ $got{ $e->{key} } // [] };
        my @matches = grep { _meets($e, $_) } @of_key;
        if (!$e->{not}) {
            push @{ $wanted{ $e->{key} } }, $e;
            next if @matches;
            push @failures, _difference($e, @of_key);
        }
        elsif (@matches) {
            push @failures, _difference($e, @matches);
        }
    }
    for my $e (grep { $_->{only} } @{$expected}) {
        for my $key (@{ $e->{only} }) {
            my @too_many;
            for my $text (@{ $got{$key} // [] }) {
                push @too_many, $text
                    if !grep { _meets($_, $text) } @{ $wanted{$key} // [] };
            }
            push @failures, _difference({ %{$e}, key => $key }, @too_many)
                if @too_many;
        }
    }
    return @failures;
}

use constant SHOWN => 20;    # lines of what was got

sub _difference ($e, @got) {
    my $text = "line $e->{line}:\n  - $e->{text}\n";
    my $rest = @got - SHOWN;
    $#got = SHOWN - 1 if $rest > 0;
    $text .= "  + $e->{key}: $_\n" for @got;
    $text .= "  + $e->{key}: ... $rest more\n" if $rest > 0;
    $text .= "  + (no $e->{key})\n"            if !@got;
    return $text;
}

# The text of a file that expects what came out; what is different each time
# becomes a pattern.
sub record_expectations (@lines) {
    my $text = '';
    for (@lines) {
        my ($key, $value) = @{$_};
        next if !$RECORDED{$key};
        if ($value =~ /\A(.*boundary=)"[^"]*"(.*)\z/s) {
            $text .= "$key~ ^\Q$1\E\".*\"\Q$2\E\$\n";
            next;
        }
        $text .= "$key: $value\n";
    }
    return $text . WHOLE . "\n";
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::TestMail::Expect - expectations of a filter

=head1 FUNCTIONS

=head2 read_expectations(TEXT, NAME)

The expectations in TEXT; dies with the place of a line that makes no sense.

=head2 unmet(EXPECTATIONS, [KEY, TEXT]...)

A text for each that is not met: C<-> what was wanted, C<+> what was there.

=head2 record_expectations([KEY, TEXT]...)

The text of a file that is met.

=cut
