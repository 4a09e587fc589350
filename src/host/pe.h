/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_PE_H
#define GB_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gb_err;
struct gb_root;

/* The sections of an EFI program, as far as unified kernel images are made of them (Microsoft's PE
 * format; UAPI Group's Unified Kernel Image). What a file says of itself is not believed. */

#define GB_PE_SECTIONS_MAX 96 /* more the format's own loaders refuse */
#define GB_PE_HEAD_MAX (64u << 10) /* bytes in which all headers are to be */

struct gb_pe_section {
	char name[9];
	uint64_t offset, size; /* of its data in the file: inside it, without padding */
};

struct gb_pe {
	struct gb_pe_section section[GB_PE_SECTIONS_MAX];
	size_t sections;
	bool is_signed; /* has a table of certificates; whether they hold, nobody has looked */
	uint64_t certificates, certificates_size; /* that table, inside the file; or 0 */
	/* Where signing changes the headers: 4 bytes, the checksum, and 8, the table's directory. */
	uint64_t checksum, directory;
};

/* `head` is the file's beginning, `size` all its bytes. -EINVAL with the reason. */
int gb_pe_parse(const void *head, size_t len, uint64_t size, struct gb_pe *ret, struct gb_err *err);
/* The same of a file; a descriptor of it, which the caller closes, or a negative errno. */
int gb_pe_open(struct gb_root *root, const char *path, struct gb_pe *ret, struct gb_err *err);

/* The first of that name, or NULL. */
const struct gb_pe_section *gb_pe_find(const struct gb_pe *pe, const char *name);
/* Its text, without the NUL bytes that end it; caller frees *ret. -EFBIG beyond `max`, -EINVAL for
 * one with a NUL in it. */
int gb_pe_text(int fd, const struct gb_pe_section *section, size_t max, char **ret);

#endif
