/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot loader entries: as systemd-boot and Fedora's GRUB read, change and sort them. */
#include "fake.h"

#include "bls.h"
#include "version.h"

static const struct gb_want add[] = { { GB_WANT_ALSO, "iommu=pt", "" },
				      { GB_WANT_ONLY, "ghost.claim=on", "" } };
static const struct gb_want gone[] = { { GB_WANT_GONE, "iommu=pt", "" },
				       { GB_WANT_GONE, "ghost.claim=on", "" } };

static const char fedora[] = "title Fedora Linux (6.11.4-301.fc41.x86_64) 41 (Server)\n"
			     "version 6.11.4-301.fc41.x86_64\n"
			     "linux /vmlinuz-6.11.4-301.fc41.x86_64\n"
			     "initrd /initramfs-6.11.4-301.fc41.x86_64.img $tuned_initrd\n"
			     "options root=UUID=aa ro rootflags=subvol=root rhgb quiet $tuned_params\n"
			     "grub_users $grub_users\n"
			     "grub_arg --unrestricted\n"
			     "grub_class fedora\n";

static void reads(void **state)
{
	static const char text[] = "# made by kernel-install\r\ntitle\t\"Debian\"\r\n  sort-key debian\n"
				   "linux /a\nlinux /b\ninitrd /i1\ninitrd /i2\noptions a  b\nmachine-id\n"
				   "options c\nuki /EFI/x.efi";
	struct gb_bls bls;
	struct gb_err err;

	(void)state;
	assert_int_equal(gb_bls_parse(text, strlen(text), &bls, &err), 0);
	assert_string_equal(bls.title, "Debian");
	assert_string_equal(bls.sort_key, "debian");
	assert_string_equal(bls.kernel, "/b");
	assert_string_equal(bls.efi, "/EFI/x.efi");
	assert_int_equal(bls.initrds, 2);
	assert_string_equal(bls.initrd[1], "/i2");
	assert_string_equal(bls.options, "a  b c");
	assert_string_equal(bls.grub_options, "a  b");
	assert_null(bls.machine_id);
	assert_false(bls.expands);
	gb_bls_clear(&bls);
	assert_int_equal(gb_bls_parse(fedora, strlen(fedora), &bls, &err), 0);
	assert_true(bls.expands);
	assert_string_equal(bls.version, "6.11.4-301.fc41.x86_64");
	gb_bls_clear(&bls);
	/* GRUB stops, systemd-boot goes on */
	assert_int_equal(gb_bls_parse("title\noptions a\n", 16, &bls, &err), 0);
	assert_null(bls.grub_options);
	assert_string_equal(bls.options, "a");
	gb_bls_clear(&bls);
	assert_int_equal(gb_bls_parse("title a\0b", 9, &bls, &err), -EINVAL);
	assert_int_equal(gb_bls_parse("title a\rb\n", 10, &bls, &err), -EINVAL);
}

static char *change(const char *text, enum gb_bls_reader reader, const struct gb_want *want,
		    struct gb_err *err)
{
	struct gb_bls_change c;
	char *new;
	size_t len;

	if (gb_bls_change(text, strlen(text), reader, want, 2, &c, err))
		return NULL;
	assert_int_equal(gb_edit_apply(text, strlen(text), &c.edit, &new, &len), 0);
	assert_int_equal(c.changes.differs, strcmp(new, text) != 0);
	gb_bls_change_clear(&c);
	return new;
}

static void expect(const char *text, enum gb_bls_reader reader, const char *expected)
{
	struct gb_err err;
	char *there = change(text, reader, add, &err), *again, *back;

	if (!there)
		fail_msg("%s", err.text);
	assert_string_equal(there, expected);
	again = change(there, reader, add, &err);
	assert_string_equal(again, expected);
	back = change(there, reader, gone, &err);
	assert_string_equal(back, text);
	free(there);
	free(again);
	free(back);
}

static void changes(void **state)
{
	char expected[1024];
	const char *at = strstr(fedora, "\ngrub_users");

	(void)state;
	snprintf(expected, sizeof(expected), "%.*s iommu=pt ghost.claim=on%s", (int)(at - fedora), fedora,
		 at);
	expect(fedora, GB_BLS_GRUB, expected);
	expect(fedora, GB_BLS_SYSTEMD, expected);
	expect("options a \r\nlinux /x\r\n", GB_BLS_SYSTEMD,
	       "options a iommu=pt ghost.claim=on \r\nlinux /x\r\n");
	expect("linux /x\n\ntitle y\n", GB_BLS_SYSTEMD,
	       "linux /x\noptions iommu=pt ghost.claim=on\n\ntitle y\n");
	expect("linux /x", GB_BLS_SYSTEMD, "linux /x\noptions iommu=pt ghost.claim=on");
	expect("linux /x\r\n", GB_BLS_SYSTEMD, "linux /x\r\noptions iommu=pt ghost.claim=on\r\n");
	expect("", GB_BLS_SYSTEMD, "options iommu=pt ghost.claim=on\n");
	expect("options $kernelopts\n", GB_BLS_GRUB, "options $kernelopts iommu=pt ghost.claim=on\n");
}

static void changes_repeated_options(void **state)
{
	struct gb_err err;
	char *text;

	(void)state;
	expect("options a\noptions b\n", GB_BLS_SYSTEMD, "options a iommu=pt ghost.claim=on\noptions b\n");
	text = change("options a\noptions iommu=pt b ghost.claim=off\n", GB_BLS_SYSTEMD, add, &err);
	assert_string_equal(text, "options a\noptions iommu=pt b ghost.claim=on\n");
	free(text);
	/* GRUB never sees the second */
	text = change("options a\noptions iommu=pt b ghost.claim=off\n", GB_BLS_GRUB, add, &err);
	assert_string_equal(text, "options a iommu=pt ghost.claim=on\n"
			    "options iommu=pt b ghost.claim=off\n");
	free(text);
	text = change("options iommu=pt\noptions x iommu=pt\noptions ghost.claim=on", GB_BLS_SYSTEMD,
		      gone, &err);
	assert_string_equal(text, "options x");
	free(text);
}

static void refuses(void **state)
{
	struct gb_err err;

	(void)state;
	assert_null(change("linux /x\n", GB_BLS_GRUB, add, &err));
	assert_non_null(strstr(err.text, "default_kernelopts"));
	assert_null(change("linux /x\n\noptions a\n", GB_BLS_GRUB, add, &err));
	assert_null(change("options \"a b\"\n", GB_BLS_SYSTEMD, add, &err));
	assert_null(change("options a=\"b\n", GB_BLS_SYSTEMD, add, &err));
	assert_non_null(strstr(err.text, "never closed"));
}

static void proves_what_it_wrote(void **state)
{
	static const struct gb_want quoted[] = { { GB_WANT_ALSO, "x=\"c d\"", "" },
						 { GB_WANT_ALSO, "y=\"e f\"", "" } };
	struct gb_err err;

	(void)state;
	assert_null(change("options \"k=a b\" c\n", GB_BLS_SYSTEMD, quoted, &err));
	assert_non_null(strstr(err.text, "by hand"));
}

/* ---- names and order ----------------------------------------------------------------- */

static void knows_names(void **state)
{
	struct gb_bls_name name;

	(void)state;
	assert_true(gb_bls_name("Debian-6.1+3-1.conf", &name));
	assert_string_equal(name.id, "debian-6.1+3-1.conf");
	assert_string_equal(name.stem, "Debian-6.1");
	assert_int_equal(name.left, 3);
	assert_int_equal(name.done, 1);
	assert_true(gb_bls_name("a+0.conf", &name));
	assert_int_equal(name.left, 0);
	assert_int_equal(name.done, 0);
	for (const char *const *file = (const char *const[]){ "a+.conf", "a+x.conf", "a+1-.conf",
			"a+1x.conf", "6.1.0+deb.conf", "a+99999999999.conf", NULL }; *file; file++) {
		assert_true(gb_bls_name(*file, &name));
		assert_int_equal(name.left, -1);
		assert_int_equal(strlen(name.stem), strlen(*file) - 5);
	}
	assert_false(gb_bls_name(".conf", &name));
	assert_false(gb_bls_name(".a.conf", &name));
	assert_false(gb_bls_name("a.conf.bak", &name));
}

static void compares_versions(void **state)
{
	/* each older than the next */
	static const char *const order[] = { "122.1", "123~rc1-1", "123", "123-a", "123-a.1", "123-1",
					     "123-1.1", "123^post1", "123.a-1", "123.1-1", "123a-1",
					     "124-1" };
	static const char *const rpm[] = { "1.0~rc1", "1.0", "1.0a", "1.0.1", "1.00002", "2", "10" };

	(void)state;
	for (size_t i = 0; i < COUNT(order); i++)
		for (size_t k = 0; k < COUNT(order); k++)
			assert_int_equal((gb_version_compare(order[i], order[k]) > 0) -
					 (gb_version_compare(order[i], order[k]) < 0), (i > k) - (i < k));
	for (size_t i = 0; i < COUNT(rpm); i++)
		for (size_t k = 0; k < COUNT(rpm); k++)
			assert_int_equal((gb_version_compare_rpm(rpm[i], rpm[k]) > 0) -
					 (gb_version_compare_rpm(rpm[i], rpm[k]) < 0), (i > k) - (i < k));
	assert_int_equal(gb_version_compare("1_2", "1+2"), 0);
	assert_int_equal(gb_version_compare("007", "7"), 0);
}

static struct gb_bls_entry entry(const char *file, const char *sort_key, const char *version)
{
	struct gb_bls_entry e = { .title = file, .sort_key = sort_key, .version = version };

	if (!strncmp(file, "auto-", 5)) {
		e.automatic = true;
		snprintf(e.name.id, sizeof(e.name.id), "%s", file);
		e.name.left = -1;
	} else {
		assert_true(gb_bls_name(file, &e.name));
	}
	return e;
}

static void finds_systemds_default(void **state)
{
	struct gb_bls_entry e[] = {
		entry("auto-windows", NULL, NULL),	      entry("arch.conf", NULL, NULL),
		entry("ghost-trial.conf", NULL, NULL),	      entry("debian-6.1.conf", "debian", "6.1"),
		entry("debian-6.12+0-3.conf", "debian", "6.12"), entry("debian-6.9.conf", "debian", "6.9"),
	};
	struct gb_bls_defaults d = { 0 };
	static const char *const sorted[] = { "debian-6.9.conf", "debian-6.1.conf", "ghost-trial.conf",
					      "auto-windows", "arch.conf", "debian-6.12+0-3.conf" };

	(void)state;
	assert_int_equal(gb_bls_default(e, COUNT(e), GB_BLS_SYSTEMD, &d), 0);
	for (size_t i = 0; i < COUNT(e); i++)
		assert_string_equal(e[i].name.id, sorted[i]);
	d.file = "Arch*";
	assert_int_equal(gb_bls_default(e, COUNT(e), GB_BLS_SYSTEMD, &d), 4);
	d.variable = "debian-6.1.conf";
	assert_int_equal(gb_bls_default(e, COUNT(e), GB_BLS_SYSTEMD, &d), 1);
	d.variable = "@saved";
	d.last_booted = "ghost-trial.conf";
	assert_int_equal(gb_bls_default(e, COUNT(e), GB_BLS_SYSTEMD, &d), 2);
	d.last_booted = "gone.conf";
	assert_int_equal(gb_bls_default(e, COUNT(e), GB_BLS_SYSTEMD, &d), 4);
	/* what is preferred comes first, but for what has failed */
	d.preferred[1] = "debian-6.9.*";
	assert_int_equal(gb_bls_default(e, COUNT(e), GB_BLS_SYSTEMD, &d), 0);
	d.preferred[0] = "auto-windows";
	assert_int_equal(gb_bls_default(e, COUNT(e), GB_BLS_SYSTEMD, &d), 3);
	d.preferred[0] = d.preferred[1] = "debian-6.12+0-3.conf";
	assert_int_equal(gb_bls_default(e, COUNT(e), GB_BLS_SYSTEMD, &d), 4);
	/* without a sort-key, an id sorts before those below it in the alphabet */
	assert_int_equal(gb_bls_default(e, 0, GB_BLS_SYSTEMD, &d), GB_BLS_NONE);
	e[0] = entry("auto-windows", NULL, NULL);
	d = (struct gb_bls_defaults){ 0 };
	assert_int_equal(gb_bls_default(e, 1, GB_BLS_SYSTEMD, &d), GB_BLS_NONE);
}

static void finds_grubs_default(void **state)
{
	struct gb_bls_entry e[] = {
		entry("id-6.9.7-200.fc41.x86_64.conf", "a", NULL),
		entry("id-0-rescue.conf", NULL, NULL),
		entry("id-6.11.4-301.fc41.x86_64.conf", NULL, "1"),
		entry("ghost-trial.conf", NULL, NULL),
	};
	struct gb_bls_defaults d = { .saved_entry = "" };

	(void)state;
	assert_int_equal(gb_bls_default(e, COUNT(e), GB_BLS_GRUB, &d), 0);
	assert_string_equal(e[0].name.file, "id-6.11.4-301.fc41.x86_64.conf");
	assert_string_equal(e[3].name.file, "ghost-trial.conf");
	d.saved_entry = "id-6.9.7-200.fc41.x86_64";
	assert_int_equal(gb_bls_default(e, COUNT(e), GB_BLS_GRUB, &d), 1);
	d.saved_entry = "3";
	assert_int_equal(gb_bls_default(e, COUNT(e), GB_BLS_GRUB, &d), 3);
	d.saved_entry = "no longer there";
	assert_int_equal(gb_bls_default(e, COUNT(e), GB_BLS_GRUB, &d), 0);
	/* a name is enough to become the default */
	e[3] = entry("zz-trial.conf", NULL, NULL);
	gb_bls_default(e, COUNT(e), GB_BLS_GRUB, &d);
	assert_string_equal(e[0].name.file, "zz-trial.conf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(changes),
		cmocka_unit_test(changes_repeated_options),
		cmocka_unit_test(refuses),
		cmocka_unit_test(proves_what_it_wrote),
		cmocka_unit_test(knows_names),
		cmocka_unit_test(compares_versions),
		cmocka_unit_test(finds_systemds_default),
		cmocka_unit_test(finds_grubs_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
