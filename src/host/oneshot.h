/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_ONESHOT_H
#define GB_ONESHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "grubenv.h"

struct gb_err;
struct gb_host;

/* Telling the boot loader to boot one entry once, and then what it always boots. systemd-boot and
 * whatever else announces it take LoaderEntryOneShot, an EFI variable; GRUB takes next_entry of its
 * environment, a file that it must be able to write: if it could not, the trial would be for
 * ever. */

enum gb_oneshot_kind { GB_ONESHOT_NONE, GB_ONESHOT_EFI, GB_ONESHOT_GRUB };

struct gb_oneshot {
	enum gb_oneshot_kind kind;
	char why[384];	/* NONE: for a person, a sentence without its stop */
	char hint[192]; /* the command or the words that change that, or "" */
	bool read_only; /* NONE: what GRUB would write is on a file system mounted read-only */
};

/* Can this machine's loader be told so? Reads only. */
void gb_oneshot_find(struct gb_host *host, struct gb_oneshot *ret);

/* From here on the next boot takes `id`, once; already so is success. Read back, and on the disk
 * for GRUB, which replays no journal. A negative errno with the reason, and `hint` is set: then it
 * is not armed. -EBUSY: somebody else's is there, and stays. */
int gb_oneshot_arm(struct gb_host *host, struct gb_oneshot *oneshot, const char *id,
		   struct gb_err *err);
/* Could it be armed? Tries it, with an id that no loader finds an entry for, and takes that back; a
 * cut in between leaves it, and the next try takes it away. Errors as of gb_oneshot_arm. */
int gb_oneshot_try(struct gb_host *host, struct gb_oneshot *oneshot, struct gb_err *err);

/* Both look at either place, whatever this machine's loader is now, and however it was judged. */

/* What the next boot would take; "" when nothing is armed. A negative errno: it can't be told. */
int gb_oneshot_read(struct gb_host *host, char *ret, size_t size, struct gb_err *err);
/* Is it `id`, in any case of its letters? 1 or 0; a negative errno: it can't be told. */
int gb_oneshot_is(struct gb_host *host, const char *id);
/* Takes it away if it is `id`; somebody else's stays. *ret_armed, which may be NULL, is set whatever
 * it returns: it was found there. */
int gb_oneshot_disarm(struct gb_host *host, const char *id, bool *ret_armed, struct gb_err *err);

/* ---- its parts -------------------------------------------------------------------------- */

/* oneshot-env.c: GRUB's environment, beside grub.cfg. */
struct gb_oneshot_env {
	char path[64];
	int fd;
	char block[GB_GRUBENV_SIZE];
};

/* Never through a link. -ENOENT: there is none, -ELOOP: a link, -EINVAL: no block of GRUB's, each
 * with its reason. After success the caller closes `fd`. */
int gb_oneshot_env_open(struct gb_host *host, int flags, struct gb_oneshot_env *ret,
			struct gb_err *err);
/* Its next_entry. `id` NULL takes it away. */
int gb_oneshot_env_set(struct gb_host *host, const char *id, struct gb_err *err);
/* "" also for what is no environment that next_entry is ever set in. */
int gb_oneshot_env_read(struct gb_host *host, char *ret, size_t size, struct gb_err *err);
/* oneshot-gate.c: why GRUB could not take next_entry away by itself; `why` stays "" if it can. */
void gb_oneshot_gate(struct gb_host *host, struct gb_oneshot *ret);
__attribute__((format(printf, 3, 4)))
void gb_oneshot_refuse(struct gb_oneshot *oneshot, const char *hint, const char *format, ...);

#endif
