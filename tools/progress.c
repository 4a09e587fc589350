/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "progress.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "plan.h"
#include "root.h"
#include "text.h"

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what a step is called ------------------------------------------------------------ */

/* The kernel that a builder is called for: the argument that is a folder of modules. */
static const char *release_of(struct gb_root *root, const struct gb_step *step)
{
	char path[300];

	if (!step->argv || !step->argv[0])
		return NULL;
	for (char **arg = step->argv + 1; step->argv[0] && *arg; arg++) {
		snprintf(path, sizeof(path), "/lib/modules/%.250s", *arg);
		if (isdigit((unsigned char)**arg) && !strchr(*arg, '/') && gb_root_exists(root, path))
			return *arg;
	}
	return NULL;
}

/* Several programs may run for one kernel. */
static bool is_first_of(struct gb_root *root, const struct gb_plan *plan, size_t step)
{
	const char *release = release_of(root, &plan->step[step]), *earlier;

	for (size_t i = 0; release && i < step; i++) {
		earlier = release_of(root, &plan->step[i]);
		if (earlier && !strcmp(earlier, release))
			return false;
	}
	return release;
}

static void add_title(struct gb_progress *p, const struct gb_plan *plan, size_t step,
		      struct gb_text *text)
{
	const char *release = release_of(p->root, &plan->step[step]);
	size_t of = 0, number = 0;

	for (size_t i = 0; release && i < plan->steps; i++)
		if (is_first_of(p->root, plan, i)) {
			of++;
			if (!strcmp(release_of(p->root, &plan->step[i]), release))
				number = of;
		}
	if (release)
		gb_text_addf(text, "kernel %zu of %zu, %s: %s", number, of, release,
			     gb_plan_program(&plan->step[step]));
	else
		gb_plan_step_text(&plan->step[step], text);
}

/* ---- lines ---------------------------------------------------------------------------- */

/* With blanks: a dumb terminal knows no sequence for it. */
static void erase(struct gb_progress *p)
{
	if (p->drawn)
		fprintf(p->out, "\r%*s\r", (int)p->style.columns - 1, "");
	p->drawn = false;
}

static void clock_text(const struct gb_progress *p, char *ret, size_t size)
{
	long long s = (now_ms() - p->began) / 1000;

	if (p->runs)
		snprintf(ret, size, " %lld:%02lld", s / 60, s % 60);
	else
		ret[0] = '\0';
}

static void draw(struct gb_progress *p)
{
	const char *dots = p->style.utf8 ? " …" : " ...";
	char clock[32];
	size_t room, len;

	clock_text(p, clock, sizeof(clock));
	erase(p);
	/* the last column stays free: some terminals wrap when it is filled */
	room = p->style.columns - 1;
	room -= room < strlen(clock) + gb_style_width(dots) ? room
							    : strlen(clock) + gb_style_width(dots);
	len = gb_style_fit(p->now, room);
	fprintf(p->out, "%s%.*s%s%s%s", gb_style_code(&p->style, GB_BOLD), (int)len, p->now,
		room ? dots : "", room ? clock : "", gb_style_code(&p->style, GB_PLAIN));
	fflush(p->out);
	p->drawn = true;
	p->shown = now_ms();
}

static void say(struct gb_progress *p, const char *text)
{
	if (p->out) {
		erase(p);
		fprintf(p->out, "%s\n", text);
		fflush(p->out);
	}
}

void gb_progress_end(struct gb_progress *p)
{
	char done[sizeof(p->now) + 32], clock[32];

	if (!p->now[0])
		return;
	clock_text(p, clock, sizeof(clock));
	snprintf(done, sizeof(done), "%s%s", p->now, clock);
	/* elsewhere than on a terminal it was said when it began */
	if (p->style.columns)
		say(p, done);
	if (p->log >= 0 && p->runs)
		dprintf(p->log, "-- %s\n", done);
	p->now[0] = '\0';
	p->drawn = false;
}

static void begin(struct gb_progress *p, const char *title, bool runs)
{
	struct gb_text text = { 0 };

	gb_progress_end(p);
	gb_text_add_harmless(&text, title ? title : "");
	snprintf(p->now, sizeof(p->now), "%s", text.data ? text.data : "");
	gb_text_clear(&text);
	p->began = now_ms();
	p->runs = runs;
	if (p->log >= 0)
		dprintf(p->log, "-- %s\n", p->now);
	if (p->out && p->style.columns)
		draw(p);
	else
		say(p, p->now);
}

void gb_progress_begin(struct gb_progress *p, const struct gb_plan *plan, size_t step)
{
	struct gb_text title = { 0 };

	(p->title ? p->title(p->ctx, plan, step, &title) : add_title(p, plan, step, &title));
	begin(p, title.data, plan->step[step].argv);
	gb_text_clear(&title);
}

void gb_progress_again(struct gb_progress *p, char *const *argv)
{
	const struct gb_step step = { .kind = GB_STEP_PUBLISH, .argv = (char **)argv };
	struct gb_text title = { 0 };

	gb_text_addf(&title, "again: ");
	gb_plan_step_text(&step, &title);
	begin(p, title.data, true);
	gb_text_clear(&title);
}

void gb_progress_line(struct gb_progress *p, const char *line, bool error)
{
	struct gb_text text = { 0 };

	(void)error; /* builders write what is well to it too */
	gb_text_addf(&text, "  %s", gb_style_code(&p->style, GB_DIM));
	gb_text_add_harmless(&text, line);
	gb_text_addf(&text, "%s", gb_style_code(&p->style, GB_PLAIN));
	if (!text.failed && *line)
		say(p, text.data);
	gb_text_clear(&text);
	if (p->out && p->style.columns)
		draw(p);
}

void gb_progress_tick(struct gb_progress *p)
{
	if (p->out && p->style.columns && now_ms() - p->shown >= 500)
		draw(p);
}
