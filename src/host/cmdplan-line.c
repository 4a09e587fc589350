/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"
#include "cmdlinefile.h"
#include "cmdplan-parts.h"
#include "err.h"
#include "host.h"
#include "root.h"

/* The command line that new entries and unified images get: of /etc/kernel/cmdline, or of what is
 * used where that is not there. */

/* GRUB's $words are its own: it replaces them before the kernel sees the line. */
static int drop_variables(struct gb_text *line)
{
	struct gb_arguments all;
	struct gb_changes changes;
	char *name = NULL;
	int r = 0;

	while (!r && line->len && strchr(line->data, '$')) {
		r = gb_arguments_parse(line->data, line->len, &all);
		if (r)
			return r;
		for (size_t i = 0; i < all.arguments && !name; i++)
			name = all.argument[i].name[0] == '$' ? strdup(all.argument[i].name) : NULL;
		gb_arguments_clear(&all);
		if (!name)
			break;
		r = gb_arguments_change(line->data, line->len,
					&(struct gb_want){ GB_WANT_NO_NAME, name, NULL }, 1, &changes, NULL);
		free(name);
		name = NULL;
		if (r)
			return r;
		gb_text_clear(line);
		gb_text_add(line, changes.line, changes.len);
		gb_changes_clear(&changes);
	}
	return r;
}

static void options_of_booted(const struct gb_host *host, struct gb_text *ret)
{
	struct gb_bls bls;
	size_t len;
	char *data;
	int r;

	if (!host->loader->entry[0] ||
	    gb_root_read_all(host->root, host->loader->entry, GB_BLS_MAX, &data, &len))
		return;
	r = gb_bls_parse(data, len, &bls, NULL);
	free(data);
	if (r)
		return;
	if (bls.options)
		gb_text_addf(ret, "%s", bls.options);
	gb_bls_clear(&bls);
}

/* kernel-install(8): what is used until the file is there. */
int gb_cmdwork_line_of_now(struct gb_host *host, const char *running, struct gb_text *ret,
			   struct gb_err *err)
{
	size_t len;
	char *data;

	if (!gb_root_read_all(host->root, "/usr/lib/kernel/cmdline", GB_CMDLINE_FILE_MAX, &data, &len)) {
		gb_text_add(ret, data, len);
		free(data);
		return ret->failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
	}
	options_of_booted(host, ret);
	if (!ret->len)
		gb_text_addf(ret, "%s", running);
	if (!ret->len)
		return gb_fail(err, EINVAL, GB_CMDLINE_FILE " is missing, and the running kernel's command "
			       "line can't be read to make it");
	if (ret->failed)
		return gb_fail(err, ENOMEM, "out of memory");
	return drop_variables(ret) ? gb_fail(err, EINVAL, "the running command line can't be read") : 0;
}

static int line_without_file(struct gb_host *host, struct gb_text *ret, struct gb_err *err)
{
	struct gb_text now = { 0 };
	char *running = NULL;
	int r = gb_cmdline_running(host->root, &running, NULL);

	r = gb_cmdwork_line_of_now(host, r ? "" : running, &now, err);
	if (!r)
		r = gb_cmdline_file_new(now.data, now.len, ret, err);
	gb_text_clear(&now);
	free(running);
	return r;
}

int gb_cmdplan_line(struct gb_host *host, const struct gb_cmdplan_report *report,
		    struct gb_text *ret, struct gb_err *err)
{
	size_t len, line;
	char *data;
	int r;

	if (report && report->line) {
		gb_text_addf(ret, "%s", report->line);
		return ret->failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
	}
	r = gb_root_read_all(host->root, GB_CMDLINE_FILE, GB_CMDLINE_FILE_MAX, &data, &len);
	if (r == -ENOENT)
		return line_without_file(host, ret, err);
	if (r)
		return gb_fail(err, -r, GB_CMDLINE_FILE ": %s", strerror(-r));
	r = gb_cmdline_file_line(data, len, &line, err);
	if (r)
		gb_wrap(err, GB_CMDLINE_FILE);
	else
		gb_text_add(ret, data, line);
	free(data);
	return r ? r : ret->failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
}
