/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake.h"

#include "footprint.h"
#include "plan.h"
#include "recordtext.h"
#include "store.h"

static void write_it(const struct tree *tree, const struct gb_footprint *fp)
{
	struct gb_store store = { .root = tree->root };
	struct gb_plan plan = { 0 };
	struct gb_err err = { "" };
	int r = gb_footprint_plan(fp, &store, &plan, &err);

	if (r < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < plan.steps; i++)
		if (plan.step[i].data)
			tree_put_data(tree, plan.step[i].touch->path, plan.step[i].data, plan.step[i].len);
	gb_plan_clear(&plan);
}

static void comes_back(void **state)
{
	struct gb_footprint fp = { 0 }, now;
	struct gb_err err = { "" };
	struct tree tree;
	const struct gb_trace *trace;

	(void)state;
	tree_make(&tree);
	assert_int_equal(gb_footprint_read(tree.root, &now, &err), 0);
	assert_int_equal(now.traces, 0);
	gb_footprint_add(&fp, GB_TRACE_ADDED, "/etc/a b", "x=\"1 2\"", NULL);
	gb_footprint_add(&fp, GB_TRACE_ADDED, "/etc/a b", "x=\"1 2\"", NULL);
	gb_footprint_add(&fp, GB_TRACE_REPLACED, "/etc/c", "on", "o%f\xff" "f");
	gb_footprint_add(&fp, GB_TRACE_MADE, "/etc/d", NULL, NULL);
	assert_int_equal(fp.traces, 3);
	write_it(&tree, &fp);
	assert_int_equal(gb_footprint_read(tree.root, &now, &err), 0);
	assert_int_equal(now.traces, 3);
	trace = gb_footprint_next(&now, GB_TRACE_REPLACED, NULL, NULL);
	assert_string_equal(trace->was, "o%f\xff" "f");
	assert_null(gb_footprint_next(&now, GB_TRACE_REPLACED, NULL, trace));
	assert_string_equal(gb_footprint_next(&now, GB_TRACE_KINDS, "/etc/a b", NULL)->text, "x=\"1 2\"");
	gb_footprint_drop(&now, GB_TRACE_KINDS, "/etc/a b");
	assert_int_equal(now.traces, 2);
	gb_footprint_clear(&now);
	gb_footprint_clear(&fp);
	tree_clear(&tree);
}

/* Any byte changed or cut: refused, never half of it. */
static void is_whole_or_refused(void **state)
{
	struct gb_footprint fp = { 0 }, now;
	struct gb_err err = { "" };
	struct tree tree;
	size_t len;
	char *data;

	(void)state;
	tree_make(&tree);
	gb_footprint_add(&fp, GB_TRACE_ADDED, "/etc/a", "x", NULL);
	write_it(&tree, &fp);
	assert_int_equal(gb_root_read_all(tree.root, GB_FOOTPRINT, 4096, &data, &len), 0);
	for (size_t i = 0; i < len; i++) {
		data[i] ^= 1;
		tree_put_data(&tree, GB_FOOTPRINT, data, len);
		assert_int_equal(gb_footprint_read(tree.root, &now, &err), -EBADMSG);
		gb_footprint_clear(&now);
		data[i] ^= 1;
		tree_put_data(&tree, GB_FOOTPRINT, data, i);
		assert_int_equal(gb_footprint_read(tree.root, &now, &err), -EBADMSG);
		gb_footprint_clear(&now);
	}
	free(data);
	gb_footprint_clear(&fp);
	tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(is_whole_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
