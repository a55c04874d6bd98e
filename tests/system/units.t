#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What starts the daemons, as installed: the units say nothing that systemd does
# not understand, leave no more rights than they need, and start what serves; so
# do the other files for the system.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Harness qw(daemon_user need_programs read_file run_program stage_worker
    start_process stop_process temp_dir top wait_for write_file);
use Installed    qw(install_tree tool);
use MilterClient ();
use Unit         ();

plan skip_all => 'units are for Linux' if $^O ne 'linux';
need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));
my $root  = install_tree();
my $units = "$root/usr/lib/systemd/system";
my @names = qw(mimedefang-multiplexor mimedefang);

is_deeply [ map {s{.*/}{}r} sort glob "$units/*" ],
    [qw(mimedefang-multiplexor.service mimedefang.service mimedefang.socket)],
    'these units are installed';
unlike read_file($_), qr/@[A-Z]+@/, 'no place is left open in ' . s{.*/}{}r
    for glob "$units/*";

SKIP: {
    my $analyze = tool('systemd-analyze');
    skip 'there is no systemd-analyze', 3 if !$analyze;

    # The same with the program in our directory, since systemd looks for it.
    my $copies = temp_dir() . '/units';
    mkdir $copies or die "$copies: $!\n";
    for my $unit (glob "$units/*") {
        write_file("$copies/" . ($unit =~ s{.*/}{}r),
            read_file($unit) =~ s{=/usr/lib/}{=$root/usr/lib/}r);
    }
    my ($status, $out, $errors)
        = run_program(60, $analyze, 'verify', '--man=no', glob "$copies/*");
    is "$status $out$errors", '0 ', 'systemd understands all of them';
    for my $name (@names) {
        ($status, $out, $errors)
            = run_program(60, $analyze, 'security', '--no-pager',
            '--offline=yes', '--threshold=25', "$copies/$name.service");
        is $status, 0, "$name: exposure of at most 2.5 of 10"
            or diag $out, $errors;
    }
}

SKIP: {
    my $parser = tool('apparmor_parser');
    skip 'there is no apparmor_parser', 1 if !$parser;
    my $features = '/etc/apparmor.d/abi/3.0';
    skip "there is no $features", 1 if !-e $features;
    my ($status, $out, $errors)
        = run_program(60, $parser, '--skip-kernel-load', '--skip-cache',
        '--Werror', '--kernel-features', $features,
        "$root/etc/apparmor.d/mimedefang");
    is $status, 0, 'AppArmor understands the profile' or diag $out, $errors;
}

is_deeply [
    map { (Unit->read("$units/$_.service")->values('AppArmorProfile'))[0] }
        @names ],
    [ map {"-$_"} @names ], 'the units name profiles';
like read_file("$root/etc/apparmor.d/mimedefang"), qr/^profile $_ /m,
    "which are there: $_"
    for @names;

SKIP: {
    my ($users, $files) = map { tool("systemd-$_") } qw(sysusers tmpfiles);
    skip 'user and directories: needs root and systemd', 4
        if $> || !$users || !$files;
    write_file("$root/etc/group", "adm:x:4:\n");
    for my $program ($users, [ $files, '--create' ]) {
        my ($status, $out, $errors)
            = run_program(60, ref $program ? @$program : $program,
            "--root=$root", 'sallyport.conf');
        is $status, 0, 'user or directories' or diag $out, $errors;
    }
    my ($uid)
        = read_file("$root/etc/passwd")
        =~ m{^defang:x:(\d+):\d+:.*:/var/spool/MIMEDefang:/usr/sbin/nologin$}m;
    my $spool = "$root/var/spool/MIMEDefang";
    is join(' ', map { sprintf '%o %d', (stat)[ 2, 4 ] } $spool),
        "40750 $uid", 'the spool is that user\'s alone';
    chmod 0770, $spool;
    run_program(60, $files, '--create', "--root=$root", 'sallyport.conf');
    is sprintf('%o', (stat $spool)[2]), '40770',
        'what the administrator has changed stays';
}

# ---- the commands of the units, with settings as an administrator writes them ----

my $dir   = temp_dir() . '/run';
my $spool = "$dir/spool";
my $user  = daemon_user();
mkdir $_ or die "$_: $!\n" for $dir, $spool;
chmod 0755, $dir or die "$dir: $!\n";
if (defined $user) {
    my (undef, undef, $uid, $gid) = getpwnam $user;
    chown $uid, $gid, $spool or die "$spool: $!\n";
}
chmod 0700, $spool or die "$spool: $!\n";
write_file("$dir/filter", <<'END');
sub filter_begin { action_add_header('X-Seen', 'by the unit') }
1;
END
chmod 0644, "$dir/filter" or die "$dir/filter: $!\n";
mkdir "$root/etc/default" or die "$root/etc/default: $!\n";
write_file("$root/etc/default/mimedefang", <<"END");
# as one edits it
SPOOLDIR=$spool
SOCKET=\$SPOOLDIR/milter.sock
MX_SOCKET=\$SPOOLDIR/mx.sock
MX_USER=@{[$user // '']}
MX_RELAY_CHECK=yes
MX_MAXIMUM=3
SUBFILTER="$dir/filter"
FILTER='@{[stage_worker()]}'
X_SCANNED_BY="the unit's words"
END
my @running = map { start_unit($_) } @names;
my $mta     = wait_for(
    'the milter socket',
    sub {
        eval { MilterClient->new("unix:$spool/milter.sock") };
    }
);
my ($status)
    = run_program(40, "$root/usr/bin/md-mx-ctrl",
    '-s', "$spool/mx.sock", 'wait-ready');
is $status, 0, 'the multiplexor is ready';
$mta->hello;
my $got = $mta->message(id => '4F1A');
is $got->{code}, 'c', 'a message passes';
is_deeply [ map {"@$_"} @{ $got->{changes} } ],
    [
    'add_header X-Seen by the unit',
    "add_header X-Scanned-By the unit's words on 127.0.0.1"
    ],
    'with what filter and settings say'
    or diag explain $got;
$mta->quit;
is stop_process($_), 0, 'ends when told' for reverse @running;
done_testing;

sub start_unit ($name) {
    my $unit = Unit->read("$units/$name.service");
    my %env  = $unit->environment($root);
    my @command
        = map { s{^(/usr/)}{$root$1}r =~ s{^/run/mimedefang/}{$dir/}r }
        $unit->command;
    return start_process(
        cmd => [
            'env', '-i', "PATH=$ENV{PATH}", 'MIMEDEFANG_LOG=stderr',
            (map {"$_=$env{$_}"} sort keys %env), @command
        ],
        stderr => "$dir/log",
    );
}
