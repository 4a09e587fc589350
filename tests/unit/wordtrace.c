/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the footprint says of a command line once a word has come, gone, or taken another's place. */
#include "fake.h"

#include "footprint.h"
#include "text.h"
#include "wordtrace.h"

#define PATH "/etc/kernel/cmdline"

static void traces(const struct gb_footprint *footprint, struct gb_text *ret)
{
	static const char *const names[] = { [GB_TRACE_ADDED] = "added", [GB_TRACE_REPLACED] = "replaced",
					     [GB_TRACE_SEEN] = "seen" };
	const struct gb_trace *trace = NULL;

	while ((trace = gb_footprint_next(footprint, GB_TRACE_KINDS, PATH, trace)))
		gb_text_addf(ret, "%s %s%s%s;", names[trace->kind], trace->text, trace->was[0] ? " for " : "",
			     trace->was);
	gb_text_add(ret, "", 0);
}

static void is_noted(void **state)
{
	static const struct {
		const char *ours; /* noted as added before */
		const char *line;
		struct gb_want want;
		const char *then;
	} cases[] = {
		{ "", "quiet", { GB_WANT_ONLY, "t=1", NULL }, "added t=1;" },
		{ "", "quiet t=1", { GB_WANT_ONLY, "t=1", NULL }, "seen t=1;" },
		{ "", "quiet t=0", { GB_WANT_ONLY, "t=1", NULL }, "replaced t=1 for t=0;" },
		/* ours goes, and there is nothing to bring back */
		{ "t=1", "quiet t=1", { GB_WANT_NO_NAME, "t", NULL }, "" },
		{ "t=1", "quiet t=1", { GB_WANT_GONE, "t=1", NULL }, "" },
		/* another one of ours in its place is ours as well */
		{ "t=1", "quiet t=1", { GB_WANT_ONLY, "t=2", NULL }, "added t=2;" },
		{ "t=1", "t=2 quiet t=1", { GB_WANT_ONLY, "t=2", NULL }, "" },
		{ "u=1", "quiet t=1", { GB_WANT_NO_NAME, "t", NULL }, "added u=1;replaced quiet for quiet t=1;" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct gb_footprint footprint = { 0 };
		struct gb_text text = { 0 };
		struct gb_err err = { "" };

		if (cases[i].ours[0])
			gb_footprint_add(&footprint, GB_TRACE_ADDED, PATH, cases[i].ours, NULL);
		gb_footprint_add(&footprint, GB_TRACE_ADDED, "/elsewhere", "t=1", NULL);
		if (gb_wordtrace_note(&footprint, PATH, cases[i].line, &cases[i].want, 1, NULL, &err))
			fail_msg("%zu: %s", i, err.text);
		traces(&footprint, &text);
		if (strcmp(text.data, cases[i].then) != 0)
			fail_msg("%zu: %s", i, text.data);
		assert_non_null(gb_footprint_next(&footprint, GB_TRACE_ADDED, "/elsewhere", NULL));
		gb_text_clear(&text);
		gb_footprint_clear(&footprint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_noted),
	};

	return cmocka_run_group_tests_name("wordtrace", tests, NULL, NULL);
}
