/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_LOGINS_H
#define GB_LOGINS_H

#include <stdbool.h>

struct gb_root;
struct gb_runner;

/* Is a person logged in, who proved it with a password, a key or the like? Read from logind's
 * files, and from utmp where there is no logind, and so none of its folders. Only what is known to
 * ask counts: a display manager's or getty's automatic login is nobody, and neither are timers,
 * greeters, and ssh without a terminal, which programs use. */

#define GB_SESSIONS "/run/systemd/sessions"
#define GB_UTMP "/run/utmp"

struct gb_login {
	char session[64]; /* logind's name of it, or utmp's line; the same while it lasts */
	char user[64];	  /* plain */
	char how[64];	  /* "login on tty1", "ssh" */
};

/* True and one of them, or false: nobody, as far as can be told. `runner` may be NULL: of a getty's login
 * less can be told then. */
bool gb_login_find(struct gb_root *root, const struct gb_runner *runner, struct gb_login *ret);

#endif
