# SPDX-License-Identifier: MIT
# Greylisting with SQLite, and with a Redis that is played here.  Time is made to
# pass by moving what is stored into the past.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge           qw(get logged put spool);
use IO::Socket::UNIX ();
use Mail::MIMEDefang;
use Mail::MIMEDefang::Actions;
use Test::More;
plan skip_all => 'needs DBD::SQLite' if !eval { require DBD::SQLite };
require DBI;

my $dir = spool();

sub open_file ($file) {
    return DBI->connect("dbi:SQLite:dbname=$file", '', '',
        { RaiseError => 1, PrintError => 0 });
}

sub age_rows ($db, $seconds) {
    $db->do(
              "UPDATE greylist SET first_received = first_received - $seconds,"
            . " last_received = last_received - $seconds");
    return;
}

subtest 'from new to known and back' => sub {
    my $file = "$dir/steps.sqlite";
    my %with = (store => $file);
    my @who  = ('a@b.example', 'c@d.example', '192.0.2.1');
    my $ask  = sub { return md_greylist(@who, \%with) };
    is($ask->(), 'tempfail', 'new');
    is($ask->(), 'tempfail', 'too early');
    my $db = open_file($file);
    for (
        [ 240,            'tempfail', 'still too early' ],
        [ 61,             'continue', 'in time' ],
        [ 30 * 24 * 3600, 'continue', 'known' ],
        [ 30 * 24 * 3600, 'continue', 'and again' ],
        [ 32 * 24 * 3600, 'tempfail', 'forgotten: starts over' ],
        [ 301,            'continue', 'in time' ],
        [ 32 * 24 * 3600, 'tempfail', 'forgotten' ],
        [ 4 * 3600 + 1,   'tempfail', 'too late: starts over, no reject' ],
        [ 301,            'continue', 'in time' ],
        )
    {
        my ($seconds, $want, $label) = @{$_};
        age_rows($db, $seconds);
        is($ask->(), $want, $label);
    }
    is($db->selectrow_array('SELECT count(*) FROM greylist'), 1, 'one row');
    is((stat $file)[2] & 07777, 0600,                            'for us only');
};

subtest 'who is who' => sub {
    my $file = "$dir/keys.sqlite";
    my %with = (store => $file, min => 0);
    md_greylist('<A@B.example>', '<c@D.example>', '192.0.2.1', \%with);
    for (
        [ 'a@b.example',     'c@d.example',   '192.0.2.1',        'continue' ],
        [ ' <a@b.EXAMPLE> ', '<C@d.example>', '::ffff:192.0.2.1', 'continue' ],
        [ 'a@b.example',     'c@d.example',   '192.0.2.2',        'tempfail' ],
        [ 'x@b.example',     'c@d.example',   '192.0.2.1',        'tempfail' ],
        [ '<>',              'c@d.example',   '192.0.2.1',        'tempfail' ],
        [ 'a' x 300,         'c@d.example',   '2001:db8:0::1',    'tempfail' ],
        [ 'A' x 300,         'c@d.example', '[IPv6:2001:DB8::1]', 'continue' ],
        [ 'a' x 301,         'c@d.example', '2001:db8::1',        'tempfail' ],
        )
    {
        my ($sender, $rcpt, $ip, $want) = @{$_};
        is(
            md_greylist($sender, $rcpt, $ip, \%with),
            $want, substr "$sender $rcpt $ip",
            0,     60
        );
    }
    %with = (%with, ipv4_bits => 24, ipv6_bits => 64);
    is(md_greylist('n', 'c', '198.51.100.7',    \%with), 'tempfail', 'net');
    is(md_greylist('n', 'c', '198.51.100.99',   \%with), 'continue', 'IPv4');
    is(md_greylist('n', 'c', '198.51.101.7',    \%with), 'tempfail', 'other');
    is(md_greylist('m', 'c', '2001:db8:1:2::1', \%with), 'tempfail', 'net');
    is(md_greylist('m', 'c', '2001:db8:1:2:3:4:5:6', \%with),
        'continue', 'IPv6');
};

subtest 'with a handle of the filter' => sub {
    my $db = open_file("$dir/own.sqlite");
    $db->do(  'CREATE TABLE greylist (sender_host_ip TEXT, sender TEXT,'
            . ' recipient TEXT, first_received INTEGER, last_received INTEGER,'
            . ' known_ip INTEGER)');
    my @who = ('<a@b>', '<c@d>', '192.0.2.1');
    is(action_greylist($db, @who),                  'tempfail', 'new');
    is(action_greylist($db, @who, 0),               'continue', 'MIN');
    is(action_greylist($db, @who, 0, 1),            'continue', 'known');
    is(action_greylist($db, '<x@b>', @who[ 1, 2 ]), 'tempfail', 'another');
    is(action_greylist($db, '<x@b>', $who[1], '192.0.2.9'),
        'tempfail', 'from another place');
    is($db->selectrow_array('SELECT count(*) FROM greylist'),
        2, 'the unknown one of the same pair is gone');

    $db->{AutoCommit} = 0;
    is(action_greylist($db, '<y@b>', @who[ 1, 2 ]), 'tempfail', 'transaction');
    $db->rollback;
    is(action_greylist($db, '<y@b>', @who[ 1, 2 ], 0), 'continue', 'committed');
    $db->{AutoCommit} = 1;

    $db->do('DROP TABLE greylist');
    ok(!eval { action_greylist($db, @who); 1 }, 'an error dies');
    $db->{RaiseError} = 0;
    ok(!eval { action_greylist($db, @who); 1 }, 'also without RaiseError');
    like($@, qr/^greylist: no such table/, 'with the reason');

    $GreylistStore = "$dir/default.sqlite";
    is(action_greylist(undef, @who),    'tempfail', 'without a handle');
    is(action_greylist(undef, @who, 0), 'continue', 'and known');
    is(md_greylist(@who),               'continue', 'the same store');
    undef $GreylistStore;
    local $Features{'Path:SPOOLDIR'} = $dir;
    is(md_greylist(@who), 'tempfail', 'the default');
    ok(-s "$dir/greylist.sqlite", 'is a file in the spool');
};

subtest 'expiry' => sub {
    my %with = (store => "$dir/old.sqlite");
    my $db   = open_file($with{store});
    is(md_greylist_expire(\%with), 0, 'nothing');
    md_greylist("$_\@b", 'c@d', '192.0.2.1', \%with) for 1 .. 4;
    age_rows($db, 400);
    is(md_greylist('1@b', 'c@d', '192.0.2.1', \%with), 'continue', 'one known');
    is(md_greylist_expire(\%with),                     0,          'too young');
    age_rows($db, 5 * 3600);
    md_greylist('5@b', 'c@d', '192.0.2.1', \%with);
    is(md_greylist_expire(\%with), 3, 'what did not come again');
    age_rows($db, 32 * 24 * 3600);
    is(md_greylist_expire(\%with), 2, 'and the rest');
};

subtest 'several workers at once' => sub {
    my $file = "$dir/many.sqlite";
    my @pids;
    pipe my $ready, my $go or die;
    for (1 .. 4) {
        my $pid = fork // die;
        if (!$pid) {
            close $go;
            readline $ready;    # all begin together
            my $bad = 0;
            for my $n (1 .. 25) {
                $bad = 1
                    if md_greylist("$n\@b", 'c@d', '192.0.2.1',
                    { store => $file, on_error => 'error' }) ne 'tempfail';
            }
            require POSIX;
            POSIX::_exit($bad);
        }
        push @pids, $pid;
    }
    close $ready;
    close $go;
    my $failed = 0;
    for (@pids) { waitpid $_, 0; $failed++ if $? }
    is($failed, 0, 'none fails');
    is(open_file($file)->selectrow_array('SELECT count(*) FROM greylist'),
        25, 'a row for each');
};

subtest 'a handle does not survive a fork' => sub {
    my %with = (store => "$dir/fork.sqlite", min => 0);
    md_greylist('a', 'b', '192.0.2.1', \%with);
    my $pid = fork // die;
    if (!$pid) {
        my $answer = md_greylist('a', 'b', '192.0.2.1', \%with);
        require POSIX;
        POSIX::_exit($answer eq 'continue' ? 0 : 1);
    }
    waitpid $pid, 0;
    is($?,                                         0,          'in the child');
    is(md_greylist('a', 'b', '192.0.2.1', \%with), 'continue', 'and here');
};

subtest 'a store that fails' => sub {
    for (
        [ "$dir/none/x.sqlite",         qr/unable to open/ ],
        [ 'dbi:Nonesuch:dbname=x',      qr/needs DBD::Nonesuch/ ],
        [ 'dbi:Nonesuch:password=hush', qr/password=\*\*\*/ ],
        [ "redis:$dir/none.sock",       qr/cannot connect/ ],
        )
    {
        my ($store, $want) = @{$_};
        my $log = logged(
            sub {
                is(md_greylist('a', 'b', 'c', { store => $store }),
                    'tempfail', "$store: tempfail");
            }
        );
        like($log, qr/^err: Greylisting with /, "$store: told");
        like($log, $want,                       "$store: why");
        logged(
            sub {
                is(
                    md_greylist(
                        'a', 'b',
                        'c', { store => $store, on_error => 'continue' }
                    ),
                    'continue',
                    "$store: as asked"
                );
            }
        );
    }
    put("$dir/text.sqlite", 'no database at all' x 100);
    logged(
        sub {
            is(md_greylist('a', 'b', 'c', { store => "$dir/text.sqlite" }),
                'tempfail', 'no database');
        }
    );
    unlink "$dir/text.sqlite";
    is(md_greylist('a', 'b', 'c', { store => "$dir/text.sqlite", min => 0 }),
        'tempfail', 'repaired: opened anew');
    is(md_greylist('a', 'b', 'c', { store => "$dir/text.sqlite", min => 0 }),
        'continue', 'and used');
};

# A server that says REPLIES to the commands of one connection and writes down
# what it heard.
sub redis (@replies) {
    my $path   = "$dir/redis.sock";
    my $listen = IO::Socket::UNIX->new(Local => $path, Listen => 1) or die;
    my $pid    = fork // die;
    if (!$pid) {
        my $fh = $listen->accept;
        local $SIG{PIPE} = 'IGNORE';
        open my $log, '>', "$dir/heard" or die;
        $log->autoflush(1);
        for my $reply (@replies) {
            my ($count) = readline($fh) =~ /^\*(\d+)\r\n/ or last;
            my @words;
            for (1 .. $count) {
                my ($length) = readline($fh) =~ /^\$(\d+)\r\n/;
                read $fh, my ($word), $length + 2;
                push @words, substr $word, 0, $length;
            }
            $words[1] = 'SCRIPT' if $words[0] eq 'EVAL';
            $words[4] = 'NOW'    if $words[0] eq 'EVAL';
            print {$log} join('|', @words), "\n";
            $fh->print($reply);
            $fh->flush;
        }
        close $log;
        require POSIX;
        POSIX::_exit(0);
    }
    return sub ($code) {
        my $result = $code->("redis:$path");
        waitpid $pid, 0;
        unlink $path;
        return ($result, get("$dir/heard"));
    };
}

subtest 'redis' => sub {
    for (
        [ ["+tempfail\r\n"],       'tempfail', '' ],
        [ ["\$8\r\ncontinue\r\n"], 'continue', '' ],
        [ ["-ERR no\r\n"],         'tempfail', qr/Redis: ERR no/ ],
        [ ["+what\r\n"],           'tempfail', qr/unexpected answer/ ],
        [ [''],                    'tempfail', qr/closed before/ ],
        [ [ 'x' x 9000 . "\r\n" ], 'tempfail', qr/longer than 4096/ ],
        )
    {
        my ($replies, $want, $why) = @{$_};
        my $log;
        my ($answer, $heard) = redis(@{$replies})->(
            sub ($store) {
                my $is;
                $log = logged(
                    sub {
                        $is = md_greylist('A b', 'c', '192.0.2.1',
                            { store => $store, min => 1, max => 2, known => 3 }
                        );
                    }
                );
                return $is;
            }
        );
        my $label = substr $replies->[0], 0, 20;
        is($answer, $want, "$label: $want");
        is(
            $heard,
            "EVAL|SCRIPT|1|greylist a%20b c 192.0.2.1|NOW|1|2|3\n",
            "$label: question"
        );
        $why ? like($log, $why, "$label: why") : is($log, '', "$label: quiet");
    }
    my ($answer, $heard) = redis("+OK\r\n", "+OK\r\n", "+continue\r\n")->(
        sub ($store) {
            return md_greylist('a', 'b', 'c',
                { store => $store, password => 'p', database => 2 });
        }
    );
    is($answer, 'continue', 'with a password');
    like($heard, qr/^AUTH\|p\nSELECT\|2\nEVAL/, 'told first');
    is(md_greylist_expire({ store => 'redis:/none' }), 0, 'nothing to expire');
};

done_testing;
