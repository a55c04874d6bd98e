# SPDX-License-Identifier: MIT
package Daemon;

# The daemon under test: `mimedefang` with its built-in multiplexor, or with a
# separate `mimedefang-multiplexor`, with a filter and a spool of its own, in
# the foreground, logging to a file.

use v5.36;
use Harness qw(top program temp_dir daemon_user stage_worker start_process
    stop_process is_running wait_for free_port read_file write_file run_program);
use MilterClient ();

my $count = 0;

=head1 METHODS

=head2 Daemon->start(%options)

Starts it and returns when it serves.  Options, all optional:

  filter    text of the filter
  listen    'unix' (default) or 'inet'
  separate  true: with a separate multiplexor
  options   list: options of mimedefang (default: all checks); SPOOL in one
            stands for the spool directory
  mux       list: options of the multiplexor (default: -m 1 -x 4)
  user      instead of daemon_user()
  spool     directory instead of one of our own
  on        a PrivateHost that it runs on

Dies, with the log, if it does not come up.

=cut

sub start ($class, %o) {
    my $self = $class->prepare(%o);
    for my $try (1 .. 3) {
        $self->{address} = 'inet:' . free_port() . '@127.0.0.1'
            if ($o{listen} // 'unix') eq 'inet';
        $self->launch;
        return $self if $self->await_ready;
        $self->stop;
        last if $self->log_text !~ /in use/i;
    }
    die "the daemon did not come up:\n" . $self->log_text;
}

=head2 Daemon->prepare(%options)

The same without starting anything: makes the directories and files.

=cut

sub prepare ($class, %o) {
    my $dir  = temp_dir() . '/daemon' . ++$count;
    my $self = bless {
        dir      => $dir,
        spool    => $o{spool} // "$dir/spool",
        user     => $o{user}  // scalar daemon_user(),
        separate => $o{separate},
        on       => $o{on},
        log      => "$dir/log",
    }, $class;
    mkdir $dir or die "$dir: $!\n";
    chmod 0755, $dir or die "$dir: $!\n";
    $self->make_spool if !$o{spool};
    my %words = (
        options => $o{options} // [qw(-r -H -s -t)],
        mux     => $o{mux}     // [qw(-m 1 -x 4)],
    );
    for my $key (keys %words) {
        $self->{$key}
            = [ map {s/\bSPOOL\b/$self->{spool}/r} @{ $words{$key} } ];
    }
    $self->{address} = "unix:$self->{spool}/mimedefang.sock";
    $self->filter($o{filter} // '1;');
    return $self;
}

sub make_spool ($self) {
    mkdir $self->{spool}, 0750 or die "$self->{spool}: $!\n";
    return if !defined $self->{user};
    my (undef, undef, $uid, $gid) = getpwnam $self->{user};
    chown $uid, $gid, $self->{spool} or die "$self->{spool}: $!\n";
    return;
}

=head2 filter($text)

Writes the filter file (again).  Text without a last C<1;> gets one.

=cut

sub filter ($self, $text) {
    $self->{filter} = "$self->{dir}/filter";
    write_file($self->{filter}, "$text\n1;\n");
    chmod 0644, $self->{filter} or die "$self->{filter}: $!\n";
    return;
}

sub control_socket ($self) {
    return "$self->{spool}/mimedefang-multiplexor.sock";
}

=head2 mux_options(), commands()

What the multiplexor gets; the command lines, that of the separate multiplexor
first.

=cut

sub mux_options ($self) {
    return (@{ $self->{mux} },
        '-l', '-f', $self->worker,
        '-F', $self->{filter}, '-s', $self->control_socket);
}

sub worker ($self) { return stage_worker() }

sub commands ($self) {
    my @common = ('-D', '--log-stderr', '-z', $self->{spool});
    push @common, '-U', $self->{user} if defined $self->{user};
    my @front = (
        program('mimedefang'), @common, '-p', $self->{address},
        @{ $self->{options} }
    );
    return [ @front, '--', $self->mux_options ] if !$self->{separate};
    return (
        [ program('mimedefang-multiplexor'), @common, $self->mux_options ],
        [ @front,                            '-m',    $self->control_socket ],
    );
}

sub launch ($self) {
    $self->{processes} = [ map { $self->launch_one($_) } $self->commands ];
    return;
}

sub launch_one ($self, $command) {
    return start_process(
        cmd    => $self->{on} ? [ $self->{on}->wrap(@$command) ] : $command,
        stdout => $self->{log},
        stderr => $self->{log},
        env    => { MIMEDEFANG_LOG => 'stderr' },
    );
}

sub await_ready ($self) {
    return wait_for(
        'start of the daemon',
        sub {
            return -1 if grep { !is_running($_) } @{ $self->{processes} };
            return $self->log_text =~ /entering main loop/;
        }
    ) > 0;
}

=head2 log_text(), await_log($regex [, $count]), log_lines($regex)

What the daemon and its workers have logged; waits until a line is there; the
lines that match.

=cut

sub log_text ($self) { return -e $self->{log} ? read_file($self->{log}) : '' }

sub log_lines ($self, $regex) {
    return grep { $_ =~ $regex } split /\n/, $self->log_text;
}

sub await_log ($self, $regex, $count = 1) {
    return wait_for("log line $regex",
        sub { $self->log_lines($regex) >= $count });
}

=head2 pid()

Of mimedefang.

=head2 stop([$signal])

Stops it (both); returns the wait status of mimedefang.

=cut

sub pid ($self) { return $self->{processes}[-1]{pid} }

sub stop ($self, $signal = 'TERM') {
    my $status;
    for my $p (reverse @{ delete $self->{processes} // [] }) {
        my $got = stop_process($p, $signal);
        $status //= $got;
        $signal = 'TERM';    # INT makes the separate multiplexor reread
    }
    return $status;
}

=head2 milter()

A new connection to it, as an MTA makes it.

=head2 control(@words)

Asks through md-mx-ctrl.  Returns (exit status, stdout, stderr).

=head2 workers()

Pids of the workers, in slot order; C<first_worker> waits until there is one
and returns its pid.

=cut

sub milter ($self, %o) { return MilterClient->new($self->{address}, %o) }

sub control ($self, @words) {
    return run_program(20, program('md-mx-ctrl'), '-s', $self->control_socket,
        @words);
}

sub workers ($self) {
    my (undef, $text) = $self->control('workers');
    return map { /\A\d+ [IBK] (\d+)/ ? $1 : () } split /\n/, $text;
}

sub first_worker ($self) {
    my $wait = sub {
        my ($pid) = $self->workers;
        return $pid;
    };
    return wait_for('the first worker', $wait);
}

=head2 leftovers(), spares()

Names of working directories in the spool; of empty ones that wait for messages.

=cut

sub leftovers ($self) { return $self->_in_spool(qr/\Amdefang-/) }
sub spares    ($self) { return $self->_in_spool(qr/\A\.spare-/) }

sub _in_spool ($self, $regex) {
    opendir my $dh, $self->{spool} or die "$self->{spool}: $!\n";
    return grep {/$regex/} readdir $dh;
}

1;
