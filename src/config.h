/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CONFIG_H
#define GB_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"

struct gb_err;
struct gb_root;
struct pci_dev;

/* What may not be known is never said to be absent. Zero: nobody could tell. */
enum gb_known { GB_CANNOT_TELL, GB_NO, GB_YES };

/* PCI Express Base Specification 7.5.3.2, device/port type. */
enum gb_port {
	GB_PORT_ENDPOINT = 0,
	GB_PORT_LEGACY_ENDPOINT = 1,
	GB_PORT_ROOT = 4,
	GB_PORT_UPSTREAM = 5,
	GB_PORT_DOWNSTREAM = 6,
	GB_PORT_TO_PCI = 7,  /* PCI Express above, PCI below */
	GB_PORT_TO_PCIE = 8, /* PCI above, PCI Express below */
	GB_PORT_INTEGRATED = 9,
	GB_PORT_EVENT_COLLECTOR = 10,
};

#define GB_BARS 6

struct gb_rebar {
	uint8_t bar;
	uint8_t size;	/* now: 2^size MiB */
	uint64_t sizes; /* bit n: 2^n MiB can be had */
};

/* One function's config space. Zero-initialised, it says that nothing is known. */
struct gb_config {
	uint16_t bytes; /* that could be read: 0, 64 (the kernel's answer to a user), 256, 4096 */
	bool asleep;	/* not read, since reading would wake it */

	/* with 64 bytes: */
	uint8_t header; /* layout: 0 function, 1 bridge, 2 CardBus bridge */
	bool multifunction;
	uint8_t secondary, subordinate; /* a bridge's bus numbers */

	/* with 256 bytes, or where there are no capabilities: */
	enum gb_known express; /* has the PCI Express capability */
	enum gb_port port;     /* if so */
	enum gb_known flr;     /* function level reset, by DevCap */
	enum gb_known af_flr;  /* by Advanced Features */

	/* with 4096 bytes, or where it is not PCI Express: */
	enum gb_known acs;
	uint32_t acs_word[2]; /* at 4 and 8 of the ACS capability */
	enum gb_known resizable;
	struct gb_rebar rebar[GB_BARS];
	unsigned rebars;
};

/* Reads config space through libpci, opened once for a whole machine. */
struct gb_config_reader;

int gb_config_open(struct gb_root *root, struct gb_config_reader **ret, struct gb_err *err);
void gb_config_close(struct gb_config_reader *reader);

/* Reading wakes a suspended device (drivers/pci/pci-sysfs.c pci_config_pm_runtime_get). Without
 * `wake`, one that is not in D0 stays unread. */
void gb_config_read(struct gb_config_reader *reader, struct gb_bdf bdf, bool wake,
		    struct gb_config *ret);
/* The device serial number capability; false when there is none, or it can't be read. */
bool gb_config_serial(struct gb_config_reader *reader, struct gb_bdf bdf, uint64_t *ret);
/* The same from a device that libpci found itself, in a dump for example. */
void gb_config_decode(struct pci_dev *pci, struct gb_config *ret);

/* The rest comes from sysfs, where the kernel keeps it: reading wakes nothing. */

struct gb_bars {
	struct {
		uint64_t start, size; /* size 0: not there */
		bool io, wide, prefetchable;
	} bar[GB_BARS];
	uint64_t rom;
};

/* 0, or a negative errno: -ENOENT where nobody can tell. */
int gb_config_bars(struct gb_root *root, struct gb_bdf bdf, struct gb_bars *ret);

struct gb_power {
	char state[16];   /* "D0" to "D3hot", "D3cold", "unknown"; empty: cannot tell */
	char runtime[16]; /* "active", "suspended", …; empty: cannot tell */
	enum gb_known d3cold_allowed;
};

void gb_config_power(struct gb_root *root, struct gb_bdf bdf, struct gb_power *ret);

/* Virtual functions: how many there can be and are. False when it can't have any. */
bool gb_config_sriov(struct gb_root *root, struct gb_bdf bdf, unsigned *ret_total,
		     unsigned *ret_now);

#endif
