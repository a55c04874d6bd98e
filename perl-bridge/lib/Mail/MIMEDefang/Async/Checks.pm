# SPDX-License-Identifier: MIT
#
# Descriptions of checks for md_async_run_checks.  Nothing is asked here.

package Mail::MIMEDefang::Async::Checks;
use v5.36;
use Carp ();
use Exporter 'import';
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Net::Address qw(reverse_ip_address_for_rbl reverse_name);

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(md_async_check_dnsbl md_async_check_spf_record
    md_async_check_mx_exists md_async_check_rdns md_async_check_dkim_record
    md_async_check_dmarc_record md_async_check_clamd md_async_check_spamd
    md_async_check_rspamd);

use constant {
    TIMEOUT_S => 5,
    SCAN_S    => 60,        # the default where a daemon works on the message
    BLOCK     => 1 << 16,
    REPLY_MAX => 1 << 20,
};

sub _need ($name, $o, @wanted) {
    for my $option (@wanted) {
        Carp::croak("$name: $option is missing")
            if !length($o->{$option} // '');
    }
    return;
}

sub _dns ($o, $name, $host, $type) {
    return {
        name => $o->{name} // $name,
        type => 'dns',
        args => {
            host    => $host,
            type    => $type,
            timeout => $o->{timeout} // TIMEOUT_S
        }
    };
}

sub md_async_check_dnsbl (%o) {
    _need('md_async_check_dnsbl', \%o, qw(ip zone));
    my $reversed = reverse_ip_address_for_rbl($o{ip})
        // Carp::croak("md_async_check_dnsbl: '$o{ip}' is no address");
    return _dns(\%o, "dnsbl_$o{zone}", "$reversed.$o{zone}", 'A');
}

sub md_async_check_spf_record (%o) {
    _need('md_async_check_spf_record', \%o, qw(domain));
    return _dns(\%o, "spf_$o{domain}", $o{domain}, 'TXT');
}

sub md_async_check_mx_exists (%o) {
    _need('md_async_check_mx_exists', \%o, qw(domain));
    return _dns(\%o, "mx_$o{domain}", $o{domain}, 'MX');
}

sub md_async_check_rdns (%o) {
    _need('md_async_check_rdns', \%o, qw(ip));
    my $host = reverse_name($o{ip})
        // Carp::croak("md_async_check_rdns: '$o{ip}' is no address");
    return _dns(\%o, "rdns_$o{ip}", $host, 'PTR');
}

sub md_async_check_dkim_record (%o) {
    _need('md_async_check_dkim_record', \%o, qw(selector domain));
    return _dns(
        \%o,
        "dkim_$o{selector}_$o{domain}",
        "$o{selector}._domainkey.$o{domain}", 'TXT'
    );
}

sub md_async_check_dmarc_record (%o) {
    _need('md_async_check_dmarc_record', \%o, qw(domain));
    return _dns(\%o, "dmarc_$o{domain}", "_dmarc.$o{domain}", 'TXT');
}

# A function that returns the file block by block, each through FRAME.
sub _reader ($path, $frame) {
    my $fh;
    return sub {
        $fh // open $fh, '<:raw', $path or die "cannot read $path: $!\n";
        my $n = read $fh, my $block, BLOCK;
        die "cannot read $path: $!\n" if !defined $n;
        return $frame->($block);
    };
}

# Starts with HEAD, then what NEXT returns, until that is empty; then TAIL.
sub _with ($head, $next, $tail) {
    my @pieces = ($head);
    my $open   = 1;
    return sub {
        return shift @pieces if @pieces;
        return ''            if !$open;
        my $piece = $next->();
        return $piece if length $piece;
        $open = 0;
        return $tail;
    };
}

sub _address (%o) {
    return (unix_path => $o{socket}) if $o{socket} =~ m{^/};
    my ($host, $port) = $o{socket} =~ /^\[?([^\[\]]+)\]?:(\d+)\z/a
        or Carp::croak("'$o{socket}' is neither host:port nor a path");
    return (host => $host, port => $port);
}

sub _socket ($o, $name, %args) {
    return {
        name => $o->{name} // $name,
        type => 'socket',
        args => {
            max_bytes => REPLY_MAX,
            timeout   => $o->{timeout} // SCAN_S,
            %args
        }
    };
}

sub md_async_check_clamd (%o) {
    _need('md_async_check_clamd', \%o, qw(socket));
    my $file = _reader($o{path} // './INPUTMSG',
        sub ($block) { length $block ? pack 'N/a*', $block : '' });
    return _socket(
        \%o, 'clamd', _address(%o),
        request    => _with("zINSTREAM\0", $file, pack 'N', 0),
        read_until => qr/\0/,
    );
}

sub md_async_check_spamd (%o) {
    my $path   = $o{path} // './INPUTMSG';
    my $head   = ($o{report} ? 'REPORT' : 'SYMBOLS') . " SPAMC/1.5\r\n";
    my $prefix = $o{prefix} // '';
    my $size   = (-s $path // 0) + length $prefix;
    $head .= "Content-length: $size\r\n" if $size;
    $head .= "User: $o{user}\r\n"        if ($o{user} // '') =~ /^[\w.@+-]+\z/a;
    return _socket(
        \%o,
        'spamd',
        $o{socket}
        ? _address(%o)
        : (host => $o{host} // '127.0.0.1', port => $o{port} // 783),
        request => _with(
            "$head\r\n$prefix", _reader($path, sub ($block) {$block}), ''
        ),
        read_until => undef,
    );
}

sub _envelope () {
    return {
        From       => $Sender,
        Rcpt       => [@Recipients],
        IP         => $RelayAddr,
        Hostname   => $RelayHostname,
        Helo       => $Helo,
        'Queue-Id' => $QueueID
    };
}

# Header fields tell rspamd the envelope; see its documentation of the protocol.
sub md_async_check_rspamd (%o) {
    my $uri  = $o{uri}  // 'http://127.0.0.1:11333';
    my $path = $o{path} // './INPUTMSG';
    my ($host, $port) = $uri =~ m{^http://\[?([^/\[\]]+?)\]?(?::(\d+))?/?\z}a
        or Carp::croak("md_async_check_rspamd: '$uri' is not http://host:port");
    my %say = (
        Host             => $host =~ /:/ ? "[$host]" : $host,
        'Content-Length' => -s $path // 0,
        %{ $o{envelope} // _envelope() }
    );
    my $head = "POST /checkv2 HTTP/1.0\r\n";
    for my $name (sort keys %say) {
        for my $value (ref $say{$name} ? @{ $say{$name} } : $say{$name}) {
            next if !length($value // '');
            $head .= "$name: " . ($value =~ s/[\x00-\x1f\x7f]+/ /gr) . "\r\n";
        }
    }
    return _socket(
        \%o, 'rspamd',
        host    => $host,
        port    => $port // 11333,
        request =>
            _with("$head\r\n", _reader($path, sub ($block) {$block}), ''),
        read_until => undef,
    );
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Async::Checks - describe checks

=head1 DESCRIPTION

Each function takes named arguments and returns a description for
md_async_run_checks. All take C<name> and C<timeout> too; the name is the key of the
answer and has the default given below, the timeout is 5 s, or 60 s where a daemon
works on the message. They die if an argument is missing or no address.

=head1 FUNCTIONS

=head2 md_async_check_dnsbl(ip => ..., zone => ...)

Whether a blocklist has IP. C<dnsbl_ZONE>.

=head2 md_async_check_spf_record(domain => ...)

The texts of DOMAIN, one of which may be its SPF record. C<spf_DOMAIN>.

=head2 md_async_check_mx_exists(domain => ...)

The mail exchangers of DOMAIN. C<mx_DOMAIN>.

=head2 md_async_check_rdns(ip => ...)

The names of IP. C<rdns_IP>.

=head2 md_async_check_dkim_record(selector => ..., domain => ...)

A public key. C<dkim_SELECTOR_DOMAIN>.

=head2 md_async_check_dmarc_record(domain => ...)

The texts below C<_dmarc>, of this domain only. C<dmarc_DOMAIN>.

=head2 md_async_check_clamd(socket => ..., path => './INPUTMSG')

Sends the file through the socket (host:port, or the path of a UNIX socket) of clamd.
C<clamd>.

=head2 md_async_check_spamd(host => '127.0.0.1', port => 783, socket => ..., user => ..., report => 0, prefix => ..., path => './INPUTMSG')

Sends it to spamd and gets the names of the rules, or the report. PREFIX: header
fields to put in front of it, as those of synthesize_received_header. C<spamd>.

=head2 md_async_check_rspamd(uri => 'http://127.0.0.1:11333', envelope => {...}, path => './INPUTMSG')

Sends it to rspamd. ENVELOPE: header fields of the request, C<From>, C<Rcpt> (a
reference to a list), C<IP>, C<Helo>, C<Hostname>, C<Queue-Id>; by default what the
worker knows of this message. C<rspamd>.

=cut
