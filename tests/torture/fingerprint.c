/* SPDX-License-Identifier: Apache-2.0 */
/* Tells how it is confined, in lines "KEY VALUE" that are the same for each run with the same confinement. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char **environ;

static void tell_status(void)
{
	static const char *const keys[] = { "Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:",
					    "NoNewPrivs:", "Seccomp:", "Seccomp_filters:", "SigBlk:", "SigIgn:", "Umask:", "NStgid:" };
	char line[1024];
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file))
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (strncmp(line, keys[i], strlen(keys[i])) == 0)
				printf("status %s", line);
	if (file)
		fclose(file);
}

/* Without the numbers of mounts and devices, which differ from run to run. */
static void tell_mounts(void)
{
	char line[4096], root[1024], place[1024], flags[256];
	FILE *file = fopen("/proc/self/mountinfo", "re");

	while (file && fgets(line, sizeof(line), file)) {
		const char *rest = strstr(line, " - ");

		if (rest && sscanf(line, "%*s %*s %*s %1023s %1023s %255s", root, place, flags) == 3)
			printf("mount %s %s %s%s", root, place, flags, rest);
	}
	if (file)
		fclose(file);
}

static void tell_namespaces(void)
{
	static const char *const kinds[] = { "user", "pid", "mnt", "net", "uts", "ipc", "cgroup", "time" };
	char path[64], target[64];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		ssize_t length;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
		length = readlink(path, target, sizeof(target) - 1);
		target[length < 0 ? 0 : length] = '\0';
		printf("namespace %s %s\n", kinds[i], target);
	}
}

static void tell_file(const char *path)
{
	char line[1024];
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file))
		printf("file %s %s", path, line);
	if (file)
		fclose(file);
}

static void tell_rest(void)
{
	struct utsname name;
	char cwd[1024] = "";
	struct rlimit limit;

	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("descriptor %d\n", fd);
	for (int resource = 0; resource < 16; resource++)
		if (getrlimit((__rlimit_resource_t)resource, &limit) == 0)
			printf("rlimit %d %llu %llu\n", resource, (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
	for (char **variable = environ; *variable; variable++)
		printf("variable %s\n", *variable);
	uname(&name);
	printf("name %s\n", name.nodename);
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : "?");
	printf("session %s\n", getsid(0) == getpid() ? "own" : "shared");
}

int main(void)
{
	tell_status();
	tell_mounts();
	tell_namespaces();
	tell_file("/proc/self/uid_map");
	tell_file("/proc/self/gid_map");
	tell_file("/proc/self/cgroup");
	tell_rest();
	printf("end\n");
	return 0;
}
