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

/* As it was, or as we left it: ours. */
static void show(struct gb_store *store, const struct gb_entry *entry, size_t n, struct gb_text *details)
{
	struct gb_err err = { "" };
	char name[sizeof(GB_JOURNAL) + 32], *bytes = NULL;
	size_t len = 0;

	if (gb_drift_check(store, entry->path, entry->place, &entry->before, NULL, 0, NULL, &err) != -ESTALE)
		return;
	snprintf(name, sizeof(name), GB_JOURNAL "/%zu.new", n);
	if (gb_root_read_all(store->root, name, READ_MAX, &bytes, &len))
		bytes = NULL;
	gb_drift_check(store, entry->path, entry->place, &entry->after, bytes, len, details, &err);
	free(bytes);
}

void gb_foreign_show(struct gb_store *store, struct gb_text *details)
{
	struct gb_journal journal = { .folder = -1 };
	struct gb_err err = { "" };

	if (!gb_journal_open(store, GB_JOURNAL, &journal, &err))
		for (size_t i = 0; i < journal.entries; i++)
			if (journal.entry[i].kind == GB_ENTRY_WRITTEN)
				show(store, &journal.entry[i], i, details);
	gb_journal_clear(&journal);
}
