/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints each firmware table named as one line, in the columns of EXPECTED.tsv: tests/machines/acpi
 * compares them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmar.h"
#include "err.h"
#include "ivrs.h"

static void print_scopes(const struct gb_dmar *dmar, const struct gb_dmar_part *part)
{
	for (size_t i = 0; i < part->scopes; i++) {
		const struct gb_scope *scope = &dmar->scope[part->scope + i];

		printf("%st%u:%02x", i ? "," : "", scope->type, scope->path.bus);
		for (size_t hop = 0; hop < scope->path.hops; hop++)
			printf("%c%02x.%x", hop ? '/' : ':', GB_DEVICE(scope->path.hop[hop]),
			       GB_FUNCTION(scope->path.hop[hop]));
	}
}

static void print_dmar(const struct gb_dmar *dmar)
{
	size_t all = 0;
	const char *between = "";

	for (size_t i = 0; i < dmar->parts; i++)
		all += dmar->part[i].kind == GB_DMAR_UNIT &&
		       (dmar->part[i].flags & GB_DMAR_INCLUDE_ALL);
	printf("flags=0x%x(IR=%d,X2OPTOUT=%d,DMAOPTIN=%d)\twidth=%u\t", dmar->flags,
	       dmar->interrupt_remapping, dmar->x2apic_opt_out, dmar->dma_opt_in,
	       dmar->address_width);
	printf("drhd=%zu(all=%zu)\trmrr=%zu\tatsr=%zu\tsatc=%zu\t",
	       gb_dmar_count(dmar, GB_DMAR_UNIT), all, gb_dmar_count(dmar, GB_DMAR_RESERVED),
	       gb_dmar_count(dmar, GB_DMAR_ATS), gb_dmar_count(dmar, GB_DMAR_SATC));
	for (size_t i = 0; i < dmar->parts; i++) {
		const struct gb_dmar_part *part = &dmar->part[i];

		if (part->kind != GB_DMAR_RESERVED)
			continue;
		printf("%s%llx-%llx[", between, (unsigned long long)part->base,
		       (unsigned long long)part->limit);
		print_scopes(dmar, part);
		printf("]");
		between = ";";
	}
}

static void print_ivrs(const struct gb_ivrs *ivrs)
{
	const char *between = "";

	printf("ivinfo=0x%x(DMAremapSup=%d?)\trev=%u\tivhd=", ivrs->info, ivrs->dma_remapping,
	       ivrs->table.revision);
	for (unsigned type = 0; type < 256; type++) {
		size_t n = 0;

		for (size_t i = 0; i < ivrs->ivhds; i++)
			n += ivrs->ivhd[i].type == type;
		if (n) {
			printf("%s%x:%zu", between, type, n);
			between = ",";
		}
	}
	printf("\tivmd=%zu\t\t\t", ivrs->ivmds);
	for (size_t i = 0; i < ivrs->ivmds; i++) {
		const struct gb_ivmd *ivmd = &ivrs->ivmd[i];

		printf("%st%x:flags%x:%04x-%04x:%llx+%llx", i ? ";" : "", ivmd->type, ivmd->flags,
		       ivmd->device, ivmd->last, (unsigned long long)ivmd->base,
		       (unsigned long long)ivmd->length);
	}
}

static void print_head(const char *name, const char *signature, size_t len,
		       const struct gb_acpi_table *table)
{
	printf("%s\t%s\t%zu\t%s%s%s\t", name, signature, len, table->checksum ? "ok" : "bad",
	       table->problem[0] || table->length != len ? ", cut: " : "", table->problem);
}

static void print(const char *path)
{
	static char data[GB_ACPI_SIZE_MAX];
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	FILE *file = fopen(path, "r");
	struct gb_dmar dmar;
	struct gb_ivrs ivrs;
	struct gb_err err;
	size_t len;

	if (!file)
		return;
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	if (!gb_dmar_parse(data, len, &dmar, &err)) {
		print_head(name, "DMAR", len, &dmar.table);
		print_dmar(&dmar);
	} else if (!gb_ivrs_parse(data, len, &ivrs, &err)) {
		print_head(name, "IVRS", len, &ivrs.table);
		print_ivrs(&ivrs);
		gb_ivrs_clear(&ivrs);
	} else {
		printf("%s\t%s", name, err.text);
	}
	gb_dmar_clear(&dmar);
	printf("\n");
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		print(argv[i]);
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
