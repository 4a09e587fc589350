/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_MODULE_H
#define GB_MODULE_H

struct gb_err;

/* Loads kernel modules. An interface, so that tests can fail on demand. */
struct gb_loader {
	/* The module and its hard dependencies, nothing else: no modprobe.d, no softdeps, no
	 * install commands, no options of the kernel command line. `options` may be NULL.
	 * 0: loaded now. 1: was there, or is built in. -ENOENT: this kernel has no such
	 * module. Else a negative errno. */
	int (*load)(void *ctx, const char *name, const char *options, struct gb_err *err);
	void *ctx;
};

/* The running kernel's modules through libkmod, opened at the first load. */
void gb_loader_open(struct gb_loader *ret);
void gb_loader_close(struct gb_loader *loader);

#endif
