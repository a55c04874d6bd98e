#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Greylisting on a real PostgreSQL and a real Redis, each started here, with
# several workers at once.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../system/lib", "$FindBin::Bin/../../perl-bridge/lib";
use Test::More;
use Harness qw(read_file run_program start_process stop_process temp_dir
    wait_for);
use Mail::MIMEDefang;
use Mail::MIMEDefang::Actions;
use POSIX ();

local $ENV{MIMEDEFANG_LOG} = 'stderr';
my $dir = temp_dir();

sub find ($name, @places) {
    return (grep {-x} map {"$_/$name"} split(/:/, $ENV{PATH}), @places)[0];
}

# What every store must do; AGE moves what is stored into the past.
sub check_store ($name, $with, $age, $count) {
    my $ask = sub (@who) { return md_greylist(@who, {%$with}) };
    my @who = ('<A@b.example>', 'c@D.example', '192.0.2.1');
    my @workers;
    for my $number (1 .. 4) {
        push @workers, start_process(
            code => sub {
                for my $n (1 .. 25) {
                    my $answer = md_greylist("$n\@b", 'c@d', '192.0.2.7',
                        { %$with, on_error => 'error' });
                    POSIX::_exit(1) if $answer ne 'tempfail';
                }
            },
            stderr => "$dir/workers.log"
        );
    }
    is((grep { (Harness::wait_exit($_, 120) // 1) != 0 } @workers),
        0, "$name: four workers at once")
        or diag read_file("$dir/workers.log");
    is($count->(),   25,         "$name: an entry for each message");
    is($ask->(@who), 'tempfail', "$name: new");
    is($ask->(@who), 'tempfail', "$name: too early");
    $age->(301);
    is($ask->('a@B.example', '<c@d.example>', '192.0.2.1'),
        'continue', "$name: in time");
    is($ask->(@who),                      'continue', "$name: known");
    is($ask->(@who[ 0, 1 ], '192.0.2.2'), 'tempfail', "$name: another client");
    return $ask;
}

subtest 'PostgreSQL' => sub {
    my @places   = reverse sort glob '/usr/lib/postgresql/*/bin';
    my $postgres = find('postgres', @places)
        // plan(skip_all => 'needs postgresql');
    plan skip_all => 'needs libdbd-pg-perl' if !eval { require DBD::Pg };
    my @as = $> ? () : do {
        plan skip_all => 'no user postgres' if !getpwnam 'postgres';
        (find('setpriv'), qw(--reuid postgres --regid postgres --clear-groups));
    };
    my $bin  = $postgres =~ s{/[^/]*\z}{}r;
    my $home = "$dir/pg";
    mkdir $home or die;
    chown +(getpwnam 'postgres')[ 2, 3 ], $home if !$>;
    my @initdb = ("$bin/initdb", qw(-D), "$home/data", qw(-A trust -N -U me));
    my ($status, $out, $error) = run_program(120, @as, @initdb);
    $status and die "initdb: $out$error";
    my $server = start_process(
        cmd => [
            @as,  $postgres, '-D', "$home/data",
            '-k', $home,     '-c', 'listen_addresses=',
            '-c', 'fsync=off',
        ],
        stderr => "$dir/pg.log",
        stdout => "$dir/pg.log"
    );
    my $store = "dbi:Pg:dbname=postgres;host=$home";
    my $db    = wait_for(
        'PostgreSQL',
        sub {
            die read_file("$dir/pg.log") if !Harness::is_running($server);
            DBI->connect($store, 'me', '', { PrintError => 0 });
        },
        60
    );
    my %with  = (store => $store, user => 'me');
    my $count = sub {
        return $db->selectrow_array('SELECT count(*) FROM greylist');
    };
    my $age = sub ($seconds) {
        $db->do("UPDATE greylist SET first_received = first_received - $seconds"
                . ", last_received = last_received - $seconds");
    };
    my $ask = check_store('PostgreSQL', \%with, $age, $count);
    $age->(5 * 3600);
    is($ask->('a@b.example', 'c@d.example', '192.0.2.2'),
        'tempfail', 'too late: starts over');
    is(md_greylist_expire(\%with), 25, 'the others are deleted');
    is(action_greylist($db, 'new@b', 'c@d', '192.0.2.2'),
        'tempfail', 'a handle of the filter');
    $db->{AutoCommit} = 0;
    is(action_greylist($db, 'new@b', 'c@d', '192.0.2.2', 0),
        'continue', 'in a transaction');
    $db->disconnect;
    stop_process($server, 'INT');    # with connections of ours still open
    is($ask->('a@b', 'c@d', '192.0.2.1'), 'tempfail', 'when it is gone');
};

subtest 'Redis' => sub {
    my $redis  = find('redis-server') // plan(skip_all => 'needs redis-server');
    my $socket = "$dir/redis.sock";
    my $server = start_process(
        cmd => [
            $redis,   '--port',      0,    '--unixsocket',
            $socket,  '--save',      '',   '--appendonly',
            'no',     '--dir',       $dir, '--requirepass',
            'secret', '--daemonize', 'no',
        ],
        stdout => "$dir/redis.log",
        stderr => "$dir/redis.log"
    );
    my %with = (store => "redis:$socket", password => 'secret', database => 3);
    my $talk = sub (@command) {
        require Mail::MIMEDefang::Peer;
        my $text = join '', map {"$_\r\n"} 'AUTH secret', 'SELECT 3', @command;
        my ($reply) = Mail::MIMEDefang::Peer::peer_talk(
            address => $socket,
            send    => "${text}QUIT\r\n"
        );
        return $reply;
    };
    wait_for(
        'Redis',
        sub {
            die read_file("$dir/redis.log") if !Harness::is_running($server);
            $talk->('PING') =~ /PONG/;
        }
    );
    my $count = sub { return $talk->('DBSIZE') =~ /:(\d+)/ ? $1 : undef };
    my $age   = sub ($seconds) {
        my $key = 'greylist a@b.example c@d.example 192.0.2.1';
        my ($first)
            = $talk->("HGET \"$key\" first") =~ /\$\d+\r\n(\d+)\r\n\+OK\r\n\z/;
        $talk->("HSET \"$key\" first " . ($first - $seconds));
    };
    my $ask = check_store('Redis', \%with, $age, $count);
    my ($known, $new)
        = map { $talk->("TTL \"greylist $_\"") =~ /:(\d+)/ }
        'a@b.example c@d.example 192.0.2.1',
        'a@b.example c@d.example 192.0.2.2';
    cmp_ok($known, '>',  30 * 24 * 3600, 'known for a month');
    cmp_ok($new,   '<=', 4 * 3600,       'an entry that nobody uses goes');
    is(md_greylist('a', 'b', 'c', { %with, password => 'wrong' }),
        'tempfail', 'wrong password');
    stop_process($server);
    is($ask->('a@b', 'c@d', '192.0.2.1'), 'tempfail', 'when it is gone');
};

done_testing;
