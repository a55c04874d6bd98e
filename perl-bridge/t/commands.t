# SPDX-License-Identifier: MIT
# COMMANDS as the front-end writes it, and as it should not.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lib";
use Bridge qw(put spool with_log);
use Mail::MIMEDefang;
use Test::More;

chdir spool();

# Reads TEXT as COMMANDS; returns the result and what was logged.
sub read_text ($text, $need_end = 1) {
    put('COMMANDS', $text);
    init_globals();
    return read_again($need_end);
}

sub read_again ($need_end) {
    my ($log, $ok) = with_log(sub { read_commands_file($need_end) });
    return ($ok, $log);
}

subtest 'every letter' => sub {
    my ($ok, $log) = read_text(<<'END');
iabcde12
S<a%20b@x>
sSIZE=100
sBODY=8BITMIME
=_ host%20[192.0.2.1]
=auth_type 
=client_port 4321
QQID1
Hhost%2Eexample
I192.0.2.1
Ehe%6cl%6F
R<b@x> esmtp mx%20a ?
rNOTIFY=NEVER
R<c%20@x>
!
UHello%20World
X<id@x>
?
F
Sjunk after the end
END
    is($ok,                        1,                        'read');
    is($log,                       '',                       'nothing logged');
    is($MIMEDefangID,              'abcde12',                'i');
    is($Sender,                    '<a b@x>',                'S');
    is("@SenderESMTPArgs",         'SIZE=100 BODY=8BITMIME', 's');
    is($SendmailMacros{_},         'host [192.0.2.1]',       '=');
    is($SendmailMacros{auth_type}, '',                       '= without value');
    is($QueueID,                   'QID1',                   'Q');
    is($RelayHostname,             'host.example',           'H');
    is($RealRelayHostname,         'host.example',           'H, real');
    is($RelayAddr,                 '192.0.2.1',              'I');
    is($RealRelayAddr,             '192.0.2.1',              'I, real');
    is($Helo,                      'hello',                  'E');
    is_deeply(\@Recipients,                [ '<b@x>', '<c @x>' ],    'R');
    is_deeply($RecipientMailers{'<b@x>'},  [ 'esmtp', 'mx a', '?' ], 'R, how');
    is_deeply($RecipientMailers{'<c @x>'}, [ '?', '?', '?' ], 'R, unknown how');
    is_deeply(\%RecipientESMTPArgs, { '<b@x>' => ['NOTIFY=NEVER'] }, 'r');
    is($SuspiciousCharsInHeaders, 1,             '!');
    is($SuspiciousCharsInBody,    1,             '?');
    is($Subject,                  'Hello World', 'U');
    is($MessageID,                '<id@x>',      'X');
    is($WasResent,                0,             'no J');

    @Recipients = ('<now@x>');
    read_again(0);
    is_deeply(
        \@Recipients,
        [ '<b@x>', '<c @x>', '<now@x>' ],
        'read again: the current recipient is last'
    );
    is("@SenderESMTPArgs", 'SIZE=100 BODY=8BITMIME', 'nothing doubled');
    is_deeply(\%RecipientESMTPArgs, { '<b@x>' => ['NOTIFY=NEVER'] }, 'nor r');
};

subtest 'relay address from the header' => sub {
    read_text("I192.0.2.1\nHreal\nJ127.0.0.1\nF\n");
    is($WasResent,         1,           'resent');
    is($RelayAddr,         '127.0.0.1', 'address');
    is($RealRelayAddr,     '192.0.2.1', 'real address');
    is($RealRelayHostname, 'real',      'real name');
    read_text("J192.0.2.300\nF\n");
    is($RelayHostname, '[192.0.2.300]', 'no address');
};

subtest 'several subjects' => sub {
    my (undef, $log) = read_text("Ua\nUb\nUc\nF\n");
    is($Subject,      'a', 'the first counts');
    is($SubjectCount, 3,   'and all are counted');
    is($log, "warning: message has more than one Subject field\n", 'logged');
};

subtest 'malformed' => sub {
    for (
        [ "S<a>\n",  1, 0, "err: COMMANDS file did not end with F\n" ],
        [ "S<a>\n",  0, 1, '' ],
        [ '',        0, 1, '' ],
        [ 'F',       1, 1, '' ],
        [ "\nF\n",   1, 1, "warning: Unknown line in COMMANDS: ''\n" ],
        [ "Zx\nF\n", 1, 1, "warning: Unknown line in COMMANDS: 'Zx'\n" ],
        [ "R\nr\n=\nS\ns\nF\n", 1, 1, '' ],
        [ "r1\nF\n",            1, 1, '' ],
        )
    {
        my ($text, $need_end, $want, $want_log) = @{$_};
        my ($ok, $log) = read_text($text, $need_end);
        my $name = $text =~ s/\n/\\n/gr;
        is($ok,  $want,     "'$name'");
        is($log, $want_log, 'log');
    }
    unlink 'COMMANDS';
    my ($ok, $log) = read_again(0);
    is($ok,  0, 'missing');
    is($log, "err: Cannot open COMMANDS: No such file or directory\n", 'log');
};

done_testing;
