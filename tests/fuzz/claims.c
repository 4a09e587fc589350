/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The claims file: whatever is in it, what is read is well formed. */
#include "claims.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

/* As the kernel splits them: isspace() there takes 0xa0 for a blank too. */
static void check_options(const char *text)
{
	for (const char *c = text; *c; c++) {
		MUST(*c >= 0x20 && *c < 0x7f);
		if (c == text || c[-1] == ' ')
			MUST(strncmp(c, "ids", 3) || isalnum((unsigned char)c[3]) || c[3] == '_');
	}
}

static void check_line(const struct gb_line *line)
{
	char text[GB_PATH_MAX];
	struct gb_path path;

	MUST(line->number && line->path.hops && line->path.hops <= GB_HOPS_MAX);
	MUST(gb_path_parse(gb_path_format(&line->path, text), &path, NULL));
	MUST(gb_path_equal(&line->path, &path));
	MUST(memchr(line->host, 0, sizeof(line->host)));
	MUST(memchr(line->driver, 0, sizeof(line->driver)));
	MUST(strstr(line->driver, "vfio") && !strchr(line->driver, '/'));
	MUST(!line->keep || (!line->allow && !strcmp(line->driver, GB_DRIVER_DEFAULT)));
	MUST(line->id.class <= 0xffffff);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gb_claims claims;
	struct gb_err err = { "" };
	int r = gb_claims_parse((const char *)data, size, &claims, &err);

	MUST(r ? err.text[0] && claims.problems && !claims.lines && !claims.options &&
			 !claims.arm_always
	       : claims.lines <= GB_LINES_MAX);
	for (size_t i = 0; i < claims.lines; i++)
		check_line(&claims.line[i]);
	for (size_t i = 0; i < claims.options; i++)
		check_options(claims.option[i].text);
	for (size_t i = 0; i < claims.problems && i < GB_PROBLEMS_MAX; i++)
		MUST(claims.problem[i].text[0] &&
		     !claims.problem[i].line == !claims.problem[i].column);
	gb_claims_clear(&claims);
	return 0;
}
