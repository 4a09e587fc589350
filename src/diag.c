/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "diag.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "err.h"
#include "jsonread.h"
#include "record.h"
#include "root.h"
#include "verify.h"

#define CMDLINE_MAX (64u << 10)
#define CHECKS_MAX 4096
#define CHECKS_SIZE_MAX (4u << 20)

const char *gb_standing_name(enum gb_standing standing)
{
	static const char *const names[] = { "ours",   "rival",	    "held",   "refused",
					     "absent", "unclaimed", "unknown" };

	return names[standing];
}

size_t gb_diag_count(const struct gb_diag *diag, enum gb_standing standing)
{
	size_t n = 0;

	for (size_t i = 0; i < diag->devices; i++)
		n += diag->device[i].standing == standing;
	return n;
}

/* ---- the checks made at boot, or now ----------------------------------------------- */

static enum gb_mark mark_of(const char *name)
{
	for (enum gb_mark mark = GB_PASS; mark <= GB_UNKNOWN; mark++)
		if (!strcmp(name, gb_mark_name(mark)))
			return mark;
	return GB_UNKNOWN;
}

static void take_check(struct gb_diag *diag, size_t n, struct gb_value item)
{
	char mark[16], subject[64], text[400], evidence[400], fix[400];

	gb_value_text(gb_value_member(item, "id"), diag->check_id[n], sizeof(*diag->check_id));
	gb_value_text(gb_value_member(item, "result"), mark, sizeof(mark));
	gb_value_text(gb_value_member(item, "subject"), subject, sizeof(subject));
	gb_value_text(gb_value_member(item, "text"), text, sizeof(text));
	gb_check(&diag->checks, diag->check_id[n], mark_of(mark), subject, "%s", text);
	if (gb_value_text(gb_value_member(item, "evidence"), evidence, sizeof(evidence)))
		gb_check_evidence(&diag->checks, "%s", evidence);
	if (gb_value_text(gb_value_member(item, "fix"), fix, sizeof(fix)))
		gb_check_fix(&diag->checks, "%s", fix);
}

static bool take_checks(struct gb_diag *diag, struct gb_value record)
{
	struct gb_value list = gb_value_member(record, "checks"), item = { NULL, NULL };
	size_t n = 0;

	if (!list.at || *list.at != '[')
		return false;
	while (n < CHECKS_MAX && gb_value_next(list, &item))
		n++;
	diag->check_id = calloc(n + 1, sizeof(*diag->check_id));
	if (!diag->check_id)
		return false;
	item = (struct gb_value){ NULL, NULL };
	for (size_t i = 0; i < n && gb_value_next(list, &item); i++)
		take_check(diag, i, item);
	return true;
}

static void read_checks(struct gb_diag *diag)
{
	static const char *const files[] = { GB_RECORDS "/verify.json",
					     GB_RECORDS_WAIT "/verify.json" };
	struct gb_verify what = { .at_boot = diag->survey.site.initramfs, .node = GB_NOWHERE };
	struct gb_value record;
	size_t len;
	char *data;

	for (size_t i = 0; !diag->checks_file && i < sizeof(files) / sizeof(*files); i++) {
		if (gb_root_read_all(diag->root, files[i], CHECKS_SIZE_MAX, &data, &len))
			continue;
		if (gb_value_parse(data, len, &record) && take_checks(diag, record))
			diag->checks_file = files[i];
		free(data);
	}
	if (!diag->checks_file && diag->surveyed)
		gb_verify_run(&diag->survey, &what, &diag->checks);
}

/* ---- the devices ------------------------------------------------------------------- */

static struct gb_diag_device *add_device(struct gb_diag *diag)
{
	struct gb_diag_device *more =
		realloc(diag->device, (diag->devices + 1) * sizeof(*diag->device));

	if (!more)
		return NULL;
	diag->device = more;
	more = &more[diag->devices++];
	memset(more, 0, sizeof(*more));
	snprintf(more->wants, sizeof(more->wants), "%s", GB_DRIVER_DEFAULT);
	return more;
}

static void take_account(struct gb_diag_device *device, const struct gb_account_device *account)
{
	device->account = account;
	device->line = account->line;
	snprintf(device->path, sizeof(device->path), "%s", account->path);
	snprintf(device->id, sizeof(device->id), "%s", account->id);
	if (account->placed) {
		device->placed = true;
		device->bdf = account->bdf;
	}
}

static struct gb_diag_device *find_line(struct gb_diag *diag, unsigned line)
{
	for (size_t i = 0; i < diag->devices; i++)
		if (diag->device[i].line == line)
			return &diag->device[i];
	return NULL;
}

/* A later record of a device takes the place of the boot's. */
static bool add_recorded(struct gb_diag *diag)
{
	for (size_t i = 0; i < diag->account.devices; i++) {
		const struct gb_account_device *account = &diag->account.device[i];
		struct gb_diag_device *device =
			account->late ? find_line(diag, account->line) : NULL;

		if (!device && !(device = add_device(diag)))
			return false;
		take_account(device, account);
	}
	return true;
}

static bool add_configured(struct gb_diag *diag)
{
	const struct gb_survey *survey = &diag->survey;

	for (size_t i = 0; i < survey->claims.lines; i++) {
		const struct gb_line *line = &survey->claims.line[i];
		struct gb_diag_device *device;

		if (line->keep)
			continue;
		device = add_device(diag);
		if (!device)
			return false;
		device->line = line->number;
		gb_path_format(&line->path, device->path);
		snprintf(device->id, sizeof(device->id), "%04x:%04x", line->id.vendor,
			 line->id.device);
		device->class = line->id.class;
		if (survey->verdict && survey->verdict[i].device != GB_NOWHERE &&
		    gb_decision_acts(survey->verdict[i].decision)) {
			device->placed = true;
			device->bdf = survey->machine.device[survey->verdict[i].device].bdf;
		}
	}
	return true;
}

static bool was_refused(const struct gb_diag_device *device)
{
	const struct gb_account_device *account = device->account;

	return account && strcmp(account->decision, "claim") &&
	       strcmp(account->decision, "moved") && strcmp(account->decision, "absent");
}

static enum gb_standing stand(const struct gb_diag *diag, const struct gb_diag_device *device)
{
	if (diag->arming == GB_UNARMED || diag->arming == GB_SWITCHED_OFF)
		return GB_STANDS_UNCLAIMED;
	if (was_refused(device))
		return GB_STANDS_REFUSED;
	if (!device->seen)
		return GB_STANDS_UNKNOWN;
	if (!device->placed)
		return GB_STANDS_ABSENT;
	if (!device->driver[0])
		return GB_STANDS_HELD;
	return gb_text_same_module(device->driver, device->wants) ? GB_STANDS_OURS
								   : GB_STANDS_RIVAL;
}

static void look_at(struct gb_diag *diag, struct gb_diag_device *device)
{
	char path[GB_SYSFS_MAX];
	struct gb_device now;

	for (size_t i = 0; i < diag->survey.claims.lines; i++)
		if (diag->survey.claims.line[i].number == device->line) {
			snprintf(device->wants, sizeof(device->wants), "%s",
				 diag->survey.claims.line[i].driver);
			device->class = diag->survey.claims.line[i].id.class;
		}
	device->seen = gb_root_exists(diag->root, "/sys/bus/pci/devices");
	if (device->seen && !gb_root_exists(diag->root, gb_bdf_file(device->bdf, "", path)))
		device->placed = false; /* it was there, and is gone */
	if (device->seen && device->placed) {
		if (!gb_device_read(diag->root, device->bdf, &now))
			device->class = now.id.class;
		device->seen = !gb_device_driver(diag->root, device->bdf, device->driver);
	}
	device->standing = stand(diag, device);
	if (device->standing == GB_STANDS_RIVAL)
		gb_channel_find(diag->root, device->bdf, device->driver, &device->channels);
}

/* ---- all of it --------------------------------------------------------------------- */

static void read_cmdline(struct gb_diag *diag)
{
	size_t len;

	diag->cmdline_error =
		-gb_root_read_all(diag->root, "/proc/cmdline", CMDLINE_MAX, &diag->text, &len);
	if (!diag->cmdline_error)
		gb_cmdline_read(diag->text, &diag->cmdline);
}

/* The record says what was; without one, what is said now is all there is. */
static enum gb_arming find_arming(const struct gb_diag *diag)
{
	const struct gb_account *account = &diag->account;

	if (account->file && !account->broken) {
		if (account->armed)
			return GB_ARMED;
		return !strcmp(account->outcome, "off") ? GB_SWITCHED_OFF : GB_UNARMED;
	}
	if (diag->cmdline_error)
		return GB_ARMING_UNKNOWN;
	if (diag->cmdline.claim == GB_SWITCH_OFF || diag->cmdline.claim == GB_SWITCH_ODD)
		return GB_SWITCHED_OFF;
	return diag->cmdline.claim == GB_SWITCH_ON || diag->survey.claims.arm_always ? GB_ARMED
										      : GB_UNARMED;
}

int gb_diag_read(struct gb_root *root, struct gb_diag *ret, struct gb_err *err)
{
	struct gb_err why = { "" };
	struct timespec now;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->root = root;
	clock_gettime(CLOCK_BOOTTIME, &now);
	ret->now = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	read_cmdline(ret);
	ret->log_error = -gb_log_read(root, &ret->log);
	r = gb_account_read(root, &ret->account);
	if (r)
		return gb_fail(err, ENOMEM, "out of memory");
	ret->surveyed = !gb_survey_read(root, GB_SURVEY_FIRMWARE | GB_SURVEY_SITE, NULL, NULL, 0,
					&ret->survey, &why);
	gb_text_copy(ret->survey_error, sizeof(ret->survey_error), why.text);
	ret->arming = find_arming(ret);
	if (!add_recorded(ret) || (!ret->devices && !add_configured(ret)))
		return gb_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < ret->devices; i++)
		look_at(ret, &ret->device[i]);
	read_checks(ret);
	return ret->checks.failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
}

void gb_diag_clear(struct gb_diag *diag)
{
	gb_checks_clear(&diag->checks);
	gb_account_clear(&diag->account);
	gb_survey_clear(&diag->survey);
	gb_log_clear(&diag->log);
	free(diag->check_id);
	free(diag->device);
	free(diag->text);
	memset(diag, 0, sizeof(*diag));
}
