# SPDX-License-Identifier: MIT
#
# Everything before the first message: the site's key, the filter file and the
# modules it counts on, defaults for what it left open.

package Mail::MIMEDefang::Setup;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Callback qw(filter_is);
use Mail::MIMEDefang::Features qw(detect_programs expect_use note_modules);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Lazy;
use Mail::MIMEDefang::Log   qw(md_syslog);
use Mail::MIMEDefang::Utils qw(slurp);

our @EXPORT    = qw(read_config);    ## no critic (ProhibitAutomaticExportation)
our @EXPORT_OK = qw(load_filter load_what_filter_names);

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
    detect_programs();
    _load_site("$Features{'Path:CONFDIR'}/mimedefang.pl.conf");
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
    note_modules();
    return;
}

# Debian's mimedefang has it for paths of programs: $Features{'Virus:NAI'} = ...
sub _load_site ($path) {
    $filter_text = slurp($path) // return;
    _require($path, $path);
    return;
}

sub _load ($path) {
    require File::Spec;
    $path = File::Spec->rel2abs($path);
    filter_is($path);
    $filter_text .= slurp($path) // '';
    expect_use(\&_filter_uses);
    _import_legacy_names();
    _require($path, 'the filter');
    return;
}

# Dies as require does, with the same $!, which becomes the exit status.
sub _require ($path, $what) {
    return if eval {

        package main { require $path }    # it is compiled in our package
        1;
    };
    my ($error, $errno) = ($@, $!);
    md_syslog('err', "Cannot load $what: $error");
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
sub _filter_uses ($regex) {
    state $all
        = $filter_text =~ /^\s*(?:require|do)\s*[\$'"(]|\bread_config\b/m;
    return $all || $filter_text =~ $regex;
}

sub _import_legacy_names () {
    for my $module (sort keys %LEGACY) {
        next if !_filter_uses($LEGACY{$module});
        my $file = $module =~ s{::}{/}gr . '.pm';
        require $file;
        my @names = @{ $IMPORT{$module} // [] };

        package main { $module->import(@names) }
    }
    return;
}

# choice:bridge-read-config  What a filter keeps in a file of its own.
sub read_config ($path, @) {
    my $why = _unsafe($path);
    if ($why) {
        md_syslog('crit', "read_config: $path $why");
        return 1;
    }
    $path = "./$path" if $path !~ m{^\.{0,2}/};
    local ($@, $!);

    package main { do $path }    # its value is the file's own business
    my $error = $@ || (defined $! && !-r $path ? "$!" : '');
    return 0 if !$error;
    md_syslog('err', "read_config: $path: $error");
    return 1;
}

# A file that others may write could be a program of theirs.
sub _unsafe ($path) {
    my @stat = stat $path or return "cannot be read: $!";
    return 'is not a plain file'       if !-f _;
    return 'does not belong to root'   if $stat[4] != 0;
    return 'can be written by anybody' if $stat[2] & 0002;
    return '';
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

=head2 read_config(PATH)

Runs a Perl file in package main. It must be a plain file of root's that not
everybody may write; otherwise, or if it cannot be compiled or dies, that is logged
and 1 is returned. 0: done.

=cut
