/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vigil.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "journal.h"
#include "logins.h"
#include "root.h"

#define SESSIONS_PARENT "/run/systemd"

enum { STOP, NOTIFY, SETTLE, RETRY, TIME, SOURCES };

struct gb_vigil {
	struct gb_root *root;
	int fd[SOURCES];
	int sessions, parent, utmp, state; /* inotify's watches, or -1 */
	unsigned settle_ms;
	bool settling; /* the timer runs */
	bool changed;  /* to be said */
	sigset_t held; /* the signals that were held back before */
};

/* ---- timers ------------------------------------------------------------------------------- */

static int set_timer(int fd, unsigned long ms, struct gb_err *err)
{
	const struct itimerspec spec = {
		.it_value = { .tv_sec = (time_t)(ms / 1000),
			      .tv_nsec = (long)(ms % 1000) * 1000000 + !ms },
	};

	return timerfd_settime(fd, 0, &spec, NULL) < 0 ? gb_fail(err, errno, "timerfd: %s",
								 strerror(errno))
						       : 0;
}

/* The first of several counts: they come in a burst. */
static int settle(struct gb_vigil *vigil, struct gb_err *err)
{
	if (vigil->settling)
		return 0;
	vigil->settling = true;
	return set_timer(vigil->fd[SETTLE], vigil->settle_ms, err);
}

int gb_vigil_retry(struct gb_vigil *vigil, unsigned long after_ms, struct gb_err *err)
{
	return set_timer(vigil->fd[RETRY], after_ms, err);
}

/* ---- files -------------------------------------------------------------------------------- */

/* By an open folder, so that the root holds; what is not there yet is no failure. */
static int watch(struct gb_vigil *vigil, const char *path, uint32_t events)
{
	char proc[64];
	int watch, fd = gb_root_open_folder(vigil->root, path);

	if (fd < 0)
		return -1;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	watch = inotify_add_watch(vigil->fd[NOTIFY], proc, events);
	close(fd);
	return watch;
}

/* logind makes its folder when it starts, which may be later. */
static void watch_sessions(struct gb_vigil *vigil)
{
	if (vigil->sessions >= 0)
		return;
	vigil->sessions = watch(vigil, GB_SESSIONS, IN_CREATE | IN_MOVED_TO | IN_DELETE);
	if (vigil->sessions < 0 && vigil->parent < 0)
		vigil->parent = watch(vigil, SESSIONS_PARENT, IN_CREATE | IN_MOVED_TO);
	if (vigil->sessions < 0 && vigil->parent >= 0) /* it may have come in between */
		vigil->sessions = watch(vigil, GB_SESSIONS, IN_CREATE | IN_MOVED_TO | IN_DELETE);
}

static void watch_utmp(struct gb_vigil *vigil)
{
	int fd = gb_root_file(vigil->root, GB_UTMP);
	char proc[64];

	if (fd < 0)
		return;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	vigil->utmp = inotify_add_watch(vigil->fd[NOTIFY], proc, IN_MODIFY);
	close(fd);
}

static void watch_all(struct gb_vigil *vigil)
{
	vigil->sessions = vigil->parent = vigil->utmp = vigil->state = -1;
	watch_sessions(vigil);
	watch_utmp(vigil);
	vigil->state = watch(vigil, GB_STATE, IN_MOVED_TO | IN_DELETE);
}

/* There were more events than the kernel keeps, or what was watched went, and with it its watch: what
 * may have been missed is looked at, and what is there now is watched. What is watched already keeps
 * its number (inotify_add_watch(2)). */
static int look_anew(struct gb_vigil *vigil, struct gb_err *err)
{
	watch_all(vigil);
	vigil->changed = true;
	return settle(vigil, err);
}

static int take_event(struct gb_vigil *vigil, const struct inotify_event *event, struct gb_err *err)
{
	if (event->mask & (IN_Q_OVERFLOW | IN_IGNORED))
		return look_anew(vigil, err);
	if (event->wd == vigil->state) {
		vigil->changed = true;
		return 0;
	}
	if (event->wd == vigil->parent)
		watch_sessions(vigil);
	return settle(vigil, err);
}

static int read_events(struct gb_vigil *vigil, struct gb_err *err)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n = read(vigil->fd[NOTIFY], buffer, sizeof(buffer));
	int r = 0;

	for (ssize_t at = 0; at < n && !r;) {
		const struct inotify_event *event = (const void *)(buffer + at);

		r = take_event(vigil, event, err);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	return r;
}

/* ---- all ---------------------------------------------------------------------------------- */

static int open_sources(struct gb_vigil *vigil)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGHUP);
	sigprocmask(SIG_BLOCK, &stop, &vigil->held);
	vigil->fd[STOP] = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	vigil->fd[NOTIFY] = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	for (int i = SETTLE; i < SOURCES; i++)
		vigil->fd[i] = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	for (int i = 0; i < SOURCES; i++)
		if (vigil->fd[i] < 0)
			return -errno;
	return 0;
}

int gb_vigil_open(struct gb_root *root, unsigned long wait_ms, unsigned settle_ms,
		  struct gb_vigil **ret, struct gb_err *err)
{
	struct gb_vigil *vigil = calloc(1, sizeof(*vigil));
	int r;

	if (!vigil)
		return gb_fail(err, ENOMEM, "out of memory");
	*vigil = (struct gb_vigil){ .root = root, .settle_ms = settle_ms };
	r = open_sources(vigil);
	if (r)
		gb_fail(err, -r, "can't wait: %s", strerror(-r));
	else if (wait_ms)
		r = set_timer(vigil->fd[TIME], wait_ms, err);
	if (!r) {
		watch_all(vigil);
		r = settle(vigil, err);
	}
	if (r)
		gb_vigil_close(vigil);
	else
		*ret = vigil;
	return r;
}

void gb_vigil_close(struct gb_vigil *vigil)
{
	if (!vigil)
		return;
	for (int i = 0; i < SOURCES; i++)
		if (vigil->fd[i] >= 0)
			close(vigil->fd[i]);
	sigprocmask(SIG_SETMASK, &vigil->held, NULL);
	free(vigil);
}

/* A timer that has run out, or a signal: taken, so that it is said once. */
static bool take(struct gb_vigil *vigil, int source)
{
	struct signalfd_siginfo info;
	uint64_t times;

	return source == STOP ? read(vigil->fd[STOP], &info, sizeof(info)) == sizeof(info)
			      : read(vigil->fd[source], &times, sizeof(times)) == sizeof(times);
}

static bool find(struct gb_vigil *vigil, enum gb_vigil_event *ret)
{
	static const enum gb_vigil_event events[] = {
		[STOP] = GB_VIGIL_STOP, [SETTLE] = GB_VIGIL_LOGIN, [RETRY] = GB_VIGIL_RETRY,
		[TIME] = GB_VIGIL_TIME,
	};

	if (vigil->changed) {
		vigil->changed = false;
		*ret = GB_VIGIL_CHANGE;
		return true;
	}
	for (int i = 0; i < SOURCES; i++) {
		if (i == NOTIFY || !take(vigil, i))
			continue;
		vigil->settling = vigil->settling && i != SETTLE;
		*ret = events[i];
		return true;
	}
	return false;
}

int gb_vigil_wait(struct gb_vigil *vigil, enum gb_vigil_event *ret, struct gb_err *err)
{
	struct pollfd poll_fd[SOURCES];
	int r = 0;

	for (int i = 0; i < SOURCES; i++)
		poll_fd[i] = (struct pollfd){ .fd = vigil->fd[i], .events = POLLIN };
	for (;;) {
		r = read_events(vigil, err);
		if (r || find(vigil, ret))
			return r;
		if (poll(poll_fd, SOURCES, -1) < 0 && errno != EINTR)
			return gb_fail(err, errno, "poll: %s", strerror(errno));
	}
}
