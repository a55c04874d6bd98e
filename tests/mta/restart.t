#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The multiplexor ends, and is started again, while mixed mail passes an MTA: no
# message gets through unscanned, none is lost, and mail passes again.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use Harness   qw(need_programs temp_dir wait_for write_file);
use Postfix   ();
use Sendmail  ();
use Sustained ();
use Table     ();
use Test::More;

my $name = 'a multiplexor that is started again under load';

need_programs(qw(mimedefang mimedefang-multiplexor md-mx-ctrl));

sub all_of ($class) {
    my $end  = temp_dir() . "/end-$class";
    my $load = Sustained->start(
        $class,
        daemon => {
            separate => 1,
            listen   => 'inet',
            options  => [qw(-X -q -s -t)],
            mux      => [qw(-m 2 -x 3 -q 20 -Q 60)]
        },
        clients => 4,
        pause   => 0,
        seed    => 7,
        until   => sub { -e $end }
    );
    my $more = sub ($code, $n) {
        my $want = $n + $load->replies($code);
        wait_for("replies $code", sub { $load->replies($code) >= $want }, 60);
    };
    $more->(2, 10);
    for my $signal (qw(KILL TERM)) {
        $load->stop_multiplexor($signal);
        $more->(4, 5);
        $load->start_multiplexor;
        $more->(2, 10);
    }
    write_file($end, '');
    my $got = $load->finish;
    is_deeply $got->{wrong}, [], "$class: nothing is wrong";
    ok $got->{count}{$_} > 0, "$class: some were $_"
        for qw(delivered tempfailed);
    note @{ $got->{lines} };
    Table::save($class,
        [ { name => $name, set_up => 'separate' }, "@{ $got->{wrong} }" ]);
    return;
}

for my $class (qw(Postfix Sendmail)) {
    my $why = $class->why_not;
    subtest $class => sub {
        plan skip_all => $why if $why;
        all_of($class);
    };
}
done_testing;
