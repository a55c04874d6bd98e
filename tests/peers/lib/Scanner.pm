# SPDX-License-Identifier: MIT
package Scanner;

# A worker, ours or the peer's, in its server loop on two pipes, and what it
# makes of a message, as lines that can be compared: boundaries, dates, process
# ids and the directories of the run have the same names in all runs.

use v5.36;
use Difference  qw(shown);
use Digest::MD5 qw(md5_hex);
use File::Path  qw(remove_tree);
use Harness     qw(temp_dir start_process stop_process wait_exit
    read_file write_file
    stage_worker);
use IO::Handle        ();
use IO::Select        ();
use MIME::QuotedPrint qw(decode_qp);
use Peers             qw(peer_program peer_env);

=head1 METHODS

=head2 Scanner->start($whose, $host, $filter [, @mode])

Starts the worker, 'ours' or 'theirs', on a private host, with the text of a
filter; with -server, or another mode.

=head2 ask($line)

Sends a command; returns the line of the answer, or what went wrong.

=head2 Scanner->scan_by($octets, @workers)

They scan a message at the same time.  For each a list of lines: the answer, RESULTS, the lines of NEWBODY, what the filter saw, mail that
was sent, files in the quarantine.

=head2 stop()

Closes its input; returns its exit status.

=cut

my $sendmail = <<'END';
#!/bin/sh
{ echo "sendmail $*"; cat; } >> sent
END

sub start ($class, $whose, $host, $filter, $mode = '-server') {
    state $count = 0;
    my $dir = fast_dir() . '/' . $whose . ++$count;
    mkdir $_ or die "$_: $!\n" for $dir, map {"$dir/$_"} qw(spool quarantine);
    write_file("$dir/filter",   "$filter\n1;\n");
    write_file("$dir/sendmail", $sendmail);
    chmod 0755, "$dir/sendmail";
    my $program
        = $whose eq 'ours' ? stage_worker() : peer_program('mimedefang.pl');
    my $self = bless {
        dir     => $dir,
        count   => 0,
        command => [ $host->wrap($^X, $program, '-f', "$dir/filter", $mode) ],
        env     => {
            TEST_QUARANTINE     => "$dir/quarantine",
            TEST_SENDMAIL       => "$dir/sendmail",
            MIMEDEFANG_SPOOLDIR => "$dir/spool",
            MIMEDEFANG_CONFDIR  => $dir,
            MIMEDEFANG_LOG      => 'stderr',
            ($whose eq 'ours' ? () : peer_env()),
        },
    }, $class;
    $self->run;
    return $self;
}

sub run ($self) {
    pipe my $their_in, my $in        or die "pipe: $!\n";
    pipe my $out,      my $their_out or die "pipe: $!\n";
    $self->{process} = start_process(
        stderr => "$self->{dir}/stderr",
        env    => $self->{env},
        code   => sub {
            open STDIN,  '<&', $their_in  or die "stdin: $!\n";
            open STDOUT, '>&', $their_out or die "stdout: $!\n";
            close $_ for $in, $out;
            chdir "$self->{dir}/spool" or die "$self->{dir}: $!\n";
            exec @{ $self->{command} } or die "exec: $!\n";
        }
    );
    close $_ for $their_in, $their_out;
    $in->autoflush(1);
    @{$self}{qw(in out)} = ($in, $out);
    return;
}

# Memory, if this system has such a directory.
sub fast_dir {
    state $dir;
    return $dir if $dir;
    $dir = Harness::mount_small('fast', 'size=1g,mode=0711') // temp_dir();
    return $dir;
}

sub ask ($self, $line) {
    $self->say_line($line);
    return $self->answer;
}

sub say_line ($self, $line) {
    print { $self->{in} } "$line\n";
    return;
}

sub answer ($self) {
    my $answer = '';
    while (IO::Select->new($self->{out})->can_read(60)) {
        my $n = sysread $self->{out}, $answer, 65536, length $answer;
        if (!$n) {
            my $status = $self->stop;
            $self->run;
            my ($last) = reverse split /\n/, $self->errors;
            return "worker ended, status $status: " . ($last // '')
                =~ s{ at /\S+ line \d+\.\z}{}r;
        }
        return $answer =~ s/\n\z//r if $answer =~ /\n\z/;
    }
    return 'none after 60 s';
}

sub errors ($self) {
    my $file = "$self->{dir}/stderr";
    return -e $file ? read_file($file) : '';
}

sub stop ($self) {
    close $self->{$_} for qw(in out);
    wait_exit($self->{process});
    return stop_process($self->{process});
}

sub work_dir ($self, $octets) {
    my $dir = "$self->{dir}/spool/mdefang-" . ++$self->{count};
    mkdir $dir or die "$dir: $!\n";
    write_file("$dir/INPUTMSG", $octets);
    my ($header) = split /^\r?\n/m,     $octets, 2;
    my @fields   = split /^(?![ \t])/m, $header // '';
    tr/\r\n//d for @fields;
    write_file("$dir/HEADERS", join '', map {"$_\n"} @fields);
    my @subjects = map {/^Subject:\s*(.*)/is} @fields;
    my ($id)     = map {/^Message-ID:\s*(.*)/is} @fields;
    my $commands = <<'END';
iabcde12
S<from@example.com>
=_ host%20[192.0.2.1]
QQID1
Hhost.example.com
I192.0.2.1
Ehelo.example.com
R<to@example.net> esmtp mx.example.net to@example.net
END
    $commands .= "U$_\n" for map { escaped($_) } @subjects;
    $commands .= 'X' . escaped($id) . "\n" if length($id // '');
    write_file("$dir/COMMANDS", "${commands}F\n");
    return $dir;
}

sub escaped ($text) {
    return $text =~ s/([^\x21-\x7e]|[%\\'"])/sprintf '%%%02X', ord $1/ger;
}

sub scan_by ($class, $octets, @workers) {
    for my $self (@workers) {
        $self->{work} = $self->work_dir($octets);
        $self->say_line("scan QID1 $self->{work}");
    }
    return map { $_->scanned } @workers;
}

sub scanned ($self) {
    my $dir   = delete $self->{work};
    my @lines = ('answer ' . $self->answer);
    for my $file (qw(RESULTS saw NEWBODY NOTIFICATION ADMIN_NOTIFICATION)) {
        push @lines, lines_of($file, "$dir/$file") if -e "$dir/$file";
    }
    push @lines, sent("$dir/sent") if -e "$dir/sent";
    push @lines, $self->quarantined;
    remove_tree($dir);
    my %boundary;
    s/-{10}(?:=|%3D)_\d+-\d+-\d+/$boundary{$&} ||= 'BOUNDARY-' . keys %boundary/ge
        for @lines;
    @lines = map { $self->comparable($_) } @lines;
    return \@lines;
}

sub lines_of ($name, $path) {
    my @lines = split /(?<=\n)/, read_file($path);
    my $cut   = @lines && $lines[-1] !~ /\n\z/;
    return ((map {"$name $_"} @lines), ("$name has no line end") x $cut);
}

# Of a mail the arguments of sendmail, the header, and of the text what comes
# from the filter and what names a place: its wording is not an interface.
sub sent ($path) {
    my @lines;
    for my $mail (split /^(?=sendmail )/m, read_file($path)) {
        my ($command, $rest) = split /\n/,   $mail, 2;
        my ($head,    $body) = split /\n\n/, $rest, 2;
        push @lines, "sent: $command", map {"sent $_"} sort split /\n/,
            $head =~ s/\n(?=[ \t])//gr;
        $body = decode_qp($body) if $head =~ /quoted-printable/;
        push @lines, map {"sent text $_"}
            grep {defined} $body =~ m{^(Part .* was .*)|(\S+/quarantine/\S+)}gm;
    }
    return @lines;
}

=head2 abridged(@lines)

Of many lines the first and the last, and what tells the others.

=cut

sub abridged (@lines) {
    return @lines if @lines <= 400;
    my @middle = splice @lines, 200, @lines - 300;
    splice @lines, 200, 0, @middle . ' lines ' . md5_hex(join "\n", @middle);
    return @lines;
}

sub quarantined ($self) {
    my @lines;
    for my $dir (glob "$self->{dir}/quarantine/*/*") {
        push @lines, "quarantine $dir";
        push @lines,
            map { lines_of('quarantine ' . s{.*/}{}r, $_) } glob "$dir/*";
        remove_tree($dir);
    }
    return @lines;
}

my $month = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec';

sub comparable ($self, $line) {
    chomp $line;
    $line =~ s{\Q$self->{dir}}{DIR}g;
    $line =~ s/mdefang-\d+/mdefang-N/g;
    $line
        =~ s{\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d+ (?:$month) \d{4} [\d:]+ [-+]\d{4}}{DATE}g
        if $line =~ /^sent /;
    $line
        =~ s{\bquarantine/(\d{4}-\d\d-\d\d-\d\d)/qdir-\1[.][\d.]+-(\d{3})}{quarantine/HOUR/TIME-$2}g;
    $line =~ s{(Message-ID:) <.*>}{$1 <ID>}i if $line =~ /^sent /;
    return shown($line);
}

1;
