/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "patience.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

void gb_patience_over(int over)
{
	close(over);
}

/* The pipe's end closes when the child says so, and when it ends. */
static int await(pid_t pid, int end, unsigned seconds)
{
	struct pollfd closed = { .fd = end };
	int status, n;

	do
		n = poll(&closed, 1, (int)seconds * 1000);
	while (n < 0 && errno == EINTR);
	if (n == 0) {
		kill(pid, SIGKILL); /* it may be past that */
		return -ETIMEDOUT;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}

int gb_patience_run(unsigned seconds, gb_patience_fn work, void *ctx)
{
	int ends[2], r;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fflush(NULL); /* or both would write it */
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		r = work(ctx, ends[1]);
		fflush(NULL);
		_exit(r);
	}
	r = -errno;
	close(ends[1]);
	if (pid > 0)
		r = await(pid, ends[0], seconds);
	close(ends[0]);
	return r;
}
