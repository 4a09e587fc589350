/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "patience.h"
#include "root.h"

/* In an image, / is still the kernel's rootfs; after the switch to the real root that mount
 * can't be seen any more. Nobody in an image has opened a device yet. When in doubt: live. */
static bool in_image(struct gb_root *root)
{
	bool found = false;
	size_t len;
	char *text;

	if (!gb_root_read_all(root, "/proc/self/mounts", 1u << 20, &text, &len)) {
		found = strstr(text, " / rootfs ") != NULL;
		free(text);
	}
	return found;
}

#define VERIFY_MAX_S 10
#define GB_RECORD_MAX (4u << 20) /* bytes; 512 lines make less than half a MiB */

static void begin(struct gb_boot *boot)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	boot->report.at = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	boot->report.claims = &boot->claims;
	boot->report.said = &boot->cmdline;
	boot->report.counter = &boot->counter;
	boot->claim.start_ms = gb_now_ms();
}

void gb_boot_clear(struct gb_boot *boot)
{
	free(boot->claim.task);
	free(boot->verdict);
	free(boot->text);
	gb_inspection_clear(&boot->inspection);
	gb_text_clear(&boot->json);
	gb_machine_clear(&boot->machine);
	gb_claims_clear(&boot->claims);
}

/* ---- what is said ------------------------------------------------------------------- */

static bool off(struct gb_report *report, enum gb_outcome outcome)
{
	report->outcome = outcome;
	return true;
}

/* True when the command line alone ends it; the report says why. */
static bool switched_off(struct gb_boot *boot)
{
	struct gb_report *report = &boot->report;
	char *text;
	size_t len;

	if (gb_root_read_all(boot->root, "/proc/cmdline", 64u << 10, &text, &len)) {
		/* the kill switch may stand in it */
		gb_text_copy(report->arming, sizeof(report->arming), "not armed");
		gb_text_copy(report->error, sizeof(report->error),
			     "/proc/cmdline can't be read");
		return off(report, GB_ERROR);
	}
	gb_cmdline_read(text, &boot->cmdline);
	free(text);
	report->debug = boot->cmdline.debug;
	if (boot->cmdline.claim == GB_SWITCH_OFF) {
		gb_text_copy(report->arming, sizeof(report->arming), "ghost.claim=off");
		return off(report, GB_OFF);
	}
	if (boot->cmdline.claim == GB_SWITCH_ODD) {
		snprintf(report->arming, sizeof(report->arming),
			 "ghost.claim=%s is neither on nor off", boot->cmdline.odd);
		return off(report, GB_OFF);
	}
	return false;
}

static void arm(struct gb_boot *boot)
{
	bool word = boot->cmdline.claim == GB_SWITCH_ON;

	boot->report.armed = word || boot->claims.arm_always;
	gb_text_copy(boot->report.arming, sizeof(boot->report.arming),
		     word		       ? "armed by ghost.claim=on"
		     : boot->claims.arm_always ? "armed by the claims file"
					       : "not armed");
}

/* True when this boot of a counted trial may claim nothing; the report says why. */
static bool counted_out(struct gb_boot *boot)
{
	if (!boot->cmdline.counted || boot->dry_run)
		return false;
	gb_counter_run(boot->root, boot->loader, boot->cmdline.trial, &boot->counter);
	if (!gb_counter_stops(boot->counter.state))
		return false;
	gb_text_copy(boot->report.arming, sizeof(boot->report.arming), boot->counter.text);
	boot->report.armed = false;
	return off(&boot->report, GB_OFF);
}

int gb_boot_read_claims(struct gb_boot *boot, const char *file)
{
	struct gb_report *report = &boot->report;
	struct gb_err err = { "" };
	int r;

	report->file = file;
	r = gb_root_read_all(boot->root, file, GB_CLAIMS_SIZE_MAX, &boot->text, &boot->len);
	if (r)
		snprintf(report->error, sizeof(report->error), "%s: %s", file,
			 r == -ENOENT  ? "there is no claims file"
			 : r == -EFBIG ? "too large to be a claims file"
				       : strerror(-r));
	else if ((r = gb_claims_parse(boot->text, boot->len, &boot->claims, &err)))
		snprintf(report->error, sizeof(report->error), "%s: %.120s", file, err.text);
	return r;
}

/* ---- what is decided ---------------------------------------------------------------- */

static int judge(struct gb_boot *boot, struct gb_err *err)
{
	struct gb_err scan = { "" };
	int r = gb_machine_place(boot->root, &boot->claims, &boot->machine, err);

	if (r)
		return r;
	boot->verdict = calloc(boot->claims.lines + 1, sizeof(*boot->verdict));
	boot->claim.task = calloc(boot->claims.lines + 1, sizeof(*boot->claim.task));
	if (!boot->verdict || !boot->claim.task)
		return gb_fail(err, ENOMEM, "out of memory");
	if (gb_resolve(&boot->claims, &boot->machine, boot->verdict)) {
		/* when listing fails, what was decided without it stands */
		if (!gb_machine_scan(boot->root, &boot->claims, &boot->machine, &scan))
			gb_resolve(&boot->claims, &boot->machine, boot->verdict);
		else
			boot->warning = scan;
	}
	boot->report.machine = &boot->machine;
	boot->report.verdict = boot->verdict;
	return 0;
}

static int decide(struct gb_boot *boot)
{
	struct gb_err err = { "" };
	int r = judge(boot, &err);

	if (r) {
		gb_text_copy(boot->report.error, sizeof(boot->report.error), err.text);
		boot->report.outcome = GB_ERROR;
	}
	return r;
}

/* The tasks of all claims, or of those in one device's slot. */
static void make_tasks(struct gb_boot *boot, const struct gb_path *slot)
{
	struct gb_claim *claim = &boot->claim;

	for (size_t i = 0; i < boot->claims.lines; i++) {
		const struct gb_verdict *verdict = &boot->verdict[i];
		struct gb_device *device;

		if (!gb_decision_acts(verdict->decision))
			continue;
		device = &boot->machine.device[verdict->device];
		if (slot && !gb_path_same_slot(slot, &device->path))
			continue;
		gb_device_read_group(boot->root, device);
		claim->task[claim->tasks++] = (struct gb_task){
			.line = &boot->claims.line[i],
			.device = device,
			.last_display = verdict->last_display,
		};
	}
	boot->report.claim = claim;
}

static void run_claim(struct gb_boot *boot)
{
	boot->claim.live = !in_image(boot->root);
	gb_claim_run(boot->root, boot->loader, &boot->claims, &boot->claim);
}

/* ---- what is left behind ------------------------------------------------------------ */

/* In the kernel log too: what an image says on its console scrolls away, and nobody keeps it. */
static void warn(struct gb_boot *boot, const char *path, int r)
{
	if (!r)
		return;
	gb_fail(&boot->warning, -r, "%s: %s", path, strerror(-r));
	gb_record_log_warning(boot->root, boot->warning.text);
}

static int publish(struct gb_boot *boot, const char *name, const char *data, size_t len)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", boot->records, name);
	r = gb_root_publish(boot->root, path, data, len);
	warn(boot, path, r);
	return r;
}

static int finish(struct gb_boot *boot, int code)
{
	struct gb_report *report = &boot->report;

	report->took_ms = gb_now_ms() - boot->claim.start_ms;
	gb_record_json(report, &boot->json);
	if (boot->cmdline.bad_trial)
		gb_fail(&boot->warning, EINVAL, GB_BAD_TRIAL, boot->cmdline.odd_trial);
	if (boot->dry_run)
		return code;
	gb_record_log(boot->root, report);
	warn(boot, boot->records, gb_root_mkdir(boot->root, boot->records));
	/* late claims read this one: there only when this boot is armed */
	if (report->armed && !report->error[0])
		publish(boot, "claims", boot->text, boot->len);
	if (boot->json.failed)
		warn(boot, "claim.json", -ENOMEM);
	else
		publish(boot, "claim.json", boot->json.data, boot->json.len);
	return code;
}

static int verify_now(void *ctx, int over)
{
	struct gb_boot *boot = ctx;
	struct gb_text json = { 0 };
	char path[PATH_MAX];
	int r;

	(void)over;
	gb_inspection_after(&boot->inspection, boot->root, GB_CLAIMS_FILE, &json);
	snprintf(path, sizeof(path), "%s/verify.json", boot->records);
	r = json.failed ? -ENOMEM : gb_root_publish(boot->root, path, json.data, json.len);
	gb_text_clear(&json);
	return -r; /* an exit code: all errno values are below 256 */
}

/* The claim is made and recorded; whatever becomes of this, the boot goes on. */
static void verify(struct gb_boot *boot)
{
	char path[PATH_MAX];
	int r = gb_patience_run(VERIFY_MAX_S, verify_now, boot);

	snprintf(path, sizeof(path), "%s/verify.json", boot->records);
	warn(boot, path, r > 0 ? -r : r);
}

static void read_record(struct gb_boot *boot, const char *path)
{
	char *text;
	size_t len;
	int r = gb_root_read_all(boot->root, path, GB_RECORD_MAX, &text, &len);

	warn(boot, path, r);
	if (!r)
		boot->json = (struct gb_text){ .data = text, .len = len, .size = len + 1 };
}

int gb_boot_claim(struct gb_boot *boot)
{
	struct gb_report *report = &boot->report;
	char path[PATH_MAX];
	int code;

	begin(boot);
	report->file = GB_CLAIMS_FILE;
	snprintf(path, sizeof(path), "%s/claim.json", boot->records);
	boot->made_before = !boot->dry_run && gb_root_exists(boot->root, path);
	if (boot->made_before) {
		read_record(boot, path);
		return GB_EXIT_DONE;
	}
	if (switched_off(boot) && !boot->dry_run)
		return finish(boot, report->error[0] ? GB_EXIT_FAILED : GB_EXIT_DONE);
	if (gb_boot_read_claims(boot, GB_CLAIMS_FILE))
		report->outcome = GB_ERROR;
	if (!report->arming[0])
		arm(boot);
	if (!report->armed && !boot->dry_run) {
		report->outcome = GB_NOT_ARMED;
		return finish(boot, GB_EXIT_DONE);
	}
	if (!report->error[0] && counted_out(boot))
		return finish(boot, GB_EXIT_REFUSED);
	if (report->error[0] || decide(boot))
		return finish(boot, GB_EXIT_FAILED);
	make_tasks(boot, NULL);
	if (boot->verify)
		gb_inspection_before(&boot->inspection, boot->root, &boot->claims, &boot->claim);
	if (!boot->dry_run)
		run_claim(boot);
	report->outcome = gb_report_outcome(report, &code);
	finish(boot, code);
	if (boot->inspection.focused)
		verify(boot);
	return code;
}

int gb_boot_publish(struct gb_boot *boot, const char *from)
{
	static const char *const names[] = { "claims", "verify.json", "claim.json" };
	int r = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[PATH_MAX], *text;
		size_t len;

		snprintf(path, sizeof(path), "%s/%s", from, names[i]);
		r = gb_root_read_all(boot->root, path, GB_RECORD_MAX, &text, &len);
		if (r) /* absent when not armed, or not checked */
			continue;
		warn(boot, boot->records, gb_root_mkdir(boot->root, boot->records));
		r = publish(boot, names[i], text, len);
		free(text);
	}
	if (r == -ENOENT)
		gb_fail(&boot->warning, ENOENT, "%s: there is no record", from);
	return r ? GB_EXIT_FAILED : GB_EXIT_DONE;
}

/* ---- a device that appeared late ---------------------------------------------------- */

/* Said at boot already: udev's coldplug brings every device again. */
static bool said_at_boot(struct gb_boot *boot, const char *bdf)
{
	char path[PATH_MAX], word[GB_BDF_MAX + 16], *text;
	size_t len;
	bool said;

	snprintf(path, sizeof(path), "%s/claim.json", boot->records);
	if (gb_root_read_all(boot->root, path, GB_RECORD_MAX, &text, &len))
		return false;
	snprintf(word, sizeof(word), "\"bdf\": \"%s\"", bdf);
	said = strstr(text, word) != NULL;
	free(text);
	return said;
}

static void save_late(struct gb_boot *boot, size_t line)
{
	const struct gb_device *device = &boot->machine.device[boot->verdict[line].device];
	char address[GB_BDF_MAX], name[GB_BDF_MAX + sizeof("late/.json")];
	const struct gb_task *task = gb_report_task(&boot->report, line);
	struct gb_text json = { 0 };

	gb_bdf_format(device->bdf, address);
	if (task && task->ours_before && !strcmp(task->before, task->driver))
		return; /* found as it was left: nothing happened */
	if (!task && said_at_boot(boot, address))
		return;
	gb_record_log_line(boot->root, &boot->report, line);
	gb_record_late_json(&boot->report, line, &json);
	snprintf(name, sizeof(name), "late/%s.json", address);
	if (json.failed)
		warn(boot, name, -ENOMEM);
	else
		publish(boot, name, json.data, json.len);
	gb_text_clear(&json);
}

/* Cheap, for it runs at every udev event of a PCI device. */
static bool concerns_us(const struct gb_claims *claims, const struct gb_device *device)
{
	for (size_t i = 0; i < claims->lines; i++)
		if (!claims->line[i].keep && claims->line[i].id.vendor == device->id.vendor &&
		    claims->line[i].id.device == device->id.device)
			return true;
	return false;
}

static const struct gb_device *find_device(const struct gb_machine *machine, struct gb_bdf bdf)
{
	for (size_t i = 0; i < machine->devices; i++)
		if (gb_bdf_equal(machine->device[i].bdf, bdf))
			return &machine->device[i];
	return NULL;
}

/* Is this line about the device, or about one claimed with it? All others' stories were told
 * at boot, or will be at their own event. */
static bool is_about(const struct gb_boot *boot, size_t line, const struct gb_device *device)
{
	const struct gb_verdict *verdict = &boot->verdict[line];

	return verdict->decision != GB_KEEP && verdict->device != GB_NOWHERE &&
	       (gb_report_task(&boot->report, line) ||
		&boot->machine.device[verdict->device] == device);
}

static int act_late(struct gb_boot *boot, const struct gb_device *device)
{
	char folder[PATH_MAX];
	int code;

	make_tasks(boot, &device->path);
	boot->claim.late = true;
	if (!boot->dry_run) {
		run_claim(boot);
		snprintf(folder, sizeof(folder), "%s/late", boot->records);
		warn(boot, folder, gb_root_mkdir(boot->root, folder));
	}
	boot->report.took_ms = gb_now_ms() - boot->claim.start_ms;
	for (size_t i = 0; i < boot->claims.lines; i++) {
		if (!is_about(boot, i, device))
			boot->verdict[i].decision = GB_KEEP;
		else if (!boot->dry_run)
			save_late(boot, i);
	}
	boot->report.outcome = gb_report_outcome(&boot->report, &code);
	return code;
}

/* `file` is the claims file that booted. */
static int judge_late(struct gb_boot *boot, struct gb_bdf bdf, const char *file)
{
	const struct gb_device *found;
	struct gb_device device;
	char address[GB_BDF_MAX];
	int r;

	boot->report.file = file;
	if (switched_off(boot))
		return GB_EXIT_DONE;
	if (!gb_root_exists(boot->root, file)) {
		gb_text_copy(boot->report.arming, sizeof(boot->report.arming),
			     "this boot was not armed");
		boot->report.outcome = GB_NOT_ARMED;
		return GB_EXIT_DONE;
	}
	boot->report.outcome = GB_NOTHING;
	boot->report.armed = true;
	gb_text_copy(boot->report.arming, sizeof(boot->report.arming), "armed at boot");
	if (gb_boot_read_claims(boot, file))
		return GB_EXIT_FAILED;
	boot->claims.problems = 0; /* reported at boot */
	r = gb_device_read(boot->root, bdf, &device);
	if (r) {
		snprintf(boot->report.error, sizeof(boot->report.error), "%s: %s",
			 gb_bdf_format(bdf, address),
			 r == -ENODEV ? "there is no such device" : strerror(-r));
		return GB_EXIT_FAILED;
	}
	if (!concerns_us(&boot->claims, &device))
		return GB_EXIT_DONE;
	if (decide(boot))
		return GB_EXIT_FAILED;
	/* alike, but at no claim's path, and none is missed */
	found = find_device(&boot->machine, bdf);
	return found ? act_late(boot, found) : GB_EXIT_DONE;
}

int gb_boot_late(struct gb_boot *boot, struct gb_bdf bdf)
{
	int code;

	begin(boot);
	snprintf(boot->file, sizeof(boot->file), "%s/claims", boot->records);
	code = judge_late(boot, bdf, boot->file);
	if (boot->report.error[0])
		boot->report.outcome = GB_ERROR;
	boot->report.took_ms = gb_now_ms() - boot->claim.start_ms;
	gb_record_json(&boot->report, &boot->json);
	return code;
}
