# SPDX-License-Identifier: MIT
#
# A process that has loaded the filter and forks workers when the multiplexor
# asks for them.  Nothing is loaded after that: a worker shares with all others
# what it does not change.  One is always forked ahead, so that an order takes no
# longer than to open a few pipes.
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
use Mail::MIMEDefang::Lazy      ();
use Mail::MIMEDefang::Rehearsal qw(rehearse);
use Mail::MIMEDefang::Scan      qw(load_mime_tools);
use Mail::MIMEDefang::Server    qw(do_main_loop);
use Mail::MIMEDefang::Setup     qw(load_what_filter_names);
use POSIX                       ();

our @EXPORT_OK = qw(serve_zygote);

use constant {
    RECORD  => 4096,    # octets, at most
    GAPS    => 250,     # of each kind
    OPEN_IN => 10,      # seconds for the FIFOs, which nobody else opens late
};

# What the bridge loads when it is needed first.
my @LATER = qw(Carp Cwd Digest::SHA File::Copy File::Path MIME::Decoder::Base64
    MIME::Decoder::Binary MIME::Decoder::NBit MIME::Decoder::QuotedPrint
    MIME::Decoder::UU MIME::Entity
    MIME::Parser MIME::QuotedPrint MIME::WordDecoder PerlIO::scalar Socket
    Mail::MIMEDefang::Structure Sys::Hostname
    Sys::Syslog);

my $control;

sub serve_zygote () {
    open $control, '+<&=', 3 or die "No descriptor 3: $!\n";
    _load_all();
    _use_up_gaps();                   # for what the rehearsal leaves
    eval { rehearse() };              # what fails costs only memory
    _use_up_gaps();                   # for the workers
    local $|                  = 1;    # nothing may be printed twice
    local @SIG{qw(CHLD PIPE)} = qw(DEFAULT IGNORE);
    _say('ready');
    my $worker;

    while (1) {
        $worker //= _fork_ahead();
        return _work($worker) if $worker && !$worker->{pid};
        my $n = sysread $control, my $order, RECORD;
        next if !defined $n && $!{EINTR};
        last if !$n;
        my ($id, $path) = $order =~ /^start (\S+) (.+)\z/s or next;
        _say(_send_out($worker, $path) =~ s/^(\w+)/$1 $id/r);
        undef $worker;
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
    load_what_filter_names();
    Mail::MIMEDefang::Lazy::preload();
    return;
}

# What was freed while loading are gaps all over the memory. What is made next
# would go there, and a worker that writes to it would get a copy of each of those
# pages: they are used up, so that new values lie together.  choice:zygote-memory
sub _use_up_gaps () {
    state @fill;
    push @fill, [], {}, map { 'x' x (16 * $_) } 1 .. 10 for 1 .. GAPS;
    return;
}

# A worker without pipes: its process, a handle to tell it where they are, one to
# hear from it.  In the worker, which has left our group, pid is 0.  undef: none.
sub _fork_ahead () {
    pipe my $in,   my $tell or return;
    pipe my $hear, my $out  or return;
    my $pid = fork // return;
    if (!$pid) {
        close $_ for $tell, $hear;
        my $worker = fork;
        if ($worker // 1) {
            syswrite $out, $worker // 0;
            POSIX::_exit(0);
        }
        return { pid => 0, in => $in, out => $out };
    }
    close $_ for $in, $out;
    my $n = sysread $hear, my $worker, RECORD;
    waitpid $pid, 0;    # now the worker has another parent
    return if !$n || !$worker;
    return { pid => $worker, tell => $tell, hear => $hear };
}

# "up PID" or "failed WHY".
sub _send_out ($worker, $path) {
    return 'failed cannot fork' if !$worker;
    my $n = syswrite($worker->{tell}, $path)
        && sysread $worker->{hear}, my $answer, RECORD;
    return $n ? $answer : 'failed it died before it had a name';
}

sub _say ($text) {
    syswrite $control, $text;
    return;
}

# In the worker: its exit status.
sub _work ($self) {
    my $n;
    do { $n = sysread $self->{in}, my $path, RECORD; $self->{path} = $path }
        while !defined $n && $!{EINTR};
    POSIX::_exit(0) if !$n;    # there is no zygote any more
    setpgrp 0, 0;
    my $status = eval { _open($self->{path}) };
    chomp(my $error = $@);
    syswrite $self->{out}, $error ? "failed $error" : "up $$";
    POSIX::_exit(1) if $error;
    close $_ for delete @{$self}{qw(in out)};

    if ($status) {
        POSIX::dup2(fileno $status, 3);
        close $status;
    }
    else {
        close $control;
    }
    ## no critic (RequireLocalizedPunctuationVars)
    $0 = 'mimedefang.pl -server';
    $SIG{$_} = 'DEFAULT' for qw(HUP INT TERM CHLD ALRM);
    srand;    # not the same numbers in every worker
    return do_main_loop();
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

1;

__END__

=head1 NAME

Mail::MIMEDefang::Zygote - fork workers that have the filter already

=head1 FUNCTIONS

=head2 serve_zygote()

Serves the multiplexor's orders until it closes the socket; does not return
then. In a worker that was forked: serves requests, and returns its exit status.

=cut
