# SPDX-License-Identifier: MIT
package MilterClient;

# The MTA's side of a milter connection: enough of it to hand a message to a
# filter and to see what it answers.  Honours the negotiated "do not send" and
# "no reply" flags.  Dies if the filter is silent for 30 seconds, closes, or
# sends something that is no frame.

use v5.36;
use Exporter   qw(import);
use IO::Select ();
use IO::Socket::INET;
use IO::Socket::UNIX;

our @EXPORT_OK = qw(tempfailed);

my $wait_seconds = 30;

my $leading_space = 0x100000;    # values of header fields come and go with it

# command => [letter, "do not send" flag, "no reply" flag]
my %command = (
    connect => [ 'C', 0x01,  0x1000 ],
    helo    => [ 'H', 0x02,  0x2000 ],
    mail    => [ 'M', 0x04,  0x4000 ],
    rcpt    => [ 'R', 0x08,  0x8000 ],
    data    => [ 'T', 0x200, 0x10000 ],
    header  => [ 'L', 0x20,  0x80 ],
    eoh     => [ 'N', 0x40,  0x40000 ],
    body    => [ 'B', 0x10,  0x80000 ],
    eom     => [ 'E', 0,     0 ],
);

# modification => what unpacks its payload
my %modification = (
    h   => [ 'add_header',    'Z* Z*' ],
    i   => [ 'insert_header', 'N Z* Z*' ],
    m   => [ 'change_header', 'N Z* Z*' ],
    b   => [ 'body',          'a*' ],
    q   => [ 'quarantine',    'Z*' ],
    e   => [ 'sender',        'Z*' ],
    '+' => [ 'add_rcpt',      'Z*' ],
    '-' => [ 'delete_rcpt',   'Z*' ],
    '2' => [ 'add_rcpt',      'Z*' ],
);

=head1 METHODS

=head2 MilterClient->new($address, %options)

Connects to C<unix:PATH> or C<inet:PORT@HOST> and negotiates; the options
C<version>, C<actions>, C<protocol> are what the MTA offers, by default all of
version 6.  C<wanted> has the macros that the filter asked for, as they came.

=cut

sub new ($class, $address, %o) {
    my $socket
        = $address =~ /\Ainet:(\d+)\@(.*)/s
        ? IO::Socket::INET->new(PeerAddr => $2, PeerPort => $1)
        : IO::Socket::UNIX->new(Peer     => $address =~ s/\A(?:unix|local)://r);
    die "cannot connect to $address: $!\n" if !$socket;
    my $self = bless { socket => $socket, input => '' }, $class;
    $self->send_frame(
        'O', pack 'N3',
        $o{version}  // 6,
        $o{actions}  // 0x1ff,
        $o{protocol} // 0x1fffff
    );
    my ($letter, $data) = $self->read_frame;
    die "answer to negotiation is '$letter'\n"
        if $letter ne 'O' || length $data < 12;
    @$self{qw(version actions protocol wanted)} = unpack 'N3 a*', $data;
    return $self;
}

=head2 send_frame($letter [, $payload]), read_frame()

One frame, as it is.  read_frame returns (letter, payload).

=cut

sub send_frame ($self, $letter, $payload = '') {
    my $frame = pack 'N a a*', 1 + length $payload, $letter, $payload;
    while (length $frame) {
        my $n = syswrite $self->{socket}, $frame;
        die "write to the filter: $!\n" if !defined $n;
        substr $frame, 0, $n, '';
    }
    return;
}

sub read_frame ($self) {
    my $size = unpack 'N', $self->take(4);
    die "the filter sent a frame of $size octets\n"
        if $size < 1 || $size > 1 << 24;
    return unpack 'a a*', $self->take($size);
}

sub take ($self, $n) {
    my $select = IO::Select->new($self->{socket});
    while (length $self->{input} < $n) {
        die "the filter is silent\n" if !$select->can_read($wait_seconds);
        my $got = sysread $self->{socket}, $self->{input}, 65536,
            length $self->{input};
        die "the filter closed the connection\n" if !$got;
    }
    return substr $self->{input}, 0, $n, '';
}

=head2 macros($command, %values)

Sends macros for the command that follows.

=head2 is_silent($name)

Whether the filter never answers this command.

=head2 command($name, $payload)

Sends a command, unless the filter does not want it, and returns the filter's
answer: { code => letter, text => of a 'y', changes => [[what, args...], ...] }.
Where no answer is due the code is 'c'.

=cut

sub macros ($self, $name, %value) {
    $self->send_frame(
        'D',
        $command{$name}[0] . join '',
        map {"$_\0$value{$_}\0"} sort keys %value
    );
    return;
}

sub is_silent ($self, $name) {
    return $self->{protocol} & ($command{$name}[2] // 0);
}

sub command ($self, $name, $payload = '') {
    my ($letter, $unwanted) = @{ $command{$name} };
    return { code => 'c' } if $self->{protocol} & $unwanted;
    $self->send_frame($letter, $payload);
    return { code => 'c' } if $self->is_silent($name);
    return $self->answer;
}

sub answer ($self) {
    my @changes;
    my ($letter, $data) = $self->read_frame;
    while ($letter eq 'p' || $modification{$letter}) {
        push @changes, $self->change($letter, $data) if $letter ne 'p';
        ($letter, $data) = $self->read_frame;
    }
    return {
        code    => $letter,
        text    => $data =~ s/\0\z//r,
        changes => \@changes
    };
}

sub change ($self, $letter, $data) {
    my ($what, $template) = @{ $modification{$letter} };
    my @args = unpack $template, $data;
    $args[-1] =~ s/\A //
        if $what =~ /header/ && $self->{protocol} & $leading_space;
    return [ $what, @args ];
}

=head2 hello(%o)

CONNECT and HELO, from C<addr> with C<helo>.  Returns the first answer that is
no 'c', else the last.

=cut

sub hello ($self, %o) {
    my $addr = $o{addr} // '192.0.2.1';
    my $got  = $self->command('connect', pack 'Z* a n Z*', "[$addr]", '4', 4321,
        $addr);
    return { %$got, stage => 'connect' } if $got->{code} ne 'c';
    $got = $self->command('helo', pack 'Z*', $o{helo} // 'client.example');
    return { %$got, stage => 'helo' };
}

=head2 message(%o)

MAIL to end of message on a connection after hello.  C<from>, C<to> (list),
C<headers> (list of [name, value]), C<body>, C<id> (queue id, a macro at MAIL).
Returns the first answer that ended the message, with C<stage>.  Refused
recipients are noted in C<refused>; without any other one the stage is 'rcpt'.
A message that was ended early is followed by an ABORT.

=cut

sub message ($self, %o) {
    my $got = $self->run_message(%o);
    $self->send_frame('A') if $got->{stage} ne 'eom';
    return $got;
}

sub run_message ($self, %o) {
    my @refused;
    my $step = sub ($name, $payload = '') {
        my $got = $self->command($name, $payload);
        return { %$got, stage => $name, refused => \@refused };
    };
    $self->macros('mail', i => $o{id}) if defined $o{id};
    my $got = $step->('mail', pack 'Z*', $o{from} // '<from@example.org>');
    return $got if $got->{code} ne 'c';
    my @to = @{ $o{to} // ['<to@example.org>'] };
    for my $to (@to) {
        $got = $step->('rcpt', pack 'Z*', $to);
        if ($got->{code} =~ /[rty]/) {
            push @refused, [ $to, $got ];
            return $got if @refused == @to;
        }
        elsif ($got->{code} ne 'c') {
            return $got;
        }
    }
    for my $part ($self->message_parts(%o)) {
        $got = $step->(@$part);
        return $got if $got->{code} !~ /[cs]/ || $part->[0] eq 'eom';
    }
    return;
}

sub message_parts ($self, %o) {
    my $space   = $self->{protocol} & $leading_space ? ' ' : '';
    my $headers = $o{headers}
        // [ [ 'Subject', 'test' ], [ 'From', 'from@example.org' ] ];
    my $body = $o{body} // "Hello.\r\n";
    return (
        ['data'],
        (
            map { [ 'header', pack 'Z* Z*', $_->[0], $space . $_->[1] ] }
                @$headers
        ),
        ['eoh'],
        (map { [ 'body', $_ ] } unpack '(a65535)*', $body),
        ['eom'],
    );
}

=head2 tempfailed($answer)

A function: whether the answer is a temporary failure, with or without a text.

=cut

sub tempfailed ($answer) {
    return $answer->{code} eq 't'
        || ($answer->{code} eq 'y' && $answer->{text} =~ /\A45\d /);
}

=head2 quit()

Ends the connection.

=cut

sub quit ($self) {
    $self->send_frame('Q');
    close $self->{socket};
    return;
}

1;
