# SPDX-License-Identifier: MIT
# Mail::MIMEDefang::Context: handlers with one object, responses that are checked.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge qw(get put spool start work_dir);
use Mail::MIMEDefang;
use Mail::MIMEDefang::Context;
use Test::More;

# A filter of which each handler shows what the object says.
my $FILTER = <<'END';
use v5.36;
use Mail::MIMEDefang::Context;
sub show {
    my ($mail, @names) = @_;
    my $text = join ' ', $mail->callback,
        map { my @v = $mail->$_; "$_=" . join ',', map { $_ // 'undef' } @v } @names;
    print STDERR "$text\n";
    action_add_header('X-' . $mail->callback, $text) if defined $mail->directory;
}
on relay => sub ($mail) {
    show($mail, qw(ip hostname helo port my_ip my_port real_ip directory));
    return $mail->accept_no_more if $mail->ip eq '127.0.0.1';
    return $mail->discard if $mail->ip eq '192.0.2.3';
    return 'REJECT' if $mail->ip eq '192.0.2.4';
    return $mail->proceed(delay => 3);
};
on helo => sub ($mail) {
    show($mail, qw(ip helo queue_id));
    return $mail->tempfail("Not\nnow", code => 450, dsn => '4.7.1') if $mail->helo eq 'later';
    return $mail->reject('Never', code => 450) if $mail->helo eq 'wrong';
    return $mail->reject if $mail->helo eq 'default';
    return;
};
on sender => sub ($mail) {
    my %esmtp = $mail->esmtp_args;
    show($mail, qw(sender ip hostname helo));
    $mail->remember(size => $esmtp{SIZE});
    action_add_header('X-Macro', $mail->macro('{client_port}') . ' ' . ($mail->macro('none') // 'undef'));
    return $mail->proceed;
};
on recipient => sub ($mail) {
    show($mail, qw(recipient first_recipient sender recipients mailer esmtp_args));
    return $mail->reject("No $_") for grep { /none/ } $mail->recipient;
    return $mail->proceed;
};
on begin => sub ($mail) {
    show($mail, qw(ip hostname real_hostname port my_ip sender recipients recipient subject
        message_id queue_id is_suspicious was_resent virus_name type esmtp_args));
    $mail->privdata->{parts} = 0;
    action_add_header('X-Size', $mail->recall('size') // 'unknown');
    action_add_header('X-For', join ' ', $mail->mailer, $mail->esmtp_args('<to@example.net>'));
    return $mail->reject('No such thing') if $mail->subject =~ /reject/;
    return $mail->tempfail if $mail->subject =~ /later/;
    return $mail->discard if $mail->subject =~ /discard/;
    return $mail->drop_part if $mail->subject =~ /wrong kind/;
    return;
};
on part => sub ($mail) {
    show($mail, qw(file_name extension type));
    $mail->privdata->{parts}++;
    my $name = $mail->file_name;
    return $mail->drop_part if $name eq 'drop';
    return $mail->drop_part('dropped') if $name eq 'warn';
    return $mail->accept_part('beware') if $name eq 'beware';
    return $mail->replace_part('instead') if $name eq 'replace';
    return $mail->quarantine_part('kept') if $name eq 'keep';
    return $mail->replace_part('') if $name eq 'no text';
    return;
};
on end => sub ($mail) {
    action_add_header('X-Parts', $mail->privdata->{parts});
    return;
};
END

my $worker = start($FILTER);

sub asked ($line) { return $worker->ask($line) }

sub said () {
    return [ grep { !/^\w+: |^<\d+>/ } split /\n/, $worker->stderr ];
}

subtest 'relay' => sub {
    is asked('relayok 192.0.2.1 host.example 2525 192.0.2.9 25 Q1'),
        'ok 1 ok 250 2.1.0 3', 'proceed, delayed';
    like $worker->stderr,
        qr/relay ip=192.0.2.1 hostname=host.example helo= port=2525 my_ip=192.0.2.9 my_port=25 real_ip=192.0.2.1 directory=undef/,
        'what is known';
    is asked('relayok 127.0.0.1 localhost 1 127.0.0.1 25 Q1'),
        'ok 2 ok 250 2.1.0 0', 'accept_no_more';
    is asked('relayok 192.0.2.3 x 1 127.0.0.1 25 Q1'),
        'ok 3 ok 250 2.1.0 0', 'discard';
    like asked('relayok 192.0.2.4 x 1 127.0.0.1 25 Q1'),
        qr/\Aok -1 /, 'no response: try later';
    like $worker->stderr,
        qr/handler 'relay' returned 'REJECT', which is no response/,
        'and it is logged';
};

subtest 'helo' => sub {
    is asked('helook 192.0.2.1 h later 1 192.0.2.9 25 Q1'),
        'ok -1 Not%20now 450 4.7.1 0', 'tempfail with codes, no line end';
    is asked('helook 192.0.2.1 h default 1 192.0.2.9 25 Q1'),
        'ok 0 Forbidden%20for%20policy%20reasons 554 5.7.1 0', 'reject';
    $worker->stderr;
    like asked('helook 192.0.2.1 h wrong 1 192.0.2.9 25 Q1'),
        qr/\Aok -1 /, 'a code that does not fit: try later';
    like $worker->stderr,
        qr/Code '450' does not fit REJECT: it is 5 and two digits.*filter line \d+/,
        'and the line of the filter is logged';
    like asked('helook 192.0.2.1 h none 1 192.0.2.9 25 Q1'),
        qr/\Aok -1 /, 'no response: try later';
    like $worker->stderr, qr/handler 'helo' returned nothing/, 'logged';
};

my $multipart = <<'END';
From: a@example
Subject: SUBJECT
Content-Type: multipart/mixed; boundary=b

--b

text
--b
Content-Type: text/plain; name="NAME"

body
--b--
END

sub message ($subject, $name) {
    return $multipart =~ s/SUBJECT/$subject/r =~ s/NAME/$name/r;
}

sub scan ($subject, $name) {
    my $dir = work_dir(
        $worker->{spool},
        message($subject, $name),
        COMMANDS => commands($subject)
    );
    my $answer = asked("scan Q1 $dir");
    return ($answer, get("$dir/RESULTS") // '', get("$dir/NEWBODY") // '');
}

sub commands ($subject) {
    my $encoded = $subject =~ s/ /%20/gr;
    return <<"END";
S<from\@example.com>
sSIZE=100
sSMTPUTF8
=client_port 4321
=if_addr 192.0.2.9
QQ1
Hhost.example
I192.0.2.1
Ehelo.example
R<to\@example.net> esmtp mx.example.net to\@example.net
rNOTIFY=NEVER
U$encoded
X<id\@example>
F
END
}

subtest 'sender, recipient, and notes for the scan' => sub {
    my $dir = work_dir(
        $worker->{spool},
        message('hello', 'a.txt'),
        COMMANDS => commands('hello')
    );
    is asked(
        "senderok <from\@example.com> 192.0.2.1 host.example helo.example $dir Q1 SIZE=100"
        ),
        'ok 1 ok 250 2.1.0 0', 'sender';
    is asked(
        "recipok <to\@example.net> <from\@example.com> 192.0.2.1 host.example <first\@example.net> helo.example $dir Q1 esmtp mx to NOTIFY=NEVER"
        ),
        'ok 1 ok 250 2.1.0 0', 'recipient';
    is asked(
        "recipok <none\@example.net> <from\@example.com> 192.0.2.1 host.example <first\@example.net> helo.example $dir Q1 esmtp mx to"
        ),
        'ok 0 No%20<none@example.net> 554 5.7.1 0', 'another';
    is asked("scan Q1 $dir"), 'ok', 'scan';
    my $results = Mail::MIMEDefang::percent_decode(get("$dir/RESULTS"));
    like $results,
        qr/X-sender sender sender=<from\@example.com> ip=192.0.2.1 hostname=host.example helo=helo.example\n/,
        'sender knows';
    like $results, qr/X-Macro 4321 undef\n/, 'macros';
    like $results,
        qr/X-recipient recipient recipient=<to\@example.net> first_recipient=<first\@example.net> sender=<from\@example.com> recipients=<to\@example.net>,<to\@example.net> mailer=esmtp,mx.example.net,to\@example.net esmtp_args=NOTIFY,NEVER\n/,
        'recipient knows';
    like $results,
        qr/X-begin begin ip=192.0.2.1 hostname=host.example real_hostname=host.example port=4321 my_ip=192.0.2.9 sender=<from\@example.com> recipients=<to\@example.net> recipient=<to\@example.net> subject=hello message_id=<id\@example> queue_id=Q1 is_suspicious=0 was_resent=0 virus_name= type=undef esmtp_args=SIZE,100,SMTPUTF8,1\n/,
        'begin knows';
    like $results, qr/X-Size 100\n/, 'what the sender left';
    like $results,
        qr/X-For esmtp mx.example.net to\@example.net NOTIFY NEVER\n/,
        'of a recipient';
    like $results,
        qr/X-part part file_name=a.txt extension=.txt type=text\/plain\n/,
        'a part';
    like $results, qr/X-Parts 2\n/, 'privdata';
};

subtest 'the message' => sub {
    my ($answer, $results) = scan('reject', 'x');
    like $results, qr/^B554 5\.7\.1 No%20such%20thing$/m, 'reject';
    like $results, qr/^HX-Size unknown$/m,                'nothing was left';
    (undef, $results) = scan('later', 'x');
    like $results, qr/^T451 4\.3\.0 Try%20again%20later$/m, 'tempfail';
    (undef, $results) = scan('discard', 'x');
    like $results, qr/^D$/m, 'discard';
    ($answer) = scan('wrong kind', 'x');
    like $answer, qr/\Aerror: .*handler 'begin' returned .*no response/,
        'a disposition';
};

subtest 'parts' => sub {
    for (
        [ drop    => qr/\Atext\z/,   'dropped' ],
        [ warn    => qr/^dropped$/m, 'with a warning' ],
        [ beware  => qr/^beware$/m,  'kept with a warning' ],
        [ replace => qr/^instead$/m, 'replaced' ],
        [ keep    => qr/^kept$/m,    'quarantined' ],
        )
    {
        my ($name, $want, $what) = @$_;
        my (undef, undef, $body) = scan('x', $name);
        like $body =~ s/^Content-Type: text\/plain\n//mr, $want, $what;
    }
    my ($answer) = scan('x', 'no text');
    like $answer, qr/\Aerror: .*replace_part needs a text/, 'a text is missing';
    my (undef, $results, $body) = scan('x', 'other');
    is $body, '', 'nothing was said: it stays';
    like $results, qr/^HX-Parts 2$/m, 'privdata is new for each message';
};

subtest 'what cannot be registered' => sub {
    ok !eval {
        on(nothing => sub { });
        1;
    }, 'no such handler';
    like $@, qr/no handler 'nothing': begin end helo multipart part/,
        'says which';
    ok !eval { on(begin => 'name'); 1 }, 'no code';
    like $@, qr/'begin' is no code/, 'says so';
    sub filter_end {return}
    ok !eval {
        on(end => sub { });
        1;
    }, 'both styles for one callback';
    like $@, qr/filter_end is defined already/, 'says so';
    my $response = Mail::MIMEDefang::Context::Response->new('DISCARD', "a\0b");
    is_deeply [ $response->as_list ], [ 'DISCARD', 'a b', '250', '2.1.0', 0 ],
        'as_list';
    is $response->verdict, 'DISCARD', 'verdict';
    for (
        [ DISCARD  => code  => 554 ],
        [ TEMPFAIL => dsn   => '5.1.1' ],
        [ REJECT   => delay => 'x' ],
        [ REJECT   => cod   => 554 ]
        )
    {
        my ($verdict, @with) = @$_;
        ok !eval {
            Mail::MIMEDefang::Context::Response->new($verdict, '', @with);
            1;
        }, "@$_";
    }
};

is(($worker->stop)[0], 0, 'the worker ends in peace');
done_testing;
