#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Which lines of an MTA's log speak of something wrong.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../system/lib";
use Harness  qw(temp_dir write_file);
use Postfix  ();
use Sendmail ();
use Test::More;

# MTA => [line, is it a complaint]
my %lines = (
    Postfix => [
        [ 'postfix/cleanup[1]: A: milter-reject: END-OF-MESSAGE', 0 ],
        [
            'postfix/cleanup[1]: warning: file system clock is 1 seconds'
                . ' ahead of local clock',
            0
        ],
        [ 'postfix/cleanup[1]: warning: resetting file time stamps - x',    0 ],
        [ 'postfix/smtpd[1]: warning: socketmap:unix:/s:mail lookup error', 0 ],
        [ 'postfix/smtpd[1]: warning: milter unix:/s: can\'t read',         1 ],
        [ 'postfix/cleanup[1]: A: milter-reply error',                      1 ],
        [ 'postfix/master[1]: fatal: bind',                                 1 ],
    ],
    Sendmail => [
        [ 'notice collect: premature EOM: unexpected close', 0 ],
        [ 'err collect: premature EOM: unexpected close',    0 ],
        [ 'info Milter (a): timeout before data read',       0 ],
        [ 'info Milter (a): error connecting to filter',     1 ],
        [ 'err SYSERR(root): out of space',                  1 ],
    ],
);

for my $class (sort keys %lines) {
    my $log = temp_dir() . "/$class";
    my $mta = bless { log => $log }, $class;
    for my $case (@{ $lines{$class} }) {
        my ($line, $is_complaint) = @$case;
        write_file($log, "$line\n");
        is_deeply [ $mta->complaints ], [ $is_complaint ? $line : () ],
            "$class: $line";
    }
}
done_testing;
