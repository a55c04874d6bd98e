# SPDX-License-Identifier: MIT
# Every name of tests/lint/public-names.txt is there when a filter is loaded, and
# each variable is one under its three names.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(get start);
use Test::More;

my @names = map { split ' ' } grep { !/^#/ }
    split /\n/, get("$FindBin::Bin/../../tests/lint/public-names.txt");
cmp_ok scalar @names, '>', 300, 'the list is read';

my $worker = start(<<'END');
use strict;
use warnings;
use Mail::MIMEDefang::DKIM;
use Mail::MIMEDefang::DKIM::ARC;
use Mail::MIMEDefang::SPF;
use Mail::MIMEDefang::Authres;
use Mail::MIMEDefang::BIMI;
use Mail::MIMEDefang::TLSPolicy;
use Mail::MIMEDefang::Async;

# In main, or with the prefix of its module.
sub find_function {
    my ($name) = @_;
    no strict 'refs';
    return 'main' if defined &{"main::$name"};
    my ($module) = grep {
        eval "require Mail::MIMEDefang$_"
            && defined &{"Mail::MIMEDefang${_}::$name"}
    } '', qw(::Authres ::Net ::Utils ::RFC2822);
    return defined $module ? "Mail::MIMEDefang$module" : 'nowhere';
}

sub filter_unknown_cmd {
    my ($command, $name) = @_;
    no strict 'refs';
    my ($sign, $word) = $name =~ /^([\$\@%]?)(\w+)/ or return 'error:';
    return ('ok', find_function($word)) if !$sign;
    my @places = map {
              $sign eq '$' ? \${"$_$word"}
            : $sign eq '@' ? \@{"$_$word"}
            :                \%{"$_$word"}
    } qw(main:: Mail::MIMEDefang:: Mail::MIMEDefang::Globals::);
    return ('ok', $places[0] == $places[1] && $places[0] == $places[2] ? 'one' : 'several');
}
END

# Not exported once; calls with their prefix work, too.
my %place = (
    detect_antivirus_support => 'Mail::MIMEDefang',
    gen_mx_id                => 'Mail::MIMEDefang::Utils',
    get_ptr_record           => 'Mail::MIMEDefang::Net',
    md_org_domain            => 'Mail::MIMEDefang::Authres',
);
for my $name (@names) {
    my $want  = $name =~ /^\w/ ? 'main' : 'one';
    my $other = $place{$name} // $want;
    like $worker->ask('Where ' . $name =~ s/%/%25/r),
        qr/\Aok (?:$want|\Q$other\E)\z/, $name;
}

# Two that only the bridge itself uses.
is $worker->ask("Where \$$_"), 'ok one', $_
    for qw(HTMLBoilerplate HTMLFoundEndBody);
is(($worker->stop)[0], 0, 'ends in peace');
done_testing;
