/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GRUB's configuration: one that is whole can take its own place, and no other; what entries carry is not
 * gone from them. */
#include "grubcfg.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "images.h"
#include "root.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

/* A root without any kernel: then none is missing. */
static struct gb_root *empty(void)
{
	static struct gb_root *root;

	if (!root) {
		char folder[] = "/tmp/ghost-boot-fuzz.XXXXXX";

		MUST(mkdtemp(folder) && !gb_root_open(folder, &root, NULL));
	}
	return root;
}

/* What every line carries is not gone from them. */
static void check_goals(const struct gb_grubcfg *cfg)
{
	const struct gb_grubcfg_goal nothing = { NULL, NULL, NULL }, carry = { .carry = "quiet" },
				     gone = { .gone = "quiet" };
	bool any = false;

	for (size_t i = 0; i < cfg->entries; i++) {
		const struct gb_grubcfg_entry *entry = &cfg->entry[i];

		MUST(entry->title && entry->id && entry->kernel && entry->line);
		any |= !entry->recovery;
	}
	MUST(!gb_grubcfg_check(cfg, &nothing, NULL));
	if (any && !gb_grubcfg_check(cfg, &carry, NULL))
		MUST(gb_grubcfg_check(cfg, &gone, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *file = (const char *)data;
	struct gb_grubcfg cfg;

	gb_images_grub_names(file, size, "initrd.img");
	if (gb_grubcfg_parse(file, size, &cfg, NULL))
		return 0;
	check_goals(&cfg);
	MUST(!gb_grubcfg_replaces(&cfg, &cfg, empty(), NULL) == (cfg.whole && cfg.made && cfg.entries));
	gb_grubcfg_clear(&cfg);
	return 0;
}
