/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quirk.h"

#include <stddef.h>
#include <string.h>

enum kind {
	ALWAYS,	     /* pci_quirk_mf_endpoint_acs and root ports listed by their whole id */
	SOUTHBRIDGE, /* pci_quirk_amd_sb_acs; where it is, an AMD IOMMU is (its IVRS test) */
	INTEGRATED,  /* pci_quirk_rciep_acs */
	ROOT_PORT,
	WIDE,	     /* pci_quirk_intel_spt_pch_acs: root ports, if they have the capability */
	PORT,	     /* root or downstream */
	PORT_NEVER,
	NEVER,
	EVEN = 0x80, /* even ids only */
};

/* In the kernel's order: the first row that decides counts. */
static const struct row {
	uint16_t vendor, first, last;
	uint8_t kind;
} rows[] = {
	/* ATI and AMD southbridges */
	{ 0x1002, 0x4383, 0x4385, SOUTHBRIDGE },
	{ 0x1002, 0x4399, 0x4399, SOUTHBRIDGE },
	{ 0x1002, 0x439c, 0x439d, SOUTHBRIDGE },
	{ 0x1022, 0x7809, 0x7809, SOUTHBRIDGE },
	{ 0x1022, 0x780f, 0x780f, SOUTHBRIDGE },
	/* Solarflare */
	{ 0x1924, 0x0903, 0x0903, ALWAYS },
	{ 0x1924, 0x0923, 0x0923, ALWAYS },
	{ 0x1924, 0x0a03, 0x0a03, ALWAYS },
	/* Intel network functions: 82571 to 82599, I219, I350 */
	{ 0x8086, 0x105e, 0x1060, ALWAYS },
	{ 0x8086, 0x10a7, 0x10a7, ALWAYS },
	{ 0x8086, 0x10a9, 0x10a9, ALWAYS },
	{ 0x8086, 0x10c6, 0x10c6, ALWAYS },
	{ 0x8086, 0x10c9, 0x10c9, ALWAYS },
	{ 0x8086, 0x10d6, 0x10d6, ALWAYS },
	{ 0x8086, 0x10d9, 0x10d9, ALWAYS },
	{ 0x8086, 0x10db, 0x10db, ALWAYS },
	{ 0x8086, 0x10dd, 0x10dd, ALWAYS },
	{ 0x8086, 0x10e1, 0x10e1, ALWAYS },
	{ 0x8086, 0x10e6, 0x10e8, ALWAYS },
	{ 0x8086, 0x10f1, 0x10f1, ALWAYS },
	{ 0x8086, 0x10f7, 0x10fc, ALWAYS },
	{ 0x8086, 0x1507, 0x1507, ALWAYS },
	{ 0x8086, 0x1509, 0x150a, ALWAYS },
	{ 0x8086, 0x150d, 0x1511, ALWAYS },
	{ 0x8086, 0x1514, 0x1514, ALWAYS },
	{ 0x8086, 0x1516, 0x1516, ALWAYS },
	{ 0x8086, 0x1518, 0x1518, ALWAYS },
	{ 0x8086, 0x151c, 0x151c, ALWAYS },
	{ 0x8086, 0x1521, 0x1524, ALWAYS },
	{ 0x8086, 0x1526, 0x1527, ALWAYS },
	{ 0x8086, 0x1529, 0x152a, ALWAYS },
	{ 0x8086, 0x154d, 0x154d, ALWAYS },
	{ 0x8086, 0x154f, 0x154f, ALWAYS },
	{ 0x8086, 0x1551, 0x1551, ALWAYS },
	{ 0x8086, 0x1558, 0x1558, ALWAYS },
	{ 0x8086, 0x15b7, 0x15b8, ALWAYS },
	{ 0x8086, 0x0000, 0xffff, INTEGRATED },
	/* Qualcomm, HXT */
	{ 0x17cb, 0x0115, 0x0115, ALWAYS },
	{ 0x17cb, 0x0400, 0x0401, ALWAYS },
	{ 0x1dbf, 0x0401, 0x0401, ALWAYS },
	/* Intel PCH: Ibex Peak, Cougar Point, Panther Point, Lynx Point H and LP, Wildcat Point,
	 * Patsburg, Wellsburg, Lynx Point of the 9 series */
	{ 0x8086, 0x3b42, 0x3b51, ROOT_PORT },
	{ 0x8086, 0x1c10, 0x1c1f, ROOT_PORT },
	{ 0x8086, 0x1e10, 0x1e1f, ROOT_PORT },
	{ 0x8086, 0x8c10, 0x8c1f, ROOT_PORT },
	{ 0x8086, 0x9c10, 0x9c1b, ROOT_PORT },
	{ 0x8086, 0x9c90, 0x9c9b, ROOT_PORT },
	{ 0x8086, 0x1d10, 0x1d1e, ROOT_PORT | EVEN },
	{ 0x8086, 0x8d10, 0x8d1e, ROOT_PORT },
	{ 0x8086, 0x8c90, 0x8c9e, ROOT_PORT | EVEN },
	/* Sunrise Point, Union Point and mobile: erratum of the specification updates */
	{ 0x8086, 0xa110, 0xa11f, WIDE },
	{ 0x8086, 0xa167, 0xa16a, WIDE },
	{ 0x8086, 0xa290, 0xa29f, WIDE },
	{ 0x8086, 0xa2e7, 0xa2ee, WIDE },
	{ 0x8086, 0x9d10, 0x9d1b, WIDE },
	/* Emulex BE3-R, Skyhawk-R */
	{ 0x19a2, 0x0710, 0x0710, ALWAYS },
	{ 0x10df, 0x0720, 0x0720, ALWAYS },
	/* Cavium */
	{ 0x177d, 0xa000, 0xa7ff, ROOT_PORT },
	{ 0x177d, 0xaf84, 0xaf84, ROOT_PORT },
	{ 0x177d, 0xb884, 0xb884, ROOT_PORT },
	{ 0x177d, 0xa026, 0xa026, ALWAYS },
	{ 0x177d, 0xa059, 0xa059, ALWAYS },
	{ 0x177d, 0xa060, 0xa060, ALWAYS },
	/* X-Gene, Ampere */
	{ 0x10e8, 0xe004, 0xe004, ALWAYS },
	{ 0x1def, 0xe005, 0xe00c, ALWAYS },
	/* Broadcom */
	{ 0x14e4, 0x16d7, 0x16d7, ALWAYS },
	{ 0x14e4, 0x1750, 0x1752, ALWAYS },
	{ 0x14e4, 0x1760, 0x1763, ALWAYS },
	{ 0x14e4, 0xd714, 0xd714, ALWAYS },
	/* Loongson */
	{ 0x0014, 0x3c09, 0x3c09, ALWAYS },
	{ 0x0014, 0x3c19, 0x3c19, ALWAYS },
	{ 0x0014, 0x3c29, 0x3c29, ALWAYS },
	{ 0x0014, 0x7a09, 0x7a09, ALWAYS },
	{ 0x0014, 0x7a19, 0x7a19, ALWAYS },
	{ 0x0014, 0x7a29, 0x7a29, ALWAYS },
	{ 0x0014, 0x7a39, 0x7a39, ALWAYS },
	{ 0x0014, 0x7a49, 0x7a49, ALWAYS },
	{ 0x0014, 0x7a59, 0x7a59, ALWAYS },
	{ 0x0014, 0x7a69, 0x7a69, ALWAYS },
	/* Annapurna Labs */
	{ 0x1c36, 0x0031, 0x0031, ROOT_PORT },
	/* Zhaoxin */
	{ 0x1d17, 0x3038, 0x3038, ALWAYS },
	{ 0x1d17, 0x3104, 0x3104, ALWAYS },
	{ 0x1d17, 0x9083, 0x9083, ALWAYS },
	{ 0x1d17, 0x0710, 0x071e, PORT },
	{ 0x1d17, 0x0721, 0x0721, PORT },
	{ 0x1d17, 0x0723, 0x0752, PORT },
	{ 0x1d17, 0x0000, 0xffff, PORT_NEVER },
	/* NXP */
	{ 0x1957, 0x8d80, 0x8d83, ALWAYS },
	{ 0x1957, 0x8d88, 0x8d8b, ALWAYS },
	{ 0x1957, 0x8d90, 0x8d93, ALWAYS },
	{ 0x1957, 0x8d98, 0x8d9b, ALWAYS },
	{ 0x1957, 0x8da0, 0x8da1, ALWAYS },
	{ 0x1957, 0x8da8, 0x8da9, ALWAYS },
	{ 0x1957, 0x8db0, 0x8db1, ALWAYS },
	{ 0x1957, 0x8db8, 0x8db9, ALWAYS },
	/* Wangxun */
	{ 0x8088, 0x0100, 0x010f, ALWAYS },
	{ 0x8088, 0x1001, 0x1001, ALWAYS },
	{ 0x8088, 0x2001, 0x2001, ALWAYS },
	{ 0x8088, 0x0000, 0xffff, NEVER },
};

static bool matches(const struct row *row, const struct gb_identity *id)
{
	return row->vendor == id->vendor && id->device >= row->first &&
	       id->device <= row->last && !(row->kind & EVEN && id->device & 1);
}

static enum gb_quirk decide(unsigned kind, const struct gb_function *f)
{
	bool root = f->express && f->port == GB_PORT_ROOT;
	bool port = root || (f->express && f->port == GB_PORT_DOWNSTREAM);
	bool isolated = kind == ALWAYS || (kind == ROOT_PORT && root) ||
			(kind == WIDE && root && f->acs) || (kind == PORT && port) ||
			(kind == SOUTHBRIDGE && f->multifunction && f->on_root_bus);

	if (isolated)
		return GB_QUIRK_ISOLATED;
	if (kind == INTEGRATED && f->express && f->port == GB_PORT_INTEGRATED)
		return GB_QUIRK_INTEGRATED;
	return kind == NEVER || (kind == PORT_NEVER && port) ? GB_QUIRK_EXPOSED : GB_QUIRK_NONE;
}

enum gb_quirk gb_quirk_acs(const struct gb_identity *id, const struct gb_function *function)
{
	enum gb_quirk quirk = GB_QUIRK_NONE;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && quirk == GB_QUIRK_NONE; i++)
		if (matches(&rows[i], id))
			quirk = decide(rows[i].kind & ~(unsigned)EVEN, function);
	return quirk;
}

bool gb_quirk_wide_acs(const struct gb_identity *id)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].kind == WIDE && matches(&rows[i], id))
			return true;
	return false;
}

enum alias { FUNCTION_0, FUNCTION_1, ADAPTEC, MIC_X200, VCA, ALL };

static const struct alias_row {
	uint16_t vendor, device;
	uint8_t alias;
} alias_rows[] = {
	/* Ricoh, Glenfly */
	{ 0x1180, 0xe476, FUNCTION_0 },
	{ 0x1180, 0xe832, FUNCTION_0 },
	{ 0x6766, 0x3d40, FUNCTION_0 },
	{ 0x6766, 0x3d41, FUNCTION_0 },
	/* Marvell and what is built with it: HighPoint, JMicron, Lite-On */
	{ 0x1b4b, 0x9120, FUNCTION_1 },
	{ 0x1b4b, 0x9123, FUNCTION_1 },
	{ 0x1b4b, 0x9125, FUNCTION_1 },
	{ 0x1b4b, 0x9128, FUNCTION_1 },
	{ 0x1b4b, 0x9130, FUNCTION_1 },
	{ 0x1b4b, 0x9170, FUNCTION_1 },
	{ 0x1b4b, 0x9172, FUNCTION_1 },
	{ 0x1b4b, 0x917a, FUNCTION_1 },
	{ 0x1b4b, 0x9182, FUNCTION_1 },
	{ 0x1b4b, 0x9183, FUNCTION_1 },
	{ 0x1b4b, 0x91a0, FUNCTION_1 },
	{ 0x1b4b, 0x9215, FUNCTION_1 },
	{ 0x1b4b, 0x9220, FUNCTION_1 },
	{ 0x1b4b, 0x9230, FUNCTION_1 },
	{ 0x1b4b, 0x9235, FUNCTION_1 },
	{ 0x1103, 0x0642, FUNCTION_1 },
	{ 0x1103, 0x0645, FUNCTION_1 },
	{ 0x197b, 0x2392, FUNCTION_1 },
	{ 0x1c28, 0x0122, FUNCTION_1 },
	{ 0x9005, 0x0285, ADAPTEC },
	{ 0x8086, 0x2260, MIC_X200 },
	{ 0x8086, 0x2264, MIC_X200 },
	{ 0x8086, 0x2954, VCA },
	{ 0x8086, 0x2955, VCA },
	{ 0x8086, 0x2956, VCA },
	{ 0x8086, 0x2958, VCA },
	{ 0x8086, 0x2959, VCA },
	{ 0x8086, 0x295a, VCA },
	/* PLX non-transparent bridges */
	{ 0x10b5, 0x87b0, ALL },
	{ 0x10b5, 0x87b1, ALL },
};

static void add(uint64_t mask[static 4], unsigned device, unsigned function)
{
	unsigned devfn = device << 3 | function;

	mask[devfn / 64] |= UINT64_C(1) << devfn % 64;
}

static bool adaptec_raid(const struct gb_identity *id)
{
	return id->subvendor == 0x9005 && (id->subdevice == 0x02bb || id->subdevice == 0x02bc);
}

static void add_aliases(enum alias alias, const struct gb_identity *id, uint8_t devfn,
			uint64_t mask[static 4])
{
	if (alias == FUNCTION_0 || alias == FUNCTION_1) {
		add(mask, GB_DEVICE(devfn), alias == FUNCTION_1);
	} else if (alias == ADAPTEC && adaptec_raid(id)) {
		add(mask, 1, 0);
	} else if (alias == MIC_X200) {
		add(mask, 0x10, 0);
		add(mask, 0x11, 0);
		add(mask, 0x12, 3);
	} else if (alias == VCA || alias == ALL) {
		for (unsigned i = 0; i < 256; i++)
			if (alias == ALL || GB_FUNCTION(i) < 5)
				add(mask, GB_DEVICE(i), GB_FUNCTION(i));
	}
}

bool gb_quirk_aliases(const struct gb_identity *id, uint8_t devfn, uint64_t ret[static 4])
{
	memset(ret, 0, 4 * sizeof(*ret));
	for (size_t i = 0; i < sizeof(alias_rows) / sizeof(*alias_rows); i++)
		if (alias_rows[i].vendor == id->vendor && alias_rows[i].device == id->device)
			add_aliases(alias_rows[i].alias, id, devfn, ret);
	/* itself is no alias (drivers/pci/quirks.c quirk_dma_func0_alias) */
	ret[devfn / 64] &= ~(UINT64_C(1) << devfn % 64);
	return ret[0] || ret[1] || ret[2] || ret[3];
}

bool gb_quirk_translates(const struct gb_identity *id)
{
	/* Cavium ThunderX2, quirk_bridge_cavm_thrx2_pcie_root */
	return id->vendor == 0x14e4 && (id->device == 0x9000 || id->device == 0x9084);
}
