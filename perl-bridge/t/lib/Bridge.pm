# SPDX-License-Identifier: MIT
#
# For the tests: real workers on real pipes, spools below a temporary directory,
# working directories as the front-end makes them.

package Bridge;
use v5.36;
use Cwd qw(abs_path getcwd);
use Exporter 'import';
use File::Basename qw(dirname);
use File::Temp     qw(tempdir);
use IPC::Open3     qw(open3);

our @EXPORT_OK
    = qw(program spool put get work_dir start start_scripted run_program
    logged with_log);

my $top     = abs_path(dirname(__FILE__) . '/../../..');
my $program = "$top/perl-bridge/bin/mimedefang.pl";
my $root    = tempdir('sallyport-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $count   = 0;

delete @ENV{ grep {/^MIMEDEFANG_/} keys %ENV };
$ENV{MIMEDEFANG_LOG}           = 'stderr';
$ENV{MIMEDEFANG_CONFDIR}       = $root;
$ENV{MIMEDEFANG_QUARANTINEDIR} = "$root/quarantine";
$ENV{MIMEDEFANG_SENDMAIL}      = put("$root/sendmail", <<'END');
#!/bin/sh
{ echo "$0 $*"; cat; } >> sent
END
chmod 0755, "$root/sendmail";
mkdir "$root/quarantine";

END { chdir '/' }

sub program { return $program }

# A new empty directory.
sub spool {
    my $dir = "$root/spool" . ++$count;
    mkdir $dir or die "$dir: $!";
    return $dir;
}

sub put ($path, $text) {
    open my $fh, '>:raw', $path or die "$path: $!";
    print {$fh} $text;
    close $fh or die "$path: $!";
    return $path;
}

# The content of a file, or undef if there is none.
sub get ($path) {
    open my $fh, '<:raw', $path or return;
    local $/;
    return scalar <$fh>;
}

# What CODE logs in this process, where that is standard error; with_log: then
# what it returns.
sub logged ($code) {
    return (with_log($code))[0];
}

sub with_log ($code) {
    my $file = "$root/log" . ++$count;
    open my $saved, '>&', \*STDERR or die "standard error: $!";
    open STDERR,    '>',  $file    or die "$file: $!";
    my @result = eval { $code->() };
    my $error  = $@;
    open STDERR, '>&', $saved or die "standard error: $!";
    die $error if $error;
    return (get($file), @result);
}

my $COMMANDS = <<'END';
iabcde12
S<from@example.com>
sSIZE=100
=i QID1
=_ host%20[192.0.2.1]
=client_port 4321
QQID1
Hhost.example.com
I192.0.2.1
Ehelo.example.com
R<to@example.net> esmtp mx.example.net to@example.net
rNOTIFY=NEVER
UHello%20World
X<id@example.com>
F
END

# A working directory with MESSAGE in it, below SPOOL.
sub work_dir ($spool, $message, %with) {
    my $dir = "$spool/mdefang-" . ++$count;
    mkdir $dir or die "$dir: $!";
    put("$dir/INPUTMSG", $message) if defined $message;
    my ($header) = split /\n\n/, $message // '';
    $header //= '';
    $header =~ s/\n(?=[ \t])//g;
    put("$dir/HEADERS", "$header\n");
    my $commands = exists $with{COMMANDS} ? $with{COMMANDS} : $COMMANDS;
    put("$dir/COMMANDS", $commands) if defined $commands;
    return $dir;
}

# A worker with FILTER (text).  Its spool, mode, environment can be given, and
# the file for what it writes to descriptor 3.
sub start ($filter, %with) {
    my $spool = $with{spool} // spool();
    my $path  = put("$spool/filter", "$filter\n1;\n");
    my $error = "$spool/stderr";
    open my $err, '>', $error or die "$error: $!";
    local $ENV{TAGS} = $with{tags} // '/dev/null';
    local %ENV = (%ENV, %{ $with{env} // {} });
    my $here = getcwd();
    chdir $spool or die "$spool: $!";
    my $pid = open3(
        my $in, my $out, '>&' . fileno $err,
        'sh',   '-c',    'exec "$@" 3>"$TAGS"',
        'sh',   $^X,     $program, '-f', $path, $with{mode} // '-server'
    );
    chdir $here;
    return bless {
        in    => $in,
        out   => $out,
        pid   => $pid,
        spool => $spool,
        error => $error
        },
        __PACKAGE__;
}

# A filter whose callbacks run what is in the file code.CALLBACK of the current
# directory, so that one worker serves many cases.
my $SCRIPTED = join "\n",
    map {"sub $_ { return run_code('$_', \@_) }"}
    qw(filter_relay filter_helo filter_sender filter_recipient filter_begin filter
    filter_multipart filter_end filter_wrapup filter_create_parser filter_map
    filter_tick filter_unknown_cmd);
$SCRIPTED .= <<'END';
sub run_code {
    my ($name, @args) = @_;
    open my $fh, '<', "code.$name" or return;
    my $code = do { local $/; <$fh> };
    my $sub  = eval "sub { $code }" or die $@;
    return $sub->(@args);
}
END

sub start_scripted (%with) {
    return start($SCRIPTED, %with);
}

# Scans MESSAGE with the code of each callback; returns (answer, directory).
sub scan ($self, $message, %code) {
    my $dir = work_dir($self->{spool}, $message);
    put("$dir/code.$_", $code{$_}) for keys %code;
    return ($self->ask("scan QID1 $dir"), $dir);
}

# The lines of RESULTS that such a scan leaves.
sub results ($self, $message, %code) {
    my ($answer, $dir) = $self->scan($message, %code);
    return [ $answer, split /\n/, get("$dir/RESULTS") // '' ];
}

# Sends a command and returns the answer line without its end.
sub ask ($self, $line) {
    my $in = $self->{in};
    print {$in} "$line\n";
    $in->flush;
    my $answer = readline $self->{out};
    chomp $answer if defined $answer;
    return $answer;
}

# What the worker logged and printed since the last call.
sub stderr ($self) {
    my $all = get($self->{error}) // '';
    my $new = substr $all, $self->{seen} // 0;
    $self->{seen} = length $all;
    return $new;
}

# Closes the worker's input; returns its exit status and what it still said.
sub stop ($self) {
    my $pid = delete $self->{pid} or return;
    close $self->{in};
    my @rest = readline $self->{out};
    waitpid $pid, 0;
    return ($? >> 8, @rest);
}

sub DESTROY ($self) {
    local $?;
    $self->stop;
    return;
}

# Runs the program with ARGS; returns (exit status, stdout, stderr).
sub run_program (@args) {
    my ($out, $err) = map {"$root/$_"} qw(out err);
    open my $o, '>', $out        or die;
    open my $e, '>', $err        or die;
    open my $i, '<', '/dev/null' or die;
    my $pid = open3(
        '<&' . fileno $i,
        '>&' . fileno $o,
        '>&' . fileno $e,
        $^X, $program, @args
    );
    waitpid $pid, 0;
    return ($? >> 8, get($out), get($err));
}

1;
