# SPDX-License-Identifier: MIT
#
# What the answers of checks mean.  Pure.  Each function takes the result and the
# error of a check, and says in C<reason> in one line what it found; an answer
# that is missing or makes no sense is never taken for a good one.

package Mail::MIMEDefang::Async::Results;
use v5.36;
use Exporter 'import';

our @EXPORT    ## no critic (ProhibitAutomaticExportation)
    = qw(md_async_interpret_dnsbl md_async_interpret_spamassassin
    md_async_interpret_clamav md_async_interpret_rspamd
    md_async_interpret_rdns md_async_interpret_spf_txt
    md_async_interpret_dmarc md_async_score_results);

# As "error" of a hash that says what failed.
sub _failed ($what, $error) {
    return (reason => "$what: $error", error => $error);
}

sub md_async_interpret_dnsbl ($records, $zone = '', $error = undef, @) {
    my %result = (listed => 0, code => undef, reason => '', error => $error);
    return { %result, _failed($zone, $error) } if length($error // '');
    my ($refused, $code);
    for my $address (@{ $records // [] }) {
        if ($address =~ /^127\.255\.255\./) {
            $refused = $address;
        }
        else {
            $code //= $address;
        }
    }
    return {
        %result,
        listed => 1,
        code   => $code,
        reason => "listed by $zone ($code)"
        }
        if defined $code;
    return {
        %result,
        code => $refused,
        _failed($zone, "the list does not serve this resolver ($refused)")
        }
        if defined $refused;
    return \%result;
}

# The answer of spamd to SYMBOLS or REPORT.
sub md_async_interpret_spamassassin (
    $raw,
    $error     = undef,
    $threshold = undef, @
    )
{
    my %result = (
        is_spam   => 0,
        score     => 0,
        threshold => $threshold // 5,
        symbols   => [],
        report    => '',
        reason    => ''
    );
    return { %result, _failed('SpamAssassin', $error) }
        if length($error // '');
    my ($head, $body) = split /\r?\n\r?\n/, $raw // '', 2;
    my ($status, $text) = ($head // '') =~ m{\ASPAMD/[\d.]+ (\d+) ([^\r\n]*)}a;
    return {
        %result, _failed('SpamAssassin', "spamd says $status " . _line($text))
        }
        if $status;
    my ($score, $required)
        = ($head // '') =~ m{^Spam:\s*\w+\s*;\s*(-?[\d.]+)\s*/\s*(-?[\d.]+)}mai;
    return { %result, _failed('SpamAssassin', 'not an answer of spamd') }
        if !defined $status || !defined $score;
    $body //= '';
    @result{qw(score report)} = ($score + 0, $body);
    $result{threshold}        = $required + 0 if !defined $threshold;
    $result{symbols}          = [ split /[,\s]+/, $body ]
        if $body =~ /\A\s*(?:\w+(?:,\s*\w+)*)?\s*\z/a;
    $result{is_spam} = $result{score} >= $result{threshold} ? 1 : 0;
    $result{reason}  = "SpamAssassin score $result{score} of $result{threshold}"
        if $result{is_spam};
    return \%result;
}

# Text from outside, for a log or a reply.
sub _line ($text) {
    $text =~ s/[^\x20-\x7e]+/ /g;
    return length $text > 200 ? substr $text, 0, 200 : $text;
}

sub md_async_interpret_clamav ($raw, $error = undef, @) {
    my %result = (available => 0, virus => 0, name => '', reason => '');
    return { %result, _failed('clamd', $error) } if length($error // '');
    my $text = ($raw // '') =~ s/[\0\r\n]+\z//r;
    $result{available} = 1;
    return {
        %result,
        virus  => 1,
        name   => _line($1),
        reason => 'virus ' . _line($1)
        }
        if $text =~ /: (.*) FOUND\z/s;
    return \%result if $text =~ /: OK\z/;
    return {
        %result,
        available => 0,
        _failed('clamd', $text eq '' ? 'no answer' : _line($text))
    };
}

sub md_async_interpret_rspamd ($raw, $error = undef, @) {
    my %result = (
        is_spam   => 0,
        score     => 0,
        threshold => 0,
        symbols   => [],
        action    => '',
        reason    => ''
    );
    return { %result, _failed('rspamd', $error) } if length($error // '');
    my ($head, $body) = split /\r?\n\r?\n/, $raw // '', 2;
    return { %result, _failed('rspamd', 'HTTP ' . _line($1)) }
        if ($head // '') !~ m{\AHTTP/1\.\d 200\b}
        && ($head // '') =~ m{\AHTTP/1\.\d ([^\r\n]*)};
    require JSON::PP;
    my $said = eval { JSON::PP->new->utf8->decode($body // '') };
    return { %result, _failed('rspamd', 'not an answer of rspamd') }
        if ref $said ne 'HASH' || !defined $said->{score};
    @result{qw(score threshold action)}
        = ($said->{score}, $said->{required_score} // 0, $said->{action} // '');
    $result{symbols}
        = [ sort keys %{ ref $said->{symbols} ? $said->{symbols} : {} } ];
    $result{is_spam}
        = $said->{action} && $said->{action} !~ /^(?:no action|greylist)\z/
        ? 1
        : 0;
    $result{reason}
        = "rspamd score $result{score} of $result{threshold} ("
        . _line($result{action}) . ')'
        if $result{is_spam};
    return \%result;
}

# Names that providers give to the addresses of their customers.
my $DYNAMIC
    = qr/(?:\b|_)(?:dyn(?:amic)?|dhcp|dial(?:-?up|in)?|ppp|pool|dsl|adsl|xdsl
    |cable|cust(?:omer)?s?|broadband|client|user)(?:\b|_|\d)/xi;

sub md_async_interpret_rdns ($records, $error = undef, $ip = '', @) {
    my %result = (has_rdns => 0, ptr => undef, dynamic => 0, reason => '');
    return { %result, _failed("name of $ip", $error) } if length($error // '');
    my ($name) = @{ $records // [] };
    return { %result, reason => "$ip has no name" } if !length($name // '');
    $name =~ s/\.\z//;
    @result{qw(has_rdns ptr)} = (1, $name);
    my $octets = join '[.-]', map {"0*$_"} split /\./, $ip;
    my $turned = join '[.-]', map {"0*$_"} reverse split /\./, $ip;

    if (   $name =~ $DYNAMIC
        || $ip   =~ /^\d+\.\d+\.\d+\.\d+\z/a
        && $name =~ /(?<!\d)(?:$octets|$turned)(?!\d)/)
    {
        $result{dynamic} = 1;
        $result{reason}  = "$ip has the name of a dynamic address";
    }
    return \%result;
}

sub md_async_interpret_spf_txt ($records, $error = undef, $domain = '', @) {
    my %result = (has_spf => 0, record => undef, reason => '');
    return { %result, _failed("SPF record of $domain", $error) }
        if length($error // '');
    my @found = grep {/^v=spf1(?: |\z)/i} @{ $records // [] };
    return { %result, reason => "$domain has no SPF record" } if !@found;
    return { %result, reason => "$domain has several SPF records" }
        if @found > 1;
    return { %result, has_spf => 1, record => $found[0] };
}

sub md_async_interpret_dmarc ($text = undef, @) {
    my %result = (
        has_dmarc        => 0,
        policy           => undef,
        subdomain_policy => undef,
        pct              => 100,
        rua              => undef,
        ruf              => undef,
        adkim            => 'r',
        aspf             => 'r',
        reason           => 'no DMARC record'
    );
    require Mail::MIMEDefang::DMARC::Record;
    my $record = Mail::MIMEDefang::DMARC::Record::parse_dmarc($text)
        // return \%result;
    return {
        has_dmarc        => 1,
        policy           => $record->{p},
        subdomain_policy => $record->{sp} // $record->{p},
        pct              => $record->{pct},
        reason           => "DMARC policy $record->{p}",
        map { $_ => $record->{$_} } qw(rua ruf adkim aspf)
    };
}

# What counts as a hit, and how much.
sub _weight ($entry, $weight) {
    return $weight if grep { $entry->{$_} } qw(listed virus dynamic);
    return $weight * ($entry->{score} - ($entry->{threshold} // 0))
        if $entry->{is_spam};
    return 0 if defined $entry->{error};
    for my $name (qw(has_rdns has_spf has_dmarc)) {
        return $weight if exists $entry->{$name} && !$entry->{$name};
    }
    return 0;
}

# Positional, or by name from the first string on.
sub _thresholds (@args) {
    my %named = (reject_at => 8, tempfail_at => 12);
    return (%named, @args) if @args && exists $named{ $args[0] // '' };
    $named{reject_at}   = $args[0] if defined $args[0];
    $named{tempfail_at} = $args[1] if defined $args[1];
    return %named;
}

sub md_async_score_results ($interpreted, $weights, @args) {
    my %at    = _thresholds(@args);
    my $score = 0;
    my @reasons;
    for my $name (sort keys %{$interpreted}) {
        my $entry = $interpreted->{$name};
        next if ref $entry ne 'HASH';
        my $adds = _weight($entry, $weights->{$name} // 0) or next;
        $score += $adds;
        push @reasons,
            length($entry->{reason} // '') ? $entry->{reason} : $name;
    }
    my ($action) = map { $_->[1] }
        sort { $b->[0] <=> $a->[0] }
        grep { $score >= $_->[0] } [ $at{reject_at}, 'REJECT' ],
        [ $at{tempfail_at}, 'TEMPFAIL' ];
    return {
        score   => $score,
        action  => $action // 'PASS',
        reasons => \@reasons
    };
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Async::Results - what the answers mean

=head1 DESCRIPTION

RESULT and ERROR are what md_async_run_checks returned for a check. All functions
return a reference to a hash. C<reason> is one line about what speaks against the
message, or the empty string; if the check failed C<error> says why.

=head1 FUNCTIONS

=head2 md_async_interpret_dnsbl(RESULT, ZONE, ERROR)

C<listed>, C<code> (the address), C<reason>, C<error>. C<127.255.255.x> says that the
list does not serve you: an error, no hit.

=head2 md_async_interpret_spamassassin(RESULT, ERROR [, THRESHOLD])

C<is_spam>, C<score>, C<threshold>, C<symbols> (a reference to a list), C<report>,
C<reason>. Without THRESHOLD that of spamd counts.

=head2 md_async_interpret_clamav(RESULT, ERROR)

C<available>, C<virus>, C<name>, C<reason>. An answer that is neither C<OK> nor
C<FOUND> is an error, and C<available> is 0 then.

=head2 md_async_interpret_rspamd(RESULT, ERROR)

C<is_spam> (the action is more than greylisting), C<score>, C<threshold>,
C<symbols>, C<action>, C<reason>.

=head2 md_async_interpret_rdns(RESULT, ERROR, IP)

C<has_rdns>, C<ptr>, C<dynamic> (the name is made of the address, or says so),
C<reason>.

=head2 md_async_interpret_spf_txt(RESULT, ERROR, DOMAIN)

C<has_spf>, C<record>, C<reason>. Two records are none.

=head2 md_async_interpret_dmarc(TEXT)

C<has_dmarc>, C<policy>, C<subdomain_policy>, C<pct>, C<rua>, C<ruf>, C<adkim>,
C<aspf>, C<reason>.

=head2 md_async_score_results(\%INTERPRETED, \%WEIGHTS [, REJECT_AT [, TEMPFAIL_AT]])

Adds the weights of the entries of INTERPRETED that speak against the message:
listed, a virus, a dynamic name, no name, no SPF or DMARC record. A spam entry adds
its weight times (score - threshold). Entries without a weight count nothing, and
checks that failed do not either. Returns C<score>, C<reasons> (a reference to a
list) and C<action>: C<REJECT> from 8 points, C<TEMPFAIL> from 12, or from what is
given (also as C<< reject_at => 8 >>), and of these the one that needs more points;
else C<PASS>.

=cut
