# SPDX-License-Identifier: MIT
#
# Actions that do more with a part than to keep it or not: put it on a web
# server, rename it, run a program over it.  If that fails the part stays as it
# is.

package Mail::MIMEDefang::Actions::Parts;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Actions
    qw(action_accept_with_warning action_replace_with_warning);
use Mail::MIMEDefang::Callback qw(call_filter);
use Mail::MIMEDefang::Codec    qw(one_line to_bytes);
use Mail::MIMEDefang::Guard    qw(in_filter_context);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log   qw(md_syslog);
use Mail::MIMEDefang::MIME  qw(header_word takeStabAtFilename);
use Mail::MIMEDefang::Run   qw(run_command);
use Mail::MIMEDefang::Utils qw(copy_file write_file);

our @EXPORT_OK
    = qw(action_replace_with_url action_defang action_external_filter);

use constant {
    PUBLIC   => 0644,    # mode of files for a web server
    MAX_SAID => 400,     # of what a program complains about
};

sub action_replace_with_url {
    my ($entity, $docroot, $base_url, $message, $cd_data, $salt) = @_;
    return 0 if !in_filter_context('action_replace_with_url');
    my $path = _body_path($entity)              // return 0;
    my $name = _name_in_web($path, $salt // '') // return 0;

    # It may be there already, from a message before or a worker beside us.
    if (!utime undef, undef, "$docroot/$name") {
        copy_file($path, "$docroot/$name", PUBLIC) or return 0;
    }
    if (length($cd_data // '')) {
        write_file('>', "$docroot/.$name", $cd_data) or return 0;
        chmod PUBLIC, "$docroot/.$name";
    }
    $message = to_bytes($message) =~ s{_URL_}{$base_url/$name}gr;
    return action_replace_with_warning($message);
}

sub _name_in_web ($path, $salt) {
    require Digest::SHA;
    my $sha = Digest::SHA->new(1);
    if (!eval { $sha->addfile($path, 'b') }) {
        md_syslog('err', "Cannot read $path: $!");
        return;
    }
    $sha->add(to_bytes($salt));
    my ($ext) = $path =~ /(\.[A-Za-z0-9_]*)\z/a;
    return $sha->hexdigest . ($ext // '');
}

sub _body_path ($entity) {
    my $body = $entity->bodyhandle or return;
    return $body->path;
}

sub action_defang {
    my ($entity, $name, $file_name, $type) = @_;
    return 0 if !in_filter_context('action_defang');
    return 0 if !defined $entity->bodyhandle;
    my $head = $entity->head;
    my $old  = takeStabAtFilename($entity);
    if (!length($name // '') || !length($file_name // '')) {
        my $new = sprintf 'defang-%d.binary', ++$DefangCounter;
        $name      = $new if !length($name      // '');
        $file_name = $new if !length($file_name // '');
    }
    $type = 'application/octet-stream' if !length($type // '');

    my $shown = header_word($file_name);
    $head->replace('Content-Type', $type);
    $head->mime_attr('Content-Type.name'   => header_word($name));
    $head->mime_attr('Content-Disposition' => 'attachment')
        if !$head->count('Content-Disposition');
    $head->mime_attr('Content-Disposition.filename' => $shown);
    $head->replace('Content-Description', $shown);
    $entity->effective_type($type);

    $Changed = 1;
    $Actions{defang}++;
    return action_accept_with_warning(_defang_warning($old, $file_name));
}

sub _defang_warning ($old, $new) {
    my ($warning) = call_filter('defang_warning', $old, $new);
    return $warning if defined $warning;
    return
          'An attachment named \''
        . to_bytes($old)
        . '\' was renamed to \''
        . to_bytes($new)
        . "'.\nBe careful when you open it.";
}

# What it prints goes to the log only if it fails.
sub action_external_filter ($entity, $command, @) {
    return 0 if !in_filter_context('action_external_filter');
    my $path = _body_path($entity) // return 0;
    unlink qw(FILTERINPUT FILTEROUTPUT);
    copy_file($path, 'FILTERINPUT') or return 0;
    my $run = run_command(argv => [ _argv($command) ]);
    my $why
        = $run->{error} ne '' ? $run->{error}
        : $run->{signal}      ? "signal $run->{signal}"
        : $run->{status}      ? "exit status $run->{status}"
        :                       '';
    if (length $why) {
        my $said = one_line(substr $run->{output}, 0, MAX_SAID);
        $said = ": $said" if length $said;
        md_syslog('warning', "External filter failed ($why): $command$said");
        return 0;
    }
    return 1 if !-r 'FILTEROUTPUT';
    if (!rename 'FILTEROUTPUT', $path) {
        md_syslog('err', "Cannot rename FILTEROUTPUT to $path: $!");
        return 0;
    }
    $Changed = 1;
    $Actions{external_filter}++;
    return 1;
}

# Plain words that begin with a program need no shell.
sub _argv ($command) {
    my @words = split ' ', $command;
    my $plain = $command !~ m{[^\w\s/.,:\@%+=-]}a && @words;
    return @words
        if $plain && grep { -x "$_$words[0]" && -f _ } _path($words[0]);
    return ('/bin/sh', '-c', $command);
}

# Where the program of that name may be.
sub _path ($name) {
    return '' if $name =~ m{/};
    return map {"$_/"} grep {length} split /:/, $ENV{PATH} // '';
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Actions::Parts - replace, rename, filter a part

=head1 FUNCTIONS

For leaves, in filter. They are exported by Mail::MIMEDefang::Actions. 1; 0 when
called elsewhere or for a container, and if it could not be done, which is logged.

=head2 action_replace_with_url(ENTITY, DOCROOT, BASE_URL, MESSAGE [, CD_DATA [, SALT]])

Copies the body to DOCROOT/NAME, and replaces the part by MESSAGE as
action_replace_with_warning does; C<_URL_> in MESSAGE becomes BASE_URL/NAME. NAME
is the hexadecimal SHA-1 of the body and SALT, and the extension of the body's
file. Without SALT whoever has the same file can guess it. If CD_DATA (for a
Content-Disposition header) is not empty it is written to DOCROOT/.NAME. Mode 0644.
A file that is there already gets the present time.

=head2 action_defang(ENTITY, NAME, FILE_NAME [, TYPE])

Keeps the part, with a warning, under other names (default C<defang-N.binary>) and
with another type (default application/octet-stream). The warning is what
C<defang_warning(OLD, FILE_NAME)> of the filter returns, if there is one.

=head2 action_external_filter(ENTITY, COMMAND)

Runs COMMAND in the working directory. It reads F<FILTERINPUT> and may write
F<FILTEROUTPUT>, the new body; without that nothing changes. 0 if it cannot be
run, exits with another status than 0, is killed, or has not ended after two
minutes (then it is killed). A command with quotes, redirections and the like is
run by F</bin/sh>.

=cut
