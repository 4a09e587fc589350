/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drift.h"
#include "err.h"
#include "journal.h"
#include "plan.h"
#include "root.h"
#include "store.h"
#include "text.h"
#include "transaction.h"

#define READ_MAX (256 << 10)

static int open_last(struct gb_store *store, char *path, size_t size, struct gb_journal *ret,
		     struct gb_err *err)
{
	unsigned *number = NULL;
	size_t count = 0;
	int r = gb_history_list(store, &number, &count);

	if (r)
		gb_fail(err, -r, "%s: %s", GB_HISTORY, strerror(-r));
	while (!r && count-- > 0) {
		gb_history_path(number[count], path, size);
		r = gb_journal_open(store, path, ret, err);
		if (!r && ret->state == GB_JOURNAL_DONE) {
			free(number);
			return 0;
		}
		if (!r)
			gb_journal_clear(ret);
	}
	free(number);
	return r ? r : gb_fail(err, ENOENT, "no change of ghost-boot is known that could be taken back");
}

static void source_of(const char *path, size_t i, char source[PATH_MAX])
{
	snprintf(source, PATH_MAX, "%s/%zu.old", path, i);
}

static bool is_as_left(struct gb_store *store, const struct gb_entry *entry)
{
	return !gb_drift_check(store, entry->path, entry->place, &entry->after, NULL, 0, NULL, NULL);
}

/* One that a builder made, and that no copy brings back: nobody has its old bytes, or it was built
 * again meanwhile, for a kernel of today. One that was not there before goes, as any other. */
static bool is_to_build(struct gb_store *store, const char *path,
			const struct gb_journal *journal, size_t i)
{
	const struct gb_entry *entry = &journal->entry[i];
	char source[PATH_MAX];

	if (entry->kind != GB_ENTRY_PLACED || entry->before.kind != GB_FILE_REGULAR ||
	    gb_file_same(&entry->before, &entry->after))
		return false;
	source_of(path, i, source);
	return !gb_root_exists(store->root, source) || !is_as_left(store, entry);
}

static int check(struct gb_store *store, const char *path, const struct gb_journal *journal,
		 size_t i, struct gb_text *details, struct gb_err *err)
{
	const struct gb_entry *entry = &journal->entry[i];
	char name[PATH_MAX];
	char *old = NULL;
	size_t len = 0;
	int r;

	/* our own records move on by themselves */
	if (is_to_build(store, path, journal, i) ||
	    !strncmp(entry->path, GB_STATE "/", strlen(GB_STATE "/")))
		return 0;
	snprintf(name, sizeof(name), "%s/%zu.new", path, i);
	if (gb_root_read_all(store->root, name, READ_MAX, &old, &len))
		old = NULL;
	r = gb_drift_check(store, entry->path, entry->place, &entry->after, old, len, details, err);
	free(old);
	return r;
}

static int add_anew(struct gb_plan *plan, const char *path, struct gb_err *err)
{
	char **all = realloc(plan->anew, (plan->anews + 1) * sizeof(*all));

	if (!all)
		return gb_fail(err, ENOMEM, "out of memory");
	plan->anew = all;
	plan->anew[plan->anews] = strdup(path);
	if (!plan->anew[plan->anews])
		return gb_fail(err, ENOMEM, "out of memory");
	plan->anews++;
	return 0;
}

static int put(struct gb_store *store, const char *path, const struct gb_journal *journal,
	       size_t i, struct gb_plan *plan, struct gb_err *err)
{
	const struct gb_entry *entry = &journal->entry[i];
	char source[PATH_MAX];
	int r;

	if (entry->kind == GB_ENTRY_SPARED)
		return 0;
	if (is_to_build(store, path, journal, i))
		return add_anew(plan, entry->path, err);
	source_of(path, i, source);
	if (entry->before.kind == GB_FILE_REGULAR && !gb_file_same(&entry->before, &entry->after) &&
	    !gb_root_exists(store->root, source))
		return gb_fail(err, ENODATA, "%s can't come back: it was too large to be kept", entry->path);
	r = gb_plan_put(plan, store, entry->place, &entry->before, source,
			"as it was before the last change", err);
	if (r > 0)
		gb_plan_mark(plan, plan->steps - (size_t)r, entry->boot);
	return r < 0 ? r : 0;
}

/* What published the change publishes what comes back. One whose package was removed since fills
 * nothing any more. */
static int publish(struct gb_store *store, const struct gb_journal *journal, struct gb_plan *plan,
		   struct gb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < journal->publishes && r >= 0; i++) {
		const struct gb_published *one = &journal->published[i];

		if (gb_root_exists(store->root, one->argv[0]))
			r = gb_plan_publish(plan, (const char *const *)one->argv,
					    one->path[0] ? one->path : NULL,
					    "what copied the last change copies what comes back", err);
	}
	return r < 0 ? r : 0;
}

int gb_transaction_last_has(struct gb_store *store, const char *file, struct gb_err *err)
{
	struct gb_journal journal = { .folder = -1 };
	char path[64];
	int r = open_last(store, path, sizeof(path), &journal, err);

	for (size_t i = 0; !r && i < journal.entries; i++)
		r = !strcmp(journal.entry[i].path, file);
	gb_journal_clear(&journal);
	return r;
}

int gb_transaction_rollback(struct gb_store *store, bool force, struct gb_plan *ret,
			    struct gb_text *details, struct gb_err *err)
{
	struct gb_journal journal = { .folder = -1 };
	struct gb_plan plan = { 0 };
	struct gb_text reason = { 0 };
	char path[64];
	int r = open_last(store, path, sizeof(path), &journal, err);

	if (r)
		return r;
	for (size_t i = 0; i < journal.entries && !force; i++) {
		const bool staged = journal.entry[i].kind == GB_ENTRY_STAGED;
		int one = staged ? 0 : check(store, path, &journal, i, details, r ? NULL : err);

		r = r ? r : one;
	}
	for (size_t i = journal.entries; i-- > 0 && !r;)
		if (journal.entry[i].kind != GB_ENTRY_STAGED)
			r = put(store, path, &journal, i, &plan, err);
	if (!r)
		r = publish(store, &journal, &plan, err);
	gb_text_addf(&reason, "take back: %s", journal.reason);
	if (!r && (reason.failed || gb_plan_because(&plan, reason.data)))
		r = gb_fail(err, ENOMEM, "out of memory");
	gb_text_clear(&reason);
	gb_journal_clear(&journal);
	if (r)
		gb_plan_clear(&plan);
	else
		*ret = plan;
	return r;
}
