/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"
#include "text.h"

struct gb_root {
	int fd;
	bool real;
	gb_watch_fn watch;
	void *ctx;
	char dir[];
};

int gb_root_open(const char *dir, struct gb_root **ret, struct gb_err *err)
{
	struct gb_root *root = calloc(1, sizeof(*root) + strlen(dir) + 1);

	if (!root)
		return gb_fail(err, ENOMEM, "out of memory");
	root->fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0) {
		int code = errno;

		free(root);
		return gb_fail(err, code, "root %s: %s", dir, strerror(code));
	}
	root->real = !strcmp(dir, "/");
	strcpy(root->dir, dir);
	*ret = root;
	return 0;
}

void gb_root_close(struct gb_root *root)
{
	if (!root)
		return;
	close(root->fd);
	free(root);
}

void gb_root_watch(struct gb_root *root, gb_watch_fn watch, void *ctx)
{
	root->watch = watch;
	root->ctx = ctx;
}

bool gb_root_is_real(const struct gb_root *root)
{
	return root->real;
}

const char *gb_root_dir(const struct gb_root *root)
{
	return root->dir;
}

static int watched(struct gb_root *root, enum gb_op op, const char *path, const char *data)
{
	return root->watch ? root->watch(root->ctx, op, path, data) : 0;
}

static int open_below(struct gb_root *root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT,
	};
	int fd, tries = 0;

	if (root->real) {
		/* musl's open() would call fcntl() as well */
		fd = openat(AT_FDCWD, path, flags | O_CLOEXEC);
	} else {
		/* a rename anywhere in the system while ".." was walked: openat2(2) says again */
		do
			fd = (int)syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
		while (fd < 0 && errno == EAGAIN && ++tries < 10000);
	}
	return fd < 0 ? -errno : fd;
}

/* The folder a path lies in, and its last component. `flags` is O_NOFOLLOW where the folder
 * itself must be no link: wherever something is created. */
static int open_parent(struct gb_root *root, const char *path, int flags,
		       const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];

	if (!slash || !slash[1] || slash - path >= PATH_MAX - 1)
		return -EINVAL;
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	*ret_name = slash + 1;
	return open_below(root, parent[0] ? parent : "/", O_PATH | O_DIRECTORY | flags);
}

ssize_t gb_root_read(struct gb_root *root, const char *path, char *buf, size_t size)
{
	ssize_t n = watched(root, GB_READ, path, NULL);
	int fd;

	if (n < 0)
		return n;
	fd = open_below(root, path, O_RDONLY);
	if (fd < 0)
		return fd;
	n = read(fd, buf, size - 1);
	if (n < 0)
		n = -errno;
	else
		buf[n] = '\0';
	close(fd);
	return n;
}

/* Of /dev/kmsg, a read gives one record, or fails when the buffer is too small for it
 * (kernel/printk/internal.h, PRINTK_MESSAGE_MAX), when the next was overwritten meanwhile (EPIPE),
 * and at the end (EAGAIN). */
static int slurp(int fd, size_t max, bool log, struct gb_text *text)
{
	char chunk[8192];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && (errno == EINTR || (log && errno == EPIPE)))
			continue;
		if (n < 0 && log && errno == EAGAIN)
			break;
		if (n < 0)
			return -errno;
		if ((size_t)n > max - text->len)
			return -EFBIG;
		gb_text_add(text, chunk, (size_t)n);
		if (text->failed)
			return -ENOMEM;
	}
	gb_text_add(text, "", 0);
	return text->failed ? -ENOMEM : 0;
}

static int read_whole(struct gb_root *root, const char *path, size_t max, bool log, char **ret,
		      size_t *ret_len)
{
	struct gb_text text = { 0 };
	int r = watched(root, GB_READ, path, NULL);
	int fd;

	if (r < 0)
		return r;
	fd = open_below(root, path, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return fd;
	r = slurp(fd, max, log, &text);
	close(fd);
	/* a log is worth having up to where it became too much */
	if (r < 0 && !(log && r == -EFBIG)) {
		gb_text_clear(&text);
		return r;
	}
	*ret = text.data;
	*ret_len = text.len;
	return 0;
}

int gb_root_read_all(struct gb_root *root, const char *path, size_t max, char **ret,
		     size_t *ret_len)
{
	return read_whole(root, path, max, false, ret, ret_len);
}

int gb_root_read_log(struct gb_root *root, const char *path, size_t max, char **ret,
		     size_t *ret_len)
{
	return read_whole(root, path, max, true, ret, ret_len);
}

int gb_root_file(struct gb_root *root, const char *path)
{
	int r = watched(root, GB_READ, path, NULL), fd;
	struct stat st;

	if (r < 0)
		return r;
	fd = open_below(root, path, O_RDONLY | O_NONBLOCK); /* a pipe would wait for its writer */
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

static int write_on(struct gb_root *root, const char *path, int *fd, const char *data, size_t len)
{
	int r = watched(root, GB_WRITE, path, data);
	ssize_t n;

	if (r)
		return r < 0 ? r : 0;
	if (*fd < 0)
		*fd = open_below(root, path, O_WRONLY | (root->real ? 0 : O_TRUNC));
	if (*fd < 0)
		return *fd;
	n = write(*fd, data, len);
	if (n != (ssize_t)len)
		r = n < 0 ? -errno : -EIO;
	return r;
}

int gb_root_write_on(struct gb_root *root, const char *path, int *fd, const char *data)
{
	return write_on(root, path, fd, data, strlen(data));
}

int gb_root_write_bytes(struct gb_root *root, const char *path, const void *data, size_t len)
{
	int fd = -1, r = write_on(root, path, &fd, data, len);

	if (fd >= 0)
		close(fd);
	return r;
}

int gb_root_write(struct gb_root *root, const char *path, const char *data)
{
	return gb_root_write_bytes(root, path, data, strlen(data));
}

int gb_root_open_device(struct gb_root *root, const char *path)
{
	int r = watched(root, GB_READ, path, NULL);

	if (r < 0)
		return r;
	return root->real ? open_below(root, path, O_RDWR | O_NONBLOCK) : -EOPNOTSUPP;
}

ssize_t gb_root_readlink(struct gb_root *root, const char *path, char *buf, size_t size)
{
	ssize_t n = watched(root, GB_LINK, path, NULL);
	const char *name;
	int fd;

	if (n < 0)
		return n;
	if (root->real) {
		n = readlink(path, buf, size - 1);
	} else {
		fd = open_parent(root, path, 0, &name);
		if (fd < 0)
			return fd;
		n = readlinkat(fd, name, buf, size - 1);
		close(fd);
	}
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

bool gb_root_exists(struct gb_root *root, const char *path)
{
	int fd;

	if (watched(root, GB_READ, path, NULL) < 0)
		return false;
	if (root->real)
		return access(path, F_OK) == 0;
	fd = open_below(root, path, O_PATH);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool gb_root_is_plain(struct gb_root *root, const char *path)
{
	char outside[PATH_MAX];
	struct stat a, b;
	bool same;
	int fd;

	if (root->real)
		return true;
	if (snprintf(outside, sizeof(outside), "%s%s", root->dir, path) >= PATH_MAX)
		return false;
	fd = open_below(root, path, O_PATH);
	if (fd < 0)
		return false;
	same = !fstat(fd, &a) && !stat(outside, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
	close(fd);
	return same;
}

int gb_root_list(struct gb_root *root, const char *path, gb_name_fn each, void *ctx)
{
	int r = watched(root, GB_LIST, path, NULL);
	struct dirent *entry;
	DIR *dir;
	int fd;

	if (r < 0)
		return r;
	fd = open_below(root, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!r && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			r = each(ctx, entry->d_name);
	closedir(dir);
	return r;
}

int gb_root_open_folder(struct gb_root *root, const char *path)
{
	int r = watched(root, GB_LIST, path, NULL);

	return r < 0 ? r : open_below(root, path, O_RDONLY | O_DIRECTORY);
}

int gb_root_mkdir(struct gb_root *root, const char *path)
{
	int r = watched(root, GB_MKDIR, path, NULL);
	const char *name;
	int parent, fd;

	if (r)
		return r < 0 ? r : 0;
	parent = open_parent(root, path, O_NOFOLLOW, &name);
	if (parent < 0)
		return parent;
	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		r = -errno;
	fd = r ? -1 : openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!r && fd < 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	close(parent);
	return r;
}

int gb_root_remove(struct gb_root *root, const char *path)
{
	int r = watched(root, GB_REMOVE, path, NULL);
	const char *name;
	int parent;

	if (r)
		return r < 0 ? r : 0;
	parent = open_parent(root, path, O_NOFOLLOW, &name);
	if (parent < 0)
		return parent;
	r = unlinkat(parent, name, 0) < 0 ? -errno : 0;
	close(parent);
	return r;
}

static int write_new(int parent, const char *name, const char *data, size_t len)
{
	int fd, r = 0;

	unlinkat(parent, name, 0);
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < len && !r;) {
		ssize_t n = write(fd, data + done, len - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			r = n ? -errno : -EIO;
	}
	if (!r && fchmod(fd, 0644) < 0) /* whatever the umask of init is */
		r = -errno;
	close(fd);
	return r;
}

int gb_root_publish(struct gb_root *root, const char *path, const char *data, size_t len)
{
	int r = watched(root, GB_PUBLISH, path, data);
	const char *name;
	char temp[NAME_MAX];
	int parent;

	if (r)
		return r < 0 ? r : 0;
	parent = open_parent(root, path, O_NOFOLLOW, &name);
	if (parent < 0)
		return parent;
	/* the process number: two udev workers may record the same device at once */
	if (snprintf(temp, sizeof(temp), ".%s.%d", name, (int)getpid()) >= (int)sizeof(temp))
		r = -ENAMETOOLONG;
	if (!r)
		r = write_new(parent, temp, data, len);
	if (!r && renameat(parent, temp, parent, name) < 0)
		r = -errno;
	if (r)
		unlinkat(parent, temp, 0);
	close(parent);
	return r;
}
