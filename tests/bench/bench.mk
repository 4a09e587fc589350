# SPDX-License-Identifier: GPL-2.0-or-later
# After the Makefile: make -f Makefile -f tests/bench/bench.mk build/bench/bare
# The programs measured against, compiled and linked as build/static/ghost-claim is.

$(B)/bench/%: $(B)/static/tests/bench/%.o
	$(call say,LD,$@) mkdir -p $(@D) && $(MUSL_CC) -static -no-pie $(LINK) -s $(LDFLAGS) \
		-o $@ $^

# Against the system's libraries, as ghost-boot is.
$(B)/bench/image: $(B)/dynamic/tests/bench/image.o $(patsubst %.c,$(B)/dynamic/%.o,$(HOST) $(SRC))
	$(call say,LD,$@) mkdir -p $(@D) && $(CC) -pie $(LINK) -s $(LDFLAGS) -o $@ $^ $(HOST_LIBS)
