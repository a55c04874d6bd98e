#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Our packages: what lintian says of them, and a host that never had mimedefang.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use Test::More;
use Harness   qw(read_file run_program top);
use Host      ();
use Installed qw(tool);

my @debs = grep { !/-dbgsym_/ } glob top() . '/build/deb/*.deb';
plan skip_all => 'no packages: make deb' if !@debs;
is_deeply [ map {m{.*/(.*?)_}} @debs ],
    [qw(libmilterproto-dev libmilterproto0 milter-check sallyport)],
    'these are built';

SKIP: {
    my $lintian = tool('lintian');
    skip 'there is no lintian', 1 if !$lintian;
    my ($status, $out, $errors)
        = run_program(600,
        $lintian, '--allow-root', '--fail-on', 'error,warning',
        glob top() . '/build/deb/*.changes');
    is "$status $out", '0 ', 'lintian has nothing to say' or diag $errors;
}

my $FILTER = '/etc/mail/mimedefang-filter';
my $host   = Host->new;
$host->apt('update');
$host->copy_in($_, '/root') for @debs, "$FindBin::Bin/send-message";
$host->copy_in($_, '/root/lib') for glob top() . '/tests/system/lib/*.pm';
my $said = $host->apt('install', map {s{.*/}{/root/}r} @debs);
unlike $said, qr/Do not purge/, 'no word of another package';
is $host->read($FILTER), read_file(top() . '/docs/examples/mimedefang-filter'),
    'the filter is the sample';
is $host->read('/etc/default/mimedefang'),
    read_file(top() . '/service/mimedefang.conf'), 'so are the settings';
like $host->read('/etc/passwd'),
    qr{^defang:x:\d+:\d+:.*:/var/spool/MIMEDefang:/usr/sbin/nologin$}m,
    'the user is there';
my ($status, $out, $errors) = $host->run('/root/send-message', 'units');
is $status, 0, 'a message passes' or diag $errors;
like $out, qr/^add_header X-Scanned-By MIMEDefang /m, 'filtered';

($status, $out) = $host->run('ldconfig', '-p');
like $out, qr/^\s*libmilterproto\.so\.0 /m, 'the library is found';
($status, $out) = $host->run('milter-check', '--help');
like $out, qr/^Usage: milter-check/m, 'milter-check runs';
my ($pc) = glob $host->path('/usr/lib/*/pkgconfig/milterproto.pc');
like read_file($pc), qr{^libdir=\$\{prefix\}/lib/[\w-]+-linux-gnu\w*$}m,
    'for the linker, too';

$host->apt(qw(purge sallyport));
ok !-e $host->path($_), "purge: $_ is gone"
    for $FILTER, qw(/etc/mail /etc/default/mimedefang /var/spool/MIMEDefang
    /var/log/mimedefang /var/lib/sallyport);
done_testing;
