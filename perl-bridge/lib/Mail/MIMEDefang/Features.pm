# SPDX-License-Identifier: MIT
#
# %Features: which programs and Perl modules are there.  What the filter has set
# stays as it is, whenever it is looked at again.

package Mail::MIMEDefang::Features;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Antivirus::Table qw(@SCANNERS);
use Mail::MIMEDefang::Globals;

our @EXPORT_OK = qw(detect_and_load_perl_modules detect_programs
    expect_use features_report find_program is_used note_modules);

# Where besides $PATH, which a daemon may have without these.
my @PLACES = qw(/usr/local/bin /usr/bin /bin /usr/local/sbin /usr/sbin /sbin);

# Feature -> names of the program; the first that is installed is its value.
my %PROGRAM = (
    '7zip'        => [qw(7zz 7z 7za)],
    'tar'         => ['tar'],
    'Path:RSPAMC' => ['rspamc'],
);

# Feature -> what a filter says that uses the module.  Loading them all takes
# longer than everything else at the start of a worker.
my %MODULE = (
    'SpamAssassin' => qr/\b(?:Mail::SpamAssassin|spam_assassin_\w+)\b/,
    'HTML::Parser' => qr/\bHTML::(?:Parser|TokeParser)\b/,
    'Archive::Zip' => qr/\bArchive::Zip\b/,
    'Net::DNS'     => qr/\bNet::DNS\b/,
    'Digest::MD5'  => qr/\bDigest::MD5\b/,
    'Digest::SHA'  => qr/\bDigest::SHA\b/,
    'Mail::BIMI'   => qr/\bMail::BIMI\b/,
);
my %FILE = (SpamAssassin => 'Mail/SpamAssassin.pm');

my $is_used = sub ($regex) {1};    # whether the filter says something like it

sub find_program (@names) {
    my %seen;
    my @places = grep { m{^/} && !$seen{$_}++ } split(/:/, $ENV{PATH} // ''),
        @PLACES;
    for my $name (@names) {
        for my $place (@places) {
            return "$place/$name" if -x "$place/$name" && -f _;
        }
    }
    return;
}

# Two dozen searches are a tenth of a worker's start, and most filters never ask:
# the value is looked up when it is read.
sub detect_programs () {
    $Features{'Path:CLAMDCONF'}
        //= "$Features{'Path:CONFDIR'}/MD-clamdscan.conf";
    for my $feature (keys %PROGRAM) {
        _look_up_later($feature,
            sub { find_program(@{ $PROGRAM{$feature} }) // '' });
    }
    for my $row (@SCANNERS) {
        _look_up_later("Virus:$row->{feature}", sub { _scanner($row) });
        my $variable = $row->{address} // next;
        no strict 'refs';
        ${"Mail::MIMEDefang::Globals::$variable"}
            //= $row->{default} =~ s/\{spool\}/$Features{'Path:SPOOLDIR'}/r;
    }
    return;
}

# choice:bridge-scanners
sub _scanner ($row) {
    return 0 if $row->{another} || !defined $row->{program};
    return 0 if $row->{needs}   && !-e $Features{ $row->{needs} };
    return 0 if $row->{instead} && defined find_program($row->{instead});
    return find_program($row->{program}) // 0;
}

sub _look_up_later ($feature, $code) {
    tie $Features{$feature}, __PACKAGE__, $code if !exists $Features{$feature};
    return;
}

sub TIESCALAR ($class, $code) {
    return bless { code => $code }, $class;
}

sub FETCH ($self) {
    $self->{value} = $self->{code}->() if !exists $self->{value};
    return $self->{value};
}

sub STORE ($self, $value) {
    $self->{value} = $value;
    return;
}

sub _file ($module) {
    return $FILE{$module} // $module =~ s{::}{/}gr . '.pm';
}

sub _installed ($file) {
    return $INC{$file} || grep { !ref && -e "$_/$file" } @INC;
}

sub expect_use ($code) {
    $is_used = $code;
    return;
}

# Whether the filter, or a file that it may read, has what REGEX matches.
sub is_used ($regex) {
    return $is_used->($regex);
}

# Only whether they are installed.
sub note_modules () {
    return if !($Features{AutoDetectPerlModules} // 1);
    for my $module (keys %MODULE) {
        $Features{$module} //= _installed(_file($module)) ? 1 : 0;
    }
    return;
}

# spec:bridge-detection
sub detect_and_load_perl_modules (@) {
    return if !($Features{AutoDetectPerlModules} // 1);
    for my $module (sort keys %MODULE) {
        next if defined $Features{$module} && !$Features{$module};
        my $file = _file($module);
        if (!_installed($file)) {
            $Features{$module} = 0;
        }
        elsif ($is_used->($MODULE{$module})) {
            local $SIG{__DIE__};
            local $@;
            $Features{$module} = eval { require $file; 1 } ? 1 : 0;
        }
        else {
            $Features{$module} //= 1;
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
        my $file  = _file($module);
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

Mail::MIMEDefang::Features - what is installed

=head1 DESCRIPTION

C<%Features> has, before the filter is loaded: the paths (C<Path:SPOOLDIR> and so
on); C<Virus:NAME> for each scanner, the path of its program or 0; C<tar> and
C<7zip>, a path or the empty string; C<Path:RSPAMC>, C<Path:CLAMDCONF>. Whatever
the filter sets there counts, and is never overwritten: 0 switches a feature off,
1 or a path switches it on.

After the filter, or its call of detect_and_load_perl_modules: C<SpamAssassin>,
C<HTML::Parser>, C<Archive::Zip>, C<Net::DNS>, C<Digest::MD5>, C<Digest::SHA>,
C<Mail::BIMI>, 1 or 0. Only read: C<unrar>, C<AutoDetectPerlModules> (0: modules
are not looked for).

=head1 FUNCTIONS

=head2 detect_and_load_perl_modules()

Looks for the optional Perl modules and says in C<%Features> which there are. Those
that the filter names (C<Net::DNS>, C<spam_assassin_check>) are loaded; the others
when a function needs them. What the filter set to 0 stays off and is not loaded.
Returns nothing.

=head2 detect_programs()

Each program is looked for when its value is read, unless somebody has set it.
C<$ClamdSock> and its like get their defaults.

=head2 expect_use(CODE)

CODE says for a regular expression whether the filter uses what it matches. Without
it all modules are loaded.

=head2 is_used(REGEX)

Whether the filter has it; true if that is not known.

=head2 note_modules()

Says which modules are installed, without loading any.

=head2 find_program(NAME...)

The path of the first of these programs that is installed; nothing if none is.

=head2 features_report(VERSION)

What C<-features> prints.

=cut
