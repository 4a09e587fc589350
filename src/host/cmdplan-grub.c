/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmdplan-parts.h"
#include "err.h"
#include "footprint.h"
#include "grubcfg.h"
#include "grubfile.h"
#include "grubplan.h"
#include "host.h"
#include "plan.h"
#include "root.h"

#define STAGED ".ghost-boot-grub.cfg"
#define TIMEOUT_S 600 /* os-prober looks at every partition */

const char *gb_cmdplan_grub_cfg(const struct gb_host *host)
{
	static const char *const paths[] = { "/boot/grub/grub.cfg", "/boot/grub2/grub.cfg" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (gb_root_exists(host->root, paths[i]))
			return paths[i];
	return NULL;
}

static int read_cfg(struct gb_host *host, const char *path, struct gb_grubcfg *ret,
		    struct gb_err *err)
{
	size_t len;
	char *data;
	int r = gb_root_read_all(host->root, path, GB_GRUBCFG_MAX, &data, &len);

	if (r)
		return gb_fail(err, -r, "%s: %s", path, strerror(-r));
	r = gb_grubcfg_parse(data, len, ret, err);
	free(data);
	if (r)
		gb_wrap(err, "%s", path);
	return r;
}

/* ---- the configuration, built beside it and put in its place ---------------------------- */

static void staged_path(const char *cfg, char *ret, size_t size)
{
	snprintf(ret, size, "%.*s/" STAGED, (int)(strrchr(cfg, '/') - cfg), cfg);
}

/* The language that the menu in use is written in, "" for English: GRUB_DEFAULT may name an entry
 * by its title, and programs that we start get none. */
static void language_of(struct gb_cmdwork *w, const struct gb_grubcfg *cfg, char *ret, size_t size)
{
	static const char *const files[] = { "/etc/locale.conf", "/etc/default/locale" };
	char text[4096], *at;

	ret[0] = '\0';
	for (size_t i = 0; i < cfg->entries; i++)
		if (strstr(cfg->entry[i].title, "with Linux "))
			return;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files) && !ret[0]; i++) {
		if (gb_root_read(w->host->root, files[i], text, sizeof(text)) < 0)
			continue;
		at = strstr(text, "LANG=");
		if (!at || (at != text && at[-1] != '\n'))
			continue;
		at += strlen("LANG=");
		at += *at == '"';
		at[strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-")] = '\0';
		if (*at)
			snprintf(ret, size, "LC_ALL=%s", at);
	}
}

/* grub-mkconfig checks what it has made, and then truncates the file in use and writes it anew
 * (util/grub-mkconfig.in): a cut in between leaves no menu. So it is told another name. */
static int build_cfg(struct gb_cmdwork *w, const char *cfg, const char *language)
{
	const bool second = strstr(cfg, "/grub2/");
	const char *name = second ? "grub2-mkconfig" : "grub-mkconfig";
	char staged[64], program[64];
	const char *argv[] = { "/usr/bin/env", language, NULL, "-o", staged, NULL };
	struct gb_file file;
	uint64_t space = 1 << 20;
	size_t first;
	int r;

	staged_path(cfg, staged, sizeof(staged));
	argv[2] = gb_host_program(w->host, name, program, sizeof(program));
	if (!argv[2])
		return gb_fail(w->err, EINVAL, "%s is not installed, which writes %s", name, cfg);
	if (gb_file_find(&w->host->store, cfg, false, &file)) {
		space += 4 * file.size;
		gb_file_clear(&file);
	}
	r = gb_plan_build(w->plan, &w->host->store, *language ? argv : argv + 2, staged, space, TIMEOUT_S,
			  "GRUB's configuration, beside the one in use", w->err);
	first = w->plan->steps;
	if (r >= 0)
		r = gb_plan_place(w->plan, &w->host->store, staged, cfg, 0600,
				  "the configuration that GRUB reads", w->err);
	if (r >= 0)
		gb_plan_mark(w->plan, first, GB_BOOT_POINTER);
	return r < 0 ? r : 0;
}

int gb_cmdplan_anew(struct gb_host *host, struct gb_plan *plan, struct gb_err *err)
{
	struct gb_cmdwork w = { .host = host, .plan = plan, .err = err };
	const char *cfg = gb_cmdplan_grub_cfg(host);
	struct gb_grubcfg now = { 0 };
	char language[64];
	int r;

	if (!cfg)
		return gb_fail(err, ENOENT, "GRUB's configuration is not where it was");
	r = read_cfg(host, cfg, &now, err);
	if (r)
		return r;
	if (!now.made)
		r = gb_fail(err, EINVAL, "%s was not made by grub-mkconfig, which would overwrite it", cfg);
	language_of(&w, &now, language, sizeof(language));
	gb_grubcfg_clear(&now);
	return r ? r : build_cfg(&w, cfg, language);
}

/* All plain words of `line` that `without` has not, for recovery entries. */
static char *words_beyond(const char *line, const char *without)
{
	struct gb_arguments all = { 0 }, some = { 0 };
	struct gb_text text = { 0 };

	if (!gb_arguments_parse(line, strlen(line), &all) &&
	    !gb_arguments_parse(without, strlen(without), &some))
		for (size_t i = 0; i < all.kernel; i++) {
			struct gb_arguments one = { .argument = &all.argument[i], .arguments = 1,
						    .kernel = 1 };

			if (gb_arguments_lacking(&some, &one))
				gb_text_addf(&text, "%.*s ", (int)all.argument[i].len,
					     line + all.argument[i].at);
		}
	gb_arguments_clear(&all);
	gb_arguments_clear(&some);
	gb_text_add(&text, "", 0);
	if (text.failed)
		gb_text_clear(&text);
	return text.data;
}

/* Of the wanted words, those that only normal entries get, and those that none has. */
static int set_goal(struct gb_cmdwork *w, const struct gb_grubplan *grub,
		    const struct gb_wordtrace_wants *wants)
{
	struct gb_cmdplan_report *report = w->report;
	struct gb_text add = { 0 }, gone = { 0 };

	for (size_t i = 0; i < wants->wants; i++) {
		const struct gb_want *want = &wants->want[i];

		if (want->mode == GB_WANT_GONE)
			gb_text_addf(&gone, "%s ", want->word);
		else if (want->mode != GB_WANT_NO_NAME && want->mode != GB_WANT_SWAP)
			gb_text_addf(&add, "%s ", want->word);
	}
	gb_text_add(&add, "", 0);
	gb_text_add(&gone, "", 0);
	report->carry = strdup(grub->line);
	report->clean = add.failed ? NULL : words_beyond(add.data, grub->always);
	report->gone = gone.failed ? NULL : words_beyond(gone.data, grub->line);
	gb_text_clear(&add);
	gb_text_clear(&gone);
	return report->carry && report->clean && report->gone ? 0 :
	       gb_fail(w->err, ENOMEM, "out of memory");
}

/* Does the configuration in use say it already? */
static int is_current(struct gb_cmdwork *w, const char *cfg, bool *ret, char *ret_language,
		      size_t size)
{
	const struct gb_grubcfg_goal goal = { w->report->carry, w->report->clean, w->report->gone };
	struct gb_grubcfg now;
	int r = read_cfg(w->host, cfg, &now, w->err);

	if (r)
		return r;
	if (!now.made)
		r = gb_fail(w->err, EINVAL, "%s was not made by grub-mkconfig, which would overwrite it; add "
			    "the words to it by hand", cfg);
	/* 10_linux writes none when root is on a loop device, or is switched off */
	else if (!now.entries)
		r = gb_fail(w->err, EINVAL, "%s boots no kernel of 10_linux; its entries are somebody's own, "
			    "so add the words there", cfg);
	*ret = !r && !gb_grubcfg_check(&now, &goal, NULL);
	language_of(w, &now, ret_language, size);
	gb_grubcfg_clear(&now);
	return r;
}

static int regenerate(struct gb_cmdwork *w, bool changed)
{
	const char *cfg = gb_cmdplan_grub_cfg(w->host);
	bool current = false;
	char language[64];
	int r;

	if (!cfg)
		return gb_fail(w->err, EINVAL, "GRUB's configuration is not to be found; is /boot mounted?");
	r = is_current(w, cfg, &current, language, sizeof(language));
	if (r || (!changed && current))
		return r;
	return build_cfg(w, cfg, language);
}

/* ---- its sources ----------------------------------------------------------------------- */

static int write_source(struct gb_cmdwork *w, const struct gb_grubplan_file *file, bool *ret)
{
	int r;

	*ret = !file->old != !file->text ||
	       (file->old && file->text && strcmp(file->old, file->text) != 0);
	if (!*ret)
		return 0;
	if (file->text && !file->old && !strcmp(file->path, GB_GRUB_DROP_IN))
		gb_cmdwork_note_folder(w, GB_GRUB_FOLDER);
	if (file->text)
		return gb_cmdwork_write(w, file->path, file->text, strlen(file->text),
					gb_cmdwork_reason(w));
	r = gb_plan_remove(w->plan, &w->host->store, file->path, "nothing is left in it", w->err);
	w->changed = w->changed || r > 0;
	if (r >= 0 && w->back)
		r = gb_footprint_remove_folder(w->footprint, GB_GRUB_FOLDER, GB_GRUB_DROP_IN,
					       &w->host->store, w->plan, w->err);
	return r < 0 ? r : 0;
}

/* A word that another file or variable has is not missing in the one that is changed. */
static int note(struct gb_cmdwork *w, const char *path, const struct gb_grubplan *grub)
{
	struct gb_cmdwork some = *w;
	struct gb_want *want;
	bool *known;
	int r;

	if (w->back || !w->footprint)
		return 0;
	want = calloc(w->wants + 1, sizeof(*want));
	known = calloc(w->wants + 1, sizeof(*known));
	some.want = want;
	some.known = known;
	some.wants = 0;
	for (size_t i = 0; want && known && i < w->wants; i++) {
		if (!grub->was[i]) {
			known[some.wants] = w->known[i];
			want[some.wants++] = w->want[i];
		} else if (!w->known[i] && w->want[i].mode != GB_WANT_GONE &&
			   w->want[i].mode != GB_WANT_NO_NAME) {
			gb_footprint_add(w->footprint, GB_TRACE_SEEN, path, w->want[i].word, NULL);
		}
	}
	r = want && known ? gb_cmdwork_note(&some, path, grub->file[0].line)
			  : gb_fail(w->err, ENOMEM, "out of memory");
	free(want);
	free(known);
	return r;
}

static void note_other(struct gb_cmdwork *w, const struct gb_grubplan_file *file)
{
	for (size_t i = 0; i < file->swaps && !w->back && w->footprint; i++)
		gb_footprint_add(w->footprint, GB_TRACE_REPLACED, file->path, file->swap[i].now,
				 file->swap[i].was);
}

/* Words that were taken out of a person's files. */
static int take_back_others(struct gb_cmdwork *w, struct gb_grubplan *grub)
{
	int r = 0;

	for (size_t i = w->footprint->traces; i-- > 0 && !r;) {
		const struct gb_trace *trace = &w->footprint->trace[i];
		const struct gb_want want = { GB_WANT_SWAP, trace->text, trace->was };

		if (trace->kind != GB_TRACE_REPLACED)
			continue;
		if (!strcmp(trace->path, GB_GRUB_FILE) ||
		    (!strncmp(trace->path, GB_GRUB_FOLDER "/", strlen(GB_GRUB_FOLDER "/")) &&
		     strcmp(trace->path, GB_GRUB_DROP_IN) != 0))
			r = gb_grubplan_other(w->host->root, trace->path, &want, 1, grub, w->err);
	}
	return r;
}

int gb_cmdwork_grub(struct gb_cmdwork *w, bool drop_in)
{
	const char *path = drop_in ? GB_GRUB_DROP_IN : GB_GRUB_FILE;
	const bool entries = w->host->loader->backend == GB_BACKEND_GRUB_BLS;
	struct gb_wordtrace_wants wants = { 0 };
	struct gb_grubplan grub = { 0 };
	bool changed = false, one = false;
	int r = gb_cmdwork_wants(w, path, false, &wants);

	if (!r)
		r = gb_grubplan_make(w->host->root, drop_in, entries, w->back, wants.want, wants.wants,
				     &grub, w->err);
	if (!r)
		r = note(w, path, &grub);
	if (!r && w->back && drop_in)
		r = take_back_others(w, &grub);
	for (size_t i = grub.files; i-- > 0 && !r;) {
		note_other(w, &grub.file[i]);
		r = write_source(w, &grub.file[i], &one);
		changed = changed || one;
	}
	/* with entries of their own, grub.cfg has no words of ours; with copies, it is theirs */
	if (!r && !entries && w->host->loader->regenerate[0] &&
	    strstr(w->host->loader->regenerate[0], "mkconfig")) {
		r = set_goal(w, &grub, &wants);
		if (!r)
			r = regenerate(w, changed);
	}
	free(wants.want);
	gb_grubplan_clear(&grub);
	return r;
}

/* ---- proof ----------------------------------------------------------------------------- */

int gb_cmdplan_prove(struct gb_host *host, const struct gb_cmdplan_report *report,
		     const struct gb_plan *plan, size_t step, struct gb_err *err)
{
	const struct gb_grubcfg_goal goal = { report->carry, report->clean, report->gone };
	const struct gb_step *made = &plan->step[step];
	const char *cfg = gb_cmdplan_grub_cfg(host);
	struct gb_grubcfg old = { 0 }, now = { 0 };
	char staged[64];
	int r;

	if (!cfg || !made->argv || !made->touches)
		return 0;
	staged_path(cfg, staged, sizeof(staged));
	if (strcmp(made->touch[0].path, staged))
		return 0;
	r = read_cfg(host, staged, &now, err);
	if (r)
		return r;
	r = read_cfg(host, cfg, &old, err);
	if (!r) {
		r = gb_grubcfg_replaces(&now, &old, host->root, err);
		gb_grubcfg_clear(&old);
	}
	if (!r)
		r = gb_grubcfg_check(&now, &goal, err);
	if (r)
		gb_wrap(err, "the new %s", cfg);
	gb_grubcfg_clear(&now);
	return r;
}
