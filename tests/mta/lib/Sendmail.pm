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

# It tries a port that is taken again and again, and says so in its log only.
sub await_ports ($self) {
    my $ready = sub ($port) {
        my $s = IO::Socket::INET->new("127.0.0.1:$port") or return 0;
        print {$s} "QUIT\r\n";
        return 1;
    };
    my %left    = reverse %{ $self->{port} };
    my $is_over = sub {
        delete @left{ grep { $ready->($_) } keys %left };
        return
              !%left
            || $self->log_text =~ /in use/i
            || !is_running($self->{process});
    };
    eval { wait_for('Sendmail to listen', $is_over) };
    return !%left;
}

sub configure ($self, %o) {
    my $dir = $self->{dir};
    $self->make_directories(qw(queue client-queue));
    $self->{host} = PrivateHost->start($self->{log});
    $self->{host}->etc('sasl2/Sendmail.conf', sasl($o{auth}));
    write_file("$dir/switch", "hosts files\naliases files\n");
    write_file("$dir/hosts",  "127.0.0.1 mx.example localhost\n");
    write_file("$dir/$_",     '') for qw(aliases cw);
    $self->make_cf('sendmail',
              settings($dir, %o{qw(sink auth)})
            . ($o{lines}{'sendmail.mc'}   // '')
            . $self->daemons($o{patience} // 60, %{ $o{ports} }));
    my ($submission)
        = grep { $o{ports}{$_}{submission} } keys %{ $o{ports} };
    return if !$submission;
    $self->make_cf('submit', submit_mc($dir, $self->{port}{$submission}));
    my (undef, undef, $uid, $gid) = getpwnam 'nobody';
    chown $uid, $gid, "$dir/client-queue" or die "$dir/client-queue: $!\n";
    chmod 0770, "$dir/client-queue" or die "$dir/client-queue: $!\n";
    return;
}

sub make_cf ($self, $name, $text) {
    my $file = "$self->{dir}/$name";
    my $root = root() . '/usr/share/sendmail/cf';
    write_file("$file.mc",
              "divert(-1)\ninclude(`$root/m4/cf.m4')\n"
            . "divert(0)dnl\nVERSIONID(`test')dnl\nOSTYPE(`linux')dnl\n$text");
    my ($status, $cf, $err)
        = run_program(20, 'm4', "-D_CF_DIR_=$root/", "$file.mc");
    die "m4: $err" if !defined $status || $status != 0;
    write_file("$file.cf", $cf);
    return;
}

sub sasl ($auth) {
    return
        "pwcheck_method: saslauthd\nsaslauthd_path: " . $auth->saslauthd . "\n";
}

sub daemons ($self, $patience, %port) {
    my $text = '';
    my $n    = 0;
    for my $name (sort keys %port) {
        my $filter = 'f' . ++$n;
        my $port   = "Port=$self->{port}{$name}, Addr=127.0.0.1";
        if (!defined $port{$name}{milter}) {
            $text .= "DAEMON_OPTIONS(`Name=D$n, $port')dnl\n";
            next;
        }
        $text .= <<"END";
MAIL_FILTER(`$filter', `S=$port{$name}{milter}, F=T, T=C:30s;S:60s;R:${patience}s;E:60s')dnl
DAEMON_OPTIONS(`Name=D$n, $port, InputMailFilters=$filter')dnl
END
    }
    $text .= "MAILER(`smtp')dnl\n";
    my ($map) = grep {defined} map { $_->{map} } values %port;
    $text .= socket_map($map) if $map;
    return $text;
}

# Tabs separate the sides of a rule.
sub socket_map ($socket) {
    return <<"END";
LOCAL_CONFIG
Kmail socket -T<TMPF> local:$socket
LOCAL_RULESETS
SLocal_check_rcpt
R< \$+ \@ map . \$+ >\t\$: \$( mail \$1\@map.\$2 \$: OK \$)
R\$* <TMPF>\t\$#error \$\@ 4.3.0 \$: "451 the map has no answer"
RREJECT \$+\t\$#error \$\@ 5.7.1 \$: "554 " \$1
END
}

sub submit ($self, $, $from, $to, $text) {
    return $self->run_with_input(
        $text,
        on_named_host(
            $self->{host}->wrap(
                program(), '-Am', "-C$self->{dir}/submit.cf",
                '-i', '-f', $from, $to
            )
        )
    );
}

sub submit_mc ($dir, $port) {
    my %set = (
        MSP_QUEUE_DIR           => "$dir/client-queue",
        RELAY_MAILER_ARGS       => "TCP \$h $port",
        STATUS_FILE             => "$dir/client-statistics",
        confBIND_OPTS           => '-DNSRCH -DEFNAMES',
        confDOMAIN_NAME         => 'mx.example',
        confHOSTS_FILE          => "$dir/hosts",
        confPID_FILE            => "$dir/client-pid",
        confRUN_AS_USER         => 'nobody:nogroup',
        confSERVICE_SWITCH_FILE => "$dir/switch",
    );
    return definitions(%set) . "FEATURE(`msp', `[127.0.0.1]')dnl\n";
}

sub settings ($dir, %o) {
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
    return definitions(%set) . join(
        '',
        map {"FEATURE(`$_')dnl\n"}
            qw(nocanonify accept_unresolvable_domains promiscuous_relay
            accept_unqualified_senders no_default_msa)
    ) . "TRUST_AUTH_MECH(`PLAIN')dnl\n";
}

sub definitions (%set) {
    return join '', map {"define(`$_', `$set{$_}')dnl\n"} sort keys %set;
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

# A line of the queue file.
sub quarantined ($self, $domain) {
    for my $file (glob "$self->{dir}/queue/hf*") {
        my $text = read_file($file);
        next if $text !~ /\@\Q$domain\E/;
        return $text  =~ /^q(.*)/m ? $1 : 'held';
    }
    return;
}

sub stop ($self) {
    my @children = descendants($self->{process}{pid});
    my $status   = stop_process($self->{process});
    kill 'KILL', $_ for @children;
    $self->{host}->stop;
    return $status;
}

1;
