#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The lines of the MTAs' logs that docs/mta.md names, each with what it is about.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use AuthServer ();
use Harness    qw(temp_dir free_port read_file top wait_for);
use IO::Socket::UNIX;
use Postfix    ();
use Sendmail   ();
use Sink       ();
use SmtpClient ();
use Test::More;

my ($why_not) = grep {defined} map { $_->why_not } qw(Postfix Sendmail);
plan skip_all => $why_not if $why_not;

my $dir    = temp_dir();
my $closed = "$dir/closed";
mkdir $closed, 0700 or die "$closed: $!\n";
my $socket = IO::Socket::UNIX->new(Local => "$closed/s", Listen => 1)
    or die "$closed/s: $!\n";
my %common = (auth => AuthServer->start, sink => Sink->start->port);

# What is said of a milter, by its name.
my %log;
my $postfix = Postfix->start(
    %common,
    ports => {
        none    => { milter => "unix:$dir/none" },
        closed  => { milter => "unix:$closed/s" },
        refused => { milter => 'inet:' . free_port() . '@127.0.0.1' },
    }
);
tempfails($postfix, $_) for qw(none closed refused);
$log{Postfix} = $postfix->log_text;
$postfix->stop;

my $sendmail = Sendmail->start(
    %common,
    ports => {
        none    => { milter => "unix:$dir/none" },
        refused => { milter => 'inet:' . free_port() . '@127.0.0.1' },
    }
);
tempfails($sendmail, $_) for qw(none refused);
$log{Sendmail} = $sendmail->log_text;
$sendmail->stop;
my $open = "$dir/open";
mkdir $open or die "$open: $!\n";
chmod 0777, $open or die "$open: $!\n";
eval {
    Sendmail->start(%common, ports => { open => { milter => "unix:$open/s" } });
    1;
}
    and fail 'Sendmail does not start with an unsafe socket';
$log{Sendmail} .= $@;

my @rows = read_file(top() . '/docs/mta.md')
    =~ /^\| `([^`]+)` \((Postfix|Sendmail)\) \|/mg;
ok @rows >= 2 * 5, 'the page has some lines';
while (my ($line, $mta) = splice @rows, 0, 2) {
    my $regex = join '.*', map {quotemeta} split /\.\.\./, $line, -1;
    $regex =~ s/mimedefang/[a-z\\d]+/;    # the filter's name
    like $log{$mta}, qr/$regex/, "$mta: $line";
}
done_testing;

sub tempfails ($mta, $name) {
    my $client = SmtpClient->new($mta->port($name), '127.0.0.1');
    $client->reply;
    $client->send_line('EHLO client.example');
    $client->reply;
    $client->send_line('MAIL FROM:<a@b.example>');
    like $client->reply, qr/\A451/, "$name: mail has to wait";
    return;
}
