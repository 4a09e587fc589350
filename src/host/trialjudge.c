/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trialjudge.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "claims.h"
#include "observation.h"
#include "text.h"
#include "warning.h"

#define NVIDIA 0x10de
#define OWN_UNIT "ghost-boot-confirm.service" /* it fails where it can't judge or keep a trial */
#define NAME_MAX_SHOWN 256

struct judge {
	const struct gb_observation *before, *after;
	const struct gb_claims *claims;
	struct gb_checks *checks;
	size_t begun; /* checks that were there when a kind was begun */
};

/* ---- saying it --------------------------------------------------------------------------- */

/* Names of interfaces, units and file systems may be anything. */
static const char *harmless(const char *name, char ret[static NAME_MAX_SHOWN])
{
	struct gb_text text = { 0 };

	gb_text_add_harmless(&text, name);
	gb_text_copy(ret, NAME_MAX_SHOWN, text.failed || !text.data ? "" : text.data);
	gb_text_clear(&text);
	return ret;
}

static void begin(struct judge *j)
{
	j->begun = j->checks->checks;
}

static void end(struct judge *j, const char *id, const char *all_is_well)
{
	if (j->checks->checks == j->begun)
		gb_check(j->checks, id, GB_PASS, "system", "%s", all_is_well);
}

/* False, and why, when there is nothing to compare. */
static bool can_compare(struct judge *j, enum gb_fact_kind kind, const char *id, const char *what)
{
	if (j->after->blind[kind])
		gb_check(j->checks, id, GB_UNKNOWN, "system", "%s can't be told", what);
	else if (j->before->blind[kind])
		gb_check(j->checks, id, GB_WARN, "system", "%s could not be told before the trial",
			 what);
	return !j->after->blind[kind] && !j->before->blind[kind];
}

/* ---- what the claims explain ------------------------------------------------------------- */

static bool is_claimed(const struct judge *j, const char *place)
{
	char path[GB_PATH_MAX];

	for (size_t i = 0; i < j->claims->lines; i++)
		if (!j->claims->line[i].keep &&
		    !strcmp(place, gb_path_format(&j->claims->line[i].path, path)))
			return true;
	return false;
}

/* Of what it hung on before: now it may be on nothing. */
static bool hung_on_claim(const struct judge *j, const char *name)
{
	for (size_t i = 0; i < j->before->facts; i++) {
		const struct gb_fact *fact = &j->before->fact[i];

		if (fact->kind == GB_FACT_PLACE && !strcmp(fact->name, name) &&
		    is_claimed(j, fact->value))
			return true;
	}
	return false;
}

/* Every display that stays has a keep line. */
static bool took_last_nvidia(const struct judge *j)
{
	bool took = false;

	for (size_t i = 0; i < j->claims->lines; i++) {
		const struct gb_line *line = &j->claims->line[i];

		if (line->id.vendor != NVIDIA ||
		    GB_BASE_CLASS(line->id.class) != GB_CLASS_DISPLAY)
			continue;
		if (line->keep)
			return false;
		took = true;
	}
	return took;
}

/* ---- each kind --------------------------------------------------------------------------- */

static void judge_claims(struct judge *j)
{
	begin(j);
	for (size_t i = 0; i < j->claims->lines; i++) {
		const struct gb_line *line = &j->claims->line[i];
		const struct gb_fact *fact;
		char path[GB_PATH_MAX];

		if (line->keep)
			continue;
		gb_path_format(&line->path, path);
		fact = gb_observation_find(j->after, GB_FACT_CLAIM, path, NULL);
		if (!fact)
			gb_check(j->checks, "trial-claim", GB_FAIL, path,
				 "what is to be claimed is not there");
		else if (!gb_text_same_module(fact->value, line->driver))
			gb_check(j->checks, "trial-claim", GB_FAIL, path, "%s%s, and not on %s",
				 *fact->value ? "is on " : "has no driver", fact->value,
				 line->driver);
	}
	end(j, "trial-claim", "every claim is on its driver");
}

static void compare_places(struct judge *j, const struct gb_observation *a,
			   const struct gb_observation *b, const char *format)
{
	for (size_t i = 0; i < a->facts; i++)
		if (a->fact[i].kind == GB_FACT_PLACE && !strcmp(a->fact[i].name, "/") &&
		    !gb_observation_find(b, GB_FACT_PLACE, "/", a->fact[i].value))
			gb_check(j->checks, "trial-root", GB_FAIL, "/", format, a->fact[i].value);
}

static void judge_root(struct judge *j)
{
	const struct gb_fact *now = gb_observation_find(j->after, GB_FACT_ROOT, "/", NULL);
	const struct gb_fact *was = gb_observation_find(j->before, GB_FACT_ROOT, "/", NULL);
	char shown[2][NAME_MAX_SHOWN];

	begin(j);
	if (can_compare(j, GB_FACT_ROOT, "trial-root", "what is mounted on /") &&
	    (!now || !was || strcmp(now->value, was->value)))
		gb_check(j->checks, "trial-root", GB_FAIL, "/", "is %s, and was %s",
			 now ? harmless(now->value, shown[0]) : "nothing",
			 was ? harmless(was->value, shown[1]) : "nothing");
	/* a copy of a disk says the same of itself */
	if (!j->before->blind[GB_FACT_PLACE] && !j->after->blind[GB_FACT_PLACE]) {
		compare_places(j, j->before, j->after, "is no longer on a disk at %s");
		compare_places(j, j->after, j->before, "is on a disk at %s, and was not before");
	}
	end(j, "trial-root", "/ is where it was");
}

static void judge_target(struct judge *j)
{
	char shown[NAME_MAX_SHOWN];

	begin(j);
	if (j->after->blind[GB_FACT_TARGET])
		gb_check(j->checks, "trial-target", GB_UNKNOWN, "system",
			 "whether default.target is reached can't be told");
	for (size_t i = 0; i < j->after->facts; i++) {
		const struct gb_fact *fact = &j->after->fact[i];

		if (fact->kind == GB_FACT_TARGET && strcmp(fact->value, "active"))
			gb_check(j->checks, "trial-target", GB_FAIL, harmless(fact->name, shown),
				 "is not reached: %s", fact->value);
	}
	end(j, "trial-target", "default.target is reached");
}

static void judge_units(struct judge *j)
{
	char shown[NAME_MAX_SHOWN];

	begin(j);
	if (can_compare(j, GB_FACT_FAILED, "trial-unit", "which units failed"))
		for (size_t i = 0; i < j->after->facts; i++) {
			const struct gb_fact *fact = &j->after->fact[i];

			if (fact->kind != GB_FACT_FAILED || !strcmp(fact->name, OWN_UNIT) ||
			    gb_observation_find(j->before, GB_FACT_FAILED, fact->name, NULL) ||
			    (gb_warning_fails_without_nvidia(fact->name) && took_last_nvidia(j)))
				continue;
			gb_check(j->checks, "trial-unit", GB_FAIL, harmless(fact->name, shown),
				 "failed, and did not before");
		}
	end(j, "trial-unit", "no unit failed that did not before");
}

/* What simpledrm and its like give is the firmware's last picture: the display's own driver does
 * not have it (drivers/gpu/drm/drm_connector.c, DRM_MODE_CONNECTOR_Unknown). */
static bool is_bare(const char *connector)
{
	return !strncmp(connector, "Unknown-", 8);
}

static bool has_picture(const struct gb_observation *seen, const char *place, bool bare_counts)
{
	for (size_t i = 0; i < seen->facts; i++)
		if (seen->fact[i].kind == GB_FACT_PICTURE && !strcmp(seen->fact[i].name, place) &&
		    (bare_counts || !is_bare(seen->fact[i].value)))
			return true;
	return false;
}

/* Monitors may be switched off between two boots: one of a display's connectors is enough. */
static void judge_picture(struct judge *j, const char *place)
{
	const bool bare = !has_picture(j->before, place, false);

	if (is_claimed(j, place) || has_picture(j->after, place, bare) ||
	    gb_checks_have(j->checks, "trial-picture", place))
		return;
	gb_check(j->checks, "trial-picture", GB_FAIL, place,
		 has_picture(j->after, place, true)
			 ? "shows only the firmware's picture: its driver does not have it"
			 : "had a monitor with a picture, and has none");
}

static void judge_pictures(struct judge *j)
{
	begin(j);
	if (can_compare(j, GB_FACT_PICTURE, "trial-picture", "which displays have a picture"))
		for (size_t i = 0; i < j->before->facts; i++)
			if (j->before->fact[i].kind == GB_FACT_PICTURE)
				judge_picture(j, j->before->fact[i].name);
	end(j, "trial-picture", "every display that stays and had a picture has one");
}

/* An interface may have another name in another boot: then it is known by its address. */
static const char *name_now(const struct judge *j, const char *name)
{
	const struct gb_fact *was = gb_observation_find(j->before, GB_FACT_LINK, name, NULL);

	if (!was || !*was->value || gb_observation_find(j->after, GB_FACT_LINK, name, was->value))
		return name;
	for (size_t i = 0; i < j->after->facts; i++)
		if (j->after->fact[i].kind == GB_FACT_LINK &&
		    !strcmp(j->after->fact[i].value, was->value))
			return j->after->fact[i].name;
	return name;
}

static void judge_links(struct judge *j)
{
	char shown[NAME_MAX_SHOWN];

	begin(j);
	if (can_compare(j, GB_FACT_LINK, "trial-link", "which network links are up"))
		for (size_t i = 0; i < j->before->facts; i++) {
			const struct gb_fact *fact = &j->before->fact[i];

			if (fact->kind != GB_FACT_LINK || hung_on_claim(j, fact->name) ||
			    gb_observation_find(j->after, GB_FACT_LINK, name_now(j, fact->name),
						NULL))
				continue;
			gb_check(j->checks, "trial-link", GB_FAIL, harmless(fact->name, shown),
				 "the link was up, and is not");
		}
	end(j, "trial-link", "every network link that was up is up");
}

static void judge_routes(struct judge *j)
{
	char shown[NAME_MAX_SHOWN];

	begin(j);
	if (can_compare(j, GB_FACT_ROUTE, "trial-route", "which default routes there are"))
		for (size_t i = 0; i < j->before->facts; i++) {
			const struct gb_fact *fact = &j->before->fact[i];

			if (fact->kind != GB_FACT_ROUTE || hung_on_claim(j, fact->name) ||
			    gb_observation_find(j->after, GB_FACT_ROUTE, name_now(j, fact->name),
						fact->value))
				continue;
			gb_check(j->checks, "trial-route", GB_FAIL, harmless(fact->name, shown),
				 "there was a default route over it (%s), and is none",
				 !strcmp(fact->value, "inet") ? "IPv4" : "IPv6");
		}
	end(j, "trial-route", "every default route is there again");
}

void gb_trial_judge(const struct gb_observation *before, const struct gb_observation *after,
		    const struct gb_claims *claims, struct gb_checks *ret)
{
	struct judge j = { before, after, claims, ret, 0 };

	judge_claims(&j);
	judge_root(&j);
	judge_target(&j);
	judge_units(&j);
	judge_pictures(&j);
	judge_links(&j);
	judge_routes(&j);
}

bool gb_trial_is_good(const struct gb_checks *checks)
{
	return !checks->failed && !gb_checks_count(checks, GB_FAIL) &&
	       !gb_checks_count(checks, GB_UNKNOWN);
}
