/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "aside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "err.h"
#include "journal.h"
#include "plan.h"
#include "root.h"
#include "store.h"

/* What to write: bytes, or all of a descriptor. */
struct bytes {
	const void *data;
	size_t len;
	int fd; /* -1: data */
};

static void name_aside(size_t n, char ret[48])
{
	snprintf(ret, 48, ".ghost-boot-%zu.tmp", n);
}

static int write_file(struct gb_store *store, int fd, const struct gb_file *file,
		      const struct bytes *bytes)
{
	char hash[GB_SHA256_TEXT];
	int r;

	if (bytes->fd >= 0) {
		r = lseek(bytes->fd, 0, SEEK_SET) < 0 ? -errno
						      : gb_store_copy(store, bytes->fd, fd, hash);
	} else {
		r = gb_store_write(store, fd, bytes->data, bytes->len);
		gb_sha256_of(bytes->data, bytes->len, hash);
	}
	if (!r && strcmp(hash, file->hash))
		r = -EBADMSG;
	if (!r)
		r = gb_file_dress(store, fd, file);
	return r ? r : gb_store_fsync(store, fd);
}

/* A file or a link under the name beside, ready to take its place. */
static int make_aside(struct gb_store *store, int folder, const char *aside,
		      const struct gb_file *file, const struct bytes *bytes)
{
	int fd, r = gb_store_unlink(store, folder, aside);

	if (r)
		return r;
	if (file->kind == GB_FILE_LINK) {
		r = gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_SYMLINK, .fd = folder,
							    .name = aside, .to = file->link });
		if (!r && (file->uid != geteuid() || file->gid != getegid()))
			r = gb_store_call(store, &(struct gb_call){
				.kind = GB_CALL_CHOWN, .fd = folder, .name = aside,
				.uid = file->uid, .gid = file->gid });
		return r;
	}
	fd = gb_store_create(store, folder, aside, 0600);
	if (fd < 0)
		return fd;
	r = write_file(store, fd, file, bytes);
	close(fd);
	return r;
}

static int make_folder(struct gb_store *store, const struct gb_place *place,
		       const struct gb_file *file)
{
	int fd, r = gb_store_mkdir(store, place->folder, place->name, file->mode);

	if (r)
		return r;
	fd = openat(place->folder, place->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = gb_file_dress(store, fd, file);
	if (!r)
		r = gb_store_fsync(store, fd);
	close(fd);
	return r;
}

static int remove_folder(struct gb_store *store, const struct gb_place *place)
{
	int r = gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_RMDIR,
							.fd = place->folder,
							.name = place->name });

	/* somebody put a file of his own in; or a call before was ended here */
	return r == -ENOTEMPTY || r == -EEXIST || r == -ENOENT ? 0 : r;
}

/* A cut while FAT writes the two names could leave both with the same clusters. */
static bool can_exchange(int folder)
{
	struct statfs fs;

	return !fstatfs(folder, &fs) && fs.f_type != MSDOS_SUPER_MAGIC;
}

static int swap(struct gb_store *store, const struct gb_place *place, const char *aside,
		bool exists)
{
	int r = -EINVAL;

	if (exists && can_exchange(place->folder))
		r = gb_store_call(store, &(struct gb_call){
			.kind = GB_CALL_EXCHANGE, .fd = place->folder, .name = aside,
			.fd2 = place->folder, .to = place->name });
	if (r == -EINVAL || r == -ENOSYS)
		r = gb_store_rename(store, place->folder, aside, place->name);
	return r;
}

static int apply(struct gb_store *store, const struct gb_place *place, const char *aside,
		 const struct gb_entry *entry, const struct bytes *bytes)
{
	const enum gb_file_kind was = entry->before.kind, is = entry->after.kind;
	int r;

	if (place->folder < 0)
		return -ENOENT;
	if (is == GB_FILE_ABSENT && was == GB_FILE_FOLDER) {
		return 0; /* old files may wait in it: gb_aside_clean */
	} else if (is == GB_FILE_ABSENT) {
		r = gb_store_unlink(store, place->folder, aside);
		if (!r)
			r = gb_store_rename(store, place->folder, place->name, aside);
	} else if (is == GB_FILE_FOLDER) {
		r = make_folder(store, place, &entry->after);
	} else {
		r = make_aside(store, place->folder, aside, &entry->after, bytes);
		if (!r)
			r = swap(store, place, aside, was != GB_FILE_ABSENT);
	}
	return r ? r : gb_store_fsync(store, place->folder);
}

static int open_below(struct gb_store *store, const char *path)
{
	struct gb_place place;
	int fd, r = gb_store_place(store, path, true, &place, NULL);

	if (r)
		return r;
	fd = openat(place.folder, place.name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	r = fd < 0 ? -errno : fd;
	gb_place_clear(&place);
	return r;
}

int gb_aside_apply(struct gb_store *store, const struct gb_journal *journal, size_t n,
		   const struct gb_step *step, struct gb_err *err)
{
	const struct gb_entry *entry = &journal->entry[n];
	struct bytes bytes = { step->data ? step->data : "", step->data ? step->len : 0, -1 };
	struct gb_place place;
	char aside[48];
	int r;

	if (step->source) {
		bytes.fd = open_below(store, step->source);
		if (bytes.fd < 0)
			return gb_fail(err, -bytes.fd, "%s: %s", step->source,
				       strerror(-bytes.fd));
	}
	name_aside(n, aside);
	r = gb_store_place(store, entry->place, false, &place, err);
	if (!r) {
		r = apply(store, &place, aside, entry, &bytes);
		if (r)
			gb_fail(err, -r, "%s: %s", entry->path, strerror(-r));
		gb_place_clear(&place);
	}
	if (bytes.fd >= 0)
		close(bytes.fd);
	return r;
}

/* ---- back -------------------------------------------------------------------------- */

static bool is_ours(const struct gb_entry *entry, const struct gb_file *now)
{
	if (entry->built || now->kind == GB_FILE_ABSENT)
		return true;
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
	struct bytes bytes = { .fd = -1 };
	char name[32];
	int r;

	if (before->kind == GB_FILE_REGULAR) {
		snprintf(name, sizeof(name), "%zu.old", n);
		bytes.fd = openat(journal->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (bytes.fd < 0)
			return -errno;
	}
	r = make_aside(store, place->folder, aside, before, &bytes);
	if (r == -ENOSPC || r == -EDQUOT) {
		/* it may be the file in the way that fills the disk: the journal still knows */
		r = gb_store_unlink(store, place->folder, place->name);
		if (!r)
			r = make_aside(store, place->folder, aside, before, &bytes);
	}
	if (bytes.fd >= 0)
		close(bytes.fd);
	return r;
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
		r = make_folder(store, place, before);
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

static int check_ours(const struct gb_entry *entry, const struct gb_place *place,
		      const struct gb_file *now, bool force, struct gb_err *err)
{
	if (!is_ours(entry, now) && !force)
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
	name_aside(n, aside);
	same = gb_file_same(&now, &entry->before);
	if (!same)
		r = check_ours(entry, place, &now, force, err);
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

int gb_aside_restore(struct gb_store *store, const struct gb_journal *journal, size_t n,
		     bool force, struct gb_err *err)
{
	struct gb_place place;
	int r = gb_store_place(store, journal->entry[n].place, false, &place, err);

	if (r)
		return r;
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
	name_aside(n, aside);
	if (!entry->built &&
	    (entry->before.kind == GB_FILE_REGULAR || entry->before.kind == GB_FILE_LINK))
		r = clean(store, &place, aside);
	else if (entry->before.kind == GB_FILE_FOLDER &&
		 entry->after.kind == GB_FILE_ABSENT && place.folder >= 0)
		r = clean_folder(store, &place);
	gb_place_clear(&place);
	return r ? gb_fail(err, -r, "tidying after %s: %s", entry->path, strerror(-r)) : 0;
}
