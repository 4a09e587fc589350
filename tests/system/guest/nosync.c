/* Preloaded, it takes syncs away: NOSYNC=N the Nth of the process, NOSYNC=all each. For seeing the
 * power cut test red. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int skipped(const char *name)
{
	static int calls;
	const char *which = getenv("NOSYNC");
	int skip;

	calls++;
	skip = which && (!strcmp(which, "all") || atoi(which) == calls);
	if (which)
		fprintf(stderr, "nosync: %d %s%s\n", calls, name, skip ? ": skipped" : "");
	return skip;
}

int fsync(int fd)
{
	return skipped("fsync") ? 0 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return skipped("fdatasync") ? 0 : (int)syscall(SYS_fdatasync, fd);
}

int syncfs(int fd)
{
	return skipped("syncfs") ? 0 : (int)syscall(SYS_syncfs, fd);
}

void sync(void)
{
	if (!skipped("sync"))
		syscall(SYS_sync);
}
