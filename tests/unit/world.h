/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine in memory with its config space, and what is predicted of it. */
#ifndef WORLD_H
#define WORLD_H

#include "fake.h"

#include "group.h"

enum { FUNCTIONS = 48 };

struct world {
	struct gb_device device[FUNCTIONS];
	struct gb_config config[FUNCTIONS]; /* as the kernel sees it */
	struct gb_config shown[FUNCTIONS];  /* as we do */
	int above[FUNCTIONS];		    /* the bridge, or -1 */
	int count;
	int truth[FUNCTIONS]; /* a model's groups */
	unsigned buses;
};

static inline struct gb_machine machine_of(struct world *w)
{
	return (struct gb_machine){ .device = w->device, .devices = (size_t)w->count,
				    .complete = true };
}

static inline struct gb_config express(int port, bool acs)
{
	return (struct gb_config){
		.bytes = 4096,
		.header = port >= GB_PORT_ROOT && port <= GB_PORT_TO_PCIE,
		.express = GB_YES,
		.port = (enum gb_port)port,
		.acs = acs ? GB_YES : GB_NO,
	};
}

static inline struct gb_config conventional(bool bridge)
{
	return (struct gb_config){ .bytes = 256, .header = bridge, .express = GB_NO, .acs = GB_NO };
}

/* `above` is an index or -1; bridges get a bus number of their own as they come. */
static inline int add(struct world *w, int above, unsigned slot, unsigned function,
	       struct gb_config config)
{
	struct gb_device *d = &w->device[w->count];

	assert_true(w->count < FUNCTIONS);
	memset(d, 0, sizeof(*d));
	if (above >= 0)
		d->path = w->device[above].path;
	d->path.hop[d->path.hops++] = (uint8_t)(slot << 3 | function);
	d->bdf.bus = above < 0 ? 0 : w->config[above].secondary;
	d->bdf.devfn = (uint8_t)(slot << 3 | function);
	d->id.vendor = 0x1234;
	d->group = -1;
	if (config.header)
		config.secondary = (uint8_t)++w->buses;
	w->config[w->count] = w->shown[w->count] = config;
	w->above[w->count] = above;
	return w->count++;
}

static inline int add_model(struct world *w, int above, unsigned slot, unsigned function,
		     unsigned vendor, unsigned device, struct gb_config config)
{
	int i = add(w, above, slot, function, config);

	w->device[i].id.vendor = (uint16_t)vendor;
	w->device[i].id.device = (uint16_t)device;
	return i;
}

struct outcome {
	struct gb_machine machine;
	struct gb_topology topology;
	struct gb_prediction prediction;
	struct gb_differences differences;
};

static inline void foretell(struct world *w, struct outcome *ret)
{
	struct gb_err err;

	ret->machine = machine_of(w);
	assert_int_equal(gb_topology_build(&ret->machine, w->shown, &ret->topology, &err), 0);
	assert_int_equal(gb_predict(&ret->topology, &ret->prediction, &err), 0);
	assert_int_equal(gb_group_compare(&ret->prediction, &ret->differences, &err), 0);
}

static inline void forget(struct outcome *o)
{
	gb_differences_clear(&o->differences);
	gb_prediction_clear(&o->prediction);
	gb_topology_clear(&o->topology);
}

static inline const struct gb_member *member(const struct outcome *o, int i)
{
	return &o->prediction.member[o->topology.at[i]];
}

static inline bool certain(const struct outcome *o, int i)
{
	return o->prediction.certain[member(o, i)->group];
}

static inline bool together(const struct outcome *o, int a, int b)
{
	return member(o, a)->group == member(o, b)->group;
}

static inline size_t count(const struct outcome *o, enum gb_difference_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < o->differences.differences; i++)
		n += o->differences.difference[i].kind == kind;
	return n;
}

#endif
