/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ghost-boot: the host's command. One table of commands, one file for each. */
#include <stdio.h>
#include <string.h>

#include "command.h"

static const struct gb_command *const commands[] = {
	&gb_command_list,
	&gb_command_enable,
	&gb_command_disable,
	&gb_command_confirm,
	&gb_command_update,
	&gb_command_verify,
	&gb_command_map,
	&gb_command_diag,
	&gb_command_status,
	&gb_command_history,
	&gb_command_rollback,
	&gb_command_recover,
	&gb_command_cmdline,
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static int help(void)
{
	puts("usage: ghost-boot [--root DIR] COMMAND [OPTION]...\n"
	     "\n"
	     "GPU passthrough made safe: the right device, before any driver, at every boot.\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-9s %s\n", commands[i]->name, commands[i]->help);
	puts("\n"
	     "      --root DIR  a captured machine instead of the running one\n"
	     "  -h, --help      this text; after a command, that command's\n"
	     "  -V, --version   the version\n"
	     "\n"
	     "Exit: 0 done, 1 failed, 2 usage, 3 refused, 4 not ready, 5 undone, 6 partly.\n"
	     "ghost-boot(8)");
	return gb_command_flush(GB_EXIT_DONE);
}

static int run(struct gb_context *context, int argc, char **argv)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[0], commands[i]->name))
			continue;
		context->command = commands[i]->name;
		context->argv = argv;
		return commands[i]->run(context, argc, argv);
	}
	return gb_command_usage(context, "no such command: ", argv[0]);
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct gb_context context = { .dir = "/" };
	int c;

	while ((c = gb_command_option(argc, argv, "+hV", known)) != -1)
		switch (c) {
		case 'r': context.dir = optarg; break;
		case 'h': return help();
		case 'V': puts("ghost-boot " GB_VERSION); return gb_command_flush(GB_EXIT_DONE);
		default: return gb_command_bad_option(&context, argv);
		}
	if (optind == argc)
		return gb_command_usage(&context, "which command?", "");
	argc -= optind;
	argv += optind;
	optind = 0; /* getopt(3): begin anew, and take options anywhere */
	return run(&context, argc, argv);
}
