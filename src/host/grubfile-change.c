/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grubfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "shell.h"

#define MARK "# Added by ghost-boot.\n"

/* One file, and the assignments of one variable in it. */
struct source {
	const struct gb_grub *before;
	const char *file, *data;
	size_t len;
	const char *variable;
	const struct gb_want *want;
	size_t wants;
	struct gb_grub after; /* the variables behind it */
	struct gb_shell_assignment *assignment;
	size_t assignments;
	struct gb_err *err;
};

static void source_clear(struct source *s)
{
	for (size_t i = 0; i < s->assignments; i++)
		free(s->assignment[i].byte);
	free(s->assignment);
	gb_grub_clear(&s->after);
}

static int out_of_memory(struct source *s)
{
	return gb_fail(s->err, ENOMEM, "out of memory");
}

static int keep(void *ctx, const struct gb_shell_assignment *a)
{
	struct source *s = ctx;
	struct gb_shell_assignment *more;

	if (strcmp(a->name, s->variable))
		return 0;
	more = reallocarray(s->assignment, s->assignments + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	s->assignment = more;
	more += s->assignments;
	*more = *a;
	more->byte = malloc((a->bytes + 1) * sizeof(*a->byte));
	if (!more->byte)
		return -ENOMEM;
	if (a->bytes)
		memcpy(more->byte, a->byte, a->bytes * sizeof(*a->byte));
	s->assignments++;
	return 0;
}

static int read_source(struct source *s)
{
	if (s->before && gb_grub_copy(s->before, &s->after))
		return out_of_memory(s);
	return gb_grub_read_each(&s->after, s->file, s->data, s->len, keep, s, s->err);
}

/* ---- proof --------------------------------------------------------------------------- */

/* May another variable have changed? One may hold what this one held. */
static bool same_others(const struct source *s, const struct gb_grub *now)
{
	if (s->after.values > now->values + 1 || now->values > s->after.values + 1)
		return false;
	for (size_t i = 0; i < s->after.values; i++) {
		const struct gb_grub_value *old = &s->after.value[i];
		const char *text = gb_grub_get(now, old->name, NULL);

		if (!strcmp(old->name, s->variable))
			continue;
		if (!text != !old->text || (text && strcmp(text, old->text)))
			return false;
	}
	return true;
}

/* Does the file, edited, say what was wanted? */
static int prove(const struct source *s, const struct gb_edit *edit, const struct gb_changes *goal,
		 bool *ret)
{
	struct gb_grub now = { 0 };
	const char *text;
	char *data;
	size_t len;
	int r = gb_edit_apply(s->data, s->len, edit, &data, &len);

	*ret = false;
	if (r)
		return r == -ENOMEM ? r : 0;
	if (s->before && gb_grub_copy(s->before, &now))
		r = -ENOMEM;
	else
		r = gb_grub_read(&now, s->file, data, len, NULL);
	text = gb_grub_get(&now, s->variable, NULL);
	*ret = !r && text && !strcmp(text, goal->line) && same_others(s, &now);
	gb_grub_clear(&now);
	free(data);
	return r == -ENOMEM ? r : 0;
}

/* ---- edits --------------------------------------------------------------------------- */

/* Our own two lines, when the assignment is their second. */
static bool is_block(const struct source *s, const struct gb_shell_assignment *a,
		     struct gb_edit *ret)
{
	size_t mark = strlen(MARK), behind = a->end;

	if (a->at < mark || memcmp(s->data + a->at - mark, MARK, mark) ||
	    (a->at > mark && s->data[a->at - mark - 1] != '\n') ||
	    (behind < s->len && s->data[behind] != '\n'))
		return false;
	*ret = (struct gb_edit){ .at = a->at - mark };
	if (behind < s->len)
		behind++;
	else if (ret->at) /* the line end that we put before it, as the file had none */
		ret->at--;
	ret->cut = behind - ret->at;
	return true;
}

/* Only joined lines between two bytes, which may go with them? */
static bool is_joint(const char *data, size_t at, size_t end)
{
	for (; at + 2 <= end && data[at] == '\\' && data[at + 1] == '\n'; at += 2)
		;
	return at == end;
}

/* The edit that makes an assignment's value into `line`. False when the bytes of the file don't
 * allow it: they stand in several quotes, or come out of another variable. */
static int edit_value(const char *data, const struct gb_shell_assignment *a,
		      const struct gb_changes *goal, struct gb_edit *ret, bool *ret_done)
{
	char *value = malloc(a->bytes + 1);
	struct gb_edit in = { 0 };
	struct gb_text put = { 0 };
	enum gb_quote quote = a->first_quote;
	size_t at = a->first, end;
	int r = value ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < a->bytes; i++)
		value[i] = a->byte[i].byte;
	if (!r)
		r = gb_edit_between(value, a->bytes, goal->line, goal->len, &in);
	free(value);
	if (r)
		return r;
	*ret_done = false;
	/* Behind the byte before, so that taking away meets what adding put there. */
	if (in.at || in.cut) {
		const struct gb_shell_byte *byte = &a->byte[in.cut ? in.at : in.at - 1];

		at = in.cut ? byte->at : byte->end;
		quote = byte->quote;
	} else if (a->bytes) {
		at = a->byte[0].at;
		quote = a->byte[0].quote;
	}
	end = in.cut ? a->byte[in.at + in.cut - 1].end : at;
	for (size_t i = in.at; i < in.at + in.cut; i++)
		if (a->byte[i].expanded || a->byte[i].quote != quote ||
		    (i > in.at && !is_joint(data, a->byte[i - 1].end, a->byte[i].at)))
			goto out;
	*ret_done = gb_shell_quote(in.put ? in.put : "", in.len, quote, &put) && !put.failed;
out:
	gb_edit_clear(&in);
	if (!*ret_done)
		gb_text_clear(&put);
	*ret = (struct gb_edit){ at, end - at, put.data, put.len };
	return 0;
}

static int try_assignment(const struct source *s, const struct gb_shell_assignment *a,
			  const struct gb_changes *goal, struct gb_edit *ret, bool *ret_done)
{
	struct gb_text value = { 0 };
	struct gb_changes changes;
	struct gb_edit edit = { 0 };
	bool done = false;
	int r;

	*ret_done = false;
	if (a->unset || a->unknown)
		return 0;
	for (size_t i = 0; i < a->bytes; i++)
		gb_text_add(&value, &a->byte[i].byte, 1);
	r = value.failed ? -ENOMEM :
	    gb_arguments_change(value.data ? value.data : "", value.len, s->want, s->wants,
				&changes, NULL);
	gb_text_clear(&value);
	if (r)
		return r == -ENOMEM ? r : 0;
	if (changes.differs && !changes.len && is_block(s, a, &edit))
		r = prove(s, &edit, goal, &done);
	if (!r && !done && changes.differs) {
		r = edit_value(s->data, a, &changes, &edit, &done);
		if (!r && done)
			r = prove(s, &edit, goal, &done);
	}
	gb_changes_clear(&changes);
	if (!r && done)
		*ret = edit;
	else
		gb_edit_clear(&edit);
	*ret_done = !r && done;
	return r;
}

/* The last assignment, or one before it that the last still holds. */
static int change_assignment(struct source *s, struct gb_grub_change *ret)
{
	bool done = false;
	int r = 0;

	for (size_t i = s->assignments; i-- > 0 && !r && !done;) {
		r = try_assignment(s, &s->assignment[i], &ret->changes, &ret->edit, &done);
		ret->line = s->assignment[i].line;
	}
	if (r)
		return out_of_memory(s);
	if (!done)
		return gb_fail(s->err, EINVAL, "%s: line %u: %s can't be changed in one place without "
			       "touching what belongs to others; change it by hand", s->file,
			       s->assignment[s->assignments - 1].line, s->variable);
	return 0;
}

static int append_block(struct source *s, struct gb_grub_change *ret)
{
	bool ends = !s->len || s->data[s->len - 1] == '\n', done;
	struct gb_text put = { 0 };
	int r;

	gb_text_addf(&put, "%s" MARK "%s=\"", ends ? "" : "\n", s->variable);
	done = gb_shell_quote(ret->changes.line, ret->changes.len, GB_QUOTE_DOUBLE, &put);
	gb_text_addf(&put, ends ? "\"\n" : "\"");
	ret->edit = (struct gb_edit){ s->len, 0, put.data, put.len };
	ret->line = 0;
	r = put.failed ? -ENOMEM : 0;
	if (!r && done)
		r = prove(s, &ret->edit, &ret->changes, &done);
	if (r)
		return out_of_memory(s);
	return done ? 0 : gb_fail(s->err, EINVAL, "%s: %s can't be added to it", s->file, s->variable);
}

static int change(struct source *s, struct gb_grub_change *ret)
{
	const struct gb_grub_value *value;
	const char *text = gb_grub_get(&s->after, s->variable, &value);
	int r;

	if (!text)
		return gb_fail(s->err, EINVAL, "%s: line %u: %s can't be told: %s",
			       value && value->file ? value->file : s->file, value ? value->line : 0,
			       s->variable, value && value->why ? value->why : "it is set elsewhere");
	if (!s->assignments && *text)
		return gb_fail(s->err, EINVAL, "%s: %s is set in another file, %s", s->file,
			       s->variable, value && value->file ? value->file : "");
	r = gb_arguments_change(text, strlen(text), s->want, s->wants, &ret->changes, s->err);
	if (r) {
		gb_wrap(s->err, "%s: %s", s->file, s->variable);
		return r;
	}
	if (!ret->changes.differs) {
		ret->line = value ? value->line : 0;
		return 0;
	}
	return s->assignments ? change_assignment(s, ret) : append_block(s, ret);
}

int gb_grub_change(const struct gb_grub *before, const char *file, const char *data, size_t len,
		   const char *variable, const struct gb_want *want, size_t wants,
		   struct gb_grub_change *ret, struct gb_err *err)
{
	struct source s = { .before = before, .file = file, .data = data, .len = len,
			    .variable = variable, .want = want, .wants = wants, .err = err };
	struct gb_grub_change result = { 0 };
	int r = read_source(&s);

	if (!r)
		r = change(&s, &result);
	source_clear(&s);
	if (r)
		gb_grub_change_clear(&result);
	else
		*ret = result;
	return r;
}

void gb_grub_change_clear(struct gb_grub_change *c)
{
	gb_edit_clear(&c->edit);
	gb_changes_clear(&c->changes);
	memset(c, 0, sizeof(*c));
}
