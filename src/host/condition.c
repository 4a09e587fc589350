/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "condition.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "host.h"
#include "journal.h"
#include "record.h"
#include "root.h"

static int read_side(struct gb_root *root, const char *file, struct gb_condition_side *ret,
		     struct gb_err *err)
{
	struct gb_err why = { "" };
	int r = gb_root_read_all(root, file, GB_CLAIMS_SIZE_MAX, &ret->text, &ret->len);

	ret->there = r == -ENOENT ? GB_NO : r ? GB_CANNOT_TELL : GB_YES;
	if (r) {
		ret->text = NULL;
		if (r != -ENOENT)
			snprintf(ret->error, sizeof(ret->error), "%s: %s", file, strerror(-r));
		return 0;
	}
	r = gb_claims_parse(ret->text, ret->len, &ret->claims, &why);
	if (r == -ENOMEM)
		return gb_fail(err, ENOMEM, "out of memory");
	if (r)
		snprintf(ret->error, sizeof(ret->error), "%s: %.120s", file, why.text);
	return 0;
}

/* Did this boot's claims count? Without a record, ghost-claim did not run. */
static enum gb_known find_armed(const struct gb_account *account)
{
	if (!account->file)
		return GB_NO;
	if (account->broken)
		return GB_CANNOT_TELL;
	return account->armed ? GB_YES : GB_NO;
}

/* Our folder is root's alone. */
static enum gb_known find_journal(struct gb_root *root)
{
	int fd = gb_root_open_folder(root, GB_JOURNAL);

	if (fd >= 0)
		close(fd);
	return fd >= 0 ? GB_YES : fd == -ENOENT || fd == -ENOTDIR ? GB_NO : GB_CANNOT_TELL;
}

static int find_occupants(struct gb_condition *c, struct gb_err *err)
{
	struct gb_bdf *bdf = calloc(c->functions + 1, sizeof(*bdf));
	size_t there = 0;
	int r = bdf ? 0 : -ENOMEM;

	for (size_t i = 0; bdf && i < c->functions && c->function[i].node != GB_NOWHERE; i++)
		bdf[there++] = c->function[i].bdf; /* what is not there is last */
	if (!r)
		r = gb_occupants_find(c->host->root, bdf, there, &c->occupants);
	free(bdf);
	return r ? gb_fail(err, ENOMEM, "out of memory") : 0;
}

int gb_condition_read(struct gb_host *host, const struct gb_survey *survey,
		      const struct gb_condition_options *options, struct gb_condition *ret,
		      struct gb_err *err)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->host = host;
	ret->survey = survey;
	r = read_side(host->root, GB_CLAIMS_FILE, &ret->configured, err);
	if (!r)
		r = read_side(host->root, GB_RECORDS "/claims", &ret->booted, err);
	if (!r && gb_account_read(host->root, &ret->account))
		r = gb_fail(err, ENOMEM, "out of memory");
	if (r)
		return r;
	ret->booted.armed = find_armed(&ret->account);
	ret->journal = find_journal(host->root);
	gb_condition_words(ret);
	r = gb_condition_functions(ret, err);
	if (!r)
		r = find_occupants(ret, err);
	if (!r)
		r = gb_condition_images(ret, options, err);
	if (!r)
		r = gb_condition_trial(ret, err);
	if (!r)
		gb_condition_judge(ret);
	return r;
}

void gb_condition_clear(struct gb_condition *condition)
{
	gb_claims_clear(&condition->configured.claims);
	gb_claims_clear(&condition->booted.claims);
	free(condition->configured.text);
	free(condition->booted.text);
	gb_images_clear(&condition->images);
	gb_account_clear(&condition->account);
	gb_occupants_clear(&condition->occupants);
	gb_keeper_clear(&condition->trial.keeper);
	gb_checks_clear(&condition->trial.checks);
	free(condition->function);
	free(condition->image);
	memset(condition, 0, sizeof(*condition));
}

bool gb_condition_claims_any(const struct gb_claims *claims)
{
	for (size_t i = 0; i < claims->lines; i++)
		if (!claims->line[i].keep)
			return true;
	return false;
}

const char *gb_condition_kind_name(enum gb_condition_kind kind)
{
	static const char *const names[] = {
		[GB_FUNCTION_FREE] = "free", [GB_FUNCTION_GOOD] = "good",
		[GB_FUNCTION_WAITS] = "waits", [GB_FUNCTION_WRONG] = "wrong",
		[GB_FUNCTION_UNKNOWN] = "unknown",
	};

	return names[kind];
}

const char *gb_condition_claims_name(enum gb_condition_claims claims)
{
	static const char *const names[] = {
		[GB_IMAGE_UNKNOWN] = "unknown", [GB_IMAGE_SAME] = "as-configured",
		[GB_IMAGE_OTHER] = "others", [GB_IMAGE_NONE] = "none",
		[GB_IMAGE_BAD] = "as-configured", /* and `text` says what is missing */
	};

	return names[claims];
}
