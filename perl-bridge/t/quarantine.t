# SPDX-License-Identifier: MIT
# The quarantine, and the mail that the bridge sends: the stand-in for sendmail
# appends its arguments and its input to the file "sent" of the directory.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(get put spool start_scripted);
use Test::More;

my $DATE = 'Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [-+]\d{4}';

# TEXT with its date and identifiers made the same always.
sub same ($text) {
    return $text =~ s/^$DATE$/Date: D/mr
        =~ s/^Message-ID: <\d{12}\.[\d.]+@[^>\s]+>$/Message-ID: <N>/mr
        =~ s/=_[\w.]+/B/gr;
}

my $quarantine = spool();
my $w     = start_scripted(env => { MIMEDEFANG_QUARANTINEDIR => $quarantine });
my $MIXED = <<'END';
Subject: x
 y
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b

hello
--b
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

AAEC
--b--
END

# The directory that CODE (in filter_end, after filter) made.
sub made (%code) {
    my ($answer, $dir) = $w->scan($MIXED, %code);
    my ($made) = get("$dir/made") // '';
    return ($made, $dir);
}
my $SAY = 'open my $f, ">", "made"; print $f get_quarantine_dir(); close $f;';
my $EXE = 'action_quarantine($_[0], "was bad") if $_[3] !~ /text/;';

subtest 'a part' => sub {
    my ($q) = made(filter => $EXE, filter_end => $SAY);
    like(
        $q,
        qr{^\Q$quarantine\E/\d{4}-\d\d-\d\d-\d\d/qdir-\d{4}-\d\d-\d\d-\d\d\.\d\d\.\d\d-001$},
        'directory'
    );
    is_deeply(
        [ sort map {s{.*/}{}r} glob "$q/*" ],
        [
            qw(HEADERS MSG.1 PART.1.BODY PART.1.HEADERS RECIPIENTS SENDER SENDMAIL-QID)
        ],
        'files'
    );
    is(get("$q/SENDER"),       "<from\@example.com>\n", 'SENDER');
    is(get("$q/SENDMAIL-QID"), "QID1\n",                'SENDMAIL-QID');
    is(get("$q/RECIPIENTS"),   "<to\@example.net>\n",   'RECIPIENTS');
    is(get("$q/MSG.1"),        "was bad\n",             'MSG.1');
    is(get("$q/PART.1.BODY"),  "\0\1\2",                'PART.1.BODY');
    is(
        get("$q/PART.1.HEADERS"),
        "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n",
        'PART.1.HEADERS'
    );
    like(get("$q/HEADERS"), qr/^Subject: x y\n/, 'HEADERS');
    is((stat $q)[2] & 07777, 0750 & ~umask, 'mode');
};

subtest 'the message' => sub {
    my ($q, $dir) = made(
        filter_begin => 'action_quarantine_entire_message("why") for 1, 2',
        filter       => $EXE,
        filter_end   => $SAY
            . 'md_syslog("info", $Actions{quarantine_entire_message})'
    );
    is(get("$q/ENTIRE_MESSAGE"), $MIXED,      'ENTIRE_MESSAGE');
    is(get("$q/MSG.0"),          "why\n",     'MSG.0');
    is(get("$q/MSG.1"),          "was bad\n", 'MSG.1 of a part beside it');
    like($w->stderr,          qr/^info: QID1: 1$/m, 'once');
    like(get("$dir/RESULTS"), qr/^C\nF\n\z/m,       'delivered');
};

subtest 'several in one second, edits, failures' => sub {
    my @dirs = map { (made(filter_end => $SAY))[0] } 1 .. 3;
    my %seen;
    is((grep { !$seen{$_}++ } @dirs), 3, 'each has its own');

    my ($q) = made(
        filter => $EXE
            . 'my $p = $_[0]->bodyhandle->path; open my $f, ">", $p; print $f "new"',
        filter_end => $SAY
    );
    is(get("$q/PART.1.BODY"), "\0\1\2",
        'what the filter does later is not seen');

    ($q, my $dir) = made(
        filter_begin => '$Features{"Path:QUARANTINEDIR"} = "/nonexistent"',
        filter       => 'md_syslog("info", action_quarantine($_[0], "w"))',
        filter_end => $SAY . "\$Features{'Path:QUARANTINEDIR'} = '$quarantine'"
    );
    is($q, '', 'no directory');
    like(
        $w->stderr,
        qr/^err: QID1: Cannot make a quarantine directory in .*\ninfo: QID1: 0$/m,
        'is logged'
    );
    like(get("$dir/NEWBODY"), qr/\nw\n/, 'the part is taken out nevertheless');
};

subtest 'report' => sub {
    my ($q, $dir) = made(
        filter     => $EXE,
        filter_end => "$SAY send_quarantine_notifications()"
    );
    my ($args, $mail) = split /\n/, get("$dir/sent"), 2;
    like(
        $args,
        qr/ -fmailer-daemon\@localhost -FMIMEDefang -odd -Ac -oi -- postmaster\@localhost$/,
        'arguments'
    );
    like(
        $mail,
        qr/\AFrom: "MIMEDefang" <mailer-daemon\@localhost>\nTo: "MIMEDefang Administrator" <postmaster\@localhost>\nSubject: MIMEDefang Quarantine Report\n/,
        'header'
    );
    (my $text = $mail) =~ s/=\n//g;
    like($text, qr/^One part went to quarantine in\n\Q$q\E\n/m, 'directory');
    like($text, qr/^\Q$_\E$/m,                                  $_)
        for 'Sender: <from@example.com>', 'Queue-ID: QID1',
        'Relay: host.example.com [192.0.2.1]',
        'Recipient: <to@example.net>', 'was bad', 'Subject: x y',
        'Content-Type: application/octet-stream';
    ($q, $dir) = made(filter_end => 'send_quarantine_notifications()');
    is(get("$dir/sent"), undef, 'nothing to report');
};

subtest 'notes' => sub {
    my $note
        = 'action_notify_sender("to you\n"); action_notify_administrator("to him \x{20ac}\n")';
    my (undef, $dir) = made(filter_end => "$note; $note; \$w = 1");
    my @mails = split /^\S+(?= -f)/m, get("$dir/sent");
    is(same($mails[1]), <<'END', 'to the sender');
 -fmailer-daemon@localhost -FMIMEDefang -odd -Ac -oi -- <from@example.com>
From: "MIMEDefang" <mailer-daemon@localhost>
To: <from@example.com>
Subject: MIMEDefang Notification
Date: D
Message-ID: <N>
Auto-Submitted: auto-generated
Precedence: bulk
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

The mail filter changed a message that you sent:

Message-ID: <id@example.com>
Recipients: <to@example.net>

This is what it says:

to you
to you
END
    like(
        $mails[2],
        qr/^To: "MIMEDefang Administrator" <postmaster\@localhost>\nSubject: MIMEDefang Notification\n.*\n\nto him =E2=82=AC\nto him =E2=82=AC\n\z/ms,
        'to the administrator'
    );
    is(get("$dir/RESULTS"), "F\n", 'RESULTS');

    (undef, $dir) = made(
        filter_begin =>
            '$NotifyNoPreamble = 1; $VirusName = "x"; action_notify_sender("a")',
        filter_end =>
            '$VirusName = ""; action_notify_sender("b\n"); action_bounce()',
        filter_wrapup => '$NotifyNoPreamble = 0'
    );
    like(get("$dir/sent"), qr/\n\nb\n\z/,
        'no preamble; not about a virus; sent when refused too');
    (undef, $dir)
        = made(filter_begin => '$Sender = "<>"; action_notify_sender("a")');
    is(get("$dir/sent"), undef, 'never to an empty sender');

    $w->stderr;
    (undef, $dir)
        = made(filter_end =>
            '$Features{"Path:SENDMAIL"} = "/nonexistent"; action_notify_administrator("a")'
        );
    is(get("$dir/RESULTS"), "F\n", 'no sendmail: the message goes on');
    like(
        $w->stderr,
        qr{^err: QID1: /nonexistent did not take the mail to postmaster\@localhost: cannot run /nonexistent: No such file or directory$}m,
        'logged'
    );

    my $rest = '$Features{"Path:SENDMAIL"} = "%s"; send_admin_mail("a", "b")';
    for (
        [ "#!/bin/sh\nexec true\n",          'it did not read the whole mail' ],
        [ "#!/bin/sh\necho full; exit 75\n", 'exit status 75: full' ],
        [ "#!/bin/sh\nkill -9 \$\$\n",       'signal 9' ]
        )
    {
        my ($script, $why) = @$_;
        my $program = put("$dir/refuses", $script);
        chmod 0755, $program;
        $w->scan("a: b\n\nc\n", filter_end => sprintf $rest, $program);
        like(
            $w->stderr,
            qr{^err: QID1: \Q$program\E did not take the mail to postmaster\@localhost: $why$}m,
            "does not read: $why"
        );
    }
};

subtest 'other mail' => sub {
    my $spool = spool();
    put("$spool/code.filter_tick",
        'send_mail(q{a@b}, q{A "b"}, q{c@d}, "Subject: x\n\ny\n", "-odq");'
            . ' send_mail("", "", q{<c@d>;rm}, "z\n", "-bad");'
            . ' action_notify_administrator("now\n");'
            . ' send_multipart_mail(q{a@b}, "A", q{c@d}, "S\nX: y", "text", "<p>", { "X-E" => "e" })'
    );
    my $t = start_scripted(spool => $spool);
    is($t->ask('tick 1'), 'tock 1', 'tick');
    my @mails = split /^\S+(?= -f)/m, get("$spool/sent");
    is($mails[1], " -fa\@b -FA \"b\" -odq -Ac -oi -- c\@d\nSubject: x\n\ny\n",
        'send_mail');
    is(
        $mails[2],
        " -f<> -odd -Ac -oi -- <c\@d>;rm\nz\n",
        'empty sender, bad mode, no shell'
    );
    like($mails[3], qr/\n\nnow\n\z/, 'outside of a message at once');
    is(same($mails[4]), <<'END', 'send_multipart_mail');
 -fa@b -FA -odd -Ac -oi -- c@d
From: "A" <a@b>
To: c@d
Subject: S X: y
Date: D
Message-ID: <N>
Auto-Submitted: auto-generated
Precedence: bulk
X-E: e
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="B"

--B
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

text=

--B
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>=

--B--
END
};

subtest 'names and subjects that are not ASCII' => sub {
    my (undef, $dir)
        = made(filter_begin =>
              '$Features{"Path:SENDMAIL"} = $ENV{MIMEDEFANG_SENDMAIL};'
            . ' ($AdminName, $DaemonName) = ("J\xc3\xb6rg", q{a "b"});'
            . ' send_admin_mail("\x{20ac}\n", "x");'
            . ' send_multipart_mail(q{a@b}, "\x{20ac}", q{c@d}, "s", "t", "h");'
            . ' send_multipart_mail(q{a@b}, "", q{c@d}, "s", "t", "h");'
            . ' send_multipart_mail("", "", q{c@d}, "s", "t", "h");'
            . ' ($AdminName, $DaemonName) = qw(admin daemon)');
    my @lines = grep {/^(?:From|To|Subject): /} split /\n/, get("$dir/sent");
    is_deeply(
        \@lines,
        [
            'From: a "b" <mailer-daemon@localhost>',
            'To: =?UTF-8?Q?J=C3=B6rg?= <postmaster@localhost>',
            'Subject: =?UTF-8?Q?=E2=82=AC?=',
            'From: =?UTF-8?Q?=E2=82=AC?= <a@b>',
            'To: c@d',
            'Subject: s',
            'From: <a@b>',
            'To: c@d',
            'Subject: s',
        ],
        'are encoded'
    );
    like($w->stderr,
        qr/^warning: QID1: send_multipart_mail called without a sender$/m,
        'no sender');
};

done_testing;
