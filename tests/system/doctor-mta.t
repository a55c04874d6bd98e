#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# mimedefang doctor and the MTA: each finding about it is provoked with a real
# postconf, sendmail.cf files, sockets and directories; where the doctor says a
# line of postconf, that line is run, and mends it.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Doctor  qw(the_daemon examine names finds postfix sendmail_cf script);
use Harness qw(need_programs temp_dir stage_worker write_file);
use IO::Socket::UNIX;

plan skip_all => 'needs root: it looks at what other users may do' if $>;
plan skip_all => 'Postfix is not installed' if !-x '/usr/sbin/postconf';
need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

my $daemon = the_daemon();
my ($user, $spool) = @$daemon{qw(user spool)};
my $dir    = temp_dir();
my $socket = $daemon->{address} =~ s/\Aunix://r;
my $count  = 0;

# ---- all is well ----
my $cf = sendmail_cf();
my ($status, $report)
    = examine(own => [ '--sendmail-cf', $cf ], mux => { -f => stage_worker() });
is $status, 0, 'a Sendmail in order: exit status 0';
is_deeply names($report), [], 'nothing is found'
    or diag explain $report;
($status, $report) = examine(own => postfix());
is $status, 0, 'a Postfix in order: exit status 0';
is_deeply names($report), [], 'nothing is found'
    or diag explain $report;

# ---- the MTA uses us, or not ----
finds('not-used',     own => postfix(smtpd_milters => ''));
finds('other-socket', own => postfix(smtpd_milters => 'inet:127.0.0.1:8891'));
finds('only-local',
    own => postfix(smtpd_milters => '', non_smtpd_milters => "unix:$socket"));
finds('local-mail', own => postfix(non_smtpd_milters => ''));
finds(
    'service-without',
    own => postfix(
        master => "submission inet n - n - - smtpd\n" . " -o smtpd_milters=\n"
    )
);
finds(
    'service-without',
    own => postfix(
        master => "submission inet n - n - - smtpd\n"
            . " -o receive_override_options=no_milters\n"
    ),
    what => qr/no_milters/
);
finds('chroot', own => postfix(chroot => 'y'));
finds(
    'not-used',
    own => [
        '--sendmail-cf', sendmail_cf('O InputMailFilters' => undef, X => undef)
    ]
);
finds('not-listed',
    own => [ '--sendmail-cf', sendmail_cf('O InputMailFilters' => undef) ]);
finds('other-socket',
    own => [ '--sendmail-cf', sendmail_cf(X => 'mimedefang, S=unix:/x, F=T') ]);
finds(
    'service-without',
    own => [
        '--sendmail-cf',
        sendmail_cf(
            'O DaemonPortOptions' =>
                [ 'Name=MTA', 'Name=MSA, InputMailFilters=' ]
        )
    ],
    what => qr/: MSA has a list/
);
finds('mta-config', own => [qw(--postfix-config /none)]);
finds('mta-config', own => [qw(--sendmail-cf /none)]);
finds(
    'mta-config',
    own => [
        qw(--postfix-config /etc --postconf),
        script('postconf', "echo 'postconf: fatal: out of luck' >&2; exit 1")
    ],
    what => qr/Postfix: fatal: out of luck\z/
);
SKIP: {
    skip 'there is an MTA on this host', 3
        if grep {-e} qw(/etc/postfix/main.cf /etc/mail/sendmail.cf);
    finds('no-mta');
}
finds('address-unknown', ours => { -p => 'fd:9' });

# ---- whether the MTA can connect ----
finds('not-listening', ours => { -p => "unix:$spool/none" });
finds('not-listening', ours => { -p => 'inet:1@127.0.0.1' });
write_file("$dir/file", 'x');
finds('not-a-socket', ours => { -p => "unix:$dir/file" });
for my $case (
    [ 'directory-closed', 0700, 0777, qr/mode 0700, of root:root: $user / ],
    [ 'socket-closed',    0755, 0700, qr/s: mode 0700, of root:root/ ],
    [ 'directory-open',   0777, 0777, qr/mode 0777/ ],
    )
{
    my ($name, $dir_mode, $socket_mode, $what) = @$case;
    my $place = "$dir/" . ++$count;
    mkdir $place or die "$place: $!\n";
    my $l = IO::Socket::UNIX->new(Local => "$place/s", Listen => 1)
        or die "$place/s: $!\n";
    chmod $socket_mode, "$place/s" or die "$place/s: $!\n";
    chmod $dir_mode,    $place     or die "$place: $!\n";
    finds(
        $name,
        ours => { -p => "$place/s" },
        own  => postfix(smtpd_milters => "unix:$place/s"),
        what => $what
    );
}
my $closed = "$dir/closed";
mkdir $closed, 0700 or die "$closed: $!\n";
my $l = IO::Socket::UNIX->new(Local => "$closed/s", Listen => 1)
    or die "$closed/s: $!\n";
(undef, $report) = examine(
    ours => { -p => "$closed/s" },
    own  => [
        @{ postfix(smtpd_milters => "unix:$closed/s") }, qw(--mta-user root)
    ]
);
is_deeply names($report), [], 'an MTA that connects as root may go anywhere'
    or diag explain $report;
finds(
    'directory-unsafe',
    own  => [ '--sendmail-cf', sendmail_cf('O DontBlameSendmail' => undef) ],
    what => qr/mode 1777\z/
);
finds('peer-refused', own => postfix(), ours => { '--allow-user' => 'root' });
finds('inet-open', ours => { -p => 'inet:1' });

# ---- how it speaks to us ----
finds('command-timeout',  own => postfix(milter_command_timeout => '5s'));
finds('content-timeout',  own => postfix(milter_content_timeout => '5s'));
finds('connect-timeout',  own => postfix(milter_connect_timeout => '1s'));
finds('default-accept',   own => postfix(milter_default_action  => 'accept'));
finds('default-reject',   own => postfix(milter_default_action  => 'reject'));
finds('protocol-version', own => postfix(milter_protocol        => 2));
finds('macros',       own => postfix(milter_mail_macros    => 'i {mail_addr}'));
finds('macros',       own => postfix(milter_connect_macros => ''));
finds('extra-macros', own => postfix(), ours => { -a => 'client_ptr' });
finds('message-size', own => postfix(), ours => { '--max-message' => 1000 });
my $filter = "mimedefang, S=$daemon->{address}";
finds("$$_[0]", own => [ '--sendmail-cf', sendmail_cf(@$_[ 1, 2 ]) ])
    for [ 'default-accept', X => $filter ],
    [ 'default-reject',  X => "$filter, F=R, T=C:1m;R:60s;E:10m" ],
    [ 'command-timeout', X => "$filter, F=T" ],
    [ 'content-timeout', X => "$filter, F=T, T=R:60s;E:20s" ],
    [ 'connect-timeout', X => "$filter, F=T, T=C:1s;R:60s;E:10m" ],
    [ 'macros',          'O Milter.macros.envrcpt' => '{rcpt_addr}' ];
finds(
    'message-size',
    own  => [ '--sendmail-cf', $cf ],
    ours => { '--max-message' => 1000 }
);

is $daemon->stop, 0, 'the daemon that was looked at ends as it should';
done_testing;
