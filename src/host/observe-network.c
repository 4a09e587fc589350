/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe.h"

#include <errno.h>
#include <limits.h>
#include <net/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "lines.h"
#include "observation.h"
#include "root.h"

#define NET "/sys/class/net"
#define TABLE_MAX (8u << 20)
#define INTERFACE_MAX 16 /* IFNAMSIZ */

struct watcher {
	struct gb_root *root;
	struct gb_observation *seen;
};

/* ---- links ------------------------------------------------------------------------------ */

static bool read_word(struct gb_root *root, const char *name, const char *file, char *ret,
		      size_t size)
{
	char path[NAME_MAX + 64];

	snprintf(path, sizeof(path), NET "/%s/%s", name, file);
	if (gb_root_read(root, path, ret, size) <= 0)
		return false;
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}

/* Only what is made of hardware: bridges, VLANs and the links of virtual machines have no
 * `device`, come and go, and stand on one of these. */
static int look_at_link(void *ctx, const char *name)
{
	struct watcher *w = ctx;
	char path[NAME_MAX + 64], carrier[8], address[64] = "", place[GB_PATH_MAX];

	snprintf(path, sizeof(path), NET "/%s/device", name);
	if (!gb_root_exists(w->root, path) ||
	    !read_word(w->root, name, "carrier", carrier, sizeof(carrier)) || strcmp(carrier, "1"))
		return 0;
	read_word(w->root, name, "address", address, sizeof(address));
	gb_observation_add(w->seen, GB_FACT_LINK, name, address);
	snprintf(path, sizeof(path), NET "/%s", name);
	if (gb_observe_place(w->root, path, place, sizeof(place)))
		gb_observation_add(w->seen, GB_FACT_PLACE, name, place);
	return 0;
}

/* ---- routes ----------------------------------------------------------------------------- */

/* Interface, destination, gateway, flags, three numbers, mask, below a line of titles
 * (net/ipv4/fib_trie.c, fib_route_seq_show). */
static void look_at_route(void *ctx, unsigned number, const char *line)
{
	struct watcher *w = ctx;
	char name[INTERFACE_MAX];
	unsigned flags, mask;

	(void)number;
	if (sscanf(line, "%15s %*x %*x %x %*d %*u %*u %x", name, &flags, &mask) == 3 && !mask &&
	    flags & RTF_UP && !(flags & RTF_REJECT))
		gb_observation_add(w->seen, GB_FACT_ROUTE, name, "inet");
}

/* Destination and its length, source and its, next hop, three numbers, flags, interface
 * (net/ipv6/route.c, rt6_info_route). Where there is no route, one on lo says so. */
static void look_at_route6(void *ctx, unsigned number, const char *line)
{
	struct watcher *w = ctx;
	char to[33], name[INTERFACE_MAX];
	unsigned len, flags;

	(void)number;
	if (sscanf(line, "%32s %x %*s %*x %*s %*x %*x %*x %x %15s", to, &len, &flags, name) == 4 &&
	    !len && strspn(to, "0") == 32 && flags & RTF_UP && !(flags & RTF_REJECT))
		gb_observation_add(w->seen, GB_FACT_ROUTE, name, "inet6");
}

/* A kernel without IPv6 has no such file, and no such route. */
static void read_table(struct watcher *w, const char *path, gb_line_fn each)
{
	char *data;
	size_t len;
	int r = gb_root_read_all(w->root, path, TABLE_MAX, &data, &len);

	if (!r) {
		gb_lines_each(data, len, each, w);
		free(data);
	} else if (r != -ENOENT) {
		w->seen->blind[GB_FACT_ROUTE] = true;
	}
}

void gb_observe_network(struct gb_root *root, struct gb_observation *seen)
{
	struct watcher w = { root, seen };

	seen->blind[GB_FACT_LINK] = gb_root_list(root, NET, look_at_link, &w) < 0;
	read_table(&w, "/proc/net/route", look_at_route);
	read_table(&w, "/proc/net/ipv6_route", look_at_route6);
}
