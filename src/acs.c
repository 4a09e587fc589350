/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "acs.h"

#include <stddef.h>

#include "quirk.h"

static enum gb_acs_rule general_rule(const struct gb_function *f, bool bridge)
{
	if (!f->express)
		return bridge ? GB_ACS_BRIDGE : GB_ACS_CONVENTIONAL;
	switch (f->port) {
	case GB_PORT_TO_PCI:
	case GB_PORT_TO_PCIE:
		return GB_ACS_BRIDGE;
	case GB_PORT_EVENT_COLLECTOR:
		return GB_ACS_EVENT_COLLECTOR;
	case GB_PORT_ROOT:
		return f->acs ? GB_ACS_CAPABLE : GB_ACS_ROOT_PORT;
	case GB_PORT_DOWNSTREAM:
		return f->acs ? GB_ACS_CAPABLE : GB_ACS_DOWNSTREAM_PORT;
	case GB_PORT_ENDPOINT:
	case GB_PORT_LEGACY_ENDPOINT:
	case GB_PORT_UPSTREAM:
	case GB_PORT_INTEGRATED:
		if (f->multifunction)
			return f->acs ? GB_ACS_CAPABLE : GB_ACS_FUNCTION;
		break;
	}
	return GB_ACS_SINGLE;
}

static enum gb_acs_rule rule_of(const struct gb_identity *id, const struct gb_function *f,
				bool bridge)
{
	switch (gb_quirk_acs(id, f)) {
	case GB_QUIRK_ISOLATED:
		return f->acs ? GB_ACS_CAPABLE : GB_ACS_KNOWN_MODEL;
	case GB_QUIRK_INTEGRATED:
		return GB_ACS_INTEGRATED;
	case GB_QUIRK_EXPOSED:
		return GB_ACS_EXPOSED_MODEL;
	case GB_QUIRK_NONE:
		break;
	}
	return general_rule(f, bridge);
}

static bool isolates(enum gb_acs_rule rule)
{
	return rule >= GB_ACS_CAPABLE && rule <= GB_ACS_SINGLE;
}

/* Everything that the bytes at hand don't rule out, judged; what all agree on is known. */
struct census {
	const struct gb_identity *id;
	bool bridge;
	bool seen[2];
	enum gb_acs_rule rule; /* the first: never by a capability that was not seen */
};

static void judge(struct census *census, const struct gb_function *f)
{
	enum gb_acs_rule rule = rule_of(census->id, f, census->bridge);

	if (!census->seen[false] && !census->seen[true])
		census->rule = rule;
	census->seen[isolates(rule)] = true;
}

static bool possible(enum gb_known fact, bool value)
{
	return fact == GB_CANNOT_TELL || (fact == GB_YES) == value;
}

static void judge_ports(struct census *census, const struct gb_config *config,
			struct gb_function f)
{
	static const enum gb_port of_bridge[] = { GB_PORT_ROOT, GB_PORT_UPSTREAM,
						  GB_PORT_DOWNSTREAM, GB_PORT_TO_PCI,
						  GB_PORT_TO_PCIE };
	static const enum gb_port of_device[] = { GB_PORT_ENDPOINT, GB_PORT_LEGACY_ENDPOINT,
						  GB_PORT_INTEGRATED, GB_PORT_EVENT_COLLECTOR };
	const enum gb_port *ports = census->bridge ? of_bridge : of_device;
	size_t count = census->bridge ? sizeof(of_bridge) / sizeof(*of_bridge) :
					sizeof(of_device) / sizeof(*of_device);

	if (config->express != GB_CANNOT_TELL) {
		f.express = config->express == GB_YES;
		f.port = config->port;
		judge(census, &f);
		return;
	}
	judge(census, &f);
	f.express = true;
	for (size_t i = 0; i < count; i++) {
		f.port = ports[i];
		judge(census, &f);
	}
}

/* drivers/pci/probe.c pci_scan_slot: whatever is beside function 0 is one of several, and
 * function 0 says it itself. drivers/pci/iov.c pci_iov_add_virtfn: virtual functions never are. */
static enum gb_known multifunction(const struct gb_device *device,
				   const struct gb_config *config)
{
	if (device->virtual)
		return GB_NO;
	if (GB_FUNCTION(device->bdf.devfn))
		return GB_YES;
	if (!config->bytes)
		return GB_CANNOT_TELL;
	return config->multifunction ? GB_YES : GB_NO;
}

static bool is_bridge(const struct gb_device *device, const struct gb_config *config)
{
	return config->bytes ? config->header == 1 || config->header == 2 :
			       device->id.class >> 8 == 0x0604 || device->id.class >> 8 == 0x0607;
}

/* drivers/pci/search.c pci_for_each_dma_alias */
static enum gb_known aliases(const struct gb_config *config, bool bridge)
{
	if (config->bytes && !bridge)
		return GB_NO;
	if (config->express == GB_CANNOT_TELL)
		return GB_CANNOT_TELL;
	if (config->express == GB_NO)
		return GB_YES;
	return config->port == GB_PORT_TO_PCI || config->port == GB_PORT_TO_PCIE ? GB_YES : GB_NO;
}

void gb_acs_judge(const struct gb_device *device, const struct gb_config *config,
		  struct gb_acs *ret)
{
	struct census census = { .id = &device->id, .bridge = is_bridge(device, config) };
	enum gb_known several = multifunction(device, config);

	for (unsigned i = 0; i < 4; i++) {
		struct gb_function f = {
			.multifunction = i & 1,
			.acs = i & 2,
			.on_root_bus = device->path.hops == 1 && !device->virtual,
		};

		if (possible(several, f.multifunction) && possible(config->acs, f.acs))
			judge_ports(&census, config, f);
	}
	ret->multifunction = several;
	ret->aliases = aliases(config, census.bridge);
	ret->rule = census.rule;
	ret->isolated = census.seen[true] ? GB_YES : GB_NO;
	if (census.seen[true] && census.seen[false]) {
		ret->rule = config->bytes ? GB_ACS_CUT : GB_ACS_UNREAD;
		ret->isolated = GB_CANNOT_TELL;
	}
}

static const struct words {
	const char *name, *text;
} words[] = {
	[GB_ACS_UNREAD] = { "unread", "config space not readable, cannot tell" },
	[GB_ACS_CUT] = { "cut", "config space cut short, cannot tell" },
	[GB_ACS_CAPABLE] = { "acs", "has ACS" },
	[GB_ACS_KNOWN_MODEL] = { "known-model", "without ACS, but Linux knows that this model "
						"isolates" },
	[GB_ACS_INTEGRATED] = { "intel-integrated", "integrated in an Intel root complex, which "
						    "isolates" },
	[GB_ACS_SINGLE] = { "single-function", "single function, needs no ACS" },
	[GB_ACS_ROOT_PORT] = { "root-port", "root port without ACS" },
	[GB_ACS_DOWNSTREAM_PORT] = { "downstream-port", "downstream port without ACS" },
	[GB_ACS_FUNCTION] = { "multifunction", "function of a multifunction device without ACS" },
	[GB_ACS_CONVENTIONAL] = { "conventional", "conventional PCI device" },
	[GB_ACS_BRIDGE] = { "conventional-bridge", "conventional bridge" },
	[GB_ACS_EVENT_COLLECTOR] = { "event-collector", "root complex event collector" },
	[GB_ACS_EXPOSED_MODEL] = { "exposed-model", "Linux takes no ACS from this model" },
};

const char *gb_acs_rule_name(enum gb_acs_rule rule)
{
	return words[rule].name;
}

const char *gb_acs_rule_text(enum gb_acs_rule rule)
{
	return words[rule].text;
}

enum gb_known gb_acs_read(const struct gb_identity *id, const struct gb_config *config,
			  struct gb_acs_bits *ret)
{
	const uint32_t *word = config->acs_word;
	bool wide = config->port == GB_PORT_ROOT && gb_quirk_wide_acs(id);

	if (config->acs != GB_YES)
		return config->acs;
	ret->capability = (uint16_t)word[0];
	ret->control = (uint16_t)(wide ? word[1] : word[0] >> 16);
	ret->off = ret->capability & GB_ACS_REQUIRED & (uint16_t)~ret->control;
	return GB_YES;
}

const char *gb_acs_bit_name(unsigned bit)
{
	static const char *const names[GB_ACS_BITS] = { "SV", "TB", "RR", "CR",
							"UF", "EC", "DT" };

	for (unsigned i = 0; i < GB_ACS_BITS; i++)
		if (bit == 1u << i)
			return names[i];
	return "";
}
