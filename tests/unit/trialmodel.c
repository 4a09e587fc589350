/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trial's states against everything that may happen to a machine: every order of steps, of a
 * person's choices and of power cuts, walked to the end. What moves the states and what a boot is
 * to a trial are the functions that run; the boot loader, the disk and the person are a model. */
#include "fake.h"

#include "trialboot.h"

enum run { OFF, USUAL, TRIAL, RUNS };
/* LATE: a power cut has left GRUB's next_entry in the journal: GRUB boots the usual entry, Linux
 * replays it, and the boot after that sees it. */
enum oneshot { NOT, SEEN, LATE, ONESHOTS };

struct machine {
	unsigned char state;	/* enum gb_trial_state */
	unsigned char oneshot;
	unsigned char run;
	bool entry;   /* the trial's is there, and its image */
	bool changed; /* the usual entry is what was tried */
	bool mine;    /* what runs was booted with the word of the trial that the file is about */
	bool noted;   /* the file was written in this boot */
	bool settled; /* the service has done its part in this boot */
	bool meant;   /* somebody wants the next boot to be a trial */
};

/* A loader that boots a one-shot and can't take it away: firmware that refuses to write. And trials
 * that always come up. */
static bool loader_is_broken, trials_come_up;

/* What is done in another order, for seeing that it matters. */
static enum { AS_IT_IS, ONESHOT_BEFORE_STATE, STATE_BEFORE_FORGETTING, ENTRY_BEFORE_ONESHOT } order;

/* ---- all that was seen -------------------------------------------------------------------- */

#define MACHINES (GB_TRIAL_STATES * ONESHOTS * RUNS * 64)

static struct {
	bool seen[MACHINES];
	int from[MACHINES]; /* the one before it */
	const char *by[MACHINES];
	struct machine queue[MACHINES];
	size_t first, last;
	unsigned steps;
} walk;

static int number(const struct machine *m)
{
	const bool flags[] = { m->entry, m->changed, m->mine, m->noted, m->settled, m->meant };
	int n = (m->state * ONESHOTS + m->oneshot) * RUNS + m->run;

	for (size_t i = 0; i < COUNT(flags); i++)
		n = n * 2 + flags[i];
	return n;
}

static struct machine machine(int n)
{
	struct machine m;
	bool *const flags[] = { &m.meant, &m.settled, &m.noted, &m.mine, &m.changed, &m.entry };

	for (size_t i = 0; i < COUNT(flags); i++, n /= 2)
		*flags[i] = n % 2;
	m.run = (unsigned char)(n % RUNS);
	m.oneshot = (unsigned char)(n / RUNS % ONESHOTS);
	m.state = (unsigned char)(n / RUNS / ONESHOTS);
	return m;
}

/* What went wrong, with the way there; empty while nothing has. */
static char wrong[4096];

static void complain(const struct machine *from, const char *by, const char *what)
{
	size_t len;

	if (wrong[0])
		return;
	len = (size_t)snprintf(wrong, sizeof(wrong), "%s, after %s", what, by);
	for (int n = number(from); n >= 0 && walk.by[n] && len < sizeof(wrong) - 100; n = walk.from[n])
		len += (size_t)snprintf(wrong + len, sizeof(wrong) - len, " < %s (%s)", walk.by[n],
					gb_trial_name((enum gb_trial_state)machine(n).state));
}

static void reach(const struct machine *from, const struct machine *to, const char *by)
{
	const int n = number(to);

	walk.steps++;
	if (walk.seen[n])
		return;
	walk.seen[n] = true;
	walk.from[n] = from ? number(from) : -1;
	walk.by[n] = by;
	walk.queue[walk.last++] = *to;
}

/* The power goes, now. */
static void cut(const struct machine *from, struct machine m, const char *by)
{
	m.run = OFF;
	m.mine = m.noted = m.settled = false;
	reach(from, &m, by);
}

/* A step of several is done: the next one follows, or the power is cut here. */
static void step(const struct machine *from, const struct machine *m, const char *by)
{
	cut(from, *m, by);
}

static bool move(struct machine *m, enum gb_trial_event event)
{
	const enum gb_trial_state to = gb_trial_next((enum gb_trial_state)m->state, event);

	if (to == GB_TRIAL_STATES)
		return false;
	m->state = (unsigned char)to;
	return true;
}

/* ---- a person in the running system ------------------------------------------------------- */

static bool disarm(const struct machine *from, struct machine *m)
{
	if (m->state != GB_TRIAL_ARMED)
		return true;
	m->oneshot = NOT;
	m->meant = false;
	step(from, m, "disarm, cut before the state");
	if (!move(m, GB_TRIAL_DISARM))
		return false;
	step(from, m, "disarm, cut");
	return true;
}

/* One transaction: before it, or after it. What was tried before and is not confirmed goes. */
static void enable(const struct machine *from)
{
	struct machine m = *from;

	if (!disarm(from, &m) || !move(&m, GB_TRIAL_PREPARE))
		return;
	m.entry = m.noted = true;
	m.mine = m.changed = m.meant = false; /* another one: the usual entry is as it is */
	reach(from, &m, "enable");
	step(from, &m, "enable, cut");
}

static void arm(const struct machine *from)
{
	struct machine m = *from;

	if (gb_trial_next((enum gb_trial_state)m.state, GB_TRIAL_ARM) == GB_TRIAL_STATES)
		return;
	m.meant = true;
	if (order == ONESHOT_BEFORE_STATE) {
		m.oneshot = LATE;
		step(from, &m, "arm, cut with the one-shot in the journal");
		m.oneshot = SEEN;
		step(from, &m, "arm, cut");
		move(&m, GB_TRIAL_ARM);
	} else {
		move(&m, GB_TRIAL_ARM);
		m.noted = true;
		step(from, &m, "arm, cut before the one-shot");
		m.oneshot = LATE;
		step(from, &m, "arm, cut with the one-shot in the journal");
		m.oneshot = SEEN;
	}
	m.noted = true;
	reach(from, &m, "arm");
	step(from, &m, "arm, cut");
}

static void disable(const struct machine *from)
{
	struct machine m = *from;

	if (m.state == GB_TRIAL_CONFIRMED || (order != ENTRY_BEFORE_ONESHOT && !disarm(from, &m)))
		return;
	if (order == ENTRY_BEFORE_ONESHOT) {
		m.entry = false;
		step(from, &m, "disable, cut before the one-shot");
		m.oneshot = NOT;
		m.state = GB_TRIAL_NONE;
	} else if (m.state != GB_TRIAL_NONE && !move(&m, GB_TRIAL_CANCEL)) {
		complain(from, "disable", "it can't be taken back");
		return;
	}
	m.entry = m.changed = m.mine = m.meant = false;
	reach(from, &m, "disable");
	step(from, &m, "disable, cut");
}

/* ---- the service -------------------------------------------------------------------------- */

static enum gb_arrival arrive(const struct machine *m)
{
	struct gb_trial trial = { .state = (enum gb_trial_state)m->state, .id = 1 };
	struct gb_trial_boot boot = { .boot = "now" };

	strcpy(trial.boot, m->noted ? "now" : "earlier");
	if (m->run == TRIAL)
		gb_trial_id(m->mine ? 1 : 2, boot.trial);
	return gb_trial_arrive(&trial, &boot);
}

static void settle(const struct machine *from)
{
	struct machine m = *from;
	const enum gb_arrival arrival = arrive(from);
	const enum gb_trial_event event = arrival == GB_ARRIVAL_ENTER ? GB_TRIAL_ENTER :
					  arrival == GB_ARRIVAL_LEAVE ? GB_TRIAL_LEAVE :
									GB_TRIAL_TIDY;

	m.settled = true;
	if (arrival == GB_ARRIVAL_ENTER || arrival == GB_ARRIVAL_LEAVE ||
	    arrival == GB_ARRIVAL_TIDY) {
		if (order != STATE_BEFORE_FORGETTING) {
			m.oneshot = NOT;
			step(from, &m, "service, cut before the state");
		}
		if (!move(&m, event))
			complain(from, "service", "it meets what can't happen");
		m.meant = false;
		if (order == STATE_BEFORE_FORGETTING) {
			step(from, &m, "service, cut before the one-shot");
			m.oneshot = NOT;
		}
		m.noted = m.state != GB_TRIAL_NONE;
	} else if (arrival == GB_ARRIVAL_NOTHING && m.state == GB_TRIAL_NONE && m.oneshot != NOT) {
		complain(from, "service", "a one-shot without a trial");
	}
	reach(from, &m, "service");
	step(from, &m, "service, cut");
}

/* A person, or the time; and all is as good as before. Else it stays as it is. */
static void confirm(const struct machine *from)
{
	struct machine m = *from;

	if (arrive(from) != GB_ARRIVAL_GOES_ON || !move(&m, GB_TRIAL_CONFIRM))
		return;
	m.changed = true;
	m.entry = false;
	step(from, &m, "confirm, cut before tidying");
	if (!move(&m, GB_TRIAL_TIDY))
		complain(from, "confirm", "it can't be tidied");
	m.noted = false;
	reach(from, &m, "confirm");
	step(from, &m, "confirm, cut");
}

/* ---- booting ------------------------------------------------------------------------------ */

static void start(const struct machine *from, bool chosen, const char *by)
{
	struct machine m = *from;
	const bool once = !chosen && m.oneshot == SEEN;

	if (chosen && !m.entry)
		return;
	if (once && !m.entry) {
		complain(from, by, "the one-shot names an entry that is gone");
		return;
	}
	m.run = chosen || once ? TRIAL : USUAL;
	if (once && !loader_is_broken)
		m.oneshot = NOT;
	else if (m.oneshot == LATE)
		m.oneshot = SEEN; /* Linux has replayed the journal */
	if (once && !m.meant)
		complain(from, by, "a trial that nobody meant");
	m.mine = m.run == TRIAL;
	m.noted = m.settled = false;
	m.meant = m.meant && !once;
	if (once) { /* its kernel was removed: the loader falls back, and does not try it again */
		struct machine back = m;

		back.run = USUAL;
		back.mine = false;
		reach(from, &back, "boot, its kernel gone");
	}
	/* it hangs, crashes, or is reset before the service */
	if (m.run != TRIAL || !trials_come_up)
		step(from, &m, m.run == TRIAL ? "trial that never came up" : "boot, cut early");
	reach(from, &m, by);
}

static void boot(const struct machine *from)
{
	start(from, false, "boot");
	start(from, true, "trial chosen in the menu");
}

/* ---- what must always hold ----------------------------------------------------------------- */

static void look(const struct machine *m)
{
	const bool on_disk = m->state != GB_TRIAL_NONE && m->state != GB_TRIAL_CONFIRMED;

	if (order != ENTRY_BEFORE_ONESHOT && m->entry != on_disk)
		complain(m, "all that", "the entry is not there when it should be");
	if (m->changed && m->state != GB_TRIAL_NONE && m->state != GB_TRIAL_CONFIRMED)
		complain(m, "all that", "the usual entry was changed without a word");
	if (m->run != OFF && m->settled && m->oneshot != NOT && m->state != GB_TRIAL_ARMED)
		complain(m, "all that", "a one-shot is left");
	if (m->run != OFF && m->settled && !m->noted && m->state == GB_TRIAL_ARMED)
		complain(m, "all that", "armed in a boot that did not arm it");
}

static void begin(enum gb_trial_state state)
{
	const struct machine m = { .state = (unsigned char)state };

	memset(&walk, 0, sizeof(walk));
	wrong[0] = '\0';
	reach(NULL, &m, NULL);
}

static void walk_all(void)
{
	while (walk.first < walk.last && !wrong[0]) {
		const struct machine m = walk.queue[walk.first++];

		look(&m);
		if (m.run == OFF) {
			boot(&m);
			continue;
		}
		if (m.settled || !trials_come_up)
			cut(&m, m, "power cut, or restart");
		if (!m.settled)
			settle(&m);
		if (!m.settled && trials_come_up)
			continue;
		enable(&m); /* it may be slow: somebody else may be first */
		arm(&m);
		disable(&m);
		confirm(&m);
	}
}

/* ---- the tests ---------------------------------------------------------------------------- */

static void holds_whatever_happens(void **state)
{
	bool seen[GB_TRIAL_STATES] = { false };

	(void)state;
	begin(GB_TRIAL_NONE);
	walk_all();
	if (wrong[0])
		fail_msg("%s", wrong);
	for (size_t i = 0; i < walk.last; i++)
		seen[walk.queue[i].state] = true;
	for (size_t i = 0; i < GB_TRIAL_STATES; i++)
		assert_true(seen[i]);
	print_message("%zu machines, %u steps\n", walk.last, walk.steps);
	assert_true(walk.last > 40);
}

/* The last of those that were just reached that is on, or off. */
static struct machine reached(bool on)
{
	for (size_t i = walk.last; i-- > 0;)
		if ((walk.queue[i].run != OFF) == on)
			return walk.queue[i];
	fail_msg("nothing is reached");
	return walk.queue[0];
}

/* The power is cut, and nobody does anything but switch it on; how many of the boots are trials. */
static unsigned boot_alone(struct machine *m, int boots)
{
	unsigned trials = 0;

	for (; boots; boots--) {
		memset(&walk, 0, sizeof(walk));
		cut(m, *m, "cut");
		*m = reached(false);
		memset(&walk, 0, sizeof(walk));
		start(m, false, "boot");
		*m = reached(true);
		trials += m->run == TRIAL;
		memset(&walk, 0, sizeof(walk));
		settle(m);
		*m = reached(true);
	}
	return trials;
}

/* From wherever it is: at most one trial, then the usual boot for ever, in a state that a person
 * can leave. Without the file, too, when /var is lost. */
static void comes_to_rest(void **state)
{
	static struct machine all[MACHINES];
	size_t machines;

	(void)state;
	begin(GB_TRIAL_NONE);
	walk_all();
	machines = walk.last;
	memcpy(all, walk.queue, machines * sizeof(*all));
	for (size_t i = 0; i < 2 * machines; i++) {
		struct machine m = all[i / 2];

		if (i % 2) {
			m.state = GB_TRIAL_NONE;
			m.noted = false;
		}
		assert_true(boot_alone(&m, 3) <= 1);
		assert_int_equal(m.run, USUAL);
		assert_int_equal(m.oneshot, NOT);
		assert_true(m.state == GB_TRIAL_NONE || m.state == GB_TRIAL_PREPARED ||
			    m.state == GB_TRIAL_FAILED);
		assert_int_equal(arrive(&m), m.state == GB_TRIAL_FAILED ? GB_ARRIVAL_FAILED
									: GB_ARRIVAL_NOTHING);
		/* and a person may forget it, or try again */
		if (m.state != GB_TRIAL_NONE)
			assert_int_equal(gb_trial_next((enum gb_trial_state)m.state, GB_TRIAL_CANCEL),
					 GB_TRIAL_NONE);
		assert_int_equal(gb_trial_next((enum gb_trial_state)m.state, GB_TRIAL_PREPARE),
				 GB_TRIAL_PREPARED);
	}
}

/* The table that people read is the one that runs. */
static void is_as_written(void **state)
{
	static const char *const events[GB_TRIAL_EVENTS] = {
		[GB_TRIAL_PREPARE] = "prepare", [GB_TRIAL_ARM] = "arm", [GB_TRIAL_DISARM] = "disarm",
		[GB_TRIAL_ENTER] = "enter",	[GB_TRIAL_LEAVE] = "leave",
		[GB_TRIAL_CONFIRM] = "confirm", [GB_TRIAL_TIDY] = "tidy", [GB_TRIAL_CANCEL] = "cancel",
	};
	static char text[64 << 10];
	FILE *page = fopen("initramfs/README.md", "r");

	(void)state;
	assert_non_null(page);
	text[fread(text, 1, sizeof(text) - 1, page)] = '\0';
	fclose(page);
	for (int from = 0; from < GB_TRIAL_STATES; from++)
		for (int event = 0; event < GB_TRIAL_EVENTS; event++) {
			enum gb_trial_state to = gb_trial_next((enum gb_trial_state)from,
							       (enum gb_trial_event)event);
			const char *name = gb_trial_name(to < GB_TRIAL_STATES ? to : GB_TRIAL_NONE);
			char row[64], *at;

			snprintf(row, sizeof(row), "\n| %s | %s | ",
				 gb_trial_name((enum gb_trial_state)from), events[event]);
			at = strstr(text, row);
			if (!at != (to == GB_TRIAL_STATES) || (at && strstr(at + 1, row)))
				fail_msg("%s, %s", at ? "it can't happen" : "not once in the table", row + 1);
			at += at ? strlen(row) : 0;
			if (at && (strcspn(at, " ") != strlen(name) ||
				   strncmp(at, name, strlen(name))))
				fail_msg("%s leads to %s", row + 1, name);
		}
}

/* The order of steps is what makes it so: in any other one, the walk ends at once. */
static void the_order_matters(void **state)
{
	(void)state;
	for (order = ONESHOT_BEFORE_STATE; order <= ENTRY_BEFORE_ONESHOT; order++) {
		begin(GB_TRIAL_NONE);
		walk_all();
		if (!wrong[0])
			fail_msg("nothing is wrong with order %d", order);
	}
	order = AS_IT_IS;
}

/* Where the loader can't take the one-shot away, a trial that comes up does it; one that does not
 * comes again: for that the boots are counted (src/counter). */
static void a_broken_loader(void **state)
{
	(void)state;
	loader_is_broken = true;
	begin(GB_TRIAL_NONE);
	walk_all();
	assert_non_null(strstr(wrong, "a trial that nobody meant"));
	assert_non_null(strstr(wrong, "trial that never came up"));
	trials_come_up = true;
	begin(GB_TRIAL_NONE);
	walk_all();
	if (wrong[0])
		fail_msg("%s", wrong);
	assert_true(walk.last > 20);
	loader_is_broken = trials_come_up = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_whatever_happens),
		cmocka_unit_test(comes_to_rest),
		cmocka_unit_test(is_as_written),
		cmocka_unit_test(the_order_matters),
		cmocka_unit_test(a_broken_loader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
