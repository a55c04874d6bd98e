# SPDX-License-Identifier: MIT
# What the actions return and count: in their place, on a container, on a part
# without a file, where a file cannot be written.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(get put spool start_scripted);
use Test::More;

my $web   = spool();
my $w     = start_scripted();
my $MIXED = <<'END';
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: application/x-foo; name=a.dat
Content-ID: <id1@example.com>

data
--b
Content-Type: multipart/alternative; boundary=c

--c

hello
--c--
--b--
END

# What CODE in filter (or filter_multipart) leaves: "returned, Action, counters,
# warnings, Changed, Rebuild, WarningCounter, DefangCounter, QuarantineCount".
sub state_of ($callback, $code) {
    my $show = <<'END';
    md_syslog('info', join '|', "@r", $Action,
        join(',', map {"$_=$Actions{$_}"} sort keys %Actions),
        join(',', @Warnings), $Changed, $Rebuild, $WarningCounter,
        $DefangCounter, $QuarantineCount);
END
    my ($answer, $dir) = $w->scan($MIXED,
        $callback =>
            "return if \$_[3] eq 'text/plain'; my \$e = \$_[0]; my \@r = do { $code }; $show"
    );
    my $log = $w->stderr;
    my ($state) = $log =~ /^info: QID1: (.*)$/m;
    return ($state, $dir, $log =~ s/^(?:info|debug): .*\n//mgr);
}

sub check ($callback, $code, $want, $log = '') {
    my ($state, $dir, $logged) = state_of($callback, $code);
    is($state,  $want, $code);
    is($logged, $log,  'log') if defined $log;
    return $dir;
}

subtest 'on a leaf' => sub {
    for (
        [ 'action_accept()', '1|accept|||0|0|0|0|0' ],
        [
            'action_accept_with_warning("w")',
            '1|accept|accept_with_warning=1|w |0|0|0|0|0'
        ],
        [ 'action_drop()', '1|drop|drop=1||0|0|0|0|0' ],
        [
            'action_drop_with_warning("w")',
            '1|drop|drop_with_warning=1|w |0|0|0|0|0'
        ],
        [
            'action_replace_with_warning("w")',
            '1|replace|replace_with_warning=1||0|0|1|0|0'
        ],
        [ 'action_quarantine($e, "w")', '1|drop|quarantine=1|w |0|0|0|0|1' ],
        [
            'action_defang($e, "n", "f", "a/b")',
            "1|accept|accept_with_warning=1,defang=1|An attachment named 'a.dat' was renamed to 'f'. Be careful when you open it. |1|0|0|0|0"
        ],
        [
            'action_defang($e, "", "")',
            "1|accept|accept_with_warning=1,defang=1|An attachment named 'a.dat' was renamed to 'defang-1.binary'. Be careful when you open it. |1|0|0|1|0"
        ],
        [
            'action_external_filter($e, "cp FILTERINPUT FILTEROUTPUT")',
            '1|accept|external_filter=1||1|0|0|0|0'
        ],
        [ 'action_external_filter($e, "true")', '1|accept|||0|0|0|0|0' ],
        [
            "action_replace_with_url(\$e, '$web', 'http://h', 'm')",
            '1|replace|replace_with_warning=1||0|0|1|0|0'
        ],
        [
            'ref action_add_part($e, "a/b", "-suggest", "d", "f", "inline")',
            'MIME::Entity|accept|||0|1|0|0|0'
        ],
        [
            'action_add_entity($e) == $e ? "same" : "other"',
            'same|accept|||0|1|0|0|0'
        ],
        [ 'action_rebuild()', '1|accept|||0|1|0|0|0' ],
        [
            'action_accept_with_warning("v"); action_drop()',
            '1|drop|accept_with_warning=1,drop=1|v |0|0|0|0|0'
        ],
        )
    {
        check('filter', @{$_});
    }
};

subtest 'on a container' => sub {
    for (
        [ 'action_drop()', '1|drop|drop=1||0|0|0|0|0' ],
        [
            'action_replace_with_warning("w")',
            '1|replace|replace_with_warning=1||0|0|1|0|0'
        ],
        [ 'action_quarantine($e, "w")', '0|drop||w |0|0|0|0|0' ],
        [
            "action_replace_with_url(\$e, '$web', 'http://h', 'm')",
            '0|accept|||0|0|0|0|0'
        ],
        [ 'action_defang($e, "n", "f", "a/b")',   '0|accept|||0|0|0|0|0' ],
        [ 'action_external_filter($e, "exit 1")', '0|accept|||0|0|0|0|0' ],
        )
    {
        check('filter_multipart', @{$_});
    }
};

subtest 'action_defang: names of any characters' => sub {
    my $dir = check(
        'filter',
        'action_defang($e, "\x{20ac}", "\x{e4}\x{20ac}.txt"); @Warnings = ()',
        '|accept|accept_with_warning=1,defang=1||1|0|0|0|0'
    );
    like(
        get("$dir/NEWBODY"),
        qr/^Content-Type: application\/octet-stream;\n? name="=\?UTF-8\?Q\?=E2=82=AC\?="$/m,
        'Content-Type'
    );
    like(get("$dir/NEWBODY"),
        qr/^Content-Description: =\?UTF-8\?Q\?=C3=A4=E2=82=AC\.txt\?=$/m,
        'Content-Description');
};

subtest 'action_external_filter: where it runs, what it says' => sub {
    my $dir = check(
        'filter',
        'action_external_filter($e, "pwd >FILTEROUTPUT; exec cat")',
        '1|accept|external_filter=1||1|0|0|0|0'
    );
    like(get("$dir/NEWBODY"), qr/\n\n\Q$dir\E\n\n?--b\n/,
        'in the working directory, without input');
    my $failed = 'warning: QID1: External filter failed';
    check(
        'filter',
        'action_external_filter($e, "echo broken; exit 3")',
        '0|accept|||0|0|0|0|0',
        "$failed (exit status 3): echo broken; exit 3: broken\n"
    );
    check('filter', 'action_external_filter($e, "/nonexistent/program -x")',
        '0|accept|||0|0|0|0|0', undef);
    check(
        'filter',
        'no warnings; *Mail::MIMEDefang::Actions::Parts::run_command = sub {'
            . ' Mail::MIMEDefang::Run::run_command(@_, timeout_s => 0.2) };'
            . ' action_external_filter($e, "sleep 600")',
        '0|accept|||0|0|0|0|0',
        "$failed (sleep: not finished within 0.2 s): sleep 600\n"
    );
    ok(!-e "$dir/FILTEROUTPUT", 'nothing is left');
};

subtest 'action_replace_with_url: files' => sub {
    my $root = spool();
    my $name = 'a17c9aaa61e80a1bf71d0d850af4e5baa9800bbd.dat';    # of "data"
    my $code = "action_replace_with_url(\$e, '$root', 'http://h', '_URL_')";
    check('filter', $code, '1|replace|replace_with_warning=1||0|0|1|0|0');
    is(get("$root/$name"), 'data', 'the body');
    ok(!-e "$root/.$name", 'no dot-file');
    utime 1000, 1000, "$root/$name";
    check('filter', $code, '1|replace|replace_with_warning=1||0|0|1|0|0');
    ok((stat "$root/$name")[9] > 1000, 'the time of a file that was there');
    is_deeply([ map {s{.*/}{}r} glob "$root/*" ], [$name], 'nothing else');
    check('filter',
        "action_replace_with_url(\$e, '$root/none', 'http://h', '_URL_')",
        '0|accept|||0|0|0|0|0', undef);
};

subtest 'a replaced part keeps its Content-ID' => sub {
    for my $code ('action_replace_with_warning("gone")',
        "action_replace_with_url(\$e, '$web', 'http://h', 'gone')")
    {
        my (undef, $dir) = state_of('filter', $code);
        like(get("$dir/NEWBODY"),
            qr/^Content-ID: <id1\@example\.com>\n(?:.+\n)*\ngone\n/m, $code);
    }
};

subtest 'replace_entire_message' => sub {
    my ($answer, $dir) = $w->scan($MIXED,
        filter_end =>
            'package Other { our @ISA = ("MIME::Entity") } my $n = Other->build('
            . 'Type => "text/plain", Data => ["new\n"], Encoding => "7bit");'
            . ' md_syslog("info", replace_entire_message($n)'
            . ' . replace_entire_message("no entity")'
            . ' . replace_entire_message(undef))');
    is($w->stderr,          "info: QID1: 100\n", 'a subclass, no entity');
    is(get("$dir/NEWBODY"), "new\n",             'the new message');
    ($answer, $dir)
        = $w->scan($MIXED,
        filter_begin => 'md_syslog("info", replace_entire_message($_[0]))');
    is(
        $w->stderr,
        "warning: QID1: replace_entire_message called outside of filter_end\n"
            . "info: QID1: 0\n",
        'out of place'
    );
};

subtest 'process_added_parts' => sub {
    my ($answer, $dir) = $w->scan($MIXED, filter_end => <<'END');
    my $part = sub { MIME::Entity->build(Top => 0, Type => 'a/b',
        Data => [$_[0]]) };
    my $top = MIME::Entity->build(Type => 'multipart/alternative');
    $top->attach(Type => 'text/plain', Data => ['x']);
    my @r = (process_added_parts($top) == $top, scalar $top->parts);
    @AddedParts = ([$part->('one'), -1], [$part->('two'), 0]);
    push @r, process_added_parts($top) == $top, scalar @AddedParts,
        $top->effective_type, map { $_->effective_type } $top->parts;
    md_syslog('info', join '|', @r);
END
    is(
        $w->stderr,
        "info: QID1: 1|1|1|0|multipart/mixed|a/b|multipart/alternative|a/b\n",
        'the old top becomes a part'
    );
};

subtest 'notes: files' => sub {
    my ($answer, $dir) = $w->scan($MIXED, filter_end => <<'END');
    mkdir $_ for qw(NOTIFICATION ADMIN_NOTIFICATION);
    md_syslog('info', action_notify_sender('x')
        . action_notify_administrator('x') . keys %Actions);
END
    like(
        $w->stderr,
        qr/\Aerr: QID1: Cannot write NOTIFICATION: .*\nerr: QID1: Cannot write ADMIN_NOTIFICATION: .*\ninfo: QID1: 000\n/,
        'cannot be written'
    );
    ($answer, $dir) = $w->scan(
        $MIXED,
        filter_end =>
            'action_notify_sender("x"); action_notify_administrator("y")',
        filter_wrapup => 'unlink "NOTIFICATION"'
    );
    unlike(
        get("$dir/sent"),
        qr/\nTo: <from\@example\.com>\n/,
        'a note that the filter takes back'
    );
    like(get("$dir/sent"), qr/\n\ny=\n\z/, 'the other is sent');
};

done_testing;
