# SPDX-License-Identifier: MIT
#
# The variables that filters and all modules share: names, defaults, and what a
# new request resets.  Exporter makes aliases, so that $X, $main::X and
# $Mail::MIMEDefang::X are one variable everywhere.
#
# Some belong to functions that the bridge does not have yet (scanners,
# SpamAssassin); they are here so that filters with "use strict" compile.

package Mail::MIMEDefang::Globals;
use v5.36;
use Exporter 'import';

# Set once; a filter may change them, and they last as long as the worker.
my %SETTING = (
    AddApparentlyToForSpamAssassin => 0,
    AddWarningsInline              => 0,
    AdminAddress                   => 'postmaster@localhost',
    AdminName                      => 'MIMEDefang Administrator',
    Administrator       => undef,                     # old name of AdminAddress
    CachedTimezone      => '',
    ClamdSock           => undef,
    CSSHost             => undef,
    DaemonAddress       => 'mailer-daemon@localhost',
    DaemonName          => 'MIMEDefang',
    DoStatusTags        => 0,
    EnumerateRecipients => undef,
    Fprotd6Host         => undef,
    FprotdHost          => undef,
    GeneralWarning      => undef,
    GraphDefangSyslogFacility       => undef,
    GreylistStore                   => undef,
    MaxMIMEParts                    => -1,
    NotifyAdministratorSubject      => 'MIMEDefang Notification',
    NotifyNoPreamble                => 0,
    NotifySenderSubject             => 'MIMEDefang Notification',
    PrivateMyHostName               => undef,
    QuarantineSubject               => 'MIMEDefang Quarantine Report',
    SALocalTestsOnly                => 1,
    SASpamTester                    => undef,
    ServerMode                      => 0,
    SophieSock                      => undef,
    SyslogFacility                  => 'mail',
    TrophieSock                     => undef,
    URL                             => 'https://mimedefang.org/enduser/',
    ValidateIPHeader                => '',
    VirusScannerRoutinesInitialized => 0,
    WarningLocation                 => 0,
);
my @SETTING_ARRAYS = qw(VirusScannerMessageRoutines VirusScannerEntityRoutines);

# Reset by init_globals(); CWD too, to the spool directory.
my %STATE = (
    Action                     => '',
    AmbiguousMIME              => 0,
    ArchiveError               => '',
    ArchiveMember              => '',
    Changed                    => 0,
    ContextPrivdata            => undef,       # of Mail::MIMEDefang::Context
    CWD                        => undef,
    CurrentVirusScannerMessage => '',
    DefangCounter              => 0,
    Domain                     => '',
    EntireMessageQuarantined   => 0,
    FilterEndReplacementEntity => undef,
    Helo                       => '',
    HTMLBoilerplate            => '',
    HTMLFoundEndBody           => 0,
    InFilterContext            => 0,
    InFilterEnd                => 0,
    InFilterWrapUp             => 0,
    InMessageContext           => 0,
    MessageID                  => 'NOQUEUE',
    MIMEDefangID               => '',
    MsgID                      => 'NOQUEUE',
    QuarantineCount            => 0,
    QuarantineSubdir           => '',
    QueueID                    => 'NOQUEUE',
    RealRelayAddr              => '',
    RealRelayHostname          => '',
    Rebuild                    => 0,
    RelayAddr                  => '',
    RelayHostname              => '',
    ReplacementEntity          => undef,
    results_fh                 => undef,
    Sender                     => '',
    Subject                    => '',
    SubjectCount               => 0,
    SuspiciousCharsInBody      => 0,
    SuspiciousCharsInHeaders   => 0,
    TerminateAndDiscard        => 0,
    VirusName                  => '',
    VirusScannerMessages       => '',
    WarningCounter             => 0,
    WasMultiPart               => 0,
    WasResent                  => 0,
);
my @STATE_ARRAYS = qw(AddedParts Ambiguities ESMTPArgs FlatParts Recipients
    SenderESMTPArgs StatusTags Warnings);
my @STATE_HASHES
    = qw(Actions RecipientESMTPArgs RecipientMailers SendmailMacros);

our (%CallbackTimeout, %Features, %ScanLimit, %Stupidity);

our @EXPORT = (    ## no critic (ProhibitAutomaticExportation)
    qw(%CallbackTimeout %Features %ScanLimit %Stupidity init_globals),
    (map {"\$$_"} sort keys %SETTING, keys %STATE),
    (map {"\@$_"} @SETTING_ARRAYS,    @STATE_ARRAYS),
    (map {"\%$_"} @STATE_HASHES),
);

sub _scalar ($name) { no strict 'refs'; return \${$name} }
sub _array  ($name) { no strict 'refs'; return \@{$name} }
sub _hash   ($name) { no strict 'refs'; return \%{$name} }

${ _scalar($_) } = $SETTING{$_} for keys %SETTING;
my %group;         # those with the same initial value
for my $name (keys %STATE) {
    my $group = $group{ $STATE{$name} // 'undef' } //= { to => $STATE{$name} };
    push @{ $group->{variables} }, _scalar($name);
}
my @groups = values %group;
my $cwd    = _scalar('CWD');
my @lists  = map { _array($_) } @STATE_ARRAYS;
my @hashes = map { _hash($_) } @STATE_HASHES;

sub init_globals {
    for my $group (@groups) {
        ${$_} = $group->{to} for @{ $group->{variables} };
    }
    @{$_}   = () for @lists;
    %{$_}   = () for @hashes;
    ${$cwd} = $Features{'Path:SPOOLDIR'};
    return;
}

# choice:bridge-paths  The environment wins over the place where a Debian
# package keeps things; the server loop sets SPOOLDIR to where it was started.
my %PATH = (
    SPOOLDIR      => '/var/spool/MIMEDefang',
    QUARANTINEDIR => '/var/spool/MD-Quarantine',
    CONFDIR       => '/etc/mail',
    SENDMAIL      => '/usr/sbin/sendmail',
);
$Features{"Path:$_"} = $ENV{"MIMEDEFANG_$_"} // $PATH{$_} for keys %PATH;
%Stupidity = (NoMultipleInlines => 0);

# spec:bridge-limits
%ScanLimit = (
    parts  => 5000,
    depth  => 250,
    bytes  => 1 << 30,
    action => 'bounce',
);

# spec:bridge-time-limits  Before the multiplexor would kill the worker.
if (($ENV{MIMEDEFANG_BUSY_TIMEOUT} // '') =~ /^(\d+)\z/a && $1) {
    %CallbackTimeout = (default => 0.9 * $1, command => 0.95 * $1);
}
init_globals();

1;

__END__

=head1 NAME

Mail::MIMEDefang::Globals - the variables shared by filter and modules

=head1 FUNCTIONS

=head2 init_globals()

Puts every variable that describes a message back to its initial value. The
server loop calls it before each request.

=head1 ENVIRONMENT

C<MIMEDEFANG_SPOOLDIR>, C<MIMEDEFANG_QUARANTINEDIR>, C<MIMEDEFANG_CONFDIR> and
C<MIMEDEFANG_SENDMAIL> replace the built-in paths, which a filter finds as
C<$Features{'Path:SPOOLDIR'}> and so on.

=cut
