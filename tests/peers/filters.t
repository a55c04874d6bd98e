#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# `milter-check send` and `load` with the filters of Debian's packages: each is
# led as Postfix and as Sendmail would, and does what it is for.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../system/lib", "$FindBin::Bin/lib";
use FilterPeers qw(filter_peers);
use Harness     qw(program need_programs temp_dir write_file run_program);
use JSON::PP;
use Test::More;

need_programs('milter-check');
my $check = program('milter-check');
my $eml   = temp_dir() . '/message.eml';
write_file($eml, "From: a\@example.net\nSubject: hello\n\nHello\nworld\n");

# What `send --diff` has to show; undef: that nothing is changed.
my %want = (
    'opendkim'       => qr/^\+DKIM-Signature: v=1;.*d=example\.net;$/m,
    'spamass-milter' => qr/^\+X-Spam-Checker-Version: SpamAssassin /m,
    'clamav-milter'  => qr/^\+X-Virus-Status: Clean$/m,
    'python3-milter' => qr/^\+Subject: changed by .*^\+The body was replaced/ms,
    'rspamd'         => undef,
    'libmilter'      => qr/^\+X-Null: 1$/m,
    'mimedefang'     => qr/^\+X-Peer: seen$/m,
);

sub try_it ($peer, $mta) {
    my ($status, $out, $err)
        = run_program(120, $check, 'send', '--diff',
        "--mta=$mta", $peer->address, $eml);
    is $status, 0, "send as $mta: exit status" or diag $err;
    like $err, qr/^verdict: accepted, at EOM$/m, "send as $mta: verdict";
    my $want = $want{ $peer->name };
    $want ? like($out, $want, "send as $mta: change") : is $out, '',
        "send as $mta: no change";
    ($status, $out, $err)
        = run_program(120, $check, 'load', '--json',
        "--mta=$mta", $peer->address, qw(-c 4 -n 20 -m 5));
    is $status, 0, "load as $mta: exit status" or diag "$out$err";
    is decode_json($out)->{verdicts}{accept}, 20, "load as $mta: accepted";
    return;
}

for my $name (filter_peers()) {
    subtest $name => sub {
        my $why = FilterPeers->why_not($name);
        plan skip_all => $why =~ s/\s+/ /gr if $why;
        my $peer = FilterPeers->start($name);
        note $peer->name, ' ', $peer->version, ', ', $peer->about;
        try_it($peer, $_) for qw(postfix sendmail);
        ok $peer->is_serving, 'still serves';
        $peer->stop;
    };
}

done_testing;
