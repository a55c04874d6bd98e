# SPDX-License-Identifier: MIT
#
# The header field that tells what was found out: Authentication-Results.
# rfc:8601  choice:bridge-authres

package Mail::MIMEDefang::Authres;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Actions::Headers qw(action_delete_header);
use Mail::MIMEDefang::Authentication   qw(header_values verified);
use Mail::MIMEDefang::DKIM             ();
use Mail::MIMEDefang::DMARC;
use Mail::MIMEDefang::Log          qw(md_syslog);
use Mail::MIMEDefang::PublicSuffix qw(org_domain);
use Mail::MIMEDefang::Resolver     qw(dns_lookup_all);
use Mail::MIMEDefang::SPF          ();

our @EXPORT    = qw(md_authres);    ## no critic (ProhibitAutomaticExportation)
our @EXPORT_OK = qw(md_authres_delete_forged md_org_domain);

use constant ID_WITHIN => 1000;
use constant B_LENGTH  => 8;        # rfc:6008#4

sub md_org_domain ($domain = undef, @) {
    return org_domain($domain);
}

# rfc:8601#5  From the last to the first, so that their numbers stay right.
sub md_authres_delete_forged ($authserv = undef, @) {
    my @fields = header_values('Authentication-Results');
    my $count  = 0;
    for my $i (reverse 0 .. $#fields) {
        next if lc _id_of($fields[$i]) ne lc($authserv // '');
        action_delete_header('Authentication-Results', $i + 1);
        $count++;
    }
    return $count;
}

# Who says it: the first word, or string in quotes, behind comments.
sub _id_of ($field) {
    $field = substr $field, 0, ID_WITHIN;
    1 while $field =~ s/\A\s+//
        || $field  =~ s/\A(\((?:[^()\\]|\\.|(?1))*\))//s;
    return $1 =~ s/\\(.)/$1/gsr if $field =~ /\A"((?:[^"\\]|\\.)*)"/s;
    return $field =~ /\A([^\s;()]+)/ ? $1 : '';
}

sub md_authres ($address = undef, $ip = undef, $authserv = undef, @args) {
    my ($helo, $bimi_domain) = @args;
    if (!length($authserv // '') || !length($ip // '')) {
        md_syslog('err', 'md_authres: IP address or authserv-id is missing');
        return;
    }
    $address = Mail::MIMEDefang::SPF::bare_address($address);
    my ($from) = md_dmarc_from_domain();
    _ask_ahead($address, $helo, $from);

    my ($dkim, $arc) = verified('md_authres');
    my @signatures = $dkim ? _signatures($dkim) : ();
    my @spf        = _spf($address, $ip, $helo);
    my @known
        = map { { result => $_->{plain}, domain => $_->{domain} } } @signatures;
    @known = ({ result => 'temperror', domain => undef }) if !$dkim;
    my $dmarc = md_dmarc_verify(undef,
        @spf ? [ $spf[0]{code}, $spf[0]{domain} ] : [], \@known);
    my @items = (
        @signatures
        ? (map { $_->{item} } @signatures)
        : 'dkim=' . _no_signature($dkim),
        (map { $_->{item} } @spf),
        _dmarc($dmarc),
        $arc                       ? _arc($arc)                  : (),
        length($bimi_domain // '') ? _bimi($bimi_domain, $dmarc) : (),
    );
    return join "\n\t", _value($authserv) . ' (MIMEDefang);',
        map {"$_;"} @items;
}

# What the functions below will ask, all at once.
sub _ask_ahead ($address, $helo, $from) {
    my @names = grep { length($_ // '') } $address =~ s/.*@//sr, $helo;
    push @names, map {"_dmarc.$_"} $from, org_domain($from) if defined $from;
    my %seen;
    dns_lookup_all([ map { [ $_, 'TXT' ] } grep { !$seen{ lc $_ }++ } @names ]);
    return;
}

sub _signatures ($dkim) {
    my @found;
    for my $signature ($dkim->signatures) {
        my $domain = $signature->domain // '';
        my $bits   = Mail::MIMEDefang::DKIM::key_bits($signature);
        my $word   = _word($signature);
        my $item   = "dkim=$word";
        $item .= " ($bits-bit key)" if $bits;
        $item
            .= ' '
            . _comment(($signature->result_detail // '') =~ s/\A\w+\s*//r
                =~ s/\A\(|\)\z//gr)
            if $word ne 'pass' && ($signature->result_detail // '') =~ / /;
        $item .= _property('header.d', $domain)
            . _property('header.b',
            substr Mail::MIMEDefang::DKIM::b_tag($signature),
            0, B_LENGTH)
            . _property('header.a', $signature->algorithm)
            . _property('header.s', $signature->selector);
        push @found, { item => $item, plain => $word, domain => $domain };
    }
    return @found;
}

# rfc:8601#2.7.1
sub _no_signature ($dkim) {
    return 'temperror' if !$dkim;
    return ($dkim->result // '') eq 'none' ? 'none' : 'neutral';
}

sub _word ($signature) {
    my $result = Mail::MIMEDefang::DKIM::plain_result($signature);
    return $result if $result ne 'invalid';
    return ($signature->result_detail // '') =~ /unsupported algorithm/
        ? 'policy'
        : 'permerror';
}

sub _spf ($address, $ip, $helo) {
    my @found;
    my @ask = (
        [ 'mfrom', 'smtp.mailfrom', $address ],
        [ 'helo',  'smtp.helo',     $helo ]
    );
    for my $row (@ask) {
        my ($scope, $property, $identity) = @{$row};
        next if !length($identity // '');
        my $spf
            = Mail::MIMEDefang::SPF::check_spf($scope, $identity, $ip, $helo);
        $spf->{item}
            = "spf=$spf->{code} "
            . _comment($spf->{explanation})
            . _property($property, $identity);
        push @found, $spf;
    }
    return @found;
}

sub _dmarc ($dmarc) {
    my $item  = "dmarc=$dmarc->{result}";
    my @notes = grep {length} (
        defined $dmarc->{policy}
        ? "p=$dmarc->{policy} dis=$dmarc->{disposition}"
        : '',
        $dmarc->{reason}
    );
    $item .= ' ' . _comment(join '; ', @notes) if @notes;
    return $item . _property('header.from', $dmarc->{domain});
}

sub _arc ($arc) {
    my $detail = $arc->result_detail // '';
    my $item = 'arc=' . ($arc->result =~ /\A(pass|fail|none)\z/ ? $1 : 'fail');
    $item .= ' ' . _comment($1) if $detail =~ /\A\w+ \((.*)\)\z/s;
    return $item;
}

sub _bimi ($domain, $dmarc) {
    require Mail::MIMEDefang::BIMI;
    my $result = Mail::MIMEDefang::BIMI::md_bimi_verify($domain,
        @{$dmarc}{qw(result policy)});
    return "bimi=$result" . _property('header.d', $domain);
}

# Nothing from outside can end a comment, a value or the line.
sub _comment ($text) {
    $text = ($text // '') =~ s/[^\x20-\x7e]+/ /gr;
    $text =~ s/([()\\])/\\$1/g;
    return "($text)";
}

sub _property ($name, $value) {
    return length($value // '') ? " $name=" . _value($value) : '';
}

# A word of MIME, or an address or domain as it stands; else in quotes.
sub _value ($value) {
    $value =~ s/[^\x20-\x7e]+/?/g;
    return $value
        if $value =~ /\A[A-Za-z0-9!#\$%&'*+\-.^_`{|}~]+\z/
        || $value =~ /\A[A-Za-z0-9!#\$%&'*+\-.^_`{|}~\/=]*\@[A-Za-z0-9.-]+\z/;
    $value =~ s/(["\\])/\\$1/g;
    return qq{"$value"};
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Authres - Authentication-Results

=head1 SYNOPSIS

    use Mail::MIMEDefang::Authres;
    my $results
        = md_authres($Sender, $RelayAddr, 'mx.example.com', $Helo);
    action_insert_header('Authentication-Results', $results, 0);

=head1 DESCRIPTION

A field with your id that is in the message already was not written by you. Remove
it before you add yours, so that nobody believes it (rfc:8601):

    md_authres_delete_forged('mx.example.com');

=head1 FUNCTIONS

=head2 md_authres(ADDRESS, IP, AUTHSERV [, HELO [, BIMI_DOMAIN]])

The value of the header field, in lines folded with tabs, each but the first with one
result and a semicolon at its end:

=over

=item dkim

For each signature, C<header.d>, the first characters of C<header.b>, C<header.a> and
C<header.s>; or C<dkim=none>; or C<dkim=neutral> if none of them makes sense. A signature that cannot be checked is C<permerror>,
C<temperror> (a name server failed), or C<policy> (rsa-sha1).

=item spf

For ADDRESS (C<smtp.mailfrom>; not if that is empty) and for HELO (C<smtp.helo>),
whatever the result.

=item dmarc

For the domain in From (C<header.from>), with policy and disposition.

=item arc

If the message has an ARC chain.

=item bimi

If BIMI_DOMAIN is given (C<header.d>).

=back

undef, and a line in the log, if IP or AUTHSERV is missing. The message is
F<INPUTMSG> of the current directory.

=head2 md_authres_delete_forged(AUTHSERV)

Asks to delete all fields Authentication-Results with that id from the message, and
returns how many there are. On request; only while a message is scanned, and before
another field of that name is inserted.

=head2 md_org_domain(DOMAIN)

The organisational domain of DOMAIN by the list of public suffixes, in lower case. On
request.

=cut
