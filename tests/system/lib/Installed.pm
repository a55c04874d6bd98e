# SPDX-License-Identifier: MIT
package Installed;

# What `make install` makes, below a directory of this test.

use v5.36;
use Exporter   qw(import);
use Harness    qw(top temp_dir run_program);
use Test::More ();

our @EXPORT_OK = qw(install_tree tool);

=head1 FUNCTIONS

=head2 install_tree(@variables)

Installs below a directory, with PREFIX=/usr and these variables of make, and
returns that.  Skips the whole test where there are other programs than those that
are installed.

=head2 tool($name)

The path of a program of this host, undef if there is none.

=cut

sub install_tree (@variables) {
    Test::More::plan(
        skip_all => 'sanitizers and coverage are not for installing')
        if ($ENV{BIN} // 'build/bin') ne 'build/bin';
    my $root = temp_dir() . '/root';
    delete local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MODE PKG_CONFIG_PATH)};
    my ($status, $out, $errors) = run_program(120, tool('gmake') // 'make',
        '-s',            '-C',          top(), 'install',
        "DESTDIR=$root", 'PREFIX=/usr', @variables);
    die "make install: status $status\n$out$errors\n" if $status;
    return $root;
}

sub tool ($name) {
    return (grep {-x} map {"$_/$name"} split(/:/, $ENV{PATH}),
        qw(/usr/sbin /sbin))[0];
}

1;
