# SPDX-License-Identifier: MIT
#
# Takes one message through a filter, step by step as an MTA does, and says what
# would have become of it.  Never dies over what the filter does.

package Mail::MIMEDefang::TestMail::Session;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(percent_decode percent_encode);
use Mail::MIMEDefang::TestMail::Envelope
    qw(add_recipient begin_commands end_commands write_message);

our @EXPORT_OK = qw(run_session);

my %WORD = (
    -1 => 'TEMPFAIL',
    0  => 'REJECT',
    1  => 'CONTINUE',
    2  => 'ACCEPT_AND_NO_MORE_FILTERING',
    3  => 'DISCARD',
);
my %ENDS = (
    TEMPFAIL                     => 'tempfailed',
    REJECT                       => 'rejected',
    DISCARD                      => 'discarded',
    ACCEPT_AND_NO_MORE_FILTERING => 'accepted',
);

# A hash: verdict, reply, phases, results, body (undef: unchanged), recipients...
sub run_session ($worker, $message, $envelope) {
    my $dir  = "$worker->{spool}/mdefang-$envelope->{qid}";
    my $self = bless {
        worker   => $worker,
        envelope => $envelope,
        dir      => $dir,
        phases   => [],
        results  => [],
        },
        __PACKAGE__;
    mkdir $dir or die "$dir: $!\n";
    write_message($dir, $message);
    begin_commands($dir, $envelope);
    $self->_smtp && $self->_content($message);
    $worker->stop;
    my %of;

    for my $call ($worker->callbacks) {
        my $times = $of{ $call->{callback} } //= { calls => 0, seconds => 0 };
        $times->{calls}++;
        $times->{seconds} += $call->{seconds};
        @{$self}{qw(actions warnings)} = @{$call}{qw(actions warnings)}
            if $call->{callback} !~ /_(?:initialize|cleanup)\z/;
    }
    return {
        verdict => 'accepted',
        reply   => '',
        %{$self}{
            grep { defined $self->{$_} }
                qw(verdict reply decided_by phases results actions warnings body)
        },
        envelope  => $envelope,
        log       => [ $worker->log_lines ],
        sent      => [ $worker->sent ],
        times     => \%of,
        calls     => [ $worker->callbacks ],
        directory => $dir,
    };
}

sub _command (@words) {
    return join ' ', map { length ? percent_encode($_) : '?' } @words;
}

# Up to the last recipient.  True if the content is to be filtered.
sub _smtp ($self) {
    my $e      = $self->{envelope};
    my @client = @{$e}{qw(relay_ip relay_host)};
    my @ports  = ('25', '127.0.0.1', '25', $e->{qid});
    my @where  = ($self->{dir}, $e->{qid});
    for (
        [ 'filter_relay', 'relayok', @client, @ports ],
        [ 'filter_helo',  'helook',  @client, $e->{helo}, @ports ],
        [
            'filter_sender', 'senderok', $e->{from}, @client, $e->{helo},
            @where
        ],
        )
    {
        my ($name, @words) = @{$_};
        my $verdict = $self->_ask($name, '', _command(@words)) // return 0;
        return $self->_end($verdict, $name)
            if $verdict->{verdict} ne 'CONTINUE';
    }
    my ($last, @accepted);
    for my $rcpt (@{ $e->{to} }) {
        $last = $self->_ask(
            'filter_recipient',
            $rcpt,
            _command(
                'recipok',   $rcpt,      $e->{from}, @client,
                $e->{to}[0], $e->{helo}, @where,     '?',
                '?',         '?'
            )
        ) // return 0;
        my $word = $last->{verdict};
        return $self->_end($last, 'filter_recipient')
            if $word =~ /^(?:DISCARD|ACCEPT)/;
        next if $word ne 'CONTINUE';
        push @accepted, $rcpt;
        add_recipient($self->{dir}, $rcpt);
    }
    return 1 if @accepted;
    return $self->_end($last, 'filter_recipient');
}

# Returns false: the rest is not asked.
sub _end ($self, $phase, $name) {
    $self->{verdict}    = $ENDS{ $phase->{verdict} };
    $self->{decided_by} = $name;
    $self->{reply}      = join ' ', @{$phase}{qw(code dsn text)}
        if $phase->{verdict} =~ /^(?:REJECT|TEMPFAIL)\z/;
    return 0;
}

# The verdict of a callback; undef if the worker is gone.
sub _ask ($self, $name, $about, $command) {
    my $answer = $self->{worker}->ask($command) // return $self->_lost($name);
    my ($number, @more) = $answer =~ /^ok (-?\d+) (\S+) (\S+) (\S+) (\d+)\z/
        or return $self->_lost($name, $answer);
    my ($text, $code, $dsn, $delay) = map { percent_decode($_) } @more;
    my $phase = {
        callback => $name,
        about    => $about,
        verdict  => $WORD{$number} // 'REJECT',
        text     => $text,
        code     => $code,
        dsn      => $dsn,
        delay    => $delay,
    };
    push @{ $self->{phases} }, $phase;
    return $phase;
}

# The MTA would be told to try again.
sub _lost ($self, $name, $answer = undef) {
    my $why
        = defined $answer       ? $answer
        : $self->{worker}{late} ? "no answer within $self->{worker}{seconds} s"
        :                         'the worker ended';
    $self->{verdict}    = 'tempfailed';
    $self->{decided_by} = $name;
    $self->{reply}      = "451 4.3.0 $why";
    return;
}

sub _content ($self, $message) {
    my $dir = $self->{dir};
    end_commands($dir, $message);
    my $answer = $self->{worker}->ask(_command('scan', 'X', $dir));
    return $self->_lost('scan', $answer) if ($answer // '') ne 'ok';
    open my $fh, '<:raw', "$dir/RESULTS"
        or return $self->_lost('scan', 'there is no RESULTS');
    while (my $line = <$fh>) {
        chomp $line;
        my ($letter, $rest) = $line =~ /^(.)(.*)\z/s or next;
        last if $letter eq 'F';
        push @{ $self->{results} },
            [ $letter, map { percent_decode($_) } split ' ', $rest ];
    }
    for my $result (@{ $self->{results} }) {    # spec:spool-results-order
        my ($letter, @arguments) = @{$result};
        next if $letter !~ /[BTD]/;
        $self->{decided_by} = 'scan';
        $self->{verdict}
            = { B => 'rejected', T => 'tempfailed', D => 'discarded' }
            ->{$letter};
        $self->{reply} = "@arguments" if $letter ne 'D';
        return;
    }
    if (grep { $_->[0] eq 'C' } @{ $self->{results} }) {
        open my $body, '<:raw', "$dir/NEWBODY"
            or return $self->_lost('scan', 'there is no NEWBODY');
        local $/;
        $self->{body} = <$body> // '';
    }
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::TestMail::Session - one message through a filter

=head1 FUNCTIONS

=head2 run_session(WORKER, MESSAGE, ENVELOPE)

Returns a hash: C<verdict> (accepted, rejected, discarded, tempfailed), C<reply>,
C<decided_by>; C<phases>, the answers at SMTP time; C<results>, decoded lines of
F<RESULTS>; C<body>, the new one; C<actions>, C<warnings>; C<log>; C<sent>; C<times>
by callback; C<calls>; C<envelope>; C<directory>.

=cut
