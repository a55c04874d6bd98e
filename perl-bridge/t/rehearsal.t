#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The scan that the zygote makes before it forks: through all of the code, and
# without a trace.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp ();
use Test::More;
use Mail::MIMEDefang;
use Mail::MIMEDefang::Actions;
use Mail::MIMEDefang::Rehearsal qw(rehearse);
use Mail::MIMEDefang::Scan      qw(load_mime_tools);

my $tmp = File::Temp->newdir;
my ($asked, $wrote) = (0, 0);
sub filter_begin         { $asked++; return }
sub filter               { $asked++; return }
sub filter_create_parser { $asked++; return }

{
    no warnings 'redefine';
    load_mime_tools();
    my $real = \&Mail::MIMEDefang::Output::write_body;
    *Mail::MIMEDefang::Output::write_body = sub { $wrote++; $real->(@_) };
}

$Features{'Path:SPOOLDIR'} = "$tmp";
init_globals();
($ServerMode, $DoStatusTags) = (1, 1);
open my $stdout, '>&', \*STDOUT      or die;
open STDOUT,     '>',  "$tmp/stdout" or die;
my $done = eval {
    local $ENV{TMPDIR} = "$tmp";
    rehearse();
    1;
};
open STDOUT, '>&', $stdout or die;

ok($done, 'it ends well') or diag $@;
is($asked,           0, 'the filter is not called');
is($wrote,           1, 'a body is written');
is(-s "$tmp/stdout", 0, 'nothing is answered');
is_deeply([ glob "$tmp/rehearsal*" ],     [],       'its directory is gone');
is_deeply([ $ServerMode, $DoStatusTags ], [ 1, 1 ], 'the modes are kept');
is_deeply(
    [ $Sender, $Rebuild, $CWD,   scalar @Recipients ],
    [ '',      0,        "$tmp", 0 ],
    'no message is left'
);
chdir '/';
done_testing;
