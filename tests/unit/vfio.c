/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What VFIO may answer of a group, by a kernel that we play. */
#include "pc.h"

#include <linux/vfio.h>

#include "vfio.h"

struct kernel {
	int open, unsafe, status; /* negative errno, or what they return */
	uint32_t flags;
	int opened, closed;
	char asked[64];
};

static int play_open(void *ctx, const char *path)
{
	struct kernel *kernel = ctx;
	int r = strstr(path, "noiommu-") ? kernel->unsafe : kernel->open;

	if (!strstr(path, "noiommu-"))
		snprintf(kernel->asked, sizeof(kernel->asked), "%s", path);
	kernel->opened += r >= 0;
	return r;
}

static int play_status(void *ctx, int fd, uint32_t *ret_flags)
{
	struct kernel *kernel = ctx;

	assert_int_equal(fd, 7);
	*ret_flags = kernel->flags;
	return kernel->status;
}

static void play_close(void *ctx, int fd)
{
	assert_int_equal(fd, 7);
	((struct kernel *)ctx)->closed++;
}

static void answers(void **state)
{
	static const struct {
		struct kernel kernel;
		enum gb_vfio_answer answer;
		int error;
		enum gb_mark mark;
		const char *words;
	} rows[] = {
		{ { .open = 7, .flags = VFIO_GROUP_FLAGS_VIABLE }, GB_VFIO_VIABLE, 0, GB_PASS,
		  "is viable" },
		{ { .open = 7, .flags = VFIO_GROUP_FLAGS_CONTAINER_SET }, GB_VFIO_NOT_VIABLE, 0,
		  GB_FAIL, "not viable" },
		{ { .open = 7, .status = -EIO }, GB_VFIO_FAILED, EIO, GB_UNKNOWN, "output error" },
		{ { .open = -EBUSY }, GB_VFIO_IN_USE, EBUSY, GB_UNKNOWN, "in use" },
		{ { .open = -EACCES }, GB_VFIO_DENIED, EACCES, GB_UNKNOWN, "root" },
		{ { .open = -EPERM }, GB_VFIO_DENIED, EPERM, GB_UNKNOWN, "root" },
		{ { .open = -ENOENT, .unsafe = -ENOENT }, GB_VFIO_ABSENT, ENOENT, GB_UNKNOWN,
		  "nothing in it" },
		{ { .open = -ENOENT, .unsafe = 7 }, GB_VFIO_NO_IOMMU, ENOENT, GB_FAIL,
		  "without an IOMMU" },
		{ { .open = -ENOENT, .unsafe = -EPERM }, GB_VFIO_NO_IOMMU, ENOENT, GB_FAIL, "" },
		{ { .open = -EMFILE }, GB_VFIO_FAILED, EMFILE, GB_UNKNOWN, "no answer" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct kernel kernel = rows[i].kernel;
		struct gb_vfio vfio = { play_open, play_status, play_close, &kernel };
		int error = -1;

		assert_int_equal(gb_vfio_ask(&vfio, 14, &error), rows[i].answer);
		assert_int_equal(error, rows[i].error);
		assert_string_equal(kernel.asked, "/dev/vfio/14");
		assert_int_equal(kernel.opened, kernel.closed);
		gb_checks_clear(&checks);
		gb_judge_answer(14, rows[i].answer, error, &checks);
		expect("viable-vfio", rows[i].mark, rows[i].words);
		expect("viable-vfio", rows[i].mark, "group 14");
	}
	gb_checks_clear(&checks);
}

/* A folder is no running system, whatever it has in /dev. */
static void never_of_a_folder(void **state)
{
	struct gb_vfio vfio;
	int error;

	pc_make(state);
	tree_put(&tree, "/dev/vfio/14", "");
	gb_vfio_of(tree.root, &vfio);
	assert_int_equal(gb_vfio_ask(&vfio, 14, &error), GB_VFIO_FAILED);
	assert_int_equal(error, EOPNOTSUPP);
	judge_pc(gb_judge_viable, CARD);
	assert_int_equal(checks.checks, 0);
	gb_checks_clear(&checks);
	pc_clear(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(never_of_a_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
