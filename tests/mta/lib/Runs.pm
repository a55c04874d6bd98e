# SPDX-License-Identifier: MIT
package Runs;

# Runs of cases: each case with each of its set-ups, and the filter for all.

use v5.36;
use CaseSetUps qw(is_for);
use Exporter   qw(import);
use Harness    qw(temp_dir wait_for write_file);

our @EXPORT_OK = qw(filter_text is_special let_go runs wait_for_hold);

=head1 FUNCTIONS

=head2 runs($cases, $class)

Each case with each of its set-ups that there is for this MTA (Postfix,
Sendmail): copies of the case with C<set_up>, C<domain> and the addresses of
clients, all HERE replaced, and what is said of this MTA where they differ;
C<differs> stays where something is said of it that is not said of Postfix.

=cut

my @everywhere = ('built-in', map {"protocol $_"} 2 .. 4);

sub runs ($cases, $class) {
    my @runs;
    for my $case (@$cases) {
        my %said = map { $_ => 1 } said_of($case);
        die "$case->{name}: why MTAs differ is not said, or they do not\n"
            if %said xor defined $case->{differs};
        for my $set_up (@{ $case->{via} // \@everywhere }) {
            next if !is_for($set_up, $class);
            my $n   = 1 + @runs;
            my %run = (
                set_up    => $set_up,
                domain    => sprintf('case%03d.example', $n),
                client_ip => sprintf('127.9.%d.%d',  $n >> 7, 1 + ($n & 127)),
                near_ip   => sprintf('127.10.%d.%d', $n >> 7, 1 + ($n & 127)),
                afar_ip   => sprintf('192.0.2.%d',   1 + $n % 254),
            );
            my @mta = ($set_up, lc $class);
            push @runs, { %{ for_run($case, \@mta, $run{domain}) }, %run };
            delete $runs[-1]{differs}
                if !grep { $_ ne 'postfix' && $said{$_} } @mta;
        }
    }
    return @runs;
}

# The MTAs and set-ups of which by_mta() says something.
sub said_of ($x) {
    return (keys %$x, map { said_of($_) } values %$x) if ref $x eq 'ByMta';
    return map { said_of($_) } values %$x if ref $x eq 'HASH';
    return map { said_of($_) } @$x        if ref $x eq 'ARRAY';
    return;
}

sub for_run ($x, $mta, $domain) {
    if (ref $x eq 'ByMta') {
        my ($key) = grep { exists $x->{$_} } @$mta;
        return for_run($x->{$key}, $mta, $domain);
    }
    return { map { $_ => for_run($x->{$_}, $mta, $domain) } keys %$x }
        if ref $x eq 'HASH';
    return [ map { for_run($_, $mta, $domain) } @$x ] if ref $x eq 'ARRAY';
    return qr/${\ ("$x" =~ s{HERE}{$domain}gr)}/      if ref $x eq 'Regexp';
    return $x                                         if !defined $x;
    return $x =~ s/HERE/$domain/gr;
}

=head2 filter_text(@runs)

A filter file that does for each run what its case says.  In it, hold() waits
for the step release(), once for each run.

=cut

sub filter_text (@runs) {
    my $text = "use strict;\nuse warnings;\nour (\$RelayAddr, \%does);\n";
    for my $run (@runs) {
        my $filter = $run->{filter} or next;
        $text .= "# $run->{name}\n";
        $text .= "\$does{'$run->{domain}'}{$_} = sub {\n$filter->{$_}\n};\n"
            for sort keys %$filter;
        $text .= "\$does{'$_'} = \$does{'$run->{domain}'};\n"
            for $run->{client_ip}, is_special($run) ? other_ips($run) : ();
    }
    return $text . "sub holds { return '" . holds() . "' }\n" . <<'END';
sub my_domain {
    my $text = join ' ', @_, $main::Sender // '';
    return $text =~ /\@(?:\w+\.)?(case\d+\.example)/ ? $1 : '';
}
sub answer {
    my ($callback, @args) = @_;
    my $does = $does{$RelayAddr // ''} // $does{ my_domain(@args) } // {};
    my $code = $does->{$callback};
    return $code ? $code->(@args) : ('CONTINUE', 'ok');
}
sub hold {
    my $file = holds() . '/' . my_domain();
    open my $held, '>', "$file.held" or die "$file.held: $!";
    for (1 .. 3000) {
        return if -e "$file.go";
        select undef, undef, undef, 0.02;
    }
    die "nobody lets $file go on";
}
sub filter_relay     { return answer('relay', @_) }
sub filter_helo      { return answer('helo', @_) }
sub filter_sender    { return answer('sender', @_) }
sub filter_recipient { return answer('recipient', @_) }
sub filter_begin     { return answer('begin', @_) }
sub filter           { return answer('filter', @_) }
sub filter_multipart { return answer('multipart', @_) }
sub filter_end       { return answer('end', @_) }
sub filter_wrapup    { return answer('wrapup', @_) }
sub filter_map {
    my ($map, $key) = @_;
    my $code = ($does{ my_domain($key) } // {})->{map};
    return $code ? $code->($map, $key) : ('NOTFOUND', '');
}
1;
END
}

=head2 wait_for_hold($run), let_go($run)

Waits until the filter of this run is in hold(); lets it go on.

=cut

sub wait_for_hold ($run) {
    my $file = holds() . "/$run->{domain}.held";
    wait_for('the filter to hold', sub { -e $file });
    return;
}

sub let_go ($run) {
    write_file(holds() . "/$run->{domain}.go", '');
    return;
}

# A directory in which workers of any user can make files.
sub holds {
    state $dir = do {
        my $made = temp_dir() . '/holds';
        mkdir $made or die "$made: $!\n";
        chmod 01777, $made or die "$made: $!\n";
        $made;
    };
    return $dir;
}

=head2 is_special($run)

Whether other clients take part: afar() or near().

=cut

sub is_special ($run) {
    return grep { defined $_->[3] } @{ $run->{client} };
}

sub other_ips ($run) { return @$run{qw(near_ip afar_ip)} }

1;
