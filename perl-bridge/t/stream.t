# SPDX-License-Identifier: MIT
# stream_by_domain and stream_by_recipient, also when some of the copies cannot
# be sent.  The stand-in for sendmail writes down to whom it sent, and refuses
# when one of its arguments is in the file "refuse".

use v5.36;
use FindBin;
use lib "$FindBin::Bin/lib";
use Bridge qw(get put spool start_scripted);
use Test::More;

my $bin      = spool();
my $sendmail = put("$bin/sendmail", <<'END');
#!/bin/sh
cat >/dev/null
while [ "$1" != -- ]; do shift; done
shift
for a; do grep -qsxF "$a" refuse && exit 75; done
echo "$*" >>sent
END
chmod 0755, $sendmail;
my $w = start_scripted(env => { MIMEDEFANG_SENDMAIL => $sendmail });

# Scans a message to RCPTS, of which some are refused, with FUNCTION called in
# filter_begin.
sub stream ($function, $rcpts, @refused) {
    my ($answer, $dir) = $w->scan(
        "Subject: x\n\nhello\n",
        filter_begin => "\@Recipients = qw(@{$rcpts});"
            . 'open my $f, ">", "refuse";'
            . " print {\$f} qq{\$_\\n} for qw(@refused); close \$f;"
            . " my \$r = $function(); md_syslog('info', join '|', \$r, \$Domain,"
            . ' $TerminateAndDiscard, "@Recipients");',
        filter_wrapup => 'md_syslog("info", "wrapup")',
    );
    my $log = $w->stderr;
    my ($state) = $log =~ /^info: QID1: (.*\|.*)$/m;
    return (
        state   => $state,
        sent    => get("$dir/sent")    // '',
        results => get("$dir/RESULTS") // '',
        log     => join('', $log =~ /^((?:crit|err|warning): .*\n)/mg),
        went_on => $log =~ /wrapup/ ? 1 : 0,
    );
}

sub check ($name, $got, %want) {
    is_deeply({ map { $_ => $got->{$_} } keys %want }, \%want, $name)
        or diag explain $got;
    return;
}
my $AGAIN = "T451 4.3.0 Unable%20to%20stream%20message\nF\n";

subtest 'stream_by_domain' => sub {
    my @rcpts = qw(<a@x.example> <b@Y.example> <c@X.Example> <d> <e@y.example>);
    check(
        'one copy for each domain',
        { stream('stream_by_domain', \@rcpts) },
        state => '1|y.example|1|<a@x.example> <b@Y.example> <c@X.Example> <d>'
            . ' <e@y.example>',
        sent => "<a\@x.example> <c\@X.Example>\n"
            . "<b\@Y.example> <e\@y.example>\n<d>\n",
        results => "D\nF\n",
        log     => '',
        went_on => 0,
    );
    check(
        'one domain',
        { stream('stream_by_domain', [qw(<a@x.example> <c@X.Example>)]) },
        state   => '0|x.example|0|<a@x.example> <c@X.Example>',
        sent    => '',
        results => "F\n",
        log     => '',
        went_on => 1,
    );
    check(
        'the last @ counts',
        { stream('stream_by_domain', [qw(<"a@b"@x.example> <c@x.example>)]) },
        state => '0|x.example|0|<"a@b"@x.example> <c@x.example>',
        sent  => '',
    );
    check(
        'no recipients',
        { stream('stream_by_domain', []) },
        state => '0||0|',
        sent  => '',
    );
};

subtest 'stream_by_recipient' => sub {
    check(
        'one copy for each',
        { stream('stream_by_recipient', [qw(<a@x> <b@x> <a@x>)]) },
        state   => '1||1|<a@x> <b@x> <a@x>',
        sent    => "<a\@x>\n<b\@x>\n",
        results => "D\nF\n",
    );
    check(
        'one recipient',
        { stream('stream_by_recipient', [qw(<a@x>)]) },
        state   => '0||0|<a@x>',
        sent    => '',
        results => "F\n",
    );
};

subtest 'nobody gets it twice' => sub {
    my $cannot = 'err: QID1: Cannot send the message again to';
    my $status = 'exit status 75';
    my $goes_on
        = 'crit: QID1: Streamed only a part of the message: it goes on for';
    check(
        'the first cannot be sent: told to try again',
        { stream('stream_by_domain', [qw(<a@x> <b@y>)], '<a@x>') },
        state   => '1|y|0|<a@x> <b@y>',
        sent    => '',
        results => $AGAIN,
        log     => "$cannot <a\@x>: $status\n"
            . "crit: QID1: Cannot stream the message: told to try again\n",
    );
    check(
        'a later one cannot: this message is for them',
        {
            stream(
                'stream_by_domain', [qw(<a@x> <b@y> <c@x> <d@z>)], '<b@y>'
            )
        },
        state   => '0|y|0|<b@y>',
        sent    => "<a\@x> <c\@x>\n<d\@z>\n",
        results => "S<a\@x>\nS<c\@x>\nS<d\@z>\nF\n",
        log     => "$cannot <b\@y>: $status\n$goes_on <b\@y>\n",
        went_on => 1,
    );
    check(
        'several cannot',
        {
            stream(
                'stream_by_recipient', [qw(<a@x> <b@y> <c@z> <d@z>)],
                '<b@y>',               '<d@z>'
            )
        },
        state   => '0||0|<b@y> <d@z>',
        sent    => "<a\@x>\n<c\@z>\n",
        results => "S<a\@x>\nS<c\@z>\nF\n",
        log     => "$cannot <b\@y>: $status\n$cannot <d\@z>: $status\n"
            . "$goes_on <b\@y> <d\@z>\n",
        went_on => 1,
    );
    check(
        'the message cannot be read',
        {
            stream(
                'unlink "INPUTMSG"; stream_by_domain', [qw(<a@x> <b@y>)]
            )
        },
        state   => '1|y|0|<a@x> <b@y>',
        sent    => '',
        results => $AGAIN,
    );
};

subtest 'out of place' => sub {
    my ($answer, $dir) = $w->scan(
        "Subject: x\n\nhello\n",
        filter_end => '@Recipients = qw(<a@x> <b@y>);'
            . ' md_syslog("info", stream_by_domain() . stream_by_recipient())'
    );
    is($w->stderr, <<'END', 'logged');
warning: QID1: stream_by_domain called outside of filter_begin
warning: QID1: stream_by_recipient called outside of filter_begin
info: QID1: 00
END
    is(get("$dir/sent"),    undef, 'nothing sent');
    is(get("$dir/RESULTS"), "F\n", 'and delivered once');
};

done_testing;
