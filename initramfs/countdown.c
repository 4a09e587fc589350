/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rescue shell of a trial that nobody watches: the machine restarts, into what it was before. */
#include "countdown.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cmdline.h"
#include "patience.h"
#include "question.h"
#include "record.h"
#include "root.h"

#define ATTENDED GB_RECORDS "/attended"
#define CONSOLES_MAX 8
#define SYNC_MAX_S 5 /* a dead disk may never finish */

struct consoles {
	struct pollfd at[CONSOLES_MAX]; /* fd -1: gone */
	struct termios before[CONSOLES_MAX];
	nfds_t n;
};

static bool read_trial(struct gb_root *root, struct gb_cmdline *ret)
{
	char *text;
	size_t len;

	if (gb_root_read_all(root, "/proc/cmdline", 64u << 10, &text, &len))
		return false;
	gb_cmdline_read(text, ret);
	free(text);
	return ret->trial[0];
}

/* ---- consoles ------------------------------------------------------------------------ */

/* Each key counts, at once and silently; what was typed before the countdown does not. Flow control
 * stays: a terminal's XOFF is no key. */
static void add_console(struct consoles *consoles, int fd)
{
	nfds_t n = consoles->n;
	struct termios raw;

	if (fd < 0 || n == CONSOLES_MAX || tcgetattr(fd, &raw) < 0)
		return;
	consoles->before[n] = raw;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(fd, TCSANOW, &raw); /* nothing that waits for a line to drain */
	tcflush(fd, TCIFLUSH);
	consoles->at[consoles->n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

/* Those the kernel writes to, "tty0 ttyS0\n"; tty0 is the screen that is shown. */
static void open_consoles(struct gb_root *root, struct consoles *consoles)
{
	char names[256], path[64], *save = NULL;

	add_console(consoles, STDIN_FILENO);
	if (gb_root_read(root, "/sys/class/tty/console/active", names, sizeof(names)) < 0)
		strcpy(names, "console");
	for (char *name = strtok_r(names, " \n", &save); name; name = strtok_r(NULL, " \n", &save)) {
		snprintf(path, sizeof(path), "/dev/%s", name);
		add_console(consoles, gb_root_open_device(root, path));
	}
}

static void close_consoles(struct consoles *consoles)
{
	for (nfds_t i = 0; i < consoles->n; i++)
		if (consoles->at[i].fd >= 0)
			tcsetattr(consoles->at[i].fd, TCSANOW, &consoles->before[i]);
}

__attribute__((format(printf, 2, 3)))
static void say(const struct consoles *consoles, const char *format, ...)
{
	char text[128];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (nfds_t i = 0; i < consoles->n; i++)
		/* a console that takes no more is none that anybody reads */
		if (consoles->at[i].fd >= 0 && write(consoles->at[i].fd, text, (size_t)n) < 0)
			continue;
}

/* True at the first key; a console that hung up says nothing any more. */
static bool has_key(struct consoles *consoles)
{
	char keys[64];

	for (nfds_t i = 0; i < consoles->n; i++) {
		struct pollfd *console = &consoles->at[i];
		ssize_t n = console->revents ? read(console->fd, keys, sizeof(keys)) : -1;

		if (n > 0)
			return true;
		if (console->revents && (n == 0 || (errno != EAGAIN && errno != EINTR)))
			console->fd = -1;
		console->revents = 0;
	}
	return false;
}

/* ---- time ---------------------------------------------------------------------------- */

static bool wait_for_key(struct consoles *consoles, double until_ms)
{
	for (double left; (left = until_ms - gb_now_ms()) > 0;)
		if (poll(consoles->at, consoles->n, (int)left + 1) > 0 && has_key(consoles))
			return true;
	return false;
}

enum end { TIME_UP, KEY, QUESTION };

static enum end count_down(struct gb_root *root, struct consoles *consoles, unsigned seconds)
{
	double now = gb_now_ms();

	for (unsigned s = 0; s < seconds; s++) {
		if (gb_question_asked(root))
			return QUESTION;
		say(consoles, "\rThis trial failed: the machine restarts in %u s; any key keeps it "
			      "here. ", seconds - s);
		if (wait_for_key(consoles, now + 1000.0 * (s + 1)))
			return KEY;
	}
	return TIME_UP;
}

static int sync_disks(void *ctx, int over)
{
	(void)ctx;
	(void)over;
	sync();
	return 0;
}

void gb_countdown_restart(struct gb_root *root)
{
	if (!gb_root_is_real(root)) {
		puts("ghost-diag: another root: no restart");
		return;
	}
	gb_patience_run(SYNC_MAX_S, sync_disks, NULL);
	reboot(RB_AUTOBOOT);
	perror("ghost-diag: restart");
}

/* In the kernel log too: it may be all that is found afterwards. */
static void note(struct gb_root *root, const char *trial, const char *what)
{
	char text[100];

	snprintf(text, sizeof(text), "trial %s: %s", trial, what);
	gb_record_log_warning(root, text);
}

bool gb_countdown(struct gb_root *root, unsigned seconds)
{
	static const char *const ends[] = {
		[TIME_UP] = "it failed and nobody was there: restart",
		[KEY] = "somebody is at the rescue shell: no restart",
		[QUESTION] = "a passphrase is asked for: no restart",
	};
	struct consoles consoles = { .n = 0 };
	struct gb_cmdline said;
	enum end end = QUESTION;

	if (!read_trial(root, &said) || gb_root_exists(root, ATTENDED))
		return false;
	/* not even a look at the keys that it waits for */
	if (!gb_question_asked(root)) {
		signal(SIGINT, SIG_IGN); /* a key like any other */
		signal(SIGTTIN, SIG_IGN);
		signal(SIGTTOU, SIG_IGN);
		open_consoles(root, &consoles);
		end = count_down(root, &consoles, seconds);
		say(&consoles, "\r\n");
		close_consoles(&consoles);
	}
	note(root, said.trial, ends[end]);
	if (end == KEY && !gb_root_mkdir(root, GB_RECORDS))
		gb_root_publish(root, ATTENDED, "", 0);
	return end == TIME_UP;
}
