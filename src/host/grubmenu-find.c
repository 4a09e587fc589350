/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grubmenu.h"
#include "text.h"

/* What a value of `default` means (grub-core/normal/menu.c: get_entry_number, menuentry_eq,
 * grub_menu_execute_entry). */

/* Behind a first part, or NULL when there is but one: ">" parts, ">>" is one in a name. */
static const char *next_part(const char *value)
{
	for (; *value; value++) {
		if (value[0] == '>' && value[1] != '>')
			return value + 1;
		value += value[0] == '>';
	}
	return NULL;
}

static bool is_named(const char *name, const char *value)
{
	for (;; name++, value++) {
		if (*value == '>' && value[1] != '>')
			return !*name;
		value += *value == '>';
		if (*name != *value)
			return false;
		if (!*name)
			return true;
	}
}

static bool is_at(const struct gb_grubmenu *menu, size_t i, int above)
{
	return menu->item[i].above == above;
}

static int first_of(const struct gb_grubmenu *menu, int above)
{
	for (size_t i = 0; i < menu->items; i++)
		if (is_at(menu, i, above))
			return menu->item[i].maybe ? -ENOTUNIQ : (int)i;
	return -ENOENT;
}

static int find_number(const struct gb_grubmenu *menu, unsigned long number, int above)
{
	unsigned long count = 0;
	bool maybe = false;

	for (size_t i = 0; i < menu->items; i++) {
		if (!is_at(menu, i, above))
			continue;
		maybe = maybe || menu->item[i].maybe;
		if (count++ == number)
			return maybe ? -ENOTUNIQ : (int)i;
	}
	return first_of(menu, above);
}

static int find_name(const struct gb_grubmenu *menu, const char *value, int above)
{
	for (size_t i = 0; i < menu->items; i++)
		if (is_at(menu, i, above) && (is_named(menu->item[i].title, value) ||
					      is_named(menu->item[i].id, value)))
			return menu->item[i].maybe ? -ENOTUNIQ : (int)i;
	return first_of(menu, above);
}

/* GRUB takes what begins with digits for a number, whatever follows. */
static int find_at(const struct gb_grubmenu *menu, const char *value, int above)
{
	if (isdigit((unsigned char)*value))
		return find_number(menu, strtoul(value, NULL, 0), above);
	return find_name(menu, value, above);
}

/* A submenu that is gone into without a second part takes the same value again. */
int gb_grubmenu_find(const struct gb_grubmenu *menu, const char *value)
{
	int at = GB_GRUBMENU_TOP;

	do {
		const char *rest = next_part(value);

		at = find_at(menu, value, at);
		value = rest && *rest ? rest : value;
	} while (at >= 0 && menu->item[at].submenu);
	return at;
}

static void add_name(struct gb_text *text, const char *name)
{
	for (; *name; name++) {
		gb_text_add(text, name, 1);
		if (*name == '>')
			gb_text_add(text, name, 1);
	}
}

static void add_path(const struct gb_grubmenu *menu, int item, struct gb_text *text)
{
	if (menu->item[item].above != GB_GRUBMENU_TOP) {
		add_path(menu, menu->item[item].above, text);
		gb_text_add(text, ">", 1);
	}
	add_name(text, menu->item[item].id);
}

bool gb_grubmenu_path(const struct gb_grubmenu *menu, int item, char *ret, size_t size)
{
	struct gb_text text = { 0 };
	bool fits;

	add_path(menu, item, &text);
	fits = !text.failed && text.len && gb_text_copy(ret, size, text.data);
	gb_text_clear(&text);
	return fits;
}
