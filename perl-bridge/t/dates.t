# SPDX-License-Identifier: MIT
# Dates, identifiers and the Received field, at a time that stands still.

use v5.36;
use FindBin;
my $now;

BEGIN {
    *CORE::GLOBAL::time = sub : prototype() { $now // CORE::time() }
}
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge qw(start);
use Mail::MIMEDefang;
use Mail::MIMEDefang::RFC2822
    qw(:DEFAULT gen_msgid_header header_timezone rfc2822_date);
use Mail::MIMEDefang::Utils qw(:DEFAULT gen_mx_id get_host_name);
use POSIX                   qw(tzset);
use Test::More;

sub at ($zone, $epoch) {
    $now = $epoch;
    $ENV{TZ} = $zone;
    tzset();
    return;
}
init_globals();
$PrivateMyHostName = 'mx.example.com';

subtest 'header_timezone, rfc2822_date, time_str, hour_str' => sub {
    for (
        [ 'UTC0',     1_795_346_945, '+0000', 'Sun, 22 Nov 2026 11:29:05' ],
        [ 'XXX-5:30', 1_795_346_945, '+0530', 'Sun, 22 Nov 2026 16:59:05' ],
        [ 'XXX3:30',  1_795_346_945, '-0330', 'Sun, 22 Nov 2026 07:59:05' ],
        [ 'XXX0:45',  1_795_346_945, '-0045', 'Sun, 22 Nov 2026 10:44:05' ],
        [ 'XXX-13',   1_795_346_945, '+1300', 'Mon, 23 Nov 2026 00:29:05' ],
        [ 'XXX-14',   1_798_718_400, '+1400', 'Fri, 01 Jan 2027 02:00:00' ],
        [ 'XXX12',    1_798_761_600, '-1200', 'Thu, 31 Dec 2026 12:00:00' ],
        [ 'UTC0',     951_782_400,   '+0000', 'Tue, 29 Feb 2000 00:00:00' ],
        )
    {
        my ($tz, $epoch, $zone, $date) = @{$_};
        at($tz, $epoch);
        is(header_timezone($epoch),     $zone,         "$tz: $zone");
        is(header_timezone('', $epoch), $zone,         'the other form');
        is(rfc2822_date(),              "$date $zone", $date);
        is(rfc2822_date(''),            "$date $zone", 'the other form');
    }
    is(header_timezone('+0100', 0), '+0100', 'a zone that is given');
    is(
        rfc2822_date('+0100'),
        'Tue, 29 Feb 2000 00:00:00 +0100',
        'and in a date'
    );
    $CachedTimezone = '-0123';
    is(header_timezone(0), '-0123', '$CachedTimezone');
    is(rfc2822_date(),     'Tue, 29 Feb 2000 00:00:00 -0123', 'and in a date');
    $CachedTimezone = '';
    at('XXX-1', 1_795_346_945);
    is(time_str(), '2026-11-22-12.29.05', 'time_str');
    is(hour_str(), '2026-11-22-12',       'hour_str');
};

subtest 'gen_msgid_header, gen_date_msgid_headers' => sub {
    at('UTC0', 1_795_346_945);
    $QueueID = 'Q1';
    is(
        gen_msgid_header(),
        "Message-ID: <202611221129.Q1\@mx.example.com>\n",
        'of this message'
    );
    is(
        gen_msgid_header('Q2', 'h'),
        "Message-ID: <202611221129.Q2\@h>\n",
        'of another one'
    );
    my $number = qr/^Message-ID: <202611221129\.[\d.]+\@h>\n\z/;
    like(gen_msgid_header('NOQUEUE', 'h'), $number, 'NOQUEUE');
    like(gen_msgid_header('',        'h'), $number, 'empty');
    my %seen = map { gen_msgid_header('NOQUEUE') => 1 } 1 .. 100;
    is(keys %seen, 100, 'never twice');
    is(
        gen_date_msgid_headers("Message-ID: <x>\n"),
        "Date: Sun, 22 Nov 2026 11:29:05 +0000\nMessage-ID: <x>\n",
        'gen_date_msgid_headers'
    );
    is(
        gen_date_msgid_headers(),
        "Date: Sun, 22 Nov 2026 11:29:05 +0000\n"
            . "Message-ID: <202611221129.Q1\@mx.example.com>\n",
        'with an identifier of its own'
    );
};

subtest 'get_host_name' => sub {
    is(get_host_name(),         'mx.example.com', '$PrivateMyHostName');
    is(get_host_name('cached'), 'cached',         'the other form');
    $PrivateMyHostName = undef;
    my $name = get_host_name();
    like($name, qr/^[\w.-]+$/a, 'of this host');
    no warnings 'redefine';
    local *Sys::Hostname::hostname = sub { die 'looked up again' };
    is(get_host_name(), $name, 'is looked up once');
    $PrivateMyHostName = 'mx.example.com';
};

subtest 'gen_mx_id' => sub {
    at('UTC0', 1_795_346_945);
    my @ids  = map { gen_mx_id() } 1 .. 200;
    my %seen = map { $_ => 1 } @ids;
    is(keys %seen,                        200, 'never twice');
    is((grep {/^[0-9a-zA-X]{7}\z/} @ids), 200, 'seven characters');
    is(substr($ids[0], 0, 5), 'ivLt5',         'of which five are the time');
};

subtest 'synthesize_received_header' => sub {
    at('UTC0', 1_795_346_945);
    my $is = sub ($name, $want) {
        is(synthesize_received_header(),
            $want . "; Sun, 22 Nov 2026 11:29:05 +0000\n", $name);
    };
    ($Helo, $RealRelayHostname, $RealRelayAddr, $Sender, $MsgID)
        = ('helo', 'host.example.com', '192.0.2.1', '<a@example.com>', 'Q1');
    @Recipients = ('<b@example.net>');
    $is->(
        'one recipient',
        "Received: from helo (host.example.com [192.0.2.1])\n"
            . "\tby mx.example.com (envelope-sender <a\@example.com>)"
            . " (MIMEDefang) with ESMTP id Q1\n\tfor <b\@example.net>"
    );
    push @Recipients, '<c@example.net>';
    for (
        [ { tls_version => 'TLSv1.3' },                    'ESMTPS' ],
        [ { auth_authen => 'me' },                         'ESMTPA' ],
        [ { auth_authen => 'me', tls_version => 'TLSv1' }, 'ESMTPSA' ],
        [ { auth_authen => '', tls_version => '' },        'ESMTP' ],
        )
    {
        my ($macros, $with) = @{$_};
        %SendmailMacros = (%{$macros}, if_name => 'in.example.com');
        $is->(
            "$with, two recipients, if_name",
            "Received: from helo (host.example.com [192.0.2.1])\n"
                . "\tby in.example.com (envelope-sender <a\@example.com>)"
                . " (MIMEDefang) with $with id Q1"
        );
    }
    %SendmailMacros = ();
    my $by = "\n\tby mx.example.com (envelope-sender <a\@example.com>)"
        . ' (MIMEDefang) with ESMTP id Q1';
    $RealRelayHostname = '[192.0.2.1]';
    $is->('a name that is none', "Received: from helo ([192.0.2.1])$by");
    ($RealRelayHostname, $RealRelayAddr) = ('', 'nonsense');
    $is->('no name', "Received: from helo ([nonsense])$by");
    $Helo = "a\nb";
    $is->('one line', "Received: from a b ([nonsense])$by");
    ($RealRelayHostname, $RealRelayAddr) = ('', '127.0.0.1');
    like(
        synthesize_received_header(),
        qr/^Received: from a b \((?:[\w.-]+ )?\[127\.0\.0\.1\]\)\n/a,
        'the name is looked up'
    );
};

subtest 'in a filter' => sub {
    my $w = start(<<'END');
sub filter_unknown_cmd {
    return ('ok', length rfc2822_date(), length header_timezone(time),
        length Mail::MIMEDefang::RFC2822::rfc2822_date('+0000'),
        gen_msgid_header() =~ /^Message-ID: </ ? 1 : 0,
        gen_date_msgid_headers() =~ /^Date: .*\nMessage-ID: </ ? 1 : 0,
        synthesize_received_header() =~ /^Received: from  \(\[\]\)/ ? 1 : 0,
        length Mail::MIMEDefang::Utils::gen_mx_id(), time_str() ? 1 : 0);
}
END
    is($w->ask('X'), 'ok 31 5 31 1 1 1 7 1', 'all are there');
};

done_testing;
