/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake.h"

#include "recordtext.h"
#include "store.h"
#include "text.h"
#include "trialstate.h"

static void fill(struct gb_trial *trial)
{
	*trial = (struct gb_trial){
		.state = GB_TRIAL_ARMED, .id = 0x0a2b3c4d, .counted = true, .retire = true, .watchdog = true,
		.time = 1700000000,
		.seconds = 600, .boot = "0c1d2e3f-4a5b-6c7d-8e9f-a0b1c2d3e4f5",
	};
	memset(trial->claims, 'a', GB_SHA256_TEXT - 1);
	assert_true(gb_trial_set(&trial->kernel, "6.12.0-2-amd64"));
	assert_true(gb_trial_set(&trial->loader, "systemd-boot"));
	assert_true(gb_trial_set(&trial->entry, "ghost-trial.conf"));
	assert_true(gb_trial_set(&trial->entry_file, "/boot/a b/ghost-trial.conf"));
	assert_true(gb_trial_set(&trial->usual, "debian\n.conf"));
	assert_true(gb_trial_set(&trial->reason, "100 % \xff odd"));
	trial->image = calloc(2, sizeof(*trial->image));
	assert_true(gb_trial_set(&trial->image[trial->images++], "/boot/initrd-trial"));
	assert_true(gb_trial_set(&trial->image[trial->images++], "/efi/initrd-trial"));
	gb_observation_add(&trial->before, GB_FACT_LINK, "enp3s0", "52:54:00:12:34:56");
	gb_observation_add(&trial->before, GB_FACT_CLAIM, "0000:00/01.0/00.0", "");
	trial->before.blind[GB_FACT_FAILED] = true;
}

static void assert_same(const struct gb_trial *a, const struct gb_trial *b)
{
	struct gb_text one = { 0 }, two = { 0 };

	assert_int_equal(gb_trial_print(a, &one, NULL), 0);
	assert_int_equal(gb_trial_print(b, &two, NULL), 0);
	assert_string_equal(one.data, two.data);
	gb_text_clear(&one);
	gb_text_clear(&two);
}

static void comes_back(void **state)
{
	struct gb_trial trial, now;
	struct gb_err err = { "" };
	struct gb_store store;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	tree_folder(&tree, "/var/lib/x");
	store = (struct gb_store){ .root = tree.root };
	assert_int_equal(gb_trial_read(tree.root, &now, &err), 0);
	assert_int_equal(now.state, GB_TRIAL_NONE);
	fill(&trial);
	assert_int_equal(gb_trial_write(&store, &trial, &err), 0);
	assert_int_equal(gb_trial_read(tree.root, &now, &err), 0);
	assert_same(&trial, &now);
	assert_int_equal(now.state, GB_TRIAL_ARMED);
	assert_int_equal(now.id, 0x0a2b3c4d);
	assert_int_equal(now.seconds, 600);
	assert_int_equal(now.images, 2);
	assert_true(now.counted && now.retire && now.watchdog && !now.manual && now.before.blind[GB_FACT_FAILED]);
	assert_string_equal(now.reason, "100 % \xff odd");
	assert_string_equal(now.image[1], "/efi/initrd-trial");
	assert_string_equal(gb_observation_find(&now.before, GB_FACT_LINK, "enp3s0", NULL)->value,
			    "52:54:00:12:34:56");
	gb_trial_clear(&now);
	trial.state = GB_TRIAL_BOOTED;
	trial.manual = true;
	trial.counted = trial.retire = trial.watchdog = false;
	trial.seconds = 0;
	assert_int_equal(gb_trial_write(&store, &trial, &err), 0);
	assert_int_equal(gb_trial_read(tree.root, &now, &err), 0);
	assert_same(&trial, &now);
	assert_true(now.manual && !now.counted && !now.retire && !now.watchdog);
	gb_trial_clear(&now);
	trial.state = GB_TRIAL_NONE;
	assert_int_equal(gb_trial_write(&store, &trial, &err), 0);
	assert_false(gb_root_exists(tree.root, GB_TRIAL));
	gb_trial_clear(&trial);
	tree_clear(&tree);
}

/* Any byte changed or cut: no trial, and never half of one. */
static void is_whole_or_refused(void **state)
{
	struct gb_trial trial, now;
	struct gb_text text = { 0 };
	struct gb_err err = { "" };

	(void)state;
	fill(&trial);
	assert_int_equal(gb_trial_print(&trial, &text, &err), 0);
	for (size_t i = 0; i < text.len; i++) {
		int r;

		text.data[i] ^= 1;
		r = gb_trial_parse(text.data, text.len, &now, &err);
		assert_true(r == -EBADMSG || r == -EPROTONOSUPPORT);
		assert_int_equal(now.state, GB_TRIAL_NONE);
		text.data[i] ^= 1;
		assert_int_not_equal(gb_trial_parse(text.data, i, &now, &err), 0);
	}
	gb_text_clear(&text);
	gb_trial_clear(&trial);
}

static int parse(const char *body, struct gb_trial *ret)
{
	struct gb_text text = { 0 };
	struct gb_err err = { "" };
	int r;

	gb_text_addf(&text, "%s", body);
	gb_record_end(&text, 0);
	r = gb_trial_parse(text.data, text.len, ret, &err);
	gb_text_clear(&text);
	if (r)
		assert_int_not_equal(strlen(err.text), 0);
	return r;
}

static void says_what_it_does_not_know(void **state)
{
	static const char *const bad[] = {
		"",				  /* no state */
		"state none\n",			  /* is no file at all */
		"state trying\n",
		"state armed\nid 1a2b3c4\n",	  /* seven digits */
		"state armed\nid 1a2b3c4dd\n",
		"state armed\nid 1a2b3c4dc\n",
		"state armed\nid 1a2b3c4d-\n",
		"state armed\nconfirm perhaps 3\n",
		"state armed\nconfirm auto\n",
		"state armed\nconfirm auto 90000\n",
		"state armed\nboot 0c1d2e3f-4a5b-6c7d-8e9f-a0b1c2d3e4f5-\n",
		"state armed\nseen colour a b\n",
		"state armed\nseen link a\n",
		"state armed\nnonsense\n",
		"state armed more\n",
	};
	struct gb_trial trial;
	char body[256];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(body, sizeof(body), "ghost-boot trial 1\n%s", bad[i]);
		assert_int_equal(parse(body, &trial), -EBADMSG);
	}
	assert_int_equal(parse("ghost-boot trial 2\nstate armed\n", &trial), -EPROTONOSUPPORT);
	assert_int_equal(parse("ghost-boot journal 1\nstate armed\n", &trial), -EBADMSG);
	assert_int_equal(parse("ghost-boot trial 1\nstate armed\n", &trial), 0);
	assert_null(trial.kernel);
	gb_trial_clear(&trial);
}

/* What it would refuse to read, it does not write: the file stays as it is. */
static void writes_only_what_it_reads(void **state)
{
	static char large[400 << 10];
	struct gb_trial trial, now;
	struct gb_text text = { 0 };
	struct gb_err err = { "" };
	struct gb_store store;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	tree_folder(&tree, "/var/lib/x");
	store = (struct gb_store){ .root = tree.root };
	fill(&trial);
	trial.seconds = 86400;
	assert_int_equal(gb_trial_write(&store, &trial, &err), 0);
	trial.seconds = 86401;
	assert_int_equal(gb_trial_write(&store, &trial, &err), -EBADMSG);
	assert_int_equal(gb_trial_print(&trial, &text, &err), -EBADMSG);
	gb_text_clear(&text);
	trial.manual = true;
	assert_int_equal(gb_trial_write(&store, &trial, &err), 0);
	memset(large, '\n', sizeof(large) - 1); /* three bytes each, there */
	assert_true(gb_trial_set(&trial.reason, large));
	assert_int_equal(gb_trial_write(&store, &trial, &err), -EFBIG);
	assert_int_equal(gb_trial_read(tree.root, &now, &err), 0);
	assert_true(now.manual);
	assert_string_equal(now.reason, "100 % \xff odd");
	gb_trial_clear(&now);
	gb_trial_clear(&trial);
	tree_clear(&tree);
}

/* Every call that changes the file system failed in turn: the old state or the new one. */
static int fail_one(void *ctx, const struct gb_call *call, bool done)
{
	(void)call;
	return !done && !--*(int *)ctx ? -EIO : 0;
}

static void is_replaced_or_stays(void **state)
{
	struct gb_trial trial, now;
	struct gb_err err = { "" };
	struct gb_store store;
	struct tree tree;
	int count, failures = 0;

	(void)state;
	tree_make(&tree);
	tree_folder(&tree, "/var/lib/x");
	store = (struct gb_store){ .root = tree.root };
	fill(&trial);
	assert_int_equal(gb_trial_write(&store, &trial, &err), 0);
	for (int at = 1;; at++) {
		int r;

		count = at;
		trial.state = GB_TRIAL_BOOTED;
		store.watch = fail_one;
		store.ctx = &count;
		r = gb_trial_write(&store, &trial, &err);
		store.watch = NULL;
		assert_int_equal(gb_trial_read(tree.root, &now, &err), 0);
		assert_true(now.state == GB_TRIAL_BOOTED || (r && now.state == GB_TRIAL_ARMED));
		gb_trial_clear(&now);
		if (!r)
			break;
		failures++;
		trial.state = GB_TRIAL_ARMED;
		assert_int_equal(gb_trial_write(&store, &trial, &err), 0);
	}
	assert_true(failures >= 5); /* create, write, fsync, rename, fsync of the folder */
	gb_trial_clear(&trial);
	tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(is_whole_or_refused),
		cmocka_unit_test(says_what_it_does_not_know),
		cmocka_unit_test(writes_only_what_it_reads),
		cmocka_unit_test(is_replaced_or_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
