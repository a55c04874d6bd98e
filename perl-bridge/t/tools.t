# SPDX-License-Identifier: MIT
# The programs mimedefang-util and mimedefang-release.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge     qw(get put spool);
use IPC::Open3 qw(open3);
use MIME::Parser;
use SmtpServer qw(say_it smtp_server);
use Test::More;

my $bin = "$FindBin::Bin/../bin";
my $dir = spool();
chdir $dir or die;

# (exit status, standard output, standard error)
sub run ($input, $program, @arguments) {
    open my $in,  '<', put("$dir/in", $input) or die;
    open my $out, '>', "$dir/out"             or die;
    open my $err, '>', "$dir/err"             or die;
    my $pid = open3(
        '<&' . fileno $in,
        '>&' . fileno $out,
        '>&' . fileno $err,
        $^X, "$bin/$program", @arguments
    );
    waitpid $pid, 0;
    return ($? >> 8, get("$dir/out"), get("$dir/err"));
}

my $MESSAGE = <<'END';
From: a@b.example
Subject: =?utf-8?q?h=C3=A4?=
 two
X-Subject: not this
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b"

--b

the text
--b
Content-Type: message/rfc822

Subject: inner

inside
--b
Content-Type: application/octet-stream
Content-Disposition: attachment; filename="=?utf-8?q?=C3=A4.exe?="
Content-Transfer-Encoding: base64

eA==
--b--
END

subtest 'util' => sub {
    my ($status, $out, $err) = run($MESSAGE, 'mimedefang-util', '--structure');
    is("$status$err", 0,       'structure: status');
    is($out,          <<"END", 'structure');
non-leaf: type=multipart/mixed; fname=; disp=
    leaf: type=text/plain; fname=; disp=
    non-leaf: type=message/rfc822; fname=; disp=
        leaf: type=text/plain; fname=; disp=
    leaf: type=application/octet-stream; fname=\xc3\xa4.exe; disp=attachment
END
    ($status, $out) = run($MESSAGE, 'mimedefang-util', '--prettyprint');
    is($status, 0, 'prettyprint: status');
    like(
        $out,
        qr/\AFrom: a\@b.*^X-Subject: not this\n.*^the text\n.*^inside\n/ms,
        'prettyprint: header and texts'
    );
    ($status, $out) = run($MESSAGE, 'mimedefang-util', '--dump');
    is($out =~ s/^(eA==\n)\n/$1/mr, $MESSAGE, 'dump: the same message');
    ($status, $out) = run($MESSAGE, 'mimedefang-util', '--data-dump');
    like($out, qr/\A\$VAR1 = bless\(.*'MIME::Entity' \);\n\z/s, 'data dump');
    ($status, $out) = run('', 'mimedefang-util', '--help');
    like($out, qr/^  --structure /m, 'help');

    for ([], ['--foo'], [ '--dump', '--structure' ], [ '--dump', 'file' ]) {
        ($status, $out, $err) = run('', 'mimedefang-util', @{$_});
        is($status, 2, "@{$_}: wrong options");
        like($err, qr/^Usage: /m, "@{$_}: told");
    }
};

# ---- release -------------------------------------------------------------

my $quarantine = "$ENV{MIMEDEFANG_QUARANTINEDIR}/2026-01-01-00/qdir-1";
mkdir $_ for $quarantine =~ s{/[^/]*\z}{}r, $quarantine;
my $kept = "$MESSAGE\n.\n..dots\nlast line without end";

sub fill (%file) {
    my %default = (
        ENTIRE_MESSAGE => $kept,
        SENDER         => "<s\@s.example>\n",
        RECIPIENTS     => "<one\@r.example>\n<two\@r.example>\n",
        HEADERS        => "From: a\nSubject: kept one\nX-Subject: other\n",
    );
    unlink glob "$quarantine/*";
    my %content = (%default, %file);
    for (sort keys %content) {
        put("$quarantine/$_", $content{$_}) if defined $content{$_};
    }
    return;
}

sub release (@arguments) {
    return run('', 'mimedefang-release', '-d', $quarantine, @arguments);
}

subtest 'release: by SMTP' => sub {
    fill();
    my ($port, $heard) = smtp_server("$dir/heard", 1);
    my ($status, $out, $err) = release('-S', "127.0.0.1:$port");
    is("$status$out$err", 0, 'sent');
    my $talk = $heard->();
    $talk =~ s/^EHLO .*\n//;
    is($talk, <<"END", 'each recipient, message unchanged');
MAIL FROM:<s\@s.example>
RCPT TO:<one\@r.example>
RCPT TO:<two\@r.example>
DATA
$MESSAGE
..
...dots
last line without end
.
QUIT
END
    fill(SENDER => "<>\n", RECIPIENTS => "plain\@r.example\n");
    ($port, $heard) = smtp_server("$dir/heard", 1);
    ($status) = release('-S', "127.0.0.1:$port");
    like(
        $heard->(),
        qr/^MAIL FROM:<>\nRCPT TO:<plain\@r.example>$/m,
        'empty sender, no brackets'
    );
};

subtest 'release: by SMTP, refused' => sub {
    fill();
    my $one = sub ($fh, $line) {
        return say_it($fh,
            $line =~ /one/ ? "550 5.1.1 not here\r\n" : "250 ok\r\n");
    };
    for (
        [ { RCPT => $one }, qr/<?one\@r\.example>?: 550 5\.1\.1 not here/ ],
        [ { RCPT => "550 no\r\n" },    qr/nobody to send it to/ ],
        [ { MAIL => "451 later\r\n" }, qr/sender: 451 later/ ],
        [ { '.'  => "554 virus\r\n" }, qr/message: 554 virus/ ],
        [ { ''   => "554 away\r\n" },  qr/cannot connect to 127/ ],
        )
    {
        my ($answers, $want)  = @{$_};
        my ($port,    $heard) = smtp_server("$dir/heard", 1, %{$answers});
        my ($status, $out, $err) = release('-S', "127.0.0.1:$port");
        is($status, 1, "$want: 1");
        like($err, qr/^mimedefang-release: .*$want/m, "$want: told");
        $heard->(1);
    }
};

subtest 'release: with TLS' => sub {
    plan skip_all => 'needs IO::Socket::SSL'
        if !eval { require IO::Socket::SSL; require IO::Socket::SSL::Utils };
    fill();
    my ($cert, $key)
        = IO::Socket::SSL::Utils::CERT_create(
        subject => { commonName => 'elsewhere.example' });
    my @how = (
        EHLO     => "250-inside.example.com\r\n250 STARTTLS\r\n",
        STARTTLS => sub ($fh, $) {
            say_it($fh, "220 go on\r\n");
            return IO::Socket::SSL->start_SSL(
                $fh,
                SSL_server => 1,
                SSL_cert   => $cert,
                SSL_key    => $key
            ) ? 1 : 0;
        }
    );
    my ($port, $heard) = smtp_server("$dir/heard", 1, @how);
    my ($status, $out, $err) = release('-t', '-S', "127.0.0.1:$port");
    is($status, 1, 'a strange certificate');
    like($err, qr/no TLS: .*verify/i, 'told');
    unlike($heard->(1), qr/MAIL/, 'nothing is sent');
    ($port, $heard) = smtp_server("$dir/heard", 1, @how);
    ($status, $out, $err)
        = release('-t', '--no-verify', '-S', "127.0.0.1:$port");
    is("$status$err", 0, 'as asked');
    like($heard->(), qr/^STARTTLS\nEHLO .*\nMAIL .*^last line/ms, 'inside');
};

# The mails in the order of sending: [arguments, entity].
sub sent {
    my @mails = split m{^(?=\Q$dir\E|/\S*/sendmail -f)}m, get('sent') // '';
    unlink 'sent';
    my $parser = MIME::Parser->new;
    $parser->output_to_core(1);
    $parser->extract_nested_messages(0);
    return map {
        my ($first, $rest) = split /\n/, $_, 2;
        [ $first =~ s/^\S+ //r, $parser->parse_data($rest) ];
    } @mails;
}

subtest 'release: as an attachment' => sub {
    fill();
    unlink 'sent';
    my ($status, $out, $err) = release('-a');
    is("$status$out$err", 0, 'sent');
    my @mails = sent();
    is(scalar @mails, 2, 'one for each recipient');
    is(
        $mails[0][0],
        '-fmailer-daemon@localhost -FMIMEDefang -odd -Ac -oi --'
            . ' one@r.example',
        'sendmail'
    );
    my $head = $mails[0][1]->head;
    is($head->get('Subject'), "kept one\n",         'subject');
    is($head->get('To'),      "<one\@r.example>\n", 'to');
    is($head->get('From'), "\"MIMEDefang\" <mailer-daemon\@localhost>\n",
        'from');
    my $part = $mails[0][1]->parts(1);
    is($part->effective_type,             'message/rfc822',       'attachment');
    is($part->head->recommended_filename, 'released-message.eml', 'its name');
    is($part->bodyhandle->as_string,      $kept,                  'unchanged');

    put("$ENV{MIMEDEFANG_CONFDIR}/mimedefang-filter",
        "\$DaemonAddress = 'd\@d.example'; \$DaemonName = 'D'; 1;\n");
    ($status, $out, $err) = release('-a', '-z', '-s', "new\none");
    is("$status$out$err", 0, 'with the settings of the filter');
    @mails = sent();
    like(
        $mails[1][0],
        qr/^-fd\@d\.example -FD .* two\@r\.example\z/,
        'the address of the site'
    );
    is($mails[1][1]->head->get('Subject'), "new one\n", 'another subject');
    $part = $mails[1][1]->parts(1);
    is($part->head->recommended_filename, 'released-message.zip', 'zip');
    require IO::Uncompress::Unzip;
    my $zip = $part->bodyhandle->as_string;
    IO::Uncompress::Unzip::unzip(\$zip => \my $text);
    is($text, $kept, 'unchanged in the archive');
    ($status)
        = release('-a', '-f', put("$dir/other", "\$DaemonName = 'O'; 1;"));
    like((sent())[0][0], qr/ -FO /, 'settings of another file');
    unlink "$ENV{MIMEDEFANG_CONFDIR}/mimedefang-filter";

    my $broken = put("$dir/broken", "#!/bin/sh\ncat > /dev/null\nexit 75\n");
    chmod 0755, $broken;
    local $ENV{MIMEDEFANG_SENDMAIL} = $broken;
    ($status, $out, $err) = release('-a');
    is($status, 1, 'sendmail fails');
    like(
        $err,
        qr/^mimedefang-release: one\@r\.example: exit status 75$/m,
        'told for each'
    );
};

subtest 'release: where it is' => sub {
    fill();
    my ($port, $heard) = smtp_server("$dir/heard", 1);
    my ($status) = run(
        '',   'mimedefang-release', '-d', '2026-01-01-00/qdir-1',
        '-S', "127.0.0.1:$port"
    );
    is($status, 0, 'below the quarantine');
    $heard->();
    for (
        [ { ENTIRE_MESSAGE => undef }, qr/ENTIRE_MESSAGE: No such file/ ],
        [ { HEADERS        => undef }, qr/HEADERS: No such file/ ],
        [ { RECIPIENTS     => "\n" },  qr/no recipients/ ],
        [ { SENDER         => "<a\@b> SIZE=1\n" }, qr/strange address/ ],
        )
    {
        my ($files, $want) = @{$_};
        fill(%{$files});
        my ($code, $out, $err) = release('-S', '127.0.0.1:1');
        is($code, 1, "$want: 1");
        like($err, $want, "$want: told");
    }
};

subtest 'release: options' => sub {
    fill();
    for (
        [ [],                           qr/either -a or -S/ ],
        [ [ '-a', '-S', 'x' ],          qr/either -a or -S/ ],
        [ [ '-z', '-S', 'x' ],          qr/--zip goes with -a/ ],
        [ [ '-s', 'x', '-S', 'x' ],     qr/--subject goes with -a/ ],
        [ [ '-a', '-t' ],               qr/-t goes with -S/ ],
        [ [ '-S', 'x', '--no-verify' ], qr/--no-verify goes with -t/ ],
        [ [ '-a', 'x' ],                qr/what is 'x'/ ],
        [ ['-q'],                       qr/Unknown option: q/ ],
        )
    {
        my ($arguments, $want) = @{$_};
        my ($status, $out, $err) = release(@{$arguments});
        is($status, 2, "@{$arguments}: 2");
        like(
            $err,
            qr/^mimedefang-release: $want\n?.*^Usage/ms,
            "@{$arguments}: told"
        );
    }
    my ($status, $out, $err)
        = run('', 'mimedefang-release', '-d', '../x', '-a');
    like($err, qr/without '\.\.'/, 'not out of the quarantine');
    ($status, $out, $err) = run('', 'mimedefang-release', '-a');
    like($err, qr/-d is missing/, 'no directory');
    ($status, $out) = run('', 'mimedefang-release', '-h');
    is($status, 0, 'help');
    like($out, qr/^  -S SERVER/m, 'help');
};

chdir '/';
done_testing;
