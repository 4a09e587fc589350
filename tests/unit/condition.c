/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is configured, booted and now, where the command line has several sources, and what is
 * known of images without reading them. The rest is in tests/cli/status.py. */
#include "fake.h"

#include "condition.h"
#include "footprint.h"
#include "host.h"
#include "plan.h"

#define CLAIMS \
	"ghost-boot claims 1\n" \
	"claim path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000\n"
#define KEEPS \
	"ghost-boot claims 1\n" \
	"keep path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000\n"
#define RELEASE "6.12.48+deb13-amd64"
#define IMAGE "/boot/initrd.img-" RELEASE
#define ENTRY(options) "title Linux\nlinux /vmlinuz\noptions root=/dev/sda1 " options "\n"

static struct tree tree;
static struct gb_loader loader;
static struct gb_host host;
static struct gb_survey survey;
static struct gb_condition c;

static int make(void **state)
{
	(void)state;
	tree_make(&tree);
	tree_pci(&tree, "pci0000:00/0000:00:01.0", "8086:a70d 1462:7d91 060400", 1);
	tree_pci(&tree, "pci0000:00/0000:00:01.0/0000:01:00.0", "10de:2203 1462:5054 030000", 0);
	tree_put(&tree, "/etc/ghost-boot/claims", CLAIMS);
	tree_put(&tree, "/proc/cmdline", "root=/dev/sda1 ghost.claim=on\n");
	tree_put(&tree, "/proc/sys/kernel/osrelease", RELEASE "\n");
	memset(&loader, 0, sizeof(loader));
	loader.backend = GB_BACKEND_SYSTEMD;
	host = (struct gb_host){ .root = tree.root, .store = { .root = tree.root },
				 .loader = &loader };
	return 0;
}

static int clear(void **state)
{
	(void)state;
	gb_condition_clear(&c);
	gb_survey_clear(&survey);
	tree_clear(&tree);
	return 0;
}

static void add_source(enum gb_cmdline_kind kind, const char *path)
{
	struct gb_cmdline_source *source = &loader.source[loader.sources++];

	source->kind = kind;
	snprintf(source->path, sizeof(source->path), "%s", path);
}

static void look_with(const struct gb_condition_options *options)
{
	struct gb_err err = { "" };

	gb_condition_clear(&c);
	gb_survey_clear(&survey);
	assert_int_equal(gb_survey_read(tree.root, GB_SURVEY_SITE, GB_CLAIMS_FILE, NULL, 0, &survey,
					&err), 0);
	if (gb_condition_read(&host, &survey, options, &c, &err))
		fail_msg("%s", err.text);
}

static void look(void)
{
	look_with(&(struct gb_condition_options){ 0 });
}

static void check_word(size_t n, const char *word, size_t carry, enum gb_known configured,
		       enum gb_known booted)
{
	assert_true(n < c.words);
	assert_string_equal(c.word[n].word, word);
	assert_int_equal(c.word[n].carry, carry);
	assert_int_equal(c.word[n].configured, configured);
	assert_int_equal(c.word[n].booted, booted);
}

static void every_source_counts(void **state)
{
	(void)state;
	add_source(GB_CMDLINE_KERNEL, "/etc/kernel/cmdline");
	add_source(GB_CMDLINE_ENTRY, "/boot/loader/entries/a.conf");
	add_source(GB_CMDLINE_ENTRY, "/boot/loader/entries/b.conf");
	tree_put(&tree, "/etc/kernel/cmdline", "root=/dev/sda1 ghost.claim=on\n");
	tree_put(&tree, "/boot/loader/entries/a.conf", ENTRY("ghost.claim=on"));
	tree_put(&tree, "/boot/loader/entries/b.conf", ENTRY("quiet"));
	look();
	check_word(0, "ghost.claim=on", 2, GB_NO, GB_YES);
	assert_int_equal(c.configured.armed, GB_NO);
	tree_put(&tree, "/boot/loader/entries/b.conf", ENTRY("quiet ghost.claim=on"));
	look();
	check_word(0, "ghost.claim=on", 3, GB_YES, GB_YES);
	tree_put(&tree, "/etc/kernel/cmdline", "two\nlines\n"); /* which readers take differently */
	look();
	check_word(0, "ghost.claim=on", 2, GB_CANNOT_TELL, GB_YES);
	tree_delete(&tree, "/etc/kernel/cmdline");
	look();
	check_word(0, "ghost.claim=on", 2, GB_NO, GB_YES);
}

static void without_a_source_nobody_knows(void **state)
{
	(void)state;
	look();
	check_word(0, "ghost.claim=on", 0, GB_CANNOT_TELL, GB_YES);
	assert_int_equal(c.configured.armed, GB_CANNOT_TELL);
	assert_int_equal(c.reboot, GB_CANNOT_TELL);
	assert_int_equal(c.function[0].kind, GB_FUNCTION_UNKNOWN);
}

/* What `enable` added is wanted from then on. */
static void words_of_the_footprint(void **state)
{
	struct gb_store store = { .root = tree.root };
	struct gb_footprint footprint = { 0 };
	struct gb_plan plan = { 0 };
	struct gb_err err = { "" };

	(void)state;
	add_source(GB_CMDLINE_KERNEL, "/etc/kernel/cmdline");
	tree_put(&tree, "/etc/kernel/cmdline", "ghost.claim=on intel_iommu=on\n");
	gb_footprint_add(&footprint, GB_TRACE_ADDED, "/etc/kernel/cmdline", "intel_iommu=on", NULL);
	gb_footprint_add(&footprint, GB_TRACE_ADDED, "/etc/kernel/cmdline", "ghost.claim=on", NULL);
	tree_folder(&tree, GB_STATE);
	assert_true(gb_footprint_plan(&footprint, &store, &plan, &err) > 0);
	for (size_t i = 0; i < plan.steps; i++)
		if (plan.step[i].data)
			tree_put_data(&tree, plan.step[i].touch->path, plan.step[i].data,
				      plan.step[i].len);
	gb_plan_clear(&plan);
	gb_footprint_clear(&footprint);
	look();
	assert_int_equal(c.words, 2);
	check_word(0, "ghost.claim=on", 1, GB_YES, GB_YES);
	check_word(1, "intel_iommu=on", 1, GB_YES, GB_NO);
	assert_int_equal(c.reboot, GB_YES);
}

/* One kernel, with GRUB and initramfs-tools. */
static void put_system(void)
{
	loader.usable = true;
	loader.family = GB_FAMILY_GRUB;
	loader.backend = GB_BACKEND_GRUB_DROP_IN;
	tree_put(&tree, "/boot/grub/grub.cfg",
		 "menuentry a {\n\tinitrd " IMAGE "\n}\n");
	tree_put(&tree, "/usr/sbin/update-initramfs", "#!/bin/sh\nmkinitramfs\n");
	tree_put(&tree, "/usr/sbin/mkinitramfs", "#!/bin/sh\n");
	tree_put(&tree, "/usr/sbin/ghost-claim", "program\n");
	tree_put(&tree, "/boot/vmlinuz-" RELEASE, "kernel\n");
	tree_put(&tree, "/lib/modules/" RELEASE "/modules.dep", "");
	tree_put(&tree, IMAGE, "image\n");
	tree_folder(&tree, "/var/lib/ghost-boot");
}

/* An image that was proved counts as such until a byte of it, or the claims, change. */
static void images_that_were_proved(void **state)
{
	struct gb_image_wish wish = { .claims = CLAIMS, .claims_len = strlen(CLAIMS),
				      .program = "/usr/sbin/ghost-claim" };
	struct gb_err err = { "" };

	(void)state;
	put_system();
	look();
	if (c.images.kernels != 1)
		fail_msg("%zu kernels: %s", c.images.kernels, c.images.why);
	assert_int_equal(c.image[0].claims, GB_IMAGE_UNKNOWN);
	c.images.kernel[0].good = true;
	if (gb_images_recall(&host, &c.images, &wish, &err))
		fail_msg("%s", err.text);
	assert_false(c.images.kernel[0].good);
	c.images.kernel[0].good = true;
	gb_sha256_of("image\n", 6, c.images.kernel[0].built);
	if (gb_images_remember(&host, &c.images, &wish, &err))
		fail_msg("%s", err.text);
	look();
	assert_int_equal(c.image[0].claims, GB_IMAGE_SAME);
	assert_string_equal(c.image[0].text, "the 1 claim configured");
	tree_put(&tree, "/etc/ghost-boot/claims", CLAIMS "# more\n");
	look();
	assert_int_equal(c.image[0].claims, GB_IMAGE_UNKNOWN);
	tree_put(&tree, "/etc/ghost-boot/claims", CLAIMS);
	tree_put(&tree, IMAGE, "imagE\n");
	look();
	assert_int_equal(c.image[0].claims, GB_IMAGE_UNKNOWN);
}

static int count_images(void *ctx, enum gb_op op, const char *path, const char *data)
{
	unsigned *images = ctx;

	(void)data;
	*images += op == GB_READ && !strcmp(path, IMAGE);
	return 0;
}

/* A bad one is read once in a run, and says why; what is asked for anew is read though it is known. */
static void each_image_is_read_once(void **state)
{
	const struct gb_image_wish wish = gb_images_wish(CLAIMS, strlen(CLAIMS));
	struct gb_err err = { "" };
	unsigned images = 0;

	(void)state;
	put_system();
	gb_root_watch(tree.root, count_images, &images);
	look_with(&(struct gb_condition_options){ .read_unknown = true });
	assert_int_equal(images, 1);
	assert_int_equal(c.image[0].claims, GB_IMAGE_BAD);
	assert_non_null(strstr(c.image[0].text, "not fit: "));
	c.images.kernel[0].good = true;
	gb_sha256_of("image\n", 6, c.images.kernel[0].built);
	if (gb_images_remember(&host, &c.images, &wish, &err))
		fail_msg("%s", err.text);
	look_with(&(struct gb_condition_options){ .read_unknown = true });
	assert_int_equal(images, 1);
	assert_int_equal(c.image[0].claims, GB_IMAGE_SAME);
	look_with(&(struct gb_condition_options){ .read_images = true });
	assert_int_equal(images, 2);
	assert_int_equal(c.image[0].claims, GB_IMAGE_BAD);
	assert_int_equal(c.images.proved.lines, 0);
	gb_root_watch(tree.root, NULL, NULL);
}

/* One that only keeps is in the images too: the builders' hooks copy it whatever it says. */
static void a_file_that_only_keeps(void **state)
{
	static const char *const files[] = { KEEPS, "ghost-boot claims 1\n", "", "ghost-boot claims 99\n" };
	struct gb_err err = { "" };

	(void)state;
	put_system();
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		const struct gb_image_wish wish = { .claims = files[i], .claims_len = strlen(files[i]),
						    .program = "/usr/sbin/ghost-claim" };

		tree_put(&tree, "/etc/ghost-boot/claims", files[i]);
		look();
		assert_int_equal(c.image[0].claims, GB_IMAGE_UNKNOWN);
		gb_sha256_of("image\n", 6, c.images.kernel[0].built);
		if (gb_images_remember(&host, &c.images, &wish, &err))
			fail_msg("%s", err.text);
		look();
		assert_int_equal(c.image[0].claims, GB_IMAGE_SAME);
		assert_string_equal(c.image[0].text, "no claims, as configured");
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make, clear)
	const struct CMUnitTest tests[] = {
		CASE(every_source_counts), CASE(without_a_source_nobody_knows),
		CASE(words_of_the_footprint), CASE(images_that_were_proved),
		CASE(a_file_that_only_keeps), CASE(each_image_is_read_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
