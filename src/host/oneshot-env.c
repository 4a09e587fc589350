/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmdplan.h"
#include "err.h"
#include "grubenv.h"
#include "host.h"
#include "oneshot.h"
#include "store.h"

/* next_entry in GRUB's environment. The file is written where it lies, as GRUB does it: a new one in
 * its place would be at blocks that only the journal tells of, and GRUB reads none. */

#define NAME "next_entry"

bool gb_oneshot_env_path(struct gb_host *host, char *ret, size_t size)
{
	const char *cfg = gb_cmdplan_grub_cfg(host);

	return cfg && snprintf(ret, size, "%.*s/grubenv", (int)(strrchr(cfg, '/') - cfg), cfg) < (int)size;
}

struct env {
	char path[64];
	int fd;
	char block[GB_GRUBENV_SIZE];
};

static int read_block(struct env *env)
{
	struct stat st;
	ssize_t n;

	if (fstat(env->fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size != GB_GRUBENV_SIZE)
		return -EINVAL;
	n = pread(env->fd, env->block, sizeof(env->block), 0);
	return n < 0 ? -errno : n != sizeof(env->block) ? -EINVAL : 0;
}

/* -ENOENT: this machine has none. To be closed after success. */
static int open_env(struct gb_host *host, int flags, struct env *env, struct gb_err *err)
{
	struct gb_place place;
	int r;

	if (!gb_oneshot_env_path(host, env->path, sizeof(env->path)))
		return -ENOENT;
	r = gb_store_place(&host->store, env->path, false, &place, err);
	if (r)
		return r;
	env->fd = place.folder < 0 ? -1 : openat(place.folder, place.name, flags | O_NOFOLLOW |
						 O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	r = place.folder < 0 ? -ENOENT : env->fd < 0 ? -errno : read_block(env);
	gb_place_clear(&place);
	if (!r)
		return 0;
	if (env->fd >= 0)
		close(env->fd);
	if (r == -ENOENT)
		return r;
	return gb_fail(err, -r, "%s: %s", env->path, r == -EINVAL ? "this is no environment block of GRUB's"
								   : strerror(-r));
}

int gb_oneshot_env_read(struct gb_host *host, char *ret, size_t size, struct gb_err *err)
{
	struct env env;
	int r = open_env(host, O_RDONLY, &env, err);

	if (r)
		return r;
	close(env.fd);
	r = gb_grubenv_get(env.block, sizeof(env.block), NAME, ret, size);
	if (r == -ENOENT) {
		ret[0] = '\0';
		return 0;
	}
	return r ? gb_fail(err, -r, "%s: its next_entry can't be read", env.path) : 0;
}

/* What is still in the journal may be what GRUB wrote over: on ext4 and XFS that is written out,
 * too. Where it can't be, the file's own blocks are on the disk all the same: they did not move. */
static int write_block(struct gb_host *host, struct env *env)
{
	char now[GB_GRUBENV_SIZE];
	int r;

	if (lseek(env->fd, 0, SEEK_SET) < 0)
		return -errno;
	r = gb_store_write(&host->store, env->fd, env->block, sizeof(env->block));
	if (!r)
		r = gb_store_fsync(&host->store, env->fd);
	if (!r)
		gb_store_call(&host->store, &(struct gb_call){ .kind = GB_CALL_CHECKPOINT,
							       .fd = env->fd });
	if (!r && (pread(env->fd, now, sizeof(now), 0) != sizeof(now) ||
		   memcmp(now, env->block, sizeof(now)) != 0))
		r = -EIO;
	return r;
}

int gb_oneshot_env_set(struct gb_host *host, const char *id, struct gb_err *err)
{
	char before[GB_GRUBENV_SIZE];
	struct env env;
	int r = open_env(host, O_RDWR, &env, err);

	if (r)
		return r == -ENOENT ? gb_fail(err, ENOENT, "GRUB's environment is not there") : r;
	memcpy(before, env.block, sizeof(before));
	r = gb_grubenv_set(env.block, sizeof(env.block), NAME, id, err);
	if (r)
		gb_wrap(err, "%s", env.path);
	else if (memcmp(before, env.block, sizeof(before)) != 0) {
		r = write_block(host, &env);
		if (r)
			gb_fail(err, -r, "%s: %s", env.path, strerror(-r));
	}
	close(env.fd);
	return r;
}
