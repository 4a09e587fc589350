/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci.ids, whoever wrote it: whatever it holds, names are printable and end. */
#include "../../tools/names.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(struct gb_names *names, uint16_t vendor, uint16_t device, uint32_t class)
{
	const struct gb_identity id = { .vendor = vendor, .device = device, .class = class };
	char name[GB_NAME_MAX];

	gb_names_device(names, &id, name);
	for (size_t at = 0, bytes; name[at]; at += bytes) {
		bytes = gb_text_character(name + at);
		if (!bytes)
			__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gb_names *names = gb_names_open(NULL);

	if (!names || !(names->text = malloc(size + 1)))
		return 0;
	memcpy(names->text, data, size);
	names->text[size] = '\0';
	names->loaded = true;
	list_vendors(names);
	look(names, 0x10de, 0x2203, 0x030000);
	look(names, 0x10de, 0x1aef, 0x040300);
	for (size_t i = 0; i < names->vendors && i < 8; i++)
		look(names, (uint16_t)names->vendor[i].id, 0x2203, 0x030000);
	gb_names_close(names);
	return 0;
}
