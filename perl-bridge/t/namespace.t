# SPDX-License-Identifier: MIT
# What a filter can call and see without a prefix, and that variables are one
# and the same everywhere.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(start);
use Test::More;

my @FUNCTIONS = qw(
    action_accept
    action_accept_with_warning
    action_add_entity
    action_add_header
    action_add_header_now
    action_add_part
    action_bounce
    action_change_header
    action_change_header_now
    action_defang
    action_delete_all_headers
    action_delete_all_headers_now
    action_delete_header
    action_delete_header_now
    action_discard
    action_drop
    action_drop_with_warning
    action_external_filter
    action_greylist
    action_insert_header
    action_insert_header_now
    action_notify_administrator
    action_notify_sender
    action_quarantine
    action_quarantine_entire_message
    action_rebuild
    action_replace_with_url
    action_replace_with_warning
    action_sm_quarantine
    action_tempfail
    add_ip_validation_header
    add_recipient
    anonymize_uri
    append_html_boilerplate
    append_text_boilerplate
    append_to_html_part
    append_to_part
    builtin_create_parser
    change_sender
    collect_parts
    copy_or_link
    delete_ip_validation_header
    delete_recipient
    detect_and_load_perl_modules
    do_main_loop
    do_scan
    email_is_blacklisted
    expand_ipv6_address
    fatal
    find_part
    gen_date_msgid_headers
    gen_msgid_header
    get_host_name
    get_mx_ip_addresses
    get_quarantine_dir
    get_smtp_extensions
    get_smtp_return_code
    handle_helook
    handle_map
    handle_ping
    handle_recipok
    handle_relayok
    handle_scan
    handle_senderok
    handle_tick
    header_timezone
    hour_str
    in_filter_context
    in_filter_end
    in_filter_wrapup
    in_message_context
    init_globals
    init_status_tag
    is_public_ip4_address
    is_public_ip6_address
    md_check_against_smtp_server
    md_copy_orig_msg_to_work_dir
    md_copy_orig_msg_to_work_dir_as_mbox_file
    md_dns_txt
    md_get_bogus_mx_hosts
    md_get_dmarc_record
    md_graphdefang_log
    md_graphdefang_log_array
    md_graphdefang_log_enable
    md_greylist
    md_greylist_expire
    md_list_archive
    md_openlog
    md_syslog
    md_version
    message_rejected
    percent_decode
    percent_encode
    percent_encode_for_graphdefang
    pop_status_tag
    pretty_print_mail
    print_and_flush
    process_added_parts
    push_status_tag
    re_match
    re_match_ext
    re_match_in_7zip_directory
    re_match_in_rar_directory
    re_match_in_tgz_directory
    re_match_in_zip_directory
    read_commands_file
    read_config
    read_results
    rebuild_entity
    relay_is_blacklisted
    relay_is_blacklisted_multi
    relay_is_blacklisted_multi_count
    relay_is_blacklisted_multi_list
    remove_redundant_html_parts
    replace_entire_message
    resend_message
    resend_message_one_recipient
    resend_message_specifying_mode
    reverse_ip_address_for_rbl
    rfc2822_date
    send_admin_mail
    send_filter_answer
    send_mail
    send_multipart_mail
    send_quarantine_notifications
    set_status_tag
    signal_changed
    signal_complete
    signal_unchanged
    stream_by_domain
    stream_by_recipient
    synthesize_received_header
    takeStabAtFilename
    time_str
    unknown_command_handler
    write_result_line
);
my @SCALARS = qw(
    Action AmbiguousMIME AddWarningsInline AddApparentlyToForSpamAssassin AdminAddress
    AdminName Administrator CachedTimezone Changed ClamdSock CSSHost CWD CurrentVirusScannerMessage
    DaemonAddress DaemonName DefangCounter DoStatusTags Domain
    EntireMessageQuarantined EnumerateRecipients FilterEndReplacementEntity
    ArchiveError ArchiveMember Fprotd6Host FprotdHost GeneralWarning
    GraphDefangSyslogFacility GreylistStore Helo
    InFilterContext InFilterEnd InFilterWrapUp InMessageContext MIMEDefangID
    MaxMIMEParts MessageID MsgID NotifyAdministratorSubject NotifyNoPreamble
    NotifySenderSubject PrivateMyHostName QuarantineCount QuarantineSubdir
    QuarantineSubject QueueID RealRelayAddr RealRelayHostname Rebuild
    RelayAddr RelayHostname ReplacementEntity SALocalTestsOnly SASpamTester
    Sender ServerMode SophieSock Subject SubjectCount SuspiciousCharsInBody
    SuspiciousCharsInHeaders SyslogFacility TerminateAndDiscard TrophieSock
    URL ValidateIPHeader VirusName VirusScannerMessages
    VirusScannerRoutinesInitialized WarningCounter WarningLocation
    WasMultiPart WasResent results_fh);
my @ARRAYS
    = qw(AddedParts Ambiguities ESMTPArgs FlatParts Recipients SenderESMTPArgs
    StatusTags VirusScannerEntityRoutines VirusScannerMessageRoutines
    Warnings);
my @HASHES
    = qw(Actions CallbackTimeout Features RecipientESMTPArgs RecipientMailers
    ScanLimit SendmailMacros Stupidity);

my $filter
    = 'use strict; use warnings; sub filter_unknown_cmd { my ($c, @a) = @_;'
    . ' my $r = eval $a[0]; die $@ if $@; return ("ok", $r) }';
my $w = start($filter);

sub value ($code) {
    my $answer
        = $w->ask('Eval ' . ($code =~ s/([^\w])/sprintf '%%%02X', ord $1/ger));
    return $answer =~ s/^ok //r =~ s/%(..)/chr hex $1/ger;
}

is(
    value(
        "join ' ', grep { !defined &{\"main::\$_\"} } qw(@FUNCTIONS)"
            =~ s/^/no strict 'refs'; /r
    ),
    '',
    'functions'
);
is(
    value("join '', map { \\\$$_ == \\\$Mail::MIMEDefang::$_ ? '' : '$_ ' } 1"),
    '', "\$$_"
) for @SCALARS;
is(
    value("join '', map { \\\@$_ == \\\@Mail::MIMEDefang::$_ ? '' : '$_ ' } 1"),
    '', "\@$_"
) for @ARRAYS;
is(
    value("join '', map { \\\%$_ == \\\%Mail::MIMEDefang::$_ ? '' : '$_ ' } 1"),
    '', "\%$_"
) for @HASHES;
is(
    value(
        "join '', map { ref Mail::MIMEDefang->can(\$_) ? '' : \$_ } qw(md_syslog read_commands_file signal_complete md_version)"
    ),
    '',
    'with the prefix too'
);

subtest 'defaults' => sub {
    my %want = (
        AdminAddress                   => 'postmaster@localhost',
        AdminName                      => 'MIMEDefang Administrator',
        DaemonAddress                  => 'mailer-daemon@localhost',
        DaemonName                     => 'MIMEDefang',
        AddWarningsInline              => 0,
        WarningLocation                => 0,
        MaxMIMEParts                   => -1,
        SALocalTestsOnly               => 1,
        NotifySenderSubject            => 'MIMEDefang Notification',
        SyslogFacility                 => 'mail',
        ServerMode                     => 1,
        QueueID                        => 'NOQUEUE',
        MsgID                          => 'NOQUEUE',
        MessageID                      => 'NOQUEUE',
        CWD                            => $w->{spool},
        QuarantineSubject              => 'MIMEDefang Quarantine Report',
        Action                         => '',
        Changed                        => 0,
        "Features{'Path:SPOOLDIR'}"    => $w->{spool},
        "Stupidity{NoMultipleInlines}" => 0,
    );
    is(value("\$$_"), $want{$_}, $_) for sort keys %want;
};

subtest 'reset' => sub {
    is(
        value(
            '$Changed = 5; @Warnings = (1); %Actions = (1, 2); $QueueID = 7; $AdminName = "A"; $main::own = 3; 1'
        ),
        1, 'set'
    );
    is(
        value(
            'join "|", $Changed, "@Warnings", %Actions, $QueueID, $AdminName, $main::own'
        ),
        '0||NOQUEUE|A|3',
        'by the next command; settings and variables of the filter stay'
    );
};

# Every variable that describes a message, the four that MIMEDefang forgets too.
subtest 'reset, one by one' => sub {
    my %want = (
        (
            map { $_ => '' }
                qw(Action CurrentVirusScannerMessage Domain HTMLBoilerplate Helo
                MIMEDefangID QuarantineSubdir RealRelayAddr RealRelayHostname
                RelayAddr RelayHostname Sender Subject VirusName
                VirusScannerMessages)
        ),
        (
            map { $_ => 0 }
                qw(AmbiguousMIME Changed DefangCounter EntireMessageQuarantined
                HTMLFoundEndBody InFilterContext InFilterEnd InFilterWrapUp
                InMessageContext QuarantineCount Rebuild SubjectCount
                SuspiciousCharsInBody SuspiciousCharsInHeaders
                TerminateAndDiscard WarningCounter WasMultiPart WasResent)
        ),
        (
            map { $_ => 'undef' }
                qw(FilterEndReplacementEntity ReplacementEntity)
        ),
        (map { $_ => 'NOQUEUE' } qw(MessageID MsgID QueueID)),
        CWD => $w->{spool},
    );
    my @names = sort keys %want;
    my @lists = qw(AddedParts Ambiguities ESMTPArgs FlatParts Recipients
        SenderESMTPArgs Warnings);
    my @hashes = qw(Actions RecipientESMTPArgs RecipientMailers SendmailMacros);
    value(
        join ' ',
        map({"\$$_ = 'x';"} @names),
        map({"\@$_ = (1);"} @lists),
        map({"\%$_ = (1, 2);"} @hashes), 1
    );
    my $read = join ', ', map {"\$$_ // 'undef'"} @names;
    my @got  = split /,/, value("join ',', $read"), -1;
    is($got[$_] // '', $want{ $names[$_] }, "\$$names[$_]") for 0 .. $#names;
    is(value(join ' + ', map {"\@$_"} @lists),         0, 'arrays');
    is(value(join ' + ', map {"(keys \%$_)"} @hashes), 0, 'hashes');
};

subtest 'names that filters use without asking' => sub {
    my $legacy = start(<<'END');
sub filter_unknown_cmd {
    my $q = decode_mimewords('=?utf-8?q?=C3=A4?=');
    return ('ok', inet_ntoa(inet_aton('192.0.2.1')), AF_INET == 2, $q,
        timegm(0, 0, 0, 1, 0, 100), length hostname(), ENOENT, sha1_hex(''),
        (eval { croak('c') } // $@) =~ /^c at/, IO::Socket->can('new') ? 1 : 0,
        MIME::Parser->can('new') ? 1 : 0);
}
END
    like(
        $legacy->ask('X'),
        qr/^ok 192\.0\.2\.1 1 %C3%A4 946684800 \d+ 2 da39a3ee5e6b4b0d3255bfef95601890afd80709 1 1 1$/,
        'work'
    );
    is(start('')->stderr, '', 'no noise');
};

subtest 'old filters' => sub {
    my $old
        = start(
        '$Administrator = q{old@x}; sub filter_unknown_cmd { return ("ok", $AdminAddress) }'
        );
    is($old->ask('X'), 'ok old@x', '$Administrator');
    is(
        $old->stderr,
        "warning: \$Administrator is now called \$AdminAddress\n",
        'with a warning'
    );

    my $twice
        = start(
        'sub filter_unknown_cmd { no warnings; *main::filter_relay = sub { (0, "two") }; return "ok" }'
            . ' sub filter_relay { (0, "one") }');
    is($twice->ask('relayok 1 h'), 'ok 0 one 554 5.7.1 0', 'a callback');
    $twice->ask('X');
    is(
        $twice->ask('relayok 1 h'),
        'ok 0 two 554 5.7.1 0',
        'is looked up when called'
    );
};

done_testing;
