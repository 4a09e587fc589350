/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drift.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "err.h"
#include "file.h"
#include "root.h"
#include "store.h"
#include "style.h"
#include "text.h"

#define READ_MAX (256 << 10)

static void show(struct gb_store *store, const char *place, const struct gb_file *now,
		 const char *old, size_t old_len, struct gb_text *details)
{
	const struct gb_style plain = { 0 };
	char *data = NULL;
	size_t len = 0;

	if (now->kind == GB_FILE_REGULAR &&
	    (now->size > READ_MAX || gb_root_read_all(store->root, place, READ_MAX, &data, &len)))
		return;
	if (gb_diff_is_text(old, old_len) && (!data || gb_diff_is_text(data, len)))
		gb_diff(old, old_len, data ? data : "", len, "    ", &plain, details);
	free(data);
}

static const char *difference(const struct gb_file *expected, const struct gb_file *now)
{
	if (now->kind == GB_FILE_ABSENT)
		return "is gone";
	if (expected->kind == GB_FILE_ABSENT)
		return "is there now";
	if (now->kind != expected->kind)
		return "is of another kind now";
	if (strcmp(now->hash, expected->hash))
		return "has other bytes now";
	if (now->kind == GB_FILE_LINK && strcmp(now->link, expected->link))
		return "leads elsewhere now";
	return "has another owner, mode or attribute now";
}

int gb_drift_check(struct gb_store *store, const char *path, const char *place,
		   const struct gb_file *expected, const char *old, size_t old_len,
		   struct gb_text *details, struct gb_err *err)
{
	struct gb_file now = { 0 };
	struct gb_place at;
	int r = gb_store_place(store, place, false, &at, err);

	if (r)
		return r;
	if (expected->inode && gb_file_untouched(&at, expected)) {
		gb_place_clear(&at);
		return 0;
	}
	r = (expected->hash[0] ? gb_file_look : gb_file_glance)(&at, &now, err);
	gb_place_clear(&at);
	/* one that was not read then: it was written, or somebody only touched it */
	if (!r && expected->kind == GB_FILE_REGULAR && now.kind == GB_FILE_REGULAR &&
	    !expected->hash[0])
		r = gb_fail(err, ESTALE, "%s was written by somebody else meanwhile", path);
	/* a folder that was to go may hold somebody's files; a new one finds it made */
	if (!r && expected->kind == GB_FILE_ABSENT && now.kind == GB_FILE_FOLDER)
		gb_file_clear(&now);
	if (!r && !gb_file_same(&now, expected)) {
		const char *how = difference(expected, &now);

		r = gb_fail(err, ESTALE, "%s %s: somebody else has changed it", path, how);
		if (details) {
			gb_text_addf(details, "%s %s\n", path, how);
			if (old || expected->kind == GB_FILE_ABSENT)
				show(store, place, &now, old ? old : "", old ? old_len : 0, details);
		}
	}
	gb_file_clear(&now);
	return r;
}
