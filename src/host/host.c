/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "efi.h"
#include "err.h"
#include "root.h"

int gb_host_open(struct gb_root *root, struct gb_host *ret, struct gb_err *err)
{
	*ret = (struct gb_host){ .root = root, .store = { .root = root },
				 .runner = gb_runner_real(root) };
	ret->loader = calloc(1, sizeof(*ret->loader));
	if (!ret->loader)
		return gb_fail(err, ENOMEM, "out of memory");
	if (gb_efi_open(root, &ret->efi, NULL))
		ret->efi = NULL;
	if (gb_root_is_real(root)) {
		gb_blkid_system(&ret->blkid);
		ret->has_blkid = true;
	}
	gb_loader_find(root, ret->efi, ret->loader);
	return 0;
}

void gb_host_close(struct gb_host *host)
{
	if (host->has_blkid)
		gb_blkid_close(&host->blkid);
	gb_efi_close(host->efi);
	free(host->loader);
	*host = (struct gb_host){ 0 };
}

const char *gb_host_program(const struct gb_host *host, const char *name, char *ret, size_t size)
{
	static const char *const folders[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(ret, size, "%s/%s", folders[i], name);
		if (gb_root_exists(host->root, ret))
			return ret;
	}
	return NULL;
}
