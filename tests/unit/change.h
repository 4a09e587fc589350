/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine before and after a change that has everything in it: what the tests of the
 * transaction share. */
#ifndef CHANGE_H
#define CHANGE_H

#include "fake.h"

#include <sys/wait.h>
#include <sys/xattr.h>

#include "journal.h"
#include "plan.h"
#include "runner.h"
#include "store.h"
#include "text.h"
#include "transaction.h"

#define GRUB "GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX=\"quiet\"\n"
#define IMAGE_BYTES 70000 /* more than one block of any copy */

/* Where nothing but links and owners tell the old from the new, bytes must. */
static char old_image[IMAGE_BYTES], new_image[IMAGE_BYTES + 5000];

static inline void dress_file(const struct tree *tree, const char *path, mode_t mode, uid_t owner,
			      const char *attribute)
{
	const char *full = tree_path(tree, path);
	const struct timespec times[2] = { { .tv_sec = 1000000 }, { .tv_sec = 2000000 } };

	if (!geteuid())
		assert_int_equal(lchown(full, owner, owner), 0);
	assert_int_equal(chmod(full, mode), 0);
	if (attribute && setxattr(full, "user.kept", attribute, strlen(attribute), 0) < 0)
		assert_int_equal(errno, ENOTSUP);
	assert_int_equal(utimensat(AT_FDCWD, full, times, 0), 0);
}

static inline void make_before(const struct tree *tree)
{
	memset(old_image, 'o', sizeof(old_image));
	memset(new_image, 'n', sizeof(new_image));
	tree_folder(tree, "/var/lib");
	tree_put(tree, "/etc/default/grub", GRUB);
	dress_file(tree, "/etc/default/grub", 0640, 1000, "a value");
	tree_put(tree, "/etc/real/claims", "ghost-boot claims 1\n");
	dress_file(tree, "/etc/real/claims", 0600, 7, NULL);
	tree_link(tree, "/etc/claims", "real/claims");
	tree_put(tree, "/etc/modprobe.d/vfio.conf", "options vfio-pci ids=10de:2203\n");
	dress_file(tree, "/etc/modprobe.d/vfio.conf", 04755, 5, "another");
	tree_link(tree, "/etc/modprobe.d/off.conf", "/dev/null");
	tree_put_data(tree, "/boot/initrd.img", old_image, sizeof(old_image));
	dress_file(tree, "/boot/initrd.img", 0600, 0, NULL);
	tree_put(tree, "/boot/grub.cfg", "menuentry old\n");
	dress_file(tree, "/boot/grub.cfg", 0444, 0, NULL);
}

/* ---- a builder: replaces one file, truncates another, makes a third; never syncs --- */

static inline int build(struct gb_store *store, int boot)
{
	int fd = gb_store_create(store, boot, "initrd.img.new", 0600), r = fd;

	if (fd < 0)
		return fd;
	r = gb_store_write(store, fd, new_image, sizeof(new_image));
	close(fd);
	if (!r)
		r = gb_store_rename(store, boot, "initrd.img.new", "initrd.img");
	if (r)
		return r;
	fd = openat(boot, "grub.cfg", O_WRONLY | O_TRUNC | O_CLOEXEC);
	r = gb_store_write(store, fd, "menuentry new\n", 14);
	close(fd);
	if (r)
		return r;
	fd = gb_store_create(store, boot, "third.img", 0600);
	r = fd < 0 ? fd : gb_store_write(store, fd, "third\n", 6);
	if (fd >= 0)
		close(fd);
	return r;
}

static inline int fake_run(void *ctx, const struct gb_program *command, struct gb_ran *ret,
			   struct gb_err *err)
{
	struct gb_store *store = ctx;
	int boot = gb_root_open_folder(store->root, "/boot");

	(void)err;
	assert_string_equal(command->argv[0], "/usr/sbin/builder");
	*ret = (struct gb_ran){ .status = build(store, boot) ? 1 : 0 };
	close(boot);
	return 0;
}

static inline void make_plan(struct gb_store *store, struct gb_plan *plan)
{
	static const char *const argv[] = { "/usr/sbin/builder", "-u", NULL };
	static const char *const paths[] = { "/boot/initrd.img", "/boot/grub.cfg",
					     "/boot/third.img", "/boot/initrd.img.new" };
	static const char claims[] = "ghost-boot claims 1\nclaim path=0000:00/01.0\n";
	static const char grub[] = GRUB "GRUB_CMDLINE_LINUX_DEFAULT=\"ghost.claim=on\"\n";
	struct gb_err err;
	int r = 0;

	memset(plan, 0, sizeof(*plan));
	gb_plan_because(plan, "enable 10de:2203");
	r |= gb_plan_write(plan, store, "/etc/claims", claims, strlen(claims), 0644, "claims", &err);
	r |= gb_plan_write(plan, store, "/etc/default/grub", grub, strlen(grub), 0644, "arms", &err);
	r |= gb_plan_remove(plan, store, "/etc/modprobe.d/vfio.conf", "not needed", &err);
	r |= gb_plan_remove(plan, store, "/etc/modprobe.d/off.conf", "not needed", &err);
	r |= gb_plan_run(plan, store, argv, paths, COUNT(paths), "images", &err);
	if (r >= 0)
		plan->step[plan->steps - 1].fresh = 2;
	r |= gb_plan_write(plan, store, "/etc/default/grub.d/new/zz.cfg", "x=1\n", 4, 0644,
			   "a new file", &err);
	if (r < 0)
		fail_msg("%s", err.text);
}

/* ---- all of a tree but our own folder, as text ------------------------------------- */

struct shot {
	char *line[64];
	size_t lines;
};

static struct shot *shooting;
static size_t shot_prefix;

static inline void shoot_bytes(struct gb_text *text, const char *path)
{
	static char data[IMAGE_BYTES * 2];
	char hash[GB_SHA256_TEXT], value[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, data, sizeof(data));

	assert_true(fd >= 0 && n >= 0 && n < (ssize_t)sizeof(data));
	gb_sha256_of(data, (size_t)n, hash);
	gb_text_addf(text, " %zd %.16s", n, hash);
	n = fgetxattr(fd, "user.kept", value, sizeof(value) - 1);
	if (n >= 0)
		gb_text_addf(text, " kept=%.*s", (int)n, value);
	close(fd);
}

static inline int shoot(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + shot_prefix;
	struct gb_text text = { 0 };
	char link[256];
	ssize_t n;

	(void)ftw;
	if (!strncmp(name, GB_STATE, strlen(GB_STATE)))
		return 0;
	gb_text_addf(&text, "%s %o %u:%u", name, (unsigned)st->st_mode, (unsigned)st->st_uid,
		     (unsigned)st->st_gid);
	if (type == FTW_SL) {
		n = readlink(path, link, sizeof(link));
		gb_text_addf(&text, " -> %.*s", (int)n, link);
	} else if (type == FTW_F) {
		shoot_bytes(&text, path);
	}
	assert_true(shooting->lines < COUNT(shooting->line));
	shooting->line[shooting->lines++] = text.data;
	return 0;
}

static inline int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline char *take_shot(const char *dir)
{
	struct shot shot = { 0 };
	struct gb_text all = { 0 };

	shooting = &shot;
	shot_prefix = strlen(dir);
	assert_int_equal(nftw(dir, shoot, 16, FTW_PHYS), 0);
	qsort(shot.line, shot.lines, sizeof(*shot.line), by_text);
	for (size_t i = 0; i < shot.lines; i++) {
		gb_text_addf(&all, "%s\n", shot.line[i]);
		free(shot.line[i]);
	}
	return all.data;
}

/* ---- the calls --------------------------------------------------------------------- */

static inline struct gb_transaction make_transaction(struct gb_store *store,
						     struct gb_runner *runner)
{
	*runner = (struct gb_runner){ .ctx = store, .run = fake_run };
	return (struct gb_transaction){ .store = store, .runner = runner, .log = -1,
					.now = 1795000000 };
}

static inline int enable(struct gb_store *store, enum gb_end *end, struct gb_err *err)
{
	struct gb_runner runner;
	struct gb_transaction t = make_transaction(store, &runner);
	struct gb_plan plan;
	int r;

	make_plan(store, &plan);
	r = gb_transaction_run(&t, &plan, end, NULL, err);
	gb_plan_clear(&plan);
	return r;
}

static inline int take_back(struct gb_store *store, enum gb_end *end, struct gb_err *err)
{
	struct gb_runner runner;
	struct gb_transaction t = make_transaction(store, &runner);
	struct gb_plan plan = { 0 };
	int r = gb_transaction_rollback(store, false, &plan, NULL, err);

	if (!r)
		r = gb_transaction_run(&t, &plan, end, NULL, err);
	gb_plan_clear(&plan);
	return r;
}

static inline int recover(struct gb_store *store, enum gb_end *end, struct gb_err *err)
{
	struct gb_runner runner;
	struct gb_transaction t = make_transaction(store, &runner);

	return gb_transaction_recover(&t, end, err);
}

#endif
