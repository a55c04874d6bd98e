# SPDX-License-Identifier: MIT
#
# ARC: one more seal on the message in the current directory, by Mail::DKIM.

package Mail::MIMEDefang::DKIM::ARC;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Authentication qw(have_module);
use Mail::MIMEDefang::DKIM           ();
use Mail::MIMEDefang::Log            qw(md_syslog);

our @EXPORT = qw(md_arc_sign);    ## no critic (ProhibitAutomaticExportation)

sub md_arc_sign ($key_file = undef, $algorithm = undef, @args) {
    my ($chain, $domain, $srvid, $selector, $headers) = @args;
    if (grep { !length($_ // '') } $key_file, $chain, $domain) {
        md_syslog('err', 'md_arc_sign: key file, chain or domain is missing');
        return;
    }
    return
        if !have_module('Mail::DKIM::ARC::Signer', 'libmail-dkim-perl',
        'md_arc_sign');
    return _failed("chain is '$chain', not none, ar, pass or fail")
        if $chain !~ /\A(?:none|ar|pass|fail)\z/;
    my ($arc, $error) = Mail::MIMEDefang::DKIM::sign_with(
        'Mail::DKIM::ARC::Signer',
        'INPUTMSG', 1,
        Algorithm => $algorithm // 'rsa-sha256',
        Chain     => $chain,
        Domain    => $domain,
        SrvId     => $srvid    // $domain,
        Selector  => $selector // 'default',
        KeyFile   => $key_file,
        (defined $headers ? (Headers => $headers) : ()),
    );
    return _failed($error)              if !$arc;
    return _failed($arc->result_detail) if $arc->result ne 'sealed';
    return map { Mail::MIMEDefang::DKIM::field($_) } $arc->as_strings;
}

sub _failed ($error) {
    md_syslog('err', "md_arc_sign: $error");
    return (error => $error);
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::DKIM::ARC - ARC seals

=head1 SYNOPSIS

    use Mail::MIMEDefang::DKIM::ARC;
    my %seal = md_arc_sign('/etc/mail/dkim.key', 'rsa-sha256', 'ar',
        'example.com', 'mx.example.com', '2026');
    for my $name (qw(ARC-Authentication-Results ARC-Message-Signature ARC-Seal)) {
        action_insert_header($name, $seal{$name}, 0) if defined $seal{$name};
    }

=head1 FUNCTIONS

=head2 md_arc_sign(KEYFILE, ALGORITHM, CHAIN, DOMAIN [, SRVID [, SELECTOR [, HEADERS]]])

Seals F<INPUTMSG> of the current directory, which must have a field
Authentication-Results with the id SRVID (default: DOMAIN). CHAIN says what that
reports about an earlier chain: C<none>, C<pass>, C<fail>, or C<ar> to read it there.
ALGORITHM undef: C<rsa-sha256>. SELECTOR: C<default>.

Returns a hash of the three header fields, or (error => TEXT). An empty list if an
argument is missing or L<Mail::DKIM> (package libmail-dkim-perl) is not there. All of
these are logged.

=cut
