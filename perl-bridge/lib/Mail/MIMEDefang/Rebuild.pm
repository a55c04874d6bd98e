# SPDX-License-Identifier: MIT
#
# Takes the parts of a message through filter and filter_multipart into a new
# tree, puts warnings in it, and writes it as NEWBODY.  Dies when a file cannot
# be written; what the filter dies with goes through.

package Mail::MIMEDefang::Rebuild;
use v5.36;
no feature 'unicode_strings';    # what is parsed are octets
use Exporter 'import';
use Mail::MIMEDefang::Actions  qw(process_added_parts);
use Mail::MIMEDefang::Callback qw(call_filter);
use Mail::MIMEDefang::Channel  qw(pop_status_tag push_status_tag);
use Mail::MIMEDefang::Codec    qw(to_bytes);
use Mail::MIMEDefang::Guard    qw(in_filter_end);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::MIME qw(append_to_html_part append_to_part find_part
    takeStabAtFilename warning_part);
use Mail::MIMEDefang::Spool qw(write_result_line);

our @EXPORT                      ## no critic (ProhibitAutomaticExportation)
    = qw(rebuild_entity replace_entire_message);
our @EXPORT_OK = qw(empty_copy insert_warnings write_new_body);

no warnings 'recursion';         # the depth of a message is the sender's choice

# The same head, preamble and epilogue; no parts.
sub empty_copy ($entity) {
    my $copy = Mail::MIMEDefang::Parse::new_entity($entity->head);
    $copy->preamble($entity->preamble);
    $copy->epilogue($entity->epilogue);
    return $copy;
}

sub rebuild_entity ($out, $in, @) {
    my $head = $in->head;
    $head->mime_attr('Content-Type' => $head->mime_type)
        if !length($head->mime_attr('Content-Type') // '');
    my $type     = lc $in->effective_type;
    my $name     = takeStabAtFilename($in);
    my ($ext)    = $name =~ /(\.[^.]*)\z/;
    my $is_leaf  = defined $in->bodyhandle;
    my $callback = $is_leaf ? 'filter' : 'filter_multipart';

    $Action            = 'accept';
    $ReplacementEntity = undef;
    push_status_tag("In $callback routine");
    call_filter($callback, $in, $name, $ext // '', $type);
    pop_status_tag();

    if ($Action eq 'drop' || $Action eq 'replace') {
        $Changed = 1;
        $out->add_part(_in_place_of($in)) if $Action eq 'replace';
        return;
    }
    if ($is_leaf) {
        $out->add_part($in);
        return;
    }
    my $copy = empty_copy($in);
    $out->add_part($copy);
    for my $part ($in->parts) {
        rebuild_entity($copy, $part);
    }
    return;
}

# rfc:2387#3.4  Other parts refer to it by this name.
sub _in_place_of ($in) {
    my $id   = $in->head->get('Content-ID', 0);
    my $head = $ReplacementEntity->head;
    $head->replace('Content-ID', $id)
        if defined $id && !$head->count('Content-ID');
    return $ReplacementEntity;
}

sub replace_entire_message ($entity, @) {
    return 0 if !in_filter_end('replace_entire_message');
    return 0 if !eval { $entity->isa('MIME::Entity') };
    $FilterEndReplacementEntity = $entity;
    $Rebuild                    = 1;
    return 1;
}

sub insert_warnings ($tree) {
    $Changed = 1;
    my $text = to_bytes($GeneralWarning) . join "\n",
        map { to_bytes($_) } @Warnings;
    return if $AddWarningsInline && _inline_warnings($tree, $text);

    my $first = _first_leaf($tree);
    if (   $Stupidity{NoMultipleInlines}
        && $WasMultiPart
        && $WarningLocation == 0
        && $first
        && lc $first->effective_type eq 'text/plain')
    {
        _name_part($first, 'MESSAGE.TXT');
    }
    push @AddedParts, [ warning_part($text), $WarningLocation ];
    return;
}

sub _inline_warnings ($tree, $text) {
    my $plain  = find_part($tree, 'text/plain', 1);
    my $html   = find_part($tree, 'text/html',  1);
    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;');
    my $markup = $text =~ s/([&<>])/$entity{$1}/gr;
    my $done   = 0;
    $done = 1
        if $plain && append_to_part($plain, ('=' x 75) . "\n$text");
    $done = 1
        if $html
        && append_to_html_part($html, "<hr>\n<pre>\n$markup</pre>");
    return $done;
}

sub _first_leaf ($entity) {
    while ($entity && !defined $entity->bodyhandle) {
        ($entity) = $entity->parts;
    }
    return $entity;
}

sub _name_part ($entity, $name) {
    my $head = $entity->head;
    $head->mime_attr('Content-Type.name'            => $name);
    $head->mime_attr('Content-Disposition'          => 'inline');
    $head->mime_attr('Content-Disposition.filename' => $name);
    $head->replace('Content-Description', $name);
    return;
}

sub write_new_body ($tree) {
    process_added_parts($tree);
    my $seen;
    while ($tree->effective_type =~ m{^multipart/(?:mixed|alternative)\z}i
        && $tree->parts == 1)
    {
        my ($part) = $tree->parts;
        $seen = $part->head->get('Content-Type', 0);
        Mail::MIMEDefang::Parse::unwrap_single_part($tree);
    }

    _without_nul($tree->head);
    Mail::MIMEDefang::Output::write_body($tree, 'NEWBODY');

    # MIME-tools take a name of the field away that its value begins with, and
    # so make a type of what was none when the filter saw it.
    undef $seen if ($seen // '') !~ /^\s*content-type\s*:/i;
    _write_content_fields($tree, $seen);
    write_result_line('C');
    return;
}

# No MTA takes a NUL, and without it the field could name a boundary, or another
# one, that the filter has not seen: the type and boundary of the filter's view.
sub _without_nul ($head) {
    return if index($head->get('Content-Type', 0) // '', "\0") < 0;
    my $type = $head->mime_type =~ s/\0.*//sr;
    $type .= '; boundary="' . MIME::Entity::make_boundary() . '"'
        if defined $head->multipart_boundary;
    $head->replace('Content-Type', $type);
    return;
}

# The MTA keeps the header of the old top; make its Content-* fields the new
# one's.
sub _write_content_fields ($tree, $seen) {
    my $head           = $tree->head;
    my $grew_multipart = $tree->is_multipart && !$WasMultiPart;
    my $type           = $seen // $head->get('Content-Type', 0)
        // $tree->effective_type
        . '; boundary="'
        . ($head->multipart_boundary // '') . '"';
    write_result_line('M', _value($type));

    for my $tag (sort grep {/^content-/i} $head->tags) {
        next if lc $tag eq 'content-type';
        next if lc $tag eq 'content-transfer-encoding' && $grew_multipart;
        write_result_line('I', $tag, 1, _value($head->get($tag, 0)));
    }
    write_result_line('J', 'Content-Transfer-Encoding', 1)
        if $grew_multipart
        || (!$head->count('Content-Transfer-Encoding') && _was_encoded());
    return;
}

# A multipart is not encoded, but the field can be there, and would stay when the
# multipart has given way to its only part.
sub _was_encoded () {
    open my $fh, '<', 'HEADERS' or return 0;
    my $encoded = grep {
        /^content-transfer-encoding[ \t]*:[ \t]*(?!(?:[78]bit|binary)\s*$)/i
    } <$fh>;
    close $fh;
    return $encoded;
}

sub _value ($text) {
    $text =~ s/\r(?=\n)//g;
    $text =~ tr/\r\0/ /;
    $text =~ s/\n\z//;
    return $text;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Rebuild - the tree of parts, filtered and written again

=head1 FUNCTIONS

=head2 rebuild_entity(OUT, IN)

Takes IN and its parts through the filter and adds what is left to OUT.

=head2 replace_entire_message(ENTITY)

In filter_end: the message is to be ENTITY. 1, or 0 if it is no MIME::Entity or
called elsewhere.

=head2 empty_copy(ENTITY)

A copy that shares head, preamble and epilogue and has no parts.

=head2 insert_warnings(TREE)

Puts C<@Warnings> into the tree, or queues a part with them.

=head2 write_new_body(TREE)

Writes F<NEWBODY> and the lines of F<RESULTS> that go with it.

=cut
