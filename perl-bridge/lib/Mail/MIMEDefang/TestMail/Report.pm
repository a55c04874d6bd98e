# SPDX-License-Identifier: MIT
#
# What came out of a session: as text for people, as JSON for programs, as lines
# for expectations, as the message that would be delivered.  Pure.

package Mail::MIMEDefang::TestMail::Report;
use v5.36;
use Exporter 'import';
use JSON::PP ();

our @EXPORT_OK = qw(as_text as_json as_lines resulting_message);

sub _visible ($text) {
    $text =~ s/([\x00-\x1f\x7f])/sprintf '\\x%02X', ord $1/ge;
    return $text;
}

sub _result_line ($result) {
    my ($letter, @arguments) = @{$result};
    return _visible(join ' ', $letter, @arguments);
}

sub _phase_line ($phase) {
    my ($about, $word, $code, $dsn, $text)
        = @{$phase}{qw(about verdict code dsn text)};
    my $line = length $about ? "$about $word" : $word;
    $line .= " $code $dsn $text"        if $word =~ /^(?:REJECT|TEMPFAIL)\z/;
    $line .= " after $phase->{delay} s" if $phase->{delay};
    return _visible($line);
}

sub _counted ($actions) {
    return map {"$_ $actions->{$_}"} sort keys %{ $actions // {} };
}

sub _is_rebuilt ($session) {
    return grep { $_->[0] eq 'C' } @{ $session->{results} };
}

# To whom, from whom, and the subject.
sub _sent_line ($mail) {
    my @arguments = @{ $mail->{arguments} };
    my ($from) = map { /^-f(.*)/ ? $1 : () } @arguments;
    my @to;
    while (@arguments && $arguments[0] ne '--') { shift @arguments }
    (undef, @to) = @arguments;
    my ($subject) = $mail->{text} =~ /^Subject: (.*)$/mi;
    return _visible(
        "to @to from " . ($from // '') . ': ' . ($subject // 'no subject'));
}

# [KEY, TEXT] of everything that can be expected.
sub as_lines ($session, $message) {
    my @output = split /\n/, resulting_message($session, $message);
    return (
        [ verdict => $session->{verdict} ],
        [ reply   => _visible($session->{reply}) ],
        (map { [ $_->{callback} => _phase_line($_) ] } @{ $session->{phases} }),
        (map { [ result => _result_line($_) ] } @{ $session->{results} }),
        [ rebuilt => _is_rebuilt($session) ? 'yes' : 'no' ],
        (map { [ action  => $_ ] } _counted($session->{actions})),
        (map { [ warning => _visible(s/\n\z//r) ] } @{ $session->{warnings} }),
        (map { [ sent    => _sent_line($_) ] } @{ $session->{sent} }),
        (map { [ log => _visible("$_->[0] $_->[1]") ] } @{ $session->{log} }),
        (map { [ output => $_ ] } @output),
    );
}

sub as_text ($session) {
    my $defined = $session->{times};
    my $text    = "== Envelope phases ==\n";
    for my $phase (@{ $session->{phases} }) {
        $text .= "$phase->{callback}: " . _phase_line($phase) . "\n"
            if $defined->{ $phase->{callback} };
    }
    $text .= "== Content filter ==\n";
    $text .= join '',
        map { '[' . $_->[0] . '] ' . _visible($_->[1]) . "\n" }
        @{ $session->{log} };
    $text
        .= 'Actions taken: '
        . (join(', ', _counted($session->{actions})) || 'none') . "\n";
    $text .= 'Warning: ' . _visible(s/\n\z//r) . "\n"
        for @{ $session->{warnings} };
    $text .= 'Mail that was not sent: ' . _sent_line($_) . "\n"
        for @{ $session->{sent} };
    $text
        .= 'Message was rebuilt: '
        . (_is_rebuilt($session) ? 'yes' : 'no') . "\n"
        . "--- raw RESULTS ---\n"
        . join '', map { _result_line($_) . "\n" } @{ $session->{results} };
    $text .= "--- times ---\n";

    for my $name (sort keys %{$defined}) {
        my ($calls, $seconds) = @{ $defined->{$name} }{qw(calls seconds)};
        $text .= sprintf "%-20s %4d x %8.1f ms\n", $name, $calls,
            1000 * $seconds;
    }
    $text .= "Verdict: $session->{verdict}";
    $text .= " by $session->{decided_by}" if $session->{decided_by};
    $text .= ": $session->{reply}"        if length $session->{reply};
    return _visible_lines("$text\n");
}

sub _visible_lines ($text) {
    $text =~ s/([\x00-\x09\x0b-\x1f\x7f])/sprintf '\\x%02X', ord $1/ge;
    return $text;
}

sub as_json ($session, %more) {
    my %out = (%{$session}, %more);
    $out{rebuilt}
        = _is_rebuilt($session) ? JSON::PP::true() : JSON::PP::false();
    $out{log}
        = [ map { { level => $_->[0], text => $_->[1] } } @{ $out{log} } ];
    delete $out{body};
    delete $out{directory} if !$out{kept};
    return JSON::PP->new->canonical->pretty->latin1->encode(\%out);
}

# ---- the message that would be delivered ----------------------------------

sub resulting_message ($session, $message) {
    my @fields = map { [ @{$_} ] } @{ $message->{fields} };
    if ($session->{verdict} eq 'accepted') {
        for my $result (@{ $session->{results} }) {
            my ($letter, @arguments) = @{$result};
            _change(\@fields, $letter, @arguments) if $letter =~ /[HNIJM]/;
        }
    }
    my $body = $session->{body} // $message->{body};
    return join('', map {"$_->[0]: $_->[1]\n"} @fields) . "\n$body";
}

# spec:spool-results
sub _change ($fields, $letter, $name, @arguments) {
    if ($letter eq 'H') {
        push @{$fields}, [ $name, $arguments[0] // '' ];
        return;
    }
    if ($letter eq 'N') {
        my ($index, $value) = @arguments;
        $index = @{$fields} if $index > @{$fields};
        splice @{$fields}, $index, 0, [ $name, $value // '' ];
        return;
    }
    my ($index, $value) = @arguments;
    if ($letter eq 'M') {
        _change($fields, 'I', 'MIME-Version', 1, '1.0')
            if !grep { lc $_->[0] eq 'mime-version' } @{$fields};
        ($name, $index, $value) = ('Content-Type', 1, $name);
    }
    my @at = grep { lc $fields->[$_][0] eq lc $name } 0 .. $#{$fields};
    my $at = $at[ ($index // 1) - 1 ];
    if ($letter eq 'J') {
        splice @{$fields}, $at, 1 if defined $at;
    }
    elsif (defined $at) {
        $fields->[$at][1] = $value // '';
    }
    else {
        push @{$fields}, [ $name, $value // '' ];
    }
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::TestMail::Report - what came out of a session

=head1 FUNCTIONS

=head2 as_text(SESSION), as_json(SESSION, NAME => VALUE...)

=head2 as_lines(SESSION, MESSAGE)

A list of [KEY, TEXT].

=head2 resulting_message(SESSION, MESSAGE)

The message with all changes.

=cut
