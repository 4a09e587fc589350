/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "getty.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "root.h"
#include "systemctl.h"
#include "text.h"

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

static void finish(void *ctx)
{
	struct answer *a = ctx;

	if (a->id[0] && a->pid == a->wanted) {
		gb_text_copy(a->found, sizeof(a->found), a->id);
		a->found_automatic = a->automatic;
	}
	a->id[0] = '\0';
	a->pid = 0;
	a->automatic = false;
}

static void take(void *ctx, const char *line)
{
	struct answer *a = ctx;

	if (!strncmp(line, "Id=", 3))
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
	const struct gb_systemctl_reader reader = { take, finish, &a };

	if (pid <= 0 || !gb_systemctl_show(runner, command, &reader) || !a.found[0])
		return GB_GETTY_UNKNOWN;
	return a.found_automatic || has_credential(root, a.found) ? GB_GETTY_AUTOMATIC : GB_GETTY_ASKS;
}
