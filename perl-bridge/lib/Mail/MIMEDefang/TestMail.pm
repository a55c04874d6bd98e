# SPDX-License-Identifier: MIT
#
# The program mimedefang-test-mail: options, and what is done in which order.
# bin/mimedefang-test-mail has its manual.

package Mail::MIMEDefang::TestMail;
use v5.36;
use Exporter 'import';
use File::Spec                           ();
use File::Temp                           ();
use Getopt::Long                         qw(GetOptionsFromArray);
use Mail::MIMEDefang::TestMail::Envelope qw(make_envelope put read_message);
use Mail::MIMEDefang::TestMail::Expect
    qw(read_expectations record_expectations unmet);
use Mail::MIMEDefang::TestMail::Report
    qw(as_json as_lines as_text resulting_message);
use Mail::MIMEDefang::TestMail::Session qw(run_session);
use Mail::MIMEDefang::TestMail::Worker  ();

our @EXPORT_OK = qw(test_mail);

use constant {
    MET     => 0,
    NOT_MET => 3,
    FAILED  => 4,
    SECONDS => 300,
};
my %STATUS = (accepted => 0, rejected => 1, discarded => 1, tempfailed => 2);

use constant USAGE => <<'END';
Usage: mimedefang-test-mail [options] FILE.eml     ("-": standard input)
  -f, --filter FILE       filter (default: mimedefang-filter in the directory
                          MIMEDEFANG_CONFDIR or /etc/mail; /dev/null: none)
  --from ADDRESS          sender
  --to ADDRESS            recipient; may be repeated
  --relay-ip IP           address of the client
  --relay-host NAME       its name
  --helo NAME             what it says at HELO
  --macro NAME=VALUE      a macro of the MTA; may be repeated
  -o, --output FILE       write the message as it would be delivered
  --expect FILE           compare with what is expected
  --record FILE           write a file for --expect
  --json                  print JSON
  --timeout SECONDS       for each answer of the filter (300)
  --keep-workdir          keep the working directory, and say where
  -h, --help              print this
Exit status: 0 accepted, 1 rejected or discarded, 2 tempfailed; with --expect 0 or
3 (not met); 4 could not be run.
END

# PROGRAM: the worker.  Returns the exit status.
sub test_mail ($program, @arguments) {
    my $status;
    return $status if eval { $status = _main($program, @arguments); 1 };
    print {*STDERR} "mimedefang-test-mail: $@";
    return FAILED;
}

sub _options (@arguments) {
    my %o      = (to => [], macro => {}, timeout => SECONDS);
    my $parser = Getopt::Long::Parser->new(
        config => [qw(no_ignore_case bundling no_auto_abbrev)]);
    my $why;
    local $SIG{__WARN__} = sub ($text) { $why //= $text };
    my $ok = $parser->getoptionsfromarray(
        \@arguments, \%o,
        qw(filter|f=s from=s to=s@ relay_ip|relay-ip=s relay_host|relay-host=s
            helo=s macro=s% output|o=s expect=s record=s json timeout=i
            keep|keep-workdir help|h)
    );
    return \%o if $o{help};
    die $why // "wrong options\n", USAGE
        if !$ok || @arguments != 1 || $o{timeout} < 1;
    $o{file} = $arguments[0];
    $o{filter}
        //= ($ENV{MIMEDEFANG_CONFDIR} // '/etc/mail') . '/mimedefang-filter';
    return \%o;
}

sub _slurp ($path) {
    my $fh = \*STDIN;
    if ($path ne '-') {
        undef $fh;
        open $fh, '<:raw', $path or die "$path: $!\n";
    }
    binmode $fh;
    local $/;
    return scalar(<$fh>) // '';
}

sub _main ($program, @arguments) {
    my $o = _options(@arguments);
    if ($o->{help}) {
        print USAGE;
        return MET;
    }
    my $expected
        = defined $o->{expect}
        ? read_expectations(_slurp($o->{expect}), $o->{expect})
        : undef;
    die "$o->{filter}: $!\n" if !-r $o->{filter};
    my $message  = read_message(_slurp($o->{file}));
    my $envelope = make_envelope($message, $o);
    my $dir      = File::Temp->newdir('mimedefang-test-XXXXXX', TMPDIR => 1);
    my $worker   = Mail::MIMEDefang::TestMail::Worker->start(
        dir     => "$dir",
        program => File::Spec->rel2abs($program),
        filter  => File::Spec->rel2abs($o->{filter}),
        seconds => $o->{timeout},
    );
    if (($worker->ask('ping', SECONDS) // '') ne 'PONG') {    # it has loaded
        $worker->stop;
        print {*STDERR} map {"$_->[1]\n"} $worker->log_lines;
        die "the filter $o->{filter} cannot be loaded\n";
    }
    my $session = run_session($worker, $message, $envelope);
    return _report($o, $session, $message, $expected, $dir);
}

sub _report ($o, $session, $message, $expected, $dir) {
    my @lines    = as_lines($session, $message);
    my @failures = $expected ? unmet($expected, @lines) : ();
    my $keep     = $o->{keep};
    $dir->unlink_on_destroy(0) if $keep;
    put($o->{output}, resulting_message($session, $message))
        if defined $o->{output};
    put($o->{record}, record_expectations(@lines)) if defined $o->{record};

    if ($o->{json}) {
        print as_json(
            $session,
            kept => $keep ? 1 : 0,
            ($expected ? (unmet => \@failures) : ())
        );
    }
    elsif (!$expected) {
        print as_text($session);
        say "Working directory: $session->{directory}" if $keep;
    }
    elsif (@failures) {
        my $of = @{$expected};
        print "$o->{expect}: ", scalar @failures,
            " of $of expectations not met\n", @failures;
        say "Working directory: $session->{directory}" if $keep;
    }
    return @failures ? NOT_MET : MET if $expected;
    return $STATUS{ $session->{verdict} };
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::TestMail - the program mimedefang-test-mail

=head1 FUNCTIONS

=head2 test_mail(PROGRAM, ARGUMENT...)

Runs it with the worker PROGRAM. Returns the exit status.

=cut
