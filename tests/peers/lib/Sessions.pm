# SPDX-License-Identifier: MIT
package Sessions;

# The sessions of front-end.t: what all of them are made of, and all of them.
#
# A session is a hash:
#   name     unique words, together with the options
#   options  list, beside those that every front-end gets
#   offer    what the MTA offers (see MilterClient), by default all of version 6
#   mux      the script of the multiplexor (see ScriptedMux)
#   steps    what the MTA does (see ScriptedMta)
#   keeps    true: directories stay when it is over

use v5.36;
use Exporter qw(import);

our @EXPORT_OK
    = qw(@checks @hello @mail @rcpt @rest @message @all @sendmail @postfix
    all_sessions);

our @checks = qw(-r -H -s -t);
our @hello  = ([ connect => {} ], [ helo => 'client.example' ]);
our @mail   = ([ mail    => '<from@example.org>' ]);
our @rcpt   = ([ rcpt    => '<to@example.org>' ]);
our @rest   = (
    ['data'], [ header => 'Subject', 'hi' ],
    ['eoh'],  [ body   => "Hello.\r\n" ], ['eom']
);
our @message = (@mail,  @rcpt, @rest);
our @all     = (@hello, @message);

# What Sendmail and Postfix say before a step.
our @sendmail = (
    [
        macros => connect => {
            j               => 'mx.example',
            _               => 'client [192.0.2.1]',
            '{daemon_name}' => 'MTA',
            '{if_name}'     => 'mx.example',
            '{if_addr}'     => '192.0.2.99',
            '{daemon_port}' => '25'
        }
    ],
    [ connect => { host => 'client.example.org' } ],
    [
        macros => helo => {
            '{tls_version}' => 'TLSv1.3',
            '{cipher}'      => 'AES256',
            '{cipher_bits}' => 256
        }
    ],
    [ helo => 'client.example' ],
    [
        macros => mail => {
            i               => '5AP8x1',
            '{mail_mailer}' => 'esmtp',
            '{mail_host}'   => 'example.org.',
            '{mail_addr}'   => 'from@example.org',
            '{auth_type}'   => 'PLAIN',
            '{auth_authen}' => 'joe'
        }
    ],
    [ mail => '<from@example.org>', 'SIZE=100', 'BODY=8BITMIME' ],
    [
        macros => rcpt => {
            '{rcpt_mailer}' => 'local',
            '{rcpt_host}'   => 'x y',
            '{rcpt_addr}'   => 'to'
        }
    ],
    [ rcpt => '<to@example.org>', 'NOTIFY=NEVER' ],
    @rest[ 0 .. 3 ],
    [ macros => eom => { '{msg_id}' => '<1@x>' } ],
    ['eom']
);
our @postfix = (
    [
        macros => connect => {
            j               => 'mx.example',
            '{daemon_name}' => 'mx',
            '{daemon_addr}' => '192.0.2.99',
            v               => 'Postfix 3.7.11',
            _               => 'client [192.0.2.1]'
        }
    ],
    [ connect => { host => 'client.example.org', port => 0 } ],
    [ macros  => helo => {} ],
    [ helo    => 'client.example' ],
    [
        macros => mail => {
            '{mail_addr}'   => 'from@example.org',
            '{mail_host}'   => 'example.org',
            '{mail_mailer}' => 'smtp'
        }
    ],
    [ mail => '<from@example.org>', 'SIZE=100' ],
    [
        macros => rcpt => {
            '{rcpt_addr}'   => 'to@example.org',
            '{rcpt_host}'   => 'example.org',
            '{rcpt_mailer}' => 'smtp'
        }
    ],
    [ rcpt => '<to@example.org>' ],
    [
        macros => rcpt => {
            i               => '4Zq1',
            '{rcpt_addr}'   => 'cc@example.org',
            '{rcpt_host}'   => 'example.org',
            '{rcpt_mailer}' => 'smtp'
        }
    ],
    [ rcpt => '<cc@example.org>' ],
    map { ([ macros => $_->[0], { i => '4Zq1' } ], $_) } @rest
);

=head1 FUNCTIONS

=head2 all_sessions($directory)

The lists that the files there are, one after the other.

=cut

sub all_sessions ($directory) {
    my @sessions;
    for my $file (sort glob "$directory/*.pl") {
        my $list = do $file;
        die "$file: ", $@ || $!, "\n" if !$list;
        push @sessions, @$list;
    }
    return @sessions;
}

1;
