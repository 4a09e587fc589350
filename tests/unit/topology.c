/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random machines, claims as `ghost-boot enable` writes them, and then everything that happens
 * to machines: cards moved, swapped, removed, added, bus numbers renumbered. Every physical card
 * has a soul that the tool can't see; an oracle that can says whether a wrong device was taken.
 * GB_SEED=n repeats a run. */
#include "fake.h"

#include "resolve.h"

enum { RUNS = 10000, SLOTS = 14, CARDS = 24, FUNCTIONS = 6, DEVICES = 96 };

struct card {
	int slot; /* -1: not in the machine */
	int model, functions, virtuals;
	struct gb_identity id[FUNCTIONS];
	bool boot_display;
	bool claimed, kept[FUNCTIONS];
};

struct world {
	struct gb_path slot[SLOTS]; /* of function 0 */
	int slots;
	struct card card[CARDS];
	int cards;
	struct gb_device bridge[DEVICES];
	int bridges;

	struct gb_claims claims;
	struct gb_line line[DEVICES];
	int line_card[DEVICES], line_function[DEVICES];

	/* as the tool sees it; card -1: a bridge */
	struct gb_machine machine;
	struct gb_device device[DEVICES];
	int device_card[DEVICES], device_function[DEVICES];
	int at[DEVICES];
	struct gb_path path[DEVICES];
	struct gb_verdict verdict[DEVICES];
	size_t placed; /* devices at a line's path, which come first */

	char story[1024];
};

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

__attribute__((format(printf, 2, 3)))
static void tell(struct world *w, const char *format, ...)
{
	size_t n = strlen(w->story);
	va_list args;

	va_start(args, format);
	vsnprintf(w->story + n, sizeof(w->story) - n, format, args);
	va_end(args);
}

/* ---- machines --------------------------------------------------------------------------- */

/* Few of them, so that twins and cards that share a function are common. */
static const struct model {
	int functions;
	struct {
		uint16_t vendor, device;
		uint32_t class;
	} f[FUNCTIONS];
	bool serials;
} models[] = {
	{ 4, { { 0x10de, 0x2203, 0x030000 }, { 0x10de, 0x1aef, 0x040300 },
	       { 0x10de, 0x1ada, 0x0c0330 }, { 0x10de, 0x1adb, 0x0c8000 } }, false },
	{ 2, { { 0x10de, 0x2203, 0x030000 }, { 0x10de, 0x1aef, 0x040300 } }, false }, /* cut down */
	{ 2, { { 0x10de, 0x2204, 0x030000 }, { 0x10de, 0x1aef, 0x040300 } }, false }, /* sound */
	{ 2, { { 0x1002, 0x73bf, 0x030000 }, { 0x1002, 0xab28, 0x040300 } }, true },
	{ 1, { { 0x1234, 0x1111, 0x030000 } }, false },
	{ 1, { { 0x8086, 0x56c0, 0x038000 } }, true },
	{ 1, { { 0x10de, 0x20b0, 0x030200 } }, true },
	{ 1, { { 0x15b7, 0x5030, 0x010802 } }, false },
	{ 1, { { 0x144d, 0xa80a, 0x010802 } }, true },
	{ 2, { { 0x8086, 0x1521, 0x020000 }, { 0x8086, 0x1521, 0x020000 } }, true },
	{ 2, { { 0x8086, 0x1572, 0x020000 }, { 0x8086, 0x1572, 0x020000 } }, false },
	{ 1, { { 0x1b21, 0x2142, 0x0c0330 } }, false },
	{ 3, { { 0x1002, 0x1638, 0x030000 }, { 0x1022, 0x145a, 0x010601 },
	       { 0x1002, 0x1637, 0x040300 } }, false }, /* brings a disk controller */
};

static unsigned base(uint32_t class)
{
	return class >> 16;
}

static bool is_display(const struct gb_identity *id)
{
	return base(id->class) == 3;
}

/* Anew, for the oracle shall not believe the code it judges. */
static bool same_identity(const struct gb_identity *a, const struct gb_identity *b)
{
	return a->vendor == b->vendor && a->device == b->device && a->subvendor == b->subvendor &&
	       a->subdevice == b->subdevice && a->class == b->class &&
	       a->has_serial == b->has_serial && (!a->has_serial || a->serial == b->serial);
}

static bool same_path(const struct gb_path *a, const struct gb_path *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->hops == b->hops &&
	       !memcmp(a->hop, b->hop, a->hops);
}

static struct gb_path function_path(struct gb_path slot, unsigned devfn)
{
	slot.hop[slot.hops - 1] = (uint8_t)(slot.hop[slot.hops - 1] | devfn);
	return slot;
}

static void add_bridge(struct world *w, const struct gb_path *path)
{
	struct gb_device *bridge = &w->bridge[w->bridges++];

	bridge->path = *path;
	bridge->id = (struct gb_identity){ 0x8086, (uint16_t)(0x4c00 + roll(2)), 0x8086, 0x7270,
					   0x060400, false, 0 };
}

/* On a root bus, behind a root port, or behind a switch; now and then on a second root bus. */
static void make_slots(struct world *w)
{
	w->slots = 4 + (int)roll(SLOTS - 3);
	for (int i = 0; i < w->slots; i++) {
		struct gb_path path = { .bus = i % 5 == 4 ? 0x40 : 0, .hops = 1,
					.hop = { (uint8_t)((i + 1) << 3) } };
		unsigned depth = roll(4);

		for (unsigned k = 0; k < depth; k++) {
			if (w->bridges < 24)
				add_bridge(w, &path);
			path.hop[path.hops++] = (uint8_t)(roll(3) << 3);
		}
		w->slot[i] = path;
	}
}

static int free_slot(const struct world *w)
{
	for (int tries = 0; tries < 40; tries++) {
		int slot = (int)roll((unsigned)w->slots);
		bool taken = false;

		for (int c = 0; c < w->cards; c++)
			taken |= w->card[c].slot == slot;
		if (!taken)
			return slot;
	}
	return -1;
}

static struct card *add_card(struct world *w, int model, int slot)
{
	const struct model *m = &models[model];
	struct card *card;

	if (w->cards == CARDS || slot < 0)
		return NULL;
	card = &w->card[w->cards++];
	*card = (struct card){ .slot = slot, .model = model, .functions = m->functions };
	for (int f = 0; f < m->functions; f++)
		card->id[f] = (struct gb_identity){ m->f[f].vendor, m->f[f].device, 0x1462,
						    (uint16_t)(chance(10) ? 0x5055 : 0x5054),
						    m->f[f].class, m->serials,
						    (uint64_t)w->cards << 8 };
	if (chance(15))
		card->virtuals = 1 + (int)roll(2);
	return card;
}

static void make_cards(struct world *w)
{
	int cards = 2 + (int)roll((unsigned)w->slots - 2);

	for (int i = 0; i < cards; i++) {
		int model = (int)roll(COUNT(models));

		if (i && chance(40)) /* a twin */
			model = w->card[roll((unsigned)i)].model;
		add_card(w, model, free_slot(w));
	}
	for (int i = 0; i < w->cards; i++)
		if (is_display(&w->card[i].id[0]) && chance(50)) {
			w->card[i].boot_display = true;
			break;
		}
}

/* ---- ghost-boot enable ------------------------------------------------------------------ */

static void add_line(struct world *w, int card, int function, bool keep, unsigned allow)
{
	size_t n = w->claims.lines++;
	struct gb_line *line = &w->line[n];

	*line = (struct gb_line){
		.number = (unsigned)n + 2,
		.keep = keep,
		.id = w->card[card].id[function],
		.path = function_path(w->slot[w->card[card].slot], (unsigned)function),
		.driver = "vfio-pci",
		.allow = keep ? 0 : allow,
	};
	w->line_card[n] = card;
	w->line_function[n] = function;
}

static void claim_card(struct world *w, int c)
{
	unsigned allow = 0;

	allow |= chance(80) ? GB_ALLOW_STORAGE : 0;
	allow |= chance(80) ? GB_ALLOW_NETWORK : 0;
	allow |= chance(10) ? GB_ALLOW_LAST_DISPLAY : 0;
	w->card[c].claimed = true;
	for (int f = 0; f < w->card[c].functions; f++)
		add_line(w, c, f, false, allow);
}

static void keep_function(struct world *w, int c, int f)
{
	w->card[c].kept[f] = true;
	add_line(w, c, f, true, 0);
}

/* Keep lines for every other display, the root disk's controller and one network card. */
static void enable(struct world *w)
{
	int claims = 1 + (int)roll(3), disk = -1, network = -1;

	for (int i = 0; i < claims; i++) {
		int c = (int)roll((unsigned)w->cards);

		if (!w->card[c].claimed)
			claim_card(w, c);
	}
	for (int c = 0; c < w->cards; c++) {
		if (w->card[c].claimed)
			continue;
		for (int f = 0; f < w->card[c].functions; f++) {
			unsigned b = base(w->card[c].id[f].class);

			if (b == 3 || (b == 1 && disk < 0) || (b == 2 && network < 0))
				keep_function(w, c, f);
			disk = b == 1 ? c : disk;
			network = b == 2 ? c : network;
		}
	}
}

/* ---- what happens to machines ----------------------------------------------------------- */

struct changes {
	bool harmless;	   /* nothing that was there moved, went or changed */
	int moved;	   /* the only change: this claimed card moved; or -1 */
};

static int some_card(const struct world *w, bool claimed)
{
	for (int tries = 0; tries < 40; tries++) {
		int c = (int)roll((unsigned)w->cards);

		if (w->card[c].slot >= 0 && w->card[c].claimed >= claimed)
			return c;
	}
	return -1;
}

static void insert(struct world *w, int slot)
{
	int like = (int)roll((unsigned)w->cards), model = (int)roll(COUNT(models));

	if (chance(50))
		model = w->card[like].model;
	tell(w, " insert model %d at %d;", model, slot);
	add_card(w, model, slot);
}

static void change(struct world *w, struct changes *changes, bool only)
{
	int c = some_card(w, chance(60)), d = some_card(w, false), slot = free_slot(w);
	unsigned kind = roll(8);

	if (c < 0 || d < 0)
		return;
	if (kind < 2 && slot >= 0) {
		tell(w, " move card %d from %d to %d;", c, w->card[c].slot, slot);
		w->card[c].slot = slot;
		changes->harmless = false;
		changes->moved = only && w->card[c].claimed ? c : -1;
	} else if (kind == 2 && c != d) {
		tell(w, " swap cards %d and %d;", c, d);
		slot = w->card[c].slot;
		w->card[c].slot = w->card[d].slot;
		w->card[d].slot = slot;
		changes->harmless = false;
	} else if (kind == 3) {
		tell(w, " remove card %d;", c);
		w->card[c].slot = -1;
		changes->harmless = false;
	} else if (kind == 4) {
		insert(w, slot);
	} else if (kind == 5) {
		slot = w->card[c].slot;
		tell(w, " replace card %d;", c);
		w->card[c].slot = -1;
		insert(w, slot);
		changes->harmless = false;
	} else if (kind == 6) {
		for (int i = 0; i < w->cards; i++)
			w->card[i].boot_display = i == d && is_display(&w->card[d].id[0]);
		tell(w, " boot display %d;", d);
		changes->moved = -1;
	} else if (kind == 7 && chance(30)) {
		int f = (int)roll((unsigned)w->card[c].functions);

		/* a firmware update, or a setting in it */
		tell(w, " card %d.%d has another subsystem;", c, f);
		w->card[c].id[f].subdevice ^= 0x100;
		changes->harmless = false;
	}
}

static struct changes mutate(struct world *w)
{
	struct changes changes = { true, -1 };
	unsigned n = roll(5);

	for (unsigned i = 0; i < n; i++)
		change(w, &changes, n == 1);
	return changes;
}

/* ---- what the tool sees ----------------------------------------------------------------- */

static void see(struct world *w, const struct gb_path *path, const struct gb_identity *id,
		int card, int function)
{
	size_t n = w->machine.devices++;
	struct gb_device *device = &w->device[n];

	assert_true(n < DEVICES);
	*device = (struct gb_device){
		.bdf = { 0, (uint8_t)(n + 1), path->hop[path->hops - 1] },
		.path = *path,
		.id = *id,
		.serial_read = true,
		.boot_vga = card >= 0 && !function && w->card[card].boot_display,
		.group = -1,
	};
	w->device_card[n] = card;
	w->device_function[n] = function;
}

static void see_card(struct world *w, int c)
{
	const struct card *card = &w->card[c];
	struct gb_path path;

	for (int f = 0; f < card->functions; f++) {
		path = function_path(w->slot[card->slot], (unsigned)f);
		see(w, &path, &card->id[f], c, f);
	}
	/* siblings of their physical function: on its bus, or seemingly in its very place */
	for (int v = 0; v < card->virtuals; v++) {
		struct gb_identity id = card->id[0];

		id.device ^= v ? 0x1000 : 0;
		id.has_serial = false;
		path = function_path(w->slot[card->slot], v ? 0 : (unsigned)card->functions);
		see(w, &path, &id, c, FUNCTIONS);
		w->device[w->machine.devices - 1].virtual = true;
		w->device[w->machine.devices - 1].boot_vga = false;
	}
}

static void swap_devices(struct world *w, size_t a, size_t b)
{
	struct gb_device device = w->device[a];
	int card = w->device_card[a], function = w->device_function[a];

	w->device[a] = w->device[b];
	w->device_card[a] = w->device_card[b];
	w->device_function[a] = w->device_function[b];
	w->device[b] = device;
	w->device_card[b] = card;
	w->device_function[b] = function;
}

static int find_path(const struct world *w, const struct gb_path *path)
{
	int found = GB_NOWHERE;

	for (size_t d = 0; d < w->machine.devices; d++)
		if (same_path(&w->device[d].path, path) &&
		    (found == GB_NOWHERE || !w->device[d].virtual))
			found = (int)d;
	return found;
}

/* In any order: bus numbers, and so the order of devices, mean nothing. Those at lines' paths
 * come first, as gb_machine_place finds them. */
static void look(struct world *w)
{
	w->machine.devices = 0;
	for (int b = 0; b < w->bridges; b++)
		see(w, &w->bridge[b].path, &w->bridge[b].id, -1, 0);
	for (int c = 0; c < w->cards; c++)
		if (w->card[c].slot >= 0)
			see_card(w, c);
	for (size_t i = w->machine.devices; i > 1; i--)
		swap_devices(w, i - 1, roll((unsigned)i));
	w->placed = 0;
	for (size_t i = 0; i < w->claims.lines; i++) {
		int d = find_path(w, &w->line[i].path);

		if (d >= (int)w->placed)
			swap_devices(w, (size_t)d, w->placed++);
	}
	for (size_t i = 0; i < w->claims.lines; i++) {
		w->path[i] = w->line[i].path;
		w->at[i] = find_path(w, &w->path[i]);
	}
	w->machine.device = w->device;
	w->machine.at = w->at;
	w->machine.path = w->path;
	w->machine.lines = w->claims.lines;
}

/* ---- the oracle ------------------------------------------------------------------------- */

static bool acts(const struct world *w, size_t line)
{
	return w->verdict[line].decision == GB_CLAIM || w->verdict[line].decision == GB_MOVED;
}

/* Is every function of this line's card to be seen in that slot? */
static bool whole_card_at(const struct world *w, size_t line, const struct gb_path *slot)
{
	for (size_t i = 0; i < w->claims.lines; i++) {
		struct gb_path path;
		int d;

		if (w->line_card[i] != w->line_card[line])
			continue;
		path = function_path(*slot, (unsigned)w->line_function[i]);
		d = find_path(w, &path);
		if (d == GB_NOWHERE || w->device[d].virtual ||
		    !same_identity(&w->device[d].id, &w->line[i].id))
			return false;
	}
	return true;
}

/* Another claimed card's slot, with that card (or its like) in it. */
static bool is_home_of_another(const struct world *w, int card, const struct gb_path *slot)
{
	for (size_t i = 0; i < w->claims.lines; i++) {
		struct gb_path path = function_path(*slot, (unsigned)w->line_function[i]);

		if (!w->line[i].keep && w->line_card[i] != card &&
		    same_path(&path, &w->line[i].path) && whole_card_at(w, i, slot))
			return true;
	}
	return false;
}

/* Where it was there is less than the card, and all of it is somewhere else. */
static bool seen_to_have_moved(const struct world *w, size_t line)
{
	struct gb_path home = w->line[line].path;

	home.hop[home.hops - 1] &= 0xf8;
	if (whole_card_at(w, line, &home))
		return false;
	for (int s = 0; s < w->slots; s++)
		if (whole_card_at(w, line, &w->slot[s]) &&
		    !is_home_of_another(w, w->line_card[line], &w->slot[s]))
			return true;
	return false;
}

/* A kept device was taken. Could anybody have seen it? Not when a device that looks the same to
 * the last byte stands in the kept one's place (they were swapped, or the kept one moved and
 * another of its kind came), and nothing shows that the claimed one went elsewhere. */
static bool nobody_could_see(const struct world *w, size_t line, size_t keep)
{
	int at = find_path(w, &w->line[keep].path);

	if (at == GB_NOWHERE || at == w->verdict[line].device ||
	    !same_identity(&w->device[at].id, &w->line[keep].id))
		return false;
	return w->verdict[line].decision == GB_MOVED || !seen_to_have_moved(w, line);
}

static const char *kept_is_taken(const struct world *w, size_t line)
{
	int d = w->verdict[line].device, c = w->device_card[d], f = w->device_function[d];

	if (f >= FUNCTIONS || !w->card[c].kept[f])
		return NULL;
	for (size_t k = 0; k < w->claims.lines; k++)
		if (w->line[k].keep && w->line_card[k] == c && w->line_function[k] == f &&
		    !nobody_could_see(w, line, k))
			return "a kept device";
	return NULL;
}

static const char *wrong_device(const struct world *w, size_t line)
{
	const struct gb_line *l = &w->line[line];
	int d = w->verdict[line].device;
	const struct gb_device *device;

	if (l->keep)
		return "a keep line acts";
	if (d < 0 || (size_t)d >= w->machine.devices)
		return "no device";
	device = &w->device[d];
	if (w->device_card[d] < 0 || base(device->id.class) == 6)
		return "a bridge";
	if (device->virtual)
		return "a virtual function";
	if (!same_identity(&device->id, &l->id))
		return "another identity";
	if (base(device->id.class) == 1 && !(l->allow & GB_ALLOW_STORAGE))
		return "storage";
	if (base(device->id.class) == 2 && !(l->allow & GB_ALLOW_NETWORK))
		return "network";
	if (w->verdict[line].decision == GB_CLAIM && !same_path(&device->path, &l->path))
		return "claimed as at its path, which it is not";
	if (w->verdict[line].decision == GB_MOVED && same_path(&device->path, &l->path))
		return "moved to where it was";
	if (w->verdict[line].decision == GB_MOVED && device->boot_vga)
		return "the boot display";
	return kept_is_taken(w, line);
}

/* Lines of one card act on one slot; what moved, moved whole. */
static const char *card_torn(const struct world *w, size_t a, size_t b)
{
	const struct gb_path *p, *q;

	if (w->line[b].keep || w->line_card[a] != w->line_card[b])
		return NULL;
	if (acts(w, a) && acts(w, b)) {
		p = &w->device[w->verdict[a].device].path;
		q = &w->device[w->verdict[b].device].path;
		if (p->domain != q->domain || p->bus != q->bus || p->hops != q->hops ||
		    memcmp(p->hop, q->hop, p->hops - 1u) ||
		    p->hop[p->hops - 1] >> 3 != q->hop[q->hops - 1] >> 3 ||
		    w->verdict[a].decision != w->verdict[b].decision)
			return "a card torn apart";
	} else if (w->verdict[a].decision == GB_MOVED && !acts(w, b) &&
		   strcmp(w->verdict[b].reason, "storage") &&
		   strcmp(w->verdict[b].reason, "network")) {
		return "moved without a companion";
	}
	return NULL;
}

static bool has_outlet(const struct gb_device *device)
{
	return is_display(&device->id) && !device->virtual && device->id.class >> 8 != 0x0302;
}

static const char *no_display_left(const struct world *w)
{
	bool unallowed = false;
	int left = 0;

	for (size_t d = 0; d < w->machine.devices; d++)
		left += has_outlet(&w->device[d]);
	for (size_t i = 0; i < w->claims.lines; i++) {
		const struct gb_device *device;

		if (!acts(w, i))
			continue;
		device = &w->device[w->verdict[i].device];
		if (!has_outlet(device))
			continue;
		left--;
		unallowed |= !(w->line[i].allow & GB_ALLOW_LAST_DISPLAY);
	}
	return left <= 0 && unallowed ? "no display left" : NULL;
}

static const char *judge(const struct world *w)
{
	const char *wrong = NULL;

	for (size_t i = 0; i < w->claims.lines && !wrong; i++) {
		if (!acts(w, i))
			continue;
		wrong = wrong_device(w, i);
		for (size_t k = 0; k < w->claims.lines && !wrong; k++) {
			wrong = card_torn(w, i, k);
			if (k != i && acts(w, k) && w->verdict[i].device == w->verdict[k].device)
				wrong = "two lines for one device";
		}
	}
	return wrong ? wrong : no_display_left(w);
}

/* ---- and what must be claimed ----------------------------------------------------------- */

static bool class_is_allowed(const struct world *w, size_t line)
{
	unsigned b = base(w->line[line].id.class), allow = w->line[line].allow;

	return b != 6 && (b != 1 || allow & GB_ALLOW_STORAGE) &&
	       (b != 2 || allow & GB_ALLOW_NETWORK);
}

static bool a_display_is_free(const struct world *w)
{
	for (size_t d = 0; d < w->machine.devices; d++)
		if (has_outlet(&w->device[d]) && !w->card[w->device_card[d]].claimed)
			return true;
	return false;
}

/* Nothing else in the machine looks like any function of this card. */
static bool unique(const struct world *w, int c)
{
	for (size_t d = 0; d < w->machine.devices; d++)
		for (int f = 0; f < w->card[c].functions; f++)
			if (w->device_card[d] != c && !w->device[d].virtual &&
			    same_identity(&w->device[d].id, &w->card[c].id[f]))
				return false;
	return true;
}

static const char *forgotten(const struct world *w, const struct changes *changes)
{
	if (!a_display_is_free(w))
		return NULL;
	for (size_t i = 0; i < w->claims.lines; i++) {
		int c = w->line_card[i], d = w->verdict[i].device;

		if (w->line[i].keep || !class_is_allowed(w, i))
			continue;
		if (changes->harmless &&
		    (w->verdict[i].decision != GB_CLAIM || w->device_card[d] != c))
			return "nothing moved, but not claimed";
		if (changes->moved == c && unique(w, c) && !w->card[c].boot_display &&
		    (w->verdict[i].decision != GB_MOVED || w->device_card[d] != c))
			return "moved, and there is no other, but not claimed";
	}
	return NULL;
}

/* ---- runs ------------------------------------------------------------------------------- */

static struct world world;
static unsigned long decisions[GB_ABSENT + 1], moved_whole, unscanned;

static void show(const struct world *w)
{
	char path[GB_PATH_MAX];

	print_error("changes:%s\n", w->story);
	for (size_t i = 0; i < w->claims.lines; i++) {
		const struct gb_line *l = &w->line[i];

		print_error("%-5s card %2d.%d %-24s %04x:%04x %06x allow %u: %s:%s, %s\n",
			    l->keep ? "keep" : "claim", w->line_card[i], w->line_function[i],
			    gb_path_format(&l->path, path), l->id.vendor, l->id.device, l->id.class,
			    l->allow, gb_decision_name(w->verdict[i].decision),
			    w->verdict[i].reason, w->verdict[i].text);
	}
	for (size_t d = 0; d < w->machine.devices; d++) {
		const struct gb_device *device = &w->device[d];
		const struct gb_identity *id = &device->id;

		print_error("%zu: card %2d.%d %-24s %04x:%04x %04x %06x serial %llx%s%s\n", d,
			    w->device_card[d], w->device_function[d],
			    gb_path_format(&device->path, path), id->vendor, id->device,
			    id->subdevice, id->class,
			    (unsigned long long)(id->has_serial ? id->serial : 0),
			    device->virtual ? " virtual" : "", device->boot_vga ? " vga" : "");
	}
}

/* First with the lines' own devices only, as ghost-claim does: if it says no more is needed, or
 * if listing fails, that stands. */
static const char *resolve(struct world *w)
{
	size_t all = w->machine.devices;
	const char *wrong;
	bool again;

	w->machine.complete = false;
	w->machine.devices = w->placed;
	again = gb_resolve(&w->claims, &w->machine, w->verdict);
	w->machine.devices = all;
	wrong = judge(w);
	if (wrong)
		return wrong;
	if (!again) {
		unscanned++;
		return NULL;
	}
	w->machine.complete = true;
	if (gb_resolve(&w->claims, &w->machine, w->verdict))
		return "asks for more than all devices";
	return judge(w);
}

static const char *run(struct world *w)
{
	struct changes changes;
	const char *wrong;

	memset(w, 0, sizeof(*w));
	w->claims.line = w->line;
	make_slots(w);
	make_cards(w);
	enable(w);
	changes = mutate(w);
	look(w);
	wrong = resolve(w);
	if (!wrong)
		wrong = forgotten(w, &changes);
	for (size_t i = 0; i < w->claims.lines; i++)
		decisions[w->verdict[i].decision]++;
	moved_whole += changes.moved >= 0 && unique(w, changes.moved);
	return wrong;
}

static void never_one_wrong_device(void **state)
{
	const char *set = getenv("GB_SEED");
	unsigned long seed = set ? strtoul(set, NULL, 10) : 20260101;

	(void)state;
	print_message("# GB_SEED=%lu\n", seed);
	for (unsigned long i = 0; i < RUNS; i++) {
		const char *wrong;

		random_state = (seed + i) * 0x9e3779b97f4a7c15 | 1;
		roll(1);
		wrong = run(&world);
		if (wrong) {
			show(&world);
			fail_msg("GB_SEED=%lu: %s", seed + i, wrong);
		}
	}
	for (int d = 0; d <= GB_ABSENT; d++)
		print_message("# %s: %lu\n", gb_decision_name((enum gb_decision)d), decisions[d]);
	print_message("# unique cards moved: %lu; without a scan: %lu\n", moved_whole, unscanned);
	/* a generator that avoids the hard cases would prove nothing */
	for (int d = 0; d <= GB_ABSENT; d++)
		assert_true(decisions[d] > RUNS / 100);
	assert_true(moved_whole > RUNS / 100);
	assert_true(unscanned > RUNS / 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(never_one_wrong_device) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
