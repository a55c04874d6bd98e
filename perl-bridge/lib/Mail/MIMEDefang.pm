# SPDX-License-Identifier: MIT
#
# The name under which filters know the core of the bridge.  It only gathers
# what the modules below it define.  To read them, begin with Server (commands),
# Scan (one message), Rebuild (its parts), Actions (what a filter asks for); the
# others are small and are used by these.

package Mail::MIMEDefang;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Channel qw(print_and_flush init_status_tag
    push_status_tag pop_status_tag set_status_tag);
use Mail::MIMEDefang::Codec
    qw(percent_decode percent_encode percent_encode_for_graphdefang);
use Mail::MIMEDefang::Guard qw(in_message_context in_filter_context
    in_filter_wrapup in_filter_end);
use Mail::MIMEDefang::Features qw(detect_and_load_perl_modules);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log qw(md_openlog md_syslog md_graphdefang_log_enable
    md_graphdefang_log md_graphdefang_log_array);
use Mail::MIMEDefang::Lazy 'Mail::MIMEDefang::Notify' => [
    qw(send_mail send_multipart_mail send_admin_mail
        send_quarantine_notifications)
];
use Mail::MIMEDefang::Scan  qw(signal_complete);
use Mail::MIMEDefang::Setup qw(read_config);
use Mail::MIMEDefang::Spool qw(read_commands_file write_result_line
    signal_changed signal_unchanged);

our $VERSION = '0.1.0';

our @EXPORT = (    ## no critic (ProhibitAutomaticExportation)
    @Mail::MIMEDefang::Globals::EXPORT,
    qw(print_and_flush init_status_tag push_status_tag pop_status_tag
        set_status_tag percent_decode percent_encode
        percent_encode_for_graphdefang in_message_context in_filter_context
        in_filter_wrapup in_filter_end md_openlog md_syslog
        md_graphdefang_log_enable md_graphdefang_log md_graphdefang_log_array
        send_mail send_multipart_mail send_admin_mail
        send_quarantine_notifications signal_complete signal_changed
        signal_unchanged detect_and_load_perl_modules read_commands_file
        read_config write_result_line md_version)
);

sub md_version (@) {
    return $VERSION;
}

sub detect_antivirus_support (@) {
    return 1 if !defined $Features{AutoDetectPerlModules};
    return (grep { /^Virus:/ && $Features{$_} } keys %Features) ? 1 : 0;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang - what a filter can call and see

=head1 DESCRIPTION

A filter is Perl code in package main. The worker imports this module, and
Mail::MIMEDefang::Actions, ::MIME and ::Utils, before it loads the filter; so
everything that they export can be called without a prefix, and all variables
of Mail::MIMEDefang::Globals are shared.

=head1 FUNCTIONS

=head2 md_version()

The version of this software.

=head2 detect_antivirus_support()

1 if a scanner is switched on in C<%Features>, or if C<AutoDetectPerlModules> is not
set there; else 0. Not exported.

=cut
