# SPDX-License-Identifier: MIT
#
# Everything about one name and type: what the cache knows, else a question, and
# the same again for the name at the end of an alias.  A job of the loop that
# always has a result; Resolver says how it looks.

package Mail::MIMEDefang::Resolver::Lookup;
use v5.36;
use parent 'Mail::MIMEDefang::Loop::Job';

use constant {
    CACHE_BYTES => 4096,    # of one answer
    MIN_TTL_S   => 2,       # one message asks more than once
    MAX_TTL_S   => 3600,
    MAX_NONE_S  => 900,     # that there is nothing
    FAILED_S    => 30,      # rfc:2308#7
    PATIENCE_S  => 1,       # who waits less cannot tell that a server failed
    CHAIN       => 8,       # aliases, beyond those that one answer shows
};

sub new ($class, $name, $type, %o) {
    $name = lc($name // '') =~ s/\.\z//r;
    my %answer = (
        asked   => $name,
        name    => $name,
        type    => uc $type,
        records => [],
        secure  => 0,
    );
    return bless { %o, answer => \%answer, left => CHAIN, seen => {} }, $class;
}

sub answer ($self) {
    return $self->{answer};
}

sub start ($self, $now) {
    $self->{end} = $now + $self->{timeout_s};
    return $self->_fail('ERROR', $self->{missing}) if $self->{missing};
    return $self->_ask($now);
}

# Until there is something to wait for.
sub _ask ($self, $now) {
    my $answer = $self->{answer};
    while (!$self->done) {
        return $self->_fail('SERVFAIL', 'too many CNAMEs')
            if !$self->{left}--;
        my $key = join ' ', @{$answer}{qw(name type)}, $self->{secure} // 0,
            map {"@{$_}"} @{ $self->{servers} };
        if (my $known = $self->{cache}->fetch($key, $now)) {
            $self->_take(_unpacked($known->[0]), $known->[1]);
            next;
        }
        return $self->_fail('TIMEOUT', 'timeout') if $now >= $self->{end};
        my $question = Mail::MIMEDefang::Loop::Question->new(
            @{$answer}{qw(name type)},
            servers   => $self->{servers},
            timeout_s => $self->{end} - $now,
            retry_s   => $self->{retry_s},
            secure    => $self->{secure},
        );
        @{$self}{qw(question key)} = ($question, $key);
        $question->start($now);
        return $self->{deadline} = $question->deadline if !$question->done;
        $self->_heard($now);
    }
    return;
}

sub handles ($self) {
    return $self->{question}->handles;
}

sub ready ($self, $now) {
    $self->{question}->ready($now);
    return $self->_after($now);
}

sub expire ($self, $now) {
    $self->{question}->expire($now);
    return $self->_after($now);
}

sub _after ($self, $now) {
    my $question = $self->{question};
    return $self->{deadline} = $question->deadline if !$question->done;
    $self->_heard($now);
    return $self->_ask($now);
}

# What it says is kept for as long as it says, as bytes: an object would take ten
# times as much.
sub _heard ($self, $now) {
    my $question = delete $self->{question};
    my ($packet, $error) = ($question->result, $question->error);
    my $bytes = $packet ? $packet->data : undef;
    my $keep_s
        = $packet
        ? (length $bytes <= CACHE_BYTES ? _time_to_live($packet) : 0)
        : $self->{timeout_s} >= PATIENCE_S ? FAILED_S
        :                                    0;
    $self->{cache}->store($self->{key}, [ $bytes, $error ], $now + $keep_s)
        if $keep_s;
    return $self->_take($packet, $error);
}

sub _unpacked ($bytes) {
    return defined $bytes ? scalar Net::DNS::Packet->new(\$bytes) : undef;
}

sub _time_to_live ($packet) {
    return FAILED_S if $packet->header->rcode !~ /^(?:NOERROR|NXDOMAIN)\z/;
    my @answers = $packet->answer;
    my $ttl     = @answers ? MAX_TTL_S : MAX_NONE_S;
    my @says
        = @answers ? map { $_->ttl } @answers : map { ($_->ttl, $_->minimum) }
        grep { $_->type eq 'SOA' } $packet->authority;
    for my $says (@says) {
        $ttl = $says if $says < $ttl;
    }
    return $ttl < MIN_TTL_S ? MIN_TTL_S : $ttl;
}

# What the packet says about the name, along its aliases.  Not the end if they
# lead to a name that the packet does not know.
sub _take ($self, $packet, $error) {
    return $self->_fail($error eq 'timeout' ? 'TIMEOUT' : 'ERROR', $error)
        if !$packet;
    my $answer = $self->{answer};
    my $code   = $packet->header->rcode;
    $answer->{packet} = $packet;
    $answer->{secure} = $packet->header->ad ? 1 : 0;
    return $self->_fail($code, $code)
        if $code ne 'NOERROR' && $code ne 'NXDOMAIN';

    my $asked = $answer->{name};
    while (my $next = _alias($answer, $packet)) {
        return $self->_fail('SERVFAIL', 'CNAME loop')
            if $self->{seen}{$next}++ || $next eq $answer->{asked};
        $answer->{name} = $next;
    }
    my @records
        = grep { $_->type eq $answer->{type} && lc $_->owner eq $answer->{name} }
        $packet->answer;
    return
        if !@records && $code eq 'NOERROR' && $answer->{name} ne $asked;
    @{$answer}{qw(code records)} = ($code, \@records);
    return $self->finish($answer);
}

sub _alias ($answer, $packet) {
    return if $answer->{type} eq 'CNAME';
    my ($rr)
        = grep { $_->type eq 'CNAME' && lc $_->owner eq $answer->{name} }
        $packet->answer;
    return $rr ? lc $rr->cname : undef;
}

sub _fail ($self, $code, $error) {
    @{ $self->{answer} }{qw(code error records secure)}
        = ($code, $error, [], 0);
    return $self->finish($self->{answer});
}

# The loop has no more time.
sub abandon ($self, $) {
    return $self->_fail('TIMEOUT', 'timeout');
}

sub let_go ($self) {
    my $question = delete $self->{question} // return;
    $question->abandon('given up') if !$question->done;
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Resolver::Lookup - look up one name

=head1 METHODS

=head2 new(NAME, TYPE, servers => [...], cache => ..., timeout_s => ..., retry_s => ..., secure => ..., missing => TEXT)

A job for L<Mail::MIMEDefang::Loop>, made by C<lookup_job> of
L<Mail::MIMEDefang::Resolver>. MISSING: why it cannot ask.

=head2 answer()

What is known so far; the same as C<result> in the end.

=head2 start(NOW), handles(), ready(NOW), expire(NOW), abandon(ERROR)

For the loop.

=cut
