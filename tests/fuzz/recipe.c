/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a passthrough set-up. Each begins with a letter that says where it lies; a line of the
 * one byte 0x01 begins the next. */
#include <stdlib.h>
#include <string.h>

#include "ids.h"
#include "machine.h"
#include "recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const places[] = {
	"/proc/cmdline",
	"/etc/modprobe.d/a.conf",
	"/etc/modprobe.d/b",
	"/etc/modules",
	"/etc/initramfs-tools/modules",
	"/etc/dracut.conf.d/a.conf",
	"/etc/mkinitcpio.conf",
	"/etc/driverctl.d/pci-0000:01:00.0",
	"/etc/libvirt/hooks/qemu",
	"/etc/udev/rules.d/a.rules",
	"/etc/initramfs-tools/scripts/init-top/a",
};

static void take(struct gb_findings *f, const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	if (size && !gb_recipe_take(f, places[(unsigned char)text[0] % 11], text + 1, size - 1))
		abort();
	free(text);
}

static void check(const struct gb_findings *f)
{
	if (f->findings > GB_FINDINGS_MAX || f->rules > GB_ID_RULES_MAX)
		abort();
	for (size_t i = 0; i < f->findings; i++) {
		const struct gb_finding *finding = &f->finding[i];

		if (finding->id >= GB_FINDING_IDS || !*gb_finding_file(f, finding))
			abort();
		for (const char *c = finding->words; *c; c++)
			if ((unsigned char)*c < ' ')
				abort();
		for (const char *c = finding->detail; *c; c++)
			if ((unsigned char)*c < ' ')
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gb_device device[] = {
		{ .bdf = { 0, 1, 0 }, .id = { 0x10de, 0x2206, 0, 0, 0x030000, false, 0 },
		  .path = { .hops = 2 }, .boot_vga = true },
		{ .bdf = { 0, 2, 0 }, .id = { 0x144d, 0xa809, 0, 0, 0x010802, false, 0 },
		  .path = { .bus = 1, .hops = 2 } },
		{ .id = { 0x1022, 0x1480, 0, 0, 0x060000, false, 0 }, .path = { .hops = 1 } },
	};
	struct gb_machine machine = { .device = device, .devices = 3, .complete = true };
	struct gb_findings f = { .machine = &machine };
	const uint8_t *end = data + size;
	size_t files = 0;

	while (data < end && files++ < 8) {
		const uint8_t *next = memchr(data, 1, (size_t)(end - data));

		take(&f, data, (size_t)((next ? next : end) - data));
		data = next ? next + 1 : end;
	}
	gb_ids_judge(&f);
	gb_findings_sort(&f);
	check(&f);
	gb_findings_clear(&f);
	return 0;
}
