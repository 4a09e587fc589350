/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake.h"

#include <utmp.h>

#include "logins.h"

static void put_session(const struct tree *tree, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), GB_SESSIONS "/%s", name);
	tree_put(tree, path, text);
}

/* Its words, with a blank for the NUL bytes. */
static void put_process(const struct tree *tree, int pid, const char *words)
{
	char path[64], text[256];
	size_t len = strlen(words) + 1;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	memcpy(text, words, len);
	for (char *c = text; (c = strchr(c, ' ')); c++)
		*c = '\0';
	tree_put_data(tree, path, text, len);
}

/* sshd sets a title, whose blanks stay. */
static void put_title(const struct tree *tree, int pid, const char *title)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	tree_put_data(tree, path, title, strlen(title) + 1);
}

#define CONSOLE "UID=0\nUSER=root\nACTIVE=1\nSTATE=active\nREMOTE=0\nTYPE=tty\n" \
		"SEAT=seat0\nTTY=tty1\nVTNR=1\nSERVICE=login\nLEADER=100\n"
#define SSH "USER=me\nSTATE=active\nREMOTE=1\nTYPE=tty\nCLASS=user\nSERVICE=sshd\nLEADER=100\n"
#define DESKTOP "USER=me\nSTATE=active\nTYPE=wayland\nCLASS=user\nTTY=tty2\nLEADER=100\n"

struct one {
	const char *session; /* or NULL */
	const char *words;   /* of process 100; a ':' in front: a title; NULL: it is gone */
	const char *child;   /* the title of 101, which it has started; or NULL */
	const char *how;     /* NULL: nobody */
};

static const struct one sessions[] = {
	{ CONSOLE "CLASS=user\n", "/bin/login -p --", NULL, "login on tty1" },
	{ CONSOLE "CLASS=user-early\n", "/usr/bin/login -p -- root", NULL, "login on tty1" },
	{ CONSOLE "CLASS=user\n", "/bin/login -- -f", NULL, "login on tty1" },
	{ CONSOLE "CLASS=user\n", "login fred", NULL, "login on tty1" },
	/* getty's automatic login */
	{ CONSOLE "CLASS=user\n", "/bin/login -f root", NULL, NULL },
	{ CONSOLE "CLASS=user\n", "/bin/login -pf -- root", NULL, NULL },
	{ CONSOLE "CLASS=user\n", "/bin/login -p -f root", NULL, NULL },
	/* who asked can't be told */
	{ CONSOLE "CLASS=user\n", NULL, NULL, NULL },
	{ CONSOLE "CLASS=user\n", "/bin/sh", NULL, NULL },
	/* no users */
	{ CONSOLE "CLASS=greeter\n", "/bin/login -p --", NULL, NULL },
	{ CONSOLE "CLASS=background\n", "/bin/login -p --", NULL, NULL },
	{ CONSOLE "CLASS=userland\n", "/bin/login -p --", NULL, NULL },
	{ CONSOLE, "/bin/login -p --", NULL, NULL },
	/* gone by now */
	{ CONSOLE "CLASS=user\nSTATE=closing\n", "/bin/login -p --", NULL, NULL },

	{ SSH, ":sshd: me [priv]", "sshd: me@pts/0", "sshd" },
	{ SSH, ":sshd-session: me [priv]", "sshd-session: me@pts/0", "sshd" },
	{ SSH, ":sshd: root@pts/0", NULL, "sshd" },
	{ SSH "TTY=pts/0\n", ":sshd: me [priv]", NULL, "sshd on pts/0" },
	/* a program's: without a terminal */
	{ SSH, ":sshd: me [priv]", "sshd: me@notty", NULL },
	{ SSH, ":sshd: root@notty", NULL, NULL },
	{ SSH, ":sshd: me [priv]", NULL, NULL },
	{ SSH, ":bash me@pts/0", NULL, NULL },
	{ SSH, NULL, NULL, NULL },

	{ DESKTOP "SERVICE=gdm-password\n", NULL, NULL, "gdm-password on tty2" },
	{ DESKTOP "SERVICE=sddm\n", NULL, NULL, "sddm on tty2" },
	{ DESKTOP "SERVICE=lightdm\n", NULL, NULL, "lightdm on tty2" },
	{ DESKTOP "SERVICE=gdm-autologin\n", NULL, NULL, NULL },
	{ DESKTOP "SERVICE=sddm-autologin\n", NULL, NULL, NULL },
	{ DESKTOP "SERVICE=lightdm-autologin\n", NULL, NULL, NULL },
	{ DESKTOP "SERVICE=gdm-launch-environment\n", NULL, NULL, NULL },
	{ DESKTOP "SERVICE=greetd\n", NULL, NULL, NULL },
	{ DESKTOP "SERVICE=cron\n", NULL, NULL, NULL },
	{ DESKTOP, NULL, NULL, NULL },

	/* nonsense */
	{ "", NULL, NULL, NULL },
	{ "SERVICE=sddm\nCLASS=user\nLEADER=-1\n", NULL, NULL, NULL },
	{ "SERVICE=sddm\nCLASS=user\n", NULL, NULL, NULL },
	{ "SERVICE=login\nCLASS=user\nLEADER=99999999999999999999\n", NULL, NULL, NULL },
	{ "\nUSER\n=\nSERVICE=\n", NULL, NULL, NULL },
};

static void put_one(const struct tree *tree, const struct one *one)
{
	if (one->words && one->words[0] == ':')
		put_title(tree, 100, one->words + 1);
	else if (one->words)
		put_process(tree, 100, one->words);
	if (one->child) {
		tree_put(tree, "/proc/100/task/100/children", "99 101 ");
		put_title(tree, 101, one->child);
	}
}

static void expect(const struct tree *tree, const char *about, const char *user, const char *how)
{
	struct gb_login login;
	const bool found = gb_login_find(tree->root, &login);

	if (found != !!how || (how && (strcmp(login.how, how) || strcmp(login.user, user))))
		fail_msg("%s: %s %s, not %s", about, found ? login.user : "nobody",
			 found ? login.how : "", how ? how : "nobody");
}

static void knows_sessions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sessions); i++) {
		struct tree tree;

		tree_make(&tree);
		put_session(&tree, "c3", sessions[i].session);
		put_one(&tree, &sessions[i]);
		expect(&tree, sessions[i].session, strstr(sessions[i].session, "root") ? "root" : "me",
		       sessions[i].how);
		tree_clear(&tree);
	}
}

static void finds_one_of_many(void **state)
{
	struct gb_login login;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	assert_false(gb_login_find(tree.root, &login));
	put_session(&tree, "1", CONSOLE "CLASS=manager\n");
	put_session(&tree, "2", DESKTOP "SERVICE=gdm-autologin\n");
	put_session(&tree, "3.ref", DESKTOP "SERVICE=sddm\n"); /* none of its names */
	assert_int_equal(mkfifo(tree_path(&tree, GB_SESSIONS "/4"), 0600), 0);
	tree_folder(&tree, GB_SESSIONS "/5");
	assert_false(gb_login_find(tree.root, &login));
	put_session(&tree, "6", "CLASS=user\nUSER=m\x1b[2J\xff\nSERVICE=sddm\nLEADER=7\n");
	assert_true(gb_login_find(tree.root, &login));
	assert_string_equal(login.session, "6");
	assert_string_equal(login.user, "m?[2J?");
	tree_clear(&tree);
}

/* Without logind: the same processes, by what they wrote into utmp. */
static void knows_utmp(void **state)
{
	static const struct {
		short type;
		const char *line, *words, *child, *how;
	} entries[] = {
		{ USER_PROCESS, "tty1", "/bin/login -p --", NULL, "login on tty1" },
		{ USER_PROCESS, "tty1", "/bin/login -f root", NULL, NULL },
		{ USER_PROCESS, "pts/0", ":sshd: root@pts/0", NULL, "sshd on pts/0" },
		{ USER_PROCESS, "pts/0", ":sshd: root@notty", NULL, NULL },
		{ USER_PROCESS, "tty2", "gdm-session-worker [pam/gdm-autologin]", NULL, NULL },
		{ USER_PROCESS, "pts/1", "/usr/bin/xterm", NULL, NULL },
		{ LOGIN_PROCESS, "tty1", "/bin/login -p --", NULL, NULL },
		{ DEAD_PROCESS, "tty1", "/bin/login -p --", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(entries); i++) {
		const struct one one = { NULL, entries[i].words, entries[i].child, entries[i].how };
		struct utmp entry[2];
		struct tree tree;

		tree_make(&tree);
		memset(entry, 0, sizeof(entry));
		entry[0].ut_type = BOOT_TIME;
		entry[1].ut_type = entries[i].type;
		entry[1].ut_pid = 100;
		memcpy(entry[1].ut_line, entries[i].line, strlen(entries[i].line));
		memset(entry[1].ut_user, 'x', sizeof(entry[1].ut_user)); /* no end */
		put_one(&tree, &one);
		/* the last one is cut */
		tree_put_data(&tree, GB_UTMP, entry, sizeof(entry));
		expect(&tree, entries[i].line, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", one.how);
		tree_put_data(&tree, GB_UTMP, entry, sizeof(entry) - 1);
		expect(&tree, "cut", "", NULL);
		/* with logind, which knows better */
		tree_put_data(&tree, GB_UTMP, entry, sizeof(entry));
		tree_folder(&tree, GB_SESSIONS);
		expect(&tree, "logind", "", NULL);
		tree_clear(&tree);
	}
}

/* Pieces of sessions and noise in any order: nothing is read past its end, and nobody is found. */
static void survives_noise(void **state)
{
	static const char *const files[] = { GB_SESSIONS "/1", GB_UTMP };
	static const char *const pieces[] = { "USER=", "CLASS=user", "LEADER=", "SERVICE=", "login",
					      "\n", "=", "\xff", "-", "1", "TTY=pts/", "STATE=" };
	struct gb_login login;
	unsigned random = 1;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	for (unsigned i = 0; i < 1000; i++) {
		char text[9000];
		size_t len = 0, most;

		random = random * 1664525 + 1013904223;
		most = random >> 8 & 1 ? 60 : sizeof(text) - 16;
		while (len < most) {
			random = random * 1664525 + 1013904223;
			len += (size_t)sprintf(text + len, "%s", pieces[(random >> 16) % COUNT(pieces)]);
		}
		if (i == 500) {
			tree_clear(&tree);
			tree_make(&tree);
		}
		tree_put_data(&tree, files[i / 500], text, len);
		assert_false(gb_login_find(tree.root, &login));
	}
	tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_sessions),
		cmocka_unit_test(finds_one_of_many),
		cmocka_unit_test(knows_utmp),
		cmocka_unit_test(survives_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
