/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card.h"

static const struct gb_line *line_of(const struct gb_cards *cards, size_t line)
{
	return &cards->claims->line[line];
}

static const struct gb_device *device_of(const struct gb_cards *cards, int device)
{
	return &cards->machine->device[device];
}

static uint8_t function_of(const struct gb_path *path)
{
	return GB_FUNCTION(path->hop[path->hops - 1]);
}

static enum gb_place look(const struct gb_cards *cards, size_t line)
{
	int at = cards->machine->at[line];

	if (at == GB_NOWHERE)
		return GB_PLACE_EMPTY;
	return gb_identity_match(&line_of(cards, line)->id, &device_of(cards, at)->id)
		       ? GB_PLACE_MATCH
		       : GB_PLACE_OTHER;
}

static size_t first_of(const struct gb_cards *cards, size_t line)
{
	const struct gb_path *path = cards->machine->path;

	for (size_t i = 0; i < line; i++)
		if (!line_of(cards, i)->keep && gb_path_same_slot(&path[i], &path[line]))
			return i;
	return line;
}

bool gb_card_has(const struct gb_cards *cards, size_t card, size_t line)
{
	return cards->line[line].card == card;
}

/* In its place: something of it is there, and nothing of another card. */
static void judge_place(struct gb_cards *cards, size_t card)
{
	bool match = false, other = false;
	size_t functions = 0;

	for (size_t i = card; i < cards->claims->lines; i++) {
		if (!gb_card_has(cards, card, i))
			continue;
		functions++;
		match |= cards->line[i].place == GB_PLACE_MATCH;
		other |= cards->line[i].place == GB_PLACE_OTHER;
	}
	for (size_t i = card; i < cards->claims->lines; i++) {
		if (!gb_card_has(cards, card, i))
			continue;
		cards->line[i].functions = functions;
		cards->line[i].lost = !match || other;
	}
}

void gb_cards_sort(const struct gb_claims *claims, const struct gb_machine *machine,
		   struct gb_cards *ret)
{
	ret->claims = claims;
	ret->machine = machine;
	for (size_t i = 0; i < claims->lines; i++) {
		ret->line[i].place = look(ret, i);
		ret->line[i].card = claims->line[i].keep ? i : first_of(ret, i);
		ret->line[i].functions = 0;
		ret->line[i].lost = false;
	}
	for (size_t i = 0; i < claims->lines; i++)
		if (!claims->line[i].keep && ret->line[i].card == i)
			judge_place(ret, i);
}

const struct gb_line *gb_card_keeper(const struct gb_cards *cards, int device,
				     bool *ret_missing)
{
	for (size_t i = 0; i < cards->claims->lines; i++) {
		const struct gb_line *line = line_of(cards, i);

		if (!line->keep || !gb_identity_match(&line->id, &device_of(cards, device)->id))
			continue;
		*ret_missing = cards->line[i].place != GB_PLACE_MATCH;
		if (*ret_missing || cards->machine->at[i] == device)
			return line;
	}
	return NULL;
}

/* Is this a line's device at another slot, as far as anybody can see, and no other claim's? */
static bool looks_like(const struct gb_cards *cards, size_t line, int device)
{
	const struct gb_device *d = device_of(cards, device);

	if (!gb_identity_match(&line_of(cards, line)->id, &d->id) || d->virtual ||
	    gb_path_same_slot(&cards->machine->path[line], &d->path))
		return false;
	for (size_t i = 0; i < cards->claims->lines; i++)
		if (cards->machine->at[i] == device && !line_of(cards, i)->keep &&
		    !cards->line[i].lost)
			return false;
	return true;
}

/* May it be where the line's lost device has gone? */
static bool eligible(const struct gb_cards *cards, size_t line, int device)
{
	bool missing;

	return looks_like(cards, line, device) && !gb_card_keeper(cards, device, &missing);
}

static size_t count_devices(const struct gb_cards *cards, size_t line, bool *ret_boot_vga)
{
	size_t n = 0;

	for (size_t d = 0; d < cards->machine->devices; d++)
		if (eligible(cards, line, (int)d)) {
			n++;
			*ret_boot_vga |= device_of(cards, (int)d)->boot_vga;
		}
	return n;
}

static size_t count_lost_lines(const struct gb_cards *cards, size_t line)
{
	size_t n = 0;

	for (size_t i = 0; i < cards->claims->lines; i++)
		n += cards->line[i].lost &&
		     gb_identity_equal(&line_of(cards, i)->id, &line_of(cards, line)->id);
	return n;
}

typedef bool (*suits_fn)(const struct gb_cards *cards, size_t line, int device);

static int companion(const struct gb_cards *cards, size_t line, int anchor, suits_fn suits)
{
	for (size_t d = 0; d < cards->machine->devices; d++) {
		const struct gb_path *path = &device_of(cards, (int)d)->path;

		if (gb_path_same_slot(path, &device_of(cards, anchor)->path) &&
		    function_of(path) == function_of(&cards->machine->path[line]) &&
		    suits(cards, line, (int)d))
			return (int)d;
	}
	return GB_NOWHERE;
}

int gb_card_companion(const struct gb_cards *cards, size_t line, int anchor)
{
	return companion(cards, line, anchor, eligible);
}

static bool whole_card_at(const struct gb_cards *cards, size_t card, int anchor,
			  suits_fn suits)
{
	uint8_t function = function_of(&cards->machine->path[card]);

	if (function_of(&device_of(cards, anchor)->path) != function ||
	    !suits(cards, card, anchor))
		return false;
	for (size_t i = card + 1; i < cards->claims->lines; i++)
		if (gb_card_has(cards, card, i) &&
		    companion(cards, i, anchor, suits) == GB_NOWHERE)
			return false;
	return true;
}

int gb_card_whole_elsewhere(const struct gb_cards *cards, size_t card)
{
	for (size_t d = 0; d < cards->machine->devices; d++)
		if (whole_card_at(cards, card, (int)d, looks_like))
			return (int)d;
	return GB_NOWHERE;
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

/* The next slot behind `after`, by path, that holds the whole card. */
static int next_slot(const struct gb_cards *cards, size_t card, const struct gb_path *after)
{
	int next = GB_NOWHERE;

	for (size_t d = 0; d < cards->machine->devices; d++) {
		const struct gb_path *path = &device_of(cards, (int)d)->path;

		if ((after && !path_before(after, path)) ||
		    !whole_card_at(cards, card, (int)d, eligible))
			continue;
		if (next == GB_NOWHERE || path_before(path, &device_of(cards, next)->path))
			next = (int)d;
	}
	return next;
}

static bool has_function_like(const struct gb_cards *cards, size_t card, size_t line)
{
	for (size_t i = card; i < cards->claims->lines; i++)
		if (gb_card_has(cards, card, i) &&
		    function_of(&cards->machine->path[i]) ==
			    function_of(&cards->machine->path[line]) &&
		    gb_identity_equal(&line_of(cards, i)->id, &line_of(cards, line)->id))
			return true;
	return false;
}

static bool same_model(const struct gb_cards *cards, size_t a, size_t b)
{
	if (cards->line[a].functions != cards->line[b].functions)
		return false;
	for (size_t i = a; i < cards->claims->lines; i++)
		if (gb_card_has(cards, a, i) && !has_function_like(cards, b, i))
			return false;
	return true;
}

/* Lost cards of one model are dealt to the slots in the order of the file. */
static size_t rank_of(const struct gb_cards *cards, size_t card, size_t *ret_alike)
{
	size_t rank = 0;

	*ret_alike = 0;
	for (size_t i = 0; i < cards->claims->lines; i++) {
		if (!cards->line[i].lost || !gb_card_has(cards, i, i) ||
		    !same_model(cards, i, card))
			continue;
		rank += i < card;
		++*ret_alike;
	}
	return rank;
}

void gb_card_search(const struct gb_cards *cards, size_t card, struct gb_search *ret)
{
	struct gb_search search = { .exact = true, .anchor = GB_NOWHERE };
	size_t rank = rank_of(cards, card, &search.alike);
	const struct gb_path *after = NULL;
	int slot;

	for (size_t i = card; i < cards->claims->lines; i++) {
		size_t devices;

		if (!gb_card_has(cards, card, i))
			continue;
		devices = count_devices(cards, i, &search.boot_vga);
		search.found += devices > 0;
		search.exact &= devices == count_lost_lines(cards, i);
	}
	/* more slots than cards is doubt enough: no need to count them all */
	while (search.found && search.slots <= search.alike &&
	       (slot = next_slot(cards, card, after)) != GB_NOWHERE) {
		if (search.slots++ == rank)
			search.anchor = slot;
		after = &device_of(cards, slot)->path;
	}
	*ret = search;
}
