#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Sessions (see lib/Sessions.pm): options of mimedefang.
use v5.36;
use Sessions qw(@checks @hello @mail @rcpt @rest @message @all @sendmail);

[
    {
        name    => 'a text',
        options => [ '-x', 'Filter of example.org' ],
        steps   => \@all
    },
    { name => 'no text', options => [ '-x', '' ], steps => \@all },
    { name => 'no text', options => ['-X'],       steps => \@all },
    {
        name    => 'extra macros',
        options => [qw(-a foo -a client_ptr -a v)],
        steps   => [
            [ macros => connect => { '{client_ptr}' => 'p', v => 'x y' } ],
            @hello, [ macros => mail => { '{foo}' => '' } ], @message
        ]
    },
    {
        name    => 'an address like loopback',
        options => [ @checks, qw(-L 192.0.2.1) ],
        steps   => \@all
    },
    {
        name    => 'another address',
        options => [ @checks, qw(-L 192.0.2.1) ],
        steps   => [
            [ connect => { addr => '192.0.2.2' } ],
            [ helo    => 'x' ], @message
        ]
    },
    {
        name    => 'macro lists',
        options => [ @checks, '-y' ],
        steps   => \@sendmail
    },
    {
        name    => 'directories stay',
        options => ['-d'],
        keeps   => 1,
        steps   => [ @hello, [ macros => mail => { i => 'Q1' } ], @message ]
    },
    {
        name    => 'a failed scan',
        options => ['-k'],
        keeps   => 1,
        mux     => { scan => "error: x\n" },
        steps   => [ @hello, [ macros => mail => { i => 'Q1' } ], @message ]
    },
    {
        name    => 'no RESULTS',
        options => ['-k'],
        keeps   => 1,
        mux     => { results => undef },
        steps   => [ @hello, [ macros => mail => { i => 'Q2' } ], @message ]
    },
    {
        name    => 'a good scan',
        options => ['-k'],
        keeps   => 1,
        steps   => [ @hello, [ macros => mail => { i => 'Q3' } ], @message ]
    },
    {
        name    => 'RESULTS without F',
        options => ['-k'],
        keeps   => 1,
        mux     => { results => "HX-A b\n" },
        steps   => [ @hello, [ macros => mail => { i => 'Q4' } ], @message ]
    },
    {
        name    => 'a rejected message',
        options => ['-k'],
        keeps   => 1,
        mux     => { results => "B\nF\n" },
        steps   => [ @hello, [ macros => mail => { i => 'Q5' } ], @message ]
    },
    { name => 'descriptors', options => ['-C'], steps => \@all },
    { name => 'group',       options => ['-G'], steps => \@all },
    {
        name  => 'interface address',
        steps =>
            [ [ macros => connect => { '{if_addr}' => '192.0.2.99' } ], @all ]
    },
];
