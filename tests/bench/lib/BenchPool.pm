# SPDX-License-Identifier: MIT
package BenchPool;

# A multiplexor to measure (see Pool), whose workers can be held: a request that
# says so returns when the lock on the file "hold" in the spool is given up.

use v5.36;
use parent 'Pool';
use Fcntl       qw(:flock);
use File::Copy  qw(copy);
use Harness     qw(daemon_user stage_worker temp_dir wait_for write_file);
use List::Util  qw(sum0);
use Peers       qw(peer_program peer_env);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

# The smallest one that can be held.
my $filter = <<'END';
use Fcntl qw(:flock);
sub hold {
    my ($lock) = @_;
    open my $file, '<', $lock or die "$lock: $!\n";
    flock $file, LOCK_SH or die "$lock: $!\n";
    return;
}
sub filter_relay {
    my (undef, $name) = @_;
    hold('hold') if $name eq 'hold';
    return ('CONTINUE', 'ok');
}
sub filter_begin { return hold('../hold') }
sub filter { return action_accept() }
sub filter_end {}
1;
END

my %request = (
    quick => 'relayok 127.0.0.1 quick 25 127.0.0.1 25 NOQUEUE',
    hold  => 'relayok 127.0.0.1 hold 25 127.0.0.1 25 NOQUEUE',
);

# A working directory as the front-end makes it.
my %message = (
    INPUTMSG => "From: <a\@example.com>\nSubject: Hello\n"
        . "Content-Type: multipart/mixed; boundary=b\n\n"
        . "--b\nContent-Type: text/plain\n\n"
        . ("A line of text as long as many are.\n" x 140)
        . "--b\nContent-Type: application/pdf; name=a.pdf\n"
        . "Content-Transfer-Encoding: base64\n\n"
        . ('QUJD' x 18 . "\n") x 70
        . "--b--\n",
    HEADERS => "From: <a\@example.com>\nSubject: Hello\n"
        . "Content-Type: multipart/mixed; boundary=b\n",
    COMMANDS => "S<a\@example.com>\nQQ1\nHlocalhost\nI127.0.0.1\n"
        . "Elocalhost\nR<b\@example.com> ? ? ?\nUHello\nX<1\@x>\nF\n",
);

=head1 METHODS

=head2 BenchPool->perl($whose, @options), BenchPool->instant($whose, @options)

One with the worker in Perl of the same package, and the smallest filter; with
tests/bench/instant_worker.c.  C<whose>: ours or theirs.

=cut

sub perl ($class, $whose, @options) {
    my $file = temp_dir() . '/filter';
    write_file($file, $filter);
    chmod 0644, $file or die "$file: $!\n";
    my $ours = $whose eq 'ours';
    return $class->new(
        $whose,
        {
            worker  => $ours ? stage_worker() : peer_program('mimedefang.pl'),
            env     => $ours ? {}             : { peer_env() },
            options => [ @options, '-F', $file ],
        }
    );
}

sub instant ($class, $whose, @options) {
    my $to = temp_dir() . '/instant_worker';
    if (!-e $to) {
        copy('build/test/bench/instant_worker', $to) or die "$to: $!\n";
        chmod 0755, $to or die "$to: $!\n";
    }
    return $class->new($whose, { worker => $to, options => \@options });
}

=head2 open_client([$line]), hold_one(), hold_scan()

A connection, on which a line was sent; a question, a message that hold their
worker.

=head2 queue_up($n)

So many connections with questions that wait: all workers are held.

=head2 answer_of($client), answered(@clients)

All that it says until it ends; each must say ok.

=cut

sub open_client ($self, $line = undef) {
    my $client = $self->connection || die "nobody listens: $!\n";
    syswrite $client, "$line\n" if defined $line;
    return $client;
}

sub hold_one ($self) { return $self->open_client($request{hold}) }

sub hold_scan ($self) {
    my $dir = "$self->{dir}/spool/mdefang-" . ++$self->{scans};
    my (undef, undef, $uid, $gid) = getpwnam daemon_user();
    mkdir $dir or die "$dir: $!\n";
    write_file("$dir/$_", $message{$_}) for keys %message;
    chown $uid, $gid, $dir, map {"$dir/$_"} keys %message;
    return $self->open_client("scan Q1 $dir");
}

sub queue_up ($self, $n) {
    my @clients  = map { $self->open_client($request{quick}) } 1 .. $n;
    my $all_wait = sub {
        my ($status) = $self->timed('status');
        return (split / /, $status)[4] == $n;
    };
    wait_for("$n to wait", $all_wait);
    return @clients;
}

sub answer_of ($self, $client) {
    my $text = '';
    while (sysread $client, $text, 65536, length $text) { }
    return $text;
}

sub answered ($self, @clients) {
    for my $client (@clients) {
        my $answer = $self->answer_of($client);
        die "not ok: $answer\n" if $answer !~ /\Aok\b/;
    }
    return;
}

=head2 refused(@clients)

Each asks and is refused: all workers are busy, and as many wait as may.

=cut

sub refused ($self, @clients) {
    syswrite $_, "$request{quick}\n" for @clients;
    for my $client (@clients) {
        my $answer = $self->answer_of($client);
        die "not refused as documented: $answer\n"
            if $answer ne "error: No free workers\n";
    }
    return;
}

=head2 lock_up(), let_go(@clients)

From now on who is held stays so; until here, when each of these has got its
answer from a worker of its own.

=cut

sub lock_up ($self) {
    my $file = "$self->{dir}/spool/hold";
    write_file($file, '') if !-e $file;
    chmod 0644, $file or die "$file: $!\n";
    open $self->{lock}, '<', $file or die "$file: $!\n";
    flock $self->{lock}, LOCK_EX or die "$file: $!\n";
    return;
}

sub let_go ($self, @clients) {
    $self->await_count('B', scalar @clients);
    close delete $self->{lock};
    $self->answered(@clients);
    return;
}

=head2 timed($line)

The answer to a line and the seconds that it took, with the connection.

=cut

sub timed ($self, $line) {
    my $before = clock_gettime(CLOCK_MONOTONIC);
    my $client = $self->open_client($line);
    my $text   = $self->answer_of($client);
    return ($text, clock_gettime(CLOCK_MONOTONIC) - $before);
}

sub quick ($self) {
    my ($text, $seconds) = $self->timed($request{quick});
    die "no answer: $text\n" if $text !~ /\Aok 1\b/;
    return $seconds;
}

=head2 counts()

How many workers are in each state: a hash by letter.

=cut

sub counts ($self) {
    my ($text) = $self->timed('status');
    my %n = map { $_ => 0 } qw(I B S K);
    $n{$_}++ for split //, $text =~ s/ .*//sr;
    return %n;
}

sub await_count ($self, $letter, $n) {
    wait_for(
        "$n workers $letter",
        sub {
            my %now = $self->counts;
            return $now{$letter} == $n;
        },
        120
    );
    return;
}

=head2 private_kb()

The mean private memory of its workers but the first.

=cut

sub private_kb ($self) {
    my ($text) = $self->timed('workers');
    my (undef, @pids) = $text =~ /^\d+ [IB] (\d+)/mg;
    my @kb;
    for my $pid (@pids) {
        open my $fh, '<', "/proc/$pid/smaps_rollup" or die "$pid: $!\n";
        push @kb, sum0(map { /^Private_\w+: +(\d+) kB/ ? $1 : () } <$fh>);
    }
    return sum0(@kb) / @kb;
}

1;
