# SPDX-License-Identifier: MIT
# Functions that load their module when they are called.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Bridge qw(put spool start);
use Test::More;

my ($dir, @noise);
local $SIG{__WARN__} = sub ($text) { push @noise, $text };

BEGIN {
    $dir = spool();
    mkdir "$dir/$_" for qw(Test Test/Lazy);
    for my $name (qw(One Two Three Own Named)) {
        put("$dir/Test/Lazy/$name.pm", <<"END");
package Test::Lazy::$name;
use strict; use warnings;
use Exporter 'import';
our \@EXPORT = qw(\L$name\E_args \L$name\E_context \L$name\E_other);
sub \L$name\E_args { return join '-', '$name', \@_ }
sub \L$name\E_context { return wantarray ? 'list' : 'scalar' }
sub \L$name\E_other { \$_[0] = 'changed'; return (caller)[2] }
sub \L$name\E_hidden { return 'hidden' }
sub before_fork { our \$text = shift; die "not now\\n" if \$text =~ /die/ }
1;
END
    }
    put("$dir/Test/Lazy/Broken.pm", "package Test::Lazy::Broken;\ndie 'no';\n");
    unshift @INC, $dir;
    require Mail::MIMEDefang::Lazy;
    Mail::MIMEDefang::Lazy->import(
        map {
            my $name = lc;
            ("Test::Lazy::$_" => [ map {"${name}_$_"} qw(args context other) ])
        } qw(One Two Three Own Named)
    );
    Mail::MIMEDefang::Lazy->import('Test::Lazy::Broken' => ['broken']);
}

sub loaded ($name) { return exists $INC{"Test/Lazy/$name.pm"} ? 1 : 0 }

subtest 'a stub' => sub {
    ok(defined &one_args,     'is defined');
    ok(main->can('one_args'), 'and found');
    is(loaded('One'),      0,         'before its module is loaded');
    is(one_args('a', 'b'), 'One-a-b', 'passes arguments');
    is(loaded('One'),      1,         'and loads the module');
    is(\&one_args,    \&Test::Lazy::One::one_args, 'the function replaces it');
    is(\&one_context, \&Test::Lazy::One::one_context, 'and all of its module');

    my $kept = \&two_context;
    is(scalar $kept->(), 'scalar', 'passes the context');
    is(($kept->())[0],   'list',   'also when it was kept');
    my $value = 'as it was';
    is(two_other($value), __LINE__,  'nobody sees that it was there');
    is($value,            'changed', 'passes variables, not copies');
};

subtest 'with the prefix' => sub {
    is(loaded('Three'),                   0,          'not loaded');
    is(Test::Lazy::Three::three_hidden(), 'hidden',   'not exported');
    is(loaded('Three'),                   1,          'loaded');
    is(\&three_args, \&Test::Lazy::Three::three_args, 'stubs are replaced');
    ok(!eval { Test::Lazy::Three::nothing(); 1 }, 'no such function');
    like($@,
        qr/^Undefined (?:function|subroutine) &?Test::Lazy::Three::nothing/,
        'is said');
};

subtest 'a filter' => sub {
    require(put("$dir/filter1", 'sub own_args { return "own" } 1'));
    is(scalar own_context(), 'scalar', 'the module is loaded');
    is(own_args(),           'own',    'but what the filter defined stays');

    require(
        put(
            "$dir/filter2",
            'package Filter2; use Test::Lazy::Two; sub f { two_args(1) } 1'
        )
    );
    is(Filter2::f(),    'Two-1', 'can use the module itself');
    is(loaded('Named'), 0,       'not mentioned');
    Mail::MIMEDefang::Lazy::load_mentioned('sub filter { xnamed_args() }');
    is(loaded('Named'), 0, 'nor by a longer word');
    Mail::MIMEDefang::Lazy::load_mentioned('sub filter { named_args() }');
    is(loaded('Named'), 1, 'mentioned: loaded for all workers');
    is(\&named_args,    \&Test::Lazy::Named::named_args, 'stubs are replaced');
    no warnings 'once';
    is(
        $Test::Lazy::Named::text,
        'sub filter { named_args() }',
        'and is told that workers will be forked'
    );
    Mail::MIMEDefang::Lazy::load_mentioned('broken()');
};

subtest 'a module that cannot be loaded' => sub {
    for my $time (1, 2) {
        ok(!eval { broken(); 1 }, "dies ($time)");
        like($@, qr/Broken/, 'and names the module');
    }
};

is("@noise", '', 'no warnings');
done_testing;
