/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grubplan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "grubfile.h"
#include "root.h"
#include "wordtrace.h"

#define FILE_MAX (256u << 10)

struct names {
	char *name[256];
	size_t names;
	bool failed;
};

struct work {
	struct gb_root *root;
	bool drop_in, always_first, back;
	struct gb_grubplan_file *file;
	char *text; /* of `file`, as it becomes; NULL: not there */
	struct names names; /* of drop-ins but ours */
	struct gb_grub before, after; /* the variables before and behind `file` */
	struct gb_err *err;
};

static int out_of_memory(struct work *w)
{
	return gb_fail(w->err, ENOMEM, "out of memory");
}

/* ---- files --------------------------------------------------------------------------- */

static int add_name(void *ctx, const char *name)
{
	struct names *names = ctx;
	size_t len = strlen(name);

	if (name[0] == '.' || len < 5 || strcmp(name + len - 4, ".cfg") ||
	    !strcmp(name, strrchr(GB_GRUB_DROP_IN, '/') + 1))
		return 0;
	names->name[names->names] = names->names < 255 ? strdup(name) : NULL;
	if (!names->name[names->names]) {
		names->failed = true;
		return -ENOMEM;
	}
	names->names++;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void clear_names(struct names *names)
{
	for (size_t i = 0; i < names->names; i++)
		free(names->name[i]);
	names->names = 0;
}

/* Not there is success, with NULL. */
static int read_file(struct work *w, const char *path, char **ret)
{
	size_t len;
	int r = gb_root_read_all(w->root, path, FILE_MAX, ret, &len);

	if (r == -ENOENT) {
		*ret = NULL;
		return 0;
	}
	if (!r && strlen(*ret) != len) {
		free(*ret);
		return gb_fail(w->err, EINVAL, "%s: it has a NUL byte", path);
	}
	return r ? gb_fail(w->err, -r, "%s: %s", path, strerror(-r)) : 0;
}

static int load(struct work *w, const char *path, struct gb_grub *grub)
{
	char *text;
	int r = read_file(w, path, &text);

	if (r || !text)
		return r;
	r = gb_grub_read(grub, path, text, strlen(text), w->err);
	free(text);
	return r;
}

/* Those whose place before or behind ours depends on the language are read behind it. */
static int load_drop_ins(struct work *w, bool behind, struct gb_grub *grub)
{
	char path[sizeof(GB_GRUB_FOLDER) + 256];
	int r = 0;

	for (size_t i = 0; i < w->names.names && !r; i++) {
		snprintf(path, sizeof(path), GB_GRUB_FOLDER "/%s", w->names.name[i]);
		if (gb_grub_is_after_drop_in(w->names.name[i]) == behind)
			r = load(w, path, grub);
	}
	return r;
}

static int load_before(struct work *w)
{
	int r;

	if (!w->drop_in)
		return 0;
	gb_root_list(w->root, GB_GRUB_FOLDER, add_name, &w->names);
	if (w->names.failed)
		return out_of_memory(w);
	if (w->names.names)
		qsort(w->names.name, w->names.names, sizeof(*w->names.name), compare_names);
	r = load(w, GB_GRUB_FILE, &w->before);
	return r ? r : load_drop_ins(w, false, &w->before);
}

/* All variables as they are with the text that we have now. */
static int load_after(struct work *w)
{
	int r = 0;

	gb_grub_clear(&w->after);
	if (gb_grub_copy(&w->before, &w->after))
		return out_of_memory(w);
	if (w->text)
		r = gb_grub_read(&w->after, w->file->path, w->text, strlen(w->text), w->err);
	return r || !w->drop_in ? r : load_drop_ins(w, true, &w->after);
}

/* ---- values -------------------------------------------------------------------------- */

static int get(struct work *w, const char *name, const char **ret)
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
static int whole_line(struct work *w, char **ret)
{
	const char *always, *more;
	int r = get(w, GB_GRUB_ALWAYS, &always);

	if (!r)
		r = get(w, GB_GRUB_DEFAULT, &more);
	if (!r && asprintf(ret, "%s %s", always, more) < 0)
		r = out_of_memory(w);
	return r;
}

static int carries(struct work *w, const struct gb_want *want, bool *ret)
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
static int refuse(struct work *w, const struct gb_want *want)
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

/* ---- our own drop-in ----------------------------------------------------------------- */

#define OURS "\n" GB_GRUB_DEFAULT "=\"$" GB_GRUB_DEFAULT

/* Our words in its text: `len` bytes at `at`, with the blank before them. */
static bool find_ours(const char *text, size_t *ret_at, size_t *ret_len)
{
	const char *at = strstr(text, OURS), *end;

	if (!at && !strncmp(text, OURS + 1, strlen(OURS) - 1))
		at = text - 1;
	if (!at)
		return false;
	at += strlen(OURS);
	end = at + strcspn(at, "\"'\\$`\n");
	*ret_at = (size_t)(at - text);
	*ret_len = (size_t)(end - at);
	return *end == '"' && (at == end || *at == ' ');
}

/* With these words in it; none: without its line, or not there if nothing else was in it. */
static int put_ours(struct work *w, const char *words, size_t len)
{
	struct gb_text bare = { 0 }, text = { 0 };
	size_t at, ours;
	int r = gb_grub_drop_in(NULL, 0, &bare, w->err);

	if (r)
		return r;
	if (!w->text)
		w->text = strdup(bare.data);
	if (w->text && find_ours(w->text, &at, &ours)) {
		gb_text_add(&text, w->text, at);
		gb_text_add(&text, len ? " " : "", len != 0);
		gb_text_add(&text, words, len);
		gb_text_addf(&text, "%s", w->text + at + ours);
	}
	if (!text.data || text.failed) {
		r = out_of_memory(w);
		gb_text_clear(&text);
	} else {
		free(w->text);
		w->text = text.data;
		if (!strcmp(text.data, bare.data)) {
			free(w->text);
			w->text = NULL;
		}
	}
	gb_text_clear(&bare);
	return r;
}

static int our_words(struct work *w, char **ret)
{
	size_t at = 0, len = 0;

	if (w->text && !find_ours(w->text, &at, &len))
		return gb_fail(w->err, EINVAL, "%s: it was changed by hand and is not understood; remove it, "
			       "and run this again", w->file->path);
	at += len != 0;
	len -= len != 0;
	*ret = strndup(w->text ? w->text + at : "", len);
	return *ret ? 0 : out_of_memory(w);
}

static int change_ours(struct work *w, const struct gb_want *want)
{
	struct gb_changes changes;
	char *words;
	int r = our_words(w, &words);

	if (r)
		return r;
	r = gb_arguments_change(words, strlen(words), want, 1, &changes, w->err);
	free(words);
	if (r)
		return r;
	if (changes.differs)
		r = put_ours(w, changes.line, changes.len);
	gb_changes_clear(&changes);
	return r;
}

/* ---- /etc/default/grub ---------------------------------------------------------------- */

static bool sets(const struct gb_grub *grub, const char *name)
{
	for (size_t i = 0; i < grub->values; i++)
		if (!strcmp(grub->value[i].name, name))
			return true;
	return false;
}

/* The variable that gets words. */
static const char *own_variable(const struct work *w)
{
	if (w->always_first && !sets(&w->after, GB_GRUB_DEFAULT) && sets(&w->after, GB_GRUB_ALWAYS))
		return GB_GRUB_ALWAYS;
	return GB_GRUB_DEFAULT;
}

static int change_variable(struct work *w, const char *variable, const struct gb_want *want,
			   bool *ret_differs)
{
	const char *old = w->text ? w->text : "";
	struct gb_grub_change change;
	char *text;
	size_t len;
	int r = gb_grub_change(NULL, w->file->path, old, strlen(old), variable, want, 1, &change,
			       w->err);

	if (r)
		return r;
	*ret_differs = change.changes.differs;
	if (change.changes.differs) {
		r = gb_edit_apply(old, strlen(old), &change.edit, &text, &len);
		if (!r) {
			free(w->text);
			w->text = text;
		}
	}
	gb_grub_change_clear(&change);
	return r ? out_of_memory(w) : load_after(w);
}

static int change_main(struct work *w, const struct gb_want *want)
{
	const char *own = own_variable(w);
	const char *other = strcmp(own, GB_GRUB_ALWAYS) ? GB_GRUB_ALWAYS : GB_GRUB_DEFAULT;
	const bool adds = want->mode == GB_WANT_ALSO || want->mode == GB_WANT_ONLY ||
			  want->mode == GB_WANT_PIECE;
	bool differs = false;
	int r = change_variable(w, own, want, &differs);

	if (r || adds || (want->mode == GB_WANT_SWAP && differs))
		return r;
	return change_variable(w, other, want, &differs);
}

/* ---- all ----------------------------------------------------------------------------- */

static int carry_out(struct work *w, const struct gb_want *want)
{
	bool is = false;
	int r = w->back ? 0 : carries(w, want, &is);

	if (r || is)
		return r;
	r = w->drop_in ? change_ours(w, want) : change_main(w, want);
	return r ? r : load_after(w);
}

static int check_plain(struct work *w, const struct gb_want *want, size_t wants)
{
	for (size_t i = 0; i < wants; i++)
		if (want[i].mode != GB_WANT_SWAP && want[i].mode != GB_WANT_GONE &&
		    want[i].mode != GB_WANT_NO_NAME && !gb_argument_is_plain(want[i].word))
			return gb_fail(w->err, EINVAL, "\"%s\" would not reach the kernel unchanged through "
				       "GRUB's script", want[i].word);
	return 0;
}

/* What one want changes, for the footprint. */
static int own_line(struct work *w, char **ret)
{
	const char *value;
	int r;

	if (w->drop_in)
		return our_words(w, ret);
	r = get(w, own_variable(w), &value);
	if (r)
		return r;
	*ret = strdup(value);
	return *ret ? 0 : out_of_memory(w);
}

static int make(struct work *w, const struct gb_want *want, size_t wants, struct gb_grubplan *plan)
{
	const char *always;
	int r = check_plain(w, want, wants);

	if (!r)
		r = read_file(w, w->file->path, &w->file->old);
	if (!r && w->file->old) {
		w->text = strdup(w->file->old);
		r = w->text ? 0 : out_of_memory(w);
	}
	if (!r)
		r = load_before(w);
	if (!r)
		r = load_after(w);
	if (!r)
		r = own_line(w, &w->file->line);
	plan->was = calloc(wants + 1, sizeof(*plan->was));
	if (!r && !plan->was)
		r = out_of_memory(w);
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
		r = plan->always ? 0 : out_of_memory(w);
	}
	return r;
}

int gb_grubplan_make(struct gb_root *root, bool drop_in, bool always_first, bool back,
		     const struct gb_want *want, size_t wants, struct gb_grubplan *ret,
		     struct gb_err *err)
{
	struct gb_grubplan plan = { 0 };
	struct work *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return gb_fail(err, ENOMEM, "out of memory");
	w->root = root;
	w->drop_in = drop_in;
	w->always_first = always_first;
	w->back = back;
	w->file = &plan.file;
	w->err = err;
	gb_text_copy(plan.file.path, sizeof(plan.file.path), drop_in ? GB_GRUB_DROP_IN : GB_GRUB_FILE);
	r = make(w, want, wants, &plan);
	plan.file.text = w->text;
	clear_names(&w->names);
	gb_grub_clear(&w->before);
	gb_grub_clear(&w->after);
	free(w);
	if (r)
		gb_grubplan_clear(&plan);
	else
		*ret = plan;
	return r;
}

void gb_grubplan_clear(struct gb_grubplan *plan)
{
	free(plan->file.old);
	free(plan->file.text);
	free(plan->file.line);
	free(plan->was);
	free(plan->always);
	free(plan->line);
	*plan = (struct gb_grubplan){ 0 };
}
