#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A filter on python3-milter (libmilter behind it) that uses every kind of
change: python-milter.py SOCKET"""
import sys

import Milter


class Changes(Milter.Base):
    @Milter.noreply
    def unknown(self, command):
        return Milter.CONTINUE

    def envfrom(self, sender, *parameters):
        return Milter.CONTINUE

    def envrcpt(self, recipient, *parameters):
        if 'nobody' in recipient:
            self.setreply('550', '5.1.1', 'No such user')
            return Milter.REJECT
        return Milter.CONTINUE

    def header(self, name, value):
        return Milter.CONTINUE

    def eoh(self):
        return Milter.CONTINUE

    def body(self, chunk):
        return Milter.CONTINUE

    def eom(self):
        self.addheader('X-Python', 'seen')
        self.chgheader('Subject', 1, 'changed by python-milter')
        self.addrcpt('<archive@example.org>')
        self.replacebody(b'The body was replaced.\r\n')
        return Milter.ACCEPT


Milter.factory = Changes
Milter.set_flags(Milter.ADDHDRS + Milter.CHGHDRS + Milter.CHGBODY +
                 Milter.ADDRCPT)
Milter.runmilter('python-milter', sys.argv[1], 60)
