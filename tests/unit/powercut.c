/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The power cut after every call of a change, of taking it back, and of the recovery: whatever of
 * the unsynced is on the disk, the next call ends in the state before or in the state after; and
 * what was reported as done is there. */
#include "shadow.h"

typedef int (*call_fn)(struct gb_store *store, enum gb_end *end, struct gb_err *err);

static char *before, *after;

struct power {
	struct shadow *shadow;
	unsigned calls, dies_at; /* 0: never; from there on no call succeeds */
	unsigned syncs, fails_at; /* 0: never; that fsync alone */
	bool cuts_now, alone; /* the cut: nothing failed before it */
	unsigned cuts, olds, news;
	const char *must; /* the only state allowed, or NULL */
	char where[64], dir[80]; /* where the machine lies after a cut */
};

/* What a boot loader finds before anybody has recovered: images that are whole, old or new. */
static void check_images(const struct power *power, enum cut cut)
{
	static const char *const images[] = { "boot/initrd.img", "boot/copy.img", "efi/initrd.img" };
	static char data[IMAGE_BYTES * 2];
	char path[128];

	for (size_t i = 0; i < COUNT(images); i++) {
		ssize_t n;
		int fd;

		snprintf(path, sizeof(path), "%s/%s", power->dir, images[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = read(fd, data, sizeof(data));
		close(fd);
		if ((n != sizeof(old_image) || memcmp(data, old_image, (size_t)n)) &&
		    (n != sizeof(new_image) || memcmp(data, new_image, (size_t)n)))
			fail_msg("%s call %u, cut %d: %s is neither: %zd bytes", power->where,
				 power->calls, cut, images[i], n);
	}
}

static void check(struct power *power, enum cut cut)
{
	struct gb_store store = store_of(NULL);
	enum gb_end end;
	struct gb_err err;
	char *now;

	/* a builder writes in place; and what FAT loses when we are killed, too, is brought back */
	if (staging && power->alone)
		check_images(power, cut);
	assert_int_equal(gb_root_open(power->dir, &store.root, &err), 0);
	if (recover(&store, &end, &err))
		fail_msg("%s call %u, cut %d: recover: %s", power->where, power->calls, cut,
			 err.text);
	now = take_shot(power->dir);
	if (strcmp(now, before) && strcmp(now, after))
		fail_msg("%s call %u, cut %d: is\n%s", power->where, power->calls, cut, now);
	if (power->must && strcmp(now, power->must))
		fail_msg("%s, cut %d after the end: not what was reported", power->where, cut);
	power->olds += !strcmp(now, before);
	power->news += !strcmp(now, after);
	free(now);
	gb_root_close(store.root);
}

static void cut_all(struct power *power)
{
	for (enum cut cut = 0; cut < CUTS; cut++, power->cuts++) {
		cut_power(power->shadow, cut, power->dir);
		check(power, cut);
		assert_int_equal(nftw(power->dir, tree_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
	}
}

static int watch(void *ctx, const struct gb_call *call, bool done)
{
	struct power *power = ctx;

	if (!done) {
		note_before(power->shadow, call);
		if (call->kind == GB_CALL_FSYNC && ++power->syncs == power->fails_at) {
			power->cuts_now = true;
			return -EIO;
		}
		power->calls++;
		return power->dies_at && power->calls >= power->dies_at ? -EIO : 0;
	}
	note(power->shadow, call);
	if (power->cuts_now)
		cut_all(power);
	return 0;
}

/* Without cuts, up to where it dies; so the recovery, if `again`; then one with them. With 0, cuts
 * at once. */
static unsigned run(call_fn call, bool enabled, unsigned dies_at, unsigned again,
		    struct power *power)
{
	struct gb_store store = store_of(NULL);
	struct tree tree;
	enum gb_end end;
	struct gb_err err;
	int r;

	tree_make(&tree);
	make_before(&tree);
	store.root = tree.root;
	if (enabled)
		assert_int_equal(enable(&store, &end, &err), 0);
	snprintf(power->dir, sizeof(power->dir), "%s.cut", tree.dir);
	power->shadow = calloc(1, sizeof(*power->shadow));
	power->shadow->seed = dies_at + 1;
	power->calls = 0;
	power->syncs = 0;
	power->dies_at = dies_at;
	power->cuts_now = power->alone = !dies_at && !power->fails_at;
	load(power->shadow, tree.dir);
	store.watch = watch;
	store.ctx = power;
	r = call(&store, &end, &err);
	if (dies_at && power->calls >= dies_at) {
		power->calls = 0;
		power->dies_at = again;
		if (again)
			recover(&store, &end, &err);
		power->dies_at = power->calls = 0;
		power->cuts_now = true;
		r = recover(&store, &end, &err);
	}
	if (r && !power->fails_at)
		fail_msg("%s", err.text);
	power->must = take_shot(tree.dir);
	cut_all(power);
	free((char *)power->must);
	power->must = NULL;
	unload(power->shadow);
	free(power->shadow);
	tree_clear(&tree);
	return power->calls;
}

static int make_states(void **state)
{
	struct gb_store store = store_of(NULL);
	struct tree tree;
	enum gb_end end;
	struct gb_err err;

	(void)state;
	tree_make(&tree);
	make_before(&tree);
	store.root = tree.root;
	before = take_shot(tree.dir);
	assert_int_equal(enable(&store, &end, &err), 0);
	after = take_shot(tree.dir);
	tree_clear(&tree);
	return 0;
}

static int forget_states(void **state)
{
	(void)state;
	free(before);
	free(after);
	return 0;
}

static void each(call_fn call, bool enabled, const char *name)
{
	struct power power = { 0 };
	unsigned calls;

	snprintf(power.where, sizeof(power.where), "%s", name);
	calls = run(call, enabled, 0, 0, &power);
	printf("%s: %u calls, %u cuts: %u old, %u new\n", name, calls, power.cuts, power.olds,
	       power.news);
	/* a test that saw one outcome only has tested nothing */
	assert_true(power.olds && power.news);
	power.cuts = power.olds = power.news = 0;
	for (unsigned at = 5; at <= calls; at += 13) {
		snprintf(power.where, sizeof(power.where), "recovery of %s, ended at %u,", name, at);
		run(call, enabled, at, 0, &power);
	}
	for (unsigned at = 50, again = 2; at <= calls; at += 5, again = again % 29 + 5) {
		snprintf(power.where, sizeof(power.where), "%s, ended at %u and %u,", name, at,
			 again);
		run(call, enabled, at, again, &power);
	}
	for (power.fails_at = 1; power.fails_at <= power.syncs; power.fails_at += 3) {
		snprintf(power.where, sizeof(power.where), "%s, fsync %u failed,", name,
			 power.fails_at);
		run(call, enabled, 0, 0, &power);
	}
	printf("recoveries of %s: %u cuts: %u old, %u new\n", name, power.cuts, power.olds,
	       power.news);
}

static void change(void **state)
{
	(void)state;
	each(enable, false, "enable");
}

static void taking_back(void **state)
{
	(void)state;
	each(take_back, true, "rollback");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(change),
		cmocka_unit_test(taking_back),
	};
	int failed = cmocka_run_group_tests_name("files", tests, make_states, forget_states);

	staging = true;
	return failed + cmocka_run_group_tests_name("staged", tests, make_states, forget_states);
}
