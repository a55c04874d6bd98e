# SPDX-License-Identifier: MIT
#
# Asks the mail server behind this one whether it would take a recipient, so that
# the answer can be given to the client.  One limit on the time of all of it and
# on what the server says; it may be slow, broken or ourselves.

package Mail::MIMEDefang::CallForward;
use v5.36;
use Errno ();
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(one_line);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log   qw(md_syslog);
use Mail::MIMEDefang::Peer  qw(peer_open);
use Mail::MIMEDefang::Utils qw(get_host_name);
use Scalar::Util            qw(blessed);
use Time::HiRes             qw(CLOCK_MONOTONIC clock_gettime);

our @EXPORT =    ## no critic (ProhibitAutomaticExportation)
    qw(md_check_against_smtp_server get_smtp_return_code get_smtp_extensions);

use constant {
    TIMEOUT_S => 60,        # choice:call-forward
    MAX_REPLY => 1 << 14,
    PORT      => 25,
};

# A reply ends with a line that does not say that it goes on.  rfc:5321#4.2.1
my $COMPLETE = qr/^(?!\d{3}-).*\n/m;
my %VERDICT  = (
    map ({ $_ => 'CONTINUE' } 1 .. 3),
    4 => 'TEMPFAIL',
    5 => 'REJECT'
);

sub md_check_against_smtp_server {
    my ($sender, $rcpt, $helo, $server, $port, $seconds) = @_;
    for ($sender, $rcpt) {
        $_ = "<$_>" if ($_ // '') !~ /^<.*>\z/s;
        return ('REJECT', 'Address with strange characters', 553, '5.1.3')
            if /[\x00-\x20\x7f]/;
    }
    $helo = one_line($helo // '');
    my $call = {
        server   => $server // '',
        port     => ($port // '') =~ /^\d+\z/a ? $port : PORT,
        helo     => length $helo               ? $helo : get_host_name(),
        deadline => clock_gettime(CLOCK_MONOTONIC) + ($seconds // TIMEOUT_S),
    };
    my ($answer, $tls) = _call($call, $sender, $rcpt, 1);
    if ($tls) {    # TLS failed: the next connection goes without
        md_syslog('info', "Asking $call->{server}: $tls; now without TLS");
        ($answer) = _call($call, $sender, $rcpt, 0);
    }
    return @{$answer};
}

# The answer; or undef and why TLS failed.
sub _call ($call, $sender, $rcpt, $with_tls) {
    my $where
        = $call->{server} =~ /^[^\[].*:/
        ? "[$call->{server}]:$call->{port}"
        : "$call->{server}:$call->{port}";
    my ($peer, $error) = peer_open(
        address   => $where,
        max_bytes => MAX_REPLY,
        timeout_s => $call->{deadline} - clock_gettime(CLOCK_MONOTONIC)
    );
    if (!$peer) {
        md_syslog('warning', "Asking about $rcpt: $error");
        return [ 'TEMPFAIL', $error ];
    }
    my $ask = sub ($command) {
        my ($reply) = $peer->talk(
            send  => defined $command ? "$command\r\n" : '',
            until => $COMPLETE
        );
        return $reply;
    };
    my @banner = _verdict($ask->(undef), $call->{server});
    return [ _as_answer(@banner) ] if $banner[0] ne 'CONTINUE';
    return [ 'REJECT', "Mail loop: $call->{server} is this host", 554, '5.4.6' ]
        if _is_ourselves($banner[3], $call->{server});

    my ($said_hello, $ext) = _hello($ask, $call);
    return [ _as_answer(@{$said_hello}) ] if $said_hello->[0] ne 'CONTINUE';
    if ($with_tls && $ext->{STARTTLS} && _can_tls()) {
        my $failure = _start_tls($peer, $ask);
        return (undef, $failure) if length $failure;
        ($said_hello) = _hello($ask, $call);
        return [ _as_answer(@{$said_hello}) ]
            if $said_hello->[0] ne 'CONTINUE';
    }
    my @answer;
    for my $command ("MAIL FROM:$sender", "RCPT TO:$rcpt") {
        @answer = _verdict($ask->($command), $call->{server});
        last if $answer[0] ne 'CONTINUE';
    }
    $peer->talk(send => "QUIT\r\n", until => sub {1});
    return [ _as_answer(@answer) ];
}

sub _as_answer ($verdict, $code, $dsn, $text) {
    return ($verdict, $text, $code, $dsn);
}

# rfc:5321#4.3.1  The greeting begins with the name of the server.
sub _is_ourselves ($text, $server) {
    return 0 if $server eq '127.0.0.1' || $server eq '::1';
    my ($name) = split ' ', $text;
    return lc($name // '') eq lc get_host_name() ? 1 : 0;
}

# What EHLO or, if that is not understood, HELO brought; and the extensions.
sub _hello ($ask, $call) {
    my ($reply, %ext) = ($ask->("EHLO $call->{helo}"));
    my @verdict = _verdict($reply, $call->{server});
    %ext     = _extensions($reply) if $verdict[0] eq 'CONTINUE';
    @verdict = _verdict($ask->("HELO $call->{helo}"), $call->{server})
        if $verdict[0] eq 'REJECT';
    return (\@verdict, \%ext);
}

sub _can_tls () {
    return eval { require IO::Socket::SSL; 1 };
}

# The certificate is not checked: whoever could read along could also answer.
# Empty, or why it failed.
sub _start_tls ($peer, $ask) {
    my ($verdict, undef, undef, $text) = _verdict($ask->('STARTTLS'), '');
    return "STARTTLS refused: $text" if $verdict ne 'CONTINUE';
    return $peer->starttls(
        SSL_verify_mode => IO::Socket::SSL::SSL_VERIFY_NONE());
}

# ---- replies ---------------------------------------------------------------

sub get_smtp_return_code ($sock, $rcpt = undef, $server = undef, @) {
    return _verdict(_read_reply($sock), $server // $rcpt);
}

sub get_smtp_extensions ($sock, $server = undef, @) {
    my $reply = _read_reply($sock);
    my ($verdict, $code, $dsn) = _verdict($reply, $server);
    return ($verdict, $code, $dsn,
        $verdict eq 'CONTINUE' ? _extensions($reply) : ());
}

# (verdict, code, dsn, text)
sub _verdict ($reply, $server) {
    my ($code, $dsn, @text) = ('', '');
    for my $line (split /\r?\n/, $reply) {
        my ($digits, $rest) = $line =~ /^([1-5]\d\d)(?:[- ](.*))?\z/a
            or return _no_answer($server);
        return _no_answer($server) if length $code && $code != $digits;
        $code = $digits;
        my $class = substr $code, 0, 1;
        $rest //= '';
        $dsn = $1
            if $rest =~ s/^($class\.\d{1,3}\.\d{1,3})(?:\s+|\z)//a;
        push @text, one_line($rest);
    }
    return _no_answer($server)
        if !length $code || $reply !~ $COMPLETE;
    return ($VERDICT{ substr $code, 0, 1 },
        $code, $dsn, join ' ', grep {length} @text);
}

sub _no_answer ($server) {
    my $who = length($server // '') ? $server : 'the server';
    return ('TEMPFAIL', 451, '4.3.0', 'No valid answer from ' . one_line($who));
}

# The lines of an answer to EHLO.  rfc:5321#4.1.1.1
sub _extensions ($reply) {
    my ($first, @lines) = map {s/^\d{3}[- ]?//r} split /\r?\n/, $reply;
    my ($name) = split ' ', $first // '';
    my %ext    = (hostname => $name // '');
    for my $line (@lines) {
        my ($keyword, $parameters) = split ' ', $line, 2;
        $ext{ uc $keyword } = length($parameters // '') ? $parameters : 1
            if length($keyword // '');
    }
    return %ext;
}

# Of a handle that the filter has opened.  Octet by octet, so that nothing of what
# follows is taken away; the empty string or part of a reply when it does not come.
sub _read_reply ($sock) {
    if (blessed($sock) && $sock->isa('Mail::MIMEDefang::Peer')) {
        my ($reply) = $sock->talk(until => $COMPLETE);
        return $reply;
    }
    my $deadline = clock_gettime(CLOCK_MONOTONIC) + TIMEOUT_S;
    my $reply    = '';
    while (length $reply < MAX_REPLY) {
        my $left = $deadline - clock_gettime(CLOCK_MONOTONIC);
        last if $left <= 0;
        my $set = '';
        vec($set, fileno $sock, 1) = 1;
        my $ready = blessed($sock) && $sock->can('pending') && $sock->pending;
        $ready ||= select $set, undef, undef, $left;
        next if $ready < 0 && $!{EINTR};
        my $n = sysread $sock, $reply, 1, length $reply;
        next if !defined $n && ($!{EINTR} || $!{EAGAIN} || $!{EWOULDBLOCK});
        last if !$n || $reply =~ /\n\z/ && $reply =~ $COMPLETE;
    }
    return $reply;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::CallForward - ask the next mail server about a recipient

=head1 SYNOPSIS

    sub filter_recipient {
        my ($rcpt, $sender, $ip, $name, $first, $helo) = @_;
        return md_check_against_smtp_server($sender, $rcpt, $helo,
            'inside.example.com');
    }

=head1 FUNCTIONS

=head2 md_check_against_smtp_server(SENDER, RCPT, HELO, SERVER [, PORT [, SECONDS]])

Begins a mail to SERVER (port 25), up to RCPT, and hangs up. Angle brackets are
added where they are missing. Returns (VERDICT, TEXT, CODE, DSN), as filter_recipient
may: C<CONTINUE>, C<TEMPFAIL> or C<REJECT>, and what the server said. When there is
no connection: C<TEMPFAIL> and the reason, two elements. When it hangs up, says
nothing that is SMTP, or needs longer than SECONDS (60) for everything: C<TEMPFAIL>,
451, 4.3.0.

STARTTLS is used if it is offered and IO::Socket::SSL is there, without a look at
the certificate; if that fails, a second connection goes without. A server that
greets with our own name, and is not 127.0.0.1 or ::1, is a loop: C<REJECT>, 554,
5.4.6.

=head2 get_smtp_return_code(SOCKET, RCPT, SERVER)

Reads one reply, of several lines perhaps. Returns (VERDICT, CODE, DSN, TEXT): mind
the order. C<CONTINUE> for 1xx to 3xx, C<TEMPFAIL> for 4xx, C<REJECT> for 5xx; and
(C<TEMPFAIL>, 451, 4.3.0, TEXT) when none comes within 60 seconds or it is not valid.
DSN is empty if the server gave none. Lines of TEXT are joined with a blank.

=head2 get_smtp_extensions(SOCKET, SERVER)

Reads the reply to EHLO. Returns (VERDICT, CODE, DSN, EXTENSION => PARAMETERS...):
names in upper case, 1 where there are no parameters, and C<hostname>, what the
server calls itself.

=cut
