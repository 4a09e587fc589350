/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmdline-state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"
#include "cmdlinefile.h"
#include "cmdplan.h"
#include "err.h"
#include "grubcfg.h"
#include "grubfile.h"
#include "host.h"
#include "root.h"

static struct gb_cmdline_place *add_place(struct gb_cmdline_state *s, const char *kind,
					  const char *path)
{
	struct gb_cmdline_place *place = &s->place[s->places];

	if (s->places == GB_CMDLINE_PLACES_MAX)
		return NULL;
	s->places++;
	place->kind = kind;
	gb_text_copy(place->path, sizeof(place->path), path);
	gb_text_copy(place->where, sizeof(place->where), path);
	return place;
}

static void set_line(struct gb_cmdline_state *s, struct gb_cmdline_place *place, const char *line)
{
	place->line = strdup(line);
	s->failed |= !place->line;
}

/* ---- GRUB ---------------------------------------------------------------------------- */

static void look_at_variable(struct gb_cmdline_state *s, const struct gb_grub *grub,
			     const char *name)
{
	const struct gb_grub_value *value;
	const char *line = gb_grub_get(grub, name, &value);
	struct gb_cmdline_place *place;

	place = add_place(s, "grub-default", value && value->file ? value->file : GB_GRUB_FILE);
	if (!place)
		return;
	if (value && value->file)
		snprintf(place->where, sizeof(place->where), "%s, as of %s:%u", name, value->file,
			 value->line);
	else
		snprintf(place->where, sizeof(place->where), "%s, set nowhere", name);
	if (line)
		set_line(s, place, line);
	else
		gb_text_copy(place->why, sizeof(place->why), value && value->why ? value->why :
			     "cannot tell");
}

static void look_at_cfg(struct gb_host *host, struct gb_cmdline_state *s)
{
	const char *path = gb_cmdplan_grub_cfg(host);
	const struct gb_grubcfg_goal goal = { .carry = s->next };
	struct gb_grubcfg cfg;
	struct gb_err err = { "" };
	size_t len;
	char *data;
	int r;

	if (!path || !s->next)
		return;
	r = gb_root_read_all(host->root, path, GB_GRUBCFG_MAX, &data, &len);
	if (r) {
		gb_text_addf(&s->stale, "%s can't be read: %s", path, strerror(-r));
		return;
	}
	if (!gb_grubcfg_parse(data, len, &cfg, &err)) {
		if (gb_grubcfg_check(&cfg, &goal, &err))
			gb_text_addf(&s->stale, "%s is older than that: %s", path, err.text);
		gb_grubcfg_clear(&cfg);
	} else {
		gb_text_addf(&s->stale, "%s: %s", path, err.text);
	}
	free(data);
}

static void look_at_grub(struct gb_host *host, struct gb_cmdline_state *s)
{
	const enum gb_backend backend = host->loader->backend;
	struct gb_err err = { "" };
	const char *always, *more;
	struct gb_grub grub;
	struct gb_cmdline_place *place;

	if (gb_grub_load(host->root, backend == GB_BACKEND_GRUB_DROP_IN, NULL, &grub, &err)) {
		place = add_place(s, "grub-default", GB_GRUB_FILE);
		if (place)
			gb_text_copy(place->why, sizeof(place->why), err.text);
	}
	look_at_variable(s, &grub, GB_GRUB_ALWAYS);
	look_at_variable(s, &grub, GB_GRUB_DEFAULT);
	always = gb_grub_get(&grub, GB_GRUB_ALWAYS, NULL);
	more = gb_grub_get(&grub, GB_GRUB_DEFAULT, NULL);
	if (always && more && backend != GB_BACKEND_GRUB_BLS) {
		s->failed |= asprintf(&s->next, "%s%s%s", always, *always && *more ? " " : "", more) < 0;
		if (!s->failed)
			look_at_cfg(host, s);
	}
	gb_grub_clear(&grub);
}

/* ---- files of one line ------------------------------------------------------------------ */

static void look_at_kernel(struct gb_host *host, struct gb_cmdline_state *s)
{
	struct gb_cmdline_place *place = add_place(s, "kernel-cmdline", GB_CMDLINE_FILE);
	struct gb_err err = { "" };
	size_t len, line;
	char *data;
	int r = gb_root_read_all(host->root, GB_CMDLINE_FILE, GB_CMDLINE_FILE_MAX, &data, &len);

	if (!place)
		return;
	if (r) {
		gb_text_copy(place->why, sizeof(place->why), strerror(-r));
		return;
	}
	if (gb_cmdline_file_line(data, len, &line, &err)) {
		gb_text_copy(place->why, sizeof(place->why), err.text);
	} else {
		data[line] = '\0';
		set_line(s, place, data);
	}
	free(data);
}

static void take_entry(struct gb_host *host, struct gb_cmdline_state *s,
		       struct gb_cmdline_place *place, const char *data, size_t len)
{
	const bool grub = host->loader->backend == GB_BACKEND_GRUB_BLS;
	struct gb_err err = { "" };
	const char *why, *line;
	struct gb_bls bls;

	why = gb_cmdplan_left_alone(host, place->path, data, len, s->running ? s->running : "");
	if (why && *why) {
		place->left = true;
		gb_text_copy(place->why, sizeof(place->why), why);
	}
	if (gb_bls_parse(data, len, &bls, &err)) {
		gb_text_copy(place->why, sizeof(place->why), err.text);
		return;
	}
	line = grub ? bls.grub_options : bls.options;
	set_line(s, place, line ? line : "");
	if (!place->left && !strcmp(place->path, host->loader->entry) && place->line) {
		s->next = strdup(place->line);
		s->failed |= !s->next;
	}
	gb_bls_clear(&bls);
}

static void look_at_entry(struct gb_host *host, struct gb_cmdline_state *s, const char *path)
{
	struct gb_cmdline_place *place = add_place(s, "entry", path);
	size_t len;
	char *data;
	int r = gb_root_read_all(host->root, path, GB_BLS_MAX, &data, &len);

	if (!place)
		return;
	if (r) {
		gb_text_copy(place->why, sizeof(place->why), strerror(-r));
		return;
	}
	take_entry(host, s, place, data, len);
	free(data);
}

/* ---- what will be different -------------------------------------------------------------- */

/* What the loader or the image adds, and what of root= GRUB's script makes by itself. */
static bool is_loaders(const struct gb_argument *a)
{
	static const char *const names[] = { "BOOT_IMAGE", "initrd", "root", "ro", "rw", "rootflags",
					     "systemd.machine_id" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(a->name, names[i]))
			return true;
	return strchr(a->name, '$') || (a->value && strchr(a->value, '$'));
}

/* The words of `line` that `other` lacks. */
static void beyond(struct gb_cmdline_state *s, const char *line, const char *other,
		   struct gb_arguments *ret)
{
	struct gb_arguments all = { 0 };
	size_t kept = 0;

	if (gb_arguments_parse(line, strlen(line), ret) ||
	    gb_arguments_parse(other, strlen(other), &all)) {
		gb_arguments_clear(ret);
		s->failed = true;
		return;
	}
	for (size_t i = 0; i < ret->arguments; i++) {
		struct gb_argument a = ret->argument[i];
		struct gb_arguments one = { .argument = &a, .arguments = 1, .kernel = 1 };

		if (i < ret->kernel && !is_loaders(&a) && gb_arguments_lacking(&all, &one)) {
			ret->argument[kept++] = a;
		} else {
			free(a.name);
			free(a.value);
		}
	}
	ret->arguments = ret->kernel = kept;
	gb_arguments_clear(&all);
}

void gb_cmdline_look(struct gb_host *host, struct gb_cmdline_state *s)
{
	const struct gb_loader *loader = host->loader;

	*s = (struct gb_cmdline_state){ .loader = loader };
	if (gb_cmdline_running(host->root, &s->running, NULL))
		s->running = NULL;
	else
		s->running[strcspn(s->running, "\n")] = '\0';
	for (size_t i = 0; i < loader->sources; i++)
		switch (loader->source[i].kind) {
		case GB_CMDLINE_GRUB: look_at_grub(host, s); break;
		case GB_CMDLINE_KERNEL: look_at_kernel(host, s); break;
		case GB_CMDLINE_ENTRY: look_at_entry(host, s, loader->source[i].path); break;
		case GB_CMDLINE_DROP_IN: break; /* with the variables */
		}
	for (size_t i = 0; i < s->places && !s->next; i++)
		if (!strcmp(s->place[i].kind, "kernel-cmdline") && s->place[i].line)
			s->next = strdup(s->place[i].line);
	if (s->next && s->running) {
		beyond(s, s->next, s->running, &s->come);
		beyond(s, s->running, s->next, &s->go);
	}
}

void gb_cmdline_state_clear(struct gb_cmdline_state *s)
{
	for (size_t i = 0; i < s->places; i++)
		free(s->place[i].line);
	gb_arguments_clear(&s->come);
	gb_arguments_clear(&s->go);
	gb_text_clear(&s->stale);
	free(s->running);
	free(s->next);
	*s = (struct gb_cmdline_state){ 0 };
}
