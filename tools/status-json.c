/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "json.h"
#include "status.h"

static void add_known(struct gb_json *json, const char *key, enum gb_known known)
{
	if (known == GB_CANNOT_TELL)
		gb_json_null(json, key);
	else
		gb_json_bool(json, key, known == GB_YES);
}

static void add_text(struct gb_json *json, const char *key, const char *text)
{
	gb_json_string(json, key, text && *text ? text : NULL);
}

static void add_identity(struct gb_json *json, const struct gb_condition_function *f)
{
	char text[GB_PATH_MAX];

	gb_json_string(json, "bdf", f->node == GB_NOWHERE ? NULL : gb_bdf_format(f->bdf, text));
	gb_json_string(json, "path", gb_path_format(&f->path, text));
	snprintf(text, sizeof(text), "%04x:%04x", f->id.vendor, f->id.device);
	gb_json_string(json, "id", text);
	snprintf(text, sizeof(text), "%06x", f->id.class);
	gb_json_string(json, "class", text);
}

static void add_line(struct gb_json *json, const struct gb_line *line)
{
	gb_json_string(json, "role", line->keep ? "keep" : "claim");
	gb_json_string(json, "wants", line->keep ? NULL : line->driver);
}

static void add_configured(const struct gb_condition *c, struct gb_json *json)
{
	if (c->configured.there == GB_CANNOT_TELL) {
		gb_json_null(json, "configured");
		return;
	}
	gb_json_open(json, "configured", '[');
	for (size_t i = 0; i < c->functions; i++) {
		if (!c->function[i].configured)
			continue;
		gb_json_open(json, NULL, '{');
		add_identity(json, &c->function[i]);
		add_line(json, c->function[i].configured);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

static void add_booted(const struct gb_condition *c, struct gb_json *json)
{
	if (c->booted.there == GB_CANNOT_TELL) {
		gb_json_null(json, "booted");
		return;
	}
	gb_json_open(json, "booted", '[');
	for (size_t i = 0; i < c->functions; i++) {
		const struct gb_account_device *account = c->function[i].account;

		if (!c->function[i].booted)
			continue;
		gb_json_open(json, NULL, '{');
		add_identity(json, &c->function[i]);
		add_line(json, c->function[i].booted);
		add_text(json, "decision", account ? account->decision : NULL);
		add_text(json, "result", account ? account->result : NULL);
		add_text(json, "text", account ? account->text : NULL);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

static void add_users(const struct gb_condition *c, size_t function, struct gb_json *json)
{
	const struct gb_occupants *all = &c->occupants;

	if (gb_occupants_any(all, function) == GB_CANNOT_TELL) {
		gb_json_null(json, "used_by");
		return;
	}
	gb_json_open(json, "used_by", '[');
	for (size_t i = 0; i < all->occupants; i++) {
		const struct gb_occupant *one = &all->occupant[i];
		char nodes[sizeof(one->nodes)], *save = NULL;

		if (one->function != function)
			continue;
		gb_json_open(json, NULL, '{');
		gb_json_int(json, "pid", one->pid);
		add_text(json, "name", one->name);
		add_text(json, "user", one->user);
		gb_json_open(json, "nodes", '[');
		snprintf(nodes, sizeof(nodes), "%s", one->nodes);
		for (char *n = strtok_r(nodes, ", ", &save); n; n = strtok_r(NULL, ", ", &save))
			gb_json_string(json, NULL, n);
		gb_json_close(json, ']');
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

static void add_now(const struct gb_condition *c, struct gb_json *json)
{
	gb_json_open(json, "now", '[');
	for (size_t i = 0; i < c->functions; i++) {
		const struct gb_condition_function *f = &c->function[i];

		gb_json_open(json, NULL, '{');
		add_identity(json, f);
		add_text(json, "driver", f->driver);
		gb_json_string(json, "state", gb_condition_kind_name(f->kind));
		add_text(json, "text", f->text);
		if (f->node == GB_NOWHERE)
			gb_json_null(json, "used_by");
		else
			add_users(c, i, json);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
	gb_json_bool(json, "all_processes_seen", c->occupants.all);
}

static void add_words(const struct gb_condition *c, struct gb_json *json)
{
	gb_json_open(json, "armed", '{');
	add_known(json, "configured", c->configured.armed);
	add_known(json, "booted", c->booted.armed);
	gb_json_close(json, '}');
	gb_json_open(json, "words", '[');
	for (size_t i = 0; i < c->words; i++) {
		const struct gb_condition_word *word = &c->word[i];

		gb_json_open(json, NULL, '{');
		gb_json_string(json, "word", word->word);
		add_known(json, "configured", word->configured);
		gb_json_int(json, "sources", (long long)word->sources);
		gb_json_int(json, "sources_with_it", (long long)word->carry);
		add_known(json, "booted", word->booted);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

static void add_trial(const struct gb_condition_trial *trial, struct gb_json *json)
{
	const struct gb_trial *t = &trial->keeper.trial;
	char id[GB_TRIAL_ID];

	if (trial->there != GB_YES) {
		gb_json_null(json, "trial");
		return;
	}
	gb_trial_id(t->id, id);
	gb_json_open(json, "trial", '{');
	gb_json_string(json, "id", id);
	gb_json_string(json, "state", gb_trial_name(t->state));
	gb_json_bool(json, "this_boot", trial->tried);
	add_text(json, "kernel", t->kernel);
	add_text(json, "entry", t->entry);
	gb_json_string(json, "confirm", t->manual ? "manual" : "auto");
	gb_json_int(json, "seconds", t->seconds);
	gb_json_bool(json, "counted", t->counted);
	add_text(json, "reason", t->reason);
	gb_checks_json(&trial->checks, json);
	gb_json_close(json, '}');
}

static void add_loader(const struct gb_loader *loader, struct gb_json *json)
{
	gb_json_open(json, "loader", '{');
	gb_json_string(json, "name", loader->family == GB_FAMILY_NONE ?
					     NULL : gb_family_name(loader->family));
	gb_json_string(json, "backend", loader->backend == GB_BACKEND_UNKNOWN ?
						NULL : gb_backend_name(loader->backend));
	gb_json_bool(json, "usable", loader->usable);
	add_text(json, "why", loader->usable ? NULL : loader->why);
	add_text(json, "hint", loader->hint);
	gb_json_open(json, "sources", '[');
	for (size_t i = 0; i < loader->sources; i++)
		gb_json_string(json, NULL, loader->source[i].path);
	gb_json_close(json, ']');
	gb_json_close(json, '}');
}

static void add_builder(const struct gb_images *images, struct gb_json *json)
{
	gb_json_open(json, "builder", '{');
	add_text(json, "name", images->name);
	gb_json_bool(json, "usable", images->usable);
	add_text(json, "why", images->usable ? NULL : images->why);
	add_text(json, "hint", images->hint);
	gb_json_open(json, "notes", '[');
	for (size_t i = 0; i < images->notes; i++) {
		gb_json_open(json, NULL, '{');
		gb_json_string(json, "text", images->note[i].text);
		add_text(json, "fix", images->note[i].fix);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
	gb_json_close(json, '}');
}

static void add_images(const struct gb_condition *c, struct gb_json *json)
{
	gb_json_open(json, "images", '[');
	for (size_t i = 0; i < c->images.kernels; i++) {
		const struct gb_condition_image *image = &c->image[i];

		gb_json_open(json, NULL, '{');
		gb_json_string(json, "release", image->kernel->release);
		gb_json_bool(json, "running", image->kernel->running);
		gb_json_open(json, "paths", '[');
		for (size_t p = 0; p < image->kernel->places; p++)
			gb_json_string(json, NULL, image->kernel->place[p].path);
		gb_json_close(json, ']');
		gb_json_string(json, "claims", image->claims == GB_IMAGE_UNKNOWN ?
						       NULL : gb_condition_claims_name(image->claims));
		if (image->claims == GB_IMAGE_UNKNOWN)
			gb_json_null(json, "fit");
		else
			gb_json_bool(json, "fit", image->claims == GB_IMAGE_SAME);
		add_text(json, "text", image->text);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

static void add_notes(const struct gb_condition *c, struct gb_json *json)
{
	gb_json_open(json, "next", '[');
	for (size_t i = 0; i < c->notes; i++) {
		gb_json_open(json, NULL, '{');
		gb_json_string(json, "id", c->note[i].id);
		gb_json_string(json, "text", c->note[i].text);
		gb_json_string(json, "fix", c->note[i].next);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

void gb_status_json(const struct gb_status *status, struct gb_text *ret)
{
	const struct gb_condition *c = status->condition;
	struct gb_json json = { .text = ret, .first = true };

	gb_json_open(&json, NULL, '{');
	gb_json_int(&json, "version", 1);
	gb_json_string(&json, "tool", "ghost-boot " GB_VERSION);
	add_configured(c, &json);
	add_booted(c, &json);
	add_now(c, &json);
	add_words(c, &json);
	add_trial(&c->trial, &json);
	add_loader(c->host->loader, &json);
	add_builder(&c->images, &json);
	gb_json_open(&json, "journal", '{');
	add_known(&json, "open", c->journal);
	gb_json_close(&json, '}');
	add_images(c, &json);
	add_known(&json, "reboot_needed", c->reboot);
	add_notes(c, &json);
	gb_json_close(&json, '}');
	gb_text_addf(ret, "\n");
}
