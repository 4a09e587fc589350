/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "journal.h"
#include "plan.h"
#include "root.h"
#include "store.h"
#include "text.h"
#include "transaction.h"

#define BLOCK 4096	   /* what a file takes at least */
#define SLACK (256 << 10)  /* folders, and the file system's own */
#define RECORD (64 << 10)  /* record, result and states of a journal */

struct disk {
	dev_t device;
	int fd; /* of a folder on it */
	bool exchange; /* else FAT */
	char path[PATH_MAX];
	uint64_t adds, largest; /* written beside what is there; the largest to come back */
	uint64_t beside;	/* a staged file and the copy that is made of it */
	uint64_t frees;		/* of files that go before anything is written */
};

struct disks {
	struct disk disk[GB_ROOMS_MAX];
	size_t count;
};

static uint64_t blocks(uint64_t bytes)
{
	return (bytes / BLOCK + 2) * BLOCK;
}

/* The folder of a path, or the nearest above that exists. */
static int open_above(struct gb_store *store, const char *path, char *ret)
{
	char *slash;
	int fd;

	if (!memccpy(ret, path, '\0', PATH_MAX))
		return -ENAMETOOLONG;
	do {
		slash = strrchr(ret, '/');
		if (!slash)
			return -EINVAL;
		slash[slash == ret] = '\0';
		fd = gb_root_open_folder(store->root, ret);
	} while (fd == -ENOENT && ret[1]);
	return fd;
}

static int find_disk(struct gb_store *store, struct disks *all, const char *path,
		     struct disk **ret)
{
	struct disk *disk = &all->disk[all->count];
	struct stat st;
	int r;

	if (all->count == GB_ROOMS_MAX)
		return -E2BIG;
	disk->fd = open_above(store, path, disk->path);
	if (disk->fd < 0)
		return disk->fd;
	r = fstat(disk->fd, &st) < 0 ? -errno : 0;
	disk->exchange = gb_store_can_exchange(store, disk->fd);
	for (size_t i = 0; i < all->count && !r; i++)
		if (all->disk[i].device == st.st_dev && all->disk[i].exchange == disk->exchange) {
			close(disk->fd);
			*ret = &all->disk[i];
			return 0;
		}
	if (r) {
		close(disk->fd);
		return r;
	}
	disk->device = st.st_dev;
	disk->adds = SLACK;
	disk->largest = disk->beside = disk->frees = 0;
	all->count++;
	*ret = disk;
	return 0;
}

/* On FAT the last place on its own disk takes a staged file itself. */
static int is_taken(struct gb_store *store, struct disks *all, const struct gb_plan *plan,
		    const char *staged, const struct disk *home, bool *ret)
{
	struct disk *disk = NULL;
	int r = 0;

	*ret = false;
	for (size_t i = 0; i < plan->steps && !r; i++) {
		const struct gb_step *step = &plan->step[i];

		if (step->kind != GB_STEP_PLACE || !step->last || strcmp(step->staged, staged))
			continue;
		r = find_disk(store, all, step->touch->place, &disk);
		*ret = !r && disk == home && !disk->exchange;
	}
	return r;
}

/* On FAT each old file makes room before the next one is built or placed: what counts in the end is
 * by how much they grow, and in between the largest, there twice. One that comes back is written
 * beside the new one. */
static void add_on_fat(const struct gb_step *step, uint64_t old, struct disk *disk, bool at_home)
{
	const uint64_t growth = step->space > old ? step->space - old : 0;

	disk->adds += blocks(growth);
	if (old > disk->largest)
		disk->largest = old;
	/* copies were made of it, while it lay there */
	if (at_home && step->last && !step->first && step->space - growth > disk->beside)
		disk->beside = step->space - growth;
}

/* A staged file lies on its disk until the end. In a place of its own disk it is the same file; in
 * others it is a copy. */
static int add_place(struct gb_store *store, struct disks *all, const struct gb_step *step,
		     struct disk *state)
{
	const struct gb_touch *touch = step->touch;
	const uint64_t old = touch->before.kind == GB_FILE_REGULAR ? touch->before.size : 0;
	struct disk *disk = NULL, *home = NULL;
	int r = find_disk(store, all, step->staged, &home);

	if (!r)
		r = find_disk(store, all, touch->place, &disk);
	if (r)
		return r;
	if (!disk->exchange) {
		add_on_fat(step, old, disk, disk == home);
		state->adds += blocks(old);
		return 0;
	}
	if (disk != home || !step->first)
		disk->adds += blocks(step->space);
	if (gb_store_is_large(store, old))
		return 0; /* it waits in its folder */
	if (old > disk->largest)
		disk->largest = old;
	state->adds += blocks(old);
	return 0;
}

/* The old file waits beside the new one until the end; a builder writes its own beside first. */
static int add_step(struct gb_store *store, struct disks *all, const struct gb_plan *plan,
		    const struct gb_step *step, struct disk *state)
{
	struct disk *disk = NULL;
	bool taken = false;
	int r;

	if (step->kind == GB_STEP_PLACE)
		return add_place(store, all, step, state);
	for (size_t i = 0; i < step->touches; i++) {
		const struct gb_touch *touch = &step->touch[i];
		uint64_t old = touch->before.kind == GB_FILE_REGULAR ? touch->before.size : 0;
		uint64_t now = step->argv ? old : touch->after.size;

		r = find_disk(store, all, touch->place, &disk);
		if (r)
			return r;
		if (step->kind == GB_STEP_BUILD) {
			disk->frees += old;
			old = now = 0;
		}
		disk->adds += blocks(now);
		/* one that goes only has another name until the end */
		if (step->spare && gb_store_is_large(store, old) &&
		    gb_store_can_exchange(store, disk->fd))
			continue;
		if (old > disk->largest && !step->spare)
			disk->largest = old;
		state->adds += blocks(old) + blocks(step->data ? step->len : 0);
		if (!i && step->kind == GB_STEP_BUILD)
			r = is_taken(store, all, plan, touch->path, disk, &taken);
		if (r)
			return r;
		if (!i && !taken)
			disk->adds += step->space;
	}
	return 0;
}

static int measure(struct gb_store *store, const struct disk *disk, struct gb_room *ret)
{
	gb_text_copy(ret->path, sizeof(ret->path), disk->path);
	const uint64_t adds = disk->adds + disk->largest + disk->beside;

	ret->needed = adds > disk->frees ? adds - disk->frees : 0;
	return gb_store_space(store, disk->fd, &ret->there, &ret->read_only);
}

int gb_transaction_rooms(struct gb_store *store, const struct gb_plan *plan,
			 struct gb_room ret[static GB_ROOMS_MAX], size_t *ret_rooms,
			 struct gb_err *err)
{
	struct disks *all = calloc(1, sizeof(*all));
	struct disk *state = NULL;
	int r = all ? find_disk(store, all, GB_JOURNAL, &state) : -ENOMEM;

	if (!r)
		state->adds += RECORD;
	for (size_t i = 0; i < plan->steps && !r; i++)
		r = add_step(store, all, plan, &plan->step[i], state);
	for (size_t i = 0; all && i < all->count && !r; i++)
		r = measure(store, &all->disk[i], &ret[i]);
	if (r)
		gb_fail(err, -r, "looking for room: %s", strerror(-r));
	else
		*ret_rooms = all->count;
	for (size_t i = 0; all && i < all->count; i++)
		close(all->disk[i].fd);
	free(all);
	return r;
}

static int check_room(const struct gb_room *room, struct gb_err *err)
{
	const uint64_t mib = 1 << 20;

	if (room->read_only)
		return gb_fail(err, EROFS, "%s is mounted read-only", room->path);
	if (room->there < room->needed)
		return gb_fail(err, ENOSPC,
			       "%s has %llu MiB free, and the change needs %llu MiB while it is made",
			       room->path, (unsigned long long)(room->there / mib),
			       (unsigned long long)((room->needed + mib - 1) / mib));
	return 0;
}

int gb_transaction_room(struct gb_store *store, const struct gb_plan *plan, struct gb_err *err)
{
	struct gb_room room[GB_ROOMS_MAX];
	size_t rooms = 0;
	int r = gb_transaction_rooms(store, plan, room, &rooms, err);

	for (size_t i = 0; i < rooms && !r; i++)
		r = check_room(&room[i], err);
	return r;
}
