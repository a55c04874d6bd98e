# SPDX-License-Identifier: MIT
#
# Perl keeps what it finds out at the first use, such as where a method is, and
# makes room where a function first needs it.  A process that forks workers scans
# a message of its own before, so that this is there for all of them; the filter
# is not called.

package Mail::MIMEDefang::Rehearsal;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Callback qw(stand_in);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Scan qw(do_scan);

our @EXPORT_OK = qw(rehearse);

my %MESSAGE = (
    COMMANDS => "S<a\@example.com>\nQQ1\nHlocalhost\nI127.0.0.1\n"
        . "Elocalhost\nR<b\@example.com> ? ? ?\nUa\nX<1\@example.com>\nF\n",
    HEADERS  => "Subject: a\n",
    INPUTMSG => <<'END',
From: <a@example.com>
Subject: =?utf-8?q?a?=
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

text
--b
Content-Type: application/pdf; name="a.pdf"
Content-Disposition: attachment; filename="a.pdf"
Content-Transfer-Encoding: base64

QUJD
--b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>=20
--b--
END
);

sub rehearse () {
    require File::Temp;
    my $dir = File::Temp->newdir('rehearsal-XXXXXX', TMPDIR => 1);
    for my $name (keys %MESSAGE) {
        open my $fh, '>', "$dir/$name" or die "$dir/$name: $!\n";
        print {$fh} $MESSAGE{$name};
        close $fh or die "$dir/$name: $!\n";
    }
    _parse_slowly("$dir/INPUTMSG");

    my @mode = ($ServerMode, $DoStatusTags);
    ($ServerMode, $DoStatusTags) = (0, 0);    # nobody is to hear of it
    eval {
        stand_in(sub { $Rebuild = 1 }, sub { do_scan("$dir") });
    };
    ($ServerMode, $DoStatusTags) = @mode;
    init_globals();
    return;
}

# As messages that are odd are.
sub _parse_slowly ($file) {
    my $parser = MIME::Parser->new;
    $parser->output_to_core(1);
    $parser->tmp_to_core(1);
    my $entity = $parser->parse_open($file);
    $entity->as_string;
    $_->head->recommended_filename for $entity->parts;
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Rehearsal - a scan that nobody asked for

=head1 FUNCTIONS

=head2 rehearse()

Scans a message in a directory of its own, which is removed. Dies if it cannot
make that; loads nothing but what a scan does. All variables of a message are as
before a request afterwards.

=cut
