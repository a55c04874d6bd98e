# SPDX-License-Identifier: MIT
package ScriptedMta;

# An MTA that does one step after the other, whatever the filter answers (see
# MilterClient), and says for each what the filter did.  A step:
#   [ connect => { host, family, addr, port } ]     [ helo => $name ]
#   [ mail => $address, @parameters ]               [ rcpt => ... ]
#   [ rejected => ... ]    a recipient that the MTA has refused; only shown to a
#                          filter that asked for those
#   [ header => $name, $value ]  [ body => $octets ]
#   [ data ] [ eoh ] [ eom ] [ abort ] [ quit ] [ hang-up ]
#   [ macros => $command, { name => value } ]       [ unknown => $line ]

use v5.36;
use parent 'MilterClient';
use Difference qw(shown);

my $wants_rejected = 0x800;
my $leading_space  = 0x100000;

=head1 METHODS

=head2 step($step)

Does it; returns lines.

=head2 has_ended()

The filter has closed the connection, or what it said makes no sense: whether a
further step could still be written would be a matter of time.  For the same
reason a step that is not answered always seems to be written.

=cut

sub step ($self, $step) {
    my ($name, @args) = @$step;
    my $do = $self->can('do_' . $name =~ tr{-}{_}r) // sub ($self, @args) {
        return $self->command($name, join '', map {"$_\0"} @args);
    };
    my $answer    = eval { $do->($self, @args) // {} };
    my $is_closed = $@ =~ /\Awrite to the filter: /;
    $answer //= {} if $is_closed && $name =~ /\A(?:macros|abort)\z/;
    $answer //= { code => 'c' } if $is_closed && $self->is_silent($name);
    return $self->told($name, $answer) if $answer;
    $self->{has_ended} = 1;
    return "$name: the filter closed the connection" if $is_closed;
    return "$name: " . $@ =~ s/\n\z//r;
}

sub has_ended ($self) { return $self->{has_ended} }

sub told ($self, $name, $answer) {
    my @lines = map {
        "$name: " . join ' ',
            map { shown($_) }
            @$_
    } joined(@{ $answer->{changes} // [] });
    return @lines if !defined $answer->{code};
    my $text = $answer->{text} // '';
    return (@lines,
        "$name: $answer->{code}" . (length $text ? ' ' . shown($text) : ''));
}

# Pieces of one body are one.
sub joined (@changes) {
    my @joined;
    for my $change (@changes) {
        if (@joined && $change->[0] eq 'body' && $joined[-1][0] eq 'body') {
            $joined[-1][1] .= $change->[1];
        }
        else {
            push @joined, [@$change];
        }
    }
    return @joined;
}

sub do_connect ($self, $o = {}) {
    my $addr   = $o->{addr}   // '192.0.2.1';
    my $host   = $o->{host}   // "[$addr]";
    my $family = $o->{family} // '4';
    return $self->command('connect', pack 'Z* a', $host, $family)
        if $family eq 'U';
    return $self->command('connect', pack 'Z* a n Z*',
        $host, $family, $o->{port} // 4321, $addr);
}

sub do_rejected ($self, @args) {
    return { code => 'not shown' } if !($self->{protocol} & $wants_rejected);
    return $self->command('rcpt', join '', map {"$_\0"} @args);
}

sub do_header ($self, $name, $value) {
    my $space = $self->{protocol} & $leading_space ? ' ' : '';
    return $self->command('header', "$name\0$space$value\0");
}

sub do_body ($self, $octets) { return $self->command('body', $octets) }

sub do_macros ($self, $command, $values) {
    $self->macros($command, %$values);
    return;
}

sub do_unknown ($self, $line) {
    return { code => 'c' } if $self->{protocol} & 0x100;
    $self->send_frame('U', "$line\0");
    return $self->answer;
}

sub do_abort ($self) {
    $self->send_frame('A');
    return;
}

# Waits until the filter has closed its end, too.
sub do_quit ($self) {
    $self->send_frame('Q');
    return { code => 'closed' } if !defined eval { $self->read_frame };
    return { code => 'says something after QUIT' };
}

sub do_hang_up ($self) {
    shutdown $self->{socket}, 1;
    return { code => 'closed' } if !defined eval { $self->read_frame };
    return { code => 'says something after the end' };
}

1;
