/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int gb_command_option(int argc, char **argv, const char *letters, const struct option *known)
{
	opterr = 0;
	return getopt_long(argc, argv, letters, known, NULL);
}

static void name(const struct gb_context *context)
{
	fprintf(stderr, "ghost-boot%s%s: ", context->command ? " " : "",
		context->command ? context->command : "");
}

int gb_command_usage(const struct gb_context *context, const char *what, const char *word)
{
	name(context);
	fprintf(stderr, "%s%s\nTry: ghost-boot%s%s --help\n", what, word,
		context->command ? " " : "", context->command ? context->command : "");
	return GB_EXIT_USAGE;
}

int gb_command_bad_option(const struct gb_context *context, char **argv)
{
	/* within a bundle, argv[optind - 1] is still the word before */
	char letter[] = { '-', (char)optopt, '\0' };
	const char *word = argv[optind - 1];

	return gb_command_usage(context, "unknown option, or one without its value: ",
				optopt > ' ' && optopt < 0x7f && word[1] != '-' ? letter : word);
}

int gb_command_fail(const struct gb_context *context, const char *what, const char *advice)
{
	name(context);
	fprintf(stderr, "%s\n%s%s", what, advice ? advice : "", advice ? "\n" : "");
	return GB_EXIT_FAILED;
}

int gb_command_open(struct gb_context *context, unsigned flags)
{
	struct gb_err err = { "" };

	if (gb_root_open(context->dir, &context->root, &err))
		return gb_command_usage(context, err.text, "");
	if (gb_survey_read(context->root, flags, NULL, NULL, 0, &context->survey, &err))
		return gb_command_fail(context, err.text, NULL);
	context->names = gb_names_open(context->root);
	return 0;
}

void gb_command_close(struct gb_context *context)
{
	gb_names_close(context->names);
	gb_survey_clear(&context->survey);
	gb_root_close(context->root);
}

int gb_command_flush(int code)
{
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	fprintf(stderr, "ghost-boot: standard output: %s\n", strerror(errno));
	return GB_EXIT_FAILED;
}

int gb_command_print(const struct gb_context *context, const struct gb_text *text, int code)
{
	if (text->failed)
		return gb_command_fail(context, "out of memory", NULL);
	if (text->len)
		fwrite(text->data, 1, text->len, stdout);
	return gb_command_flush(code);
}
