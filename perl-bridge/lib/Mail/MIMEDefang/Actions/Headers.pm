# SPDX-License-Identifier: MIT
#
# Header fields and envelope: lines of RESULTS, and for the _now forms also an
# edit of INPUTMSG and HEADERS, so that later checks see the change.  Nothing
# that a filter passes can start a header field of its own.

package Mail::MIMEDefang::Actions::Headers;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Codec qw(to_bytes);
use Mail::MIMEDefang::Guard qw(in_message_context);
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log        qw(md_syslog);
use Mail::MIMEDefang::ResultLine qw(header_name header_value);
use Mail::MIMEDefang::Spool      qw(write_result_line);

our @EXPORT_OK = qw(action_add_header action_insert_header action_change_header
    action_delete_header action_delete_all_headers action_add_header_now
    action_insert_header_now action_change_header_now action_delete_header_now
    action_delete_all_headers_now add_recipient delete_recipient change_sender
);
our %EXPORT_TAGS = (
    actions => [@EXPORT_OK],
    site    => [qw(add_ip_validation_header delete_ip_validation_header)],
);
push @EXPORT_OK, @{ $EXPORT_TAGS{site} };

# undef, and it is logged, if it is no name.
sub _name ($name) {
    my $good = header_name($name);
    md_syslog('warning',
        'Not the name of a header field: \'' . to_bytes($name) . "'")
        if !defined $good;
    return $good;
}

sub _number ($n, $default) {
    return defined $n && $n =~ /^\d+\z/a ? $n : $default;
}

sub action_add_header ($name, $value = '', @) {
    $name = _name($name) // return;
    return write_result_line('H', $name, $value);
}

sub action_insert_header ($name, $value = '', $position = 0, @) {
    $name = _name($name) // return;
    return write_result_line('N', $name, _number($position, 0), $value);
}

sub action_change_header ($name, $value = '', $index = 1, @) {
    return if !in_message_context('action_change_header');
    $name = _name($name) // return;
    return write_result_line('I', $name, _number($index, 1), $value);
}

sub action_delete_header ($name, $index = 1, @) {
    return if !in_message_context('action_delete_header');
    $name = _name($name) // return;
    return write_result_line('J', $name, _number($index, 1));
}

sub action_delete_all_headers ($name, @) {
    return 0 if !in_message_context('action_delete_all_headers');
    $name = _name($name) // return 0;
    open my $fh, '<', 'HEADERS' or return 0;
    my $count = grep {/^\Q$name\E:/i} <$fh>;
    close $fh;
    action_delete_header($name, $_) for reverse 1 .. $count;
    return 1;
}

# Edits the header of INPUTMSG and HEADERS: CODE changes the list of fields, each
# with its folds, all lines ending in LF.  The line ends of the file stay.
# 1 or 0.
sub _edit_header ($code) {
    my ($in, @fields);
    if (open $in, '<:raw', 'INPUTMSG') {
        my ($crlf, $end) = (0, '');
        while (defined(my $line = <$in>)) {
            $crlf++ if $line =~ s/\r\n\z/\n/;
            if    ($line eq "\n")                { $end = $line; last }
            elsif ($line =~ /^[ \t]/ && @fields) { $fields[-1] .= $line }
            else                                 { push @fields, $line }
        }
        $fields[-1] =~ s/(?<!\n)\z/\n/ if @fields;
        $code->(\@fields);
        my $header = join '', @fields, $end;
        $header =~ s/\n/\r\n/g if $crlf;
        local $/ = \65536;
        return 1
            if _replace('INPUTMSG', sub ($out) { print {$out} $header, <$in> })
            && _replace(
            'HEADERS',
            sub ($out) {
                print {$out} map { tr/\r\n//dr . "\n" } @fields;
            }
            );
    }
    md_syslog('err', "Cannot edit the header of INPUTMSG: $!");
    return 0;
}

sub _replace ($name, $write) {
    open my $out, '>:raw', "$name.new" or return 0;
    return $write->($out) && close($out) && rename "$name.new", $name;
}

# Position in FIELDS of the INDEX-th field NAME, or nothing.
sub _find ($fields, $name, $index) {
    my @at = grep { $fields->[$_] =~ /^\Q$name\E:/i } 0 .. $#{$fields};
    return $index >= 1 ? $at[ $index - 1 ] : undef;
}

sub action_add_header_now ($name, $value = '', @) {
    return 0 if !in_message_context('action_add_header_now');
    $name = _name($name) // return 0;
    action_add_header($name, $value);
    return _edit_header(
        sub ($fields) {
            push @{$fields}, "$name: " . header_value($value) . "\n";
        }
    );
}

sub action_insert_header_now ($name, $value = '', $position = 0, @) {
    return 0 if !in_message_context('action_insert_header_now');
    $name     = _name($name) // return 0;
    $position = _number($position, 0);
    action_insert_header($name, $value, $position);
    return _edit_header(
        sub ($fields) {
            my $at = $position < @{$fields} ? $position : @{$fields};
            splice @{$fields}, $at, 0, "$name: " . header_value($value) . "\n";
        }
    );
}

sub action_change_header_now ($name, $value = '', $index = 1, @) {
    return 0 if !in_message_context('action_change_header_now');
    $name  = _name($name) // return 0;
    $index = _number($index, 1);
    action_change_header($name, $value, $index);
    return _edit_header(
        sub ($fields) {
            my $at = _find($fields, $name, $index) // return;
            $fields->[$at] = "$name: " . header_value($value) . "\n";
        }
    );
}

sub action_delete_header_now ($name, $index = 1, @) {
    return 0 if !in_message_context('action_delete_header_now');
    $name  = _name($name) // return 0;
    $index = _number($index, 1);
    action_delete_header($name, $index);
    return _edit_header(
        sub ($fields) {
            my $at = _find($fields, $name, $index) // return;
            splice @{$fields}, $at, 1;
        }
    );
}

sub action_delete_all_headers_now ($name, @) {
    return 0 if !in_message_context('action_delete_all_headers_now');
    $name = _name($name) // return 0;
    action_delete_all_headers($name);
    return _edit_header(
        sub ($fields) {
            @{$fields} = grep { !/^\Q$name\E:/i } @{$fields};
        }
    );
}

sub add_recipient ($addr, @) {
    write_result_line('R', $addr);
    return 1;
}

sub delete_recipient ($addr, @) {
    write_result_line('S', $addr);
    return 1;
}

sub change_sender ($addr, @) {
    write_result_line('f', $addr);
    return 1;
}

# The site's secret header, see Setup.
sub _has_key ($name) {
    return 1 if length $ValidateIPHeader;
    md_syslog('warning',
              "$name: no header is named in"
            . " $Features{'Path:CONFDIR'}/mimedefang-ip-key");
    return 0;
}

sub add_ip_validation_header (@) {
    return 0 if !_has_key('add_ip_validation_header');
    action_add_header($ValidateIPHeader, $RelayAddr);
    return 1;
}

sub delete_ip_validation_header (@) {
    return 0 if !_has_key('delete_ip_validation_header');
    action_delete_all_headers($ValidateIPHeader);
    return 1;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Actions::Headers - change header fields and envelope

=head1 FUNCTIONS

A NAME that cannot be one is logged and refused; a colon at its end is dropped.
In a VALUE, CR and NUL are removed, and a line after the first gets white space in
front; characters become UTF-8. Where no return value is named there is none.

=head2 action_add_header(NAME, VALUE), action_insert_header(NAME, VALUE [, POSITION])

Adds a field at the end; inserts one at POSITION, 0 (the default) on top. Also
in filter_sender and filter_recipient.

=head2 action_change_header(NAME, VALUE [, INDEX]), action_delete_header(NAME [, INDEX])

Changes, deletes the INDEX-th (default first) field of that name. To change one
that is missing adds it. Only inside a message; elsewhere it is logged.

=head2 action_delete_all_headers(NAME)

Deletes all fields of that name, as F<HEADERS> has them. 1 (also if there are
none), or 0 outside of a message or if F<HEADERS> cannot be read.

=head2 action_add_header_now(NAME, VALUE), action_insert_header_now(NAME, VALUE [, POSITION]), action_change_header_now(NAME, VALUE [, INDEX]), action_delete_header_now(NAME [, INDEX]), action_delete_all_headers_now(NAME)

The same, and F<INPUTMSG> and F<HEADERS> are rewritten at once, so that
SpamAssassin and others see the change, with the line ends that the message has. To
change a field that is missing changes nothing there. 1, or 0 outside of a message
or if a file cannot be written.

=head2 add_recipient(ADDR), delete_recipient(ADDR), change_sender(ADDR)

Change the envelope at the end of the message; C<@Recipients> and C<$Sender>
stay. Also in filter_sender and filter_recipient. Always 1.

=head2 add_ip_validation_header(), delete_ip_validation_header()

Adds C<$ValidateIPHeader> with C<$RelayAddr>, from which another relay of this site
takes the client's address; deletes all of them. 1, or 0 after a warning if the file
F<mimedefang-ip-key> names no such header. In package main.

=cut
