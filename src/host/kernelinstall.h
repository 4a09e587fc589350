/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_KERNELINSTALL_H
#define GB_KERNELINSTALL_H

#include <stdbool.h>
#include <stddef.h>

struct gb_root;

/* What kernel-install(8) does for a new kernel: what it is told, and the programs that it runs. */

/* Each "" where nothing is said. */
struct gb_kernelinstall {
	char layout[32];	   /* "bls", "uki", "other" */
	char initrd_generator[64]; /* "dracut" */
	char uki_generator[64];	   /* "ukify" */
};

void gb_kernelinstall_read(struct gb_root *root, struct gb_kernelinstall *ret);

/* Where its file of this name is ("uki.conf"): the first of its folders that has it counts. False,
 * and *ret "": in none. */
bool gb_kernelinstall_file(struct gb_root *root, const char *name, char *ret, size_t size);
/* The same of a program that it runs ("60-ukify.install"); one that a link to /dev/null turns off
 * is none. */
bool gb_kernelinstall_plugin(struct gb_root *root, const char *name, char *ret, size_t size);

/* The last value of KEY in a file of assignments, as a shell or a configuration has them; false: not
 * set. Quotes around it go; what follows a blank or a '#' is no part of it. */
bool gb_kernelinstall_setting(struct gb_root *root, const char *path, const char *key, char *ret,
			      size_t size);

#endif
