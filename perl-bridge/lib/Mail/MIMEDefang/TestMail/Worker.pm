# SPDX-License-Identifier: MIT
#
# A worker for one message: a child process that loads the worker program and the
# filter and serves us as it serves the multiplexor.  It may die, hang or exit: we
# hear of it.  Nothing that it is told to send leaves this machine, and nothing is
# written outside of its temporary directory.

package Mail::MIMEDefang::TestMail::Worker;
use v5.36;
use IO::Handle;
use JSON::PP                             ();
use Mail::MIMEDefang::TestMail::Envelope qw(put);
use POSIX                                ();
use Time::HiRes                          qw(CLOCK_MONOTONIC clock_gettime);

my @CALLBACKS = qw(filter_initialize filter_relay filter_helo filter_sender
    filter_recipient filter_create_parser filter_begin filter filter_multipart
    filter_end filter_wrapup filter_cleanup);

# DIR: temporary; PROGRAM: mimedefang.pl; FILTER; SECONDS for each answer.
sub start ($class, %o) {
    my $self = bless {%o}, $class;
    mkdir "$o{dir}/$_" for qw(spool quarantine sent);
    $self->{spool} = "$o{dir}/spool";
    pipe my $commands, $self->{in} or die "pipe: $!\n";
    pipe $self->{out}, my $answers or die "pipe: $!\n";
    $self->{in}->autoflush(1);
    $self->{pid} = fork // die "fork: $!\n";
    if (!$self->{pid}) {
        close $self->{in};
        eval { $self->_become($commands, $answers); 1 }
            or print {*STDERR} $@;
        POSIX::_exit(3);
    }
    return $self;
}

# The child; does not return.
sub _become ($self, $commands, $answers) {
    my $dir = $self->{dir};
    open STDIN,  '<&', $commands  or die "stdin: $!\n";
    open STDOUT, '>&', $answers   or die "stdout: $!\n";
    open STDERR, '>',  "$dir/log" or die "$dir/log: $!\n";
    STDERR->autoflush(1);
    %ENV = (
        %ENV,
        MIMEDEFANG_LOG           => 'stderr',
        MIMEDEFANG_SPOOLDIR      => $self->{spool},
        MIMEDEFANG_QUARANTINEDIR => "$dir/quarantine",
        MIMEDEFANG_SENDMAIL      => $self->_fake_sendmail,
    );
    chdir $self->{spool} or die "$self->{spool}: $!\n";
    open my $report, '>', "$dir/report" or die "$dir/report: $!\n";
    $report->autoflush(1);
    {
        local @ARGV = ('-f', $self->{filter}, '-embserver');
        local $!;

        package main { do $self->{program} }
        die $@ if $@;
    }
    no warnings 'once';
    $Mail::MIMEDefang::Globals::Features{'Path:SENDMAIL'}
        = $ENV{MIMEDEFANG_SENDMAIL};
    _watch($_, $report) for @CALLBACKS;
    exit main::do_main_loop();
}

# Takes mail and keeps it: its arguments, an empty line, the mail.
sub _fake_sendmail ($self) {
    my $path = "$self->{dir}/sendmail";
    put($path, <<"END");
#!$^X
use Time::HiRes;
open my \$fh, '>', sprintf '$self->{dir}/sent/%.6f.%d', Time::HiRes::time(), \$\$
    or die;
print {\$fh} map({"\$_\\n"} \@ARGV), "\\n", <STDIN>;
END
    chmod 0700, $path;
    return $path;
}

# Puts a function around a callback that notes when it ran and what it changed.
sub _watch ($name, $report) {
    my $code    = main->can($name) or return;
    my $watched = sub {
        my $wants_list = wantarray;
        my $begin      = clock_gettime(CLOCK_MONOTONIC);
        my @result;
        my $ended = eval {
            @result = $wants_list ? $code->(@_) : scalar $code->(@_);
            1;
        };
        my $error = $@;
        _note(
            $report,
            {
                callback => $name,
                seconds  => clock_gettime(CLOCK_MONOTONIC) - $begin,
                ($name =~ /^filter(?:_multipart)?\z/)
                ? (part => "$_[3] $_[1]")
                : (),
                died => $ended ? 0 : 1,
            }
        );
        die $error if !$ended;    ## no critic (RequireCarping)
        return $wants_list ? @result : $result[0];
    };
    no strict 'refs';
    no warnings 'redefine';
    *{"main::$name"} = $watched;
    return;
}

sub _note ($report, $what) {
    no warnings 'once';
    $what->{actions}  = {%Mail::MIMEDefang::Globals::Actions};
    $what->{warnings} = [@Mail::MIMEDefang::Globals::Warnings];
    print {$report} JSON::PP->new->canonical->encode($what), "\n";
    return;
}

# ---- this side -------------------------------------------------------------

# One command and its answer; undef if the worker is gone or too slow.
sub ask ($self, $line, $seconds = $self->{seconds}) {
    local $SIG{PIPE} = 'IGNORE';
    print { $self->{in} } "$line\n" or return;
    my $deadline = clock_gettime(CLOCK_MONOTONIC) + $seconds;
    my $answer   = '';
    while ($answer !~ /\n/) {
        my $left = $deadline - clock_gettime(CLOCK_MONOTONIC);
        my $set  = '';
        vec($set, fileno $self->{out}, 1) = 1;
        if ($left <= 0 || !select $set, undef, undef, $left) {
            $self->{late} = 1;
            $self->stop;
            return;
        }
        sysread $self->{out}, $answer, 1 << 16, length $answer or return;
    }
    return $answer =~ s/\n.*//sr;
}

# Its exit status.
sub stop ($self) {
    my $pid = delete $self->{pid} // return $self->{status};
    close $self->{in};
    kill KILL => $pid if $self->{late};
    waitpid $pid, 0;
    $self->{status} = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    return $self->{status};
}

sub _slurp ($path) {
    open my $fh, '<:raw', $path or return '';
    local $/;
    return scalar(<$fh>) // '';
}

# [LEVEL, TEXT] of each line that was logged or printed (level: output).
sub log_lines ($self) {
    my @lines;
    for my $line (split /\n/, _slurp("$self->{dir}/log")) {
        my ($level, $text)
            = $line
            =~ /^(emerg|alert|crit|err|warning|notice|info|debug): (.*)/;
        push @lines, defined $level ? [ $level, $text ] : [ 'output', $line ];
    }
    return @lines;
}

# What was noted of each callback, in order.
sub callbacks ($self) {
    return map { JSON::PP->new->decode($_) }
        split /\n/, _slurp("$self->{dir}/report");
}

# What would have been sent: { arguments, text }.
sub sent ($self) {
    my @sent;
    for my $file (sort glob "$self->{dir}/sent/*") {
        my ($arguments, $text) = split /\n\n/, _slurp($file), 2;
        push @sent,
            { arguments => [ split /\n/, $arguments ], text => $text // '' };
    }
    return @sent;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::TestMail::Worker - a worker that harms nobody

=head1 METHODS

=head2 start(dir => ..., program => ..., filter => ..., seconds => ...)

=head2 ask(LINE [, SECONDS])

The answer to a command, undef if there is none.

=head2 stop()

Ends it; its exit status.

=head2 log_lines(), callbacks(), sent()

What it logged; which callbacks ran, how long, with which actions and warnings
behind them; the mail that it was told to send.

=cut
