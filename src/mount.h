/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_MOUNT_H
#define GB_MOUNT_H

#include <stdbool.h>
#include <stddef.h>

struct gb_root;

/* What is mounted where: /proc/self/mountinfo. */

struct gb_mount {
	char device[32];   /* "259:2"; "0:33" is of no block device */
	char folder[1024]; /* which of its file system's */
	char point[1024];
	char type[64], source[1024], options[512]; /* the file system's own */
};

/* One line, its names with the kernel's escapes. False for what is none. */
bool gb_mount_read(const char *line, struct gb_mount *ret);
/* The mount that a file is on: of the points that its path begins with, the longest, and of several the
 * last; that one without escapes. False: none of them. */
bool gb_mount_find(const char *table, size_t len, const char *path, struct gb_mount *ret);
/* The same in this process's table; false, too, where that can't be read. */
bool gb_mount_of(struct gb_root *root, const char *path, struct gb_mount *ret);
/* Octal ones, of fstab and swaps, too (fs/seq_file.c, mangle_path). */
void gb_mount_unescape(char *text);

#endif
