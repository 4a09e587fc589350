/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "counter.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "module.h"
#include "patience.h"
#include "root.h"

#define FOLDER "/sys/firmware/efi/efivars"
#define VARIABLE FOLDER "/" GB_COUNTER
#define ATTRIBUTES 7 /* non-volatile, boot service, run-time (UEFI specification 8.2) */
#define FILE_SIZE (4 + GB_COUNTER_SIZE)
#define VERSION_AT 4
#define COUNT_AT 5
#define EFIVARFS 0xde5e81e4u /* EFIVARFS_MAGIC, include/uapi/linux/magic.h */
#define MAX_S 10 /* a write took 12 ms; firmware may never answer */

static const struct {
	const char *name, *text;
} counts[] = {
	[GB_COUNT_NONE] = { "none", "" },
	[GB_COUNTED] = { "counted", "" },
	[GB_COUNT_OVER] = { "over", "two boots with its claims were not confirmed" },
	[GB_COUNT_OTHER] = { "other", "the EFI variable counts another one's boots" },
	[GB_COUNT_ODD] = { "odd", "the EFI variable that counts boots is damaged" },
	[GB_COUNT_ABSENT] = { "absent", "no EFI variable counts its boots" },
	[GB_COUNT_UNREADABLE] = { "unreadable", "EFI variables can't be read" },
	[GB_COUNT_UNWRITABLE] = { "unwritable", "the EFI variable can't be written" },
};

const char *gb_count_name(enum gb_count state)
{
	return counts[state].name;
}

bool gb_counter_stops(enum gb_count state)
{
	return state > GB_COUNTED;
}

uint32_t gb_counter_id(const char *trial)
{
	return (uint32_t)strtoul(trial, NULL, 16);
}

void gb_counter_value(uint32_t id, uint8_t count, uint8_t ret[GB_COUNTER_SIZE])
{
	ret[0] = 1;
	ret[1] = count;
	for (int i = 0; i < 4; i++)
		ret[2 + i] = (uint8_t)(id >> 8 * i);
}

enum gb_count gb_counter_judge(const uint8_t *file, ssize_t len, uint32_t id)
{
	uint8_t own[FILE_SIZE] = { ATTRIBUTES };

	if (len < 0)
		return len == -ENOENT ? GB_COUNT_ABSENT : GB_COUNT_UNREADABLE;
	gb_counter_value(id, 0, own + 4);
	if (len != FILE_SIZE || memcmp(file, own, VERSION_AT + 1))
		return GB_COUNT_ODD;
	if (memcmp(file + COUNT_AT + 1, own + COUNT_AT + 1, 4))
		return GB_COUNT_OTHER;
	return file[COUNT_AT] < GB_COUNTER_BOOTS ? GB_COUNTED : GB_COUNT_OVER;
}

/* ---- the variable -------------------------------------------------------------------- */

/* efivarfs makes variables that it does not know immutable (fs/efivarfs/super.c). One write is one
 * SetVariable. */
static int write_variable(struct gb_root *root, const uint8_t *file)
{
	int fd = gb_root_file(root, VARIABLE), flags = 0, r = 0;
	bool immutable;

	if (fd < 0)
		return fd;
	immutable = !ioctl(fd, FS_IOC_GETFLAGS, &flags) && (flags & FS_IMMUTABLE_FL);
	flags ^= FS_IMMUTABLE_FL;
	if (immutable && ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0)
		r = -errno;
	if (!r)
		r = gb_root_write_bytes(root, VARIABLE, file, FILE_SIZE);
	flags ^= FS_IMMUTABLE_FL;
	if (immutable)
		ioctl(fd, FS_IOC_SETFLAGS, &flags);
	close(fd);
	return r;
}

static enum gb_count count(struct gb_root *root, uint32_t id, unsigned *ret_boot, int *ret_error)
{
	uint8_t file[FILE_SIZE + 2], again[FILE_SIZE + 2];
	ssize_t n = gb_root_read(root, VARIABLE, (char *)file, sizeof(file));
	enum gb_count state = gb_counter_judge(file, n, id);
	int r;

	*ret_error = n < 0 && n != -ENOENT ? (int)-n : 0;
	if (state != GB_COUNTED)
		return state;
	*ret_boot = ++file[COUNT_AT];
	r = write_variable(root, file);
	n = gb_root_read(root, VARIABLE, (char *)again, sizeof(again));
	if (!r && n == FILE_SIZE && !memcmp(file, again, FILE_SIZE))
		return GB_COUNTED;
	*ret_error = r ? -r : EIO;
	return GB_COUNT_UNWRITABLE;
}

/* ---- where it is --------------------------------------------------------------------- */

struct job {
	struct gb_root *root;
	const struct gb_loader *loader;
	const char *trial;
	struct gb_counter *counter;
};

/* True when it is to be unmounted. Without EFI the kernel makes no such folder. */
static bool mount_variables(const struct job *job, int *ret_error)
{
	int fd = gb_root_is_real(job->root) ? gb_root_open_folder(job->root, FOLDER) : -1;
	struct statfs fs = { 0 };
	bool there;

	*ret_error = 0;
	if (fd < 0)
		return false;
	there = fstatfs(fd, &fs) < 0 || (uint32_t)fs.f_type == EFIVARFS;
	close(fd);
	if (there)
		return false;
	/* built in or missing: the mount tells */
	job->loader->load(job->loader->ctx, "efivarfs", NULL, NULL);
	if (!mount("efivarfs", FOLDER, "efivarfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return true;
	*ret_error = errno;
	return false;
}

__attribute__((format(printf, 2, 3)))
static void say(const struct job *job, const char *format, ...)
{
	struct gb_counter *counter = job->counter;
	va_list args;
	int n = snprintf(counter->text, sizeof(counter->text), "trial %s: ", job->trial);

	va_start(args, format);
	vsnprintf(counter->text + n, sizeof(counter->text) - (size_t)n, format, args);
	va_end(args);
}

static int work(void *ctx, int over)
{
	struct job *job = ctx;
	unsigned boot = 0;
	int error;
	bool ours = mount_variables(job, &error);

	(void)over;
	if (error)
		job->counter->state = GB_COUNT_UNREADABLE;
	else
		job->counter->state = count(job->root, gb_counter_id(job->trial), &boot, &error);
	if (ours)
		umount2(FOLDER, UMOUNT_NOFOLLOW);
	if (job->counter->state == GB_COUNTED)
		say(job, "boot %u of %d that may claim unconfirmed", boot, GB_COUNTER_BOOTS);
	else
		say(job, "%s%s%s", counts[job->counter->state].text, error ? ": " : "",
		    error ? strerror(error) : "");
	return 0;
}

void gb_counter_run(struct gb_root *root, const struct gb_loader *loader, const char *trial,
		    struct gb_counter *ret)
{
	struct gb_counter *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct job job = { root, loader, trial, shared };
	int r = -ENOMEM;

	if (shared != MAP_FAILED) {
		r = gb_patience_run(MAX_S, work, &job);
		*ret = *shared;
		munmap(shared, sizeof(*shared));
	}
	if (r) {
		job.counter = ret;
		ret->state = GB_COUNT_UNREADABLE;
		say(&job, "%s: %s", counts[ret->state].text, strerror(r < 0 ? -r : EIO));
	}
}
