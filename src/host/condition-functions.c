/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "err.h"
#include "text.h"

struct search {
	struct gb_condition *c;
	bool *covered; /* nodes that a row is for */
};

static struct gb_condition_function *add(struct search *s)
{
	struct gb_condition *c = s->c;
	struct gb_condition_function *more =
		realloc(c->function, (c->functions + 1) * sizeof(*more));

	if (!more)
		return NULL;
	c->function = more;
	more = &more[c->functions++];
	memset(more, 0, sizeof(*more));
	more->node = GB_NOWHERE;
	return more;
}

static void place(struct search *s, struct gb_condition_function *f, int node)
{
	const struct gb_survey *survey = s->c->survey;

	if (node == GB_NOWHERE)
		return;
	f->node = node;
	f->bdf = survey->topology.node[node].device->bdf;
	gb_text_copy(f->driver, sizeof(f->driver), gb_survey_driver(survey, node));
	s->covered[node] = true;
}

static int node_at(const struct gb_survey *survey, const struct gb_line *line)
{
	for (size_t i = 0; i < survey->topology.nodes; i++) {
		const struct gb_device *device = survey->topology.node[i].device;

		if (gb_path_equal(&device->path, &line->path) &&
		    gb_identity_match(&line->id, &device->id))
			return (int)i;
	}
	return GB_NOWHERE;
}

/* A line of the configured claims, where this machine resolves it to. */
static int configured_node(const struct gb_survey *survey, size_t line)
{
	const struct gb_verdict *verdict = &survey->verdict[line];

	if (!survey->claims.line[line].keep && verdict->device != GB_NOWHERE &&
	    gb_decision_acts(verdict->decision))
		return survey->topology.at[verdict->device];
	return node_at(survey, &survey->claims.line[line]);
}

static bool add_configured(struct search *s)
{
	const struct gb_claims *claims = &s->c->configured.claims;

	for (size_t i = 0; i < claims->lines; i++) {
		struct gb_condition_function *f = add(s);

		if (!f)
			return false;
		f->path = claims->line[i].path;
		f->id = claims->line[i].id;
		f->configured = &claims->line[i];
		/* the survey has read the same file, a moment ago */
		place(s, f, i < s->c->survey->claims.lines ? configured_node(s->c->survey, i) :
							     node_at(s->c->survey, f->configured));
	}
	return true;
}

/* The last that was recorded of a line: a late claim comes after the boot's. */
static const struct gb_account_device *find_account(const struct gb_account *account,
						    unsigned line)
{
	for (size_t i = account->devices; i-- > 0;)
		if (account->device[i].line == line)
			return &account->device[i];
	return NULL;
}

static struct gb_condition_function *find_line(struct gb_condition *c, const struct gb_line *line)
{
	for (size_t i = 0; i < c->functions; i++)
		if (!c->function[i].booted && gb_path_equal(&c->function[i].path, &line->path) &&
		    gb_identity_equal(&c->function[i].id, &line->id))
			return &c->function[i];
	return NULL;
}

static bool add_booted(struct search *s)
{
	struct gb_condition *c = s->c;

	for (size_t i = 0; i < c->booted.claims.lines; i++) {
		const struct gb_line *line = &c->booted.claims.line[i];
		struct gb_condition_function *f = find_line(c, line);

		if (!f && !(f = add(s)))
			return false;
		f->path = line->path;
		f->id = line->id;
		f->booted = line;
		f->account = find_account(&c->account, line->number);
		if (f->account && f->account->placed)
			place(s, f, gb_survey_find(c->survey, f->account->bdf));
		else if (f->node == GB_NOWHERE)
			place(s, f, node_at(c->survey, line));
	}
	return true;
}

static bool add_displays(struct search *s)
{
	const struct gb_topology *topology = &s->c->survey->topology;

	for (size_t i = 0; i < topology->nodes; i++) {
		const struct gb_device *device = topology->node[i].device;
		struct gb_condition_function *f;

		if (s->covered[i] || GB_BASE_CLASS(device->id.class) != GB_CLASS_DISPLAY)
			continue;
		f = add(s);
		if (!f)
			return false;
		f->path = device->path;
		f->id = device->id;
		place(s, f, (int)i);
	}
	return true;
}

static int by_address(const void *a, const void *b)
{
	const struct gb_condition_function *x = a, *y = b;
	const uint64_t one = (uint64_t)x->bdf.domain << 16 | x->bdf.bus << 8 | x->bdf.devfn;
	const uint64_t other = (uint64_t)y->bdf.domain << 16 | y->bdf.bus << 8 | y->bdf.devfn;

	if ((x->node == GB_NOWHERE) != (y->node == GB_NOWHERE))
		return x->node == GB_NOWHERE ? 1 : -1;
	return (one > other) - (one < other);
}

int gb_condition_functions(struct gb_condition *c, struct gb_err *err)
{
	struct search s = { c, calloc(c->survey->topology.nodes + 1, sizeof(bool)) };
	bool good = s.covered && add_configured(&s) && add_booted(&s) && add_displays(&s);

	free(s.covered);
	if (c->functions)
		qsort(c->function, c->functions, sizeof(*c->function), by_address);
	return good ? 0 : gb_fail(err, ENOMEM, "out of memory");
}

const char *gb_condition_became(const struct gb_condition *condition,
				const struct gb_condition_function *function)
{
	static const struct {
		const char *decision, *result, *words;
	} table[] = {
		{ "moved", "bound", "moved" },	 { NULL, "bound", "claimed" },
		{ NULL, "held", "held" },	 { NULL, "given-back", "given back" },
		{ NULL, "in-use", "in use" },	 { NULL, "failed", "failed" },
		{ "keep", NULL, "kept" },	 { "refused", NULL, "refused" },
		{ "mismatch", NULL, "mismatch" }, { "ambiguous", NULL, "ambiguous" },
		{ "absent", NULL, "absent" },
	};
	const struct gb_account_device *account = function->account;

	if (condition->booted.there == GB_CANNOT_TELL || condition->booted.armed == GB_CANNOT_TELL)
		return "cannot tell";
	if (!function->booted)
		return "-";
	if (function->booted->keep)
		return "kept";
	if (condition->booted.armed == GB_NO)
		return "not armed";
	for (size_t i = 0; account && i < sizeof(table) / sizeof(*table); i++)
		if ((!table[i].decision || !strcmp(table[i].decision, account->decision)) &&
		    (!table[i].result || !strcmp(table[i].result, account->result)))
			return table[i].words;
	return "cannot tell";
}
