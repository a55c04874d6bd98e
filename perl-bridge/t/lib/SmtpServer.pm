# SPDX-License-Identifier: MIT
#
# For the tests: an SMTP server in a child process that says what it is told to,
# and writes down what it hears.

package SmtpServer;
use v5.36;
use Exporter 'import';
use IO::Handle;
use IO::Socket::INET ();
use POSIX            ();

our @EXPORT_OK = qw(smtp_server say_it);

my %KIND = (
    ''   => "220 inside.example.com ready\r\n",
    EHLO => "250-inside.example.com hello\r\n250-SIZE 1000\r\n250 8BITMIME\r\n",
    HELO => "250 inside.example.com\r\n",
    MAIL => "250 2.1.0 sender ok\r\n",
    RCPT => "250 2.1.5 recipient ok\r\n",
    DATA => "354 go on\r\n",
    '.'  => "250 2.0.0 taken\r\n",
    STARTTLS => "220 go on\r\n",
    QUIT     => "221 bye\r\n",
);

# Serves CONNECTIONS connections with friendly replies, or with those of ANSWERS:
# the first word of a command (empty: the greeting; a dot: the end of the message)
# => text, or a function that gets the handle and the line and returns whether to
# go on.  Writes what it hears to FILE.  Returns the port and a function that waits
# for the end, which true makes come at once, and returns what it heard.
sub smtp_server ($file, $connections, %answers) {
    my %say    = (%KIND, %answers);
    my $listen = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1',
        Listen    => 5
    ) or die "listen: $!";
    my $port = $listen->sockport;
    my $pid  = fork // die;
    if (!$pid) {
        local $SIG{PIPE} = 'IGNORE';
        open my $log, '>', $file or die;
        $log->autoflush(1);
        for (1 .. $connections) {
            my $fh = $listen->accept or next;
            _serve($fh, \%say, $log);
        }
        POSIX::_exit(0);
    }
    close $listen;
    my $heard = sub {
        kill KILL => $pid if shift;
        waitpid $pid, 0;
        open my $fh, '<:raw', $file or return;
        local $/;
        return scalar <$fh>;
    };
    return ($port, $heard);
}

sub _serve ($fh, $say, $log) {
    say_it($fh, $say->{''}) or return;
    my $in_data = 0;
    while (defined(my $line = readline $fh)) {
        print {$log} $line =~ s/\r\n\z/\n/r;
        my ($word) = $line =~ /^(\w+|\.\r\n)/;
        $word //= '';
        $word =~ s/\r\n//;
        next if $in_data && $word ne '.';
        $in_data = $word eq 'DATA';
        say_it($fh, $say->{$word} // "500 what?\r\n", $line) or return;
    }
    return;
}

sub say_it ($fh, $what, $line = undef) {
    return $what->($fh, $line) if ref $what;
    print {$fh} $what;
    return $fh->flush;
}

1;
