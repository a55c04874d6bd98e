# SPDX-License-Identifier: MIT
#
# The server loop: reads commands, calls the filter, writes one answer each.
# Whatever a callback does short of being killed, its command is answered: a
# die tempfails and the loop goes on; an exit tempfails and ends the worker.
#
# Everything exported goes to package main, where filters may call it and where
# the loop looks for handle_NAME.

package Mail::MIMEDefang::Server;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Callback qw(attempt attempt_command call_filter
    has_callback running);
use Mail::MIMEDefang::Channel qw(answered command_waits expect_answer
    init_status_tag open_channel print_and_flush read_command);
use Mail::MIMEDefang::Codec    qw(percent_decode percent_encode);
use Mail::MIMEDefang::Deadline qw(clear_alarm take_signals);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log   qw(md_syslog);
use Mail::MIMEDefang::Scan  qw(do_scan fatal load_mime_tools);
use Mail::MIMEDefang::Spool qw(commit_results drop_results hold_results);

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(do_main_loop send_filter_answer unknown_command_handler handle_ping
    handle_scan handle_relayok handle_helook handle_senderok handle_recipok
    handle_map handle_tick);

use constant {
    CONTINUE => 'ok 1 ok 250 2.1.0 0',
    TEMPFAIL => 'ok -1 Filter%20failed,%20please%20try%20again%20later'
        . ' 451 4.3.0 0',
    MAX_TEXT => 3900,    # of the 4096 bytes that any multiplexor takes
};

# What a callback may return, as it is on the wire: number, class of code and
# DSN, their defaults, log level.  spec:mux-answers
my %VERDICT = (
    ACCEPT_AND_NO_MORE_FILTERING => [ 2,  2, '250', '2.1.0', 'debug' ],
    DISCARD                      => [ 3,  2, '250', '2.1.0', 'info' ],
    CONTINUE                     => [ 1,  2, '250', '2.1.0', undef ],
    TEMPFAIL                     => [ -1, 4, '451', '4.3.0', 'debug' ],
    REJECT                       => [ 0,  5, '554', '5.7.1', 'debug' ],
);

my ($worker_pid, $initialized);
my $command;    # first word of what is being served; undef: idle

sub do_main_loop (@) {
    $worker_pid = $$;
    local @SIG{qw(INT TERM PIPE)} = qw(DEFAULT DEFAULT IGNORE);
    open_channel();
    init_status_tag();
    take_signals();
    chdir $Features{'Path:SPOOLDIR'};
    if (my $failure = attempt(\&_initialize)) {
        md_syslog('err', $failure);
    }
    load_mime_tools() if !command_waits();    # the first scan needs them

    while (defined(my $line = read_command())) {
        init_globals();
        chdir $CWD;
        hold_results();
        expect_answer();
        take_signals();
        my $failure = attempt_command(sub { _serve($line) });
        $failure = 'no answer given' if !$failure && !answered();
        _fail($failure) if $failure;
        undef $command;
        drop_results();
        clear_alarm();    # one that the filter forgot must not hit the next
    }

    my $status = 0;
    my $failure
        = attempt(sub { $status = (call_filter('filter_cleanup'))[-1] // 0 });
    md_syslog('err', $failure) if $failure;
    return $failure ? 1 : $status;
}

# If it dies it is tried again before each command: nothing passes unfiltered
# by a filter that is not ready.
sub _initialize () {
    return if $initialized;
    call_filter('filter_initialize');
    $initialized = 1;
    return;
}

sub _serve ($line) {
    my ($word, @args) = map { percent_decode($_) } split ' ', $line;
    $word //= '';
    $command = lc $word;
    _initialize() if $command ne 'ping';
    if ($command =~ /^\w+\z/a && has_callback("handle_$command")) {
        main->can("handle_$command")->(@args);
    }
    else {
        unknown_command_handler($word, @args);
    }
    return;
}

sub _fail ($why) {
    my $name = $command // '';
    return fatal($why) if $name eq 'scan';
    md_syslog('err', $why);
    print_and_flush(
          $name =~ /^(?:relayok|helook|senderok|recipok)\z/ ? TEMPFAIL
        : $name eq 'map' ? 'TEMP Filter%20failed'
        :                  "error: $why"
    );
    return;
}

# A filter that exits ends its worker, but not without an answer.
END {
    if (defined $command && $$ == $worker_pid && !answered()) {
        my $status = $?;
        drop_results();
        _fail((running() || 'something') . ' called exit');
        $? = $status;    ## no critic (RequireLocalizedPunctuationVars)
    }
}

sub handle_ping (@) {
    return print_and_flush('PONG');
}

sub handle_scan {
    my (undef, $dir) = @_;
    die "scan: no directory given\n" if !length($dir // '');
    $dir = "$CWD/$dir" if $dir !~ m{^/};
    my $tmp = "$dir/tmp";
    local $ENV{TMPDIR} = mkdir($tmp) || -d $tmp ? $tmp : $ENV{TMPDIR} // '/tmp';
    do_scan($dir);
    return;
}

sub _set_client ($ip, $name, $helo, $qid) {
    ($RelayAddr, $RelayHostname, $Helo) = map { $_ // '' } $ip, $name, $helo;
    $QueueID = $MsgID = $qid // $QueueID;
    return;
}

# At connect and HELO there is no working directory: $CWD stays the spool.
sub handle_relayok {
    my ($ip, $name, $port, $my_ip, $my_port, $qid) = @_;
    return print_and_flush(CONTINUE) if !has_callback('filter_relay');
    _set_client($ip, $name, '', $qid);
    return _answer(
        'filter_relay',
        "host $RelayAddr",
        call_filter(
            'filter_relay', $ip, $name, $port, $my_ip, $my_port, $QueueID
        )
    );
}

sub handle_helook {
    my ($ip, $name, $helo, $port, $my_ip, $my_port, $qid) = @_;
    return print_and_flush(CONTINUE) if !has_callback('filter_helo');
    _set_client($ip, $name, $helo, $qid);
    return _answer(
        'filter_helo',
        "helo $Helo",
        call_filter(
            'filter_helo', $ip,    $name,    $helo,
            $port,         $my_ip, $my_port, $QueueID
        )
    );
}

sub handle_senderok {
    my ($sender, $ip, $name, $helo, $dir, $qid, @esmtp) = @_;
    return print_and_flush(CONTINUE) if !has_callback('filter_sender');
    _set_client($ip, $name, $helo, $qid);
    $Sender    = $sender // '';
    @ESMTPArgs = @esmtp;
    my @verdict = _in_directory($dir,
        sub { call_filter('filter_sender', $sender, $ip, $name, $helo) });
    return _answer('filter_sender', "sender $Sender", @verdict);
}

sub handle_recipok {
    my ($rcpt, $sender, $ip, $name, $first, $helo, $dir, $qid, @more) = @_;
    my ($mailer, $host, $addr, @esmtp) = @more;
    return print_and_flush(CONTINUE) if !has_callback('filter_recipient');
    _set_client($ip, $name, $helo, $qid);
    $Sender                             = $sender // '';
    @ESMTPArgs                          = @esmtp;
    @Recipients                         = ($rcpt // '');
    $RecipientMailers{ $Recipients[0] } = [ $mailer, $host, $addr ];
    my @verdict = _in_directory(
        $dir,
        sub {
            call_filter(
                'filter_recipient',
                $rcpt, $sender, $ip,   $name, $first,
                $helo, $mailer, $host, $addr
            );
        }
    );
    return _answer('filter_recipient', "recipient $Recipients[0]", @verdict);
}

# Runs CODE in the working directory; what it asked for is in RESULTS before
# the answer is sent.
sub _in_directory ($dir, $code) {
    $dir //= '';
    chdir $dir or die "Cannot chdir to '$dir': $!\n";
    $CWD = $dir;
    my @verdict = $code->();
    chdir $dir or die "Cannot chdir to '$dir': $!\n";
    commit_results();
    chdir $Features{'Path:SPOOLDIR'};
    return @verdict;
}

sub _answer ($who, $about, $what = undef, $text = '?', @more) {
    my ($code, $dsn, $delay) = @more;
    return main::send_filter_answer($what, $text, $who, $about, $code, $dsn,
        $delay);
}

sub send_filter_answer {
    my ($what, $text, $who, $about, $code, $dsn, $delay) = @_;
    my $word = _verdict($what, $who);
    my ($number, $class, $std_code, $std_dsn, $level) = @{ $VERDICT{$word} };

    $text  = '?' if !length($text // '');
    $text  = percent_encode($text);
    $code  = $std_code if ($code  // '') !~ /^$class\d\d\z/a;
    $dsn   = $std_dsn  if ($dsn   // '') !~ /^$class\.\d{1,3}\.\d{1,3}\z/a;
    $delay = 0         if ($delay // '') !~ /^\d+\z/a;
    if (length $text > MAX_TEXT) {
        $text = substr $text, 0, MAX_TEXT;
        $text =~ s/%[0-9A-F]?\z//;
    }
    md_syslog($level, "$who answered $word for $about") if $level;
    return main::print_and_flush("ok $number $text $code $dsn $delay");
}

sub _verdict ($what, $who) {
    $what //= '';
    return $what if $VERDICT{$what};
    my ($minus, $digits) = $what =~ /^(-?)(\d+)\z/a;
    return $minus ? 'TEMPFAIL' : 'CONTINUE' if $digits && $digits !~ /^0+\z/;
    md_syslog('warning',
        "$who returned '$what', which is no verdict: treated as REJECT")
        if !defined $digits;
    return 'REJECT';
}

sub handle_map {
    my ($map, $key) = @_;
    return print_and_flush('PERM No filter_map function defined')
        if !has_callback('filter_map');
    my ($code, $value) = call_filter('filter_map', $map, $key);
    $code //= '';
    if ($code !~ /^(?:OK|NOTFOUND|TEMP|TIMEOUT|PERM)\z/) {
        $value = "Invalid code from filter_map: $code";
        md_syslog('err', $value);
        return print_and_flush(
            'PERM Invalid code from filter_map: ' . percent_encode($code));
    }
    return print_and_flush("$code " . percent_encode($value));
}

sub handle_tick {
    my ($n) = @_;
    $n = 0 if !length($n // '');
    if (!has_callback('filter_tick')) {
        return print_and_flush("error: tick $n: filter_tick undefined");
    }
    call_filter('filter_tick', $n);
    return print_and_flush("tock $n");
}

# The filter gets the command as it was typed, not in lower case.
sub unknown_command_handler {
    my @words = @_;
    return print_and_flush('error: Unknown command')
        if !has_callback('filter_unknown_cmd');
    my ($status, @rest) = call_filter('filter_unknown_cmd', @words);
    $status = 'error:' if ($status // '') ne 'ok';
    return print_and_flush(join ' ', map { percent_encode($_) } $status, @rest);
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Server - the server loop

=head1 FUNCTIONS

=head2 do_main_loop()

Serves commands from standard input until its end. Returns the exit status:
what filter_cleanup returned, else 0. C<filter_initialize> runs first; while
it dies, every command but C<ping> is tempfailed and it is tried again.

=head2 send_filter_answer(WHAT, TEXT, WHO, ABOUT, CODE, DSN, DELAY)

The answer line for what a callback WHO returned about ABOUT. WHAT is
C<ACCEPT_AND_NO_MORE_FILTERING>, C<DISCARD>, C<CONTINUE>, C<TEMPFAIL>,
C<REJECT>, or a number: positive continues, negative tempfails. Anything else
rejects. CODE and DSN of the wrong class are replaced by the verdict's own.

=head2 unknown_command_handler(WORD, ARG...)

Calls C<filter_unknown_cmd>.

=head2 handle_ping(), handle_scan(QID, DIR), handle_relayok(ARG...), handle_helook(ARG...), handle_senderok(ARG...), handle_recipok(ARG...), handle_map(MAP, KEY), handle_tick(N)

One for each command of C<docs/muxproto.md>, found by name in package main; a
filter adds a command by defining its own.

=cut
