# SPDX-License-Identifier: MIT
package Unit;

# A unit of systemd, as our tests read it: settings, the environment that it
# makes, and the command that it runs.

use v5.36;
use Harness qw(read_file);

=head1 METHODS

=head2 Unit->read($file)

=head2 values($key)

All values of a setting, in order; the last one of a single setting is last.

=cut

sub read ($class, $file) {    ## no critic (ProhibitBuiltinHomonyms)
    my %self;
    for my $line (split /\n/, read_file($file)) {
        my ($key, $value) = $line =~ /^(\w+)=(.*)$/ or next;
        push @{ $self{$key} }, $value;
    }
    return bless \%self, $class;
}

sub values ($self, $key) {    ## no critic (ProhibitBuiltinHomonyms)
    return @{ $self->{$key} // [] };
}

=head2 environment([$root])

NAME => value: those of Environment, then those of the files that there are,
below $root.

=cut

sub environment ($self, $root = '') {
    my %env = map {/^(\w+)=(.*)$/s} map {split} $self->values('Environment');
    for my $file (map {s/^-//r} $self->values('EnvironmentFile')) {
        next if !-e "$root$file";
        my $text = read_file("$root$file");
        while ($text =~ /^\h*(\w+)=(?:"([^"]*)"|'([^']*)'|(.*?))\h*$/mg) {
            $env{$1} = $2 // $3 // $4;
        }
    }
    return %env;
}

=head2 command()

The words of ExecStart, which has no quotes in our units.

=cut

sub command ($self) { return split ' ', ($self->values('ExecStart'))[-1] }

1;
