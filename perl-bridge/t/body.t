# SPDX-License-Identifier: MIT
# Encodings in blocks give what MIME::Decoder gives, with the module in C and
# without it.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib",
    "$FindBin::Bin/../../build/perl";
use Bridge                 qw(put spool);
use Mail::MIMEDefang::Body qw(decoded encoded is_known read_all write_all);
use Mail::MIMEDefang::Scan qw(load_mime_tools);
use Test::More;

load_mime_tools();
my @encodings = qw(7bit 8bit binary none base64 quoted-printable);

ok(is_known($_), "$_ is known") for @encodings;
ok(!is_known($_), "'$_' is not") for '', 'x-uuencode', 'BASE64';

# What MIME::Decoder makes of it.
sub theirs ($method, $encoding, $bytes, @args) {
    my $result = '';
    my $in     = IO::File->new(\$bytes,  '<:');
    my $out    = IO::File->new(\$result, '>:');
    local $SIG{__WARN__} = sub { };    # long lines, 8-bit data
    MIME::Decoder->new($encoding)->$method($in, $out, @args);
    close $out;
    return $result;
}

my @pieces = (
    'a' .. 'c', qw(= = =4 =41 =0D =3d . From QQ Qk= %PDF-1.4=0D),
    ' ',        "\t",
    "\n",       "\n",
    "\r\n",     "\r",
    "=\n",      "\n.\n",
    'From ',    "\nFrom ",
    "\xe9",     "\0",
    'A' x 70,   'x' x 3000,
);

# The first of 300 random texts that differs, if any.
sub first_difference ($encoding) {
    srand 1;
    for (1 .. 300) {
        my $text = join '', map { $pieces[ rand @pieces ] } 1 .. rand 30;
        return "decoded: $text"
            if decoded($text, $encoding) ne theirs('decode', $encoding, $text);
        for my $is_text (0, 1) {
            return "encoded, $is_text: $text"
                if encoded($text, $encoding, $is_text) ne
                theirs('encode', $encoding, $text, $is_text);
        }
    }
    return '';
}

sub check_all ($how) {
    is(first_difference($_), '', "$_, $how") for @encodings;
    my %case = (
        ''                      => '',
        'aGVsbG8='              => 'hello',
        'aGVsbG8'               => 'hello',
        "aG=\nVs*b\xffG8=====x" => "hello1",
        'aGVsbG8=aGVsbG8='      => "hello\x1a\x19[\x1b\x1b",
        'a'                     => '',
        "QQ==\n"                => 'A',
    );
    for my $text (sort keys %case) {
        is(decoded($text, 'base64'), $case{$text}, "'$text', $how");
    }
    is(
        encoded('a' x 46, 'base64', 0),
        'YWFh' x 15 . "\nYQ==\n",
        "46 octets, $how"
    );
    is(encoded('',   'base64', 0), '',       "none, $how");
    is(encoded('ab', 'base64', 0), "YWI=\n", "two, $how");
    is(
        encoded(join('', map {chr} 0 .. 255), 'base64', 0),
        theirs('encode', 'base64', join '', map {chr} 0 .. 255),
        "each octet, $how"
    );
    check_qp($how);
    return;
}

sub check_qp ($how) {
    my $long    = 'a' x 75;
    my %encoded = (
        "a=b \xe9\t\n"      => "a=3Db =E9=09\n",
        "${long}a\n"        => "${long}a\n",
        "${long}aa"         => "$long=\naa=\n",
        "${long}\xe9\n"     => "$long=\n=E9\n",
        ".\n..\nFrom me\n"  => "=2E\n..\n=46rom me\n",
        "From $long\n.\nx." => "From @{['a' x 70]}=\naaaaa\n=2E\nx.=\n",
        "a\r\n\n"           => "a=0D\n\n",
    );
    for my $text (sort keys %encoded) {
        is(encoded($text, 'quoted-printable', 1),
            $encoded{$text}, "quoted-printable, $how");
    }
    my %decoded = (
        "a=3db=3D =\n=C3=a4 \t\n"  => "a=b= \xc3\xa4\n",
        "a= \r\nb \r\nc\r\r\nd \t" => "ab\nc\r\nd \t",
        "==\n=4=\n=zz=4\n="        => "==4=zz=4\n=",
        "=\n=\n"                   => '',
    );
    for my $text (sort keys %decoded) {
        is(decoded($text, 'quoted-printable'),
            $decoded{$text}, "quoted-printable decoded, $how");
    }
    return;
}

my $is_built = $Mail::MIMEDefang::Fast::Loaded;
{
    local $Mail::MIMEDefang::Fast::Loaded = 0;
    check_all('in Perl');
}
SKIP: {
    skip 'perl-bridge/xs is not built (libperl-dev)' if !$is_built;
    check_all('in C');
    my $wide = eval { Mail::MIMEDefang::Fast::decode_base64("\x{100}"); 1 };
    is($wide, undef, 'characters are refused');
    my $upgraded = "aGVs\xe9bG8=";
    utf8::upgrade($upgraded);
    is(Mail::MIMEDefang::Fast::decode_base64($upgraded),
        'hello', 'how bytes are kept makes no difference');
}

my $file = spool() . '/file';
my $text = join '', map {"line $_\n"} 1 .. 20_000;
open my $fh, '>', $file or die "$file: $!";
ok(write_all($fh, \$text), 'written');
close $fh;
is(read_all($file),          $text, 'read');
is(read_all(put($file, '')), '',    'an empty file');
is(read_all("$file.none"),   undef, 'no file');
SKIP: {
    skip 'there is no /dev/full', 1 if !open my $full, '>', '/dev/full';
    is(write_all($full, \$text), 0, 'a full disk');
}

done_testing;
