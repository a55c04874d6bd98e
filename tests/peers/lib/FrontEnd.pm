# SPDX-License-Identifier: MIT
package FrontEnd;

# A front-end, ours or the peer's, between a scripted MTA and a scripted
# multiplexor; what it does in a session, as lines that can be compared.

use v5.36;
use Difference qw(shown);
use File::Path qw(remove_tree);
use Harness    qw(temp_dir program daemon_user start_process stop_process
    is_running wait_for read_file);
use Peers       qw(peer_program peer_host);
use ScriptedMta ();
use ScriptedMux ();

my $count = 0;

=head1 METHODS

=head2 FrontEnd->start($whose, @options)

C<$whose> is 'ours' or 'theirs'.

=head2 session($session)

Plays the steps of a session (see sessions.pl); returns (lines, log lines).

=head2 stop()

=cut

sub start ($class, $whose, @options) {
    my $dir  = temp_dir() . '/front' . ++$count;
    my $self = bless { dir => $dir, spool => "$dir/spool" }, $class;
    for my $made ($dir, $self->{spool}) {
        mkdir $made or die "$made: $!\n";
        chmod 0755, $made or die "$made: $!\n";
    }
    my $user = daemon_user();
    my (undef, undef, $uid, $gid) = getpwnam $user;
    chown $uid, $gid, $self->{spool} or die "$self->{spool}: $!\n";
    $self->{mux}  = ScriptedMux->start("$dir/mux");
    $self->{host} = peer_host("$dir/log");
    for my $file ('mail/mimedefang-ip-key', 'mimedefang-ip-key') {
        $self->{host}->etc($file, "X-MIMEDefang-Relay-0123456789\n");
    }
    my $program
        = $whose eq 'ours' ? program('mimedefang') : peer_program('mimedefang');
    $self->{process} = start_process(
        cmd => [
            $self->{host}->wrap(
                $program, '-D',           '-U', $user,
                '-z',     $self->{spool}, '-m', "$dir/mux",
                '-p',     "unix:$self->{spool}/milter", @options
            )
        ],
        stdout => "$dir/output",
        stderr => "$dir/output",
    );
    wait_for("start of $program", sub { $self->is_up });
    return $self;
}

sub is_up ($self) {
    die "it ended:\n" . read_file("$self->{dir}/output") . $self->{host}->text
        if !is_running($self->{process});
    return $self->{host}->text =~ /entering main loop/
        && eval { $self->mta({})->step(['quit']); 1 };
}

sub mta ($self, $offer) {
    return ScriptedMta->new("unix:$self->{spool}/milter", %$offer);
}

sub stop ($self) {
    stop_process($self->{process}, 'KILL');    # the peer takes 5 s with TERM
    $self->{mux}->stop;
    $self->{host}->stop;
    return;
}

sub session ($self, $session) {
    $self->{host}->flush;
    my $logged = length $self->{host}->text;
    $self->{mux}->script(%{ $session->{mux} // {} });
    @$self{qw(ids written)} = ({}, {});
    my $mta = $self->mta($session->{offer} // {});
    my @lines;
    for my $step (@{ $session->{steps} }) {
        my @answer = $mta->step($step);
        push @lines, $self->asked, @answer;
        last if $mta->has_ended;
    }
    $mta->step(['quit'])
        if !$mta->has_ended && $session->{steps}[-1][0] !~ /quit|hang/;
    push @lines, $self->left($session->{keeps});
    $self->clean_up;
    $self->{host}->flush;
    my @log = grep { !/\A\w+ (?:syslog|MIMEDefang-[\d.]+): / } split /\n/,
        substr $self->{host}->text, $logged;
    return (
        [ map { $self->comparable($_) } @lines ],
        [ map { $self->comparable($_) } @log ]
    );
}

# The requests since the last time, with what is new in the message's files.
sub asked ($self) {
    my @lines;
    for my $request ($self->{mux}->requests) {
        my ($line, $files) = @$request{qw(line files)};
        next if $line eq 'workerinfo pipeline-1';    # once a minute, of ours
        $self->{ids}{$1} = 1
            if ($files->{COMMANDS} // '') =~ /^i(\w+)$/m;
        push @lines, '  asks ' . shown($self->comparable($line));
        for my $name (sort keys %$files) {
            push @lines,
                $self->news("$request->{dir}/$name", $files->{$name},
                scalar $line =~ /\Ascan /);
        }
    }
    return @lines;
}

sub news ($self, $path, $content, $is_scan) {
    my $name = $path =~ s{.*/}{}r;
    my $old  = $self->{written}{$path} // '';
    $self->{written}{$path} = $content;
    return $is_scan ? "  $name is empty" : () if $content eq '';
    my $new
        = substr($content, 0, length $old) eq $old
        ? substr $content, length $old
        : "(anew)\n$content";
    my @lines = split /^/, $new;
    return "  $name " . shown($new) if @lines > 60;
    return
        map { "  $name " . shown(s/\n\z//r) . (/\n\z/ ? '' : ' (no LF)') }
        @lines;
}

# What is in the spool when the session is over, after a moment's patience.
sub left ($self, $keeps) {
    eval {
        wait_for('no message', sub { !$self->messages }, 5);
    } if !$keeps;
    return map {
        my $dir = $_;
        "left $dir: " . join ' ',
            sort map {s{.*/}{}r}
            glob "$self->{spool}/$dir/*"
    } $self->messages;
}

sub clean_up ($self) {
    remove_tree(map {"$self->{spool}/$_"} $self->messages);
    return;
}

# Names of working directories.
sub messages ($self) {
    opendir my $dh, $self->{spool} or die "$self->{spool}: $!\n";
    my @names = sort grep {/\Amdefang-/} readdir $dh;
    return @names;
}

# Without what is different each time.
sub comparable ($self, $line) {
    $line =~ s/\Q$self->{spool}/SPOOL/g;
    $line =~ s/\b\Q$_\E\b/ID/g for keys %{ $self->{ids} };
    $line =~ s/(?<=  COMMANDS i)\w+\z/ID/;
    $line =~ s/MIMEDefang [\d.]+/MIMEDefang VERSION/;
    return $line;
}

1;
