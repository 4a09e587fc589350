/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bls.h"

#include <ctype.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "version.h"

/* Only digits, and no more than fit (src/boot/boot.c, boot_entry_parse_tries). */
static bool read_count(const char **at, long *ret)
{
	long long n = 0;

	if (!isdigit((unsigned char)**at))
		return false;
	for (; isdigit((unsigned char)**at); ++*at) {
		n = n * 10 + **at - '0';
		if (n > INT_MAX)
			return false;
	}
	*ret = (long)n;
	return true;
}

static bool read_name(const char *file, const char *end, struct gb_bls_name *ret)
{
	struct gb_bls_name name = { .left = -1, .done = -1 };
	const size_t len = strlen(file), tail = strlen(end);
	const char *plus = strrchr(file, '+'), *at;
	long left, done = 0;

	if (len <= tail || len >= sizeof(name.id) || file[0] == '.' || strchr(file, '/') ||
	    strcasecmp(file + len - tail, end))
		return false;
	for (size_t i = 0; i < len; i++)
		name.id[i] = (char)tolower((unsigned char)file[i]);
	memcpy(name.file, file, len);
	memcpy(name.stem, file, len - tail);
	if (plus) {
		at = plus + 1;
		if (read_count(&at, &left) && (*at != '-' || (at++, read_count(&at, &done))) &&
		    !strcmp(at, end)) {
			name.left = left;
			name.done = done;
			name.stem[plus - file] = '\0';
		}
	}
	*ret = name;
	return true;
}

bool gb_bls_name(const char *file, struct gb_bls_name *ret)
{
	return read_name(file, ".conf", ret);
}

bool gb_bls_name_unified(const char *file, struct gb_bls_name *ret)
{
	return read_name(file, ".efi", ret);
}

/* NAME, or NAME-XXXXXXXX. */
static bool is_called(const char *stem, const char *file)
{
	const size_t len = strlen(file) - strlen(".conf");

	if (strncasecmp(stem, file, len))
		return false;
	stem += len;
	return !*stem || (*stem == '-' && strlen(stem) == 1 + GB_BLS_MACHINE &&
			  strspn(stem + 1, "0123456789abcdefABCDEF") == GB_BLS_MACHINE);
}

bool gb_bls_is_ours(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct gb_bls_name name;

	return gb_bls_name(slash ? slash + 1 : path, &name) &&
	       (is_called(name.stem, GB_BLS_TRIAL) || is_called(name.stem, GB_BLS_RECOVERY));
}

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_newest_first(const char *a, const char *b)
{
	return -gb_version_compare(a ? a : "", b ? b : "");
}

/* src/boot/boot.c, boot_entry_compare */
int gb_bls_compare_systemd(const void *a_entry, const void *b_entry)
{
	const struct gb_bls_entry *a = a_entry, *b = b_entry;
	int order = !a->name.left - !b->name.left; /* those that failed go last */

	if (!order)
		order = !a->sort_key - !b->sort_key;
	if (!order && a->sort_key) {
		order = compare_texts(a->sort_key, b->sort_key);
		if (!order)
			order = compare_texts(a->machine_id, b->machine_id);
		if (!order)
			order = compare_newest_first(a->version, b->version);
	}
	if (!order)
		order = compare_newest_first(a->name.id, b->name.id);
	if (!order && a->name.left >= 0 && b->name.left >= 0) {
		order = (a->name.left < b->name.left) - (a->name.left > b->name.left);
		if (!order)
			order = (a->name.done > b->name.done) - (a->name.done < b->name.done);
	}
	return order;
}

/* Cut at the last dash, as a package's name-version-release. */
static const char *cut_last(char *text)
{
	char *dash = strrchr(text, '-');

	if (!dash)
		return NULL;
	*dash = '\0';
	return dash + 1;
}

/* blscfg.c, split_cmp: by name, then version, then release; keys in the file play no part. */
int gb_bls_compare_grub(const void *a_entry, const void *b_entry)
{
	const struct gb_bls_entry *a = a_entry, *b = b_entry;
	char name[2][sizeof(a->name.file)];
	const char *version[2], *release[2];
	int order;

	for (int i = 0; i < 2; i++) {
		const struct gb_bls_name *from = i ? &b->name : &a->name;

		memcpy(name[i], from->file, sizeof(name[i]));
		name[i][strlen(name[i]) - strlen(".conf")] = '\0';
		release[i] = cut_last(name[i]);
		version[i] = cut_last(name[i]);
		if (!version[i]) { /* with one dash, what follows is the version */
			version[i] = release[i] ? release[i] : "";
			release[i] = "";
		}
	}
	order = gb_version_compare_rpm(name[0], name[1]);
	if (!order)
		order = gb_version_compare_rpm(version[0], version[1]);
	if (!order)
		order = gb_version_compare_rpm(release[0], release[1]);
	return -order;
}

/* With `good`, of those that have not failed. */
static size_t find_pattern(const struct gb_bls_entry *entry, size_t entries, const char *pattern, bool good)
{
	char lower[256];
	size_t len = pattern ? strlen(pattern) : 0;

	if (!len || len >= sizeof(lower))
		return GB_BLS_NONE;
	for (size_t i = 0; i <= len; i++)
		lower[i] = (char)tolower((unsigned char)pattern[i]);
	for (size_t i = 0; i < entries; i++)
		if (!(good && !entry[i].name.left) && !fnmatch(lower, entry[i].name.id, 0))
			return i;
	return GB_BLS_NONE;
}

static bool is_saved(const char *text)
{
	return text && !strcasecmp(text, "@saved");
}

/* src/boot/boot.c, config_select_default_entry, behind the one-shot */
static size_t default_systemd(const struct gb_bls_entry *entry, size_t entries,
			      const struct gb_bls_defaults *d)
{
	bool by_variable = is_saved(d->variable);
	size_t i = GB_BLS_NONE;

	for (size_t k = 0; k < 2 && i == GB_BLS_NONE; k++)
		i = find_pattern(entry, entries, is_saved(d->preferred[k]) ? d->last_booted : d->preferred[k], true);
	if (i == GB_BLS_NONE)
		i = find_pattern(entry, entries, by_variable ? d->last_booted : d->variable, false);
	if (i == GB_BLS_NONE && !(by_variable && is_saved(d->file)))
		i = find_pattern(entry, entries, is_saved(d->file) ? d->last_booted : d->file, false);
	for (size_t k = 0; k < entries && i == GB_BLS_NONE; k++)
		if (!entry[k].automatic)
			i = k;
	return i;
}

/* An id or a title; a number counts from 0; what is not there is the first (grub-core/normal/
 * menu.c, get_entry_number). Submenus are not of this list: "a>b" stands for its first part. */
static size_t default_grub(const struct gb_bls_entry *entry, size_t entries, const char *saved)
{
	char *end;
	unsigned long number;

	if (!entries)
		return GB_BLS_NONE;
	if (!saved || !*saved)
		return 0;
	number = strtoul(saved, &end, 10);
	if (isdigit((unsigned char)*saved) && !*end)
		return number < entries ? number : 0;
	for (size_t i = 0; i < entries; i++) {
		const struct gb_bls_name *name = &entry[i].name;
		size_t len = strlen(name->file) - strlen(".conf");

		if ((strlen(saved) == len && !memcmp(saved, name->file, len)) ||
		    (entry[i].title && !strcmp(saved, entry[i].title)))
			return i;
	}
	return 0;
}

size_t gb_bls_default(struct gb_bls_entry *entry, size_t entries, enum gb_bls_reader reader,
		      const struct gb_bls_defaults *defaults)
{
	bool grub = reader == GB_BLS_GRUB;

	if (entries)
		qsort(entry, entries, sizeof(*entry),
		      grub ? gb_bls_compare_grub : gb_bls_compare_systemd);
	return grub ? default_grub(entry, entries, defaults->saved_entry)
		    : default_systemd(entry, entries, defaults);
}
