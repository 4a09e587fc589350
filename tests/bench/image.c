/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads an image as a proof does and prints what that took: bytes unpacked, files, processor time
 * in microseconds, peak memory in KiB. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "err.h"
#include "imagetree.h"

static bool keep(void *ctx, const char *path, uint32_t size)
{
	(void)ctx;
	(void)size;
	return !strncmp(path, "etc/", 4) || !strcmp(path, "usr/sbin/ghost-claim");
}

/* In KiB; ru_maxrss would be no less than what the program that started this one had. */
static long peak(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	long value = -1;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "VmHWM:", 6))
			value = strtol(line + 6, NULL, 10);
	if (file)
		fclose(file);
	return value;
}

static long micro(const struct timeval *time)
{
	return time->tv_sec * 1000000L + time->tv_usec;
}

int main(int argc, char **argv)
{
	struct gb_imagetree tree;
	struct rusage usage;
	struct gb_err err;
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1, r;

	if (fd < 0)
		return 2;
	r = gb_imagetree_read_part(fd, 0, UINT64_MAX, keep, NULL, &tree, &err);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	getrusage(RUSAGE_SELF, &usage);
	printf("%" PRIu64 " %zu %ld %ld\n", tree.image.unpacked, tree.image.entries,
	       micro(&usage.ru_utime) + micro(&usage.ru_stime), peak());
	gb_imagetree_clear(&tree);
	close(fd);
	return r < 0;
}
