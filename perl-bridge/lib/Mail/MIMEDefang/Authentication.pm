# SPDX-License-Identifier: MIT
#
# What the authentication functions share about the message in the current
# directory: its header fields, the verified signatures, and SPF.  INPUTMSG is read
# and each signature checked once, however many functions ask; a function that
# rewrites it (the _now actions) makes all of it be found out anew.

package Mail::MIMEDefang::Authentication;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log      qw(md_syslog);
use Mail::MIMEDefang::Resolver qw(dns_lookup_all dns_within resolver);
use Time::HiRes                ();

our @EXPORT_OK = qw(feed_message from_domain have_module header_values is_domain
    remember verified);

use constant {
    BLOCK          => 1 << 16,
    HEADER_MAX     => 1 << 20,
    SIGNATURES_MAX => 10,        # more are passed over
    TIMEOUT_S      => 20,        # for all keys of one message
};

my ($known_key, %known) = ('');

# CODE's result, until there is another message.
sub remember ($what, $code) {
    my $key = join ':', $MsgID, $CWD // '',
        (Time::HiRes::stat('INPUTMSG'))[ 0, 1, 7, 9 ];
    if ($key ne $known_key) {
        %known     = ();
        $known_key = $key;
    }
    $known{$what} //= [ $code->() ];
    return @{ $known{$what} };
}

sub have_module ($module, $package, $caller) {
    local ($@, $SIG{__DIE__});
    return 1 if eval { require($module =~ s{::}{/}gr . '.pm') };
    my $why
        = $@ =~ /^Can't locate \Q@{[ $module =~ s{::}{\/}gr ]}.pm\E/
        ? "$module is missing (package $package)"
        : $@ =~ s/\n.*//sr;
    md_syslog('err', "$caller: $why");
    return 0;
}

# [name in lower case, value with its folds], as they come.
sub _fields () {
    my ($fields) = remember(
        'fields',
        sub {
            open my $fh, '<:raw', 'INPUTMSG' or return [];
            my ($left, @fields) = (HEADER_MAX);
            while (defined(my $line = <$fh>)) {
                $line =~ s/\r?\n\z//;
                last if $line eq '' || ($left -= length $line) < 0;
                if ($line =~ /^[ \t]/ && @fields) {
                    $fields[-1][1] .= "\n$line";
                }
                elsif ($line =~ /^([!-9;-~]+)[ \t]*:[ \t]*(.*)\z/s) {
                    push @fields, [ lc $1, $2 ];
                }
            }
            return \@fields;
        }
    );
    return @{$fields};
}

sub header_values ($name) {
    return map { $_->[0] eq lc $name ? $_->[1] : () } _fields();
}

# ("example.com", undef) or (undef, why not).
sub from_domain () {
    my @fields = header_values('From');
    return (undef, 'no From field')            if !@fields;
    return (undef, 'more than one From field') if @fields > 1;
    require Mail::Address;
    my $text = $fields[0] =~ s/\s*\n\s*/ /gr;
    my @domains
        = map { lc($_->host // '') =~ s/\.+\z//r } Mail::Address->parse($text);
    my %domains = map { $_ => 1 } @domains;
    return (undef, 'no address in From') if !@domains;
    return (undef, 'addresses of several domains in From')
        if keys %domains > 1;
    return (undef,       'no domain name in From') if !is_domain($domains[0]);
    return ($domains[0], undef);
}

# Of at least two labels, the last of which is no number.
sub is_domain ($name) {
    return length $name <= 253
        && $name =~ /\A(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+
            (?!\d+\z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\z/xai;
}

# The message in blocks of whole lines with CRLF, as it goes over the wire.
# Returns why it could not be read, or undef.
sub feed_message ($path, @consumers) {
    open my $fh, '<:raw', $path or return "Cannot read $path: $!";
    while (read $fh, my $block, BLOCK) {
        if (substr($block, -1) ne "\n" && defined(my $rest = <$fh>)) {
            $block .= $rest;
        }
        $block =~ s/(?<!\r)\n/\r\n/g;
        $_->PRINT($block) for @consumers;
    }
    $_->CLOSE for @consumers;
    return;
}

# Keys that will be needed, all at once.
sub _fetch_keys () {
    my %names;
    for my $field (map { header_values($_) }
        qw(DKIM-Signature ARC-Seal ARC-Message-Signature))
    {
        my %tag = $field =~ /(?:\A|;)\s*([ds])\s*=\s*([^\s;]+)/g;
        last if keys %names >= SIGNATURES_MAX;
        $names{"$tag{s}._domainkey.$tag{d}"} = 1
            if length($tag{s} // '') && length($tag{d} // '');
    }
    dns_lookup_all([ map { [ $_, 'TXT' ] } sort keys %names ]);
    return;
}

# (DKIM verifier, ARC verifier or undef, undef), or (undef, undef, why not).
sub verified ($caller) {
    return remember('verified', sub { _verify($caller) });
}

sub _verify ($caller) {
    return (undef, undef, 'Mail::DKIM is missing')
        if !have_module('Mail::DKIM::Verifier', 'libmail-dkim-perl', $caller);
    require Mail::MIMEDefang::DKIM::Verifier;
    Mail::DKIM::DNS::resolver(resolver() // return (undef, undef, 'no DNS'));
    my @verifiers = Mail::MIMEDefang::DKIM::Verifier->new(
        Strict => 1,
        most   => SIGNATURES_MAX
    );
    if (header_values('ARC-Seal')
        && have_module('Mail::DKIM::ARC::Verifier', 'libmail-dkim-perl',
            $caller))
    {
        push @verifiers, Mail::DKIM::ARC::Verifier->new(Strict => 1);
    }
    my $error = eval {
        dns_within(
            TIMEOUT_S,
            sub {
                _fetch_keys();
                feed_message('INPUTMSG', @verifiers);
            }
        );
    } // $@;
    return (@verifiers[ 0, 1 ], undef) if $error eq '';
    $error =~ s/\n.*//s;
    md_syslog('err', "$caller: $error");
    return (undef, undef, $error);
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Authentication - what is shared about one message

=head1 FUNCTIONS

=head2 header_values(NAME)

The values of all such header fields of F<INPUTMSG>, in their order, with their folds
but with LF as line end.

=head2 from_domain()

(DOMAIN, undef), or (undef, REASON) if there is not exactly one From field with
addresses of one domain.

=head2 is_domain(NAME)

Whether NAME can be the domain of a mail address.

=head2 verified(CALLER)

Checks the DKIM signatures, and the ARC chain if there is one. Returns the verifiers
(of Mail::DKIM; the second may be undef), or (undef, undef, REASON) after logging why
it is impossible. rsa-sha1 and keys below 1024 bits do not count (rfc:8301), and at
most 10 signatures are looked at.

=head2 feed_message(PATH, CONSUMER...)

Hands the file to each object of Mail::DKIM. Returns what went wrong, or undef.

=head2 remember(WHAT, CODE)

Calls CODE, or returns the list that it returned before for the same message.

=head2 have_module(MODULE, PACKAGE, CALLER)

Loads it. 1, or 0 after logging for CALLER that it is missing and which package has
it.

=cut
