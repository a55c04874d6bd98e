#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The worker: loads the site's filter and serves the multiplexor, or scans one
# directory, or only checks the filter.  Says on standard error what is wrong
# with its arguments and exits with 1.

package main;
use v5.36;

# The modules lie beside this program: in the source tree, or as installed.
BEGIN {
    my $bin = __FILE__ =~ m{^(.*)/} ? $1 : '.';
    while (my $to = readlink "$bin/mimedefang.pl") {
        $to  = "$bin/$to" if $to !~ m{^/};
        $bin = $to               =~ s{/[^/]*\z}{}r;
    }
    if ($bin !~ m{^/}) {    # we go elsewhere, and load modules there
        require Cwd;
        $bin = Cwd::getcwd() . "/$bin";
    }
    unshift @INC,
        grep { -e "$_/Mail/MIMEDefang/Server.pm" } "$bin/../lib",
        "$bin/../share/perl5";
    push @INC, grep {-d} "$bin/../../build/perl", "$bin/../lib/sallyport/perl";
}

use Mail::MIMEDefang::Deadline;    # before all that calls alarm
use Mail::MIMEDefang;
use Mail::MIMEDefang::Actions;
use Mail::MIMEDefang::Actions::Headers qw(:site);
use Mail::MIMEDefang::Features         qw(features_report);
use Mail::MIMEDefang::MIME;
use Mail::MIMEDefang::Rebuild;
use Mail::MIMEDefang::Scan;
use Mail::MIMEDefang::Server;
use Mail::MIMEDefang::Setup qw(load_filter);
use Mail::MIMEDefang::Utils
    qw(:DEFAULT get_host_name md_copy_orig_msg_to_work_dir);

# choice:bridge-lazy  One line for each module:
# use Mail::MIMEDefang::Lazy 'Mail::MIMEDefang::Name' => [qw(function ...)];
use Mail::MIMEDefang::Lazy 'Mail::MIMEDefang::Antispam' => [
    qw(spam_assassin_init spam_assassin_mail spam_assassin_status
        spam_assassin_check spam_assassin_is_spam md_spamc_init md_spamc_check
        rspamd_check md_rspamd_verdict)
];
use Mail::MIMEDefang::Antivirus::Table 'scanner_functions';
use Mail::MIMEDefang::Lazy 'Mail::MIMEDefang::Antivirus' =>
    [ scanner_functions() ];
use Mail::MIMEDefang::Lazy 'Mail::MIMEDefang::Net' => [
    qw(expand_ipv6_address reverse_ip_address_for_rbl relay_is_blacklisted
        email_is_blacklisted relay_is_blacklisted_multi
        relay_is_blacklisted_multi_count relay_is_blacklisted_multi_list
        is_public_ip4_address is_public_ip6_address get_mx_ip_addresses
        md_get_bogus_mx_hosts md_get_dmarc_record md_dns_txt)
];
use Mail::MIMEDefang::Lazy 'Mail::MIMEDefang::CallForward' =>
    [qw(md_check_against_smtp_server get_smtp_return_code get_smtp_extensions)];
use Mail::MIMEDefang::Lazy 'Mail::MIMEDefang::Mail' => [
    qw(resend_message resend_message_one_recipient
        resend_message_specifying_mode pretty_print_mail)
];
use Mail::MIMEDefang::Lazy 'Mail::MIMEDefang::RFC2822' =>
    [qw(gen_date_msgid_headers header_timezone rfc2822_date gen_msgid_header)];
use Mail::MIMEDefang::Lazy 'Mail::MIMEDefang::Stream' =>
    [qw(stream_by_domain stream_by_recipient)];

my $USAGE = <<'END';
Usage: mimedefang.pl [-f FILTER] WORKDIR|-server|-serveru|-test|-features|-validate
END
my $HELP = <<'END';
  -server     serve the multiplexor on standard input and output
  -serveru    the same, and write status tags to descriptor 3
  -zygote     fork workers for the multiplexor (-zygoteu: as -serveru)
  -embserver  only load, for a program that calls do_main_loop (-embserveru)
  WORKDIR     scan this working directory (below the spool directory) once
  -test       load the filter and say whether it compiles
  -features   load the filter and say what is there
  -validate   call filter_validate of the filter
  -version    say which version this is
  -f FILTER   default is mimedefang-filter in MIMEDEFANG_CONFDIR (/etc/mail);
              /dev/null stands for no filter
Environment: MIMEDEFANG_SPOOLDIR (default: where -server is started, else
/var/spool/MIMEDefang), MIMEDEFANG_QUARANTINEDIR, MIMEDEFANG_CONFDIR,
MIMEDEFANG_SENDMAIL; MIMEDEFANG_LOG=stderr logs to standard error.
END

my %MODE = (
    -server     => \&_serve,
    -serveru    => sub { $DoStatusTags = 1; return _serve() },
    -zygote     => \&_fork_workers,
    -zygoteu    => sub { $DoStatusTags = 1; return _fork_workers() },
    -embserver  => sub { $ServerMode   = 1; return },
    -embserveru => sub { $ServerMode   = $DoStatusTags = 1; return },
    -features   => sub { print features_report(md_version()); return 0 },
    -validate   => \&_validate,
);

# What early versions did, and which word does it now.
my %MOVED = (
    -structure   => '--structure',
    -prettyprint => '--prettyprint',
    -dump        => '--dump',
    -data        => '--data-dump',
);

# undef: we are part of another program, which calls do_main_loop.
my $status = _main(@ARGV);
exit $status if defined $status;

sub _main (@args) {
    my $filter = "$Features{'Path:CONFDIR'}/mimedefang-filter";
    if (@args >= 3 && $args[0] eq '-f') {
        (undef, $filter) = splice @args, 0, 2;
    }
    my $mode = @args == 1 ? $args[0] : '';
    if ($mode eq '-version' || $mode eq '--version') {
        say 'mimedefang.pl ', md_version();
        return 0;
    }
    if ($mode eq '--help' || $mode eq '-h') {
        print $USAGE, $HELP;
        return 0;
    }
    if ($mode eq '-test') {
        load_filter($filter);
        say "Filter $filter seems syntactically correct.";
        return 0;
    }
    if (my $option = $MOVED{$mode}) {
        print {*STDERR} "mimedefang.pl: $mode is done by another program:",
            " mimedefang-util $option < MESSAGE\n";
        return 1;
    }
    my $action = $MODE{$mode};
    if (!$action && ($mode eq '' || $mode =~ /^-/)) {
        md_syslog('warning', "Bad arguments: @ARGV");
        print {*STDERR} $USAGE;
        return 1;
    }
    _find_spool() if $mode =~ /^-(?:(?:emb)?server|zygote)u?\z/;
    load_filter($filter);
    return $action ? $action->() : _scan_once($mode);
}

# The multiplexor starts workers in the spool directory.
sub _find_spool () {
    return if length($ENV{MIMEDEFANG_SPOOLDIR} // '');
    require Cwd;
    $Features{'Path:SPOOLDIR'} = Cwd::getcwd() // '/';
    return;
}

sub _serve () {
    $ServerMode = 1;
    return do_main_loop();
}

sub _fork_workers () {
    require Mail::MIMEDefang::Zygote;
    $ServerMode = 1;
    return Mail::MIMEDefang::Zygote::serve_zygote();
}

sub _scan_once ($dir) {
    my $spool = $Features{'Path:SPOOLDIR'};
    $dir = "$spool/$dir" if $dir !~ m{^/};
    main->can('filter_initialize') and filter_initialize();
    init_globals();
    return do_scan($dir);
}

sub _validate () {
    if (!main->can('filter_validate')) {
        print {*STDERR} "ERROR: the filter has no filter_validate;\n",
            "ERROR: -validate calls it and exits with what it returns.\n";
        return 1;
    }
    return filter_validate();
}
