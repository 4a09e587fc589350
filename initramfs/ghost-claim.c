/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ghost-claim: takes the configured PCI functions for vfio-pci before any other driver can. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "boot.h"
#include "module.h"
#include "root.h"
#include "tool.h"

struct options {
	const char *root, *records, *publish, *device;
	bool dry_run, json, modules, verify;
};

static const char usage[] =
	"usage: ghost-claim [--dry-run | --verify] [--json] [--root DIR] [--records DIR]\n"
	"       ghost-claim --device BDF      a device that appeared late (udev)\n"
	"       ghost-claim --publish DIR     copy records from DIR to " GB_RECORDS "\n"
	"       ghost-claim --modules         modules that the claims need in an image\n"
	"\n"
	"Claims the PCI functions of " GB_CLAIMS_FILE " for vfio-pci, once a boot, if\n"
	"the kernel command line says ghost.claim=on. ghost.claim=off claims nothing.\n"
	"\n"
	"  -n, --dry-run      decide and show, change nothing, whether armed or not\n"
	"      --verify       then check what was claimed, as ghost-verify does\n"
	"      --json         print the record instead of a table\n"
	"      --root DIR     a captured machine instead of the running one\n"
	"      --records DIR  leave the records there instead of in " GB_RECORDS "\n"
	"  -h, --help         this text\n"
	"  -V, --version      the version\n"
	"\n"
	"Exit: 0 done or nothing to do, 1 failed, 2 usage, 3 refused, 6 partly claimed.\n"
	"ghost-claim(8), ghost-boot-claims(5)\n";

static int bad_usage(const char *what, const char *word)
{
	fprintf(stderr, "ghost-claim: %s%s\nTry: ghost-claim --help\n", what, word);
	return GB_EXIT_USAGE;
}

static int load_nothing(void *ctx, const char *name, const char *options, struct gb_err *err)
{
	(void)ctx;
	(void)options;
	return gb_fail(err, ENOSYS, "module %s: not the running kernel, nothing loaded", name);
}

static void show_device(const struct gb_boot *boot, size_t i)
{
	const struct gb_verdict *verdict = &boot->verdict[i];
	const struct gb_line *line = &boot->claims.line[i];
	char address[GB_BDF_MAX] = "-", path[GB_PATH_MAX];

	if (verdict->device != GB_NOWHERE)
		gb_bdf_format(boot->machine.device[verdict->device].bdf, address);
	printf("%-13s %04x:%04x  %-9s  %s\n", address, line->id.vendor, line->id.device,
	       gb_decision_name(verdict->decision), gb_report_text(&boot->report, i));
	if (verdict->decision != GB_CLAIM)
		printf("%-36s(line %u, %s)\n", "", line->number,
		       gb_path_format(&line->path, path));
}

static void show(const struct gb_boot *boot, bool late)
{
	const struct gb_report *report = &boot->report;

	for (size_t i = 0; i < boot->claims.problems && i < GB_PROBLEMS_MAX; i++)
		fprintf(stderr, "%s:%u:%u: %s\n", report->file, boot->claims.problem[i].line,
			boot->claims.problem[i].column, boot->claims.problem[i].text);
	if (report->error[0])
		fprintf(stderr, "ghost-claim: %s: nothing claimed\n", report->error);
	else if (!late)
		printf("%s%s\n", report->arming,
		       report->armed   ? ""
		       : boot->dry_run ? "; armed by ghost.claim=on, this would happen:"
				       : ": nothing claimed");
	for (size_t i = 0; report->verdict && i < boot->claims.lines; i++)
		if (boot->verdict[i].decision != GB_KEEP)
			show_device(boot, i);
}

/* One a line, for the image hooks. A file that can't be read needs the default's. */
static int print_modules(struct gb_boot *boot)
{
	puts(GB_DRIVER_DEFAULT "\nvfio_iommu_type1");
	gb_boot_read_claims(boot, GB_CLAIMS_FILE);
	for (size_t i = 0; i < boot->claims.lines; i++) {
		const char *driver = boot->claims.line[i].driver;
		bool again = !strcmp(driver, GB_DRIVER_DEFAULT);

		for (size_t k = 0; k < i; k++)
			again |= !strcmp(driver, boot->claims.line[k].driver);
		if (!again)
			puts(driver);
	}
	return GB_EXIT_DONE;
}

static int claim(struct gb_boot *boot, const struct options *options)
{
	struct gb_bdf bdf;
	int code;

	if (options->modules)
		return print_modules(boot);
	if (options->publish)
		return gb_boot_publish(boot, options->publish);
	if (!options->device)
		code = gb_boot_claim(boot);
	else if (gb_bdf_parse(options->device, &bdf))
		code = gb_boot_late(boot, bdf);
	else
		return bad_usage("--device wants an address like 0000:3c:00.0, not ",
				 options->device);
	if (options->json)
		fputs(boot->json.len ? boot->json.data : "", stdout);
	else if (boot->made_before)
		printf("This boot's claim has been made: %s/claim.json\n", boot->records);
	else
		show(boot, options->device);
	return code;
}

static int run(const struct options *options, struct gb_root *root)
{
	struct gb_loader loader = { load_nothing, NULL };
	struct gb_boot boot = {
		.root = root,
		.loader = &loader,
		.records = options->records,
		.dry_run = options->dry_run,
		.verify = options->verify,
	};
	int code;

	if (gb_root_is_real(root))
		gb_loader_open(&loader);
	code = claim(&boot, options);
	if (boot.warning.text[0])
		fprintf(stderr, "ghost-claim: %s\n", boot.warning.text);
	if (gb_root_is_real(root))
		gb_loader_close(&loader);
	gb_boot_clear(&boot);
	return code;
}

/* The exit code when that is all there is to do, else -1. */
static int read_options(int argc, char **argv, struct options *options)
{
	enum { ROOT = 256, RECORDS, PUBLISH, DEVICE, JSON, MODULES, VERIFY, DRY_RUN, HELP, VERSION };
	static const struct option known[] = {
		{ "root", required_argument, NULL, ROOT },
		{ "records", required_argument, NULL, RECORDS },
		{ "publish", required_argument, NULL, PUBLISH },
		{ "device", required_argument, NULL, DEVICE },
		{ "modules", no_argument, NULL, MODULES },
		{ "verify", no_argument, NULL, VERIFY },
		{ "json", no_argument, NULL, JSON },
		{ "dry-run", no_argument, NULL, DRY_RUN },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },
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
		case VERIFY: options->verify = true; break;
		case JSON: options->json = true; break;
		case DRY_RUN:
		case 'n': options->dry_run = true; break;
		case HELP:
		case 'h': fputs(usage, stdout); return GB_EXIT_DONE;
		case VERSION:
		case 'V': puts("ghost-claim " GB_VERSION); return GB_EXIT_DONE;
		default:
			/* within a bundle, argv[optind - 1] is still the word before */
			return bad_usage("unknown option, or one without its value: ",
					 optopt > 0 && optopt < ROOT
						 ? (char[]){ '-', (char)optopt, '\0' }
						 : argv[optind - 1]);
		}
	}
	if (optind < argc)
		return bad_usage("takes no arguments: ", argv[optind]);
	if (!!options->device + !!options->publish + options->modules > 1)
		return bad_usage("--device, --publish and --modules exclude each other", "");
	if (options->verify &&
	    (options->dry_run || options->device || options->publish || options->modules))
		return bad_usage("--verify goes with the claim of a boot only", "");
	if (options->publish && options->dry_run)
		return bad_usage("--publish decides nothing that --dry-run could show", "");
	if (options->records[0] != '/' || (options->publish && options->publish[0] != '/'))
		return bad_usage("a folder for records must begin with /", "");
	return -1;
}

int gb_claim_main(int argc, char **argv)
{
	struct options options = { .root = "/", .records = GB_RECORDS };
	struct gb_root *root = NULL;
	struct gb_err err = { "" };
	int code = read_options(argc, argv, &options);

	if (code >= 0)
		return code;
	if (gb_root_open(options.root, &root, &err))
		return bad_usage(err.text, "");
	/* half a claim is worse than a whole one: finish what was begun */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	umask(022);
	code = run(&options, root);
	gb_root_close(root);
	return code;
}
