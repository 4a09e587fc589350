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

static int read_block(struct gb_oneshot_env *env)
{
	struct stat st;
	ssize_t n;

	if (fstat(env->fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size != GB_GRUBENV_SIZE)
		return -EINVAL;
	n = pread(env->fd, env->block, sizeof(env->block), 0);
	if (n < 0)
		return -errno;
	return n == sizeof(env->block) && gb_grubenv_is(env->block, sizeof(env->block)) ? 0 : -EINVAL;
}

static int open_in(const struct gb_place *place, int flags, struct gb_oneshot_env *env)
{
	int r;

	if (place->folder < 0)
		return -ENOENT;
	env->fd = openat(place->folder, place->name,
			 flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (env->fd < 0)
		return -errno;
	r = read_block(env);
	if (r)
		close(env->fd);
	return r;
}

int gb_oneshot_env_open(struct gb_host *host, int flags, struct gb_oneshot_env *ret,
			struct gb_err *err)
{
	const char *cfg = gb_cmdplan_grub_cfg(host);
	struct gb_place place;
	int r;

	if (!cfg || snprintf(ret->path, sizeof(ret->path), "%.*s/grubenv",
			     (int)(strrchr(cfg, '/') - cfg), cfg) >= (int)sizeof(ret->path))
		return gb_fail(err, ENOENT, "GRUB's configuration is not to be found; is /boot mounted?");
	r = gb_store_place(&host->store, ret->path, false, &place, err);
	if (r)
		return r;
	r = open_in(&place, flags, ret);
	gb_place_clear(&place);
	switch (r) {
	case 0: return 0;
	case -ELOOP:
		return gb_fail(err, ELOOP, "GRUB's environment, %s, is a link, and GRUB may not write where "
			       "that leads", ret->path);
	case -EINVAL:
		return gb_fail(err, EINVAL, "%s is no environment block of GRUB's, of %d bytes", ret->path,
			       GB_GRUBENV_SIZE);
	default: return gb_fail(err, -r, "GRUB's environment, %s: %s", ret->path, strerror(-r));
	}
}

/* What the gate refuses has nothing of ours in it. */
int gb_oneshot_env_read(struct gb_host *host, char *ret, size_t size, struct gb_err *err)
{
	struct gb_oneshot_env env;
	struct gb_err why = { "" };
	int r = gb_oneshot_env_open(host, O_RDONLY, &env, &why);

	if (r == -ENOENT || r == -ELOOP || r == -EINVAL) {
		ret[0] = '\0';
		return 0;
	}
	if (r)
		return gb_fail(err, -r, "%s", why.text);
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
static int write_block(struct gb_host *host, struct gb_oneshot_env *env)
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
	struct gb_oneshot_env env;
	int r = gb_oneshot_env_open(host, O_RDWR, &env, err);

	if (r)
		return r;
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
