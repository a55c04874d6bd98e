# SPDX-License-Identifier: MIT
#
# Looks at and edits MIME entities.  Bodies are edited by writing a new file
# and renaming it, so that a link to the old one (quarantine) keeps its content.
# MIME-tools are loaded when a function needs them.

package Mail::MIMEDefang::MIME;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec   qw(to_bytes);
use Mail::MIMEDefang::Context qw(in_filter_end);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log qw(md_syslog);

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(builtin_create_parser find_part append_to_part takeStabAtFilename
    remove_redundant_html_parts append_to_html_part append_html_boilerplate
    append_text_boilerplate collect_parts anonymize_uri);
our @EXPORT_OK = qw(warning_part file_names);

no warnings 'recursion';    # the depth of a message is the sender's choice

sub builtin_create_parser (@) {
    require MIME::Parser;
    my $parser = MIME::Parser->new;
    $parser->extract_nested_messages(1);
    $parser->extract_uuencode(1);
    $parser->output_to_core(0);
    $parser->tmp_to_core(0);
    return $parser;
}

sub takeStabAtFilename ($entity, @) {    ## no critic (Capitalization)
    return $entity->head->recommended_filename // '';
}

# Every name that a mail program might show, decoded: a field may be there
# twice, and programs differ in which one they believe.
sub file_names ($entity) {
    require MIME::WordDecoder;
    my $head    = $entity->head;
    my $decoder = MIME::WordDecoder->supported('UTF-8');
    my @names;
    for ([ 'Content-Disposition', 'filename' ], [ 'Content-Type', 'name' ]) {
        my ($field, $attribute) = @{$_};
        push @names,
            map { MIME::Field::ParamVal->parse($_)->param($attribute) }
            $head->get_all($field);
    }
    return map { $decoder->decode($_) } grep { defined && length } @names;
}

sub _is_pgp ($entity) {
    return $entity->effective_type =~ m{^multipart/(?:signed|encrypted)\z}i;
}

sub _leaves ($entity, $skip_pgp) {
    return $entity if defined $entity->bodyhandle;
    return ()      if $skip_pgp && _is_pgp($entity);
    return map { _leaves($_, $skip_pgp) } $entity->parts;
}

sub collect_parts ($entity, $skip_pgp = 0, @) {
    push @FlatParts, _leaves($entity, $skip_pgp);
    return;
}

sub find_part ($entity, $type, $skip_pgp = 0, @) {
    for my $part (_leaves($entity, $skip_pgp)) {
        return $part if lc $part->effective_type eq lc $type;
    }
    return;
}

# Replaces the decoded body by what CODE makes of it.  1, or 0 if it cannot be
# written or CODE returned undef.
sub _edit_body ($entity, $code) {
    my $body = $entity->bodyhandle or return 0;
    my $old  = $body->as_string;
    my $new  = $code->($old) // return 0;
    my $path = $body->path;
    my $fh = defined $path ? IO::File->new("$path.new", 'w') : $body->open('w');

    if (   !$fh
        || !$fh->print($new)
        || !$fh->close
        || (defined $path && !rename "$path.new", $path))
    {
        md_syslog('err', 'Cannot write the new body of a part: ' . $!);
        return 0;
    }
    _allow_8bit($entity->head)
        if $new =~ /[^\x00-\x7f]/ && $old !~ /[^\x00-\x7f]/;
    $Changed = 1;
    return 1;
}

# A part that was plain ASCII may not have been declared to hold anything else.
sub _allow_8bit ($head) {
    return if $head->mime_encoding ne '7bit';
    $head->replace('Content-Transfer-Encoding', 'quoted-printable');
    my $charset = $head->mime_attr('content-type.charset') // 'us-ascii';
    $head->mime_attr('content-type.charset' => 'utf-8')
        if lc $charset eq 'us-ascii';
    return;
}

sub append_to_part ($part, $text, @) {
    $text = to_bytes($text);
    return _edit_body($part, sub ($body) {"$body\n$text\n"});
}

# Before the first </body> that is a tag, else </html>, else at the end.
sub append_to_html_part ($part, $html, @) {
    $html = to_bytes($html);
    return _edit_body(
        $part,
        sub ($body) {
            my $at = _end_tag($body, 'body') // _end_tag($body, 'html')
                // length $body;
            return substr($body, 0, $at) . $html . substr $body, $at;
        }
    );
}

# Offset of the end tag NAME; comments and scripts may hold text like it.
sub _end_tag ($html, $name) {
    while (
        $html =~ m{
            (?: <!--.*?(?:-->|\z)
              | <(script|style)\b .*? (?:</\g1\b|\z)
              | (</\Q$name\E\s*>) )}gisx
        )
    {
        return $-[2] if defined $2;
    }
    return;
}

sub _boilerplate ($entity, $type, $all, $append, $name) {
    my @parts = grep { lc $_->effective_type eq $type } _leaves($entity, 1);
    $#parts = 0 if @parts && !$all;
    my $done = grep { $append->($_) } @parts;
    $Actions{$name}++ if $done;
    return $done ? 1 : 0;
}

sub append_text_boilerplate ($entity, $text, $all = 0, @) {
    return _boilerplate($entity, 'text/plain', $all,
        sub ($part) { append_to_part($part, $text) },
        'append_text_boilerplate');
}

sub append_html_boilerplate ($entity, $html, $all = 0, @) {
    return _boilerplate($entity, 'text/html', $all,
        sub ($part) { append_to_html_part($part, $html) },
        'append_html_boilerplate');
}

sub remove_redundant_html_parts ($entity, @) {
    return 0 if !in_filter_end('remove_redundant_html_parts');
    return 0 if defined $entity->bodyhandle || _is_pgp($entity);
    my @parts   = $entity->parts;
    my $removed = 0;
    if (lc $entity->effective_type eq 'multipart/alternative'
        && grep { lc $_->effective_type eq 'text/plain' } @parts)
    {
        my @keep = grep { lc $_->effective_type ne 'text/html' } @parts;
        if (@keep < @parts) {
            $entity->parts(\@keep);
            $removed = $Changed = 1;
            $Actions{remove_redundant_html_parts}++;
        }
        @parts = @keep;
    }
    for my $part (@parts) {
        $removed = 1 if remove_redundant_html_parts($part);
    }
    return $removed;
}

sub anonymize_uri ($entity, @) {
    my $done = 0;
    for my $part (_leaves($entity, 0)) {
        next      if lc $part->effective_type !~ m{^text/(?:plain|html)\z};
        $done = 1 if _edit_body($part, \&_without_utm);
    }
    return $done;
}

# The text without the utm_ parameters of its URLs; undef if it has none.
sub _without_utm ($text) {
    my $old = $text;
    $text =~ s{(https?://[^\s"'<>?\#]*)\?([^\s"'<>\#]*)}
              {$1 . _query_without_utm($2)}gei;
    return $text eq $old ? undef : $text;
}

sub _query_without_utm ($query) {
    my ($text, $end) = $query =~ /^(.*?)([.,;:!)]*)\z/s;    # of the sentence
    my ($first, @rest) = split /(&amp;|&)/, $text;
    my $kept = '';
    for (my @pairs = ('?', $first // ''); @pairs; @pairs = splice @rest, 0, 2) {
        my ($separator, $parameter) = @pairs;
        next if ($parameter // '') =~ /^utm_/i;
        $kept .= length $kept ? $separator : '?';
        $kept .= $parameter // '';
    }
    return $kept . $end;
}

# A part that tells the recipient what happened; numbers them.
sub warning_part ($text) {
    require MIME::Entity;
    $WarningCounter++;
    return MIME::Entity->build(
        Top         => 0,
        Type        => 'text/plain',
        Charset     => 'utf-8',
        Encoding    => '-suggest',
        Disposition => 'inline',
        Filename    => "warning$WarningCounter.txt",
        Data        => [ to_bytes($text) ],
    );
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::MIME - look at and edit MIME entities

=head1 FUNCTIONS

=head2 builtin_create_parser()

A MIME::Parser with the settings of the scan: nested messages and uuencoded
files become parts, bodies go to files.

=head2 takeStabAtFilename(ENTITY)

The decoded file name of a part: from Content-Disposition, else Content-Type;
the empty string if there is none.

=head2 file_names(ENTITY)

All names that a part has, from every such field.

=head2 find_part(ENTITY, TYPE, SKIP_PGP)

The first leaf of that type, or nothing. SKIP_PGP: not inside multipart/signed
and multipart/encrypted.

=head2 collect_parts(ENTITY, SKIP_PGP)

Appends all leaves to C<@FlatParts>.

=head2 append_to_part(PART, TEXT), append_to_html_part(PART, HTML)

Adds a newline, TEXT and a newline to the decoded body; puts HTML at the end of
the document. 1, or 0 if the body cannot be written.

=head2 append_text_boilerplate(ENTITY, TEXT, ALL), append_html_boilerplate(ENTITY, HTML, ALL)

The same to the first, or with ALL to each, text/plain (text/html) leaf that is
not signed or encrypted. 1 if there was one.

=head2 remove_redundant_html_parts(ENTITY)

Drops text/html where the same multipart/alternative has text/plain. 1 if
something was dropped. For filter_end.

=head2 anonymize_uri(ENTITY)

Removes C<utm_> parameters from the URLs in text parts. 1 if there were any.

=head2 warning_part(TEXT)

A text/plain part C<warningN.txt>.

=cut
