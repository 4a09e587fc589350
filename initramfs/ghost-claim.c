/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ghost-claim: takes the configured PCI functions for vfio-pci before any other driver can. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "claim.h"
#include "claims.h"
#include "cmdline.h"
#include "err.h"
#include "machine.h"
#include "module.h"
#include "record.h"
#include "resolve.h"
#include "root.h"

enum { DONE = 0, FAILED = 1, USAGE = 2 };

struct options {
	const char *root, *records, *publish, *device;
	bool dry_run, json, modules;
};

struct run {
	struct options options;
	struct gb_root *root;
	struct gb_cmdline cmdline;
	struct gb_claims claims;
	struct gb_machine machine;
	struct gb_verdict *verdict;
	struct gb_claim claim;
	struct gb_report report;
	char *text; /* of the claims file */
	size_t len;
};

static const char usage[] =
	"usage: ghost-claim [--dry-run] [--json] [--root DIR] [--records DIR]\n"
	"       ghost-claim --device BDF      a device that appeared late (udev)\n"
	"       ghost-claim --publish DIR     move records from DIR to " GB_RECORDS "\n"
	"       ghost-claim --modules         modules that the claims need in an image\n"
	"\n"
	"Claims the PCI functions of " GB_CLAIMS_FILE " for vfio-pci, once a boot, when\n"
	"the kernel command line says ghost.claim=on. ghost.claim=off claims nothing.\n"
	"\n"
	"  -n, --dry-run      decide and show, change nothing, whether armed or not\n"
	"      --json         print the record instead of a table\n"
	"      --root DIR     a captured machine instead of the running one\n"
	"      --records DIR  leave the records there instead of in " GB_RECORDS "\n"
	"  -h, --help, -V, --version\n"
	"\n"
	"Exit: 0 done or nothing to do, 1 failed, 2 usage, 3 refused, 6 some claimed, some not.\n"
	"ghost-claim(8), ghost-boot-claims(5)\n";

static int bad_usage(const char *what, const char *word)
{
	fprintf(stderr, "ghost-claim: %s%s\nTry: ghost-claim --help\n", what, word);
	return USAGE;
}

static double boot_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* An image's root is rootfs (ramfs or tmpfs); there nobody has opened a device yet. */
static bool in_image(void)
{
	struct statfs fs;

	return !statfs("/", &fs) &&
	       (fs.f_type == RAMFS_MAGIC || (unsigned long)fs.f_type == TMPFS_MAGIC);
}

static int load_nothing(void *ctx, const char *name, const char *options, struct gb_err *err)
{
	(void)ctx;
	(void)options;
	return gb_fail(err, ENOSYS, "module %s: not the running kernel, nothing loaded", name);
}

/* ---- what is said ------------------------------------------------------------------- */

static bool read_cmdline(struct run *run)
{
	char *text;
	size_t len;

	if (gb_root_read_all(run->root, "/proc/cmdline", 64u << 10, &text, &len))
		return false;
	gb_cmdline_read(text, &run->cmdline);
	free(text);
	return true;
}

/* True when the command line alone ends it; *report says why. */
static bool switched_off(struct run *run)
{
	struct gb_report *report = &run->report;

	if (!read_cmdline(run)) {
		/* the kill switch may stand in it */
		report->outcome = GB_ERROR;
		snprintf(report->error, sizeof(report->error), "/proc/cmdline can't be read");
		snprintf(report->arming, sizeof(report->arming), "not armed");
		return true;
	}
	if (run->cmdline.claim == GB_SWITCH_OFF) {
		report->outcome = GB_OFF;
		snprintf(report->arming, sizeof(report->arming), "ghost.claim=off");
		return true;
	}
	if (run->cmdline.claim == GB_SWITCH_ODD) {
		report->outcome = GB_OFF;
		snprintf(report->arming, sizeof(report->arming),
			 "ghost.claim=%s is neither on nor off", run->cmdline.odd);
		return true;
	}
	return false;
}

static void arm(struct run *run)
{
	struct gb_report *report = &run->report;

	report->armed = run->cmdline.claim == GB_SWITCH_ON || run->claims.arm_always;
	snprintf(report->arming, sizeof(report->arming), "%s",
		 run->cmdline.claim == GB_SWITCH_ON ? "armed by ghost.claim=on"
		 : run->claims.arm_always	   ? "armed by the claims file"
						   : "not armed");
}

static int read_claims(struct run *run, const char *file)
{
	struct gb_report *report = &run->report;
	struct gb_err err = { "" };
	int r;

	report->file = file;
	r = gb_root_read_all(run->root, file, GB_CLAIMS_SIZE_MAX, &run->text, &run->len);
	if (r)
		snprintf(report->error, sizeof(report->error), "%s: %s", file,
			 r == -ENOENT  ? "there is no claims file"
			 : r == -EFBIG ? "too large to be a claims file"
				       : strerror(-r));
	else if ((r = gb_claims_parse(run->text, run->len, &run->claims, &err)))
		snprintf(report->error, sizeof(report->error), "%s: %.120s", file, err.text);
	return r;
}

/* ---- what is decided ---------------------------------------------------------------- */

static int decide(struct run *run)
{
	struct gb_err err = { "" };
	int r = gb_machine_place(run->root, &run->claims, &run->machine, &err);

	if (!r) {
		run->verdict = calloc(run->claims.lines + 1, sizeof(*run->verdict));
		r = run->verdict ? 0 : gb_fail(&err, ENOMEM, "out of memory");
	}
	if (!r && gb_resolve(&run->claims, &run->machine, run->verdict)) {
		/* when listing fails, what was decided without it stands */
		if (!gb_machine_scan(run->root, &run->claims, &run->machine, &err))
			gb_resolve(&run->claims, &run->machine, run->verdict);
		else
			fprintf(stderr, "ghost-claim: %s\n", err.text);
	}
	if (r) {
		snprintf(run->report.error, sizeof(run->report.error), "%.190s", err.text);
		return r;
	}
	run->report.machine = &run->machine;
	run->report.verdict = run->verdict;
	return 0;
}

/* The tasks of all claims, or of those in one device's slot. */
static int make_tasks(struct run *run, const struct gb_path *slot)
{
	struct gb_claim *claim = &run->claim;

	claim->task = calloc(run->claims.lines + 1, sizeof(*claim->task));
	if (!claim->task)
		return -ENOMEM;
	for (size_t i = 0; i < run->claims.lines; i++) {
		const struct gb_verdict *verdict = &run->verdict[i];
		struct gb_device *device;

		if (!gb_decision_acts(verdict->decision))
			continue;
		device = &run->machine.device[verdict->device];
		if (slot && !gb_path_same_slot(slot, &device->path))
			continue;
		gb_device_read_group(run->root, device);
		claim->task[claim->tasks++] = (struct gb_task){
			.line = &run->claims.line[i],
			.device = device,
			.last_display = verdict->last_display,
		};
	}
	run->report.claim = claim;
	return 0;
}

/* ---- what is done ------------------------------------------------------------------- */

static void act(struct run *run)
{
	bool real = gb_root_is_real(run->root);
	struct gb_loader loader = { load_nothing, NULL };

	run->claim.live = real && !in_image();
	if (real)
		gb_loader_open(&loader);
	gb_claim_run(run->root, &loader, &run->claims, &run->claim);
	if (real)
		gb_loader_close(&loader);
}

static int publish(struct run *run, const char *folder, const char *name, const char *data,
		   size_t len)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	r = gb_root_publish(run->root, path, data, len);
	if (r)
		fprintf(stderr, "ghost-claim: %s: %s\n", path, strerror(-r));
	return r;
}

static void make_folder(struct run *run, const char *folder)
{
	int r = gb_root_mkdir(run->root, folder);

	if (r)
		fprintf(stderr, "ghost-claim: %s: %s\n", folder, strerror(-r));
}

static int save(struct run *run, const struct gb_text *json)
{
	const char *folder = run->options.records;

	make_folder(run, folder);
	/* late claims read this one: there only when this boot is armed */
	if (run->report.armed && !run->report.error[0])
		publish(run, folder, "claims", run->text, run->len);
	return publish(run, folder, "claim.json", json->data, json->len);
}

static void show(const struct run *run)
{
	const struct gb_report *report = &run->report;
	char address[GB_BDF_MAX], path[GB_PATH_MAX];

	for (size_t i = 0; i < run->claims.problems && i < GB_PROBLEMS_MAX; i++)
		fprintf(stderr, "%s:%u:%u: %s\n", report->file, run->claims.problem[i].line,
			run->claims.problem[i].column, run->claims.problem[i].text);
	if (report->error[0])
		fprintf(stderr, "ghost-claim: %s: nothing claimed\n", report->error);
	else
		printf("%s%s\n", report->arming,
		       report->armed		      ? ""
		       : run->options.dry_run ? "; armed by ghost.claim=on, this would happen:"
					      : ": nothing claimed");
	for (size_t i = 0; report->verdict && i < run->claims.lines; i++) {
		const struct gb_verdict *verdict = &run->verdict[i];
		const struct gb_line *line = &run->claims.line[i];

		if (line->keep)
			continue;
		if (verdict->device != GB_NOWHERE)
			gb_bdf_format(run->machine.device[verdict->device].bdf, address);
		printf("%-13s %04x:%04x  %-9s  %s\n",
		       verdict->device == GB_NOWHERE ? "-" : address, line->id.vendor,
		       line->id.device, gb_decision_name(verdict->decision),
		       gb_report_text(report, i));
		if (!gb_decision_acts(verdict->decision) || verdict->decision == GB_MOVED)
			printf("%-37s(line %u, %s)\n", "", line->number,
			       gb_path_format(&line->path, path));
	}
}

static int finish(struct run *run, int code)
{
	struct gb_text json = { 0 };

	run->report.took_ms = gb_now_ms() - run->claim.start_ms;
	gb_record_json(&run->report, &json);
	if (json.failed) {
		fprintf(stderr, "ghost-claim: out of memory\n");
		code = FAILED;
	} else {
		if (run->options.json)
			fputs(json.data, stdout);
		if (!run->options.dry_run) {
			gb_record_log(run->root, &run->report);
			save(run, &json);
		}
	}
	if (!run->options.json)
		show(run);
	gb_text_clear(&json);
	return code;
}

static int claim_boot(struct run *run)
{
	struct gb_report *report = &run->report;
	bool dry = run->options.dry_run;
	char path[PATH_MAX];
	int code = DONE;

	snprintf(path, sizeof(path), "%s/claim.json", run->options.records);
	if (!dry && gb_root_exists(run->root, path)) {
		printf("This boot's claim has been made: %s\n", path);
		return DONE;
	}
	report->file = GB_CLAIMS_FILE;
	if (switched_off(run) && !dry)
		return finish(run, report->outcome == GB_ERROR ? FAILED : DONE);
	if (read_claims(run, GB_CLAIMS_FILE)) {
		arm(run);
		report->outcome = report->armed || dry ? GB_ERROR : GB_NOT_ARMED;
		return finish(run, report->armed || dry ? FAILED : DONE);
	}
	if (!report->arming[0])
		arm(run);
	if (!report->armed && !dry) {
		report->outcome = GB_NOT_ARMED;
		return finish(run, DONE);
	}
	if (decide(run) || make_tasks(run, NULL)) {
		report->outcome = GB_ERROR;
		return finish(run, FAILED);
	}
	if (!dry)
		act(run);
	report->outcome = gb_report_outcome(report, &code);
	return finish(run, code);
}

/* ---- a device that appeared late ---------------------------------------------------- */

/* Said at boot already: udev's coldplug brings every device again. */
static bool said_at_boot(struct run *run, const char *bdf)
{
	char *text, word[GB_BDF_MAX + 16];
	size_t len;
	bool said;

	if (gb_root_read_all(run->root, GB_RECORDS "/claim.json", 4u << 20, &text, &len))
		return false;
	snprintf(word, sizeof(word), "\"bdf\": \"%s\"", bdf);
	said = strstr(text, word) != NULL;
	free(text);
	return said;
}

static void save_late(struct run *run, size_t line)
{
	const struct gb_device *device = &run->machine.device[run->verdict[line].device];
	char address[GB_BDF_MAX], name[GB_BDF_MAX + sizeof("late/.json")];
	const struct gb_task *task = gb_report_task(&run->report, line);
	struct gb_text json = { 0 };

	gb_bdf_format(device->bdf, address);
	/* found as it should be: nothing happened */
	if (task && task->result == GB_BOUND && task->before[0] &&
	    !strcmp(task->before, task->driver))
		return;
	if (!task && said_at_boot(run, address))
		return;
	gb_record_log_line(run->root, &run->report, line);
	gb_record_late_json(&run->report, line, &json);
	snprintf(name, sizeof(name), "late/%s.json", address);
	if (json.failed)
		fprintf(stderr, "ghost-claim: out of memory\n");
	else
		publish(run, GB_RECORDS, name, json.data, json.len);
	gb_text_clear(&json);
}

/* Cheap, for it runs at every udev event of a PCI device. */
static bool concerns_us(struct run *run, const struct gb_device *device)
{
	for (size_t i = 0; i < run->claims.lines; i++) {
		const struct gb_identity *id = &run->claims.line[i].id;

		if (!run->claims.line[i].keep && id->vendor == device->id.vendor &&
		    id->device == device->id.device)
			return true;
	}
	return false;
}

static const struct gb_device *find_device(struct run *run, struct gb_bdf bdf)
{
	for (size_t i = 0; i < run->machine.devices; i++)
		if (gb_bdf_equal(run->machine.device[i].bdf, bdf))
			return &run->machine.device[i];
	return NULL;
}

static int act_late(struct run *run, struct gb_bdf bdf)
{
	const struct gb_device *device;
	int code = DONE;

	if (decide(run))
		return FAILED;
	device = find_device(run, bdf);
	if (!device) /* alike, but at no claim's path and not missed there */
		return DONE;
	if (make_tasks(run, &device->path))
		return FAILED;
	if (!run->options.dry_run) {
		act(run);
		make_folder(run, GB_RECORDS "/late");
	}
	run->report.took_ms = gb_now_ms() - run->claim.start_ms;
	for (size_t i = 0; i < run->claims.lines; i++) {
		bool ours = run->verdict[i].device != GB_NOWHERE && !run->claims.line[i].keep &&
			    (gb_report_task(&run->report, i) ||
			     &run->machine.device[run->verdict[i].device] == device);

		if (ours && !run->options.dry_run)
			save_late(run, i);
		if (!ours)
			run->verdict[i].decision = GB_KEEP; /* another device's story */
	}
	gb_report_outcome(&run->report, &code);
	return code;
}

static int claim_late(struct run *run)
{
	struct gb_device device;
	struct gb_bdf bdf;
	int code;

	if (!gb_bdf_parse(run->options.device, &bdf))
		return bad_usage("--device wants an address like 0000:3c:00.0, not ",
				 run->options.device);
	if (switched_off(run) || read_claims(run, GB_RECORDS "/claims"))
		return DONE; /* this boot was not armed */
	if (gb_device_read(run->root, bdf, &device)) {
		fprintf(stderr, "ghost-claim: %s: there is no such device\n",
			run->options.device);
		return FAILED;
	}
	if (!concerns_us(run, &device))
		return DONE;
	snprintf(run->report.arming, sizeof(run->report.arming), "armed at boot");
	run->report.armed = true;
	run->claims.problems = 0; /* reported at boot */
	code = act_late(run, bdf);
	if (run->report.error[0])
		fprintf(stderr, "ghost-claim: %s\n", run->report.error);
	return code;
}

/* ---- for the hooks ------------------------------------------------------------------ */

static int publish_one(struct run *run, const char *name)
{
	char path[PATH_MAX], *text;
	size_t len;
	int r;

	snprintf(path, sizeof(path), "%s/%s", run->options.publish, name);
	r = gb_root_read_all(run->root, path, 16u << 20, &text, &len);
	if (r)
		return r;
	r = publish(run, GB_RECORDS, name, text, len);
	free(text);
	return r;
}

static int publish_records(struct run *run)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/claim.json", run->options.publish);
	if (!gb_root_exists(run->root, path)) {
		fprintf(stderr, "ghost-claim: %s: there is no record\n", path);
		return FAILED;
	}
	make_folder(run, GB_RECORDS);
	publish_one(run, "claims"); /* absent when not armed */
	return publish_one(run, "claim.json") ? FAILED : DONE;
}

static int print_modules(struct run *run)
{
	const struct gb_line *line;

	puts(GB_DRIVER_DEFAULT "\nvfio_iommu_type1");
	if (read_claims(run, GB_CLAIMS_FILE))
		return DONE; /* the next image build may find a better file */
	for (size_t i = 0; i < run->claims.lines; i++) {
		bool again = false;

		line = &run->claims.line[i];
		for (size_t k = 0; k < i; k++)
			again |= !strcmp(line->driver, run->claims.line[k].driver);
		if (!line->keep && !again && strcmp(line->driver, GB_DRIVER_DEFAULT))
			puts(line->driver);
	}
	return DONE;
}

/* ---- options ------------------------------------------------------------------------ */

static int read_options(int argc, char **argv, struct options *options)
{
	enum { ROOT = 256, RECORDS, PUBLISH, DEVICE, JSON, MODULES };
	static const struct option known[] = {
		{ "root", required_argument, NULL, ROOT },
		{ "records", required_argument, NULL, RECORDS },
		{ "publish", required_argument, NULL, PUBLISH },
		{ "device", required_argument, NULL, DEVICE },
		{ "modules", no_argument, NULL, MODULES },
		{ "json", no_argument, NULL, JSON },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "nhV", known, NULL)) != -1) {
		switch (c) {
		case ROOT: options->root = optarg; break;
		case RECORDS: options->records = optarg; break;
		case PUBLISH: options->publish = optarg; break;
		case DEVICE: options->device = optarg; break;
		case MODULES: options->modules = true; break;
		case JSON: options->json = true; break;
		case 'n': options->dry_run = true; break;
		case 'h': fputs(usage, stdout); return DONE;
		case 'V': puts("ghost-claim " GB_VERSION); return DONE;
		default:
			return bad_usage("unknown option, or one without its value: ",
					 argv[optind - 1]);
		}
	}
	if (optind < argc)
		return bad_usage("takes no arguments: ", argv[optind]);
	if (!!options->device + !!options->publish + options->modules > 1)
		return bad_usage("--device, --publish and --modules exclude each other", "");
	if (options->records[0] != '/' || (options->publish && options->publish[0] != '/'))
		return bad_usage("a folder for records must begin with /", "");
	return -1;
}

int main(int argc, char **argv)
{
	struct run run = { .options = { .root = "/", .records = GB_RECORDS } };
	struct gb_err err = { "" };
	int code;

	run.claim.start_ms = gb_now_ms();
	run.report.at = boot_time();
	run.report.claims = &run.claims;
	code = read_options(argc, argv, &run.options);
	if (code >= 0)
		return code;
	if (gb_root_open(run.options.root, &run.root, &err)) {
		fprintf(stderr, "ghost-claim: %s\nTry: ghost-claim --help\n", err.text);
		return USAGE;
	}
	/* half a claim is worse than a whole one: finish what was begun */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	umask(022);
	if (run.options.modules)
		code = print_modules(&run);
	else if (run.options.publish)
		code = publish_records(&run);
	else if (run.options.device)
		code = claim_late(&run);
	else
		code = claim_boot(&run);
	free(run.claim.task);
	free(run.verdict);
	free(run.text);
	gb_machine_clear(&run.machine);
	gb_claims_clear(&run.claims);
	gb_root_close(run.root);
	return code;
}
