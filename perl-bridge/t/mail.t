# SPDX-License-Identifier: MIT
# Resending the message, printing it, copies of it for virus scanners, the site's
# validation header.  The stand-in for sendmail writes down its arguments, one a
# line, and its input.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(get put spool start_scripted);
use Test::More;

my $bin      = spool();
my $sendmail = put("$bin/sendmail", <<'END');
#!/bin/sh
{ printf '[%s]\n' "$@"; echo; cat; } >> sent
case $* in *refused*) echo "no such user"; exit 67 ;; esac
END
chmod 0755, $sendmail;
my $w       = start_scripted(env => { MIMEDEFANG_SENDMAIL => $sendmail });
my $MESSAGE = "Subject: x\n\nhello\n.\n\xe4\0\r\n";

# What filter_begin's CODE returns, and what sendmail got.
sub resend ($code) {
    my ($answer, $dir)
        = $w->scan($MESSAGE,
        filter_begin => "my \@r = do { $code }; md_syslog('info', qq{<\@r>})");
    my $log  = $w->stderr;
    my ($r)  = $log =~ /^info: QID1: <(.*)>$/m;
    my $sent = get("$dir/sent") // '';
    $sent =~ s/\bby \S+ \(/by HOST (/;
    $sent =~ s/; \w{3}, \d\d \w{3} \d{4} [\d:]{8} [-+]\d{4}$/; DATE/m;
    return ($r, $sent, $log =~ s/^(?:debug|info):.*\n//mgr);
}
my $RECEIVED = <<'END';
Received: from helo.example.com (host.example.com [192.0.2.1])
	by HOST (envelope-sender <from@example.com>) (MIMEDefang) with ESMTP id QID1
	for <to@example.net>; DATE
END
my $ARGS = "[-f<from\@example.com>]\n[%s]\n[-Ac]\n[-oi]\n[--]\n";

subtest 'resend_message and the others' => sub {
    for (
        [ 'resend_message(q{<a@b>}, q{c; rm})', '-odd', "[<a\@b>]\n[c; rm]\n" ],
        [ 'resend_message_one_recipient(q{<a@b>})', '-odd', "[<a\@b>]\n" ],
        [
            'resend_message_one_recipient(q{<a@b>}, "-odq")', '-odq',
            "[<a\@b>]\n"
        ],
        [
            'resend_message_specifying_mode("-odi", [q{<a@b>}, q{-x}])',
            '-odi', "[<a\@b>]\n[-x]\n"
        ],
        [
            'resend_message_specifying_mode("-bs", [q{<a@b>}])', '-odd',
            "[<a\@b>]\n"
        ],
        )
    {
        my ($code, $mode, $to) = @{$_};
        my ($r, $sent) = resend($code);
        is($r,    1, "$code returns 1");
        is($sent, sprintf($ARGS, $mode) . "$to\n$RECEIVED$MESSAGE", 'sent');
    }
    my ($r, $sent)
        = resend('$ValidateIPHeader = "X-MIMEDefang-Relay-k";'
            . ' $RelayAddr = "192.0.2.9"; resend_message("a")');
    like(
        $sent,
        qr/\n\nX-MIMEDefang-Relay-k: 192\.0\.2\.9\nReceived: /,
        'with the validation header in front'
    );
    resend('$ValidateIPHeader = ""');
    ($r, $sent) = resend('$Sender = ""; resend_message("a")');
    like($sent, qr/\A\[-f<>\]\n/, 'empty sender');
};

subtest 'failures of resend_message' => sub {
    my $cannot = 'err: QID1: Cannot send the message again';
    for (
        [
            'resend_message("refused")',
            "$cannot to refused: exit status 67: no such user\n"
        ],
        [ 'resend_message()', "$cannot to : no recipients\n" ],
        [
            'unlink "INPUTMSG"; resend_message("a")',
            "$cannot: cannot open INPUTMSG: No such file or directory\n"
        ],
        [
            'my $old = $Features{"Path:SENDMAIL"};'
                . ' $Features{"Path:SENDMAIL"} = "/nonexistent";'
                . ' my $r = resend_message("a");'
                . ' $Features{"Path:SENDMAIL"} = $old; $r',
            "$cannot to a: cannot run /nonexistent: No such file or directory\n"
        ],
        )
    {
        my ($code, $want) = @{$_};
        my ($r, undef, $log) = resend($code);
        is($r,   0,     "$code returns 0");
        is($log, $want, 'and logs');
    }
    for my $call (
        'resend_message("a")',
        'resend_message_one_recipient("a")',
        'resend_message_specifying_mode("-odd", ["a"])',
        'stream_by_domain()',
        'stream_by_recipient()',
        'md_copy_orig_msg_to_work_dir()',
        'md_copy_orig_msg_to_work_dir_as_mbox_file()'
        )
    {
        my ($r, $sent, $log)
            = resend("\$InMessageContext = 0; my \$r = $call;"
                . ' $InMessageContext = 1; $r');
        my ($name) = $call =~ /^(\w+)/;
        is("$r $sent", '0 ', "$call outside of a message");
        is($log, "warning: QID1: $name called outside of message context\n",
            'is logged');
    }
};

my $NESTED = <<'END';
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=c

--c

no end of line
--c
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>h=C3=A9</p>

--c--
--b
Content-Type: message/rfc822

Subject: inner

first
second

--b
Content-Type: application/x-foo; name="=?utf-8?q?=C3=A9=2Edat?="

data
--b--
END

subtest 'pretty_print_mail' => sub {
    my $print = sub ($size) {
        my ($answer, $dir) = $w->scan($NESTED,
            filter_begin => 'open my $f, ">:raw", "printed";'
                . " print {\$f} pretty_print_mail(\$_[0]$size)");
        return get("$dir/printed");
    };
    my $start = <<"END" =~ s/\n\z//r;

[Part: multipart/mixed]


  [Part: multipart/alternative]


    [Part: text/plain]

no end of line
END
    my $html = <<"END";

    [Part: text/html]

<p>h\xc3\xa9</p>
END
    my $inner = <<"END";

  [Part: message/rfc822]


    [Part: text/plain]

first
END
    is($print->(''), <<"END", 'whole');
$start$html${inner}second

  [Part: application/x-foo; filename=\xc3\xa9.dat]

END
    is($print->(', 0'),   $start,              'ends at once');
    is($print->(', 134'), $start . $html,      'after the line at SIZE');
    is($print->(', 190'), "$start$html$inner", 'in the middle of a part');

    my ($answer, $dir) = $w->scan(
        "a: b\n\n" . 'x' x 5000,
        filter_begin =>
            'md_syslog("info", length pretty_print_mail($_[0], 60))'
    );
    is($w->stderr, "info: QID1: 1049\n", 'a very long line');
};

subtest 'md_copy_orig_msg_to_work_dir and as mbox' => sub {
    my ($answer, $dir) = $w->scan($MESSAGE,
        filter_begin => 'md_syslog("info", md_copy_orig_msg_to_work_dir()'
            . ' . md_copy_orig_msg_to_work_dir_as_mbox_file())');
    is($w->stderr,                "info: QID1: 11\n", 'both return 1');
    is(get("$dir/Work/INPUTMSG"), $MESSAGE,           'Work/INPUTMSG');
    like(
        get("$dir/Work/INPUTMBOX"),
        qr/\AFrom from\@example\.com \w{3}, \d\d \w{3} \d{4} [\d:]{8} [-+]\d{4}\n\Q$MESSAGE\E\z/,
        'Work/INPUTMBOX'
    );
    ($answer, $dir) = $w->scan($MESSAGE,
              filter_begin => '$Sender = "<>"; unlink "INPUTMSG";'
            . ' md_syslog("info", md_copy_orig_msg_to_work_dir()'
            . ' . md_copy_orig_msg_to_work_dir_as_mbox_file())');
    like(
        $w->stderr,
        qr/\Aerr: QID1: Cannot copy INPUTMSG to Work\/INPUTMSG: .*\nerr: QID1: Cannot append INPUTMSG to Work\/INPUTMBOX: .*\ninfo: QID1: 00\n\z/,
        'both return 0'
    );
    is(get("$dir/Work/INPUTMBOX"), undef, 'no half of it');
    ($answer, $dir) = $w->scan($MESSAGE,
        filter_begin => '$Sender = "<>";'
            . ' md_copy_orig_msg_to_work_dir_as_mbox_file()');
    like(get("$dir/Work/INPUTMBOX"), qr/\AFrom MAILER-DAEMON /, 'empty sender');
};

subtest 'add_ip_validation_header, delete_ip_validation_header' => sub {
    my $both = 'md_syslog("info", add_ip_validation_header()'
        . ' . delete_ip_validation_header())';
    my ($answer, $dir) = $w->scan($MESSAGE, filter_begin => $both);
    like(
        $w->stderr,
        qr{\Awarning: QID1: add_ip_validation_header: no header is named in /\S+/mimedefang-ip-key\nwarning: QID1: delete_ip_validation_header: .*\ninfo: QID1: 00\n\z},
        'no key'
    );
    is(get("$dir/RESULTS"), "F\n", 'nothing done');
    ($answer, $dir) = $w->scan(
        "X-MIMEDefang-Relay-k: a\nX-MIMEDefang-Relay-k: b\n\nc\n",
        filter_begin => '$ValidateIPHeader = "X-MIMEDefang-Relay-k";'
            . " \$RelayAddr = '192.0.2.9'; $both; \$ValidateIPHeader = ''"
    );
    is($w->stderr,          "info: QID1: 11\n", 'both return 1');
    is(get("$dir/RESULTS"), <<'END',            'one added, all deleted');
HX-MIMEDefang-Relay-k 192.0.2.9
JX-MIMEDefang-Relay-k 2
JX-MIMEDefang-Relay-k 1
F
END
};

done_testing;
