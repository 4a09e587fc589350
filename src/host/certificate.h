/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CERTIFICATE_H
#define GB_CERTIFICATE_H

#include <stddef.h>

struct gb_err;
struct gb_pe;
struct gb_root;

/* X.509 certificates, as far as it matters whose signature an EFI program carries: whoever signs puts
 * his certificate in, byte for byte. Whether the signature holds is the firmware's business. */

/* The first certificate of a file, PEM or DER; caller frees *ret. -EINVAL for what is none. */
int gb_certificate_read(struct gb_root *root, const char *path, void **ret, size_t *ret_len,
			struct gb_err *err);

/* 1: the program carries that certificate; 0: it does not; or a negative errno. */
int gb_certificate_is_in(int fd, const struct gb_pe *pe, const void *certificate, size_t len);

#endif
