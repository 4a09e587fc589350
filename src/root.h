/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_ROOT_H
#define GB_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct gb_err;

/* The one way to /sys, /proc, /etc, /run and /dev. Paths begin with a slash and are looked
 * up below the root's folder; for a folder other than "/" no link and no ".." leads out of it
 * (openat2, RESOLVE_IN_ROOT). Everything is opened O_CLOEXEC. Functions return a negative
 * errno on failure. */
struct gb_root;

enum gb_op { GB_READ, GB_WRITE, GB_LINK, GB_LIST, GB_PUBLISH, GB_MKDIR, GB_REMOVE };

/* Called before each operation, for tests: return 0 to let it happen, a negative errno to
 * fail it, 1 to pretend that it succeeded (GB_WRITE, GB_PUBLISH, GB_MKDIR, GB_REMOVE only).
 * `data` is what would be written, else NULL. */
typedef int (*gb_watch_fn)(void *ctx, enum gb_op op, const char *path, const char *data);

int gb_root_open(const char *dir, struct gb_root **ret, struct gb_err *err);
void gb_root_close(struct gb_root *root);
void gb_root_watch(struct gb_root *root, gb_watch_fn watch, void *ctx);

bool gb_root_is_real(const struct gb_root *root); /* "/": the running system */
const char *gb_root_dir(const struct gb_root *root);

/* Up to size - 1 bytes, terminated; returns how many there are. For sysfs attributes. */
ssize_t gb_root_read(struct gb_root *root, const char *path, char *buf, size_t size);
/* A whole file of at most `max` bytes (-EFBIG beyond), terminated; caller frees *ret. */
int gb_root_read_all(struct gb_root *root, const char *path, size_t max, char **ret,
		     size_t *ret_len);
/* The same of /dev/kmsg: its records so far, at most `max` bytes of them. */
int gb_root_read_log(struct gb_root *root, const char *path, size_t max, char **ret,
		     size_t *ret_len);
/* A descriptor that reads a regular file (-EINVAL for anything else), for files too large to hold;
 * the caller closes it. */
int gb_root_file(struct gb_root *root, const char *path);
/* One write() to a file that exists: a sysfs attribute or a device node. */
int gb_root_write(struct gb_root *root, const char *path, const char *data);
int gb_root_write_bytes(struct gb_root *root, const char *path, const void *data, size_t len);
/* The same; *fd, negative at first, is then open and serves the next write. */
int gb_root_write_on(struct gb_root *root, const char *path, int *fd, const char *data);
ssize_t gb_root_readlink(struct gb_root *root, const char *path, char *buf, size_t size);
bool gb_root_exists(struct gb_root *root, const char *path);
/* Does a library that knows nothing of roots, given the root's folder before the path, open the
 * same file? Not if a link leads out. */
bool gb_root_is_plain(struct gb_root *root, const char *path);

/* Opens a device node to talk to it, not to write; of the running system only, else -EOPNOTSUPP. The
 * caller closes what it returns. */
int gb_root_open_device(struct gb_root *root, const char *path);

/* Calls `each` for every name but . and .. until it returns non-zero, and returns that. */
typedef int (*gb_name_fn)(void *ctx, const char *name);
int gb_root_list(struct gb_root *root, const char *path, gb_name_fn each, void *ctx);

/* A descriptor of a folder, good for openat() and fsync(); links on the way are followed. */
int gb_root_open_folder(struct gb_root *root, const char *path);
/* A folder, 0755; existing is success. A link in its place is not (-ENOTDIR). */
int gb_root_mkdir(struct gb_root *root, const char *path);
int gb_root_remove(struct gb_root *root, const char *path);
/* Replace a file as a whole: temporary name, 0644, rename. Links are replaced, not followed.
 * Not synced: for /run. */
int gb_root_publish(struct gb_root *root, const char *path, const char *data, size_t len);

#endif
