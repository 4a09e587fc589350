/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake.h"

#include "text.h"
#include "trialboot.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define NOW "0c1d2e3f-4a5b-6c7d-8e9f-a0b1c2d3e4f5"
#define CLAIM "/run/ghost-boot/claim.json"

/* ---- what this boot is ---------------------------------------------------------------------- */

static void reads_the_boot(void **state)
{
	static const struct {
		const char *words, *claim, *trial;
		bool stopped;
	} boots[] = {
		{ "quiet\n", NULL, "", false },
		{ "quiet ghost.claim=on ghost.trial=1a2b3c4d panic=30\n", NULL, "1a2b3c4d", false },
		{ "ghost.trial=1a2b3c4dc\n", NULL, "1a2b3c4d", false },
		{ "ghost.trial=1a2b3c4dc\n", "{\"trial\": {\"counter\": \"counted\"}}", "1a2b3c4d", false },
		{ "ghost.trial=1a2b3c4dc\n", "{\"trial\": {\"counter\": \"over\", \"text\": \"x\"}}",
		  "1a2b3c4d", true },
		{ "ghost.trial=1a2b3c4dc\n", "{\"trial\": {\"counter\": \"unwritable\", \"text\": \"x\"}}",
		  "1a2b3c4d", true },
		{ "ghost.trial=1a2b3c4dc\n", "{\"trial\": null}", "1a2b3c4d", false },
		{ "ghost.trial=1a2b3c4d\n", "{\"trial\": {\"counter\": \"over\"}}", "1a2b3c4d", false },
		{ "ghost.trial=nonsense\n", NULL, "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(boots); i++) {
		struct gb_trial_boot boot;
		struct gb_err err = { "" };
		struct tree tree;

		tree_make(&tree);
		tree_put(&tree, "/proc/cmdline", boots[i].words);
		tree_put(&tree, BOOT_ID, NOW "\n");
		if (boots[i].claim)
			tree_put(&tree, CLAIM, boots[i].claim);
		assert_int_equal(gb_trial_boot_read(tree.root, &boot, &err), 0);
		assert_string_equal(boot.trial, boots[i].trial);
		assert_string_equal(boot.boot, NOW);
		assert_int_equal(boot.stopped, boots[i].stopped);
		assert_string_equal(boot.uncounted, boots[i].claim && strstr(boots[i].claim, "unwritable") ?
						    "x" : "");
		/* without either nothing may be concluded */
		tree_put(&tree, BOOT_ID, "\n");
		assert_true(gb_trial_boot_read(tree.root, &boot, &err) < 0);
		tree_put(&tree, BOOT_ID, NOW "0\n");
		assert_true(gb_trial_boot_read(tree.root, &boot, &err) < 0);
		tree_delete(&tree, BOOT_ID);
		assert_true(gb_trial_boot_read(tree.root, &boot, &err) < 0);
		tree_put(&tree, BOOT_ID, NOW "\n");
		tree_delete(&tree, "/proc/cmdline");
		assert_true(gb_trial_boot_read(tree.root, &boot, &err) < 0);
		tree_clear(&tree);
	}
}

static void knows_what_was_kept(void **state)
{
	static const struct {
		const char *file;
		enum gb_arrival is;
		const char *how;
	} files[] = {
		{ "1a2b3c4d\nann logged in\n", GB_ARRIVAL_KEPT, "ann logged in" },
		{ "1a2b3c4d\n\n", GB_ARRIVAL_KEPT, "" },
		{ "1a2b3c4d\n", GB_ARRIVAL_KEPT, "" }, /* cut */
		{ "1a2b3c4e\nann logged in\n", GB_ARRIVAL_STRAY, "ann logged in" },
		{ "1a2b3c4d", GB_ARRIVAL_STRAY, "" },
		{ "1a2b3c\n", GB_ARRIVAL_STRAY, "" },
		{ "1a2b3c4d5\n", GB_ARRIVAL_STRAY, "" },
		{ "\n\n\n", GB_ARRIVAL_STRAY, "" },
	};
	const struct gb_trial none = { .state = GB_TRIAL_NONE };

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		struct gb_trial_boot boot;
		struct gb_err err = { "" };
		struct tree tree;

		tree_make(&tree);
		tree_put(&tree, "/proc/cmdline", "ghost.trial=1a2b3c4d\n");
		tree_put(&tree, BOOT_ID, NOW "\n");
		tree_put(&tree, GB_TRIAL_KEPT, files[i].file);
		assert_int_equal(gb_trial_boot_read(tree.root, &boot, &err), 0);
		assert_int_equal(gb_trial_arrive(&none, &boot), files[i].is);
		assert_string_equal(boot.how, files[i].how);
		tree_clear(&tree);
	}
}

/* ---- what it is to the trial ----------------------------------------------------------------- */

#define N GB_ARRIVAL_NOTHING
#define S GB_ARRIVAL_STRAY
#define E GB_ARRIVAL_ENTER
#define G GB_ARRIVAL_GOES_ON
#define L GB_ARRIVAL_LEAVE
#define F GB_ARRIVAL_FAILED
#define T GB_ARRIVAL_TIDY

static void arrives(void **state)
{
	/* no word, its word, its word but stopped, another's word */
	static const enum gb_arrival expected[GB_TRIAL_STATES][2][4] = {
		[GB_TRIAL_NONE] = { { N, S, S, S }, { N, S, S, S } },
		/* in another boot than the file was written in; in the same */
		[GB_TRIAL_PREPARED] = { { N, E, N, N }, { N, N, N, N } },
		[GB_TRIAL_ARMED] = { { L, E, L, L }, { N, N, N, N } },
		[GB_TRIAL_BOOTED] = { { L, E, L, L }, { N, G, N, N } },
		[GB_TRIAL_CONFIRMED] = { { T, T, T, T }, { T, T, T, T } },
		[GB_TRIAL_FAILED] = { { F, E, F, F }, { F, F, F, F } },
	};

	(void)state;
	for (int from = 0; from < GB_TRIAL_STATES; from++)
		for (int same = 0; same < 2; same++)
			for (int word = 0; word < 4; word++) {
				struct gb_trial trial = { .state = (enum gb_trial_state)from,
							  .id = 0x0a2b3c4d };
				struct gb_trial_boot boot = { .boot = NOW, .stopped = word == 2 };
				enum gb_arrival arrival;

				strcpy(trial.boot, same ? NOW : "earlier");
				strcpy(boot.trial, !word ? "" : word == 3 ? "1a2b3c4d" : "0a2b3c4d");
				arrival = gb_trial_arrive(&trial, &boot);
				if (arrival != expected[from][same][word])
					fail_msg("%s, same boot %d, word %d: %d",
						 gb_trial_name(trial.state), same, word, arrival);
				/* clocks may say what they want */
				trial.time = INT64_MAX;
				assert_int_equal(gb_trial_arrive(&trial, &boot), arrival);
			}
}

/* ---- what is said ----------------------------------------------------------------------------- */

static void guesses(void **state)
{
	static const struct {
		enum gb_trial_state from;
		const char *reason;
		bool stopped;
		struct gb_trial_clues clues;
		const char *says;
	} cases[] = {
		{ GB_TRIAL_ARMED, NULL, false, { 0 }, "never came as far as the host" },
		{ GB_TRIAL_ARMED, NULL, false, { .armed = true }, "did not take its entry" },
		{ GB_TRIAL_ARMED, NULL, false, { .kernel_gone = true, .gone = "/boot/i" },
		  "kernel 6.1 was removed" },
		{ GB_TRIAL_ARMED, NULL, false, { .gone = "/boot/i" }, "image /boot/i was removed" },
		{ GB_TRIAL_ARMED, NULL, false, { .crash = "/sys/fs/pstore" }, "in /sys/fs/pstore" },
		{ GB_TRIAL_BOOTED, NULL, false, { .kernel_gone = true }, "was reset or lost its power" },
		{ GB_TRIAL_BOOTED, "", false, { 0 }, "was reset or lost its power" },
		{ GB_TRIAL_BOOTED, "x: y", false, { 0 }, "x: y" },
		{ GB_TRIAL_BOOTED, "x: y", true, { 0 }, "not confirmed in 2 boots" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct gb_trial trial = { .state = cases[i].from, .kernel = (char *)"6.1",
					  .reason = (char *)cases[i].reason };
		struct gb_trial_boot boot = { .stopped = cases[i].stopped };
		struct gb_text text = { 0 };

		gb_trial_guess(&trial, &boot, &cases[i].clues, &text);
		if (!strstr(text.data, cases[i].says))
			fail_msg("\"%s\" lacks \"%s\"", text.data, cases[i].says);
		gb_text_clear(&text);
	}
}

static void guesses_what_was_not_counted(void **state)
{
	static const struct gb_trial_clues clues = { .armed = false };
	struct gb_trial trial = { .state = GB_TRIAL_BOOTED, .counted = true };
	struct gb_trial_boot boot = { .stopped = true, .uncounted = "the store is full" };
	struct gb_text text = { 0 };

	(void)state;
	gb_trial_guess(&trial, &boot, &clues, &text);
	assert_string_equal(text.data, "the store is full, and a boot that can't be counted claims nothing");
	gb_text_clear(&text);
	/* the usual boot has the words */
	gb_trial_notice(&trial, &boot, GB_ARRIVAL_LEAVE, &text);
	assert_non_null(strstr(text.data, "This boot claims nothing."));
	assert_null(strstr(text.data, "boots as it did before"));
	gb_text_clear(&text);
}

/* Never a control character, whatever was found; at most 80 columns but for reasons. */
static void tells_those_who_log_in(void **state)
{
	static const struct {
		enum gb_arrival arrival;
		bool manual;
		const char *reason, *says;
	} cases[] = {
		{ GB_ARRIVAL_NOTHING, false, "x", NULL },
		{ GB_ARRIVAL_STRAY, false, NULL, "ghost.trial=1a2b3c4d" },
		{ GB_ARRIVAL_ENTER, false, NULL, "Once you are logged in" },
		{ GB_ARRIVAL_GOES_ON, true, NULL, "\"ghost-boot confirm\" keeps them" },
		{ GB_ARRIVAL_GOES_ON, false, "eth0: gone\x1b[2J", "eth0: gone\\x1b[2J" },
		{ GB_ARRIVAL_LEAVE, false, "it hung", "it hung" },
		{ GB_ARRIVAL_FAILED, false, NULL, "nothing is known of why" },
		{ GB_ARRIVAL_TIDY, false, "me logged in", "are kept: me logged in" },
		{ GB_ARRIVAL_KEPT, false, NULL, "are kept: you did" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct gb_trial trial = { .manual = cases[i].manual, .reason = (char *)cases[i].reason };
		struct gb_trial_boot boot = { .trial = "1a2b3c4d", .how = "you did" };
		struct gb_text text = { 0 };

		gb_trial_notice(&trial, &boot, cases[i].arrival, &text);
		assert_int_equal(text.len != 0, cases[i].says != NULL);
		if (cases[i].says && !strstr(text.data, cases[i].says))
			fail_msg("\"%s\" lacks \"%s\"", text.data, cases[i].says);
		for (size_t c = 0; c < text.len; c++)
			assert_true(text.data[c] == '\n' || (unsigned char)text.data[c] >= ' ');
		for (char *line = text.data; line && *line; line = strchr(line, '\n') + 1)
			assert_true(strcspn(line, "\n") <= 90);
		if (text.len)
			assert_int_equal(text.data[text.len - 1], '\n');
		gb_text_clear(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_boot),
		cmocka_unit_test(knows_what_was_kept),
		cmocka_unit_test(arrives),
		cmocka_unit_test(guesses),
		cmocka_unit_test(guesses_what_was_not_counted),
		cmocka_unit_test(tells_those_who_log_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
