# SPDX-License-Identifier: MIT
package Postfix;

# A private Postfix: configuration, queue and data below the test's temporary
# directory, loopback only, without DNS, everything relayed to a sink.  It has
# one SMTP port for each milter that it is to use.

use v5.36;
use Harness qw(temp_dir run_program adopt_process uninterrupted stop_process
    free_port read_file write_file);

my $count = 0;

=head1 METHODS

=head2 Postfix->why_not

Why Postfix cannot be run here; undef if it can.

=cut

sub why_not ($class) {
    return 'needs root: Postfix switches users' if $>;
    return 'Postfix is not installed'           if !-x '/usr/sbin/postfix';
    return;
}

=head2 Postfix->start(sink => PORT, auth => AuthServer, milters => ...)

Starts it with these milters: { NAME => ADDRESS, ... }; returns when all its
ports answer.  An ADDRESS is as our daemon spells it: C<inet:PORT@HOST>,
C<unix:/path>.  A milter with the name "protocol 2" is spoken to in version 2 of
the protocol, and so on.

=head2 port($name)

The SMTP port whose mail passes that milter.

=head2 log_text()

What it has logged.

=head2 complaints()

The lines of its log that it writes when something is wrong.

=head2 is_idle()

True if there is no mail in its queue.

=head2 stop()

=cut

sub start ($class, %o) {
    my ($self, $said);
    for my $try (1 .. 3) {
        my $dir = temp_dir() . '/postfix' . ++$count;
        $self = bless { dir => $dir, log => "$dir/log" }, $class;
        $self->{port}{$_} = free_port() for sort keys %{ $o{milters} };
        $self->write_configuration(%o);
        $said = uninterrupted(sub { $self->launch });
        return $self if $self->{master};
        last         if $self->log_text !~ /in use/i;
    }
    die "Postfix did not start:\n$said", $self->log_text;
}

# The program waits until the daemon is ready or has failed.
sub launch ($self) {
    my ($status, @said)
        = run_program(30, 'postfix', '-c', "$self->{dir}/etc", 'start');
    my $file = "$self->{dir}/queue/pid/master.pid";
    if (defined $status && $status == 0) {
        my ($pid) = read_file($file) =~ /(\d+)/;
        $self->{master} = adopt_process($pid);
    }
    return "@said";
}

sub write_configuration ($self, %o) {
    my $dir = $self->{dir};
    for my $d ($dir, "$dir/etc", "$dir/queue", "$dir/data") {
        mkdir $d, 0755 or die "$d: $!\n";
    }
    chown scalar getpwnam('postfix'), -1, "$dir/data" or die "$dir/data: $!\n";
    write_file("$dir/etc/main.cf", main_cf($dir, %o{qw(sink auth)}));
    my $smtpd = join '', map {
        "127.0.0.1:$self->{port}{$_} inet n - n - - smtpd"
            . milter_options($_, $o{milters}{$_}) . "\n"
        }
        sort keys %{ $o{milters} };
    write_file("$dir/etc/master.cf", $smtpd . services());
    return;
}

# Postfix spells an address in a way of its own.
sub milter_options ($name, $address) {
    my $options
        = ' -o smtpd_milters=' . $address =~ s/\Ainet:(\d+)\@(.*)/inet:$2:$1/r;
    $options .= " -o milter_protocol=$1" if $name =~ /\Aprotocol (\d)\z/;
    return $options;
}

sub main_cf ($dir, %o) {
    my ($certificate, $auth) = ($o{auth}->certificate, $o{auth}->dovecot);
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
mynetworks = 127.0.0.0/8
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
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = $auth
in_flow_delay = 0
milter_default_action = tempfail
milter_protocol = 6
END
}

sub services {
    return <<'END';
cleanup    unix       n  -  n  -     0  cleanup
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

sub port ($self, $name) { return $self->{port}{$name} }

sub log_text ($self) { return -e $self->{log} ? read_file($self->{log}) : '' }

# A machine whose clock is set while the test runs is no fault of a milter.
sub complaints ($self) {
    return grep {
        !/file system clock is \d+ seconds ahead|resetting file time stamps/
    } $self->log_text =~ /^.*(?:warning|fatal|panic|milter-\w+ error).*$/mg;
}

sub is_idle ($self) {
    for my $queue (qw(maildrop incoming active deferred)) {
        my @files
            = glob "$self->{dir}/queue/$queue/* $self->{dir}/queue/$queue/*/*";
        return 0 if grep {-f} @files;
    }
    return 1;
}

sub stop ($self) { return stop_process($self->{master}) }

1;
