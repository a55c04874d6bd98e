#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Sessions (see lib/Sessions.pm): MTAs, clients, free workers.
use v5.36;
use Sessions qw(@checks @hello @mail @rcpt @rest @message @all @sendmail
    @postfix);

[
    { name => 'Sendmail 8.17', options => \@checks, steps => \@sendmail },
    { name => 'Sendmail 8.17, no checks', steps => \@sendmail },
    {
        name    => 'Sendmail 8.13',
        options => \@checks,
        steps   => \@sendmail,
        offer   => { version => 2, actions => 0x3f, protocol => 0x7f }
    },
    {
        name  => 'Sendmail 8.12',
        steps => \@sendmail,
        offer => { version => 2, actions => 0x1f, protocol => 0x7f }
    },
    { name => 'Postfix 3', options => \@checks, steps => \@postfix },
    { name => 'Postfix 3, no checks', steps => \@postfix },
    {
        name    => 'Postfix, milter_protocol 4',
        options => \@checks,
        steps   => \@postfix,
        offer   => { version => 4, protocol => 0x37f }
    },
    {
        name  => 'Postfix, milter_protocol 2',
        steps => \@postfix,
        offer => { version => 2, protocol => 0x7f }
    },

    # ---- connections
    {
        name    => 'no address',
        options => \@checks,
        steps   => [
            [ connect => { family => 'U', host => 'unknown' } ],
            [ helo    => 'x' ], @message
        ]
    },
    {
        name    => 'IPv6',
        options => \@checks,
        steps   => [
            [ connect => { family => '6', addr => '2001:db8::1' } ],
            [ helo    => 'x' ], @message
        ]
    },
    {
        name    => 'IPv6 as Sendmail spells it',
        options => \@checks,
        steps   => [
            [
                connect =>
                    { family => '6', addr => 'IPv6:2001:db8:0:0:0:0:0:1' }
            ],
            [ helo => 'x' ],
            @message
        ]
    },
    {
        name    => 'IPv6 loopback',
        options => [qw(-r -R 3)],
        steps   => [
            [ connect => { family => '6', addr => '::1' } ],
            [ helo    => 'x' ], @message
        ]
    },
    {
        name    => 'mapped IPv4',
        options => \@checks,
        steps   => [
            [ connect => { family => '6', addr => '::ffff:192.0.2.7' } ],
            [ helo    => 'x' ], @message
        ]
    },
    {
        name    => 'UNIX-domain client',
        options => \@checks,
        steps   => [
            [ connect => { family => 'L', addr => '/run/x', port => 0 } ],
            [ helo    => 'x' ], @message
        ]
    },
    {
        name    => 'no HELO',
        options => \@checks,
        steps   => [ [ connect => {} ], @message ]
    },
    {
        name    => 'empty HELO',
        options => \@checks,
        steps   => [ [ connect => {} ], [ helo => '' ], @message ]
    },
    {
        name    => 'odd HELO',
        options => \@checks,
        steps   => [
            [ connect => {} ],
            [ helo    => qq(a b"c'd\\e%f\xe9\x01) ], @message
        ]
    },
    {
        name    => 'HELO twice',
        options => \@checks,
        steps   => [ @hello, [ helo => 'second' ], @message ]
    },
    {
        name    => 'empty host name',
        options => \@checks,
        steps   => [ [ connect => { host => '' } ], [ helo => 'x' ], @message ]
    },
    {
        name    => 'loopback interface',
        options => \@checks,
        steps   => [
            [
                macros => connect =>
                    { '{if_addr}' => '127.0.0.1', '{daemon_port}' => '25x' }
            ],
            @all
        ]
    },
    {
        name    => 'queue id at connect',
        options => \@checks,
        steps   => [ [ macros => connect => { i => 'Q0' } ], @all ]
    },
    {
        name    => 'queue id with a slash',
        options => \@checks,
        steps   =>
            [ @hello, [ macros => mail => { i => '../x' } ], @mail, ['abort'] ]
    },

    # ---- free workers
    {
        name  => 'no free worker',
        mux   => { free => "0\n" },
        steps => [ [ connect => {} ] ]
    },
    { name => 'one free worker', mux => { free => "1\n" }, steps => \@all },
    {
        name  => 'no free worker, local client',
        mux   => { free => "0\n" },
        steps => [ [ connect => { addr => '127.0.0.1' } ] ]
    },
    {
        name  => 'free answers garbage',
        mux   => { free => "many\n" },
        steps => [ [ connect => {} ] ]
    },
    {
        name  => 'free answers a negative number',
        mux   => { free => "-1\n" },
        steps => [ [ connect => {} ] ]
    },
    {
        name  => 'free answers an error',
        mux   => { free => "error: x\n" },
        steps => [ [ connect => {} ] ]
    },
    {
        name  => 'free answers nothing',
        mux   => { free => { silent => 1 } },
        steps => [ [ connect => {} ] ]
    },
    {
        name    => 'no free worker, queued',
        options => ['-q'],
        mux     => { free => "0\n" },
        steps   => \@all
    },
    {
        name    => 'no free worker, -R, local client',
        options => [qw(-R 1)],
        mux     => { free => "0\n" },
        steps   => [
            [ connect => { addr => '127.0.0.1' } ],
            [ helo    => 'x' ], @message
        ]
    },
    {
        name    => 'one free worker, -R 1',
        options => [qw(-R 1)],
        mux     => { free => "1\n" },
        steps   => [ [ connect => {} ] ]
    },
    {
        name    => 'two free workers, -R 1',
        options => [qw(-R 1)],
        mux     => { free => "2\n" },
        steps   => \@all
    },
    {
        name    => 'one free worker, -R 0',
        options => [qw(-R 0)],
        mux     => { free => "1\n" },
        steps   => \@all
    },
    {
        name    => '127.0.0.2 is local',
        options => [qw(-R 1)],
        mux     => { free => "0\n" },
        steps   => [ [ connect => { addr => '127.0.0.2' } ] ]
    },
    {
        name    => 'a UNIX-domain client is local',
        options => [qw(-R 1)],
        mux     => { free => "0\n" },
        steps   =>
            [ [ connect => { family => 'L', addr => '/run/x', port => 0 } ] ]
    },

];
