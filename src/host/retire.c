/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "retire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "footprint.h"
#include "recipe.h"
#include "root.h"
#include "survey.h"
#include "target.h"

#define FILE_MAX (256u << 10)

void gb_retire_clear(struct gb_retire *retire)
{
	for (size_t i = 0; i < retire->files; i++) {
		struct gb_retired_file *file = &retire->file[i];

		for (size_t k = 0; k < file->lines; k++)
			free(file->line[k].was);
		free(file->line);
		free(file->path);
		gb_text_clear(&file->text);
	}
	for (size_t i = 0; i < retire->wants; i++)
		free((char *)retire->want[i].word);
	free(retire->file);
	free(retire->want);
	*retire = (struct gb_retire){ 0 };
}

/* ---- one file ------------------------------------------------------------------------------ */

static void add_line(struct gb_retired_file *file, unsigned number, const char *was,
		     const char *reason)
{
	struct gb_retired_line *more = realloc(file->line, (file->lines + 1) * sizeof(*more));

	file->text.failed |= !more;
	if (!more)
		return;
	file->line = more;
	more[file->lines] = (struct gb_retired_line){ number, strdup(was), reason };
	file->text.failed |= !more[file->lines++].was;
}

/* What becomes of a line: added to the text, its end as well. */
typedef void (*line_fn)(void *ctx, struct gb_retired_file *file, unsigned number, char *line);

static void rewrite(const char *data, size_t len, struct gb_retired_file *file, line_fn each,
		    void *ctx)
{
	const char *end = data + len;
	unsigned number = 0;

	while (data < end && !file->text.failed) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		size_t n = (size_t)((newline ? newline : end) - data);
		char *line = strndup(data, n);

		if (!line) {
			file->text.failed = true;
			return;
		}
		each(ctx, file, ++number, line);
		gb_text_add(&file->text, "\n", newline != NULL);
		free(line);
		data += n + 1;
	}
}

/* Takes the file when something in it changes. */
static void take_file(struct gb_root *root, const char *path, line_fn each, void *ctx,
		      struct gb_retire *ret)
{
	struct gb_retired_file file = { .path = strdup(path) }, *more;
	char *data;
	size_t len;

	if (gb_root_read_all(root, path, FILE_MAX, &data, &len)) {
		free(file.path);
		return;
	}
	/* no text that these programs read */
	if (!memchr(data, '\0', len))
		rewrite(data, len, &file, each, ctx);
	free(data);
	ret->failed |= file.text.failed || !file.path;
	more = file.lines && !ret->failed ? realloc(ret->file, (ret->files + 1) * sizeof(*more))
					  : NULL;
	if (more) {
		ret->file = more;
		more[ret->files++] = file;
		return;
	}
	ret->failed |= file.lines != 0;
	for (size_t i = 0; i < file.lines; i++)
		free(file.line[i].was);
	free(file.line);
	free(file.path);
	gb_text_clear(&file.text);
}

/* ---- retiring ------------------------------------------------------------------------------ */

struct search {
	const struct gb_target *target;
	const struct gb_findings *findings;
	bool continued; /* the line before went on */
};

static bool goes_on(const char *line)
{
	size_t len = strlen(line);

	while (len && line[len - 1] == '\r')
		len--;
	return len && line[len - 1] == '\\';
}

static void retire_line(void *ctx, struct gb_retired_file *file, unsigned number, char *line)
{
	struct search *search = ctx;
	bool part = search->continued || goes_on(line);
	const char *reason = part || line[strspn(line, " \t")] == '#' ? NULL :
			     gb_retire_line(search->target, search->findings, file->path, number,
					    line);

	search->continued = goes_on(line);
	if (reason) {
		gb_text_addf(&file->text, GB_RETIRED);
		add_line(file, number, line, reason);
	}
	gb_text_add(&file->text, line, strlen(line));
}

/* Only the owner's own: what a package brought into /usr/lib is for its package to take. */
static bool is_ours_to_change(const char *path)
{
	size_t len = strlen(path);
	bool conf = len > 5 && !strcmp(path + len - 5, ".conf");

	return (!strncmp(path, "/etc/modprobe.d/", 16) && conf) ||
	       (!strncmp(path, "/etc/dracut.conf.d/", 19) && conf) ||
	       !strcmp(path, "/etc/dracut.conf") || !strcmp(path, "/etc/initramfs-tools/modules");
}

static void retire_words(const struct search *search, struct gb_retire *ret)
{
	const char *line = search->target->survey->cmdline;
	struct gb_arguments all;

	if (gb_arguments_parse(line, strlen(line), &all))
		return;
	ret->want = calloc(all.kernel + 1, sizeof(*ret->want));
	ret->failed |= !ret->want;
	for (size_t i = 0; ret->want && i < all.kernel; i++) {
		const struct gb_argument *argument = &all.argument[i];
		const char *reason = gb_retire_word(search->target, search->findings, argument);
		char *word = reason ? strndup(line + argument->at, argument->len) : NULL;

		if (word)
			ret->want[ret->wants++] = (struct gb_want){ GB_WANT_GONE, word, reason };
		ret->failed |= reason && !word;
	}
	gb_arguments_clear(&all);
}

int gb_retire_read(const struct gb_target *target, struct gb_retire *ret, struct gb_err *err)
{
	struct gb_root *root = target->survey->root;
	struct gb_findings findings;
	struct search search = { target, &findings, false };
	int r = gb_recipe_read(root, &target->survey->machine, &findings, err);

	*ret = (struct gb_retire){ 0 };
	for (size_t i = 0; !r && i < findings.files; i++) {
		search.continued = false;
		if (is_ours_to_change(findings.file[i]))
			take_file(root, findings.file[i], retire_line, &search, ret);
	}
	if (!r)
		retire_words(&search, ret);
	gb_findings_clear(&findings);
	return r || !ret->failed ? r : gb_fail(err, ENOMEM, "out of memory");
}

void gb_retire_note(const struct gb_retire *retire, struct gb_footprint *footprint)
{
	for (size_t i = 0; i < retire->files; i++)
		for (size_t k = 0; k < retire->file[i].lines; k++) {
			struct gb_text text = { 0 };

			gb_text_addf(&text, GB_RETIRED "%s", retire->file[i].line[k].was);
			if (text.data)
				gb_footprint_add(footprint, GB_TRACE_RETIRED, retire->file[i].path,
						 text.data, retire->file[i].line[k].was);
			footprint->failed |= text.failed;
			gb_text_clear(&text);
		}
}

/* ---- undoing ------------------------------------------------------------------------------- */

struct undo {
	const struct gb_footprint *footprint;
	size_t *seen; /* for each trace: how often its line was found */
};

static void undo_line(void *ctx, struct gb_retired_file *file, unsigned number, char *line)
{
	const struct undo *undo = ctx;
	const struct gb_trace *trace = NULL;

	while ((trace = gb_footprint_next(undo->footprint, GB_TRACE_RETIRED, file->path, trace)))
		if (!strcmp(trace->text, line))
			break;
	if (!trace) {
		gb_text_add(&file->text, line, strlen(line));
		return;
	}
	undo->seen[trace - undo->footprint->trace]++;
	add_line(file, number, trace->was, "it stands again as it did before ghost-boot");
	gb_text_add(&file->text, trace->was, strlen(trace->was));
}

static bool is_first_of_path(const struct gb_footprint *footprint, const struct gb_trace *trace)
{
	return gb_footprint_next(footprint, GB_TRACE_RETIRED, trace->path, NULL) == trace;
}

static void add_left(const struct gb_trace *trace, struct gb_text *ret)
{
	gb_text_addf(ret, "%s: not there any more, so it is not brought back: ", trace->path);
	gb_text_add_harmless(ret, trace->text);
	gb_text_addf(ret, "\n");
}

int gb_retire_undo(struct gb_root *root, struct gb_footprint *footprint, struct gb_retire *ret,
		   struct gb_text *ret_left, struct gb_err *err)
{
	struct undo undo = { footprint, calloc(footprint->traces + 1, sizeof(*undo.seen)) };
	const struct gb_trace *trace = NULL;

	*ret = (struct gb_retire){ .failed = !undo.seen };
	while (!ret->failed &&
	       (trace = gb_footprint_next(footprint, GB_TRACE_RETIRED, NULL, trace)))
		if (is_first_of_path(footprint, trace))
			take_file(root, trace->path, undo_line, &undo, ret);
	for (trace = NULL; undo.seen &&
	     (trace = gb_footprint_next(footprint, GB_TRACE_RETIRED, NULL, trace));)
		if (!undo.seen[trace - footprint->trace])
			add_left(trace, ret_left);
	free(undo.seen);
	if (ret->failed)
		return gb_fail(err, ENOMEM, "out of memory");
	gb_footprint_drop(footprint, GB_TRACE_RETIRED, NULL);
	return 0;
}
