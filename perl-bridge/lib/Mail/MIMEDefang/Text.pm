# SPDX-License-Identifier: MIT
#
# Edits the text of a message.  A body is edited by writing a new file and
# renaming it, so that a link to the old one keeps its content.  A failure is
# logged, and then the part is as it was.

package Mail::MIMEDefang::Text;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(to_bytes);
use Mail::MIMEDefang::Guard qw(in_filter_end);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log  qw(md_syslog);
use Mail::MIMEDefang::MIME qw(find_part is_pgp leaves);

our @EXPORT_OK = qw(append_to_part append_to_html_part append_text_boilerplate
    append_html_boilerplate remove_redundant_html_parts anonymize_uri);

no warnings 'recursion';    # the depth of a message is the sender's choice

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

# Characters in the charset of the part, if that has them all; else in UTF-8.
sub _in_charset_of ($part, $text) {
    my $charset = $part->head->mime_attr('content-type.charset') // '';
    if (utf8::is_utf8($text // '') && $charset !~ /^(?:utf-?8|us-ascii)?\z/i) {
        require Encode;
        my $encoding = Encode::find_encoding($charset);
        my $bytes    = $encoding && eval {
            $encoding->encode($text, Encode::FB_CROAK() | Encode::LEAVE_SRC());
        };
        return $bytes if defined $bytes;
    }
    return to_bytes($text);
}

sub append_to_part ($part, $text, @) {
    $text = _in_charset_of($part, $text);
    return _edit_body($part, sub ($body) {"$body\n$text\n"});
}

# Before the first </body> that is a tag, else </html>, else at the end.
sub append_to_html_part ($part, $html, @) {
    $html = _in_charset_of($part, $html) . "\n";
    return _edit_body(
        $part,
        sub ($body) {
            my $at = _end_tag($body, 'body') // _end_tag($body, 'html')
                // return "$body\n$html";
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
    my @parts
        = $all
        ? grep { lc $_->effective_type eq $type } leaves($entity, 1)
        : find_part($entity, $type, 1);
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
    return 0 if defined $entity->bodyhandle || is_pgp($entity);
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
    for my $part (leaves($entity, 0)) {
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
    my ($first, @rest) = split /(&amp;|&)/, $text, -1;
    my $kept = '';
    for (my @pairs = ('?', $first // ''); @pairs; @pairs = splice @rest, 0, 2) {
        my ($separator, $parameter) = @pairs;
        next if ($parameter // '') =~ /^utm_/i;
        $kept .= length $kept ? $separator : '?';
        $kept .= $parameter // '';
    }
    return $kept . $end;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Text - edit the text of a message

=head1 DESCRIPTION

A filter calls these in filter_end, after which the message is written again. They
are exported by Mail::MIMEDefang::MIME.

TEXT and HTML are bytes, or characters, which are written in the charset of the
part if that has them all, else in UTF-8. A part that was declared to be 7-bit and
no longer is becomes quoted-printable, and UTF-8 if it was US-ASCII.

=head1 FUNCTIONS

=head2 append_to_part(PART, TEXT), append_to_html_part(PART, HTML)

Adds a newline, TEXT and a newline to the decoded body of a leaf; puts HTML and a
newline in front of the end tag of the body, else of the document, else at the
end. 1, or 0 if the body cannot be written or PART is no leaf.

=head2 append_text_boilerplate(ENTITY, TEXT [, ALL]), append_html_boilerplate(ENTITY, HTML [, ALL])

The same to the first, or with ALL to each, text/plain (text/html) leaf that is
not inside multipart/signed or multipart/encrypted. 1 if there was one, else 0.

=head2 remove_redundant_html_parts(ENTITY)

Drops text/html where the same multipart/alternative has text/plain. 1 if
something was dropped, else 0. Only in filter_end; elsewhere it logs that and
returns 0.

=head2 anonymize_uri(ENTITY)

Removes query parameters whose name begins with C<utm_> from http and https URLs in
text/plain and text/html leaves; every other byte stays. 1 if there were any, else
0, and then nothing has changed.

=cut
