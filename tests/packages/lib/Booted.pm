# SPDX-License-Identifier: MIT
package Booted;

# systemd as process 1 of a Host, in namespaces of its own, without a network.

use v5.36;
use Harness qw(descendants is_running run_program start_process stop_process
    temp_dir wait_for);

# $1: the root.  The mounts are those that systemd expects to find; where this
# host has the old hierarchies of control groups it gets the one that it needs.
my $ENTER = <<'END';
set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
    mount -t tmpfs cgroup "$root/sys/fs/cgroup"
    mkdir "$root/sys/fs/cgroup/systemd"
    mount -t cgroup -o none,name=systemd,xattr cgroup "$root/sys/fs/cgroup/systemd"
fi
mount -t tmpfs -o mode=755 run "$root/run"
cd "$root"
mkdir -p old
pivot_root . old
umount -l /old
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=basic.target
END

=head1 METHODS

=head2 Booted->new($host)

Boots it, and returns when systemd answers; undef where that does not work.

=head2 run(@command)

Runs it there: (status, standard output, standard error).

=head2 stop()

=cut

sub new ($class, $host) {
    my $process = start_process(
        cmd => [
            qw(unshare --cgroup --pid --mount --ipc --uts --net --fork),
            '--kill-child', 'sh', '-c', $ENTER, 'boot', $host->path('')
        ],
        stdout => temp_dir() . '/boot.log',
        stderr => temp_dir() . '/boot.log',
    );
    my $self = bless { process => $process }, $class;
    my $up   = eval {
        wait_for(
            'systemd',
            sub {
                return -1 if !is_running($process);
                ($self->{pid}) = descendants($process->{pid}) or return;
                my ($status, $out)
                    = $self->run(qw(systemctl is-active basic.target));
                return $out =~ /^active/;
            },
            120
        );
    };
    return $self if ($up // -1) > 0;
    $self->stop;
    return;
}

sub run ($self, @command) {
    return run_program(
        120,
        'nsenter',
        '--target',
        $self->{pid},
        qw(--mount --pid --cgroup --ipc --uts --net),
        'env',
        '-i',
        'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
        @command
    );
}

sub stop ($self) {
    stop_process($self->{process}, 'KILL');
    return;
}

1;
