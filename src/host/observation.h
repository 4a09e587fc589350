/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_OBSERVATION_H
#define GB_OBSERVATION_H

#include <stdbool.h>
#include <stddef.h>

struct gb_record;
struct gb_text;

/* What was seen of a running system, as a list of facts: to be compared with another boot's, so
 * nothing in it is a number that changes from boot to boot. */

enum gb_fact_kind {
	GB_FACT_ROOT,	 /* "/", what it is */
	GB_FACT_TARGET,	 /* default.target, its state: "active" */
	GB_FACT_FAILED,	 /* a unit, its state */
	GB_FACT_PICTURE, /* a connector with a monitor on: the card's path, the connector's name */
	GB_FACT_LINK,	 /* a network interface with a carrier, its hardware address or "" */
	GB_FACT_ROUTE,	 /* an interface with a default route: "inet" or "inet6" */
	GB_FACT_CLAIM,	 /* a claimed function's path, its driver or "" */
	GB_FACT_PLACE,	 /* "/" or an interface: the path of a PCI function that it hangs on */
	GB_FACT_KINDS,
};

struct gb_fact {
	enum gb_fact_kind kind;
	char *name, *value; /* never NULL */
};

/* Zeroed, an empty one. */
struct gb_observation {
	struct gb_fact *fact;
	size_t facts;
	bool blind[GB_FACT_KINDS]; /* these can't be told, or not all of them */
	bool failed;		   /* out of memory */
};

/* The same fact twice is once. */
void gb_observation_add(struct gb_observation *seen, enum gb_fact_kind kind, const char *name,
			const char *value);
/* The fact of that kind, name and value; any value when it is NULL. NULL: there is none. */
const struct gb_fact *gb_observation_find(const struct gb_observation *seen,
					  enum gb_fact_kind kind, const char *name,
					  const char *value);
void gb_observation_clear(struct gb_observation *seen);

/* As lines of a record (recordtext.h), and one of them back, by its first word; false: it says
 * nothing known. */
void gb_observation_print(const struct gb_observation *seen, struct gb_text *text);
bool gb_observation_take(struct gb_observation *seen, const char *tag, struct gb_record *line);

#endif
