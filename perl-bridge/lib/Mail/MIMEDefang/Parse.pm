# SPDX-License-Identifier: MIT
#
# Takes a message apart as MIME::Parser does, into the same MIME::Entity objects
# and the same files, but with a search for boundaries in the whole message
# instead of a loop over its lines.  Only messages that are in order: whatever
# is odd (see parse_message) is left to MIME::Parser, before anything is
# written.

package Mail::MIMEDefang::Parse;
use v5.36;
no feature 'unicode_strings';    # what is parsed are octets
use Exporter 'import';
use Fcntl                  qw(O_CREAT O_EXCL O_WRONLY);
use List::Util             qw(min);
use MIME::Entity           ();
use Mail::MIMEDefang::Body qw(decoded give_back is_known write_all);
use Mail::MIMEDefang::Head ();

our @EXPORT_OK = qw(can_parse may_have_uuencode new_entity parse_message
    unwrap_single_part wrap_single_part);

use constant MAX_DEPTH => 40;    # of nested parts; then it is odd

my $MAY_HOLD_UUENCODE = qr{^(?:text/plain|application/mac-binhex(?:40)?)\Z};

no warnings 'recursion';         # see MAX_DEPTH

# The classes of MIME-tools are filled from outside here, which is right for those
# releases only that keep the same things in them.  choice:bridge-parse
sub can_parse () {
    state $can = Mail::MIMEDefang::Head::is_known()
        && join(' ', sort keys %{ MIME::Entity->new }) eq
        'ME_Parts mail_inet_head';
    return $can;
}

sub new_entity ($head) {
    return bless { ME_Parts => [], mail_inet_head => $head }, 'MIME::Entity';
}

# Ends the attempt; WHY is "odd" or "parts".
sub _give_up ($why) {
    die \$why;    ## no critic (RequireCarping)
}

sub parse_message ($raw, $filer, $max = 0) {
    my $run = {
        raw    => $raw,
        max    => $max > 0 ? $max : 0,
        parts  => 0,
        depth  => 0,
        leaves => [],
    };
    local $SIG{__DIE__};
    my $entity = eval { (_part($run, 0, {}, ''))[0] };
    if (!$entity) {
        die $@ if ref $@ ne 'SCALAR';    ## no critic (RequireCarping)
        return (undef, ${$@});
    }
    for my $leaf (@{ $run->{leaves} }) {
        _write_leaf($run, $filer, @{$leaf});
    }
    return $entity;
}

# One part that begins at AT: (entity, where the next line is, what ended it).
# BOUNDS: line => [kind, boundary] of all multiparts around, OWN: the innermost
# one's boundary.
sub _part ($run, $at, $bounds, $own, $default = '') {
    _give_up('parts') if $run->{max} && ++$run->{parts} > $run->{max};
    (my $head, $at) = _head($run, $at);
    $head->mime_type($default) if $default;
    my $entity = new_entity($head);
    my ($type, $subtype) = (split(/\//, $head->mime_type, -1), '');
    return _leaf($run, $entity, $at, $bounds, $own)
        if $type ne 'multipart'
        && ($type ne 'message' || !_holds_message($head, $subtype));

    _give_up('odd') if ++$run->{depth} > MAX_DEPTH;
    my @end
        = $type eq 'multipart'
        ? _multipart($run, $entity, $at, $bounds, $subtype)
        : _message($run, $entity, $at, $bounds, $own);
    $run->{depth}--;
    return ($entity, @end);
}

sub _head ($run, $at) {
    my $raw = $run->{raw};
    return (Mail::MIMEDefang::Head->from_text(''), $at + 1)
        if substr(${$raw}, $at, 1) eq "\n";
    my $end = index ${$raw}, "\n\n", $at;
    _give_up('odd') if $end < 0;
    my $text = substr ${$raw}, $at, $end - $at;
    _give_up('odd')
        if index($text, "\r") >= 0
        || index($text, "\n--") >= 0
        || substr($text, 0, 2) eq '--';
    my $head = Mail::MIMEDefang::Head->from_text($text) or _give_up('odd');
    return ($head, $end + 2);
}

sub _holds_message ($head, $subtype) {
    return 1 if $subtype eq 'rfc822' || $subtype eq 'external-body';
    return 0 if $subtype ne 'partial';
    my $number = $head->mime_attr('content-type.number') // '';
    _give_up('odd') if $number !~ /^\d*\z/;
    return $number eq '1';
}

sub _message ($run, $entity, $at, $bounds, $own) {
    _give_up('odd')
        if $entity->head->mime_encoding !~ /^(?:7bit|8bit|binary)\z/;
    my ($message, @end) = _part($run, $at, $bounds, $own);
    $entity->{ME_Bodyhandle} = undef;
    $entity->{ME_Parts}      = [$message];
    return @end;
}

sub _multipart ($run, $entity, $at, $bounds, $subtype) {
    my $own = $entity->head->multipart_boundary // '';
    _give_up('odd')
        if $own !~ /[^ \t\r\n]\z/
        || $own =~ /[\r\n]/
        || $bounds->{"--$own"}
        || $bounds->{"--$own--"};
    my %inner = (
        %{$bounds},
        "--$own"   => [ 'DELIM', $own ],
        "--$own--" => [ 'CLOSE', $own ],
    );

    my ($end, $next, $hit) = _to_boundary($run, $at, \%inner);
    _give_up('odd') if !$hit || $hit->[0] ne 'DELIM' || $hit->[1] ne $own;
    $entity->{ME_Preamble} = _preamble($run, $at, $end);

    my $default = $subtype eq 'digest' ? 'message/rfc822' : '';
    my @parts;
    while ($hit->[0] eq 'DELIM') {
        (my $part, $next, $hit) = _part($run, $next, \%inner, $own, $default);
        _give_up('odd') if !$hit || $hit->[1] ne $own;
        push @parts, $part;
    }
    $entity->{ME_Parts} = \@parts;

    $at = $next;
    ($end, $next, $hit) = _to_boundary($run, $at, $bounds);
    $end = _without_last_eol($run, $at, $end) if $hit;
    $entity->{ME_Epilogue}
        = [ split /^/, substr ${ $run->{raw} }, $at, $end - $at ];
    return ($next, $hit);
}

# The end of line before the boundary belongs to it unless the line is empty, and
# then MIME::Parser takes the last one away.
sub _preamble ($run, $at, $end) {
    my $raw = $run->{raw};
    return [] if $at == $end;
    $end = _without_last_eol($run, $at, $end)
        if $end > $at + 1 && substr(${$raw}, $end - 2, 1) ne "\n";
    my $text = substr ${$raw}, $at, $end - $at;
    return [''] if $text =~ /^[\r\n]\z/;
    $text =~ s/[\r\n]\z//;
    return [ split /^/, $text ];
}

sub _leaf ($run, $entity, $at, $bounds, $own) {
    my ($end, $next, $hit) = _to_boundary($run, $at, $bounds);
    if (%{$bounds}) {
        _give_up('odd') if !$hit || $hit->[1] ne $own;
        $end = _without_last_eol($run, $at, $end);
    }
    my $encoding = $entity->head->mime_encoding;
    _give_up('odd')
        if !is_known($encoding)
        || ($encoding =~ /^(?:7bit|8bit|binary)\z/
        && $entity->head->mime_type =~ $MAY_HOLD_UUENCODE
        && may_have_uuencode($run->{raw}, $at, $end));
    push @{ $run->{leaves} }, [ $entity, $encoding, $at, $end - $at ];
    return ($entity, $next, $hit);
}

# The line end before a boundary belongs to it.
sub _without_last_eol ($run, $from, $end) {
    return $end if $end == $from;
    $end--;
    $end-- while $end > $from && substr(${ $run->{raw} }, $end - 1, 1) eq "\r";
    return $end;
}

# The first line that is one of BOUNDS, from the line that begins at FROM on:
# (where it is, where the next line is, [kind, boundary]).  None: the end of the
# message, twice.
sub _to_boundary ($run, $from, $bounds) {
    my $raw  = $run->{raw};
    my $size = length ${$raw};
    $from = $size if $from > $size;
    return ($size, $size) if !%{$bounds};

    my $at = $from;
    while (1) {
        if (substr(${$raw}, $at, 2) eq '--') {
            my $end = index ${$raw}, "\n", $at;
            $end = $size if $end < 0;
            my $line = substr ${$raw}, $at, $end - $at;
            $line =~ /.*[^ \t\r]/s;    # not a search for blanks at its end:
            my $hit = $bounds->{ substr $line, 0, $+[0] };    # quadratic
            return ($at, min($end + 1, $size), $hit) if $hit;
        }
        $at = index ${$raw}, "\n--", $at;
        return ($size, $size) if $at < 0;
        $at++;
    }
    return;
}

sub _write_leaf ($run, $filer, $entity, $encoding, $at, $size) {
    my $head = $entity->head;
    my $path = $filer->output_path($head);
    my $body = MIME::Body::File->new($path);
    $body->binmode(1) if $head->mime_type !~ m{^(?:text|message)(?:/|\Z)};

    my $bytes = decoded(substr(${ $run->{raw} }, $at, $size), $encoding);
    sysopen my $fh, $path, O_WRONLY | O_CREAT | O_EXCL, 0666
        or die "Cannot open $path: $!\n";
    write_all($fh, \$bytes) or die "Cannot write $path: $!\n";
    close $fh               or die "Cannot write $path: $!\n";
    give_back(\$bytes);
    $entity->{ME_Bodyhandle} = $body;
    return;
}

# MIME::Parser goes through every text part line by line to look for these two;
# the raw bytes tell faster that there is nothing to find.
sub may_have_uuencode ($raw, $at = 0, $end = length ${$raw}) {
    return _has_line($raw, $at, $end, 'begin ', qr/\Gbegin [0-7]{3}/)
        || _has_line($raw, $at, $end, '(',
        qr/\G\(This file must be converted with/i);
}

sub _has_line ($raw, $at, $end, $start, $pattern) {
    while (1) {
        pos(${$raw}) = $at;
        return 1 if ${$raw} =~ /$pattern/g;
        $at = index ${$raw}, "\n$start", $at;
        return 0 if $at < 0 || $at >= $end;
        $at++;
    }
    return;
}

sub _is_quick ($entity) {
    return ref $entity eq 'MIME::Entity'
        && ref $entity->head eq 'Mail::MIMEDefang::Head';
}

# What MIME::Entity::make_multipart does, without going through the head once
# for each field.
sub wrap_single_part ($entity) {
    return 0                                 if $entity->is_multipart;
    return $entity->make_multipart eq 'DONE' if !_is_quick($entity);

    my $part = bless { %{$entity} }, 'MIME::Entity';
    %{$entity} = ();
    my $head = $part->head->take_other_fields;
    $head->replace('Content-type',
        'multipart/mixed; boundary="' . MIME::Entity::make_boundary() . '"');
    $entity->{mail_inet_head} = $head;
    $entity->{ME_Parts}       = [$part];
    return 1;
}

# And make_singlepart, for a multipart with one part.
sub unwrap_single_part ($entity) {
    my ($part, @more) = $entity->parts;
    my $head     = $entity->head;
    my $is_quick = $part && !@more && _is_quick($entity) && _is_quick($part);
    if (  !$is_quick
        || $part->is_multipart
        || !$head->take_content_fields($part->head))
    {
        $entity->make_singlepart;
        return;
    }
    %{$entity} = (%{$part}, mail_inet_head => $head);
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Parse - messages that are in order, parsed quickly

=head1 FUNCTIONS

=head2 can_parse()

Whether the installed MIME-tools are made as this module takes for granted.

=head2 parse_message(RAW, FILER, MAX_PARTS)

RAW: reference to the bytes of a message. FILER: the MIME::Parser::Filer that
names the files. MAX_PARTS: 0 or less is no limit. Returns the entity that
MIME::Parser would make of the message, with the settings of the scan; or (undef,
'parts') if there are too many; or (undef, 'odd') if it is for MIME::Parser. Odd
are: text that may hold uuencoded files,
header fields that are none, bare CRs or boundaries in a header, parts or
multiparts without an end, boundaries that are missing, empty, or used twice,
encoded messages, encodings other than the five of MIME, very deep nesting.
Nothing has been written then. Dies if a file cannot be written.

=head2 may_have_uuencode(RAW, FROM, TO)

False if MIME::Parser would find nothing between these two places, or anywhere,
that is uuencoded (or BinHex).

=head2 new_entity(HEAD)

A MIME::Entity with that head and no parts.

=head2 wrap_single_part(ENTITY), unwrap_single_part(ENTITY)

MIME::Entity::make_multipart, which is true if something had to be done, and
make_singlepart.

=cut
