/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_COMMAND_H
#define GB_COMMAND_H

#include <getopt.h>

#include "err.h"
#include "exit.h"
#include "names.h"
#include "root.h"
#include "style.h"
#include "survey.h"
#include "text.h"

/* What every command is given, and shares. Zero-initialise all but `dir`. */
struct gb_context {
	const char *dir;     /* --root */
	const char *command; /* its name; NULL before there is one */
	const char *claims_file; /* whose claims the survey has; NULL: those of this boot */
	char **argv;	     /* its words, the name included; to say what to type again */
	struct gb_root *root;
	struct gb_names *names;
	struct gb_survey survey;
};

/* argv[0] is the command's name. Returns the exit code. */
struct gb_command {
	const char *name;
	int (*run)(struct gb_context *context, int argc, char **argv);
	const char *help;
};

extern const struct gb_command gb_command_cmdline, gb_command_confirm,
	gb_command_diag, gb_command_disable,
	gb_command_enable, gb_command_history, gb_command_list, gb_command_map, gb_command_recover,
	gb_command_rollback, gb_command_status, gb_command_update, gb_command_verify;

/* A line for a person, broken between words where he reads it on a terminal; but for what is to be typed,
 * behind GB_CMDPLAN_HELPS. */
__attribute__((format(printf, 2, 3)))
void gb_command_say(FILE *out, const char *format, ...);

/* getopt_long that says nothing itself. */
int gb_command_option(int argc, char **argv, const char *letters, const struct option *known);

/* The word that the last option came from can't be one. */
int gb_command_bad_option(const struct gb_context *context, char **argv);
/* One line what, one line of help; GB_EXIT_USAGE. */
int gb_command_usage(const struct gb_context *context, const char *what, const char *word);
/* What went wrong on stderr; GB_EXIT_FAILED. `advice` is what to do, or NULL. */
int gb_command_fail(const struct gb_context *context, const char *what, const char *advice);

/* Opens root, unless it is open, survey (flags: enum gb_survey_flags) and names. 0, or the exit code when that was
 * said. Closed in any case with gb_command_close. */
int gb_command_open(struct gb_context *context, unsigned flags);
void gb_command_close(struct gb_context *context);

/* To standard output, as a whole; `code`, or GB_EXIT_FAILED when it can't be written. */
int gb_command_print(const struct gb_context *context, const struct gb_text *text, int code);
/* To a file, which is replaced as a whole, or not at all. */
int gb_command_write(const struct gb_context *context, const char *file,
		     const struct gb_text *text);
/* `code`, if what was printed so far could be. */
int gb_command_flush(int code);

#endif
