/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "question.h"

#include <stdlib.h>
#include <string.h>

#include "nodes.h"
#include "root.h"

static int is_question(void *ctx, const char *name)
{
	(void)ctx;
	return !strncmp(name, "ask.", strlen("ask."));
}

/* As the kernel cuts them (TASK_COMM_LEN): cryptsetup's of initramfs-tools, cryptsetup itself, which
 * dracut without systemd has ask, and systemd's where it asks at its own terminal. */
static int is_asking(void *ctx, const char *name)
{
	static const char *const programs[] = { "askpass", "cryptsetup", "systemd-ask-pas" };
	int pid = atoi(name); /* 0: no process */
	char program[GB_PROCESS_MAX];

	if (!pid)
		return 0;
	gb_process_name(ctx, pid, program);
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		if (!strcmp(program, programs[i]))
			return 1;
	return 0;
}

bool gb_question_asked(struct gb_root *root)
{
	return gb_root_list(root, "/run/systemd/ask-password", is_question, NULL) == 1 ||
	       gb_root_list(root, "/proc", is_asking, root) == 1;
}
