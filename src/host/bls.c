/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bls-lines.h"
#include "err.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* One line, its carriage return taken as part of its end. False when it says nothing. */
static bool read_line(const char *data, size_t at, size_t end, struct gb_bls_line *ret)
{
	struct gb_bls_line line = { .at = at, .end = end };
	size_t stop = end;

	while (stop > at && (data[stop - 1] == '\n' || data[stop - 1] == '\r' ||
			     is_blank(data[stop - 1])))
		stop--;
	while (at < stop && is_blank(data[at]))
		at++;
	line.key = at;
	while (at < stop && !is_blank(data[at]))
		at++;
	line.key_len = at - line.key;
	while (at < stop && is_blank(data[at]))
		at++;
	line.value = at;
	line.value_len = stop - at;
	line.is_options = line.key_len == 7 && !memcmp(data + line.key, "options", 7) &&
			  line.value_len;
	*ret = line;
	return line.key_len;
}

int gb_bls_lines(const char *data, size_t len, struct gb_bls_lines *ret, struct gb_err *err)
{
	bool grub = true;

	ret->lines = 0;
	if (len > GB_BLS_MAX || memchr(data, '\0', len))
		return gb_fail(err, EINVAL, "it is no boot loader entry: too long, or with a NUL byte");
	for (size_t at = 0, end; at < len; at = end) {
		const char *newline = memchr(data + at, '\n', len - at);
		const char *cr = memchr(data + at, '\r', len - at);
		struct gb_bls_line line;
		bool says;

		end = newline ? (size_t)(newline - data) + 1 : len;
		/* a line's end for systemd-boot, nothing at all for GRUB */
		if (cr && cr < data + end && cr + 1 != newline)
			return gb_fail(err, EINVAL, "it has a carriage return inside a line");
		says = read_line(data, at, end, &line);
		if (says && data[line.key] == '#')
			continue;
		if (!says || !line.value_len)
			grub = false;
		if (!says)
			continue;
		if (ret->lines == GB_BLS_LINES_MAX)
			return gb_fail(err, EINVAL, "it has more than %d lines", GB_BLS_LINES_MAX);
		line.grub = grub;
		ret->line[ret->lines++] = line;
	}
	return 0;
}

/* systemd-boot takes quotes around a whole value away (src/boot/util.c, line_get_key_value). */
static char *copy_value(const char *data, const struct gb_bls_line *line)
{
	const char *value = data + line->value;
	size_t len = line->value_len;

	if (len > 1 && value[0] == '"' && value[len - 1] == '"')
		return strndup(value + 1, len - 2);
	return strndup(value, len);
}

static int take_options(struct gb_bls *bls, const char *data, const struct gb_bls_line *line)
{
	char *value = copy_value(data, line), *all;
	size_t old = bls->options ? strlen(bls->options) : 0, more;

	if (!value)
		return -ENOMEM;
	if (line->grub && !bls->grub_options) {
		bls->grub_options = strndup(data + line->value, line->value_len);
		if (!bls->grub_options) {
			free(value);
			return -ENOMEM;
		}
		bls->expands = strchr(bls->grub_options, '$');
	}
	more = strlen(value);
	all = realloc(bls->options, old + 1 + more + 1);
	if (all) {
		bls->options = all;
		if (old)
			all[old++] = ' ';
		memcpy(all + old, value, more + 1);
	}
	free(value);
	return all ? 0 : -ENOMEM;
}

static int take_line(struct gb_bls *bls, const char *data, const struct gb_bls_line *line)
{
	struct {
		const char *key;
		char **to;
	} keys[] = {
		{ "title", &bls->title }, { "version", &bls->version }, { "linux", &bls->kernel },
		{ "efi", &bls->efi }, { "uki", &bls->efi }, { "sort-key", &bls->sort_key },
		{ "machine-id", &bls->machine_id }, { "architecture", &bls->architecture },
		{ "initrd", NULL },
	};

	if (!line->value_len)
		return 0;
	if (line->is_options)
		return take_options(bls, data, line);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		char **to = keys[i].to;

		if (strlen(keys[i].key) != line->key_len ||
		    memcmp(keys[i].key, data + line->key, line->key_len))
			continue;
		if (!to && bls->initrds == GB_BLS_INITRDS_MAX)
			return 0;
		if (!to)
			to = &bls->initrd[bls->initrds++];
		free(*to);
		*to = copy_value(data, line);
		return *to ? 0 : -ENOMEM;
	}
	return 0;
}

int gb_bls_parse(const char *data, size_t len, struct gb_bls *ret, struct gb_err *err)
{
	struct gb_bls_lines *lines = malloc(sizeof(*lines));
	struct gb_bls bls = { 0 };
	int r = lines ? gb_bls_lines(data, len, lines, err) : -ENOMEM;

	for (size_t i = 0; !r && i < lines->lines; i++)
		r = take_line(&bls, data, &lines->line[i]);
	free(lines);
	if (r == -ENOMEM)
		gb_fail(err, ENOMEM, "out of memory");
	if (r)
		gb_bls_clear(&bls);
	else
		*ret = bls;
	return r;
}

void gb_bls_clear(struct gb_bls *bls)
{
	free(bls->title);
	free(bls->version);
	free(bls->kernel);
	free(bls->efi);
	free(bls->sort_key);
	free(bls->machine_id);
	free(bls->architecture);
	for (size_t i = 0; i < bls->initrds; i++)
		free(bls->initrd[i]);
	free(bls->options);
	free(bls->grub_options);
	memset(bls, 0, sizeof(*bls));
}
