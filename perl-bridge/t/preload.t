# SPDX-License-Identifier: MIT
# What a process that forks workers loads for them beforehand.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Mail::MIMEDefang::Authres;
use Mail::MIMEDefang::DKIM;
use Mail::MIMEDefang::Lazy ();
use Mail::MIMEDefang::TLSPolicy;
use Test::More;

my @modules = qw(Net::DNS Mail::DKIM::Signer Mail::DKIM::Verifier Mail::SPF
    IO::Socket::SSL);
my $loaded = sub {
    return grep { exists $INC{ s{::}{/}gr . '.pm' } } @modules;
};

is_deeply([ $loaded->() ], [], 'nothing until it is needed');
{
    no warnings 'once';
    *Mail::MIMEDefang::BIMI::preload = sub { die "no\n" };
}
Mail::MIMEDefang::Lazy::preload();
is_deeply([ $loaded->() ], \@modules, 'all that the loaded ones need');
done_testing();
