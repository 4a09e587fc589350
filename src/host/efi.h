/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_EFI_H
#define GB_EFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

struct gb_err;
struct gb_root;

/* EFI variables: "NAME-GUID", as efivarfs calls them. What they hold is written by firmware and
 * loaders, and decoded here as if by enemies. */

#define GB_EFI_LOADER "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f" /* systemd's Boot Loader Interface */
#define GB_EFI_GLOBAL "-8be4df61-93ca-11d2-aa0d-00e098032b8c" /* UEFI specification 3.3 */

#define GB_EFI_MAX (64u << 10) /* bytes of a value */

/* All functions return 0 or a negative errno; -ENOENT: there is no such variable. */
struct gb_efi {
	/* The value without its attributes; caller frees *ret. */
	int (*read)(struct gb_efi *efi, const char *name, uint8_t **ret, size_t *ret_len);
	/* With the attributes 7: non-volatile, boot service, run-time. */
	int (*write)(struct gb_efi *efi, const char *name, const uint8_t *data, size_t len);
	int (*remove)(struct gb_efi *efi, const char *name);
	/* Calls `each` until it returns non-zero, and returns that. */
	int (*list)(struct gb_efi *efi, int (*each)(void *ctx, const char *name), void *ctx);
	void (*close)(struct gb_efi *efi);
};

/* The running system's, through libefivar; below any other root, the files of
 * /sys/firmware/efi/efivars there. -ENODEV where there is no EFI, or its variables can't be
 * reached. */
int gb_efi_open(struct gb_root *root, struct gb_efi **ret, struct gb_err *err);
void gb_efi_close(struct gb_efi *efi); /* NULL is allowed */

/* Write and read back (-EIO when it does not hold); nothing is written when it is so already. */
int gb_efi_set(struct gb_efi *efi, const char *name, const uint8_t *data, size_t len,
	       struct gb_err *err);
int gb_efi_set_text(struct gb_efi *efi, const char *name, const char *text, struct gb_err *err);
/* -EINVAL for what is no text, -E2BIG for what does not fit; *ret is then as much as could be
 * read. */
int gb_efi_get_text(struct gb_efi *efi, const char *name, char *ret, size_t size);
/* A little-endian number of 2, 4 or 8 bytes; -EINVAL for another length. */
int gb_efi_get_number(struct gb_efi *efi, const char *name, uint64_t *ret);

/* What helps when firmware or kernel refuse a change with this negative errno; or "". */
const char *gb_efi_hint(int r);
/* What helps where the firmware has variables that can't be reached; "" where it has none. */
const char *gb_efi_reach_hint(struct gb_root *root);

/* ---- decoding (efi-decode.c) --------------------------------------------------------- */

/* UTF-16LE, up to a NUL or the end, as UTF-8; what is no character becomes '?'. Errors as
 * gb_efi_get_text. */
int gb_efi_text(const uint8_t *data, size_t len, char *ret, size_t size);
/* A list of such texts, each with its NUL: LoaderEntries. Calls `each` until it returns
 * non-zero, and returns that. Texts of more than 255 bytes are left out. */
int gb_efi_texts(const uint8_t *data, size_t len, int (*each)(void *ctx, const char *text),
		 void *ctx);
/* UTF-8 as UTF-16LE with its NUL; false for what is no UTF-8. */
bool gb_efi_encode(const char *text, struct gb_text *ret);

/* A boot option, Boot0001: EFI_LOAD_OPTION (UEFI specification 3.1.3). */
struct gb_efi_boot {
	bool active;
	char title[128];
	char path[256];	    /* \EFI\debian\shimx64.efi; "" when it names none */
	char partition[37]; /* the partition's UUID in lower case; "" when it names none */
};

int gb_efi_boot(const uint8_t *data, size_t len, struct gb_efi_boot *ret);

#endif
