#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Debian's worker and ours without a message: what they answer to each command
# and each return value of a callback, and what -test, -features, -validate and
# wrong arguments give.  Where we differ is said at the case.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use Test::More;
use Harness qw(read_file run_program stage_worker temp_dir write_file);
use Peers   qw(need_peers peer_env peer_host peer_program);
use Scanner ();

need_peers();
my $host   = peer_host();
my $filter = read_file("$FindBin::Bin/worker-filter");
my %worker = map { $_ => Scanner->start($_, $host, $filter) } qw(theirs ours);
my $dir    = temp_dir();

# Both are asked; what they say is the same, or, if it is given, ours is this.
sub same ($line, $ours = undef) {
    my ($their_answer, $our_answer)
        = map { $worker{$_}->ask($line) } qw(theirs ours);
    is $our_answer,   $ours // $their_answer, $line;
    isnt $our_answer, $their_answer, "$line: a deviation" if defined $ours;
    return;
}

# The names of return values in the filter.
my (undef, @returns) = split ' ', $worker{ours}->ask('Names');

subtest 'answers' => sub {
    for my $name (@returns) {
        same("relayok 192.0.2.1 $name 1 192.0.2.2 25 Q1");
        same("helook 192.0.2.1 $name helo 1 192.0.2.2 25 Q1");
        same("senderok <a\@x> 192.0.2.1 $name helo $dir Q1 SIZE=1");
        same(
            "recipok <b\@x> <a\@x> 192.0.2.1 $name <b\@x> helo $dir Q1 esmtp x y"
        );
    }
};

subtest 'maps' => sub {
    same("map m $_") for qw(ok notfound temp timeout perm odd 8bit empty);
    same('map echo a%20b%25%C3%A4');
};

subtest 'other commands' => sub {
    same($_)
        for 'ping', 'PING', 'tick 0', 'tick 3', 'tick', 'Echo a b%20c',
        'echo', 'fails', 'Fails', 'other', 'own 1 2', 'Own a%20b';
    same('');
    same('Shout', 'ok Shout');    # the filter hears what was typed
};

my %none = map { $_ => Scanner->start($_, $host, '') } qw(theirs ours);
subtest 'without callbacks' => sub {
    local @worker{qw(theirs ours)} = @none{qw(theirs ours)};
    same($_)
        for 'relayok 192.0.2.1 n 1 192.0.2.2 25 Q1',
        'helook 192.0.2.1 n helo 1 192.0.2.2 25 Q1',
        "senderok <a\@x> 192.0.2.1 n helo $dir Q1",
        "recipok <b\@x> <a\@x> 192.0.2.1 n <b\@x> helo $dir Q1 esmtp x y",
        'map m k', 'tick 2', 'other 1 2', '';
};
is $_->stop, 0, 'ends in peace' for values %worker, values %none;

# ---- modes -----------------------------------------------------------------------

# (status, stdout, stderr) of both programs.
sub both (@args) {
    local %ENV = (%ENV, peer_env(), MIMEDEFANG_LOG => 'stderr');
    return map {
        my ($status, $out, $err)
            = run_program(30, $host->wrap($^X, $_, @args));
        { status => $status, out => $out, err => $err }
    } peer_program('mimedefang.pl'), stage_worker();
}

my $file = write_filter('filter', $filter);

sub write_filter ($name, $text) {
    write_file("$dir/$name", $text);
    return "$dir/$name";
}

subtest '-test' => sub {
    my ($theirs, $ours) = both('-f', $file, '-test');
    is $ours->{status}, $theirs->{status}, 'status';
    like $_->{out}, qr/\AFilter \Q$file\E seems syntactically correct\.\n\z/,
        'says so'
        for $theirs, $ours;
    ($theirs, $ours)
        = both('-f', write_filter('broken', "sub filter {\n"), '-test');
    is $ours->{status}, $theirs->{status}, 'a filter that does not compile';
    like $_->{err}, qr/Missing right curly/, 'Perl says why' for $theirs, $ours;
    ($theirs, $ours) = both('-f', write_filter('false', "0;\n"), '-test');
    is $ours->{status}, $theirs->{status}, 'a filter that is not true';
    like $_->{err}, qr/did not return a true value/, 'Perl says so'
        for $theirs, $ours;
    ($theirs, $ours) = both('-f', "$dir/missing", '-test');
    is $ours->{status}, $theirs->{status}, 'no filter';
};

subtest '-validate' => sub {
    my ($theirs, $ours) = both('-f', $file, '-validate');
    is_deeply [ @{$ours}{qw(status out)} ], [ @{$theirs}{qw(status out)} ],
        'returns what the filter says';
    ($theirs, $ours) = both('-f', write_filter('empty', "1;\n"), '-validate');
    is $ours->{status}, $theirs->{status}, 'without filter_validate';
    like $_->{err}, qr/^ERROR: /m, 'says so' for $theirs, $ours;
};

subtest '-features' => sub {
    my ($theirs, $ours)
        = both('-f', write_filter('features', <<'END'), '-features');
$Features{'Virus:NAI'} = '/some/uvscan';
$Features{'Virus:FPROT'} = 0;
1;
END
    is $ours->{status}, $theirs->{status}, 'status';
    my $line = qr/^\S.{28} *: (?:yes(?: \(.*\))?|no|missing|Version \S+)$/;
    for ($theirs, $ours) {
        my ($first, $second, @lines) = split /\n/, $_->{out};
        like $first, qr/\AMIMEDefang version \S+\z/, 'first line';
        is $second, '', 'empty';
        is_deeply [ grep { length && !/$line/ } @lines ], [], 'layout';
        is scalar(grep { !length } @lines), 1, 'one more empty line';
        ok(
            (
                grep {
                    $_ eq 'Virus:NAI                     : yes (/some/uvscan)'
                } @lines
            ),
            'a path'
        );
        ok((grep { $_ eq 'Virus:FPROT                   : no' } @lines),
            'none');
    }
    my @modules
        = map { [ $_->{out} =~ /^(\S+) *: (?:Version|missing)/mg ] } $theirs,
        $ours;
    is_deeply $modules[1], $modules[0], 'modules';
};

subtest 'wrong arguments' => sub {
    for ([], [qw(a b)], [qw(-f x)], [qw(a b c d)]) {
        my ($theirs, $ours) = both(@$_);
        is $ours->{status}, $theirs->{status}, "status of '@$_'";
        like $ours->{err}, qr/^Usage: /m, 'usage';
    }
};
$host->stop;
done_testing;
