#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# bridge-mutate.pl [--seed N] [--count N] [--case N] [--keep DIR]
#
# Takes mutated messages through the scan, all in this process, with a filter that
# keeps, drops, replaces and adds parts as chance has it.  Each message must be
# scanned without an error within its time; nothing but its own files may be
# written; and what was rebuilt, parsed again, must have the parts that were kept,
# in their order, with their content.  A case depends on the seed and its number
# only.  Prints what went wrong, at most ten, with how to run it again, and a line
# of totals; exits with 1 then.

package main;
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../perl-bridge/lib";
use Cwd         qw(abs_path);
use Digest::MD5 qw(md5_hex);
use File::Path  qw(remove_tree);
use File::Temp  qw(tempdir);
use Getopt::Long;

my %opt = (seed => 1, count => 1000);
GetOptions(\%opt, 'seed=i', 'count=i', 'case=i', 'keep=s', 'verbose') or exit 2;

my ($root, $here);

BEGIN {
    $here = abs_path($FindBin::Bin);
    $root = tempdir('sallyport-fuzz-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    mkdir "$root/$_" for qw(spool quarantine etc);
    delete @ENV{ grep {/^MIMEDEFANG_/} keys %ENV };
    $ENV{MIMEDEFANG_SPOOLDIR}      = "$root/spool";
    $ENV{MIMEDEFANG_QUARANTINEDIR} = "$root/quarantine";
    $ENV{MIMEDEFANG_CONFDIR}       = "$root/etc";
    $ENV{MIMEDEFANG_SENDMAIL}      = '/bin/false';
    $ENV{MIMEDEFANG_LOG}           = 'stderr';
    $ENV{TMPDIR}                   = "$root/tmp";
    mkdir "$root/tmp";
}
use Mail::MIMEDefang::Deadline qw(take_signals with_limit);
use Mail::MIMEDefang;
use Mail::MIMEDefang::Actions;
use Mail::MIMEDefang::MIME;
use Mail::MIMEDefang::Rebuild;
use Mail::MIMEDefang::Scan;

use constant {
    SECONDS   => 60,
    MAX_SHOWN => 10,
    COMMANDS  => "iabcde12\nS<a\@b>\nQQID\nR<c\@d>\nF\n",
};

# ---- messages to begin with ----

my $LINES = join '',
    map {"line $_ of a text, long enough to be folded\n"} 1 .. 9;
my $BASE64 = "SGVsbG8sIHdvcmxkISBIZWxsbywgd29ybGQhIEhlbGxvLCB3b3JsZCE=\n" x 3;
$BASE64 =~ s/=\n(?=.)/h\n/g;

sub multipart ($type, $boundary, @parts) {
    return
          qq{Content-Type: multipart/$type; boundary="$boundary"\n\n}
        . join('', map {"--$boundary\n$_\n"} @parts)
        . "--$boundary--\n";
}

my $TOP  = "From: a\@b\nTo: c\@d\nSubject: x\nMIME-Version: 1.0\n";
my $TEXT = "Content-Type: text/plain; charset=utf-8\n\n$LINES";
my $HTML = "Content-Type: text/html\nContent-Transfer-Encoding:"
    . " quoted-printable\n\n<p>caf=C3=A9 =\nlong</p>\n";
my $FILE
    = "Content-Type: application/octet-stream; name=\"a.exe\"\n"
    . "Content-Disposition: attachment; filename=\"a.exe\"\n"
    . "Content-Transfer-Encoding: base64\n\n$BASE64";
my $NAMES
    = "Content-Type: application/x; name*0*=utf-8''%c3%a4;\n name*1=.pdf\n"
    . "Content-Disposition: inline; filename=\"=?utf-8?b?w6Q=?=.pdf\"\n\nx\n";
my $UU      = "text\nbegin 644 a.exe\n#86)C\n`\nend\nmore\n";
my $MESSAGE = "Content-Type: message/rfc822\n\n$TOP$TEXT";
my @SEEDS   = (
    "$TOP\nplain\n",
    "$TOP$TEXT",
    "$TOP$FILE",
    $TOP . multipart('mixed',       'b',   $TEXT, $FILE),
    $TOP . multipart('alternative', 'b-1', $TEXT, $HTML),
    $TOP
        . multipart(
        'mixed', '=_1', multipart('related', '=_2', $HTML, $FILE),
        $NAMES,  $FILE
        ),
    $TOP . multipart('mixed', 'm', $TEXT, $MESSAGE, $FILE),
    "$TOP$MESSAGE",
    $TOP . multipart('digest', 'd', "\n$TOP$TEXT", "\n$TOP$FILE"),
    $TOP
        . multipart(
        'signed; protocol="x/y"',
        's', $TEXT, "Content-Type: application/pgp-signature\n\n-----BEGIN\n"
        ),
    "$TOP\n$UU",
    $TOP . multipart('mixed', 'u', "Content-Type: text/plain\n\n$UU", $FILE),
    $TOP . multipart('mixed', 'e', '', "\n", "Content-Type: text/plain\n\n"),
    "$TOP\n", "\n",
    "Subject: 8\nContent-Type: text/plain; charset=iso-8859-1\n"
        . "Content-Transfer-Encoding: 8bit\n\n\xe4\xf6\xfc\n",
    $TOP
        . multipart(
        'mixed', 't',
        "Content-Type: application/ms-tnef; name=winmail.dat\n\nx"
        ),
    $TOP
        . multipart(
        'report', 'r', $TEXT,
        "Content-Type: message/delivery-status\n\nA: b\n\nC: d\n", $MESSAGE
        ),
);
my @WORDS = (
    "\n",      "\n\n",      "\r", "\r\n", "\0", "\t", ' ', '--', '--b', '--b--',
    "\n--b\n", "\n--b--\n", "\n--=_1\n", "\n--m--\n", '=',   '==', "=\n",
    '"',       '\\',        ';',         ':',         '../', '/', '%00', '*0*=',
    "Content-Type: text/html\n",
    "Content-Type: multipart/mixed; boundary=b\n\n",
    "Content-Type: message/rfc822\n\n", "Content-Transfer-Encoding: base64\n",
    "Content-Transfer-Encoding: quoted-printable\n",
    "Content-Transfer-Encoding: x-uuencode\n",
    "Content-Transfer-Encoding: binhex\n",
    "Content-Disposition: attachment; filename=../../../evil.sh\n",
    "Content-Disposition: attachment; filename=\"a." . 'x' x 300 . "\"\n",
    "Content-Type: a/b; name=\"/tmp/evil\"\n", "; boundary=b",
    "; boundary=\"\"",
    "; filename*=utf-8''..%2f..%2fevil", "begin 644 ../evil\n", "`\nend\n",
    "(This file must be converted with BinHex 4.0)\n\n:", "\xff\xfe",
    'x' x 2000,
    " \n", "From a\@b\n", "Content-Type:\n", "-- \n",
);

# ---- mutation ----

sub pick (@list) { return $list[ rand @list ] }

sub mutated () {
    my $text = pick(@SEEDS);
    for (1 .. 1 + int rand 6) {
        my $size  = length $text;
        my $at    = int rand($size + 1);
        my $n     = int rand(1 + pick(1, 5, 80, $size - $at));
        my @lines = split /^/, length $text ? $text : "\n";
        my $line  = int rand(@lines || 1);
        pick(
            sub { substr $text,         $at, 1,  chr rand 256 if $at < $size },
            sub { substr $text,         $at, 0,  pick(@WORDS) },
            sub { substr $text,         $at, $n, '' if $at < $size },
            sub { substr $text,         $at, 0,  substr($text, $at, $n) // '' },
            sub { $text = substr $text, 0,   $at },
            sub {
                my $more = pick(@SEEDS);
                $text .= substr $more, rand length $more;
            },
            sub { splice @lines, $line, 1; $text = join '', @lines },
            sub {
                splice @lines, $line, 0, pick(@WORDS);
                $text = join '', @lines;
            },
            sub {
                splice @lines, $line, 0, pick(@lines);
                $text = join '', @lines;
            },
            sub {
                my ($old, $new) = (pick(@lines), pick(@WORDS));
                $text =~ s/\Q$old\E/$new/ if defined $old;
            },
            sub {
                $text
                    =~ s/(boundary="?)[^";\n]*/$1 . pick('b', '', 'm', '=_1')/e;
            },
            sub {
                $text = $TOP . multipart('mixed', pick('b', 'o'), $text, $text);
            },
            sub { $text = "$TOP\n$text" },
        )->();
    }
    return $text;
}

# ---- the filter ----

my (@kept, $rebuilds);

sub filter_begin ($entity) {return}

# Takes no number from the chance of the message, so that it can be a smaller one.
sub filter ($entity, $name, $ext, $type) {
    my $what = int rand 8;
    return action_drop()                             if $what == 0;
    return action_drop_with_warning("dropped $type") if $what == 1;
    return action_replace_with_warning('replaced')   if $what == 2;
    return action_quarantine($entity, 'quarantined')
        if $what == 3 && rand 4 < 1;
    return action_defang($entity, '', '', '') if $what == 4 && rand 4 < 1;
    return action_accept();
}

sub filter_multipart ($entity, $name, $ext, $type) {
    return action_drop() if rand 20 < 1;
    return action_accept();
}

sub filter_end ($entity) {
    action_rebuild() if rand 2 < 1;
    action_add_part($entity, 'text/plain', '-suggest', "added\n", 'x.txt',
        'inline')
        if rand 5 < 1;
    append_text_boilerplate($entity, 'boilerplate', 0) if rand 5 < 1;
    return;
}

sub filter_wrapup ($entity) {
    @kept = leaves($entity);
    return;
}

sub leaves ($entity) {
    no warnings 'recursion';
    my $body = $entity->bodyhandle;
    return map { leaves($_) } $entity->parts if !defined $body;
    my $content = $body->as_string;
    $content =~ s/\s+\z//;
    my $type = lc $entity->mime_type;
    return [ $type, 'BinHex' ]   # which MIME-tools do not write as they read it
        if $entity->head->mime_encoding =~ /hex/;
    return if !length $content && $type eq 'text/plain';    # of no parts, one
    return [ $type, length $content, md5_hex($content) ];
}

# ---- one case ----

sub put ($path, $text) {
    open my $fh, '>:raw', $path or die "$path: $!";
    print {$fh} $text;
    close $fh or die "$path: $!";
    return;
}

sub get ($path) {
    open my $fh, '<:raw', $path or return;
    local $/;
    return scalar <$fh>;
}

sub names ($dir) {
    opendir my $dh, $dir or return;
    my @names = sort grep { !/^\.\.?\z/ } readdir $dh;
    return @names;
}

# What is wrong, or nothing.
sub run_case ($n) {
    srand $opt{seed} * 1_000_003 + $n;
    my $message = mutated();
    my $dir     = "$root/spool/mdefang-1";
    mkdir $dir or die "$dir: $!";
    put("$dir/INPUTMSG", $message);
    my $header = $message =~ /\A(.*?\n)\r?\n/s ? $1 : '';
    put("$dir/HEADERS",  $header =~ s/\r?\n(?=[ \t])//gr);
    put("$dir/COMMANDS", COMMANDS);
    @kept = ();
    init_globals();
    $Mail::MIMEDefang::ServerMode = 0;

    my $log = '';
    my $ok  = do {
        open my $saved, '>&', \*STDERR or die;
        close STDERR;
        open STDERR, '>', "$root/log" or die;
        my $result = eval {
            with_limit(SECONDS, sub { do_scan($dir); 1 });
        };
        open STDERR, '>&', $saved or die;
        $result;
    };
    my @wrong = $ok ? () : "error: $@" =~ s/\s+/ /gr;
    chdir '/';
    push @wrong, strays($dir);
    push @wrong, compare($dir, $message) if $ok && -e "$dir/NEWBODY";
    $rebuilds++ if -e "$dir/NEWBODY";
    if (@wrong && $opt{keep}) {
        mkdir $opt{keep};
        put("$opt{keep}/$n.msg",     $message);
        put("$opt{keep}/$n.results", get("$dir/RESULTS") // '');
        put("$opt{keep}/$n.newbody", get("$dir/NEWBODY") // '');
    }
    remove_tree($dir, glob "$root/quarantine/*");
    return @wrong;
}

# Files where none may be.
sub strays ($dir) {
    my %may = map { $_ => 1 }
        qw(INPUTMSG HEADERS COMMANDS RESULTS NEWBODY Work tmp
        NOTIFICATION ADMIN_NOTIFICATION);
    my @stray = map {"$dir/$_"} grep { !$may{$_} } names($dir);
    push @stray, map {"$dir/Work/$_"}
        grep { !/^msg-\d+-\d+\.[\w.-]+\z/a || -l "$dir/Work/$_" }
        names("$dir/Work");
    push @stray, grep { $_ ne 'mdefang-1' } names("$root/spool");
    push @stray, names("$root/etc"), names("$root/tmp");
    push @stray, grep { !/^(?:etc|log|quarantine|spool|tmp)\z/ } names($root);
    return @stray ? "files: @stray" : ();
}

# The message as it would be delivered: header of INPUTMSG with what RESULTS
# changes in it, NEWBODY.  An MTA has nothing in its header but fields.
sub delivered ($dir, $message) {
    my ($header) = $message =~ /\A(.*?\n)(?:\r?\n|\z)/s;
    $header = '' if $message =~ /\A\r?\n/ || !defined $header;
    my @fields = split /^(?![ \t])/m, $header;
    @fields = grep { /^[!-9;-~]+[ \t]*:/ && !/^content-type[ \t]*:/i } @fields;
    for my $line (split /\n/, get("$dir/RESULTS")) {
        my ($letter, $rest) = $line =~ /^(.)(.*)/s;
        my ($name, $index, $value)
            = map {s/%(..)/chr hex $1/ger} split(' ', $rest, 3), '', '';
        if ($letter eq 'M') {
            push @fields, "Content-Type: $name\n";
        }
        elsif ($letter eq 'I' || $letter eq 'J') {
            @fields = grep { !/^\Q$name\E[ \t]*:/i } @fields;
            push @fields, "$name: " . ($value // '') . "\n" if $letter eq 'I';
        }
    }
    return join('', @fields) . "\n" . get("$dir/NEWBODY");
}

sub compare ($dir, $message) {

    # MIME-tools understand the same field in two ways, before and after.
    return if $message =~ /^content-type:\s*content-type\s*:/mi;
    local $SIG{__WARN__} = sub { };    # MIME-tools carp about what is odd
    my $parser = builtin_create_parser();
    $parser->extract_uuencode(0);
    $parser->output_to_core(1);
    $parser->tmp_to_core(1);
    my $text   = delivered($dir, $message);
    my $entity = eval { $parser->parse_data($text) }
        or return "does not parse: $@";
    my @got  = leaves($entity);
    my $got  = join "\n", map {"@$_"} @got;
    my $want = join "\n", map {"@$_"} @kept;
    return $got eq $want ? () : "parts differ:\n want\n$want\n got\n$got";
}

take_signals();
my ($failed, $began) = (0, time);
for my $n (defined $opt{case} ? $opt{case} : 1 .. $opt{count}) {
    my @wrong = run_case($n) or next;
    if (++$failed <= MAX_SHOWN) {
        say "case $n: $_" for @wrong;
        say
            "again: $here/bridge-mutate.pl --seed $opt{seed} --case $n --keep DIR";
    }
}
say sprintf '%d messages, %d rebuilt, %d failed, %d s',
    defined $opt{case} ? 1 : $opt{count}, $rebuilds // 0, $failed,
    time - $began;
exit($failed ? 1 : 0);
