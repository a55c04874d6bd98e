# SPDX-License-Identifier: MIT
# Asking another mail server about a recipient: servers that are played here, kind
# and hostile.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge           qw(get put spool with_log);
use IO::Socket::INET ();
use Mail::MIMEDefang;
use Mail::MIMEDefang::CallForward;
use SmtpServer qw(say_it smtp_server);
use Socket     qw(AF_UNIX PF_UNSPEC SOCK_STREAM);
use Test::More;
use Time::HiRes qw(sleep);

my $dir = spool();
$PrivateMyHostName = 'mx.example.com';

sub server ($connections, %answers) {
    return smtp_server("$dir/heard", $connections, %answers);
}

my $log;    # of the last check

sub check (@arguments) {
    ($log, my @result)
        = with_log(sub { md_check_against_smtp_server(@arguments) });
    return \@result;
}

subtest 'what the server says' => sub {
    for (
        [ 'takes it', {}, [ 'CONTINUE', 'recipient ok', 250, '2.1.5' ] ],
        [
            'refuses the recipient',
            { RCPT => "550 5.1.1 no such user\r\n" },
            [ 'REJECT', 'no such user', 550, '5.1.1' ]
        ],
        [
            'not now',
            { RCPT => "450-4.2.1 busy\r\n450 4.2.1 very\r\n" },
            [ 'TEMPFAIL', 'busy very', 450, '4.2.1' ]
        ],
        [
            'without an extended code',
            { RCPT => "550 no\r\n" },
            [ 'REJECT', 'no', 550, '' ]
        ],
        [
            'extended code of another class',
            { RCPT => "550 2.1.1 no\r\n" },
            [ 'REJECT', '2.1.1 no', 550, '' ]
        ],
        [
            'refuses the sender',
            { MAIL => "553 5.1.8 bad sender\r\n" },
            [ 'REJECT', 'bad sender', 553, '5.1.8' ]
        ],
        [
            'refuses everybody',
            { '' => "554 go away\r\n" },
            [ 'REJECT', 'go away', 554, '' ]
        ],
        [
            'is full',
            { '' => "421 4.7.0 full\r\n" },
            [ 'TEMPFAIL', 'full', 421, '4.7.0' ]
        ],
        [
            'knows only HELO',
            { EHLO => "500 what?\r\n" },
            [ 'CONTINUE', 'recipient ok', 250, '2.1.5' ]
        ],
        [
            'is us', { '' => "220 MX.example.com ready\r\n" },
            [ 'CONTINUE', 'recipient ok', 250, '2.1.5' ]    # by its address
        ],
        )
    {
        my ($label, $answers, $want) = @{$_};
        my ($port, $end) = server(1, %{$answers});
        is_deeply(check('<a@b>', 'c@d', 'helo.example', '127.0.0.1', $port),
            $want, $label);
        $end->();
    }
};

subtest 'what it hears' => sub {
    my ($port, $end) = server(1);
    check('a@b', '<c@d>', "helo.example\r\nRCPT TO:<x\@y>", '127.0.0.1', $port);
    is($end->(), <<'END', 'brackets added, one line for each command');
EHLO helo.example RCPT TO:<x@y>
MAIL FROM:<a@b>
RCPT TO:<c@d>
QUIT
END
    ($port, $end) = server(1, EHLO => "502 no\r\n");
    check('', '<c@d>', '', '127.0.0.1', $port);
    is($end->(), <<'END', 'HELO, empty sender, own name');
EHLO mx.example.com
HELO mx.example.com
MAIL FROM:<>
RCPT TO:<c@d>
QUIT
END
    is_deeply(
        check('a@b', "c\@d>\r\nDATA", 'h', '127.0.0.1', 1),
        [ 'REJECT', 'Address with strange characters', 553, '5.1.3' ],
        'no commands in an address'
    );
};

subtest 'loop' => sub {
    plan skip_all => 'localhost has no address'
        if !gethostbyname 'localhost';
    my ($port, $end) = server(1, '' => "220 MX.example.com ESMTP\r\n");
    is_deeply(
        check('a@b', 'c@d', 'h', 'localhost', $port),
        [ 'REJECT', 'Mail loop: localhost is this host', 554, '5.4.6' ],
        'it has our name'
    );
    $end->();
};

subtest 'no connection' => sub {
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
    my $port   = $listen->sockport;
    close $listen;
    my $got = check('a@b', 'c@d', 'h', '127.0.0.1', $port);
    is(scalar @{$got}, 2,          'two elements');
    is($got->[0],      'TEMPFAIL', 'tempfail');
    like($got->[1], qr/^cannot connect to 127\.0\.0\.1:$port: /,  'and why');
    like($log, qr/^warning: Asking about <c\@d>: cannot connect/, 'logged');
};

subtest 'hangs up at each stage' => sub {
    for my $stage ('', qw(EHLO MAIL RCPT)) {
        for my $last ('', '250', "250-more\r\n") {
            my ($port, $end) = server(1,
                $stage =>
                    sub ($fh, $) { print {$fh} $last; close $fh; return 0 });
            is_deeply(
                check('a@b', 'c@d', 'h', '127.0.0.1', $port),
                [ 'TEMPFAIL', 'No valid answer from 127.0.0.1', 451, '4.3.0' ],
                "at '$stage' after '" . $last =~ s/\r\n//r . "'"
            );
            $end->();
        }
    }
};

subtest 'garbage and floods' => sub {
    my $want = [ 'TEMPFAIL', 'No valid answer from 127.0.0.1', 451, '4.3.0' ];
    for (
        [ 'words',             "hello\r\n" ],
        [ 'octets',            join '', map {chr} 0 .. 255 ],
        [ 'code in between',   "250-a\r\n550 b\r\n" ],
        [ 'a number',          "2500 x\r\n" ],
        [ 'no class',          "650 x\r\n" ],
        [ 'one long line',     '250 ' . 'x' x 40_000 ],
        [ 'lines without end', "250-x\r\n" x 10_000 ],
        )
    {
        my ($label, $text) = @{$_};
        my ($port,  $end)  = server(1, RCPT => $text);
        is_deeply(check('a@b', 'c@d', 'h', '127.0.0.1', $port), $want, $label);
        $end->(1);
    }
};

subtest 'silence and single octets' => sub {
    my %slow = (
        silent => sub ($fh, $) { return readline $fh },
        drips  => sub ($fh, $) {
            while (print {$fh} '2') {
                $fh->flush or last;
                sleep 0.01;
            }
            return 0;
        },
        'goes on' => sub ($fh, $) {
            while (print {$fh} "250-x\r\n") {
                $fh->flush or last;
                sleep 0.01;
            }
            return 0;
        },
    );
    for my $stage ('', 'MAIL') {
        for my $how (sort keys %slow) {
            my ($port, $end) = server(1, $stage => $slow{$how});
            my $got = check('a@b', 'c@d', 'h', '127.0.0.1', $port, 0.3);
            is($got->[0],        'TEMPFAIL', "$how at '$stage': ends");
            is($got->[2] // 451, 451,        "$how at '$stage': code, if any");
            $end->(1);
        }
    }
};

# ---- TLS -----------------------------------------------------------------

my $OFFER = "250-inside.example.com\r\n250-STARTTLS\r\n250 SIZE\r\n";

sub tls_server ($connections, %answers) {
    my ($cert, $key)
        = IO::Socket::SSL::Utils::CERT_create(
        subject => { commonName => 'elsewhere.example' });
    return server(
        $connections,
        EHLO     => $OFFER,
        STARTTLS => sub ($fh, $) {
            say_it($fh, "220 go on\r\n");
            IO::Socket::SSL->start_SSL(
                $fh,
                SSL_server => 1,
                SSL_cert   => $cert,
                SSL_key    => $key
            ) or return 0;
            return 1;
        },
        %answers
    );
}

subtest 'STARTTLS' => sub {
    plan skip_all => 'needs IO::Socket::SSL'
        if !eval { require IO::Socket::SSL; require IO::Socket::SSL::Utils };
    my @want = ('CONTINUE', 'recipient ok', 250, '2.1.5');
    my ($port, $end) = tls_server(1);
    is_deeply(check('a@b', 'c@d', 'h', '127.0.0.1', $port), \@want, 'inside');
    is($end->(), <<'END', 'says hello again');
EHLO h
STARTTLS
EHLO h
MAIL FROM:<a@b>
RCPT TO:<c@d>
QUIT
END
    for (
        [ 'refused', sub ($fh, $) { return say_it($fh, "454 4.7.0 no\r\n") } ],
        [
            'no TLS behind it',
            sub ($fh, $) { return say_it($fh, "220 go\r\nhello\r\n") }
        ],
        [
            'hangs up',
            sub ($fh, $) { say_it($fh, "220 go\r\n"); close $fh; return 0 }
        ],
        )
    {
        my ($label, $how) = @{$_};
        ($port, $end) = server(2, EHLO => $OFFER, STARTTLS => $how);
        is_deeply(check('a@b', 'c@d', 'h', '127.0.0.1', $port),
            \@want, "$label: goes on without");
        like($log, qr/^info: Asking 127.*now without TLS/, "$label: logged");
        $end->();
    }
};

# ---- the functions below it ----------------------------------------------

# A handle on which TEXT can be read.
sub says ($text) {
    socketpair my $here, my $there, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die;
    syswrite $there, $text;
    close $there;
    return $here;
}

subtest 'get_smtp_return_code' => sub {
    for (
        [ "250 2.1.5 ok\r\n",               'CONTINUE', 250, '2.1.5', 'ok' ],
        [ "354 go\n",                       'CONTINUE', 354, '',      'go' ],
        [ "150 x\n",                        'CONTINUE', 150, '',      'x' ],
        [ "450-4.1.1 a\r\n450 4.1.1 b\r\n", 'TEMPFAIL', 450, '4.1.1', 'a b' ],
        [ "550 5.7.1\r\n",                  'REJECT',   550, '5.7.1', '' ],
        [ "550\r\n",                        'REJECT',   550, '',      '' ],
        [ '', 'TEMPFAIL', 451, '4.3.0', 'No valid answer from mail.example' ],
        [
            "junk\r\n", 'TEMPFAIL', 451, '4.3.0',
            'No valid answer from mail.example'
        ],
        )
    {
        my ($text, @want) = @{$_};
        is_deeply(
            [ get_smtp_return_code(says($text), '<a@b>', 'mail.example') ],
            \@want, "reply " . $text =~ s/\r?\n/ /gr);
    }
    my $sock = says("250 one\r\n550 two\r\n");
    is((get_smtp_return_code($sock, '', ''))[1], 250, 'the first of two');
    is((get_smtp_return_code($sock, '', ''))[1], 550, 'the second stays there');
};

subtest 'get_smtp_extensions' => sub {
    my ($verdict, $code, $dsn, %ext) = get_smtp_extensions(
        says(
            "250-mail.example hi\r\n250-size 99\r\n250-AUTH A B\r\n250 DSN\r\n"
        ),
        'mail.example'
    );
    is_deeply([ $verdict, $code, $dsn ], [ 'CONTINUE', 250, '' ], 'list');
    is_deeply(
        \%ext,
        {
            hostname => 'mail.example',
            SIZE     => '99',
            AUTH     => 'A B',
            DSN      => 1
        },
        'extensions'
    );
    is_deeply([ get_smtp_extensions(says("502 5.5.1 no\r\n"), 'm') ],
        [ 'REJECT', 502, '5.5.1' ], 'refused');
    is_deeply([ get_smtp_extensions(says(''), 'm') ],
        [ 'TEMPFAIL', 451, '4.3.0' ], 'nothing');
};

done_testing;
