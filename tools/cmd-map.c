/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command.h"
static int run(struct gb_context *context, int argc, char **argv)
{
	(void)context;
	(void)argc;
	(void)argv;
	return GB_EXIT_FAILED;
}
const struct gb_command gb_command_map = { "map", run, "the PCI tree as a picture (SVG)" };
