# SPDX-License-Identifier: MIT
#
# A name server for tests on a port of 127.0.0.1, UDP and TCP, in a child.
#
#   my $server = DNSServer->new(<<'END');
#   example.com. 300 IN MX 10 mx.example.com.
#   END
#   $Features{'DNS:Servers'} = $server->address;
#
# Names with one of these labels get what the label says instead: servfail,
# refused, silent, garbage, wrong-id, wrong-name, cut (whole only over TCP),
# cut-always, late-id (garbage first, then the answer), ad (with the AD flag), second
# (silent once), both
# (over UDP answered when a second such question is there).

package DNSServer;
use v5.36;
use IO::Select;
use IO::Socket::INET;
use Net::DNS;
use POSIX ();

sub new ($class, $zone) {
    my ($udp, $tcp) = _sockets();
    pipe my $asked, my $tell or die "pipe: $!";
    $tell->autoflush(1);
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        eval { _serve(_parse($zone), $udp, $tcp, $tell); 1 } or warn $@;
        POSIX::_exit(0);
    }
    $asked->blocking(0);
    return bless {
        pid   => $pid,
        owner => $$,
        asked => $asked,
        port  => $udp->sockport
    }, $class;
}

# The same port for both.
sub _sockets () {
    for (1 .. 50) {
        my $udp = IO::Socket::INET->new(
            LocalAddr => '127.0.0.1',
            Proto     => 'udp'
        ) or die "udp: $!";
        my $tcp = IO::Socket::INET->new(
            LocalAddr => '127.0.0.1',
            LocalPort => $udp->sockport,
            Proto     => 'tcp',
            Listen    => 16
        ) or next;
        return ($udp, $tcp);
    }
    die 'no free port';
}

sub address ($self) { return "127.0.0.1:$self->{port}" }

# The questions since the last call, "NAME TYPE PROTOCOL".
sub asked ($self) {
    my $fh    = $self->{asked};
    my @lines = <$fh>;
    chomp @lines;
    return @lines;
}

sub stop ($self) {
    my $pid = delete $self->{pid} // return;
    return if $self->{owner} != $$;
    local $?;
    kill KILL => $pid;
    waitpid $pid, 0;
    return;
}

sub DESTROY ($self) { return $self->stop }

sub _parse ($zone) {
    my %zone;
    for my $line (grep {/\S/} split /\n/, $zone) {
        my $rr = Net::DNS::RR->new($line);
        push @{ $zone{ lc $rr->owner }{ $rr->type } }, $rr;
    }
    return \%zone;
}

sub _serve ($zone, $udp, $tcp, $tell) {
    my $select = IO::Select->new($udp, $tcp);
    my @held;
    while (1) {
        for my $fh ($select->can_read) {
            if ($fh == $udp) {
                my $peer = recv $udp, my $bytes, 65535, 0;
                push @held,
                    map { [ $peer, $_ ] } _replies($zone, $bytes, 'udp', $tell);
                next if $bytes =~ /\x04both/ && @held < 2;
                send $udp, $_->[1], 0, $_->[0] for splice @held;
            }
            elsif ($fh == $tcp) {
                $select->add($tcp->accept // next);
            }
            else {
                _serve_tcp($zone, $fh, $tell);
                $select->remove($fh);
                close $fh;
            }
        }
    }
    return;
}

sub _serve_tcp ($zone, $fh, $tell) {
    my $bytes = '';
    while (length $bytes < 2 || length $bytes < 2 + unpack 'n', $bytes) {
        sysread $fh, $bytes, 65535, length $bytes or return;
    }
    for my $reply (_replies($zone, substr($bytes, 2), 'tcp', $tell)) {
        syswrite $fh, pack 'n/a*', $reply;
    }
    return;
}

my %seen;

sub _replies ($zone, $bytes, $protocol, $tell) {
    my $query = Net::DNS::Packet->new(\$bytes) // return;
    my ($question) = $query->question;
    my ($name, $type) = (lc $question->qname, $question->qtype);
    print {$tell} "$name $type $protocol\n";

    my %trick = map { $_ => 1 } split /\./, $name;
    return if $trick{silent} || $trick{second} && !$seen{$name}++;
    return "\x01\x02garbage" if $trick{garbage};
    my $reply = $query->reply;
    $reply->header->ra(1);
    $reply->header->rcode('NOERROR');
    $reply->header->ad(1) if $trick{ad};
    _answer($reply, $zone, $name, $type);
    $reply->header->rcode('SERVFAIL') if $trick{servfail};
    $reply->header->rcode('REFUSED')  if $trick{refused};
    my $cut = $trick{'cut-always'} || $trick{cut} && $protocol eq 'udp';

    if ($cut) {
        $reply->header->tc(1);
        $reply->pop('answer') while $reply->answer;
    }
    my $data = $reply->data;
    substr $data, 0, 2, pack 'n', $query->header->id ^ 1 if $trick{'wrong-id'};
    if ($trick{'wrong-name'}) {
        my $other = Net::DNS::Packet->new('other.test', $type)->data;
        $data = substr($data, 0, 4) . substr $other, 4;
    }
    return ("\x01\x02garbage", $data) if $trick{'late-id'};
    return $data;
}

# As a resolver answers: with the chain of CNAMEs as far as the zone knows it.
sub _answer ($reply, $zone, $name, $type) {
    my $left = 4;
    while ($left--) {
        my $here = $zone->{$name};
        if (!$here) {
            my $below = grep {/\.\Q$name\E\z/} keys %{$zone};
            $reply->header->rcode($below ? 'NOERROR' : 'NXDOMAIN');
            return;
        }
        $reply->push(answer => @{ $here->{$type} // [] });
        my $alias = $here->{CNAME} // return;
        $reply->push(answer => @{$alias}) if $type ne 'CNAME';
        return                            if $type eq 'CNAME';
        $name = lc $alias->[0]->cname;
    }
    return;
}

1;
