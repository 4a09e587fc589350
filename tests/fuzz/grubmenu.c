/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GRUB's configuration: any bytes, read as a menu; what can be chosen has a path back to it, and a
 * copy of it is read again. custom.cfg: there and back. */
#include "grubmenu.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "grubcustom.h"
#include "trialentry.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

static void copy(const struct gb_grubmenu_item *item)
{
	static const struct gb_want want = { GB_WANT_ONLY, "ghost.claim=off", NULL };
	static const char *const own[] = { "/boot/initrd.img-1" };
	const struct gb_trialentry entry = { .title = "!", .id = GB_GRUBMENU_RECOVERY, .want = &want,
					     .wants = 1, .own = own, .owns = 1, .release = "1" };
	struct gb_text text = { 0 };
	struct gb_grubmenu menu;

	if (!gb_trialentry_grub(item, &entry, &text, NULL)) {
		MUST(!gb_grubmenu_read(text.data, text.len, NULL, 0, &menu, NULL));
		MUST(menu.items == 1 && !strcmp(menu.item[0].id, GB_GRUBMENU_RECOVERY));
		gb_grubmenu_clear(&menu);
	}
	gb_text_clear(&text);
}

static void read_menu(const char *data, size_t size)
{
	struct gb_grubmenu menu;
	struct gb_err err = { "" };
	char path[512];

	if (gb_grubmenu_read(data, size, data, size / 2, &menu, &err)) {
		MUST(err.text[0]);
		return;
	}
	for (size_t i = 0; i < menu.items; i++) {
		MUST(menu.item[i].above < (int)i);
		if (gb_grubmenu_path(&menu, (int)i, path, sizeof(path)))
			gb_grubmenu_find(&menu, path);
		copy(&menu.item[i]);
	}
	gb_grubmenu_find(&menu, menu.usual ? menu.usual : "");
	gb_grubmenu_clear(&menu);
}

static void there_and_back(const char *data, size_t size)
{
	struct gb_text there = { 0 }, back = { 0 };
	const char *ours;
	bool left;
	size_t len;

	if (!gb_grubcustom_find(data, size, &ours, &len, NULL) && !len &&
	    !gb_grubcustom_change(data, size, "x\n", &there, &left, NULL)) {
		MUST(left == (size > 0));
		MUST(!gb_grubcustom_find(there.data, there.len, &ours, &len, NULL) && len == 2);
		MUST(!gb_grubcustom_change(there.data, there.len, NULL, &back, &left, NULL));
		MUST(back.len == size && (!size || !memcmp(back.data, data, size)));
	}
	gb_text_clear(&there);
	gb_text_clear(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	read_menu(text, size);
	there_and_back(text, size);
	free(text);
	return 0;
}
