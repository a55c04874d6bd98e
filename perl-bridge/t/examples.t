# SPDX-License-Identifier: MIT
# The filters of docs/examples/filters do what they say.  Scanners, databases and
# keys are stand-ins that are defined before the filter is loaded.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(get run_program start work_dir);
use Test::More;

my $folder = "$FindBin::Bin/../../docs/examples/filters";

# A worker with an example and what stands in for others.
sub with_example ($name, $stand_ins = '') {
    return start("BEGIN { $stand_ins }\n"
            . get("$folder/$name")
            . '$PrivateMyHostName = "mx.example"; $ClamdSock = "/none";');
}

sub message ($name, %with) {
    my $from    = $with{from}    // 'a@example.com';
    my $subject = $with{subject} // 'x';
    return <<"END";
From: $from
Subject: $subject
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

hello
--b
Content-Type: application/octet-stream; name="$name"

body
--b--
END
}

# The answer, and the decoded RESULTS and NEWBODY.
sub scan ($worker, $message, $commands = undef) {
    my $dir = work_dir($worker->{spool}, $message,
        $commands ? (COMMANDS => $commands) : ());
    my $answer = $worker->ask("scan QID1 $dir");
    my $results
        = (get("$dir/RESULTS") // '') =~ s/%([0-9A-F]{2})/chr hex $1/ger;
    return ($answer, $results, get("$dir/NEWBODY") // '');
}

sub commands ($rcpt, @more) {
    return join "\n", 'S<from@example.com>', @more, 'QQID1', 'Hhost.example',
        'I198.51.100.7', 'Ehelo.example', "R$rcpt esmtp mx to", 'Ux',
        'X<id@x>', "F\n";
}

for my $name (map {s{.*/}{}r} glob "$folder/*") {
    my ($status, $out, $err) = run_program('-f', "$folder/$name", '-test');
    is $status, 0, "$name compiles" or diag $err;
}

subtest 'minimum' => sub {
    my $w = with_example('minimum');
    my ($answer, $results) = scan($w, message('a.exe'));
    is $answer, 'ok', 'answered';
    like $results, qr/^B554 5\.7\.1 Attachments like 'a\.exe' are not/m,
        'refuses a program';
    (undef, $results) = scan($w, message('a.exe.txt'));
    is $results, "F\n", 'and nothing else';
    (undef, $results)
        = scan($w, message('x') =~ s{multipart/mixed}{$&; name="a.js"}r);
    is $results, "F\n", 'the top has no name that counts';
};

my $scanners = <<'END';
    sub message_contains_virus {
        my $text = do { local (@ARGV, $/) = ('INPUTMSG'); <> };
        return (999, 'cannot-execute', 'tempfail') if $text =~ /no scanner/;
        return (0, 'ok', 'ok') if $text !~ /EICAR/;
        $main::VirusName = 'Eicar-Test';
        return (1, 'virus', 'quarantine');
    }
    sub spam_assassin_check {
        my $text = do { local (@ARGV, $/) = ('INPUTMSG'); <> };
        my ($n) = $text =~ /points=([-\d.]+)/;
        return ($n // 0, 5, 'TEST_A,TEST_B', "report\n");
    }
    sub md_copy_orig_msg_to_work_dir { return 1 }
END

subtest 'gateway' => sub {
    my $w = with_example('gateway', $scanners);
    is $w->ask('senderok <a@x> 192.0.2.1 h MX.example ' . $w->{spool} . ' Q'),
        'ok 0 HELO%20must%20not%20be%20our%20own%20name 554 5.7.1 0',
        'our own name as HELO';
    is $w->ask('senderok <a@x> 127.0.0.1 h mx.example ' . $w->{spool} . ' Q'),
        'ok 1 ok 250 2.1.0 0', 'which we may use';
    my (undef, $results, $body) = scan($w, message('a.txt'));
    is $results, "IX-Spam-Score 1 0 () TEST_A,TEST_B\nF\n", 'clean';
    (undef, $results)
        = scan($w, "X-Spam-Flag: YES\n" . message('a.txt'));
    like $results, qr/^JX-Spam-Flag 1$/m, 'marks of others go';
    (undef, $results) = scan($w, message('a.txt', subject => 'points=7.2'));
    like $results, qr/^IX-Spam-Score 1 7\.2 \(\*{7}\) TEST_A,TEST_B$/m, 'spam';
    like $results, qr/^IX-Spam-Flag 1 YES$/m, 'is marked';
    (undef, $results) = scan($w, message('a.txt', subject => 'points=-3'));
    like $results, qr/^IX-Spam-Score 1 -3 \(\) /m, 'less than nothing';
    (undef, $results) = scan($w, message('a.txt', subject => 'points=99'));
    like $results,   qr/^B554 5\.7\.1 This looks like spam$/m, 'bad spam';
    unlike $results, qr/^I/m, 'is only refused';
    (undef, $results) = scan($w, message('a.txt', subject => 'EICAR'));
    like $results, qr/^B554 5\.7\.1 Virus Eicar-Test found$/m, 'a virus';
    (undef, $results) = scan($w, message('a.txt', subject => 'no scanner'));
    like $results, qr/^T451 4\.3\.0 Virus scanner is not/m, 'no scanner';
    (undef, $results, $body) = scan($w, message('a.exe'));
    like $body, qr/The attachment 'a\.exe' was removed/, 'a program';
    (undef, $results)
        = scan($w,
        message('a.txt', subject => 'points=99') . ('x' x 80 . "\n") x 7000);
    is $results, "F\n", 'too large to be looked at';
    $w->stderr;
};

subtest 'gateway without a clamd' => sub {
    my $w = with_example('gateway',
        'sub spam_assassin_check { return (0, 5, "", "") }');
    my (undef, $results) = scan($w, message('a.txt'));
    like $results, qr/^T451 4\.3\.0 Virus scanner is not available$/m,
        'mail has to wait';
    like $w->stderr, qr/No virus scan: cannot-execute/, 'and it is logged';
};

subtest 'dkim-signing' => sub {
    my $w = with_example('dkim-signing', <<'END');
        $INC{'Mail/MIMEDefang/DKIM.pm'} = 1;
        sub md_dkim_sign {
            my @args = @_;
            return if $args[0] =~ /example\.org/;
            return ('DKIM-Signature', join ' ', @args);
        }
END
    my $ours = commands('<to@x>', '=auth_authen joe');
    my $sign = sub ($from, $commands) {
        my (undef, $results)
            = scan($w, message('a.txt', from => $from), $commands);
        return $results;
    };
    is $sign->('Joe <joe@Example.com>', $ours),
        "NDKIM-Signature 0 /etc/mail/dkim/example.com.pem rsa-sha256 relaxed/relaxed example.com mail2026\nF\n",
        'mail of ours is signed';
    is $sign->('joe@example.com', commands('<to@x>')), "F\n",
        'that of others is not';
    is $sign->(
        'joe@example.com', commands('<to@x>') =~ s/198\.51\.100\.7/192.0.2.77/r
        ),
        "NDKIM-Signature 0 /etc/mail/dkim/example.com.pem rsa-sha256 relaxed/relaxed example.com mail2026\nF\n",
        'a network of ours';
    is $sign->('joe@example.net', $ours), "F\n", 'a domain without a key';
    is $sign->('nobody',          $ours), "F\n", 'no domain';
    like $sign->('joe@example.org', $ours),
        qr/^T451 4\.3\.0 Cannot sign the message$/m, 'no signature: later';
};

subtest 'greylisting' => sub {
    my $w = with_example('greylisting', <<'END');
        no warnings 'redefine';
        sub action_greylist {
            my ($dbh, $sender, $recipient, $ip, $min, $max) = @_;
            die "no database\n" if $sender eq '<dies@x>';
            return $main::seen{"$sender $recipient $ip $min $max"}++
                ? 'continue' : 'tempfail';
        }
END
    my $asked = sub ($rcpt, $ip, $sender = '<a@x>', @more) {
        my $dir = work_dir($w->{spool}, message('a'),
            COMMANDS => join("\n", @more, "F\n"));
        return $w->ask(
            "recipok $rcpt $sender $ip name $rcpt helo $dir Q esmtp mx to");
    };
    my $later = 'ok -1 Greylisted,%20please%20try%20again%20later 451 4.7.1 0';
    my $go_on = 'ok 1 ok 250 2.1.0 0';
    is $asked->('<b@x>', '198.51.100.7'), $later, 'at first';
    is $asked->('<b@x>', '198.51.100.7'), $go_on, 'when it comes again';
    is $asked->('<c@x>', '198.51.100.7'), $later, 'another recipient';
    is $asked->('<d@x>', '192.0.2.200'),  $go_on, 'a network';
    is $asked->('<Postmaster@example.com>', '198.51.100.7'), $go_on,
        'postmaster';
    is $asked->('<e@x>', '198.51.100.7', '<a@x>', '=auth_authen joe'), $go_on,
        'one who has logged in';
    like $asked->('<f@x>', '198.51.100.7', '<dies@x>'), qr/\Aok -1 .* 451 /,
        'no database: later';
    like $w->stderr, qr/filter_recipient died.*no database/, 'and it is logged';
};

my $stream = <<'END';
    no warnings 'redefine';
    sub stream_by_domain {
        ($Mail::MIMEDefang::Globals::Domain) = $main::Recipients[-1] =~ /\@([^>]*)/;
        return 0;
    }
END
for my $name (qw(per-domain per-domain-context)) {
    subtest $name => sub {
        my $w   = with_example($name, $stream);
        my $dir = work_dir($w->{spool}, message('a'),
            COMMANDS =>
                "S<a\@x>\nsSIZE=30000000\nsBODY=8BITMIME\nR<first\@x> a b c\nF\n"
        );
        my $asked = sub ($rcpt) {
            $w->ask(
                "senderok <a\@x> 192.0.2.1 h helo $dir Q SIZE=30000000 BODY=8BITMIME"
            );
            return $w->ask(
                "recipok $rcpt <a\@x> 192.0.2.1 h $rcpt helo $dir Q esmtp mx to"
            );
        };
        is $asked->('<a@example.net>'),
            'ok 0 Message%20too%20large%20for%20this%20domain 552 5.3.4 0',
            'too large';
        is $asked->('<a@EXAMPLE.org>'), 'ok 1 ok 250 2.1.0 0',
            'large enough there';
        my $scanned = sub ($rcpt, $file) {
            my (undef, @files) = scan($w, message($file), commands($rcpt));
            return @files;
        };
        my ($results, $body) = $scanned->('<a@example.com>', 'a.exe');
        like $results, qr/^B554 5\.7\.1 No programs, please: a\.exe$/m,
            'refused';
        (undef, $body) = $scanned->('<a@example.com>', 'a.txt');
        like $body, qr/^hello\n--\nExample Inc\./m, 'a footer';
        (undef, $body) = $scanned->('<a@example.net>', 'a.exe');
        like $body,   qr/'a\.exe' was removed/, 'removed';
        unlike $body, qr/Example Inc/,          'no footer';
        ($results, $body) = $scanned->('<a@example.org>', 'a.exe');
        is $results, "F\n", 'accepted';
    };
}
done_testing;
