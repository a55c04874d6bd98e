# SPDX-License-Identifier: MIT
# The network and authentication functions where no optional module is installed:
# each loads, returns what it promises, and the log names the package.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";

BEGIN {
    unshift @INC, sub ($, $file) {
        die "Can't locate $file in \@INC\n"
            if $file =~ m{^(?:Net/DNS|Mail/DKIM|Mail/SPF|Mail/BIMI|IO/Socket/SSL
                |Net/SSLeay|LWP|AnyEvent|Crypt)\b}x;
        return;
    };
}
use Bridge qw(put spool with_log);
use Mail::MIMEDefang::Async;
use Mail::MIMEDefang::Authres;
use Mail::MIMEDefang::BIMI;
use Mail::MIMEDefang::DKIM qw(:DEFAULT md_dkim_sign_rebuilt);
use Mail::MIMEDefang::DKIM::ARC;
use Mail::MIMEDefang::DMARC;
use Mail::MIMEDefang::Loop qw(run_jobs);
use Mail::MIMEDefang::Loop::Talk;
use Mail::MIMEDefang::Net qw(:DEFAULT get_ptr_record md_init);
use Mail::MIMEDefang::SPF;
use Mail::MIMEDefang::TLSPolicy;
use Test::More;

my $dir = spool();
chdir $dir or die;
put('INPUTMSG', "From: a\@d.test\nDKIM-Signature: x\nARC-Seal: i=1\n\nbody\n");
put('key',      "key\n");
md_async_init();

my ($log) = with_log(sub { relay_is_blacklisted('192.0.2.1', 'bl.test') });
is(
    $log,
    'err: Net::DNS is missing (package libnet-dns-perl): no function that asks'
        . " the DNS works\nwarning: Cannot ask 1.2.0.192.bl.test:"
        . " Net::DNS is missing\n",
    'the DNS'
);

my %package = (
    DKIM =>
        qr/^err: \w+: Mail::DKIM::\S+ is missing \(package libmail-dkim-perl\)$/m,
    SPF => qr/^err: \w+: Mail::SPF is missing \(package libmail-spf-perl\)$/m,
);
my $no_spf   = 'Mail::SPF is missing';
my $no_dmarc = '_dmarc.d.test: Net::DNS is missing';
my @cases    = (
    [ relay_is_blacklisted => [ '192.0.2.1', 'bl.test' ], [0] ],
    [ email_is_blacklisted => [ 'a@b', 'bl.test', 'MD5' ], [0] ],
    [
        relay_is_blacklisted_multi => [ '192.0.2.1', 1, 0, ['bl.test'] ],
        [ { 'bl.test' => 'SERVFAIL' } ]
    ],
    [
        relay_is_blacklisted_multi_list => [ '192.0.2.1', 1, 0, ['bl.test'] ],
        []
    ],
    [ get_mx_ip_addresses   => ['d.test'],                         [] ],
    [ md_get_bogus_mx_hosts => ['d.test'],                         [] ],
    [ get_ptr_record        => ['192.0.2.1'],                      [] ],
    [ md_get_dmarc_record   => ['d.test'],                         [] ],
    [ md_dns_txt            => [ undef, 'd.test' ],                [] ],
    [ md_init               => [],                                 [0] ],
    [ md_dkim_sign          => ['key'],                            [], 'DKIM' ],
    [ md_dkim_sign_rebuilt  => ['key'],                            [], 'DKIM' ],
    [ md_arc_sign           => [ 'key', undef, 'none', 'd.test' ], [], 'DKIM' ],
    [
        md_spf_verify => [ 'a@d.test', '192.0.2.1' ],
        [ 'temperror', $no_spf, undef, undef, undef, undef ], 'SPF'
    ],
    [
        md_async_spf_verify => [ 'a@d.test', '192.0.2.1' ],
        [ 'temperror', $no_spf, undef, undef, undef, undef ], 'SPF'
    ],
    [ md_dmarc_verify => [], [ 'temperror', undef, undef ] ],
    [
        md_authres => [ 'a@d.test', '192.0.2.1', 'mx' ],
        [
                  "mx (MIMEDefang);\n\tdkim=temperror;\n"
                . "\tspf=temperror ($no_spf) smtp.mailfrom=a\@d.test;\n"
                . "\tdmarc=temperror ($no_dmarc) header.from=d.test;"
        ],
        'SPF'
    ],
    [ md_bimi_lookup     => ['d.test'],                     [] ],
    [ md_bimi_verify     => [ 'd.test', 'pass', 'reject' ], ['fail'] ],
    [ md_check_mta_sts   => ['d.test'],                     [] ],
    [ md_check_dane_tlsa => [ 'mx.d.test', 25 ],            [] ],
    [
        md_async_run_checks => [ [ md_async_check_rdns(ip => '192.0.2.1') ] ],
        [
            {
                results => { 'rdns_192.0.2.1' => undef },
                errors  => { 'rdns_192.0.2.1' => 'Net::DNS is missing' }
            }
        ]
    ],
    [ md_async_relay_is_blacklisted => [ '192.0.2.1', 'bl.test' ], [] ],
);

for my $case (@cases) {
    my ($name, $args, $want, $kind) = @{$case};
    my ($text, @result)
        = with_log(sub { main->can($name)->(@{$args}) });
    is_deeply(\@result, $want, $name);
    like($text, $package{$kind}, 'names the package') if $kind;
}

subtest 'md_dkim_verify' => sub {
    put('INPUTMSG', "From: a\@d.test\n\nanother\n");
    my ($text, @result) = with_log(sub { md_dkim_verify() });
    is_deeply(\@result, [ 'temperror', undef, 0, undef ], 'list');
    like($text, $package{DKIM}, 'names the package');
    is(scalar md_dkim_verify(), undef, 'scalar');
};

subtest 'TLS' => sub {
    require IO::Socket::INET;
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
    my $job    = Mail::MIMEDefang::Loop::Talk->new(
        address   => '127.0.0.1:' . $listen->sockport,
        tls       => {},
        timeout_s => 20
    );
    run_jobs([$job]);
    is(
        $job->error,
        'IO::Socket::SSL is missing (package libio-socket-ssl-perl)',
        'names the package'
    );
};

chdir '/';
done_testing();
