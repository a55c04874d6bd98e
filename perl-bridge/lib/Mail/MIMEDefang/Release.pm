# SPDX-License-Identifier: MIT
#
# The program mimedefang-release: gives the recipients what was quarantined.
# bin/mimedefang-release has its manual.

package Mail::MIMEDefang::Release;
use v5.36;
use Exporter 'import';
use Getopt::Long            qw(GetOptionsFromArray);
use Mail::MIMEDefang::Codec qw(one_line);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Sendmail qw(new_mail submit_mail);

our @EXPORT_OK = qw(release);

use constant {
    SENT    => 0,
    FAILED  => 1,
    USED    => 2,
    SECONDS => 60,
    NAME    => 'released-message',
};
use constant USAGE => <<'END';
Usage: mimedefang-release -d DIR -a [-s SUBJECT] [-z] [-f FILTER]
       mimedefang-release -d DIR -S SERVER[:PORT] [-t [--no-verify]]
  -d DIR        directory with the message, absolute or below the quarantine
  -a            send it as an attachment, through sendmail
  -s SUBJECT    subject (default: that of the message)
  -z            the attachment in a zip archive
  -f FILTER     file with the settings of the site: $DaemonAddress, $DaemonName
                (default: mimedefang-filter in MIMEDEFANG_CONFDIR or /etc/mail)
  -S SERVER     deliver it unchanged by SMTP
  -t            with TLS; --no-verify: whatever the certificate is
  -h, --help    print this
Exit status: 0 sent, 1 not sent to everybody, 2 wrong options.
END

# PROGRAM: the worker, which knows how to load a filter.
sub release ($program, @arguments) {
    my $o = eval { _options(@arguments) };
    if (!$o) {
        print {*STDERR} 'mimedefang-release: ', $@, USAGE;
        return USED;
    }
    if ($o->{help}) {
        print USAGE;
        return SENT;
    }
    my $failed = eval {
        my $message = _read_quarantine($o->{dir});
        $o->{server}
            ? _by_smtp($o, $message)
            : _as_attachment($o, $message, $program);
    };
    return $failed ? FAILED : SENT if defined $failed;
    print {*STDERR} 'mimedefang-release: ', $@;
    return FAILED;
}

sub _options (@arguments) {
    my %o;
    my $why;
    {
        local $SIG{__WARN__} = sub ($text) { $why //= $text };
        my $parser = Getopt::Long::Parser->new(
            config => [qw(no_ignore_case bundling no_auto_abbrev)]);
        $parser->getoptionsfromarray(
            \@arguments, \%o,
            qw(dir|d=s attach|a subject|s=s zip|z filter|f=s server|S=s
                tls|t no_verify|no-verify help|h)
        );
    }
    return \%o                    if $o{help};
    die $why                      if $why;
    die "what is '@arguments'?\n" if @arguments;
    die "-d is missing\n"         if !length($o{dir} // '');
    die "either -a or -S\n"       if !$o{attach} == !defined $o{server};
    for my $name (qw(subject zip filter)) {
        die "--$name goes with -a\n" if defined $o{$name} && !$o{attach};
    }
    die "-t goes with -S\n"          if $o{tls}       && !$o{server};
    die "--no-verify goes with -t\n" if $o{no_verify} && !$o{tls};
    die "a relative directory without '..', please\n"
        if $o{dir} !~ m{^/} && $o{dir} =~ m{(?:^|/)\.\.(?:/|\z)};
    $o{dir} = "$Features{'Path:QUARANTINEDIR'}/$o{dir}" if $o{dir} !~ m{^/};
    return \%o;
}

sub _slurp ($path) {
    open my $fh, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar(<$fh>) // '';
}

sub _lines ($path) {
    return grep {length} map {s/^\s*<?|>?\s*\z//gr} split /\n/, _slurp($path);
}

sub _read_quarantine ($dir) {
    my ($sender) = _lines("$dir/SENDER");
    my @to = _lines("$dir/RECIPIENTS") or die "$dir: no recipients\n";
    for my $address ($sender // (), @to) {
        die "$dir: strange address\n" if $address =~ /[\x00-\x20<>]/;
    }
    my ($subject) = _slurp("$dir/HEADERS") =~ /^Subject:[ \t]*(.*)$/mi;
    return {
        sender  => $sender // '',
        to      => \@to,
        subject => one_line($subject // ''),
        text    => _slurp("$dir/ENTIRE_MESSAGE"),
    };
}

sub _complain ($text) {
    print {*STDERR} 'mimedefang-release: ', one_line($text), "\n";
    return;
}

# ---- as it was ----------------------------------------------------------

# How many recipients did not get it.
sub _by_smtp ($o, $message) {
    require Net::SMTP;
    my ($host, $port) = $o->{server} =~ /^(.*?)(?::(\d+))?\z/a;
    ($host, $port) = ($o->{server}, undef) if $host =~ /^[^\[].*:/;    # IPv6
    $host =~ s/^\[(.*)\]\z/$1/;
    my $smtp = Net::SMTP->new($host, Port => $port // 25, Timeout => SECONDS)
        or die "cannot connect to $o->{server}: ", $@ || $!, "\n";
    my $said = sub { one_line($smtp->code . ' ' . $smtp->message) };
    _start_tls($smtp, $host, $o) if $o->{tls};
    my $is_8bit = $message->{text} =~ /[\x80-\xff]/
        && defined $smtp->supports('8BITMIME');
    $smtp->mail($message->{sender} || '<>', $is_8bit ? (Bits => '8') : ())
        or die "$o->{server}: sender: ", $said->(), "\n";
    my $failed = 0;

    for my $rcpt (@{ $message->{to} }) {
        next if $smtp->to($rcpt);
        $failed++;
        _complain("$o->{server}: $rcpt: " . $said->());
    }
    die "$o->{server}: nobody to send it to\n"
        if $failed == @{ $message->{to} };
    ($smtp->data && $smtp->datasend($message->{text}) && $smtp->dataend)
        or die "$o->{server}: message: ", $said->(), "\n";
    $smtp->quit;
    return $failed;
}

sub _start_tls ($smtp, $host, $o) {
    require IO::Socket::SSL;
    my %how = (SSL_hostname => $host);
    $how{SSL_verify_mode} = IO::Socket::SSL::SSL_VERIFY_NONE()
        if $o->{no_verify};
    return if $smtp->starttls(%how);
    my $why = $IO::Socket::SSL::SSL_ERROR
        || one_line($smtp->code . ' ' . $smtp->message);
    die "$o->{server}: no TLS: $why\n";
}

# ---- in another one -----------------------------------------------------

sub _as_attachment ($o, $message, $program) {
    _load_settings($o, $program);
    require MIME::Entity;
    my $failed = 0;
    for my $rcpt (@{ $message->{to} }) {
        my $mail = _mail($o, $message, $rcpt);
        my ($fh, $error) = new_mail($mail);
        $error = submit_mail(
            $fh,
            from     => $DaemonAddress,
            fullname => $DaemonName,
            to       => [$rcpt]
        ) if $fh;
        next if $error eq '';
        $failed++;
        _complain("$rcpt: $error");
    }
    return $failed;
}

# The filter knows who sends the mail of this site.
sub _load_settings ($o, $program) {
    my $filter = $o->{filter} // "$Features{'Path:CONFDIR'}/mimedefang-filter";
    if (!-r $filter) {
        die "$filter: $!\n" if defined $o->{filter};
        return;
    }
    local @ARGV = ('-f', $filter, '-embserver');

    package main { do $program }
    die "$filter: $@" if $@;
    return;
}

sub _mail ($o, $message, $rcpt) {
    my $subject = one_line($o->{subject} // $message->{subject});
    my $mail    = MIME::Entity->build(
        Type             => 'multipart/mixed',
        From             => "\"$DaemonName\" <$DaemonAddress>",
        To               => "<$rcpt>",
        Subject          => length $subject ? $subject : 'Released message',
        'Auto-Submitted' => 'auto-generated',
        'X-Mailer'       => undef,
    );
    $mail->attach(
        Type => 'text/plain',
        Data => "The attached message was held back by the mail filter of this"
            . " site\nand has been released.\n",
    );
    if ($o->{zip}) {
        require IO::Compress::Zip;
        my $zip;
        IO::Compress::Zip::zip(
            \$message->{text} => \$zip,
            Name              => NAME . '.eml'
        ) or die "cannot make a zip archive\n";
        $mail->attach(
            Type        => 'application/zip',
            Encoding    => 'base64',
            Filename    => NAME . '.zip',
            Disposition => 'attachment',
            Data        => $zip,
        );
    }
    else {
        $mail->attach(
            Type        => 'message/rfc822',
            Encoding    => $message->{text} =~ /[\x80-\xff]/ ? '8bit' : '7bit',
            Filename    => NAME . '.eml',
            Disposition => 'attachment',
            Data        => $message->{text},
        );
    }
    return $mail->as_string;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Release - the program mimedefang-release

=head1 FUNCTIONS

=head2 release(PROGRAM, ARGUMENT...)

Runs it; PROGRAM is the worker, which loads the filter for its settings. Returns
the exit status.

=cut
