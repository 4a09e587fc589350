/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "logins.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utmp.h>

#include "getty.h"
#include "root.h"
#include "text.h"

#define UTMP_MAX (4u << 20)
#define WORDS_MAX 4096
#define CHILDREN_MAX 64
#define TITLE "login -- "

struct search {
	struct gb_root *root;
	const struct gb_runner *runner;
	struct gb_login *ret;
};

static void plain(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; *from && n + 1 < size; from++)
		to[n++] = *from > ' ' && *from <= '~' ? *from : '?';
	to[n] = '\0';
}

/* ---- processes ---------------------------------------------------------------------------- */

/* A process' words, each ended by a NUL byte, and one more at the end; how many bytes. */
static size_t read_words(struct gb_root *root, long pid, char ret[static WORDS_MAX + 1])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%ld/cmdline", pid);
	n = gb_root_read(root, path, ret, WORDS_MAX);
	if (n <= 0)
		return 0;
	ret[n] = '\0';
	return (size_t)n;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Who is already known is not asked (login(1)). */
static bool has_f(const char *words, size_t len)
{
	for (const char *word = words + strlen(words) + 1; word < words + len;
	     word += strlen(word) + 1) {
		if (!strcmp(word, "--"))
			return false;
		if (word[0] == '-' && strchr(word, 'f'))
			return true;
	}
	return false;
}

/* agetty --autologin starts "login -f". Once somebody is in, util-linux' login puts a title over these
 * words, "login -- USER" in one, which tells nothing of it (util-linux: lib/setproctitle.c; shadow's does
 * not). */
static bool login_asked(const struct search *search, long pid)
{
	char words[WORDS_MAX + 1];
	size_t len = read_words(search->root, pid, words);
	const bool titled = len && !strncmp(words, TITLE, strlen(TITLE));

	if (!titled && (!len || strcmp(base_name(words), "login") || has_f(words, len)))
		return false;
	switch (gb_getty_of(search->root, search->runner, pid)) {
	case GB_GETTY_ASKS: return true;
	case GB_GETTY_AUTOMATIC: return false;
	case GB_GETTY_UNKNOWN: break;
	}
	return !titled;
}

/* sshd says in its title what a session has: "sshd: user@pts/0", "sshd: user@notty" (OpenSSH:
 * session.c, do_setproctitle); the program is called sshd-session from 9.8 on. */
static bool has_terminal(struct gb_root *root, long pid)
{
	char words[WORDS_MAX + 1];

	return read_words(root, pid, words) && !strncmp(words, "sshd", 4) && strstr(words, "@pts/");
}

/* The one that logind knows stays root; the one below it, as the user, says it. */
static bool ssh_has_terminal(struct gb_root *root, long pid)
{
	char path[64], list[1024], *at = list, *end;

	if (has_terminal(root, pid))
		return true;
	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", pid, pid);
	if (gb_root_read(root, path, list, sizeof(list)) <= 0)
		return false;
	for (unsigned i = 0; i < CHILDREN_MAX; i++, at = end) {
		long child = strtol(at, &end, 10);

		if (end == at)
			return false;
		if (has_terminal(root, child))
			return true;
	}
	return false;
}

/* ---- logind ------------------------------------------------------------------------------- */

struct session {
	char user[64], class[32], state[32], service[64], tty[32];
	long leader;
};

static void take_line(struct session *s, const char *line)
{
	const struct {
		const char *name;
		char *field;
		size_t size;
	} fields[] = {
		{ "USER=", s->user, sizeof(s->user) },	    { "CLASS=", s->class, sizeof(s->class) },
		{ "STATE=", s->state, sizeof(s->state) },   { "TTY=", s->tty, sizeof(s->tty) },
		{ "SERVICE=", s->service, sizeof(s->service) },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (!strncmp(line, fields[i].name, strlen(fields[i].name)))
			plain(fields[i].field, fields[i].size, line + strlen(fields[i].name));
	if (!strncmp(line, "LEADER=", 7))
		s->leader = strtol(line + 7, NULL, 10);
}

/* One that is no regular file is none: logind has a pipe beside each. */
static bool read_session(struct gb_root *root, const char *path, struct session *ret)
{
	int fd = gb_root_file(root, path);
	char text[8192], *save = NULL;
	ssize_t n;

	*ret = (struct session){ .leader = 0 };
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		take_line(ret, line);
	return true;
}

/* "user", and "user-early", "user-light" from systemd 256 on. */
static bool is_users(const struct session *s)
{
	return !strncmp(s->class, "user", 4) && (!s->class[4] || s->class[4] == '-') &&
	       strcmp(s->state, "closing") && s->leader > 0;
}

/* What asks who it is, by the name of its PAM service. gdm, sddm and lightdm use another one for
 * automatic logins ("sddm-autologin"); of greetd, ly, lxdm and slim it can't be told. */
static bool asks(const char *service)
{
	static const char *const services[] = { "gdm-password", "gdm-fingerprint", "gdm-smartcard",
						"sddm", "lightdm", "xdm", "xrdp-sesman", "cockpit" };

	for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++)
		if (!strcmp(service, services[i]))
			return true;
	return false;
}

static bool is_person(const struct search *search, const struct session *s)
{
	if (!strcmp(s->service, "login"))
		return login_asked(search, s->leader);
	if (!strcmp(s->service, "sshd"))
		return !strncmp(s->tty, "pts/", 4) || ssh_has_terminal(search->root, s->leader);
	return asks(s->service);
}

static int look_at_session(void *ctx, const char *name)
{
	struct search *search = ctx;
	struct session session;
	char path[NAME_MAX + sizeof(GB_SESSIONS) + 1];

	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c))
			return 0;
	snprintf(path, sizeof(path), GB_SESSIONS "/%s", name);
	if (!read_session(search->root, path, &session) || !is_users(&session) ||
	    !is_person(search, &session))
		return 0;
	plain(search->ret->session, sizeof(search->ret->session), name);
	plain(search->ret->user, sizeof(search->ret->user), session.user);
	snprintf(search->ret->how, sizeof(search->ret->how), "%.30s%s%.20s", session.service,
		 session.tty[0] ? " on " : "", session.tty);
	return 1;
}

/* ---- utmp --------------------------------------------------------------------------------- */

static bool look_at_entry(struct search *search, const struct utmp *entry)
{
	struct gb_login *ret = search->ret;
	char line[UT_LINESIZE + 1], user[UT_NAMESIZE + 1];
	bool ssh;

	if (entry->ut_type != USER_PROCESS)
		return false;
	ssh = ssh_has_terminal(search->root, entry->ut_pid);
	if (!ssh && !login_asked(search, entry->ut_pid))
		return false;
	memcpy(line, entry->ut_line, UT_LINESIZE);
	memcpy(user, entry->ut_user, UT_NAMESIZE);
	line[UT_LINESIZE] = user[UT_NAMESIZE] = '\0';
	plain(ret->session, sizeof(ret->session), line);
	plain(ret->user, sizeof(ret->user), user);
	snprintf(ret->how, sizeof(ret->how), "%s on %.40s", ssh ? "sshd" : "login", ret->session);
	return true;
}

static bool look_at_utmp(struct search *search)
{
	struct utmp entry;
	bool found = false;
	size_t len;
	char *data;

	if (gb_root_read_all(search->root, GB_UTMP, UTMP_MAX, &data, &len))
		return false;
	for (size_t at = 0; at + sizeof(entry) <= len && !found; at += sizeof(entry)) {
		memcpy(&entry, data + at, sizeof(entry));
		found = look_at_entry(search, &entry);
	}
	free(data);
	return found;
}

bool gb_login_find(struct gb_root *root, const struct gb_runner *runner, struct gb_login *ret)
{
	struct search search = { root, runner, ret };
	int r;

	memset(ret, 0, sizeof(*ret));
	r = gb_root_list(root, GB_SESSIONS, look_at_session, &search);
	return r > 0 || (r == -ENOENT && look_at_utmp(&search));
}
