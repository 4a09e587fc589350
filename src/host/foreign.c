/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "foreign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "drift.h"
#include "err.h"
#include "journal.h"
#include "root.h"
#include "store.h"

#define READ_MAX (256 << 10)

/* A boot loader's password may be in it. */
static bool is_private(struct gb_store *store, const struct gb_entry *entry)
{
	const mode_t all = S_IROTH;
	struct gb_file now;
	bool open = (entry->before.kind != GB_FILE_REGULAR || entry->before.mode & all) &&
		    (entry->after.kind != GB_FILE_REGULAR || entry->after.mode & all);

	if (open && gb_file_find(store, entry->place, false, &now)) {
		open = now.mode & all;
		gb_file_clear(&now);
	}
	return !open;
}

/* As it was, or as we left it: ours. */
static void show(struct gb_store *store, const struct gb_entry *entry, size_t n, bool aloud,
		 struct gb_text *details)
{
	struct gb_err err = { "" };
	char name[sizeof(GB_JOURNAL) + 32], *bytes = NULL;
	size_t len = 0;

	if (gb_drift_check(store, entry->path, entry->place, &entry->before, NULL, 0, NULL, &err) != -ESTALE)
		return;
	snprintf(name, sizeof(name), GB_JOURNAL "/%zu.new", n);
	if ((aloud && is_private(store, entry)) || gb_root_read_all(store->root, name, READ_MAX, &bytes, &len))
		bytes = NULL;
	gb_drift_check(store, entry->path, entry->place, &entry->after, bytes, len, details, &err);
	free(bytes);
}

void gb_foreign_show(struct gb_store *store, bool aloud, struct gb_text *details)
{
	struct gb_journal journal = { .folder = -1 };
	struct gb_err err = { "" };

	if (!gb_journal_open(store, GB_JOURNAL, &journal, &err))
		for (size_t i = 0; i < journal.entries; i++)
			if (journal.entry[i].kind == GB_ENTRY_WRITTEN && gb_journal_has_begun(&journal, i))
				show(store, &journal.entry[i], i, aloud, details);
	gb_journal_clear(&journal);
}
