/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "efi.h"

#include <efivar/efivar.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "root.h"

#define FOLDER "/sys/firmware/efi/efivars"
#define ATTRIBUTES 7 /* EFI_VARIABLE_NON_VOLATILE, _BOOTSERVICE_ACCESS, _RUNTIME_ACCESS */
#define GUID_LENGTH 36
#define CMDLINE_MAX (64u << 10)

struct folder {
	struct gb_efi efi;
	struct gb_root *root;
};

/* "NAME-GUID" in two; false when it is not that, or would lead elsewhere. */
static bool split(const char *name, char *ret, size_t size, const char **ret_guid)
{
	size_t len = strlen(name);

	if (len < GUID_LENGTH + 2 || strchr(name, '/') || name[len - GUID_LENGTH - 1] != '-')
		return false;
	*ret_guid = name + len - GUID_LENGTH;
	len -= GUID_LENGTH + 1;
	if (len >= size)
		return false;
	memcpy(ret, name, len);
	ret[len] = '\0';
	return true;
}

/* ---- libefivar ----------------------------------------------------------------------- */

static int reason(void)
{
	int code = errno;

	efi_error_clear();
	return code ? -code : -EIO;
}

static int parse(const char *name, char *ret, size_t size, efi_guid_t *ret_guid)
{
	const char *guid;

	if (!split(name, ret, size, &guid))
		return -EINVAL;
	return efi_str_to_guid(guid, ret_guid) < 0 ? -EINVAL : 0;
}

static int firmware_read(struct gb_efi *efi, const char *name, uint8_t **ret, size_t *ret_len)
{
	uint32_t attributes;
	uint8_t *data = NULL;
	efi_guid_t guid;
	char text[256];
	size_t len = 0;
	int r = parse(name, text, sizeof(text), &guid);

	(void)efi;
	if (r)
		return r;
	errno = 0;
	if (efi_get_variable(guid, text, &data, &len, &attributes) < 0)
		return reason();
	if (len > GB_EFI_MAX) {
		free(data);
		return -EFBIG;
	}
	*ret = data;
	*ret_len = len;
	return 0;
}

static int firmware_write(struct gb_efi *efi, const char *name, const uint8_t *data, size_t len)
{
	uint8_t *copy;
	efi_guid_t guid;
	char text[256];
	int r = parse(name, text, sizeof(text), &guid);

	(void)efi;
	if (r)
		return r;
	copy = malloc(len + 1); /* which it may write to */
	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, len);
	errno = 0;
	if (efi_set_variable(guid, text, copy, len, ATTRIBUTES, 0600) < 0)
		r = reason();
	free(copy);
	return r;
}

static int firmware_remove(struct gb_efi *efi, const char *name)
{
	efi_guid_t guid;
	char text[256];
	int r = parse(name, text, sizeof(text), &guid);

	(void)efi;
	if (r)
		return r;
	errno = 0;
	return efi_del_variable(guid, text) < 0 ? reason() : 0;
}

/* ---- files --------------------------------------------------------------------------- */

static int file_path(const char *name, char *ret, size_t size)
{
	const char *guid;
	char text[256];

	if (!split(name, text, sizeof(text), &guid))
		return -EINVAL;
	snprintf(ret, size, FOLDER "/%s", name);
	return 0;
}

static int file_read(struct gb_efi *efi, const char *name, uint8_t **ret, size_t *ret_len)
{
	struct folder *folder = (struct folder *)efi;
	char path[sizeof(FOLDER) + 300], *data;
	size_t len;
	int r = file_path(name, path, sizeof(path));

	if (!r)
		r = gb_root_read_all(folder->root, path, GB_EFI_MAX, &data, &len);
	if (r)
		return r;
	if (len < 4) { /* its attributes */
		free(data);
		return -EINVAL;
	}
	memmove(data, data + 4, len - 4);
	*ret = (uint8_t *)data;
	*ret_len = len - 4;
	return 0;
}

static int file_write(struct gb_efi *efi, const char *name, const uint8_t *data, size_t len)
{
	static const char attributes[4] = { ATTRIBUTES };
	struct folder *folder = (struct folder *)efi;
	char path[sizeof(FOLDER) + 300];
	struct gb_text text = { 0 };
	int r = file_path(name, path, sizeof(path));

	if (r)
		return r;
	gb_text_add(&text, attributes, sizeof(attributes));
	gb_text_add(&text, (const char *)data, len);
	r = text.failed ? -ENOMEM : gb_root_publish(folder->root, path, text.data, text.len);
	gb_text_clear(&text);
	return r;
}

static int file_remove(struct gb_efi *efi, const char *name)
{
	struct folder *folder = (struct folder *)efi;
	char path[sizeof(FOLDER) + 300];
	int r = file_path(name, path, sizeof(path));

	return r ? r : gb_root_remove(folder->root, path);
}

/* The names are the same wherever they come from; efivarfs lists them at less cost. */
static int file_list(struct gb_efi *efi, int (*each)(void *ctx, const char *name), void *ctx)
{
	return gb_root_list(((struct folder *)efi)->root, FOLDER, each, ctx);
}

static void close_folder(struct gb_efi *efi)
{
	free(efi);
}

/* ---- both ---------------------------------------------------------------------------- */

int gb_efi_open(struct gb_root *root, struct gb_efi **ret, struct gb_err *err)
{
	static const struct gb_efi firmware = { firmware_read, firmware_write, firmware_remove,
						file_list, close_folder };
	static const struct gb_efi files = { file_read, file_write, file_remove, file_list,
					     close_folder };
	bool real = gb_root_is_real(root);
	struct folder *folder;

	if (!gb_root_exists(root, FOLDER))
		return gb_fail(err, ENODEV, "%s is not there: this machine was not booted by EFI, or its "
			       "variables can't be reached", FOLDER);
	/* libefivar 37 crashes in a write without this answer */
	if (real && !efi_variables_supported())
		return gb_fail(err, ENODEV, "the firmware's variables can't be reached; is efivarfs "
			       "mounted on %s?", FOLDER);
	folder = calloc(1, sizeof(*folder));
	if (!folder)
		return gb_fail(err, ENOMEM, "out of memory");
	folder->efi = real ? firmware : files;
	folder->root = root;
	*ret = &folder->efi;
	return 0;
}

void gb_efi_close(struct gb_efi *efi)
{
	if (efi)
		efi->close(efi);
}

/* 1: it holds exactly this */
static int holds(struct gb_efi *efi, const char *name, const uint8_t *data, size_t len)
{
	uint8_t *now;
	size_t now_len;
	int r = efi->read(efi, name, &now, &now_len);

	if (r)
		return r;
	r = now_len == len && !memcmp(now, data, len);
	free(now);
	return r;
}

int gb_efi_set(struct gb_efi *efi, const char *name, const uint8_t *data, size_t len,
	       struct gb_err *err)
{
	int r = holds(efi, name, data, len);

	if (r == 1)
		return 0;
	r = efi->write(efi, name, data, len);
	if (r)
		return gb_fail(err, -r, "the EFI variable %s can't be written: %s", name, strerror(-r));
	if (holds(efi, name, data, len) != 1)
		return gb_fail(err, EIO, "the EFI variable %s does not hold what was written", name);
	return 0;
}

int gb_efi_set_text(struct gb_efi *efi, const char *name, const char *text, struct gb_err *err)
{
	struct gb_text wide = { 0 };
	int r;

	if (gb_efi_encode(text, &wide))
		r = gb_efi_set(efi, name, (const uint8_t *)wide.data, wide.len, err);
	else
		r = gb_fail(err, EINVAL, "\"%s\" is no text for an EFI variable", text);
	gb_text_clear(&wide);
	return r;
}

/* UEFI specification 8.2; fs/efivarfs. EROFS is also the kernel's word for EFI_WRITE_PROTECTED. */
const char *gb_efi_hint(int r)
{
	switch (-r) {
	case ENOSPC: /* edk2, MdeModulePkg's Variable.c: room is won back only while the firmware runs */
		return "the firmware's store is full: remove crash records (dump-*) from " FOLDER ", and "
		       "reboot, since many a firmware has the room only then";
	case EROFS: return "mount -o remount,rw " FOLDER "; where it is so already, look for a lock in the "
			   "firmware's setup";
	case EINVAL: /* OVMF's word for another one's signed variable of that name */
	case EPERM:
	case EACCES: return "the firmware refuses changes of its variables: look for a lock in its setup";
	default: return "";
	}
}

/* drivers/firmware/efi/efi.c: the value of efi= is a list */
static bool is_closed(const char *word)
{
	return !strcmp(word, "noefi") || (!strncmp(word, "efi=", 4) && strstr(word, "noruntime"));
}

const char *gb_efi_reach_hint(struct gb_root *root)
{
	char *line = NULL, *rest;
	bool closed = false;
	size_t len;

	if (!gb_root_exists(root, "/sys/firmware/efi"))
		return "";
	if (!gb_root_read_all(root, "/proc/cmdline", CMDLINE_MAX, &line, &len))
		for (char *word = strtok_r(line, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest))
			closed = closed || is_closed(word);
	free(line);
	return closed ? "a boot without efi=noruntime and noefi on the kernel command line" :
			"mount -t efivarfs efivarfs " FOLDER;
}

int gb_efi_get_text(struct gb_efi *efi, const char *name, char *ret, size_t size)
{
	uint8_t *data;
	size_t len;
	int r = efi->read(efi, name, &data, &len);

	if (r)
		return r;
	r = gb_efi_text(data, len, ret, size);
	free(data);
	return r;
}

int gb_efi_get_number(struct gb_efi *efi, const char *name, uint64_t *ret)
{
	uint64_t value = 0;
	uint8_t *data;
	size_t len;
	int r = efi->read(efi, name, &data, &len);

	if (r)
		return r;
	if (len != 2 && len != 4 && len != 8)
		r = -EINVAL;
	for (size_t i = 0; !r && i < len; i++)
		value |= (uint64_t)data[i] << 8 * i;
	if (!r)
		*ret = value;
	free(data);
	return r;
}
