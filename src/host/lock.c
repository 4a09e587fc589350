/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "err.h"
#include "journal.h"
#include "store.h"

#define NAME "lock"

static int open_lock(struct gb_store *store, int base)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(base, NAME, flags);

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	fd = gb_store_create(store, base, NAME, 0600);
	if (fd < 0 && fd != -EEXIST) /* somebody was faster: his will do */
		return fd;
	if (fd >= 0)
		close(fd);
	fd = openat(base, NAME, flags);
	return fd < 0 ? -errno : fd;
}

static int refuse(int fd, struct gb_err *err)
{
	char text[64];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long pid = 0;

	if (n > 0) {
		text[n] = '\0';
		pid = strtol(text, NULL, 10);
	}
	if (pid <= 0 || pid > INT_MAX)
		return gb_fail(err, EBUSY, "another ghost-boot is changing this system");
	if (kill((pid_t)pid, 0) < 0 && errno == ESRCH)
		return gb_fail(err, EBUSY, "ghost-boot (process %ld) has ended, but a program that "
			       "it started still runs: wait for it, or end it", pid);
	return gb_fail(err, EBUSY, "another ghost-boot (process %ld) is changing this system", pid);
}

int gb_lock_take(struct gb_store *store, int *ret_fd, struct gb_err *err)
{
	int fd, base = gb_journal_base(store, err);
	char text[32];

	if (base < 0)
		return base;
	fd = open_lock(store, base);
	close(base);
	if (fd < 0)
		return gb_fail(err, -fd, "%s/%s: %s", GB_STATE, NAME, strerror(-fd));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int r = errno == EWOULDBLOCK ? refuse(fd, err)
					     : gb_fail(err, errno, "%s/%s: %s", GB_STATE, NAME,
						       strerror(errno));

		close(fd);
		return r;
	}
	/* for whom it keeps out; that it can't be written makes it no worse a lock */
	snprintf(text, sizeof(text), "%-10d\n", (int)getpid());
	gb_store_write(store, fd, text, strlen(text));
	*ret_fd = fd;
	return 0;
}
