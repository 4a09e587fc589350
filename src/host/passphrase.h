/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_PASSPHRASE_H
#define GB_PASSPHRASE_H

#include <stdbool.h>
#include <stddef.h>

struct gb_disks;
struct gb_survey;

/* Passphrases that are asked for before the root file system is there. */

/* Is one asked for? *ret is then where that was read. A key file, a keyscript or a token that
 * /etc/crypttab names for the root disk answers instead. */
bool gb_passphrase_is_asked(const struct gb_survey *survey, const struct gb_disks *disks, char *ret,
			    size_t size);
/* Does the TPM answer instead? It may be sealed to the image and the command line, and then does
 * not once they are others. */
bool gb_passphrase_is_sealed(const struct gb_survey *survey, char *ret, size_t size);

#endif
