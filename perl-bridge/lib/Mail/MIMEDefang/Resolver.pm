# SPDX-License-Identifier: MIT
#
# All questions to the DNS: one set of servers and limits, several questions at
# once, and a cache that belongs to the worker.  No socket outlives its question,
# so nothing has to be opened again after a fork.
#
# choice:bridge-dns
# Never dies; without Net::DNS every answer is an error, and the log says once
# what is missing.

package Mail::MIMEDefang::Resolver;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log  qw(md_syslog);
use Mail::MIMEDefang::Loop qw(now run_jobs);
use Mail::MIMEDefang::Resolver::Cache;

our @EXPORT_OK = qw(dns_lookup dns_lookup_all dns_within have_dns is_absent
    resolver txt_strings);
our @ISA;    ## no critic (ProhibitExplicitISA)

use constant {
    TIMEOUT_S   => 5,
    CACHE       => 1000,    # answers
    CACHE_BYTES => 4096,    # of one answer
    MIN_TTL_S   => 2,       # one message asks more than once
    MAX_TTL_S   => 3600,
    MAX_NONE_S  => 900,     # that there is nothing
    FAILED_S    => 30,      # rfc:2308#7
    CHAIN       => 8,       # CNAMEs
};

our $until;                 # of dns_within
my ($loaded, $cache, @system_servers);

sub have_dns () {
    return $loaded if defined $loaded;
    local ($@, $SIG{__DIE__});
    $loaded = eval {
        require Net::DNS;
        require Mail::MIMEDefang::Loop::Question;
    } ? 1 : 0;
    if ($loaded) {
        @ISA = ('Net::DNS::Resolver');
        @system_servers
            = map { [ $_, 53 ] } Net::DNS::Resolver->new->nameservers;
    }
    else {
        md_syslog('err',
                  'Net::DNS is missing (package libnet-dns-perl):'
                . ' no function that asks the DNS works');
    }
    return $loaded;
}

# [address, port] of each server.
sub _servers ($foreign) {
    if (ref $foreign && $foreign->can('nameservers')) {
        my $port = $foreign->port;
        return map { [ $_, $port ] } $foreign->nameservers;
    }
    my $text = $Features{'DNS:Servers'} // '';
    my @servers;
    for my $word (split /[\s,]+/, $text) {
        my ($address, $port)
            = $word =~ /^\[([0-9a-f:.]+)\](?::(\d+))?\z/ai ? ($1, $2)
            : $word =~ /^([0-9.]+)(?::(\d+))?\z/a          ? ($1, $2)
            :                                                ($word, undef);
        push @servers, [ $address, $port // 53 ];
    }
    return @servers ? @servers : @system_servers;
}

sub dns_within ($seconds, $code) {
    my $end = now() + $seconds;
    local $until = defined $until && $until < $end ? $until : $end;
    return $code->();
}

sub dns_lookup ($name, $type, %o) {
    my ($answer) = dns_lookup_all([ [ $name, $type ] ], %o);
    return $answer;
}

# Rounds: each follows one step of the chains of names that the answers show.
sub dns_lookup_all ($questions, %o) {
    my @answers = map { _new_answer(@{$_}) } @{$questions};
    if (!have_dns()) {
        _fail($_, 'ERROR', 'Net::DNS is missing') for @answers;
        return @answers;
    }
    my $end = now() + ($o{timeout_s} // $Features{'DNS:Timeout'} // TIMEOUT_S);
    $end = $until if defined $until && $until < $end;
    my @servers = _servers($o{resolver});
    for my $step (0 .. CHAIN) {
        my @open = grep { !defined $_->{code} } @answers or last;
        if ($step == CHAIN) {
            _fail($_, 'SERVFAIL', 'too many CNAMEs') for @open;
            last;
        }
        last if now() >= $end;
        _round(\@open, \@servers, $end, \%o);
        last if $o{enough} && $o{enough}->(@answers);
    }
    for my $answer (@answers) {
        _fail($answer, 'TIMEOUT', 'timeout') if !defined $answer->{code};
    }
    return @answers;
}

sub _new_answer ($name, $type) {
    $name = lc($name // '') =~ s/\.\z//r;
    return { asked => $name, name => $name, type => uc $type, records => [] };
}

sub _fail ($answer, $code, $error) {
    @{$answer}{qw(code error records)} = ($code, $error, []);
    return;
}

sub _round ($open, $servers, $end, $o) {
    my $now  = now();
    my $left = $end - $now;
    my (%jobs, @waiting);
    $cache //= Mail::MIMEDefang::Resolver::Cache->new($Features{'DNS:CacheSize'}
            // CACHE);
    my $where = join ' ', map {"@{$_}"} @{$servers};
    for my $answer (@{$open}) {
        my $key = join ' ', @{$answer}{qw(name type)}, $o->{secure} // 0,
            $where;
        if (my $known = $cache->fetch($key, $now)) {
            _take($answer, @{$known});
            next;
        }
        push @waiting, [ $answer, $key ];
        $jobs{$key} //= Mail::MIMEDefang::Loop::Question->new(
            @{$answer}{qw(name type)},
            servers   => $servers,
            timeout_s => $left,
            secure    => $o->{secure},
            (
                defined $Features{'DNS:Retry'}
                ? (retry_s => $Features{'DNS:Retry'})
                : ()
            ),
        );
    }
    return if !%jobs || $left <= 0;
    my $take = sub {
        my $at = now();
        for my $entry (grep { $_->[1] && $jobs{ $_->[1] }->done } @waiting) {
            my ($answer, $key) = @{$entry};
            $entry->[1] = undef;
            _take($answer, _remember($key, $jobs{$key}, $at));
        }
        return;
    };
    run_jobs(
        [ values %jobs ],
        timeout_s => $left,
        enough    => sub { $take->(); $o->{enough} && $o->{enough}->(@{$open}) }
    );
    $take->();
    return;
}

# (packet, error), kept for as long as they say.
sub _remember ($key, $job, $now) {
    my ($packet, $error) = ($job->result, $job->error);
    return (undef, $error) if ($error // '') eq 'not answered in time';
    my $keep_s = FAILED_S;
    if ($packet) {
        return ($packet, undef) if $packet->size > CACHE_BYTES;
        $keep_s = _time_to_live($packet);
    }
    $cache->store($key, [ $packet, $error ], $now + $keep_s);
    return ($packet, $error);
}

sub _time_to_live ($packet) {
    my @answers = $packet->answer;
    return FAILED_S
        if $packet->header->rcode !~ /^(?:NOERROR|NXDOMAIN)\z/;
    my $ttl = @answers ? MAX_TTL_S : MAX_NONE_S;
    for my $rr (@answers, grep { $_->type eq 'SOA' } $packet->authority) {
        my $says = $rr->type eq 'SOA' ? _min($rr->ttl, $rr->minimum) : $rr->ttl;
        $ttl = _min($ttl, $says) if !@answers || $rr->type ne 'SOA';
    }
    return $ttl < MIN_TTL_S ? MIN_TTL_S : $ttl;
}

sub _min ($x, $y) {
    return $x < $y ? $x : $y;
}

# What the packet says about the name, along its CNAMEs.  Leaves the answer open
# if it ends at a name that the packet does not know.
sub _take ($answer, $packet, $error) {
    if (!$packet) {
        return _fail($answer,
            $error =~ /\btime(?:out)?\z/ ? 'TIMEOUT' : 'ERROR', $error);
    }
    my $code = $packet->header->rcode;
    $answer->{packet} = $packet;
    $answer->{secure} = $packet->header->ad ? 1 : 0;
    return _fail($answer, $code, $code)
        if $code ne 'NOERROR' && $code ne 'NXDOMAIN';
    my $asked = $answer->{name};
    while (my $next = _alias($answer, $packet)) {
        return _fail($answer, 'SERVFAIL', 'CNAME loop')
            if $answer->{seen}{$next}++ || $next eq $answer->{asked};
        $answer->{name} = $next;
    }
    my @records
        = grep { $_->type eq $answer->{type} && lc $_->owner eq $answer->{name} }
        $packet->answer;
    return
        if !@records && $code eq 'NOERROR' && $answer->{name} ne $asked;
    @{$answer}{qw(code records)} = ($code, \@records);
    return;
}

sub _alias ($answer, $packet) {
    return if $answer->{type} eq 'CNAME';
    my ($rr)
        = grep { $_->type eq 'CNAME' && lc $_->owner eq $answer->{name} }
        $packet->answer;
    return $rr ? lc $rr->cname : undef;
}

# It is certain that there is none.
sub is_absent ($answer) {
    return !@{ $answer->{records} }
        && $answer->{code} =~ /^(?:NOERROR|NXDOMAIN)\z/;
}

# Of each record, the strings joined.
sub txt_strings ($answer) {
    return map { join '', $_->txtdata } @{ $answer->{records} };
}

# For modules that want an object of Net::DNS.
sub resolver () {
    return if !have_dns();
    my @servers = _servers(undef);
    return __PACKAGE__->SUPER::new(
        nameservers => [ map { $_->[0] } @servers ],
        port        => @servers ? $servers[0][1] : 53,
        recurse     => 1,
    );
}

sub send ($self, $what, $type = 'A', @) { ## no critic (ProhibitBuiltinHomonyms)
    if (ref $what) {
        my ($question) = $what->question;
        ($what, $type) = ($question->qname, $question->qtype);
    }
    my $answer = dns_lookup($what, $type);
    my $text
        = $answer->{code} eq 'TIMEOUT'
        ? 'query timed out'
        : $answer->{error} // $answer->{code};
    $self->errorstring($text);
    return if !$answer->{packet};
    return if $answer->{error} && $answer->{error} ne $answer->{code};
    return $answer->{packet};
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Resolver - ask the DNS

=head1 SYNOPSIS

    my $answer = dns_lookup('example.com', 'MX');
    print $_->exchange for @{ $answer->{records} };

=head1 SETTINGS

A filter may set, at file scope:

=over

=item $Features{'DNS:Servers'}

Addresses, C<192.0.2.53>, C<192.0.2.53:5353> or C<[2001:db8::53]:5353>, separated
by blanks. Default: those of F</etc/resolv.conf>.

=item $Features{'DNS:Timeout'}

Seconds for one question, or for all that are asked together. Default 5.

=item $Features{'DNS:Retry'}

Seconds after which the next server is asked too. Default 1.5.

=item $Features{'DNS:CacheSize'}

How many answers a worker keeps, each as long as it says, but at most an hour. 0
switches the cache off. Default 1000.

=back

=head1 FUNCTIONS

=head2 dns_lookup(NAME, TYPE, resolver => ..., timeout_s => ..., secure => ...)

Asks, follows CNAMEs (at most 8), and returns a reference to a hash:

=over

=item code

C<NOERROR> or C<NXDOMAIN>; else the question is open, because of the servers
(C<SERVFAIL>, C<REFUSED>, ...), because nobody answered (C<TIMEOUT>) or because it
could not be asked (C<ERROR>).

=item records

The records of that type, as L<Net::DNS::RR>; may be empty.

=item error

undef, or what went wrong.

=item packet, name, secure

The last answer as it came, the name at the end of the CNAMEs, and whether the
server says that DNSSEC proves the answer (only with SECURE).

=back

RESOLVER: an object of L<Net::DNS::Resolver>, whose servers are then asked.

=head2 dns_lookup_all([[NAME, TYPE], ...], enough => ..., ...)

The same for many questions at once; returns the answers in their order. ENOUGH is
called with the answers, also while some have no code yet; when it returns true
the rest is given up and counts as C<TIMEOUT>.

=head2 dns_within(SECONDS, CODE)

Calls CODE and returns what it does; all questions that it asks may together take
that long.

=head2 is_absent(ANSWER), txt_strings(ANSWER)

Whether it is certain that there is no such record; the text of each TXT record.

=head2 resolver()

An object that other modules can use in the place of L<Net::DNS::Resolver>; its
C<send> asks as dns_lookup does. undef without Net::DNS.

=head2 have_dns()

Whether Net::DNS is there.

=cut
