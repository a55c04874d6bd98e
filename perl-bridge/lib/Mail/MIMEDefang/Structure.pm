# SPDX-License-Identifier: MIT
#
# Goes through the raw bytes of a message from boundary to boundary and header to
# header, decodes nothing, and says how many parts there are, how deep they lie,
# and where programs that take a message apart are known to disagree.  There an
# attachment may be one thing to us and another to the recipient's mail program.
# Pure; any bytes will do; one pass, a few searches for each line that begins
# with two hyphens.  spec:bridge-ambiguities

package Mail::MIMEDefang::Structure;
use v5.36;
no feature 'unicode_strings';    # what is parsed are octets
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(one_line);

our @EXPORT_OK = qw(examine);

use constant {
    MAX_FOUND => 100,     # that are told; more says nothing more
    MAX_SHOWN => 60,      # octets of the message in a text
    MAX_OPEN  => 1000,    # multiparts at a time
    MAX_VALUE => 8192,    # octets of a field that are looked at
};

# Fields that programs take the first or the last of.
my $ONCE
    = qr/^(?:content-(?:type|transfer-encoding|disposition|id)|mime-version)\z/;

my $TOKEN = qr{[!\#\$%&'*+\-.0-9A-Z^_`a-z\{|\}~]+};

my %KNOWN_ENCODING = map { $_ => 1 } qw(7bit 8bit binary base64
    quoted-printable x-uuencode x-uue uuencode x-uu binhex binhex40 mac-binhex
    mac-binhex40);
my %IDENTITY = map { $_ => 1 } qw(7bit 8bit binary);

sub examine ($raw) {
    my $self = bless {
        raw     => $raw,
        size    => length ${$raw},
        at      => 0,
        parts   => 0,
        depth   => 0,
        deepest => 0,
        found   => [],
        seen    => {},
        open    => [],              # multiparts, the innermost last
        bound   => {},              # line -> [depth in open, whether it closes]
        },
        __PACKAGE__;
    $self->_found('bare-cr', 'a CR that no LF follows')
        if ${$raw} =~ /\r(?!\n)/;
    $self->_part;
    1 while $self->_next;
    return {
        parts       => $self->{parts},
        depth       => $self->{deepest},
        ambiguities => $self->{found},
    };
}

sub _found ($self, $code, $text) {
    my $where = $self->{parts} > 1 ? "part $self->{parts}: " : '';
    return
        if @{ $self->{found} } >= MAX_FOUND
        || $self->{seen}{"$where$code$text"}++;
    push @{ $self->{found} }, [ $code, "$where$text" ];
    return;
}

sub _shown ($text) {
    $text = substr $text, 0, 4 * MAX_SHOWN;
    $text = one_line($text) =~ s/^ +//r;
    return
        length $text > MAX_SHOWN ? substr($text, 0, MAX_SHOWN) . '...' : $text;
}

# A header begins at {at}, perhaps that of a message within a message, and so on.
sub _part ($self) {
    my $depth = @{ $self->{open} } ? $self->{open}[-1]{depth} : 0;
    while (1) {
        $self->{parts}++;
        $self->{deepest} = $depth if $depth > $self->{deepest};
        my $head = $self->_head;
        my ($type, $boundary, $encoding) = @{$head}{qw(type boundary encoding)};
        $self->{base64_at} = undef;
        if ($type =~ m{^multipart/}) {
            $self->_encoded_container($encoding);
            return $self->_open_multipart($boundary, $depth);
        }
        if ($type eq 'message/rfc822' || $type eq 'message/global') {
            $self->_encoded_container($encoding);
            return if !$IDENTITY{$encoding};
            $depth++;
            next;
        }
        $self->{base64_at} = $self->{at} if $encoding eq 'base64';
        return;
    }
    return;
}

# rfc:2045#6.4
sub _encoded_container ($self, $encoding) {
    $self->_found('encoded-container',
        "$encoding, which parts within it may not have")
        if !$IDENTITY{$encoding};
    return;
}

sub _open_multipart ($self, $boundary, $depth) {
    if (!defined $boundary || $boundary !~ /[^ \t]/) {
        return $self->_found('no-boundary', 'multipart without a boundary');
    }
    $self->_found('odd-boundary', 'boundary ' . _shown($boundary))
        if length $boundary > 70
        || $boundary !~ m{^[0-9A-Za-z'()+_,\-./:=? ]*\z}
        || $boundary =~ / \z/;
    $boundary =~ s/[ \t]+\z//;
    for my $open (@{ $self->{open} }) {
        $self->_found('boundary-twice',
            'boundary of the multipart around it: ' . _shown($boundary))
            if $open->{boundary} eq $boundary
            || $open->{boundary} eq "$boundary--"
            || $boundary eq "$open->{boundary}--";
    }
    return if @{ $self->{open} } >= MAX_OPEN;
    my $level = @{ $self->{open} };
    push @{ $self->{open} },
        {
        boundary => $boundary,
        depth    => $depth + 1,
        outer    => [ @{ $self->{bound} }{ "--$boundary", "--$boundary--" } ],
        number   => $self->{parts},
        };
    $self->{bound}{"--$boundary"}   = [ $level, 0 ];
    $self->{bound}{"--$boundary--"} = [ $level, 1 ];
    return;
}

# Goes to the next boundary line and through the header behind it; false at the
# end of the message.
sub _next ($self) {
    my $raw = $self->{raw};
    my $at  = $self->{at};
    my ($hit, $end);
    while (1) {
        my $is_line = substr(${$raw}, $at, 2) eq '--'
            && ($at == 0 || substr(${$raw}, $at - 1, 1) =~ /[\r\n]/);
        if ($is_line && %{ $self->{bound} }) {
            $end = index ${$raw}, "\n", $at;
            $end = $self->{size} if $end < 0;
            my $line = substr ${$raw}, $at, $end - $at;
            $line = $1 if $line =~ /\A(.*[^ \t\r])/s;
            $hit  = $self->{bound}{$line};
            last if $hit;
        }
        $at = %{ $self->{bound} } ? index ${$raw}, "\n--", $at : -1;
        last if $at++ < 0;
    }
    $self->_end_of_part($hit ? $at : $self->{size});
    if (!$hit) {
        $self->_close(0);
        return 0;
    }
    my ($level, $closes) = @{$hit};
    $self->_close($level + 1);
    $self->{open}[$level]{used} = 1;
    $self->{at} = $end + 1 > $self->{size} ? $self->{size} : $end + 1;
    if ($closes) {
        $self->{open}[$level]{closed} = 1;
        $self->_close($level);
        return 1;
    }
    $self->_part;
    return 1;
}

# Multiparts from LEVEL on are at their end, whether they say so or not.
sub _close ($self, $level) {
    while (@{ $self->{open} } > $level) {
        my $open = pop @{ $self->{open} };
        $self->_found('unterminated',
            "multipart $open->{number} has no last boundary")
            if !$open->{closed};
        $self->_found('no-parts', "multipart $open->{number} has no part")
            if !$open->{used};
        my ($delimiter, $close) = @{ $open->{outer} };
        my $boundary = "--$open->{boundary}";
        for ([ $boundary, $delimiter ], [ "$boundary--", $close ]) {
            my ($line, $outer) = @{$_};
            if ($outer) { $self->{bound}{$line} = $outer }
            else        { delete $self->{bound}{$line} }
        }
    }
    return;
}

sub _end_of_part ($self, $end) {
    my $at = $self->{base64_at} // return;
    undef $self->{base64_at};
    return if $end <= $at;
    my $junk
        = substr(${ $self->{raw} }, $at, $end - $at) =~ tr{A-Za-z0-9+/=\r\n}{}c;
    my $pad  = index ${ $self->{raw} }, '=', $at;
    my $tail = '';
    if ($pad >= $at && $pad < $end) {
        $tail = substr ${ $self->{raw} }, $pad, $end - $pad;
        $tail =~ tr/\r\n//d;
    }
    if ($junk || $tail !~ /^={0,2}\z/) {
        $self->_found('bad-base64', 'octets that are no base64');
        return;
    }
    my $length
        = substr(${ $self->{raw} }, $at, $end - $at) =~ tr{A-Za-z0-9+/=}{};
    $self->_found('bad-base64', 'base64 that ends within a group')
        if $length % 4;
    return;
}

# Reads a header, moves {at} behind it; (type, boundary, encoding) of what follows.
sub _head ($self) {
    my $raw   = $self->{raw};
    my $start = $self->{at};
    my $text  = $self->_header_text;
    $self->_found('nul', 'NUL in a header') if index($text, "\0") >= 0;
    $text =~ s/\r(?=\n)//g;
    $self->_found('blank-line', 'a header line of blanks only')
        if $text =~ /^[ \t\r]+$/m && $text =~ /^[ \t]+$/m;
    $self->_found('no-field', 'a header line that is no field: ' . _shown($1))
        if $text =~ /^(?![!-9;-~]+:)((?:[^ \t\n]|(?<!\n)\A[ \t])[^\n]*)/m;
    $text =~ s/\n(?=[ \t])//g;

    my (%value, %count);
    while ($text =~ /^((?:content-[!-9;-~]+|mime-version))[ \t]*:([^\n]*)/mgi) {
        my ($name, $value) = (lc $1, $2);
        if (length $value > MAX_VALUE) {
            $self->_found('parameter', "$name is very long");
            $value = substr $value, 0, MAX_VALUE;
        }
        $value{$name} //= $value;
        $self->_found('field-twice', "$name more than once")
            if $name =~ $ONCE && $count{$name}++;
    }
    my $encoding = lc($value{'content-transfer-encoding'} // '7bit');
    $encoding =~ s/\A\s+//;
    $encoding =~ s/\s+\z//;
    if (!$KNOWN_ENCODING{$encoding}) {
        $self->_found('encoding', 'encoding ' . _shown($encoding));
        $encoding = $1 if $encoding =~ /^"?([\w-]+)/a;
    }
    my ($type, $parameters) = $self->_content_type($value{'content-type'});
    $self->_parameters('content-disposition', $value{'content-disposition'})
        if defined $value{'content-disposition'};
    return {
        type     => $type,
        boundary => $parameters->{boundary},
        encoding => $encoding
    };
}

# Up to the empty line.  A boundary before it ends the part.
sub _header_text ($self) {
    my $raw   = $self->{raw};
    my $start = $self->{at};
    pos(${$raw}) = $start;
    if (${$raw} =~ /\G\r?\n/gc) {
        $self->{at} = pos ${$raw};
        return '';
    }
    my ($end, $next) = $self->_empty_line($start);
    my $boundary = $self->_boundary_before($start, $end);
    ($end, $next) = ($boundary, $boundary) if defined $boundary;

    my $text = substr ${$raw}, $start, $end - $start;
    $self->_found('no-header-end', 'a header that no empty line ends')
        if $next == $end && length $text;
    $self->{at} = $next;
    return $text;
}

# Where the next one is and where it ends; kept, since many parts may have none.
sub _empty_line ($self, $start) {
    my $known = $self->{empty_line};
    if (!$known || $known->[0] < $start) {
        my $raw = $self->{raw};
        pos(${$raw}) = $start;
        $known
            = ${$raw} =~ /\n\r?\n/g
            ? [ $-[0], $+[0] ]
            : [ $self->{size}, $self->{size} ];
        $self->{empty_line} = $known;
    }
    return @{$known};
}

sub _boundary_before ($self, $at, $end) {
    my $raw = $self->{raw};
    return if !%{ $self->{bound} };
    while ($at < $end) {
        if (substr(${$raw}, $at, 2) eq '--') {
            my $eol = index ${$raw}, "\n", $at;
            $eol = $self->{size} if $eol < 0;
            my ($line) = substr(${$raw}, $at, $eol - $at) =~ /\A(.*[^ \t\r])/s;
            return $at if $self->{bound}{$line};
        }
        $at = index ${$raw}, "\n--", $at;
        return if $at++ < 0;
    }
    return;
}

# (type/subtype in lower case, parameters)
sub _content_type ($self, $value) {
    return ('text/plain', {}) if !defined $value;
    my $parameters = $self->_parameters('content-type', $value);
    if ($value =~ m{^\s*($TOKEN/$TOKEN)\s*(?:;|\(|\z)}) {
        return (lc $1, $parameters);
    }
    $self->_found('type', 'Content-Type ' . _shown($value));
    return (lc $1,        $parameters) if $value =~ m{($TOKEN/$TOKEN)};
    return ('text/plain', $parameters);
}

# Name in lower case -> value of the parameters, as most programs understand them.
sub _parameters ($self, $field, $value) {
    my (%value, %form);
    $value =~ s/^[^;]*//;
    while ($value =~ /\G;/gc) {
        $value =~ /\G(?:\s+|;)*/gc;
        last if (pos($value) // 0) >= length $value;
        if ($value =~ /\G\(/gc) {
            $self->_found('parameter', "comment in $field");
            $value =~ /\G[^;]*/gc;
            next;
        }
        if ($value !~ /\G($TOKEN)\s*=\s*/gc) {
            $value =~ /\G([^;]*)/gc;
            $self->_found('parameter', "$field: " . _shown($1));
            next;
        }
        my $name = lc $1;
        my $text;
        if ($value =~ /\G"((?:[^"\\]|\\.)*)"/gcs) {
            $text = $1 =~ s/\\(.)/$1/gsr;
        }
        elsif ($value =~ /\G"([^;]*)/gc) {
            $self->_found('parameter', "$field: $name has an open quote");
            $text = $1;
        }
        else {
            $value =~ /\G([^;\s"(]*)/gc;
            $text = $1;
        }
        $value =~ /\G\s*([^;]*)/gc;
        $self->_found('parameter', "$field: $name is followed by " . _shown($1))
            if length $1;
        $self->_parameter($field, $name, $text, \%value, \%form);
    }
    $self->_pieces($field, \%form);
    return \%value;
}

# rfc:2231  name, name*, name*0, name*0*
sub _parameter ($self, $field, $name, $text, $value, $form) {
    $self->_found('parameter-twice', "$field: $name more than once")
        if exists $form->{all}{$name};
    $form->{all}{$name} = 1;
    my ($base, $piece) = $name =~ /^([^*]+)(\*.*)?\z/s or return;
    push @{ $form->{forms}{$base} }, $piece // '';
    $value->{$base} //= $text if !defined $piece || $piece !~ /^\*[1-9]/;
    return;
}

sub _pieces ($self, $field, $form) {
    for my $name (sort keys %{ $form->{forms} }) {
        my @forms = @{ $form->{forms}{$name} };
        my @split = grep {/\d/} @forms;
        next if @forms == 1 && $forms[0] eq '';
        $self->_found('parameter-forms', "$field: $name in more than one form")
            if @split < @forms && @forms > 1;
        $self->_found('parameter-pieces',
                  "$field: $name in pieces that are"
                . ' not in order or not complete')
            if @split && !_in_order(@split);
        $self->_found('boundary-pieces', 'a boundary in the form of RFC 2231')
            if $name eq 'boundary';
    }
    return;
}

sub _in_order (@forms) {
    my $next = 0;
    for my $form (@forms) {
        return 0 if $form !~ /^\*(0|[1-9]\d*)\*?\z/a || $1 != $next++;
    }
    return 1;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Structure - what a message looks like to a suspicious eye

=head1 FUNCTIONS

=head2 examine(RAW)

RAW: reference to the bytes of a message. Returns a reference to a hash: C<parts>,
how many headers there are, that of the message included; C<depth>, how many
multiparts and messages lie around the innermost part; C<ambiguities>, a list of
C<[code, text]>, at most 100. The codes are listed in F<docs/bridge.md>.

=cut
