# SPDX-License-Identifier: MIT
#
# Guards: whether a function makes sense where the filter called it.  A wrong
# place is logged with the function's name and is never fatal.

package Mail::MIMEDefang::Guard;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log qw(md_syslog);

our @EXPORT_OK = qw(in_message_context in_filter_context in_filter_end
    in_filter_wrapup);

sub _need ($inside, $name, $place) {
    return 1 if $inside;
    md_syslog('warning', "$name called outside of $place");
    return 0;
}

sub in_message_context ($name, @) {
    return _need($InMessageContext, $name, 'message context');
}

sub in_filter_context ($name, @) {
    return _need($InFilterContext, $name, 'filter or filter_multipart');
}

sub in_filter_end ($name, @) {
    return _need($InFilterEnd, $name, 'filter_end');
}

sub in_filter_wrapup ($name, @) {
    return 0 if !$InFilterWrapUp;
    md_syslog('warning', "$name called inside filter_wrapup");
    return 1;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Guard - where a function was called

=head1 FUNCTIONS

=head2 in_message_context(NAME), in_filter_context(NAME), in_filter_end(NAME)

True inside filter_begin to filter_wrapup; inside filter and filter_multipart;
inside filter_end. Otherwise false, and it is logged that NAME was called
outside.

=head2 in_filter_wrapup(NAME)

The other way round: true, and logged, if inside filter_wrapup.

=cut
