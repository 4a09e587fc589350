/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "aside-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "journal.h"
#include "plan.h"
#include "staged.h"
#include "store.h"

void gb_aside_name(size_t n, char ret[48])
{
	snprintf(ret, 48, ".ghost-boot-%zu.tmp", n);
}

static int write_file(struct gb_store *store, int fd, const struct gb_file *file,
		      const struct gb_bytes *bytes)
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

int gb_aside_make(struct gb_store *store, int folder, const char *aside,
		  const struct gb_file *file, const struct gb_bytes *bytes)
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

int gb_aside_make_folder(struct gb_store *store, const struct gb_place *place,
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

int gb_aside_swap(struct gb_store *store, struct gb_journal *journal, size_t n,
		  const struct gb_place *place, const char *aside)
{
	const bool exists = journal->entry[n].before.kind != GB_FILE_ABSENT;
	int r = -EINVAL;

	/* with the new one's inode in its place, all that changes for a boot loader is a name */
	if (journal->entry[n].boot)
		gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_CHECKPOINT,
							.fd = place->folder });
	if (exists && gb_store_can_exchange(store, place->folder))
		r = gb_store_call(store, &(struct gb_call){
			.kind = GB_CALL_EXCHANGE, .fd = place->folder, .name = aside,
			.fd2 = place->folder, .to = place->name });
	if (r != -EINVAL && r != -ENOSYS)
		return r;
	r = exists ? gb_journal_keep_now(store, journal, n) : 0;
	if (!r) /* FAT writes names in any order */
		r = gb_store_fsync(store, place->folder);
	return r ? r : gb_store_rename(store, place->folder, aside, place->name);
}

static int apply(struct gb_store *store, struct gb_journal *journal, size_t n,
		 const struct gb_place *place, const char *aside, const struct gb_bytes *bytes)
{
	const struct gb_entry *entry = &journal->entry[n];
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
		r = gb_aside_make_folder(store, place, &entry->after);
	} else {
		r = gb_aside_make(store, place->folder, aside, &entry->after, bytes);
		if (!r)
			r = gb_aside_swap(store, journal, n, place, aside);
	}
	return r ? r : gb_store_fsync(store, place->folder);
}

static int open_source(struct gb_store *store, const char *path)
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

int gb_aside_apply(struct gb_store *store, struct gb_journal *journal, size_t n,
		   const struct gb_step *step, struct gb_err *err)
{
	const struct gb_entry *entry = &journal->entry[n];
	struct gb_bytes bytes = { step->data ? step->data : "", step->data ? step->len : 0, -1 };
	struct gb_place place;
	char aside[48];
	int r;

	if (step->source) {
		bytes.fd = open_source(store, step->source);
		if (bytes.fd < 0)
			return gb_fail(err, -bytes.fd, "%s: %s", step->source,
				       strerror(-bytes.fd));
	}
	gb_aside_name(n, aside);
	r = gb_store_place(store, entry->place, false, &place, err);
	if (!r) {
		r = entry->kind == GB_ENTRY_PLACED
			    ? gb_staged_place(store, journal, n, step, &place, aside)
			    : apply(store, journal, n, &place, aside, &bytes);
		if (r)
			gb_fail(err, -r, "%s: %s", entry->path, strerror(-r));
		gb_place_clear(&place);
	}
	if (bytes.fd >= 0)
		close(bytes.fd);
	return r;
}
