/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "store.h"

#define LOG_MAX (1 << 20)

/* Not by gb_store_call: a log is no part of a change, and none fails by it. */
static int open_log(const struct gb_place *place)
{
	/* O_NONBLOCK: a pipe in its place would wait for a reader */
	int fd = openat(place->folder, place->name, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW |
			O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

static void rotate(struct gb_store *store, const struct gb_place *place)
{
	char old[NAME_MAX + 3];
	struct stat st;

	snprintf(old, sizeof(old), "%s.1", place->name);
	if (!fstatat(place->folder, place->name, &st, AT_SYMLINK_NOFOLLOW) &&
	    S_ISREG(st.st_mode) && st.st_size > LOG_MAX)
		gb_store_rename(store, place->folder, place->name, old);
}

int gb_log_open(struct gb_store *store, const char *path, struct gb_err *err)
{
	struct gb_place place;
	int r = gb_store_place(store, path, false, &place, err);

	if (r)
		return r;
	if (place.folder < 0) {
		r = -ENOENT;
	} else {
		rotate(store, &place);
		r = open_log(&place);
	}
	gb_place_clear(&place);
	return r < 0 ? gb_fail(err, -r, "%s: %s", path,
			       r == -EINVAL || r == -ELOOP ? "it is not a file of its own" :
							     strerror(-r)) : r;
}
