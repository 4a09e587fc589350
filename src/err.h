/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_ERR_H
#define GB_ERR_H

/* One error with its context: made where it happens, wrapped on the way up, printed once
 * by main. Functions that take one return 0 or a negative errno, and fill it only when they
 * fail. A NULL error is allowed everywhere. */
struct gb_err {
	char text[512];
};

/* Set the text and return -code. */
__attribute__((format(printf, 3, 4)))
int gb_fail(struct gb_err *err, int code, const char *format, ...);

/* Put "context: " before the text. */
__attribute__((format(printf, 2, 3)))
void gb_wrap(struct gb_err *err, const char *format, ...);

#endif
