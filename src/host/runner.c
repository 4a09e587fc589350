/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "root.h"
#include "text.h"

#define LINE_MAX_BYTES 4096
#define GRACE_S 10
#define LATE_READS 1000 /* of what is left in the pipes, or a daemon goes on writing */
#define CHILD_FAILED 127 /* as a shell says it */

struct stream {
	int fd; /* -1 at its end */
	bool error;
	size_t len;
	char line[LINE_MAX_BYTES + 1];
};

struct run {
	const struct gb_program *command;
	struct gb_ran *ran;
	struct stream stream[2];
	pid_t child;
	int signals;
	bool ended; /* the child; a grandchild may still hold the pipes */
	int wait_status;
	int64_t deadline, kill_at; /* monotonic, in ms; 0: none */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void end_line(struct run *run, struct stream *s)
{
	s->line[s->len] = '\0';
	if (s->len)
		gb_text_copy(run->ran->last, sizeof(run->ran->last), s->line);
	if (run->command->line)
		run->command->line(run->command->ctx, s->line, s->error);
	s->len = 0;
}

/* Progress bars end their lines with a carriage return. */
static void take(struct run *run, struct stream *s, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n' || (data[i] == '\r' && s->len))
			end_line(run, s);
		else if (data[i] != '\r' && data[i] && s->len < LINE_MAX_BYTES)
			s->line[s->len++] = data[i];
	}
}

static void keep_log(int fd, const char *data, size_t len)
{
	while (fd >= 0 && len) {
		ssize_t n = write(fd, data, len);

		if (n <= 0) /* a log that can't be kept stops nothing */
			return;
		data += n;
		len -= (size_t)n;
	}
}

static void read_stream(struct run *run, struct stream *s)
{
	char chunk[4096];
	ssize_t n = read(s->fd, chunk, sizeof(chunk));

	if (n > 0) {
		keep_log(run->command->log, chunk, (size_t)n);
		take(run, s, chunk, (size_t)n);
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		if (s->len)
			end_line(run, s);
		close(s->fd);
		s->fd = -1;
	}
}

static void stop(struct run *run, int signal)
{
	kill(-run->child, signal);
	if (!run->kill_at)
		run->kill_at = now_ms() + GRACE_S * 1000;
}

static void read_signals(struct run *run)
{
	struct signalfd_siginfo info;

	while (read(run->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		run->ran->stopped = (int)info.ssi_signo;
		stop(run, (int)info.ssi_signo);
	}
}

static void look_after(struct run *run)
{
	int64_t now = now_ms();

	if (!run->ended && waitpid(run->child, &run->wait_status, WNOHANG) == run->child)
		run->ended = true;
	if (run->deadline && now >= run->deadline) {
		run->deadline = 0;
		run->ran->timed_out = true;
		stop(run, SIGTERM);
	}
	if (run->kill_at && now >= run->kill_at) {
		kill(-run->child, SIGKILL);
		run->kill_at = now + GRACE_S * 1000;
	}
}

/* A grandchild in the background may keep the pipes for ever: what is in them when the child
 * has ended is read, and no more is waited for. */
static void attend(struct run *run)
{
	struct pollfd fds[3];
	unsigned late = 0;
	bool more = true;

	while (!run->ended || (more && late++ < LATE_READS)) {
		fds[0] = (struct pollfd){ .fd = run->stream[0].fd, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = run->stream[1].fd, .events = POLLIN };
		fds[2] = (struct pollfd){ .fd = run->signals, .events = POLLIN };
		more = poll(fds, 3, run->ended ? 0 : 200) > 0 &&
		       (fds[0].revents || fds[1].revents);
		for (unsigned i = 0; i < 2; i++)
			if (run->stream[i].fd >= 0 && fds[i].revents)
				read_stream(run, &run->stream[i]);
		read_signals(run);
		look_after(run);
		if (run->command->tick)
			run->command->tick(run->command->ctx);
	}
	for (unsigned i = 0; i < 2; i++)
		if (run->stream[i].fd >= 0) {
			if (run->stream[i].len)
				end_line(run, &run->stream[i]);
			close(run->stream[i].fd);
		}
}

static void become(const struct gb_program *command, int out, int error, int gate)
{
	static char *const environment[] = {
		(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		(char *)"LC_ALL=C.UTF-8", (char *)"HOME=/root", NULL };
	int code, nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	setpgid(0, 0);
	if (nothing >= 0 && dup2(nothing, 0) >= 0 && dup2(out, 1) >= 0 && dup2(error, 2) >= 0 &&
	    !chdir("/") && (command->hold < 0 || fcntl(command->hold, F_SETFD, 0) >= 0)) {
		umask(022);
		signal(SIGPIPE, SIG_DFL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execve(command->argv[0], command->argv, environment);
	}
	code = errno;
	if (write(gate, &code, sizeof(code)) != (ssize_t)sizeof(code))
		_exit(CHILD_FAILED);
	_exit(CHILD_FAILED);
}

/* 0, or why the program could not be started. */
static int start(struct run *run, const int out[2], const int error[2])
{
	int gate[2], code = 0;

	if (pipe2(gate, O_CLOEXEC) < 0)
		return -errno;
	run->child = fork();
	if (run->child == 0)
		become(run->command, out[1], error[1], gate[1]);
	close(gate[1]);
	if (run->child < 0)
		code = errno;
	else
		setpgid(run->child, run->child);
	if (!code && read(gate[0], &code, sizeof(code)) == (ssize_t)sizeof(code))
		waitpid(run->child, NULL, 0);
	close(gate[0]);
	return -code;
}

static int with_pipes(struct run *run)
{
	int out[2], error[2], r;

	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(error, O_CLOEXEC) < 0) {
		r = -errno;
		close(out[0]);
		close(out[1]);
		return r;
	}
	r = start(run, out, error);
	close(out[1]);
	close(error[1]);
	if (r) {
		close(out[0]);
		close(error[0]);
		return r;
	}
	run->stream[0].fd = out[0];
	run->stream[1].fd = error[0];
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(error[0], F_SETFL, O_NONBLOCK);
	attend(run);
	return 0;
}

/* Signals are blocked while it runs and read from a descriptor, so that none is lost between. */
static int with_signals(struct run *run)
{
	sigset_t set, before;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, &before) < 0)
		return -errno;
	run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	r = run->signals < 0 ? -errno : with_pipes(run);
	if (run->signals >= 0)
		close(run->signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

static int real_run(void *ctx, const struct gb_program *command, struct gb_ran *ret,
		    struct gb_err *err)
{
	const struct gb_root *root = ctx;
	struct run *run;
	int r;

	if (!gb_root_is_real(root))
		return gb_fail(err, EPERM, "%s is not run: it would not change %s but this system",
			       command->argv[0], gb_root_dir(root));
	run = calloc(1, sizeof(*run));
	if (!run)
		return gb_fail(err, ENOMEM, "out of memory");
	memset(ret, 0, sizeof(*ret));
	run->command = command;
	run->ran = ret;
	run->stream[1].error = true;
	run->deadline = command->timeout_s ? now_ms() + (int64_t)command->timeout_s * 1000 : 0;
	r = with_signals(run);
	ret->status = WIFSIGNALED(run->wait_status) ? 128 + WTERMSIG(run->wait_status)
						     : WEXITSTATUS(run->wait_status);
	free(run);
	if (r)
		return gb_fail(err, -r, "%s: %s", command->argv[0], strerror(-r));
	return 0;
}

void gb_ran_pass_on(const struct gb_ran *ran)
{
	if (ran->stopped)
		raise(ran->stopped);
}

struct gb_runner gb_runner_real(struct gb_root *root)
{
	return (struct gb_runner){ .ctx = root, .run = real_run };
}
