/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded, it takes one sync away, for seeing the power cut test red. NOSYNC is a pattern of
 * paths: the first fsync() of such a file is not made. With "checkpoint:" in front it is the first
 * write-out of that folder's journal. */
#define _GNU_SOURCE
#include <fnmatch.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef EXT4_IOC_CHECKPOINT
#define EXT4_IOC_CHECKPOINT _IOW('f', 43, uint32_t)
#endif
#define CHECKPOINT "checkpoint:"

static bool taken(int fd, bool checkpoint)
{
	const char *which = getenv("NOSYNC");
	char link[64], path[PATH_MAX];
	static bool done;
	ssize_t n;

	if (!which || done || checkpoint != !strncmp(which, CHECKPOINT, strlen(CHECKPOINT)))
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	if (fnmatch(which + (checkpoint ? strlen(CHECKPOINT) : 0), path, 0))
		return false;
	done = true;
	fprintf(stderr, "nosync: %s\n", path);
	return true;
}

int fsync(int fd)
{
	return taken(fd, false) ? 0 : (int)syscall(SYS_fsync, fd);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	if (request == EXT4_IOC_CHECKPOINT && taken(fd, true))
		return 0;
	return (int)syscall(SYS_ioctl, fd, request, argument);
}
