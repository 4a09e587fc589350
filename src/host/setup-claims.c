/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "setup-claims.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "claimsfile.h"
#include "err.h"
#include "host.h"
#include "root.h"
#include "survey.h"
#include "target.h"

int gb_setup_read_claims(struct gb_setup *setup, struct gb_err *err)
{
	int r = gb_root_read_all(setup->host->root, GB_CLAIMS_FILE, GB_CLAIMS_SIZE_MAX,
				 &setup->claims, &setup->claims_len);

	if (r == -ENOENT)
		return 0;
	if (r)
		return gb_fail(err, -r, GB_CLAIMS_FILE ": %s", strerror(-r));
	gb_text_add(&setup->wanted, setup->claims, setup->claims_len);
	setup->wants_claims = true;
	return setup->wanted.failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
}

bool gb_setup_arms_always(const struct gb_setup *setup)
{
	struct gb_claims claims;
	const char *text = setup->wanted.data ? setup->wanted.data : "";
	bool always = !gb_claims_parse(text, setup->wanted.len, &claims, NULL) && claims.arm_always;

	gb_claims_clear(&claims);
	return always;
}

static int change_claims(struct gb_setup *setup, const struct gb_wish *wish, size_t wishes,
			 struct gb_err *err)
{
	struct gb_claims_text now = { 0 };
	int r = gb_claimsfile_change(setup->wants_claims ? setup->wanted.data : NULL,
				     setup->wants_claims ? setup->wanted.len : 0, wish, wishes,
				     &setup->footprint, &now, err);

	if (r) {
		gb_claims_text_clear(&now);
		return r;
	}
	if (!setup->wants_claims) {
		if (!gb_root_exists(setup->host->root, GB_CLAIMS_FOLDER))
			gb_footprint_add(&setup->footprint, GB_TRACE_MADE, GB_CLAIMS_FOLDER, NULL, NULL);
		gb_footprint_add(&setup->footprint, GB_TRACE_MADE, GB_CLAIMS_FILE, NULL, NULL);
	}
	setup->wants_claims = true;
	gb_text_clear(&setup->wanted);
	setup->wanted = now.text;
	now.text = (struct gb_text){ 0 };
	gb_claims_text_clear(&now);
	return 0;
}

int gb_setup_wish_for(struct gb_setup *setup, const struct gb_target *target,
		    const char *const *title, struct gb_err *err)
{
	struct gb_wish *wish = calloc(target->items + 1, sizeof(*wish));
	int r;

	if (!wish)
		return gb_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < target->items; i++)
		wish[i] = (struct gb_wish){
			.mode = target->item[i].line.keep ? GB_WISH_KEEP : GB_WISH_CLAIM,
			.line = target->item[i].line,
			.title = title ? title[i] : NULL,
		};
	r = change_claims(setup, wish, target->items, err);
	free(wish);
	return r;
}

/* A display that is given back stays with the host from now on. */
int gb_setup_wish_back(struct gb_setup *setup, const struct gb_target *target, struct gb_err *err)
{
	struct gb_wish *wish = calloc(2 * target->claims + 1, sizeof(*wish));
	size_t wishes = 0;
	int r;

	if (!wish)
		return gb_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < target->claims; i++)
		wish[wishes++] = (struct gb_wish){ .mode = GB_WISH_FREE,
						   .line = target->item[i].line };
	for (size_t i = 0; i < target->claims; i++) {
		if (!gb_device_is_display(setup->survey->topology.node[target->item[i].node].device))
			continue;
		wish[wishes] = (struct gb_wish){ .mode = GB_WISH_KEEP,
						 .line = target->item[i].line };
		wish[wishes++].line.keep = true;
	}
	r = change_claims(setup, wish, wishes, err);
	free(wish);
	return r;
}

/* What we wrote is taken out; a file that was ours and has nothing else in it goes. */
int gb_setup_restore_claims(struct gb_setup *setup, struct gb_err *err)
{
	const bool made = gb_footprint_next(&setup->footprint, GB_TRACE_MADE, GB_CLAIMS_FILE, NULL);
	struct gb_claims_text now = { 0 };
	size_t left = 0;
	int r;

	if (!setup->wants_claims)
		return 0;
	r = gb_claimsfile_restore(setup->wanted.data, setup->wanted.len, &setup->footprint, &now,
				  &left, err);
	if (!r) {
		gb_text_clear(&setup->wanted);
		setup->wanted = now.text;
		now.text = (struct gb_text){ 0 };
		setup->wants_claims = !(made && now.bare);
	}
	if (!r && left)
		gb_text_addf(&setup->left, GB_CLAIMS_FILE ": what was changed since stays, %zu line%s\n",
			     left, left == 1 ? "" : "s");
	gb_claims_text_clear(&now);
	return r;
}

int gb_setup_plan_claims(struct gb_setup *setup, const char *why, struct gb_err *err)
{
	int r;

	if (setup->wants_claims)
		r = gb_plan_write(&setup->plan, &setup->host->store, GB_CLAIMS_FILE,
				  setup->wanted.data, setup->wanted.len, 0644, why, err);
	else if (setup->claims)
		r = gb_plan_remove(&setup->plan, &setup->host->store, GB_CLAIMS_FILE, why, err);
	else
		r = 0;
	if (r >= 0 && !setup->wants_claims &&
	    gb_footprint_next(&setup->footprint, GB_TRACE_MADE, GB_CLAIMS_FOLDER, NULL))
		r = gb_plan_remove(&setup->plan, &setup->host->store, GB_CLAIMS_FOLDER,
				   "it was made for that file", err);
	return r < 0 ? r : 0;
}

/* Does the wanted text still claim anything? */
int gb_setup_claims_left(const struct gb_setup *setup, bool *ret, struct gb_err *err)
{
	struct gb_claims claims;
	int r = gb_claims_parse(setup->wanted.data, setup->wanted.len, &claims, err);

	*ret = false;
	for (size_t i = 0; !r && i < claims.lines; i++)
		*ret = *ret || !claims.line[i].keep;
	gb_claims_clear(&claims);
	return r;
}

bool gb_setup_still_claims(const struct gb_setup *setup)
{
	bool left;

	return setup->wants_claims && gb_setup_arms_always(setup) &&
	       !gb_setup_claims_left(setup, &left, NULL) && left;
}
