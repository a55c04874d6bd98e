#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# libmilterproto as others get it: an installed copy, found by pkg-config, with
# which our examples and a C++ program are built, shared and static, and run.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Harness qw(read_file run_program start_process stop_process temp_dir
    wait_for write_file);
use Installed    qw(install_tree tool);
use MilterClient ();

my %path    = map  { ($_ => tool($_)) } qw(pkg-config cc g++ nm readelf);
my @missing = grep { !$path{$_} } sort keys %path;
plan skip_all => "not installed: @missing" if @missing;

sub output (@command) {
    my ($status, $out, $errors) = run_program(120, @command);
    die "@command: status $status\n$out$errors\n" if $status;
    return $out;
}

# ---- installing ----------------------------------------------------------

my $root = install_tree();
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MODE PKG_CONFIG_PATH)};

my ($version)
    = read_file("$root/usr/lib/pkgconfig/milterproto.pc")
    =~ /^Version: (\d+\.\d+\.\d+)$/m;
ok $version, 'milterproto.pc has a version';
my $lib = "$root/usr/lib/libmilterproto.so";
is readlink $lib,     'libmilterproto.so.0',        'link for the linker';
is readlink "$lib.0", "libmilterproto.so.$version", 'link for programs';
like output('readelf', '-d', $lib), qr/SONAME.*\[libmilterproto\.so\.0\]/,
    'soname';

ok -s "$root/usr/share/$_", "there is $_"
    for qw(man/man3/milterproto.3 man/man8/mimedefang-test-mail.8
    doc/sallyport/examples/milter.lua);
write_file(temp_dir() . '/mail', "Subject: x\n\nx\n");
like output("$root/usr/bin/mimedefang-test-mail",
    '-f', '/dev/null', temp_dir() . '/mail'),
    qr/^Verdict: accepted$/m, 'a filter can be tried';
like output("$root/usr/bin/$_", '--help'), qr/^Usage: $_ /, "$_ runs"
    for qw(mimedefang-util mimedefang-release);

my @headers = map {s{.*/}{}r} glob "$root/usr/include/milterproto*.h";
my %public;
for my $header (@headers) {
    my $text = read_file("$root/usr/include/$header");
    $text =~ s{/\*.*?\*/}{}gs;
    $public{$_} = 1 for $text =~ /\b(mlt_\w+)\(/g;
}
my @exported = grep {/^mlt_/}
    map {s/\@.*//r} output('nm', '-D', '--defined-only', $lib) =~ /(\S+)$/gm;
is_deeply [ sort @exported ], [ sort keys %public ],
    'exported: what the headers declare';
is output('nm', '-D', '--defined-only', $lib) =~ s/^.* (?:MLT_|mlt_).*\n//gmr,
    '', 'and nothing else';

# ---- building ------------------------------------------------------------

# Paths in the .pc file are those below $root.
sub flags (@args) {
    local $ENV{PKG_CONFIG_PATH} = "$root/usr/lib/pkgconfig";
    return split ' ',
        output(qw(pkg-config --define-prefix), @args, 'milterproto');
}
my @event        = split ' ', output(qw(pkg-config --libs libevent_core));
my @event_static = split ' ',
    output(qw(pkg-config --static --libs libevent_core));
my $examples = "$root/usr/share/doc/sallyport/examples";

# Both sides of a negotiation, in C++, with every header.
my $cxx = temp_dir() . '/both.cc';
write_file($cxx, join '', (map {"#include <$_>\n"} @headers), <<'END');
#include <cstdio>
int main()
{
	struct mlt_mta *m;
	struct mlt_filter *f;
	struct mlt_event ev;
	struct mlt_action a;
	const uint8_t *p;

	if (mlt_mta_new(&m, nullptr) || mlt_filter_new(&f, nullptr) ||
	    mlt_mta_negotiate(m) != 1)
		return 1;
	size_t n = mlt_mta_output(m, &p);
	if (mlt_filter_feed(f, p, n) || mlt_filter_next(f, &ev) != 1)
		return 2;
	n = mlt_filter_output(f, &p);
	if (mlt_mta_feed(m, p, n) || mlt_mta_next(m, &a) != 1)
		return 3;
	std::printf("%s %s %u\n", mlt_event_name(ev.type),
	    mlt_reply_name(a.reply), mlt_mta_version(m));
	mlt_filter_free(f);
	mlt_mta_free(m);
}
END

my @c   = qw(cc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror);
my @cpp = qw(g++ -std=c++11 -Wall -Wextra -Wpedantic -Werror);
my %program;

# Builds it as "NAME-HOW"; the libraries follow the source.
sub build ($name, $how, @command) {
    my $to = temp_dir() . "/$name-$how";
    my ($status, undef, $errors) = run_program(120, @command, '-o', $to);
    is $status, 0, "$name: $how" or diag $errors;
    $program{"$name-$how"} = $to;
    return;
}
my @cflags = flags('--cflags');
for my $name (qw(null-filter dkim-like-filter)) {
    my @from = (@c, @cflags, "$examples/$name.c");
    build($name, 'shared', @from, flags('--libs'), @event);
    build($name, 'static', @from, '-static', flags('--static', '--libs'),
        @event_static);
}
build('c++', 'shared', @cpp, @cflags, $cxx, flags('--libs'));
build('c++', 'static', @cpp, @cflags, $cxx, '-static',
    flags('--static', '--libs'));
build('c++', 'without-libevent', @cpp, @cflags, $cxx, '-Wl,-Bstatic',
    flags('--libs'), '-Wl,-Bdynamic');

# ---- running -------------------------------------------------------------

local $ENV{LD_LIBRARY_PATH} = "$root/usr/lib";
for my $how (qw(shared static without-libevent)) {
    is output($program{"c++-$how"}), "NEGOTIATE OPTNEG 6\n",
        "c++: $how: both sides agree";
}

my %adds = (
    'null-filter'      => qr/\AX-Null 1\z/,
    'dkim-like-filter' => qr/\AX-Body-Digest fnv1a=[0-9a-f]{16}; l=8; i=4F1A\z/
);
for my $how (qw(shared static)) {
    for my $name (sort keys %adds) {
        my $socket = temp_dir() . "/$name-$how.sock";
        my $filter = start_process(cmd => [ $program{"$name-$how"}, $socket ]);
        my $mta    = wait_for(
            "$name-$how",
            sub {
                eval { MilterClient->new("unix:$socket") }
            }
        );
        $mta->hello;
        my $got = $mta->message(id => '4F1A');
        my ($what, @field) = @{ $got->{changes}[0] // ['nothing'] };
        is $got->{code}, 'c',          "$name: $how: message passes";
        is $what,        'add_header', "$name: $how: adds one header";
        like "@field", $adds{$name}, "$name: $how: this one";
        $mta->quit;
        is stop_process($filter), 0, "$name: $how: ends when told";
    }
}

done_testing;
