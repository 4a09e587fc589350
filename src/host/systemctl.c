/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "systemctl.h"

#include <stddef.h>

#include "runner.h"

#define TIMEOUT_S 30 /* systemctl's own for an answer is 25 */

/* Units are separated by empty lines (systemctl(1), show). */
static void look_at_line(void *ctx, const char *line, bool error)
{
	const struct gb_systemctl_reader *reader = ctx;

	if (error)
		return;
	if (*line)
		reader->property(reader->ctx, line);
	else
		reader->end(reader->ctx);
}

bool gb_systemctl_show(const struct gb_runner *runner, const char *const *argv,
		       const struct gb_systemctl_reader *reader)
{
	struct gb_program program = { .argv = (char *const *)argv, .timeout_s = TIMEOUT_S,
				      .ctx = (void *)reader, .line = look_at_line, .log = -1, .hold = -1 };
	struct gb_ran ran = { 0 };
	bool told = runner && !runner->run(runner->ctx, &program, &ran, NULL) && !ran.status;

	reader->end(reader->ctx);
	gb_ran_pass_on(&ran);
	return told;
}
