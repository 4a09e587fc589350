/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The least a program can do for the same end: ghost-claim's writes, module loads and nothing
 * else. It reads nothing, checks nothing, and knows everything from its arguments:
 *	bare [MODULE.ko…] BDF… [-BDF]
 * where -BDF, one of those before, is bound to a driver that has to let go. */
#include <errno.h>
#include <fcntl.h>
#include <linux/module.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0;
}

static int put_device(const char *bdf, const char *name, const char *text)
{
	char file[128];

	snprintf(file, sizeof(file), "/sys/bus/pci/devices/%s/%s", bdf, name);
	return put(file, text);
}

static int load(const char *file)
{
	const char *end = strrchr(file, '.');
	int flags = strcmp(end, ".ko") ? MODULE_INIT_COMPRESSED_FILE : 0;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 || (syscall(SYS_finit_module, fd, "", flags) && errno != EEXIST);

	close(fd);
	return r;
}

int main(int argc, char **argv)
{
	int first = 1, bad = 0;

	while (first < argc && argv[first][0] == '/')
		first++;
	for (int i = first; i < argc && argv[i][0] != '-'; i++)
		bad |= put_device(argv[i], "driver_override", "vfio-pci");
	for (int i = 1; i < first; i++)
		bad |= load(argv[i]);
	if (argv[argc - 1][0] == '-')
		bad |= put_device(argv[argc - 1] + 1, "driver/unbind", argv[argc - 1] + 1);
	for (int i = first; i < argc && argv[i][0] != '-'; i++)
		bad |= put("/sys/bus/pci/drivers_probe", argv[i]);
	return bad;
}
