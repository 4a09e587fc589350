/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_QUESTION_H
#define GB_QUESTION_H

#include <stdbool.h>

struct gb_root;

/* Is a passphrase asked for right now, at a console or anywhere else? By systemd's questions
 * (systemd.io/PASSWORD_AGENTS: ask.* below /run/systemd/ask-password) and by the programs of both
 * image builders that ask themselves. */
bool gb_question_asked(struct gb_root *root);

#endif
