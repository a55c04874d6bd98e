#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A real rspamd with one rule of our own, which says what it was told of the
# envelope, asked by the functions of the filter API and by a worker.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../system/lib", "$FindBin::Bin/../../perl-bridge/lib",
    "$FindBin::Bin/../../perl-bridge/t/lib";
use Bridge  qw(get put start work_dir);
use Harness qw(temp_dir start_process stop_process wait_for is_running
    free_port);
use JSON::PP ();
use Mail::MIMEDefang;
use Mail::MIMEDefang::Antispam;
use Mail::MIMEDefang::Features qw(find_program);
use Mail::MIMEDefang::Peer     qw(peer_talk);
use Test::More;

my $program = find_program('rspamd')
    or plan skip_all => 'no rspamd here (package rspamd)';

my $dir  = temp_dir() . '/rspamd';
my $port = free_port();
mkdir $dir;
mkdir "$dir/$_" for qw(tmp hs);
chmod 0777, "$dir/tmp", "$dir/hs";
chdir $dir or die;
open STDERR, '>', "$dir/stderr" or die;    # what is logged

# No name server, no rules of the package, few top-level domains: it starts at
# once.
put("$dir/tld", join '', map {"$_\n"} qw(com net org example));
put("$dir/rspamd.conf", <<"END");
options {
  filters = "";
  pidfile = "$dir/pid";
  tempdir = "$dir/tmp";
  hs_cache_dir = "$dir/hs";
  url_tld = "$dir/tld";
  disable_hyperscan = true;
  control_socket = "$dir/control mode=0600";
  dns { nameserver = ["127.0.0.1:1"]; timeout = 1s; retransmits = 1; }
}
logging { type = "console"; level = "info"; }
worker "normal" { bind_socket = "127.0.0.1:$port"; count = 1; }
actions { reject = 15; add_header = 6; }
lua = "$dir/rules.lua";
END
put("$dir/rules.lua", <<'END');
rspamd_config:register_symbol({
  name = 'SALLYPORT_TEST', score = 7.5, type = 'normal',
  callback = function(task)
    if not string.find(task:get_header('Subject') or '', 'pills') then
      return
    end
    local from = task:get_from('smtp')
    local to = {}
    for _, r in ipairs(task:get_recipients('smtp') or {}) do
      table.insert(to, r.addr)
    end
    return true, 1.0, table.concat({
      from and from[1] and from[1].addr or 'none', table.concat(to, '+'),
      tostring(task:get_from_ip()), tostring(task:get_helo()),
      tostring(task:get_hostname()), tostring(task:get_queue_id()),
      tostring(task:get_user())
    }, ' ')
  end
})
END

my $rspamd = start_process(
    cmd    => [ $program, '-f', '-i', '-c', "$dir/rspamd.conf" ],
    stdout => "$dir/log",
    stderr => "$dir/log"
);
my $uri   = "http://127.0.0.1:$port";
my $ready = eval {
    wait_for(
        'rspamd',
        sub {
            return 1 if !is_running($rspamd);
            my ($reply) = peer_talk(
                address   => "127.0.0.1:$port",
                send      => "GET /ping HTTP/1.0\r\n\r\n",
                timeout_s => 5
            );
            return $reply =~ /pong/;
        },
        90
    );
    is_running($rspamd);
};
if (!$ready) {
    my ($why) = reverse grep {/\S/} split /\n/, get("$dir/log") // '';
    plan skip_all => 'rspamd does not start here: '
        . ($why // 'it says nothing');
}

sub message ($subject) {
    init_globals();
    $CWD              = $dir;
    $InMessageContext = 1;
    $Sender           = '<from@example.com>';
    @Recipients       = ('<to@example.net>', '<too@example.net>');
    ($RelayAddr, $RelayHostname, $Helo)
        = ('192.0.2.1', 'mx.example.org', 'helo.example.org');
    $QueueID        = $MsgID = 'QID1';
    %SendmailMacros = (auth_authen => 'user1');
    put("$dir/INPUTMSG", "From: a\@example.com\nSubject: $subject\n\ntext\n");
    return;
}

my $told = 'from@example.com to@example.net+too@example.net 192.0.2.1'
    . ' helo.example.org mx.example.org QID1 user1';

subtest 'rspamd_check' => sub {
    message('hello');
    my ($score, $required, $tests, $json, $action, $is_spam)
        = rspamd_check($uri);
    is_deeply(
        [ $score, $required, $tests, $action,     $is_spam ],
        [ 0,      15,        '',     'no action', 'false' ],
        'no spam'
    );
    message('cheap pills');
    ($score, $required, $tests, $json, $action, $is_spam) = rspamd_check($uri);
    is_deeply([ $score, $required, $tests, $action, $is_spam ],
        [ 7.5, 15, 'SALLYPORT_TEST (7.5)', 'add header', 'false' ], 'spam');
    is(JSON::PP->new->decode($json)->{symbols}{SALLYPORT_TEST}{options}[0],
        $told, 'it was told the envelope');
};

subtest 'md_rspamd_verdict' => sub {
    message('cheap pills');
    my $verdict = md_rspamd_verdict(
        uri      => $uri,
        envelope => { User => 'user2', Helo => undef }
    );
    is_deeply([ @{$verdict}{qw(error score required action is_spam)} ],
        [ '', 7.5, 15, 'add header', 0 ], 'verdict');
    is_deeply($verdict->{symbols},
        [ { name => 'SALLYPORT_TEST', score => 7.5 } ], 'symbols');
    like($verdict->{json}, qr/ user2"/, 'another user');
};

subtest 'a worker' => sub {
    my $worker = start(<<"END");
sub filter_end {
    my (undef, undef, \$tests, undef, \$action) = rspamd_check('$uri');
    action_add_header('X-Spam', "\$action: \$tests") if \$action ne 'no action';
}
END
    my $scan = sub ($subject) {
        my $work = work_dir($worker->{spool}, "Subject: $subject\n\ntext\n");
        return $worker->ask("scan QID1 $work") . ' ' . get("$work/RESULTS")
            =~ s/\n/ /gr;
    };
    is($scan->('hello'), 'ok F ', 'no spam');
    is($scan->('pills'),
        'ok HX-Spam add%20header:%20SALLYPORT_TEST%20(7.5) F ', 'spam');
    stop_process($rspamd);
    is(
        $scan->('hello'),
        'ok HX-Spam soft%20reject:%20 F ',
        'rspamd has stopped'
    );
};

done_testing;
