/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_HOME_H
#define GB_HOME_H

struct gb_err;
struct gb_store;

/* The file system that a file of a change lies on, so that whoever goes on with the change, perhaps
 * after a boot, can tell whether it is there: an ESP may be mounted by hand only. */

/* Without a point it is the root's, or nobody knows. Owns its strings: gb_home_clear. */
struct gb_home {
	char *point, *type, *source;
	char *uuid; /* "": not known */
};

/* As it is mounted now; 0 or -ENOMEM. */
int gb_home_find(struct gb_store *store, const char *place, struct gb_home *ret);
/* -ENODEV, and what to type, unless it is mounted there now. `path` is a person's name for the
 * file. */
int gb_home_check(struct gb_store *store, const struct gb_home *home, const char *place,
		  const char *path, struct gb_err *err);
void gb_home_clear(struct gb_home *home);

#endif
