/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "root.h"

#define AT_PE 0x3c	 /* in the DOS header: where the other begins */
#define COFF_SIZE 24	 /* with its mark */
#define SECTION_SIZE 40
#define MAGIC_32 0x10b
#define MAGIC_64 0x20b
#define CHECKSUM 64	 /* in the optional header, of either size */
#define CERTIFICATES 4 /* number of the directory */

struct head {
	const uint8_t *data;
	size_t len;
};

static uint32_t get(const struct head *head, size_t at, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint32_t)head->data[at + i] << (8 * i);
	return value;
}

static bool holds(const struct head *head, size_t at, size_t bytes)
{
	return at <= head->len && bytes <= head->len - at;
}

/* The directories follow a fixed part whose size the magic tells. */
static void take_certificates(const struct head *head, size_t optional, size_t length,
			      uint64_t size, struct gb_pe *ret)
{
	size_t count, directory;

	if (length < 2)
		return;
	count = get(head, optional, 2) == MAGIC_64 ? 108 : get(head, optional, 2) == MAGIC_32 ? 92 : 0;
	directory = count + 4 + 8 * CERTIFICATES;
	if (!count || length < directory + 8 || get(head, optional + count, 4) <= CERTIFICATES)
		return;
	ret->checksum = optional + CHECKSUM;
	ret->directory = optional + directory;
	ret->certificates = get(head, ret->directory, 4);
	ret->certificates_size = get(head, ret->directory + 4, 4);
	if (ret->certificates > size || ret->certificates_size > size - ret->certificates)
		ret->certificates = ret->certificates_size = 0;
	ret->is_signed = ret->certificates && ret->certificates_size;
}

/* Data is as long as it says it is in memory; what the file has beyond is padding. */
static bool take_section(const struct head *head, size_t at, uint64_t size,
			 struct gb_pe_section *ret)
{
	uint32_t in_memory = get(head, at + 8, 4), in_file = get(head, at + 16, 4);

	memcpy(ret->name, head->data + at, 8);
	ret->name[8] = '\0';
	ret->offset = get(head, at + 20, 4);
	ret->size = in_memory && in_memory < in_file ? in_memory : in_file;
	if (!ret->size)
		ret->offset = 0;
	return ret->offset <= size && ret->size <= size - ret->offset;
}

int gb_pe_parse(const void *data, size_t len, uint64_t size, struct gb_pe *ret, struct gb_err *err)
{
	struct head head = { data, len };
	struct gb_pe pe = { 0 };
	size_t at, optional, optional_size, count;

	if (!holds(&head, 0, AT_PE + 4) || memcmp(head.data, "MZ", 2))
		return gb_fail(err, EINVAL, "is no EFI program");
	at = get(&head, AT_PE, 4);
	if (!holds(&head, at, COFF_SIZE) || memcmp(head.data + at, "PE\0\0", 4))
		return gb_fail(err, EINVAL, "is no EFI program: its second header is not there");
	count = get(&head, at + 6, 2);
	optional_size = get(&head, at + 20, 2);
	optional = at + COFF_SIZE;
	if (count > GB_PE_SECTIONS_MAX)
		return gb_fail(err, EINVAL, "says that it has %zu sections", count);
	if (!holds(&head, optional, optional_size) ||
	    !holds(&head, optional + optional_size, count * SECTION_SIZE))
		return gb_fail(err, EINVAL, "is cut in its headers");
	take_certificates(&head, optional, optional_size, size, &pe);
	for (size_t i = 0; i < count; i++)
		if (!take_section(&head, optional + optional_size + i * SECTION_SIZE, size,
				  &pe.section[pe.sections++]))
			return gb_fail(err, EINVAL, "is cut: section %zu ends behind it", i + 1);
	*ret = pe;
	return 0;
}

int gb_pe_open(struct gb_root *root, const char *path, struct gb_pe *ret, struct gb_err *err)
{
	int fd = gb_root_file(root, path), r = fd < 0 ? fd : 0;
	uint8_t *head = malloc(GB_PE_HEAD_MAX);
	struct stat st;
	ssize_t n = 0;

	if (!head)
		r = r ? r : -ENOMEM;
	if (!r && fstat(fd, &st))
		r = -errno;
	while (!r && (n = pread(fd, head, GB_PE_HEAD_MAX, 0)) < 0)
		r = errno == EINTR ? 0 : -errno;
	if (r)
		gb_fail(err, -r, "%s: %s", path, strerror(-r));
	else if ((r = gb_pe_parse(head, (size_t)n, (uint64_t)st.st_size, ret, err)))
		gb_wrap(err, "%s", path);
	free(head);
	if (r && fd >= 0)
		close(fd);
	return r ? r : fd;
}

const struct gb_pe_section *gb_pe_find(const struct gb_pe *pe, const char *name)
{
	for (size_t i = 0; i < pe->sections; i++)
		if (!strcmp(pe->section[i].name, name))
			return &pe->section[i];
	return NULL;
}

int gb_pe_text(int fd, const struct gb_pe_section *section, size_t max, char **ret)
{
	size_t len = 0, size = (size_t)section->size;
	char *text;

	if (section->size > max)
		return -EFBIG;
	text = malloc(size + 1);
	if (!text)
		return -ENOMEM;
	while (len < size) {
		ssize_t n = pread(fd, text + len, size - len, (off_t)(section->offset + len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			free(text);
			return n < 0 ? -errno : -EINVAL;
		}
		len += (size_t)n;
	}
	while (len && !text[len - 1])
		len--;
	text[len] = '\0';
	if (strlen(text) != len) {
		free(text);
		return -EINVAL;
	}
	*ret = text;
	return 0;
}
