/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be seen of a trial: why one that ended failed, how one works, what the loader would boot next. */
#include "trialkeeper-parts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootdefault.h"
#include "check.h"
#include "claims.h"
#include "err.h"
#include "host.h"
#include "observe.h"
#include "root.h"
#include "text.h"
#include "trialjudge.h"

#define PSTORE "/sys/fs/pstore"
#define PSTORE_KEPT "/var/lib/systemd/pstore"

/* ---- clues ------------------------------------------------------------------------------- */

static int is_dump(void *ctx, const char *name)
{
	(void)ctx;
	return !strncmp(name, "dmesg-", 6);
}

/* systemd-pstore gives each a folder, called by the second it was written at. */
static int is_later(void *ctx, const char *name)
{
	const struct gb_trial *trial = ctx;
	char *end;
	long long time = strtoll(name, &end, 10);

	return end != name && !*end && time >= trial->time;
}

static bool is_away(struct gb_root *root, const char *path)
{
	char folder[PATH_MAX];
	char *slash;

	if (gb_root_exists(root, path) || !gb_text_copy(folder, sizeof(folder), path))
		return false;
	/* an ESP that is not mounted now tells nothing */
	slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
	return slash && slash > folder && gb_root_exists(root, folder);
}

/* Its package owns modules.builtin; what depmod made stays in the folder until dpkg purges it. */
static bool is_kernel_away(struct gb_root *root, const char *release)
{
	char modules[PATH_MAX], builtin[PATH_MAX];

	snprintf(modules, sizeof(modules), "/lib/modules/%.255s", release);
	snprintf(builtin, sizeof(builtin), "/lib/modules/%.255s/modules.builtin", release);
	return is_away(root, modules) || is_away(root, builtin);
}

void gb_keeper_find_clues(struct gb_root *root, const struct gb_trial *trial, bool armed,
			  struct gb_trial_clues *ret)
{
	*ret = (struct gb_trial_clues){ .armed = armed };
	ret->kernel_gone = trial->kernel && is_kernel_away(root, trial->kernel);
	for (size_t i = 0; i < trial->images && !ret->gone; i++)
		if (is_away(root, trial->image[i]))
			ret->gone = trial->image[i];
	if (gb_root_list(root, PSTORE, is_dump, NULL) > 0)
		ret->crash = PSTORE;
	else if (gb_root_list(root, PSTORE_KEPT, is_later, (void *)trial) > 0)
		ret->crash = PSTORE_KEPT;
}

/* ---- what comes next ---------------------------------------------------------------------- */

static bool would_boot_it(struct gb_host *host, const struct gb_trial *trial)
{
	struct gb_bootdefault now;

	return trial->entry && trial->entry[0] && !gb_bootdefault_find(host, NULL, &now, NULL) &&
	       !strcasecmp(now.id, trial->entry);
}

void gb_keeper_look_ahead(struct gb_host *host, struct gb_keeper *keeper)
{
	if (!keeper->warning[0] && would_boot_it(host, &keeper->trial))
		snprintf(keeper->warning, sizeof(keeper->warning), "the boot loader would boot it by itself "
			 "by now, at every start");
}

/* ---- how it works ----------------------------------------------------------------------- */

/* 1, or 0 where there are none to judge by, and a check says why. */
static int read_claims(struct gb_root *root, const struct gb_trial *trial, struct gb_claims *claims,
		       struct gb_checks *checks, struct gb_err *err)
{
	struct gb_err why = { "" };
	char hash[GB_SHA256_TEXT];
	size_t len;
	char *text;
	int r = gb_root_read_all(root, GB_CLAIMS_FILE, GB_CLAIMS_SIZE_MAX, &text, &len);

	memset(claims, 0, sizeof(*claims));
	if (r) {
		gb_check(checks, "trial-claims", r == -ENOENT ? GB_FAIL : GB_UNKNOWN, GB_CLAIMS_FILE,
			 "can't be read, so nothing is judged: %s", strerror(-r));
		return 0;
	}
	gb_sha256_of(text, len, hash);
	if (strcmp(hash, trial->claims)) {
		gb_check(checks, "trial-claims", GB_FAIL, GB_CLAIMS_FILE,
			 "was changed since: what was tried is not what it says");
		gb_check_fix(checks, "try that: ghost-boot enable");
	}
	r = gb_claims_parse(text, len, claims, &why);
	free(text);
	if (r == -ENOMEM)
		return gb_fail(err, ENOMEM, "out of memory");
	if (r)
		gb_check(checks, "trial-claims", GB_FAIL, GB_CLAIMS_FILE,
			 "can't be read, so nothing is judged: %s", why.text);
	return !r;
}

/* Nobody's silence, and nobody's login, says that a trial may be the usual boot. */
static void check_default(struct gb_host *host, const struct gb_trial *trial, struct gb_checks *ret)
{
	if (!would_boot_it(host, trial))
		return;
	gb_check(ret, "trial-default", GB_FAIL, trial->entry, "is what the boot loader boots by itself by now, "
		 "as if it were kept");
	gb_check_fix(ret, host->loader->family == GB_FAMILY_GRUB ?
		     "let GRUB_DEFAULT in /etc/default/grub name the usual entry, and run update-grub" :
		     "name the usual entry: bootctl set-default");
}

int gb_keeper_examine(struct gb_host *host, const struct gb_keeper *keeper, struct gb_checks *ret,
		      struct gb_err *err)
{
	struct gb_root *root = host->root;
	struct gb_observation now = { 0 };
	struct gb_claims claims;
	int r = read_claims(root, &keeper->trial, &claims, ret, err);
	const bool there = r > 0;
	const char *kernel = keeper->trial.kernel;

	if (there && kernel && is_kernel_away(root, kernel)) {
		gb_check(ret, "trial-kernel", GB_FAIL, kernel, "was removed since: no other was tried");
		gb_check_fix(ret, "try another kernel: ghost-boot disable, a restart, ghost-boot enable");
	}
	if (there)
		r = gb_observe(root, &host->runner, &claims, &now, err);
	if (there && !r)
		gb_trial_judge(&keeper->trial.before, &now, &claims, ret);
	if (there && !r)
		check_default(host, &keeper->trial, ret);
	if (!r && ret->failed)
		r = gb_fail(err, ENOMEM, "out of memory");
	gb_observation_clear(&now);
	gb_claims_clear(&claims);
	return r;
}
