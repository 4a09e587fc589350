/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_IMAGEPROOF_H
#define GB_IMAGEPROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "claims.h"
#include "imagetree.h"

struct gb_checks;
struct gb_err;
struct gb_root;

/* What an image has to be. Nothing is owned. */
struct gb_imageplan {
	const char *image;   /* the very file that the boot entry names */
	const char *release; /* of its kernel */
	const char *program; /* the installed one: "/usr/sbin/ghost-claim" */
	/* The bytes of its claims file; NULL: it must have none, and then nothing else of ours is
	 * asked for. */
	const char *claims;
	size_t claims_len;
	uint64_t previous; /* bytes of the image that it replaces, of the part in a unified one; 0:
			    * there was none */
	const struct gb_unifiedplan *unified; /* the image is the part of a unified one; or NULL */
};

/* What a unified kernel image has to be beside. Nothing is owned. */
struct gb_unifiedplan {
	const char *line;   /* its command line, to the byte */
	const char *kernel; /* the file of the kernel that is in it */
	bool is_signed;
	const char *certificate; /* the file of that whose signature it carries; "": not known */
};

/* Adds what was found, `subject` the image: image-readable, then, where it is, image-claims,
 * image-tools, image-modules, image-order, image-rivals, image-size; of a unified one before those
 * unified-line, unified-kernel, unified-system, unified-signature. Used is only an image whose
 * checks all pass or warn. 0, or -ENOMEM. */
int gb_imageproof(struct gb_root *root, const struct gb_imageplan *plan, struct gb_checks *checks,
		  struct gb_err *err);

/* ---- its parts ------------------------------------------------------------------------------- */

struct gb_proof {
	struct gb_root *root;
	const struct gb_imageplan *plan;
	struct gb_checks *checks;
	struct gb_imagetree tree;
	struct gb_claims claims;
};

/* The driver of each claim and what it needs, for this kernel. (imageproof-modules.c) */
void gb_imageproof_modules(const struct gb_proof *proof);
/* Our place, before udev and whatever else loads modules. (imageproof-order.c) */
void gb_imageproof_order(const struct gb_proof *proof);
/* The same in an image with systemd. (imageproof-units.c) */
void gb_imageproof_units(const struct gb_proof *proof);

/* Opens a unified image and judges all but the image in it, which is that part of the descriptor
 * returned, to be closed. Errors as gb_image_read. (imageproof-unified.c) */
int gb_imageproof_unified(const struct gb_proof *proof, uint64_t *ret_offset, uint64_t *ret_length,
			  struct gb_err *err);

/* A line of a script or unit that loads a module, and is no comment; or -1. (imageproof-order.c) */
int gb_imageproof_loads(const char *data, size_t len);
/* The last check passed by what was read, which was not all. (imageproof-order.c) */
void gb_imageproof_doubt(const struct gb_proof *proof);

#endif
