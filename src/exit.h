/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_EXIT_H
#define GB_EXIT_H

/* Exit codes of every ghost-boot program. */
enum {
	GB_EXIT_DONE = 0,      /* or nothing to do */
	GB_EXIT_FAILED = 1,    /* and nothing changed */
	GB_EXIT_USAGE = 2,
	GB_EXIT_REFUSED = 3,   /* unsafe */
	GB_EXIT_NOT_READY = 4, /* verification failed */
	GB_EXIT_BACK = 5, /* failed, and the state before was brought back */
	GB_EXIT_PARTLY = 6,
};

#endif
