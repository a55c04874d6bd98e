# SPDX-License-Identifier: MIT
#
# Virus scanners: one function for a message and one for a part, for each row of
# the table, and two that ask all that are there.  An error is never "clean".
#
# The drivers are in Antivirus/: Command, Clamd, Daemons.

package Mail::MIMEDefang::Antivirus;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Antivirus::Command
    qw(interpret_code run_and_collect scan_with_command);
use Mail::MIMEDefang::Antivirus::Common qw(swerr);
use Mail::MIMEDefang::Antivirus::Table  qw(@SCANNERS scanner_functions);
use Mail::MIMEDefang::Channel           qw(pop_status_tag push_status_tag);
use Mail::MIMEDefang::Guard             qw(in_message_context);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log qw(md_syslog);

our @EXPORT = scanner_functions();   ## no critic (ProhibitAutomaticExportation)

# Seconds for one scanner and one object; a filter may set it.
our $Timeout;
$Timeout //= 100;

# What the caller is advised to do about a message.  spec:virus-categories
my %ACTION = (
    'ok'             => 'ok',
    'not-installed'  => 'tempfail',
    'cannot-execute' => 'tempfail',
    'virus'          => 'quarantine',
    'suspicious'     => 'quarantine',
    'interrupted'    => 'tempfail',
    'swerr'          => 'tempfail',
    'wrong-context'  => 'tempfail',
);
my @WRONG_CONTEXT = (999, 'wrong-context', 'tempfail');

my %DRIVER = (
    command => \&scan_with_command,
    clamd   => sub {
        require Mail::MIMEDefang::Antivirus::Clamd;
        goto &Mail::MIMEDefang::Antivirus::Clamd::scan_with_clamd;
    },
    map { $_ => _daemon("scan_with_$_") }
        qw(sophie carrier_scan fprotd fprotd_v6)
);

# Now, so that workers which are forked later need not look.
my @there = grep { $Features{"Virus:$_->{feature}"} } @SCANNERS;

sub _daemon ($name) {
    return sub {
        require Mail::MIMEDefang::Antivirus::Daemons;
        goto &{ Mail::MIMEDefang::Antivirus::Daemons->can($name) };
    };
}

my %row = map { $_->{name} => $_ } @SCANNERS;

# The functions of each row.  In scalar context the code, but 0 for what is clean.
for my $row (@SCANNERS) {
    my $name = $row->{name};
    my %code = (
        "message_contains_virus_$name" => sub {
            my ($address) = @_;
            my @result = _message($row, $address);
            return wantarray ? @result : _truth(@result);
        },
        "entity_contains_virus_$name" => sub {
            my ($entity, $address) = @_;
            my @result = _entity($row, $entity, $address);
            return wantarray ? @result : _truth(@result);
        },
    );
    $code{ 'interpret_' . ($row->{interpret} // $name) . '_code' } = sub {
        my ($code) = @_;
        my @result = _result(interpret_code($row, $code));
        return wantarray ? @result : _truth(@result);
        }
        if $row->{kind} eq 'command';
    no strict 'refs';
    *{$_} = $code{$_} for keys %code;
}

sub _truth ($code, $category, @) {
    return $category eq 'ok' ? 0 : $code;
}

# From what a driver returns to what a filter gets.
sub _result ($code, $category, $name = undef, @) {
    $VirusName = $name if defined $name;
    return ($code, $category, $ACTION{$category});
}

sub _message ($row, $address) {
    return @WRONG_CONTEXT
        if !in_message_context("message_contains_virus_$row->{name}");
    return _scan($row, './Work', 1, $address);
}

sub _entity ($row, $entity, $address) {
    return @WRONG_CONTEXT
        if !in_message_context("entity_contains_virus_$row->{name}");
    my $body = $entity->bodyhandle or return _result(0, 'ok');
    my $path = $body->path;
    return _result(swerr('body of the part is not on disk'))
        if !length($path // '');
    return _scan($row, $path, 0, $address);
}

sub _scan ($row, $item, $whole, $address) {
    return _result(1, 'not-installed') if !$Features{"Virus:$row->{feature}"};
    my $path = $item =~ m{^/} ? $item : "$CWD/" . $item =~ s{^\./}{}r;
    return _result(swerr("virus scanner $row->{name}: odd path $path"))
        if $path =~ /[\x00-\x1f\x7f]/;
    my %target = (item => $item, path => $path, whole => $whole);
    return _result($DRIVER{ $row->{kind} }->($row, \%target, $address));
}

sub initialize_virus_scanner_routines (@) {
    return if $VirusScannerRoutinesInitialized;
    $VirusScannerRoutinesInitialized = 1;
    for my $row (@SCANNERS) {
        next if !$Features{"Virus:$row->{feature}"};
        next if $row->{unless} && $Features{"Virus:$row->{unless}"};
        no strict 'refs';
        push @VirusScannerMessageRoutines,
            \&{"message_contains_virus_$row->{name}"};
        push @VirusScannerEntityRoutines,
            \&{"entity_contains_virus_$row->{name}"};
    }
    return;
}

sub message_contains_virus (@) {
    my @result = @WRONG_CONTEXT;
    if (in_message_context('message_contains_virus')) {
        initialize_virus_scanner_routines();
        @result = _ask_all(\@VirusScannerMessageRoutines);
    }
    return wantarray ? @result : _truth(@result);
}

sub entity_contains_virus ($entity, @) {
    my @result = @WRONG_CONTEXT;
    if (in_message_context('entity_contains_virus')) {
        initialize_virus_scanner_routines();
        @result
            = $entity->bodyhandle
            ? _ask_all(\@VirusScannerEntityRoutines, $entity)
            : _result(0, 'ok');
    }
    return wantarray ? @result : _truth(@result);
}

# The first virus; else the last answer that is not "clean".
sub _ask_all ($routines, @args) {
    my @worst = _result(0, 'ok');
    push_status_tag('Running virus scanner');
    for my $routine (@{$routines}) {
        my @result = $routine->(@args);
        next if $result[1] eq 'ok';
        @worst = @result;
        last if $result[1] eq 'virus';
    }
    pop_status_tag();
    return @worst;
}

# For scanners of the filter's own: a command line, which a shell reads.
sub run_virus_scanner ($command, $match = '', @) {
    my @result = @WRONG_CONTEXT;
    if (in_message_context('run_virus_scanner')) {
        my ($code, @failed)
            = run_and_collect($command, [ '/bin/sh', '-c', $command ], $match);
        @result = @failed ? _result(@failed) : ($code, 'ok', 'proceed');
    }
    return wantarray ? @result : $result[0];
}

# ---- one file, for filters that know the daemon ------------------------------------

sub scan_file_using_carrier_scan ($file, $address = undef, @) {
    my @result = _scan_file('carrier_scan', $file, $address);
    return wantarray ? @result : _truth(@result);
}

sub scan_file_using_fprotd_v6 ($file, $address = undef, @) {
    my @result = _scan_file('fprotd_v6', $file, $address);
    return wantarray ? @result : _truth(@result);
}

sub item_contains_virus_fprotd ($path, $address = undef, @) {
    my @result = _scan_file('fprotd', $path, $address);
    return wantarray ? @result : _truth(@result);
}

sub _scan_file ($name, $path, $address) {
    $path = "$CWD/$path"                         if $path !~ m{^/};
    return _result(swerr("No such file: $path")) if !-e $path;
    return _result($DRIVER{$name}
            ->($row{$name}, { item => $path, path => $path }, $address));
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Antivirus - virus scanners

=head1 SYNOPSIS

    sub filter_begin {
        my ($code, $category, $action) = message_contains_virus();
        if ($action eq 'quarantine') {
            return action_bounce("Virus $VirusName found");
        }
        if ($action eq 'tempfail') {
            return action_tempfail('The virus scanner does not work');
        }
    }

=head1 DESCRIPTION

Which scanners there are, their programs and protocols: F<docs/scanners.md>.
A scanner is asked if its C<$Features{'Virus:NAME'}> is true. That is the
program's path if it was found; a filter may set it, to a path (with options if
need be), to 1 for the usual name, or to 0.

All functions but run_virus_scanner return (CODE, CATEGORY, ACTION) in list
context. CODE is the exit code of a program, 1 for a virus that a daemon found, 0
if it did not, and 999 after a failure of ours. CATEGORY and ACTION:

=over

=item C<ok>, C<ok>

Clean, in the scanner's own words.

=item C<virus>, C<quarantine>

C<$VirusName> is its name.

=item C<suspicious>, C<quarantine>

Cannot be scanned (it is encrypted, say), or looks like one.

=item C<not-installed>, C<cannot-execute>, C<interrupted>, C<swerr>, C<wrong-context>; C<tempfail>

The feature is off (CODE 1); the program or daemon cannot be started or reached;
the scan was stopped; any other error, such as no answer within C<$Timeout>
seconds; called outside of filter_begin to filter_wrapup.

=back

In scalar context they return 0 for what is clean, else CODE.

What a scanner prints about a virus is in C<$VirusScannerMessages>, for all of
the message, and C<$CurrentVirusScannerMessage>, for the last scan. Failures are
logged.

=head1 FUNCTIONS

=head2 message_contains_virus(), entity_contains_virus(ENTITY)

Ask every scanner that there is, about the files of F<Work> (all decoded parts)
or about one part; a container is clean. The first virus ends it; else the last
answer counts that is not C<ok>. No scanner: C<ok>.

=head2 message_contains_virus_NAME([ADDRESS]), entity_contains_virus_NAME(ENTITY [, ADDRESS])

Ask one: avp avp5 bdc carrier_scan clamav clamd clamdscan csav fprot fprotd
fprotd_v6 fpscan fsav hbedv kavscanner nai nod32 nvcc savscan sophie sophos trend
trophie vexira. ADDRESS only for daemons; default C<$ClamdSock>, C<$SophieSock>,
C<$TrophieSock>, C<$CSSHost>, C<$FprotdHost>, C<$Fprotd6Host>.

=head2 interpret_NAME_code(CODE)

What an exit code of a program means; sets C<$VirusName> from
C<$CurrentVirusScannerMessage>. Its name for sophos is interpret_sweep_code.

=head2 run_virus_scanner(COMMAND [, REGEX])

Runs COMMAND through the shell, in the working directory; the lines of its output
that match REGEX (in any case; default all) are kept as above, and those of a file
F<DAEMON.RPT> that it leaves. Returns (exit code, C<ok>, C<proceed>), with a
fraction if a signal ended it; or one of the failures above. Scalar: the code.

=head2 initialize_virus_scanner_routines()

Fills C<@VirusScannerMessageRoutines> and C<@VirusScannerEntityRoutines> with the
functions that the first two ask, once in the life of a worker; a filter may
push its own.

=head2 scan_file_using_carrier_scan(FILE [, ADDRESS]), scan_file_using_fprotd_v6(FILE [, ADDRESS]), item_contains_virus_fprotd(PATH [, ADDRESS])

Ask a daemon about one file, or a directory.

=head1 VARIABLES

=head2 $Mail::MIMEDefang::Antivirus::Timeout

Seconds that one scanner may take, default 100. The multiplexor's limit for a
whole request (its option C<-b>) should be longer.

=cut
