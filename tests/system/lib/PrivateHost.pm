# SPDX-License-Identifier: MIT
package PrivateHost;

# Programs that log to syslog only, and read files in /etc, run as if they were
# alone on this host: with mounts of their own, in which /dev/log is a socket of
# ours, and /etc has our files beside the host's.  Works beside a real syslog,
# and without one; needs root and `unshare`.

use v5.36;
use Harness qw(temp_dir start_process stop_process wait_for read_file
    write_file);
use File::Basename qw(dirname);
use File::Path     qw(make_path);
use IO::Socket::UNIX;
use Socket qw(SOCK_DGRAM);

my $count = 0;

# $1: a directory with the socket, an empty dev/, and etc/; then the program.
my $enter = <<'END';
set -e
dir=$1; shift
mount -t tmpfs none "$dir/dev"
for node in null zero full random urandom tty; do
    : > "$dir/dev/$node"
    mount --bind "/dev/$node" "$dir/dev/$node"
done
ln -s /proc/self/fd "$dir/dev/fd"
mkdir "$dir/dev/shm"
[ ! -d /dev/shm ] || mount --bind /dev/shm "$dir/dev/shm"
: > "$dir/dev/log"
mount --bind "$dir/socket" "$dir/dev/log"
mount --move "$dir/dev" /dev
mount -t overlay -o "lowerdir=$dir/etc:/etc" overlay /etc
exec "$@"
END

=head1 METHODS

=head2 PrivateHost->why_not

Why there can be none; undef if there can.

=head2 PrivateHost->start([$file])

Writes what is logged to the file, one line "LEVEL TAG: TEXT" each; LEVEL is a
word of syslog(3), TAG without the pid, an LF in TEXT is \x0a.

=head2 etc($name, $bytes)

Puts a file in /etc or a directory there, before a program is started.

=head2 wrap(@command)

The command that runs this one there, in the same process.

=head2 stop()

=cut

sub why_not ($class) {
    return 'only root can make a private host' if $>;
    my $says
        = qx(unshare -m mount -t overlay -o lowerdir=/bin:/etc overlay /etc 2>&1);
    return "no private host: $says" if $? != 0;
    return;
}

my @levels = qw(emerg alert crit err warning notice info debug);

sub start ($class, $file = undef) {
    my $dir = temp_dir() . "/host$$-" . ++$count;
    for my $made ($dir, map {"$dir/$_"} qw(dev etc etc/mail)) {
        mkdir $made or die "$made: $!\n";
        chmod 0755, $made or die "$made: $!\n";
    }
    my $socket
        = IO::Socket::UNIX->new(Local => "$dir/socket", Type => SOCK_DGRAM)
        or die "$dir/socket: $!\n";
    chmod 0777, "$dir/socket" or die "$dir/socket: $!\n";
    my $self = bless { dir => $dir, file => $file // "$dir/log" }, $class;
    $self->{process}
        = start_process(code => sub { listen_at($socket, $self->{file}) });
    close $socket;
    return $self;
}

sub listen_at ($socket, $file) {
    open my $out, '>>:raw', $file or die "$file: $!\n";
    $out->autoflush(1);
    while (defined $socket->recv(my $packet, 65536)) {
        my ($n, $tag, $text)
            = $packet =~ /\A<(\d+)>\w+ +\d+ [\d:]+ ([^:\[]+)(?:\[\d+\])?: (.*)/s
            or next;
        $text =~ s/[\n\0]+\z//;
        $text =~ s{([\x00-\x1f\x7f])}{sprintf "\\x%02x", ord $1}ge;
        print {$out} "$levels[$n & 7] $tag: $text\n";
    }
    return;
}

sub etc ($self, $name, $bytes) {
    my $file = "$self->{dir}/etc/$name";
    make_path(dirname($file));
    write_file($file, $bytes);
    chmod 0644, $file or die "$file: $!\n";
    return;
}

sub wrap ($self, @command) {
    return ('unshare', '-m', 'sh', '-c', $enter, 'sh', $self->{dir}, @command);
}

=head2 text(), flush()

All that was logged; waits until what has been sent so far is in it.

=cut

sub text ($self) {
    return -e $self->{file} ? read_file($self->{file}) : '';
}

sub flush ($self) {
    state $n = 0;
    my $mark = 'mark ' . ++$n;
    my $to   = IO::Socket::UNIX->new(
        Peer => "$self->{dir}/socket",
        Type => SOCK_DGRAM
    ) or die "$self->{dir}/socket: $!\n";
    $to->send("<191>Jan  1 00:00:00 syslog: $mark") or die "send: $!\n";
    wait_for('the log', sub { $self->text =~ /^debug syslog: $mark$/m });
    return;
}

sub stop ($self) {
    stop_process(delete $self->{process}) if $self->{process};
    return;
}

1;
