# SPDX-License-Identifier: MIT
#
# DKIM: signing and verifying the message in the current directory, by Mail::DKIM.

package Mail::MIMEDefang::DKIM;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Authentication
    qw(feed_message from_domain have_module verified);
use Mail::MIMEDefang::Log qw(md_syslog);

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(md_dkim_sign md_dkim_verify);
our @EXPORT_OK = qw(md_dkim_sign_rebuilt);

sub preload () {
    require Mail::DKIM::Signer;
    require Mail::DKIM::Verifier;
    require Mail::DKIM::ARC::Verifier;
    require Mail::DKIM::TextWrap;
    return;
}

# choice:bridge-dkim-sha256
sub md_dkim_sign (@args) {
    return _sign('md_dkim_sign', 'INPUTMSG', @args);
}

sub md_dkim_sign_rebuilt (@args) {
    require Mail::MIMEDefang::Rebuilt;
    my $path   = Mail::MIMEDefang::Rebuilt::write_rebuilt() // return;
    my @result = _sign('md_dkim_sign_rebuilt', $path, @args);
    unlink $path;
    return @result;
}

sub _sign ($caller, $path, $key_file = undef, @args) {
    my ($algorithm, $method, $domain, $selector, $headers, $wrap) = @args;
    return
        if !have_module('Mail::DKIM::Signer', 'libmail-dkim-perl', $caller);
    my ($dkim, $error);
    ($domain, $error) = from_domain() if !length($domain // '');
    ($dkim,   $error) = sign_with(
        'Mail::DKIM::Signer',
        $path,
        $wrap // 1,
        Algorithm => $algorithm // 'rsa-sha256',
        Method    => $method    // 'relaxed/simple',
        Selector  => $selector  // 'default',
        KeyFile   => $key_file,
        Domain    => $domain,
        (defined $headers ? (Headers => $headers) : ()),
    ) if defined $domain;
    if (!$dkim) {
        md_syslog('err', "$caller: $error");
        return;
    }
    return field($dkim->signature->as_string);
}

# (signer, undef) or (undef, reason).
sub sign_with ($class, $path, $wrap, %options) {
    my $key_file = $options{KeyFile} // '';
    return (undef,
        "Cannot read the key $key_file: "
            . (length $key_file ? "$!" : 'no file is named'))
        if !length $key_file || !open my $fh, '<', $key_file;
    require Mail::DKIM::TextWrap;
    require Mail::DKIM::KeyValueList;
    no warnings 'redefine';
    local *Mail::DKIM::KeyValueList::wrap = sub { }
        if !$wrap;
    my ($signer, $error);
    {
        local ($@, $SIG{__DIE__});
        $error = eval {
            $signer = $class->new(%options);
            feed_message($path, $signer) // '';
        } // ($@ || 'no reason given');
    }
    $error =~ s/(?: at \S+ line \d+\.?)?\n.*//s;
    return $error eq '' ? ($signer, undef) : (undef, $error);
}

# (name, value) of a header field, with LF in its folds.
sub field ($text) {
    $text =~ s/\r\n/\n/g;
    $text =~ s/\s+\z//;
    return split /:\s*/, $text, 2;
}

sub md_dkim_verify (@) {
    my ($dkim) = verified('md_dkim_verify');
    return wantarray ? ('temperror', undef, 0, undef) : undef if !$dkim;
    return $dkim                                              if !wantarray;
    my $signature = $dkim->signature;
    return (plain_result($dkim), undef, 0, undef) if !$signature;
    return (
        plain_result($dkim),  $signature->domain,
        key_bits($signature), b_tag($signature)
    );
}

# Of a verifier or a signature.  Mail::DKIM calls it invalid when it gets no key,
# and has no word for a field that is no signature at all.
sub plain_result ($object) {
    my $result = $object->result || 'invalid';
    return 'temperror'
        if $result eq 'invalid'
        && ($object->result_detail // '') =~ /DNS (?:error|query timeout)/i;
    return $result;
}

sub key_bits ($signature) {
    local ($@, $SIG{__DIE__});
    return eval { $signature->get_public_key->cork->size * 8 } // 0;
}

sub b_tag ($signature) {
    return ($signature->get_tag('b') // '') =~ s/\s+//gr;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::DKIM - DKIM signatures

=head1 SYNOPSIS

    use Mail::MIMEDefang::DKIM;
    my ($result, $domain, $bits, $b) = md_dkim_verify();
    my ($name, $value) = md_dkim_sign('/etc/mail/dkim.key', 'rsa-sha256',
        'relaxed/relaxed', 'example.com', '2026');
    action_insert_header($name, $value, 0) if defined $name;

=head1 DESCRIPTION

Needs L<Mail::DKIM> (package libmail-dkim-perl). The message is F<INPUTMSG> of the
current directory.

=head1 FUNCTIONS

=head2 md_dkim_sign(KEYFILE [, ALGORITHM [, METHOD [, DOMAIN [, SELECTOR [, HEADERS [, WRAP]]]]]])

Signs the message as it was received. Returns the name and the value of the header
field, or an empty list, after logging why, if the key cannot be read or something
else is wrong. Defaults: C<rsa-sha256> (MIMEDefang: C<rsa-sha1>, which nobody accepts
any more), C<relaxed/simple>, the domain in From, C<default>, the
usual header fields (HEADERS adds more, separated by colons), and lines of 72
characters unless WRAP is 0.

=head2 md_dkim_sign_rebuilt(KEYFILE, ...)

The same for the message with the changes that the filter has asked for until now:
of its parts (in filter_wrapup, when they have been put together) and of its header
fields. On request.

=head2 md_dkim_verify()

In list context the result (C<pass>, C<fail>, C<invalid>, C<temperror> or C<none>),
and of the signature that decided it the domain, the number of bits of its key and
its C<b> tag; undef, 0, undef if there is no signature that could be checked. In
scalar context the L<Mail::DKIM::Verifier>; undef without Mail::DKIM.

=head2 preload()

Loads Mail::DKIM. Dies if it is not there.

=head2 sign_with(CLASS, PATH, WRAP, OPTIONS), field(TEXT), plain_result(OBJECT), key_bits(SIGNATURE), b_tag(SIGNATURE)

For the modules below this one.

=cut
