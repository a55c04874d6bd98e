# SPDX-License-Identifier: MIT
#
# BIMI: where the logo of a domain is.  Only its record is looked at; neither the
# logo nor the certificate behind it is fetched.

package Mail::MIMEDefang::BIMI;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Authentication qw(is_domain);
use Mail::MIMEDefang::Log            qw(md_syslog);
use Mail::MIMEDefang::PublicSuffix   qw(org_domain);
use Mail::MIMEDefang::Resolver       qw(dns_lookup have_dns txt_strings);

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(md_bimi_lookup md_bimi_verify md_bimi_get_selector);
our @EXPORT_OK = qw(md_init);

sub md_init (@) {
    return have_dns();
}

sub _selector ($selector) {
    return 'default' if !length($selector // '');
    return lc $selector
        if $selector =~ /\A[A-Za-z0-9-]{1,63}\z/a;
    md_syslog('warning', "BIMI: '$selector' is no selector");
    return 'default';
}

sub md_bimi_get_selector ($entity = undef, @) {
    my $field = $entity ? $entity->head->get('BIMI-Selector') : undef;
    my %tag   = _tags($field // '');
    return 'default' if uc($tag{v} // '') ne 'BIMI1';
    return _selector($tag{s});
}

sub _tags ($text) {
    my %tag;
    for my $pair (split /;/, $text) {
        my ($name, $value) = $pair =~ /\A\s*(\w+)\s*=\s*(.*?)\s*\z/sa or next;
        $tag{ lc $name } //= $value;
    }
    return %tag;
}

sub md_bimi_lookup ($domain = undef, $selector = undef, @) {
    $domain = lc($domain // '') =~ s/\.\z//r;
    return if !is_domain($domain);
    $selector = _selector($selector);
    my %seen;
    for my $name (grep { !$seen{$_}++ } $domain, org_domain($domain)) {
        my $answer = dns_lookup("$selector._bimi.$name", 'TXT');
        my @texts  = grep {/\Av\s*=\s*BIMI1\s*(?:;|\z)/i} txt_strings($answer);
        return if defined $answer->{error} || @texts > 1;
        next   if !@texts;
        my %tag = _tags($texts[0]);
        return {
            version => 'BIMI1',
            l       => _location($tag{l}),
            a       => _location($tag{a}),
            raw     => $texts[0]
        };
    }
    return;
}

# The empty string if the owner wants none, or it is nothing that may be fetched.
sub _location ($uri) {
    return '' if ($uri // '') !~ m{\Ahttps://[^\s/]+/[!-~]*\z}i;
    return $uri;
}

sub md_bimi_verify (
    $domain   = undef,
    $result   = '',
    $policy   = '',
    $selector = undef, @
    )
{
    return 'fail' if lc($result // '') ne 'pass';
    return 'fail' if lc($policy // '') !~ /\A(?:quarantine|reject)\z/;
    my $record = md_bimi_lookup($domain, $selector) // return 'fail';
    return length $record->{l} ? 'pass' : 'fail';
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::BIMI - brand indicators

=head1 FUNCTIONS

=head2 md_bimi_get_selector(ENTITY)

The selector in the header field C<BIMI-Selector> of the message, or C<default>.

=head2 md_bimi_lookup(DOMAIN [, SELECTOR])

The record of DOMAIN, or else of its organisational domain: a reference to a hash with
C<version>, C<l> (where the logo is), C<a> (where its certificate is) and C<raw>, the
whole text. C<l> and C<a> are empty if they are not there or do not begin with
C<https:>. undef if there is no record, or not exactly one. A SELECTOR that is none
is logged, and C<default> is used.

=head2 md_bimi_verify(DOMAIN, DMARC_RESULT, DMARC_POLICY [, SELECTOR])

C<pass> if DMARC passed with a policy of quarantine or reject and the record has a
logo, else C<fail>.

=head2 md_init()

Whether the DNS can be asked. Not exported.

=cut
