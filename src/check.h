/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CHECK_H
#define GB_CHECK_H

#include <stdbool.h>
#include <stddef.h>

struct gb_json;
struct gb_style;
struct gb_text;

/* One thing that was looked at, and what came of it. Unknown means that nobody could tell, and is
 * never said for "no". */
enum gb_mark { GB_PASS, GB_WARN, GB_FAIL, GB_UNKNOWN };

struct gb_check {
	const char *id; /* "iommu-running": stable, a literal */
	enum gb_mark mark;
	char *subject;	/* "system", "0000:01:00.0", "group 14" */
	char *text;	/* one sentence for a person, without its full stop */
	char *evidence; /* where that was read, and what: "/sys/class/iommu: empty"; or NULL */
	char *fix;	/* what to do on this machine; or NULL */
};

/* Zero-initialise, add, look at `failed` (out of memory) once, clear. */
struct gb_checks {
	struct gb_check *check;
	size_t checks, room;
	bool failed;
};

/* Each returns nothing: what can't be stored is a failed list. A check is added with its text,
 * then gets evidence and a fix where it has them. */
__attribute__((format(printf, 5, 6)))
void gb_check(struct gb_checks *checks, const char *id, enum gb_mark mark, const char *subject,
	      const char *format, ...);
/* Of the last one added; a second call adds to it, after "; ". */
__attribute__((format(printf, 2, 3)))
void gb_check_evidence(struct gb_checks *checks, const char *format, ...);
/* The same: a file of a PCI function, and what it says. */
void gb_check_file(struct gb_checks *checks, const char *bdf, const char *name, const char *value);
__attribute__((format(printf, 2, 3)))
void gb_check_fix(struct gb_checks *checks, const char *format, ...);
void gb_checks_clear(struct gb_checks *checks);

const char *gb_mark_name(enum gb_mark mark);
/* Whether a check of that id and subject is there. */
bool gb_checks_have(const struct gb_checks *checks, const char *id, const char *subject);
size_t gb_checks_count(const struct gb_checks *checks, enum gb_mark mark);

/* For a person: one check a line, evidence and mend below those that did not pass, a sum. With
 * `all`, evidence below all of them. */
void gb_checks_text(const struct gb_checks *checks, const struct gb_style *style, bool all,
		    struct gb_text *ret);
/* The member "checks" of an open object. */
void gb_checks_json(const struct gb_checks *checks, struct gb_json *json);

#endif
