/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_KMSG_H
#define GB_KMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gb_root;

/* The kernel log. Any process of root may write there: what it says is a hint, no proof, and
 * what is not printable ASCII becomes a question mark. */

#define GB_LOG_LINE_MAX 512 /* bytes of a text that are kept */
#define GB_LOG_NO_TIME UINT64_MAX

struct gb_log_line {
	uint64_t us; /* since boot, GB_LOG_NO_TIME: it does not say */
	bool kernel; /* by the kernel itself, as far as the line says */
	const char *text;
};

struct gb_log {
	char *data; /* all texts */
	struct gb_log_line *line;
	size_t lines;
	bool cut; /* the oldest lines had been overwritten, or there were too many */
};

/* /dev/kmsg's records, or lines as dmesg or /proc/kmsg have them. 0 or -ENOMEM; *ret is always
 * to be cleared. */
int gb_log_parse(const char *data, size_t len, struct gb_log *ret);
/* The log of this boot: never waits. A captured root may have it as a plain file in one of
 * /run/ghost-boot/kmsg and /dev/kmsg. 0 or a negative errno. */
int gb_log_read(struct gb_root *root, struct gb_log *ret);
void gb_log_clear(struct gb_log *log);

#endif
