# SPDX-License-Identifier: MIT
package CaseSetUps;

# The ways in which daemons and an MTA are set up for cases: one table.

use v5.36;
use Exporter qw(import);
use Harness  qw(read_file top);

our @EXPORT_OK = qw(daemon_of daemon_options port_options is_for);

# More clients than workers, so they wait for their turn.
my @checks = qw(-r -H -s -t -q -X);
my @mux    = qw(-m 1 -x 4 -q 128 -Q 60);
my %usual  = (options => \@checks, mux => \@mux, listen => 'inet');

# daemon: options of Daemon, beside the usual ones; same_as: the daemon of that
# set-up; by_mta_user: the daemon runs as the MTA, which uses a UNIX socket; port:
# what the MTA does at this port (see Mta); only: for this MTA.
my %set_up = (
    'built-in' => { daemon  => {} },
    separate   => { daemon  => { separate => 1 } },
    unix       => { daemon  => { listen   => 'unix' }, by_mta_user => 1 },
    sample     => { daemon  => { options  => [qw(-r -H -s -t)] } },
    submission => { same_as => 'built-in', port => { submission => 1 } },
    (
        map {
            (
                "protocol $_" => {
                    same_as => 'built-in',
                    port    => { protocol => $_ },
                    only    => 'Postfix'
                }
            )
        } 2 .. 4
    ),
    'macro list' => {
        daemon => {
            options => [
                @checks,
                '-y',
                map { ('-a', $_) }
                    qw(cert_subject daemon_addr client_resolve msg_id)
            ]
        }
    },
    map => {
        daemon => {
            mux => [ qw(-m 1 -x 8 -q 128 -Q 60 -N), 'unix:SPOOL/map.sock' ]
        },
        by_mta_user => 1,
        port        => { map => 'map.sock' }
    },
    busy       => { daemon => { options => ['-X'], mux => [qw(-m 1 -x 1)] } },
    'busy, -q' => {
        daemon => {
            options => [qw(-X -q)],
            mux     => [qw(-m 1 -x 1 -q 10 -Q 60)]
        }
    },
    'busy, -R' => {
        daemon => {
            options => [qw(-X -R 1)],
            mux     => [qw(-m 2 -x 2 -q 10 -Q 60)]
        }
    },
);

=head1 FUNCTIONS

=head2 is_for($set_up, $class)

Whether there is such a set-up with this MTA (Postfix, Sendmail).

=head2 daemon_of($set_up)

The set-up whose daemon it uses.

=head2 daemon_options($set_up, $class, $filter)

What Daemon->start gets, with this text of the filter.

=head2 port_options($set_up, $daemon)

What the MTA gets about the port of this set-up (see Mta), with this daemon.

=cut

sub is_for ($name, $class) {
    return ($set_up{$name}{only} // $class) eq $class;
}

sub daemon_of ($name) { return $set_up{$name}{same_as} // $name }

sub daemon_options ($name, $class, $filter) {
    my $set_up = $set_up{ daemon_of($name) };
    $filter = read_file(top() . '/docs/examples/mimedefang-filter')
        if $name eq 'sample';
    my $as_mta = $set_up->{by_mta_user} && $class eq 'Postfix';
    my %user   = $as_mta ? (user => 'postfix') : ();
    return (%usual, %{ $set_up->{daemon} // {} }, %user, filter => $filter);
}

sub port_options ($name, $daemon) {
    my %port = (%{ $set_up{$name}{port} // {} }, milter => $daemon->{address});
    $port{map} = "$daemon->{spool}/$port{map}" if $port{map};
    return \%port;
}

1;
