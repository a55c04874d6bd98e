# SPDX-License-Identifier: MIT
package Mta;

# What a private MTA is, Postfix or Sendmail: configuration and queue below the
# test's temporary directory, loopback only, without DNS, everything relayed to
# a sink, one SMTP port for each milter.

use v5.36;
use Harness qw(temp_dir free_port read_file run_program write_file);

=head1 METHODS

=head2 CLASS->why_not

Why this MTA cannot be run here; undef if it can.

=head2 CLASS->start(sink => PORT, auth => AuthServer, ports => ...)

Starts it with these SMTP ports: { NAME => { option => value }, ... }; returns
when all of them answer.  The options:

  milter      what all mail of this port passes: an address as our daemon spells
              it, C<inet:PORT@HOST> or C<unix:/path>; without it, what the
              configuration says for all ports
  protocol    the version that the milter is spoken to in
  map         path of a socket: recipients in domains that begin with "map." are
              looked up there, in the map "mail"; it says OK or REJECT TEXT
  submission  true: what submit() sends passes the milter of this port

Further options: C<lines> { FILE => text }: more lines of F<main.cf>,
F<master.cf>, F<sendmail.mc>; for Postfix C<host>, a PrivateHost that it runs on,
and C<chroot>, 'y' for its SMTP servers and cleanup; C<patience>: seconds that it
waits for an answer of a milter, else a minute.

=head2 CLASS->version()

Its version, a word.

=head2 port($name)

The number of that port.

=head2 certificate()

The file with its certificate, which it takes from clients, too.

=head2 submit($name, $from, $to, $text)

Submits a message through that port's milter with the program sendmail.  Returns
its exit status and what it has said.

=head2 quarantined($domain)

Why a message of this domain is in quarantine; undef if there is none.

=head2 log_text(), complaints()

What it has logged; the lines that it writes when something is wrong.

=head2 is_idle()

True if there is no mail in its queue.

=head2 stop()

=head1 WHAT A CLASS ADDS

C<configure(%o)> writes its files below C<< $self->{dir} >>; C<submit()>,
C<quarantined()>, C<complaints()>, C<is_idle()>, C<stop()>.  C<launch()> starts
it, is true when it is up, else leaves in C<said> what it has printed.

=cut

sub why_not ($class) {
    return $> ? "needs root: $class switches users" : undef;
}

# A port that was free a moment ago may be taken.
sub start ($class, %o) {
    state $count = 0;
    my $said;
    for my $try (1 .. 3) {
        my $dir  = temp_dir() . '/' . lc($class) . ++$count;
        my $self = bless { dir => $dir, log => "$dir/log" }, $class;
        mkdir $dir, 0755 or die "$dir: $!\n";
        $self->{certificate} = $o{auth}->certificate;
        $self->{port}{$_} = free_port() for sort keys %{ $o{ports} };
        $self->configure(%o);
        return $self if $self->launch;
        $said = $self->{said} . $self->log_text;
        $self->stop;
        last if $said !~ /in use/i;
    }
    die "$class did not start:\n$said";
}

sub make_directories ($self, @names) {
    for my $name (@names) {
        mkdir "$self->{dir}/$name", 0755 or die "$self->{dir}/$name: $!\n";
    }
    return;
}

sub port        ($self, $name) { return $self->{port}{$name} }
sub certificate ($self)        { return $self->{certificate} }

# What a class's submit() does with a message and the command that reads it.
sub run_with_input ($self, $text, @command) {
    state $count = 0;
    my $file = "$self->{dir}/input" . ++$count;
    write_file($file, $text);
    my ($status, $out, $err)
        = run_program(60, 'sh', '-c', 'file=$1; shift; exec "$@" <"$file"',
        'sh', $file, @command);
    return ($status, $out . $err);
}

sub log_text ($self) { return -e $self->{log} ? read_file($self->{log}) : '' }

1;
