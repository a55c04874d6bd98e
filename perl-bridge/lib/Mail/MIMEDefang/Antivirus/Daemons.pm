# SPDX-License-Identifier: MIT
#
# The protocols of the virus-scanning daemons other than clamd.  Only what they
# call clean in so many words is clean.  spec:virus-daemons

package Mail::MIMEDefang::Antivirus::Daemons;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Antivirus::Common
    qw(ask cannot files_below found note swerr time_limit);
use Mail::MIMEDefang::Globals;

our @EXPORT_OK = qw(scan_with_sophie scan_with_carrier_scan scan_with_fprotd
    scan_with_fprotd_v6);

use constant {
    BLOCK => 8192,
    PORTS => 5,      # fprotd may listen on one of the ports that follow
};

sub _address ($row, $address) {
    return $address if length($address // '');
    no strict 'refs';
    my $value = ${"Mail::MIMEDefang::Globals::$row->{address}"};
    return length($value // '')
        ? $value
        : $row->{default} =~ s/\{spool\}/$Features{'Path:SPOOLDIR'}/r;
}

# Runs SCAN with one file after the other: the first virus, else the last failure,
# else clean.
sub _each_file ($target, $scan) {
    my @worst = (0, 'ok');
    for my $file (files_below($target->{path})) {
        my @result = $scan->($file);
        return @result   if $result[1] eq 'virus';
        @worst = @result if $result[1] ne 'ok';
    }
    return @worst;
}

# ---- Sophie and Trophie -------------------------------------------------------

# The rest of a virus's name may come later; a plain 0 is complete.
sub scan_with_sophie ($row, $target, $address = undef, @) {
    $CurrentVirusScannerMessage = '';
    my $name = $row->{name};
    my ($reply, @failed) = ask($name, _address($row, $address),
        "$target->{path}\n", until => qr/\n|^0/);
    $reply =~ s/\s+\z//;
    if ($reply =~ /^1(?::\s*(.*))?\z/s) {
        note("$reply\n");
        my $virus = found($1 // '');
        return (1, 'virus', length $virus ? $virus : "Unknown-$name-virus");
    }
    return @failed   if @failed;
    return (0, 'ok') if $reply =~ /^0/;
    note("$reply\n");
    return swerr("$name: $reply");
}

# ---- Symantec CarrierScan -------------------------------------------------------

sub scan_with_carrier_scan ($row, $target, $address = undef, @) {
    $CurrentVirusScannerMessage = '';
    my $where = _address($row, $address);
    return _each_file($target, sub ($file) { _carrier_scan($where, $file) });
}

sub _carrier_scan ($where, $file) {
    my ($host, $port, $local) = $where =~ /^(.+?):(\d+)(?::(\w+))?\z/
        or return cannot("CarrierScan: '$where' is not host:port[:local]");
    $local //= $host eq '127.0.0.1' ? 'local' : 'remote';
    require Mail::MIMEDefang::Peer;
    my ($peer, $error) = Mail::MIMEDefang::Peer::peer_open(
        address   => "$host:$port",
        timeout_s => time_limit()
    );
    return cannot("CarrierScan: $error") if !$peer;
    my $send;
    my $line = sub () {
        my ($text, $why) = $peer->talk(
            until => qr/\n/,
            defined $send ? (send => $send) : ()
        );
        undef $send;
        die "CarrierScan: $why\n" if $why ne '';
        return $text =~ s/\r?\n\z//r;
    };
    my @result = eval {
        die "CarrierScan: no greeting\n"     if $line->() !~ /^220/;
        die "CarrierScan: another version\n" if $line->() !~ /^2\z/;
        $send
            = $local eq 'local'
            ? "Version 2\nAVSCANLOCAL\n$file\n"
            : _carrier_file($file);
        my $answer = $line->();
        die "CarrierScan: $answer\n" if $answer !~ /^230/;
        _carrier_status($line);
    };
    return @result if @result;
    die $@         if $@ !~ /^(?:CarrierScan|Cannot)/;    # not ours
    return swerr($@);
}

sub _carrier_status ($line) {
    my $status = $line->();
    return (0, 'ok')                    if $status eq '0';
    die "CarrierScan: status $status\n" if $status !~ /^\d+\z/;
    $line->() for 1 .. 4;    # date, version, count, file
    my $name = $line->();
    note("$name\n");
    return (1, 'virus', found($name));
}

# The request and the bytes of the file.
sub _carrier_file ($file) {
    open my $fh, '<:raw', $file or die "Cannot open $file: $!\n";
    my $head = "Version 2\nAVSCAN\n$file\n" . (-s $fh) . "\n";
    return sub {
        my $block = $head;
        $head = '';
        return $block if length $block;
        return read($fh, $block, BLOCK) ? $block : undef;
    };
}

# ---- F-Prot's daemon --------------------------------------------------------------

sub scan_with_fprotd ($row, $target, $address = undef, @) {
    $CurrentVirusScannerMessage = '';
    my $where = _address($row, $address);
    return _each_file($target, sub ($file) { _fprotd($where, $file) });
}

sub _fprotd ($where, $file) {
    my ($host, $base) = $where =~ /^(.+):(\d+)\z/
        or return cannot("fprotd: '$where' is not host:port");
    my $path = $file =~ s{([^\w./-])}{sprintf '%%%02X', ord $1}ger;
    my $get  = "GET $path?-dumb%20-archive%20-packed%20-remote-dtd HTTP/1.0\r\n"
        . "\r\n";
    my $end = time + time_limit();
    require Mail::MIMEDefang::Peer;
    for my $port ($base .. $base + PORTS - 1) {
        my ($reply, $error) = Mail::MIMEDefang::Peer::peer_talk(
            address   => "$host:$port",
            send      => $get,
            timeout_s => $end - time
        );
        next if $error ne '';
        my ($head, $body) = split /\r?\n\r?\n/, $reply, 2;
        next if ($head // '') !~ m{^HTTP/1\.\d 200\b};
        next if $head         !~ /^Server:.*fprotd/im;
        return _fprotd_result($body // '');
    }
    return cannot("fprotd: none at $where");
}

sub _fprotd_result ($xml) {
    return swerr('fprotd: an answer that is not its own')
        if $xml !~ /<fprot-results\b[^>]*\bversion\s*=\s*["']1\.0["']/;
    my ($code) = $xml =~ /<summary\b[^>]*\bcode\s*=\s*["'](\d+)["']/
        or return swerr('fprotd: an answer without summary');
    my %text;
    for my $element (qw(name message error)) {
        $text{$element} = join ' ',
            map { _text($_) } $xml =~ m{<$element\b[^>]*>(.*?)</$element\s*>}gs;
    }
    if ($code > 10) {
        my ($name) = grep {length} @text{qw(name message)}, 'unknown';
        note("$name\n");
        return (1, 'virus', found($name));
    }
    return (0, 'ok') if $code =~ /^[3479]\z/;
    my $why = "fprotd: code $code $text{error}";
    return $code < 3 || $code == 5 ? cannot($why) : swerr($why);
}

sub _text ($xml) {
    my %char = (amp => '&', lt => '<', gt => '>', quot => '"', apos => q{'});
    return $xml =~ s/&(amp|lt|gt|quot|apos);/$char{$1}/gr;
}

# ---- F-Prot's daemon, version 6 -------------------------------------------------

sub scan_with_fprotd_v6 ($row, $target, $address = undef, @) {
    $CurrentVirusScannerMessage = '';
    my $where = _address($row, $address);
    return _each_file($target, sub ($file) { _fprotd_v6($where, $file) });
}

sub _fprotd_v6 ($where, $file) {
    my $command = 'SCAN --scanlevel=2 --archive=2 --heurlevel=2 --adware'
        . " --applications FILE $file\n";
    my ($reply, @failed) = ask('F-Prot 6', $where, $command, until => qr/\n/);
    return cannot('F-Prot 6 does not answer') if @failed;
    my ($code, $text) = $reply =~ /^(\d{1,9}) <(.*?)>/
        or return cannot("F-Prot 6 answers $reply");
    return (0, 'ok') if !($code & (1 | 2 | 4 | 16 | 32 | 128));
    note($reply);
    if ($code & (1 | 2 | 128)) {
        $text =~ s/^(?:infected|contains infected objects): //;
        return ($code, 'virus',
            length $text ? found($text) : 'unknown-FPROTD6-virus');
    }
    return ($code, 'interrupted') if $code & 4;
    return swerr("F-Prot 6: $reply");
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Antivirus::Daemons - Sophie, Trophie, CarrierScan, F-Prot

=head1 FUNCTIONS

=head2 scan_with_sophie(ROW, TARGET [, ADDRESS]), scan_with_carrier_scan(...), scan_with_fprotd(...), scan_with_fprotd_v6(...)

Scan a file, or the files of a message one by one. ADDRESS: default the variable
that the row names. Return (code, category, name of the virus).

=cut
