# SPDX-License-Identifier: GPL-2.0-or-later
# After the Makefile: make -f Makefile -f tests/bench/bench.mk build/bench/bare
# The programs measured against, compiled and linked as build/static/ghost-claim is.

$(B)/bench/%: $(B)/static/tests/bench/%.o
	$(call say,LD,$@) mkdir -p $(@D) && $(MUSL_CC) -static -no-pie $(LINK) -s $(LDFLAGS) \
		-o $@ $^
