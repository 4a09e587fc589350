/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpio.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "err.h"
#include "text.h"

void gb_cpio_begin(const struct gb_cpio_sink *sink, struct gb_cpio *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sink = sink;
}

static int damaged(const struct gb_cpio *cpio, const char *what, struct gb_err *err)
{
	return gb_fail(err, EBADMSG, "its archive %zu is damaged: file %zu %s",
		       cpio->archives + 1, cpio->entries + 1, what);
}

struct input {
	const unsigned char *data;
	size_t len;
};

static void take(struct gb_cpio *cpio, struct input *in, size_t len)
{
	in->data += len;
	in->len -= len;
	cpio->position += len;
}

/* True when `to` has all its bytes. */
static bool collect(struct gb_cpio *cpio, struct input *in, char *to, size_t want)
{
	size_t len = want - cpio->had < in->len ? want - cpio->had : in->len;

	memcpy(to + cpio->had, in->data, len);
	cpio->had += len;
	take(cpio, in, len);
	if (cpio->had < want)
		return false;
	cpio->had = 0;
	return true;
}

/* Whatever is left of the entry, and up to the next header's place. */
static void skip_rest(struct gb_cpio *cpio, uint64_t len)
{
	uint64_t end = (cpio->position + len + 3) & ~UINT64_C(3);

	cpio->left = (uint32_t)(end - cpio->position);
	cpio->state = GB_CPIO_SKIP;
}

static bool parse_numbers(const char *header, uint32_t number[static 13])
{
	for (unsigned i = 0; i < 13; i++) {
		uint64_t value = 0;

		for (const char *c = header + 6 + 8 * i; c < header + 14 + 8 * i; c++) {
			unsigned digit = (unsigned char)*c;

			if (digit - '0' < 10)
				digit -= '0';
			else if ((digit | 0x20) - 'a' < 6)
				digit = (digit | 0x20) - 'a' + 10;
			else
				return false;
			value = value << 4 | digit;
		}
		number[i] = (uint32_t)value;
	}
	return true;
}

static int read_header(struct gb_cpio *cpio, struct gb_err *err)
{
	uint32_t n[13];

	cpio->summed = !memcmp(cpio->header, "070702", 6);
	if (!cpio->summed && memcmp(cpio->header, "070701", 6))
		return damaged(cpio, "is not in the format that the kernel reads (cpio -H newc)",
			       err);
	if (!parse_numbers(cpio->header, n))
		return damaged(cpio, "has a header that is no number", err);
	/* inode, mode, uid, gid, links, mtime, size, device, rdevice, name's length, checksum */
	cpio->entry = (struct gb_cpio_entry){ .inode = n[0], .mode = n[1], .links = n[4],
					      .size = n[6], .major = n[7], .minor = n[8] };
	cpio->name_len = n[11];
	cpio->check = n[12];
	cpio->sum = 0;
	if (!n[11] || n[11] > PATH_MAX)
		return damaged(cpio, "has a name that is empty or too long", err);
	if (S_ISLNK(n[1]) && n[6] > PATH_MAX)
		return damaged(cpio, "is a link to a name that is too long", err);
	cpio->state = GB_CPIO_NAME;
	return 0;
}

/* The name is there, and a link's target: tell, then the body. */
static int begin_body(struct gb_cpio *cpio, struct gb_err *err)
{
	bool link = S_ISLNK(cpio->entry.mode);
	int r;

	cpio->entry.name = cpio->name;
	cpio->entry.target = link ? cpio->target : NULL;
	r = cpio->sink->entry(cpio->sink->ctx, &cpio->entry, err);
	if (r < 0)
		return r;
	cpio->entries++;
	cpio->wanted = r > 0;
	if (link || !cpio->entry.size) {
		skip_rest(cpio, 0);
	} else {
		cpio->left = cpio->entry.size;
		cpio->state = GB_CPIO_BODY;
	}
	return 0;
}

static int read_name(struct gb_cpio *cpio, struct gb_err *err)
{
	if (cpio->name[cpio->name_len - 1])
		return damaged(cpio, "has a name without an end", err);
	cpio->last = !strcmp(cpio->name, "TRAILER!!!");
	if (cpio->last) {
		skip_rest(cpio, cpio->entry.size);
		return 0;
	}
	/* the name fills its place up to the next multiple of four; the target or body is there */
	cpio->left = (uint32_t)(-(GB_CPIO_HEADER + cpio->name_len) & 3);
	cpio->state = GB_CPIO_TARGET;
	return 0;
}

static int read_target(struct gb_cpio *cpio, struct input *in, struct gb_err *err)
{
	if (cpio->left) {
		size_t len = cpio->left < in->len ? cpio->left : in->len;

		take(cpio, in, len);
		cpio->left -= (uint32_t)len;
		if (cpio->left)
			return 0;
	}
	if (S_ISLNK(cpio->entry.mode)) {
		if (!collect(cpio, in, cpio->target, cpio->entry.size))
			return 0;
		cpio->target[cpio->entry.size] = '\0';
	}
	return begin_body(cpio, err);
}

static int read_body(struct gb_cpio *cpio, struct input *in, struct gb_err *err)
{
	size_t len = cpio->left < in->len ? cpio->left : in->len;
	int r = 0;

	if (cpio->summed)
		for (size_t i = 0; i < len; i++)
			cpio->sum += in->data[i];
	if (cpio->wanted)
		r = cpio->sink->data(cpio->sink->ctx, in->data, len, err);
	if (r < 0)
		return r;
	take(cpio, in, len);
	cpio->left -= (uint32_t)len;
	if (cpio->left)
		return 0;
	if (cpio->summed && cpio->sum != cpio->check)
		return damaged(cpio, "follows one with a wrong checksum", err);
	skip_rest(cpio, 0);
	return 0;
}

static void skip(struct gb_cpio *cpio, struct input *in)
{
	size_t len = cpio->left < in->len ? cpio->left : in->len;

	take(cpio, in, len);
	cpio->left -= (uint32_t)len;
	if (cpio->left)
		return;
	cpio->state = GB_CPIO_START;
	if (cpio->last) {
		cpio->sink->trailer(cpio->sink->ctx);
		cpio->archives++;
		cpio->last = false;
		cpio->state = GB_CPIO_RESET;
	}
}

/* The zeros between archives. False where something else begins. */
static bool skip_zeros(struct gb_cpio *cpio, struct input *in)
{
	size_t len = 0;

	while (len < in->len && !in->data[len])
		len++;
	take(cpio, in, len);
	return !in->len;
}

static int step(struct gb_cpio *cpio, struct input *in, struct gb_err *err)
{
	switch (cpio->state) {
	case GB_CPIO_START:
		return collect(cpio, in, cpio->header, GB_CPIO_HEADER) ? read_header(cpio, err) : 0;
	case GB_CPIO_NAME:
		return collect(cpio, in, cpio->name, cpio->name_len) ? read_name(cpio, err) : 0;
	case GB_CPIO_TARGET:
		return read_target(cpio, in, err);
	case GB_CPIO_BODY:
		return read_body(cpio, in, err);
	default:
		skip(cpio, in);
		return 0;
	}
}

/* States that pass on without input: an empty file's end, a name's padding of none. */
static bool idle(const struct gb_cpio *cpio)
{
	return (cpio->state == GB_CPIO_SKIP && !cpio->left) ||
	       (cpio->state == GB_CPIO_TARGET && !cpio->left && !cpio->had &&
		!(S_ISLNK(cpio->entry.mode) && cpio->entry.size));
}

int gb_cpio_feed(struct gb_cpio *cpio, const unsigned char *data, size_t len, size_t *ret_used,
		 struct gb_err *err)
{
	struct input in = { data, len };
	int r = 0;

	while (!r && (in.len || idle(cpio))) {
		if (cpio->state != GB_CPIO_RESET)
			r = step(cpio, &in, err);
		else if (!skip_zeros(cpio, &in))
			break;
	}
	*ret_used = len - in.len;
	return r;
}
