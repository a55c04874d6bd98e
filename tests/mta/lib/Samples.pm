# SPDX-License-Identifier: MIT
package Samples;

# What processes hold in the course of time: resident memory and descriptors.

use v5.36;

=head1 METHODS

=head2 Samples->new(name => pid, ...)

=head2 take()

Measures all of them once more.

=head2 lines()

A line for each: its figures at the start, after a tenth and at the end.

=head2 grown()

Sentences about those that hold more at the end than after a tenth: an eighth
and a megabyte of memory, or more than eight descriptors.

=cut

sub new ($class, %pid) { return bless { pid => {%pid} }, $class }

sub take ($self) {
    for my $name (keys %{ $self->{pid} }) {
        my $proc = "/proc/$self->{pid}{$name}";
        open my $fh, '<', "$proc/status" or next;
        my ($kb) = join('', readline $fh) =~ /^VmRSS:\s+(\d+) kB/m or next;
        push @{ $self->{taken}{$name} }, { kb => $kb, fds => open_fds($proc) };
    }
    return;
}

sub open_fds ($proc) {
    opendir my $dh, "$proc/fd" or return 0;
    return scalar grep {/\A\d/} readdir $dh;
}

# The least of the last ones: what is in use just then comes and goes.
sub figures ($self, $name) {
    my @all   = @{ $self->{taken}{$name} // [] } or return;
    my $least = sub ($what, @of) {
        (sort { $a <=> $b } map { $_->{$what} } @of)[0];
    };
    my $tenth = int(@all / 10);
    my @early = @all[ $tenth .. $tenth + int(@all / 20) ];
    my @late  = @all[ @all - 1 - int(@all / 20) .. $#all ];
    return map {
        my $what = $_;
        {
            start => $all[0]{$what},
            tenth => $least->($what, @early),
            end   => $least->($what, @late)
        }
    } qw(kb fds);
}

sub lines ($self) {
    my @lines;
    for my $name (sort keys %{ $self->{pid} }) {
        my ($kb, $fds) = $self->figures($name) or next;
        push @lines,
            sprintf '%-24s resident %d, %d, %d kB; descriptors %d, %d, %d',
            $name, @$kb{qw(start tenth end)}, @$fds{qw(start tenth end)};
    }
    return @lines;
}

sub grown ($self) {
    my @wrong;
    for my $name (sort keys %{ $self->{pid} }) {
        my ($kb, $fds) = $self->figures($name);
        if (!$kb) {
            push @wrong, "$name was not there at all";
            next;
        }
        push @wrong, "$name has grown from $kb->{tenth} to $kb->{end} kB"
            if $kb->{end} > $kb->{tenth} * 9 / 8 + 1024;
        push @wrong, "$name has $fds->{end} descriptors, it had $fds->{tenth}"
            if $fds->{end} > $fds->{tenth} + 8;
    }
    return @wrong;
}

1;
