# SPDX-License-Identifier: MIT
#
# For filters that want one object for each callback instead of globals: "on"
# installs an ordinary callback, which makes the object, calls the handler and
# does what its response says.  The server loop and the scan know nothing of it.
#
# choice:context-object

package Mail::MIMEDefang::Context;
use v5.36;
use Carp qw(croak);
use Mail::MIMEDefang::Actions
    qw(action_accept action_accept_with_warning action_bounce action_discard
    action_drop action_drop_with_warning action_quarantine
    action_replace_with_warning action_tempfail);
use Mail::MIMEDefang::Context::Response;
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Guard ();
use Mail::MIMEDefang::Spool qw(read_commands_file);
use Mail::MIMEDefang::Utils qw(slurp write_file);

use constant NOTES => 'context.json';    # in the working directory

# Handler: the callback that it stands for, what its arguments are called, what
# is done with its response.
my %HANDLER = (
    relay => [
        filter_relay => [qw(ip hostname port my_ip my_port queue_id)],
        \&_answer
    ],
    helo => [
        filter_helo => [qw(ip hostname helo port my_ip my_port queue_id)],
        \&_answer
    ],
    sender    => [ filter_sender => [qw(sender ip hostname helo)], \&_answer ],
    recipient => [
        filter_recipient => [
            qw(recipient sender ip hostname first_recipient
                helo mailer mailer_host mailer_address)
        ],
        \&_answer
    ],
    begin => [ filter_begin => ['entity'],                      \&_decide ],
    part  => [ filter => [qw(entity file_name extension type)], \&_dispose ],
    multipart => [
        filter_multipart => [qw(entity file_name extension type)],
        \&_dispose
    ],
    end    => [ filter_end    => ['entity'], \&_decide ],
    wrapup => [ filter_wrapup => ['entity'], \&_decide ],
);
my %IN_MESSAGE = map { $_ => 1 } qw(begin part multipart end wrapup);

sub import ($class, @names) {
    my $into = caller;
    no strict 'refs';
    *{"${into}::on"} = \&on if !@names;
    for my $name (@names) {    # the guards, which were here once
        *{"${into}::$name"} = Mail::MIMEDefang::Guard->can($name)
            || croak "$class has no function $name";
    }
    return;
}

sub on ($name, $code) {
    my $handler = $HANDLER{$name}
        or croak "There is no handler '$name': " . join ' ',
        sort keys %HANDLER;
    my ($callback, $arguments, $then) = @$handler;
    croak "The handler '$name' is no code" if ref $code ne 'CODE';
    no strict 'refs';
    croak "$callback is defined already" if defined &{"main::$callback"};
    *{"main::$callback"} = sub {
        my @given = @_;
        my $self  = __PACKAGE__->_new($name, $arguments, @given);
        return $then->($self, scalar $code->($self));
    };
    return;
}

sub _new ($class, $name, $arguments, @given) {
    my %self = (callback => $name);
    @self{@$arguments} = @given[ 0 .. $#$arguments ];
    $self{privdata}    = $ContextPrivdata //= {};
    return bless \%self, $class;
}

# ---- what a handler returned -----------------------------------------------------

sub _response ($self, $result, $kind) {
    my $class = "Mail::MIMEDefang::Context::$kind";
    return $result if eval { $result->isa($class) };
    my $shown = defined $result ? "'$result'" : 'nothing';
    die "The handler '$self->{callback}' returned $shown, which is no "
        . lc($kind) . "\n";
}

sub _answer ($self, $result) {
    return _response($self, $result, 'Response')->as_list;
}

# Beginning and end of a message: nothing is no decision.
sub _decide ($self, $result) {
    return if !eval { $result->can('verdict') } && !ref $result;
    my $response = _response($self, $result, 'Response');
    my (undef, $text, $code, $dsn) = $response->as_list;
    my $verdict = $response->verdict;
    action_bounce($text, $code, $dsn)   if $verdict eq 'REJECT';
    action_tempfail($text, $code, $dsn) if $verdict eq 'TEMPFAIL';
    action_discard()                    if $verdict eq 'DISCARD';
    return;
}

my %DISPOSE = (
    accept => sub ($entity, $text = undef) {
        defined $text ? action_accept_with_warning($text) : action_accept();
    },
    drop => sub ($entity, $text = undef) {
        defined $text ? action_drop_with_warning($text) : action_drop();
    },
    replace    => sub ($entity, $text) { action_replace_with_warning($text) },
    quarantine => sub ($entity, $text) { action_quarantine($entity, $text) },
);

# A part that nothing is said about stays.
sub _dispose ($self, $result) {
    return action_accept() if !ref $result;
    my ($what, @text) = _response($self, $result, 'Disposition')->as_list;
    return $DISPOSE{$what}->($self->{entity}, @text);
}

# ---- responses -------------------------------------------------------------------

sub proceed ($self, %with) { return _verdict('CONTINUE', 'ok', %with) }

sub accept_no_more ($self, %with) {
    return _verdict('ACCEPT_AND_NO_MORE_FILTERING', 'ok', %with);
}
sub discard ($self, %with) { return _verdict('DISCARD', 'ok', %with) }

sub reject ($self, $text = 'Forbidden for policy reasons', %with) {
    return _verdict('REJECT', $text, %with);
}

sub tempfail ($self, $text = 'Try again later', %with) {
    return _verdict('TEMPFAIL', $text, %with);
}

sub _verdict ($verdict, $text, %with) {
    return Mail::MIMEDefang::Context::Response->new($verdict, $text, %with);
}

sub accept_part ($self, $warning = undef) {
    return _disposition('accept', $warning);
}

sub drop_part ($self, $warning = undef) {
    return _disposition('drop', $warning);
}

sub replace_part ($self, $text) { return _disposition('replace', $text) }

sub quarantine_part ($self, $reason) {
    return _disposition('quarantine', $reason);
}

sub _disposition ($what, $text) {
    return Mail::MIMEDefang::Context::Disposition->new($what, $text);
}

# ---- what it knows ---------------------------------------------------------------

sub callback ($self) { return $self->{callback} }
sub privdata ($self) { return $self->{privdata} }
sub ip       ($self) { return $self->{ip}       // $RelayAddr }
sub hostname ($self) { return $self->{hostname} // $RelayHostname }
sub helo     ($self) { return $self->{helo}     // $Helo }
sub port     ($self) { return $self->{port}     // $self->macro('client_port') }
sub my_ip    ($self) { return $self->{my_ip}    // $self->macro('if_addr') }
sub my_port  ($self) { return $self->{my_port}  // $self->macro('daemon_port') }

sub real_ip ($self) {
    return length $RealRelayAddr ? $RealRelayAddr : $self->ip;
}

sub real_hostname ($self) {
    return length $RealRelayHostname ? $RealRelayHostname : $self->hostname;
}
sub queue_id   ($self) { return $QueueID }
sub message_id ($self) { return $MessageID }
sub sender     ($self) { return $self->{sender} // $Sender }
sub subject    ($self) { return $Subject }
sub recipient  ($self) { return $self->{recipient} // $Recipients[-1] }

sub first_recipient ($self) {
    return $self->{first_recipient} // $Recipients[0];
}
sub entity     ($self) { return $self->{entity} }
sub file_name  ($self) { return $self->{file_name} }
sub extension  ($self) { return $self->{extension} }
sub type       ($self) { return $self->{type} }
sub directory  ($self) { return $self->_has_directory ? $CWD : undef }
sub virus_name ($self) { return $VirusName }
sub was_resent ($self) { return $WasResent }

sub is_suspicious ($self) {
    return $SuspiciousCharsInHeaders || $SuspiciousCharsInBody ? 1 : 0;
}

sub _has_directory ($self) { return $CWD ne $Features{'Path:SPOOLDIR'} }

# Before the scan only a file has what the MTA told so far.
sub _read_commands ($self) {
    return if $IN_MESSAGE{ $self->{callback} } || $self->{has_read};
    $self->{has_read} = 1;
    read_commands_file() if $self->_has_directory;
    return;
}

sub macro ($self, $name) {
    $self->_read_commands;
    $name =~ s/\A\{(.*)\}\z/$1/s;
    return $SendmailMacros{$name};
}

sub recipients ($self) {
    $self->_read_commands;
    return @Recipients;
}

sub mailer ($self, $recipient = $self->recipient) {
    return @{ $RecipientMailers{ $recipient // '' } // [] };
}

# SIZE=100 is (SIZE => 100), a word alone has the value 1.
sub esmtp_args ($self, $recipient = undef) {
    my @words
        = defined $recipient ? @{ $RecipientESMTPArgs{$recipient} // [] }
        : $IN_MESSAGE{ $self->{callback} } ? @SenderESMTPArgs
        :                                    @ESMTPArgs;
    return map {
        my ($name, $value) = split /=/, $_, 2;
        (uc $name => $value // 1)
    } @words;
}

# ---- notes that pass from one callback of a message to the next ---------------------

sub remember ($self, $name, $value) {
    my $notes = $self->_notes;
    $notes->{$name} = $value;
    require JSON::PP;
    return 0 if !$self->_has_directory;
    my $text = JSON::PP->new->ascii->canonical->encode($notes);
    my $path = "$CWD/" . NOTES;
    return write_file('>', "$path.new", $text)
        && rename("$path.new", $path)
        ? 1
        : 0;
}

sub recall ($self, $name) { return $self->_notes->{$name} }

sub _notes ($self) {
    my $text = $self->_has_directory && slurp("$CWD/" . NOTES);
    return {} if !length($text || '');
    require JSON::PP;
    return JSON::PP->new->ascii->decode($text);
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Context - one object for each callback of a filter

=head1 SYNOPSIS

    use Mail::MIMEDefang::Context;

    on sender => sub ($mail) {
        return $mail->reject('No mail from there', dsn => '5.7.1')
            if $mail->sender =~ /\@spam\.example>?\z/i;
        return $mail->proceed;
    };
    on part => sub ($mail) {
        return $mail->drop_part('A program was removed')
            if $mail->extension =~ /\A\.exe\z/i;
    };

=head1 DESCRIPTION

A filter opts in by using this module; one that does not pays nothing.  Handlers
stand beside the functions of the old kind: a filter may mix them, but not have
both for the same callback.  All functions that filters call (C<action_add_header>
and so on) work in handlers.

=head1 FUNCTIONS

=head2 on(NAME, CODE)

Has CODE called, with the object, for NAME: C<relay>, C<helo>, C<sender>,
C<recipient>, C<begin>, C<part>, C<multipart>, C<end>, C<wrapup>.  Dies when there
is no such handler, or the filter has that callback already.

=head1 RESPONSES

A handler of C<relay>, C<helo>, C<sender>, C<recipient> must return one; one of
C<begin>, C<end>, C<wrapup> may.  What is no response tempfails the message, with a
line in the log.  So does a code that does not fit: responses check what they get
and die.

=head2 proceed(), accept_no_more(), discard()

Go on; let the message pass without more filtering; take it and throw it away.

=head2 reject([TEXT]), tempfail([TEXT])

Both may be followed by C<< code => 550 >>, C<< dsn => '5.7.1' >>, which must be
of class 5 (reject) or 4 (tempfail); all five by C<< delay => SECONDS >>, for which
the client waits, up to C<recipient>.  Control characters in TEXT become blanks.

=head2 accept_part([WARNING]), drop_part([WARNING]), replace_part(TEXT), quarantine_part(REASON)

For C<part> and C<multipart>; they do what C<action_accept>, C<action_drop> and so on
do.  A handler that returns nothing of the kind accepts.

=head1 ACCESSORS

=head2 callback()

The name of the handler.

=head2 ip(), hostname(), helo(), port(), my_ip(), my_port()

The client's address, name, greeting and port, and the address and port that it
talks to.  helo is the empty string at C<relay>.

=head2 real_ip(), real_hostname(), was_resent()

The address that talked to the MTA, which is another one if a relay of this site
told whom it got the message from; was_resent is true then.

=head2 queue_id(), message_id(), subject(), is_suspicious(), virus_name()

What the MTA and the message say, C<NOQUEUE> if they do not. is_suspicious: whether
there are NUL or bare CR in it.

=head2 sender(), recipients(), recipient(), first_recipient()

Addresses as they were given, with their angle brackets. recipient is the one that
C<recipient> is about, else the last.

=head2 mailer([RECIPIENT])

Mailer, host and address that the MTA chose for it; the empty list if unknown.

=head2 esmtp_args([RECIPIENT])

Pairs of the ESMTP arguments of MAIL (in C<recipient>: of this RCPT), or of that
recipient: C<< SIZE => 100 >>; an argument without a value has 1.

=head2 macro(NAME)

A macro of the MTA, with or without braces; undef if it is not known. In C<sender>
and C<recipient> F<COMMANDS> is read for it.

=head2 entity(), file_name(), extension(), type()

Of the part, or (entity only) of the message.

=head2 directory()

The working directory; undef at C<relay> and C<helo>.

=head2 privdata()

A hash of the filter's own, shared by all handlers from C<begin> to C<wrapup> of one
message, empty at its start.

=head2 remember(NAME, VALUE), recall(NAME)

Notes that pass from C<sender> and C<recipient> to the others, which may run in other
workers: in the file F<context.json> of the working directory. VALUE is what JSON
can hold. remember returns 1, or 0 where there is no directory.

=cut
