# SPDX-License-Identifier: MIT
#
# For tests of signatures: a key made for them (it protects nothing), its record,
# and a message.

package TestMail;
use v5.36;
use Exporter 'import';

our @EXPORT_OK = qw($KEY $KEY_RECORD $MAIL);

our $KEY = <<'END';
-----BEGIN RSA PRIVATE KEY-----
MIICWwIBAAKBgQDCsP3D2hpk7pO5Cuonrmx1ogHXRRAEFimR9Do/Pee5qU3K1KpG
01SyrJahOoU8kFlooJ/kiN/5gl6shg2eZub/6RhrzhBSBmE/Ds0fWL+SrPajLW5k
0j2cn7a6wYQb8AaWb/9QPzLaLQKZ5ioatnMw8V4ojFxx49RAr1aPOiZ2jwIDAQAB
AoGAU1lkeqlv7U/6LBkRH8XbpwyhjyCA987pIxQUr6h4ARMLO8+JymKE+y1KG2Ir
Uj9WF6XUbglvIal/kIqfX/Yb5CkJaaPNV3DIzFhiYr+TbmuZMIG98BASPqivG3/o
a3KXKt7TqohHXW2IHcKhVikgnBQy7c56hGM9wkFhKVKbxUkCQQD4qR7amDxFmdQo
Pv52VUuM99wvCuaGr86WORBBM+eRlkTsV1uuz7StuiZInpeL/OvrG7eaSC7Z+8yj
lnTIARXFAkEAyHAUQDRYFd6u7fnGiUBCsw4KkZraJjJBFfdF1TcqDvE/291f7hE2
jSpLD27yNplxHV8Lt5SWRboS9AFV5Ib0QwJADzIenZMyE7rL2U3INSkPPeUjwogz
AEYcJNgF40Ytv5rkSWEpTCyLSRaYIlX2wupI7Iw8EySYIGAf6FtYdaSDVQJAV5xV
3bKDhhutzqtM0pVaEjXi/L34+JUiyd0pkwbnxVxCE3JyCfdQJugDox1VlfP/81ym
HHpALP4mZq1mw9sRTQJARb6dn3vdQE/XwnwxdW/TOSrw6pJiDjPUIF43WCcaFsHN
f8lhczvBA2P3ToPVs55tyFiB5v0VabQ1OOLmbXaWxw==
-----END RSA PRIVATE KEY-----
END

our $KEY_RECORD
    = 'v=DKIM1; k=rsa; '
    . 'p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCsP3D2hpk7pO5Cuonrmx1'
    . 'ogHXRRAEFimR9Do/Pee5qU3K1KpG01SyrJahOoU8kFlooJ/kiN/5gl6shg2e'
    . 'Zub/6RhrzhBSBmE/Ds0fWL+SrPajLW5k0j2cn7a6wYQb8AaWb/9QPzLaLQKZ'
    . '5ioatnMw8V4ojFxx49RAr1aPOiZ2jwIDAQAB';

our $MAIL = <<'END';
From: Alice <alice@d.test>
To: bob@example.com
Subject: A test
Date: Wed, 25 Nov 2026 12:00:00 +0000
Message-ID: <1@d.test>
X-Folded: one
	two

First line
second  line 

END

1;
