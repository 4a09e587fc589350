/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CARD_H
#define GB_CARD_H

#include <stdbool.h>
#include <stddef.h>

#include "claims.h"
#include "machine.h"

/* A card is all the claim lines of one slot: its functions stay together, or are left alone
 * together. It is named by the index of its first line. */

enum gb_place { GB_PLACE_EMPTY, GB_PLACE_MATCH, GB_PLACE_OTHER };

struct gb_cards {
	const struct gb_claims *claims;
	const struct gb_machine *machine;
	struct {
		enum gb_place place; /* what is at the line's path */
		size_t card;	     /* first line of its card; for keep lines, itself */
		size_t functions;    /* how many lines that card has */
		bool lost;	     /* the card is not where it was */
	} line[GB_LINES_MAX];
};

/* Where a lost card may have gone. */
struct gb_search {
	size_t found;  /* functions of the card that have a match elsewhere */
	bool exact;    /* as many matches as lost lines like it, for each function */
	bool boot_vga; /* a match is the display this machine booted with */
	size_t slots;  /* that hold the whole card */
	size_t alike;  /* lost cards of the same model, this one included */
	int anchor;    /* the first line's device in the slot for this card, or GB_NOWHERE */
};

void gb_cards_sort(const struct gb_claims *claims, const struct gb_machine *machine,
		   struct gb_cards *ret);
bool gb_card_has(const struct gb_cards *cards, size_t card, size_t line);

/* The keep line that protects a device, or NULL. One whose own device is not where it was
 * protects every device that looks like it, for that may be the one: *ret_missing. */
const struct gb_line *gb_card_keeper(const struct gb_cards *cards, int device,
				     bool *ret_missing);

/* Needs a complete machine. */
void gb_card_search(const struct gb_cards *cards, size_t card, struct gb_search *ret);
/* For a card of which only a part is in its place: the first function of a slot that holds all of
 * it, kept or not, or GB_NOWHERE. Then the two may have been swapped. Needs a complete machine. */
int gb_card_whole_elsewhere(const struct gb_cards *cards, size_t card);
/* The device that a line's would be if its card sat where `anchor` sits, or GB_NOWHERE. */
int gb_card_companion(const struct gb_cards *cards, size_t line, int anchor);

#endif
