# SPDX-License-Identifier: MIT
# Every optional module from CPAN hidden, one by one and all together: the worker
# loads a filter that uses everything, and lives whatever it calls.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge     qw(program put run_program spool start work_dir);
use File::Find qw(find);
use Test::More;

my @OPTIONAL = qw(AnyEvent Archive::Zip Convert::BinHex Crypt::OpenSSL::X509 DBI
    HTML::Parser HTML::TokeParser IO::Socket::SSL JSON LWP::UserAgent
    Mail::BIMI Mail::DKIM::ARC::Signer Mail::DKIM::ARC::Verifier
    Mail::DKIM::Signer Mail::DKIM::Verifier Mail::Mailer Mail::SPF
    Mail::SpamAssassin Mail::SpamAssassin::Client Net::DNS Net::SMTP Redis
    Unix::Syslog);

my $lib = "$FindBin::Bin/../lib";
my $dir = spool();
put("$dir/Hide.pm", <<'END');
package Hide;
my %hidden;
sub import {
    shift;
    $hidden{ s{::}{/}gr . '.pm' } = 1 for @_;
    unshift @INC, sub {
        die "Can't locate $_[1] in \@INC (hidden)\n" if $hidden{$_[1]};
        return;
    };
}
1;
END

# The environment in which these modules are missing.
sub without (@modules) {
    return (PERL5LIB => $dir, PERL5OPT => '-MHide=' . join ',', @modules);
}

my @modules;
find(
    sub {
        push @modules,
            $File::Find::name =~ s{^\Q$lib\E/}{}r =~ s{/}{::}gr =~ s/\.pm\z//r
            if /\.pm\z/;
    },
    $lib
);

my $text = join '', map { Bridge::get($_) // '' } program(),
    map { "$lib/" . s{::}{/}gr . '.pm' } @modules;

# What filters use by themselves, and a call of everything that is there.
my $uses = join '', map {"use $_;\n"}
    grep {/^Mail::MIMEDefang::(?:DKIM|DKIM::ARC|SPF|Authres|BIMI|TLSPolicy)\z/}
    sort @modules;
my $filter = <<"END";
$uses
detect_and_load_perl_modules();
sub filter_begin { return }
sub filter_end { my (\$entity) = \@_; return main::everything(\$entity) }
END
$filter .= <<'END';
# Arguments that suit most: none of these may ask anybody on the network.
sub everything {
    my ($entity) = @_;
    no strict 'refs';
    my @names = grep { defined &{"main::$_"} && $entity } qw(
        append_html_boilerplate anonymize_uri md_dkim_sign md_dkim_verify
        md_arc_sign md_bimi_get_selector md_verify_sts_mx md_verify_dane_cert
        spam_assassin_init spam_assassin_is_spam spam_assassin_check
        spam_assassin_mail spam_assassin_status md_spamc_init
        re_match_in_zip_directory re_match_in_rar_directory
        re_match_in_7zip_directory re_match_in_tgz_directory md_list_archive
        message_contains_virus entity_contains_virus rfc2822_date
        gen_date_msgid_headers synthesize_received_header pretty_print_mail
        is_public_ip4_address expand_ipv6_address action_greylist);
    my %args = (
        append_html_boilerplate => [ $entity, '<p>', 0 ],
        anonymize_uri           => [$entity],
        md_bimi_get_selector    => [$entity],
        entity_contains_virus   => [$entity],
        pretty_print_mail       => [ $entity, 1000 ],
        md_verify_sts_mx        => [ 'a.example', { mx => ['a.example'] } ],
        md_verify_dane_cert     => [ 'x', [ { usage => 3, selector => 1,
            matching_type => 1, cert_data => 'y' } ] ],
        md_arc_sign => [ '/nowhere', 'rsa-sha256', 'none', 'example.com' ],
        md_dkim_sign => ['/nowhere'],
        md_spamc_init => [ '127.0.0.1', 9 ],
        md_list_archive => ['./INPUTMSG'],
        (map { $_ => [ './INPUTMSG', 'x' ] } qw(re_match_in_zip_directory
            re_match_in_rar_directory re_match_in_7zip_directory
            re_match_in_tgz_directory)),
        action_greylist => [ undef, '<a@b>', '<c@d>', '192.0.2.1' ],
        is_public_ip4_address => ['192.0.2.1'],
        expand_ipv6_address => ['::1'],
    );
    for my $name (@names) {
        next if eval { &{$name}(@{ $args{$name} // [] }); 1 };
        md_syslog('err', "$name DIED: $@");
    }
    return;
}
1;
END
my $path = put("$dir/filter", $filter);

subtest 'the filter is loaded' => sub {

    # One that the bridge does not name makes no difference.
    for my $hidden (map({ [$_] } grep { $text =~ /\b\Q$_\E\b/ } @OPTIONAL),
        [@OPTIONAL])
    {
        local %ENV = (%ENV, without(@{$hidden}));
        my ($status, $out, $err) = run_program('-f', $path, '-test');
        my $name = @{$hidden} > 1 ? 'all of them' : $hidden->[0];
        is($status, 0, "without $name") or diag $err;
    }
};

subtest 'each module of the bridge is loaded' => sub {
    local %ENV = (%ENV, without(@OPTIONAL));

    # Two are subclasses of what is hidden, loaded only with it.
    my $all = join ' ', sort grep { !/::(?:BinHex|DKIM::Verifier)\z/ } @modules;
    my $out
        = qx{$^X -I$lib -e 'for (\@ARGV) { eval "require \$_; 1" or print "\$_: \$@" }' $all 2>&1};
    is($out, '', 'without all of them');
};

subtest 'what is called' => sub {
    my $w   = start($filter, env => { without(@OPTIONAL) });
    my $dir = work_dir($w->{spool},
        "Subject: x\nContent-Type: text/html\n\n<p>x http://a/?utm_a=b</p>\n");
    is($w->ask("scan QID1 $dir"), 'ok', 'the message is scanned');
    my $log = $w->stderr;
    unlike($log, qr/DIED|died/, 'nothing dies');
    is($w->ask('ping'), 'PONG', 'the worker lives');
};

done_testing;
