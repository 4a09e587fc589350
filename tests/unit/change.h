/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine before and after a change that has everything in it: what the tests of the
 * transaction share. */
#ifndef CHANGE_H
#define CHANGE_H

#include "fake.h"

#include <linux/magic.h>
#include <sys/vfs.h>
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

/* Which of three changes: files that are written, removed, and made by a builder in their places;
 * what is staged first and placed then; or what is dropped, large. */
static bool staging, dropping;

/* With a program behind all that, which copies two files to where no journal reaches. */
static bool publishing;

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
	if (publishing) {
		tree_put(tree, "/usr/sbin/publisher", "");
		tree_put(tree, "/away/grub", GRUB);
		dress_file(tree, "/away/grub", 0644, 0, NULL);
		tree_put_data(tree, "/away/image", old_image, sizeof(old_image));
		dress_file(tree, "/away/image", 0644, 0, NULL);
	}
	if (!staging)
		return;
	dress_file(tree, "/boot/initrd.img", 0600, 3, "of an image");
	tree_put_data(tree, "/boot/copy.img", old_image, sizeof(old_image));
	dress_file(tree, "/boot/copy.img", 0640, 4, NULL);
	tree_put(tree, "/boot/same.cfg", "menuentry new\n");
	dress_file(tree, "/boot/same.cfg", 0400, 2, NULL);
	tree_put_data(tree, "/efi/initrd.img", old_image, sizeof(old_image));
	tree_put(tree, "/efi/menu.cfg", "menuentry old\n");
}

/* What lies below /efi is on FAT. */
static inline int tell_disk(int fd, struct statfs *ret)
{
	char link[64], path[PATH_MAX] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	assert_true(readlink(link, path, sizeof(path) - 1) > 0);
	*ret = (struct statfs){ .f_type = strstr(path, "/efi") ? MSDOS_SUPER_MAGIC
							      : EXT4_SUPER_MAGIC };
	return 0;
}

static inline int no_checkpoint(int fd)
{
	(void)fd;
	return 0;
}

/* An image is large already where more than this is. */
static inline struct gb_store store_of(struct gb_root *root)
{
	return (struct gb_store){ .root = root, .copy_max = 1000, .disk = tell_disk,
				  .checkpoint = no_checkpoint };
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

/* ---- another: makes one new file, and leaves what it should not --------------------- */

static inline int write_new(struct gb_store *store, int folder, const char *name,
			    const void *data, size_t len)
{
	int r, fd = gb_store_create(store, folder, name, 0644);

	if (fd < 0)
		return fd;
	r = gb_store_write(store, fd, data, len);
	close(fd);
	return r;
}

/* stage FOLDER NAME old|new|menu-old|menu-new */
static inline int stage(struct gb_store *store, char *const *argv)
{
	const bool menu = !strncmp(argv[3], "menu-", 5), old = strstr(argv[3], "old");
	int r, folder = gb_root_open_folder(store->root, argv[1]);
	char name[64];

	assert_true(folder >= 0);
	snprintf(name, sizeof(name), "%s.new", argv[2]);
	r = write_new(store, folder, name, "junk", 4);
	snprintf(name, sizeof(name), ".%s.X7a", argv[2]);
	if (!r && !menu)
		r = gb_store_mkdir(store, folder, name, 0700);
	if (!r && menu)
		r = write_new(store, folder, argv[2], old ? "menuentry old\n" : "menuentry new\n",
			      14);
	else if (!r)
		r = write_new(store, folder, argv[2], old ? old_image : new_image,
			      old ? sizeof(old_image) : sizeof(new_image));
	close(folder);
	return r;
}

/* ---- a third: copies what is there ---------------------------------------------------- */

static inline int copy_away(struct gb_store *store, int away, const char *from, const char *name)
{
	char *data;
	size_t len;
	int r = gb_root_read_all(store->root, from, IMAGE_BYTES * 2, &data, &len);

	assert_int_equal(r, 0);
	r = gb_store_unlink(store, away, name);
	if (!r)
		r = write_new(store, away, name, data, len);
	free(data);
	return r;
}

static inline int publish(struct gb_store *store)
{
	int r, away = gb_root_open_folder(store->root, "/away");

	assert_true(away >= 0);
	r = copy_away(store, away, "/etc/default/grub", "grub");
	if (!r)
		r = copy_away(store, away, "/boot/initrd.img", "image");
	close(away);
	return r;
}

static inline int fake_run(void *ctx, const struct gb_program *command, struct gb_ran *ret,
			   struct gb_err *err)
{
	struct gb_store *store = ctx;
	int boot = gb_root_open_folder(store->root, "/boot");

	(void)err;
	if (!strcmp(command->argv[0], "/usr/sbin/stage")) {
		close(boot);
		*ret = (struct gb_ran){ .status = stage(store, command->argv) ? 1 : 0 };
		return 0;
	}
	if (!strcmp(command->argv[0], "/usr/sbin/publisher")) {
		close(boot);
		*ret = (struct gb_ran){ .status = publish(store) ? 1 : 0 };
		return 0;
	}
	assert_string_equal(command->argv[0], "/usr/sbin/builder");
	*ret = (struct gb_ran){ .status = build(store, boot) ? 1 : 0 };
	close(boot);
	return 0;
}

static inline int plan_stage(struct gb_plan *plan, struct gb_store *store, const char *folder,
			     const char *name, const char *what, struct gb_err *err)
{
	const char *const argv[] = { "/usr/sbin/stage", folder, name, what, NULL };
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return gb_plan_build(plan, store, argv, path, sizeof(new_image), 0, "for today", err);
}

#define STAGED ".ghost-boot-initrd.new"
#define STAGED_MENU ".ghost-boot-menu.new"

/* Images first: what names them comes last. */
static inline void make_staged_plan(struct gb_store *store, struct gb_plan *plan)
{
	static const char claims[] = "ghost-boot claims 1\nclaim path=0000:00/01.0\n";
	static const char *const places[] = { "/boot/initrd.img", "/boot/copy.img",
					      "/efi/initrd.img", "/efi/new/initrd.img" };
	static const char *const menus[] = { "/boot/same.cfg", "/efi/menu.cfg", "/boot/grub.cfg" };
	struct gb_err err;
	size_t pointers;
	int r = 0;

	memset(plan, 0, sizeof(*plan));
	gb_plan_because(plan, "enable 10de:2203");
	r |= gb_plan_write(plan, store, "/etc/claims", claims, strlen(claims), 0644, "claims", &err);
	r |= plan_stage(plan, store, "/boot", STAGED, "new", &err);
	for (size_t i = 0; i < COUNT(places) && r >= 0; i++)
		r |= gb_plan_place(plan, store, "/boot/" STAGED, places[i], 0640, "image", &err);
	gb_plan_mark(plan, 1, GB_BOOT_IMAGE);
	pointers = plan->steps;
	if (r >= 0)
		r |= plan_stage(plan, store, "/efi", STAGED_MENU, "menu-new", &err);
	for (size_t i = 0; i < COUNT(menus) && r >= 0; i++)
		r |= gb_plan_place(plan, store, "/efi/" STAGED_MENU, menus[i], 0600, "menu", &err);
	r |= plan_stage(plan, store, "/efi", STAGED_MENU "2", "menu-new", &err);
	r |= gb_plan_place(plan, store, "/efi/" STAGED_MENU "2", "/efi/last.cfg", 0600, "menu",
			   &err);
	gb_plan_mark(plan, pointers, GB_BOOT_POINTER);
	if (r < 0)
		fail_msg("%s", err.text);
}

static inline void make_dropping_plan(struct gb_store *store, struct gb_plan *plan)
{
	struct gb_err err;
	int r = 0;

	memset(plan, 0, sizeof(*plan));
	gb_plan_because(plan, "confirm");
	r |= gb_plan_drop(plan, store, "/boot/initrd.img", "over", &err);
	r |= gb_plan_drop(plan, store, "/efi/initrd.img", "over", &err);
	r |= gb_plan_write(plan, store, "/etc/default/grub", "x=1\n", 4, 0644, "arms", &err);
	if (r < 0)
		fail_msg("%s", err.text);
}

static inline void make_plan(struct gb_store *store, struct gb_plan *plan)
{
	static const char *const argv[] = { "/usr/sbin/builder", "-u", NULL };
	static const char *const publisher[] = { "/usr/sbin/publisher", "all of it", "", NULL };
	static const char *const paths[] = { "/boot/initrd.img", "/boot/grub.cfg",
					     "/boot/third.img", "/boot/initrd.img.new" };
	static const char claims[] = "ghost-boot claims 1\nclaim path=0000:00/01.0\n";
	static const char grub[] = GRUB "GRUB_CMDLINE_LINUX_DEFAULT=\"ghost.claim=on\"\n";
	struct gb_err err;
	int r = 0;

	if (dropping) {
		make_dropping_plan(store, plan);
		return;
	}
	if (staging) {
		make_staged_plan(store, plan);
		return;
	}
	memset(plan, 0, sizeof(*plan));
	gb_plan_because(plan, "enable 10de:2203");
	if (publishing)
		r |= gb_plan_publish(plan, publisher, NULL, "copies", &err);
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
	gb_plan_close(plan);
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

/* What no copy brings back is built again: what there is none of now. */
static inline int build_anew(struct gb_store *store, struct gb_plan *plan, struct gb_err *err)
{
	struct gb_place place;
	struct stat st;
	int r = gb_store_place(store, plan->anew[0], true, &place, err);

	if (r || fstatat(place.folder, place.name, &st, 0) < 0)
		fail_msg("%s", plan->anew[0]);
	gb_place_clear(&place);
	r = plan_stage(plan, store, "/boot", STAGED, st.st_size == sizeof(old_image) ? "new" : "old",
		       err);
	for (size_t i = 0; i < plan->anews && r >= 0; i++)
		r = gb_plan_place(plan, store, "/boot/" STAGED, plan->anew[i], 0600, "back", err);
	return r < 0 ? r : 0;
}

static inline int take_back(struct gb_store *store, enum gb_end *end, struct gb_err *err)
{
	struct gb_runner runner;
	struct gb_transaction t = make_transaction(store, &runner);
	struct gb_plan plan = { 0 };
	int r = gb_transaction_rollback(store, false, &plan, NULL, err);

	if (!r && plan.anews)
		r = build_anew(store, &plan, err);
	gb_plan_close(&plan);
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
