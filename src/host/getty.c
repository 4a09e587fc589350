/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "getty.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "root.h"
#include "runner.h"
#include "text.h"

#define TIMEOUT_S 30 /* systemctl's own for an answer is 25 */
#define CREDENTIALS "/run/credentials/"

/* All that run, since the getty of a terminal may have any name. */
static const char *const command[] = {
	"/usr/bin/systemctl", "show", "--no-pager", "--property=Id,MainPID,ExecStart", "--state=running",
	"--", "*.service", NULL,
};

struct answer {
	long wanted, pid;    /* the pid is that of the unit being read, and so is the rest */
	char id[256];
	bool automatic;
	char found[256];     /* the wanted one's */
	bool found_automatic;
};

/* agetty's --autologin and its -a, and login's -f among what it is to pass on (agetty(8), login(1)).
 * Short options stand together, and where their values end can't be told here: any of them will do. */
static bool names_user(const char *word)
{
	if (word[0] != '-')
		return false;
	if (word[1] == '-')
		return !strncmp(word, "--a", 3); /* getopt_long takes a part of it */
	return strpbrk(word, "af");
}

/* ExecStart={ path=/sbin/agetty ; argv[]=/sbin/agetty -o -- \u ... ; ignore_errors=yes ; ... } */
static bool is_automatic(const char *line)
{
	const char *start = strstr(line, "argv[]="), *end;
	char words[4096], *save = NULL;

	if (!start)
		return true;
	end = strstr(start, " ; ");
	snprintf(words, sizeof(words), "%.*s", end ? (int)(end - start) : INT_MAX, start);
	for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		if (names_user(word))
			return true;
	return false;
}

static void finish(struct answer *a)
{
	if (a->id[0] && a->pid == a->wanted) {
		gb_text_copy(a->found, sizeof(a->found), a->id);
		a->found_automatic = a->automatic;
	}
	a->id[0] = '\0';
	a->pid = 0;
	a->automatic = false;
}

/* Units are separated by empty lines (systemctl(1), show). */
static void look_at_line(void *ctx, const char *line, bool error)
{
	struct answer *a = ctx;

	if (error)
		return;
	if (!*line)
		finish(a);
	else if (!strncmp(line, "Id=", 3))
		gb_text_copy(a->id, sizeof(a->id), line + 3);
	else if (!strncmp(line, "MainPID=", 8))
		a->pid = strtol(line + 8, NULL, 10);
	else if (!strncmp(line, "ExecStart=", 10))
		a->automatic |= is_automatic(line + 10);
}

/* What systemd gives it from the machine's own, agetty and login read (systemd.system-credentials(7)). */
static bool has_credential(struct gb_root *root, const char *unit)
{
	static const char *const names[] = { "agetty.autologin", "login.noauth" };
	char path[sizeof(CREDENTIALS) + 256 + 32];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), CREDENTIALS "%s/%s", unit, names[i]);
		if (gb_root_exists(root, path))
			return true;
	}
	return false;
}

enum gb_getty gb_getty_of(struct gb_root *root, const struct gb_runner *runner, long pid)
{
	struct answer a = { .wanted = pid };
	struct gb_program program = { .argv = (char *const *)command, .timeout_s = TIMEOUT_S, .ctx = &a,
				      .line = look_at_line, .log = -1, .hold = -1 };
	struct gb_ran ran;

	if (pid <= 0 || !runner || runner->run(runner->ctx, &program, &ran, NULL) || ran.status)
		return GB_GETTY_UNKNOWN;
	finish(&a);
	if (!a.found[0])
		return GB_GETTY_UNKNOWN;
	return a.found_automatic || has_credential(root, a.found) ? GB_GETTY_AUTOMATIC : GB_GETTY_ASKS;
}
