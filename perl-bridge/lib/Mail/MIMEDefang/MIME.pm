# SPDX-License-Identifier: MIT
#
# Looks at MIME entities: names, leaves, types.  What edits them is in Text and
# exported from here, too.  MIME-tools are loaded when a function needs them.

package Mail::MIMEDefang::MIME;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(to_bytes);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Lazy 'Mail::MIMEDefang::Text' => [
    qw(append_to_part append_to_html_part append_text_boilerplate
        append_html_boilerplate remove_redundant_html_parts anonymize_uri)
];

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(builtin_create_parser find_part append_to_part takeStabAtFilename
    remove_redundant_html_parts append_to_html_part append_html_boilerplate
    append_text_boilerplate collect_parts anonymize_uri);
our @EXPORT_OK = qw(warning_part file_names header_word is_pgp leaves);

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

# Every name that a mail program might show, decoded, or as it is written if that
# gives nothing: a field may be there twice, and programs differ in which one they
# believe, and in which charsets they know.
sub file_names ($entity) {
    my $head = $entity->head;
    my @names;
    for ([ 'Content-Disposition', 'filename' ], [ 'Content-Type', 'name' ]) {
        my ($field, $attribute) = @{$_};
        for my $text ($head->get_all($field)) {
            my $name = MIME::Field::ParamVal->parse($text)->param($attribute);
            $name = _decoded($name) if length($name // '');
            push @names,
                length($name // '') ? $name : _as_written($text, $attribute);
        }
    }
    return @names;
}

# Encoded words; the octets of one in a charset that nobody knows.
sub _decoded ($text) {
    require MIME::WordDecoder;
    local $SIG{__WARN__} = sub { };    # of such charsets
    my $name = MIME::WordDecoder->supported('UTF-8')->decode($text);
    return $name if length($name // '');
    require MIME::Words;
    return MIME::Words::decode_mimewords($text);
}

sub _as_written ($text, $attribute) {
    return grep {length}
        map     {s/\A"|"\z//gr}
        $text =~ /\b\Q$attribute\E[*\d]*\s*=\s*("[^"]*"?|[^;\s]*)/gi;
}

sub is_pgp ($entity) {
    return $entity->effective_type =~ m{^multipart/(?:signed|encrypted)\z}i;
}

sub leaves ($entity, $skip_pgp) {
    return $entity if defined $entity->bodyhandle;
    return ()      if $skip_pgp && is_pgp($entity);
    return map { leaves($_, $skip_pgp) } $entity->parts;
}

sub collect_parts ($entity, $skip_pgp = 0, @) {
    push @FlatParts, leaves($entity, $skip_pgp);
    return;
}

# What is in a forwarded message is not of this one.
sub find_part ($entity, $type, $skip_pgp = 0, @) {
    if (defined $entity->bodyhandle || !$entity->is_multipart) {
        return lc $entity->effective_type eq lc $type ? $entity : ();
    }
    return if $skip_pgp && is_pgp($entity);
    for my $part ($entity->parts) {
        my $found = find_part($part, $type, $skip_pgp);
        return $found if $found;
    }
    return;
}

# Characters of a name as a header field can hold them.  rfc:2047#2
sub header_word ($text) {
    return $text if !utf8::is_utf8($text // '');
    $text = to_bytes($text);
    return $text if $text !~ /[^\x00-\x7f]/;
    require MIME::Words;
    return MIME::Words::encode_mimeword($text, 'Q', 'UTF-8');
}

# A part that tells the recipient what happened; numbers them.
sub warning_part ($text) {
    require MIME::Entity;
    $text = to_bytes($text);
    $WarningCounter++;
    return MIME::Entity->build(
        Top         => 0,
        Type        => 'text/plain',
        Encoding    => '-suggest',
        Disposition => 'inline',
        Filename    => "warning$WarningCounter.txt",
        Data        => [$text],
        $text =~ /[^\x00-\x7f]/ ? (Charset => 'utf-8') : (),
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
the empty string if there is none. It may be a string of wide characters.

=head2 file_names(ENTITY)

All names that a part has, from every such field.

=head2 find_part(ENTITY, TYPE [, SKIP_PGP])

The first part of that type (in any case), or nothing: an empty list, undef in
scalar context. Multiparts are looked into; a forwarded message is not, and is
found itself as message/rfc822. SKIP_PGP: not inside multipart/signed and
multipart/encrypted.

=head2 collect_parts(ENTITY [, SKIP_PGP])

Appends all leaves to C<@FlatParts>, which is not emptied before. Returns
nothing.

=head2 append_to_part, append_to_html_part, append_text_boilerplate, append_html_boilerplate, remove_redundant_html_parts, anonymize_uri

See L<Mail::MIMEDefang::Text>.

=head2 leaves(ENTITY, SKIP_PGP), is_pgp(ENTITY)

The leaves, as find_part sees them; whether it is multipart/signed or
multipart/encrypted.

=head2 header_word(TEXT)

TEXT as it is, if it consists of bytes; characters as an encoded word.

=head2 warning_part(TEXT)

A text/plain part C<warningN.txt>.

=cut
