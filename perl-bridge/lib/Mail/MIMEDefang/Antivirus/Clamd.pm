# SPDX-License-Identifier: MIT
#
# clamd, on a UNIX socket or TCP.  It is told the path of what to scan; where it
# cannot read that (another host, another user) the bytes go over the connection.
# Only what it calls OK, all of it, is clean.  spec:virus-clamd

package Mail::MIMEDefang::Antivirus::Clamd;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Antivirus::Common
    qw(ask cannot files_below found note swerr time_limit);
use Mail::MIMEDefang::Antivirus::Command qw(scan_with_command);
use Mail::MIMEDefang::Antivirus::Table   qw(@SCANNERS);
use Mail::MIMEDefang::Globals;

our @EXPORT_OK = qw(scan_with_clamd);

use constant {
    PING_S => 60,        # a daemon that hangs is found out sooner
    BLOCK  => 1 << 16,
};
use constant DEBIAN => '/run/clamav/clamd.ctl';

sub scan_with_clamd ($row, $target, $address = undef, @) {
    $CurrentVirusScannerMessage = '';
    my $where = _address($row, $address);
    if ($target->{whole}) {
        my ($pong, @failed) = ask(
            'clamd', $where, "PING\n",
            until     => qr/\n/,
            timeout_s => time_limit() < PING_S ? time_limit() : PING_S
        );
        return cannot("clamd at $where does not answer PING") if @failed;
        return cannot("clamd at $where is no clamd") if $pong !~ /^PONG\b/;
    }
    return _stream($target, $where) if !_is_local($where);

    # CONTSCAN goes on after the first virus.
    my $command = $target->{whole} ? 'CONTSCAN' : 'SCAN';
    my ($reply, @failed) = ask('clamd', $where, "$command $target->{path}\n");
    my ($code,  @rest)   = _interpret($reply, @failed);
    return ($code, @rest)           if defined $code;
    return _stream($target, $where) if "@rest" eq 'unreadable';
    return _ask_clamscan($target);
}

# A socket that nobody set and that is not there: perhaps the distribution's is.
sub _address ($row, $address) {
    my $default = $row->{default} =~ s/\{spool\}/$Features{'Path:SPOOLDIR'}/r;
    $address = $ClamdSock if !length($address // '');
    $address = $default   if !length($address // '');
    return DEBIAN if $address eq $default && !-e $default && -S DEBIAN;
    return $address;
}

sub _is_local ($address) {
    return $address =~ m{^(?:/|127\.|localhost:|\[?::1\]?:)};
}

# (code, category, name), or (undef, why) if the question has to be put in
# another way.
sub _interpret ($reply, @failed) {
    my (@names, @errors);
    my $ok = 0;
    for my $line (split /[\n\0]/, $reply) {
        if ($line =~ /: (.+) FOUND\z/) {
            push @names, $1;
            note("$line\n");
        }
        elsif ($line =~ /: OK\z/) {
            $ok++;
        }
        else {
            push @errors, $line;
        }
    }
    return (1, 'virus', found($names[0])) if @names;
    return @failed                        if @failed;
    return swerr('clamd gave no answer')  if !$ok && !@errors;
    return (0, 'ok')                      if !@errors;
    return _error(@errors);
}

sub _error (@errors) {
    my @serious;
    my $why;
    for my $line (@errors) {
        if ($line
            =~ /(?:denied|lstat\(\) failed|check failure|No such file).* ERROR\z/i
            )
        {
            $why = 'unreadable';
        }
        elsif ($Features{'Virus:CLAMAV'}
            && $line
            =~ /(?:zip module failure|not supported data format).* ERROR\z/i)
        {
            $why //= 'unpack';
        }
        else {
            push @serious, $line;
        }
    }
    return (undef, $why) if !@serious;
    note(join '', map {"$_\n"} @serious);
    return swerr("clamd: $serious[0]");
}

# Each file over a connection of its own.
sub _stream ($target, $where) {
    my $replies = '';
    for my $file (files_below($target->{path})) {
        open my $fh, '<:raw', $file or return swerr("Cannot open $file: $!");
        my ($reply, @failed)
            = ask('clamd', $where, _chunks($fh), until => qr/[\n\0]/);
        $reply =~ s/^stream(?=: )/$file/;
        $replies .= "$reply\n";
        return _interpret($replies, @failed) if @failed;
    }
    return (0, 'ok') if $replies eq '';    # no file at all
    my ($code, @rest) = _interpret($replies);
    return defined $code
        ? ($code, @rest)
        : swerr("clamd: $replies");
}

# The function that gives the bytes of INSTREAM one block at a time.
sub _chunks ($fh) {
    my $started = 0;
    return sub {
        return "nINSTREAM\n" if !$started++;
        return               if !$fh;
        my $n = read $fh, my $block, BLOCK;
        return pack 'N/a*', $block if $n;
        undef $fh;
        return defined $n ? pack('N', 0) : undef;
    };
}

# What clamd cannot unpack the program may be able to.
sub _ask_clamscan ($target) {
    my ($row) = grep { $_->{name} eq 'clamav' } @SCANNERS;
    return scan_with_command(
        { %{$row},    message => "--unzip --unrar $row->{message}" },
        { %{$target}, whole   => 1, item => $target->{path} }
    );
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Antivirus::Clamd - talk to clamd

=head1 FUNCTIONS

=head2 scan_with_clamd(ROW, TARGET [, ADDRESS])

Scans a file, or the directory of a message. ADDRESS: absolute path of a UNIX
socket, or C<host:port>; default C<$ClamdSock>. Returns (code, category, name of
the virus).

=cut
