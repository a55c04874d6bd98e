# SPDX-License-Identifier: MIT
#
# Scans one message: reads its working directory, parses it with MIME-tools,
# takes the filter through it and writes RESULTS.  Any failure, in the filter
# or here, ends the scan without RESULTS, and the message is tempfailed.

package Mail::MIMEDefang::Scan;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Actions
    qw(action_bounce action_delete_header action_tempfail);
use Mail::MIMEDefang::Callback qw(attempt call_filter has_callback);
use Mail::MIMEDefang::Channel
    qw(pop_status_tag print_and_flush push_status_tag);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Lazy 'Mail::MIMEDefang::Notify' =>
    ['send_pending_notifications'];
use Mail::MIMEDefang::Limits qw(look_at_message look_at_structure look_at_work
    max_parts);
use Mail::MIMEDefang::Log  qw(md_syslog);
use Mail::MIMEDefang::MIME qw(builtin_create_parser);
use Mail::MIMEDefang::Rebuild
    qw(empty_copy insert_warnings rebuild_entity write_new_body);
use Mail::MIMEDefang::Spool qw(commit_results drop_results hold_results
    load_commands write_result_line);

our @EXPORT    = qw(do_scan fatal);  ## no critic (ProhibitAutomaticExportation)
our @EXPORT_OK = qw(load_mime_tools signal_complete);

use constant {
    WORK   => './Work',
    SMALL  => 1 << 20,    # encoded parts of such a message stay in memory
    MEDIUM => 1 << 24,    # such a message is read into memory whole
};

sub do_scan ($dir, @) {
    hold_results();
    my $failure = attempt(sub { _scan($dir) });
    drop_results();
    $InMessageContext = $InFilterContext = $InFilterEnd = $InFilterWrapUp = 0;
    chdir $Features{'Path:SPOOLDIR'};
    return 0 if !$failure;
    fatal($failure);
    return -1;
}

# Who asked for a scan logs why it failed, with its queue id: logged here as
# well, each failure would be two lines.
sub fatal ($message, @) {
    if ($ServerMode) {
        print_and_flush("error: $message");
        return;
    }
    md_syslog('err', $message);
    require Carp;
    Carp::croak($message);
}

# A fifth of a worker's start-up time, so not before they are needed.
sub load_mime_tools () {
    state $loaded = 0;
    return if $loaded;
    require MIME::Parser;
    require Mail::MIMEDefang::Filer;
    require Mail::MIMEDefang::Output;
    require Mail::MIMEDefang::Parse;
    Mail::MIMEDefang::Limits::bound_decoders();
    MIME::Decoder->new($_) for qw(7bit 8bit binary base64 quoted-printable);
    $loaded = 1;
    return;
}

sub _scan ($dir) {
    chdir $dir or die "Cannot chdir to $dir: $!\n";
    $CWD = $dir;
    _tagged('Reading COMMANDS', sub { load_commands(1) });
    for ($QueueID, $MessageID) { $_ = 'NOQUEUE' if $_ eq '' }
    $MsgID            = $QueueID eq 'NOQUEUE' ? $MessageID : $QueueID;
    $InMessageContext = 1;
    _make_work();
    if (!_has_use_for_parts()) {
        _keep_one_subject();
        return signal_complete();
    }

    my $too_much = look_at_message();
    my $entity;
    ($entity, $too_much) = _tagged('Parsing Message', \&_parse) if !$too_much;
    return _refuse($too_much) if $too_much;
    $WasMultiPart = Mail::MIMEDefang::Parse::wrap_single_part($entity) ? 0 : 1;
    _keep_one_subject();

    _call('In filter_begin', 'filter_begin', $entity);
    if ($TerminateAndDiscard) {
        write_result_line('D');
        return signal_complete();
    }

    my $rebuilt = empty_copy($entity);
    $InFilterContext = 1;
    _tagged(
        'In rebuild loop',
        sub {
            for my $part ($entity->parts) { rebuild_entity($rebuilt, $part) }
        }
    );
    insert_warnings($rebuilt) if @Warnings;
    $InFilterContext = 0;

    $InFilterEnd = 1;
    _call('In filter_end', 'filter_end', $rebuilt);
    $InFilterEnd = 0;
    $rebuilt     = $FilterEndReplacementEntity // $rebuilt;

    _tagged('Writing new body', sub { write_new_body($rebuilt) })
        if $Changed || $Rebuild;

    $InFilterWrapUp = 1;
    _call('In filter_wrapup', 'filter_wrapup', $rebuilt);
    $InFilterWrapUp = 0;
    return signal_complete();
}

# choice:bridge-unparsed  Nobody would see the parts, or change them.
sub _has_use_for_parts () {
    return
           $MaxMIMEParts > 0
        || $Changed
        || $Rebuild
        || @Warnings
        || @AddedParts
        || grep { has_callback($_) }
        qw(filter_create_parser filter_begin filter filter_multipart
        filter_end filter_wrapup);
}

sub _call ($tag, $callback, @args) {
    return if !has_callback($callback);
    return _tagged($tag, sub { call_filter($callback, @args) });
}

sub _tagged ($tag, $code) {
    push_status_tag($tag);
    my @result = $code->();
    pop_status_tag();
    return @result;
}

# If another worker was killed over this message, what it left goes.
# spec:spool-results-once
sub _make_work () {
    return if mkdir 'Work', 0750;
    die "Cannot make directory Work: $!\n" if !-d 'Work';
    if (open my $fh, '<', 'RESULTS') {
        die "This message has been scanned already\n" if grep {/^F$/} <$fh>;
    }
    require File::Path;
    File::Path::remove_tree('Work');
    unlink qw(NOTIFICATION ADMIN_NOTIFICATION NEWBODY);
    mkdir 'Work', 0750 or die "Cannot make directory Work: $!\n";
    return;
}

# spec:bridge-limits
sub _refuse ($why) {
    md_syslog('warning', $why);
    if (($ScanLimit{action} // '') eq 'tempfail') {
        action_tempfail($why, '451', '4.7.1');
    }
    else {
        action_bounce($why, '554', '5.7.1');
    }
    return signal_complete();
}

# The entity, or (undef, what it has too much of).
sub _parse () {
    load_mime_tools();
    my ($parser) = call_filter('filter_create_parser');
    return _parse_with($parser)
        if ref $parser && eval { $parser->isa('MIME::Parser') };

    my ($entity, $why) = _parse_fast();
    return $entity                                    if $entity;
    return (undef, 'Message has too many MIME parts') if $why eq 'parts';
    $parser = builtin_create_parser();
    $parser->interface(HEAD_CLASS => 'Mail::MIMEDefang::Head')
        if Mail::MIMEDefang::Parse::can_parse();
    $parser->extract_uuencode(0) if $why eq 'odd, no uuencode';
    $parser->tmp_to_core(1)      if -s 'INPUTMSG' < SMALL;
    return _parse_with($parser);
}

sub _parse_with ($parser) {
    $parser->filer(Mail::MIMEDefang::Filer->new(WORK));
    my $max = max_parts();
    $parser->max_parts($max) if $max;

    my $fh = IO::File->new('INPUTMSG', 'r')
        or die "Cannot open INPUTMSG: $!\n";
    my $too_much = look_at_structure();
    return (undef, $too_much) if $too_much;
    my $entity = $parser->parse($fh);
    $too_much = look_at_work();
    return (undef, $too_much)    if $too_much;
    return $entity               if $entity;
    die "Cannot parse message\n" if !$max;
    return (undef, 'Message has too many MIME parts');
}

# The entity, or (undef, why not).
sub _parse_fast () {
    state $filer = Mail::MIMEDefang::Filer->new(WORK);    # keeps no message
    return (undef, 'size') if (-s 'INPUTMSG' // 0) >= MEDIUM;
    my $raw = Mail::MIMEDefang::Body::read_all('INPUTMSG')
        // die "Cannot open INPUTMSG: $!\n";
    return (undef, 'MIME-tools') if !Mail::MIMEDefang::Parse::can_parse();
    my ($entity, $why)
        = Mail::MIMEDefang::Parse::parse_message(\$raw, $filer, max_parts());
    $why = 'odd, no uuencode'
        if !$entity
        && $why eq 'odd'
        && !Mail::MIMEDefang::Parse::may_have_uuencode(\$raw);
    Mail::MIMEDefang::Body::give_back(\$raw);
    return ($entity, $why);
}

# Mail programs show one Subject or another; make it the one that was filtered.
sub _keep_one_subject () {
    return if $SubjectCount < 2;
    md_syslog('warning',
        "Deleting all but the first of $SubjectCount Subjects");
    action_delete_header('Subject', $_) for reverse 2 .. $SubjectCount;
    return;
}

sub signal_complete (@) {
    send_pending_notifications()
        if -e 'NOTIFICATION' || -e 'ADMIN_NOTIFICATION';
    md_syslog(
        'debug',
        'Actions: ' . join ' ',
        map {"$_=$Actions{$_}"} sort keys %Actions
    ) if %Actions;
    chdir $CWD or die "Cannot chdir to $CWD: $!\n";
    write_result_line('F');
    commit_results();
    print_and_flush('ok') if $ServerMode;
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Scan - the scan of one message

=head1 FUNCTIONS

=head2 do_scan(DIR)

Scans the message in DIR and, in the server loop, answers C<ok> or
C<error: TEXT>. Returns 0, or -1 after an error; outside of the server loop an
error croaks.

=head2 fatal(TEXT)

In the server loop answers C<error: TEXT>, which the milter daemon logs; else
logs TEXT and croaks.

=head2 signal_complete()

Sends the notifications, writes C<F>, answers C<ok>.

=head2 load_mime_tools()

Loads MIME-tools.

=cut
