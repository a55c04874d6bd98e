# SPDX-License-Identifier: MIT
#
# What the drivers of all virus scanners need: a place for what a scanner says,
# one question to a daemon, the files to scan.
#
# A driver gets a row of the table, a target, and perhaps an address.  The target
# has {item}, the path in the working directory, and {path}, the absolute one.  It
# returns (code, category [, name of the virus]).

package Mail::MIMEDefang::Antivirus::Common;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(one_line);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log qw(md_syslog);

our @EXPORT_OK = qw(ask cannot files_below found note swerr
    time_limit);

use constant {
    FAILED    => 999,
    MAX_NOTE  => 1 << 16,    # of what one scanner says about one object
    MAX_NOTES => 1 << 18,    # of what all say about one message
    MAX_NAME  => 200,
    MAX_DEPTH => 20,
    MAX_REPLY => 1 << 20,
};

# Seconds for one scanner; below the 120 after which the multiplexor gives us up.
sub time_limit () {
    no warnings 'once';
    return $Mail::MIMEDefang::Antivirus::Timeout // 100;
}

sub note ($text) {
    return if !length $text;
    $CurrentVirusScannerMessage .= substr $text, 0, MAX_NOTE;
    my $room = MAX_NOTES - length $VirusScannerMessages;
    $VirusScannerMessages .= substr $text, 0, $room if $room > 0;
    return;
}

# The name may hold what the message's author chose.
sub found ($name) {
    return substr one_line($name), 0, MAX_NAME;
}

sub swerr ($text) {
    md_syslog('err', $text);
    return (FAILED, 'swerr');
}

sub cannot ($text) {
    md_syslog('err', $text);
    return (FAILED, 'cannot-execute');
}

# One question to a daemon: (answer, result).  The result is empty if the answer
# is there.
sub ask ($who, $address, $send, %o) {
    require Mail::MIMEDefang::Peer;
    my ($reply, $error) = Mail::MIMEDefang::Peer::peer_talk(
        address   => $address,
        send      => $send,
        max_bytes => MAX_REPLY,
        timeout_s => time_limit(),
        %o
    );
    return ($reply) if $error eq '';
    my $fail = $error =~ /^cannot connect/ ? \&cannot : \&swerr;
    return ($reply, $fail->("$who: $error"));
}

# The plain files below an absolute path, or itself if it is one.
sub files_below ($path, $depth = 0) {
    return                                if -l $path;
    return $path                          if !-d _;
    die "Too many directories in $path\n" if $depth > MAX_DEPTH;
    opendir my $dh, $path or die "Cannot read $path: $!\n";
    my @names = sort grep { !/^\.\.?\z/ } readdir $dh;
    return map { files_below("$path/$_", $depth + 1) } @names;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Antivirus::Common - for the drivers of virus scanners

=head1 FUNCTIONS

=head2 note(TEXT)

Adds to C<$CurrentVirusScannerMessage> and C<$VirusScannerMessages>, as long as
they are not too long.

=head2 found(NAME)

NAME made fit for C<$VirusName>.

=head2 swerr(TEXT), cannot(TEXT)

Log it and return (999, C<swerr>) and (999, C<cannot-execute>).

=head2 ask(WHO, ADDRESS, SEND, OPTION => VALUE, ...)

C<peer_talk> of L<Mail::MIMEDefang::Peer>: returns the answer; after a failure
what came of it, and a result as swerr or cannot gives it.

=head2 time_limit()

How many seconds a scanner has for one object: 100, or what the filter set
C<$Mail::MIMEDefang::Antivirus::Timeout> to.

=head2 files_below(PATH)

The plain files in a directory, at any depth.

=cut
