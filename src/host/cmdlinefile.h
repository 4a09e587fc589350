/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CMDLINEFILE_H
#define GB_CMDLINEFILE_H

#include <stddef.h>

#include "arguments.h"
#include "edit.h"

struct gb_err;
struct gb_root;

/* /etc/kernel/cmdline, from which kernel-install, ukify, mkinitcpio, sdbootutil and Proxmox make
 * the command line. Some join its lines, some take the first, some drop those that begin with a
 * '#': only one line without any of that means the same to all, so only such a file is read, and
 * written. */

#define GB_CMDLINE_FOLDER "/etc/kernel"
#define GB_CMDLINE_FILE GB_CMDLINE_FOLDER "/cmdline"
#define GB_CMDLINE_FILE_MAX (16u << 10)

/* The line, in *ret_len bytes from the beginning of the file. -EINVAL with the reason. */
int gb_cmdline_file_line(const char *data, size_t len, size_t *ret_len, struct gb_err *err);

struct gb_cmdline_file_change {
	struct gb_edit edit;
	struct gb_changes changes;
};

/* -EINVAL with the reason, -ENOMEM. */
int gb_cmdline_file_change(const char *data, size_t len, const struct gb_want *want, size_t wants,
			   struct gb_cmdline_file_change *ret, struct gb_err *err);
void gb_cmdline_file_change_clear(struct gb_cmdline_file_change *change);

/* The text of a file that is not there yet, of the booted entry's options or of /proc/cmdline:
 * what the loader added (BOOT_IMAGE=, initrd=), what belongs to one boot (ghost.trial=,
 * systemd.machine_id=) and what arms claims, which may have been taken back since it booted, is left
 * out. Caller clears *ret. */
int gb_cmdline_file_new(const char *line, size_t len, struct gb_text *ret, struct gb_err *err);

/* The running kernel's, as /proc/cmdline has it; caller frees *ret. */
int gb_cmdline_running(struct gb_root *root, char **ret, struct gb_err *err);

#endif
