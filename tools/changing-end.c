/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "changing.h"

#include <errno.h>
#include <stdio.h>

#include "change.h"
#include "command.h"
#include "log.h"

const char *gb_changing_end(enum gb_end end)
{
	static const char *const names[] = {
		[GB_END_NOTHING] = "nothing", [GB_END_DONE] = "done", [GB_END_REFUSED] = "refused",
		[GB_END_UNCHANGED] = "unchanged", [GB_END_BACK] = "brought-back",
		[GB_END_PARTLY] = "partly", [GB_END_UNPUBLISHED] = "partly",
	};

	return names[end];
}

int gb_changing_code(enum gb_end end, int r)
{
	switch (end) {
	case GB_END_NOTHING:
	case GB_END_DONE: return r ? GB_EXIT_FAILED : GB_EXIT_DONE;
	case GB_END_REFUSED: return r == -ESTALE || r == -EBUSY || r == -EUCLEAN ? GB_EXIT_REFUSED
										  : GB_EXIT_FAILED;
	case GB_END_UNCHANGED: return GB_EXIT_FAILED;
	case GB_END_BACK: return GB_EXIT_BACK;
	case GB_END_PARTLY:
	case GB_END_UNPUBLISHED: break;
	}
	return GB_EXIT_PARTLY;
}

const char *gb_changing_log(const struct gb_changing *c)
{
	return c->options->log ? c->options->log : GB_LOG;
}

/* The files are as before, and what a program made of them may not be. */
const char *gb_changing_unpublished(bool given_up)
{
	return given_up ? "The files are as before, but not yet what that program copies: mend that, and "
			  "run it." :
			  "The files are as before, but not yet what that program copies: mend that, and "
			  "type: sudo ghost-boot recover";
}

void gb_changing_advice(const struct gb_changing *c, int r, char *ret, size_t size)
{
	if (c->stays)
		snprintf(ret, size, "Mend that, and run it again: what failed is the last of it. %s",
			 c->options->hint ? c->options->hint : "");
	else if (c->halfway)
		snprintf(ret, size, "Mend that, and type: sudo ghost-boot recover. What was planned is made "
			 "then, and stays: run it again.");
	else if (c->end == GB_END_PARTLY)
		snprintf(ret, size, "Mend that, and run any ghost-boot command that changes something: "
			 "it goes on bringing back the state before.");
	else if (c->end == GB_END_UNPUBLISHED)
		snprintf(ret, size, "%s", gb_changing_unpublished(c->options->force));
	else if (c->unfinished)
		snprintf(ret, size, "%s%s", c->end == GB_END_BACK ? "All is as it was before. " :
			 "Nothing was changed. ", c->options->hint ? c->options->hint : "");
	else if (c->end == GB_END_BACK)
		snprintf(ret, size, "All is as it was before. What was run and said: %s", gb_changing_log(c));
	else if (r == -ESTALE)
		snprintf(ret, size, "Nothing was changed. Look at the differences, and run it again.");
	else if (r == -EBUSY)
		snprintf(ret, size, "Nothing was changed. Wait until that has ended.");
	else if (r == -EUCLEAN)
		snprintf(ret, size, "Nothing was changed. Run it again: the other one is brought back "
			 "first.");
	else if (r == -ENOSPC)
		snprintf(ret, size, "Nothing was changed. Remove what is not needed there, old kernels for "
			 "one.");
	else if (r == -EROFS)
		snprintf(ret, size, "Nothing was changed. Mount it read-write.");
	else
		snprintf(ret, size, "Nothing was changed.");
}
