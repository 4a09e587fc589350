/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "root.h"

#define TABLE_MAX (8u << 20)

/* proc_pid_mountinfo(5): after the point come any fields, then " - type source options". */
bool gb_mount_read(const char *line, struct gb_mount *ret)
{
	const char *rest = strstr(line, " - ");

	ret->options[0] = '\0';
	return rest &&
	       sscanf(line, "%*s %*s %31s %1023s %1023s", ret->device, ret->folder, ret->point) == 3 &&
	       sscanf(rest, " - %63s %1023s %511s", ret->type, ret->source, ret->options) >= 2;
}

void gb_mount_unescape(char *text)
{
	char *to = text;

	for (char *c = text; *c; c++)
		if (c[0] == '\\' && c[1] >= '0' && c[1] <= '3' && c[2] >= '0' && c[2] <= '7' &&
		    c[3] >= '0' && c[3] <= '7') {
			*to++ = (char)((c[1] - '0') << 6 | (c[2] - '0') << 3 | (c[3] - '0'));
			c += 3;
		} else {
			*to++ = *c;
		}
	*to = '\0';
}

struct search {
	const char *path;
	size_t best;
	struct gb_mount *ret;
};

static void look_at(void *ctx, unsigned number, const char *line)
{
	struct search *search = ctx;
	struct gb_mount mount;
	size_t len;

	(void)number;
	if (!gb_mount_read(line, &mount))
		return;
	gb_mount_unescape(mount.point);
	len = strlen(mount.point);
	if (len < search->best || strncmp(search->path, mount.point, len) ||
	    (len > 1 && search->path[len] != '/'))
		return;
	search->best = len;
	*search->ret = mount;
}

bool gb_mount_find(const char *table, size_t len, const char *path, struct gb_mount *ret)
{
	struct search search = { path, 0, ret };

	gb_lines_each(table, len, look_at, &search);
	return search.best;
}

bool gb_mount_of(struct gb_root *root, const char *path, struct gb_mount *ret)
{
	size_t len;
	char *table;
	bool found;

	if (gb_root_read_all(root, "/proc/self/mountinfo", TABLE_MAX, &table, &len))
		return false;
	found = gb_mount_find(table, len, path, ret);
	free(table);
	return found;
}
