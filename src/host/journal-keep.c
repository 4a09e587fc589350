/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "journal.h"
#include "plan.h"
#include "store.h"

bool gb_journal_waits(const struct gb_entry *entry)
{
	return entry->kind == GB_ENTRY_PLACED || entry->kind == GB_ENTRY_SPARED;
}

bool gb_journal_wants_copy(struct gb_store *store, const struct gb_entry *entry, int folder)
{
	return !gb_journal_waits(entry) || !gb_store_is_large(store, entry->before.size) ||
	       !gb_store_can_exchange(store, folder);
}

/* A builder's file is read here for the first time, and must not change meanwhile. */
static int check_copy(const struct gb_place *place, struct gb_entry *entry, const char *hash)
{
	if (entry->before.hash[0])
		return strcmp(hash, entry->before.hash) ? -ESTALE : 0;
	memcpy(entry->before.hash, hash, GB_SHA256_TEXT);
	return gb_file_untouched(place, &entry->before) ? 0 : -ESTALE;
}

static int copy(struct gb_store *store, int folder, size_t i, int from, char *ret_hash)
{
	char name[32];
	int r, to;

	snprintf(name, sizeof(name), "%zu.old", i);
	to = gb_store_create(store, folder, name, 0600);
	if (to < 0)
		return to;
	r = gb_store_copy(store, from, to, ret_hash);
	if (!r)
		r = gb_store_fsync(store, to);
	close(to);
	return r;
}

/* `always`, or where it is not sure to wait in its folder until the end. */
static int keep(struct gb_store *store, const struct gb_journal *journal, size_t i, bool always,
		struct gb_err *err)
{
	struct gb_entry *entry = &journal->entry[i];
	char hash[GB_SHA256_TEXT];
	struct gb_place place;
	int r, from;

	if (entry->before.kind != GB_FILE_REGULAR)
		return 0;
	r = gb_store_place(store, entry->place, false, &place, err);
	if (r)
		return r;
	from = openat(place.folder, place.name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0) {
		r = -errno;
		gb_place_clear(&place);
		return gb_fail(err, -r, "%s: %s", entry->path, strerror(-r));
	}
	if (always || gb_journal_wants_copy(store, entry, place.folder))
		r = copy(store, journal->folder, i, from, hash);
	else
		r = gb_file_hash(from, hash);
	if (!r)
		r = check_copy(&place, entry, hash);
	gb_place_clear(&place);
	close(from);
	if (r == -ESTALE)
		return gb_fail(err, ESTALE, "%s was written by somebody else meanwhile",
			       entry->path);
	if (r)
		return gb_fail(err, -r, "keeping a copy of %s: %s", entry->path, strerror(-r));
	return 0;
}

int gb_journal_keep_old(struct gb_store *store, const struct gb_journal *journal, size_t i,
			struct gb_err *err)
{
	return keep(store, journal, i, false, err);
}

int gb_journal_keep_now(struct gb_store *store, const struct gb_journal *journal, size_t i)
{
	char name[32];
	int r;

	snprintf(name, sizeof(name), "%zu.old", i);
	if (!faccessat(journal->folder, name, F_OK, AT_SYMLINK_NOFOLLOW))
		return 0;
	r = keep(store, journal, i, true, NULL);
	return r ? r : gb_store_fsync(store, journal->folder);
}

int gb_journal_forget(struct gb_store *store, const struct gb_journal *journal, size_t i)
{
	char name[32];

	if (!gb_store_is_large(store, journal->entry[i].before.size))
		return 0;
	snprintf(name, sizeof(name), "%zu.old", i);
	return gb_store_unlink(store, journal->folder, name);
}

int gb_journal_keep_new(struct gb_store *store, const struct gb_journal *journal, size_t i,
			const struct gb_step *step, struct gb_err *err)
{
	char name[32];
	int r;

	if (step->kind != GB_STEP_WRITE || !step->data)
		return 0;
	snprintf(name, sizeof(name), "%zu.new", i);
	r = gb_store_put(store, journal->folder, name, step->data, step->len);
	return r ? gb_fail(err, -r, "%s: %s", GB_JOURNAL, strerror(-r)) : 0;
}
