/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "checkpoint.h"
#include "err.h"
#include "root.h"
#include "sha256.h"
#include "text.h"

#define LINKS_MAX 40 /* as the kernel's own (include/linux/namei.h, MAXSYMLINKS) */

static int set_time(int fd, const struct timespec *modified)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, *modified };

	return futimens(fd, times);
}

static int write_out(const struct gb_store *store, int fd)
{
	int r = (store->checkpoint ? store->checkpoint : gb_checkpoint)(fd);

	errno = -r;
	return r ? -1 : 0;
}

static ssize_t make(const struct gb_store *store, const struct gb_call *c)
{
	const mode_t mode = (mode_t)c->len;

	switch (c->kind) {
	case GB_CALL_CREATE:
		return openat(c->fd, c->name,
			      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	case GB_CALL_WRITE:
		return write(c->fd, c->data, c->len);
	case GB_CALL_CHOWN:
		return fchownat(c->fd, c->name ? c->name : "", c->uid, c->gid,
				AT_SYMLINK_NOFOLLOW | (c->name ? 0 : AT_EMPTY_PATH));
	case GB_CALL_CHMOD:
		return fchmod(c->fd, mode);
	case GB_CALL_XATTR:
		return c->data ? fsetxattr(c->fd, c->name, c->data, c->len, 0)
			       : fremovexattr(c->fd, c->name);
	case GB_CALL_TIME:
		return set_time(c->fd, c->data);
	case GB_CALL_FSYNC:
		return fsync(c->fd);
	case GB_CALL_SYNCFS:
		return syncfs(c->fd);
	case GB_CALL_CHECKPOINT:
		return write_out(store, c->fd);
	case GB_CALL_RENAME:
		return renameat(c->fd, c->name, c->fd2, c->to);
	case GB_CALL_EXCHANGE:
		return renameat2(c->fd, c->name, c->fd2, c->to, RENAME_EXCHANGE);
	case GB_CALL_LINK:
		return linkat(c->fd, c->name, c->fd2, c->to, 0);
	case GB_CALL_UNLINK:
		return unlinkat(c->fd, c->name, 0);
	case GB_CALL_RMDIR:
		return unlinkat(c->fd, c->name, AT_REMOVEDIR);
	case GB_CALL_MKDIR:
		return mkdirat(c->fd, c->name, mode);
	case GB_CALL_SYMLINK:
		return symlinkat(c->to, c->fd, c->name);
	}
	errno = EINVAL;
	return -1;
}

int gb_store_call(struct gb_store *store, const struct gb_call *call)
{
	int r = store->watch ? store->watch(store->ctx, call, false) : 0;
	ssize_t n;

	if (r < 0)
		return r;
	do
		n = make(store, call);
	while (n < 0 && errno == EINTR && call->kind == GB_CALL_WRITE);
	if (n < 0)
		return -errno;
	if (store->watch)
		store->watch(store->ctx, call, true);
	return (int)n;
}

/* Splits at the last slash; an empty name, "." and ".." are no names of files. */
static int split(const char *path, char *parent, char *name)
{
	const char *slash = strrchr(path, '/');

	if (path[0] != '/' || !slash || strlen(path) >= PATH_MAX)
		return -EINVAL;
	if (!slash[1] || !strcmp(slash, "/.") || !strcmp(slash, "/.."))
		return -EINVAL;
	if (!gb_text_copy(name, NAME_MAX + 1, slash + 1))
		return -ENAMETOOLONG;
	memcpy(parent, path, (size_t)(slash - path));
	strcpy(parent + (slash - path), slash == path ? "/" : "");
	return 0;
}

/* Where the link in `place` leads, beginning with a slash. False when it is no link. */
static bool follow_link(const struct gb_place *place, const char *parent, char *ret, int *r)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(place->folder, place->name, text, sizeof(text) - 1);

	if (n < 0)
		return false;
	text[n] = '\0';
	if (snprintf(ret, PATH_MAX, "%s%s%s", text[0] == '/' ? "" : parent,
		     text[0] == '/' ? "" : "/", text) >= PATH_MAX)
		*r = -ENAMETOOLONG;
	return true;
}

static int find_place(struct gb_store *store, const char *path, bool follow,
		      struct gb_place *place)
{
	char parent[PATH_MAX], next[PATH_MAX];
	int r = gb_text_copy(place->path, sizeof(place->path), path) ? 0 : -ENAMETOOLONG;

	for (unsigned links = 0; !r && links <= LINKS_MAX; links++) {
		r = split(place->path, parent, place->name);
		if (r)
			break;
		place->folder = gb_root_open_folder(store->root, parent);
		if (place->folder < 0)
			return place->folder == -ENOENT ? 0 : place->folder;
		if (!follow || !follow_link(place, parent, next, &r))
			return 0;
		close(place->folder);
		place->folder = -1;
		strcpy(place->path, next);
	}
	return r ? r : -ELOOP;
}

int gb_store_place(struct gb_store *store, const char *path, bool follow, struct gb_place *ret,
		   struct gb_err *err)
{
	int r;

	ret->folder = -1;
	r = find_place(store, path, follow, ret);
	if (r)
		return gb_fail(err, -r, "%s: %s", path, strerror(-r));
	return 0;
}

void gb_place_clear(struct gb_place *place)
{
	if (place->folder >= 0)
		close(place->folder);
	place->folder = -1;
}

int gb_store_create(struct gb_store *store, int folder, const char *name, mode_t mode)
{
	return gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_CREATE, .fd = folder,
						       .name = name, .len = mode });
}

int gb_store_write(struct gb_store *store, int fd, const void *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		const size_t most = len - done < 1 << 20 ? len - done : 1 << 20;
		int n = gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_WRITE, .fd = fd,
								.data = (const char *)data + done,
								.len = most });

		if (n <= 0)
			return n ? n : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int gb_store_fsync(struct gb_store *store, int fd)
{
	int r = gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_FSYNC, .fd = fd });

	/* fsync(2): a file system that has nothing to do for it, folders of FUSE for one */
	return r == -EINVAL ? 0 : r;
}

int gb_store_fsync_file(struct gb_store *store, int folder, const char *name)
{
	struct stat st;
	int fd, r;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = gb_store_fsync(store, fd);
	close(fd);
	return r;
}

bool gb_store_is_large(const struct gb_store *store, uint64_t bytes)
{
	return bytes > (store->copy_max ? store->copy_max : GB_COPY_MAX);
}

bool gb_store_can_exchange(struct gb_store *store, int fd)
{
	struct statfs fs = { 0 };

	return !(store->disk ? store->disk : fstatfs)(fd, &fs) && fs.f_type != MSDOS_SUPER_MAGIC;
}

/* fs/fat/namei_vfat.c, vfat_rename(): the name that goes is a change of the folder, but the one
 * that comes, where the file begins, is a change of the file, and is written when that is. And the
 * clusters of a file that was replaced are free as soon as nobody has it open. */
static int rename_on_fat(struct gb_store *store, const struct gb_call *call)
{
	int r, old = openat(call->fd2, call->to, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	r = gb_store_call(store, call);
	/* the other way round both names may have the same clusters */
	if (!r)
		r = gb_store_fsync(store, call->fd);
	if (!r)
		r = gb_store_fsync_file(store, call->fd2, call->to);
	if (old >= 0)
		close(old);
	return r;
}

int gb_store_rename(struct gb_store *store, int folder, const char *from, const char *to)
{
	const struct gb_call call = { .kind = GB_CALL_RENAME, .fd = folder, .fd2 = folder,
				      .name = from, .to = to };

	return gb_store_can_exchange(store, folder) ? gb_store_call(store, &call)
						    : rename_on_fat(store, &call);
}

int gb_store_unlink(struct gb_store *store, int folder, const char *name)
{
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_UNLINK, .fd = folder,
						       .name = name });
}

int gb_store_mkdir(struct gb_store *store, int folder, const char *name, mode_t mode)
{
	return gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_MKDIR, .fd = folder,
						       .name = name, .len = mode });
}

static int open_folder(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int gb_store_need_folder(struct gb_store *store, int parent, const char *name)
{
	int r, fd = open_folder(parent, name);

	if (fd != -ENOENT)
		return fd;
	r = gb_store_mkdir(store, parent, name, 0700);
	if (!r)
		r = gb_store_fsync(store, parent);
	return r ? r : open_folder(parent, name);
}

int gb_store_put(struct gb_store *store, int folder, const char *name, const void *data,
		 size_t len)
{
	int r, fd = gb_store_create(store, folder, name, 0600);

	if (fd < 0)
		return fd;
	r = gb_store_write(store, fd, data, len);
	if (!r)
		r = gb_store_fsync(store, fd);
	close(fd);
	return r;
}

int gb_store_replace(struct gb_store *store, int folder, const char *name, const void *data,
		     size_t len)
{
	char new_name[NAME_MAX + 1];
	int r;

	if (snprintf(new_name, sizeof(new_name), "%s.tmp", name) >= (int)sizeof(new_name))
		return -ENAMETOOLONG;
	r = gb_store_unlink(store, folder, new_name);
	if (!r)
		r = gb_store_put(store, folder, new_name, data, len);
	if (!r)
		r = gb_store_rename(store, folder, new_name, name);
	return r ? r : gb_store_fsync(store, folder);
}

int gb_store_copy(struct gb_store *store, int from, int to, char *ret_hash)
{
	char chunk[64 << 10];
	struct gb_sha256 sum;
	ssize_t n;
	int r = 0;

	gb_sha256_begin(&sum);
	while (!r && (n = read(from, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		gb_sha256_add(&sum, chunk, (size_t)n);
		r = gb_store_write(store, to, chunk, (size_t)n);
	}
	gb_sha256_end(&sum, ret_hash);
	return r;
}

int gb_store_sweep(struct gb_store *store, int folder, const char *name)
{
	int r = 0, fd = open_folder(folder, name);
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!r && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			r = gb_store_unlink(store, dirfd(dir), entry->d_name);
	closedir(dir);
	if (!r)
		r = gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_RMDIR, .fd = folder,
							    .name = name });
	return r;
}

int gb_store_space(struct gb_store *store, int fd, uint64_t *ret_bytes, bool *ret_read_only)
{
	struct statvfs fs = { 0 };

	if ((store->space ? store->space : fstatvfs)(fd, &fs) < 0)
		return -errno;
	*ret_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	*ret_read_only = fs.f_flag & ST_RDONLY;
	return 0;
}
