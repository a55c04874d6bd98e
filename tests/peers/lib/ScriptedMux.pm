# SPDX-License-Identifier: MIT
package ScriptedMux;

# Stands in for a multiplexor: answers by a script, and notes each request with
# the files that were in the message's directory then.  A process of its own.
#
# A script is a hash:
#   free relayok helook senderok recipok scan
#              the answer, octet by octet; a list: for each of these requests in
#              turn, the last one stays.  Instead of a text a hash: { pieces =>
#              [...] } is written in so many writes, { silent => 1 } closes
#              without an answer, before the request was read if 'early'
#   results    what is put in RESULTS at scan (a list: in turn); undef: no file
#   files      { name => content }, made at scan; { name => \'target' } is a
#              symbolic link, { name => [] } a FIFO
#   early      { senderok => 'text', ... }: appended to RESULTS at that request
#   deaf       true: nobody listens

use v5.36;
use Harness    qw(start_process stop_process read_file);
use IO::Select ();
use IO::Socket::UNIX;
use POSIX    ();
use Socket   qw(AF_UNIX SOCK_STREAM PF_UNSPEC);
use Storable qw(freeze thaw);

my %default = (
    free     => "3\n",
    relayok  => "ok 1\n",
    helook   => "ok 1\n",
    senderok => "ok 1\n",
    recipok  => "ok 1\n",
    scan     => "ok\n",
    results  => "F\n",
);

=head1 METHODS

=head2 ScriptedMux->start($socket_path)

=head2 script(%script)

What it does from now on.

=head2 requests()

What it was asked since the last call or the script: a list of { line, files =>
{ name => content } }.

=head2 stop()

=cut

sub start ($class, $path) {
    socketpair my $here, my $there, AF_UNIX, SOCK_STREAM, PF_UNSPEC
        or die "socketpair: $!\n";
    my $self = bless { path => $path, control => $here }, $class;
    $self->{process} = start_process(
        code => sub {
            close $here;
            $self->{control} = $there;
            $self->listen_again;
            $self->{script} = \%default;
            $self->serve;
        }
    );
    close $there;
    $self->script;
    return $self;
}

sub script ($self, %script) {
    put($self->{control}, { %default, %script });
    take($self->{control});
    return;
}

sub requests ($self) {
    put($self->{control}, {});
    return @{ take($self->{control}) };
}

sub stop ($self) {
    stop_process($self->{process});
    return;
}

# One value as a frame of its length and octets.
sub put ($to, $value) {
    my $octets = pack 'N/a*', freeze($value);
    while (length $octets) {
        my $n = syswrite $to, $octets;
        die "scripted multiplexor: $!\n" if !defined $n;
        substr $octets, 0, $n, '';
    }
    return;
}

sub take ($from) {
    my $octets = '';
    my $want   = 4;
    while (length $octets < $want) {
        my $n = sysread $from, $octets, $want - length $octets, length $octets;
        die "the scripted multiplexor is gone\n" if !$n;
        $want = 4 + unpack 'N', $octets if length $octets == 4;
    }
    return thaw(substr $octets, 4);
}

# ---- in its own process -------------------------------------------------------

sub listen_again ($self) {
    unlink $self->{path};
    $self->{listener} = undef;
    return if $self->{script}{deaf};
    $self->{listener}
        = IO::Socket::UNIX->new(Local => $self->{path}, Listen => 20)
        or die "$self->{path}: $!\n";
    chmod 0777, $self->{path} or die "$self->{path}: $!\n";
    return;
}

sub serve ($self) {
    $self->{seen} = [];
    while (1) {
        my $select = IO::Select->new($self->{control},
            grep {defined} $self->{listener});
        for my $ready ($select->can_read) {
            if   ($ready == $self->{control}) { $self->obey }
            else                              { $self->answer }
        }
    }
    return;
}

# A script, or an empty hash: the question what was asked.
sub obey ($self) {
    my $script = eval { take($self->{control}) } // POSIX::_exit(0);
    if (%$script) {
        $self->{script} = $script;
        $self->{turn}   = {};
        $self->listen_again;
    }
    put($self->{control}, $self->{seen});
    $self->{seen} = [];
    return;
}

sub answer ($self) {
    my $client = $self->{listener}->accept or return;
    my $line   = '';
    while ($line !~ /\n/) {
        last if !sysread $client, $line, 65536, length $line;
    }
    return if $line !~ s/\n.*//s;
    my ($word) = $line =~ /\A(\w*)/;
    my ($dir)  = $line =~ m{ (/[^ ]*/mdefang-[^ ]*)};
    push @{ $self->{seen} },
        { line => $line, dir => $dir, files => files_in($dir) };
    if (defined $dir) {
        $self->leave_files($dir) if $word eq 'scan';
        append("$dir/RESULTS", $self->{script}{early}{$word})
            if defined $self->{script}{early}{$word};
    }
    my $answer = $self->next_of($word) // "error: Unknown command\n";
    $answer = { pieces => [$answer] } if !ref $answer;
    for my $piece (@{ $answer->{pieces} // [] }) {
        syswrite $client, $piece;
    }
    return;
}

sub next_of ($self, $name) {
    my $value = $self->{script}{$name};
    return $value if ref $value ne 'ARRAY';
    my $i = $self->{turn}{$name}++;
    return $value->[ $i < @$value ? $i : -1 ];
}

sub files_in ($dir) {
    return {} if !defined $dir;
    opendir my $dh, $dir or return { '(none)' => "$!" };
    my %content
        = map { $_ => -f "$dir/$_" ? read_file("$dir/$_") : '(no file)' }
        grep { !/\A\.\.?\z/ } readdir $dh;
    my %modes = map { mode("$dir/$_") => 1 } keys %content;
    return {
        %content,
        '(modes)' => join ' ',
        mode($dir), 'with', (sort keys %modes), "\n"
    };
}

sub mode ($path) { return sprintf '%04o', 07777 & (stat $path)[2] }

sub leave_files ($self, $dir) {
    my $results = $self->next_of('results');
    append("$dir/RESULTS", $results) if defined $results;
    my $files = $self->{script}{files} // {};
    for my $name (keys %$files) {
        my ($path, $content) = ("$dir/$name", $files->{$name});
        unlink $path;
        if (ref $content eq 'SCALAR') {
            symlink $$content, $path or die "$path: $!\n";
        }
        elsif (ref $content) {
            POSIX::mkfifo($path, oct 666) or die "$path: $!\n";
        }
        else {
            append($path, $content);
        }
    }
    return;
}

sub append ($path, $octets) {
    open my $fh, '>>:raw', $path or die "$path: $!\n";
    print {$fh} $octets;
    close $fh or die "$path: $!\n";
    chmod 0644, $path or die "$path: $!\n";
    return;
}

1;
