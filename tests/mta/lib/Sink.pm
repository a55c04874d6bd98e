# SPDX-License-Identifier: MIT
package Sink;

# An SMTP server that accepts everything and keeps it: where the MTA under test
# delivers to.  Each message is a file with its exact bytes (transparency dots
# removed, CRLF kept) beside a file with its envelope.

use v5.36;
use Harness    qw(temp_dir start_process read_file write_file);
use IO::Select ();
use IO::Socket::INET;

=head1 METHODS

=head2 Sink->start([note => FUNCTION])

Starts it as a process of its own.  With a function, that is called for each
message (as messages() gives it) and returns a line; only the lines are kept.

=head2 port()

Where it listens, on 127.0.0.1.

=head2 messages()

What has arrived so far: a list of { from, to => [...], bytes }, addresses with
their brackets.

=head2 count()

How many have arrived; cheap.

=head2 notes()

The lines of the function.

=cut

sub start ($class, %o) {
    state $count = 0;
    my $listener = IO::Socket::INET->new(
        Listen    => 128,
        LocalAddr => '127.0.0.1',
        LocalPort => 0
    ) or die "sink: $@\n";
    my $dir  = temp_dir() . '/sink' . ++$count;
    my $self = bless { dir => $dir, port => $listener->sockport }, $class;
    mkdir $dir or die "$dir: $!\n";
    my $keep
        = $o{note}
        ? sub (@message) { note("$dir/notes", $o{note}->(@message)) }
        : sub (@message) { keep($dir, @message) };
    $self->{process} = start_process(code => sub { serve($listener, $keep) });
    return $self;
}

sub port ($self) { return $self->{port} }

sub count ($self) { return scalar(() = glob "$self->{dir}/*.msg") }

sub messages ($self) {
    my @messages;
    for my $file (glob "$self->{dir}/*.msg") {
        my ($from, @to) = split /\n/, read_file($file =~ s/msg\z/env/r);
        push @messages,
            { from => $from, to => \@to, bytes => read_file($file) };
    }
    return @messages;
}

sub notes ($self) {
    my $file = "$self->{dir}/notes";
    return -e $file ? split /\n/, read_file($file) : ();
}

sub serve ($listener, $keep) {
    my $select = IO::Select->new($listener);
    my %client;
    while (1) {
        for my $fh ($select->can_read) {
            if ($fh == $listener) {
                my $new = $listener->accept or next;
                $select->add($new);
                $client{$new}
                    = { fh => $new, keep => $keep, in => '', to => [] };
                syswrite $new, "220 sink.example ESMTP\r\n";
                next;
            }
            my $c = $client{$fh};
            next
                if sysread($fh, $c->{in}, 1 << 18, length $c->{in}) && step($c);
            $select->remove($fh);
            delete $client{$fh};
            close $fh;
        }
    }
    return;
}

# Handles what has come in; false when the client has quit.
sub step ($c) {
    if ($c->{data}) {
        return 1 if $c->{in} !~ /(?:\A|\r\n)\.\r\n\z/;
        $c->{keep}->(
            {
                from  => $c->{from},
                to    => $c->{to},
                bytes => substr($c->{in}, 0, -3) =~ s/(\A|\n)\./$1/gr
            }
        );
        @$c{qw(in data)} = ('', 0);
        return syswrite $c->{fh}, "250 2.0.0 kept\r\n";
    }
    while ($c->{in} =~ s/\A([^\n]*?)\r?\n//) {
        my $answer = command($c, $1);
        syswrite $c->{fh}, "$answer\r\n";
        return 0 if $answer =~ /\A221/;
    }
    return 1;
}

sub command ($c, $line) {
    if ($line =~ /\AMAIL FROM:(\S+)/i) {
        @$c{qw(from to)} = ($1, []);
    }
    elsif ($line =~ /\ARCPT TO:(\S+)/i) {
        push @{ $c->{to} }, $1;
    }
    elsif ($line =~ /\ADATA/i) {
        $c->{data} = 1;
        return '354 go on';
    }
    elsif ($line =~ /\AQUIT/i) {
        return '221 2.0.0 bye';
    }
    elsif ($line =~ /\AEHLO/i) {
        return "250-sink.example\r\n250-SIZE 0\r\n250-8BITMIME\r\n250 SMTPUTF8";
    }
    return '250 2.0.0 ok';
}

sub keep ($dir, $message) {
    state $n = 0;
    my $name = sprintf '%s/%05d', $dir, ++$n;
    write_file("$name.env", join "\n", $message->{from}, @{ $message->{to} });
    write_file("$name.tmp", $message->{bytes});
    rename "$name.tmp", "$name.msg" or die "$name: $!\n";
    return;
}

sub note ($file, $line) {
    open my $fh, '>>:raw', $file or die "$file: $!\n";
    say {$fh} $line;
    close $fh or die "$file: $!\n";
    return;
}

1;
