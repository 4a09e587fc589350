# SPDX-License-Identifier: GPL-2.0-or-later
# "make help" lists targets and variables. Everything built goes below build/.

VERSION := 0.1.0

## PREFIX, DESTDIR      where "install" puts things (/usr, none)
PREFIX ?= /usr
DESTDIR ?=
## SYSCONFDIR           the claims file's parent (/etc)
SYSCONFDIR ?= /etc
## SBINDIR, LIBDIR      programs, and distribution-independent support files
SBINDIR ?= $(PREFIX)/sbin
LIBDIR ?= $(PREFIX)/lib
## UDEVDIR              udev's folder, above rules.d
UDEVDIR ?= $(LIBDIR)/udev
## DRACUTDIR            dracut's folder, above modules.d
DRACUTDIR ?= $(LIBDIR)/dracut
## INITRAMFSTOOLSDIR    initramfs-tools' folder, above hooks and scripts
INITRAMFSTOOLSDIR ?= $(PREFIX)/share/initramfs-tools
## MANDIR               manual pages, above man8
MANDIR ?= $(PREFIX)/share/man
## UNITDIR              systemd's units
UNITDIR ?= $(LIBDIR)/systemd/system
## KERNELINSTALLDIR     kernel-install's plugins
KERNELINSTALLDIR ?= $(LIBDIR)/kernel/install.d
## COMPLETIONDIR        bash completions
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
## ZSHDIR, FISHDIR      zsh's and fish's
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d

## STATIC=1             0: link dynamically against the system's libkmod and libpci
STATIC ?= 1
## CC, MUSL_CC          compiler for this system, and for static musl programs
ifeq ($(origin CC),default)
CC := gcc
endif
MUSL_CC ?= musl-gcc
FUZZ_CC ?= clang
PKG_CONFIG ?= pkg-config
AR ?= ar
INSTALL ?= install
## CFLAGS, LDFLAGS      added to what the build sets itself
CFLAGS ?=
LDFLAGS ?=
## STRIP=-s             empty: ghost-boot keeps its debugging symbols
STRIP ?= -s
## WERROR=              1: warnings are errors ("make check" and lint always)
WERROR ?=
## V=                   1: show whole commands
V ?=
## SOURCE_CACHE         downloaded source packages of the static libraries
SOURCE_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ghost-boot/src
## FUZZ_SECONDS=60      for each fuzz target
FUZZ_SECONDS ?= 60

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2);)
B := build
FLAVOR := $(if $(filter 0,$(STATIC)),dynamic,static)

all: $(B)/ghost-claim $(B)/ghost-boot

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.PHONY: all dynamic help sources install uninstall clean distclean FORCE \
	lint lint-objects check check-unit check-cli check-machines check-change check-unified \
	check-vm check-matrix check-system check-powercut check-faults check-deb \
	unit-programs fuzz fuzz-programs bench demo deb

# ---- flags -------------------------------------------------------------------------------

BASE := -std=gnu11 -Isrc -Isrc/host -Itools -D_GNU_SOURCE -DGB_VERSION='"$(VERSION)"' -MMD -MP
WARN = -Wall -Wextra -Wshadow -Wpointer-arith -Wwrite-strings -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wundef -Wvla -Wformat=2 -Wno-format-nonliteral \
	-Wno-format-truncation \
	-Wimplicit-fallthrough -Wnull-dereference $(if $(filter 1,$(WERROR)),-Werror)
SMALL := -Oz -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
HARDEN := -fstack-protector-strong -fno-strict-overflow
LINK := -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed
ASAN := -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

SRC := $(sort $(wildcard src/*.c))
# What only the host's command needs, with libraries that no image carries.
HOST := $(sort $(wildcard src/host/*.c))
# One file in the image, whose other names are links to it.
PROGRAM := $(sort $(wildcard initramfs/*.c))
ALIASES := ghost-verify ghost-diag
TOOL := $(sort $(wildcard tools/*.c))

# Evaluated only by the recipes that use it.
SYSTEM_CFLAGS = $(shell $(PKG_CONFIG) --cflags libkmod libpci)
SYSTEM_LIBS = $(shell $(PKG_CONFIG) --libs libkmod libpci)
HOST_LIBS = $(shell $(PKG_CONFIG) --libs libkmod libpci blkid efivar zlib liblzma libzstd liblz4 lzo2) \
	-lbz2

# ---- ghost-claim -------------------------------------------------------------------------

# $(1): folder  ->  objects of the program and the library built there
objects = $(patsubst %.c,$(B)/$(1)/%.o,$(PROGRAM) $(SRC))

# Written only when it changes, so that another STATIC relinks.
$(B)/flavor: FORCE
	@mkdir -p $(B)
	@echo '$(FLAVOR)' | cmp -s - $@ || echo '$(FLAVOR)' >$@

$(B)/ghost-claim: $(B)/$(FLAVOR)/ghost-claim $(B)/flavor
	$(Q)cp $< $@
	$(aliases)
	$(call say,SIZE,"$@: $$(stat -c %s $@) bytes ($(FLAVOR))") :

dynamic: $(B)/dynamic/ghost-claim $(B)/dynamic/ghost-boot

aliases = $(Q)for name in $(ALIASES); do ln -sf ghost-claim $(@D)/$$name || exit; done

$(B)/static/%.o: %.c Makefile | $(B)/deps/ready
	$(call say,CC,$@) mkdir -p $(@D) && $(MUSL_CC) $(BASE) $(MUSL_CFLAGS) $(WARN) $(SMALL) \
		$(HARDEN) -fno-pie $(CFLAGS) -c -o $@ $<

$(B)/static/ghost-claim: $(call objects,static) $(B)/deps/libdeps.a
	$(call say,LD,$@) $(MUSL_CC) -static -no-pie $(LINK) -s $(LDFLAGS) -o $@ $^
	$(aliases)

$(B)/dynamic/%.o: %.c Makefile
	$(call say,CC,$@) mkdir -p $(@D) && $(CC) $(BASE) $(SYSTEM_CFLAGS) $(WARN) $(SMALL) $(HARDEN) \
		-fPIE -D_FORTIFY_SOURCE=2 $(CFLAGS) -c -o $@ $<

$(B)/dynamic/ghost-claim: $(call objects,dynamic)
	$(call say,LD,$@) $(CC) -pie $(LINK) -s $(LDFLAGS) -o $@ $^ $(SYSTEM_LIBS)
	$(aliases)

# The library and the program under the sanitizers, for tests.
$(B)/asan/%.o: %.c Makefile
	$(call say,CC,$@) mkdir -p $(@D) && $(CC) $(BASE) $(SYSTEM_CFLAGS) $(WARN) $(ASAN) -c -o $@ $<

$(B)/asan/ghost-claim: $(call objects,asan)
	$(call say,LD,$@) $(CC) $(ASAN) -o $@ $^ $(SYSTEM_LIBS)
	$(aliases)

# ---- ghost-boot, always against the system's libraries -------------------------------------

$(B)/ghost-boot: $(B)/dynamic/ghost-boot
	$(Q)cp $< $@

# An archive: a library whose users nobody calls is then no need of the program.
$(B)/dynamic/libghost.a: $(patsubst %.c,$(B)/dynamic/%.o,$(HOST) $(SRC))
	$(call say,AR,$@) rm -f $@ && $(AR) rcs $@ $^

$(B)/dynamic/ghost-boot: $(patsubst %.c,$(B)/dynamic/%.o,$(TOOL)) $(B)/dynamic/libghost.a
	$(call say,LD,$@) $(CC) -pie $(LINK) $(STRIP) $(LDFLAGS) -o $@ $^ $(HOST_LIBS)

$(B)/asan/ghost-boot: $(patsubst %.c,$(B)/asan/%.o,$(TOOL)) $(B)/asan/libghost.a
	$(call say,LD,$@) $(CC) $(ASAN) -o $@ $^ $(HOST_LIBS)

$(B)/asan/libghost.a: $(patsubst %.c,$(B)/asan/%.o,$(SRC) $(HOST))
	$(call say,AR,$@) rm -f $@ && $(AR) rcs $@ $^

# What the program says of itself, for shells.
$(B)/completions/table: $(B)/ghost-boot $(wildcard tools/completions/*)
	$(call say,MAKE,$(@D)) tools/completions/make $< $(@D)

# ---- static libraries, from the distribution's source packages ---------------------------
#
# Compiled directly: tools/build/config.h replaces the packages' own configuration, which
# would need autotools or meson and take longer than the compiling.

D := $(B)/deps
MUSL_CFLAGS = -isystem $(D)/include

# versions.mk appears when the sources are unpacked; make then starts over and finds them.
NO_DEPS := help clean distclean uninstall lint lint-objects check-unit unit-programs fuzz \
	fuzz-programs dynamic sources deb check-deb check-system check-powercut \
	$(addprefix $(B)/,dynamic/% asan/% unit/% fuzz/% fuzzed/% machines/%)
ifneq ($(filter-out $(NO_DEPS),$(or $(MAKECMDGOALS),all)),)
ifneq ($(FLAVOR)$(filter check check-% bench demo,$(MAKECMDGOALS)),dynamic)
include $(D)/versions.mk
endif
endif

$(D)/versions.mk: tools/build/sources tools/build/sources.awk
	@command -v $(firstword $(MUSL_CC)) >/dev/null || { \
		echo '$(MUSL_CC) not found: install musl-tools, or use STATIC=0' >&2; exit 1; }
	$(Q)tools/build/sources '$(SOURCE_CACHE)' $(D)

sources:
	$(Q)tools/build/sources --refresh '$(SOURCE_CACHE)' $(D)

# musl has no kernel headers: the system's own, without the C library's beside them.
$(D)/ready: $(D)/versions.mk
	$(Q)rm -rf $(D)/include && mkdir -p $(D)/include/pci
	$(Q)ln -s /usr/include/linux /usr/include/asm-generic $(D)/include/
	$(Q)asm=/usr/include/$$($(CC) -print-multiarch)/asm; \
		[ -d "$$asm" ] || asm=/usr/include/asm; ln -s "$$asm" $(D)/include/asm
	$(Q)ln -s $(CURDIR)/$(D)/kmod/libkmod/libkmod.h $(D)/include/
	$(Q)cd $(D)/include/pci && ln -s $(addprefix $(CURDIR)/$(D)/pciutils/lib/,pci.h header.h types.h) .
	$(Q)printf '%s\n' '#define PCI_CONFIG_H' '#define PCI_OS_LINUX' '#define PCI_HAVE_PM_LINUX_SYSFS' \
		'#define PCI_HAVE_LINUX_BYTEORDER_H' '#define PCI_HAVE_64BIT_ADDRESS' \
		'#define PCI_PATH_SYS_BUS_PCI "/sys/bus/pci"' '#define PCI_IDS "pci.ids"' \
		'#define PCI_PATH_IDS_DIR "/usr/share/misc"' \
		'#define PCILIB_VERSION "$(VERSION_pciutils)"' >$(D)/include/pci/config.h
	$(Q)touch $@

KMOD_C := $(filter-out %-zlib.c,$(wildcard $(D)/kmod/libkmod/*.c $(D)/kmod/shared/*.c))
PCI_C := $(wildcard $(addprefix $(D)/pciutils/lib/,init.c access.c generic.c dump.c filter.c \
	params.c caps.c sysfs.c names*.c))
ZSTD_C := $(wildcard $(D)/libzstd/lib/decompress/*.c $(addprefix $(D)/libzstd/lib/common/, \
	debug.c entropy_common.c error_private.c fse_decompress.c xxhash.c zstd_common.c))
LZMA_C := $(wildcard $(addprefix $(D)/xz-utils/src/liblzma/, $(addprefix common/, \
	common.c block_decoder.c block_header_decoder.c block_util.c filter_common.c \
	filter_decoder.c filter_flags_decoder.c index_hash.c stream_decoder.c \
	stream_flags_common.c stream_flags_decoder.c vli_decoder.c vli_size.c) \
	$(addprefix check/,check.c crc32_small.c crc64_small.c) \
	lz/lz_decoder.c lzma/lzma_decoder.c lzma/lzma2_decoder.c \
	simple/simple_coder.c simple/simple_decoder.c simple/x86.c))
DEPS_O := $(patsubst %.c,%.o,$(KMOD_C) $(PCI_C) $(ZSTD_C) $(LZMA_C))

# Up to kmod 32 a macro says yes by being there, later by its value.
KMOD_MACROS := $(if $(shell grep -s 'ENABLE_DEBUG ==' $(D)/kmod/libkmod/libkmod-internal.h), \
	-DENABLE_DEBUG=0 -DENABLE_ELFDBG=0)

$(D)/kmod/%.o: DEP = $(KMOD_MACROS) -include tools/build/config.h -DGB_BUILD_KMOD -I$(D)/kmod \
	-I$(D)/libzstd/lib -I$(D)/xz-utils/src/liblzma/api -DLZMA_API_STATIC
$(D)/pciutils/%.o: DEP = -I$(D)/include/pci
$(D)/libzstd/%.o: DEP = -DZSTD_DISABLE_ASM -DDYNAMIC_BMI2=0 -DZSTD_LEGACY_SUPPORT=0 \
	-DHUF_FORCE_DECOMPRESS_X1 -DZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT -DZSTD_NO_INLINE \
	-DZSTD_STRIP_ERROR_STRINGS
$(D)/xz-utils/%.o: DEP = -DHAVE_CONFIG_H -Itools/build -I$(D)/xz-utils/src/common \
	$(addprefix -I$(D)/xz-utils/src/liblzma/,api common check lz rangecoder lzma simple delta)

$(D)/%.o: $(D)/%.c tools/build/config.h $(D)/ready
	$(call say,CC,$@) $(MUSL_CC) -std=gnu11 -w \
		-Werror=implicit-function-declaration $(MUSL_CFLAGS) $(DEP) $(SMALL) \
		$(HARDEN) -fno-pie -c -o $@ $<

$(D)/fnmatch.o: tools/build/fnmatch.c $(D)/ready
	$(call say,CC,$@) $(MUSL_CC) -std=gnu11 $(MUSL_CFLAGS) $(WARN) $(SMALL) $(HARDEN) -fno-pie -c -o $@ $<

$(D)/libdeps.a: $(DEPS_O) $(D)/fnmatch.o
	$(call say,AR,$@) rm -f $@ && $(AR) rcs $@ $^

# ---- tests -------------------------------------------------------------------------------

UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(sort $(wildcard tests/unit/*.c)))
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(sort $(wildcard tests/fuzz/*.c)))
LINT_O := $(patsubst %.c,$(B)/lint/%.o,$(wildcard initramfs/*.c tools/*.c) $(SRC) $(HOST))

$(B)/unit/%: tests/unit/%.c $(B)/asan/libghost.a
	$(call say,CC,$@) mkdir -p $(@D) && $(CC) $(BASE) $(SYSTEM_CFLAGS) $(WARN) $(ASAN) \
		-MF $@.d -o $@ $< $(B)/asan/libghost.a $(HOST_LIBS) -lcmocka $(UNIT_LDFLAGS_$*)

UNIT_LDFLAGS_imageproof := -Wl,--wrap=pread

unit-programs: $(UNIT)

# What tests/machines runs on real machines' data.
MACHINES := $(patsubst tests/machines/%.c,$(B)/machines/%,$(sort $(wildcard tests/machines/*.c)))

$(B)/machines/%: tests/machines/%.c $(B)/asan/libghost.a
	$(call say,CC,$@) mkdir -p $(@D) && $(CC) $(BASE) $(SYSTEM_CFLAGS) $(WARN) $(ASAN) \
		-MF $@.d -o $@ $< $(B)/asan/libghost.a $(HOST_LIBS)

# The library once, a target for each parser.
FUZZING := -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
fuzz_cc = $(FUZZ_CC) $(BASE) $(SYSTEM_CFLAGS) $(FUZZING)

$(B)/fuzzed/%.o: %.c Makefile
	$(call say,CC,$@) mkdir -p $(@D) && $(fuzz_cc) -fsanitize=fuzzer-no-link -c -o $@ $<

$(B)/fuzzed/libghost.a: $(patsubst %.c,$(B)/fuzzed/%.o,$(SRC) $(HOST))
	$(call say,AR,$@) rm -f $@ && $(AR) rcs $@ $^

$(B)/fuzz/%: tests/fuzz/%.c $(B)/fuzzed/libghost.a
	$(call say,CC,$@) mkdir -p $(@D) && $(fuzz_cc) -fsanitize=fuzzer -MF $@.d -o $@ $< $(B)/fuzzed/libghost.a \
		$(HOST_LIBS)

fuzz-programs: $(FUZZ)

fuzz: fuzz-programs
	$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run fuzz

$(B)/lint/%.o: %.c FORCE
	$(Q)mkdir -p $(@D) && $(CC) $(filter-out -M%,$(BASE)) $(SYSTEM_CFLAGS) $(WARN) -Werror -O2 \
		-D_FORTIFY_SOURCE=2 -c -o $@ $<

lint-objects: $(LINT_O)

TESTED = $(B)/ghost-claim $(B)/ghost-boot $(B)/completions/table $(foreach d,dynamic asan,$(B)/$d/ghost-claim $(B)/$d/ghost-boot)
export MAKE

lint:
	$(Q)tests/run lint

check: export CI := true
check: WERROR := 1
check: $(TESTED) unit-programs $(MACHINES)
	$(Q)tests/run lint unit cli machines change unified demo vm

check-unit: unit-programs
	$(Q)tests/run unit

check-machines: $(MACHINES)
check-cli check-machines check-change check-unified check-vm: check-%: $(TESTED)
	$(Q)tests/run $*

# Every call that changes something failed in turn, and the process killed before each.
check-faults: $(TESTED)
	$(Q)tests/change/run --faults

# Builds what it tests, in trees of their releases.
check-deb:
	$(Q)tests/run deb

check-matrix: $(TESTED)
	$(Q)tests/run matrix

# They build the packages that they install, as above.
check-system check-powercut: check-%:
	$(Q)tests/run $*

bench: $(TESTED)
	$(Q)tests/bench/run

demo: $(B)/ghost-claim
	$(Q)tests/vm/demo

# ---- packages ----------------------------------------------------------------------------

# The package's build fetches what it lacks into the same cache.
deb:
	$(Q)SOURCE_CACHE='$(SOURCE_CACHE)' tools/debian/build '$(VERSION)' $(B)/deb
	$(Q)ls $(B)/deb/*.deb

# ---- install -----------------------------------------------------------------------------

IT := $(wildcard initramfs-tools-hook/hooks/* initramfs-tools-hook/scripts/*/*)
DM := $(wildcard dracut-module/50ghost-boot/*)
RULES := $(wildcard tools/udev/*.rules)
UNITS := $(wildcard tools/units/*.service)
PLUGINS := $(wildcard tools/kernel-install/*.install)
MAN8 := $(wildcard tools/man/*.8)
MAN5 := $(wildcard tools/man/*.5)
MODULEDIR := $(DRACUTDIR)/modules.d/50ghost-boot
put = $(INSTALL) -D -m $(1) $(2) '$(DESTDIR)$(3)'
# Hooks, unit and rules name the programs by their place.
put_text = sed 's|/usr/sbin/ghost-|$(SBINDIR)/ghost-|g' $(2) | $(call put,$(1),/dev/stdin,$(3))

install: all $(B)/completions/table
	$(Q)$(call put,0755,$(B)/ghost-claim,$(SBINDIR)/ghost-claim)
	$(Q)$(call put,0755,$(B)/ghost-boot,$(SBINDIR)/ghost-boot)
	$(Q)$(foreach a,$(ALIASES),ln -sf ghost-claim '$(DESTDIR)$(SBINDIR)/$a' &&) :
	$(Q)$(foreach f,$(IT),$(call put_text,0755,$f,$(f:initramfs-tools-hook/%=$(INITRAMFSTOOLSDIR)/%)) &&) :
	$(Q)$(foreach f,$(DM),$(call put_text,$(if $(filter %.sh,$f),0755,0644),$f,$(MODULEDIR)/$(notdir $f)) &&) :
	$(Q)$(foreach f,$(RULES),$(call put_text,0644,$f,$(UDEVDIR)/rules.d/$(notdir $f)) &&) :
	$(Q)$(foreach f,$(UNITS),$(call put_text,0644,$f,$(UNITDIR)/$(notdir $f)) &&) :
	$(Q)$(foreach f,$(PLUGINS),$(call put_text,0755,$f,$(KERNELINSTALLDIR)/$(notdir $f)) &&) :
	$(Q)$(foreach f,$(MAN8),$(call put,0644,$f,$(MANDIR)/man8/$(notdir $f)) &&) :
	$(Q)$(foreach f,$(MAN5),$(call put,0644,$f,$(MANDIR)/man5/$(notdir $f)) &&) :
	$(Q)$(call put,0644,$(B)/completions/ghost-boot,$(COMPLETIONDIR)/ghost-boot)
	$(Q)$(call put,0644,$(B)/completions/_ghost-boot,$(ZSHDIR)/_ghost-boot)
	$(Q)$(call put,0644,$(B)/completions/ghost-boot.fish,$(FISHDIR)/ghost-boot.fish)
	$(Q)$(INSTALL) -d -m 0755 '$(DESTDIR)$(SYSCONFDIR)/ghost-boot'

# The claims file is the user's; the folder goes only when it is empty.
uninstall:
	$(Q)rm -f $(foreach f,$(addprefix $(SBINDIR)/,ghost-claim ghost-boot $(ALIASES)) $(IT:initramfs-tools-hook/%=$(INITRAMFSTOOLSDIR)/%) \
		$(addprefix $(MODULEDIR)/,$(notdir $(DM))) $(addprefix $(UDEVDIR)/rules.d/,$(notdir $(RULES))) \
		$(addprefix $(MANDIR)/man8/,$(notdir $(MAN8))) \
		$(addprefix $(MANDIR)/man5/,$(notdir $(MAN5))) \
		$(addprefix $(UNITDIR)/,$(notdir $(UNITS))) $(addprefix $(KERNELINSTALLDIR)/,$(notdir $(PLUGINS))) \
		$(COMPLETIONDIR)/ghost-boot $(ZSHDIR)/_ghost-boot $(FISHDIR)/ghost-boot.fish,'$(DESTDIR)$f')
	$(Q)rmdir '$(DESTDIR)$(MODULEDIR)' '$(DESTDIR)$(SYSCONFDIR)/ghost-boot' 2>/dev/null || :

clean:
	$(Q)rm -rf $(B)

distclean: clean
	$(Q)rm -rf '$(SOURCE_CACHE)'

help:
	@echo 'ghost-boot $(VERSION): make TARGET [VARIABLE=value]'
	@echo
	@echo '  all             build/ghost-claim, static, and build/ghost-boot; the default'
	@echo '  dynamic         build/dynamic/ghost-claim, what STATIC=0 installs'
	@echo '  demo            boot a machine without and with ghost-boot, side by side'
	@echo '  check           everything below from lint to check-vm, summed up'
	@echo '  lint            shellcheck, cppcheck, compiler warnings as errors'
	@echo '  check-unit      the library under address and undefined-behaviour sanitizers'
	@echo '  check-cli       the command line on captured and synthetic roots'
	@echo '  check-machines  data of real machines, where present'
	@echo '  check-change    enable and disable as a whole, in a chroot'
	@echo '  check-unified   the same with unified kernel images, by Debian 13'\''s own ukify'
	@echo '  check-vm        booted in QEMU'
	@echo '  check-matrix    the longer matrix of booted machines'
	@echo '  check-system    whole Debian 12 and 13 machines, from apt to purge (hours)'
	@echo '  check-powercut  power cuts at every moment of enable and disable (hours)'
	@echo '  check-faults    every change of enable, disable, rollback, trials failed in turn'
	@echo '  check-deb       the packages, from installing to purging, on Debian 12 and 13'
	@echo '  fuzz            libFuzzer on the parsers, FUZZ_SECONDS each (needs clang)'
	@echo '  bench           times and sizes, also in build/bench.md'
	@echo '  deb             packages for this Debian or Ubuntu, in build/deb, fit for apt'
	@echo '  install, uninstall'
	@echo '  sources         download the static libraries'\'' sources anew'
	@echo '  clean           remove build/'
	@echo '  distclean       and the downloaded sources'
	@echo
	@sed -n 's/^## /  /p' Makefile

-include $(wildcard $(B)/*/src/*.d $(B)/*/src/host/*.d $(B)/*/initramfs/*.d $(B)/*/tools/*.d $(B)/unit/*.d $(B)/fuzz/*.d $(B)/machines/*.d)
