/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "images.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bls.h"
#include "certificate.h"
#include "err.h"
#include "host.h"
#include "imageproof.h"
#include "kernelinstall.h"
#include "pe.h"
#include "plan.h"
#include "root.h"
#include "text.h"

/* Unified kernel images, as kernel-install has them made by ukify (60-ukify.install) and puts them
 * into place (90-uki-copy.install): what made the one that booted makes the new ones, too. */

#define UKIFY_S 600 /* it copies; signing may ask a token */
#define MACHINE "systemd.machine_id="

static void refuse(struct gb_images *images, const char *hint, const char *why)
{
	gb_images_refuse(images, hint, "this machine boots unified kernel images, %s", why);
}

/* ---- what makes them ------------------------------------------------------------------------ */

static bool find_program(struct gb_root *root, struct gb_unified *ret)
{
	static const char *const paths[] = { "/usr/bin/ukify", "/usr/lib/systemd/ukify" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (gb_root_exists(root, paths[i]))
			return gb_text_copy(ret->program, sizeof(ret->program), paths[i]);
	return false;
}

/* True: it is ukify, called by kernel-install. */
static bool ask_kernelinstall(struct gb_root *root, struct gb_images *images)
{
	const struct gb_kernelinstall *told = &images->told;
	char path[128], why[192];

	if (strcmp(told->layout, "uki")) {
		snprintf(why, sizeof(why), "and kernel-install is not told to make them (layout=%s)",
			 told->layout);
		refuse(images, "set layout=uki in /etc/kernel/install.conf, if kernel-install made it", why);
	} else if (told->uki_generator[0] && strcmp(told->uki_generator, "ukify")) {
		snprintf(why, sizeof(why), "made by %s; only those of ukify can be built beside and "
			 "proved", told->uki_generator);
		refuse(images, "ghost-boot cmdline changes the command line alone", why);
	} else if (!gb_kernelinstall_plugin(root, "60-ukify.install", path, sizeof(path)) ||
		   !find_program(root, &images->unified)) {
		refuse(images, "install ukify (Debian: systemd-ukify)", "and ukify, which makes them for "
		       "kernel-install, is not there");
	} else if (gb_kernelinstall_file(root, "devicetree", path, sizeof(path))) {
		snprintf(why, sizeof(why), "with a device tree in them (%s)", path);
		refuse(images, "", why);
	} else {
		return true;
	}
	return false;
}

/* ---- signing -------------------------------------------------------------------------------- */

/* sbctl signs what kernel-install has put into place; ukify can with the same key. */
static bool find_sbctl(struct gb_root *root, struct gb_unified *ret)
{
	static const char *const folders[] = { "/var/lib/sbctl/keys/db",
					       "/usr/share/secureboot/keys/db" };
	char path[128];

	if (!gb_kernelinstall_plugin(root, "91-sbctl.install", path, sizeof(path)))
		return false;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(ret->key, sizeof(ret->key), "%s/db.key", folders[i]);
		snprintf(ret->certificate, sizeof(ret->certificate), "%s/db.pem", folders[i]);
		if (gb_root_exists(root, ret->key) && gb_root_exists(root, ret->certificate))
			return true;
	}
	ret->key[0] = ret->certificate[0] = '\0';
	return false;
}

static void find_key(struct gb_root *root, struct gb_unified *ret)
{
	static const char *const keys[] = { "SecureBootPrivateKey", "SecureBootCertificateName" };
	char value[256];

	gb_kernelinstall_file(root, "uki.conf", ret->config, sizeof(ret->config));
	for (size_t i = 0; i < 2 && ret->config[0]; i++)
		ret->is_signed = ret->is_signed ||
			(gb_kernelinstall_setting(root, ret->config, keys[i], value, sizeof(value)) &&
			 value[0]);
	if (!ret->is_signed)
		ret->is_signed = find_sbctl(root, ret);
	else if (gb_kernelinstall_setting(root, ret->config, "SecureBootCertificate", value,
					  sizeof(value)) && value[0] == '/')
		gb_text_copy(ret->certificate, sizeof(ret->certificate), value);
}

/* With Secure Boot on, the one that booted shows which key the firmware takes. */
static void judge_certificate(struct gb_host *host, struct gb_images *images)
{
	const char *path = images->unified.certificate;
	struct gb_err err = { "" };
	void *certificate;
	struct gb_pe pe;
	size_t len;
	int fd, is, r;

	if (!path[0])
		return;
	r = gb_certificate_read(host->root, path, &certificate, &len, &err);
	if (r && r != -EACCES) /* who may not read it builds nothing */
		gb_images_refuse(images, "", "the certificate for Secure Boot: %s", err.text);
	if (r)
		return;
	fd = gb_pe_open(host->root, host->loader->entry, &pe, NULL);
	is = fd < 0 ? fd : gb_certificate_is_in(fd, &pe, certificate, len);
	if (fd >= 0)
		close(fd);
	free(certificate);
	if (is != 1)
		gb_images_refuse(images, "kernel-install add $(uname -r) /boot/vmlinuz-$(uname -r), and a "
				 "reboot, show whether it does", "Secure Boot is on, and the unified image "
				 "that booted is not signed with %s: whether the firmware takes that key "
				 "can't be told", path);
}

static void judge_signing(struct gb_host *host, struct gb_images *images,
			  const struct gb_site *site, bool booted_signed)
{
	if (images->unified.is_signed && site->secure_boot == GB_YES)
		judge_certificate(host, images);
	else if (images->unified.is_signed)
		return;
	else if (site->secure_boot == GB_YES)
		refuse(images, "name the key in /etc/kernel/uki.conf: SecureBootPrivateKey=, "
		       "SecureBootCertificate=", "Secure Boot is on, and no key of this machine's is "
		       "named to sign a new one with: the firmware would not start it");
	else if (booted_signed)
		gb_images_note(images, "name the key in /etc/kernel/uki.conf: SecureBootPrivateKey=, "
			       "SecureBootCertificate=", "the unified image that booted is signed, and "
			       "new ones won't be: no key is named, and Secure Boot could not be on");
}

/* ---- the one that booted -------------------------------------------------------------------- */

/* "TOKEN-RELEASE.efi" */
static bool take_token(const char *file, const char *release, struct gb_unified *ret)
{
	struct gb_bls_name name;
	size_t len, end = strlen(release) + 1;

	if (!gb_bls_name_unified(file, &name))
		return false;
	len = strlen(name.stem);
	if (len <= end || name.stem[len - end] != '-' || strcmp(name.stem + len - end + 1, release))
		return false;
	name.stem[len - end] = '\0';
	return gb_text_copy(ret->token, sizeof(ret->token), name.stem);
}

/* Several profiles in one image are somebody's own work. */
static bool look_at_booted(struct gb_host *host, struct gb_images *images, bool *ret_signed)
{
	struct gb_pe pe;
	int fd = gb_pe_open(host->root, host->loader->entry, &pe, NULL);

	if (fd < 0)
		return false;
	close(fd);
	*ret_signed = pe.is_signed;
	if (gb_pe_find(&pe, ".profile"))
		refuse(images, "", "with several profiles in one, which kernel-install does not make");
	return true;
}

/* kernel-install adds the ID to the line when it names images after it (60-ukify.install). */
static void find_machine(struct gb_root *root, struct gb_unified *ret)
{
	char id[40] = "";

	if (gb_root_read(root, "/etc/machine-id", id, sizeof(id)) <= 0)
		return;
	id[strcspn(id, "\n")] = '\0';
	if (id[0] && !strcmp(id, ret->token))
		snprintf(ret->machine, sizeof(ret->machine), MACHINE "%s", id);
}

static int is_entry(void *ctx, const char *file)
{
	struct gb_bls_name name;

	(void)ctx;
	return gb_bls_name(file, &name);
}

/* Of before the machine had unified images, or of another system. */
static void note_entries(struct gb_host *host, struct gb_images *images)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/loader/entries", host->loader->boot);
	if (gb_root_list(host->root, path, is_entry, NULL) > 0)
		gb_images_note(images, "remove those that boot this system", "beside the unified images "
			       "there are entries in %s, which stay as they are: what they boot claims "
			       "nothing", path);
}

void gb_images_find_unified(struct gb_host *host, const struct gb_site *site,
			    struct gb_images *images)
{
	const struct gb_loader *loader = host->loader;
	struct gb_unified *unified = &images->unified;
	bool is_signed = false;

	if (!ask_kernelinstall(host->root, images))
		return;
	if (!loader->entry[0] || !look_at_booted(host, images, &is_signed)) {
		gb_images_refuse(images, loader->esp_away ? "mount /efi, or mount /boot/efi, or mount /boot" :
							    "",
				 "which unified kernel image booted this machine can't be told: %s",
				 loader->proof[GB_PROOF_ENTRY].text);
	} else if (!take_token(gb_text_base(loader->entry), site->release, unified)) {
		refuse(images, "", "and the name of the one that booted is none that kernel-install gives");
		gb_images_note(images, "", "%s booted, with kernel %s", loader->entry, site->release);
	}
	snprintf(unified->folder, sizeof(unified->folder), "%s/EFI/Linux", loader->boot);
	find_machine(host->root, unified);
	find_key(host->root, unified);
	if (images->usable)
		judge_signing(host, images, site, is_signed);
	note_entries(host, images);
}

bool gb_images_is_unified(const struct gb_images *images, const char *file, const char *release)
{
	struct gb_unified found;

	return take_token(file, release, &found) && !strcasecmp(found.token, images->unified.token);
}

/* ---- making one ----------------------------------------------------------------------------- */

void gb_images_line(const struct gb_images *images, const char *line, struct gb_text *ret)
{
	bool named = false;

	gb_text_add(ret, "", 0);
	while (*line) {
		size_t len = strcspn(line, " \t\r\n\f\v");

		if (len)
			gb_text_addf(ret, "%s%.*s", ret->len ? " " : "", (int)len, line);
		named = named || !strncmp(line, MACHINE, strlen(MACHINE));
		line += len + (line[len] != '\0');
	}
	if (images->unified.machine[0] && !named)
		gb_text_addf(ret, "%s%s", ret->len ? " " : "", images->unified.machine);
}

struct gb_unifiedplan gb_images_unifiedplan(const struct gb_images *images,
					    const struct gb_kernel *kernel,
					    const struct gb_image_wish *wish)
{
	return (struct gb_unifiedplan){ .line = wish->line ? wish->line : "", .kernel = kernel->kernel,
					.is_signed = images->unified.is_signed,
					.certificate = images->unified.certificate };
}

int gb_images_unify(struct gb_host *host, const struct gb_images *images,
		    const struct gb_kernel *kernel, const struct gb_image_wish *wish,
		    uint64_t space, const char *reason, struct gb_plan *plan, struct gb_err *err)
{
	const struct gb_unified *unified = &images->unified;
	const char *argv[20] = { unified->program, "build", "--linux", kernel->kernel, "--initrd",
				 kernel->staged, "--uname", kernel->release };
	struct gb_text line = { 0 };
	size_t n = 8;
	int r;

	/* a line that begins with '@' would name a file */
	gb_text_addf(&line, " %s", wish->line ? wish->line : "");
	if (line.failed)
		return gb_fail(err, ENOMEM, "out of memory");
	argv[n++] = "--cmdline";
	argv[n++] = line.data;
	if (unified->config[0]) {
		argv[n++] = "--config";
		argv[n++] = unified->config;
	}
	if (unified->key[0]) {
		argv[n++] = "--secureboot-private-key";
		argv[n++] = unified->key;
		argv[n++] = "--secureboot-certificate";
		argv[n++] = unified->certificate;
	}
	argv[n++] = "--output";
	argv[n++] = kernel->staged_unified;
	r = gb_plan_build(plan, &host->store, argv, kernel->staged_unified, space, UKIFY_S, reason, err);
	gb_text_clear(&line);
	return r;
}
