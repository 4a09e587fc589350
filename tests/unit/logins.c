/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake.h"

#include <utmp.h>

#include "logins.h"
#include "runner.h"

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

/* systemctl show: a line at a time; NULL: systemd is not there. */
static int run_systemctl(void *ctx, const struct gb_program *command, struct gb_ran *ret,
			 struct gb_err *err)
{
	const char *text = *(const char **)ctx;
	char line[512];

	(void)err;
	*ret = (struct gb_ran){ .status = 1 };
	if (!text)
		return -ENOENT;
	assert_string_equal(command->argv[0], "/usr/bin/systemctl");
	ret->status = text[0] == '!';
	for (const char *end; *text; text = end + !!*end) {
		end = text + strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)(end - text), text);
		command->line(command->ctx, line, false);
	}
	return 0;
}

static const char *units;
static const struct gb_runner runner = { &units, run_systemctl };

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
	const bool found = gb_login_find(tree->root, &runner, &login);

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

#define OTHER "MainPID=1\nId=a.service\nExecStart={ path=/a ; argv[]=/a -a ; pid=1 }\n\n"
#define OTHER_GETTY(words) OTHER "ExecStart={ path=/x ; argv[]=" words " ; ignore_errors=yes ; " \
				 "pid=100 ; status=0/0 }\nMainPID=100\nId=getty@tty1.service\n"
#define GETTY(words) OTHER_GETTY("/sbin/agetty " words)
#define PLAIN "ExecStart={ path=/sbin/agetty ; argv[]=/sbin/agetty - ; ignore_errors=no ; }\n"
#define LAST "\nMainPID=7\nId=z.service\nExecStart={ path=/z ; argv[]=/z -a ; pid=7 }\n"
#define TITLED ":login -- root"

/* util-linux' login leaves no word of how it was called; its unit has them. */
static void asks_for_the_unit(void **state)
{
	static const struct {
		const char *units, *words, *credential, *how;
	} cases[] = {
		{ GETTY("-o -- \\u --noreset --noclear - ${TERM}") LAST, TITLED, NULL, "login on tty1" },
		{ GETTY("-o -p -- \\u --keep-baud 115200,9600 - vt220"), TITLED, NULL, "login on tty1" },
		{ GETTY("-o -- \\u --noclear -"), "/bin/login -p --", NULL, "login on tty1" },
		{ GETTY("--autologin root --noclear -") LAST, TITLED, NULL, NULL },
		{ GETTY("--noclear --auto=root -"), TITLED, NULL, NULL },
		{ GETTY("-8a root -"), TITLED, NULL, NULL },
		{ GETTY("-o -p -f -- \\u --noclear -"), TITLED, NULL, NULL },
		{ GETTY("--noclear -") "ExecStart={ path=/b ; argv[]=/b -a ; }\n", TITLED, NULL, NULL },
		{ GETTY("--autologin root -") "ExecStart={ path=/b ; argv[]=/b ; }\n", TITLED, NULL, NULL },
		{ GETTY("--noclear -") "ExecStart=\n", TITLED, NULL, NULL },
		{ GETTY("--noclear -"), TITLED, "agetty.autologin", NULL },
		{ GETTY("--noclear -"), TITLED, "login.noauth", NULL },
		{ GETTY("--noclear -"), TITLED, "agetty.other", "login on tty1" },
		{ GETTY("--noclear -") PLAIN, TITLED, NULL, "login on tty1" },
		{ GETTY("--autologin me -") PLAIN, TITLED, NULL, NULL },
		{ GETTY("-I ; -f root -"), TITLED, NULL, NULL },
		{ GETTY("--local-line --noclear -"), TITLED, NULL, "login on tty1" },
		/* whether it asks can't be told by these */
		{ GETTY("-n -l /usr/local/sbin/enter -"), TITLED, NULL, NULL },
		{ GETTY("--login-program /usr/local/sbin/enter -"), TITLED, NULL, NULL },
		{ GETTY("--skip-login --login-options=-f root -"), TITLED, NULL, NULL },
		{ GETTY("$OPTIONS -"), TITLED, NULL, NULL },
		{ GETTY("--noclear - $TERM"), TITLED, NULL, "login on tty1" },
		{ OTHER_GETTY("/usr/local/sbin/enter"), TITLED, NULL, NULL },
		{ OTHER_GETTY("/usr/local/sbin/enter") PLAIN, TITLED, NULL, NULL },
		{ OTHER_GETTY("/bin/sh -c x ; exec login -f root"), TITLED, NULL, NULL },
		{ OTHER_GETTY("/sbin/mingetty tty1"), TITLED, NULL, NULL },
		{ OTHER_GETTY("/sbin/mingetty tty1"), "/bin/login -p --", NULL, "login on tty1" },
		{ OTHER_GETTY("/sbin/mingetty --autologin me"), "/bin/login -p --", NULL, NULL },
		/* before the title is there */
		{ GETTY("--noclear -"), "/bin/login -- root", "login.noauth", NULL },
		/* nobody's, and nobody to ask: what words there are */
		{ OTHER, TITLED, NULL, NULL },
		{ OTHER, "/bin/login -p --", NULL, "login on tty1" },
		{ NULL, TITLED, NULL, NULL },
		{ NULL, "/bin/login -p --", NULL, "login on tty1" },
		{ "!" GETTY("--noclear -"), TITLED, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct one one = { NULL, cases[i].words, NULL, NULL };
		char path[128], about[512];
		struct tree tree;

		tree_make(&tree);
		put_session(&tree, "1", CONSOLE "CLASS=user\n");
		put_one(&tree, &one);
		if (cases[i].credential) {
			snprintf(path, sizeof(path), "/run/credentials/getty@tty1.service/%s",
				 cases[i].credential);
			tree_put(&tree, path, "root");
		}
		snprintf(about, sizeof(about), "%zu: %s, %s", i, cases[i].units ? cases[i].units : "no systemd",
			 cases[i].words);
		units = cases[i].units;
		expect(&tree, about, "root", cases[i].how);
		units = NULL;
		tree_clear(&tree);
	}
}

static void finds_one_of_many(void **state)
{
	struct gb_login login;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	assert_false(gb_login_find(tree.root, &runner, &login));
	put_session(&tree, "1", CONSOLE "CLASS=manager\n");
	put_session(&tree, "2", DESKTOP "SERVICE=gdm-autologin\n");
	put_session(&tree, "3.ref", DESKTOP "SERVICE=sddm\n"); /* none of its names */
	assert_int_equal(mkfifo(tree_path(&tree, GB_SESSIONS "/4"), 0600), 0);
	tree_folder(&tree, GB_SESSIONS "/5");
	assert_false(gb_login_find(tree.root, &runner, &login));
	put_session(&tree, "6", "CLASS=user\nUSER=m\x1b[2J\xff\nSERVICE=sddm\nLEADER=7\n");
	assert_true(gb_login_find(tree.root, &runner, &login));
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
		assert_false(gb_login_find(tree.root, &runner, &login));
	}
	tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_sessions),
		cmocka_unit_test(asks_for_the_unit),
		cmocka_unit_test(finds_one_of_many),
		cmocka_unit_test(knows_utmp),
		cmocka_unit_test(survives_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
