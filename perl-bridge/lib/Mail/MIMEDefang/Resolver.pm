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
use Mail::MIMEDefang::Resolver::Lookup;

our @EXPORT_OK = qw(dns_lookup dns_lookup_all dns_within have_dns is_absent
    lookup_job resolver txt_strings);
our @ISA;    ## no critic (ProhibitExplicitISA)

use constant {
    TIMEOUT_S => 5,
    CACHE     => 1000,    # answers
};

our $until;               # of dns_within
my ($loaded, $cache, @system_servers);

sub have_dns () {
    return $loaded if defined $loaded;
    local ($@, $SIG{__DIE__});
    $loaded = eval {
        require Net::DNS;
        require Mail::MIMEDefang::Loop::Question;
    } ? 1 : 0;
    if ($loaded) {
        @ISA = ('Net::DNS::Resolver');    ## no critic (ProhibitExplicitISA)
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

sub preload () {
    return have_dns();
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

sub lookup_job ($name, $type, %o) {
    my $have      = have_dns();
    my $timeout_s = $o{timeout_s} // $Features{'DNS:Timeout'} // TIMEOUT_S;
    my $left      = defined $until ? $until - now() : $timeout_s;
    $cache //= Mail::MIMEDefang::Resolver::Cache->new($Features{'DNS:CacheSize'}
            // CACHE);
    return Mail::MIMEDefang::Resolver::Lookup->new(
        $name, $type,
        missing   => $have ? undef : 'Net::DNS is missing',
        servers   => [ _servers($o{resolver}) ],
        cache     => $cache,
        timeout_s => $left < $timeout_s ? $left : $timeout_s,
        retry_s   => $Features{'DNS:Retry'},
        secure    => $o{secure},
    );
}

sub dns_lookup ($name, $type, %o) {
    my ($answer) = dns_lookup_all([ [ $name, $type ] ], %o);
    return $answer;
}

sub dns_lookup_all ($questions, %o) {
    my @jobs    = map { lookup_job(@{$_}, %o) } @{$questions};
    my @answers = map { $_->answer } @jobs or return;
    my $enough  = $o{enough};
    run_jobs(
        \@jobs,
        timeout_s => $jobs[0]{timeout_s},
        $enough ? (enough => sub { $enough->(@answers) }) : ()
    );
    return @answers;
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

=head2 lookup_job(NAME, TYPE, ...)

The same as a job for L<Mail::MIMEDefang::Loop>, to run beside others; its result
is the answer.

=head2 dns_within(SECONDS, CODE)

Calls CODE and returns what it does; all questions that it asks may together take
that long.

=head2 is_absent(ANSWER), txt_strings(ANSWER)

Whether it is certain that there is no such record; the text of each TXT record.

=head2 resolver()

An object that other modules can use in the place of L<Net::DNS::Resolver>; its
C<send> asks as dns_lookup does. undef without Net::DNS.

=head2 have_dns(), preload()

Whether Net::DNS is there; loads it.

=cut
