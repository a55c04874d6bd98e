#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The sessions of sessions/ through Debian's mimedefang and through ours: the
# questions to the multiplexor, the files of the message at each of them, the
# answers to the MTA, what is left in the spool are the same, and we log what it
# logs (and more).  deviations.pl says where we differ on purpose, and why.
#   SESSION=pattern  only those;  SHOW=1  print what ours does, too
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use Test::More;
use Difference qw(difference missing);
use FrontEnd   ();
use Harness    qw(need_programs);
use Peers      qw(need_peers);
use Sessions   qw(all_sessions);

need_peers();
need_programs(qw(mimedefang));

my %deviations;
my $deviations = do "$FindBin::Bin/deviations.pl" or die $@ || $!;
for my $deviation (@$deviations) {
    push @{ $deviations{$_} }, split /\n/, $deviation->{in}{$_}
        for keys %{ $deviation->{in} };
}
my %group;
for my $session (all_sessions("$FindBin::Bin/sessions")) {
    next if defined $ENV{SESSION} && $session->{name} !~ /$ENV{SESSION}/;
    push @{ $group{ join ' ', @{ $session->{options} // [] } } }, $session;
}

for my $options (sort keys %group) {
    my @words  = @{ $group{$options}[0]{options} // [] };
    my $theirs = FrontEnd->start('theirs', @words);
    my $ours   = FrontEnd->start('ours',   @words);
    for my $session (@{ $group{$options} }) {
        my ($their_lines, $their_log) = $theirs->session($session);
        my ($our_lines,   $our_log)   = $ours->session($session);
        my $name  = join ', ', $session->{name}, $options || ();
        my @found = (
            difference($their_lines, $our_lines),
            map {"- log $_"} missing($their_log, $our_log)
        );
        my $same = is join("\n", sort @found),
            join("\n", sort @{ $deviations{$name} // [] }), $name;
        if (!$same || $ENV{SHOW}) {
            diag join "\n", 'theirs:', @$their_lines, @$their_log, 'ours:',
                @$our_lines, @$our_log, '';
        }
    }
    $_->stop for $theirs, $ours;
}
done_testing;
