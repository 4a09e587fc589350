/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake.h"

#include "check.h"
#include "observation.h"
#include "recordtext.h"
#include "trialjudge.h"

/* A GPU with its sound, a network card and a disk that stay, a display that stays. */
static const char claims_text[] =
	"claim path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000\n"
	"claim path=0000:00/01.0/00.1 id=10de:1aef subsys=1462:5054 class=040300\n"
	"claim path=0000:00/1d.0/00.0 id=8086:15f3 subsys=1462:7d91 class=020000 allow=network\n"
	"keep path=0000:00/02.0 id=8086:a780 subsys=1462:7d91 class=030000\n";

static const char before_text[] =
	"seen root / ext4%205f7b%20/\n"
	"seen place / 0000:00/06.0/00.0\n"
	"seen target graphical.target active\n"
	"seen failed old.service failed\n"
	"seen picture 0000:00/02.0 DP-1\n"
	"seen picture 0000:00/02.0 DP-2\n"
	"seen picture 0000:00/01.0/00.0 HDMI-A-1\n"
	"seen link enp4s0 52:54:00:00:00:01\n"
	"seen place enp4s0 0000:00/1c.0/00.0\n"
	"seen link enp5s0 52:54:00:00:00:02\n"
	"seen place enp5s0 0000:00/1d.0/00.0\n"
	"seen link wlan0 52:54:00:00:00:03\n"
	"seen route enp4s0 inet\n"
	"seen route enp4s0 inet6\n"
	"seen route enp5s0 inet\n";

static const char after_text[] =
	"seen root / ext4%205f7b%20/\n"
	"seen place / 0000:00/06.0/00.0\n"
	"seen target graphical.target active\n"
	"seen failed old.service failed\n"
	"seen failed nvidia-persistenced.service failed\n"
	"seen failed ghost-boot-confirm.service failed\n"
	"seen picture 0000:00/02.0 DP-2\n" /* one monitor is off */
	"seen link enp4s0 52:54:00:00:00:01\n"
	"seen link wlan0 92:54:00:00:00:03\n" /* a made-up address */
	"seen route enp4s0 inet\n"
	"seen route enp4s0 inet6\n"
	"seen claim 0000:00/01.0/00.0 vfio-pci\n"
	"seen claim 0000:00/01.0/00.1 vfio_pci\n"
	"seen claim 0000:00/1d.0/00.0 vfio-pci\n";

static void take(char *text, struct gb_observation *ret)
{
	char *save = NULL;

	memset(ret, 0, sizeof(*ret));
	for (char *at = strtok_r(text, "\n", &save); at; at = strtok_r(NULL, "\n", &save)) {
		struct gb_record line = { .at = at };
		const char *tag = gb_record_next_raw(&line);

		if (!gb_observation_take(ret, tag, &line) || line.bad)
			fail_msg("%s", at);
	}
}

/* The text with `old` changed into `new`, or `new` added; `old` has to be there. */
static void take_changed(const char *text, const char *old, const char *new,
			 struct gb_observation *ret)
{
	char copy[8192];
	const char *at = old ? strstr(text, old) : text + strlen(text);

	assert_non_null(at);
	snprintf(copy, sizeof(copy), "%.*s%s%s", (int)(at - text), text, new,
		 at + (old ? strlen(old) : 0));
	take(copy, ret);
}

struct change {
	bool of_before;
	const char *old, *new; /* NULL: added */
	const char *id, *subject; /* what is found then; NULL: all is well */
	enum gb_mark mark;
};

static void judge(const struct change *change, struct gb_checks *ret)
{
	struct gb_observation before, after;
	struct gb_claims claims;

	parse_claims(claims_text, &claims);
	take_changed(before_text, change->of_before ? change->old : NULL,
		     change->of_before ? change->new : "", &before);
	take_changed(after_text, change->of_before ? NULL : change->old,
		     change->of_before ? "" : change->new, &after);
	memset(ret, 0, sizeof(*ret));
	gb_trial_judge(&before, &after, &claims, ret);
	assert_false(ret->failed);
	gb_observation_clear(&before);
	gb_observation_clear(&after);
	gb_claims_clear(&claims);
}

static void expect(const struct change *change)
{
	struct gb_checks checks;
	size_t others = 0;
	bool found = false;

	judge(change, &checks);
	for (size_t i = 0; i < checks.checks; i++) {
		const struct gb_check *check = &checks.check[i];

		if (check->mark == GB_PASS)
			continue;
		if (change->id && !strcmp(check->id, change->id) && check->mark == change->mark &&
		    !strcmp(check->subject, change->subject))
			found = true;
		else
			others++;
	}
	if (others || found != !!change->id)
		fail_msg("\"%s\" for \"%s\": %s %zu more than %s", change->new,
			 change->old ? change->old : "", found ? "found, and" : "not found, but", others,
			 change->id ? change->id : "none");
	assert_int_equal(gb_trial_is_good(&checks), !change->id || change->mark == GB_WARN);
	gb_checks_clear(&checks);
}

#define ADD(...) { false, NULL, __VA_ARGS__ }
#define AFTER(...) { false, __VA_ARGS__ }
#define BEFORE(...) { true, __VA_ARGS__ }

static void is_well(void **state)
{
	static const struct change fine[] = {
		ADD("", NULL, NULL, 0),
		/* units that come and go as before, and more of everything */
		AFTER("seen failed old.service failed\n", "", NULL, NULL, 0),
		ADD("seen link enp9s0 52:54:00:00:00:09\nseen route enp9s0 inet\n", NULL, NULL, 0),
		ADD("seen picture 0000:00/1e.0 DP-9\n", NULL, NULL, 0),
		/* what was not seen before is not missed */
		BEFORE("seen link wlan0 52:54:00:00:00:03\n", "", NULL, NULL, 0),
		BEFORE("seen picture 0000:00/02.0 DP-1\nseen picture 0000:00/02.0 DP-2\n", "", NULL,
		       NULL, 0),
		/* a display that only the firmware's driver had before, and has now */
		BEFORE("0000:00/02.0 DP-1\nseen picture 0000:00/02.0 DP-2",
		       "0000:00/02.0 Unknown-1", NULL, NULL, 0),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(fine); i++)
		expect(&fine[i]);
}

static void is_not(void **state)
{
	static const struct change bad[] = {
		AFTER("0000:00/01.0/00.0 vfio-pci", "0000:00/01.0/00.0 nvidia", "trial-claim",
		      "0000:00/01.0/00.0", GB_FAIL),
		AFTER("0000:00/01.0/00.1 vfio_pci", "0000:00/01.0/00.1 %", "trial-claim",
		      "0000:00/01.0/00.1", GB_FAIL),
		AFTER("seen claim 0000:00/1d.0/00.0 vfio-pci\n", "", "trial-claim",
		      "0000:00/1d.0/00.0", GB_FAIL),
		AFTER("ext4%205f7b%20/\n", "ext4%205f7c%20/\n", "trial-root", "/", GB_FAIL),
		AFTER("ext4%205f7b%20/\n", "ext4%205f7b%20/@\n", "trial-root", "/", GB_FAIL),
		/* the copy of a disk, and one that lost a member */
		AFTER("/ 0000:00/06.0/00.0", "/ 0000:00/07.0/00.0", "trial-root", "/", GB_FAIL),
		BEFORE("seen place / 0000:00/06.0/00.0\n",
		       "seen place / 0000:00/06.0/00.0\nseen place / 0000:00/07.0/00.0\n",
		       "trial-root", "/", GB_FAIL),
		ADD("seen place / 0000:00/07.0/00.0\n", "trial-root", "/", GB_FAIL),
		AFTER("graphical.target active", "graphical.target inactive", "trial-target",
		      "graphical.target", GB_FAIL),
		ADD("seen failed new.service failed\n", "trial-unit", "new.service", GB_FAIL),
		ADD("seen failed %1b[31m.service failed\n", "trial-unit", "\\x1b[31m.service", GB_FAIL),
		AFTER("seen picture 0000:00/02.0 DP-2\n", "", "trial-picture", "0000:00/02.0", GB_FAIL),
		AFTER("0000:00/02.0 DP-2", "0000:00/02.0 Unknown-1", "trial-picture", "0000:00/02.0",
		      GB_FAIL),
		AFTER("seen link wlan0 92:54:00:00:00:03\n", "", "trial-link", "wlan0", GB_FAIL),
		AFTER("seen route enp4s0 inet\n", "", "trial-route", "enp4s0", GB_FAIL),
		AFTER("seen route enp4s0 inet6\n", "", "trial-route", "enp4s0", GB_FAIL),
		/* an interface with another name, known by its address */
		BEFORE("seen link wlan0 52:54:00:00:00:03\n",
		       "seen link wlp1 92:54:00:00:00:03\nseen route wlp1 inet\n", "trial-route",
		       "wlp1", GB_FAIL),
		/* a display that only the firmware's driver had before */
		BEFORE("seen link wlan0 52:54:00:00:00:03\n", "seen picture 0000:00/03.0 Unknown-1\n",
		       "trial-picture", "0000:00/03.0", GB_FAIL),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		expect(&bad[i]);
}

static void cannot_tell(void **state)
{
	static const struct {
		const char *kind, *id;
	} kinds[] = {
		{ "root", "trial-root" },	{ "failed", "trial-unit" },
		{ "picture", "trial-picture" }, { "link", "trial-link" },
		{ "route", "trial-route" },	{ "target", "trial-target" },
	};
	char blind[64];

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct change change = { false, NULL, blind, kinds[i].id, "system", GB_UNKNOWN };

		snprintf(blind, sizeof(blind), "blind %s\n", kinds[i].kind);
		expect(&change);
		change.of_before = true;
		change.mark = GB_WARN;
		if (!strcmp(kinds[i].kind, "target")) /* nothing of it is compared */
			change.id = NULL;
		expect(&change);
	}
}

static const char one_claim[] =
	"claim path=0000:00/01.0 id=10de:2203 subsys=1462:5054 class=030000\n";

static void judge_these(const char *claims_body, const char *before_lines, const char *after_lines,
			struct gb_checks *ret)
{
	struct gb_observation before, after;
	struct gb_claims claims;
	char text[4096];

	parse_claims(claims_body, &claims);
	snprintf(text, sizeof(text), "seen target a.target active\n%s", before_lines);
	take(text, &before);
	snprintf(text, sizeof(text), "seen target a.target active\nseen claim 0000:00/01.0 vfio-pci\n%s",
		 after_lines);
	take(text, &after);
	memset(ret, 0, sizeof(*ret));
	gb_trial_judge(&before, &after, &claims, ret);
	gb_observation_clear(&before);
	gb_observation_clear(&after);
	gb_claims_clear(&claims);
}

/* Where nothing can be told, nothing is said to be lost. */
static void blindness_is_no_loss(void **state)
{
	struct gb_checks checks;

	(void)state;
	judge_these(one_claim, before_text, "blind root\nblind place\nblind failed\nblind picture\n"
		    "blind link\nblind route\n", &checks);
	assert_int_equal(gb_checks_count(&checks, GB_FAIL), 0);
	assert_int_equal(gb_checks_count(&checks, GB_UNKNOWN), 5);
	assert_false(gb_trial_is_good(&checks));
	gb_checks_clear(&checks);
	judge_these(one_claim, "seen root / a\nblind place\n",
		    "seen root / a\nseen place / 0000:00/06.0\n", &checks);
	assert_true(gb_trial_is_good(&checks));
	gb_checks_clear(&checks);
}

/* An interface is known by its name, or else by its address, and its routes with it. */
static void names_may_change(void **state)
{
	static const struct {
		const char *before, *after;
		const char *lost; /* the interface whose route is; NULL: none */
	} cases[] = {
		{ "seen link eth0 52:54:00:00:00:01\nseen link eth1 52:54:00:00:00:02\n"
		  "seen route eth0 inet\n",
		  "seen link eth1 52:54:00:00:00:01\nseen link eth2 52:54:00:00:00:02\n"
		  "seen route eth1 inet\n", NULL },
		/* the route is on the other card now */
		{ "seen link eth0 52:54:00:00:00:01\nseen link eth1 52:54:00:00:00:02\n"
		  "seen route eth0 inet\n",
		  "seen link eth1 52:54:00:00:00:01\nseen link eth0 52:54:00:00:00:02\n"
		  "seen route eth0 inet\n", "eth0" },
		/* two with one address, as below a bond */
		{ "seen link eth0 52:54:00:00:00:01\nseen route eth0 inet\n",
		  "seen link eth1 52:54:00:00:00:01\nseen link eth0 52:54:00:00:00:01\n"
		  "seen route eth0 inet\n", NULL },
		/* none has an address */
		{ "seen link wwan0 %\nseen route wwan0 inet\n",
		  "seen link wwan1 %\nseen link wwan0 52:54:00:00:00:01\nseen route wwan0 inet\n",
		  NULL },
		/* no hardware of its own: by its name alone */
		{ "seen route br0 inet\n", "seen route br0 inet\n", NULL },
		{ "seen route br0 inet\n", "seen route br1 inet\n", "br0" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct gb_checks checks;
		char before[1024], after[1024];

		snprintf(before, sizeof(before), "%sblind root\n", cases[i].before);
		snprintf(after, sizeof(after), "%s", cases[i].after);
		judge_these(one_claim, before, after, &checks);
		assert_int_equal(gb_trial_is_good(&checks), !cases[i].lost);
		if (cases[i].lost)
			assert_true(gb_checks_have(&checks, "trial-route", cases[i].lost));
		gb_checks_clear(&checks);
	}
}

/* Where the firmware's picture was all there was, it is enough. */
static void a_bare_picture_may_stay(void **state)
{
	static const char bare[] = "seen picture 0000:00/02.0 Unknown-1\nblind root\n";
	struct gb_checks checks;

	(void)state;
	judge_these(one_claim, bare, "seen picture 0000:00/02.0 Unknown-1\n", &checks);
	assert_true(gb_trial_is_good(&checks));
	gb_checks_clear(&checks);
	judge_these(one_claim, bare, "", &checks);
	assert_true(gb_checks_have(&checks, "trial-picture", "0000:00/02.0"));
	assert_false(gb_trial_is_good(&checks));
	gb_checks_clear(&checks);
}

/* A unit of NVIDIA's may fail only when none of its cards stays. */
static void units_are_explained(void **state)
{
	static const char *const claims_of[] = {
		"claim path=0000:00/01.0 id=1002:2203 subsys=1462:5054 class=030000\n",
		"claim path=0000:00/01.0 id=10de:1aef subsys=1462:5054 class=040300\n",
		"claim path=0000:00/01.0 id=10de:2203 subsys=1462:5054 class=030000\n"
		"keep path=0000:00/02.0 id=10de:2203 subsys=1462:5054 class=030000\n",
		one_claim,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(claims_of); i++) {
		struct gb_checks checks;

		judge_these(claims_of[i], "blind root\n",
			    "seen failed nvidia-persistenced.service failed\n", &checks);
		assert_int_equal(gb_checks_have(&checks, "trial-unit", "nvidia-persistenced.service"),
				 claims_of[i] != one_claim);
		gb_checks_clear(&checks);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_well),
		cmocka_unit_test(is_not),
		cmocka_unit_test(cannot_tell),
		cmocka_unit_test(blindness_is_no_loss),
		cmocka_unit_test(names_may_change),
		cmocka_unit_test(a_bare_picture_may_stay),
		cmocka_unit_test(units_are_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
