/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grubcustom.h"

#include <errno.h>
#include <string.h>

#include "err.h"

#define BEGIN "# BEGIN ghost-boot: `ghost-boot disable` takes these lines away\n"
/* behind a last line that had no end: ours goes with ours */
#define BEGIN_OPEN "# BEGIN ghost-boot, and the end of the line above\n"
#define END "# END ghost-boot\n"

struct block {
	size_t at, end;	       /* all of it, with what was added before it */
	size_t inner, inner_end;
};

/* A line's first byte, or -1; `line` with its end. */
static long find_line(const char *data, size_t len, size_t from, const char *line)
{
	const size_t size = strlen(line);

	for (size_t at = from; at + size <= len;) {
		const char *newline;

		if (!memcmp(data + at, line, size))
			return (long)at;
		newline = memchr(data + at, '\n', len - at);
		if (!newline)
			break;
		at = (size_t)(newline - data) + 1;
	}
	return -1;
}

/* 1: there is one; 0: none. */
static int find_block(const char *data, size_t len, struct block *ret, struct gb_err *err)
{
	const long usual = find_line(data, len, 0, BEGIN), open = find_line(data, len, 0, BEGIN_OPEN);
	const long at = usual >= 0 ? usual : open;
	const char *begin = usual >= 0 ? BEGIN : BEGIN_OPEN;
	long end;

	if (at < 0 && find_line(data, len, 0, END) < 0)
		return 0;
	end = at < 0 ? -1 : find_line(data, len, (size_t)at, END);
	if (end < 0 || (usual >= 0 && open >= 0) || (usual < 0 && at == 0) ||
	    find_line(data, len, (size_t)at + 1, begin) >= 0 ||
	    find_line(data, len, (size_t)end + 1, END) >= 0)
		return gb_fail(err, EINVAL, "the lines of ghost-boot in it were changed; take them out, "
			       "from \"# BEGIN ghost-boot\" to \"# END ghost-boot\"");
	ret->at = (size_t)at - (usual < 0);
	ret->inner = (size_t)at + strlen(begin);
	ret->inner_end = (size_t)end;
	ret->end = (size_t)end + strlen(END);
	return 1;
}

int gb_grubcustom_find(const char *data, size_t len, const char **ret, size_t *ret_len,
		       struct gb_err *err)
{
	struct block block;
	int r = data ? find_block(data, len, &block, err) : 0;

	if (r < 0)
		return r;
	*ret = r ? data + block.inner : "";
	*ret_len = r ? block.inner_end - block.inner : 0;
	return 0;
}

/* Where they stand already they stay, whatever its owner wrote behind them since. */
int gb_grubcustom_change(const char *data, size_t len, const char *ours, struct gb_text *ret,
			 bool *ret_left, struct gb_err *err)
{
	struct block block = { .at = len, .end = len };
	int r = data ? find_block(data, len, &block, err) : 0;
	bool open;

	if (r < 0)
		return r;
	*ret_left = len > block.end - block.at;
	open = block.at && data[block.at - 1] != '\n';
	gb_text_add(ret, data ? data : "", block.at);
	if (ours)
		gb_text_addf(ret, "%s%s" END, open ? "\n" BEGIN_OPEN : BEGIN, ours);
	gb_text_add(ret, data ? data + block.end : "", len - block.end);
	return ret->failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
}
