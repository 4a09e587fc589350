/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CRYPTTAB_H
#define GB_CRYPTTAB_H

#include <stdbool.h>

struct gb_root;

/* /etc/crypttab: what is unlocked at boot, and by what (crypttab(5), of systemd and of Debian's
 * cryptsetup). */

#define GB_CRYPTTAB_FILE "/etc/crypttab"

struct gb_crypttab_line {
	unsigned number;   /* in the file, from 1 */
	char name[128];	   /* of the device that it makes, below /dev/mapper */
	bool has_key;	   /* a file, a device of random numbers, a keyscript: nobody is asked */
	bool has_token;	   /* TPM, FIDO2, smart card: nobody is asked while that works */
	bool has_tpm;	   /* and it is the TPM */
	bool in_image;	   /* it says that the image unlocks it */
};

/* Calls `each` until it returns true, and returns that. One that is not there has no lines. */
bool gb_crypttab_find(struct gb_root *root,
		      bool (*each)(void *ctx, const struct gb_crypttab_line *line), void *ctx);

#endif
