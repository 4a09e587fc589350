/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EFI programs: whatever their headers say, a section lies inside the file. */
#include "pe.h"

#include <stdlib.h>
#include <string.h>

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size < GB_PE_HEAD_MAX ? size : GB_PE_HEAD_MAX;
	struct gb_pe pe;

	if (gb_pe_parse(data, len, size, &pe, NULL))
		return 0;
	MUST(pe.sections <= GB_PE_SECTIONS_MAX);
	MUST(pe.certificates <= size && pe.certificates_size <= size - pe.certificates);
	MUST(pe.directory + 8 <= len && pe.checksum + 4 <= len);
	for (size_t i = 0; i < pe.sections; i++) {
		const struct gb_pe_section *section = &pe.section[i];

		MUST(strnlen(section->name, sizeof(section->name)) < sizeof(section->name));
		MUST(section->offset <= size && section->size <= size - section->offset);
		MUST(gb_pe_find(&pe, section->name));
	}
	return 0;
}
