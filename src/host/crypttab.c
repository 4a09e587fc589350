/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypttab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "root.h"

#define FILE_MAX (256u << 10)

struct search {
	bool (*each)(void *ctx, const struct gb_crypttab_line *line);
	void *ctx;
	bool found;
};

/* "KEY=VALUE" with a value, or the option alone. */
static bool is_option(const char *option, size_t len, const char *key)
{
	size_t k = strlen(key);

	return len >= k && !strncmp(option, key, k) && (len == k || option[k] == '=');
}

static void take_option(const char *option, size_t len, struct gb_crypttab_line *ret)
{
	static const char *const tokens[] = { "tpm2-device", "fido2-device", "pkcs11-uri" };

	for (size_t i = 0; i < sizeof(tokens) / sizeof(*tokens); i++)
		if (is_option(option, len, tokens[i])) {
			ret->has_token = true;
			ret->has_tpm = ret->has_tpm || !i;
		}
	ret->has_key = ret->has_key || is_option(option, len, "keyscript");
	ret->in_image = ret->in_image || is_option(option, len, "initramfs") ||
			is_option(option, len, "x-initrd.attach");
}

/* NAME DEVICE [KEY [OPTIONS]] */
static void take_line(void *ctx, unsigned number, const char *line)
{
	struct gb_crypttab_line found = { .number = number };
	char device[256], key[256] = "", options[1024] = "";
	struct search *search = ctx;

	if (search->found || *(line += strspn(line, " \t")) == '#' ||
	    sscanf(line, "%127s %255s %255s %1023s", found.name, device, key, options) < 2)
		return;
	found.has_key = key[0] && strcmp(key, "none") && strcmp(key, "-");
	for (const char *at = options; *at;) {
		size_t len = strcspn(at, ",");

		take_option(at, len, &found);
		at += len + (at[len] == ',');
	}
	search->found = search->each(search->ctx, &found);
}

bool gb_crypttab_find(struct gb_root *root,
		      bool (*each)(void *ctx, const struct gb_crypttab_line *line), void *ctx)
{
	struct search search = { each, ctx, false };
	size_t len;
	char *data;

	if (gb_root_read_all(root, GB_CRYPTTAB_FILE, FILE_MAX, &data, &len))
		return false;
	gb_lines_each(data, len, take_line, &search);
	free(data);
	return search.found;
}
