# SPDX-License-Identifier: MIT
#
# Greylisting on a table of an SQL database; the filter brings the handle.  A
# database error dies, if the handle has RaiseError, and tempfails the message.

package Mail::MIMEDefang::Actions::Greylist;
use v5.36;
use Exporter 'import';

our @EXPORT_OK = qw(action_greylist);

use constant {
    MIN_SECONDS   => 300,
    MAX_SECONDS   => 4 * 3600,
    KNOWN_SECONDS => 31 * 24 * 3600,
};
use constant WHERE =>
    'WHERE sender = ? AND recipient = ? AND sender_host_ip = ?';

sub action_greylist {
    my ($dbh, $sender, $recipient, $ip, $min, $max) = @_;
    my @key = ($sender, $recipient, $ip);
    my $now = time;
    $min //= MIN_SECONDS;
    $max //= MAX_SECONDS;

    my ($first, $last, $known) = $dbh->selectrow_array(
        'SELECT first_received, last_received, known_ip FROM greylist ' . WHERE,
        undef, @key
    );
    if ($known && $last >= $now - KNOWN_SECONDS) {
        $dbh->do('UPDATE greylist SET last_received = ? ' . WHERE,
            undef, $now, @key);
        return 'continue';
    }
    if (defined $first && !$known && $first > $now - $min) {
        return 'tempfail';
    }
    if (defined $first && !$known && $first >= $now - $max) {
        $dbh->do('UPDATE greylist SET last_received = ?, known_ip = 1 ' . WHERE,
            undef, $now, @key);
        return 'continue';
    }

    # New, or so old that it counts as new.
    $dbh->do(
        'DELETE FROM greylist WHERE sender = ? AND recipient = ?'
            . ' AND (known_ip = 0 OR sender_host_ip = ?)',
        undef, @key
    );
    $dbh->do(
        'INSERT INTO greylist (sender, recipient, sender_host_ip,'
            . ' first_received, last_received, known_ip)'
            . ' VALUES (?, ?, ?, ?, ?, 0)',
        undef, @key, $now, $now
    );
    return 'tempfail';
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Actions::Greylist - greylisting

=head1 FUNCTIONS

=head2 action_greylist(DBH, SENDER, RECIPIENT, IP [, MIN [, MAX]])

C<tempfail> when this triple comes for the first time or again within MIN
seconds (300), C<continue> after that and until MAX seconds (4 hours); then it
stays known as long as it comes once in 31 days. A retry after MAX starts over.

The table: C<greylist(sender_host_ip, sender, recipient, first_received,
last_received, known_ip)>, unique on the first three, times in seconds.

=cut
