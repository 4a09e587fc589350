/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "plan-steps.h"
#include "root.h"
#include "store.h"
#include "text.h"

#define MAKING "journal.new"
#define RECORD_MAX (16 << 20)

static const char *const state_names[] = {
	[GB_JOURNAL_INTENT] = "intent",	      [GB_JOURNAL_APPLYING] = "applying",
	[GB_JOURNAL_APPLIED] = "applied",     [GB_JOURNAL_RETURNING] = "returning",
	[GB_JOURNAL_DONE] = "done",	      [GB_JOURNAL_BACK] = "rolled-back",
};

bool gb_journal_has_begun(const struct gb_journal *journal, size_t entry)
{
	return journal->state != GB_JOURNAL_INTENT && journal->entry[entry].step <= journal->reached;
}

void gb_journal_clear(struct gb_journal *journal)
{
	for (size_t i = 0; i < journal->steps; i++)
		free(journal->step[i]);
	for (size_t i = 0; i < journal->publishes; i++) {
		for (char **arg = journal->published[i].argv; arg && *arg; arg++)
			free(*arg);
		free(journal->published[i].argv);
		free(journal->published[i].path);
	}
	for (size_t i = 0; i < journal->entries; i++) {
		free(journal->entry[i].path);
		free(journal->entry[i].place);
		free(journal->entry[i].staged);
		gb_home_clear(&journal->entry[i].home);
		gb_file_clear(&journal->entry[i].before);
		gb_file_clear(&journal->entry[i].after);
	}
	free(journal->step);
	free(journal->entry);
	free(journal->published);
	free(journal->reason);
	if (journal->folder >= 0)
		close(journal->folder);
	memset(journal, 0, sizeof(*journal));
	journal->folder = -1;
}

/* ---- from a plan ------------------------------------------------------------------- */

static bool is_listed(const struct gb_journal *journal, const char *place)
{
	for (size_t i = 0; i < journal->entries; i++)
		if (!strcmp(journal->entry[i].place, place))
			return true;
	return false;
}

static bool add_entry(struct gb_journal *journal, const struct gb_step *step,
		      const struct gb_touch *touch)
{
	static const enum gb_entry_kind kinds[] = {
		[GB_STEP_WRITE] = GB_ENTRY_WRITTEN, [GB_STEP_REMOVE] = GB_ENTRY_WRITTEN,
		[GB_STEP_RUN] = GB_ENTRY_BUILT,	    [GB_STEP_BUILD] = GB_ENTRY_STAGED,
		[GB_STEP_PLACE] = GB_ENTRY_PLACED,
	};
	struct gb_entry *entry = &journal->entry[journal->entries];

	if (is_listed(journal, touch->place))
		return true;
	*entry = (struct gb_entry){ .step = journal->steps,
				    .kind = step->spare ? GB_ENTRY_SPARED : kinds[step->kind],
				    .boot = step->boot, .path = strdup(touch->path),
				    .place = strdup(touch->place),
				    .staged = step->staged ? strdup(step->staged) : NULL };
	journal->entries++;
	return entry->path && entry->place && (!step->staged || entry->staged) &&
	       (entry->kind == GB_ENTRY_STAGED || gb_file_copy(&touch->before, &entry->before)) &&
	       (entry->kind == GB_ENTRY_PLACED || gb_file_copy(&touch->after, &entry->after));
}

static bool add_published(struct gb_journal *journal, const struct gb_step *step)
{
	struct gb_published *published = &journal->published[journal->publishes++];

	*published = (struct gb_published){ .step = journal->steps,
					    .path = strdup(step->target ? step->target : ""),
					    .argv = gb_steps_argv((const char *const *)step->argv) };
	return published->path && published->argv;
}

static bool add_step(struct gb_journal *journal, const struct gb_step *step)
{
	struct gb_text text = { 0 };
	bool good = true;

	gb_plan_step_text(step, &text);
	for (size_t t = 0; t < step->touches; t++)
		good = good && add_entry(journal, step, &step->touch[t]);
	if (step->kind == GB_STEP_PUBLISH)
		good = add_published(journal, step);
	good = good && !text.failed;
	journal->step[journal->steps++] = text.data;
	return good;
}

int gb_journal_from_plan(const struct gb_plan *plan, int64_t now, struct gb_journal *ret)
{
	struct gb_journal journal = { .time = now, .folder = -1 };
	size_t touches = 0;
	bool good;

	for (size_t i = 0; i < plan->steps; i++)
		touches += plan->step[i].touches;
	journal.reason = strdup(plan->reason ? plan->reason : "");
	journal.step = calloc(plan->steps + 1, sizeof(*journal.step));
	journal.entry = calloc(touches + 1, sizeof(*journal.entry));
	journal.published = calloc(plan->steps + 1, sizeof(*journal.published));
	good = journal.reason && journal.step && journal.entry && journal.published;
	for (size_t i = 0; i < plan->steps && good; i++)
		good = add_step(&journal, &plan->step[i]);
	if (!good) {
		gb_journal_clear(&journal);
		return -ENOMEM;
	}
	*ret = journal;
	return 0;
}

/* ---- folders ----------------------------------------------------------------------- */

int gb_journal_base(struct gb_store *store, struct gb_err *err)
{
	int fd, parent = gb_root_open_folder(store->root, "/var/lib");

	if (parent < 0)
		return gb_fail(err, -parent, "/var/lib: %s", strerror(-parent));
	fd = gb_store_need_folder(store, parent, strrchr(GB_STATE, '/') + 1);
	close(parent);
	if (fd < 0)
		return gb_fail(err, -fd, "%s: %s", GB_STATE, strerror(-fd));
	return fd;
}

static int put_record(struct gb_store *store, const struct gb_journal *journal, const char *name,
		      struct gb_err *err)
{
	struct gb_text text = { 0 };
	int r;

	gb_journal_print(journal, &text);
	r = text.failed ? -ENOMEM
			: gb_store_put(store, journal->folder, name, text.data, text.len);
	gb_text_clear(&text);
	return r ? gb_fail(err, -r, "%s/%s: %s", GB_JOURNAL, name, strerror(-r)) : 0;
}

static int fill(struct gb_store *store, const struct gb_plan *plan,
		struct gb_journal *journal, struct gb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < journal->entries && !r; i++)
		r = gb_journal_keep_old(store, journal, i, err);
	for (size_t i = 0; i < journal->entries && !r; i++)
		r = gb_journal_keep_new(store, journal, i, &plan->step[journal->entry[i].step],
					err);
	if (!r)
		r = put_record(store, journal, "record", err);
	if (r)
		return r;
	r = gb_store_put(store, journal->folder, "state.intent.0", "", 0);
	if (!r)
		r = gb_store_fsync(store, journal->folder);
	return r ? gb_fail(err, -r, "%s: %s", GB_JOURNAL, strerror(-r)) : 0;
}

/* One that was begun: it must be on the disk under this name before a file of it goes. */
static int sweep(struct gb_store *store, int base)
{
	int r;

	if (faccessat(base, MAKING, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	r = gb_store_fsync(store, base);
	return r ? r : gb_store_sweep(store, base, MAKING);
}

static int begin(struct gb_store *store, int base)
{
	int r = sweep(store, base);

	return r ? r : gb_store_need_folder(store, base, MAKING);
}

/* A fsync of the folder that fails leaves a journal of which nobody knows whether it is on the
 * disk: it goes away again, and no file has been changed. */
static int publish(struct gb_store *store, int base)
{
	int r = gb_store_rename(store, base, MAKING, "journal");

	if (r)
		return r;
	r = gb_store_fsync(store, base);
	if (r && gb_store_rename(store, base, "journal", MAKING))
		return -EUCLEAN;
	return r;
}

static int find_homes(struct gb_store *store, struct gb_journal *journal)
{
	int r = 0;

	for (size_t i = 0; i < journal->entries && !r; i++)
		r = gb_home_find(store, journal->entry[i].place, &journal->entry[i].home);
	return r;
}

int gb_journal_write(struct gb_store *store, const struct gb_plan *plan, int64_t now,
		     struct gb_journal *ret, struct gb_err *err)
{
	struct gb_journal journal = { .folder = -1 };
	int r, base = gb_journal_base(store, err);

	if (base < 0)
		return base;
	r = gb_journal_from_plan(plan, now, &journal);
	if (!r)
		r = find_homes(store, &journal);
	if (!r)
		journal.folder = begin(store, base);
	if (!r && journal.folder < 0)
		r = journal.folder;
	if (r) {
		gb_fail(err, -r, "%s: %s", GB_JOURNAL, strerror(-r));
	} else {
		r = fill(store, plan, &journal, err);
		if (!r) {
			r = publish(store, base);
			if (r)
				gb_fail(err, -r, "%s: %s", GB_JOURNAL, strerror(-r));
		}
	}
	if (r) {
		gb_journal_clear(&journal);
		sweep(store, base);
	} else {
		*ret = journal;
	}
	close(base);
	return r;
}

int gb_journal_tidy(struct gb_store *store)
{
	int r, base = gb_journal_base(store, NULL);

	if (base < 0)
		return base;
	r = sweep(store, base);
	close(base);
	return r;
}

/* ---- reading and moving on --------------------------------------------------------- */

static int read_state(void *ctx, const char *name)
{
	struct gb_journal *journal = ctx;
	char word[16], extra;
	unsigned reached;

	if (sscanf(name, "state.%15[a-z-].%u%c", word, &reached, &extra) != 2)
		return 0;
	for (size_t i = 0; i < sizeof(state_names) / sizeof(*state_names); i++)
		if (!strcmp(word, state_names[i])) {
			journal->state = (enum gb_journal_state)i;
			journal->reached = reached;
			return 1;
		}
	return 0;
}

static int read_record(struct gb_store *store, const char *path, const char *name,
		       struct gb_journal *ret, struct gb_err *err)
{
	char full[PATH_MAX];
	size_t len;
	char *data;
	int r;

	snprintf(full, sizeof(full), "%s/%s", path, name);
	r = gb_root_read_all(store->root, full, RECORD_MAX, &data, &len);
	if (r)
		return gb_fail(err, -r, "%s: %s", full, strerror(-r));
	r = gb_journal_parse(data, len, ret, err);
	free(data);
	if (r)
		gb_wrap(err, "%s", full);
	return r;
}

int gb_journal_open(struct gb_store *store, const char *path, struct gb_journal *ret,
		    struct gb_err *err)
{
	struct gb_journal journal = { .folder = -1 };
	int r, folder = gb_root_open_folder(store->root, path);

	if (folder < 0)
		return gb_fail(err, -folder, "%s: %s", path, strerror(-folder));
	/* one that was cut while it was written does not count: then all is still to be returned */
	r = read_record(store, path, "result", &journal, NULL);
	if (r)
		r = read_record(store, path, "record", &journal, err);
	if (r) {
		close(folder);
		return r;
	}
	journal.folder = folder;
	if (gb_root_list(store->root, path, read_state, &journal) != 1) {
		gb_journal_clear(&journal);
		return gb_fail(err, EBADMSG, "%s does not say its state", path);
	}
	*ret = journal;
	return 0;
}

int gb_journal_enter(struct gb_store *store, struct gb_journal *journal,
		     enum gb_journal_state state, size_t reached, struct gb_err *err)
{
	char from[48], to[48];
	int r = 0;

	snprintf(from, sizeof(from), "state.%s.%zu", state_names[journal->state],
		 journal->reached);
	snprintf(to, sizeof(to), "state.%s.%zu", state_names[state], reached);
	if (strcmp(from, to))
		r = gb_store_rename(store, journal->folder, from, to);
	if (!r) { /* whatever becomes of the fsync, this is its name now */
		journal->state = state;
		journal->reached = reached;
		r = gb_store_fsync(store, journal->folder);
	}
	return r ? gb_fail(err, -r, "%s: %s", GB_JOURNAL, strerror(-r)) : 0;
}

int gb_journal_result(struct gb_store *store, const struct gb_journal *journal,
		      struct gb_err *err)
{
	int r = gb_store_unlink(store, journal->folder, "result");

	if (r)
		return gb_fail(err, -r, "%s/result: %s", GB_JOURNAL, strerror(-r));
	return put_record(store, journal, "result", err); /* the next state syncs the folder */
}
