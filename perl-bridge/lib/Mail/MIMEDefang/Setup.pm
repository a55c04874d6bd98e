# SPDX-License-Identifier: MIT
#
# Everything before the first message: the site's key, the filter file and the
# modules it counts on, defaults for what it left open.

package Mail::MIMEDefang::Setup;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Lazy;
use Mail::MIMEDefang::Log   qw(md_syslog);
use Mail::MIMEDefang::Utils qw(slurp);

our @EXPORT_OK = qw(detect_and_load_perl_modules load_filter
    load_what_filter_names features_report);

# choice:bridge-legacy-names  Filters have always found these in package main
# without asking.  They cost a fifth of a second to load, so each is loaded only
# if the filter's text has one of its words.
my %LEGACY = (
    'Carp'                => qr/\b(?:croak|carp|confess|cluck)\b/,
    'Digest::SHA'         => qr/\b(?:Digest::SHA|hmac_sha\d|sha\d+(?:_\w+)?)\b/,
    'Errno'               => qr/\b(?:ENOENT|EACCES)\b/,
    'IO::File'            => qr/\bIO::File\b/,
    'IO::Handle'          => qr/\bIO::Handle\b/,
    'IO::Select'          => qr/\bIO::Select\b/,
    'IO::Socket'          => qr/\bIO::Socket\b/,
    'IO::Socket::INET'    => qr/\bIO::Socket::INET\b/,
    'IO::Socket::UNIX'    => qr/\bIO::Socket::UNIX\b/,
    'MIME::Entity'        => qr/\bMIME::Entity\b/,
    'MIME::Parser'        => qr/\bMIME::Parser\b/,
    'MIME::Parser::Filer' => qr/\bMIME::Parser::/,
    'MIME::Words'         => qr/\b(?:MIME::Words|(?:de|en)code_mimewords?)\b/,
    'Socket' => qr/\b(?:[AP]F_\w+|SO(?:CK|L)?_\w+|INADDR_\w+|IPPROTO_\w+
        |inet_(?:aton|ntoa|pton|ntop)|(?:un)?pack_sockaddr\w*|sockaddr_\w+)\b/x,
    'Sys::Hostname' => qr/\bhostname\b/,
    'Time::Local'   => qr/\b(?:timelocal|timegm)\b/,
);
my %IMPORT = (
    'Carp'        => [qw(croak carp confess cluck)],
    'Digest::SHA' => [qw(sha1 sha1_hex sha1_base64 sha256 sha256_hex)],
    'Errno'       => [qw(ENOENT EACCES)],
    'MIME::Words' => [':all'],
);

my $filter_text = '';

sub load_filter ($path) {
    _read_key();
    _load($path) if $path ne '/dev/null';
    if (defined $Administrator) {
        md_syslog('warning', '$Administrator is now called $AdminAddress');
        $AdminAddress = $Administrator;
    }
    $AdminName      //= 'MIMEDefang Administrator';
    $AdminAddress   //= 'postmaster@localhost';
    $DaemonName     //= 'MIMEDefang';
    $DaemonAddress  //= 'mailer-daemon@localhost';
    $GeneralWarning //= <<"END";
The mail filter of this site (MIMEDefang) changed this message.  What it did is
said below.  $AdminName <$AdminAddress> answers questions
about it; for MIMEDefang itself see

    $URL

END
    _detect(0);
    return;
}

# Dies as require does, with the same $!, which becomes the exit status.
sub _load ($path) {
    require File::Spec;
    $path        = File::Spec->rel2abs($path);
    $filter_text = slurp($path) // '';
    _import_legacy_names($filter_text);
    return if eval {

        package main { require $path }    # it is compiled in our package
        1;
    };
    my ($error, $errno) = ($@, $!);
    md_syslog('err', "Cannot load the filter: $error");
    $! = $errno;    ## no critic (RequireLocalizedPunctuationVars)
    die $error;
}

# The secret name of the header field in which an outer relay of ours tells the
# client's address.
sub _read_key () {
    my $text = slurp("$Features{'Path:CONFDIR'}/mimedefang-ip-key") // return;
    ($ValidateIPHeader) = split /\n/, $text;
    $ValidateIPHeader //= '';
    return if $ValidateIPHeader =~ /^X-MIMEDefang-Relay/;
    md_syslog('err',
        'mimedefang-ip-key does not begin with X-MIMEDefang-Relay');
    $ValidateIPHeader = '';
    return;
}

sub load_what_filter_names () {
    Mail::MIMEDefang::Lazy::load_mentioned($filter_text);
    return;
}

# A filter that reads other files may use anything.
sub _import_legacy_names ($text) {
    my $all = $text =~ /^\s*(?:require|do)\s*[\$'"(]|\bread_config\b/m;
    for my $module (sort keys %LEGACY) {
        next if !$all && $text !~ $LEGACY{$module};
        my $file = $module =~ s{::}{/}gr . '.pm';
        require $file;
        my @names = @{ $IMPORT{$module} // [] };

        package main { $module->import(@names) }
    }
    return;
}

# Optional modules that functions of the bridge use, and filters after them.
my @OPTIONAL = qw(HTML::Parser Archive::Zip Net::DNS);

sub detect_and_load_perl_modules (@) {
    return _detect(1);
}

# What the filter set stays as it is.
sub _detect ($load) {
    return if !($Features{AutoDetectPerlModules} // 1);
    for my $module (@OPTIONAL) {
        next if defined $Features{$module} && !$Features{$module};
        my $file = $module =~ s{::}{/}gr . '.pm';
        if ($load) {
            local $SIG{__DIE__};
            $Features{$module} = eval { require $file; 1 } ? 1 : 0;
        }
        else {
            $Features{$module} //= (grep { -e "$_/$file" } @INC) ? 1 : 0;
        }
    }
    return;
}

sub features_report ($version) {
    my $report = "MIMEDefang version $version\n\n";
    my (@yes, @no);
    for my $name (sort keys %Features) {
        push @{ $Features{$name} ? \@yes : \@no }, $name;
    }
    for my $name (@yes) {
        my $value = $Features{$name};
        $report .= sprintf "%-30s: yes%s\n", $name,
            $value eq '1' ? '' : " ($value)";
    }
    $report .= sprintf "%-30s: no\n", $_ for @no;
    $report .= "\n";
    for my $module (
        qw(Archive::Zip Digest::SHA HTML::Parser IO::Socket
        MIME::Base64 MIME::Tools MIME::Words Mail::Mailer Mail::SpamAssassin
        Net::DNS Unix::Syslog)
        )
    {
        my $file  = $module =~ s{::}{/}gr . '.pm';
        my $state = 'missing';
        if (eval { require $file; 1 }) {
            $state = 'Version ' . ($module->VERSION // 'UNKNOWN');
        }
        $report .= sprintf "%-30s: %s\n", $module, $state;
    }
    return $report;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Setup - load the filter

=head1 FUNCTIONS

=head2 load_filter(PATH)

Loads the filter into package main and fills in what it left undefined. Dies
with Perl's message if it does not compile or returns false. F</dev/null>: no
filter.

=head2 load_what_filter_names()

Loads what Mail::MIMEDefang::Lazy offers and the filter mentions.

=head2 detect_and_load_perl_modules()

Loads the optional modules that are installed and says so in C<%Features>.
A feature that the filter set to 0 stays off.

=head2 features_report(VERSION)

What C<-features> prints.

=cut
