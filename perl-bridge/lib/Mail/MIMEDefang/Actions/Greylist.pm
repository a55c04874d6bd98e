# SPDX-License-Identifier: MIT
#
# Greylisting: who is new is told to come again, and who does is let in.  The
# memory is a table of an SQL database, whose handle the filter brings or which is
# opened here, or Redis.  Workers share it without locks: each step may happen
# twice.  A store that fails is logged; what the mail gets then is an option.

package Mail::MIMEDefang::Actions::Greylist;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log qw(md_syslog);

our @EXPORT_OK = qw(action_greylist md_greylist md_greylist_expire);

use constant {
    MIN_SECONDS   => 300,
    MAX_SECONDS   => 4 * 3600,
    KNOWN_SECONDS => 31 * 24 * 3600,
    MAX_ADDRESS   => 250,             # what every database can have in an index
    WAIT_S        => 5,               # for a database
};
use constant WHERE =>
    'WHERE sender = ? AND recipient = ? AND sender_host_ip = ?';
use constant TABLE => <<'END';
CREATE TABLE greylist (
    sender_host_ip VARCHAR(45)  NOT NULL,
    sender         VARCHAR(250) NOT NULL,
    recipient      VARCHAR(250) NOT NULL,
    first_received BIGINT       NOT NULL,
    last_received  BIGINT       NOT NULL,
    known_ip       INTEGER      NOT NULL,
    UNIQUE (sender, recipient, sender_host_ip))
END

my %handle;    # of each store, opened by this process

sub action_greylist {
    my ($dbh, $sender, $recipient, $ip, $min, $max) = @_;
    if (!defined $dbh) {
        return md_greylist($sender, $recipient, $ip,
            { min => $min, max => $max });
    }
    my @key = _key($sender, $recipient, $ip, {});
    return _decide($dbh, \@key, time, _times({ min => $min, max => $max }));
}

sub md_greylist ($sender, $recipient, $ip, $options = {}, @) {
    my @key    = _key($sender, $recipient, $ip, $options);
    my $store  = _store($options);
    my $answer = _attempt(
        $store,
        sub {
            return _redis($store, $options)
                ->decide(\@key, time, _times($options))
                if $store =~ /^redis:/;
            return _decide(_handle($store, $options),
                \@key, time, _times($options));
        }
    );
    return $answer // $options->{on_error} // 'tempfail';
}

# Rows that nobody can use any more.
sub md_greylist_expire ($options = {}, @) {
    my $store = _store($options);
    return 0 if $store =~ /^redis:/;    # it forgets by itself
    my (undef, $max, $known) = _times($options);
    return _attempt(
        $store,
        sub {
            return 0 + _handle($store, $options)->do(
                'DELETE FROM greylist WHERE last_received < ?'
                    . ' OR (known_ip = 0 AND first_received < ?)',
                undef,
                time - $known,
                time - $max
            );
        }
    ) // 0;
}

sub _times ($options) {
    return (
        $options->{min}   // MIN_SECONDS,
        $options->{max}   // MAX_SECONDS,
        $options->{known} // KNOWN_SECONDS
    );
}

sub _store ($options) {
    return $options->{store} // $GreylistStore
        // "$Features{'Path:SPOOLDIR'}/greylist.sqlite";
}

# What CODE returns, or undef if it dies: the next message tries a new handle.
sub _attempt ($store, $code) {
    my $result;
    local $@;
    return $result if eval {
        local $SIG{__DIE__};
        $result = $code->();
        1;
    };
    my $name = $store =~ s/(password=)[^;]*/$1***/ir;
    md_syslog('err', "Greylisting with $name: $@");
    delete $handle{$store};
    return;
}

# ---- keys ------------------------------------------------------------------

# One spelling of what is the same.  choice:greylist-keys
sub _key ($sender, $recipient, $ip, $options) {
    return (_address($sender), _address($recipient), _network($ip, $options));
}

sub _address ($text) {
    $text = lc($text // '');
    $text =~ s/\A\s*<?\s*|\s*>?\s*\z//g;
    utf8::encode($text) if utf8::is_utf8($text);
    return $text        if length $text <= MAX_ADDRESS;
    require Digest::SHA;
    return
        substr($text, 0, MAX_ADDRESS - 41) . '#' . Digest::SHA::sha1_hex($text);
}

sub _network ($ip, $options) {
    require Socket;
    $ip = ($ip // '') =~ s/^\[?(?:IPv6:)?([^\]]*)\]?\z/$1/ir;
    my $family = $ip =~ /:/ ? Socket::AF_INET6() : Socket::AF_INET();
    my $packed = Socket::inet_pton($family, $ip) // return lc $ip;
    if ($packed =~ /\A\0{10}\xff\xff(.{4})\z/s) {    # IPv4 in IPv6
        ($family, $packed) = (Socket::AF_INET(), $1);
    }
    my $bits = $options->{ length $packed == 4 ? 'ipv4_bits' : 'ipv6_bits' }
        // 128;
    my $size = 8 * length $packed;
    $bits   = $size if $bits > $size;
    $packed = pack "B$size",
        substr(unpack("B$size", $packed), 0, $bits) . '0' x ($size - $bits);
    return Socket::inet_ntop($family, $packed);
}

# ---- in SQL ----------------------------------------------------------------

sub _decide ($dbh, $key, $now, $min, $max, $known_for) {
    my ($first, $last, $known) = _checked(
        $dbh,
        $dbh->selectrow_array(
            'SELECT first_received, last_received, known_ip FROM greylist '
                . WHERE,
            undef,
            @{$key}
        )
    );
    if (!defined $first) {
        _do(
            $dbh,
            'DELETE FROM greylist WHERE sender = ? AND recipient = ?'
                . ' AND sender_host_ip <> ? AND known_ip = 0',
            @{$key}
        );
        _insert($dbh, $key, $now);
        return _end($dbh, 'tempfail');
    }
    if ($known ? $last >= $now - $known_for : $first >= $now - $max) {
        return _end($dbh, 'tempfail') if !$known && $first > $now - $min;
        _do($dbh,
            'UPDATE greylist SET last_received = ?, known_ip = 1 ' . WHERE,
            $now, @{$key});
        return _end($dbh, 'continue');
    }
    _do(    # so old that it counts as new: choice:greylist-late
        $dbh,
        'UPDATE greylist SET first_received = ?, last_received = ?,'
            . ' known_ip = 0 '
            . WHERE,
        $now, $now, @{$key}
    );
    return _end($dbh, 'tempfail');
}

# Whoever comes second has nothing to add.
sub _insert ($dbh, $key, $now) {
    my $driver = $dbh->{Driver}{Name} // '';
    my $insert = $driver =~ /^(?:mysql|MariaDB)\z/ ? 'INSERT IGNORE' : 'INSERT';
    my $ignore = $driver =~ /^(?:Pg|SQLite)\z/ ? ' ON CONFLICT DO NOTHING' : '';
    _do(
        $dbh,
        "$insert INTO greylist (sender, recipient, sender_host_ip,"
            . ' first_received, last_received, known_ip)'
            . " VALUES (?, ?, ?, ?, ?, 0)$ignore",
        @{$key},
        $now,
        $now
    );
    return;
}

sub _do ($dbh, $sql, @values) {
    _checked($dbh, $dbh->do($sql, undef, @values));
    return;
}

# A handle may be one that does not die by itself.
sub _checked ($dbh, @result) {
    die 'greylist: ', $dbh->errstr // 'database error', "\n" if $dbh->err;
    return @result;
}

sub _end ($dbh, $answer) {
    $dbh->commit if !$dbh->{AutoCommit};
    return $answer;
}

# ---- stores of ours --------------------------------------------------------

sub _handle ($store, $options) {
    my $known = $handle{$store};
    return $known->{dbh}                    if $known && $known->{pid} == $$;
    die "needs DBI (package libdbi-perl)\n" if !eval { require DBI; 1 };
    my $is_file = $store !~ /^dbi:/;
    my ($dsn, $file)
        = $is_file
        ? ("dbi:SQLite:dbname=$store", $store)
        : ($store =~ s/^dbi:/dbi:/ir, undef);
    local $ENV{PGCONNECT_TIMEOUT} = $ENV{PGCONNECT_TIMEOUT} // WAIT_S;
    my $umask = umask 0077;
    my $dbh   = eval {
        DBI->connect(
            $dsn,
            $options->{user},
            $options->{password},
            {
                RaiseError          => 1,
                PrintError          => 0,
                AutoCommit          => 1,
                AutoInactiveDestroy => 1,
            }
        );
    };
    my $why = $@;
    umask $umask;
    die _explained($why, $dsn) if !$dbh;
    $handle{$store} = { dbh => $dbh, pid => $$ };
    _prepare($dbh);
    return $dbh;
}

sub _explained ($why, $dsn) {
    my ($driver) = $dsn =~ /^dbi:(\w+)/;
    return $why if $why !~ /install_driver|Can't locate/;
    my $package = lc "libdbd-$driver-perl";
    $package =~ s/-sqlite-/-sqlite3-/;
    return "needs DBD::$driver (package $package)\n";
}

sub _prepare ($dbh) {
    my $driver = $dbh->{Driver}{Name};
    if ($driver eq 'SQLite') {
        $dbh->sqlite_busy_timeout(WAIT_S * 1000);
        $dbh->do('PRAGMA journal_mode = WAL');
        $dbh->do('PRAGMA synchronous = NORMAL');
    }
    if ($driver eq 'Pg') {
        $dbh->do('SET statement_timeout = ' . WAIT_S * 1000);
        $dbh->do('SET client_min_messages = warning');
    }
    my $look = 'SELECT 1 FROM greylist LIMIT 1';
    return if eval { $dbh->selectrow_array($look); 1 };
    eval           { $dbh->do(TABLE); 1 } # another worker may have been quicker
        or my $why = $@;
    eval { $dbh->selectrow_array($look); 1 } or die $why // $@;
    return;
}

sub _redis ($store, $options) {
    require Mail::MIMEDefang::Actions::Greylist::Redis;
    my $address = $store =~ s/^redis://r;
    return Mail::MIMEDefang::Actions::Greylist::Redis->new(
        address  => $address,
        user     => $options->{user},
        password => $options->{password},
        database => $options->{database},
        seconds  => WAIT_S
    );
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Actions::Greylist - greylisting

=head1 SYNOPSIS

    $GreylistStore = '/var/lib/mimedefang/greylist.sqlite';

    sub filter_recipient {
        my ($rcpt, $sender, $ip) = @_;
        return ('TEMPFAIL', 'Greylisted, please come again')
            if md_greylist($sender, $rcpt, $ip) eq 'tempfail';
        return ('CONTINUE', 'ok');
    }

    sub filter_tick { md_greylist_expire() }

=head1 DESCRIPTION

The memory is one of

=over

=item F</path/of/a/file>

SQLite (package libdbd-sqlite3-perl); the default, as F<greylist.sqlite> in the
spool directory.

=item C<dbi:Pg:dbname=NAME;host=HOST>

PostgreSQL (package libdbd-pg-perl), or any other database of DBI.

=item C<redis:HOST:PORT>, C<redis:/path/of/the/socket>

Redis; no Perl module is needed. It forgets old entries by itself.

=back

The table is made when it is missing:
C<greylist(sender_host_ip, sender, recipient, first_received, last_received,
known_ip)>, unique on the first three, times in seconds. Any number of workers and
hosts may share it.

Addresses are compared without regard to case, brackets and blanks around them,
and are stored so; IP addresses in their shortest form, IPv4 in IPv6 as IPv4.

=head1 VARIABLES

=head2 $GreylistStore

The store, for all calls that do not name one. A filter sets it when it is loaded.

=head1 FUNCTIONS

=head2 action_greylist(DBH, SENDER, RECIPIENT, IP [, MIN [, MAX]])

With a handle of the filter's own; undef: as md_greylist. C<tempfail> when this
triple comes for the first time or again within MIN seconds (300), C<continue>
after that and until MAX seconds (4 hours); then it stays known as long as it
comes once in 31 days. A retry after MAX starts over; C<reject> is never
returned. A database error dies, which tempfails the message. Commits if the handle
does not by itself.

=head2 md_greylist(SENDER, RECIPIENT, IP [, \%OPTIONS])

The same with a store of its own, opened once in each worker. OPTIONS: C<store>;
C<user>, C<password>; C<database>, the number in Redis; C<min>, C<max>, C<known>, in
seconds; C<ipv4_bits>, C<ipv6_bits>, how much of the client's address counts
(default: all; 24 and 64 help senders with many addresses); C<on_error>, what is
returned if the store fails: C<tempfail> (default) or C<continue>. The failure is
logged.

=head2 md_greylist_expire([\%OPTIONS])

Deletes from an SQL store what is too old to count. The number of rows.

=cut
