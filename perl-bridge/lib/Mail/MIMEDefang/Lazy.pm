# SPDX-License-Identifier: MIT
#
# Functions that filters may call without asking, whose modules are loaded when
# the first of them is called: a worker that uses none pays for none.  A stub is
# an ordinary function, so that "defined &name", \&name and redefinition by the
# filter work; after the first call the real function stands in its place.
#
# A module that cannot be loaded ends the callback that needed it with the
# reason; the next call tries again.

package Mail::MIMEDefang::Lazy;
use v5.36;

our $AUTOLOAD;    # Perl sets the one of the package where the code was written

my %stubs;        # module -> [ place of the stub, its code ]

# use Mail::MIMEDefang::Lazy 'Some::Module' => [qw(function ...)], ...;
sub import ($class, %names) {
    my $into = caller;
    for my $module (keys %names) {
        _offer($module, $_, "${into}::$_") for @{ $names{$module} };
        _offer_prefixed($module);
    }
    return;
}

sub _offer ($module, $name, $place) {
    my $stub = sub {
        load_module($module);
        goto &{ _function($module, $name) };
    };
    push @{ $stubs{$module} }, [ $place, $stub ];
    no strict 'refs';
    *{$place} = $stub if !defined &{$place};
    return;
}

# Filters also call Some::Module::function, and functions that are not exported.
sub _offer_prefixed ($module) {
    my $autoload = "${module}::AUTOLOAD";
    no strict 'refs';
    return if defined &{$autoload} || _is_loaded($module);
    *{$autoload} = sub {
        my $name = $AUTOLOAD =~ s/.*:://sr;
        return if $name =~ /^(?:(?:un)?import|DESTROY)\z/;
        load_module($module);
        goto &{ _function($module, $name) };
    };
    return;
}

sub _file ($module) {
    return $module =~ s{::}{/}gr . '.pm';
}

sub _is_loaded ($module) {
    return defined $INC{ _file($module) };
}

sub _function ($module, $name) {
    no strict 'refs';
    return \&{"${module}::$name"} if defined &{"${module}::$name"};
    die "Undefined function ${module}::$name called\n";
}

sub load_module ($module) {
    {
        local ($/, $\, $,) = ("\n", undef, undef);
        require(_file($module));
    }
    for my $entry (@{ delete $stubs{$module} // [] }) {
        my ($place, $stub) = @{$entry};
        my $name = $place =~ s/.*:://sr;
        no strict 'refs';
        no warnings 'redefine';
        *{$place} = _function($module, $name)
            if defined &{$place} && \&{$place} == $stub;
    }
    return;
}

sub load_mentioned ($text) {
    for my $module (sort keys %stubs) {
        my $names = join '|',
            map { quotemeta $_->[0] =~ s/.*:://sr } @{ $stubs{$module} };
        next if $text !~ /\b(?:\Q$module\E|$names)\b/;
        eval { load_module($module); 1 }       or next;   # its caller hears why
        my $more = $module->can('before_fork') or next;
        eval { $more->($text); 1 }             or print {*STDERR} "$module: $@";
    }
    return;
}

# What a module would load at its first call.
sub preload () {
    for my $file (sort grep {m{^Mail/MIMEDefang/}} keys %INC) {
        my $module  = $file =~ s{/}{::}gr =~ s{\.pm\z}{}r;
        my $preload = $module->can('preload');
        eval { $preload->() } if $preload && $module ne __PACKAGE__;
    }
    return;
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Lazy - functions that load their module when called

=head1 SYNOPSIS

    use Mail::MIMEDefang::Lazy
        'Mail::MIMEDefang::Net' => [qw(relay_is_blacklisted md_dns_txt)];

=head1 DESCRIPTION

Defines each name in the package that says so, in such a way that the module is
loaded when one of them is called. A function that is there already stays. What
the module itself offers is found under its full name too
(C<Mail::MIMEDefang::Net::get_ptr_record>), exported or not. C<use> of such a
module by a filter loads and imports it as usual.

The functions must not have prototypes: code is compiled before the module is
loaded.

=head1 FUNCTIONS

=head2 load_module(MODULE)

Loads it and puts its functions in the place of their stubs, other than those
that the filter has replaced. Dies with Perl's message if it cannot be loaded.

=head2 load_mentioned(TEXT)

Loads each module if TEXT, the source of a filter, has its name or one of its
functions'; for a process that forks workers. One that cannot be loaded is left
to its first call. A function C<before_fork> of the module gets TEXT and does what
is worth doing once for all workers.

=head2 preload()

Calls C<preload> of each module of the family that is loaded and has it: for a process
that forks workers, so that they share what each would load at its first call.

=cut
