# SPDX-License-Identifier: MIT
#
# SPF: may this host send mail of that domain?  By Mail::SPF, which asks through
# our resolver.

package Mail::MIMEDefang::SPF;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Authentication qw(have_module is_domain);
use Mail::MIMEDefang::Resolver qw(dns_lookup dns_within resolver txt_strings);
use Mail::MIMEDefang::Utils    qw(get_host_name);

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(md_spf_verify);

use constant {
    MAX_TERMS => 20,    # of a record; rfc:7208#4.6.4 has 10
    TIMEOUT_S => 20,    # rfc:7208#4.6.4
};

sub preload () {
    require Mail::SPF;
    return;
}

sub md_spf_verify ($address = undef, $ip = undef, $helo = undef, @) {
    $address = bare_address($address);
    if (!length $address || !length($ip // '')) {
        my $text = length $address ? 'no IP address' : 'no sender address';
        return wantarray
            ? ('invalid', $text)
            : { code => 'invalid', local_explanation => $text };
    }
    my $mail = check_spf('mfrom', $address, $ip, $helo);
    my $name
        = length($helo // '')
        ? check_spf('helo', $helo, $ip, $helo)
        : { map { $_ => undef } qw(code explanation record lookups) };
    return (
        @{$mail}{qw(code explanation)},
        @{$name}{qw(code explanation)},
        $mail->{record}, $name->{record}
    ) if wantarray;
    return {
        code                   => $mail->{code},
        local_explanation      => $mail->{explanation},
        record                 => $mail->{record},
        dns_lookups            => $mail->{lookups},
        helo_code              => $name->{code},
        helo_local_explanation => $name->{explanation},
        helo_record            => $name->{record},
        helo_dns_lookups       => $name->{lookups},
    };
}

# Without brackets and without what the owner has put behind a plus.
sub bare_address ($address) {
    $address = ($address // '') =~ s/\A\s*<|>\s*\z//gr;
    $address =~ s/\A([^+@"]+)\+[^@"]*@/$1@/;
    return $address;
}

sub check_spf ($scope, $identity, $ip, $helo) {
    my $domain = $identity =~ s/.*@//sr;
    my %result = (
        code        => 'temperror',
        explanation => 'Mail::SPF is missing',
        record      => undef,
        lookups     => 0,
        domain      => lc $domain,
    );
    return \%result
        if !have_module('Mail::SPF', 'libmail-spf-perl', 'md_spf_verify');
    my $resolver = resolver() // return \%result;

    # rfc:7208#4.3
    if (!is_domain($domain =~ s/\.\z//r)) {
        @result{qw(code explanation)} = ('none', 'not a domain name');
        return \%result;
    }
    local ($@, $SIG{__DIE__});
    my $ok = eval {
        dns_within(
            TIMEOUT_S,
            sub {
                _ask($resolver, \%result, $scope, $identity, $ip, $helo);
            }
        );
        1;
    };
    if (!$ok) {
        my $text = ref $@ && $@->can('text') ? $@->text : "$@";
        @result{qw(code explanation)} = ('permerror', $text =~ s/\s+/ /gr);
    }
    $result{record} //= _record($domain) if $result{code} eq 'permerror';
    return \%result;
}

sub _ask ($resolver, $result, $scope, $identity, $ip, $helo) {
    my $server = Mail::SPF::Server->new(
        dns_resolver              => $resolver,
        max_dns_interactive_terms => MAX_TERMS,
        hostname                  => get_host_name(),
    );
    my $request = Mail::SPF::Request->new(
        versions   => [1],
        scope      => $scope,
        identity   => $identity,
        ip_address => $ip,
        length($helo // '') ? (helo_identity => $helo) : (),
    );
    my $answer = $server->process($request);
    @{$result}{qw(code explanation lookups)} = (
        $answer->code,
        $answer->local_explanation,
        $request->state('dns_interactive_terms_count') // 0
    );
    my $record = $request->record;
    $result->{record} = $record->text if $record;
    return;
}

# What is there, if it could not be understood.
sub _record ($domain) {
    my ($text)
        = grep {/\Av=spf1(?:\s|\z)/i} txt_strings(dns_lookup($domain, 'TXT'));
    return $text;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::SPF - SPF

=head1 SYNOPSIS

    use Mail::MIMEDefang::SPF;
    my ($code, $text, $helo_code, $helo_text) =
        md_spf_verify($Sender, $RelayAddr, $Helo);

=head1 FUNCTIONS

=head2 md_spf_verify(ADDRESS, IP [, HELO])

Checks the envelope sender ADDRESS (brackets, and a C<+tag>, are removed) and the
name HELO of the client with the address IP. In list context: (code, explanation,
code for HELO, explanation for HELO, record, record of HELO); in scalar context a
reference to a hash with C<code>, C<local_explanation>, C<helo_code>,
C<helo_local_explanation>, C<record>, C<helo_record>, C<dns_lookups>,
C<helo_dns_lookups>. What belongs to HELO is undef if there is none.

A code is C<pass>, C<fail>, C<softfail>, C<neutral>, C<none>, C<temperror> or
C<permerror>. Without ADDRESS or IP: (C<invalid>, explanation). Without L<Mail::SPF>
(package libmail-spf-perl): C<temperror>, and a line in the log.

A record may have 20 terms that ask the DNS, 10 more than the standard has, and all of
it 20 seconds.

=head2 preload()

Loads Mail::SPF. Dies if it is not there.

=head2 check_spf(SCOPE, IDENTITY, IP, HELO), bare_address(ADDRESS)

For the modules beside this one.

=cut
