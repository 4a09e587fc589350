/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iomem.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "root.h"

/* kernel/resource.c, r_show: indentation stops at MAX_IORES_LEVEL, 5 for long and 8 of late;
 * what is deeper looks like a sibling of what it is in. */
#define LEVELS_OLD 5
#define LEVELS_NEW 8

static bool hex(const char **at, uint64_t *ret)
{
	const char *s = *at;
	uint64_t value = 0;

	for (; isxdigit((unsigned char)*s); s++) {
		if (value >> 60)
			return false;
		value = value << 4 |
			(unsigned)(*s <= '9' ? *s - '0' : (*s | 0x20) - 'a' + 10);
	}
	if (s == *at)
		return false;
	*at = s;
	*ret = value;
	return true;
}

/* "    f0000000-f1ffffff : 0000:01:00.0" */
static bool read_line(const char *line, struct gb_range *ret)
{
	size_t spaces = strspn(line, " ");

	line += spaces;
	if (spaces % 2 || spaces > 2 * LEVELS_NEW || !hex(&line, &ret->start) || *line++ != '-' ||
	    !hex(&line, &ret->end) || strncmp(line, " : ", 3) || ret->end < ret->start)
		return false;
	ret->depth = (unsigned)(spaces / 2);
	ret->name = line + 3;
	return true;
}

static bool add(struct gb_iomem *iomem, const struct gb_range *range)
{
	if (iomem->ranges == iomem->room) {
		size_t room = iomem->room ? iomem->room * 2 : 64;
		void *more = realloc(iomem->range, room * sizeof(*range));

		if (!more)
			return false;
		iomem->range = more;
		iomem->room = room;
	}
	iomem->range[iomem->ranges++] = *range;
	if (range->depth > iomem->deepest)
		iomem->deepest = range->depth;
	if (range->end)
		iomem->hidden = false;
	return true;
}

int gb_iomem_parse(const char *data, size_t len, struct gb_iomem *ret, struct gb_err *err)
{
	struct gb_range range;

	memset(ret, 0, sizeof(*ret));
	ret->hidden = true;
	ret->text = malloc(len + 1);
	if (!ret->text)
		return gb_fail(err, ENOMEM, "out of memory");
	memcpy(ret->text, data, len);
	ret->text[len] = '\0';
	for (char *line = ret->text, *next; line < ret->text + len; line = next) {
		next = line + strcspn(line, "\n");
		*next++ = '\0';
		if (read_line(line, &range) && !add(ret, &range))
			return gb_fail(err, ENOMEM, "out of memory");
	}
	return 0;
}

int gb_iomem_read(struct gb_root *root, struct gb_iomem *ret, struct gb_err *err)
{
	char *data;
	size_t len;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = gb_root_read_all(root, GB_IOMEM_FILE, GB_IOMEM_SIZE_MAX, &data, &len);
	if (r)
		return gb_fail(err, -r, "%s: %s", GB_IOMEM_FILE, strerror(-r));
	r = gb_iomem_parse(data, len, ret, err);
	free(data);
	return r;
}

void gb_iomem_clear(struct gb_iomem *iomem)
{
	free(iomem->text);
	free(iomem->range);
	memset(iomem, 0, sizeof(*iomem));
}

static bool below(const struct gb_iomem *iomem, const struct gb_range *range,
		  const struct gb_range *bar)
{
	if (range->depth > bar->depth)
		return true;
	return !iomem->hidden && range->depth == bar->depth && range->start >= bar->start &&
	       range->end <= bar->end;
}

/* The function's BARs carry its address as their name: pci_name(), in every kernel. */
const struct gb_range *gb_iomem_next(const struct gb_iomem *iomem, struct gb_bdf bdf,
				     struct gb_iomem_walk *walk)
{
	char name[GB_BDF_MAX];

	gb_bdf_format(bdf, name);
	while (walk->at < iomem->ranges) {
		const struct gb_range *range = &iomem->range[walk->at++];

		if (!strcmp(range->name, name))
			walk->bar = range;
		else if (walk->bar && below(iomem, range, walk->bar))
			return range;
		else
			walk->bar = NULL;
	}
	return NULL;
}

bool gb_iomem_is_framebuffer(const char *name)
{
	static const char *const names[] = { "BOOTFB",	  "simpledrm", "simplefb", "efifb",
					     "vesafb",	  "efidrm",    "vesadrm",  "offb",
					     "ofdrm",	  "simple-framebuffer" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Whether the lines of this function say all there is to say. */
static bool can_tell(const struct gb_iomem *iomem, struct gb_bdf bdf)
{
	char name[GB_BDF_MAX];
	bool listed = false;

	gb_bdf_format(bdf, name);
	for (size_t i = 0; i < iomem->ranges; i++) {
		const struct gb_range *range = &iomem->range[i];

		if (strcmp(range->name, name))
			continue;
		listed = true;
		if (iomem->hidden && range->depth == iomem->deepest &&
		    (range->depth == LEVELS_OLD || range->depth == LEVELS_NEW))
			return false;
	}
	return listed;
}

int gb_iomem_framebuffer(const struct gb_iomem *iomem, struct gb_bdf bdf,
			 const struct gb_range **ret)
{
	const struct gb_range *found = NULL, *range;
	struct gb_iomem_walk walk = { 0 };

	while ((range = gb_iomem_next(iomem, bdf, &walk)))
		if (gb_iomem_is_framebuffer(range->name) &&
		    (!found || !strcmp(found->name, "BOOTFB")))
			found = range;
	if (!found)
		return can_tell(iomem, bdf) ? 0 : -ENODATA;
	*ret = found;
	return 1;
}
