/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observation.h"

#include <stdlib.h>
#include <string.h>

#include "recordtext.h"
#include "text.h"

static const char *const names[GB_FACT_KINDS] = {
	[GB_FACT_ROOT] = "root",       [GB_FACT_TARGET] = "target",
	[GB_FACT_FAILED] = "failed",   [GB_FACT_PICTURE] = "picture",
	[GB_FACT_LINK] = "link",       [GB_FACT_ROUTE] = "route",
	[GB_FACT_CLAIM] = "claim",     [GB_FACT_PLACE] = "place",
};

const struct gb_fact *gb_observation_find(const struct gb_observation *seen,
					  enum gb_fact_kind kind, const char *name,
					  const char *value)
{
	for (size_t i = 0; i < seen->facts; i++)
		if (seen->fact[i].kind == kind && !strcmp(seen->fact[i].name, name) &&
		    (!value || !strcmp(seen->fact[i].value, value)))
			return &seen->fact[i];
	return NULL;
}

static void put(struct gb_observation *seen, struct gb_fact fact)
{
	struct gb_fact *all = fact.name && fact.value
		? realloc(seen->fact, (seen->facts + 1) * sizeof(*all)) : NULL;

	if (!all) {
		free(fact.name);
		free(fact.value);
		seen->failed = true;
		return;
	}
	seen->fact = all;
	all[seen->facts++] = fact;
}

void gb_observation_add(struct gb_observation *seen, enum gb_fact_kind kind, const char *name,
			const char *value)
{
	if (!gb_observation_find(seen, kind, name, value))
		put(seen, (struct gb_fact){ kind, strdup(name), strdup(value) });
}

void gb_observation_clear(struct gb_observation *seen)
{
	for (size_t i = 0; i < seen->facts; i++) {
		free(seen->fact[i].name);
		free(seen->fact[i].value);
	}
	free(seen->fact);
	memset(seen, 0, sizeof(*seen));
}

void gb_observation_print(const struct gb_observation *seen, struct gb_text *text)
{
	for (size_t i = 0; i < GB_FACT_KINDS; i++)
		if (seen->blind[i])
			gb_text_addf(text, "blind %s\n", names[i]);
	for (size_t i = 0; i < seen->facts; i++) {
		gb_text_addf(text, "seen %s", names[seen->fact[i].kind]);
		gb_record_word(text, seen->fact[i].name);
		gb_record_word(text, seen->fact[i].value);
		gb_text_addf(text, "\n");
	}
}

static enum gb_fact_kind kind_of(const char *name)
{
	size_t i = 0;

	while (i < GB_FACT_KINDS && strcmp(names[i], name))
		i++;
	return (enum gb_fact_kind)i;
}

bool gb_observation_take(struct gb_observation *seen, const char *tag, struct gb_record *line)
{
	enum gb_fact_kind kind;
	char *name;

	if (strcmp(tag, "blind") && strcmp(tag, "seen"))
		return false;
	kind = kind_of(gb_record_next_raw(line));
	if (kind == GB_FACT_KINDS)
		return false;
	if (!strcmp(tag, "blind")) {
		seen->blind[kind] = true;
		return true;
	}
	name = gb_record_next_word(line);
	put(seen, (struct gb_fact){ kind, name, gb_record_next_word(line) });
	return true;
}
