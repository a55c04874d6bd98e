# SPDX-License-Identifier: MIT
#
# How much a message may be before it costs a worker: parts, depth, octets.  Each
# function says in one sentence, which goes to the sender, what is too much; the
# empty string: nothing.  The ambiguities of the message come from the same look
# at it, and are left out if the filter does not name their variables.
# spec:bridge-limits  spec:bridge-ambiguities

package Mail::MIMEDefang::Limits;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Features qw(is_used);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log qw(md_syslog);

our @EXPORT_OK
    = qw(bound_decoders count_octets look_at_message look_at_structure look_at_work max_parts);

# Mail::MIMEDefang::Parse leaves deeper messages to MIME::Parser.
use constant SAFE_DEPTH => 40;

my $NAMES = qr/ambigu/i;    # of the variables, and of what reads them

my ($structure, $grown);    # of this message

# A limit; 0: none.
sub _limit ($name) {
    my $limit = $ScanLimit{$name} // 0;
    return $limit =~ /^\d+\z/a ? $limit : 0;
}

sub _exceeds ($n, $name) {
    my $limit = _limit($name);
    return $limit && $n > $limit;
}

# Before anything is done with it.
sub look_at_message () {
    ($structure, $grown) = ();
    return 'Message is too large to be examined'
        if _exceeds(-s 'INPUTMSG' // 0, 'bytes');
    my $depth = _limit('depth');
    return is_used($NAMES)
        || ($depth && $depth < SAFE_DEPTH)
        ? look_at_structure()
        : '';
}

# Before MIME::Parser gets it, which goes down to where a message ends.
sub look_at_structure () {
    if (!$structure) {
        require Mail::MIMEDefang::Structure;
        open my $fh, '<:raw', 'INPUTMSG' or die "Cannot open INPUTMSG: $!\n";
        my $raw = do { local $/; <$fh> }
            // '';
        close $fh;
        $structure     = Mail::MIMEDefang::Structure::examine(\$raw);
        @Ambiguities   = @{ $structure->{ambiguities} };
        $AmbiguousMIME = @Ambiguities;
    }
    return 'Message has too many MIME parts'
        if _exceeds($structure->{parts}, 'parts');
    return 'Message is nested too deeply'
        if _exceeds($structure->{depth}, 'depth');
    return '';
}

# The filter's limit, but at most ours; 0: none.
sub max_parts () {
    my $limit = _limit('parts');
    return $MaxMIMEParts > 0 && (!$limit || $MaxMIMEParts < $limit)
        ? $MaxMIMEParts
        : $limit;
}

# Once it is decoded.  Only BinHex can grow then, which is seen at once.
sub look_at_work () {
    return $grown ? 'Message is too large when it is decoded' : '';
}

# By name: MIME::Decoder loads the class when it meets such a part.
sub bound_decoders () {
    MIME::Decoder::install(
        'Mail::MIMEDefang::Limits::BinHex',
        qw(binhex binhex40 mac-binhex mac-binhex40)
    );
    return;
}

# Whether a decoder may go on after SIZE octets.
sub count_octets ($size) {
    $grown = 1 if _exceeds($size, 'bytes');
    return !$grown;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Limits - how much a message may be

=head1 DESCRIPTION

C<%ScanLimit> has C<parts>, C<depth> and C<bytes>; F<docs/bridge.md> says what they
limit and what happens then.

=head1 FUNCTIONS

Those called look_at_... return what is too much, or the empty string.

=head2 look_at_message()

Looks at the size of F<INPUTMSG>, and sets C<@Ambiguities> and C<$AmbiguousMIME> if
the filter has these names.

=head2 look_at_structure()

Looks at parts and depth. Dies if F<INPUTMSG> cannot be read.

=head2 look_at_work()

Looks at what has been decoded.

=head2 max_parts()

How many parts the parser may make: the smaller of C<$MaxMIMEParts> and
C<$ScanLimit{parts}>; 0 for any number.

=head2 count_octets(SIZE)

Whether a decoder that has made SIZE octets may go on.

=head2 bound_decoders()

Makes MIME::Decoder keep to the limit.

=cut
