# SPDX-License-Identifier: MIT
# Where everything goes: `make install`, and Debian packages of that.
# PREFIX, DESTDIR and the following are yours to set.  Files in SYSCONFDIR are
# left alone where they exist.

LIBDIR     ?= $(PREFIX)/lib
SYSCONFDIR ?= /etc
UNITDIR    ?= $(PREFIX)/lib/systemd/system
SYSTEM     ?= $(shell uname -s)
DOCDIR     := $(PREFIX)/share/doc/sallyport
LIBEXECDIR := $(PREFIX)/lib/sallyport
PERLDIR    := $(PREFIX)/share/perl5
D          := $(DESTDIR)

# Paths in what is installed.
FILL := sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@LIBDIR@|$(LIBDIR:$(PREFIX)%=$${prefix}%)|g' \
        -e 's|@VERSION@|$(VERSION)|g' -e 's|@SPOOLDIR@|$(SPOOLDIR)|g' \
        -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' -e 's|@DOCDIR@|$(DOCDIR)|g' \
        -e 's|@LIBEXECDIR@|$(LIBEXECDIR)|g'
GLOBALS := Mail/MIMEDefang/Globals.pm
UNITS   := $(patsubst service/%.in,%,$(wildcard service/*.service.in service/*.socket.in))

install: install-library install-programs install-docs \
  install-service-$(if $(filter FreeBSD,$(SYSTEM)),rc,systemd) ## DESTDIR and PREFIX are honoured
.PHONY: install-library install-programs install-docs install-service \
  install-service-systemd install-service-rc

install-library: all man
	install -d $(D)$(LIBDIR)/pkgconfig $(D)$(PREFIX)/include
	install -m 644 milterproto/include/* $(D)$(PREFIX)/include/
	install -m 644 $(LIB)/libmilterproto.a $(D)$(LIBDIR)/
	install -m 644 $(LIB)/libmilterproto.so \
	  $(D)$(LIBDIR)/libmilterproto.so.$(VERSION)
	ln -sf libmilterproto.so.$(VERSION) $(D)$(LIBDIR)/libmilterproto.so.0
	ln -sf libmilterproto.so.0 $(D)$(LIBDIR)/libmilterproto.so
	$(FILL) milterproto/milterproto.pc.in > $(D)$(LIBDIR)/pkgconfig/milterproto.pc

install-programs: all
	install -d $(D)$(PREFIX)/bin $(D)$(PERLDIR)
	install -m 755 $(PROGRAMS:%=$(BIN)/%) $(PERL_PROGRAMS:%=perl-bridge/bin/%) \
	  $(D)$(PREFIX)/bin/
	cp -R perl-bridge/lib/. $(D)$(PERLDIR)/
	sed -e "s|'/var/spool/MIMEDefang'|'$(SPOOLDIR)'|" \
	  -e "s|'/var/spool/MD-Quarantine'|'$(QUARANTINEDIR)'|" \
	  perl-bridge/lib/$(GLOBALS) > $(D)$(PERLDIR)/$(GLOBALS)
	$(if $(FAST),install -D -m 644 $(FAST) $(D)$(LIBEXECDIR)/perl/$(FAST_SO))

install-docs: man
	install -d $(D)$(DOCDIR)/examples/filters $(D)$(DOCDIR)/examples/rc.d
	install -m 644 README.md docs/*.md $(D)$(DOCDIR)/
	install -m 644 $(filter-out %/filters %/rc.d,$(wildcard docs/examples/*)) \
	  $(D)$(DOCDIR)/examples/
	install -m 644 docs/examples/filters/* $(D)$(DOCDIR)/examples/filters/
	install -m 755 docs/examples/rc.d/* $(D)$(DOCDIR)/examples/rc.d/
	install -D -m 644 docs/examples/md-mx-ctrl.bash \
	  $(D)$(PREFIX)/share/bash-completion/completions/md-mx-ctrl
	$(foreach p,$(MAN_PAGES),install -D -m 644 $(p) \
	  $(D)$(PREFIX)/share/man/man$(subst .,,$(suffix $(p)))/$(notdir $(p)) &&) :

# What starts the daemons, and what they begin with.
install-service:
	install -d $(D)$(LIBEXECDIR) $(D)$(PREFIX)/share/mimedefang
	install -m 755 service/run-daemon $(D)$(LIBEXECDIR)/
	install -m 644 service/mimedefang.conf docs/examples/mimedefang-filter \
	  $(D)$(PREFIX)/share/mimedefang/

# to: a file of SYSCONFDIR that the administrator may have changed
keep = install -d $(D)$(dir $(2)) && { test -e $(D)$(2) || install -m 644 $(1) $(D)$(2); }

install-service-systemd: install-service
	install -d $(D)$(UNITDIR)
	$(foreach u,$(UNITS),$(FILL) service/$(u).in > $(D)$(UNITDIR)/$(u) &&) :
	install -D -m 644 service/sysusers.conf $(D)$(PREFIX)/lib/sysusers.d/sallyport.conf
	install -D -m 644 service/tmpfiles.conf $(D)$(PREFIX)/lib/tmpfiles.d/sallyport.conf
	$(call keep,service/logrotate,$(SYSCONFDIR)/logrotate.d/mimedefang)
	$(call keep,service/apparmor,$(SYSCONFDIR)/apparmor.d/mimedefang)

install-service-rc: install-service
	install -d $(D)$(PREFIX)/etc/rc.d
	install -m 755 docs/examples/rc.d/* $(D)$(PREFIX)/etc/rc.d/

# ---- Debian packages of that -------------------------------------------------
DEPS_DEB := build-essential debhelper dh-apparmor pkg-config libevent-dev \
            libperl-dev libcmocka-dev
DEPS_PACKAGES := $(DEPS_DEB) lintian debootstrap apparmor systemd

.PHONY: deb check-packages
deb: ## Debian packages of what git has, in build/deb
	@tests/install-packages $(DEPS_DEB)
	@debian/build-packages build/deb
check-packages: ## they replace Debian's mimedefang, in a chroot; as root, takes minutes
	@tests/install-packages $(DEPS_PACKAGES)
	@$(MAKE) -s deb
	@TEST_SECONDS=1800 $(RUN_TESTS) --name packages $(wildcard tests/packages/*.t)
