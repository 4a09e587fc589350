/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing a file system's journal out: which way, and that nothing stays frozen. */
#include "fake.h"

#include <linux/fs.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "checkpoint.h"

#define EXT4_CHECKPOINT _IOW('f', 43, uint32_t)
#define BTRFS 0x9123683e

enum ends { STAYS, DIES, STOPS };

/* Shared with the process that watches. */
struct disk {
	int frozen, freezes, thaws, checkpoints;
	int can_checkpoint; /* 0, or an error */
	int can_freeze;
	enum ends when_frozen;
};

static struct disk *disk;
static long type;
static bool root;

static int tell_type(int fd, struct statfs *ret)
{
	(void)fd;
	*ret = (struct statfs){ .f_type = type };
	return 0;
}

static int no_sync(int fd)
{
	(void)fd;
	return 0;
}

static bool tell_root(int fd)
{
	(void)fd;
	return root;
}

static int freeze(void)
{
	if (disk->can_freeze)
		return -disk->can_freeze;
	disk->frozen = 1;
	disk->freezes++;
	if (disk->when_frozen == DIES)
		_exit(0);
	if (disk->when_frozen == STOPS)
		raise(SIGSTOP);
	return 0;
}

static int fake_ioctl(void *ctx, int fd, unsigned long request, void *argument)
{
	(void)ctx;
	(void)fd;
	if (request == FIFREEZE)
		return freeze();
	if (request == FITHAW) {
		if (!disk->frozen)
			return -EINVAL;
		disk->frozen = 0;
		disk->thaws++;
		return 0;
	}
	assert_int_equal(request, EXT4_CHECKPOINT);
	assert_int_equal(*(uint32_t *)argument, 0);
	disk->checkpoints++;
	return -disk->can_checkpoint;
}

static const struct gb_checkpoint_calls calls = { .disk = tell_type, .sync = no_sync,
						  .ioctl = fake_ioctl, .is_root = tell_root,
						  .patience_ms = 100 };

static void ways(void **state)
{
	static const struct {
		long type;
		bool root;
		int can_checkpoint, can_freeze, result, checkpoints, freezes;
	} rows[] = {
		{ EXT4_SUPER_MAGIC, false, 0, 0, 0, 1, 0 },
		{ EXT4_SUPER_MAGIC, true, 0, 0, 0, 1, 0 },
		{ EXT4_SUPER_MAGIC, true, ENODEV, 0, 0, 1, 0 }, /* without a journal */
		{ EXT4_SUPER_MAGIC, false, ENOTTY, 0, 0, 1, 1 }, /* an old kernel */
		{ EXT4_SUPER_MAGIC, true, ENOTTY, 0, -EOPNOTSUPP, 1, 0 },
		{ EXT4_SUPER_MAGIC, false, EPERM, EPERM, -EPERM, 1, 0 },
		{ XFS_SUPER_MAGIC, false, 0, 0, 0, 0, 1 },
		{ XFS_SUPER_MAGIC, true, 0, 0, -EOPNOTSUPP, 0, 0 },
		{ XFS_SUPER_MAGIC, false, 0, EBUSY, -EBUSY, 0, 0 }, /* frozen by somebody else */
		{ MSDOS_SUPER_MAGIC, false, 0, 0, 0, 0, 0 },
		{ BTRFS, true, 0, 0, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		type = rows[i].type;
		root = rows[i].root;
		*disk = (struct disk){ .can_checkpoint = rows[i].can_checkpoint,
				       .can_freeze = rows[i].can_freeze };
		disk->frozen = rows[i].can_freeze == EBUSY;
		assert_int_equal(gb_checkpoint_by(&calls, 0), rows[i].result);
		assert_int_equal(disk->checkpoints, rows[i].checkpoints);
		assert_int_equal(disk->freezes, rows[i].freezes);
		assert_int_equal(disk->thaws, rows[i].freezes);
		/* another's freeze is his */
		assert_int_equal(disk->frozen, rows[i].can_freeze == EBUSY);
	}
}

static bool thaws_within(unsigned ms)
{
	for (unsigned i = 0; i < ms / 10 && disk->frozen; i++)
		usleep(10000);
	return !disk->frozen;
}

/* Who froze it ends, or is stopped, before he can thaw it. */
static void guarded(void **state)
{
	(void)state;
	type = XFS_SUPER_MAGIC;
	root = false;
	for (enum ends ends = DIES; ends <= STOPS; ends++) {
		int status;
		pid_t child;

		*disk = (struct disk){ .when_frozen = ends };
		child = fork();
		if (!child)
			_exit(gb_checkpoint_by(&calls, 0) ? 1 : 0);
		assert_int_equal(waitpid(child, &status, WUNTRACED), child);
		assert_int_equal(disk->freezes, 1);
		assert_true(thaws_within(10000));
		if (ends == STOPS) {
			assert_true(WIFSTOPPED(status));
			kill(child, SIGCONT);
			assert_int_equal(waitpid(child, &status, 0), child);
		}
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
		assert_int_equal(disk->thaws, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ways),
		cmocka_unit_test(guarded),
	};

	disk = mmap(NULL, sizeof(*disk), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (disk == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
