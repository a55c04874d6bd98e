# SPDX-License-Identifier: MIT
#
# Virus scanners that are programs: runs them as their row of the table says and
# reads what they print and how they exit.  spec:virus-commands

package Mail::MIMEDefang::Antivirus::Command;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Antivirus::Common
    qw(cannot files_below found note swerr time_limit);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Run qw(run_command);

our @EXPORT_OK = qw(interpret_code run_and_collect scan_with_command);

use constant MAX_RPT => 1 << 20;

sub scan_with_command ($row, $target, @) {
    my @argv = _argv($row, $target) or return (0, 'ok');    # no file at all
    my ($code, @failed)
        = run_and_collect($row->{name}, \@argv, $row->{lines} // '');
    return @failed if @failed;
    return interpret_code($row, $code);
}

# The feature is the program, perhaps with options of the administrator's; 1
# stands for its usual name.
sub _argv ($row, $target) {
    my $program = $Features{"Virus:$row->{feature}"};
    my @program
        = $program eq '1' ? $row->{program}
        : -e $program     ? $program
        :                   split ' ', $program;
    my $args = $target->{whole} && $row->{message} || $row->{args};
    $args = $row->{daemon} if $row->{daemon} && $program[0] =~ /kavdaemon\z/;

    my $conf = $Features{'Path:CLAMDCONF'} // '';
    $args =~ s/-c \{conf\} // if !-e $conf;    # then it uses its own
    my @files = $args =~ /\{files\}/ ? files_below($target->{path}) : ();
    return if !@files && $args =~ /\{files\}/;
    my %word = (
        item => $target->{item},
        abs  => $target->{path},
        cwd  => $CWD,
        conf => $conf
    );
    return (
        @program,
        map { $_ eq '{files}' ? @files : s/\{(item|abs|cwd|conf)\}/$word{$1}/r }
            split ' ',
        $args
    );
}

# Runs a program in the working directory and keeps the lines of its output that
# match.  Returns its exit code, a fraction if it was killed; after a failure
# (code, category, action) in its place.
sub run_and_collect ($name, $argv, $match) {
    $CurrentVirusScannerMessage = '';
    my $run = run_command(
        argv      => $argv,
        dir       => $CWD,
        timeout_s => time_limit()
    );
    _collect($run->{output}, $match);
    _collect(_report(),      $match);
    if ($run->{error} ne '') {
        my $fail = $run->{error} =~ /^cannot/ ? \&cannot : \&swerr;
        return (undef, $fail->("virus scanner $name: $run->{error}"));
    }
    return $run->{status} // $run->{signal} / 256;
}

sub _collect ($text, $match) {
    note(join '', map {"$_\n"} grep {/(?:$match)/i} split /\n/, $text);
    return;
}

# kavdaemon writes into a file instead.
sub _report () {
    my $file = "$CWD/DAEMON.RPT";
    return '' if -l $file || !-f _;
    my $text = '';
    if (open my $fh, '<', $file) {
        read $fh, $text, MAX_RPT;
    }
    unlink $file;
    return $text;
}

# What an exit code means, and the name from what was printed last.
sub interpret_code ($row, $code) {
    my $category = _category($row, $code);
    return swerr("virus scanner $row->{name} ended with "
            . ($code < 1 ? 'signal ' . $code * 256 : "status $code"))
        if $category eq 'other';
    return $row->{zero} && $code == $row->{zero} ? 0 : $code, $category,
        _name($row, $code, $category);
}

sub _category ($row, $code) {
    for (split /, /, $row->{bits} // '') {
        my ($category, $bits) = split ' ';
        return $category if $code == int $code && $code & oct $bits;
    }
    return 'ok' if $row->{bits} && $code == 0;
    for (split /, /, $row->{codes} // '') {
        my ($category, @codes) = split ' ';
        return $category if grep { $_ == $code } @codes;
    }
    return 'other';
}

sub _name ($row, $code, $category) {
    return if $category !~ /^(?:virus|suspicious)\z/;
    my $called = ($row->{called} // {})->{$code};
    return $called      if defined $called;
    return 'suspicious' if $category eq 'suspicious';
    for my $pattern (@{ $row->{virus} }) {
        my ($name) = $CurrentVirusScannerMessage =~ /$pattern/im or next;
        $name =~ tr/!//d if $row->{renamed};
        return ($row->{renamed} // {})->{$name} // found($name);
    }
    return $row->{unknown};
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Antivirus::Command - virus scanners that are programs

=head1 FUNCTIONS

=head2 scan_with_command(ROW, TARGET)

Runs the scanner. Returns (code, category, name of the virus).

=head2 run_and_collect(NAME, ARGV, PATTERN)

Runs a program and keeps the lines of its output that match. Returns its exit
code, a fraction if a signal ended it; or (undef, code, category) if it could
not be run to its end.

=head2 interpret_code(ROW, CODE)

What the scanner's exit code means: (code, category, name of the virus).

=cut
