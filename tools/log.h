/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_LOG_H
#define GB_LOG_H

struct gb_err;
struct gb_store;

/* What builders said, for whoever looks for the reason later. */
#define GB_LOG "/var/log/ghost-boot.log"

/* Opens it to append, 0640; one beyond a MiB becomes PATH.1 first. A descriptor, or a negative errno
 * with the reason: a link, or anything else than a file of one name, is not written to. */
int gb_log_open(struct gb_store *store, const char *path, struct gb_err *err);

#endif
