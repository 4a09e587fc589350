/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* fs/ext4/ext4.h, since Linux 5.15; in no header for programs before 6.x */
#ifndef EXT4_IOC_CHECKPOINT
#define EXT4_IOC_CHECKPOINT _IOW('f', 43, uint32_t)
#endif
#define AGAIN_MS 1000

/* ---- freezing: the journal is empty then --------------------------------------------- */

/* Thaws when its parent has ended without a word, or stays away too long: stopped, or killed
 * between the two. It is no part of the group that a terminal signals. */
static void watch(const struct gb_checkpoint_calls *calls, int fd, int word)
{
	struct pollfd poll_fd = { .fd = word, .events = POLLIN };
	int patience = calls->patience_ms;
	sigset_t all;
	char byte;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	for (;;) {
		const int n = poll(&poll_fd, 1, patience);

		if (n > 0 && read(word, &byte, 1) == 1)
			_exit(0);
		/* one that is being frozen still can't be thawed yet */
		if (!calls->ioctl(calls->ctx, fd, FITHAW, NULL) || n > 0)
			_exit(0);
		patience = AGAIN_MS;
	}
}

static int freeze_and_thaw(const struct gb_checkpoint_calls *calls, int fd, bool *ret_thawed)
{
	int r = calls->ioctl(calls->ctx, fd, FIFREEZE, NULL);

	*ret_thawed = true;
	if (r) /* -EBUSY: somebody else has frozen it, and will thaw it */
		return r;
	r = calls->ioctl(calls->ctx, fd, FITHAW, NULL);
	*ret_thawed = !r || r == -EINVAL; /* or the watcher has */
	return *ret_thawed ? 0 : r;
}

static int freeze(const struct gb_checkpoint_calls *calls, int fd)
{
	int word[2], r;
	bool thawed;
	pid_t child;

	if (pipe2(word, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (!child) {
		close(word[1]);
		watch(calls, fd, word[0]);
	}
	r = child < 0 ? -errno : freeze_and_thaw(calls, fd, &thawed);
	/* without the word it thaws; our end to read keeps SIGPIPE away, should it be gone */
	if (child > 0 && thawed && write(word[1], "", 1) < 0)
		r = r ? r : -errno;
	close(word[1]);
	close(word[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	return r;
}

/* ---------------------------------------------------------------------------------------- */

int gb_checkpoint_by(const struct gb_checkpoint_calls *calls, int fd)
{
	uint32_t flags = 0;
	struct statfs fs;
	int r;

	if (calls->disk(fd, &fs) < 0 || calls->sync(fd) < 0)
		return -errno;
	if (fs.f_type != EXT4_SUPER_MAGIC && fs.f_type != XFS_SUPER_MAGIC)
		return 0;
	if (fs.f_type == EXT4_SUPER_MAGIC) {
		r = calls->ioctl(calls->ctx, fd, EXT4_IOC_CHECKPOINT, &flags);
		if (!r || r == -ENODEV) /* it has no journal (fs/ext4/ioctl.c) */
			return 0;
	}
	return calls->is_root(fd) ? -EOPNOTSUPP : freeze(calls, fd);
}

static int real_ioctl(void *ctx, int fd, unsigned long request, void *argument)
{
	(void)ctx;
	return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

/* When in doubt it is. */
static bool is_root(int fd)
{
	struct stat root, st;

	return stat("/", &root) < 0 || fstat(fd, &st) < 0 || root.st_dev == st.st_dev;
}

int gb_checkpoint(int fd)
{
	static const struct gb_checkpoint_calls calls = {
		.disk = fstatfs, .sync = syncfs, .ioctl = real_ioctl, .is_root = is_root,
		.patience_ms = 10000,
	};

	return gb_checkpoint_by(&calls, fd);
}
