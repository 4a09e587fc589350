/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "published.h"

#include "built.h"
#include "err.h"
#include "journal.h"
#include "plan.h"
#include "root.h"
#include "store.h"
#include "transaction.h"

/* A file that is gone, a removed kernel's, has nothing to be published. */
static int publish(const struct gb_transaction *t, char *const *argv, const char *path, int lock,
		   bool *ret_ran, struct gb_err *err)
{
	*ret_ran = false;
	if (path && path[0] && !gb_root_exists(t->store->root, path))
		return 0;
	return gb_built_command(t, argv, 0, lock, ret_ran, err);
}

int gb_published_run(const struct gb_transaction *t, const struct gb_step *step, int lock,
		     bool *ret_ran, struct gb_err *err)
{
	return publish(t, step->argv, step->target, lock, ret_ran, err);
}

int gb_published_again(const struct gb_transaction *t, const struct gb_journal *journal, int lock,
		       struct gb_err *err)
{
	struct gb_err *first = err;
	bool ran;
	int r = 0;

	for (size_t i = 0; i < journal->publishes; i++) {
		const struct gb_published *published = &journal->published[i];
		int one;

		if (published->step > journal->reached)
			continue;
		if (t->again)
			t->again(t->ctx, published->argv);
		one = publish(t, published->argv, published->path, lock, &ran, first);
		if (one && !r) {
			r = one;
			first = NULL;
		}
	}
	return r;
}
