# SPDX-License-Identifier: MIT
#
# The virus scanners, one row each, in the order in which they are asked.  Only
# data, and all of it text: every worker loads this for the names and %Features.
#
#   name     of the functions: message_contains_virus_NAME and so on
#   feature  Virus:FEATURE in %Features: the program, or 0
#   program  searched for that feature; none: only a filter can switch it on
#   kind     command, or the protocol of a daemon
#   unless   the feature of a scanner that does the same better
#   another  today this is the name of another program: not searched
#   needs, instead   only searched if that file exists, and that program does not
#
# Of a daemon:
#   address  the variable with its address, and default, its initial value
#
# Of a command, spec:virus-commands:
#   args     its arguments.  {item} is the part's file, or ./Work; {abs} the same
#            as an absolute path; {files} each file of Work; {cwd}; {conf}
#   message  the arguments for a whole message, if they are others
#   lines    which lines of its output matter; default all
#   codes    what an exit code means; any other is an error
#   virus    patterns of the name in these lines, the first that matches counts
#   unknown  the name if none does
#   called   names that an exit code stands for
#   renamed  names that are written otherwise
#   bits     instead of codes: the first whose bits are in the exit code
#   zero     an exit code that the function returns as 0
#   daemon   the arguments if the program is a daemon's client (kavdaemon)

package Mail::MIMEDefang::Antivirus::Table;
use v5.36;
use Exporter 'import';

our @EXPORT_OK = qw(@SCANNERS scanner_functions);

my @CLAM = (
    codes   => 'ok 0, virus 1',
    virus   => [': (.+?) FOUND$'],
    unknown => 'unknown-Clamav-virus',
);
my $KASPERSKY = 'ok 0 5 6, interrupted 1, virus 2 4, suspicious 3 8, swerr 7';
my $INFECTED  = 'infec\w*: (\S+)';
my @SOPHOS    = (
    lines => '>>> Virus|Password|Could not check',
    codes => 'ok 0 2, interrupted 1, virus 3',
    zero  => 2,
    virus => [q{>>> Virus '([^']+)'}],
);

our @SCANNERS = (
    {
        name    => 'clamd',
        feature => 'CLAMD',
        program => 'clamd',
        kind    => 'clamd',
        address => 'ClamdSock',
        default => '{spool}/clamd.sock',
    },
    {
        name    => 'clamdscan',
        feature => 'CLAMDSCAN',
        program => 'clamdscan',
        needs   => 'Path:CLAMDCONF',
        instead => 'clamd',
        args    => '-c {conf} --no-summary --infected --fdpass --stream {item}',
        @CLAM,
    },
    {
        name    => 'sophie',
        feature => 'SOPHIE',
        program => 'sophie',
        kind    => 'sophie',
        address => 'SophieSock',
        default => '{spool}/sophie',
    },
    {
        name    => 'trophie',
        feature => 'TROPHIE',
        program => 'trophie',
        kind    => 'sophie',
        address => 'TrophieSock',
        default => '{spool}/trophie',
    },
    {
        name    => 'carrier_scan',
        feature => 'SymantecCSS',
        kind    => 'carrier_scan',
        address => 'CSSHost',
        default => '127.0.0.1:7777:local',
    },
    {
        name    => 'fprotd',
        feature => 'FPROTD',
        kind    => 'fprotd',
        address => 'FprotdHost',
        default => '127.0.0.1:10200',
    },
    {
        name    => 'fprotd_v6',
        feature => 'FPROTD6',
        kind    => 'fprotd_v6',
        address => 'Fprotd6Host',
        default => '127.0.0.1:10200',
    },
    {
        name    => 'avp5',
        feature => 'AVP5',
        program => 'aveclient',
        args    => '-s -p /var/run/aveserver {item}',
        message => '-s -p /var/run/aveserver {files}',
        lines   => 'INFECTED',
        codes   => $KASPERSKY,
        virus   => ['INFECTED (\S+)'],
        unknown => 'unknown-AVP5-virus',
    },
    {
        name    => 'kavscanner',
        feature => 'KAVSCANNER',
        program => 'kavscanner',
        args    => '-e PASBME -o syslog -i0 {item}',
        message => '-e PASBME -o syslog -i0 {files}',
        lines   => 'INFECTED',
        codes   => 'ok 0 5 10, suspicious 9 20, virus 21 25',
        virus   => ['INFECTED (\S+)'],
        unknown => 'unknown-kavscanner-virus',
        called  => { 9 => 'kavscanner-password-protected-zip' },
    },
    {
        name    => 'clamav',
        feature => 'CLAMAV',
        program => 'clamscan',
        unless  => 'CLAMD',
        args    => '--stdout --no-summary --infected {item}',
        message => '-r --stdout --no-summary --infected {item}',
        @CLAM,
    },
    {
        name    => 'avp',
        feature => 'AVP',
        program => 'AvpLinux',
        args    => '-Y -O- -K -I0 {item}',
        daemon  => '{cwd} -o{{abs}} -dl -Y -O- -K -I0 -WU={cwd}/DAEMON.RPT',
        lines   => 'infected',
        codes   => $KASPERSKY,
        virus   => ['infected: (\S+)'],
        unknown => 'unknown-AVP-virus',
    },
    {
        name    => 'nai',
        feature => 'NAI',
        program => 'uvscan',
        args    => '--mime --noboot --secure --allole {item}',
        lines   => 'Found',
        codes   => 'ok 0, virus 13, swerr 2 6 8 12 19, interrupted 102',
        virus   => [
            'Found the (EICAR test file)',
            'Found the (\S+)(?: .*)? virus',
            'Found the (\S+) trojan',
            'or variant (\S+)',
        ],
        unknown => 'unknown-NAI-virus',
        renamed => { 'EICAR test file' => 'EICAR-Test' },
    },
    {
        name    => 'fprot',
        feature => 'FPROT',
        program => 'f-prot',
        unless  => 'FPROTD',
        args    => '-DUMB -ARCHIVE -PACKED {item}',
        codes   => 'ok 0 8, virus 3, swerr 1 2 4 5 6 7',
        virus   => ['Infection: (\S+)'],
        unknown => 'unknown-FPROT-virus',
    },
    {
        name    => 'fpscan',
        feature => 'FPSCAN',
        program => 'fpscan',
        unless  => 'FPROTD6',
        args    => '--report --archive=5 --scanlevel=4 --heurlevel=3 {item}',
        bits    => 'virus 0x01, swerr 0xfc, ok 0x02',
        virus   => ['\[Found [^\]]*\] <([^ \t(>]+)'],
        unknown => 'unknown-FPSCAN-virus',
    },
    {
        name    => 'csav',
        feature => 'CSAV',
        program => 'csav',
        args    => '{item}',
        codes => 'ok 50, virus 51 53, suspicious 52, interrupted 5, swerr 101',
        virus => [$INFECTED],
        unknown => 'unknown-CSAV-virus',
        called  => { 53 => 'unknown-CSAV-virus disinfected' },
    },
    {
        name    => 'fsav',
        feature => 'FSAV',
        program => 'fsav',
        args    => '--dumb --mime {item}',
        codes   => 'ok 0, virus 3 6, suspicious 8, interrupted 5, swerr 1 2 7',
        virus   => [$INFECTED],
        unknown => 'unknown-FSAV-virus',
    },
    {
        name    => 'hbedv',
        feature => 'HBEDV',
        program => 'antivir',
        args    => '--allfiles -z -rs {item}',
        lines   => '!Virus!|>>>|VIRUS:|ALERT:',
        codes   => 'ok 0, virus 1 2 3',
        virus   => [
            'ALERT: \[([^\]\s]+)',
            '!Virus! \S+ (\S+)',
            q{code of the virus '([^']+)'},
        ],
        unknown => 'unknown-HBEDV-virus',
    },
    {
        name    => 'bdc',
        feature => 'BDC',
        program => 'bdc',
        args    => '{abs} --mail',
        message => '{abs} --mail --arc',
        codes   => 'ok 0, virus 1',
        virus   => ['(?:suspected|infected): (\S+)'],
        unknown => 'unknown-BDC-virus',
    },
    {
        name    => 'nvcc',
        feature => 'NVCC',
        program => 'nvcc',
        another => 1,
        args    => '-u -c {item}',
        message => '-u -c -s {item}',
        codes   => 'ok 0, virus 1 2 14, suspicious 11',
        virus   => [q{Possible virus.*['"]([^'"\s]+)['"]\s*$}],
        unknown => 'unknown-NVCC-virus',
        called  => { 11 => 'NVCC-suspicious-code-11' },
    },
    {
        name    => 'vexira',
        feature => 'VEXIRA',
        program => 'vascan',
        args    => '-qqq --log=/dev/null --all-files -as {item}',
        lines   => ': (?:virus|iworm|macro|mutant|sequence|trojan) ',
        codes   => 'ok 0 9, virus 1 2, suspicious 3 5',
        virus   => [': (?:virus|iworm|macro|mutant|sequence|trojan) (\S+)'],
        unknown => 'unknown-Vexira-virus',
        called  => {
            3 => 'vexira-password-protected-zip',
            5 => 'vexira-password-protected-zip',
        },
    },
    {
        name    => 'sophos',
        feature => 'SOPHOS',
        program => 'sweep',
        unless  => 'SOPHIE',
        args    => '-f -mime -all -archive -ss {item}',
        @SOPHOS,
        unknown   => 'unknown-Sweep-virus',
        interpret => 'sweep',
    },
    {
        name    => 'savscan',
        feature => 'SAVSCAN',
        program => 'savscan',
        args    => '-f -mime -all -cab -oe -tnef -archive -ss {item}',
        @SOPHOS,
        unknown => 'unknown-Savscan-virus',
    },
    {
        name    => 'trend',
        feature => 'TREND',
        program => 'vscan',
        unless  => 'TROPHIE',
        args    => '-za -a {item}',
        message => '-za -a {files}',
        lines   => 'Found ',
        codes   => 'ok 0, virus 1 2 3 4 5 6 7 8 9',
        virus   => ['\*\*\* Found virus (\S+)'],
        unknown => 'unknown-Trend-virus',
    },
    {
        name    => 'nod32',
        feature => 'NOD32',
        program => 'nod32cli',
        args    => '--subdir {item}',
        lines   => 'virus="',
        codes   => 'ok 0, virus 1 2',
        virus   => ['virus="([^"]+)"'],
        unknown => 'unknown-NOD32-virus',
    },
);
$_->{kind} //= 'command' for @SCANNERS;

# What Mail::MIMEDefang::Antivirus exports.
sub scanner_functions () {
    return (
        qw(message_contains_virus entity_contains_virus run_virus_scanner
            initialize_virus_scanner_routines scan_file_using_carrier_scan
            scan_file_using_fprotd_v6 item_contains_virus_fprotd),
        map {
            my $code = $_->{interpret} // $_->{name};
            (
                "message_contains_virus_$_->{name}",
                "entity_contains_virus_$_->{name}",
                ("interpret_${code}_code") x ($_->{kind} eq 'command')
            )
        } @SCANNERS
    );
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Antivirus::Table - the virus scanners

=head1 FUNCTIONS

=head2 scanner_functions()

The names of all functions of L<Mail::MIMEDefang::Antivirus>.

=cut
