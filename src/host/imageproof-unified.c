/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "imageproof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certificate.h"
#include "check.h"
#include "err.h"
#include "lines.h"
#include "pe.h"
#include "root.h"

/* What a unified kernel image has beside the image: the kernel, its command line, and what says
 * whose it is (UAPI Group, Unified Kernel Image; systemd-stub(7)). */

#define TEXT_MAX (64u << 10)
#define PIECE (256u << 10)

struct unified {
	const struct gb_proof *proof;
	struct gb_pe pe;
	int fd;
};

/* 0; *ret, which the caller frees, is NULL where it has no such section, or no text in it. Or a
 * negative errno: the section can't be read. */
static int text_of(const struct unified *u, const char *name, char **ret)
{
	const struct gb_pe_section *section = gb_pe_find(&u->pe, name);
	int r;

	*ret = NULL;
	if (!section)
		return 0;
	r = gb_pe_text(u->fd, section, TEXT_MAX, ret);
	return r == -EFBIG || r == -EINVAL ? 0 : r;
}

static void add(const struct unified *u, const char *id, bool good, const char *text)
{
	gb_check(u->proof->checks, id, good ? GB_PASS : GB_FAIL, u->proof->plan->image, "%s", text);
}

/* What can't be read says nothing against it. */
static void add_unknown(const struct unified *u, const char *id, const char *what, int r,
			const char *text)
{
	gb_check(u->proof->checks, id, GB_UNKNOWN, u->proof->plan->image, "%s can't be told", text);
	gb_check_evidence(u->proof->checks, "%s: %s", what, strerror(-r));
}

static void check_line(const struct unified *u)
{
	const char *wanted = u->proof->plan->unified->line;
	char *line;
	int r = text_of(u, ".cmdline", &line);
	bool same = line && !strcmp(line, wanted);

	if (r) {
		add_unknown(u, "unified-line", ".cmdline", r,
			    "whether its kernel command line is the planned one");
		return;
	}
	add(u, "unified-line", same, same ? "its kernel command line is the planned one" :
			       line	  ? "its kernel command line is not the planned one" :
					    "it has no kernel command line");
	gb_check_evidence(u->proof->checks, ".cmdline: %.300s", line ? line : "not there");
	if (!same)
		gb_check_evidence(u->proof->checks, "planned: %.300s", wanted);
	free(line);
}

/* ---- the kernel ------------------------------------------------------------------------------ */

/* What signing changes in the headers counts as equal. */
static void forget(uint8_t *piece, uint64_t at, size_t len, uint64_t from, uint64_t bytes)
{
	for (uint64_t i = from; i < from + bytes; i++)
		if (i >= at && i - at < len)
			piece[i - at] = 0;
}

static int read_piece(int fd, uint64_t at, uint8_t *ret, size_t len)
{
	while (len) {
		ssize_t n = pread(fd, ret, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO; /* it was longer when it was opened */
		ret += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_both(int kernel, int fd, uint64_t offset, uint64_t at, uint8_t *ret, size_t len)
{
	int r = read_piece(kernel, at, ret, len);

	return r ? r : read_piece(fd, offset + at, ret + PIECE, len);
}

/* `size` bytes of the kernel's file and as many from the section's beginning on: 1, the same; 0; or a
 * negative errno. */
static int same_bytes(int kernel, const struct gb_pe *pe, int fd, uint64_t offset, uint64_t size)
{
	uint8_t *both = malloc(2 * PIECE);
	int r = both ? 1 : -ENOMEM;

	for (uint64_t at = 0; at < size && r == 1; at += PIECE) {
		size_t len = size - at < PIECE ? (size_t)(size - at) : PIECE;

		r = read_both(kernel, fd, offset, at, both, len);
		if (r)
			break;
		for (size_t piece = 0; piece < 2 * PIECE; piece += PIECE) {
			forget(both + piece, at, len, pe->checksum, pe->checksum ? 4 : 0);
			forget(both + piece, at, len, pe->directory, pe->directory ? 8 : 0);
		}
		r = !memcmp(both, both + PIECE, len);
	}
	free(both);
	return r;
}

/* ukify signs a kernel that is not: then a signature follows it. */
static void compare_files(const struct unified *u, const struct gb_pe_section *section, int kernel,
			  const struct gb_pe *pe)
{
	const struct gb_unifiedplan *plan = u->proof->plan->unified;
	const uint64_t size = (uint64_t)lseek(kernel, 0, SEEK_END);
	const bool fits = size == section->size || (size < section->size && plan->is_signed);
	const int same = fits ? same_bytes(kernel, pe, u->fd, section->offset, size) : 0;

	if (same < 0) {
		add_unknown(u, "unified-kernel", plan->kernel, same,
			    "whether the kernel in it is the installed one");
		return;
	}
	add(u, "unified-kernel", same, same ? "the kernel in it is the installed one" :
					      "the kernel in it is not the installed one");
	gb_check_evidence(u->proof->checks, ".linux: %llu bytes, %s: %llu",
			  (unsigned long long)section->size, plan->kernel, (unsigned long long)size);
}

/* One that is no EFI program itself ukify unpacks. */
static void compare_kernel(const struct unified *u, const struct gb_pe_section *section)
{
	struct gb_err err = { "" };
	struct gb_pe pe;
	int kernel = gb_pe_open(u->proof->root, u->proof->plan->unified->kernel, &pe, &err);

	if (kernel >= 0) {
		compare_files(u, section, kernel, &pe);
		close(kernel);
		return;
	}
	gb_check(u->proof->checks, "unified-kernel", kernel == -EINVAL ? GB_WARN : GB_UNKNOWN,
		 u->proof->plan->image, "whether the kernel in it is the installed one can't be told");
	gb_check_evidence(u->proof->checks, "%s", err.text);
}

static void check_kernel(const struct unified *u)
{
	const struct gb_pe_section *section = gb_pe_find(&u->pe, ".linux");
	const char *release = u->proof->plan->release;
	char *said;
	int r = text_of(u, ".uname", &said);

	if (r) {
		add_unknown(u, "unified-kernel", ".uname", r, "which kernel is in it");
		return;
	}
	if (section && section->size && said && !strcmp(said, release)) {
		compare_kernel(u, section);
	} else {
		add(u, "unified-kernel", false, !section || !section->size ? "it has no kernel" :
						"it does not say that its kernel is this one");
		gb_check_evidence(u->proof->checks, ".uname: %.64s, wanted %s",
				  said ? said : "not there", release);
	}
	free(said);
}

/* ---- what says whose it is ------------------------------------------------------------------- */

static void look_for_name(void *ctx, unsigned number, const char *line)
{
	static const char *const keys[] = { "PRETTY_NAME=", "IMAGE_ID=", "NAME=", "ID=" };
	bool *found = ctx;

	(void)number;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		*found = *found || !strncmp(line, keys[i], strlen(keys[i]));
}

/* systemd-boot shows none that has no name (src/boot/boot.c, boot_entry_add_type2). */
static void check_system(const struct unified *u)
{
	bool named = false;
	char *said;
	int r = text_of(u, ".osrel", &said);

	if (r) {
		add_unknown(u, "unified-system", ".osrel", r, "of which system it is");
		return;
	}
	if (said)
		gb_lines_each(said, strlen(said), look_for_name, &named);
	add(u, "unified-system", named, named ? "it says of which system it is" :
						"it does not say of which system it is, so that "
						"systemd-boot would not show it");
	free(said);
}

/* With the certificate where that is known: 1, it is; 0; or a negative errno with the reason. */
static int is_signed_as_planned(const struct unified *u, struct gb_err *err)
{
	const char *path = u->proof->plan->unified->certificate;
	void *certificate;
	size_t len;
	int r;

	if (!path || !*path || !u->pe.is_signed)
		return u->pe.is_signed;
	r = gb_certificate_read(u->proof->root, path, &certificate, &len, err);
	if (r)
		return r;
	r = gb_certificate_is_in(u->fd, &u->pe, certificate, len);
	free(certificate);
	return r < 0 ? gb_fail(err, -r, "its signature: %s", strerror(-r)) : r;
}

static void check_signature(const struct unified *u)
{
	const struct gb_unifiedplan *plan = u->proof->plan->unified;
	struct gb_err why = { "" };
	int good;

	if (!plan->is_signed && !u->pe.is_signed)
		return;
	good = plan->is_signed ? is_signed_as_planned(u, &why) : 1;
	if (good < 0) {
		gb_check(u->proof->checks, "unified-signature", GB_UNKNOWN, u->proof->plan->image,
			 "whether it is signed with this machine's certificate can't be told");
		gb_check_evidence(u->proof->checks, "%s", why.text);
		return;
	}
	add(u, "unified-signature", good, good ? "it is signed" : u->pe.is_signed ?
	    "it is not signed with this machine's certificate" :
	    "it is not signed, though this machine's images are");
	if (plan->certificate && *plan->certificate)
		gb_check_evidence(u->proof->checks, "%s", plan->certificate);
	if (!good)
		gb_check_fix(u->proof->checks, "see in the log what became of the key");
}

int gb_imageproof_unified(const struct gb_proof *proof, uint64_t *ret_offset, uint64_t *ret_length,
			  struct gb_err *err)
{
	struct unified u = { .proof = proof };
	const struct gb_pe_section *image;

	u.fd = gb_pe_open(proof->root, proof->plan->image, &u.pe, err);
	if (u.fd < 0)
		return u.fd == -EINVAL ? -EBADMSG : u.fd;
	image = gb_pe_find(&u.pe, ".initrd");
	if (!image || !image->size) {
		close(u.fd);
		return gb_fail(err, EBADMSG, "there is no image in it (.initrd)");
	}
	check_line(&u);
	check_kernel(&u);
	check_system(&u);
	check_signature(&u);
	*ret_offset = image->offset;
	*ret_length = image->size;
	return u.fd;
}
