# SPDX-License-Identifier: MIT
package Host;

# A Debian host in a directory: a chroot, made by debootstrap once and copied for
# each test.  Every command runs with mounts and process numbers of its own, so
# that nothing outlives it.  Needs root; packages come from where this host has
# its own.

use v5.36;
use File::Basename qw(dirname);
use File::Path     qw(make_path);
use Harness        qw(read_file run_program temp_dir top write_file);
use Installed      qw(tool);
use Sys::Hostname  qw(hostname);
use Test::More     ();

my $SUITE = 'bookworm';
my $LONG  = 900;          # seconds, with downloads

# $1: the root, $2: where packages that were downloaded are kept; the command.
my $ENTER = <<'END';
set -e
root=$1 kept=$2
shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$kept" "$root/var/cache/apt/archives"
mount -t tmpfs -o mode=755 run "$root/run"
exec chroot "$root" "$@"
END
my $count = 0;

=head1 METHODS

=head2 Host->new

A new host.  Skips the whole test where there can be none.

=cut

sub new ($class) {
    Test::More::plan(skip_all => 'a chroot needs root') if $>;
    my @missing = grep { !tool($_) } qw(debootstrap unshare);
    Test::More::plan(skip_all => "not installed: @missing") if @missing;
    my $self = bless {
        root => temp_dir() . '/host' . ++$count,
        kept => top() . '/build/chroot/kept',
    }, $class;
    must($LONG, 'cp', '-a', base(), $self->{root});
    return $self;
}

# What debootstrap makes; made by another name first, so that it is whole.
sub base {
    my $base = top() . '/build/chroot/base';
    return $base if -d $base;
    my %sources = sources();
    my $mirror  = $sources{$SUITE}
        or die "apt has no source of $SUITE here\n";
    make_path(top() . '/build/chroot/kept');
    must(60, 'rm', '-rf', "$base.new");
    must($LONG, 'debootstrap', '--variant=minbase', $SUITE, "$base.new",
        $mirror);
    write_file("$base.new/etc/apt/sources.list",
        join '', map {"deb $sources{$_} $_ main\n"} sort keys %sources);
    write_file("$base.new/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n");
    chmod 0755, "$base.new/usr/sbin/policy-rc.d" or die "chmod: $!\n";
    must(60, 'cp', '/etc/resolv.conf', "$base.new/etc/resolv.conf");
    write_file("$base.new/etc/hosts",
        '127.0.0.1 localhost ' . hostname() . "\n");
    rename "$base.new", $base or die "$base: $!\n";
    return $base;
}

# Where apt has this release and its updates from: name of the suite, address.
sub sources {
    my $said = must(
        60, 'apt-get', 'indextargets', '--format',
        '$(REPO_URI) $(RELEASE)',
        'Created-By: Packages',
        'Component: main'
    );
    return map { reverse split } grep {m{ $SUITE(?:-|\z)}} split /\n/, $said;
}

# Runs a program to its end, which must be a good one; returns what it said.
sub must ($seconds, @command) {
    my ($status, $out, $errors) = run_program($seconds, @command);
    die "@command: status $status\n$out$errors\n" if $status;
    return $out . $errors;
}

=head2 run(@command)

Runs it there: (status, standard output, standard error).

=head2 apt(@words)

apt-get there, without questions; dies if it fails, returns all that it said.

=cut

sub run ($self, @command) {
    return run_program($LONG, inside($self, @command));
}

sub inside ($self, @command) {
    return (
        qw(unshare --mount --pid --fork --kill-child),
        'sh',
        '-c',
        $ENTER,
        'enter',
        $self->{root},
        $self->{kept},
        qw(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C),
        'DEBIAN_FRONTEND=noninteractive',
        @command
    );
}

sub apt ($self, @words) {
    return must($LONG,
        inside($self, 'apt-get', '-q', '-y', '--no-install-recommends', @words)
    );
}

=head2 path($file), read($file), write($file, $text), list($directory)

=head2 facts($file)

Octets, mode, owner and group in one text; "none" without the file.

=cut

sub path ($self, $file) { return "$self->{root}$file" }

sub read ($self, $file) {    ## no critic (ProhibitBuiltinHomonyms)
    return read_file($self->path($file));
}

sub write ($self, $file, $text) {    ## no critic (ProhibitBuiltinHomonyms)
    make_path(dirname($self->path($file)));
    write_file($self->path($file), $text);
    return;
}

sub facts ($self, $file) {
    my @stat = stat $self->path($file) or return 'none';
    return sprintf '%o %d %d %s', @stat[ 2, 4, 5 ],
        -f _ ? $self->read($file) : '';
}

=head2 copy_in($from, $directory)

Copies a file or a directory of this host there.

=head2 status($package)

What dpkg says of it: "installed", "config-files" or "".

=cut

sub copy_in ($self, $from, $directory) {
    make_path($self->path($directory));
    must(60, 'cp', '-R', $from, $self->path($directory));
    return;
}

sub status ($self, $package) {
    my (undef, $out)
        = $self->run('dpkg-query', '-W', '-f=${db:Status-Status}', $package);
    return $out;
}

1;
