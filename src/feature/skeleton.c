/* SPDX-License-Identifier: Apache-2.0 */
/* What the skeleton holds. tools/skeleton.c makes the folder from this table. */
#include "feature/skeleton.h"

#include <string.h>

#include "base/own.h"

#define DIRECTORY(path) { SKELETON_DIRECTORY, path, NULL, false }
#define PLACE(path) { SKELETON_FILE, path, "", false }

const struct skeleton_entry skeleton_entries[] = {
	DIRECTORY("/usr"),
	{ SKELETON_LINK, "/bin", "usr/bin", true }, { SKELETON_LINK, "/sbin", "usr/sbin", true }, { SKELETON_LINK, "/lib", "usr/lib", true },
	{ SKELETON_LINK, "/lib32", "usr/lib32", true }, { SKELETON_LINK, "/lib64", "usr/lib64", true },
	{ SKELETON_LINK, "/libx32", "usr/libx32", true },
	{ SKELETON_DIRECTORY, "/etc", NULL, true }, { SKELETON_DIRECTORY, "/etc/alternatives", NULL, true },
	{ SKELETON_DIRECTORY, "/etc/ssl", NULL, true }, { SKELETON_DIRECTORY, "/etc/ssl/certs", NULL, true },
	{ SKELETON_FILE, "/etc/ld.so.cache", "", true }, { SKELETON_FILE, "/etc/localtime", "", true },
	{ SKELETON_FILE, "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n"
	  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n", false },
	{ SKELETON_FILE, "/etc/group", "root:x:0:\nuser:x:1000:\nnogroup:x:65534:\n", false },
	{ SKELETON_FILE, "/etc/hosts", "127.0.0.1 localhost jail\n::1 localhost\n", false },
	{ SKELETON_FILE, "/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
	  "networks: files\nprotocols: files\nservices: files\n", false },
	PLACE("/etc/resolv.conf"),
	DIRECTORY("/tmp"), { SKELETON_DIRECTORY, "/var", NULL, true }, DIRECTORY("/var/tmp"), DIRECTORY("/run"),
	{ SKELETON_DIRECTORY, "/home", NULL, true }, DIRECTORY("/home/user"), DIRECTORY("/proc"),
	{ SKELETON_DIRECTORY, "/dev", NULL, true }, DIRECTORY("/dev/pts"), DIRECTORY("/dev/shm"),
	PLACE("/dev/null"), PLACE("/dev/zero"), PLACE("/dev/full"), PLACE("/dev/random"), PLACE("/dev/urandom"), PLACE("/dev/tty"),
	{ SKELETON_LINK, "/dev/fd", "/proc/self/fd", false }, { SKELETON_LINK, "/dev/stdin", "/proc/self/fd/0", false },
	{ SKELETON_LINK, "/dev/stdout", "/proc/self/fd/1", false }, { SKELETON_LINK, "/dev/stderr", "/proc/self/fd/2", false },
	{ SKELETON_LINK, "/dev/ptmx", "pts/ptmx", false },
};
const size_t skeleton_count = ARRAY_SIZE(skeleton_entries);

const struct skeleton_entry *skeleton_find(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(skeleton_entries); i++)
		if (strcmp(skeleton_entries[i].path, path) == 0)
			return &skeleton_entries[i];
	return NULL;
}
