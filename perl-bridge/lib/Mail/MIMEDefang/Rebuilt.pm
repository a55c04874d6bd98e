# SPDX-License-Identifier: MIT
#
# The message as it will leave if nothing more is asked for: INPUTMSG with the
# changes of header fields and of the body that RESULTS has until now.

package Mail::MIMEDefang::Rebuilt;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(percent_decode);
use Mail::MIMEDefang::Log   qw(md_syslog);
use Mail::MIMEDefang::Spool qw(results_so_far);

our @EXPORT_OK = qw(change_fields write_rebuilt);

use constant { BLOCK => 1 << 16, FILE => 'REBUILT' };

# FIELDS: each a header field with its folds and an LF at its end.
# spec:spool-results
sub change_fields ($fields, @lines) {
    for my $line (@lines) {
        my ($letter, $rest) = $line =~ /\A(.)(.*)\z/s or next;
        my ($name, @args) = map { percent_decode($_) } split / /, $rest, -1;
        if ($letter eq 'H' || $letter eq 'N') {
            my $value = pop @args // '';
            _add($fields, $name, $value, $letter eq 'N' ? $args[0] : undef);
        }
        elsif ($letter eq 'I' || $letter eq 'J') {
            _change($fields, $name, @args);
        }
        elsif ($letter eq 'M') {
            _change($fields, 'Content-Type', 1, $name);
            _add($fields, 'MIME-Version', '1.0', undef)
                if !grep {/\AMIME-Version:/i} @{$fields};
        }
    }
    return;
}

# A _now function has put it there already.
sub _add ($fields, $name, $value, $position) {
    my $field = "$name: " . ($value =~ s/\r//gr) . "\n";
    return if grep { $_ eq $field } @{$fields};
    my $at = $position // @{$fields};
    $at = @{$fields} if $at > @{$fields};
    splice @{$fields}, $at, 0, $field;
    return;
}

# Without a value: away.
sub _change ($fields, $name, $number, $value = '', @) {
    my @at = grep { $fields->[$_] =~ /\A\Q$name\E:/i } 0 .. $#{$fields};
    my $at = $number >= 1 ? $at[ $number - 1 ] : undef;
    if (!defined $at) {
        _add($fields, $name, $value, undef) if length $value;
        return;
    }
    splice @{$fields}, $at, 1,
        length $value ? "$name: " . ($value =~ s/\r//gr) . "\n" : ();
    return;
}

# The name of a file with it, below the working directory; undef after logging.
sub write_rebuilt () {
    my @lines = results_so_far();
    my $error = eval {
        open my $in, '<:raw', 'INPUTMSG' or die "Cannot read INPUTMSG: $!\n";
        my @fields;
        while (defined(my $line = <$in>)) {
            $line =~ s/\r?\n\z/\n/;
            last if $line eq "\n";
            if ($line =~ /\A[ \t]/ && @fields) { $fields[-1] .= $line }
            else                               { push @fields, $line }
        }
        change_fields(\@fields, @lines);
        if (grep { $_ eq 'C' } @lines) {
            open $in, '<:raw', 'NEWBODY' or die "Cannot read NEWBODY: $!\n";
        }
        open my $out, '>:raw', FILE or die 'Cannot write ' . FILE . ": $!\n";
        print {$out} @fields, "\n";
        while (read $in, my $block, BLOCK) { print {$out} $block }
        close $out or die 'Cannot write ' . FILE . ": $!\n";
        '';
    } // $@;
    return FILE if $error eq '';
    md_syslog('err', $error);
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Rebuilt - the message as it will leave

=head1 FUNCTIONS

=head2 write_rebuilt()

Writes F<REBUILT> in the working directory: the header of F<INPUTMSG> with the changes
that were asked for, and F<NEWBODY>, or the old body. Returns its name, or undef after
logging why not.

What the C<_now> functions have done is in F<INPUTMSG> already; a field that they
deleted, of which there were several, is deleted twice here.

=head2 change_fields(\@FIELDS, LINE...)

Makes the changes that the lines of F<RESULTS> say, in a list of header fields.

=cut
