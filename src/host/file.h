/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_FILE_H
#define GB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "sha256.h"

struct gb_err;
struct gb_place;
struct gb_store;

/* All of a file that must come back when a change is taken back. */

enum gb_file_kind { GB_FILE_ABSENT, GB_FILE_REGULAR, GB_FILE_LINK, GB_FILE_FOLDER };

struct gb_xattr {
	char *name;
	void *value;
	size_t size;
};

/* Owns its strings: gb_file_clear. Zeroed, it is an absent one. */
struct gb_file {
	enum gb_file_kind kind;
	char hash[GB_SHA256_TEXT]; /* of regular files that were read, else empty */
	char *link;		   /* what a link says */
	mode_t mode;		   /* 07777 */
	uid_t uid;
	gid_t gid;
	uint64_t size;
	bool timed; /* `modified` is known */
	bool fresh; /* planned: owner and attributes are as the file system gives them */
	struct timespec modified;
	struct gb_xattr *xattr;
	size_t xattrs;
	/* only of one that was looked at; not written down, not compared */
	dev_t device;
	ino_t inode;
	nlink_t names;
	struct timespec changed;
};

/* What is at the place now; regular files are read and hashed. A device, a pipe or a socket is
 * refused (-EINVAL). */
int gb_file_look(const struct gb_place *place, struct gb_file *ret, struct gb_err *err);
/* The same without reading it: no hash. For images, which are large. */
int gb_file_glance(const struct gb_place *place, struct gb_file *ret, struct gb_err *err);
/* The regular file at a path, links followed; hashed or not. False: none is there, or nobody can
 * tell. Only when true is *ret to be cleared. */
bool gb_file_find(struct gb_store *store, const char *path, bool hash, struct gb_file *ret);
int gb_file_hash(int fd, char ret[GB_SHA256_TEXT]); /* of all that is read from here on */
/* Is it still the very file that was looked at, by its number and times? Cheap, and only ever
 * wrong in saying no. */
bool gb_file_untouched(const struct gb_place *place, const struct gb_file *file);
void gb_file_clear(struct gb_file *file);
bool gb_file_copy(const struct gb_file *from, struct gb_file *ret); /* false: no memory */

/* Same bytes, mode, owner, attributes, link; not the same time. A link has no mode of its own; of
 * a fresh file only the bytes are known. */
bool gb_file_same(const struct gb_file *a, const struct gb_file *b);

/* Gives an open, new file or folder the mode, owner, attributes and time of `file`; calls only
 * for what differs, since FAT refuses most. */
int gb_file_dress(struct gb_store *store, int fd, const struct gb_file *file);

#endif
