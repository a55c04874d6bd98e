#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Every macro that the filter can read, with its value.
use v5.36;
use Cases     qw(auth by_mta bye hello mail_from start_tls);
use Specimens qw($plain);

my %everywhere = (
    _           => '\S.*',
    client_port => '\d+',
    j           => 'mx\.example',
    mail_addr   => 'from@HERE',
);
my %postfix = (
    %everywhere,
    _           => 'unknown \[127\.9\.\d+\.\d+\]',
    daemon_name => 'mx\.example',
    mail_host   => '\[127\.0\.0\.1\]:\d+',
    mail_mailer => 'smtp',
);
my %sendmail = (
    %everywhere,
    _           => '\[127\.9\.\d+\.\d+\]',
    daemon_name => 'D\d+',
    i           => '\w+',
    if_name     => 'localhost',
    mail_host   => '\[127\.0\.0\.1\]',
    mail_mailer => 'relay',
);
my %tls = (
    tls_version => 'TLSv1\.3',
    cipher      => 'TLS_\w+',
    cipher_bits => '256'
);
my %auth = (auth_authen => 'anna', auth_type => 'PLAIN');
my %name = (
    cert_issuer  => '(?:/CN=)?ca\.example',
    cert_subject => '(?:/CN=)?mx\.example',
);
my %no_name = (cert_issuer => '', cert_subject => '');
my %asked   = (
    client_resolve => '\w+',
    daemon_addr    => '127\.0\.0\.1',
    daemon_port    => '\d+',
);
my @in_tls = (start_tls('certificate'), auth(qw(anna secret), '235'));

# The fields that the filter adds on top, one for each macro.
sub fields (%is) {
    my $text = join '', map {"X-Is: $_ $is{$_}\\n"} sort keys %is;
    return qr/\A${text}From:/;
}

sub macros ($name, $client, %more) {
    my %is = map { $_ => fields(%{ delete $more{$_} }) } qw(postfix sendmail);
    return {
        name   => "macros: $name",
        filter => {
            end => q{our %SendmailMacros;
                action_insert_header('X-Is', "$_ $SendmailMacros{$_}", 1)
                    for reverse sort keys %SendmailMacros;}
        },
        differs =>
            'Sendmail tells {auth_ssf}, {if_name} and, at MAIL, i; Postfix'
            . ' does not. Each has its own idea of the other values.',
        client    => [ hello(), @$client, mail_from(message => $plain), bye() ],
        delivered => [ { like => [ by_mta(%is) ] } ],
        %more
    };
}

[
    macros(
        'a plain session', [],
        postfix  => \%postfix,
        sendmail => \%sendmail
    ),
    macros(
        'TLS', [ start_tls() ],
        postfix  => { %postfix,  %tls },
        sendmail => { %sendmail, %tls, %no_name }
    ),
    macros(
        'TLS with a certificate of the client, AUTH', \@in_tls,
        part     => 1,
        postfix  => { %postfix,  %tls, %name, %auth },
        sendmail => { %sendmail, %tls, %name, %auth, auth_ssf => '0' }
    ),
    macros(
        'asked for with -y and -a',
        \@in_tls,
        via      => ['macro list'],
        postfix  => { %postfix, %tls, %name, %auth, %asked },
        sendmail => {
            %sendmail, %tls, %name, %auth, %asked,
            auth_ssf => '0',
            verify   => 'OK'
        }
    ),
]
