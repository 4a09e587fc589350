/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ghost-diag: explains this boot on one screen, also where nothing else is left to ask. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "countdown.h"
#include "diag.h"
#include "err.h"
#include "exit.h"
#include "patience.h"
#include "report.h"
#include "root.h"
#include "save.h"
#include "style.h"
#include "timeline.h"
#include "tool.h"

static const char usage[] =
	"usage: ghost-diag [--json | --full] [--root DIR]\n"
	"       ghost-diag --countdown SECONDS [--no-restart] [--root DIR]\n"
	"       ghost-diag --timeline -o FILE [--root DIR]\n"
	"       ghost-diag --save DEVICE\n"
	"\n"
	"Says on one screen what became of this boot's claims: what was planned, what\n"
	"happened and when, which driver has what should be vfio-pci's and how it came,\n"
	"what the checks say, how to boot without claims, and what to do next.\n"
	"Changes nothing, opens no device, wakes none.\n"
	"\n"
	"      --full      everything, fit for an issue tracker: serial numbers, names and\n"
	"                  network addresses are masked\n"
	"      --timeline  a picture (SVG): who had which device when\n"
	"  -o, --output FILE  where to, a new file\n"
	"      --save DEVICE  write the full report to a new file on a FAT or ext\n"
	"                  partition, such as a USB stick's, which must not be mounted\n"
	"      --countdown SECONDS  then, in a trial only, restart the machine unless a key\n"
	"                  is pressed in that time: for the hooks of rescue shells\n"
	"      --no-restart  leave that to the caller: exit 0 when it is due, else 1\n"
	"      --json      for programs\n"
	"      --root DIR  a captured machine instead of the running one\n"
	"  -h, --help      this text\n"
	"  -V, --version   the version\n"
	"\n"
	"Exit: 0 done, 1 failed, 2 usage, 3 refused: DEVICE is in use, or no partition.\n"
	"ghost-diag(8)\n";

struct options {
	const char *root;
	const char *save; /* DEVICE */
	const char *output; /* FILE */
	bool json, full, timeline;
	unsigned countdown; /* seconds; 0: none */
	bool no_restart;
};

static int bad_usage(const char *what, const char *word)
{
	fprintf(stderr, "ghost-diag: %s%s\nTry: ghost-diag --help\n", what, word);
	return GB_EXIT_USAGE;
}

static void draw(const struct gb_diag *diag, struct gb_text *ret)
{
	struct gb_timeline timeline;

	gb_timeline_read(diag, &timeline);
	gb_timeline_draw(diag, &timeline, ret);
}

/* Never over a file that is there: in a rescue shell nobody has a second copy. */
static int write_new(const char *file, const struct gb_text *text)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	size_t done = 0;
	ssize_t n = 0;

	if (fd >= 0) {
		while (done < text->len && (n = write(fd, text->data + done, text->len - done)) > 0)
			done += (size_t)n;
		if (close(fd) == 0 && done == text->len)
			return GB_EXIT_DONE;
		unlink(file);
	}
	fprintf(stderr, "ghost-diag: %s: %s\n", file, strerror(errno));
	return GB_EXIT_FAILED;
}

static int show(const struct gb_diag *diag, const struct options *options, int over)
{
	struct gb_text text = { 0 };
	struct gb_style style;
	int code = GB_EXIT_DONE;

	gb_style_detect(stdout, &style);
	if (options->json)
		gb_diag_json(diag, &text);
	else if (options->timeline)
		draw(diag, &text);
	else if (options->full)
		gb_report_write(diag, NULL, &text);
	else
		gb_diag_screen(diag, &style, &text);
	gb_patience_over(over); /* a pager, or a serial line, may take its time */
	if (text.failed) {
		fputs("ghost-diag: out of memory\n", stderr);
		code = GB_EXIT_FAILED;
	} else if (options->output) {
		code = write_new(options->output, &text);
	} else if (fputs(text.data, stdout) < 0 || fflush(stdout)) {
		perror("ghost-diag: standard output");
		code = GB_EXIT_FAILED;
	}
	gb_text_clear(&text);
	return code;
}

/* In UTC, by the calendar of today: a time zone is nothing an image has, and strftime with all it
 * needs is larger than this program. */
static void name_file(time_t now, char *ret, size_t size)
{
	static const char lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	long days = (long)(now / 86400), second = (long)(now % 86400);
	int year = 1970, month = 0;

	for (;; year++) {
		bool leap = year % 4 == 0 && (year % 100 || year % 400 == 0);

		for (month = 0; month < 12; month++) {
			long length = lengths[month] + (month == 1 && leap);

			if (days < length)
				break;
			days -= length;
		}
		if (month < 12)
			break;
	}
	snprintf(ret, size, "ghost-diag-%04d%02d%02ld-%02ld%02ld%02ld.txt", year, month + 1,
		 days + 1, second / 3600, second / 60 % 60, second % 60);
}

/* What to do about a report that could not be saved, or NULL. */
static const char *save_help(int error)
{
	switch (-error) {
	case ENODEV: return "a stick with ext4; in the next image FAT works too, the hook brings it";
	case EBUSY: return "umount it first, or another stick";
	case EINVAL:
	case ENOENT:
	case ENOTBLK: return "cat /proc/partitions; a stick's first partition is often sda1 or sdb1";
	case EROFS:
	case EACCES:
	case ENOSPC: return "another stick";
	case EEXIST: return "once more: the name is the time";
	default: return NULL;
	}
}

static int save_text(const char *device, struct gb_root *root, const struct gb_text *text)
{
	struct gb_err err = { "" };
	struct gb_mounter mounter;
	char name[64];
	time_t now = time(NULL);
	const char *type;
	int r;

	name_file(now > 0 ? now : 0, name, sizeof(name));
	gb_mounter_open(&mounter);
	r = gb_save(root, &mounter, device, name, text->data, text->len, &type, &err);
	if (r) {
		fprintf(stderr, "ghost-diag: %s\n", err.text);
		if (save_help(r))
			fprintf(stderr, "Try: %s\n", save_help(r));
		return r == -ENOTBLK || r == -EBUSY ? GB_EXIT_REFUSED : GB_EXIT_FAILED;
	}
	printf("%s is on %s (%s); it is unmounted again\n", name, device, type);
	return fflush(stdout) ? GB_EXIT_FAILED : GB_EXIT_DONE;
}

static int save(const struct gb_diag *diag, const char *device, struct gb_root *root, int over)
{
	struct gb_text text = { 0 };
	int code = GB_EXIT_FAILED;

	gb_report_write(diag, NULL, &text);
	gb_patience_over(over); /* a stick may be slow */
	if (text.failed)
		fputs("ghost-diag: out of memory\n", stderr);
	else
		code = save_text(device, root, &text);
	gb_text_clear(&text);
	return code;
}

/* A sick device's sysfs file may never answer; the rescue shell behind us must open. */
#define PATIENCE_S 10

struct job {
	const struct options *options;
	struct gb_root *root;
};

static int work(void *ctx, int over)
{
	const struct job *job = ctx;
	struct gb_err err = { "" };
	int code = GB_EXIT_FAILED;
	struct gb_diag diag;

	if (gb_diag_read(job->root, &diag, &err))
		fprintf(stderr, "ghost-diag: %s\n", err.text);
	else if (job->options->save)
		code = save(&diag, job->options->save, job->root, over);
	else
		code = show(&diag, job->options, over);
	gb_diag_clear(&diag);
	return code;
}

static int run(const struct options *options, struct gb_root *root)
{
	struct job job = { options, root };
	int code = gb_patience_run(PATIENCE_S, work, &job);

	if (code < 0) {
		fprintf(stderr, "ghost-diag: gave up: %s\n", code == -ETIMEDOUT
			? "some file below /sys does not answer" : strerror(-code));
		code = GB_EXIT_FAILED;
	}
	if (options->countdown) {
		bool due = gb_countdown(root, options->countdown);

		if (options->no_restart)
			return due ? GB_EXIT_DONE : GB_EXIT_FAILED;
		if (due)
			gb_countdown_restart(root);
	}
	return code;
}

/* 0 for what is no number of seconds. */
static unsigned read_seconds(const char *text)
{
	char *end;
	unsigned long seconds = strtoul(text, &end, 10);

	return *text >= '0' && *text <= '9' && !*end && seconds <= 3600 ? (unsigned)seconds : 0;
}

/* The exit code when that is all there is to do, else -1. */
static int read_options(int argc, char **argv, struct options *options)
{
	enum { ROOT = 256, JSON, FULL, SAVE, TIMELINE, COUNTDOWN, NO_RESTART };
	static const struct option known[] = {
		{ "root", required_argument, NULL, ROOT }, { "json", no_argument, NULL, JSON },
		{ "full", no_argument, NULL, FULL },
		{ "save", required_argument, NULL, SAVE },
		{ "timeline", no_argument, NULL, TIMELINE },
		{ "countdown", required_argument, NULL, COUNTDOWN },
		{ "no-restart", no_argument, NULL, NO_RESTART },
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },	   { "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "o:hV", known, NULL)) != -1) {
		switch (c) {
		case ROOT: options->root = optarg; break;
		case JSON: options->json = true; break;
		case FULL: options->full = true; break;
		case TIMELINE: options->timeline = true; break;
		case 'o': options->output = optarg; break;
		case SAVE: options->save = optarg; break;
		case COUNTDOWN:
			options->countdown = read_seconds(optarg);
			if (!options->countdown)
				return bad_usage("--countdown wants 1 to 3600 seconds, not ", optarg);
			break;
		case NO_RESTART: options->no_restart = true; break;
		case 'h': fputs(usage, stdout); return GB_EXIT_DONE;
		case 'V': puts("ghost-diag " GB_VERSION); return GB_EXIT_DONE;
		default:
			return bad_usage("unknown option, or one without its value: ",
					 argv[optind - 1]);
		}
	}
	if (optind < argc)
		return bad_usage("takes no arguments: ", argv[optind]);
	if (!!options->save + options->json + options->full + options->timeline +
		    !!options->countdown > 1)
		return bad_usage("--save, --full, --timeline, --json and --countdown exclude each "
				 "other", "");
	if (options->no_restart && !options->countdown)
		return bad_usage("--no-restart goes with --countdown", "");
	if (options->timeline != !!options->output)
		return bad_usage("--timeline and -o FILE go together", "");
	if (options->save && strcmp(options->root, "/"))
		return bad_usage("--save mounts on the running system, not below --root", "");
	return -1;
}

int gb_diag_main(int argc, char **argv)
{
	struct options options = { .root = "/" };
	struct gb_root *root = NULL;
	struct gb_err err = { "" };
	int code = read_options(argc, argv, &options);

	if (code >= 0)
		return code;
	if (gb_root_open(options.root, &root, &err))
		return bad_usage(err.text, "");
	code = run(&options, root);
	gb_root_close(root);
	return code;
}
