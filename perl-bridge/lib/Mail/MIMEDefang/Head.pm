# SPDX-License-Identifier: MIT
#
# A MIME::Head that remembers: MIME::Head takes a field apart each time that it
# is asked for a parameter, some twenty times for a small message.  What a field
# means depends on its text only, so it is kept under that text, and nothing has
# to be forgotten when a head changes.

package Mail::MIMEDefang::Head;
use v5.36;
no feature 'unicode_strings';    # what is parsed are octets
use parent 'MIME::Head';
use MIME::WordDecoder ();

use constant {
    MAX_KEPT => 500,     # entries of each memory; then it starts anew
    MAX_KEY  => 2000,    # what is longer is not kept
};

my (%tag, %attribute, %parameters, %decoded);

sub _keep ($memory, $key, $value) {
    return $value if length $key > MAX_KEY;
    %{$memory} = () if keys %{$memory} >= MAX_KEPT;
    return $memory->{$key} = $value;
}

sub _tag ($name) {
    return $tag{$name} // _keep(\%tag, $name, Mail::Header::_tag_case($name));
}

# As MIME::Head makes them, with these fields.
sub _of ($class, $list, $hash) {
    return bless {
        mail_hdr_list      => $list,
        mail_hdr_hash      => $hash,
        mail_hdr_modify    => 0,
        mail_hdr_foldlen   => 79,
        mail_hdr_lengths   => {},
        mail_hdr_mail_from => 'KEEP',
    }, $class;
}

sub from_text ($class, $text) {
    my (@list, %hash);
    for my $field (split /\n(?![ \t])/, $text) {
        my ($name) = $field =~ /^([^\x00-\x1f\x7f-\xff :]+):/ or return;
        push @list,                                    "$field\n";
        push @{ $hash{ $tag{$name} // _tag($name) } }, \$list[-1];
    }
    return _of($class, \@list, \%hash);
}

# Whether the installed MIME::Head is made of what we think it is made of.
sub is_known {
    my $text = "Subject: a\n b\nx-MIME-id: c\nSUBJECT:d\n";
    open my $fh, '<', \$text or return 0;
    my $theirs = MIME::Head->new;
    $theirs->read($fh);
    my $ours = __PACKAGE__->from_text($text =~ s/\n\z//r);
    return _text_of($theirs) eq _text_of($ours);
}

sub _text_of ($x) {
    my $type = Scalar::Util::reftype($x) // return $x // 'undef';
    return 'ref ' . _text_of(${$x}) if $type eq 'SCALAR';
    return '[' . join(',', map { _text_of($_) } @{$x}) . ']'
        if $type eq 'ARRAY';
    return join ',', '{',
        map({ ($_, _text_of($x->{$_})) } sort keys %{$x}), '}';
}

# Moves all but the Content-* fields to a new head.
sub take_other_fields ($self) {
    my (@mine, @other, %mine, %other);
    for my $line (grep {defined} @{ $self->{mail_hdr_list} }) {
        my $name = $line =~ /^([^ :]+):/ ? $1 : 'From ';
        my ($list, $hash)
            = $name =~ /^content-/i ? (\@mine, \%mine) : (\@other, \%other);
        push @{$list},                                   $line;
        push @{ $hash->{ $tag{$name} // _tag($name) } }, \$list->[-1];
    }
    @{$self}{qw(mail_hdr_list mail_hdr_hash)} = (\@mine, \%mine);
    return bless {
        %{$self},
        mail_hdr_list => \@other,
        mail_hdr_hash => \%other,
        },
        ref $self;
}

# Its Content-* fields become those of OTHER, written as MIME::Head writes fields
# that are added.  False, and nothing is done, if it would write them otherwise.
sub take_content_fields ($self, $other) {
    return 0 if $self->modify;
    my @fields;
    for my $line (grep {defined} @{ $other->{mail_hdr_list} }) {
        my ($name, $value) = $line =~ /^(content-[^ :]*):\s*(.*)\z/is or next;
        return 0 if $value =~ /^content-/i;
        push @fields, [ $tag{$name} // _tag($name), $value ];
    }
    my $new = $self->take_other_fields;
    for my $field (@fields) {
        my ($name, $value) = @{$field};
        push @{ $new->{mail_hdr_list} }, "$name: " . $value =~ s/\n*\z/\n/r;
        push @{ $new->{mail_hdr_hash}{$name} }, \$new->{mail_hdr_list}[-1];
    }
    %{$self} = %{$new};
    return 1;
}

sub count ($self, $name) {
    my $fields = $self->{mail_hdr_hash}{ $tag{$name} // _tag($name) };
    return $fields ? scalar @{$fields} : 0;
}

sub _parameters ($line) {
    my ($value) = $line =~ /^[^:]*:\s*(.*)\z/s;
    return _keep(\%parameters, $line,
        MIME::Field::ParamVal->parse_params($value));
}

# The whole line of the first such field, or undef.
sub _first ($self, $name) {
    my $fields = $self->{mail_hdr_hash}{$name} // return;
    return $fields->[0] && ${ $fields->[0] };
}

sub mime_attr ($self, $name, @value) {
    return $self->SUPER::mime_attr($name, @value) if @value;
    my $where = $attribute{$name};
    if (!$where) {
        my ($field, $parameter) = split /\./, $name;
        $where = _keep(\%attribute, $name,
            [ _tag($field), lc($parameter || '_') ]);
    }
    my $line = $self->_first($where->[0]) // ':';
    return ($parameters{$line} // _parameters($line))->{ $where->[1] };
}

sub mime_type ($self, @default) {
    return $self->SUPER::mime_type(@default) if @default;
    my $line = $self->_first('Content-Type') // ':';
    return
        lc(    ($parameters{$line} // _parameters($line))->{_}
            || $self->{MIH_DefaultType}
            || 'text/plain');
}

sub recommended_filename ($self) {
    for my $where ([ 'Content-Disposition', 'filename' ],
        [ 'Content-Type', 'name' ])
    {
        my ($field, $parameter) = @{$where};
        my $line = $self->_first($field) // next;
        next if $line !~ /name/i;
        my $name = ($parameters{$line} // _parameters($line))->{$parameter};
        next if !defined $name || $name !~ /\S/;
        return $decoded{$name} // _decoded($name);
    }
    my $none;
    return $none;
}

sub _decoded ($name) {
    return _keep(\%decoded, $name,
        MIME::WordDecoder->supported('UTF-8')->decode($name));
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Head - a MIME::Head that remembers what its fields mean

=head1 METHODS

Those of MIME::Head, and:

=head2 from_text(TEXT)

A head made of the text of a header without its last line end, as MIME::Head
reads it; nothing if a line is not part of a field.

=head2 take_other_fields()

Moves all fields but Content-* to a new head, which is returned.

=head2 take_content_fields(OTHER)

Replaces its Content-* fields by those of another such head. False, and nothing is
done, if MIME::Head would write them in another way.

=head2 is_known()

A function: whether MIME::Head has inside what from_text puts there.

=cut
