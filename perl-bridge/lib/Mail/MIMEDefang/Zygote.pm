# SPDX-License-Identifier: MIT
#
# A process that has loaded the filter and forks workers when the multiplexor
# asks for them.  Nothing is loaded after that: a worker starts in the time of
# two forks, and shares with all others what it does not change.
#
# spec:zygote  Descriptor 3 is a socket of records.  "start ID PATH" asks for a
# worker whose descriptors are the FIFOs PATH.0 and so on; "up ID PID" or
# "failed ID WHY" is the answer.
#
# choice:zygote-orphans  A process between us and the worker forks it and exits,
# so that the worker becomes a child of the multiplexor.

package Mail::MIMEDefang::Zygote;
use v5.36;
use Exporter 'import';
use Errno ();
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Scan   qw(load_mime_tools);
use Mail::MIMEDefang::Server qw(do_main_loop);
use POSIX                    ();

our @EXPORT_OK = qw(serve_zygote);

use constant {
    RECORD  => 4096,    # octets, at most
    OPEN_IN => 10,      # seconds for the FIFOs, which nobody else opens late
};

# What the bridge loads when it is needed first.
my @LATER = qw(Carp Cwd Digest::SHA File::Copy File::Path MIME::Decoder::Base64
    MIME::Decoder::Binary MIME::Decoder::NBit MIME::Decoder::QuotedPrint
    MIME::Decoder::UU MIME::Entity
    MIME::Parser MIME::QuotedPrint MIME::WordDecoder PerlIO::scalar Socket
    Sys::Hostname
    Sys::Syslog);

sub serve_zygote () {
    open my $control, '+<&=', 3 or die "No descriptor 3: $!\n";
    _load_all();
    local $| = 1;                   # nothing may be printed twice
    local $SIG{CHLD} = 'DEFAULT';
    _say($control, 'ready');
    while (1) {
        my $n = sysread $control, my $order, RECORD;
        next if !defined $n && $!{EINTR};
        last if !$n;
        my ($id, $path) = $order =~ /^start (\S+) (.+)\z/s or next;
        my $status = _deliver($control, $id, $path);
        return $status if defined $status;    # we are the worker
    }
    POSIX::_exit(0);    # no END of the filter's: it has not begun
    return;
}

sub _load_all () {
    load_mime_tools();
    for my $module (@LATER) {
        my $file = $module =~ s{::}{/}gr . '.pm';
        eval { require $file };
    }
    return;
}

# undef; in the worker, when it has served: its exit status.
sub _deliver ($control, $id, $path) {
    pipe my $from, my $to or return _say($control, "failed $id no pipe: $!");
    my $pid = fork // return _say($control, "failed $id cannot fork: $!");
    if ($pid) {
        close $to;
        my $n = sysread $from, my $answer, RECORD;
        waitpid $pid, 0;    # now the worker has another parent
        return _say($control,
            $n ? "$answer" =~ s/^(\w+)/$1 $id/r : "failed $id no answer");
    }
    close $from;
    my $worker;
    my $status = eval { _open($path) };
    my $error  = $@;
    $worker = fork if !$error;
    if ($error || $worker || !defined $worker) {
        setpgrp $worker, $worker if $worker;
        chomp($error ||= "cannot fork: $!");
        syswrite $to, $worker ? "up $worker" : "failed $error";
        POSIX::_exit(0);
    }
    setpgrp 0, 0;
    close $to;
    return _work($control, $status);
}

sub _say ($control, $text) {
    syswrite $control, $text;
    return;
}

# Opens the FIFOs; the handle of the status pipe, if there is one.
sub _open ($path) {
    alarm OPEN_IN;
    open STDIN,  '<', "$path.0" or die "$path.0: $!\n";
    open STDOUT, '>', "$path.1" or die "$path.1: $!\n";
    open STDERR, '>', "$path.2" or die "$path.2: $!\n";
    my $status;
    if ($DoStatusTags) {
        open $status, '>', "$path.3" or die "$path.3: $!\n";
    }
    alarm 0;
    return $status;
}

sub _work ($control, $status) {
    if ($status) {
        ## no critic (RequireLocalizedPunctuationVars)
        POSIX::dup2(fileno $status, 3);
        close $status;
    }
    else {
        close $control;
    }
    $0 = 'mimedefang.pl -server'; ## no critic (RequireLocalizedPunctuationVars)
    $SIG{$_} = 'DEFAULT' for qw(HUP INT TERM CHLD ALRM);
    srand;                        # not the same numbers in every worker
    return do_main_loop();
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Zygote - fork workers that have the filter already

=head1 FUNCTIONS

=head2 serve_zygote()

Serves the multiplexor's orders until it closes the socket; does not return
then. In a worker that was forked: serves requests, and returns its exit status.

=cut
