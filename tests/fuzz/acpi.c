/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Firmware tables: whatever they hold, what is decoded must hang together. */
#include <stdlib.h>

#include "dmar.h"
#include "ivrs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

static void fuzz_dmar(const uint8_t *data, size_t size)
{
	struct gb_device device = { .path = { .hops = 2, .hop = { 0x08, 0 } }, .bdf = { 0, 1, 0 } };
	struct gb_dmar dmar;

	if (!gb_dmar_parse(data, size, &dmar, NULL)) {
		check(dmar.parts <= size && dmar.scopes <= size);
		for (size_t i = 0; i < dmar.parts; i++)
			check(dmar.part[i].scopes <= dmar.scopes &&
			      dmar.part[i].scope <= dmar.scopes - dmar.part[i].scopes);
		for (size_t i = 0; i < dmar.scopes; i++)
			check(dmar.scope[i].path.hops > 0 && dmar.scope[i].path.hops <= GB_HOPS_MAX);
		for (unsigned hop = 0; hop < 256; hop++) {
			device.path.hop[1] = device.bdf.devfn = (uint8_t)hop;
			check(gb_dmar_find(&dmar, GB_DMAR_RESERVED, &device, 0) <= dmar.parts);
			gb_dmar_unit(&dmar, &device);
		}
	}
	gb_dmar_clear(&dmar);
}

static void fuzz_ivrs(const uint8_t *data, size_t size)
{
	struct gb_device device = { .bdf = { 0, 1, 0 } };
	struct gb_ivrs ivrs;

	if (!gb_ivrs_parse(data, size, &ivrs, NULL)) {
		check(gb_ivrs_units(&ivrs) <= ivrs.ivhds && ivrs.ivhds + ivrs.ivmds <= size);
		for (size_t i = 0; i < ivrs.ivhds; i++)
			check(ivrs.ivhd[i].entries <= size);
		for (size_t i = 0; i < ivrs.ivmds; i++)
			gb_ivmd_covers(&ivrs.ivmd[i], &device);
	}
	gb_ivrs_clear(&ivrs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_dmar(data, size);
	fuzz_ivrs(data, size);
	return 0;
}
