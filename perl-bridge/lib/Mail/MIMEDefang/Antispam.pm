# SPDX-License-Identifier: MIT
#
# SpamAssassin in the worker, and the daemons that do the same elsewhere: spamd
# and rspamd.  All of them get INPUTMSG; whoever judges by header fields gets those
# too that our MTA adds later.  A failure is logged and never says "no spam".

package Mail::MIMEDefang::Antispam;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Channel qw(pop_status_tag push_status_tag);
use Mail::MIMEDefang::Codec   qw(one_line);
use Mail::MIMEDefang::Context qw(in_message_context);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log   qw(md_syslog);
use Mail::MIMEDefang::Utils qw(slurp synthesize_received_header);

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(spam_assassin_init spam_assassin_mail spam_assassin_status
    spam_assassin_check spam_assassin_is_spam md_spamc_init md_spamc_check
    rspamd_check md_rspamd_verdict);

# Seconds for a daemon's answer; a filter may set it.
our $Timeout;
$Timeout //= 60;

use constant MAX_REPLY => 4 << 20;

# ---- SpamAssassin -------------------------------------------------------------------

# Rules that were compiled before the workers were forked, for the settings of KEY.
my ($prepared, $prepared_key);

# The first that is there, in the order in which MIMEDefang looks.
sub _config () {
    my $dir = $Features{'Path:CONFDIR'};
    for my $name (
        qw(sa-mimedefang.cf spamassassin/sa-mimedefang.cf spamassassin/local.cf)
        )
    {
        return "$dir/$name" if -r "$dir/$name";
    }
    return "$dir/spamassassin.cf";
}

sub _key ($config) {
    return join "\0", $config, $SALocalTestsOnly ? 1 : 0,
        $Features{'Path:QUARANTINEDIR'};
}

sub _load () {
    if (defined $Features{SpamAssassin} && !$Features{SpamAssassin}) {
        md_syslog('err',
            'SpamAssassin is switched off or missing (package spamassassin)');
        return 0;
    }
    local $@;
    local $SIG{__DIE__};
    return 1 if eval { require Mail::SpamAssassin; 1 };
    md_syslog('err', "Cannot load SpamAssassin (package spamassassin): $@");
    return 0;
}

sub _create ($config) {
    return Mail::SpamAssassin->new(
        {
            local_tests_only   => $SALocalTestsOnly,
            dont_copy_prefs    => 1,
            userprefs_filename => $config,
            user_dir           => $Features{'Path:QUARANTINEDIR'},
        }
    );
}

# In the process that forks the workers: half a second and the memory of the rules
# once for all of them.
sub before_fork ($filter_text) {
    return if $filter_text !~ /\bspam_assassin_\w+/ || $prepared;
    return if defined $SASpamTester                 || !_load();
    my $config = _config();
    $prepared_key = _key($config);
    $prepared     = _create($config);
    $prepared->compile_now(0, 1);
    return;
}

sub spam_assassin_init ($config = undef, @) {
    return $SASpamTester if defined $SASpamTester;
    return               if !_load();
    push_status_tag('Creating SpamAssasin Object');    # sic: seen by monitors
    $config = _config() if !length($config // '');
    if ($prepared && _key($config) eq $prepared_key) {
        $SASpamTester = $prepared;
        $SASpamTester->call_plugins('spamd_child_init');
    }
    else {
        $SASpamTester = _create($config);
    }
    pop_status_tag();
    return $SASpamTester;
}

# The message as it will be when it is delivered, as far as scanners look.
sub _message ($who) {
    return if !in_message_context($who);
    my $text = slurp('./INPUTMSG');
    if (!defined $text) {
        md_syslog('err', "$who: cannot read INPUTMSG: $!");
        return;
    }
    my $head
        = 'Return-Path: '
        . one_line($Sender) . "\n"
        . synthesize_received_header();
    $head
        .= 'Apparently-To: '
        . join(', ', map { one_line($_) } @Recipients) . "\n"
        if $AddApparentlyToForSpamAssassin && @Recipients;
    return $head . $text;
}

sub spam_assassin_mail (@) {
    return if !in_message_context('spam_assassin_mail');
    my $tester = spam_assassin_init()           // return;
    my $text   = _message('spam_assassin_mail') // return;
    return $tester->parse($text);
}

sub spam_assassin_status ($config = undef, @) {
    return if !in_message_context('spam_assassin_status');
    my $tester = spam_assassin_init($config) // return;
    push_status_tag('Running SpamAssassin');
    my $mail   = spam_assassin_mail();
    my $status = defined $mail ? $tester->check($mail) : undef;
    pop_status_tag();
    return $status // ();
}

sub spam_assassin_check ($config = undef, @) {
    my $status = spam_assassin_status($config) // return;
    my @result = (
        $status->get_score,
        $status->get_required_score,
        $status->get_names_of_tests_hit,
        $status->get_report
    );
    my $mail = $status->get_message;
    $status->finish;
    $mail->finish;
    return @result;
}

sub spam_assassin_is_spam ($config = undef, @) {
    my ($score, $required) = spam_assassin_check($config);
    return if !defined $score;
    return $score >= $required ? 1 : 0;
}

# ---- spamd --------------------------------------------------------------------------

sub md_spamc_init ($host = 'localhost', $port = 783, $user = undef, $max = 0, @)
{
    local $@;
    if (!eval { require Mail::SpamAssassin::Client; 1 }) {
        md_syslog('err',
                  'md_spamc_init: Mail::SpamAssassin::Client is missing'
                . ' (package spamassassin)');
        return;
    }
    my %where
        = ($host // '') =~ m{^/}
        ? (socketpath => $host)
        : (host => $host // 'localhost', port => $port // 783);
    return Mail::SpamAssassin::Client->new(
        {
            %where,
            username => $user // scalar getpwuid $<,
            max_size => $max  // 0,
            timeout  => $Timeout,
        }
    );
}

# The client says where to ask; its own conversation has no limit.
sub md_spamc_check ($client, @) {
    my $text = _message('md_spamc_check') // return;
    if ($client->{max_size} && length $text > $client->{max_size}) {
        md_syslog('info',
                  'md_spamc_check: larger than '
                . "$client->{max_size} bytes, not asked");
        return;
    }
    my $user = one_line($client->{username}) =~ s/\s//gr;
    my ($reply, $error) = _talk(
        $client->{socketpath} // _host_port(@{$client}{qw(host port)}),
        "REPORT SPAMC/1.5\r\nContent-length: "
            . length($text) . "\r\n"
            . (length $user ? "User: $user\r\n" : '')
            . "\r\n$text",
        $client->{timeout}
    );
    my @result = $error eq '' ? _spamd_answer($reply) : ();
    return @result if @result;
    $error = 'an answer that is not its own: ' . substr $reply, 0, 80
        if $error eq '';
    md_syslog('err', "spamd: $error");
    return;
}

# (score, threshold, report, True or False); nothing if it is not whole.
sub _spamd_answer ($reply) {
    my ($head, $report) = split /\r\n\r\n/, $reply, 2;
    return if ($head // '') !~ m{\ASPAMD/[\d.]+ 0 };
    my ($is_spam, $score, $threshold)
        = $head =~ m{^Spam: (True|False|Yes|No) ; (-?[\d.]+) / (-?[\d.]+)}mi
        or return;
    my ($length) = $head =~ /^Content-length: (\d+)/mi;
    return if defined $length && $length != length $report;
    return ($score, $threshold, $report,
        $is_spam =~ /^(?:True|Yes)/i ? 'True' : 'False');
}

sub _host_port ($host, $port) {
    return $host =~ /:/ ? "[$host]:$port" : "$host:$port";
}

sub _talk ($address, $send, $timeout) {
    require Mail::MIMEDefang::Peer;
    return Mail::MIMEDefang::Peer::peer_talk(
        address   => $address,
        send      => $send,
        max_bytes => MAX_REPLY,
        timeout_s => $timeout // $Timeout
    );
}

# ---- rspamd -------------------------------------------------------------------------

# Without these it can check neither SPF nor blocklists nor limits of a sender.
sub _envelope () {
    my $bare = sub ($address) { one_line($address) =~ s/^<|>\z//gr };
    my %say  = (
        From          => $bare->($Sender),
        Rcpt          => [ map { $bare->($_) } @Recipients ],
        IP            => one_line($RelayAddr),
        Helo          => one_line($Helo),
        'Queue-Id'    => $QueueID eq 'NOQUEUE' ? '' : one_line($QueueID),
        User          => one_line($SendmailMacros{auth_authen}),
        'TLS-Version' => one_line($SendmailMacros{tls_version}),
        'TLS-Cipher'  => one_line($SendmailMacros{cipher}),
        'MTA-Name'    => one_line($SendmailMacros{if_name}),
    );
    $say{From}     = '<>' if $say{From} eq '';
    $say{Hostname} = one_line($RelayHostname)
        if $RelayHostname !~ /^\[/ && length $RelayHostname;
    return \%say;
}

sub md_rspamd_verdict (%o) {
    my %failed = (
        score    => 0,
        required => 0,
        symbols  => [],
        json     => '',
        action   => 'soft reject',
        is_spam  => 0
    );
    return { %failed, error => 'called outside of message context' }
        if !in_message_context('rspamd_check');
    push_status_tag('Running rspamd');
    my ($reply, $error) = _ask_rspamd(%o);
    pop_status_tag();
    my $said = $error eq '' ? _rspamd_answer($reply) : { error => $error };
    md_syslog('err', "rspamd: $said->{error}") if $said->{error} ne '';
    return { %failed, %{$said} };
}

sub _ask_rspamd (%o) {
    require Mail::MIMEDefang::Async::Checks;
    my $check = eval {
        Mail::MIMEDefang::Async::Checks::md_async_check_rspamd(
            uri      => $o{uri} // 'http://127.0.0.1:11333',
            envelope => { %{ _envelope() }, %{ $o{envelope} // {} } }
        );
    };
    return ('', one_line($@)) if !$check;
    return _talk(
        _host_port(@{ $check->{args} }{qw(host port)}),
        $check->{args}{request},
        $o{timeout}
    );
}

sub _rspamd_answer ($reply) {
    my ($head, $body) = split /\r?\n\r?\n/, $reply, 2;
    my ($status) = ($head // '') =~ m{\AHTTP/1\.\d ([^\r\n]*)}
        or return { error => 'no answer in HTTP' };
    return { error => "HTTP $status" } if $status !~ /^200\b/;
    require JSON::PP;
    local $@;
    my $said = eval { JSON::PP->new->utf8->decode($body // '') };
    return { error => 'an answer that is not its own' }
        if ref $said ne 'HASH' || !defined $said->{score};
    my $symbols  = ref $said->{symbols} eq 'HASH' ? $said->{symbols} : {};
    my $required = $said->{required_score} // 0;
    return {
        error    => '',
        score    => $said->{score},
        required => $required,
        action   => $said->{action} // '',
        is_spam  => $said->{score} >= $required ? 1 : 0,
        message  => ref $said->{messages}
        ? $said->{messages}{smtp_message}
        : undef,
        subject => $said->{subject},
        symbols => [
            map { { name => $_, score => $symbols->{$_}{score} // 0 } }
            sort keys %{$symbols}
        ],
        json => $body,
    };
}

sub rspamd_check ($uri = undef, @) {
    my $said = md_rspamd_verdict(defined $uri ? (uri => $uri) : ());
    return (
        $said->{score},
        $said->{required},
        join(', ', map {"$_->{name} ($_->{score})"} @{ $said->{symbols} }),
        $said->{json},
        $said->{action},
        $said->{is_spam} ? 'true' : 'false'
    );
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Antispam - SpamAssassin, spamd, rspamd

=head1 SYNOPSIS

    sub filter_end {
        return if -s './INPUTMSG' > 512 * 1024;
        my ($score, $required, $tests, $report) = spam_assassin_check();
        action_add_header('X-Spam-Score', "$score $tests")
            if defined $score && $score >= $required;
    }

=head1 DESCRIPTION

All functions judge F<./INPUTMSG> and can be called from filter_begin to
filter_wrapup; outside they log it and fail. SpamAssassin and spamd also see a
C<Return-Path> with the sender, the C<Received> of our MTA, and, if
C<$AddApparentlyToForSpamAssassin> is true, C<Apparently-To> with the recipients.
No message is changed.

=head1 SPAMASSASSIN

Needs the package spamassassin. If it is missing, or C<$Features{SpamAssassin}> is
0, an error is logged and undef or the empty list returned. What SpamAssassin dies
with goes through, and tempfails the message.

=head2 spam_assassin_init([CONFIG])

The Mail::SpamAssassin object, made at the first call (C<$SASpamTester>); later ones
ignore CONFIG. Default is the first readable of F<sa-mimedefang.cf>,
F<spamassassin/sa-mimedefang.cf>, F<spamassassin/local.cf> in the configuration
directory, else F<spamassassin.cf> there. Rules of the network are used if the filter
sets C<$SALocalTestsOnly = 0>.

With the multiplexor's option C<-E>, the rules are read before the workers are forked
if the filter's text has one of these functions, and are used if the filter then asks
for the same configuration.

=head2 spam_assassin_mail()

The message as a Mail::SpamAssassin::Message.

=head2 spam_assassin_status([CONFIG])

A Mail::SpamAssassin::PerMsgStatus; whoever calls must call its C<finish>.

=head2 spam_assassin_check([CONFIG])

(score, required score, names of the tests separated by commas, report).

=head2 spam_assassin_is_spam([CONFIG])

1 if the score is at least the required one, else 0; undef or nothing after a failure.

=head1 SPAMD

=head2 md_spamc_init([HOST [, PORT [, USER [, MAXSIZE]]]])

A Mail::SpamAssassin::Client for md_spamc_check. Defaults: localhost, 783, the user
that we are, no limit. HOST can be the path of a UNIX socket. Undef, after logging
it, without that module.

=head2 md_spamc_check(CLIENT)

(score, threshold, report, C<True> or C<False>); nothing if the message is larger than
MAXSIZE, or, after logging it, if spamd does not answer within C<$Timeout> seconds.

=head1 RSPAMD

=head2 rspamd_check([URI])

(score, required score, "NAME (score), NAME (score)", JSON as it came, action,
C<true> or C<false>). URI: C<http://host:port>, default C<http://127.0.0.1:11333>.
The last one compares the scores; the action is rspamd's own view. rspamd is told
the envelope: From, Rcpt, IP, Helo, Hostname, Queue-Id, User, TLS-Version,
TLS-Cipher, MTA-Name. After a failure, which is logged:
C<(0, 0, '', '', 'soft reject', 'false')>.

=head2 md_rspamd_verdict(uri => ..., timeout => ..., envelope => {...})

The same as a reference to a hash: C<error> (empty if there is none), C<score>,
C<required>, C<action>, C<is_spam> (1 or 0), C<symbols> (references to hashes with
C<name> and C<score>), C<message> (what rspamd wants said to the client), C<subject>
(what it wants it to be), C<json>. ENVELOPE: more header fields of the request, or
others.

=head1 VARIABLES

=head2 $Mail::MIMEDefang::Antispam::Timeout

Seconds for the answer of a daemon, default 60.

=head1 FOR THE BRIDGE

=head2 before_fork(TEXT)

Compiles SpamAssassin's rules if TEXT, the filter, uses them.

=cut
