/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The claims file is changed line by line, and comes back as it was. */
#include "fake.h"

#include "claimsfile.h"
#include "footprint.h"

#define HEADER "ghost-boot claims 1\n"
#define GPU "claim path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000"
#define SOUND "claim path=0000:00/01.0/00.1 id=10de:1aef subsys=1462:5054 class=040300"
#define OTHER "claim path=0000:00/01.0/00.0 id=1002:744c subsys=1462:5054 class=030000"
#define IGPU "keep  path=0000:00/02.0 id=8086:a780 subsys=1462:7d91 class=030000"
#define DISK "keep  path=0000:00/06.0/00.0 id=15b7:5030 subsys=15b7:5030 class=010802"

static struct gb_footprint footprint;
static struct gb_claims_text made;
static struct gb_err err;

static int clear(void **state)
{
	(void)state;
	gb_footprint_clear(&footprint);
	gb_claims_text_clear(&made);
	return 0;
}

static struct gb_wish wish(enum gb_wish_mode mode, const char *text, const char *title)
{
	struct gb_claims claims;
	struct gb_wish ret = { .mode = mode, .title = title };
	char body[512];

	snprintf(body, sizeof(body), "%s\n", text);
	parse_claims(body, &claims);
	ret.line = claims.line[0];
	gb_claims_clear(&claims);
	return ret;
}

static void change(const char *old, const struct gb_wish *wishes, size_t n)
{
	gb_claims_text_clear(&made);
	if (gb_claimsfile_change(old, old ? strlen(old) : 0, wishes, n, &footprint, &made, &err))
		fail_msg("%s", err.text);
}

static char *restore(const char *now, size_t want_left)
{
	struct gb_claims_text back;
	size_t left;
	char *ret;

	if (gb_claimsfile_restore(now, strlen(now), &footprint, &back, &left, &err))
		fail_msg("%s", err.text);
	assert_int_equal(left, want_left);
	if (!left)
		assert_null(gb_footprint_next(&footprint, GB_TRACE_LINE, NULL, NULL));
	ret = strdup(back.text.data);
	gb_claims_text_clear(&back);
	return ret;
}

/* What comes of a text, that it is so a second time, and that it goes away again. */
static void becomes(const char *old, const struct gb_wish *wishes, size_t n, const char *want)
{
	char *now, *back;

	gb_footprint_clear(&footprint);
	change(old, wishes, n);
	assert_string_equal(made.text.data, want);
	assert_int_equal(made.differs, strcmp(old, want) != 0);
	now = strdup(made.text.data);
	change(now, wishes, n);
	assert_string_equal(made.text.data, now);
	assert_false(made.differs);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(made.wished[i].done, GB_WISH_SO);
	back = restore(now, 0);
	assert_string_equal(back, old);
	free(now);
	free(back);
}

static void a_new_file(void **state)
{
	struct gb_wish all[] = { wish(GB_WISH_CLAIM, GPU, "RTX 3090 Ti"),
				 wish(GB_WISH_CLAIM, SOUND, NULL), wish(GB_WISH_KEEP, IGPU, NULL),
				 wish(GB_WISH_KEEP, DISK, NULL) };
	struct gb_claims_text back;
	size_t left;

	(void)state;
	change(NULL, all, COUNT(all));
	assert_string_equal(made.text.data, HEADER "# RTX 3090 Ti\n" GPU "\n" SOUND "\n" IGPU
					    "\n" DISK "\n");
	assert_int_equal(made.wished[0].line, 3);
	assert_int_equal(made.wished[3].line, 6);
	assert_false(made.bare);
	assert_non_null(gb_footprint_next(&footprint, GB_TRACE_MADE, GB_CLAIMS_FILE, NULL));
	assert_int_equal(gb_claimsfile_restore(made.text.data, made.text.len, &footprint, &back,
					       &left, &err), 0);
	assert_string_equal(back.text.data, HEADER);
	assert_true(back.bare);
	gb_claims_text_clear(&back);
}

static void lines_are_added(void **state)
{
	struct gb_wish all[] = { wish(GB_WISH_CLAIM, GPU, "RTX"), wish(GB_WISH_KEEP, IGPU, NULL) };

	(void)state;
	becomes(HEADER "# mine\n" DISK " # my disk\n", all, 2,
		HEADER "# mine\n" DISK " # my disk\n# RTX\n" GPU "\n" IGPU "\n");
	becomes(HEADER, all, 2, HEADER "# RTX\n" GPU "\n" IGPU "\n");
	/* a comment of that text is its owner's */
	becomes(HEADER "# RTX\n", all, 2, HEADER "# RTX\n" GPU "\n" IGPU "\n");
	/* another function of a card that is there goes to it */
	becomes(HEADER SOUND "\n" DISK "\n", all, 1, HEADER SOUND "\n" GPU "\n" DISK "\n");
	/* there already, in other words */
	becomes(HEADER "claim  id=10DE:2203 path=0000:00/01.0/00.0 class=030000 subsys=1462:5054\n",
		all, 1,
		HEADER "claim  id=10DE:2203 path=0000:00/01.0/00.0 class=030000 subsys=1462:5054\n");
	becomes("", all, 1, HEADER "# RTX\n" GPU "\n");
	becomes("# nothing yet", all, 1, "# nothing yet\n" HEADER "# RTX\n" GPU "\n");
	becomes("ghost-boot claims 1", all, 1, HEADER "# RTX\n" GPU "\n");
}

static void what_cannot_be_read_stays(void **state)
{
	struct gb_wish claim = wish(GB_WISH_CLAIM, GPU, "RTX");

	(void)state;
	becomes(HEADER "claim path=nonsense\n\xff\xfe\nfoo\n", &claim, 1,
		HEADER "claim path=nonsense\n\xff\xfe\nfoo\n# RTX\n" GPU "\n");
	/* a last line that was cut short must not come to life */
	becomes(HEADER "arm always", &claim, 1, HEADER "# RTX\n" GPU "\narm always");
	becomes(HEADER IGPU "\r\n\r\n", &claim, 1, HEADER IGPU "\r\n\r\n# RTX\n" GPU "\n");
}

static void an_exchanged_card(void **state)
{
	struct gb_wish claim = wish(GB_WISH_CLAIM, GPU, "RTX"), keep = wish(GB_WISH_KEEP, IGPU, NULL);

	(void)state;
	becomes(HEADER "# old\n" OTHER " # radeon\n" DISK "\n", &claim, 1,
		HEADER "# old\n# RTX\n" GPU "\n" DISK "\n");
	change(HEADER OTHER "\n", &claim, 1);
	assert_int_equal(made.wished[0].done, GB_WISH_EXCHANGED);
	assert_string_equal(made.wished[0].was, OTHER);
	becomes(HEADER "keep path=0000:00/02.0 id=8086:0001 subsys=0000:0000 class=030000\n", &keep,
		1, HEADER IGPU "\n");
}

static void kept_and_claimed(void **state)
{
	struct gb_wish claim = wish(GB_WISH_CLAIM,
				    "claim path=0000:00/02.0 id=8086:a780 subsys=1462:7d91 "
				    "class=030000", NULL);
	struct gb_wish keep = wish(GB_WISH_KEEP, IGPU, NULL);
	const char *now = HEADER "claim path=0000:00/02.0 id=8086:a780 subsys=1462:7d91 class=030000\n";

	(void)state;
	becomes(HEADER IGPU "\n", &claim, 1, now);
	becomes(now, &keep, 1, now);
	becomes(HEADER IGPU "\n" "claim path=0000:00/02.0 id=8086:a780 subsys=1462:7d91 class=030000\n",
		&claim, 1, HEADER "# ghost-boot: " IGPU "\n"
		"claim path=0000:00/02.0 id=8086:a780 subsys=1462:7d91 class=030000\n");
}

static void words_of_allow(void **state)
{
	struct gb_wish claim = wish(GB_WISH_CLAIM, GPU " allow=last-display,keyboard", NULL);

	(void)state;
	becomes(HEADER, &claim, 1, HEADER GPU " allow=last-display,keyboard\n");
	becomes(HEADER GPU "\n", &claim, 1, HEADER GPU " allow=last-display,keyboard\n");
	becomes(HEADER GPU " allow=last-display # mine\n", &claim, 1,
		HEADER GPU " allow=last-display,keyboard # mine\n");
	becomes(HEADER GPU "\tdriver=foo_vfio # mine\n", &claim, 1,
		HEADER GPU "\tdriver=foo_vfio allow=last-display,keyboard # mine\n");
	becomes(HEADER GPU " allow=unfit driver=foo_vfio\r\n", &claim, 1,
		HEADER GPU " allow=unfit,last-display,keyboard driver=foo_vfio\r\n");
	becomes(HEADER GPU " allow=last-display,keyboard,storage\n", &claim, 1,
		HEADER GPU " allow=last-display,keyboard,storage\n");
}

static void all_that_a_line_can_say(void **state)
{
	const char *line = "claim path=0001:40/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000 "
			   "serial=00-04-4b-ff-fe-12-34-56 host=\\_SB_.PC06 driver=nv-vfio-pci "
			   "allow=storage,unfit";
	struct gb_wish claim = wish(GB_WISH_CLAIM, line, NULL);
	char want[512];

	(void)state;
	snprintf(want, sizeof(want), HEADER "%s\n", line);
	becomes(HEADER, &claim, 1, want);
}

static void one_card_is_given_back(void **state)
{
	struct gb_wish add[] = { wish(GB_WISH_CLAIM, GPU, "RTX"), wish(GB_WISH_CLAIM, SOUND, NULL),
				 wish(GB_WISH_KEEP, IGPU, NULL) };
	struct gb_wish free_them[] = { wish(GB_WISH_FREE, GPU, NULL), wish(GB_WISH_FREE, SOUND, NULL),
				       wish(GB_WISH_KEEP, "keep path=0000:00/01.0/00.0 id=10de:2203 "
					    "subsys=1462:5054 class=030000", NULL) };
	char *now, *back;

	(void)state;
	change(HEADER DISK "\n", add, 3);
	now = strdup(made.text.data);
	change(now, free_them, 3);
	assert_string_equal(made.text.data,
			    HEADER DISK "\n" IGPU "\nkeep  path=0000:00/01.0/00.0 id=10de:2203 "
			    "subsys=1462:5054 class=030000\n");
	assert_int_equal(made.wished[0].done, GB_WISH_REMOVED);
	assert_string_equal(made.wished[0].was, GPU);
	back = restore(made.text.data, 0);
	assert_string_equal(back, HEADER DISK "\n");
	free(now);
	free(back);
}

/* What somebody changed since is theirs; what they wrote beside stays. While that claims something, what
 * the host keeps is kept, and goes once nothing is claimed. */
static void others_changes_stay(void **state)
{
	struct gb_wish add[] = { wish(GB_WISH_CLAIM, GPU, "RTX"), wish(GB_WISH_KEEP, IGPU, NULL) };
	char *back;

	(void)state;
	change(HEADER, add, 2);
	back = restore(HEADER "# RTX\n# more\n" GPU " driver=my_vfio\n" IGPU "\n" DISK "\n", 1);
	assert_string_equal(back, HEADER "# more\n" GPU " driver=my_vfio\n" IGPU "\n" DISK "\n");
	free(back);
	back = restore(HEADER "# more\n" GPU " driver=my_vfio\n" IGPU "\n" DISK "\n", 1);
	assert_string_equal(back, HEADER "# more\n" GPU " driver=my_vfio\n" IGPU "\n" DISK "\n");
	free(back);
	back = restore(HEADER "# more\n" IGPU "\n" DISK "\n", 1);
	assert_string_equal(back, HEADER "# more\n" DISK "\n");
	assert_null(gb_footprint_next(&footprint, GB_TRACE_LINE, NULL, NULL));
	free(back);
}

static void refused(void **state)
{
	static const char *const files[] = { "ghost-boot claims 2\n", "claims\n", GPU "\n",
					     "# x\n\n" GPU "\n" };
	struct gb_wish claim = wish(GB_WISH_CLAIM, GPU, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		assert_int_equal(gb_claimsfile_change(files[i], strlen(files[i]), &claim, 1, &footprint,
						      &made, &err), -EINVAL);
		assert_non_null(strstr(err.text, GB_CLAIMS_FILE));
		assert_int_equal(footprint.traces, 0);
	}
	/* a second line of that path, which counts once the first is gone */
	claim.mode = GB_WISH_FREE;
	assert_int_equal(gb_claimsfile_change(HEADER GPU "\n" OTHER "\n",
					      strlen(HEADER GPU "\n" OTHER "\n"), &claim, 1,
					      &footprint, &made, &err), -EINVAL);
}

static void a_full_file(void **state)
{
	struct gb_wish claim = wish(GB_WISH_CLAIM, GPU, NULL);
	struct gb_text text = { 0 };

	(void)state;
	gb_text_addf(&text, HEADER);
	for (unsigned i = 0; i < GB_LINES_MAX; i++)
		gb_text_addf(&text, "keep path=%04x:00/02.0 id=8086:a780 subsys=1462:7d91 "
				    "class=030000\n", i + 1);
	assert_int_equal(gb_claimsfile_change(text.data, text.len, &claim, 1, &footprint, &made,
					      &err), -EINVAL);
	assert_non_null(strstr(err.text, "more than 512"));
	gb_text_clear(&text);
}

/* ---- any file ------------------------------------------------------------------------------ */

static const char *const pieces[] = {
	"\n", "\r\n", "# a comment\n", "  # another\n", "arm always\n", "options vfio-pci a=1\n",
	GPU "\n", GPU "  # mine\n", OTHER "\n", SOUND "\n", IGPU "\n", DISK "\r\n",
	"keep path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000\n",
	"claim path=0000:00/02.0 id=8086:a780 subsys=1462:7d91 class=030000 allow=storage\n",
	"claim path=zz\n", "\xc3\xa9\n", "# RTX\n", "ghost-boot claims 1\n", "nonsense\n", "\t\n",
	GPU " allow=storage,last-display\n",
};

static unsigned roll(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % n;
}

static void odd_file(unsigned *seed, struct gb_text *ret)
{
	unsigned n = roll(seed, 8);

	gb_text_add(ret, "", 0);
	if (roll(seed, 8))
		gb_text_addf(ret, HEADER);
	while (n--)
		gb_text_addf(ret, "%s", pieces[roll(seed, COUNT(pieces))]);
	if (!roll(seed, 4) && ret->len)
		ret->data[--ret->len] = '\0';
	if (!roll(seed, 16))
		gb_text_add(ret, "\0x", 2);
}

static void any_file_comes_back(void **state)
{
	static const char *const lines[] = { GPU, SOUND, GPU " allow=unfit", OTHER };
	unsigned seed = 1, changed = 0;

	(void)state;
	for (unsigned round = 0; round < 6000; round++) {
		struct gb_text old = { 0 }, now = { 0 };
		struct gb_claims_text back;
		size_t left;

		gb_footprint_clear(&footprint);
		odd_file(&seed, &old);
		gb_text_add(&now, old.data, old.len);
		for (unsigned n = 1 + roll(&seed, 3); n--;) {
			struct gb_wish all[] = {
				wish(roll(&seed, 4) ? GB_WISH_CLAIM : GB_WISH_KEEP,
				     lines[roll(&seed, COUNT(lines))], roll(&seed, 2) ? "RTX" : NULL),
				wish(GB_WISH_KEEP, IGPU, NULL), wish(GB_WISH_KEEP, DISK, NULL),
			};

			gb_claims_text_clear(&made);
			if (gb_claimsfile_change(now.data, now.len, all, 3, &footprint, &made, &err))
				continue;
			gb_text_clear(&now);
			gb_text_add(&now, made.text.data, made.text.len);
			changed++;
			assert_int_equal(gb_claimsfile_change(now.data, now.len, all, 3, &footprint,
							      &back, &err), 0);
			assert_false(back.differs);
			gb_claims_text_clear(&back);
		}
		if (footprint.traces &&
		    gb_claimsfile_restore(now.data, now.len, &footprint, &back, &left, &err) == 0) {
			if (back.text.len != old.len || memcmp(back.text.data, old.data, old.len))
				fail_msg("round %u:\n%s---\n%s---\n%s", round, old.data, now.data,
					 back.text.data);
			assert_int_equal(left, 0);
			gb_claims_text_clear(&back);
		}
		gb_text_clear(&old);
		gb_text_clear(&now);
	}
	assert_true(changed > 5000);
}

#define TEST(function) cmocka_unit_test_teardown(function, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_file),
		TEST(lines_are_added),
		TEST(what_cannot_be_read_stays),
		TEST(an_exchanged_card),
		TEST(kept_and_claimed),
		TEST(words_of_allow),
		TEST(all_that_a_line_can_say),
		TEST(one_card_is_given_back),
		TEST(others_changes_stay),
		TEST(refused),
		TEST(a_full_file),
		TEST(any_file_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
