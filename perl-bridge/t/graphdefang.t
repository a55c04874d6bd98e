# SPDX-License-Identifier: MIT
# MDLOG lines: recipients one by one or counted, any number of values, what would
# break the format of a line, decoded texts; and the forms of md_syslog.

use v5.36;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge qw(start_scripted);
use Mail::MIMEDefang;
use Test::More;

# What CODE logs, as characters.
sub logged ($code) {
    my $text = Bridge::logged($code);
    utf8::decode($text);
    return $text;
}

sub message (@rcpts) {
    init_globals();
    ($InMessageContext, $MsgID, $Sender, $Subject)
        = (1, 'Q1', '<From@Example.COM>', 'Hello, you');
    @Recipients = @rcpts;
    return;
}
my $START = "info: Q1: MDLOG,Q1";

subtest 'md_graphdefang_log_enable' => sub {
    message('<a@x>');
    is(logged(sub { md_graphdefang_log('e') }), '', 'nothing before it');
    md_graphdefang_log_enable();
    is($GraphDefangSyslogFacility, 'mail', 'default facility');
    is($EnumerateRecipients,       1,      'and enumeration');
    $SyslogFacility = 'local1';
    md_graphdefang_log_enable();
    is($GraphDefangSyslogFacility, 'local1', '$SyslogFacility');
    md_graphdefang_log_enable('local5', 0);
    is($GraphDefangSyslogFacility, 'local5', 'facility');
    is($EnumerateRecipients,       0,        'no enumeration');
    $SyslogFacility = 'mail';
    md_graphdefang_log_enable();
};

subtest 'md_graphdefang_log' => sub {
    my $end = '<from@example.com>,%s,Hello%%2C you';
    for my $case (
        [ 1, [],                 [],                 [] ],
        [ 1, ['<A@X>'],          [],                 ['<a@x>'] ],
        [ 1, [ '<A@X>', '<b>' ], [],                 [ '<a@x>', '<b>' ] ],
        [ 1, [ '<A@X>', '<b>' ], [ 'v', 'w', 0, 1 ], ['rcpts=2'] ],
        [ 1, ['<A@X>'],          [ 'v', 'w', 0, 1 ], ['<a@x>'] ],
        [ 1, [],                 [ 'v', 'w', 0, 1 ], ['rcpts=0'] ],
        [ 0, [ '<A@X>', '<b>' ], [],                 ['rcpts=2'] ],
        [ 0, ['<A@X>'],          [],                 ['<a@x>'] ],
        [ 0, [],                 [],                 ['rcpts=0'] ],
        )
    {
        my ($enumerate, $rcpts, $args, $shown) = @{$case};
        message(@{$rcpts});
        $EnumerateRecipients = $enumerate;
        my $values = @{$args} ? 'v,w' : ',';
        is(
            logged(sub { md_graphdefang_log('event', @{$args}) }),
            join('',
                map { sprintf "$START,event,$values,$end\n", $_ } @{$shown}),
            "enumeration $enumerate, @{$rcpts}, (@{$args})"
        );
    }
    $EnumerateRecipients = 1;
    message('<a@x>');
    is(
        logged(sub { md_graphdefang_log("a,b%\n", q{x "'\\}, "\x{20ac}") }),
        "$START,a%2Cb%25%0A,x \"'%5C,%E2%82%AC,<from\@example.com>,<a\@x>,Hello%2C you\n",
        'encoding'
    );
    ($MsgID, $QueueID) = ('NOQUEUE', 'NOQUEUE');
    is(
        logged(sub { md_graphdefang_log('e') }),
        "info: MDLOG,NOQUEUE,e,,,<from\@example.com>,<a\@x>,Hello%2C you\n",
        'no queue id'
    );
    message('<a@x>');
    $InMessageContext = 0;
    is(
        logged(sub { md_graphdefang_log('e') }),
        "warning: Q1: md_graphdefang_log called outside of message context\n",
        'out of place'
    );
};

subtest 'md_graphdefang_log_array' => sub {
    message('<a@x>', '<b@x>');
    is(
        logged(
            sub { md_graphdefang_log_array('e', 0, [ 1, 'b,c', undef, 4 ]) }
        ),
        join(
            '',
            map {
                "$START,e,1,b%2Cc,,4,<from\@example.com>,<$_\@x>,Hello%2C you\n"
            } qw(a b)
        ),
        'four values'
    );
    is(
        logged(sub { md_graphdefang_log_array('e', 0, [], 1) }),
        "$START,e,<from\@example.com>,rcpts=2,Hello%2C you\n",
        'none, once'
    );
    $InMessageContext = 0;
    is(
        logged(sub { md_graphdefang_log_array('e', 0, []) }),
        "warning: Q1: md_graphdefang_log called outside of message context\n",
        'out of place'
    );
};

subtest 'decoded' => sub {
    for (
        [ '=?iso-8859-1?q?f=FCr?= Sie, =?utf-8?b?4oKs?=', 'für Sie%2C €' ],
        [ '=?utf-8?q?a=0Ab=07c%?=',                       'abc%25' ],
        [ '=?utf-8?q?a=5Cb?=',                            'a%5Cb' ],
        [ 'plain',                                        'plain' ],
        )
    {
        my ($text, $want) = @{$_};
        message('<a@x>');
        $Subject = $text;
        is(logged(sub { md_graphdefang_log($text, 'ü', '', 1) }),
            "$START,$want,%C3%BC,,<from\@example.com>,<a\@x>,$want\n", $text);
        is(
            logged(sub { md_graphdefang_log('e') }) =~ s/.*,//sr,
            $text =~ s/([,%\\])/sprintf '%%%02X', ord $1/ger . "\n",
            'not decoded'
        );
    }
};

subtest 'md_syslog' => sub {
    message();
    for (
        [ 'err',         'err' ],
        [ 'Warning',     'warning' ],
        [ 'error',       'err' ],
        [ 'PANIC',       'emerg' ],
        [ 'local5|info', 'info' ],
        [ 'mail|debug',  'debug' ],
        [ 'crit',        'crit' ],
        )
    {
        my ($level, $want) = @{$_};
        is(logged(sub { md_syslog($level, "100%s 50%\n") }),
            "$want: Q1: 100%s 50%\n", $level);
    }
    for my $id ('', 'NOQUEUE', undef) {
        $MsgID = $id;
        is(logged(sub { md_syslog('info', 'text') }),
            "info: text\n", 'no queue id');
    }
};

subtest 'in a filter' => sub {
    my $w = start_scripted();
    $w->scan(
        "a: b\n\nc\n",
        filter_begin => 'md_graphdefang_log_enable("local5", 1);'
            . ' md_graphdefang_log("virus", $Subject, $RelayAddr)'
    );
    is(
        $w->stderr,
        "info: QID1: MDLOG,QID1,virus,Hello World,192.0.2.1,<from\@example.com>,<to\@example.net>,Hello World\n",
        'of a message'
    );
};

done_testing;
