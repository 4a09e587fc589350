/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_IMAGES_H
#define GB_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "kernelinstall.h"
#include "proved.h"
#include "sha256.h"
#include "site.h"

struct gb_checks;
struct gb_err;
struct gb_host;
struct gb_plan;
struct gb_root;
struct gb_text;

/* This machine's initramfs images: who builds them, for which kernels, which files of them the boot
 * loader reads; the steps that make them as they are wanted, and the proof of what came of those. */

/* What an image is to be. Nothing is owned. */
struct gb_image_wish {
	const char *claims; /* the bytes of its claims file; NULL: an image without us */
	size_t claims_len;
	const char *program; /* the installed one: GB_PROGRAM */
	const char *line; /* the command line of unified images, by gb_images_line; or NULL */
};

#define GB_PROGRAM "/usr/sbin/ghost-claim" /* as the images have it, whatever SBINDIR is */

/* What all images are to be with this claims file, NULL for none: the builders' hooks copy it
 * whatever it says, one that only keeps and one that can't be read, too. The line is the caller's. */
struct gb_image_wish gb_images_wish(const char *claims, size_t len);

#define GB_IMAGE_PLACES_MAX 8

/* A file that holds an image. */
struct gb_image_place {
	char path[320];
	uint64_t size;	     /* bytes */
	enum gb_known named; /* does a boot entry name it? */
	bool unified; /* a unified image, which has the kernel and its command line in it, too */
};

struct gb_kernel {
	char release[65];
	char kernel[320]; /* its own file */
	bool running;
	/* All hold the same image: where the builder puts it, and the loader's copies. At least
	 * one, and all are there. */
	struct gb_image_place place[GB_IMAGE_PLACES_MAX];
	size_t places;
	/* filled by planning and proving */
	bool good;	  /* is as wanted, or its new image was proved */
	char staged[320]; /* the new image, before it takes its places; or "" */
	char built[GB_SHA256_TEXT]; /* hash of the proved new image; or "" */
	/* an image of its own that was built and booted as planned: it is what the new one is; or "" */
	char tried[320];
	char staged_unified[320], built_unified[GB_SHA256_TEXT]; /* the same of the unified one */
};

/* How this machine's unified images are made. */
struct gb_unified {
	char program[64];     /* ukify; "": it boots none */
	char config[96];      /* its configuration, uki.conf; or "" */
	char key[96]; /* that it signs with where that names none; or "" */
	bool is_signed;
	char certificate[256]; /* whose signature they carry; "": not known, or they carry none */
	char folder[96];      /* "/efi/EFI/Linux" */
	char token[192];      /* what their names begin with, before "-RELEASE.efi" */
	char machine[64];     /* "systemd.machine_id=…", which their line gets; or "" */
};

struct gb_image_note {
	char text[256]; /* a sentence without its stop */
	char fix[192];	/* or "" */
};

#define GB_IMAGE_NOTES_MAX 12
#define GB_IMAGE_HOOKS_MAX 8

/* Owns `kernel` and `proved`: gb_images_clear. */
struct gb_images {
	enum gb_builder builder;
	const char *name; /* of what builds, "initramfs-tools"; a literal, or "" */
	char program[64]; /* what is run */
	bool as_installed; /* dracut, with the options of its plugin for kernel-install */
	bool host_only;	   /* and that asks for an image of this host alone */
	struct gb_kernelinstall told; /* what kernel-install is */
	struct gb_unified unified;
	bool usable;	   /* else `why` it is not, and `hint`, the command to type if there is one */
	char why[512];
	char hint[224];
	struct gb_image_note note[GB_IMAGE_NOTES_MAX]; /* what does nothing in silence, and the like */
	size_t notes;
	char hook[GB_IMAGE_HOOKS_MAX][160]; /* what update-initramfs runs after it, but for those
					     * that copy to a loader */
	size_t hooks;
	struct gb_kernel *kernel; /* oldest first, the running one last */
	size_t kernels;
	struct gb_proved proved;
};

/* 0, or -ENOMEM; *ret is always to be cleared. Reads the loader's files and no image. */
int gb_images_find(struct gb_host *host, const struct gb_site *site, struct gb_images *ret,
		   struct gb_err *err);
void gb_images_clear(struct gb_images *images);

/* What there is to know of them and of what builds them, as warnings. */
void gb_images_warn(const struct gb_images *images, struct gb_checks *checks);

/* Adds the steps that make every image as wished, and the number of them is returned, or a
 * negative errno. Sets `good` and `staged` of each kernel. An image is read only when it is not
 * known from GB_PROVED. The claims file itself is to be written by an earlier step. */
int gb_images_plan(struct gb_host *host, struct gb_images *images, const struct gb_image_wish *wish,
		   struct gb_plan *plan, struct gb_err *err);
/* Sets `good` of each kernel by GB_PROVED alone: false says only that it would have to be read. */
int gb_images_recall(struct gb_host *host, struct gb_images *images,
		     const struct gb_image_wish *wish, struct gb_err *err);
/* The step that builds one image at `staged`, a path of the caller's on the disk that it is for. Its
 * claims are those of the claims file; while a trial waits where others stand, any image but the
 * `trial`'s gets GB_STANDING_CLAIMS instead, whoever builds it. */
int gb_images_build(struct gb_host *host, const struct gb_images *images,
		    const struct gb_kernel *kernel, const char *staged, bool trial,
		    const char *reason, struct gb_plan *plan, struct gb_err *err);
#define GB_STANDING_CLAIMS "/var/lib/ghost-boot/standing-claims"

/* A word for the usual images that a kernel has, another one once somebody has written one of them
 * again: their sizes and times, which are only compared, so that no clock need be right. False, and
 * nothing in it, where one can't be looked at. */
bool gb_images_stamp(struct gb_host *host, const struct gb_kernel *kernel, struct gb_text *ret);
/* A kernel's next image is a copy of this one, which was built for it as gb_images_build does, and
 * booted; it stays. Not where the stamp is another by now than the one of then: its builder is asked
 * again, for what has changed. */
void gb_images_take_tried(struct gb_host *host, struct gb_images *images, const char *release,
			  const char *path, const char *stamp);

/* Would the builder put us in? -ENOENT: our hook is not there. */
int gb_images_check_hook(struct gb_host *host, const struct gb_images *images,
			 struct gb_err *err);

/* Of a transaction's `prove`: is what this step has built what was wished? 0 as well for a step
 * that builds no image. -EBADMSG with the first check that failed. */
int gb_images_prove(struct gb_host *host, struct gb_images *images,
		    const struct gb_image_wish *wish, const struct gb_plan *plan, size_t step,
		    struct gb_err *err);
/* The same of a file. `previous`: bytes of the image it replaces, or 0. *ret_hash is set. */
int gb_images_prove_file(struct gb_host *host, const char *release, const char *staged,
			 const struct gb_image_wish *wish, uint64_t previous,
			 char ret_hash[GB_SHA256_TEXT], struct gb_err *err);
/* When all is done: do the boot entries, read again, still name the files they named? -EBADMSG with
 * the first that is named no more. */
int gb_images_check(struct gb_host *host, const struct gb_site *site,
		    const struct gb_images *images, struct gb_err *err);

/* `line`, of /etc/kernel/cmdline, as unified images have it: words with one blank between two, and
 * the machine's ID behind them where kernel-install adds that. Caller clears *ret. */
void gb_images_line(const struct gb_images *images, const char *line, struct gb_text *ret);

/* Writes down which images are as wished, so that they need not be read again. To be called when
 * all is done, by who may write; a failure costs nothing but time. */
int gb_images_remember(struct gb_host *host, struct gb_images *images,
		       const struct gb_image_wish *wish, struct gb_err *err);
#define GB_PROVED "/var/lib/ghost-boot/proved"

/* Does this grub.cfg load an image of this file name? */
bool gb_images_grub_names(const char *data, size_t len, const char *name);

/* ---- its parts ------------------------------------------------------------------------------- */

/* Which program builds. (images-builder.c) */
void gb_images_find_builder(struct gb_host *host, const struct gb_site *site,
			    struct gb_images *images);
/* One of its places: 1, it is as wished, known or read (and known from now on); 0, it is not, or
 * nobody can tell: `checks`, which stays empty where it is known, says why. Or -ENOMEM.
 * (images-known.c) */
int gb_images_read(struct gb_host *host, struct gb_images *images, const struct gb_kernel *kernel,
		   const struct gb_image_place *place, const struct gb_image_wish *wish,
		   struct gb_checks *checks, struct gb_err *err);
/* Sets kernel->good: all its places are as wished. 0 or -ENOMEM. */
int gb_images_judge(struct gb_host *host, struct gb_images *images, struct gb_kernel *kernel,
		    const struct gb_image_wish *wish, struct gb_err *err);
/* How unified images are made, where this machine boots one. (images-unified.c) */
void gb_images_find_unified(struct gb_host *host, const struct gb_site *site,
			    struct gb_images *images);
/* Is this file the one that kernel-install has made for the kernel? */
bool gb_images_is_unified(const struct gb_images *images, const char *file, const char *release);
/* The step that makes the unified image at kernel->staged_unified of the image at kernel->staged. */
int gb_images_unify(struct gb_host *host, const struct gb_images *images,
		    const struct gb_kernel *kernel, const struct gb_image_wish *wish,
		    uint64_t space, const char *reason, struct gb_plan *plan, struct gb_err *err);
/* What a unified image has to be. */
struct gb_unifiedplan;
struct gb_unifiedplan gb_images_unifiedplan(const struct gb_images *images,
					    const struct gb_kernel *kernel,
					    const struct gb_image_wish *wish);
/* Kernels and files. (images-find.c, images-entry.c) */
#define GB_ENTRY_IMAGES_MAX 4
struct gb_image_entry {
	char release[65]; /* "" for none that is installed */
	/* as paths of this system: its kernel or "", and its kernel's images, microcode left out */
	char kernel[320], image[GB_ENTRY_IMAGES_MAX][320];
	size_t images;
	bool unclear; /* it loads several, and nothing says which is the one, or odd ones */
};
/* What this boot loader entry loads. False: it can't be read. */
bool gb_images_read_entry(struct gb_host *host, const struct gb_site *site, const char *path,
			  struct gb_image_entry *ret);
__attribute__((format(printf, 3, 4)))
void gb_images_refuse(struct gb_images *images, const char *hint, const char *format, ...);
__attribute__((format(printf, 3, 4)))
void gb_images_note(struct gb_images *images, const char *fix, const char *format, ...);

#endif
