# SPDX-License-Identifier: MIT
# Sallyport: all rules.  `make help` lists the targets.
# CC CFLAGS CPPFLAGS LDFLAGS are yours; ours are the variables below.

VERSION   := 0.1.0
MODE      ?= release
PREFIX    ?= /usr
DESTDIR   ?=
SPOOLDIR  ?= /var/spool/MIMEDefang
QUARANTINEDIR ?= /var/spool/MD-Quarantine
export PEER_ROOT ?= build/peers
export MTA_ROOT  ?= build/mta
FUZZ_SECONDS ?= 30
T         ?=

# ---- packages: the one list ------------------------------------------------
DEPS_RUN   := gcc libc6-dev pkg-config libevent-dev perl libmime-tools-perl
DEPS_CHECK := libcmocka-dev clang libclang-rt-14-dev clang-format cppcheck \
              libperl-critic-perl perltidy mandoc postfix \
              libarchive-zip-perl libdbd-sqlite3-perl g++ tshark \
              libnet-dns-perl libhtml-parser-perl libio-socket-ssl-perl \
              libmail-dkim-perl libmail-spf-perl spamassassin publicsuffix \
              libwww-perl liblwp-protocol-https-perl libjson-perl \
              libperl-dev \
              libcrypt-openssl-x509-perl libarchive-tools 7zip lzip zstd \
              iproute2 m4 libdb5.3 libldap-2.5-0 liblockfile1 libnsl2 libsasl2-2 \
              libsasl2-modules libwrap0 apparmor systemd
DEPS_PEERS := libmilter-dev libmilter1.0.1 libperl5.36 libmime-tools-perl \
              libio-stringy-perl libmailtools-perl libunix-syslog-perl \
              clamav-daemon clamav clamdscan spamd spamc rspamd \
              redis-server libredis-perl postgresql libdbd-pg-perl \
              opendkim openssl spamass-milter clamav-milter python3-milter
# not installed but unpacked, in MTA_ROOT and PEER_ROOT: they conflict with
# those above
MTA_UNPACKED   := sendmail-bin sendmail-base sendmail-cf
PEERS_UNPACKED := mimedefang
DEPS_COVERAGE := gcovr libdevel-cover-perl
DEPS_AFL   := afl++
DEPS_DOCS  := lowdown mandoc

# ---- where things go: objects of different modes never mix ----------------
OUT := $(if $(filter release,$(MODE)),build,build/$(MODE))
OBJ := $(OUT)/obj
BIN := $(OUT)/bin
LIB := $(OUT)/lib
TST := $(OUT)/test

# ---- flags -----------------------------------------------------------------
STD   := -std=c11 -D_GNU_SOURCE
WARN  := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
         -Wmissing-prototypes -Wvla -Wswitch-enum -Wformat=2
INC   := -I. -Imilterproto/include
DEFS  := -DMD_VERSION='"$(VERSION)"' -DMD_SPOOLDIR='"$(SPOOLDIR)"' \
         -DMD_WORKER_PATH='"$(PREFIX)/bin/mimedefang.pl"' \
         -DMD_LIBEXECDIR='"$(PREFIX)/lib/sallyport"'
HARD  := -fstack-protector-strong -D_FORTIFY_SOURCE=2
OPT   := -O2 -g
EXTRA :=
ifeq ($(MODE),asan)
OPT   := -O1 -g -fno-omit-frame-pointer
HARD  := -fsanitize=address,undefined -fno-sanitize-recover=all
EXTRA := -fsanitize=address,undefined
endif
ifeq ($(MODE),coverage)
OPT   := -O0 -g --coverage
HARD  :=
EXTRA := --coverage
endif
ifeq ($(MODE),fuzz)
CC    := clang
OPT   := -O1 -g
HARD  := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
EXTRA := -fsanitize=address,undefined
endif
ifeq ($(MODE),afl)
CC    := afl-clang-fast
OPT   := -O1 -g
HARD  := -fsanitize=address,undefined -fno-sanitize-recover=all
EXTRA := -fsanitize=address,undefined
endif
WERROR := $(if $(CI),-Werror)
ALL_CFLAGS  = $(STD) $(OPT) $(HARD) -fPIC $(WARN) $(WERROR) $(INC) $(DEFS) \
              $(EVENT_CFLAGS) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(EXTRA) -Wl,-z,relro,-z,now $(LDFLAGS)
EVENT_CFLAGS := $(shell pkg-config --cflags libevent_core 2>/dev/null)
EVENT_LIBS   := $(shell pkg-config --libs libevent_core 2>/dev/null || \
                  echo -levent_core)

# ---- files -----------------------------------------------------------------
LIBS := milterproto base frontend multiplexor cli check support
DIR_milterproto := milterproto
DIR_base        := core/base
DIR_frontend    := core/frontend
DIR_multiplexor := multiplexor
DIR_cli         := cli
DIR_check       := cli/check
DIR_support     := tests/support
# The bridge's module in C: where Perl's headers (libperl-dev) are, and not with
# sanitizers, which Perl has not.
PERL_CORE := $(shell perl -MConfig -e 'print "$$Config{archlibexp}/CORE"' 2>/dev/null)
FAST_SO   := auto/Mail/MIMEDefang/Fast/Fast.so
FAST      := $(if $(filter release clang,$(MODE)),$(if \
               $(wildcard $(PERL_CORE)/perl.h),$(OUT)/perl/$(FAST_SO)))
PROGRAMS  := mimedefang mimedefang-multiplexor md-mx-ctrl milter-check
TESTS     := $(wildcard tests/*/test_*.c)
FUZZERS   := $(wildcard fuzz/fuzz_*.c)
EXAMPLES  := $(patsubst docs/%.c,$(OUT)/%,$(wildcard docs/examples/*.c))
BENCHES   := $(patsubst tests/%.c,$(TST)/%,$(filter-out tests/bench/peer_%,$(wildcard tests/bench/*.c)))
PEERS     := $(patsubst tests/%.c,$(TST)/%,$(wildcard tests/bench/peer_*.c))
PERL_MODULES := $(shell find perl-bridge/lib -name '*.pm')
PERL_TESTS := $(wildcard perl-bridge/t/*.t)
SYSTEM_TESTS := $(wildcard tests/system/*.t)
CONFORMANCE_TESTS := $(wildcard tests/conformance/*.t)
MTA_TESTS := $(wildcard tests/mta/*.t)
PEER_TESTS := $(wildcard tests/peers/*.t)
C_FILES   := $(wildcard milterproto/*.[ch] milterproto/*/*.[ch] core/*/*.[ch] \
               multiplexor/*.[ch] cli/*.[ch] cli/*/*.[ch] tests/*/*.[ch] fuzz/*.[ch] \
               perl-bridge/xs/*.[ch] \
               docs/examples/*.[ch])
PERL_PROGRAMS := mimedefang.pl mimedefang-test-mail mimedefang-util \
             mimedefang-release
POD_PAGES := $(patsubst %,$(OUT)/man/%.8,$(filter mimedefang-%,$(PERL_PROGRAMS)))
MAN_PAGES := $(patsubst docs/%.in,$(OUT)/%,$(wildcard docs/man/*.in)) $(POD_PAGES)

obj = $(patsubst %.c,$(OBJ)/%.o,$(1))
src = $(filter-out $(PROGRAMS:%=cli/%.c),$(wildcard $(DIR_$(1))/*.c))
# in link order
STATIC := $(foreach l,check cli frontend multiplexor milterproto base,$(LIB)/lib$(l).a)
# of a test's own folder name: T=core runs tests/core, T=core/test_pct one
TEST_BINS := $(TESTS:tests/%.c=$(TST)/%)
PICKED    := $(if $(T),$(filter $(TST)/$(T) $(TST)/$(T)/%,$(TEST_BINS)),$(TEST_BINS))

.DEFAULT_GOAL := all
.SECONDEXPANSION:
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps deps-run deps-peers run check check-unit check-perl check-seeds \
  check-system check-conformance check-mta check-mta-part check-sustained check-peers matrix unit asan lint format format-check bench \
  generate check-generated \
  coverage coverage-run coverage-perl fuzz fuzz-afl fuzz-bridge fuzz-build man docs install help clean

all: $(STATIC) $(LIB)/libmilterproto.so $(PROGRAMS:%=$(BIN)/%) $(EXAMPLES) $(FAST) ## libraries, programs and examples

# ---- building ---------------------------------------------------------------
$(OBJ)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

define library
$(LIB)/lib$(1).a: $(call obj,$(call src,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(AR) rcs $$@ $$^
endef
$(foreach l,$(LIBS),$(eval $(call library,$(l))))

$(LIB)/libmilterproto.so: $(call obj,$(call src,milterproto)) milterproto/libmilterproto.map
	@mkdir -p $(@D)
	$(CC) -shared -Wl,-soname,libmilterproto.so.0 \
	  -Wl,--version-script=milterproto/libmilterproto.map $(ALL_LDFLAGS) \
	  -o $@ $(filter %.o,$^) $(EVENT_LIBS)

$(BIN)/%: $(OBJ)/cli/%.o $(STATIC)
	@mkdir -p $(@D)
	$(CC) -pie $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(STATIC) $(EVENT_LIBS)

$(OBJ)/perl-bridge/xs/Fast.o: perl-bridge/xs/Fast.xs $(wildcard perl-bridge/xs/*.h)
	@mkdir -p $(@D)
	xsubpp -noprototypes $< > $(@:.o=.c)
	$(CC) $$(perl -MConfig -e 'print $$Config{ccflags}') $(OPT) $(HARD) -fPIC \
	  -Wall -Wextra $(WERROR) -DVERSION='"3"' -DXS_VERSION='"3"' \
	  -Iperl-bridge/xs -isystem $(PERL_CORE) -c -o $@ $(@:.o=.c)
$(OUT)/perl/$(FAST_SO): $(OBJ)/perl-bridge/xs/Fast.o $(call obj,$(wildcard perl-bridge/xs/*.c))
	@mkdir -p $(@D)
	$(CC) -shared $(ALL_LDFLAGS) -o $@ $^

# Tests may make malloc fail (tests/support/failmalloc.h).
$(TST)/%: $(OBJ)/tests/%.o $(LIB)/libsupport.a $(STATIC)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,-u,__wrap_malloc \
	  -o $@ $< $(LIB)/libsupport.a $(STATIC) $(LIB)/libsupport.a \
	  -lcmocka $(EVENT_LIBS)

# As an author of a filter would build it.
$(OUT)/examples/%: $(OBJ)/docs/examples/%.o $(LIB)/libmilterproto.a
	@mkdir -p $(@D)
	$(CC) -pie $(ALL_LDFLAGS) -o $@ $^ $(EVENT_LIBS)

# Peers that are wrong, with which milter-check is tested.
BROKEN := $(TST)/conformance/broken_filter
$(BROKEN): $(TST)/%: $(OBJ)/tests/%.o $(STATIC)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(STATIC) $(EVENT_LIBS)

# Benchmarks; a peer_ links Debian's libmilter, which nothing else of ours does.
$(BENCHES): $(TST)/%: $(OBJ)/tests/%.o $(STATIC)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(STATIC) $(EVENT_LIBS)
$(PEERS): $(TST)/%: $(OBJ)/tests/%.o
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $< -lmilter -lpthread

# The MTA that milter-check is tested with.
BROKEN_MTA := $(TST)/conformance/broken_mta
$(BROKEN_MTA): $(call obj,$(wildcard tests/conformance/broken_mta*.c)) $(STATIC)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(STATIC) $(EVENT_LIBS)

# A replay of seeds needs no fuzzing engine; libFuzzer links the same objects.
$(TST)/replay/%: $(OBJ)/fuzz/%.o $(OBJ)/fuzz/standalone.o $(STATIC)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(STATIC) $(EVENT_LIBS)
$(TST)/fuzz/%: $(OBJ)/fuzz/%.o $(STATIC)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $< $(STATIC) $(EVENT_LIBS)

-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)

# ---- the two commands --------------------------------------------------------
deps-run: ## install what `make run` needs
	@tests/install-packages $(DEPS_RUN)
deps: ## install what `make check` needs (Debian packages)
	@tests/install-packages $(DEPS_RUN) $(DEPS_CHECK)
	@tests/install-peers $(MTA_ROOT) $(MTA_UNPACKED)
deps-peers: ## install optional peers for check-peers and bench
	@tests/install-packages $(DEPS_PEERS)
	@tests/install-peers $(PEER_ROOT) $(PEERS_UNPACKED)

run: deps-run ## serve on inet:10025@127.0.0.1 with the sample filter
	@$(MAKE) -s all
	@exec cli/run-sample

check: deps ## all tests
	@$(MAKE) -s all check-unit check-perl check-seeds check-system check-conformance check-mta-part

# ---- tests -------------------------------------------------------------------
RUN_TESTS := tests/run
unit: $(PICKED) ## C tests; T=folder or T=folder/test_name
	@$(RUN_TESTS) $(PICKED)
check-unit: $(TEST_BINS)
	@$(RUN_TESTS) --name unit $(TEST_BINS)
check-perl:
	@$(RUN_TESTS) --name perl -j 2 $(PERL_TESTS)
check-seeds: $(FUZZERS:fuzz/%.c=$(TST)/replay/%)
	@tests/run-seeds $^
check-system: all
	@BIN=$(BIN) $(RUN_TESTS) --name system $(SYSTEM_TESTS)
check-conformance: all $(BROKEN) $(BROKEN_MTA) ## milter-check, and by it our own filters
	@BIN=$(BIN) TST=$(TST) TEST_SECONDS=290 $(RUN_TESTS) --name conformance $(CONFORMANCE_TESTS)
# CASES=REGEX: those with such a name
export CASES ?=
check-mta: all ## a real Postfix and a real Sendmail before the daemon, all cases; a table
	@rm -rf $(OUT)/mta-table && mkdir -p $(OUT)/mta-table
	@BIN=$(BIN) MTA_TABLE=$(OUT)/mta-table TEST_SECONDS=600 \
	  $(RUN_TESTS) --name mta $(MTA_TESTS); status=$$?; \
	  tests/mta/show-table $(OUT)/mta-table $(OUT)/mta-table.txt; exit $$status
check-mta-part: all ## ten cases of it
	@BIN=$(BIN) PART=1 $(RUN_TESTS) --name mta-part \
	  $(filter %/postfix.t %/sendmail.t %/ledger.t,$(MTA_TESTS))
MINUTES ?= 30
check-sustained: all ## MINUTES of mixed mail behind both MTAs while workers are killed; SEED=1
	@BIN=$(BIN) tests/mta/sustained --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))
check-peers: all $(if $(wildcard /usr/include/libmilter/mfapi.h),$(PEERS)) ## the same through Debian's mimedefang; needs `make deps-peers`
	@BIN=$(BIN) TEST_SECONDS=600 $(RUN_TESTS) --name peers $(PEER_TESTS)
matrix: all $(PEERS) ## which peers meet which requirements: writes docs/matrix.md
	@BIN=$(BIN) TEST_SECONDS=900 $(RUN_TESTS) --name matrix $(wildcard tests/peers/conformance-*.t)
	@BIN=$(BIN) tests/peers/matrix build/matrix/*.json
coverage: ## lines and branches of milterproto/ and of the pool that tests reach
	@tests/install-packages $(DEPS_COVERAGE)
	@$(MAKE) -s MODE=coverage coverage-run
coverage-run: $(filter $(TST)/milterproto/% $(TST)/multiplexor/test_pool,$(TEST_BINS))
	@find $(OBJ) -name '*.gcda' -delete
	@$(RUN_TESTS) --name coverage $^
	@tests/show-coverage milterproto/ $(OBJ)/milterproto $(OUT)/html
	@tests/show-coverage multiplexor/pool $(OBJ)/multiplexor $(OUT)/html-pool
coverage-perl: COVER := $(CURDIR)/$(OUT)/cover-perl
# -dir: somewhere else, so that names of files stay absolute and are found by
# tests that change the directory.
coverage-perl: ## statements of perl-bridge/lib that its tests reach, the worst files first
	@tests/install-packages $(DEPS_COVERAGE)
	@rm -rf $(COVER) && mkdir -p $(OUT)
	@PERL5OPT='-MDevel::Cover=-db,$(COVER),-silent,1,-dir,/usr,-coverage,statement,-select,perl-bridge/lib,+ignore,.' \
	  TEST_SECONDS=900 $(RUN_TESTS) --name coverage-perl -j 2 $(PERL_TESTS); status=$$?; \
	cover -silent -summary -coverage statement $(COVER) 2>/dev/null | \
	  awk '/MIMEDefang/ {print $$NF, $$1} /^Total/ {print $$NF, "in all"}' | sort -n; \
	exit $$status
asan: ## all C tests, seeds and the daemons with address+undefined sanitizers
	@$(MAKE) -s MODE=asan all check-unit check-seeds check-system check-conformance check-mta

# ---- what is made from milterproto.def, and committed ----------------------------
GENERATE  := $(OUT)/gen/generate
GENERATED := docs/protocol.md docs/examples/milter.lua fuzz/dict/milter.dict
$(GENERATE): $(OBJ)/milterproto/gen/generate.o
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^
generate: $(GENERATE) $(BIN)/milter-check ## tables of docs, dissector, fuzz dictionary
	@$< $(GENERATED)
	@BIN=$(BIN) tests/lint/conformance --write
check-generated: $(GENERATE) $(BIN)/milter-check
	@$< --check $(GENERATED)

# ---- lint and format -----------------------------------------------------------
lint: man check-generated ## includes, facts, words, options, cppcheck, perlcritic, manual pages
	@tests/lint/run
format: ## clang-format and perltidy
	@clang-format -i $(C_FILES)
	@tests/lint/tidy --write
format-check:
	@clang-format --dry-run -Werror $(C_FILES)
	@tests/lint/tidy

# ---- fuzzing -------------------------------------------------------------------
fuzz-build: $(FUZZERS:fuzz/%.c=$(TST)/replay/%)
fuzz: ## libFuzzer, FUZZ_SECONDS for each target; T=fuzz_name runs one
	@$(MAKE) -s MODE=fuzz fuzz-run
.PHONY: fuzz-run
FUZZ_PICKED := $(if $(T),$(filter fuzz/$(T).c,$(FUZZERS)),$(FUZZERS))
fuzz-run: $(FUZZ_PICKED:fuzz/%.c=$(TST)/fuzz/%)
	@for f in $^; do tests/run-fuzz $$f $(FUZZ_SECONDS) || exit 1; done
N ?= 10000
fuzz-bridge: ## N mutated messages through the worker's scan; SEED=1
	@fuzz/bridge-mutate.pl --count $(N) --seed $(or $(SEED),1)
fuzz-afl: ## the same with AFL++
	@tests/install-packages $(DEPS_AFL)
	@AFL_QUIET=1 $(MAKE) -s MODE=afl fuzz-run

bench: deps-peers ## speed beside the peer, ratios; writes build/bench*.json
	@$(MAKE) -s all $(BENCHES) $(PEERS) && tests/bench/filters && tests/bench/daemons \
	  && tests/bench/pool && tests/bench/scan
man: $(MAN_PAGES)
docs: man ## docs/ and manual pages as HTML in build/docs
	@tests/install-packages $(DEPS_DOCS)
	@rm -rf build/docs && mkdir -p build/docs
	@docs/html build/docs $(MAN_PAGES)

# A page's options and commands come from the program's own tables.
$(OUT)/man/%: docs/man/%.in $(BIN)/$$(basename $$*)
	@mkdir -p $(@D)
	$(BIN)/$(basename $*) --help-mdoc > $@.options
	! grep -q '^@COMMANDS@' $< || \
	  $(BIN)/$(basename $*) --help-mdoc-commands > $@.commands
	sed -e '/@OPTIONS@/{r $@.options' -e 'd;}' \
	  -e '/@COMMANDS@/{r $@.commands' -e 'd;}' \
	  -e 's|@SPOOLDIR@|$(SPOOLDIR)|' $< > $@
# That of a program with commands has a table for each: @OPTIONS WORD@.
$(OUT)/man/milter-check.1: docs/man/milter-check.1.in docs/man/command-options \
  $(BIN)/milter-check
	@mkdir -p $(@D)
	docs/man/command-options $(BIN)/milter-check $< > $@
# The doctor is a part of mimedefang, with a table of its findings.
$(OUT)/man/mimedefang-doctor.8: docs/man/mimedefang-doctor.8.in $(BIN)/mimedefang
	@mkdir -p $(@D)
	$(BIN)/mimedefang doctor --help-mdoc > $@.options
	$(BIN)/mimedefang doctor --help-mdoc-findings > $@.findings
	sed -e '/@OPTIONS@/{r $@.options' -e 'd;}' \
	  -e '/@FINDINGS@/{r $@.findings' -e 'd;}' $< > $@
# The manual of a Perl program is in it.
$(POD_PAGES): $(OUT)/man/%.8: perl-bridge/bin/%
	@mkdir -p $(@D)
	pod2man --section=8 --center=Sallyport --release=$(VERSION) --name=$* $< > $@
# A page about no program.
$(OUT)/man/%.7: docs/man/%.7.in
	@mkdir -p $(@D)
	cp $< $@
# The page about filters has what the modules say about their functions.
$(OUT)/man/mimedefang-filter.5: docs/man/mimedefang-filter.5.in docs/man/functions \
  tests/lint/public-names.txt $(PERL_MODULES)
	@mkdir -p $(@D)
	docs/man/functions $< > $@
$(OUT)/man/mimedefang.pl.8: docs/man/mimedefang.pl.8.in
	@mkdir -p $(@D)
	sed -e 's|@SPOOLDIR@|$(SPOOLDIR)|' -e 's|@QUARANTINEDIR@|$(QUARANTINEDIR)|' $< > $@
# A page's prototypes come from the header.
$(OUT)/man/%.3: docs/man/%.3.in docs/man/synopsis $(wildcard milterproto/include/*.h)
	@mkdir -p $(@D)
	docs/man/synopsis $< > $@

# ---- installing -------------------------------------------------------
include install.mk

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile install.mk | expand -t 16
clean: ## remove build/
	rm -rf build
