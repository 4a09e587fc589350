/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loads.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "lines.h"
#include "text.h"

bool gb_loads_in_list(const char *line, const char *module)
{
	char word[GB_DRIVER_MAX];

	return gb_lines_word(&line, word, sizeof(word)) && gb_text_same_module(word, module);
}

bool gb_loads_in_script(const char *line, const char *module)
{
	char word[PATH_MAX];
	bool loads = false;

	while (gb_lines_word(&line, word, sizeof(word)) && word[0] != '#') {
		char *name = strrchr(word, '/');

		name = name ? name + 1 : word;
		name[strcspn(name, ".;&|)'")] = '\0';
		if (loads && gb_text_same_module(name, module))
			return true;
		if (loads && (!strcmp(word, "-r") || !strcmp(word, "--remove")))
			return false;
		loads |= strstr(name, "modprobe") || !strcmp(name, "insmod");
	}
	return false;
}

bool gb_loads_in_softdep(const char *line, const char *module, char *wants, size_t size)
{
	char word[GB_DRIVER_MAX];

	if (!gb_lines_word(&line, word, sizeof(word)) || strcmp(word, "softdep") ||
	    !gb_lines_word(&line, wants, size))
		return false;
	while (gb_lines_word(&line, word, sizeof(word)))
		if (gb_text_same_module(word, module))
			return true;
	return false;
}

static bool is_in_list(const char *list, const char *between, const char *module)
{
	char word[GB_DRIVER_MAX];

	for (size_t len; *(list += strspn(list, between)) && *list != '#'; list += len) {
		len = strcspn(list, between);
		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		if (gb_text_same_module(word, module))
			return true;
	}
	return false;
}

bool gb_loads_in_word(const char *line, const char *word, const char *module, char *what,
		      size_t size)
{
	char found[1024];

	while (gb_lines_word(&line, found, sizeof(found))) {
		const char *list = gb_lines_after(found, word);

		if (list && is_in_list(list, ",", module)) {
			gb_text_copy(what, size, found);
			return true;
		}
	}
	return false;
}

bool gb_loads_in_dracut(const char *line, const char *module)
{
	const char *value = gb_lines_after(line + strspn(line, " \t"), "force_drivers");

	return value && is_in_list(value + strspn(value, "+="), " \t\"'", module);
}

/* Module aliases for PCI have no wildcard but the star (scripts/mod/file2alias.c). */
static bool fits(const char *alias, const char *name)
{
	const char *star = NULL, *back = NULL;

	while (*name) {
		if (*alias == '*') {
			star = ++alias;
			back = name;
		} else if (*alias == *name) {
			alias++;
			name++;
		} else if (star) {
			alias = star;
			name = ++back;
		} else {
			return false;
		}
	}
	while (*alias == '*')
		alias++;
	return !*alias;
}

bool gb_loads_by_alias(const char *line, const char *modalias, const char *module, char *ret,
		       size_t size)
{
	char name[GB_DRIVER_MAX];

	return !strncmp(line, "alias pci:", 10) && gb_lines_word(&line, ret, size) &&
	       gb_lines_word(&line, ret, size) && gb_lines_word(&line, name, sizeof(name)) &&
	       gb_text_same_module(name, module) && fits(ret, modalias);
}
