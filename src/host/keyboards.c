/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keyboards.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "root.h"

#define INPUT "/sys/class/input"

struct reader {
	struct gb_root *root;
	struct gb_keyboards *keyboards;
};

/* Words of a bitmap, the highest first; the last has keys 0 to 31 or 63. One with Esc, the digits
 * and the first letters, keys 1 to 31, is a keyboard; buttons and remote controls lack some
 * (systemd: src/udev/udev-builtin-input_id.c). */
static bool has_letters(struct gb_root *root, const char *input)
{
	char path[PATH_MAX], bitmap[512], *last, *end;
	unsigned long long keys;
	ssize_t n;

	snprintf(path, sizeof(path), INPUT "/%s/capabilities/key", input);
	n = gb_root_read(root, path, bitmap, sizeof(bitmap));
	if (n <= 0)
		return false;
	bitmap[strcspn(bitmap, "\n")] = '\0';
	last = strrchr(bitmap, ' ');
	last = last ? last + 1 : bitmap;
	keys = strtoull(last, &end, 16);
	return !*end && (keys & 0xfffffffe) == 0xfffffffe;
}

static void read_name(struct gb_root *root, struct gb_keyboard *keyboard)
{
	char path[96];

	snprintf(path, sizeof(path), INPUT "/%s/name", keyboard->input);
	if (gb_root_read(root, path, keyboard->name, sizeof(keyboard->name)) <= 0)
		strcpy(keyboard->name, "a keyboard");
	keyboard->name[strcspn(keyboard->name, "\n")] = '\0';
	for (char *c = keyboard->name; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static int look(void *ctx, const char *name)
{
	struct reader *r = ctx;
	struct gb_keyboard *keyboard = &r->keyboards->keyboard[r->keyboards->keyboards];
	char path[PATH_MAX], link[PATH_MAX];

	if (r->keyboards->keyboards == GB_KEYBOARDS_MAX)
		return 1;
	if (strncmp(name, "input", 5) || strlen(name) >= sizeof(keyboard->input) ||
	    !has_letters(r->root, name))
		return 0;
	snprintf(path, sizeof(path), INPUT "/%s", name);
	if (gb_root_readlink(r->root, path, link, sizeof(link)) <= 0 || strstr(link, "/virtual/"))
		return 0;
	strcpy(keyboard->input, name);
	keyboard->placed = gb_bdf_in_link(link, &keyboard->bdf);
	read_name(r->root, keyboard);
	r->keyboards->keyboards++;
	return 0;
}

void gb_keyboards_read(struct gb_root *root, struct gb_keyboards *ret)
{
	struct reader r = { root, ret };

	ret->keyboards = 0;
	ret->read = gb_root_list(root, INPUT, look, &r) >= 0;
}
