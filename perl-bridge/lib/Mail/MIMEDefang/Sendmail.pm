# SPDX-License-Identifier: MIT
#
# Gives mail to the sendmail program.  choice:bridge-mail  The whole mail is in a file before the
# program starts: whatever happens to us meanwhile, it never takes the first half
# of a mail for all of it.  No shell, since addresses come from the network.
# Failures come back as a text.

package Mail::MIMEDefang::Sendmail;
use v5.36;
use Exporter 'import';
use Fcntl                   qw(SEEK_SET SEEK_CUR);
use Mail::MIMEDefang::Codec qw(one_line to_bytes);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Run qw(run_command);

our @EXPORT_OK = qw(new_mail submit_mail);

use constant {
    BLOCK     => 1 << 16,
    TIMEOUT_S => 120,
    MAX_SAID  => 400,       # of what the program complains about
};

# A file without a name that begins with TEXT and goes on with what is in the
# file PATH, if one is given.  (handle, ''), or (undef, why not).
sub new_mail ($text, $path = undef) {
    open my $fh, '+>:raw', undef or return (undef, "no temporary file: $!");
    my $ok = print {$fh} to_bytes($text);
    if (defined $path) {
        open my $in, '<:raw', $path
            or return (undef, "cannot open $path: $!");
        local $/ = \BLOCK;
        while ($ok && defined(my $block = readline $in)) {
            $ok = print {$fh} $block;
        }
        return (undef, "cannot read $path: $!") if $ok && $in->error;
    }
    return ($fh,   '') if $ok && $fh->flush;
    return (undef, "cannot write a temporary file: $!");
}

sub submit_mail ($mail, %o) {
    my $mode = ($o{mode}       // '') =~ /^-od[bqdi]\z/ ? $o{mode} : '-odd';
    my $from = length($o{from} // '')                   ? $o{from} : '<>';
    my $size = -s $mail;
    sysseek $mail, 0, SEEK_SET or return "cannot rewind the mail: $!";
    my $run = run_command(
        argv => [
            $Features{'Path:SENDMAIL'},                           "-f$from",
            (length($o{fullname} // '') ? "-F$o{fullname}" : ()), $mode,
            qw(-Ac -oi --),                                       @{ $o{to} }
        ],
        stdin     => $mail,
        timeout_s => TIMEOUT_S,
    );
    return $run->{error} if $run->{error} ne '';
    my $said = one_line(substr $run->{output}, 0, MAX_SAID);
    $said = ": $said" if length $said;
    return "signal $run->{signal}$said"      if $run->{signal};
    return "exit status $run->{status}$said" if $run->{status};

    # It has our position in the file, not one of its own.
    return 'it did not read the whole mail'
        if sysseek($mail, 0, SEEK_CUR) < $size;
    return '';
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Sendmail - give mail to the sendmail program

=head1 FUNCTIONS

=head2 new_mail(TEXT [, PATH])

Prepares a mail: TEXT, and then what is in the file PATH. Returns (HANDLE, ''),
or (undef, REASON).

=head2 submit_mail(HANDLE, from => ..., fullname => ..., mode => ..., to => [...])

Runs C<$Features{'Path:SENDMAIL'} -fFROM -FFULLNAME MODE -Ac -oi -- TO...> with
the mail as its input; as often as wanted. FROM: C<< <> >> if empty. FULLNAME: may
be missing. MODE: C<-odb -odq -odd -odi>, everything else is C<-odd>. Returns the
empty string, or one line that says why the program did not take the mail: it did
not start, failed, was killed, did not end within two minutes, or ended without
reading all of it.

=cut
