# SPDX-License-Identifier: MIT
package Sendmail;

# A private Sendmail (see Mta).  Its package conflicts with Postfix's, so it is
# unpacked and not installed (`make deps` does that, in MTA_ROOT).  It runs on a
# private host: it logs to syslog only, and waits a minute for a host name
# without a dot.

use v5.36;
use parent 'Mta';
use Harness qw(top run_program start_process is_running stop_process
    descendants read_file wait_for write_file);
use File::Basename qw(dirname);
use File::Spec     ();
use IO::Socket::INET;
use PrivateHost ();

sub root {
    return File::Spec->rel2abs($ENV{MTA_ROOT} || 'build/mta', top());
}

sub program { return root() . '/usr/libexec/sendmail/sendmail' }

sub on_named_host (@command) {
    return ('unshare', '--uts', 'sh', '-c', 'hostname mx.example && exec "$@"',
        'sh', @command);
}

sub why_not ($class) {
    my $why = $class->SUPER::why_not;
    return $why                                   if $why;
    return program() . ' is not there: make deps' if !-x program();
    $why = PrivateHost->why_not;
    return $why if $why;
    my ($status, $out, $err)
        = run_program(20, on_named_host(program(), '-d0.1', '-bt'));
    return if $out =~ /^Version 8/m;
    return "Sendmail does not run: $err" =~ s/\s+/ /gr;
}

sub version ($class) {
    my ($status, $said)
        = run_program(20, on_named_host(program(), '-d0.1', '-bt'));
    return $said =~ /^Version (\S+)/m ? $1 : 'unknown';
}

sub launch ($self) {
    my $dir = $self->{dir};
    $self->{process} = start_process(
        cmd => [
            on_named_host(
                $self->{host}->wrap(program(), '-bD', "-C$dir/sendmail.cf")
            )
        ],
        stdout => "$dir/said",
        stderr => "$dir/said",
    );
    my $up = $self->await_ports;
    $self->{said} = read_file("$dir/said");
    return $up;
}

sub await_ports ($self) {
    my $ready = sub ($port) {
        my $s = IO::Socket::INET->new("127.0.0.1:$port") or return 0;
        print {$s} "QUIT\r\n";
        return 1;
    };
    my %left = reverse %{ $self->{port} };
    wait_for(
        'Sendmail to listen',
        sub {
            return 1 if !is_running($self->{process});
            delete @left{ grep { $ready->($_) } keys %left };
            return !%left;
        }
    );
    return !%left;
}

sub configure ($self, %o) {
    my $dir = $self->{dir};
    $self->make_directories('queue');
    $self->{host} = PrivateHost->start($self->{log});
    $self->{host}->etc('sasl2/Sendmail.conf', sasl($o{auth}));
    write_file("$dir/switch", "hosts files\naliases files\n");
    write_file("$dir/hosts",  "127.0.0.1 mx.example localhost\n");
    write_file("$dir/$_",     '') for qw(aliases cw);
    write_file("$dir/sendmail.mc",
              settings($dir, %o{qw(sink auth)})
            . ($o{lines}{'sendmail.mc'} // '')
            . $self->daemons(%o));
    my ($status, $cf, $err)
        = run_program(20, 'm4',
        '-D_CF_DIR_=' . root() . '/usr/share/sendmail/cf/',
        "$dir/sendmail.mc");
    die "m4: $err" if !defined $status || $status != 0;
    write_file("$dir/sendmail.cf", $cf);
    return;
}

sub sasl ($auth) {
    return
        "pwcheck_method: saslauthd\nsaslauthd_path: " . $auth->saslauthd . "\n";
}

sub daemons ($self, %o) {
    my $read = ($o{patience} // 60) . 's';
    my $text = '';
    my $n    = 0;
    for my $name (sort keys %{ $o{milters} }) {
        my $filter = 'f' . ++$n;
        my $port   = "Port=$self->{port}{$name}, Addr=127.0.0.1";
        if (!defined $o{milters}{$name}) {
            $text .= "DAEMON_OPTIONS(`Name=D$n, $port')dnl\n";
            next;
        }
        $text .= <<"END";
MAIL_FILTER(`$filter', `S=$o{milters}{$name}, F=T, T=C:30s;S:60s;R:$read;E:60s')dnl
DAEMON_OPTIONS(`Name=D$n, $port, InputMailFilters=$filter')dnl
END
    }
    return $text . "MAILER(`smtp')dnl\n";
}

sub settings ($dir, %o) {
    my $root        = root();
    my $certificate = $o{auth}->certificate;
    my %set         = (
        ALIAS_FILE                => "$dir/aliases",
        HELP_FILE                 => "$dir/help",
        QUEUE_DIR                 => "$dir/queue",
        RELAY_MAILER_ARGS         => "TCP \$h $o{sink}",
        SMART_HOST                => 'relay:[127.0.0.1]',
        STATUS_FILE               => "$dir/statistics",
        confAUTH_MECHANISMS       => 'PLAIN',
        confAUTH_OPTIONS          => 'A',
        confCACERT                => $certificate,
        confCACERT_PATH           => dirname($certificate),
        confSERVER_CERT           => $certificate,
        confSERVER_KEY            => $certificate,
        confTLS_SRV_OPTIONS       => 'V',
        confBIND_OPTS             => '-DNSRCH -DEFNAMES',
        confCW_FILE               => "$dir/cw",
        confDOMAIN_NAME           => 'mx.example',
        confDONT_BLAME_SENDMAIL   => 'TrustStickyBit',
        confDONT_PROBE_INTERFACES => 'True',
        confHOSTS_FILE            => "$dir/hosts",
        confMAX_DAEMON_CHILDREN   => 0,
        confMIN_FREE_BLOCKS       => 1,
        confPID_FILE              => "$dir/pid",
        confQUEUE_LA              => 1000,
        confREFUSE_LA             => 1000,
        confSERVICE_SWITCH_FILE   => "$dir/switch",
        confTO_IDENT              => 0,
    );
    return
          "divert(-1)\ninclude(`$root/usr/share/sendmail/cf/m4/cf.m4')\n"
        . "divert(0)dnl\nVERSIONID(`test')dnl\nOSTYPE(`linux')dnl\n"
        . join('', map {"define(`$_', `$set{$_}')dnl\n"} sort keys %set)
        . join(
        '',
        map {"FEATURE(`$_')dnl\n"}
            qw(nocanonify accept_unresolvable_domains promiscuous_relay
            accept_unqualified_senders no_default_msa)
        ) . "TRUST_AUTH_MECH(`PLAIN')dnl\n";
}

# A client that goes away is no fault of a milter.
sub complaints ($self) {
    return
        grep { !/collect: premature EOM/ }
        $self->log_text
        =~ /^(?:(?:emerg|alert|crit|err|warning) .*|.*Milter.*error.*)$/mg;
}

# Deliveries run in the background; what they leave in the queue did not work,
# or was quarantined (hf and df).
sub is_idle ($self) {
    my %file = map { m{([^/]*)\z} => 1 } glob "$self->{dir}/queue/*";
    delete @file{ $_, s/^h/d/r } for grep {/^hf/} keys %file;
    return !%file;
}

sub stop ($self) {
    my @children = descendants($self->{process}{pid});
    my $status   = stop_process($self->{process});
    kill 'KILL', $_ for @children;
    $self->{host}->stop;
    return $status;
}

1;
