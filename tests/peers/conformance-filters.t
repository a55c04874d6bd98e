#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# milter-check filter against our own filters and other people's.  What each of
# the others was seen to do otherwise than required is listed here: it is found
# again, and nothing else is.  The reports are left for `make matrix`.
use v5.36;
use FindBin;
use lib map {"$FindBin::Bin/$_"}
    qw(lib ../mta/lib ../system/lib ../conformance/lib);
use Check       qw(check_filter start_null_filter);
use Conformance qw(failed_cases keep_report);
use Daemon      ();
use FilterPeers qw(filter_peers);
use Harness     qw(need_programs program stop_process temp_dir);
use Test::More;
use Time::HiRes qw(time);

need_programs('milter-check');

# What filters on that library do that want all steps.
my @libmilter = qw(body-empty body-without-mail connect-before-offer
    connect-twice data-without-mail eoh-twice eom-before-connect
    eom-behind-header eom-without-mail header-behind-eoh header-without-mail
    length-2-gib length-4-gib length-zero length-zero-in-message
    mail-before-offer mail-parameter-cut offer-twice rcpt-behind-eoh
    rcpt-without-mail);

# Name => version, with which its list was made, and cases.
my %known = (
    'libmilter' => [
        '8.17', @libmilter,
        qw(data-twice helo-without-nul next-client rcpt-behind-data
            unknown-without-nul)
    ],
    'mimedefang (Debian)' => [
        '3.3', @libmilter,
        qw(data-twice helo-without-nul newer-bits next-client
            rcpt-behind-data unknown-without-nul)
    ],
    'clamav-milter' => [
        '1.4', qw(next-client),
        grep { !/eoh/ && $_ ne 'eom-behind-header' } @libmilter
    ],
    'opendkim' => [
        '2.11', @libmilter,
        qw(header-leading-blank next-client survives-input)
    ],
    'python3-milter' => [
        '1.0.5',
        qw(newer-bits unknown-anywhere unknown-without-nul),
        grep { !/connect-twice|eom-before-connect/ } @libmilter
    ],
    'spamass-milter' => [ '0.4', @libmilter, qw(helo-without-nul next-client) ],
    'rspamd'         => [
        '3.4',
        qw(body-without-mail closes-behind-quit connect-before-offer
            connect-ipv4-as-ipv6 connect-port-cut connect-twice
            connect-without-family control-octet-as-command
            data-without-mail eoh-twice eom-before-connect eom-without-mail
            header-behind-eoh header-of-one-string header-without-mail
            header-without-name helo-empty helo-without-nul
            high-octet-as-command length-1-mib-header length-2-gib
            length-4-gib length-4-gib-first length-over-the-limit
            length-zero length-zero-in-message macros-cut
            macros-of-no-stage macros-without-value mail-before-offer
            mail-empty mail-parameter-cut mail-without-nul newer-bits
            offer-twice offer-with-more quit-anywhere rcpt-behind-eoh
            rcpt-empty rcpt-without-mail rcpt-without-nul reply-as-command
            survives-input unknown-command unknown-command-in-message
            unknown-without-nul)
    ],
);

# Like a FilterPeers, of ours.
sub null_filter {
    my $socket = 'unix:' . temp_dir() . '/null.sock';
    return (start_null_filter($socket), $socket);
}

sub mimedefang {
    my $daemon = Daemon->start(
        options => [qw(-r -H -s -t)],
        filter  => 'sub filter_end { action_add_header("X-Ours", "seen") }'
    );
    return ($daemon, $daemon->{address});
}

# The report on one filter is kept, and as it was before.
sub judge ($name, $version, $socket, $stop) {
    my $started = time;
    my $report  = check_filter($socket);
    diag sprintf '%s %s: %d cases in %.1f s', $name, $version,
        scalar @{ $report->{cases} }, time - $started;
    $stop->();
    cmp_ok scalar @{ $report->{cases} }, '>=', 600, "$name: all cases were run";
    delete @$report{qw(status text)};
    keep_report($name, $version, {%$report});

    my ($seen, @cases) = @{ $known{$name} // [$version] };
SKIP: {
        skip "nobody has looked at $name $version yet", 1
            if index($version, $seen) != 0;
        is join("\n", failed_cases($report)), join("\n", sort @cases),
            "$name $version: what was found before, and nothing else";
    }
    return;
}

my ($ours) = qx(@{[ program('milter-check') ]} --version) =~ /([\d.]+)$/;
my ($null, $null_socket) = null_filter();
judge('null-filter (ours)', $ours, $null_socket, sub { stop_process($null) });
my ($daemon, $daemon_socket) = mimedefang();
judge('mimedefang (ours)', $ours, $daemon_socket, sub { $daemon->stop });
for my $peer (filter_peers()) {
SKIP: {
        my $why_not = FilterPeers->why_not($peer);
        skip "$peer: $why_not", 2 if $why_not;
        my $filter = FilterPeers->start($peer, watched => 1);
        judge($peer eq 'mimedefang' ? 'mimedefang (Debian)' : $peer,
            $filter->version, $filter->address, sub { $filter->stop });
    }
}
done_testing;
