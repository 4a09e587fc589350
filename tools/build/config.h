/* Stands in for the config.h of kmod 30 to 34 and xz 5.4 to 5.8, built with musl. */
#pragma once

#define _GNU_SOURCE 1

/* kmod wants GNU's basename, which never writes to its argument. musl's differs, and
 * whether <string.h> declares it depends on the musl version. */
#ifdef GB_BUILD_KMOD
#define basename gb_hidden_basename
#include <string.h>
#undef basename
static inline char *basename(const char *path)
{
	char *slash = strrchr(path, '/');

	return slash ? slash + 1 : (char *)path;
}
#define HAVE_DECL_BASENAME 1
#endif

#define SYSCONFDIR "/etc"
#define DISTCONFDIR "/usr/lib"
#define MODULE_DIRECTORY "/lib/modules"
#define KMOD_FEATURES "+ZSTD +XZ -ZLIB -OPENSSL"
#define ENABLE_LOGGING 1
#define ENABLE_XZ 1
#define ENABLE_ZSTD 1
#define HAVE_SECURE_GETENV 1
#define HAVE_STRUCT_STAT_ST_MTIM 1
#define HAVE_STATIC_ASSERT 1
#define HAVE_NORETURN 1
#define HAVE_DECL_BE32TOH 1
#define HAVE_DECL_STRNDUPA 0
#define HAVE___BUILTIN_CLZ 1
#define HAVE___BUILTIN_TYPES_COMPATIBLE_P 1
#define HAVE___BUILTIN_UADD_OVERFLOW 1
#define HAVE___BUILTIN_UADDL_OVERFLOW 1
#define HAVE___BUILTIN_UADDLL_OVERFLOW 1
#define HAVE___BUILTIN_UMUL_OVERFLOW 1
#define HAVE___BUILTIN_UMULL_OVERFLOW 1
#define HAVE___BUILTIN_UMULLL_OVERFLOW 1

/* What kernel modules are compressed with: LZMA2, CRC32 (CRC64 from xz's command
 * line defaults), and the x86 filter at most. */
#define HAVE_DECODERS 1
#define HAVE_DECODER_LZMA1 1
#define HAVE_DECODER_LZMA2 1
#define HAVE_DECODER_X86 1
#define HAVE_SMALL 1 /* tables made at the start: 16 KiB less to carry and to page in */
#define HAVE_CHECK_CRC32 1
#define HAVE_CHECK_CRC64 1
#define HAVE_STDBOOL_H 1
#define HAVE_STDINT_H 1
#define HAVE_INTTYPES_H 1
#define HAVE__BOOL 1
#define HAVE_FUNC_ATTRIBUTE_CONSTRUCTOR 1
#define HAVE___BUILTIN_ASSUME_ALIGNED 1
#define HAVE___BUILTIN_BSWAPXX 1
#define SIZEOF_SIZE_T __SIZEOF_SIZE_T__
#define TUKLIB_SYMBOL_PREFIX lzma_
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__)
#define TUKLIB_FAST_UNALIGNED_ACCESS 1
#endif
