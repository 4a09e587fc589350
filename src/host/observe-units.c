/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe.h"

#include <string.h>

#include "observation.h"
#include "systemctl.h"
#include "text.h"

/* One call for both, since each of them costs as much as all else here: a unit that is named is
 * shown whatever its state, and the pattern stands for those that failed. */
static const char *const command[] = {
	"/usr/bin/systemctl", "show", "--no-pager", "--property=Id,ActiveState", "--state=failed",
	"--", "default.target", "*", NULL,
};

struct answer {
	struct gb_observation *seen;
	char id[256], state[32]; /* of the unit being read */
	bool any;		 /* one was read: default.target is the first */
};

static void finish(void *ctx)
{
	struct answer *a = ctx;
	const enum gb_fact_kind kind = a->any ? GB_FACT_FAILED : GB_FACT_TARGET;

	if (a->id[0] && a->state[0]) {
		/* it may have failed itself, and is then shown twice */
		if (!a->any || !strcmp(a->state, "failed"))
			gb_observation_add(a->seen, kind, a->id, a->state);
		a->any = true;
	}
	a->id[0] = a->state[0] = '\0';
}

static void take(void *ctx, const char *line)
{
	struct answer *a = ctx;

	if (!strncmp(line, "Id=", 3))
		gb_text_copy(a->id, sizeof(a->id), line + 3);
	else if (!strncmp(line, "ActiveState=", 12))
		gb_text_copy(a->state, sizeof(a->state), line + 12);
}

void gb_observe_units(const struct gb_runner *runner, struct gb_observation *seen)
{
	struct answer a = { .seen = seen };
	const struct gb_systemctl_reader reader = { take, finish, &a };
	bool told = gb_systemctl_show(runner, command, &reader);

	seen->blind[GB_FACT_TARGET] = seen->blind[GB_FACT_FAILED] = !told || !a.any;
}
