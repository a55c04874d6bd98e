# SPDX-License-Identifier: MIT
package Cases;

# The words in which the table of cases is written, the filter made of all
# cases, and what runs one.  Nothing here knows which MTA it is.
#
# A case is a hash:
#   name       unique; words
#   via        list of set-ups (see CaseSetUps) that it is run with (default: the
#              built-in multiplexor, with all versions of the protocol)
#   part       true: one of those that `make check` runs
#   differs    a sentence that says how MTAs differ, and why, where they do
#   filter     { callback => Perl text }: relay helo sender recipient begin
#              filter multipart end wrapup; the text is a function's body
#   client     list of steps (made by the functions below)
#   peers_differ  { set-up or program of the peer => reason }: not run there
#   parallel   so many clients do the steps side by side
#   delivered  list of what the sink gets: { from, to => [...], message =>
#              exact text with LF line ends without the MTA's Received field,
#              received_at => fields above that one (default 0),
#              like / unlike => [regex, ...] instead of message }
# Where MTAs differ, by_mta(postfix => X, sendmail => Y) stands for any value; a
# set-up like "protocol 2" may have one of its own.
# HERE in any text stands for a domain that belongs to this run of the case.
#
# Each run has a client address of its own, by which the filter knows it, and
# the domain, by which the sink's messages are found (and the filter knows mail
# that was not sent by one of our clients).

use v5.36;
use Exporter     qw(import);
use Harness      qw(temp_dir wait_for write_file);
use MIME::Base64 qw(encode_base64);
use CaseSetUps   qw(is_for);
use SmtpClient   ();
use Specimens    qw($plain);

our @EXPORT_OK = qw(afar auth start_tls by_mta changed content expect greeting
    hang_up held hello mail_from near octets quarantined release smtp submit bye
    filter_text is_special runs run_dialogue differences);

=head1 STEPS

A step is [what, argument, expected reply].  An expected reply of three digits
is compared with the code only, any other with the whole text.

=head2 greeting($reply), smtp($line, $reply), content($text, $reply)

Connect; a command; the message with the final dot.

=head2 octets($bytes), expect($reply), hang_up()

Bytes as they are, for which no reply is awaited; the next reply; the client
goes away.

=head2 start_tls(['certificate']), auth($user, $password, $reply)

STARTTLS, with a certificate of the client, and EHLO again; AUTH PLAIN.

=head2 afar(@steps), near(@steps)

The same by another client, whose address is not on this host, or is.

=head2 held(), release()

Waits until the filter of this run is in its function hold(); lets it go on.

=head2 submit($text, $status)

Hands the message to the MTA's program sendmail, with the sender from@HERE and
the recipient to@HERE; the exit status that is expected.

=head2 quarantined($reason)

The MTA keeps this run's message, and why.

=head2 hello(), mail_from(%o), bye()

The common parts: greeting and EHLO; MAIL, RCPT, DATA and message, with
C<from>, C<to> (list), C<message> and C<answers> { mail, rcpt, data, content }
where they are not 250 - the steps end where the server refuses; QUIT.

=head2 changed($name, $perl, %delivered)

A case: the plain message gets through, changed by this text of filter_end;
C<differs> and C<part> are those of the case.

=cut

sub by_mta   (%differs)      { return bless {%differs}, 'ByMta' }
sub greeting ($reply)        { return [ 'connect', '', $reply ] }
sub smtp     ($line, $reply) { return [ 'smtp',    $line, $reply ] }
sub content  ($text, $reply) { return [ 'content', $text, $reply ] }
sub octets   ($bytes)        { return [ 'octets',  $bytes ] }
sub expect   ($reply)        { return [ 'nothing', '', $reply ] }

sub start_tls ($with = '') {
    return (
        smtp('STARTTLS', '220'),
        [ 'tls', $with ],
        smtp('EHLO client.example', '250')
    );
}

sub auth ($user, $password, $reply) {
    my $initial = encode_base64("\0$user\0$password", '');
    return smtp("AUTH PLAIN $initial", $reply);
}

sub afar (@steps) {
    return map { [ @$_[ 0 .. 2 ], 'afar' ] } @steps;
}

sub near (@steps) {
    return map { [ @$_[ 0 .. 2 ], 'near' ] } @steps;
}
sub submit ($text, $status) { return [ 'submit',      $text, $status ] }
sub held                    { return [ 'held',        '' ] }
sub release                 { return [ 'release',     '' ] }
sub quarantined ($reason)   { return [ 'quarantined', $reason ] }
sub hang_up                 { return [ 'hang up',     '' ] }
sub bye                     { return smtp('QUIT', '221') }

sub hello { return (greeting('220'), smtp('EHLO client.example', '250')) }

sub mail_from (%o) {
    my %answer = (
        mail    => '250',
        rcpt    => '250',
        data    => '354',
        content => '250',
        %{ $o{answers} // {} }
    );
    my @steps
        = smtp('MAIL FROM:<' . ($o{from} // 'from@HERE') . '>', $answer{mail});
    return @steps if !goes_on($answer{mail}, 2);
    push @steps,
        map { smtp("RCPT TO:<$_>", $answer{rcpt}) } @{ $o{to} // ['to@HERE'] };
    return @steps                                if !goes_on($answer{rcpt}, 2);
    return (@steps, smtp('DATA', $answer{data})) if !goes_on($answer{data}, 3);
    return (@steps, smtp('DATA', '354'),
        content($o{message}, $answer{content}));
}

sub changed ($name, $perl, %delivered) {
    my %case = map { $_ => delete $delivered{$_} }
        grep { exists $delivered{$_} } qw(differs part);
    return {
        %case,
        name      => $name,
        filter    => { end => $perl },
        client    => [ hello(), mail_from(message => $plain), bye() ],
        delivered =>
            [ { from => '<from@HERE>', to => ['<to@HERE>'], %delivered } ],
    };
}

# MTAs differ in the text of a reply, not in whether they refuse.
sub goes_on ($reply, $digit) {
    ($reply) = values %$reply if ref $reply;
    return $reply =~ /\A$digit/;
}

=head1 RUNNING

=head2 runs($cases, $class)

Each case with each of its set-ups that there is for this MTA (Postfix,
Sendmail): copies of the case with C<set_up>, C<domain> and the addresses of
clients, all HERE replaced, and what is said of this MTA where they differ;
C<differs> stays where something is said of it that is not said of Postfix.

=cut

my @everywhere = ('built-in', map {"protocol $_"} 2 .. 4);

sub runs ($cases, $class) {
    my @runs;
    for my $case (@$cases) {
        my %said = map { $_ => 1 } said_of($case);
        die "$case->{name}: why MTAs differ is not said, or they do not\n"
            if %said xor defined $case->{differs};
        for my $set_up (@{ $case->{via} // \@everywhere }) {
            next if !is_for($set_up, $class);
            my $n   = 1 + @runs;
            my %run = (
                set_up    => $set_up,
                domain    => sprintf('case%03d.example', $n),
                client_ip => sprintf('127.9.%d.%d',  $n >> 7, 1 + ($n & 127)),
                near_ip   => sprintf('127.10.%d.%d', $n >> 7, 1 + ($n & 127)),
                afar_ip   => sprintf('192.0.2.%d',   1 + $n % 254),
            );
            my @mta = ($set_up, lc $class);
            push @runs, { %{ for_run($case, \@mta, $run{domain}) }, %run };
            delete $runs[-1]{differs}
                if !grep { $_ ne 'postfix' && $said{$_} } @mta;
        }
    }
    return @runs;
}

# The MTAs and set-ups of which by_mta() says something.
sub said_of ($x) {
    return (keys %$x, map { said_of($_) } values %$x) if ref $x eq 'ByMta';
    return map { said_of($_) } values %$x if ref $x eq 'HASH';
    return map { said_of($_) } @$x        if ref $x eq 'ARRAY';
    return;
}

sub for_run ($x, $mta, $domain) {
    if (ref $x eq 'ByMta') {
        my ($key) = grep { exists $x->{$_} } @$mta;
        return for_run($x->{$key}, $mta, $domain);
    }
    return { map { $_ => for_run($x->{$_}, $mta, $domain) } keys %$x }
        if ref $x eq 'HASH';
    return [ map { for_run($_, $mta, $domain) } @$x ] if ref $x eq 'ARRAY';
    return qr/${\ ("$x" =~ s{HERE}{$domain}gr)}/      if ref $x eq 'Regexp';
    return $x                                         if !defined $x;
    return $x =~ s/HERE/$domain/gr;
}

=head2 filter_text(@runs)

A filter file that does for each run what its case says.  In it, hold() waits
for the step release(), once for each run.

=cut

sub filter_text (@runs) {
    my $text = "use strict;\nuse warnings;\nour (\$RelayAddr, \%does);\n";
    for my $run (@runs) {
        my $filter = $run->{filter} or next;
        $text .= "# $run->{name}\n";
        $text .= "\$does{'$run->{domain}'}{$_} = sub {\n$filter->{$_}\n};\n"
            for sort keys %$filter;
        $text .= "\$does{'$_'} = \$does{'$run->{domain}'};\n"
            for $run->{client_ip}, is_special($run) ? other_ips($run) : ();
    }
    return $text . "sub holds { return '" . holds() . "' }\n" . <<'END';
sub my_domain {
    my $text = join ' ', @_, $main::Sender // '';
    return $text =~ /\@(?:\w+\.)?(case\d+\.example)/ ? $1 : '';
}
sub answer {
    my ($callback, @args) = @_;
    my $does = $does{$RelayAddr // ''} // $does{ my_domain(@args) } // {};
    my $code = $does->{$callback};
    return $code ? $code->(@args) : ('CONTINUE', 'ok');
}
sub hold {
    my $file = holds() . '/' . my_domain();
    open my $held, '>', "$file.held" or die "$file.held: $!";
    for (1 .. 3000) {
        return if -e "$file.go";
        select undef, undef, undef, 0.02;
    }
    die "nobody lets $file go on";
}
sub filter_relay     { return answer('relay', @_) }
sub filter_helo      { return answer('helo', @_) }
sub filter_sender    { return answer('sender', @_) }
sub filter_recipient { return answer('recipient', @_) }
sub filter_begin     { return answer('begin', @_) }
sub filter           { return answer('filter', @_) }
sub filter_multipart { return answer('multipart', @_) }
sub filter_end       { return answer('end', @_) }
sub filter_wrapup    { return answer('wrapup', @_) }
sub filter_map {
    my ($map, $key) = @_;
    my $code = ($does{ my_domain($key) } // {})->{map};
    return $code ? $code->($map, $key) : ('NOTFOUND', '');
}
1;
END
}

# A directory in which workers of any user can make files.
sub holds {
    state $dir = do {
        my $made = temp_dir() . '/holds';
        mkdir $made or die "$made: $!\n";
        chmod 01777, $made or die "$made: $!\n";
        $made;
    };
    return $dir;
}

=head2 is_special($run)

Whether other clients take part: afar() or near().

=cut

sub is_special ($run) {
    return grep { defined $_->[3] } @{ $run->{client} };
}

sub other_ips ($run) { return @$run{qw(near_ip afar_ip)} }

=head2 run_dialogue($run, $mta)

Plays the steps, with all clients side by side.  Returns a list of lines, one
for each reply that is not as expected; empty if all were.  A client stops at
its first difference.

=cut

sub run_dialogue ($run, $mta) {
    my @wrong = eval { play($run, $mta) };
    push @wrong, $@ if $@;
    return map { substr $_, 0, 1000 } @wrong;
}

sub play ($run, $mta) {
    my %client;
    my @wrong;
    my @alive = (1 .. $run->{parallel} // 1);
    for my $step (@{ $run->{client} }) {
        my ($what, $text, $want, $who) = @$step;
        if (my $does = done_by_nobody($what)) {
            push @wrong, $does->($run, $mta, $step);
            next;
        }
        my %mine = map { $_ => ($who // 'client') . $_ } @alive;
        for my $n (@alive) {
            my $client = $client{ $mine{$n} }
                //= SmtpClient->new($mta->port($run->{set_up}),
                $run->{ ($who // 'client') . '_ip' });
            say_to($client, $what, $text =~ s/CLIENT/$n/gr);
            $client->start_tls($text ? $mta->certificate : ())
                if $what eq 'tls';
            delete $client{ $mine{$n} } if $what eq 'hang up';
        }
        next if !defined $want;
        my %got = map  { $_ => $client{ $mine{$_} }->reply } @alive;
        my @bad = grep { !is_wanted($got{$_}, $want) } @alive;
        $text =~ s/\n.*//s;
        push @wrong, map {"$what $text: got '$got{$_}', want '$want'"} @bad;
        @alive = grep { is_wanted($got{$_}, $want) } @alive;
    }
    return @wrong;
}

sub say_to ($client, $what, $text) {
    $client->send_line($text)    if $what eq 'smtp';
    $client->send_message($text) if $what eq 'content';
    $client->put($text)          if $what eq 'octets';
    return;
}

# Steps that are not a client's; they return what is wrong.
sub done_by_nobody ($what) {
    state $does = {
        held        => sub ($run, @) { wait_for_hold($run) },
        release     => sub ($run, @) { let_go($run) },
        submit      => \&submit_one,
        quarantined => \&quarantined_as,
    };
    return $does->{$what};
}

sub wait_for_hold ($run) {
    my $file = holds() . "/$run->{domain}.held";
    wait_for('the filter to hold', sub { -e $file });
    return;
}

sub let_go ($run) {
    write_file(holds() . "/$run->{domain}.go", '');
    return;
}

sub quarantined_as ($run, $mta, $step) {
    my $got = $mta->quarantined($run->{domain}) // 'nothing';
    return () if $got eq $step->[1];
    return "quarantined: got '$got', want '$step->[1]'";
}

sub submit_one ($run, $mta, $step) {
    my (undef, $text, $want) = @$step;
    my ($status, $said)
        = $mta->submit($run->{set_up}, "from\@$run->{domain}",
        "to\@$run->{domain}", $text);
    return if defined $status && $status == $want;
    return 'submit: exit status ' . ($status // 'none') . ", $said";
}

sub is_wanted ($got, $want) {
    return $want =~ /\A\d{3}\z/ ? $got =~ /\A$want[ -]/ : $got eq $want;
}

=head2 differences($run, @messages)

Compares what the sink got for this run with what the case says.  Returns lines
that say what is wrong; empty if nothing is.

=cut

sub differences ($run, @messages) {
    my @want = sort { ($a->{from} // '') cmp($b->{from} // '') }
        @{ $run->{delivered} // [] };
    my $in_domain = quotemeta $run->{domain};
    my @got       = sort { $a->{from} cmp $b->{from} }
        grep { "$_->{from} @{ $_->{to} }" =~ /\@$in_domain>/ } @messages;
    return 'delivered: got ' . @got . ', want ' . @want . ' messages'
        if @got != @want;
    return map { compare($got[$_], $want[$_]) } 0 .. $#want;
}

sub compare ($got, $want) {
    my @wrong;
    my $from = $want->{from};
    push @wrong, "sender: got $got->{from}, want $from"
        if defined $from && $got->{from} ne $from;
    if ($want->{to}) {
        my ($is, $should) = map { join ' ', sort @$_ } $got->{to}, $want->{to};
        push @wrong, "recipients: got $is, want $should" if $is ne $should;
    }
    my ($text, $at) = without_received($got->{bytes});
    push @wrong, 'a line end that is not CRLF'
        if $got->{bytes} =~ /(?<!\r)\n|\r(?!\n)/;
    push @wrong,
        "Received field: got place $at, want " . ($want->{received_at} // 0)
        if $at ne ($want->{received_at} // 0);
    push @wrong, first_difference($text, $want->{message})
        if defined $want->{message};
    push @wrong, map {"message is not like $_:\n$text"}
        grep { $text !~ $_ } @{ $want->{like} // [] };
    push @wrong, map {"message is like $_:\n$text"}
        grep { $text =~ $_ } @{ $want->{unlike} // [] };
    return @wrong;
}

# The message with LF line ends and without the field that the MTA added, and
# the number of fields above it.
sub without_received ($bytes) {
    my $text   = $bytes =~ s/\r\n/\n/gr;
    my ($head) = $text  =~ /\A(.*?\n)(?=\n)/s or return ($text, 'none');
    my @fields = $head  =~ /^(\S[^\n]*\n(?:[ \t][^\n]*\n)*)/mg;
    for my $i (0 .. $#fields) {
        next
            if $fields[$i]
            !~ /\AReceived: from client\.example .*by mx\.example/s;
        splice @fields, $i, 1;
        return (join('', @fields) . substr($text, length $head), $i);
    }
    return ($text, 'none');
}

sub first_difference ($got, $want) {
    return () if $got eq $want;
    ($got ^. $want) =~ /\A\0*/;
    my $at = $+[0];
    my ($is, $should) = map { substr $_, $at > 30 ? $at - 30 : 0, 200 } $got,
        $want;
    return
          "message: differs at octet $at, length got "
        . length($got)
        . ', want '
        . length($want)
        . "\n got: $is\n want: $should";
}

1;
