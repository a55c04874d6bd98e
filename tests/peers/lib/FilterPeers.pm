# SPDX-License-Identifier: MIT
package FilterPeers;

# Filters of Debian's packages, each started on a socket of its own with a
# configuration of ours, with what it asks behind it (spamd, clamd), and stopped
# by pid.  None of them asks a name server.
#
# A row of the table is one filter: package, program, and a function that writes
# its files below a directory and returns what is to be started, in order; the
# last one is the filter.

use v5.36;
use Exporter qw(import);
use Harness
    qw(top program temp_dir start_process stop_process is_running is_alive
    wait_for read_file write_file run_program);
use IO::Socket::UNIX;
use PeerDaemon ();

our @EXPORT_OK = qw(filter_peers);

my $count = 0;

my %peers = (
    'opendkim' => {
        package => 'opendkim',
        program => '/usr/sbin/opendkim',
        about   => 'signs what comes from 192.0.2.17',
        setup   => \&opendkim,
    },
    'spamass-milter' => {
        package => 'spamass-milter',
        program => '/usr/sbin/spamass-milter',
        also  => { '/usr/sbin/spamd' => 'spamd', '/usr/bin/spamc' => 'spamc' },
        about => 'asks spamd, which has one rule',
        setup => \&spamass_milter,
    },
    'clamav-milter' => {
        package => 'clamav-milter',
        program => '/usr/sbin/clamav-milter',
        also    => { '/usr/sbin/clamd' => 'clamav-daemon' },
        about   => 'asks clamd, which has one signature',
        setup   => \&clamav_milter,
    },
    'python3-milter' => {
        package => 'python3-milter',
        program => '/usr/bin/python3',
        modules => 'Milter',
        about   => 'a script that makes every kind of change',
        setup   => \&python_milter,
    },
    'rspamd' => {
        package => 'rspamd',
        program => '/usr/bin/rspamd',
        about   => 'its proxy, which scans by itself, with one rule',
        setup   => \&rspamd,
    },
    'libmilter' => {
        package => 'libmilter1.0.1',
        program => 'peer_null',        # see `make check-peers`
        about   => 'a null filter of ours on Debian\'s libmilter',
        setup   => sub ($self) {
            return [ $self->command, $self->{path} ];
        },
    },
    'mimedefang' => {
        package => 'mimedefang',
        program => undef,                                       # see PeerDaemon
        about   => 'Debian\'s, with its multiplexor and worker',
    },
);

=head1 FUNCTIONS

=head2 filter_peers()

The names of all of them.

=head1 METHODS

=head2 FilterPeers->why_not($name)

Why this one cannot be run here, undef if it can.

=head2 FilterPeers->start($name [, watched => 1])

Starts it and returns when it takes connections; dies, with what it logged, if
it does not.  A watched one is started again, a moment later, whenever it ends,
as a service manager would do it.

=head2 name(), about(), version(), address(), pid()

Its name, what it does, the version of the package, the connection string of its
socket, the process that serves it.

=head2 is_serving()

Whether it is still running and takes a connection.

=head2 log_text()

What it, and what stands behind it, have said.

=head2 stop()

=cut

sub filter_peers {
    my @names = sort keys %peers;
    return @names;
}

# One of ours lies beside the other programs for tests.
sub absolute ($path) {
    return $path =~ m{\A/} ? $path : program("../test/bench/$path");
}

sub why_not ($class, $name) {
    my $peer = $peers{$name} or die "there is no peer $name\n";
    return PeerDaemon->why_not if !$peer->{program};
    my %needs
        = (%{ $peer->{also} // {} }, $peer->{program} => $peer->{package});
    for my $program (sort keys %needs) {
        return "$program is not there (package $needs{$program})"
            if !-x absolute($program);
    }
    my $module = $peer->{modules} or return;
    my ($status)
        = run_program(30, $peer->{program}, '-c', "import $module");
    return "no module $module here (package $peer->{package})"
        if !defined $status || $status != 0;
    return;
}

# Runs the command again whenever it ends, until it is told to stop.
my $watch = <<'END';
my $pid;
$SIG{TERM} = sub { kill TERM => $pid if $pid; exit };
while (1) {
    $pid = fork;
    die "fork: $!\n" if !defined $pid;
    exec @ARGV or die "exec: $!\n" if !$pid;
    waitpid $pid, 0;
    select undef, undef, undef, 0.2;
}
END

sub start ($class, $name, %o) {
    my $peer = $peers{$name} or die "there is no peer $name\n";
    my $dir  = temp_dir() . '/peer' . ++$count;
    mkdir $dir, 0755 or die "$dir: $!\n";
    chmod 0755, $dir or die "$dir: $!\n";
    my $self = bless {
        %$peer,
        %o,
        name      => $name,
        dir       => $dir,
        path      => "$dir/filter.sock",
        log       => "$dir/log",
        processes => [],
    }, $class;
    $peer->{program} ? $self->launch : $self->launch_daemon;
    return $self;
}

# One after the other: each is there before the next one looks for it.
sub launch ($self) {
    my @commands = $self->{setup}->($self);
    $commands[-1] = [ $^X, '-e', $watch, @{ $commands[-1] } ]
        if $self->{watched};
    for my $command (@commands) {
        my $process = start_process(
            cmd    => $command,
            stdout => $self->{log},
            stderr => $self->{log},
        );
        push @{ $self->{processes} }, $process;
        my $socket
            = $command == $commands[-1]
            ? $self->{path}
            : "$self->{dir}/behind.sock";
        my $up = eval {
            wait_for("$self->{name}: $command->[0]",
                sub { !is_running($process) || answers($socket) }, 120);
            is_running($process);
        };
        if (!$up) {
            my $text = $self->log_text;
            $self->stop;
            die "$self->{name} did not come up: $command->[0]\n$text";
        }
    }
    return;
}

sub launch_daemon ($self) {
    $self->{daemon} = PeerDaemon->start(
        peer   => [qw(front multiplexor worker)],
        filter => 'sub filter_end { action_add_header("X-Peer", "seen") }',
    );
    $self->{path} = $self->{daemon}{address} =~ s/\Aunix://r;
    return;
}

sub answers ($socket) {
    return IO::Socket::UNIX->new(Peer => $socket) ? 1 : 0;
}

sub name    ($self) { return $self->{name} }
sub about   ($self) { return $self->{about} }
sub address ($self) { return "unix:$self->{path}" }
sub command ($self) { return absolute($self->{program}) }

sub version ($self) {
    return PeerDaemon->version =~ s/.*version\s+//r if $self->{daemon};
    my ($status, $version)
        = run_program(30, 'dpkg-query', '-W', '-f', '${Version}',
        $self->{package});
    return defined $status && $status == 0 ? $version : 'unknown';
}

sub pid ($self) {
    return $self->{daemon}
        ? $self->{daemon}->pid
        : $self->{processes}[-1]{pid};
}

sub is_serving ($self) {
    return is_alive($self->pid) && answers($self->{path});
}

sub log_text ($self) {
    return $self->{daemon}->log_text if $self->{daemon};
    return -e $self->{log} ? read_file($self->{log}) : '';
}

sub stop ($self) {
    $self->{daemon}->stop if $self->{daemon};
    stop_process($_) for reverse @{ $self->{processes} };
    $self->{processes} = [];
    return;
}

# ---- the filters --------------------------------------------------------------

sub file ($self, $name, $text) {
    my $path = "$self->{dir}/$name";
    write_file($path, $text);
    chmod 0644, $path or die "$path: $!\n";
    return $path;
}

sub opendkim ($self) {
    my ($status, undef, $err)
        = run_program(60, qw(openssl genrsa -out), "$self->{dir}/key", 2048);
    die "openssl genrsa failed: $err\n" if !defined $status || $status != 0;
    my $hosts = $self->file('hosts', "192.0.2.17\n127.0.0.1\n");
    my $conf  = $self->file('conf',  <<"END");
Socket local:$self->{path}
Background no
Syslog no
Mode sv
Domain example.net
Selector sallyport
KeyFile $self->{dir}/key
InternalHosts $hosts
RequireSafeKeys no
Nameservers 127.0.0.1
END
    return [ $self->command, '-f', '-x', $conf ];
}

sub spamass_milter ($self) {
    mkdir "$self->{dir}/$_" or die "$_: $!\n" for qw(rules home);
    chmod 0777, "$self->{dir}/home" or die "home: $!\n";
    $self->file('rules/v320.pre',
        "loadplugin Mail::SpamAssassin::Plugin::Check\n");
    $self->file('rules/10.cf', <<'END');
util_rb_tld com net org example
body SPAMMY /buy\s+sallyport\s+pills/
score SPAMMY 7.5
required_score 5
END
    my $spamd = "$self->{dir}/behind.sock";
    return [
        '/usr/sbin/spamd',
        '--local',
        '--nouser-config',
        '--max-children=4',
        "--configpath=$self->{dir}/rules",
        "--siteconfigpath=$self->{dir}/rules",
        "--helper-home-dir=$self->{dir}/home",
        '--syslog=stderr',
        "--socketpath=$spamd",
        '--socketmode=0666',
        ],
        [ $self->command, '-p', $self->{path}, '-r', '15', '--', '-U', $spamd ];
}

sub clamav_milter ($self) {
    mkdir "$self->{dir}/$_" or die "$_: $!\n" for qw(db tmp);
    chmod 0777, "$self->{dir}/tmp" or die "tmp: $!\n";
    $self->file('db/test.ndb',
        'Test.Sallyport:0:*:' . unpack('H*', 'a sallyport test') . "\n");
    my $clamd = "$self->{dir}/behind.sock";
    my $conf  = $self->file('clamd.conf', <<"END");
LocalSocket $clamd
Foreground yes
DatabaseDirectory $self->{dir}/db
TemporaryDirectory $self->{dir}/tmp
END
    my $milter = $self->file('conf', <<"END");
MilterSocket unix:$self->{path}
ClamdSocket unix:$clamd
Foreground yes
TemporaryDirectory $self->{dir}/tmp
AddHeader Replace
OnInfected Reject
OnFail Defer
RejectMsg It has %v in it
END
    return [ '/usr/sbin/clamd', '-c', $conf ],
        [ $self->command, '-c', $milter ];
}

sub python_milter ($self) {
    return [
        $self->command, top() . '/tests/peers/lib/python-milter.py',
        $self->{path}
    ];
}

sub rspamd ($self) {
    mkdir "$self->{dir}/$_" or die "$_: $!\n" for qw(tmp hs);
    chmod 0777, map {"$self->{dir}/$_"} qw(tmp hs);
    $self->file('tld', join '', map {"$_\n"} qw(com net org example));
    $self->file('rules.lua', <<'END');
rspamd_config:register_symbol({
  name = 'SALLYPORT_TEST', score = 7.5, type = 'normal',
  callback = function(task)
    return string.find(task:get_header('Subject') or '', 'pills') and true
  end
})
END
    my $conf = $self->file('rspamd.conf', <<"END");
options {
  filters = "";
  pidfile = "$self->{dir}/pid";
  tempdir = "$self->{dir}/tmp";
  hs_cache_dir = "$self->{dir}/hs";
  url_tld = "$self->{dir}/tld";
  disable_hyperscan = true;
  control_socket = "$self->{dir}/control mode=0600";
  dns { nameserver = ["127.0.0.1:1"]; timeout = 1s; retransmits = 1; }
}
logging { type = "console"; level = "warning"; }
worker "rspamd_proxy" {
  bind_socket = "$self->{path} mode=0666";
  count = 1;
  milter = yes;
  timeout = 60s;
  upstream "local" { default = yes; self_scan = yes; }
}
actions { reject = 15; add_header = 6; }
lua = "$self->{dir}/rules.lua";
END
    return [ $self->command, '-f', '-i', '-c', $conf ];
}

1;
