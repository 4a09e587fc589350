/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_ACS_H
#define GB_ACS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "device.h"

/* Access Control Services by the rules of Linux 6.12 (drivers/pci/pci.c pci_acs_enabled), as they
 * come out once an IOMMU driver has asked for them: by what a function can, not by what is
 * switched on now. */

/* PCI Express Base Specification 7.7.11.2 */
enum {
	GB_ACS_SOURCE_VALIDATION = 0x01,
	GB_ACS_TRANSLATION_BLOCKING = 0x02,
	GB_ACS_REQUEST_REDIRECT = 0x04,
	GB_ACS_COMPLETION_REDIRECT = 0x08,
	GB_ACS_UPSTREAM_FORWARDING = 0x10,
	GB_ACS_EGRESS_CONTROL = 0x20,
	GB_ACS_DIRECT_TRANSLATED = 0x40,
};
#define GB_ACS_BITS 7
/* What the kernel wants of a function before it gives it a group (drivers/iommu/iommu.c). One
 * that the capability lacks counts as hard-wired. */
#define GB_ACS_REQUIRED 0x1d

enum gb_acs_rule {
	GB_ACS_UNREAD, /* no config space could be read */
	GB_ACS_CUT,    /* not enough of it */
	/* isolated: */
	GB_ACS_CAPABLE,
	GB_ACS_KNOWN_MODEL,
	GB_ACS_INTEGRATED,
	GB_ACS_SINGLE,
	/* not isolated: */
	GB_ACS_ROOT_PORT,
	GB_ACS_DOWNSTREAM_PORT,
	GB_ACS_FUNCTION,
	GB_ACS_CONVENTIONAL,
	GB_ACS_BRIDGE,
	GB_ACS_EVENT_COLLECTOR,
	GB_ACS_EXPOSED_MODEL,
};

struct gb_acs {
	enum gb_acs_rule rule;
	enum gb_known isolated;	     /* from its peers and, for a port, those below it */
	enum gb_known multifunction; /* as the kernel counts it */
	enum gb_known aliases;	     /* a bridge below which all share its requester ID */
};

void gb_acs_judge(const struct gb_device *device, const struct gb_config *config,
		  struct gb_acs *ret);

const char *gb_acs_rule_name(enum gb_acs_rule rule); /* stable, for programs */
const char *gb_acs_rule_text(enum gb_acs_rule rule); /* "downstream port without ACS" */

/* The registers of one function, in words of 16 bits whatever the chip does. */
struct gb_acs_bits {
	uint16_t capability, control;
	uint16_t off; /* required and possible, but not switched on now */
};

/* GB_YES fills *ret. */
enum gb_known gb_acs_read(const struct gb_identity *id, const struct gb_config *config,
			  struct gb_acs_bits *ret);
const char *gb_acs_bit_name(unsigned bit); /* 0x01: "SV"; as in lspci, without the sign */

#endif
