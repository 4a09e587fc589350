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
	enum gb_getty said;
	char found[256];     /* the wanted one's */
	enum gb_getty found_said;
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

/* Another program than login, options for it in one word, or words that come from somewhere else. */
static bool hides_something(const char *word)
{
	if (strchr(word, '$'))
		return strcmp(word, "$TERM") && strcmp(word, "${TERM}");
	if (!strncmp(word, "--lo", 4))
		return strcmp(word, "--local-line") != 0;
	return word[0] == '-' && word[1] != '-' && strchr(word, 'l');
}

static bool is_agetty(const char *program)
{
	const char *slash = strrchr(program, '/');

	return !strcmp(slash ? slash + 1 : program, "agetty");
}

/* ExecStart={ path=/sbin/agetty ; argv[]=/sbin/agetty -o -- \u ... ; ignore_errors=yes ; ... }: of
 * agetty alone it is known when it asks. */
static enum gb_getty judge(const char *line)
{
	const char *start = strstr(line, "argv[]="), *end;
	char words[4096], *save = NULL, *word;
	bool known;

	if (!start)
		return GB_GETTY_AUTOMATIC;
	start += strlen("argv[]=");
	end = strstr(start, " ; ignore_errors=");
	snprintf(words, sizeof(words), "%.*s", end ? (int)(end - start) : INT_MAX, start);
	word = strtok_r(words, " ", &save);
	known = word && is_agetty(word);
	while ((word = strtok_r(NULL, " ", &save))) {
		if (names_user(word))
			return GB_GETTY_AUTOMATIC;
		known &= !hides_something(word);
	}
	return known ? GB_GETTY_ASKS : GB_GETTY_UNKNOWN;
}

static void finish(void *ctx)
{
	struct answer *a = ctx;

	if (a->id[0] && a->pid == a->wanted) {
		gb_text_copy(a->found, sizeof(a->found), a->id);
		a->found_said = a->said;
	}
	a->id[0] = '\0';
	a->pid = 0;
	a->said = GB_GETTY_ASKS;
}

/* A unit may have several lines. */
static void worsen(struct answer *a, enum gb_getty said)
{
	if (said == GB_GETTY_AUTOMATIC || a->said == GB_GETTY_ASKS)
		a->said = said;
}

static void take(void *ctx, const char *line)
{
	struct answer *a = ctx;

	if (!strncmp(line, "Id=", 3))
		gb_text_copy(a->id, sizeof(a->id), line + 3);
	else if (!strncmp(line, "MainPID=", 8))
		a->pid = strtol(line + 8, NULL, 10);
	else if (!strncmp(line, "ExecStart=", 10))
		worsen(a, judge(line + 10));
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
	struct answer a = { .wanted = pid, .said = GB_GETTY_ASKS };
	const struct gb_systemctl_reader reader = { take, finish, &a };

	if (pid <= 0 || !gb_systemctl_show(runner, command, &reader) || !a.found[0])
		return GB_GETTY_UNKNOWN;
	return has_credential(root, a.found) ? GB_GETTY_AUTOMATIC : a.found_said;
}
