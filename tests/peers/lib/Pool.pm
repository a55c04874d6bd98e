# SPDX-License-Identifier: MIT
package Pool;

# A multiplexor, ours or the peer's, with workers that do what a request says
# (tests/support/worker.pl), and what it does in a run, as lines that can be
# compared.
#
# A run is a hash:
#   name     unique words
#   options  list; -s, -z, -U, -f, -D, -t, -O are given
#   env      hash, for the workers
#   worker   path instead of the worker program
#   steps    list, see below; DIR in them stands for a directory of the run
#   stops    true: in the end it is stopped, not killed
#   notes    true: a listener hears all notifications
#   once     true: the same log line is looked at once
#   only     the kind of lines that is compared: steps, log, statistics, notes
#
# Steps:
#   [ ask => $line ]               one request and its whole answer
#   [ ask_at => $path, $line ]     the same at another socket
#   [ hold_at => $path, $n ]       so many connections there that ask nothing
#   [ map => $path, $octets ]      octets to a map socket, and one answer
#   [ raw => $octets, $then ]      octets and their answer; then 'half' closes
#                                  that direction first
#   [ send => $name, $line ]       leaves the connection open
#   [ take => $name ]              the whole answer
#   [ takes => @names ]            the whole answers of all, in any order
#   [ drop => $name ]              closes it without reading
#   [ fifo => $path ]              makes one
#   [ open => $path ]              lets the worker that opened it go on
#   [ letters => $word ]           waits until `status` begins with this word
#   [ report => $line, $regex ]    asks until the answer matches
#   [ log => $regex, $count ]      waits until so many log lines match
#   [ file => $path ]              waits until it is there
#   [ mode => $path ]              of a file
#   [ ours => @step ]              a step only with ours, whose lines do not
#   [ theirs => @step ]            count; only with the peer

use v5.36;
use Difference qw(shown);
use Errno      qw(ENXIO);
use Fcntl      qw(O_WRONLY O_NONBLOCK);
use File::Copy qw(copy);
use Harness    qw(temp_dir top program daemon_user start_process stop_process
    is_running wait_for read_file descendants);
use IO::Select ();
use IO::Socket::UNIX;
use Peers qw(peer_program peer_host);
use POSIX ();

=head1 METHODS

=head2 Pool->play($whose, $run)

Plays a run with a multiplexor, 'ours' or 'theirs'.  Returns { steps, log,
statistics, notes }, each a list of lines.

=head2 Pool->new($whose, $run), start(), stop([$gently])

The same by hand: one that is not started yet; returns when it answers; returns
what play returns.

=cut

sub new ($class, $whose, $run) {
    state $count = 0;
    my $dir = temp_dir() . "/pool$$-" . ++$count;
    return bless {
        dir       => $dir,
        socket    => "$dir/spool/socket",
        open      => {},
        notes     => '',
        lines     => [],
        whose     => $whose,
        run       => $run,
        has_notes => $run->{notes},
    }, $class;
}

sub play ($class, $whose, $run) {
    my $self = $class->new($whose, $run);
    my $ok   = eval {
        $self->start;
        $self->listen_to_notes;
        push @{ $self->{lines} }, $self->step(@$_) for @{ $run->{steps} };
        1;
    };
    push @{ $self->{lines} }, 'failed: ' . $@ =~ s/\s+/ /gr if !$ok;
    return $self->stop($run->{stops});
}

sub start ($self) {
    my ($dir, $whose, $run) = @$self{qw(dir whose run)};
    my $user = daemon_user();
    my (undef, undef, $uid, $gid) = getpwnam $user;
    for my $made ($dir, "$dir/spool") {
        mkdir $made or die "$made: $!\n";
        chmod 0755, $made or die "$made: $!\n";
        chown $uid, $gid, $made or die "$made: $!\n";
    }
    my $worker = "$dir/worker";
    copy(top() . '/tests/support/worker.pl', $worker) or die "$worker: $!\n";
    chmod 0755, $worker or die "$worker: $!\n";
    $self->{host} = peer_host("$dir/log");
    my $name = 'mimedefang-multiplexor';
    $self->{process} = start_process(
        cmd => [
            $self->{host}->wrap(
                ($whose eq 'ours' ? program($name) : peer_program($name)),
                '-D',
                '-U',
                $user,
                '-z',
                "$dir/spool",
                '-s',
                $self->{socket},
                '-f',
                ($run->{worker} // $worker) =~ s/DIR/$dir/r,
                '-t',
                "$dir/statistics",
                ($self->{has_notes} ? ('-O', "$dir/spool/notes") : ()),
                (map {s/DIR/$dir/r} @{ $run->{options} // [] }),
            )
        ],
        stdout => "$dir/output",
        stderr => "$dir/output",
        env    => $run->{env},
    );
    my $is_up = sub {
        die "it ended: " . read_file("$dir/output")
            if !is_running($self->{process});
        return eval { $self->do_ask('free') };
    };
    wait_for("start of $name", $is_up);
    return;
}

sub stop ($self, $stops = 0) {
    if ($self->{process}) {
        my @workers = descendants($self->{process}{pid});
        kill KILL => $self->{process}{pid}, @workers if !$stops;
        my $status = stop_process($self->{process}, $stops ? 'TERM' : 'KILL');
        push @{ $self->{lines} }, "wait status $status" if $stops;
        kill KILL => @workers if @workers;
        $self->read_notes;
    }
    my $log = '';
    if ($self->{host}) {
        $self->{host}->flush;
        $log = $self->{host}->text;
        $self->{host}->stop;
    }
    my $file  = "$self->{dir}/statistics";
    my %lines = (
        steps => $self->{lines},
        log   => [
            grep { !/\A\w+ syslog: / && ($stops || !/: started; /) } split /\n/,
            $log
        ],
        notes      => [ split /\n/, $self->{notes} ],
        statistics => [ split /\n/, -e $file ? read_file($file) : '' ],
    );
    @$_ = map { $self->comparable($_) } @$_ for values %lines;
    return \%lines;
}

sub connection ($self, $path = $self->{socket}) {
    return IO::Socket::UNIX->new(Peer => $path);
}

sub listen_to_notes ($self) {
    return if !$self->{has_notes};
    my $path   = "$self->{dir}/spool/notes";
    my $socket = wait_for('the notification socket',
        sub { IO::Socket::UNIX->new(Peer => $path) });
    my $hello = readline $socket;
    $self->{notes} = $hello;
    syswrite $socket, "?*\n";
    $self->{listener} = $socket;
    return;
}

sub read_notes ($self) {
    my $socket = delete $self->{listener} or return;
    my $select = IO::Select->new($socket);
    while ($select->can_read(5)) {
        last if !sysread $socket, $self->{notes}, 65536, length $self->{notes};
    }
    return;
}

# ---- steps ---------------------------------------------------------------------

sub step ($self, $name, @args) {
    s/DIR/$self->{dir}/g for grep { !ref } @args;
    my $do = $self->can("do_$name") or die "there is no step $name\n";
    return $do->($self, @args);
}

sub do_ask ($self, $line) {
    $self->do_send('ask', $line);
    return $self->do_take('ask', $line);
}

sub do_ask_at ($self, $path, $line) {
    $self->do_send('ask', $line, $path);
    return $self->do_take('ask', $line);
}

sub do_hold_at ($self, $path, $n) {
    push @{ $self->{held} }, map { $self->connection($path) } 1 .. $n;
    return;
}

sub do_map ($self, $path, $octets) {
    my $socket = $self->connection($path) or die "nobody listens\n";
    syswrite $socket, $octets;
    my ($answer, $select) = ('', IO::Select->new($socket));
    while ($answer !~ /\A(\d+):(.*),\z/s || length $2 != $1) {
        return shown($octets) . ': no end after 30 s' if !$select->can_read(30);
        last if !sysread $socket, $answer, 4096, length $answer;
    }
    return shown($octets) . ': ' . shown(length $answer ? $answer : '(end)');
}

sub do_raw ($self, $octets, $then = '') {
    my $socket = $self->connection;
    syswrite $socket, $octets;
    shutdown $socket, 1 if $then eq 'half';
    $self->{open}{raw} = $socket;
    return $self->do_take('raw', $octets);
}

sub do_send ($self, $name, $line, @path) {
    my $socket = $self->connection(@path) or die "nobody listens\n";
    syswrite $socket, "$line\n";
    $self->{open}{$name} = $socket;
    return;
}

sub do_take ($self, $name, $title = $name) {
    my $socket = delete $self->{open}{$name} or die "$name is not open\n";
    my $answer = '';
    my $select = IO::Select->new($socket);
    while ($select->can_read(30)) {
        my $n = sysread $socket, $answer, 65536, length $answer;
        next if $n;
        my @lines = map { shown($self->comparable($_)) } split /^/, $answer;
        return shown($self->comparable($title)) . ': '
            . (@lines ? join ' | ', @lines : '(nothing)');
    }
    return "$title: no end after 30 s";
}

sub do_takes ($self, @names) {
    my @answers = sort map { $self->do_take($_, 'one of them') } @names;
    return @answers;
}

sub do_ours ($self, @step) {
    $self->step(@step) if $self->{whose} eq 'ours';
    return;
}

sub do_theirs ($self, @step) {
    $self->step(@step) if $self->{whose} eq 'theirs';
    return;
}

sub do_drop ($self, $name) {
    delete $self->{open}{$name} or die "$name is not open\n";
    return;
}

sub do_fifo ($self, $path) {
    POSIX::mkfifo($path, oct 666) or die "$path: $!\n";
    chmod 0666, $path or die "$path: $!\n";
    return;
}

sub do_open ($self, $path) {
    wait_for(
        "$path to be read",
        sub {
            ## no critic (ProhibitUnusedVariables)
            return sysopen(my $fh, $path, O_WRONLY | O_NONBLOCK)
                || ($! == ENXIO ? 0 : die "$path: $!\n");
        }
    );
    return;
}

sub do_letters ($self, $word) {
    my $status;
    wait_for(
        "status $word",
        sub {
            $self->do_send('status', 'status');
            $status = $self->do_take('status');
            return $status =~ /\Astatus: \Q$word\E /;
        }
    );
    return $status;
}

sub do_report ($self, $line, $regex) {
    wait_for("$line $regex", sub { $self->do_ask($line) =~ $regex });
    return;
}

sub do_log ($self, $regex, $count = 1) {
    wait_for(
        "log $regex",
        sub {
            my @found = $self->{host}->text =~ /^.*$regex/gm;
            return @found >= $count;
        }
    );
    return;
}

sub do_file ($self, $path) {
    wait_for($path, sub { -e $path });
    return;
}

sub do_mode ($self, $path) {
    return "$path: " . sprintf '%04o', 07777 & (stat $path)[2];
}

# ---- without what is different each time -----------------------------------------

sub comparable ($self, $line) {
    $line =~ s/\Q$self->{dir}/DIR/g;
    $line =~ s/\bpid \d+/pid P/g;
    $line =~ s/age=\d+/age=N/g;
    $line =~ s/^([IBSK]+ \d+ \d+ \d+ \d+) \d+$/$1 UPTIME/;
    $line =~ s/^(\d+ [IBK]) \d+/$1 PID/;
    $line =~ s/ago=\d+/ago=N/;
    $line =~ s/(Age) \d+$/$1 N/;
    $line =~ s/^(PID) \d+$/$1 P/;
    my @words  = split / /, $line;
    my $uptime = { 29 => 28, 26 => 20 }->{ scalar @words };

    if ($line =~ /\A[\d. ]+\n?\z/ && ($uptime || @words == 16)) {
        for my $i (milliseconds(scalar @words)) {
            $words[$i] =~ s/\A[\d.]+/MS/;
        }
        $words[$uptime] =~ s/\A\d+/UPTIME/ if $uptime;
        $line = join ' ', @words;
    }
    $line =~ s/(resource usage: req=\d+, scans=\d+), .*/$1, .../;
    $line =~ s/\bstats \d+\.\d{3} /stats WHEN /;
    $line =~ s{^\d\d/\d\d/\d{4}:\d\d:\d\d:\d\d \d+\.\d{3} }{WHEN };
    return $line;
}

# The words of a report of so many that are times.
sub milliseconds ($n) {
    return $n == 29 ? 8 .. 11 : $n == 26 ? (2, 5, 8, 11) : 8 .. 15;
}

1;
