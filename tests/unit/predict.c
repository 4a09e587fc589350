/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random machines against a slow model of the rules that only joins pairs. Then bytes are taken
 * away, and what is still said must be true all the same. GB_SEED=n repeats a run. */
#include "world.h"

enum { RUNS = 4000 };

/* ---- the slow model ---------------------------------------------------------------------- */

/* Written from the rules' words: who isolates, by what is there. */
static bool model_isolates(const struct world *w, int i)
{
	const struct gb_device *d = &w->device[i];
	const struct gb_config *c = &w->config[i];
	bool is_express = c->express == GB_YES, has_acs = c->acs == GB_YES;
	bool several = !d->virtual && (GB_FUNCTION(d->bdf.devfn) || c->multifunction);
	int port = is_express ? (int)c->port : -1;

	if (d->id.vendor == 0x8086 && d->id.device == 0x15b8)
		return true;
	if (d->id.vendor == 0x8086 && port == 9)
		return true;
	if (d->id.vendor == 0x8086 && d->id.device == 0x1c10 && port == 4)
		return true;
	if (d->id.vendor == 0x1d17 && d->id.device == 0x0799 && (port == 4 || port == 6))
		return false;
	if (d->id.vendor == 0x1002 && d->id.device == 0x4383 && several && w->above[i] < 0 &&
	    !d->virtual)
		return true;
	if (!is_express || port == 7 || port == 8 || port == 10)
		return false;
	if (port == 4 || port == 6)
		return has_acs;
	return !several || has_acs;
}

static bool model_bridge_aliases(const struct world *w, int i)
{
	return w->config[i].header == 1 &&
	       (w->config[i].express == GB_NO || w->config[i].port == GB_PORT_TO_PCI ||
		w->config[i].port == GB_PORT_TO_PCIE);
}

static void model_join(struct world *w, int a, int b)
{
	int from = w->truth[a], to = w->truth[b];

	for (int i = 0; i < w->count; i++)
		if (w->truth[i] == from)
			w->truth[i] = to;
}

static bool model_same_slot(const struct world *w, int a, int b)
{
	return w->above[a] == w->above[b] && w->device[a].bdf.bus == w->device[b].bdf.bus &&
	       GB_DEVICE(w->device[a].bdf.devfn) == GB_DEVICE(w->device[b].bdf.devfn);
}

/* Below an aliasing bridge: together with it. Below a way to the root that does not isolate:
 * together with the bridge above. Else functions of one device that do not isolate, if the later
 * one knows that it has company. */
static void model_groups(struct world *w)
{
	for (int i = 0; i < w->count; i++)
		w->truth[i] = i;
	for (int i = 0; i < w->count; i++) {
		bool open = false, below = false;

		for (int up = w->above[i]; up >= 0; up = w->above[up]) {
			if (model_bridge_aliases(w, up)) {
				model_join(w, i, up);
				below = true;
			}
			open |= !model_isolates(w, up);
		}
		if (open && !below)
			model_join(w, i, w->above[i]);
		if (open || below || model_isolates(w, i))
			continue;
		for (int other = 0; other < w->count; other++) {
			int later = w->device[i].bdf.devfn > w->device[other].bdf.devfn ? i : other;

			if (i != other && model_same_slot(w, i, other) &&
			    !model_isolates(w, other) && !w->device[later].virtual &&
			    (GB_FUNCTION(w->device[later].bdf.devfn) ||
			     w->config[later].multifunction))
				model_join(w, i, other);
		}
	}
}

/* ---- random machines ---------------------------------------------------------------------- */

static uint64_t random_state;

static unsigned roll(unsigned sides)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % sides;
}

static bool chance(unsigned percent)
{
	return roll(100) < percent;
}

static struct gb_config random_config(bool bridge)
{
	static const int ports[] = { GB_PORT_ROOT, GB_PORT_ROOT, GB_PORT_UPSTREAM,
				     GB_PORT_DOWNSTREAM, GB_PORT_DOWNSTREAM, GB_PORT_TO_PCI,
				     GB_PORT_TO_PCIE };
	static const int others[] = { GB_PORT_ENDPOINT, GB_PORT_ENDPOINT, GB_PORT_LEGACY_ENDPOINT,
				      GB_PORT_INTEGRATED, GB_PORT_EVENT_COLLECTOR };
	struct gb_config config;

	if (chance(bridge ? 10 : 25))
		config = conventional(bridge);
	else
		config = express(bridge ? ports[roll(COUNT(ports))] : others[roll(COUNT(others))],
				 chance(55));
	config.multifunction = chance(40);
	return config;
}

static void random_model(struct gb_identity *id)
{
	static const uint16_t models[][2] = { { 0x8086, 0x15b8 }, { 0x8086, 0x1c10 },
					      { 0x8086, 0x0001 }, { 0x1d17, 0x0799 },
					      { 0x1002, 0x4383 } };
	const uint16_t *model = models[roll(COUNT(models))];

	id->vendor = model[0];
	id->device = model[1];
}

static void fill_bus(struct world *w, int above, int depth)
{
	unsigned slots = 1 + roll(above < 0 ? 5 : 3);

	for (unsigned slot = 0; slot < slots; slot++) {
		unsigned functions = chance(35) ? 1 + roll(4) : 1;

		for (unsigned f = 0; f < functions && w->count < FUNCTIONS - 8; f++) {
			bool bridge = depth < 5 && chance(depth ? 40 : 60);
			int i;

			if (f && chance(20))
				continue;
			i = add(w, above, slot, f, random_config(bridge));
			if (chance(20))
				random_model(&w->device[i].id);
			if (bridge && chance(85))
				fill_bus(w, i, depth + 1);
			if (!bridge && w->config[i].express == GB_YES && chance(10)) {
				struct gb_config virtual = express(GB_PORT_ENDPOINT, false);
				int v = add(w, above, slot, roll(8), virtual);

				w->device[v].virtual = true;
				w->device[v].bdf.bus = 200;
			}
		}
	}
}

static void hide_bytes(struct world *w, unsigned percent)
{
	static const uint16_t lengths[] = { 0, 64, 64, 256 };

	for (int i = 0; i < w->count; i++) {
		struct gb_config *c = &w->shown[i];
		uint16_t bytes = lengths[roll(COUNT(lengths))];
		bool no_list = c->express == GB_NO && chance(50);

		*c = w->config[i];
		if (!chance(percent) || bytes >= c->bytes)
			continue;
		c->bytes = bytes;
		if (bytes < 256 && !no_list)
			c->express = GB_CANNOT_TELL;
		if (c->express != GB_NO)
			c->acs = GB_CANNOT_TELL;
		if (c->express == GB_CANNOT_TELL)
			c->port = 0;
		if (!bytes)
			*c = (struct gb_config){ 0 };
	}
}

static void describe(const struct world *w, const struct outcome *o)
{
	char path[GB_PATH_MAX];

	for (int i = 0; i < w->count; i++)
		print_message("# %2d %-24s %04x:%04x bus %d%s%s express %d port %d acs %d bytes "
			      "%d; truth %d, group %d, surest %d\n",
			      i,
			      gb_path_format(&w->device[i].path, path), w->device[i].id.vendor,
			      w->device[i].id.device, w->device[i].bdf.bus,
			      w->device[i].virtual ? " virtual" : "",
			      w->config[i].multifunction ? " multi" : "", w->config[i].express,
			      w->config[i].port, w->config[i].acs, w->shown[i].bytes, w->truth[i],
			      member(o, i)->group, member(o, i)->surest);
}

static void check_pair(const struct world *w, const struct outcome *o, int a, int b, bool whole)
{
	bool same = w->truth[a] == w->truth[b], said = together(o, a, b);
	bool surely = member(o, a)->surest == member(o, b)->surest;
	const char *wrong = NULL;

	if (whole && same != said)
		wrong = "predicted wrongly";
	else if (surely && !same)
		wrong = "surely together, but apart";
	else if (!said && same)
		wrong = "surely apart, but together";
	else if (certain(o, a) && same != said)
		wrong = "certain, but wrong";
	if (!wrong)
		return;
	describe(w, o);
	fail_msg("%d and %d: %s", a, b, wrong);
}

static void check(struct world *w, bool whole)
{
	struct outcome o;

	for (int i = 0; i < w->count; i++)
		w->device[i].group = w->truth[i];
	foretell(w, &o);
	for (int a = 0; a < w->count; a++) {
		if (whole && !certain(&o, a))
			fail_msg("%d: nothing is hidden, yet it is not certain", a);
		for (int b = 0; b < w->count; b++)
			check_pair(w, &o, a, b, whole);
	}
	/* the kernel is right: nobody may say that it is not */
	assert_int_equal(count(&o, GB_SPLIT) + count(&o, GB_JOINED), 0);
	assert_true(!whole || !o.differences.differences);
	forget(&o);
}

/* A kernel that lies about one function must be caught. */
static void check_lie(struct world *w)
{
	struct outcome o;
	int liar = (int)roll((unsigned)w->count), other = (int)roll((unsigned)w->count), mates = 0;

	for (int i = 0; i < w->count; i++) {
		w->device[i].group = w->truth[i];
		mates += i != liar && w->truth[i] == w->truth[liar];
	}
	w->device[liar].group = 1000;
	foretell(w, &o);
	assert_int_equal(count(&o, GB_SPLIT) > 0, mates > 0);
	assert_int_equal(count(&o, GB_JOINED), 0);
	forget(&o);
	w->device[liar].group = w->truth[other];
	foretell(w, &o);
	assert_int_equal(count(&o, GB_JOINED) > 0, w->truth[liar] != w->truth[other]);
	forget(&o);
}

static void random_machines(void **state)
{
	const char *seed = getenv("GB_SEED");
	uint64_t first = seed ? strtoull(seed, NULL, 0) : 1, last = seed ? first : RUNS;
	size_t functions = 0, groups = 0;

	(void)state;
	for (uint64_t n = first; n <= last; n++) {
		static struct world w;

		random_state = n * UINT64_C(0x9e3779b97f4a7c15);
		w.count = 0;
		w.buses = 0;
		fill_bus(&w, -1, 0);
		for (int i = 0; i < w.count; i++)
			w.shown[i] = w.config[i];
		model_groups(&w);
		if (seed)
			print_message("# seed %s\n", seed);
		check(&w, true);
		check_lie(&w);
		for (int i = 0; i < w.count; i++)
			groups += w.truth[i] == i;
		functions += (size_t)w.count;
		for (unsigned percent = 10; percent <= 100; percent += 30) {
			hide_bytes(&w, percent);
			check(&w, false);
		}
	}
	print_message("# %zu functions in %zu groups\n", functions, groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_machines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
