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

/* Caller frees; NULL: it has no such section, or no text in it. */
static char *text_of(const struct unified *u, const char *name)
{
	const struct gb_pe_section *section = gb_pe_find(&u->pe, name);
	char *text = NULL;

	return section && !gb_pe_text(u->fd, section, TEXT_MAX, &text) ? text : NULL;
}

static void add(const struct unified *u, const char *id, bool good, const char *text)
{
	gb_check(u->proof->checks, id, good ? GB_PASS : GB_FAIL, u->proof->plan->image, "%s", text);
}

static void check_line(const struct unified *u)
{
	const char *wanted = u->proof->plan->unified->line;
	char *line = text_of(u, ".cmdline");
	bool same = line && !strcmp(line, wanted);

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

static bool read_piece(int fd, uint64_t at, uint8_t *ret, size_t len)
{
	while (len) {
		ssize_t n = pread(fd, ret, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		ret += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return true;
}

/* `size` bytes of the kernel's file and as many from the section's beginning on. */
static bool same_bytes(int kernel, const struct gb_pe *pe, int fd, uint64_t offset, uint64_t size)
{
	uint8_t *a = malloc(2 * PIECE), *b = a + PIECE;
	bool same = a;

	for (uint64_t at = 0; at < size && same; at += PIECE) {
		size_t len = size - at < PIECE ? (size_t)(size - at) : PIECE;

		same = read_piece(kernel, at, a, len) && read_piece(fd, offset + at, b, len);
		for (uint8_t *piece = a; same && piece; piece = piece == a ? b : NULL) {
			forget(piece, at, len, pe->checksum, pe->checksum ? 4 : 0);
			forget(piece, at, len, pe->directory, pe->directory ? 8 : 0);
		}
		same = same && !memcmp(a, b, len);
	}
	free(a);
	return same;
}

/* ukify signs a kernel that is not: then a signature follows it. One that is no EFI program itself it
 * unpacks. */
static void compare_kernel(const struct unified *u, const struct gb_pe_section *section)
{
	const char *path = u->proof->plan->unified->kernel;
	struct gb_checks *checks = u->proof->checks;
	struct gb_err err = { "" };
	struct gb_pe pe;
	int kernel = gb_pe_open(u->proof->root, path, &pe, &err);
	uint64_t size = kernel < 0 ? 0 : (uint64_t)lseek(kernel, 0, SEEK_END);
	bool fits = size == section->size || (size < section->size && u->proof->plan->unified->is_signed);

	if (kernel == -EINVAL)
		gb_check(checks, "unified-kernel", GB_WARN, u->proof->plan->image,
			 "whether the kernel in it is the installed one can't be told");
	else if (kernel < 0)
		gb_check(checks, "unified-kernel", GB_UNKNOWN, u->proof->plan->image,
			 "whether the kernel in it is the installed one can't be told");
	else if (fits && same_bytes(kernel, &pe, u->fd, section->offset, size))
		add(u, "unified-kernel", true, "the kernel in it is the installed one");
	else
		add(u, "unified-kernel", false, "the kernel in it is not the installed one");
	if (kernel < 0)
		gb_check_evidence(checks, "%s", err.text);
	else
		gb_check_evidence(checks, ".linux: %llu bytes, %s: %llu",
				  (unsigned long long)section->size, path, (unsigned long long)size);
	if (kernel >= 0)
		close(kernel);
}

static void check_kernel(const struct unified *u)
{
	const struct gb_pe_section *section = gb_pe_find(&u->pe, ".linux");
	const char *release = u->proof->plan->release;
	char *said = text_of(u, ".uname");

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
	char *said = text_of(u, ".osrel");
	bool named = false;

	if (said)
		gb_lines_each(said, strlen(said), look_for_name, &named);
	add(u, "unified-system", named, named ? "it says of which system it is" :
						"it does not say of which system it is, so that "
						"systemd-boot would not show it");
	free(said);
}

/* With the certificate where that is known; what can't be read is none of it. */
static bool is_signed_as_planned(const struct unified *u)
{
	const char *path = u->proof->plan->unified->certificate;
	void *certificate;
	size_t len;
	bool is;

	if (!path || !*path)
		return u->pe.is_signed;
	if (gb_certificate_read(u->proof->root, path, &certificate, &len, NULL))
		return false;
	is = gb_certificate_is_in(u->fd, &u->pe, certificate, len) == 1;
	free(certificate);
	return is;
}

static void check_signature(const struct unified *u)
{
	const struct gb_unifiedplan *plan = u->proof->plan->unified;
	bool good;

	if (!plan->is_signed && !u->pe.is_signed)
		return;
	good = !plan->is_signed || is_signed_as_planned(u);
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
