/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "aside-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "journal.h"
#include "staged.h"
#include "store.h"

static int remove_folder(struct gb_store *store, const struct gb_place *place)
{
	int r = gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_RMDIR,
							.fd = place->folder,
							.name = place->name });

	/* somebody put a file of his own in; or a call before was ended here */
	return r == -ENOTEMPTY || r == -EEXIST || r == -ENOENT ? 0 : r;
}

static bool is_ours(struct gb_store *store, const struct gb_entry *entry,
		    const struct gb_file *now)
{
	if (entry->kind == GB_ENTRY_BUILT || now->kind == GB_FILE_ABSENT)
		return true;
	if (entry->kind == GB_ENTRY_PLACED)
		return gb_staged_is(store, entry, now);
	return now->kind == entry->after.kind && !strcmp(now->hash, entry->after.hash) &&
	       (now->kind != GB_FILE_LINK || !strcmp(now->link, entry->after.link));
}

/* Is the old file itself still beside its place? */
static bool waits(const struct gb_place *place, const char *aside, const struct gb_file *before)
{
	struct gb_place beside = *place;
	struct gb_file file = { 0 };
	bool same;

	strcpy(beside.name, aside);
	if (gb_file_look(&beside, &file, NULL))
		return false;
	same = gb_file_same(&file, before);
	gb_file_clear(&file);
	return same;
}

static int from_copy(struct gb_store *store, const struct gb_journal *journal, size_t n,
		     const struct gb_place *place, const char *aside)
{
	const struct gb_file *before = &journal->entry[n].before;
	struct gb_bytes bytes = { .fd = -1 };
	char name[32];
	int r;

	if (before->kind == GB_FILE_REGULAR) {
		snprintf(name, sizeof(name), "%zu.old", n);
		bytes.fd = openat(journal->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (bytes.fd < 0)
			return -errno;
	}
	r = gb_aside_make(store, place->folder, aside, before, &bytes);
	if (r == -ENOSPC || r == -EDQUOT) {
		/* it may be the file in the way that fills the disk: the journal still knows */
		r = gb_store_unlink(store, place->folder, place->name);
		if (!r)
			r = gb_aside_make(store, place->folder, aside, before, &bytes);
	}
	if (bytes.fd >= 0)
		close(bytes.fd);
	/* FAT writes names in any order: else an older one may take the place */
	return r ? r : gb_store_fsync(store, place->folder);
}

static int bring(struct gb_store *store, const struct gb_journal *journal, size_t n,
		 const struct gb_place *place, const char *aside, const struct gb_file *now)
{
	const struct gb_file *before = &journal->entry[n].before;
	int r = 0;

	if (before->kind == GB_FILE_ABSENT)
		r = now->kind == GB_FILE_FOLDER
			    ? remove_folder(store, place)
			    : gb_store_unlink(store, place->folder, place->name);
	else if (before->kind == GB_FILE_FOLDER)
		r = gb_aside_make_folder(store, place, before);
	else if (waits(place, aside, before)) /* or was put there by a call ended before its fsync */
		r = gb_store_fsync_file(store, place->folder, aside);
	else
		r = from_copy(store, journal, n, place, aside);
	if (!r && (before->kind == GB_FILE_REGULAR || before->kind == GB_FILE_LINK))
		r = gb_store_rename(store, place->folder, aside, place->name);
	return r;
}

/* The folder is synced in any case: what is done already may have been done by a call that was
 * ended before it could. */
static int clean(struct gb_store *store, const struct gb_place *place, const char *aside)
{
	int r;

	if (place->folder < 0)
		return 0;
	r = gb_store_unlink(store, place->folder, aside);
	return r ? r : gb_store_fsync(store, place->folder);
}

/* On FAT: replaced by a call that was killed, and power cut before the disk had that. fsck leaves a
 * name without bytes. */
static bool is_lost(struct gb_store *store, const struct gb_place *place,
		    const struct gb_file *now)
{
	return now->kind == GB_FILE_REGULAR && !now->size && place->folder >= 0 &&
	       !gb_store_can_exchange(store, place->folder);
}

static int check_ours(struct gb_store *store, const struct gb_entry *entry,
		      const struct gb_place *place, const struct gb_file *now, bool force,
		      struct gb_err *err)
{
	if (!is_ours(store, entry, now) && !is_lost(store, place, now) && !force)
		return gb_fail(err, ESTALE, "%s was changed by somebody else meanwhile",
			       entry->path);
	if (place->folder < 0)
		return gb_fail(err, ENOENT, "the folder of %s is gone", entry->path);
	return 0;
}

/* Folders that hold somebody's files stay. */
static int read_back(const struct gb_entry *entry, const struct gb_place *place,
		     struct gb_err *err)
{
	struct gb_file now = { 0 };
	int r = gb_file_look(place, &now, err);

	if (!r && !gb_file_same(&now, &entry->before) && now.kind != GB_FILE_FOLDER)
		r = gb_fail(err, EIO, "%s does not read back as it was", entry->path);
	gb_file_clear(&now);
	return r;
}

static int restore(struct gb_store *store, const struct gb_journal *journal, size_t n, bool force,
		   const struct gb_place *place, struct gb_err *err)
{
	const struct gb_entry *entry = &journal->entry[n];
	struct gb_file now = { 0 };
	char aside[48];
	bool same;
	int r = gb_file_look(place, &now, err);

	if (r)
		return r;
	gb_aside_name(n, aside);
	same = gb_file_same(&now, &entry->before);
	if (!same)
		r = check_ours(store, entry, place, &now, force, err);
	if (!r) {
		/* the same bytes may have been written again, and not synced, by a builder */
		r = !same ? bring(store, journal, n, place, aside, &now)
		    : place->folder < 0
			    ? 0
			    : gb_store_fsync_file(store, place->folder, place->name);
		if (!r)
			r = clean(store, place, aside);
		if (r)
			gb_fail(err, -r, "%s: %s", entry->path, strerror(-r));
	}
	gb_file_clear(&now);
	return r || same ? r : read_back(entry, place, err);
}

static int sweep(struct gb_store *store, const struct gb_journal *journal, size_t n,
		 const struct gb_place *place, struct gb_err *err)
{
	int r = gb_staged_sweep(store, journal, n, place);

	return r ? gb_fail(err, -r, "%s: %s", journal->entry[n].path, strerror(-r)) : 0;
}

int gb_aside_restore(struct gb_store *store, const struct gb_journal *journal, size_t n,
		     bool force, struct gb_err *err)
{
	struct gb_place place;
	int r = gb_store_place(store, journal->entry[n].place, false, &place, err);

	if (r)
		return r;
	if (journal->entry[n].kind == GB_ENTRY_STAGED)
		r = sweep(store, journal, n, &place, err);
	else
		r = restore(store, journal, n, force, &place, err);
	gb_place_clear(&place);
	return r;
}

static int clean_folder(struct gb_store *store, const struct gb_place *place)
{
	int r = remove_folder(store, place);

	return r ? r : gb_store_fsync(store, place->folder);
}

int gb_aside_clean(struct gb_store *store, const struct gb_journal *journal, size_t n,
		   struct gb_err *err)
{
	const struct gb_entry *entry = &journal->entry[n];
	struct gb_place place;
	char aside[48];
	int r = gb_store_place(store, entry->place, false, &place, err);

	if (r)
		return r;
	gb_aside_name(n, aside);
	if (entry->kind == GB_ENTRY_STAGED)
		r = gb_staged_sweep(store, journal, n, &place);
	else if (entry->kind != GB_ENTRY_BUILT &&
		 (entry->before.kind == GB_FILE_REGULAR || entry->before.kind == GB_FILE_LINK))
		r = clean(store, &place, aside);
	else if (entry->before.kind == GB_FILE_FOLDER &&
		 entry->after.kind == GB_FILE_ABSENT && place.folder >= 0)
		r = clean_folder(store, &place);
	if (!r && gb_journal_waits(entry))
		r = gb_journal_forget(store, journal, n);
	gb_place_clear(&place);
	return r ? gb_fail(err, -r, "tidying after %s: %s", entry->path, strerror(-r)) : 0;
}
