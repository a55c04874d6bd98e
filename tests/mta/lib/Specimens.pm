# SPDX-License-Identifier: MIT
package Specimens;

# Messages that several cases send.

use v5.36;
use Exporter qw(import);

our @EXPORT_OK
    = qw($plain $head $body $alternative $nested $executable $zip $large);

our $plain = <<'END';
From: from@HERE
To: to@HERE
Subject: a plain
  folded subject
X-Two: first
X-Two: second
Message-ID: <1@HERE>
Date: Wed, 25 Nov 2026 10:00:00 +0000

Hello.
.
..  dots, trailing blanks   
	and a last line
END
our $head = $plain =~ s/\n\n.*/\n/sr;
our $body = substr $plain, length $head;

our $alternative = <<'END';
From: from@HERE
To: to@HERE
Subject: two forms
Message-ID: <2@HERE>
Date: Wed, 25 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="=-b1"

preamble
--=-b1
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Gr\303\274\303\237e
--=-b1
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>Gr=C3=BC=C3=9Fe</p>
--=-b1--
epilogue
END
$alternative =~ s/\\(\d{3})/chr oct $1/ge;

# The same within a multipart/mixed.
our $nested = $alternative
    =~ s{^Content-Type: multipart/alternative.*?\n\n}{<<'END'}mser;
Content-Type: multipart/mixed; boundary="=-b0"

--=-b0
Content-Type: multipart/alternative; boundary="=-b1"

END
$nested =~ s/epilogue\n/\n--=-b0--\n/;

our $executable = <<'END';
From: from@HERE
To: to@HERE
Subject: look at this
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=-b2"

--=-b2
Content-Type: text/plain

See the attachment.
--=-b2
Content-Type: application/octet-stream; name="x.exe"
Content-Disposition: attachment; filename="x.exe"
Content-Transfer-Encoding: base64

TVqQAAMAAAAEAAAA//8AALgAAAAA
--=-b2--
END

# The same with a zip archive that contains x.exe.
our $zip = $executable =~ s/x\.exe/letter.zip/gr;
$zip =~ s/^TVqQ.*\n/<<'END'/me;
UEsDBBQAAAAAANQNKStBm4InAwAAAAMAAAAFAAAAeC5leGVNWgpQSwECFAMUAAAAAADUDSkrQZuC
JwMAAAADAAAABQAAAAAAAAAAAAAAtoEAAAAAeC5leGVQSwUGAAAAAAEAAQAzAAAAJgAAAAAA
END

our $large
    = $head . "\n"
    . ("0123456789 the quick brown fox jumps over the lazy dog, " x 2 . "\n")
    x 92_000;

1;
