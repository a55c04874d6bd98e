# SPDX-License-Identifier: MIT
#
# Checks side by side: a filter describes what it wants to know, of the DNS, of
# daemons and of programs, and gets all answers when the slowest is there.  The
# loop is ours (Mail::MIMEDefang::Loop); no event library is needed.

package Mail::MIMEDefang::Async;
use v5.36;
use Carp ();
use Exporter 'import';
use Mail::MIMEDefang::Async::Checks;
use Mail::MIMEDefang::Async::Results;
use Mail::MIMEDefang::Loop qw(run_jobs);
use Mail::MIMEDefang::Loop::Process;
use Mail::MIMEDefang::Loop::Talk;
use Mail::MIMEDefang::Net::Address qw(reverse_ip_address_for_rbl);
use Mail::MIMEDefang::Resolver     qw(dns_lookup lookup_job);

my @STAND_INS = qw(md_async_relay_is_blacklisted md_async_email_is_blacklisted
    md_async_spf_verify md_async_dmarc_verify
    md_async_message_contains_virus_clamd
    md_async_message_contains_virus_clamdscan md_async_spamc_check
    md_async_spam_assassin_check md_async_rspamd_check);

our @EXPORT = (    ## no critic (ProhibitAutomaticExportation)
    qw(md_async_init md_async_run_checks), @STAND_INS,
    @Mail::MIMEDefang::Async::Checks::EXPORT,
    @Mail::MIMEDefang::Async::Results::EXPORT
);

my %DEFAULT = (
    max_concurrency => 10,
    global_timeout  => 10,
    dns_timeout     => 5,
    socket_timeout  => 5,
);
my %setting;

my %JOB = (dns => \&_dns, socket => \&_socket, process => \&_process);

sub md_async_init (%o) {
    for my $name (sort keys %o) {
        Carp::croak("md_async_init: no such option: $name")
            if !exists $DEFAULT{$name};
        Carp::croak("md_async_init: $name must be a number above 0")
            if ($o{$name} // '') !~ /^(?:\d+\.?\d*|\.\d+)\z/a
            || !($o{$name} > 0);
    }
    %setting = (%DEFAULT, %o);
    return 1;
}

sub md_async_run_checks ($checks, @) {
    md_async_init() if !%setting;
    my (@names, @jobs, %result, %error);
    for my $i (0 .. $#{$checks}) {
        my $check = $checks->[$i];
        my $name  = $check->{name} // 'check_' . ($i + 1);
        my $make  = $JOB{ $check->{type} // '' };
        $result{$name} = undef;
        if (!$make) {
            $error{$name} = "unknown type '" . ($check->{type} // '') . "'";
            next;
        }
        my $job = eval { $make->(%{ $check->{args} // {} }) };
        if (!$job) {
            $error{$name} = $@ =~ s/(?: at \S+ line \d+\.)?\n.*//sr;
            next;
        }
        push @names, $name;
        push @jobs,  $job;
    }
    run_jobs(
        \@jobs,
        at_once   => $setting{max_concurrency},
        timeout_s => $setting{global_timeout}
    );
    for my $i (0 .. $#jobs) {
        my ($value, $problem) = _outcome($jobs[$i]);
        $result{ $names[$i] } = $value;
        $error{ $names[$i] }  = $problem if defined $problem;
    }
    return { results => \%result, errors => \%error };
}

sub _outcome ($job) {
    return ($job->result, $job->error)
        if !$job->isa('Mail::MIMEDefang::Resolver::Lookup');
    my $answer = $job->result;
    return (undef, $answer->{error}) if defined $answer->{error};
    my @values = map { _last_field($_) } @{ $answer->{records} };
    return (@values ? \@values : undef, undef);
}

# What filters want of a record: the address, the host, the text.
my %FIELD = (
    A     => 'address',
    AAAA  => 'address_short',
    CNAME => 'cname',
    MX    => 'exchange',
    NS    => 'nsdname',
    PTR   => 'ptrdname',
);

sub _last_field ($rr) {
    my $type = $rr->type;
    return join '', $rr->txtdata if $type eq 'TXT';
    my $method = $FIELD{$type};
    return $method ? $rr->$method : (split ' ', $rr->rdstring)[-1];
}

sub _dns (%o) {
    die "dns: host is missing\n" if !length($o{host} // '');
    return lookup_job(
        $o{host},
        $o{type} // 'A',
        timeout_s => $o{timeout} // $setting{dns_timeout}
    );
}

sub _socket (%o) {
    my $address = $o{unix_path} // '';
    if ($address eq '') {
        die "socket: host and port or unix_path is missing\n"
            if !length($o{host} // '') || !length($o{port} // '');
        $address
            = $o{host} =~ /:/ ? "[$o{host}]:$o{port}" : "$o{host}:$o{port}";
    }
    return Mail::MIMEDefang::Loop::Talk->new(
        address   => $address,
        send      => $o{request} // '',
        until     => exists $o{read_until} ? $o{read_until} : qr/\n/,
        max_bytes => $o{max_bytes} // 65536,
        timeout_s => $o{timeout}   // $setting{socket_timeout},
    );
}

sub _process (%o) {
    my $cmd = $o{cmd};
    die "process: cmd must be a reference to a list\n"
        if ref $cmd ne 'ARRAY' || !@{$cmd};
    return Mail::MIMEDefang::Loop::Process->new(
        argv      => $cmd,
        timeout_s => $o{timeout} // $setting{global_timeout},
    );
}

sub _need_init ($name) {
    Carp::croak("$name: call md_async_init before") if !%setting;
    return;
}

# undef, not 0, if it is not known.
sub _listed ($name) {
    my $answer = dns_lookup($name, 'A', timeout_s => $setting{dns_timeout});
    return if defined $answer->{error};
    my @addresses = map { $_->address } @{ $answer->{records} };
    return @addresses ? \@addresses : 0;
}

sub md_async_relay_is_blacklisted ($ip = undef, $zone = undef, @) {
    _need_init('md_async_relay_is_blacklisted');
    my $reversed = reverse_ip_address_for_rbl($ip) // return;
    return _listed("$reversed.$zone");
}

sub md_async_email_is_blacklisted ($address = '', $zone = '', $hash = '', @) {
    _need_init('md_async_email_is_blacklisted');
    require Mail::MIMEDefang::Net;
    my $digest
        = Mail::MIMEDefang::Net::email_digest('md_async_email_is_blacklisted',
        $address, $hash) // return;
    return _listed("$digest.$zone");
}

sub md_async_dmarc_verify ($domain, @) {
    _need_init('md_async_dmarc_verify');
    require Mail::MIMEDefang::Net;
    return md_async_interpret_dmarc(
        scalar Mail::MIMEDefang::Net::md_get_dmarc_record($domain));
}

# These have time limits of their own and nothing to wait for beside them.
my %SAME = (
    spf_verify                   => 'SPF::md_spf_verify',
    message_contains_virus_clamd => 'Antivirus::message_contains_virus_clamd',
    message_contains_virus_clamdscan =>
        'Antivirus::message_contains_virus_clamdscan',
    spam_assassin_check => 'Antispam::spam_assassin_check',
    rspamd_check        => 'Antispam::rspamd_check',
);

sub _same ($name, @args) {
    _need_init("md_async_$name");
    my ($module, $function) = split /::/, $SAME{$name};
    my $file = "Mail/MIMEDefang/$module.pm";
    require $file;
    return "Mail::MIMEDefang::$module"->can($function)->(@args);
}

sub md_async_spf_verify (@args) { return _same('spf_verify', @args) }

sub md_async_message_contains_virus_clamd (@args) {
    return _same('message_contains_virus_clamd', @args);
}

sub md_async_message_contains_virus_clamdscan (@args) {
    require Mail::MIMEDefang::Globals;
    local $Mail::MIMEDefang::Globals::Features{'Path:CLAMDCONF'} = $args[0]
        if defined $args[0];
    return _same('message_contains_virus_clamdscan');
}

sub md_async_spam_assassin_check (@args) {
    return _same('spam_assassin_check', @args);
}

sub md_async_rspamd_check (@args) { return _same('rspamd_check', @args) }

sub md_async_spamc_check (
    $host    = 'localhost',
    $port    = 783,
    $user    = undef,
    $timeout = undef, @
    )
{
    _need_init('md_async_spamc_check');
    my $run = md_async_run_checks(
        [
            md_async_check_spamd(
                name    => 'spamd',
                host    => $host,
                port    => $port,
                user    => $user,
                timeout => $timeout // $setting{socket_timeout},
                report  => 1,
            )
        ]
    );
    my $spam = md_async_interpret_spamassassin($run->{results}{spamd},
        $run->{errors}{spamd});
    return if $spam->{error};
    return (
        @{$spam}{qw(score threshold report)},
        $spam->{is_spam} ? 'True' : 'False'
    );
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Async - checks side by side

=head1 SYNOPSIS

    use Mail::MIMEDefang::Async;

    my $run = md_async_run_checks(
        [
            md_async_check_dnsbl(ip => $RelayAddr, zone => 'bl.example'),
            md_async_check_clamd(socket => $ClamdSock),
            md_async_check_spamd(),
        ]
    );
    my %seen = (
        bl => md_async_interpret_dnsbl(
            $run->{results}{'dnsbl_bl.example'}, 'bl.example',
            $run->{errors}{'dnsbl_bl.example'}),
        virus => md_async_interpret_clamav(
            $run->{results}{clamd}, $run->{errors}{clamd}),
        spam => md_async_interpret_spamassassin(
            $run->{results}{spamd}, $run->{errors}{spamd}),
    );
    my $verdict = md_async_score_results(
        \%seen, { bl => 4, virus => 100, spam => 1 });
    action_bounce($verdict->{reasons}[0]) if $verdict->{action} eq 'REJECT';

=head1 DESCRIPTION

The checks take as long as the slowest of them. See
L<Mail::MIMEDefang::Async::Checks> for functions that describe them and
L<Mail::MIMEDefang::Async::Results> for functions that read the answers; both are
exported by this module. No other event library is needed.

=head1 FUNCTIONS

=head2 md_async_init(max_concurrency => 10, global_timeout => 10, dns_timeout => 5, socket_timeout => 5)

Sets how many checks run at the same time, the seconds for all of them, and for one
that says nothing else. Returns 1; dies if an option is unknown or no number above 0.

=head2 md_async_run_checks(\@CHECKS)

Runs the checks and returns C<< { results => {NAME => ...}, errors => {NAME => TEXT} } >>.
A check that failed has undef as its result, and an error. Each check is a
reference to a hash with C<name>, C<type> and C<args>:

=over

=item dns: host, type (A), timeout

Result: a reference to the list of what the records hold (addresses, host names,
texts), or undef if there is none, which is no error.

=item socket: host and port or unix_path, request, read_until, max_bytes (65536), timeout

Result: the answer until the first match of READ_UNTIL, by default a line; if that is
given as undef, until the peer closes. REQUEST: bytes, or a function that returns
the next bytes at each call.

=item process: cmd (a reference to a list), timeout

Result: a reference to a hash with C<stdout>, C<stderr> and C<exit_code>. No shell is
involved.

=back

=head2 md_async_relay_is_blacklisted(IP, ZONE), md_async_email_is_blacklisted(ADDRESS, ZONE, HASH)

As the functions of L<Mail::MIMEDefang::Net>, but: a reference to the list of
addresses, 0 if it is not listed, nothing if that is not known.

=head2 md_async_dmarc_verify(DOMAIN)

What md_async_interpret_dmarc finds in the DMARC record of DOMAIN.

=head2 md_async_spamc_check([HOST [, PORT [, USER [, TIMEOUT]]]])

(score, threshold, report, C<True> or C<False>) by spamd; nothing if that fails.

=head2 md_async_spf_verify(...), md_async_message_contains_virus_clamd(...), md_async_message_contains_virus_clamdscan([CONFIG]), md_async_spam_assassin_check(...), md_async_rspamd_check(...)

The same as the functions without C<async>, for filters written with them.

These stand-ins die before md_async_init was called.

=cut
