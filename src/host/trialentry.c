/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trialentry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bls-lines.h"
#include "bls.h"
#include "err.h"

#define FIRST "# made by ghost-boot"
#define MACHINE " of machine "
#define AGAIN ", which takes it away again: ghost-boot disable\n"

static bool is_separator(char c)
{
	return c == '/' || c == '\\';
}

static const char *pass_separators(const char *path)
{
	while (is_separator(*path))
		path++;
	return path;
}

/* Of a path of this system, what is left without its partition's folder. */
static bool ends_so(const char *path, const char *end)
{
	const size_t len = strlen(path), end_len = strlen(end);

	if (!end_len || end_len > len)
		return false;
	for (size_t i = 0; i < end_len; i++)
		if (path[len - end_len + i] != end[i] &&
		    !(is_separator(path[len - end_len + i]) && is_separator(end[i])))
			return false;
	return end_len == len || is_separator(path[len - end_len - 1]);
}

static bool is_own(const struct gb_trialentry *entry, const char *path)
{
	for (size_t i = 0; i < entry->owns; i++)
		if (ends_so(entry->own[i], pass_separators(path)))
			return true;
	return false;
}

static bool is_key(const char *data, const struct gb_bls_line *line, const char *key)
{
	return line->key_len == strlen(key) && !memcmp(data + line->key, key, line->key_len);
}

/* What says where it stands among the others, and what is written anew. */
static bool is_dropped(const char *data, const struct gb_bls_line *line)
{
	static const char *const keys[] = { "title", "version", "sort-key", "machine-id", "options" };

	if (!line->value_len)
		return true;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (is_key(data, line, keys[i]))
			return true;
	return false;
}

static void add_line(const char *data, const struct gb_bls_line *line, struct gb_text *ret)
{
	gb_text_addf(ret, "%.*s %.*s\n", (int)line->key_len, data + line->key, (int)line->value_len,
		     data + line->value);
}

/* The first of the kernel's own gives its place to ours. */
static void add_initrd(const struct gb_trialentry *entry, const char *data,
		       const struct gb_bls_line *line, bool *placed, struct gb_text *ret)
{
	char *value = strndup(data + line->value, line->value_len);

	if (!value) {
		ret->failed = true;
	} else if (!entry->image || !is_own(entry, value)) {
		add_line(data, line, ret);
	} else if (!*placed) {
		gb_text_addf(ret, "initrd %s\n", entry->image);
		*placed = true;
	}
	free(value);
}

static int add_options(const struct gb_trialentry *entry, const struct gb_bls *bls,
		       struct gb_text *ret, struct gb_err *err)
{
	const char *options = bls->options ? bls->options : "";
	struct gb_changes changes;
	int r = gb_arguments_change(options, strlen(options), entry->want, entry->wants, &changes, err);

	if (r)
		return r;
	gb_text_addf(ret, "options %.*s\n", (int)changes.len, changes.line);
	gb_changes_clear(&changes);
	return 0;
}

static int add_lines(const struct gb_trialentry *entry, const char *data,
		     const struct gb_bls_lines *lines, struct gb_text *ret, struct gb_err *err)
{
	bool placed = false;

	for (size_t i = 0; i < lines->lines; i++) {
		const struct gb_bls_line *line = &lines->line[i];

		if (is_dropped(data, line))
			continue;
		if (is_key(data, line, "initrd"))
			add_initrd(entry, data, line, &placed, ret);
		else
			add_line(data, line, ret);
	}
	if (entry->image && !placed)
		return gb_fail(err, EINVAL, "it loads no image of its kernel that another could stand for");
	return 0;
}

int gb_trialentry_conf(const char *data, size_t len, const struct gb_trialentry *entry,
		       struct gb_text *ret, struct gb_err *err)
{
	struct gb_bls_lines *lines = malloc(sizeof(*lines));
	struct gb_bls bls = { 0 };
	int r = lines ? gb_bls_lines(data, len, lines, err) : gb_fail(err, ENOMEM, "out of memory");

	if (!r)
		r = gb_bls_parse(data, len, &bls, err);
	if (!r && !bls.kernel)
		r = gb_fail(err, EINVAL, "it boots no kernel with an image of its own");
	if (!r) {
		gb_text_addf(ret, FIRST "%s%s" AGAIN "title %s%s\n", entry->machine ? MACHINE : "",
			     entry->machine ? entry->machine : "", bls.title ? bls.title : "Linux", entry->title);
		r = add_lines(entry, data, lines, ret, err);
	}
	if (!r)
		r = add_options(entry, &bls, ret, err);
	if (!r && ret->failed)
		r = gb_fail(err, ENOMEM, "out of memory");
	gb_bls_clear(&bls);
	free(lines);
	return r;
}

bool gb_trialentry_machine(const char *data, size_t len, char ret[GB_BLS_MACHINE + 1])
{
	const size_t first = strlen(FIRST MACHINE);

	if (len < first + GB_BLS_MACHINE || memcmp(data, FIRST MACHINE, first))
		return false;
	memcpy(ret, data + first, GB_BLS_MACHINE);
	ret[GB_BLS_MACHINE] = '\0';
	return strspn(ret, "0123456789abcdef") == GB_BLS_MACHINE;
}
