# SPDX-License-Identifier: MIT
#
# What a domain wants of those who send mail to it: MTA-STS (rfc:8461) and DANE
# (rfc:7672).  What cannot be proved is not believed.

package Mail::MIMEDefang::TLSPolicy;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Authentication qw(is_domain);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log  qw(md_syslog);
use Mail::MIMEDefang::Loop qw(now run_jobs);
use Mail::MIMEDefang::Loop::Talk;
use Mail::MIMEDefang::Resolver
    qw(dns_lookup dns_lookup_all dns_within txt_strings);
use Mail::MIMEDefang::TLSPolicy::Certificate qw(public_key_of);

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(md_check_mta_sts md_check_dane_tlsa md_verify_sts_mx
    md_verify_dane_cert);

use constant {
    TIMEOUT_S  => 10,
    POLICY_MAX => 65_536,        # rfc:8461#3.3
    MAX_AGE_S  => 31_557_600,    # rfc:8461#3.2
    POLICIES   => 500,           # that a worker keeps
    MAX_MX     => 100,
};

my %policies;                    # domain -> [ policy, when it ends ]

sub preload () {
    require IO::Socket::SSL;
    return;
}

sub md_check_mta_sts ($domain = undef, @options) {
    my %o = @options % 2 ? (timeout => $options[0]) : @options;
    $domain = lc($domain // '') =~ s/\.\z//r;
    return if !is_domain($domain);
    my $end    = now() + ($o{timeout} // TIMEOUT_S);
    my $answer = dns_within($end - now(),
        sub { dns_lookup("_mta-sts.$domain", 'TXT') });
    my @texts = grep {/\Av=STSv1\s*(?:;|\z)/} txt_strings($answer);
    my ($id)
        = @texts == 1 ? $texts[0] =~ /;\s*id\s*=\s*([A-Za-z0-9]{1,32})/ : ();

    # rfc:8461#5.1  One that we had stays in force without the record.
    my $kept = $policies{$domain};
    delete $policies{$domain} if $kept && $kept->[1] <= now();
    $kept = $policies{$domain};
    return $kept->[0] if $kept && (!defined $id || $kept->[0]{id} eq $id);
    return            if !defined $id;
    my ($policy, $error) = _fetch($domain, $end);
    if (!$policy) {
        md_syslog('warning', "MTA-STS policy of $domain: $error");
        return $kept ? $kept->[0] : ();
    }
    $policy->{id}      = $id;
    %policies          = () if keys %policies >= POLICIES;
    $policies{$domain} = [ $policy, now() + $policy->{max_age} ];
    return $policy;
}

# (policy, undef) or (undef, why not).
sub _fetch ($domain, $end) {
    my $host    = "mta-sts.$domain";
    my $port    = $Features{'MTA-STS:Port'} // 443;
    my @targets = dns_within($end - now(), sub { _targets($host, $port) });
    return (undef, "$host has no address") if !@targets;
    my $job = Mail::MIMEDefang::Loop::Talk->new(
        address => "$host:$port",
        targets => \@targets,
        send    => "GET /.well-known/mta-sts.txt HTTP/1.0\r\n"
            . "Host: $host\r\nAccept: text/plain\r\n\r\n",
        max_bytes => POLICY_MAX + 8192,
        timeout_s => $end - now(),
        tls       => {
            SSL_hostname        => $host,
            SSL_verifycn_name   => $host,
            SSL_verifycn_scheme => 'http',
            SSL_verify_mode     => 1,        # SSL_VERIFY_PEER
            (
                $Features{'Path:CAFILE'}
                ? (SSL_ca_file => $Features{'Path:CAFILE'})
                : ()
            ),
        },
    );
    run_jobs([$job]);
    return (undef, $job->error) if defined $job->error;
    my ($text, $error) = _http_body($job->result);
    return defined $text ? _parse($text) : (undef, $error);
}

sub _targets ($host, $port) {
    require Socket;
    my @answers = dns_lookup_all([ [ $host, 'AAAA' ], [ $host, 'A' ] ]);
    return map {
        my $v6 = $_->type eq 'AAAA';
        my $ip = Socket::inet_pton($v6 ? Socket::AF_INET6() : Socket::AF_INET(),
            $_->address);
        $v6
            ? [ Socket::AF_INET6(), Socket::pack_sockaddr_in6($port, $ip) ]
            : [ Socket::AF_INET(), Socket::pack_sockaddr_in($port, $ip) ]
    } map { @{ $_->{records} } } @answers;
}

# rfc:8461#3.3  Only 200 counts; nothing is followed.
sub _http_body ($reply) {
    my ($head, $body) = split /\r?\n\r?\n/, $reply, 2;
    my ($status) = ($head // '') =~ m{\AHTTP/1\.\d (\d{3})\b};
    return (undef, 'not an answer of a web server')
        if !defined $status || !defined $body;
    return (undef, "HTTP status $status") if $status ne '200';
    return (undef, 'not text/plain')
        if $head !~ m{^Content-Type:\s*text/plain\s*(?:;|\r?$)}mi;
    if ($head =~ /^Content-Length:\s*(\d+)\s*$/mi) {
        return (undef, 'cut off') if length $body < $1;
        $body = substr $body, 0, $1;
    }
    $body = _unchunk($body) // return (undef, 'cut off')
        if $head =~ /^Transfer-Encoding:\s*chunked\s*$/mi;
    return $body;
}

sub _unchunk ($body) {
    my $out = '';
    while ($body =~ s/\A([0-9a-f]{1,6})[^\n]*\n//i) {
        my $length = hex $1;
        return $out if !$length;
        return      if length $body < $length;
        $out .= substr $body, 0, $length, '';
        $body =~ s/\A\r?\n//;
    }
    return;
}

# rfc:8461#3.2
sub _parse ($text) {
    my (%field, @mx);
    for my $line (split /\r?\n/, $text) {
        my ($name, $value)
            = $line =~ /\A\s*([A-Za-z0-9_.-]+)\s*:\s*(.*?)\s*\z/a
            or next;
        if ($name eq 'mx') {
            push @mx, lc $value =~ s/\.\z//r;
        }
        else {
            $field{$name} //= $value;
        }
    }
    return (undef, 'not an STSv1 policy') if ($field{version} // '') ne 'STSv1';
    return (undef, 'no valid mode')
        if ($field{mode} // '') !~ /\A(?:enforce|testing|none)\z/;
    return (undef, 'no valid max_age')
        if ($field{max_age} // '') !~ /\A\d{1,10}\z/a;
    my @valid = grep { is_domain(s/\A\*\.//r) } @mx;
    return (undef, 'no valid mx')
        if $field{mode} ne 'none' && (!@valid || @mx > MAX_MX);
    return {
        mode    => $field{mode},
        max_age => $field{max_age} > MAX_AGE_S
        ? MAX_AGE_S
        : $field{max_age} + 0,
        mx => \@valid
    };
}

sub md_verify_sts_mx ($host = undef, $policy = undef, @) {
    $host = lc($host // '') =~ s/\.\z//r;
    return 0 if $host eq '' || ref $policy ne 'HASH';
    my $parent = $host =~ s/\A[^.]+\././r;
    for my $pattern (@{ $policy->{mx} // [] }) {
        my $want = lc $pattern =~ s/\.\z//r;
        return 1 if $want eq $host;
        return 1
            if $want =~ s/\A\*(?=\.)//
            && $parent ne $host
            && $want eq $parent;
    }
    return 0;
}

sub md_check_dane_tlsa ($domain = undef, $port = 25, %o) {
    $domain = lc($domain // '') =~ s/\.\z//r;
    return if !is_domain($domain) || ($port // '') !~ /\A\d{1,5}\z/a;
    my $answer = dns_lookup("_$port._tcp.$domain", 'TLSA', secure => 1);
    return if !@{ $answer->{records} };
    if (!$answer->{secure} && !$o{insecure}) {
        md_syslog('info',
            "TLSA records of $domain are not proved by DNSSEC: not used");
        return;
    }
    return map {
        {
            usage         => $_->usage,
            selector      => $_->selector,
            matching_type => $_->matchingtype,
            cert_data     => lc $_->cert =~ s/\s+//gr,
            secure        => $answer->{secure}
        }
    } @{ $answer->{records} };
}

sub md_verify_dane_cert ($der = undef, $records = undef, @) {
    return 0 if !length($der // '') || ref $records ne 'ARRAY';
    for my $record (@{$records}) {
        my $data
            = $record->{selector} == 0 ? $der
            : $record->{selector} == 1 ? public_key_of($der)
            :                            undef;
        next if !defined $data;
        my $digest = _digest($record->{matching_type}, $data) // next;
        my $want   = $record->{cert_data}                     // '';
        return 1 if $want eq $digest || lc $want eq unpack 'H*', $digest;
    }
    return 0;
}

sub _digest ($type, $data) {
    return $data if $type == 0;
    require Digest::SHA;
    return
          $type == 1 ? Digest::SHA::sha256($data)
        : $type == 2 ? Digest::SHA::sha512($data)
        :              undef;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::TLSPolicy - MTA-STS and DANE

=head1 FUNCTIONS

=head2 md_check_mta_sts(DOMAIN [, [timeout =>] 10])

The MTA-STS policy of DOMAIN: a reference to a hash with C<mode> (C<enforce>,
C<testing>, C<none>), C<max_age> (seconds, at most a year), C<mx> (a reference to the
list of patterns) and C<id>. undef if it has none, or it cannot be fetched (which is
logged) within TIMEOUT seconds: in HTTPS, with a certificate for C<mta-sts.DOMAIN>
that the CAs of this host, or of C<$Features{'Path:CAFILE'}>, have signed, without
redirection, and not more than 64 KiB. Needs L<IO::Socket::SSL> (package
libio-socket-ssl-perl).

A policy is kept for C<max_age> by the worker and fetched again when its C<id>
changes; it stays in force when the new one cannot be fetched.
C<$Features{'MTA-STS:Port'}> is the port, for tests.

=head2 preload()

Loads L<IO::Socket::SSL>. Dies if it is not there.

=head2 md_verify_sts_mx(HOST, POLICY)

1 if HOST matches a pattern of POLICY, else 0. C<*.> stands for exactly one label;
case and a dot at the end do not matter.

=head2 md_check_dane_tlsa(HOST, PORT [, insecure => 1])

The TLSA records of the mail exchanger HOST: a list of references to hashes with
C<usage>, C<selector>, C<matching_type>, C<cert_data> (in hexadecimal) and C<secure>.
Records that DNSSEC does not prove say nothing: they are left out, with a line in the
log, unless INSECURE is true; C<secure> is 0 then. The proof is the word of the name
server (its AD flag), so that must be one that validates and that nobody can sit
between.

=head2 md_verify_dane_cert(DER, \@TLSA)

1 if the certificate DER matches one of the records, else 0: all of it or its public
key, as such or by SHA-256 or SHA-512. Whether it is that of the server (usage 1, 3)
or of a CA in its chain (0, 2) is for the caller to know.

=cut
