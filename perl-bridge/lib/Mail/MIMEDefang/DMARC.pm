# SPDX-License-Identifier: MIT
#
# DMARC: whether the domain in From has authenticated the message, and what its
# owner asks to do if not.  rfc:7489  rfc:9091  choice:bridge-dmarc

package Mail::MIMEDefang::DMARC;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Authentication qw(from_domain verified);
use Mail::MIMEDefang::DKIM           ();
use Mail::MIMEDefang::DMARC::Record  qw(parse_dmarc);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::PublicSuffix qw(org_domain public_suffix);
use Mail::MIMEDefang::Resolver     qw(dns_lookup_all is_absent txt_strings);
use Mail::MIMEDefang::SPF          ();

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(md_dmarc_verify md_dmarc_from_domain);

my %MILDER = (reject => 'quarantine', quarantine => 'none', none => 'none');

sub md_dmarc_from_domain (@) {
    return from_domain();
}

sub md_dmarc_verify ($domain = undef, $spf = undef, $dkim = undef, @) {
    my $error;
    ($domain, $error) = md_dmarc_from_domain() if !defined $domain;
    $domain = lc($domain // '') =~ s/\.+\z//r;
    my %out = (
        result       => 'none',
        policy       => undef,
        disposition  => 'none',
        record       => undef,
        domain       => $domain,
        org_domain   => org_domain($domain),
        spf_aligned  => 0,
        dkim_aligned => 0,
        reason       => '',
    );
    if (defined $error) {
        @out{qw(result reason)} = ('permerror', $error);
    }
    else {
        _evaluate(\%out, $spf, $dkim);
    }
    return wantarray ? @out{qw(result policy record)} : \%out;
}

sub _evaluate ($out, $spf, $dkim) {
    my ($record, $at) = _find_record($out) or return;
    @{$out}{qw(record record_domain pct adkim aspf)}
        = (@{$record}{qw(text)}, $at, @{$record}{qw(pct adkim aspf)});
    $out->{policy} = _policy($out, $record, $at);

    my $open = 0;    # something that could have passed
    for my $kind (qw(dkim spf)) {
        my $given = $kind eq 'dkim' ? _signatures($dkim) : _senders($spf);
        for my $id (@{$given}) {
            my $aligned = _is_aligned($out, $record->{"a$kind"}, $id->{domain});
            $out->{"${kind}_aligned"} = 1
                if $aligned && $id->{result} eq 'pass';
            $open = 1
                if $id->{result} eq 'temperror'
                && ($aligned || !defined $id->{domain});
        }
    }
    if ($out->{spf_aligned} || $out->{dkim_aligned}) {
        $out->{result} = 'pass';
        return;
    }
    if ($open) {
        @{$out}{qw(result reason)}
            = ('temperror', 'an aligned identifier could not be checked');
        return;
    }
    @{$out}{qw(result disposition)} = ('fail', $out->{policy});
    if ($record->{pct} <= rand 100) {
        $out->{disposition} = $MILDER{ $out->{policy} };
        $out->{reason}      = "not among the $record->{pct}% of the policy";
    }
    return;
}

# Of the domain, of its organisation, or of the registry above that, all asked at
# once.  Nothing if there is none; the result says whether that is certain.
sub _find_record ($out) {
    my ($domain, $org) = @{$out}{qw(domain org_domain)};
    my $public = public_suffix($domain);
    my %seen;
    my @names   = grep { $_ ne '' && !$seen{$_}++ } $domain, $org, $public;
    my @answers = dns_lookup_all([ map { [ "_dmarc.$_", 'TXT' ] } @names ]);
    for my $i (0 .. $#names) {
        my $answer = $answers[$i];
        if (defined $answer->{error}) {
            last if $names[$i] eq $public && $names[$i] ne $domain;
            @{$out}{qw(result reason)}
                = ('temperror', "_dmarc.$names[$i]: $answer->{error}");
            return;
        }
        my @texts = grep {/\Av\s*=\s*DMARC1\s*(?:;|\z)/} txt_strings($answer);
        if (@texts > 1) {
            $out->{reason} = "_dmarc.$names[$i]: several records";
            return;
        }
        next if !@texts;
        my $record = parse_dmarc($texts[0]);
        if (!$record) {
            @{$out}{qw(result reason)}
                = ('permerror', "_dmarc.$names[$i]: no valid policy");
            return;
        }
        next if $names[$i] eq $public && !_speaks_for_all($record);
        $record->{text} = $texts[0];
        return ($record, $names[$i]);
    }
    return;
}

# A registry means the domains below it only if it says so.
sub _speaks_for_all ($record) {
    return $record->{psd} eq 'y' || defined $record->{np};
}

sub _policy ($out, $record, $at) {
    my $domain = $out->{domain};
    return $record->{p} if $at eq $domain;
    if (defined $record->{np}) {
        my @answers = dns_lookup_all([ map { [ $domain, $_ ] } qw(A AAAA MX) ]);
        return $record->{np} if !grep { !is_absent($_) } @answers;
    }
    return $record->{sp} // $record->{p};
}

sub _is_aligned ($out, $mode, $domain) {
    $domain = lc($domain // '') =~ s/\.+\z//r;
    return 0 if $domain eq '';
    return 1 if $domain eq $out->{domain};
    return 0 if $mode eq 's';
    return org_domain($domain) eq $out->{org_domain};
}

# What the caller knows, in the forms that the other functions return: a list of
# hashes, one hash, or [result, domain].
sub _given ($given) {
    return [$given] if ref $given eq 'HASH';
    return [ map { _given($_)->[0] } @{$given} ]
        if !@{$given} || ref $given->[0];
    return [ { result => $given->[0], domain => $given->[1] } ];
}

sub _signatures ($dkim) {
    return _given($dkim) if defined $dkim;
    my ($verifier) = verified('md_dmarc_verify');
    return [ { result => 'temperror', domain => undef } ] if !$verifier;
    return [
        map {
            {
                result => Mail::MIMEDefang::DKIM::plain_result($_),
                domain => $_->domain
            }
        } $verifier->signatures
    ];
}

sub _senders ($spf) {
    return _given($spf) if defined $spf;
    my $address = Mail::MIMEDefang::SPF::bare_address($Sender);
    my ($scope, $identity)
        = length $address ? ('mfrom', $address) : ('helo', $Helo);
    return [] if !length($RelayAddr // '') || !length($identity // '');
    my $result = Mail::MIMEDefang::SPF::check_spf($scope, $identity,
        $RelayAddr, $Helo);
    return [ { result => $result->{code}, domain => $result->{domain} } ];
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::DMARC - DMARC

=head1 SYNOPSIS

    use Mail::MIMEDefang::DMARC;

    sub filter_begin {
        my $dmarc = md_dmarc_verify();
        return action_bounce('Not authorized by ' . $dmarc->{domain})
            if $dmarc->{disposition} eq 'reject';
        ...

=head1 FUNCTIONS

=head2 md_dmarc_verify([DOMAIN [, SPF [, DKIM]]])

Evaluates the policy of DOMAIN, by default that in the From field of F<INPUTMSG>.

SPF is what is known about the envelope sender: [RESULT, DOMAIN] or
C<< { result => ..., domain => ... } >>. DKIM is what is known about the signatures:
a reference to a list of such. What is undef is found out: the signatures of
F<INPUTMSG> are verified (once, however many functions ask), and SPF is asked for
C<$Sender>, C<$RelayAddr> and C<$Helo>.

In list context: (RESULT, POLICY, RECORD). In scalar context a reference to a hash:

=over

=item result

C<pass>; C<fail>; C<none>: the domain has no policy; C<temperror>: a name server
failed; C<permerror>: the record, or the From field, cannot be used.

=item policy

What the record says for this domain, C<none>, C<quarantine> or C<reject>; undef if
there is none. For a subdomain it is C<sp>, and C<np> if that has neither addresses
nor mail exchangers.

=item disposition

What the owner wants done with this message: C<none> unless the result is C<fail>,
else the policy, milder by one step for the part of messages that C<pct> excepts.

=item record, record_domain, pct, adkim, aspf

The record as text, the domain that has it, and its settings.

=item domain, org_domain

The domain, and its organisational domain by the list of public suffixes.

=item spf_aligned, dkim_aligned

1 if one that passed belongs to the domain: relaxed, to the same organisational
domain; strict, it is the same.

=item reason

A word on it where the result does not say enough.

=back

The record is that of the domain, or of its organisational domain, or of the public
suffix if that has C<psd=y> or C<np>.

=head2 md_dmarc_from_domain()

(DOMAIN, undef), or (undef, REASON) if the From field of F<INPUTMSG> is missing, is
there twice, or has no domain or several: then DMARC cannot be evaluated.

=cut
