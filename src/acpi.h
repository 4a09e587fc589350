/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_ACPI_H
#define GB_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gb_err;
struct gb_root;

/* What the two ACPI tables about DMA remapping share: src/dmar, src/ivrs. */

#define GB_ACPI_SIZE_MAX (256u << 10) /* bytes; the largest of 501 real ones has 568 */

/* The kernel warns of a wrong checksum and uses the table all the same
 * (drivers/acpi/acpica/tbprint.c), so it is no reason not to decode it. */
struct gb_acpi_table {
	uint32_t length; /* as the header says */
	uint8_t revision;
	bool checksum;
	char problem[96]; /* why decoding ended early, or "": then what came before holds */
	unsigned unknown; /* structures of a type not known here; skipped, as the kernel does */
};

/* A stretch of a table. A read past its end gives 0. */
struct gb_acpi_view {
	const uint8_t *data;
	size_t len;
};

uint8_t gb_acpi_u8(struct gb_acpi_view v, size_t at);
uint16_t gb_acpi_u16(struct gb_acpi_view v, size_t at);
uint32_t gb_acpi_u32(struct gb_acpi_view v, size_t at);
uint64_t gb_acpi_u64(struct gb_acpi_view v, size_t at);

/* Where both tables' own fields, and then their structures, begin. */
#define GB_ACPI_HEADER 36 /* ACPI specification 5.2.6: signature to creator revision */
#define GB_ACPI_BODY 48

/* Checks the header and cuts *v to the length it says. -EBADMSG when it is no such table. */
int gb_acpi_header(struct gb_acpi_view *v, const char *signature, struct gb_acpi_table *ret,
		   struct gb_err *err);
/* Calls `each` for the structures, whose length is the 16-bit word at 2, until one fails; its
 * offset in the table comes with it. */
typedef int (*gb_acpi_fn)(void *ctx, struct gb_acpi_view v, size_t offset);
int gb_acpi_walk(struct gb_acpi_view v, struct gb_acpi_table *table, gb_acpi_fn each, void *ctx,
		 struct gb_err *err);
/* Records that a structure's length can't be. */
void gb_acpi_bad(struct gb_acpi_table *table, size_t at, size_t len);

/* A file below /sys/firmware/acpi/tables. -ENOENT: the firmware has no such table; -EACCES: it
 * has, but only root may read it. */
int gb_acpi_read(struct gb_root *root, const char *path, char **ret, size_t *ret_len,
		 struct gb_err *err);

/* Room for one more, zeroed, at index n; NULL when out of memory. */
void *gb_acpi_grow(void **array, size_t n, size_t *room, size_t size);
#define GB_ACPI_GROW(array, n, room) \
	gb_acpi_grow((void **)&(array), n, &(room), sizeof(*(array)))

#endif
