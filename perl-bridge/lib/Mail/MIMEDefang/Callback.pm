# SPDX-License-Identifier: MIT
#
# Calls the functions that a filter defines in package main, looked up at the
# time of the call.  While one runs its name is in $Running, so that whoever
# catches its die (or sees the process exit) can say where it happened.

package Mail::MIMEDefang::Callback;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(one_line);

our @EXPORT_OK = qw(attempt call_filter has_callback running);

use constant MAX_TEXT => 900;    # of a failure, in answers and in the log

my $running = '';

sub has_callback ($name) {
    no strict 'refs';
    return defined &{"main::$name"};
}

sub call_filter ($name, @args) {
    return if !has_callback($name);
    my $pid = $$;
    local ($/, $\, $,) = ("\n", undef, undef);    # it may leave others
    $running = $name;
    my @result = do { no strict 'refs'; &{"main::$name"}(@args) };
    _end_child("returned from $name") if $$ != $pid;
    $running = '';
    return @result;
}

sub running () {
    return $running;
}

sub attempt ($code) {
    my $pid = $$;
    local ($/, $\, $,) = ("\n", undef, undef);
    return '' if eval { $code->(); 1 };
    my $error = $@;

    my $text = eval { one_line("$error") } // 'error that cannot be shown';
    $text =~ s/, <[^<>]*> (?:line|chunk) \d+\.?\z/./;    # what was read last
    $text = 'unknown error'                    if !length $text;
    $text = substr($text, 0, MAX_TEXT) . '...' if length $text > MAX_TEXT;
    $text = "$running died: $text"             if $running;
    _end_child($text) if $$ != $pid;
    $running = '';
    return $text;
}

# A process that a callback forked must not run on as a second worker.
sub _end_child ($what) {
    require POSIX;
    print {*STDERR} "Process $$, forked by the filter: $what\n";
    POSIX::_exit(255);
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Callback - calls into the filter

=head1 FUNCTIONS

=head2 has_callback(NAME)

Whether the filter defines main::NAME.

=head2 call_filter(NAME, ARG...)

Calls main::NAME in list context if it exists. What it dies with goes through.

=head2 attempt(CODE)

Runs CODE. Returns the empty string, or one line that says what it died with,
naming the callback that did.

=head2 running()

The callback that is running; empty if none.

=cut
