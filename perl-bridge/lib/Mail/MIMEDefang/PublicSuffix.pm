# SPDX-License-Identifier: MIT
#
# Which domains belong to one organisation: the list of suffixes below which
# anybody can register (publicsuffix.org, package publicsuffix).  Read when it
# is needed for the first time.  Without it the last two labels count.

package Mail::MIMEDefang::PublicSuffix;
use v5.36;
use Exporter 'import';
use Mail::MIMEDefang::Globals;
use Mail::MIMEDefang::Log   qw(md_syslog);
use Mail::MIMEDefang::Utils qw(slurp);

our @EXPORT_OK = qw(org_domain public_suffix);

use constant DEBIAN => '/usr/share/publicsuffix/public_suffix_list.dat';

my (%rules, $from);

sub _rules () {
    my $path = $Features{'Path:PUBLICSUFFIX'} // DEBIAN;
    if (($from // '') ne $path) {
        $from = $path;
        my $text = slurp($path);
        md_syslog('warning',
            "Cannot read $path (package publicsuffix): the last two labels of"
                . ' a domain are taken for its organisation')
            if !defined $text;
        %rules = ();
        @rules{ ($text // '') =~ m{^(?!//)([^ \t\r\n]+)}gm } = ();
    }
    return \%rules;
}

sub preload () {
    _rules();
    return;
}

sub _labels ($domain) {
    return split /[.]/, lc($domain // '') =~ s/\.+\z//r;
}

# How many labels at the end are a suffix, by the longest rule.  The list is in
# UTF-8, domains are in ASCII.
sub _suffix_length (@labels) {
    my $rules   = _rules();
    my @written = map { _decode_label($_) } @labels;
    for my $i (0 .. $#written) {
        my $name   = join '.', @written[ $i .. $#written ];
        my $parent = join '.', @written[ $i + 1 .. $#written ];
        return @labels - $i - 1 if exists $rules->{"!$name"};
        return @labels - $i
            if exists $rules->{$name}
            || $parent ne '' && exists $rules->{"*.$parent"};
    }
    return 1;
}

sub public_suffix ($domain = undef, @) {
    my @labels = _labels($domain) or return '';
    return join '.', splice @labels, -_suffix_length(@labels);
}

sub org_domain ($domain = undef, @) {
    my @labels = _labels($domain) or return '';
    my $length = _suffix_length(@labels) + 1;
    return join '.', $length < @labels ? splice @labels, -$length : @labels;
}

# rfc:3492
sub _decode_label ($label) {
    return $label if $label !~ /\Axn--(?:(.*)-)?([a-z0-9]+)\z/;
    my ($basic, $rest) = ($1 // '', $2);
    my @out = split //, $basic;
    my ($n, $i, $bias, $first) = (128, 0, 72, 1);
    my @digits = map { /\d/ ? $_ + 26 : ord($_) - ord 'a' } split //, $rest;
    while (@digits) {
        my ($old, $w, $k) = ($i, 1, 36);
        while (1) {
            my $digit = shift @digits // return $label;
            $i += $digit * $w;
            my $t = $k <= $bias ? 1 : $k >= $bias + 26 ? 26 : $k - $bias;
            last if $digit < $t;
            $w *= 36 - $t;
            $k += 36;
            return $label if $i > 1 << 30 || $w > 1 << 30;
        }
        my $count = @out + 1;
        $bias  = _adapt($i - $old, $count, $first);
        $first = 0;
        $n += int $i / $count;
        $i %= $count;
        return $label if $n > 0x10ffff;
        splice @out, $i++, 0, chr $n;
    }
    my $text = join '', @out;
    utf8::encode($text);
    return $text;
}

sub _adapt ($delta, $count, $first) {
    $delta = int($delta / ($first ? 700 : 2));
    $delta += int $delta / $count;
    my $k = 0;
    while ($delta > 455) {
        $delta = int $delta / 35;
        $k += 36;
    }
    return $k + int 36 * $delta / ($delta + 38);
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::PublicSuffix - domains of one organisation

=head1 FUNCTIONS

=head2 org_domain(DOMAIN)

The public suffix of DOMAIN and one label more, in lower case; DOMAIN itself if it is
a public suffix.

=head2 public_suffix(DOMAIN)

The end of DOMAIN below which anybody can register. A domain that no rule knows has a
suffix of one label.

=head2 preload()

Reads the list.

=head1 SETTINGS

C<$Features{'Path:PUBLICSUFFIX'}> is the list, by default
F</usr/share/publicsuffix/public_suffix_list.dat>.

=cut
