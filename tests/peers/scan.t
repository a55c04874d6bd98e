#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The messages of corpus/ through Debian's worker and through ours, with each
# filter of filters/: what the filter sees, RESULTS, NEWBODY, mail that is sent,
# the quarantine are the same, boundaries and dates aside.  scan-deviations.pl
# says where we differ on purpose, and why.
#   FILTER=pattern  MESSAGE=pattern  only those;  SHOW=1  print what ours does
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use Test::More;
use Corpus     qw(all_messages);
use Difference qw(difference);
use Harness    qw(read_file);
use Peers      qw(need_peers peer_host);
use Scanner    ();

need_peers();
my $here       = $FindBin::Bin;
my $deviations = do "$here/scan-deviations.pl" or die $@ || $!;
my (%expected, %unused);
for my $deviation (@$deviations) {
    $unused{ $deviation->{name} } = 1 if $deviation->{alike};
    for my $case (@{ $deviation->{in} // [] }) {
        push @{ $expected{$_} }, split /\n/, $case->{lines}
            for @{ $case->{with} };
    }
}

my @messages
    = grep { $_->[0] =~ ($ENV{MESSAGE} // '.') } all_messages("$here/corpus");
my $common = read_file("$here/filters/common");
my $host   = peer_host();
for my $file (glob "$here/filters/*") {
    my ($filter) = $file =~ m{([^/]+)\z};
    next if $filter eq 'common' || $filter !~ ($ENV{FILTER} // '.');
    my $text = $common . read_file($file);
    my ($theirs, $ours)
        = map { Scanner->start($_, $host, $text) } qw(theirs ours);
    for my $message (@messages) {
        my ($name, $octets) = @$message;
        my ($their_lines, $our_lines)
            = Scanner->scan_by($octets, $theirs, $ours);
        my @found = difference(alike($their_lines), alike($our_lines));
        my $key   = "$filter: $name";
        my $same  = is join("\n", sort @found),
            join("\n", sort @{ delete $expected{$key} // [] }), $key;
        if (!$same || $ENV{SHOW}) {
            diag join "\n", 'theirs:', @$their_lines, 'ours:', @$our_lines,
                'difference:', @found;
        }
    }
    is $_->stop, 0, 'ends in peace' for $theirs, $ours;
}
$host->stop;
if (!grep { defined $ENV{$_} } qw(FILTER MESSAGE)) {
    is join("\n", sort keys %expected), '', 'deviations of known messages';
    is join("\n", sort keys %unused),   '', 'no deviation in vain';
}
done_testing;

# Without what differs everywhere.
sub alike ($lines) {
    my @alike = in_order(@$lines);
    for my $deviation (grep { $_->{alike} } @$deviations) {
        @alike = map {
            my $line = $deviation->{alike}->($_);
            delete $unused{ $deviation->{name} } if ($line // '') ne $_;
            $line // ();
        } @alike;
    }
    return [ Scanner::abridged(@alike) ];
}

# The peer writes the Content fields of the top in the order of a hash.
sub in_order (@lines) {
    my @fields = sort grep {/\ARESULTS [IJ]Content-/} @lines;
    return map { /\ARESULTS [IJ]Content-/ ? shift @fields : $_ } @lines;
}
