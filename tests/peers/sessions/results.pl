#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Sessions (see lib/Sessions.pm): RESULTS and the answer to scan.
use v5.36;
use Sessions qw(@checks @hello @mail @rcpt @rest @message @all);

sub results ($name, $results, %more) {
    my $mux = delete $more{mux} // {};
    return {
        name  => $name,
        mux   => { results => $results, %$mux },
        steps => \@all,
        %more
    };
}

[
    results('no RESULTS',          undef),
    results('empty RESULTS',       ''),
    results('only F',              "F\n"),
    results('no F',                "HX-A a\n"),
    results('F without LF',        'F'),
    results('add',                 "HX-A b%20c\nHX-Empty \nF\n"),
    results('a name with a blank', "HX-B%20C d\nHX-A b\nF\n"),
    results('add without a value', "HX-A\nF\n"),
    results('add a folded field',  "HX-A one%0D%0A%09two%0Athree\nF\n"),
    results('insert', "NX-A 0 top\nNX-B 3 third\nNX-C -1 neg\nNX-D x no\nF\n"),
    results('insert without a value', "NX-A 0\nNX-B\nF\n"),
    results('replace', "IX-A 1 new\nIX-B 2 new\nIX-C 0 zero\nIX-D x no\nF\n"),
    results('replace without a value', "IX-A 1\nIX-B\nF\n"),
    results('delete', "JX-A 1\nJX-B 2\nJX-C 0\nJX-D x\nJX-E\nF\n"),
    results(
        'recipients',
        "R<new\@example.org>\nRbare\@example.org\nS<to\@example.org>\nF\n"
    ),
    results('a recipient that is none',    "R\nS\nF\n"),
    results('sender',                      "f<other\@example.org>\nF\n"),
    results('sender that is none',         "f\nF\n"),
    results('quarantine',                  "Qsuspicious%20thing\nF\n"),
    results('quarantine without a reason', "Q\nF\n"),
    results('quarantine and reject',       "Qwhy\nB550 5.7.1 no\nF\n"),
    results('Content-Type',               "Mtext/html;%0D%0A%09charset=x\nF\n"),
    results('Content-Type that is empty', "M\nF\n"),
    results(
        'body', "C\nF\n",
        mux => { files => { NEWBODY => "new\nbody\r\nend" } }
    ),
    results(
        'a large body', "C\nF\n",
        mux => { files => { NEWBODY => "line of the body\r\n" x 10_000 } }
    ),
    results('an empty body', "C\nF\n", mux => { files => { NEWBODY => '' } }),
    results('no NEWBODY',    "C\nF\n"),
    results(
        'NEWBODY is a link',
        "C\nF\n", mux => { files => { NEWBODY => \'/etc/hosts' } }
    ),
    results('bounce',                     "B550 5.7.9 Not%20here\nF\n"),
    results('bounce without anything',    "B\nF\n"),
    results('bounce with a wrong code',   "B450 4.7.9 no\nF\n"),
    results('bounce with two lines',      "B550 5.7.9 one%0Atwo%25\nF\n"),
    results('bounce without F',           "B550 5.7.9 no\n"),
    results('tempfail',                   "T450 4.7.9 Later\nF\n"),
    results('tempfail without anything',  "T\n"),
    results('tempfail with a wrong code', "T550 5.7.9 no\nF\n"),
    results('discard',                    "D\nF\n"),
    results('discard with words',         "Dbecause\nHX-A b\nF\n"),
    results('the first verdict wins',     "T450 4.7.9 t\nB550 5.7.9 b\nD\nF\n"),
    results('changes and a verdict', "HX-A b\nR<x\@y>\nB550 5.7.9 no\nF\n"),
    results('a verdict after F',     "HX-A b\nF\nB550 5.7.9 no\n"),
    results('a change after F',      "HX-A b\nF\nHX-B c\n"),
    results('an unknown letter',     "ZX\nHX-A b\nF\n"),
    results('an empty line',         "\nHX-A b\nF\n"),
    results('NUL in RESULTS',        "HX-A b\n\0HX-B c\nF\n"),
    results('an encoded NUL',        "HX-A b%00c\nF\n"),
    results('TAB between fields',    "HX-A\tb\nIX-B\t1\tc\nF\n"),
    results('CR LF',                 "HX-A b\r\nF\r\n"),
    results('escapes that are none', "HX-A a%zz%4\nF\n"),
    results('a line of 16,382',      'HX-A ' . 'x' x 16_377 . "\nF\n"),
    results('a line of 16,383',      'HX-A ' . 'x' x 16_378 . "\nF\n"),
    results(
        '65,535 octets',
        ('HX-A ' . 'x' x 16_000 . "\n") x 4 . 'HX-A ' . 'x' x 1503 . "\nF\n"
    ),
    results(
        '65,536 octets',
        ('HX-A ' . 'x' x 16_000 . "\n") x 4 . 'HX-A ' . 'x' x 1504 . "\nF\n"
    ),
    results('a name that is none', "H: b\nHX-A b\nF\n"),
    results(
        'RESULTS is a link',
        undef, mux => { files => { RESULTS => \'/etc/hosts' } }
    ),
    results(
        'results of the sender check', "F\n",
        options => \@checks,
        mux => { early => { senderok => "HX-S s\n", recipok => "HX-R r\n" } }
    ),
    results(
        'changes that the MTA did not offer',
        "HX-A b\nR<x\@y>\nQz\nf<a\@b>\nF\n",
        offer => { actions => 0x1 }
    ),

    # ---- the scan itself
    (
        map {
            my ($name, $answer) = @$_;
            {
                name  => "scan: $name",
                mux   => { scan => $answer },
                steps => \@all
            }
        } [ 'error', "error: it died\n" ],
        [ 'no answer',   { silent => 1 } ],
        [ 'no LF',       'ok' ],
        [ 'ok and more', "ok 1\n" ],
        [ 'CR LF',       "ok\r\n" ],
        [ 'ERR',         "ERR No response from worker\n" ],
        [ 'garbage',     "\0\xff\n" ],
        [ 'in pieces',   { pieces => [ 'o', 'k', "\n" ] } ],
        [ 'two lines',   "ok\nok\n" ]
    ),

];
