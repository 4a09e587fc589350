/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmdlinefile.h"

#include <errno.h>
#include <string.h>

#include "cmdline.h"
#include "err.h"
#include "root.h"

#define RUNNING_MAX (64u << 10)

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

int gb_cmdline_file_line(const char *data, size_t len, size_t *ret_len, struct gb_err *err)
{
	const char *newline = memchr(data, '\n', len);
	size_t line = newline ? (size_t)(newline - data) : len;

	if (len > GB_CMDLINE_FILE_MAX)
		return gb_fail(err, EINVAL, "it is too long for a command line");
	if (memchr(data, '\0', len) || memchr(data, '\r', len))
		return gb_fail(err, EINVAL, "it has a NUL byte or a carriage return");
	for (size_t i = line; i < len; i++)
		if (!is_blank(data[i]))
			return gb_fail(err, EINVAL, "it has more than one line, and its readers differ on "
				       "what that means; make it one line");
	for (size_t i = 0; i < line; i++)
		if (data[i] == '#' && (!i || is_blank(data[i - 1])))
			return gb_fail(err, EINVAL, "it has a '#', which is a comment to some of its readers "
				       "and not to others; take it out");
	*ret_len = line;
	return 0;
}

int gb_cmdline_file_change(const char *data, size_t len, const struct gb_want *want, size_t wants,
			   struct gb_cmdline_file_change *ret, struct gb_err *err)
{
	struct gb_cmdline_file_change change = { 0 };
	size_t line;
	int r = gb_cmdline_file_line(data, len, &line, err);

	if (r)
		return r;
	r = gb_arguments_change(data, line, want, wants, &change.changes, err);
	if (r)
		return r;
	if (gb_edit_between(data, line, change.changes.line, change.changes.len, &change.edit)) {
		gb_cmdline_file_change_clear(&change);
		return gb_fail(err, ENOMEM, "out of memory");
	}
	*ret = change;
	return 0;
}

void gb_cmdline_file_change_clear(struct gb_cmdline_file_change *change)
{
	gb_edit_clear(&change->edit);
	gb_changes_clear(&change->changes);
}

int gb_cmdline_file_new(const char *line, size_t len, struct gb_text *ret, struct gb_err *err)
{
	static const struct gb_want gone[] = {
		{ GB_WANT_NO_NAME, "BOOT_IMAGE", NULL }, { GB_WANT_NO_NAME, "initrd", NULL },
		{ GB_WANT_NO_NAME, GB_TRIAL_WORD, NULL }, { GB_WANT_NO_NAME, "ghost.claim", NULL },
		{ GB_WANT_NO_NAME, "systemd.machine_id", NULL },
	};
	struct gb_text text = { 0 };
	struct gb_changes changes;
	size_t begin = 0, end;
	int r;

	while (len && is_blank(line[len - 1]))
		len--;
	r = gb_arguments_change(line, len, gone, sizeof(gone) / sizeof(*gone), &changes, err);
	if (r)
		return r;
	for (end = changes.len; end && is_blank(changes.line[end - 1]);)
		end--;
	while (begin < end && is_blank(changes.line[begin]))
		begin++;
	gb_text_add(&text, changes.line + begin, end - begin);
	gb_text_add(&text, "\n", 1);
	gb_changes_clear(&changes);
	if (text.failed)
		r = gb_fail(err, ENOMEM, "out of memory");
	else
		r = gb_cmdline_file_line(text.data, text.len, &len, err);
	if (r)
		gb_text_clear(&text);
	else
		*ret = text;
	return r;
}

int gb_cmdline_running(struct gb_root *root, char **ret, struct gb_err *err)
{
	size_t len;
	int r = gb_root_read_all(root, "/proc/cmdline", RUNNING_MAX, ret, &len);

	return r ? gb_fail(err, -r, "/proc/cmdline: %s", strerror(-r)) : 0;
}
