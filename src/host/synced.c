/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "synced.h"

#include <string.h>

#include "err.h"
#include "journal.h"
#include "store.h"
#include "transaction.h"

#define DISKS_MAX 16

struct disks {
	dev_t device[DISKS_MAX];
	size_t count;
};

/* Beyond so many, one is called more than once. */
static bool is_new(struct disks *disks, int folder)
{
	struct stat st;

	if (fstat(folder, &st) < 0)
		return false;
	for (size_t i = 0; i < disks->count; i++)
		if (disks->device[i] == st.st_dev)
			return false;
	if (disks->count < DISKS_MAX)
		disks->device[disks->count++] = st.st_dev;
	return true;
}

/* On the file system of an entry, if it is a new one; a folder that was removed has none. */
static int call_for(struct gb_store *store, enum gb_call_kind kind, const struct gb_entry *entry,
		    struct disks *disks)
{
	struct gb_place place;
	int r = gb_store_place(store, entry->place, false, &place, NULL);

	if (r || place.folder < 0)
		return r;
	if (is_new(disks, place.folder))
		r = gb_store_call(store, &(struct gb_call){ .kind = kind, .fd = place.folder });
	gb_place_clear(&place);
	return r;
}

int gb_synced_all(struct gb_store *store, const struct gb_journal *journal, struct gb_err *err)
{
	struct disks disks = { .count = 0 };
	int r = 0;

	for (size_t i = 0; i < journal->entries && !r; i++) {
		r = call_for(store, GB_CALL_SYNCFS, &journal->entry[i], &disks);
		if (r)
			gb_fail(err, -r, "%s: %s", journal->entry[i].path, strerror(-r));
	}
	return r;
}

void gb_synced_show(const struct gb_transaction *t, const struct gb_journal *journal,
		    enum gb_boot boot)
{
	struct disks disks = { .count = 0 };

	for (size_t i = 0; i < journal->entries; i++) {
		const struct gb_entry *entry = &journal->entry[i];
		int r;

		if (entry->boot != boot || entry->kind == GB_ENTRY_STAGED)
			continue;
		r = call_for(t->store, GB_CALL_CHECKPOINT, entry, &disks);
		if (r && t->unseen)
			t->unseen(t->ctx, entry->path, r);
	}
}
