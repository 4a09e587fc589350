/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "root.h"
#include "text.h"

struct gb_config_reader {
	struct gb_root *root;
	struct pci_access *access;
	struct pci_dev *pci; /* being read */
};

/* libpci's own error function exits; a boot tool must not. */
static _Thread_local jmp_buf pci_failed;

static void __attribute__((noreturn, format(printf, 1, 2))) fail_pci(char *format, ...)
{
	(void)format;
	longjmp(pci_failed, 1);
}

static void quiet_pci(char *format, ...)
{
	(void)format;
}

static bool start(struct gb_config_reader *reader, char *path)
{
	static char key[] = "sysfs.path";

	if (setjmp(pci_failed))
		return false;
	reader->access = pci_alloc();
	reader->access->error = fail_pci;
	reader->access->warning = quiet_pci;
	reader->access->method = PCI_ACCESS_SYS_BUS_PCI;
	if (pci_set_param(reader->access, key, path))
		return false;
	pci_init(reader->access);
	return true;
}

int gb_config_open(struct gb_root *root, struct gb_config_reader **ret, struct gb_err *err)
{
	struct gb_config_reader *reader = calloc(1, sizeof(*reader));
	char path[PATH_MAX];

	if (!reader)
		return gb_fail(err, ENOMEM, "out of memory");
	reader->root = root;
	if (snprintf(path, sizeof(path), "%s/sys/bus/pci", gb_root_dir(root)) >= PATH_MAX ||
	    !start(reader, path)) {
		gb_config_close(reader);
		return gb_fail(err, EIO, "%s/sys/bus/pci: libpci can't use it", gb_root_dir(root));
	}
	*ret = reader;
	return 0;
}

void gb_config_close(struct gb_config_reader *reader)
{
	if (!reader)
		return;
	if (reader->access)
		pci_cleanup(reader->access);
	free(reader);
}

typedef void (*read_fn)(struct pci_dev *pci, void *ctx);

static bool with_device(struct gb_config_reader *reader, struct gb_bdf bdf, read_fn read,
			void *ctx)
{
	char file[GB_SYSFS_MAX];
	volatile bool good = false;

	if (!gb_root_is_plain(reader->root, gb_bdf_file(bdf, "config", file)))
		return false;
	if (!setjmp(pci_failed)) {
		reader->pci = pci_get_dev(reader->access, (int)bdf.domain, bdf.bus,
					  GB_DEVICE(bdf.devfn), GB_FUNCTION(bdf.devfn));
		read(reader->pci, ctx);
		good = true;
	}
	if (reader->pci)
		pci_free_dev(reader->pci);
	reader->pci = NULL;
	return good;
}

static bool readable(struct pci_dev *pci, int at)
{
	uint8_t bytes[4];

	return pci_read_block(pci, at, bytes, sizeof(bytes));
}

static void read_serial(struct pci_dev *pci, void *ctx)
{
	struct pci_cap *cap = pci_find_cap(pci, PCI_EXT_CAP_ID_DSN, PCI_CAP_EXTENDED);
	uint64_t *serial = ctx, low, high;

	if (!cap || !readable(pci, (int)cap->addr + 8))
		return;
	low = pci_read_long(pci, (int)cap->addr + 4);
	high = pci_read_long(pci, (int)cap->addr + 8);
	*serial = high << 32 | low;
}

bool gb_config_serial(struct gb_config_reader *reader, struct gb_bdf bdf, uint64_t *ret)
{
	uint64_t serial = UINT64_MAX;

	/* all ones: the read failed, or the device is gone */
	if (!with_device(reader, bdf, read_serial, &serial) || serial == UINT64_MAX)
		return false;
	*ret = serial;
	return true;
}

/* The kernel takes no capability below 0x40 or an extended one below 0x100 (drivers/pci/pci.c
 * __pci_find_next_cap_ttl, pci_find_next_ext_capability). Returns its place, or 0. */
static int capability(struct pci_dev *pci, unsigned id, unsigned type)
{
	struct pci_cap *cap = pci_find_cap(pci, id, type);

	return cap && cap->addr >= (type == PCI_CAP_EXTENDED ? 0x100 : 0x40) ? (int)cap->addr : 0;
}

static bool decode_header(struct pci_dev *pci, struct gb_config *config)
{
	uint8_t head[64];
	uint8_t type;

	if (!pci_read_block(pci, 0, head, sizeof(head)))
		return false;
	type = head[PCI_HEADER_TYPE];
	/* A function that does not answer reads as ones. A virtual function's ids do, too (SR-IOV
	 * 9.3.4.1.1), but not its header type. */
	if (type == 0xff || (!head[0] && !head[1] && !head[2] && !head[3]))
		return false;
	config->bytes = sizeof(head);
	config->header = type & 0x7f;
	config->multifunction = type & 0x80;
	if (config->header == PCI_HEADER_TYPE_BRIDGE) {
		config->secondary = head[PCI_SECONDARY_BUS];
		config->subordinate = head[PCI_SUBORDINATE_BUS];
	}
	return true;
}

static void decode_capabilities(struct pci_dev *pci, struct gb_config *config)
{
	int at = capability(pci, PCI_CAP_ID_EXP, PCI_CAP_NORMAL);
	uint8_t features;

	config->express = at ? GB_YES : GB_NO;
	config->flr = GB_NO;
	if (at) {
		config->port = (pci_read_word(pci, at + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_TYPE) >> 4;
		/* a capability at the very end goes on where nothing may be readable */
		if (!readable(pci, at + PCI_EXP_DEVCAP))
			config->flr = GB_CANNOT_TELL;
		else if (pci_read_long(pci, at + PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLRESET)
			config->flr = GB_YES;
	}
	/* drivers/pci/pci.c pci_af_flr wants Transactions Pending as well */
	at = capability(pci, PCI_CAP_ID_AF, PCI_CAP_NORMAL);
	features = at ? pci_read_byte(pci, at + PCI_AF_CAP) : 0;
	config->af_flr = features & PCI_AF_CAP_TP && features & PCI_AF_CAP_FLR ? GB_YES : GB_NO;
}

/* PCI Express Base Specification 7.8.6: capability and control of each BAR, the number of them
 * in the first. Sizes from 256 TiB on are in the control register. */
static void decode_rebar(struct pci_dev *pci, int at, struct gb_config *config)
{
	unsigned count = pci_read_long(pci, at + 8) >> 5 & 7;

	for (unsigned i = 0; i < count && i < GB_BARS; i++) {
		uint32_t can = pci_read_long(pci, at + 4 + 8 * (int)i);
		uint32_t control = pci_read_long(pci, at + 8 + 8 * (int)i);

		if ((control & 7) >= GB_BARS)
			continue;
		config->rebar[config->rebars++] = (struct gb_rebar){
			.bar = control & 7,
			.size = control >> 8 & 0x3f,
			.sizes = can >> 4 | (uint64_t)(control >> 16) << 28,
		};
	}
}

static void decode_extended(struct pci_dev *pci, struct gb_config *config)
{
	int at = capability(pci, PCI_EXT_CAP_ID_ACS, PCI_CAP_EXTENDED);

	config->acs = at ? GB_YES : GB_NO;
	for (int i = 0; at && i < 2; i++)
		config->acs_word[i] = pci_read_long(pci, at + 4 + 4 * i);
	at = capability(pci, 0x15, PCI_CAP_EXTENDED);
	config->resizable = at ? GB_YES : GB_NO;
	if (at)
		decode_rebar(pci, at, config);
}

void gb_config_decode(struct pci_dev *pci, struct gb_config *ret)
{
	struct gb_config config = { 0 };
	bool capabilities;

	*ret = config;
	if (!decode_header(pci, &config))
		return;
	if (readable(pci, 0xfc))
		config.bytes = 256;
	/* a CardBus bridge's list begins elsewhere; it is never PCI Express */
	capabilities = config.header != PCI_HEADER_TYPE_CARDBUS &&
		       pci_read_word(pci, PCI_STATUS) & PCI_STATUS_CAP_LIST;
	if (!capabilities)
		config.express = config.flr = config.af_flr = GB_NO;
	else if (config.bytes >= 256)
		decode_capabilities(pci, &config);
	if (config.express == GB_NO)
		config.acs = config.resizable = GB_NO;
	else if (config.express == GB_YES && readable(pci, 0x100) && readable(pci, 0xffc)) {
		config.bytes = 4096;
		decode_extended(pci, &config);
	}
	*ret = config;
}

static void decode(struct pci_dev *pci, void *ctx)
{
	gb_config_decode(pci, ctx);
}

void gb_config_read(struct gb_config_reader *reader, struct gb_bdf bdf, bool wake,
		    struct gb_config *ret)
{
	struct gb_config config = { 0 };
	struct gb_power power;

	if (!wake) {
		gb_config_power(reader->root, bdf, &power);
		config.asleep = power.state[0] == 'D' && strcmp(power.state, "D0");
	}
	*ret = config;
	if (!config.asleep && with_device(reader, bdf, decode, &config))
		*ret = config;
}

/* include/linux/ioport.h */
#define RESOURCE_IO 0x100
#define RESOURCE_PREFETCH 0x2000
#define RESOURCE_MEM_64 0x100000

static uint64_t region_size(uint64_t start_at, uint64_t end)
{
	return end > start_at ? end - start_at + 1 : 0;
}

static bool number(char **at, uint64_t *ret)
{
	char *end;

	*ret = strtoull(*at, &end, 16);
	if (end == *at)
		return false;
	*at = end;
	return true;
}

int gb_config_bars(struct gb_root *root, struct gb_bdf bdf, struct gb_bars *ret)
{
	char file[GB_SYSFS_MAX], text[2048], *at = text;
	ssize_t n = gb_root_read(root, gb_bdf_file(bdf, "resource", file), text, sizeof(text));
	struct gb_bars bars = { 0 };

	if (n < 0)
		return (int)n;
	for (unsigned i = 0; i <= GB_BARS; i++) {
		uint64_t first, last, flags;

		if (!number(&at, &first) || !number(&at, &last) || !number(&at, &flags))
			return -EBADMSG;
		if (i == GB_BARS) {
			bars.rom = region_size(first, last);
			break;
		}
		bars.bar[i].start = first;
		bars.bar[i].size = region_size(first, last);
		bars.bar[i].io = flags & RESOURCE_IO;
		bars.bar[i].wide = flags & RESOURCE_MEM_64;
		bars.bar[i].prefetchable = flags & RESOURCE_PREFETCH;
	}
	*ret = bars;
	return 0;
}

static void read_word(struct gb_root *root, struct gb_bdf bdf, const char *name, char *ret,
		      size_t size)
{
	char file[GB_SYSFS_MAX];

	if (gb_root_read(root, gb_bdf_file(bdf, name, file), ret, size) < 0)
		ret[0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

void gb_config_power(struct gb_root *root, struct gb_bdf bdf, struct gb_power *ret)
{
	char allowed[8];

	read_word(root, bdf, "power_state", ret->state, sizeof(ret->state));
	read_word(root, bdf, "power/runtime_status", ret->runtime, sizeof(ret->runtime));
	read_word(root, bdf, "d3cold_allowed", allowed, sizeof(allowed));
	ret->d3cold_allowed = !allowed[0]	    ? GB_CANNOT_TELL :
			      strcmp(allowed, "0") ? GB_YES :
						     GB_NO;
}

bool gb_config_sriov(struct gb_root *root, struct gb_bdf bdf, unsigned *ret_total,
		     unsigned *ret_now)
{
	char total[8], now[8];

	read_word(root, bdf, "sriov_totalvfs", total, sizeof(total));
	read_word(root, bdf, "sriov_numvfs", now, sizeof(now));
	if (!total[0])
		return false;
	*ret_total = (unsigned)strtoul(total, NULL, 10);
	*ret_now = (unsigned)strtoul(now, NULL, 10);
	return true;
}
