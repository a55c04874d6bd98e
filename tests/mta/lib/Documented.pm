# SPDX-License-Identifier: MIT
package Documented;

# Tries every set-up of docs/mta.md for one MTA, as it stands there: mail passes
# the filter, and the doctor has no problem with it.

use v5.36;
use AuthServer ();
use Daemon     ();
use Exporter   qw(import);
use Harness    qw(need_programs run_program free_port read_file daemon_user
    wait_for);
use JSON::PP    qw(decode_json);
use PrivateHost ();
use Postfix     ();
use Sendmail    ();
use SetUps      qw(set_ups options_of);
use Sink        ();
use SmtpClient  ();
use Test::More;

our @EXPORT_OK = qw(documented_set_ups_of);

=head1 FUNCTIONS

=head2 documented_set_ups_of($mta)

A whole test, of Postfix or Sendmail.

=cut

# What a warning or a note is about that the page speaks of itself.
my %meant = (
    'Postfix: One service with another list' => ['service-without'],
    'Sendmail: One daemon with another list' => ['service-without'],
);
my ($user, $group);
my $filter = q{sub filter_begin { our (%SendmailMacros);
    action_add_header("X-$_", $SendmailMacros{$_} // '-')
        for qw(client_ptr daemon_port); }};

sub documented_set_ups_of ($mta) {
    my ($why_not)
        = grep {defined} map { $_->why_not } ($mta, 'PrivateHost');
    plan skip_all => $why_not if $why_not;
    need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));
    $user  = daemon_user();
    $group = getgrgid +(getpwnam $user)[3];
    for my $set_up (grep { $_->{mta} eq $mta } set_ups()) {
        subtest $set_up->{name} => sub { try_out($set_up) };
    }
    done_testing;
    return;
}

sub try_out ($set_up) {
    my $host   = PrivateHost->start;
    my $sink   = Sink->start;
    my $daemon = daemon($set_up, $host);
    my %o      = (
        auth  => AuthServer->start,
        sink  => $sink->port,
        ports => { smtp => {} },
        host  => $host,
    );

    # The socket may be in the queue, which is there when Postfix is.
    my $in_queue = $daemon->{address} =~ m{/var/spool/postfix/};
    $daemon->launch if !$in_queue;
    my $port = free_port();
    my $mta  = $set_up->{mta}->start(
        %o,
        chroot => $in_queue ? 'y' : 'n',
        lines  => lines($set_up, $daemon, $port)
    );
    if ($in_queue) {
        my $place = "$mta->{dir}/queue/mimedefang";
        mkdir $place or die "$place: $!\n";
        chmod 0710, $place or die "$place: $!\n";
        chown scalar getpwnam($user), scalar getgrnam('postfix'), $place
            or die "$place: $!\n";
        $daemon->{address} =~ s{/var/spool/postfix}{$mta->{dir}/queue};
        $daemon->launch;
    }
    ok $daemon->await_ready, 'the daemon serves' or diag $daemon->log_text;

    send_mail($mta->port('smtp'), 'smtp');
    send_mail($port, 'other') if $meant{ $set_up->{name} };
    send_local($mta) if $set_up->{name} =~ /local programs/;
    wait_for('delivery', sub { $mta->is_idle });
    my %got = map { $_->{bytes} =~ /^Subject: (\w+)/m => $_->{bytes} }
        $sink->messages;
    is_deeply [ sort keys %got ],
        [
        sort 'smtp',
        ($meant{ $set_up->{name} }           ? 'other' : ()),
        ($set_up->{name} =~ /local programs/ ? 'local' : ())
        ],
        'all mail arrives'
        or diag $mta->log_text;

    for my $name (sort keys %got) {
        my $filtered = $got{$name} =~ /^X-Scanned-By: MIMEDefang/m ? 1 : 0;
        is $filtered, $name eq 'other' ? 0 : 1, "$name: filtered, or not"
            or diag $mta->log_text, $daemon->log_text;
    }
    if ($set_up->{name} =~ /Macros/) {
        like $got{smtp}, qr/^X-client_ptr: \S*\w/m, 'the macro of -a comes';
        like $got{smtp}, qr/^X-daemon_port: \d{2,5}\b/m, 'and the port';
    }
    no_findings($set_up, $host, $daemon, $mta);
    is_deeply [ $mta->complaints ], [], 'the MTA has no complaint';
    is $daemon->stop, 0, 'the daemon ends as it should';
    $mta->stop;
    $host->stop;
    return;
}

# The daemon of the page, not started yet; on a host where it and Postfix are in
# each other's groups.
sub daemon ($set_up, $host) {
    my ($address, $own, $mux) = options_of($set_up);
    my $groups = read_file('/etc/group');
    $groups =~ s/^(\Q$group\E:.*:.*)/$1,postfix/m;
    $groups =~ s/^(postfix:.*:.*)/$1,$user/m;
    $host->etc('group', $groups =~ s/:,/:/gr);
    my $daemon = Daemon->prepare(
        filter  => $filter,
        options => $own,
        mux     => $mux,
        on      => $host,
    );
    $daemon->{address} = 'inet:' . free_port() . '@127.0.0.1'
        if $address =~ /\Ainet:/;
    $daemon->{address} = "unix:$address" if $address =~ m{/postfix/};
    return $daemon;
}

# What the page has of files, with our port and spool.
sub lines ($set_up, $daemon, $port) {
    my ($milter_port) = $daemon->{address} =~ /\Ainet:(\d+)/;
    my %lines;
    for my $file (grep {/\./} keys %$set_up) {
        my $text = $set_up->{$file};
        $text =~ s{/var/spool/MIMEDefang}{$daemon->{spool}}g;
        $text =~ s/\b10025\b/$milter_port/g if $milter_port;
        $text =~ s/\b10026\b/$port/g;
        $text =~ s/^submission(?= inet)/127.0.0.1:$port/m;
        $lines{$file} = $text;
    }
    $lines{'sendmail.mc'}
        = "define(`confDONT_BLAME_SENDMAIL', `TrustStickyBit')dnl\n"
        . $lines{'sendmail.mc'}
        if $lines{'sendmail.mc'};
    return \%lines;
}

sub send_mail ($port, $subject) {
    my $client = SmtpClient->new($port, '127.0.0.1');
    like $client->reply, qr/\A220/, "$subject: greeting";
    for my $line (
        'EHLO client.example',
        'MAIL FROM:<a@b.example>',
        'RCPT TO:<c@d.example>'
        )
    {
        $client->send_line($line);
        like $client->reply, qr/\A250/, "$subject: $line";
    }
    $client->send_line('DATA');
    like $client->reply, qr/\A354/, "$subject: DATA";
    $client->send_message("Subject: $subject\n\nHello.\n");
    like $client->reply, qr/\A250/, "$subject: it is accepted";
    $client->send_line('QUIT');
    return;
}

# By the command that cron uses.
sub send_local ($mta) {
    my ($status, $said)
        = $mta->submit('smtp', 'a@b.example', 'c@d.example',
        "Subject: local\n\nHello.\n");
    is $status, 0, 'the sendmail command' or diag $said;
    return;
}

sub no_findings ($set_up, $host, $daemon, $mta) {
    my @where
        = $set_up->{mta} eq 'Postfix'
        ? ('--postfix-config', "$mta->{dir}/etc")
        : ('--sendmail-cf', "$mta->{dir}/sendmail.cf");
    my ($command) = $daemon->commands;
    my ($program, @options) = @$command;
    my ($status, $out, $err)
        = run_program(60,
        $host->wrap($program, qw(doctor --json), @where, @options));
    is $err, '', 'the doctor has something to say';
    my $report = decode_json($out);
    my @found  = grep { !/\A(?:spool-disk|local-mail)\z/ }
        map { $_->{name} } @{ $report->{findings} };
    is_deeply \@found, $meant{ $set_up->{name} } // [],
        'the doctor finds nothing else'
        or diag $out;
    is $status, 0, 'no problem';
    return;
}

1;
