#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# mimedefang doctor and the daemon: each finding about its user, spool, filter and
# multiplexor is provoked; where its options come from; and what it prints.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Doctor     qw(the_daemon finds script words);
use File::Copy qw(copy);
use Harness    qw(need_programs program run_program temp_dir stage_worker
    write_file start_process stop_process mount_small wait_for read_file top);
use IO::Socket::UNIX;

plan skip_all => 'needs root: it looks at what other users may do' if $>;
need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my $daemon = the_daemon();
my ($user, $spool) = @$daemon{qw(user spool)};
my $dir    = temp_dir();
my $socket = $daemon->{address} =~ s/\Aunix://r;

# ---- the daemon and what it needs ----
finds('user', ours => { -U => 'nosuch' });
finds('user', ours => { -U => 'root' });
my $open = "$dir/open";
mkdir $open, 0777 or die "$open: $!\n";
chmod 0777, $open or die "$open: $!\n";
finds('spool',      ours => { -z           => $open });
finds('spool-full', ours => { '--min-free' => 2147483647 });
SKIP: {
    my $small = mount_small('small',
        "size=2m,nr_inodes=100,mode=0700,uid=" . getpwnam $user);
    skip 'no tmpfs can be mounted here', 6 if !defined $small;
    finds('spool-room',
        ours => { -z => $small, '--max-message' => 10_000_000 });
    finds('spool-inodes', ours => { -z => $small });
}
SKIP: {
    skip 'the temporary directory is in memory', 3
        if qx(stat -f -c %T $spool) =~ /\A(?:tmpfs|ramfs)/;
    finds('spool-disk');
}
write_file("$dir/broken", "sub filter_begin {\n");
chmod 0644, "$dir/broken" or die "$dir/broken: $!\n";
finds(
    'filter',
    mux  => { -f => stage_worker(), -F => "$dir/broken" },
    what => qr/does not load it: .*broken/
);
finds('filter', mux => { -f => '/none' }, what => qr{/none: No such file});
write_file("$dir/asks", "sub filter { spam_assassin_is_spam() }\n1;\n");
chmod 0644, "$dir/asks" or die "$dir/asks: $!\n";
finds('module',      mux  => { -F => "$dir/asks" });
finds('multiplexor', ours => { -m => "$spool/none" });
finds('multiplexor-timeout',
    ours => { -m => $daemon->control_socket, '--mux-timeout' => 19 });
my $busy = start_process(code => sub { answer_free("$dir/busy", 0) });
wait_for('the busy multiplexor', sub { -S "$dir/busy" });
finds('no-free-worker', ours => { -m => "$dir/busy" });
stop_process($busy);
finds('memory',      mux => { -x => 1_000_000 });
finds('descriptors', run => [ 'sh', '-c', 'ulimit -n 50; exec "$@"', 'sh' ]);
copy(program('mimedefang'), "$dir/mimedefang") or die "copy: $!\n";
chmod 0755, "$dir/mimedefang" or die "$dir/mimedefang: $!\n";
finds(
    'not-root',
    run => [ 'setpriv', "--reuid=$user", '--clear-groups', '--regid=65534' ],
    program => "$dir/mimedefang"
);

# ---- options ----
# The real one, as it is installed.
mkdir "$dir/$_" or die "$dir/$_: $!\n" for qw(bin lib lib/sallyport);
symlink program($_), "$dir/bin/$_"
    or die "$dir/bin/$_: $!\n"
    for qw(mimedefang mimedefang-multiplexor);
my $run_daemon = "$dir/lib/sallyport/run-daemon";
copy(top() . '/service/run-daemon', $run_daemon) or die "copy: $!\n";
chmod 0755, $run_daemon or die "$run_daemon: $!\n";
write_file("$dir/default",
          "# options\nSOCKET=\"$socket\"\nMX_BUSY=45 # seconds\n"
        . "MX_SOCKET=$dir/busy\n");
my ($code, $text)
    = run_program(30, program('mimedefang'), 'doctor', '--run-daemon',
    $run_daemon, '--defaults', "$dir/default", '--print-config');
is $code, 0, 'options from a file: exit status';
like $text, qr/^listen=\Q$socket\E$/m,        'the socket is that of the file';
like $text, qr{^multiplexor=\Q$dir\E/busy$}m, 'and the multiplexor';
like $text, qr/^\[multiplexor\]\n(?:.*\n)*busy-timeout=45$/m,
    'the separate multiplexor has options, too';
like $text, qr/^max-workers=10$/m, 'what the file leaves out is of the units';

# What the units set is the same that the doctor takes without a file.
my @words = map { unit_words($_) } qw(mimedefang mimedefang-multiplexor);
(undef, my $of_units)
    = run_program(30, program('mimedefang'), qw(doctor --print-config), @words);
(undef, $text)
    = run_program(30, program('mimedefang'), 'doctor',
    '--run-daemon', $run_daemon, '--defaults', "$dir/none", '--print-config');
is $text, $of_units, 'without a file: the options of the units';
finds(
    'options-assumed',
    plain => 1,
    own   => [ '--run-daemon', $run_daemon, '--defaults', "$dir/none" ],
    what  => qr{there is no \Q$dir\E/none\z}
);

is + (run_program(30, program('mimedefang'), qw(doctor -h)))[0], 0,
    '-h: exit status';
for my $case (
    [ qr/unrecognized option '--nosuch'/, '--nosuch' ],
    [
        qr{/none --print mimedefang: it cannot be run; give the options},
        qw(--run-daemon /none)
    ],
    [ qr/--drain-time: 'x' is not/,          qw(-p /x --drain-time x) ],
    [ qr/You must use the `-p' option/,      '-s' ],
    [ qr/--mta-user: there is no such user/, qw(--mta-user nosuch -p /x) ],
    [ qr/--queue-size|queue size/,           qw(-p /x -- -q 1000) ],
    )
{
    my ($why, @options) = @$case;
    ($code, $text, my $err)
        = run_program(30, program('mimedefang'), 'doctor', @options);
    is "$code$text", '2', "@options: exit status 2";
    like $err, $why, "@options: the reason";
}
($code, $text)
    = run_program(60, program('mimedefang'), 'doctor', '--sendmail-cf', '/none',
    words());
is $code, 1, 'as text: exit status 1';
like $text,
    qr{^problem: Sendmail: /none: No such file or directory \(mta-config\)
    why: whether mail comes to the filter cannot be seen
    change: --sendmail-cf names the file$}m, 'as text: the finding'
    or diag $text;
like $text, qr/\d problems?, \d warnings?, \d notes?\n\z/, 'and the count';
($code, $text)
    = run_program(30, program('mimedefang'), 'doctor', '--help-mdoc-findings');
is $code, 0, 'the findings for the manual: exit status';
like $text, qr/^\.It user Pq problem\nthe daemon will not start\.\n/m,
    'the findings for the manual';
is $daemon->stop, 0, 'the daemon that was looked at ends as it should';
done_testing;

# The options that a unit starts a program with; "--" before the multiplexor's.
sub unit_words ($program) {
    my $unit = read_file(top() . "/service/$program.service.in");
    my @set  = map { split ' ' } $unit =~ /^Environment=(.*)/mg;
    s{\@SPOOLDIR\@}{/var/spool/MIMEDefang} for @set;
    my ($status, $out)
        = run_program(30, 'env', '-i', @set, $run_daemon, '--print', $program);
    is $status, 0, "the unit of $program";
    my (undef, @options) = split /\n/, $out;
    return ($program eq 'mimedefang' ? () : '--', @options);
}

# A multiplexor that has so many free workers.
sub answer_free ($path, $n) {
    my $l = IO::Socket::UNIX->new(Local => $path, Listen => 5)
        or die "$path: $!\n";
    chmod 0777, $path or die "$path: $!\n";
    while (my $c = $l->accept) {
        readline $c;
        print {$c} "$n\n";
        close $c;
    }
    return;
}
