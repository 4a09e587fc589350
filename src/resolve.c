/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolve.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "card.h"

struct table {
	const struct gb_claims *claims;
	const struct gb_machine *machine;
	struct gb_verdict *verdict;
	struct gb_cards cards;
	bool needs_all;
};

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

static void refuse_card(const struct table *t, size_t card, size_t because)
{
	for (size_t i = card; i < t->claims->lines; i++)
		if (gb_card_has(&t->cards, card, i) && i != because &&
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
	else if (base == GB_CLASS_STORAGE && !(allow & (GB_ALLOW_STORAGE | GB_ALLOW_SYSTEM_DISK)))
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
	keep = gb_card_keeper(&t->cards, device, &missing);
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

static void say_card(const struct table *t, size_t card, enum gb_decision decision,
		     const char *reason, const char *text)
{
	for (size_t i = card; i < t->claims->lines; i++)
		if (gb_card_has(&t->cards, card, i))
			say(t, i, decision, GB_NOWHERE, reason, "%s", text);
}

/* Only the list of all devices can. */
static void cannot_tell(struct table *t, size_t card)
{
	t->needs_all = true;
	say_card(t, card, GB_REFUSED, "cannot-tell", "the devices could not be listed");
}

static void judge_in_place(struct table *t, size_t card)
{
	char path[GB_PATH_MAX], text[GB_PATH_MAX + 60];
	bool whole = true;
	int other;

	for (size_t i = card; i < t->claims->lines; i++) {
		if (!gb_card_has(&t->cards, card, i))
			continue;
		if (t->cards.line[i].place == GB_PLACE_MATCH) {
			judge_device(t, i, t->machine->at[i], GB_CLAIM);
		} else {
			say(t, i, GB_ABSENT, GB_NOWHERE, "absent", "is not there");
			whole = false;
		}
	}
	if (whole)
		return;
	if (!t->machine->complete) {
		cannot_tell(t, card);
		return;
	}
	other = gb_card_whole_elsewhere(&t->cards, card);
	if (other != GB_NOWHERE) {
		snprintf(text, sizeof(text), "only a part of the card is here, a whole one is at %s",
			 gb_path_format(&device_at(t, other)->path, path));
		say_card(t, card, GB_MISMATCH, "swapped", text);
	}
}

/* Nothing like it anywhere: gone, or replaced by something else. */
static void judge_lost(const struct table *t, size_t card)
{
	bool other = false;

	for (size_t i = card; i < t->claims->lines; i++)
		other |= gb_card_has(&t->cards, card, i) && t->cards.line[i].place == GB_PLACE_OTHER;
	for (size_t i = card; i < t->claims->lines; i++) {
		int at = t->machine->at[i];

		if (!gb_card_has(&t->cards, card, i))
			continue;
		if (at == GB_NOWHERE)
			say(t, i, GB_ABSENT, GB_NOWHERE, "absent", "is not there%s",
			    other ? ": its slot holds another card" : "");
		else if (t->cards.line[i].place == GB_PLACE_MATCH)
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
	struct gb_search search;

	if (!t->machine->complete) {
		cannot_tell(t, card);
		return;
	}
	gb_card_search(&t->cards, card, &search);
	if (!search.found) {
		judge_lost(t, card);
	} else if (search.found < t->cards.line[card].functions || !search.slots) {
		say_card(t, card, GB_AMBIGUOUS, "companions", "not in its place; what looks like "
			 "it elsewhere lacks a function of the card");
	} else if (!search.exact || search.slots != search.alike) {
		say_card(t, card, GB_AMBIGUOUS, "ambiguous", "not in its place, and more than one "
			 "device elsewhere looks like it");
	} else if (search.boot_vga) {
		say_card(t, card, GB_REFUSED, "boot-display", "not in its place; what looks like "
			 "it is the display this machine booted with");
	} else {
		for (size_t i = card; i < t->claims->lines; i++)
			if (gb_card_has(&t->cards, card, i))
				judge_device(t, i, gb_card_companion(&t->cards, i, search.anchor),
					     GB_MOVED);
	}
}

/* What a card's display or other function may not do, its companions shall not do alone. */
static void keep_cards_whole(const struct table *t)
{
	for (size_t i = 0; i < t->claims->lines; i++) {
		const struct gb_verdict *verdict = &t->verdict[i];

		if (verdict->decision == GB_REFUSED && (!strcmp(verdict->reason, "keep") ||
							!strcmp(verdict->reason, "keep-missing")))
			refuse_card(t, t->cards.line[i].card, i);
	}
}

static bool same_device(const struct table *t, size_t a, size_t b)
{
	const struct gb_verdict *v = t->verdict;

	return a != b && gb_decision_acts(v[a].decision) && gb_decision_acts(v[b].decision) &&
	       v[a].device == v[b].device;
}

/* A lost card and a lost smaller one of its kind may both be seen in one slot. */
static void part_rivals(const struct table *t)
{
	size_t lines = t->claims->lines;
	bool rival[GB_LINES_MAX] = { false };

	for (size_t i = 0; i < lines; i++)
		for (size_t k = 0; t->verdict[i].decision == GB_MOVED && k < lines; k++)
			if (same_device(t, i, k))
				rival[i] = rival[k] = true;
	for (size_t i = 0; i < lines; i++)
		if (rival[i])
			say_card(t, t->cards.line[i].card, GB_AMBIGUOUS, "ambiguous", "not in its "
				 "place, and another line's device may be the same one");
}

static bool is_claimed(const struct table *t, int device)
{
	for (size_t i = 0; i < t->claims->lines; i++)
		if (gb_decision_acts(t->verdict[i].decision) && t->verdict[i].device == device)
			return true;
	return false;
}

/* A 3D controller takes no picture away: there was none on it. */
static bool claims_an_outlet(const struct table *t, size_t line)
{
	return gb_decision_acts(t->verdict[line].decision) &&
	       gb_device_has_outlet(device_at(t, t->verdict[line].device));
}

/* Does a display stay with the host? A kept one in its place answers that without a scan. */
static bool display_remains(struct table *t)
{
	for (size_t i = 0; i < t->claims->lines; i++)
		if (t->claims->line[i].keep && t->cards.line[i].place == GB_PLACE_MATCH &&
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
		any |= claims_an_outlet(t, i);
	if (!any || display_remains(t))
		return;
	for (size_t i = 0; i < t->claims->lines; i++) {
		if (!claims_an_outlet(t, i))
			continue;
		if (t->claims->line[i].allow & GB_ALLOW_LAST_DISPLAY) {
			t->verdict[i].last_display = true;
			continue;
		}
		say(t, i, GB_REFUSED, t->verdict[i].device, "last-display",
		    "no display would remain for the host, and the line lacks "
		    "allow=last-display");
		refuse_card(t, t->cards.line[i].card, i);
	}
}

bool gb_resolve(const struct gb_claims *claims, const struct gb_machine *machine,
		struct gb_verdict *ret)
{
	struct table t = { .claims = claims, .machine = machine, .verdict = ret };

	gb_cards_sort(claims, machine, &t.cards);

	for (size_t i = 0; i < claims->lines; i++)
		say(&t, i, GB_KEEP, machine->at[i], "keep", "stays with the host");
	for (size_t i = 0; i < claims->lines; i++) {
		if (claims->line[i].keep || t.cards.line[i].card != i)
			continue;
		if (t.cards.line[i].lost)
			judge_elsewhere(&t, i);
		else
			judge_in_place(&t, i);
	}
	part_rivals(&t);
	keep_cards_whole(&t);
	guard_last_display(&t);
	return t.needs_all;
}
