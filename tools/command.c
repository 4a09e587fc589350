/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmdplan.h"
#include "paragraph.h"

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

void gb_command_say(FILE *out, const char *format, ...)
{
	struct gb_text text = { 0 };
	struct gb_style style;
	char *said, *helps;
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&said, format, args);
	va_end(args);
	if (r < 0) {
		fputs("out of memory\n", out);
		return;
	}
	gb_style_detect(out, &style);
	helps = style.columns ? strstr(said, GB_CMDPLAN_HELPS) : NULL;
	if (helps) /* is copied whole only where it is one line */
		helps[strlen(GB_CMDPLAN_HELPS) - 1] = '\0';
	gb_paragraph_add(&text, &style, 0, 0, said);
	if (helps)
		gb_text_addf(&text, "\n%s", helps + strlen(GB_CMDPLAN_HELPS));
	fprintf(out, "%s\n", text.failed ? said : text.data ? text.data : "");
	gb_text_clear(&text);
	free(said);
}

int gb_command_fail(const struct gb_context *context, const char *what, const char *advice)
{
	gb_command_say(stderr, "ghost-boot%s%s: %s", context->command ? " " : "",
		       context->command ? context->command : "", what);
	if (advice)
		gb_command_say(stderr, "%s", advice);
	return GB_EXIT_FAILED;
}

int gb_command_open(struct gb_context *context, unsigned flags)
{
	struct gb_err err = { "" };

	if (!context->root && gb_root_open(context->dir, &context->root, &err))
		return gb_command_usage(context, err.text, "");
	if (gb_survey_read(context->root, flags, context->claims_file, NULL, 0, &context->survey, &err))
		return gb_command_fail(context, err.text,
				       gb_root_is_real(context->root) ?
					       "Is this a machine with PCI, and /sys mounted?" :
					       "--root wants a folder with a machine's sys in it");
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

static int write_all(int fd, const struct gb_text *text)
{
	for (size_t done = 0; done < text->len;) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n < 0 && errno != EINTR)
			return -1;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* What is no regular file (/dev/null, a pipe) is written to and not replaced. */
static int write_special(const char *file, const struct gb_text *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC | O_NOCTTY), r;

	if (fd < 0)
		return -1;
	r = write_all(fd, text);
	return close(fd) ? -1 : r;
}

static int replace(const char *file, const struct gb_text *text)
{
	mode_t mask = umask(0);
	char temp[PATH_MAX];
	int fd, r;

	umask(mask);
	if (snprintf(temp, sizeof(temp), "%s.XXXXXX", file) >= (int)sizeof(temp)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return -1;
	r = write_all(fd, text);
	r |= fchmod(fd, 0666 & ~mask);
	r |= close(fd);
	if (r || rename(temp, file)) {
		int code = errno;

		unlink(temp);
		errno = code;
		return -1;
	}
	return 0;
}

int gb_command_write(const struct gb_context *context, const char *file,
		     const struct gb_text *text)
{
	char real[PATH_MAX], said[PATH_MAX + 64];
	struct stat st;
	bool there;
	int r;

	if (text->failed)
		return gb_command_fail(context, "out of memory", NULL);
	there = realpath(file, real) && !stat(real, &st);
	r = there && !S_ISREG(st.st_mode) ? write_special(real, text)
					  : replace(there ? real : file, text);
	if (!r)
		return GB_EXIT_DONE;
	snprintf(said, sizeof(said), "%s: %s", file, strerror(errno));
	return gb_command_fail(context, said, NULL);
}
