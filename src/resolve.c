/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolve.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A card is all the claim lines of one slot: its functions stay together, or are left alone
 * together. It is named by the index of its first line. */
struct table {
	const struct gb_claims *claims;
	const struct gb_machine *machine;
	struct gb_verdict *verdict;
	bool needs_all;
};

enum place { EMPTY, MATCH, OTHER };

bool gb_decision_acts(enum gb_decision decision)
{
	return decision == GB_CLAIM || decision == GB_MOVED;
}

const char *gb_decision_name(enum gb_decision decision)
{
	static const char *const names[] = { "keep",	 "claim",     "moved", "refused",
					     "mismatch", "ambiguous", "absent" };

	return names[decision];
}

__attribute__((format(printf, 6, 7)))
static void say(const struct table *t, size_t line, enum gb_decision decision, int device,
		const char *reason, const char *format, ...)
{
	struct gb_verdict *verdict = &t->verdict[line];
	va_list args;

	verdict->decision = decision;
	verdict->device = device;
	verdict->reason = reason;
	va_start(args, format);
	vsnprintf(verdict->text, sizeof(verdict->text), format, args);
	va_end(args);
}

static const struct gb_device *device_at(const struct table *t, int index)
{
	return &t->machine->device[index];
}

static enum place place_of(const struct table *t, size_t line)
{
	int at = t->machine->at[line];

	if (at == GB_NOWHERE)
		return EMPTY;
	return gb_identity_match(&t->claims->line[line].id, &device_at(t, at)->id) ? MATCH : OTHER;
}

static bool same_card(const struct table *t, size_t a, size_t b)
{
	return !t->claims->line[a].keep && !t->claims->line[b].keep &&
	       gb_path_same_slot(&t->machine->path[a], &t->machine->path[b]);
}

static size_t card_of(const struct table *t, size_t line)
{
	size_t first = 0;

	while (!same_card(t, first, line))
		first++;
	return first;
}

static bool in_place(const struct table *t, size_t card)
{
	bool match = false;

	for (size_t i = card; i < t->claims->lines; i++) {
		enum place place = same_card(t, card, i) ? place_of(t, i) : EMPTY;

		if (place == OTHER)
			return false;
		match |= place == MATCH;
	}
	return match;
}

/* The keep line that protects a device, or NULL. One whose own device is not where it was
 * protects every device that looks like it, for that may be the one. */
static const struct gb_line *keeper(const struct table *t, int device, bool *ret_missing)
{
	for (size_t i = 0; i < t->claims->lines; i++) {
		const struct gb_line *line = &t->claims->line[i];

		if (!line->keep || !gb_identity_match(&line->id, &device_at(t, device)->id))
			continue;
		*ret_missing = place_of(t, i) != MATCH;
		if (*ret_missing || t->machine->at[i] == device)
			return line;
	}
	return NULL;
}

static void refuse_card(const struct table *t, size_t card, size_t because)
{
	for (size_t i = card; i < t->claims->lines; i++)
		if (same_card(t, card, i) && i != because &&
		    gb_decision_acts(t->verdict[i].decision))
			say(t, i, GB_REFUSED, t->verdict[i].device, "companion",
			    "belongs to the card of line %u, which is refused",
			    t->claims->line[because].number);
}

static bool refused_for_class(const struct table *t, size_t line, int device)
{
	unsigned base = GB_BASE_CLASS(device_at(t, device)->id.class);
	unsigned allow = t->claims->line[line].allow;

	if (base == GB_CLASS_BRIDGE)
		say(t, line, GB_REFUSED, device, "bridge", "is a bridge: the devices behind it "
		    "hang on it");
	else if (device_at(t, device)->virtual)
		say(t, line, GB_REFUSED, device, "virtual-function",
		    "is a virtual function: its path is not its own");
	else if (base == GB_CLASS_STORAGE && !(allow & GB_ALLOW_STORAGE))
		say(t, line, GB_REFUSED, device, "storage",
		    "is a storage controller, and the line lacks allow=storage");
	else if (base == GB_CLASS_NETWORK && !(allow & GB_ALLOW_NETWORK))
		say(t, line, GB_REFUSED, device, "network",
		    "is a network controller, and the line lacks allow=network");
	else
		return false;
	return true;
}

static void judge_device(const struct table *t, size_t line, int device,
			 enum gb_decision decision)
{
	const struct gb_line *keep;
	char path[GB_PATH_MAX];
	bool missing;

	if (refused_for_class(t, line, device))
		return;
	keep = keeper(t, device, &missing);
	if (keep && !missing)
		say(t, line, GB_REFUSED, device, "keep", "is kept for the host by line %u",
		    keep->number);
	else if (keep)
		say(t, line, GB_REFUSED, device, "keep-missing",
		    "the host's device of line %u looks the same and is not in its place: this "
		    "may be it", keep->number);
	else if (decision == GB_MOVED)
		say(t, line, decision, device, "moved", "moved to %s",
		    gb_path_format(&device_at(t, device)->path, path));
	else
		say(t, line, decision, device, "path", "at its path");
}

static void judge_in_place(const struct table *t, size_t card)
{
	for (size_t i = card; i < t->claims->lines; i++) {
		if (!same_card(t, card, i))
			continue;
		if (place_of(t, i) == MATCH)
			judge_device(t, i, t->machine->at[i], GB_CLAIM);
		else
			say(t, i, GB_ABSENT, GB_NOWHERE, "absent", "is not there");
	}
}

/* May this device be where a line's lost one has gone? */
static bool eligible(const struct table *t, size_t line, int device)
{
	const struct gb_device *d = device_at(t, device);
	bool missing;

	if (d->virtual || !gb_identity_match(&t->claims->line[line].id, &d->id) ||
	    gb_path_same_slot(&t->machine->path[line], &d->path))
		return false;
	for (size_t i = 0; i < t->claims->lines; i++)
		if (t->machine->at[i] == device && !t->claims->line[i].keep &&
		    in_place(t, card_of(t, i)))
			return false;
	return !keeper(t, device, &missing);
}

static size_t count_devices(const struct table *t, size_t line, bool *ret_boot_vga)
{
	size_t n = 0;

	for (size_t d = 0; d < t->machine->devices; d++)
		if (eligible(t, line, (int)d)) {
			n++;
			*ret_boot_vga |= device_at(t, (int)d)->boot_vga;
		}
	return n;
}

static size_t count_lost_lines(const struct table *t, size_t line)
{
	size_t n = 0;

	for (size_t i = 0; i < t->claims->lines; i++)
		n += !t->claims->line[i].keep && !in_place(t, card_of(t, i)) &&
		     gb_identity_equal(&t->claims->line[i].id, &t->claims->line[line].id);
	return n;
}

static uint8_t function_of(const struct gb_path *path)
{
	return GB_FUNCTION(path->hop[path->hops - 1]);
}

/* The device that a line's would be if its card sat where `anchor` sits. */
static int companion(const struct table *t, size_t line, int anchor)
{
	for (size_t d = 0; d < t->machine->devices; d++) {
		const struct gb_path *path = &device_at(t, (int)d)->path;

		if (gb_path_same_slot(path, &device_at(t, anchor)->path) &&
		    function_of(path) == function_of(&t->machine->path[line]) &&
		    eligible(t, line, (int)d))
			return (int)d;
	}
	return GB_NOWHERE;
}

static bool whole_card_at(const struct table *t, size_t card, int anchor)
{
	for (size_t i = card; i < t->claims->lines; i++)
		if (same_card(t, card, i) && companion(t, i, anchor) == GB_NOWHERE)
			return false;
	return true;
}

static bool path_before(const struct gb_path *a, const struct gb_path *b)
{
	if (a->domain != b->domain)
		return a->domain < b->domain;
	if (a->bus != b->bus)
		return a->bus < b->bus;
	for (unsigned i = 0; i < a->hops && i < b->hops; i++)
		if (a->hop[i] != b->hop[i])
			return a->hop[i] < b->hop[i];
	return a->hops < b->hops;
}

/* The slot, by path order, that the `rank`th of identical lost cards gets; *ret_slots is how
 * many slots hold such a card. */
static int find_slot(const struct table *t, size_t card, size_t rank, size_t *ret_slots)
{
	const struct gb_path *after = NULL;
	int pick = GB_NOWHERE;

	*ret_slots = 0;
	for (;;) {
		int next = GB_NOWHERE;

		for (size_t d = 0; d < t->machine->devices; d++) {
			const struct gb_path *path = &device_at(t, (int)d)->path;

			if ((after && !path_before(after, path)) ||
			    function_of(path) != function_of(&t->machine->path[card]) ||
			    !eligible(t, card, (int)d) || !whole_card_at(t, card, (int)d))
				continue;
			if (next == GB_NOWHERE || path_before(path, &device_at(t, next)->path))
				next = (int)d;
		}
		if (next == GB_NOWHERE)
			return pick;
		if ((*ret_slots)++ == rank)
			pick = next;
		after = &device_at(t, next)->path;
	}
}

static size_t functions_like(const struct table *t, size_t card, size_t line)
{
	size_t n = 0;

	for (size_t i = card; i < t->claims->lines; i++)
		n += same_card(t, card, i) &&
		     function_of(&t->machine->path[i]) == function_of(&t->machine->path[line]) &&
		     gb_identity_equal(&t->claims->line[i].id, &t->claims->line[line].id);
	return n;
}

static size_t card_size(const struct table *t, size_t card)
{
	size_t n = 0;

	for (size_t i = card; i < t->claims->lines; i++)
		n += same_card(t, card, i);
	return n;
}

static bool same_model(const struct table *t, size_t a, size_t b)
{
	if (card_size(t, a) != card_size(t, b))
		return false;
	for (size_t i = a; i < t->claims->lines; i++)
		if (same_card(t, a, i) && !functions_like(t, b, i))
			return false;
	return true;
}

/* How many lost cards are of this model, and which of them this one is. */
static size_t count_lost_cards(const struct table *t, size_t card, size_t *ret_rank)
{
	size_t n = 0;

	for (size_t i = 0; i < t->claims->lines; i++) {
		if (t->claims->line[i].keep || card_of(t, i) != i || in_place(t, i) ||
		    !same_model(t, i, card))
			continue;
		if (i == card)
			*ret_rank = n;
		n++;
	}
	return n;
}

static void say_card(const struct table *t, size_t card, enum gb_decision decision,
		     const char *reason, const char *text)
{
	for (size_t i = card; i < t->claims->lines; i++)
		if (same_card(t, card, i))
			say(t, i, decision, GB_NOWHERE, reason, "%s", text);
}

/* Nothing like it anywhere: gone, or replaced by something else. */
static void judge_lost(const struct table *t, size_t card)
{
	bool other = false;

	for (size_t i = card; i < t->claims->lines; i++)
		other |= same_card(t, card, i) && place_of(t, i) == OTHER;
	for (size_t i = card; i < t->claims->lines; i++) {
		int at = t->machine->at[i];

		if (!same_card(t, card, i))
			continue;
		if (at == GB_NOWHERE)
			say(t, i, GB_ABSENT, GB_NOWHERE, "absent", "is not there%s",
			    other ? ": its slot holds another card" : "");
		else if (place_of(t, i) == MATCH)
			say(t, i, GB_MISMATCH, at, "slot-changed",
			    "its slot holds another card, though this function looks the same");
		else
			say(t, i, GB_MISMATCH, at, "mismatch",
			    "its path now holds %04x:%04x, class %06x: not claimed",
			    device_at(t, at)->id.vendor, device_at(t, at)->id.device,
			    device_at(t, at)->id.class);
	}
}

static void judge_elsewhere(struct table *t, size_t card)
{
	size_t found = 0, size = card_size(t, card), slots, rank = 0, lost;
	bool boot_vga = false, exact = true;
	int slot;

	if (!t->machine->complete) {
		t->needs_all = true;
		say_card(t, card, GB_REFUSED, "cannot-tell", "the devices could not be listed");
		return;
	}
	for (size_t i = card; i < t->claims->lines; i++) {
		size_t devices;

		if (!same_card(t, card, i))
			continue;
		devices = count_devices(t, i, &boot_vga);
		found += devices > 0;
		exact &= devices == count_lost_lines(t, i);
	}
	if (!found) {
		judge_lost(t, card);
		return;
	}
	lost = count_lost_cards(t, card, &rank);
	slot = find_slot(t, card, rank, &slots);
	if (found < size || !slots) {
		say_card(t, card, GB_AMBIGUOUS, "companions", "not in its place; what looks like "
			 "it elsewhere lacks a function of the card");
	} else if (!exact || slots != lost) {
		say_card(t, card, GB_AMBIGUOUS, "ambiguous", "not in its place, and more than one "
			 "device elsewhere looks like it");
	} else if (boot_vga) {
		say_card(t, card, GB_REFUSED, "boot-display", "not in its place; what looks like "
			 "it is the display this machine booted with");
	} else {
		for (size_t i = card; i < t->claims->lines; i++)
			if (same_card(t, card, i))
				judge_device(t, i, companion(t, i, slot), GB_MOVED);
	}
}

/* What a card's display or other function may not do, its companions shall not do alone. */
static void keep_cards_whole(const struct table *t)
{
	for (size_t i = 0; i < t->claims->lines; i++) {
		const struct gb_verdict *verdict = &t->verdict[i];

		if (verdict->decision == GB_REFUSED && (!strcmp(verdict->reason, "keep") ||
							!strcmp(verdict->reason, "keep-missing")))
			refuse_card(t, card_of(t, i), i);
	}
}

static bool is_claimed(const struct table *t, int device)
{
	for (size_t i = 0; i < t->claims->lines; i++)
		if (gb_decision_acts(t->verdict[i].decision) && t->verdict[i].device == device)
			return true;
	return false;
}

static bool claims_a_display(const struct table *t, size_t line)
{
	return gb_decision_acts(t->verdict[line].decision) &&
	       gb_device_is_display(device_at(t, t->verdict[line].device));
}

/* Does a display stay with the host? A kept one in its place answers that without a scan. */
static bool display_remains(struct table *t)
{
	for (size_t i = 0; i < t->claims->lines; i++)
		if (t->claims->line[i].keep && place_of(t, i) == MATCH &&
		    gb_device_has_outlet(device_at(t, t->machine->at[i])))
			return true;
	t->needs_all |= !t->machine->complete;
	for (size_t d = 0; t->machine->complete && d < t->machine->devices; d++)
		if (gb_device_has_outlet(device_at(t, (int)d)) && !is_claimed(t, (int)d))
			return true;
	return false;
}

static void guard_last_display(struct table *t)
{
	bool any = false;

	for (size_t i = 0; i < t->claims->lines; i++)
		any |= claims_a_display(t, i);
	if (!any || display_remains(t))
		return;
	for (size_t i = 0; i < t->claims->lines; i++) {
		if (!claims_a_display(t, i))
			continue;
		if (t->claims->line[i].allow & GB_ALLOW_LAST_DISPLAY) {
			t->verdict[i].last_display = true;
			continue;
		}
		say(t, i, GB_REFUSED, t->verdict[i].device, "last-display",
		    "no display would remain for the host, and the line lacks "
		    "allow=last-display");
		refuse_card(t, card_of(t, i), i);
	}
}

bool gb_resolve(const struct gb_claims *claims, const struct gb_machine *machine,
		struct gb_verdict *ret)
{
	struct table t = { claims, machine, ret, false };

	for (size_t i = 0; i < claims->lines; i++)
		say(&t, i, GB_KEEP, machine->at[i], "keep", "stays with the host");
	for (size_t i = 0; i < claims->lines; i++) {
		if (claims->line[i].keep || card_of(&t, i) != i)
			continue;
		if (in_place(&t, i))
			judge_in_place(&t, i);
		else
			judge_elsewhere(&t, i);
	}
	keep_cards_whole(&t);
	guard_last_display(&t);
	return t.needs_all;
}
