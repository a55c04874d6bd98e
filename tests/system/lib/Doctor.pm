# SPDX-License-Identifier: MIT
package Doctor;

# Runs `mimedefang doctor` beside a running daemon, with configurations of MTAs
# of our own that use it, and with one thing or another changed.

use v5.36;
use Daemon   ();
use Exporter qw(import);
use Harness  qw(program run_program temp_dir write_file);
use JSON::PP qw(decode_json);
use Test::More;

our @EXPORT_OK
    = qw(the_daemon examine names finds postfix sendmail_cf script words);

my ($daemon, %ours, %mux);
my $count = 0;

=head1 FUNCTIONS

=head2 the_daemon()

Starts the daemon that is looked at, once, and returns it (see Daemon).

=cut

sub the_daemon {
    return $daemon if $daemon;
    $daemon = Daemon->start(
        filter => '1;',
        mux    => [qw(-m 1 -x 2 -b 20)]
    );
    %ours = (
        -p => $daemon->{address},
        -U => $daemon->{user},
        -z => $daemon->{spool},
        -s => undef,
    );

    # A worker program that says at once what the real one says.
    %mux = (
        -f => script('quick-worker', "echo 'SpamAssassin   : no'"),
        -F => $daemon->{filter},
        -s => $daemon->control_socket,
        -b => 20,
        -x => 2
    );
    return $daemon;
}

=head2 words(ours => {...}, mux => {...})

The options of the daemon and of its multiplexor, changed: { option => value };
undef: it has none.

=cut

sub words (%o) {
    my %front = (%ours, %{ $o{ours} // {} });
    my %back  = (%mux,  %{ $o{mux}  // {} });
    return ((map { ($_, $front{$_} // ()) } sort keys %front),
        '--', map { ($_, $back{$_} // ()) } sort keys %back);
}

=head2 examine(%options)

Exit status and what --json says, decoded.  Options, all optional:

  own      list: options of the doctor
  ours     those of the daemon that differ, as for words
  mux      those of its multiplexor
  plain    true: no option of the daemon at all
  run      list: a command that runs another one
  program  instead of our mimedefang

=cut

sub examine (%o) {
    my @command = (
        @{ $o{run} // [] },
        $o{program} // program('mimedefang'),
        qw(doctor --json),
        '--mta-user',
        $daemon->{user},
        @{ $o{own} // [] },
        $o{plain} ? () : words(%o)
    );
    my ($code_got, $out, $err) = run_program(60, @command);
    is $err, '', 'nothing on standard error' if length $err;
    return ($code_got, decode_json($out));
}

=head2 names($document)

Names of the findings; not that of a spool on a disk, which is where tests are.

=cut

sub names ($document) {
    return [
        grep { $_ ne 'spool-disk' }
        map  { $_->{name} } @{ $document->{findings} }
    ];
}

=head2 finds($name, %options)

Tests that there is such a finding, whose text is like C<what>, and that the exit
status says whether there is a problem.  If it has a line of postconf to change
something, that line is run, and mends it.

=cut

sub finds ($name, %o) {
    my ($code_got, $document) = examine(%o);
    my @found = grep { $_->{name} eq $name } @{ $document->{findings} };
    ok @found > 0, "$name is found" or diag explain $document;
    return if !@found;
    is $code_got, $document->{problems} ? 1 : 0, "$name: exit status";
    like $found[0]{what}, $o{what} // qr/./, "$name: what";
    return if $found[0]{change} !~ /\Apostconf /;

    for my $change (map { $_->{change} =~ s/'; or .*/'/r } @found) {
        is system($change), 0, "$name: $change";
    }
    (undef, $document) = examine(%o);
    ok !(grep { $_ eq $name } @{ names($document) }), "$name is mended";
    return;
}

=head2 script($name, $text)

Makes a program of the shell; returns its path.

=cut

sub script ($name, $text) {
    my $file = temp_dir() . "/$name";
    write_file($file, "#!/bin/sh\n$text\n");
    chmod 0755, $file or die "$file: $!\n";
    return $file;
}

=head2 postfix(%parameters)

Makes a configuration of Postfix that uses the daemon; parameters of main.cf to
change, or C<chroot> ('y'), C<master> (more lines).  Returns the options that name
it.

=cut

sub postfix (%o) {
    my $etc    = temp_dir() . '/postfix' . ++$count;
    my $master = delete $o{master} // '';
    my $chroot = delete $o{chroot} // 'n';
    my %main   = (
        compatibility_level => 3.6,
        queue_directory     => '/var/spool/postfix',
        smtpd_milters       => $daemon->{address},
        non_smtpd_milters   => '$smtpd_milters',
        message_size_limit  => 10_000,
        %o
    );
    mkdir $etc or die "$etc: $!\n";
    write_file("$etc/main.cf", join '', map {"$_ = $main{$_}\n"} keys %main);
    write_file("$etc/master.cf",
              "smtp inet n - $chroot - - smtpd\n$master"
            . "cleanup unix n - $chroot - 0 cleanup\n");
    return [ '--postfix-config', $etc ];
}

=head2 sendmail_cf(%lines)

Makes a sendmail.cf that uses the daemon and returns its path.  Lines to change: a
list: several of this kind; undef: none.  C<X> is what follows an X.

=cut

sub sendmail_cf (%o) {
    my $file  = temp_dir() . '/' . ++$count . '.cf';
    my %lines = (
        'O MaxMessageSize'        => 10_000,
        'O DontBlameSendmail'     => 'TrustStickyBit',
        'O InputMailFilters'      => 'mimedefang',
        'O Milter.macros.connect' => 'j, _, {daemon_name}, {if_addr}',
        'O Milter.macros.helo'    => '{tls_version}, {cipher}, {cipher_bits}',
        'O Milter.macros.envfrom' => 'i, {auth_type}, {auth_authen}, '
            . '{mail_addr}, {mail_host}, {mail_mailer}',
        'O Milter.macros.envrcpt' => '{rcpt_addr}, {rcpt_host}, {rcpt_mailer}',
        X => "mimedefang, S=$daemon->{address}, F=T, T=C:1m;S:60s;R:60s;E:10m",
        %o
    );
    write_file(
        $file,
        join '',
        map {
            my $key = $_;
            map { $key eq 'X' ? "X$_\n" : "$key=$_\n" }
                ref $lines{$key}
                ? @{ $lines{$key} }
                : $lines{$key}
        } grep { defined $lines{$_} } sort keys %lines
    );
    return $file;
}

1;
