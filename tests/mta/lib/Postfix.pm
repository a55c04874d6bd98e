# SPDX-License-Identifier: MIT
package Postfix;

# A private Postfix (see Mta).

use v5.36;
use parent 'Mta';
use Harness
    qw(run_program adopt_process uninterrupted stop_process read_file write_file);

# The server that knows passwords is not in the queue.
my $without_sasl = ' -o smtpd_sasl_auth_enable=no';

sub why_not ($class) {
    return $class->SUPER::why_not
        // (-x '/usr/sbin/postfix' ? undef : 'Postfix is not installed');
}

sub version ($class) {
    my ($status, $said) = run_program(20, qw(postconf -dh mail_version));
    return $said =~ s/\s+//gr;
}

# The program waits until the daemon is ready or has failed.
sub launch ($self) {
    return uninterrupted(
        sub {
            my @command = ('postfix', '-c', "$self->{dir}/etc", 'start');
            @command = $self->{host}->wrap(@command) if $self->{host};
            my ($status, @said) = run_program(30, @command);
            $self->{said} = "@said";
            return 0 if !defined $status || $status != 0;
            my ($pid)
                = read_file("$self->{dir}/queue/pid/master.pid") =~ /(\d+)/;
            $self->{master} = adopt_process($pid);
        }
    );
}

sub configure ($self, %o) {
    my $dir = $self->{dir};
    $self->{host} = $o{host};
    $self->make_directories(qw(etc queue data));
    chown scalar getpwnam('postfix'), -1, "$dir/data" or die "$dir/data: $!\n";
    my ($submission) = grep { $_->{submission} } values %{ $o{ports} };
    my $milter       = $submission ? milter_address($submission->{milter}) : '';
    my $more         = $o{lines}{'main.cf'} // '';
    my %said         = map { $_ => 1 } $more =~ /^(\w+) =/mg;
    my $usual        = main_cf($dir, %o{qw(sink auth patience)})
        . "non_smtpd_milters = $milter\n";
    write_file("$dir/etc/main.cf",
        $usual =~ s/^(\w+) =.*\n/$said{$1} ? '' : $&/megr . $more);
    my $chroot = $o{chroot} // 'n';
    my $smtpd  = join '', map {
              "127.0.0.1:$self->{port}{$_} inet n - $chroot - - smtpd"
            . port_options(%{ $o{ports}{$_} })
            . ($chroot eq 'y' ? $without_sasl : '') . "\n"
        }
        sort keys %{ $o{ports} };
    write_file("$dir/etc/master.cf",
        $smtpd . services($chroot) . ($o{lines}{'master.cf'} // ''));
    return;
}

sub port_options (%o) {
    my $options = '';
    $options .= ' -o smtpd_milters=' . milter_address($o{milter})
        if defined $o{milter};
    $options .= " -o milter_protocol=$o{protocol}" if $o{protocol};
    $options
        .= ' -o { smtpd_recipient_restrictions = check_recipient_access'
        . " socketmap:unix:$o{map}:mail, permit_mynetworks, reject }"
        if $o{map};
    return $options;
}

# It spells an address in a way of its own.
sub milter_address ($address) {
    return $address =~ s/\Ainet:(\d+)\@(.*)/inet:$2:$1/r;
}

sub submit ($self, $, $from, $to, $text) {
    return $self->run_with_input($text, '/usr/sbin/sendmail', '-C',
        "$self->{dir}/etc", '-i', '-f', $from, $to);
}

sub main_cf ($dir, %o) {
    my ($certificate, $auth) = ($o{auth}->certificate, $o{auth}->dovecot);
    my $patience = $o{patience} // 60;
    return <<"END";
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
maillog_file_prefixes = /
maillog_file = $dir/log
myhostname = mx.example
mydomain = example
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8, 192.0.2.0/24
relayhost = [127.0.0.1]:$o{sink}
disable_dns_lookups = yes
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 1000
smtpd_client_connection_count_limit = 0
message_size_limit = 50000000
local_header_rewrite_clients =
disable_mime_output_conversion = yes
smtp_connection_cache_on_demand = no
smtp_tls_security_level = none
smtpd_tls_security_level = may
smtpd_tls_chain_files = $certificate
smtpd_tls_CAfile = $certificate
smtpd_tls_ask_ccert = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = $auth
in_flow_delay = 0
milter_default_action = tempfail
milter_protocol = 6
milter_command_timeout = ${patience}s
milter_content_timeout = ${patience}s
END
}

sub services ($chroot) {
    return "cleanup unix n - $chroot - 0 cleanup\n" . <<'END';
pickup     unix       n  -  n  60    1  pickup
qmgr       unix       n  -  n  300   1  qmgr
rewrite    unix       -  -  n  -     -  trivial-rewrite
bounce     unix       -  -  n  -     0  bounce
defer      unix       -  -  n  -     0  bounce
trace      unix       -  -  n  -     0  bounce
smtp       unix       -  -  n  -     -  smtp
relay      unix       -  -  n  -     -  smtp
error      unix       -  -  n  -     -  error
retry      unix       -  -  n  -     -  error
discard    unix       -  -  n  -     -  discard
showq      unix       n  -  n  -     -  showq
anvil      unix       -  -  n  -     1  anvil
proxymap   unix       -  -  n  -     -  proxymap
tlsmgr     unix       -  -  n  1000? 1  tlsmgr
postlog    unix-dgram n  -  n  -     1  postlogd
END
}

# A machine whose clock is set while the test runs is no fault of a milter, nor
# is a map that is asked to fail.
my $no_fault = join '|', 'file system clock is \d+ seconds ahead',
    'resetting file time stamps', 'socketmap server \w+ error',
    'warning: socketmap:\S+ lookup error';

sub complaints ($self) {
    return
        grep { !/$no_fault/ }
        $self->log_text =~ /^.*(?:warning|fatal|panic|milter-\w+ error).*$/mg;
}

sub is_idle ($self) {
    for my $queue (qw(maildrop incoming active deferred)) {
        my @files
            = glob "$self->{dir}/queue/$queue/* $self->{dir}/queue/$queue/*/*";
        return 0 if grep {-f} @files;
    }
    return 1;
}

# In its queue "hold"; the reason is nowhere.
sub quarantined ($self, $domain) {
    for my $file (glob "$self->{dir}/queue/hold/*") {
        return 'held' if read_file($file) =~ /\@\Q$domain\E/;
    }
    return;
}

sub stop ($self) {
    return $self->{master} ? stop_process($self->{master}) : undef;
}

1;
