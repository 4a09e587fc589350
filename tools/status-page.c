/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "paragraph.h"
#include "status.h"
#include "table.h"

enum { ADDRESS, NAME, CONFIGURED, BOOTED, NOW };

#define LABEL 12   /* columns before what is said */
#define LEAST 40   /* columns of the narrowest page */
#define USERS_SHOWN 6
#define ADDRESS_MAX (GB_PATH_MAX > GB_BDF_MAX ? GB_PATH_MAX : GB_BDF_MAX)

struct page {
	const struct gb_status *status;
	const struct gb_condition *c;
	struct gb_text *text;
	bool long_bdf; /* there are other domains than 0 */
};

/* ---- functions ------------------------------------------------------------------------ */

static bool is_shown(const struct page *page, const struct gb_condition_function *f)
{
	return page->status->all || GB_BASE_CLASS(f->id.class) == GB_CLASS_DISPLAY ||
	       (f->configured && !f->configured->keep) || (f->booted && !f->booted->keep);
}

static const char *address(const struct page *page, const struct gb_condition_function *f,
			   char ret[static ADDRESS_MAX])
{
	if (f->node == GB_NOWHERE)
		return gb_path_format(&f->path, ret);
	gb_bdf_format(f->bdf, ret);
	return page->long_bdf ? ret : strchr(ret, ':') + 1;
}

static const char *configured_text(const struct page *page, const struct gb_condition_function *f)
{
	if (page->c->configured.there == GB_CANNOT_TELL)
		return "cannot tell";
	return !f->configured ? "-" : f->configured->keep ? "keep" : "claim";
}

static enum gb_colour kind_colour(enum gb_condition_kind kind)
{
	switch (kind) {
	case GB_FUNCTION_GOOD: return GB_GREEN;
	case GB_FUNCTION_WAITS: return GB_YELLOW;
	case GB_FUNCTION_WRONG: return GB_RED;
	case GB_FUNCTION_UNKNOWN: return GB_CYAN;
	case GB_FUNCTION_FREE: break;
	}
	return GB_PLAIN;
}

static void add_function(const struct page *page, struct gb_table *table,
			 const struct gb_condition_function *f)
{
	const bool display = GB_BASE_CLASS(f->id.class) == GB_CLASS_DISPLAY;
	const enum gb_colour strong = display ? GB_BOLD : GB_PLAIN;
	char where[ADDRESS_MAX], name[GB_NAME_MAX];

	gb_names_device(page->status->context->names, &f->id, name);
	for (char *c = name; !page->status->style.utf8 && *c; c++)
		if (*c < 0)
			*c = '?';
	gb_table_row(table);
	gb_table_cell(table, strong, "%s", address(page, f, where));
	gb_table_cell(table, strong, "%s", name);
	gb_table_cell(table, GB_PLAIN, "%s", configured_text(page, f));
	gb_table_cell(table, GB_PLAIN, "%s", gb_condition_became(page->c, f));
	gb_table_cell(table, kind_colour(f->kind), "%s",
		      f->node == GB_NOWHERE ? "not there" : f->driver[0] ? f->driver : "no driver");
	if (f->text[0])
		gb_table_line(table, kind_colour(f->kind), "  %s", f->text);
}

static void add_functions(const struct page *page)
{
	static const char *const heads[] = { "ADDRESS", "NAME", "CONFIGURED", "BOOTED", "NOW" };
	struct gb_table table = { .flexible = NAME };
	size_t shown = 0;

	gb_table_row(&table);
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		gb_table_cell(&table, GB_DIM, "%s", heads[i]);
	for (size_t i = 0; i < page->c->functions; i++) {
		if (!is_shown(page, &page->c->function[i]))
			continue;
		add_function(page, &table, &page->c->function[i]);
		shown++;
	}
	if (shown)
		gb_table_text(&table, &page->status->style, page->text);
	else
		gb_text_addf(page->text, "There is no display here, and nothing is claimed.\n");
	page->text->failed |= table.failed;
	gb_table_clear(&table);
	gb_text_addf(page->text, "\n");
}

/* ---- labels ---------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5)))
static void say(const struct page *page, const char *label, enum gb_colour colour,
		const char *format, ...)
{
	const struct gb_style *style = &page->status->style;
	struct gb_style wide = *style;
	char text[1024];
	va_list args;

	if (wide.columns && wide.columns < LEAST)
		wide.columns = LEAST;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	gb_text_addf(page->text, "%s%-*s%s%s", label[0] ? gb_style_code(style, GB_DIM) : "",
		     LABEL, label, label[0] ? gb_style_code(style, GB_PLAIN) : "",
		     colour ? gb_style_code(style, colour) : "");
	gb_paragraph_add(page->text, &wide, LABEL, LABEL, text);
	gb_text_addf(page->text, "%s\n", colour ? gb_style_code(style, GB_PLAIN) : "");
}

/* This boot as a whole, where the table does not say it. */
static void add_boot(const struct page *page)
{
	const struct gb_account *account = &page->c->account;

	if (account->broken)
		say(page, "this boot", GB_CYAN, "%s can't be read", account->file);
	else if (account->file && !account->armed)
		say(page, "this boot", GB_YELLOW, "claimed nothing: %s", account->arming);
	else if (account->error[0])
		say(page, "this boot", GB_RED, "%s", account->error);
	else if (!account->file && page->c->word[0].booted == GB_YES && page->c->words)
		say(page, "this boot", GB_RED,
		    "ghost-claim did not run, though the command line has its word");
}

static void add_checks(const struct page *page)
{
	const struct gb_checks *checks = &page->c->trial.checks;

	for (size_t i = 0; i < checks->checks; i++) {
		const struct gb_check *check = &checks->check[i];

		if (check->mark != GB_PASS)
			say(page, "", check->mark == GB_FAIL ? GB_RED : GB_CYAN, "%s: %s",
			    check->subject, check->text);
	}
}

static void add_reason(const struct page *page, const char *reason)
{
	struct gb_text text = { 0 };

	gb_text_add_harmless(&text, reason);
	say(page, "", GB_RED, "%s", text.failed ? "out of memory" : text.data);
	gb_text_clear(&text);
}

/* Why a trial that is over failed; what this boot is to it, the notes say. */
static void add_trial(const struct page *page)
{
	const struct gb_condition_trial *trial = &page->c->trial;
	const struct gb_trial *t = &trial->keeper.trial;

	if (trial->error[0])
		say(page, "trial", GB_CYAN, "cannot tell: %s", trial->error);
	if (trial->there != GB_YES)
		return;
	say(page, "trial", t->state == GB_TRIAL_FAILED ? GB_RED : GB_YELLOW, "%s: %s%s%s%s",
	    gb_trial_name(t->state), t->kernel ? t->kernel : "-", t->entry && *t->entry ? ", " : "",
	    t->entry ? t->entry : "", trial->tried ? ", in this boot" : "");
	if (trial->tried)
		add_checks(page);
	else if (t->state == GB_TRIAL_FAILED && t->reason && *t->reason)
		add_reason(page, t->reason);
}

static void add_words(const struct page *page)
{
	for (size_t i = 0; i < page->c->words; i++) {
		const struct gb_condition_word *word = &page->c->word[i];
		const char *booted = word->booted == GB_YES ? "booted with it" :
				     word->booted == GB_NO  ? "booted without it" :
							      "booted with it or not: cannot tell";
		char sources[64];

		if (word->configured == GB_YES)
			snprintf(sources, sizeof(sources), "configured");
		else if (word->configured == GB_CANNOT_TELL)
			snprintf(sources, sizeof(sources), "configured: cannot tell");
		else if (word->carry)
			snprintf(sources, sizeof(sources), "configured in %zu of %zu places",
				 word->carry, word->sources);
		else
			snprintf(sources, sizeof(sources), "not configured");
		say(page, i ? "" : "words",
		    word->configured == GB_YES && word->booted == GB_YES ? GB_PLAIN : GB_YELLOW,
		    "%s: %s, %s", word->word, sources, booted);
	}
}

/* While something is tried, the images of all the other boots are as they were before. */
static enum gb_colour image_colour(const struct page *page, const struct gb_condition_image *image)
{
	return page->c->trial.open || image->claims == GB_IMAGE_SAME	 ? GB_PLAIN :
	       image->claims == GB_IMAGE_UNKNOWN ? GB_CYAN :
						   GB_RED;
}

static void add_images(const struct page *page)
{
	const struct gb_condition *c = page->c;
	size_t unread = 0, shown = 0;

	for (size_t i = 0; i < c->images.kernels; i++) {
		const struct gb_condition_image *image = &c->image[i];

		if (!image->text[0]) {
			unread++;
			continue;
		}
		say(page, shown++ ? "" : "images", image_colour(page, image), "%s%s: %s",
		    image->kernel->release, image->kernel->running ? " (running)" : "",
		    image->text);
	}
	if (unread)
		say(page, shown ? "" : "images", GB_CYAN,
		    "%zu not known: sudo ghost-boot status --images reads %s", unread,
		    unread == 1 ? "it" : "them");
}

static void add_users_of(const struct page *page, size_t function, bool first)
{
	const struct gb_condition_function *f = &page->c->function[function];
	const struct gb_occupants *all = &page->c->occupants;
	char where[ADDRESS_MAX];
	size_t shown = 0, more = 0;

	for (size_t i = 0; i < all->occupants; i++) {
		const struct gb_occupant *one = &all->occupant[i];

		if (one->function != function)
			continue;
		if (shown == USERS_SHOWN) {
			more++;
			continue;
		}
		say(page, first && !shown ? "used by" : "", GB_PLAIN, "%s%s%s (%d%s%s) has %s",
		    shown ? "" : address(page, f, where), shown ? "" : ": ", one->name, one->pid,
		    one->user[0] ? ", " : "", one->user, one->nodes);
		shown++;
	}
	if (more)
		say(page, "", GB_DIM, "and %zu more: --json lists them", more);
	if (shown)
		return;
	say(page, first ? "used by" : "", gb_occupants_any(all, function) ? GB_PLAIN : GB_CYAN,
	    "%s: %s", address(page, f, where),
	    gb_occupants_any(all, function) == GB_NO ? "nobody" : "cannot tell");
}

static void add_users(const struct page *page)
{
	bool first = true;

	for (size_t i = 0; i < page->c->functions; i++) {
		const struct gb_condition_function *f = &page->c->function[i];

		if (f->node == GB_NOWHERE || GB_BASE_CLASS(f->id.class) != GB_CLASS_DISPLAY)
			continue;
		add_users_of(page, i, first);
		first = false;
	}
	if (!first && !page->c->occupants.all)
		say(page, "", GB_CYAN, "not every process could be looked into%s",
		    geteuid() && gb_root_is_real(page->c->host->root) ? ": sudo ghost-boot status" : "");
}

static void add_programs(const struct page *page)
{
	const struct gb_loader *loader = page->c->host->loader;

	if (loader->usable)
		say(page, "loader", GB_PLAIN, "%s (%s)", gb_family_name(loader->family),
		    gb_backend_name(loader->backend));
	else
		say(page, "loader", GB_CYAN, "not usable: %s", loader->why);
	if (page->c->images.usable)
		say(page, "builder", GB_PLAIN, "%s", page->c->images.name);
	else
		say(page, "builder", GB_CYAN, "not usable: %s", page->c->images.why);
	for (size_t i = 0; i < page->c->images.notes; i++) {
		const struct gb_image_note *note = &page->c->images.note[i];

		say(page, "", GB_YELLOW, "%s%s%s", note->text, note->fix[0] ? "; " : "", note->fix);
	}
}

static void add_end(const struct page *page)
{
	const struct gb_condition *c = page->c;
	const enum gb_colour reboot = c->reboot == GB_NO  ? GB_PLAIN :
				      c->reboot == GB_YES ? GB_YELLOW :
							    GB_CYAN;

	if (c->journal != GB_NO)
		say(page, "change", c->journal == GB_YES ? GB_RED : GB_CYAN, "%s",
		    c->journal == GB_YES ? "one was interrupted, and is not brought back yet" :
					   "whether one was interrupted: cannot tell without root");
	say(page, "reboot", reboot, "%s",
	    c->reboot == GB_NO	? "not needed" :
	    c->reboot == GB_YES ? "needed" :
				  "needed or not: cannot tell");
	for (size_t i = 0; i < c->notes; i++) {
		say(page, i ? "" : "next", GB_PLAIN, "%s:", c->note[i].text);
		say(page, "", GB_BOLD, "  %s", c->note[i].next);
	}
}

void gb_status_page(const struct gb_status *status, struct gb_text *ret)
{
	struct page page = { .status = status, .c = status->condition, .text = ret };

	for (size_t i = 0; i < page.c->survey->topology.nodes; i++)
		page.long_bdf |= page.c->survey->topology.node[i].device->bdf.domain != 0;
	add_functions(&page);
	if (page.c->configured.error[0])
		say(&page, "claims", GB_RED, "%s", page.c->configured.error);
	else if (page.c->configured.there == GB_NO)
		say(&page, "claims", GB_PLAIN, "none are configured");
	add_boot(&page);
	add_trial(&page);
	add_words(&page);
	add_images(&page);
	add_users(&page);
	add_programs(&page);
	add_end(&page);
}
