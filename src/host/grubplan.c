/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grubplan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "grubplan-parts.h"
#include "root.h"
#include "wordtrace.h"

/* ---- values -------------------------------------------------------------------------- */

static int get(struct gb_grubwork *w, const char *name, const char **ret)
{
	const struct gb_grub_value *value;

	*ret = gb_grub_get(&w->after, name, &value);
	if (*ret)
		return 0;
	return gb_fail(w->err, EINVAL, "%s: line %u: %s can't be told: %s",
		       value && value->file ? value->file : GB_GRUB_FILE, value ? value->line : 0, name,
		       value && value->why ? value->why : "it is set elsewhere");
}

/* "GRUB_CMDLINE_LINUX GRUB_CMDLINE_LINUX_DEFAULT": what normal entries get. */
static int whole_line(struct gb_grubwork *w, char **ret)
{
	const char *always, *more;
	int r = get(w, GB_GRUB_ALWAYS, &always);

	if (!r)
		r = get(w, GB_GRUB_DEFAULT, &more);
	if (!r && asprintf(ret, "%s %s", always, more) < 0)
		r = gb_grubwork_memory(w);
	return r;
}

static int carries(struct gb_grubwork *w, const struct gb_want *want, bool *ret)
{
	char *line = NULL;
	int r = whole_line(w, &line);

	if (r)
		return r;
	r = gb_wordtrace_carries(line, want);
	free(line);
	*ret = r > 0;
	return r < 0 ? gb_fail(w->err, -r, "%s: its command line can't be read", w->file->path) : 0;
}

/* Where a variable was set last whose value speaks against the want. */
static int refuse(struct gb_grubwork *w, const struct gb_want *want)
{
	static const char *const names[] = { GB_GRUB_ALWAYS, GB_GRUB_DEFAULT };
	const bool removal = want->mode == GB_WANT_GONE || want->mode == GB_WANT_NO_NAME;
	const struct gb_grub_value *value = NULL;

	for (size_t i = 0; i < 2; i++) {
		const char *text = gb_grub_get(&w->after, names[i], &value);
		int says = text && value ? gb_wordtrace_carries(text, want) : 1;

		/* an added word that is not in it is no contradiction by itself */
		if (says > 0 || (!removal && i == 0 && !strstr(text, want->word)))
			continue;
		if (removal)
			return gb_fail(w->err, EINVAL, "%s: line %u: %s has \"%s\", which can't be taken out "
				       "there; change it by hand", value->file, value->line, names[i],
				       want->word);
		return gb_fail(w->err, EINVAL, "%s: line %u: what is set there for %s leaves no \"%s\"; change "
			       "it by hand", value->file, value->line, names[i], want->word);
	}
	if (gb_grub_get(&w->after, GB_GRUB_ALWAYS, &value) && value)
		return gb_fail(w->err, EINVAL, "%s: line %u: what %s says there speaks against \"%s\"; change "
			       "it by hand", value->file, value->line, GB_GRUB_ALWAYS, want->word);
	return gb_fail(w->err, EINVAL, "%s: \"%s\" can't be had", w->file->path, want->word);
}

/* ---- all ----------------------------------------------------------------------------- */

static int carry_out(struct gb_grubwork *w, const struct gb_want *want)
{
	const bool removal = want->mode == GB_WANT_GONE || want->mode == GB_WANT_NO_NAME;
	bool is = false;
	int r = w->back ? 0 : carries(w, want, &is);

	if (r || is)
		return r;
	r = w->drop_in ? gb_grubwork_change_ours(w, want) : gb_grubwork_change_main(w, want);
	if (!r)
		r = gb_grubwork_after(w);
	if (!r && removal && w->drop_in && !w->back)
		r = carries(w, want, &is);
	if (r || is || !removal || !w->drop_in || w->back)
		return r;
	r = gb_grubwork_take_out(w, want);
	return r ? r : gb_grubwork_after(w);
}

static int check_plain(struct gb_grubwork *w, const struct gb_want *want, size_t wants)
{
	for (size_t i = 0; i < wants; i++)
		if (want[i].mode != GB_WANT_SWAP && want[i].mode != GB_WANT_GONE &&
		    want[i].mode != GB_WANT_NO_NAME && !gb_argument_is_plain(want[i].word))
			return gb_fail(w->err, EINVAL, "\"%s\" would not reach the kernel unchanged through "
				       "GRUB's script", want[i].word);
	return 0;
}

/* What one want changes, for the footprint. */
static int own_line(struct gb_grubwork *w, char **ret)
{
	const char *value;
	int r;

	if (w->drop_in)
		return gb_grubwork_our_words(w, ret);
	r = get(w, gb_grubwork_variable(w), &value);
	if (r)
		return r;
	*ret = strdup(value);
	return *ret ? 0 : gb_grubwork_memory(w);
}

static int make(struct gb_grubwork *w, const struct gb_want *want, size_t wants, struct gb_grubplan *plan)
{
	const char *always;
	int r = check_plain(w, want, wants);

	if (!r)
		r = gb_grubwork_read(w, w->file->path, &w->file->old);
	if (!r && w->file->old) {
		w->text = strdup(w->file->old);
		r = w->text ? 0 : gb_grubwork_memory(w);
	}
	if (!r)
		r = gb_grubwork_before(w);
	if (!r)
		r = gb_grubwork_after(w);
	if (!r)
		r = own_line(w, &w->file->line);
	plan->was = calloc(wants + 1, sizeof(*plan->was));
	if (!r && !plan->was)
		r = gb_grubwork_memory(w);
	for (size_t i = 0; i < wants && !r && !w->back; i++)
		r = carries(w, &want[i], &plan->was[i]);
	for (size_t i = 0; i < wants && !r; i++)
		r = carry_out(w, &want[i]);
	for (size_t i = 0; i < wants && !r && !w->back; i++) {
		bool is = false;

		r = carries(w, &want[i], &is);
		if (!r && !is)
			r = refuse(w, &want[i]);
	}
	if (!r)
		r = whole_line(w, &plan->line);
	if (!r)
		r = get(w, GB_GRUB_ALWAYS, &always);
	if (!r) {
		plan->always = strdup(always);
		r = plan->always ? 0 : gb_grubwork_memory(w);
	}
	return r;
}

static struct gb_grubwork *begin_work(struct gb_root *root, bool drop_in, struct gb_grubplan *plan,
			       struct gb_err *err)
{
	struct gb_grubwork *w = calloc(1, sizeof(*w));

	if (!w) {
		gb_fail(err, ENOMEM, "out of memory");
		return NULL;
	}
	w->root = root;
	w->drop_in = drop_in;
	w->plan = plan;
	w->file = &plan->file[0];
	w->err = err;
	return w;
}

static void end_work(struct gb_grubwork *w)
{
	gb_grubwork_clear_names(&w->names);
	gb_grub_clear(&w->before);
	gb_grub_clear(&w->after);
	free(w);
}

int gb_grubplan_make(struct gb_root *root, bool drop_in, bool always_first, bool back,
		     const struct gb_want *want, size_t wants, struct gb_grubplan *ret,
		     struct gb_err *err)
{
	struct gb_grubplan plan = { .files = 1 };
	struct gb_grubwork *w = begin_work(root, drop_in, &plan, err);
	int r;

	if (!w)
		return -ENOMEM;
	w->always_first = always_first;
	w->back = back;
	gb_text_copy(w->file->path, sizeof(w->file->path), drop_in ? GB_GRUB_DROP_IN : GB_GRUB_FILE);
	r = make(w, want, wants, &plan);
	plan.file[0].text = w->text;
	end_work(w);
	if (r)
		gb_grubplan_clear(&plan);
	else
		*ret = plan;
	return r;
}

int gb_grubplan_other(struct gb_root *root, const char *path, const struct gb_want *want,
		      size_t wants, struct gb_grubplan *plan, struct gb_err *err)
{
	struct gb_grubwork *w = begin_work(root, true, plan, err);
	int r;

	if (!w)
		return -ENOMEM;
	if (!plan->files)
		plan->files = 1;
	r = gb_grubwork_before(w);
	for (size_t i = 0; i < wants && !r; i++)
		r = gb_grubwork_other(w, path, &want[i]);
	end_work(w);
	return r;
}

void gb_grubplan_clear(struct gb_grubplan *plan)
{
	for (size_t i = 0; i < plan->files; i++) {
		free(plan->file[i].old);
		free(plan->file[i].text);
		free(plan->file[i].line);
		for (size_t k = 0; k < plan->file[i].swaps; k++) {
			free(plan->file[i].swap[k].now);
			free(plan->file[i].swap[k].was);
		}
	}
	free(plan->was);
	free(plan->always);
	free(plan->line);
	*plan = (struct gb_grubplan){ 0 };
}
