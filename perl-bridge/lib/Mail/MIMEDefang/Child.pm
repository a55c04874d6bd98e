# SPDX-License-Identifier: MIT
#
# Starts a program, without a shell, as the leader of a process group, so that it
# can be killed with all that it starts.  Whether it could be started is known
# here; what it says and how it ends is read by those who start one.  Nothing here
# logs, or dies unless somebody's time limit ends the wait.

package Mail::MIMEDefang::Child;
use v5.36;
use Errno ();
use Exporter 'import';
use POSIX ();

our @EXPORT_OK = qw(start_program);

use constant BLOCK => 4096;

# A pipe that closes when the program runs says that it does, or why not.  A time
# limit of somebody else may end the wait.
sub start_program (%o) {
    pipe my $why, my $tell or return (undef, "cannot make a pipe: $!");
    my ($pid, $text);
    my $is_known = eval {
        $pid = fork;
        if    (!defined $pid) { $text = "cannot fork: $!" }
        elsif (!$pid)         { _become($tell, \%o) }
        else                  { $text = _hear($tell, $why) }
        1;
    };
    return ($pid, undef) if $is_known && $text eq '';
    my $error = $@;
    POSIX::_exit(127)
        if defined $pid && !$pid;    # a signal came before the program
    local ($?, $!);
    if ($pid) {
        kill KILL => $pid;
        waitpid $pid, 0;
    }
    die $error if !$is_known;
    return (undef, $text);
}

sub _hear ($tell, $why) {
    close $tell;
    my ($n, $text);
    do { $n = sysread $why, $text, BLOCK } while !defined $n && $!{EINTR};
    return $text // '';
}

# The child; does not return.
sub _become ($tell, $o) {
    my @argv = @{ $o->{argv} };
    eval {
        setpgrp 0, 0;
        delete @SIG{qw(__WARN__ __DIE__)};
        $SIG{$_} = 'DEFAULT' for qw(PIPE INT TERM HUP ALRM CHLD);
        my $in  = _open('<', $o->{in} // '/dev/null');
        my $err = defined $o->{err} && _open('>', $o->{err});
        POSIX::dup2(fileno $in,       0);
        POSIX::dup2(fileno $o->{out}, 1);
        POSIX::dup2(fileno $err,      2) if $err;
        chdir($o->{dir} // '.') or die "cannot chdir to $o->{dir}: $!\n";
        %ENV = (%ENV, %{ $o->{env} // {} });
        no warnings 'exec';
        exec { $argv[0] } @argv or die "cannot run $argv[0]: $!\n";
    };
    chomp(my $text = $@);
    syswrite $tell, $text || 'cannot start';
    POSIX::_exit(127);
    return;
}

sub _open ($mode, $what) {
    return $what if ref $what;
    open my $fh, $mode, $what or die "cannot open $what: $!\n";
    return $fh;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Child - start a program

=head1 FUNCTIONS

=head2 start_program(argv => [...], out => HANDLE, in => ..., err => ..., dir => ..., env => {...})

Runs C<argv[0]>, looked for on C<$PATH> if it has no slash, in DIR (default: here)
with ENV added to the environment. IN (default F</dev/null>) and ERR (default: ours)
are open handles or names of files. Returns its number; or undef and one line that
says why it does not run, which begins with C<cannot>. Waits until one or the other
is known; if something dies meanwhile there is no program either.

=cut
