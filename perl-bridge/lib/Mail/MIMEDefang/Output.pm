# SPDX-License-Identifier: MIT
#
# Writes the body of a tree of MIME entities, as MIME::Entity::print_body does,
# with the same bytes, but in large pieces.  What somebody else's class or
# encoding does is left to it.
# choice:bridge-whole-multipart  A multipart that could not be taken apart is one
# part, and keeps its content.

package Mail::MIMEDefang::Output;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Body  qw(encoded give_back is_known read_all write_all);
use Mail::MIMEDefang::Codec qw(to_bytes);
use MIME::Tools             qw(textual_type);

our @EXPORT_OK = qw(write_body);

use constant PIECE => 1 << 20;

no warnings 'recursion';    # the depth of a message is the sender's choice

sub write_body ($entity, $path) {
    open my $fh, '>:raw', $path or die "Cannot open $path: $!\n";
    my $out = { fh => $fh, path => $path, text => '' };
    _body($out, $entity);
    _flush($out);
    close $fh or die "Cannot write $path: $!\n";
    return;
}

sub _flush ($out) {
    write_all($out->{fh}, \$out->{text})
        or die "Cannot write $out->{path}: $!\n";
    $out->{text} = '';
    return;
}

sub _is_ours ($entity) {
    return ref $entity eq 'MIME::Entity' && !$MIME::Entity::BOUNDARY_DELIMITER;
}

# By the entity's own method.
sub _theirs ($out, $entity, $method) {
    my $fh = IO::File->new(\my $text, '>:');
    $entity->$method($fh);
    close $fh;
    $out->{text} .= $text // '';
    return;
}

sub _entity ($out, $entity) {
    return _theirs($out, $entity, 'print') if !_is_ours($entity);
    $out->{text} .= to_bytes($entity->head->as_string) . "\n";
    _body($out, $entity);
    return;
}

sub _body ($out, $entity) {
    return _theirs($out, $entity, 'print_body') if !_is_ours($entity);
    my ($type) = split m{/}, $entity->mime_type;
    my @parts  = $entity->parts;
    if (($type // '') eq 'multipart' && !defined $entity->bodyhandle) {
        _multipart($out, $entity, @parts);
    }
    elsif (@parts) {
        for my $i (0 .. $#parts) {
            $out->{text} .= "\n\n" if $i;
            _entity($out, $parts[$i]);
        }
    }
    else {
        _leaf($out, $entity);
    }
    _flush($out) if length $out->{text} > PIECE;
    return;
}

sub _multipart ($out, $entity, @parts) {
    my $boundary = to_bytes($entity->head->multipart_boundary // '');
    my $preamble = $entity->preamble
        // ["This is a multi-part message in MIME format...\n"];
    $out->{text} .= to_bytes(join '', @{$preamble}, "\n") if @{$preamble};
    for my $part (@parts) {
        $out->{text} .= "--$boundary\n";
        _entity($out, $part);
        $out->{text} .= "\n";
    }
    $out->{text} .= "--$boundary--\n";

    my $epilogue = to_bytes(join '', @{ $entity->epilogue // [] });
    $out->{text} .= $epilogue;
    $out->{text} .= "\n" if $epilogue =~ /[^\n]\z/;
    return;
}

sub _leaf ($out, $entity) {
    my $body     = $entity->bodyhandle or return;
    my $encoding = $entity->head->mime_encoding;
    return _theirs($out, $entity, 'print_bodyhandle')
        if ref $body ne 'MIME::Body::File'
        || $body->is_encoded
        || !is_known($encoding);
    my $path    = $body->path;
    my $bytes   = read_all($path) // die "Cannot read $path: $!\n";
    my $is_text = textual_type($entity->mime_type) ? 1 : 0;
    $out->{text} .= encoded($bytes, $encoding, $is_text);
    give_back(\$bytes);
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Output - write the body of a message

=head1 FUNCTIONS

=head2 write_body(ENTITY, PATH)

Writes what MIME::Entity::print_body prints. Dies if PATH cannot be written, or
the file of a part not read.

=cut
