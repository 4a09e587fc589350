/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "staged.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "aside-parts.h"
#include "journal.h"
#include "store.h"

static int look(struct gb_store *store, const char *path, struct gb_place *ret_place,
		struct gb_file *ret)
{
	int r = gb_store_place(store, path, false, ret_place, NULL);

	if (r)
		return r;
	r = gb_file_look(ret_place, ret, NULL);
	if (!r && ret->kind != GB_FILE_REGULAR)
		r = ret->kind == GB_FILE_ABSENT ? -ENOENT : -EINVAL;
	if (r) {
		gb_file_clear(ret);
		gb_place_clear(ret_place);
	}
	return r;
}

bool gb_staged_is(struct gb_store *store, const struct gb_entry *entry, const struct gb_file *now)
{
	struct gb_file file = { 0 };
	struct gb_place place;
	bool same;

	/* it has gone where it was to go, or a call that brought back what was before, and ended
	 * with that, has removed it */
	if (look(store, entry->staged, &place, &file))
		return true;
	same = now->kind == GB_FILE_REGULAR && !strcmp(now->hash, file.hash);
	gb_file_clear(&file);
	gb_place_clear(&place);
	return same;
}

/* ---- into a place ------------------------------------------------------------------ */

/* What is there, with the new bytes. */
static int want(const struct gb_file *before, const struct gb_file *planned,
		const struct gb_file *new, struct gb_file *ret)
{
	struct gb_file file = *planned;

	if (before->kind == GB_FILE_REGULAR && !gb_file_copy(before, &file))
		return -ENOMEM;
	file.timed = false;
	file.size = new->size;
	memcpy(file.hash, new->hash, sizeof(file.hash));
	*ret = file;
	return 0;
}

/* Under the name beside without a copy: 1. 0 when that can't be: another file system, FAT, a file
 * that has one place already. */
static int take(struct gb_store *store, const struct gb_step *step, const struct gb_place *from,
		const struct gb_file *new, const struct gb_place *place, const char *aside)
{
	struct gb_call call = { .fd = from->folder, .name = from->name, .fd2 = place->folder,
				.to = aside };
	int r;

	if (gb_store_can_exchange(store, from->folder)) {
		if (new->names != 1 || !gb_store_can_exchange(store, place->folder))
			return 0;
		call.kind = GB_CALL_LINK;
		r = gb_store_call(store, &call);
		/* link(2); others refuse with what they like, and a copy is as good */
		return !r ? 1 : r == -EIO || r == -ENOSPC || r == -EROFS ? r : 0;
	}
	if (!step->last)
		return 0;
	call.kind = GB_CALL_RENAME;
	r = gb_store_call(store, &call);
	return !r ? 1 : r == -EXDEV ? 0 : r;
}

static int dress(struct gb_store *store, const struct gb_place *place, const char *aside,
		 const struct gb_file *file)
{
	int r, fd = openat(place->folder, aside, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	r = gb_file_dress(store, fd, file);
	if (!r)
		r = gb_store_fsync(store, fd);
	close(fd);
	return r;
}

static int copy(struct gb_store *store, const struct gb_place *from, const struct gb_place *place,
		const char *aside, const struct gb_file *file)
{
	struct gb_bytes bytes = { .fd = openat(from->folder, from->name,
					       O_RDONLY | O_NOFOLLOW | O_CLOEXEC) };
	int r;

	if (bytes.fd < 0)
		return -errno;
	r = gb_aside_make(store, place->folder, aside, file, &bytes);
	close(bytes.fd);
	return r;
}

static int put(struct gb_store *store, const struct gb_step *step, const struct gb_place *from,
	       const struct gb_file *new, const struct gb_place *place, const char *aside,
	       const struct gb_file *file)
{
	int r = gb_store_unlink(store, place->folder, aside);

	if (!r)
		r = take(store, step, from, new, place, aside);
	if (r < 0)
		return r;
	return r ? dress(store, place, aside, file) : copy(store, from, place, aside, file);
}

int gb_staged_place(struct gb_store *store, struct gb_journal *journal, size_t n,
		    const struct gb_step *step, const struct gb_place *place, const char *aside)
{
	struct gb_entry *entry = &journal->entry[n];
	const struct gb_file *before = &entry->before;
	struct gb_file new = { 0 }, file = { 0 };
	struct gb_place from;
	bool same;
	int r;

	if (place->folder < 0)
		return -ENOENT;
	r = look(store, entry->staged, &from, &new);
	if (r)
		return r;
	same = before->kind == GB_FILE_REGULAR && !strcmp(before->hash, new.hash);
	r = want(before, &step->touch->after, &new, &file);
	if (!r && !same) {
		r = put(store, step, &from, &new, place, aside, &file);
		if (!r)
			r = gb_aside_swap(store, journal, n, place, aside);
		if (!r)
			r = gb_store_fsync(store, place->folder);
	}
	gb_file_clear(&entry->after);
	entry->after = file;
	gb_file_clear(&new);
	gb_place_clear(&from);
	return r;
}

/* ---- away -------------------------------------------------------------------------- */

static bool is_name(const char *name, const char *staged)
{
	const size_t len = strlen(staged);

	if (name[0] == '.' && !strncmp(name + 1, staged, len))
		name++;
	return !strncmp(name, staged, len) && (!name[len] || name[len] == '.' || name[len] == '~');
}

/* Is it the place of another entry? 6.12 and 6.12.1 may both be kernels. */
static bool is_others(const struct gb_journal *journal, size_t n, const char *folder,
		      const char *name)
{
	const size_t len = (size_t)(strrchr(folder, '/') - folder) + 1;

	for (size_t i = 0; i < journal->entries; i++)
		if (i != n && !strncmp(journal->entry[i].place, folder, len) &&
		    !strcmp(journal->entry[i].place + len, name))
			return true;
	return false;
}

static int remove_name(struct gb_store *store, int folder, const char *name)
{
	struct stat st;

	if (!fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode))
		return gb_store_sweep(store, folder, name);
	return gb_store_unlink(store, folder, name);
}

int gb_staged_sweep(struct gb_store *store, const struct gb_journal *journal, size_t n,
		    const struct gb_place *place)
{
	const char *staged = journal->entry[n].place;
	struct dirent *entry;
	DIR *dir;
	int r = 0, fd;

	if (place->folder < 0)
		return 0;
	fd = openat(place->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (!r && (entry = readdir(dir)))
		if (is_name(entry->d_name, place->name) &&
		    !is_others(journal, n, staged, entry->d_name))
			r = remove_name(store, place->folder, entry->d_name);
	closedir(dir);
	return r ? r : gb_store_fsync(store, place->folder);
}
