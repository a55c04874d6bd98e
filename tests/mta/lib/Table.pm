# SPDX-License-Identifier: MIT
package Table;

# What became of the cases, a line for each and a column for each MTA.  Each test
# saves its part; `tests/mta/show-table` prints the whole.

use v5.36;
use Harness qw(read_file write_file);

my @columns = ('Postfix v6', 'v4', 'v3', 'v2', 'Sendmail');

=head1 FUNCTIONS

=head2 save($class, @results)

Takes [run, what is wrong] of an MTA's runs; nothing happens if the environment
has no MTA_TABLE, a directory.

=head2 text($dir)

The table of what was saved there.

=cut

sub save ($class, @results) {
    my $dir = $ENV{MTA_TABLE} or return;
    state $part = 0;
    my @lines;
    for (@results) {
        my ($run, $wrong) = @$_;
        my $column
            = $class eq 'Sendmail'                  ? 'Sendmail'
            : $run->{set_up} =~ /\Aprotocol (\d)\z/ ? "v$1"
            :                                         'Postfix v6';
        my $is = $wrong ne '' ? 'FAILED' : $run->{differs} // 'ok';
        push @lines, join("\t", $run->{name}, $column, $is) . "\n";
    }
    write_file(sprintf('%s/%s-%d-%d', $dir, $class, $$, ++$part),
        join '', @lines);
    return;
}

sub text ($dir) {
    my (@names, %cell);
    for (map { split /\n/, read_file($_) } sort glob "$dir/*") {
        my ($name, $column, $is) = split /\t/;
        push @names, $name if !$cell{$name};
        my $cell = \$cell{$name}{$column};
        $$cell = $is if ($$cell // '') ne 'FAILED';
    }
    my (@notes, @lines);
    for my $name (@names) {
        push @lines,
            [ $name, map { shown($cell{$name}{$_}, \@notes) } @columns ];
    }
    my $n      = 0;
    my $format = '%-58s' . ' %-12s' x @columns;
    my @text   = (
        (map { sprintf $format, @$_ } [ 'case', @columns ], @lines),
        '',
        (map { sprintf '(%d) %s', ++$n, $_ } @notes),
        'n/a: this needs what the MTA or version has not, or is not repeated',
        '',
        (map { in_all($_, \@lines) } 0 .. $#columns)
    );
    return join '', map {s/ *\z/\n/r} @text;
}

sub shown ($is, $notes) {
    return 'n/a' if !defined $is;
    return $is   if $is eq 'ok' || $is eq 'FAILED';
    my ($n) = grep { $notes->[$_] eq $is } 0 .. $#$notes;
    if (!defined $n) {
        push @$notes, $is;
        $n = $#$notes;
    }
    return 'differs (' . ($n + 1) . ')';
}

sub in_all ($i, $lines) {
    my %count;
    $count{ (split / /, $_->[ $i + 1 ])[0] }++ for @$lines;
    return sprintf '%-12s %s', $columns[$i],
        join ', ', map {"$count{$_} $_"} sort keys %count;
}

1;
