# SPDX-License-Identifier: MIT
# Questions to name servers: answers whole and broken, the cache, forks.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use DNSServer;
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Resolver qw(dns_lookup dns_lookup_all dns_within
    have_dns is_absent resolver txt_strings);
use Mail::MIMEDefang::Resolver::Cache;
use POSIX ();
use Test::More;

my $server = DNSServer->new(<<'END');
a.test. 300 IN A 192.0.2.1
two.test. 300 IN A 192.0.2.1
two.test. 300 IN A 192.0.2.2
text.test. 300 IN TXT "one " "two"
text.test. 300 IN TXT "three"
cut.test. 300 IN TXT "whole"
late-id.test. 300 IN A 192.0.2.9
alias.test. 300 IN CNAME a.test.
nowhere.test. 300 IN CNAME gone.test.
loop1.test. 300 IN CNAME loop2.test.
loop2.test. 300 IN CNAME loop1.test.
c1.test. 300 IN CNAME c2.test.
c2.test. 300 IN CNAME c3.test.
c3.test. 300 IN CNAME c4.test.
c4.test. 300 IN CNAME c5.test.
c5.test. 300 IN CNAME c6.test.
c6.test. 300 IN CNAME a.test.
both1.both.test. 300 IN A 192.0.2.3
both2.both.test. 300 IN A 192.0.2.4
ad.test. 300 IN A 192.0.2.5
forked.test. 300 IN A 192.0.2.6
a.second.test. 300 IN A 192.0.2.7
END
$Features{'DNS:Servers'} = $server->address;
$Features{'DNS:Timeout'} = 20;
$Features{'DNS:Retry'}   = 20;

sub addresses ($answer) {
    return join ' ', sort map { $_->address } @{ $answer->{records} };
}

sub quick ($name, $type = 'A') {
    local @Features{qw(DNS:Timeout DNS:Retry)} = (0.2, 0.03);
    return dns_lookup($name, $type);
}

subtest 'answers' => sub {
    my $answer = dns_lookup('TWO.test.', 'A');
    is($answer->{code},    'NOERROR',             'code');
    is($answer->{error},   undef,                 'no error');
    is($answer->{name},    'two.test',            'name');
    is($answer->{secure},  0,                     'not secure');
    is(addresses($answer), '192.0.2.1 192.0.2.2', 'records');
    is_deeply([ $server->asked ], ['two.test A udp'], 'one question');

    $answer = dns_lookup('none.test', 'A');
    is($answer->{code}, 'NXDOMAIN', 'no such name');
    ok(is_absent($answer),                    'is absent');
    ok(is_absent(dns_lookup('a.test', 'MX')), 'no such type');
    is(dns_lookup('a.test', 'MX')->{code}, 'NOERROR', 'is no error');
    is_deeply(
        [ txt_strings(dns_lookup('text.test', 'TXT')) ],
        [ 'one two', 'three' ],
        'strings of a text are joined'
    );
    is(dns_lookup('ad.test', 'A', secure => 1)->{secure}, 1, 'AD flag');
};

subtest 'aliases' => sub {
    my $answer = dns_lookup('alias.test', 'A');
    is(addresses($answer), '192.0.2.1', 'followed');
    is($answer->{name},    'a.test',    'the name at the end');
    is(addresses(dns_lookup('c1.test', 'A')),
        '192.0.2.1', 'further than one answer tells');
    is(dns_lookup('nowhere.test', 'A')->{code},  'NXDOMAIN',   'to nothing');
    is(dns_lookup('loop1.test',   'A')->{error}, 'CNAME loop', 'in a circle');
    is(dns_lookup('loop1.test',   'A')->{code},  'SERVFAIL',   'which failed');
    is(scalar @{ dns_lookup('alias.test', 'CNAME')->{records} }, 1,
        'asked for');
};

subtest 'hostile and broken servers' => sub {
    is(join('', txt_strings(dns_lookup('cut.test', 'TXT'))),
        'whole', 'TCP after a cut');
    is(addresses(dns_lookup('late-id.test', 'A')),
        '192.0.2.9', 'garbage before the answer');
    is(dns_lookup('x.servfail.test',   'A')->{code}, 'SERVFAIL', 'SERVFAIL');
    is(dns_lookup('x.refused.test',    'A')->{code}, 'REFUSED',  'REFUSED');
    is(dns_lookup('x.cut-always.test', 'A')->{code}, 'ERROR',    'always cut');
    $server->asked;
    is(quick('x.silent.test')->{code},  'TIMEOUT', 'silent');
    is(quick('x.silent.test')->{error}, 'timeout', 'again');
    cmp_ok(scalar $server->asked, '>', 1, 'no time to wait is no failure');
    dns_lookup('x.servfail.test', 'A');
    is(scalar $server->asked, 0, 'but SERVFAIL is remembered');
    {
        local $Features{'DNS:Retry'} = 0.05;
        is(addresses(dns_lookup('a.second.test', 'A')),
            '192.0.2.7', 'asked a second time');
    }
    is(
        join(
            ' ',
            map { $_->{code} } dns_lookup_all(
                [
                    map { [ "x.$_.test", 'A' ] }
                        qw(wrong-id wrong-name garbage)
                ],
                timeout_s => 0.2
            )
        ),
        'TIMEOUT TIMEOUT TIMEOUT',
        'another id, another question, garbage'
    );
    ok(!is_absent(quick('x.silent.test')), 'nothing of this is an answer');
};

# What a name server can say, with some octets changed: nothing dies, nothing is
# said on standard error, and what is taken for an answer has an end.
subtest 'mutated answers' => sub {
    srand 1;
    my @said;
    local $SIG{__WARN__} = sub { push @said, @_ };
    my $query = Net::DNS::Packet->new('a.test', 'MX');
    my $reply = $query->reply;
    $reply->header->rcode('NOERROR');
    $reply->push(
        answer => map { Net::DNS::RR->new($_) } 'a.test. 300 IN CNAME b.test.',
        'b.test. 300 IN MX 10 mx.b.test.', 'b.test. 300 IN TXT "x" "y"'
    );
    my $whole = $reply->data;
    my ($answers, $done) = (0, 0);

    for (1 .. 1000) {
        my $bytes = $whole;
        substr $bytes, 2 + rand(length($bytes) - 2), 1, chr rand 256
            for 0 .. rand 4;
        $bytes = substr $bytes, 0, 2 + rand length $bytes if rand() < 0.2;
        my $question = Mail::MIMEDefang::Loop::Question->new('a.test', 'MX');
        $question->{question} = [ $query->header->id, 'a.test mx' ];
        my $packet = $question->_mine($bytes) // next;
        $answers++;
        my $lookup = Mail::MIMEDefang::Resolver::Lookup->new('a.test', 'MX');
        $lookup->_take($packet, undef);
        $done++ if $lookup->done;
    }
    cmp_ok($answers, '>', 100, 'some are answers');
    cmp_ok($done,    '>', 50,  'some to our question');
    is("@said", '', 'nothing is said');
};

subtest 'names that are none' => sub {
    for my $name ('a..b', 'x' x 64 . '.test', 'y.' x 130 . 'test') {
        is(
            dns_lookup($name, 'A')->{error},
            'not a domain name',
            substr $name, 0, 5
        );
    }
    is(dns_lookup(undef, 'A')->{code}, 'NXDOMAIN', 'undef');
};

subtest 'side by side' => sub {
    is(
        join(
            ' ',
            map { addresses($_) } dns_lookup_all(
                [ [ 'both1.both.test', 'A' ], [ 'both2.both.test', 'A' ] ]
            )
        ),
        '192.0.2.3 192.0.2.4',
        'in the order of the questions'
    );
    my @answers = dns_lookup_all(
        [ [ 'x9.silent.test', 'A' ], [ 'a.test', 'A' ] ],
        timeout_s => 60,
        enough    => sub (@so_far) {
            grep { @{ $_->{records} } } @so_far;
        },
    );
    is("@{[ map { $_->{code} } @answers ]}", 'TIMEOUT NOERROR', 'enough');
    is_deeply([ dns_lookup_all([]) ], [], 'nothing');
    is(dns_within(0, sub { dns_lookup('b.test', 'A')->{code} }),
        'TIMEOUT', 'no time left');
    is(dns_within(60, sub { dns_lookup('b.test', 'A')->{code} }),
        'NXDOMAIN', 'and some');
};

subtest 'several servers' => sub {
    my $dead = DNSServer->new('');
    my $gone = $dead->address;
    $dead->stop;
    local $Features{'DNS:Servers'} = "$gone, " . $server->address;
    is(
        addresses(dns_lookup('two.test', 'A')),
        '192.0.2.1 192.0.2.2',
        'the next one is asked'
    );
    local $Features{'DNS:Servers'} = $gone;
    is(dns_lookup('two.test', 'A')->{code}, 'ERROR', 'nobody');
    local $Features{'DNS:Servers'} = 'nonsense [::1]:5353';
    is(quick('two.test')->{records}[0], undef, 'no address of a server');
    my $theirs = Net::DNS::Resolver->new(
        nameservers => ['127.0.0.1'],
        port        => $server->{port}
    );
    is(addresses(dns_lookup('a.test', 'A', resolver => $theirs)),
        '192.0.2.1', 'those of an object');
};

subtest 'an object for others' => sub {
    my $object = resolver();
    isa_ok($object, 'Net::DNS::Resolver');
    my ($rr) = $object->query('a.test', 'A')->answer;
    is($rr->address,         '192.0.2.1', 'query');
    is($object->errorstring, 'NOERROR',   'errorstring');
    is($object->send('none.test', 'A')->header->rcode, 'NXDOMAIN', 'send');
    is($object->send(Net::DNS::Packet->new('a.test', 'A'))->header->ancount,
        1, 'a packet');
    {
        local @Features{qw(DNS:Timeout DNS:Retry)} = (0.1, 0.05);
        is($object->send('y.silent.test', 'A'), undef, 'no answer');
    }
    is($object->errorstring,             'query timed out', 'and why');
    is($object->send('loop1.test', 'A'), undef,             'a circle');
};

subtest 'after a fork' => sub {
    pipe my $from, my $to or die;
    my $pid = fork // die;
    if (!$pid) {
        syswrite $to, addresses(dns_lookup('forked.test', 'A'));
        POSIX::_exit(0);
    }
    waitpid $pid, 0;
    sysread $from, my $text, 100;
    is($text, '192.0.2.6', 'a child asks');
};

subtest 'the cache' => sub {
    my $cache = Mail::MIMEDefang::Resolver::Cache->new(4);
    $cache->store("k$_", "v$_", 100) for 1 .. 3;
    is($cache->fetch('k1', 99),  'v1',  'kept');
    is($cache->fetch('k1', 100), undef, 'not longer than it said');
    $cache->store("k$_", "v$_", 100) for 4 .. 50;
    cmp_ok($cache->count, '<=', 4, 'bounded');
    is($cache->fetch('k50', 0), 'v50', 'the latest is there');
    is($cache->fetch('k1',  0), undef, 'the oldest is not');
    my $none = Mail::MIMEDefang::Resolver::Cache->new(0);
    $none->store('k', 'v', 1);
    is($none->fetch('k', 0), undef, 'switched off');

    $server->asked;
    dns_lookup('a.test', 'A') for 1 .. 3;
    is(scalar $server->asked, 0, 'asked long ago');
};

is(have_dns(), 1, 'Net::DNS is there');
done_testing();
