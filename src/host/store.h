/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_STORE_H
#define GB_STORE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

struct gb_err;
struct gb_root;
struct statfs;
struct statvfs;

/* Changing files so that a power cut leaves the old or the new. Every system call of ours that
 * changes a file system is made by gb_store_call(), and only there. */

enum gb_call_kind {
	GB_CALL_CREATE,	  /* name in fd, len is the mode: gives a descriptor */
	GB_CALL_WRITE,	  /* data, len, to fd: gives how many bytes */
	GB_CALL_CHOWN,	  /* fd, or the link `name` in fd: uid, gid */
	GB_CALL_CHMOD,	  /* fd, len is the mode */
	GB_CALL_XATTR,	  /* name of fd: data, len; no data takes it away */
	GB_CALL_TIME,	  /* fd, data is a timespec: when it was modified */
	GB_CALL_FSYNC,	  /* fd, a file or a folder */
	GB_CALL_SYNCFS,	  /* the file system of fd */
	GB_CALL_CHECKPOINT, /* the same, so that who replays no journal sees it (checkpoint.h) */
	GB_CALL_RENAME,	  /* name in fd becomes to in fd2 */
	GB_CALL_EXCHANGE, /* name and to, both in fd, change places */
	GB_CALL_LINK,	  /* name in fd is also `to` in fd2 */
	GB_CALL_UNLINK,	  /* name in fd */
	GB_CALL_RMDIR,
	GB_CALL_MKDIR,	  /* name in fd, len is the mode */
	GB_CALL_SYMLINK,  /* name in fd, which says `to` */
};

struct gb_call {
	enum gb_call_kind kind;
	int fd, fd2;
	const char *name, *to;
	const void *data;
	size_t len;
	uid_t uid;
	gid_t gid;
};

/* For tests, before each call (`done` false: return a negative errno to fail it) and after it
 * when it succeeded (`done` true, the result is ignored). */
typedef int (*gb_call_fn)(void *ctx, const struct gb_call *call, bool done);

/* A larger file that a staged one replaces, or that is dropped, is not kept for the history: images
 * have more, what a loader reads as text has less. */
#define GB_COPY_MAX (1 << 20)

struct gb_store {
	struct gb_root *root;
	uint64_t copy_max; /* 0: GB_COPY_MAX */
	gb_call_fn watch; /* NULL outside tests */
	void *ctx;
	int (*space)(int fd, struct statvfs *ret); /* NULL: fstatvfs */
	int (*disk)(int fd, struct statfs *ret);   /* NULL: fstatfs */
	int (*checkpoint)(int fd);		   /* NULL: gb_checkpoint */
	int (*blocks)(int fd, uint32_t *ret_flags, uint64_t *ret_length); /* NULL: FIEMAP, the first */
};

/* Where a file lies or would lie: an open folder and a name. A folder that does not exist is
 * -ENOENT in `folder`, and the rest is filled all the same. */
struct gb_place {
	int folder;
	char path[PATH_MAX], name[NAME_MAX + 1];
};

/* The result of the call, or a negative errno. */
int gb_store_call(struct gb_store *store, const struct gb_call *call);

/* `follow`: where a link at this very name leads, so that a linked file is changed and the link
 * stays. Links of the folders before it are always followed. Close it with gb_place_clear. */
int gb_store_place(struct gb_store *store, const char *path, bool follow, struct gb_place *ret,
		   struct gb_err *err);
void gb_place_clear(struct gb_place *place);

int gb_store_create(struct gb_store *store, int folder, const char *name, mode_t mode);
int gb_store_write(struct gb_store *store, int fd, const void *data, size_t len); /* all of it */
int gb_store_fsync(struct gb_store *store, int fd);
/* A regular file by its name; whatever else is there needs none. */
int gb_store_fsync_file(struct gb_store *store, int folder, const char *name);
/* On FAT the new name is on the disk then, and the old file whole until it is. */
int gb_store_rename(struct gb_store *store, int folder, const char *from, const char *to);
bool gb_store_is_large(const struct gb_store *store, uint64_t bytes); /* above copy_max */
/* Can two files there change places? Not on FAT: a cut while it writes the two names could leave
 * both with the same clusters. */
bool gb_store_can_exchange(struct gb_store *store, int fd);
/* Not there is success. */
int gb_store_unlink(struct gb_store *store, int folder, const char *name);
int gb_store_mkdir(struct gb_store *store, int folder, const char *name, mode_t mode);
/* A folder, 0700, made and synced where it is missing: a descriptor of it. */
int gb_store_need_folder(struct gb_store *store, int parent, const char *name);
/* A file as a whole, 0600, synced; its folder is not. `name` must not be there. */
int gb_store_put(struct gb_store *store, int folder, const char *name, const void *data,
		 size_t len);
/* The same in the place of what is there, on the disk with its name; NAME.tmp is gone afterwards, or
 * by the next call. The old or the new after a power cut. */
int gb_store_replace(struct gb_store *store, int folder, const char *name, const void *data,
		     size_t len);
/* Bytes from one descriptor to another, and their hash. */
int gb_store_copy(struct gb_store *store, int from, int to, char *ret_hash);
/* Removes a folder below `folder` with the files in it; not there is success. */
int gb_store_sweep(struct gb_store *store, int folder, const char *name);
/* Bytes free for us, and whether it is mounted read-only. */
int gb_store_space(struct gb_store *store, int fd, uint64_t *ret_bytes, bool *ret_read_only);

#endif
