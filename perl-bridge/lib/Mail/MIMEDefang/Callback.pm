# SPDX-License-Identifier: MIT
#
# Calls the functions that a filter defines in package main, looked up at the
# time of the call, each within its time limit.  While one runs its name is in
# $running, and where in the filter something dies is noted, so that whoever
# catches that (or sees the process exit) can say where it happened.

package Mail::MIMEDefang::Callback;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec    qw(one_line);
use Mail::MIMEDefang::Deadline qw(with_limit);
use Mail::MIMEDefang::Globals;

our @EXPORT_OK = qw(attempt attempt_command call_filter filter_is has_callback
    running stand_in);

use constant MAX_TEXT => 900;    # of a failure, in answers and in the log

my $running     = '';
my $filter_file = '';
my ($last_error, $place);        # what died last, and where in the filter

sub filter_is ($path) {
    $filter_file = $path;
    return;
}

our $stand_in;

sub stand_in ($code, $do) {
    local $stand_in = $code;
    return $do->();
}

sub has_callback ($name) {
    return $name ne 'filter_create_parser' if $stand_in;
    no strict 'refs';
    return defined &{"main::$name"};
}

sub _function ($name) {
    return $stand_in if $stand_in;
    no strict 'refs';
    return \&{"main::$name"};
}

# spec:bridge-time-limits
sub _limit ($name) {
    my $seconds = $CallbackTimeout{$name} // $CallbackTimeout{default} // 0;
    return $seconds && $seconds =~ /^\d+(?:\.\d+)?\z/a ? $seconds : 0;
}

# Once for each part of a message, so it does no more than it must.
sub call_filter ($name, @args) {
    return if !has_callback($name);
    my $pid = $$;
    local ($/, $\, $,) = ("\n", undef, undef);    # it may leave others
    my $outer    = $running;
    my $function = _function($name);
    my $limit    = _limit($name);
    $running = $name;
    my @result
        = $limit
        ? with_limit($limit, sub { $function->(@args) })
        : $function->(@args);
    _end_child("returned from $name") if $$ != $pid;
    $running = $outer;
    return @result;
}

my $ours = \&_note_place;    # or a handler that calls it

# What the filter has set, at any time, sees everything, too.
sub _watch_deaths () {
    my $theirs = $SIG{__DIE__} // '';
    return if ref $theirs && $theirs == $ours;
    $ours = \&_note_place;
    if (ref $theirs || $theirs !~ /^(?:DEFAULT|IGNORE)?\z/) {
        $ours = sub {
            _note_place(@_);
            no strict 'refs';
            return &{$theirs};
        };
    }
    $SIG{__DIE__} = $ours;    ## no critic (RequireLocalizedPunctuationVars)
    return;
}

sub _note_place {
    my ($error) = @_;
    ($last_error, $place) = (ref $error ? undef : $error, undef);
    for (my $up = 0; my (undef, $file, $line) = caller $up; $up++) {
        next if $file ne $filter_file;
        $place = "$file line $line";
        last;
    }
    return;
}

# For what died when the callback had done its last step: a time limit.
sub _beginning ($name) {
    return if !has_callback($name);
    require B;
    my $line = eval { B::svref_2object(_function($name))->START->line };
    return $line ? "$filter_file from line $line" : undef;
}

sub running () {
    return $running;
}

# All of one request, with a limit for it as a whole.
sub attempt_command ($code) {
    return attempt(sub { with_limit(_limit('command'), $code) });
}

sub attempt ($code) {
    my $pid = $$;
    local ($/, $\, $,) = ("\n", undef, undef);
    _watch_deaths();
    return '' if eval { $code->(); 1 };
    my $error = $@;

    my $text = eval { one_line("$error") } // 'error that cannot be shown';
    $text =~ s/, <[^<>]*> (?:line|chunk) \d+\.?\z/./;    # what was read last
    $text = 'unknown error'                    if !length $text;
    $text = substr($text, 0, MAX_TEXT) . '...' if length $text > MAX_TEXT;
    $text = "$running died: $text"             if $running;
    my $is_another
        = !ref $error
        && defined $last_error
        && index($error, $last_error) < 0;
    my $where = $is_another ? undef : $place;
    $where //= _beginning($running) if $running && $text !~ / line \d+\.\z/a;
    $text .= " ($where)" if defined $where && $text !~ /\Q$where\E\b/;
    undef $place;
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

=head2 stand_in(CODE, DO)

Runs DO; meanwhile CODE is called instead of every function of the filter.

=head2 call_filter(NAME, ARG...)

Calls main::NAME in list context if it exists. What it dies with goes through; so
does what it is ended with after C<$CallbackTimeout{NAME}> seconds.

=head2 filter_is(PATH)

Which file is the filter, for messages that name its line.

=head2 attempt(CODE)

Runs CODE. Returns the empty string, or one line that says what it died with,
naming the callback that did and the line of the filter.

=head2 attempt_command(CODE)

The same within C<$CallbackTimeout{command}> seconds.

=head2 running()

The callback that is running; empty if none.

=cut
