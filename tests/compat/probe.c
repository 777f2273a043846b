/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program inside of the comparisons with bubblewrap. It tells how it is confined, in lines "SECTION KEY VALUE" that are the
 * same for each run with the same confinement; it needs no file of the jail, for descriptor 20 is the host's /proc.
 *
 *   probe [SECTION...] [ls=PATH...] [cat=PATH...] [exit=N] [kill=N]   tells; all sections when none is named
 *   probe start [uid=N] [umask=OCTAL] [cwd=PATH] [ignore=SIGNAL] [block=SIGNAL] [files=N] [session] [keyring] -- COMMAND...
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_uselib /* not every processor has these; there is no call -1 */
#define SYS_uselib -1
#define SYS_ustat -1
#define SYS_sysfs -1
#endif

#define HOST_PROC 20
#define TMPFS 0x01021994
#define MOST_ENTRIES 400
#define MOST_DEPTH 6
#define RESULT(call) ((call) < 0 ? errno : 0)

extern char **environ;

static FILE *open_own(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "self/%s", name);
	fd = openat(HOST_PROC, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? NULL : fdopen(fd, "r");
}

static int by_text(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void tell_sorted(const char *section, char **lines, size_t count)
{
	qsort(lines, count, sizeof(*lines), by_text);
	for (size_t i = 0; i < count; i++)
		printf("%s %s\n", section, lines[i]);
}

static void tell_status(void)
{
	static const char *const keys[] = { "Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:",
					    "Seccomp:", "Seccomp_filters:", "SigBlk:", "SigIgn:", "SigCgt:", "SigPnd:", "ShdPnd:", "Umask:",
					    "Threads:", "CoreDumping:", "THP_enabled:", "Cpus_allowed_list:", "untag_mask:" };
	char line[4096];
	FILE *file = open_own("status");

	while (file && fgets(line, sizeof(line), file))
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (strncmp(line, keys[i], strlen(keys[i])) == 0)
				printf("status %s", line);
	if (file)
		fclose(file);
}

/* How many PID namespaces deep it is: fields of NStgid. */
static int pid_depth(void)
{
	char line[4096];
	int depth = 0;
	FILE *file = open_own("status");

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "NStgid:", 7) == 0)
			for (char *field = strtok(line + 7, " \t\n"); field; field = strtok(NULL, " \t\n"))
				depth++;
	if (file)
		fclose(file);
	return depth;
}

static void tell_ids(void)
{
	uid_t ids[3];
	gid_t groups[3];

	getresuid(&ids[0], &ids[1], &ids[2]);
	getresgid(&groups[0], &groups[1], &groups[2]);
	printf("ids user %u %u %u\nids group %u %u %u\n", ids[0], ids[1], ids[2], groups[0], groups[1], groups[2]);
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "uid_map", "gid_map", "setgroups" };
		char line[256];
		FILE *file = open_own(names[i]);

		while (file && fgets(line, sizeof(line), file))
			printf("ids %s %s", names[i], line);
		if (file)
			fclose(file);
	}
}

static void tell_namespaces(void)
{
	static const char *const kinds[] = { "user", "pid", "pid_for_children", "mnt", "net", "uts", "ipc", "cgroup", "time", "time_for_children" };
	struct utsname name;
	char line[4096];
	FILE *file;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char path[64], target[64];
		ssize_t length;

		snprintf(path, sizeof(path), "self/ns/%s", kinds[i]);
		length = readlinkat(HOST_PROC, path, target, sizeof(target) - 1);
		target[length < 0 ? 0 : length] = '\0';
		printf("namespace %s %s\n", kinds[i], length < 0 ? strerror(errno) : target);
	}
	uname(&name);
	printf("namespace hostname %s %s\n", name.nodename, name.domainname);
	file = open_own("cgroup");
	while (file && fgets(line, sizeof(line), file))
		printf("namespace cgroup %s", line);
	if (file)
		fclose(file);
}

static void tell_network(void)
{
	struct ifreq wanted = { .ifr_name = "lo" };
	struct if_nameindex *names = if_nameindex();
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (struct if_nameindex *one = names; one && one->if_index; one++)
		printf("network interface %s\n", one->if_name);
	if (names)
		if_freenameindex(names);
	if (ioctl(fd, SIOCGIFFLAGS, &wanted) == 0)
		printf("network lo flags %x\n", wanted.ifr_flags & 0xffff);
	if (ioctl(fd, SIOCGIFADDR, &wanted) == 0)
		printf("network lo address %x\n", ntohl(((struct sockaddr_in *)(void *)&wanted.ifr_addr)->sin_addr.s_addr));
	close(fd);
}

static const char *beside(pid_t pid, pid_t own)
{
	return pid == own ? "own" : pid ? "another's" : "outside";
}

static void tell_process(void)
{
	bool is_nested = pid_depth() > 1;
	pid_t own = getpid();
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC), deathsig = 0, reaper = 0;
	char keyring[256] = "none";

	printf("process depth %d\nprocess pid %d\nprocess parent %s\n", pid_depth(), is_nested ? own : -1,
		!getppid() ? "outside" : is_nested && getppid() == 1 ? "init" : getppid() == getsid(0) ? "launcher" : "another");
	printf("process session %s group %s\n", beside(getsid(0), own), beside(getpgid(0), own));
	prctl(PR_GET_PDEATHSIG, &deathsig);
	prctl(PR_GET_CHILD_SUBREAPER, &reaper);
	printf("process terminal %d deathsig %d subreaper %d dumpable %d securebits %d slack %d thp %d\n", terminal >= 0, deathsig, reaper,
		prctl(PR_GET_DUMPABLE), prctl(PR_GET_SECUREBITS), prctl(PR_GET_TIMERSLACK), prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	syscall(SYS_keyctl, 6, -3, keyring, sizeof(keyring) - 1); /* describe the session's */
	printf("process personality %lx policy %d nice %d keyring %s\n", syscall(SYS_personality, 0xffffffff), sched_getscheduler(0),
		getpriority(PRIO_PROCESS, 0), keyring);
	if (terminal >= 0)
		close(terminal);
}

/* Who else is in the jail, as its own /proc shows it. */
static void tell_others(void)
{
	bool is_nested = pid_depth() > 1;
	DIR *folder = is_nested ? opendir("/proc") : NULL;
	struct dirent *entry;
	int count = 0;

	while (folder && (entry = readdir(folder)))
		count += isdigit((unsigned char)entry->d_name[0]) != 0;
	if (folder) {
		printf("others count %d self %d\n", count, access("/proc/self", F_OK));
		closedir(folder);
	}
}

static void tell_signals(void)
{
	sigset_t mask;
	struct itimerval timer;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int number = 1; number < 65; number++) {
		struct { void *handler; unsigned long flags; void *restorer; unsigned long mask; } action = { 0 };

		if (sigismember(&mask, number) == 1)
			printf("signals blocked %d\n", number);
		if (syscall(SYS_rt_sigaction, number, NULL, &action, 8) == 0 && action.handler)
			printf("signals %d %s\n", number, action.handler == (void *)SIG_IGN ? "ignored" : "handled");
	}
	getitimer(ITIMER_REAL, &timer);
	printf("signals timer %d\n", timer.it_value.tv_sec || timer.it_value.tv_usec);
}

static void tell_limits(void)
{
	static const char *const names[] = { "oom_score_adj", "timerslack_ns", "coredump_filter", "loginuid" };
	struct rlimit limit;

	for (int resource = 0; resource < 16; resource++)
		if (getrlimit((__rlimit_resource_t)resource, &limit) == 0)
			printf("limits %d %llu %llu\n", resource, (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char line[256];
		FILE *file = open_own(names[i]);

		if (file && fgets(line, sizeof(line), file))
			printf("limits %s %s\n", names[i], strtok(line, "\n"));
		if (file)
			fclose(file);
	}
}

static void tell_environment(const char *name)
{
	char cwd[4096], *lines[MOST_ENTRIES];
	size_t count = 0;

	for (char **variable = environ; *variable && count < MOST_ENTRIES; variable++)
		lines[count++] = *variable;
	tell_sorted("environment", lines, count);
	printf("start cwd %s\nstart argv0 %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : strerror(errno), name);
}

static void tell_descriptors(void)
{
	for (int fd = 0; fd < 1024; fd++) {
		char path[64], target[4096];
		ssize_t length;

		if (fcntl(fd, F_GETFD) < 0)
			continue;
		snprintf(path, sizeof(path), "self/fd/%d", fd);
		length = readlinkat(HOST_PROC, path, target, sizeof(target) - 1);
		target[length < 0 ? 0 : length] = '\0';
		target[strcspn(target, "[")] = '\0'; /* the number of a pipe or namespace */
		printf("descriptors %d %s %x\n", fd, target, (unsigned)fcntl(fd, F_GETFL));
	}
}

/* The one of a line: its place, flags, root and file system. NULL for no memory or no such line. */
static char *one_mount(const char *line)
{
	static char root[4096], place[4096], flags[256], type[64], source[4096], super[4096];
	const char *rest = strstr(line, " - ");
	char *one = NULL;

	if (!rest || sscanf(line, "%*s %*s %*s %4095s %4095s %255s", root, place, flags) != 3 ||
		sscanf(rest, " - %63s %4095s %4095s", type, source, super) != 3)
		return NULL;
	if (strcmp(type, "overlay") == 0)
		super[2] = '\0'; /* paths of a detached tree */
	if (asprintf(&one, "%s %s %s from %s of %s %s%s%s", place, type, flags, root, source, super,
		    strstr(line, " shared:") ? " shared" : "", strstr(line, " master:") ? " follows" : "") < 0)
		return NULL;
	return one;
}

/* The uppermost of each place: the ones below it cannot be reached. */
static void tell_mounts(void)
{
	char line[8192], *lines[MOST_ENTRIES];
	size_t count = 0;
	FILE *file = open_own("mountinfo");

	while (file && fgets(line, sizeof(line), file) && count < MOST_ENTRIES) {
		char *one = one_mount(line);
		size_t at = 0;

		if (!one)
			continue;
		while (at < count && strncmp(lines[at], one, strcspn(one, " ") + 1))
			at++;
		lines[at] = one;
		count += at == count;
	}
	if (file)
		fclose(file);
	tell_sorted("mounts", lines, count);
}

static void tell_one_file(const char *path, const struct stat *seen)
{
	char target[4096] = "";
	ssize_t length = S_ISLNK(seen->st_mode) ? readlink(path, target, sizeof(target) - 1) : 0;

	if (length > 0)
		target[length] = '\0';
	printf("files %s %o %u:%u %lld %s\n", path, seen->st_mode, seen->st_uid, seen->st_gid,
		S_ISREG(seen->st_mode) ? (long long)seen->st_size : (long long)seen->st_rdev, target);
}

static void list(const char *path, int depth, bool is_named)
{
	struct dirent **entries = NULL;
	struct statfs system;
	struct stat seen;
	int count;

	if (lstat(path, &seen) < 0) {
		printf("files %s %s\n", path, strerror(errno));
		return;
	}
	tell_one_file(path, &seen);
	if (!S_ISDIR(seen.st_mode) || statfs(path, &system) < 0 || (system.f_type != TMPFS && !is_named) || depth > MOST_DEPTH)
		return;
	count = scandir(path, &entries, NULL, alphasort);
	if (count < 0)
		printf("files %s closed: %s\n", path, strerror(errno));
	for (int i = 0; i < count; i++) {
		char *below = NULL;

		if (strcmp(entries[i]->d_name, ".") && strcmp(entries[i]->d_name, "..") &&
			asprintf(&below, "%s/%s", strcmp(path, "/") ? path : "", entries[i]->d_name) > 0)
			list(below, depth + 1, is_named);
		free(below);
		free(entries[i]);
	}
	free(entries);
}

/* The jail's own tmpfs folders: bound ones are the host's. */
static void tell_files(void)
{
	list("/", 0, false);
}

static void show(const char *path)
{
	char text[4096];
	FILE *file = fopen(path, "re");

	if (!file)
		printf("content %s: %s\n", path, strerror(errno));
	while (file && fgets(text, sizeof(text), file))
		printf("content %s: %s%s", path, text, strchr(text, '\n') ? "" : "\n");
	if (file)
		fclose(file);
}

static int new_user_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int new_mount_namespace(void)
{
	return unshare(CLONE_NEWNS);
}

static int change_root(void)
{
	return chroot("/");
}

static int same_host_name(void)
{
	struct utsname name;

	uname(&name);
	return sethostname(name.nodename, strlen(name.nodename));
}

static int become_root(void)
{
	return setuid(0);
}

static int drop_groups(void)
{
	return setgroups(0, NULL);
}

static int signal_init(void)
{
	return pid_depth() > 1 ? kill(1, 0) : 0;
}

static int write_root(void)
{
	return access("/", W_OK);
}

static int write_sysctl(void)
{
	return access("/proc/sys/kernel/hostname", W_OK);
}

static int open_null(void)
{
	return open("/dev/null", O_RDWR);
}

static int new_terminal(void)
{
	return open("/dev/ptmx", O_RDWR | O_NOCTTY);
}

static int shared_memory(void)
{
	/* Of a name that no other probe has: whose file it is would tell more than where it is. */
	struct timespec now;
	char path[64];
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(path, sizeof(path), "/dev/shm/probe-%d-%ld.%09ld", getpid(), (long)now.tv_sec, now.tv_nsec);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd >= 0)
		unlink(path);
	return fd;
}

/* Whether what is shown read-only may be made writable: the jail's own mounts, by who has all rights in it. */
static int make_writable(void)
{
	return mount(NULL, "/probe", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV, NULL);
}

static int take_away(void)
{
	return umount2("/dev/pts", MNT_DETACH);
}

static int write_keys(void)
{
	return (int)syscall(SYS_add_key, "user", "immure-probe", "x", 1L, -1L); /* the thread's own keyring */
}

/* Each in a child, so that no one changes what the next one finds. */
static void tell_acts(void)
{
	static const struct { const char *name; int (*act)(void); } acts[] = {
		{ "user-namespace", new_user_namespace }, { "mount-namespace", new_mount_namespace }, { "chroot", change_root },
		{ "hostname", same_host_name }, { "setuid", become_root }, { "setgroups", drop_groups }, { "signal-init", signal_init },
		{ "write-root", write_root }, { "write-sysctl", write_sysctl }, { "null", open_null }, { "terminal", new_terminal },
		{ "shm", shared_memory }, { "keys", write_keys }, { "make-writable", make_writable }, { "take-away", take_away } };
	static const long numbers[] = { SYS_uselib, SYS_ustat, SYS_sysfs };

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		int status = 0;
		pid_t child;

		fflush(stdout);
		child = fork();
		if (child == 0)
			_exit(RESULT(acts[i].act()));
		if (child < 0 || waitpid(child, &status, 0) < 0)
			printf("acts %s no child: %s\n", acts[i].name, strerror(errno));
		else
			printf("acts %s %s\n", acts[i].name, WIFEXITED(status) ? strerrorname_np(WEXITSTATUS(status)) : "killed");
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		printf("acts call-%ld %s\n", numbers[i], strerrorname_np(RESULT(syscall(numbers[i], 1000L, 0L, 0L))));
}

static bool is_wanted(char **words, const char *section)
{
	bool is_any = false;

	for (char **word = words; *word; word++) {
		if (strcmp(*word, section) == 0)
			return true;
		is_any |= !strchr(*word, '=');
	}
	return !is_any;
}

static void tell(const char *name, char **words)
{
	static const struct { const char *name; void (*tell)(void); } sections[] = {
		{ "descriptors", tell_descriptors }, { "status", tell_status }, { "ids", tell_ids }, { "namespace", tell_namespaces },
		{ "network", tell_network }, { "process", tell_process }, { "others", tell_others }, { "signals", tell_signals },
		{ "limits", tell_limits }, { "mounts", tell_mounts }, { "files", tell_files }, { "acts", tell_acts } };

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (is_wanted(words, sections[i].name))
			sections[i].tell();
	if (is_wanted(words, "environment"))
		tell_environment(name);
	for (char **word = words; *word; word++) {
		if (strncmp(*word, "ls=", 3) == 0)
			list(*word + 3, 0, true);
		if (strncmp(*word, "cat=", 4) == 0)
			show(*word + 4);
	}
	printf("end\n");
	fflush(stdout);
	for (char **word = words; *word; word++) {
		if (strncmp(*word, "exit=", 5) == 0)
			exit(atoi(*word + 5));
		if (strncmp(*word, "kill=", 5) == 0)
			raise(atoi(*word + 5));
	}
}

static void prepare(const char *word)
{
	const char *value = strchr(word, '=') ? strchr(word, '=') + 1 : "";
	sigset_t one;

	sigemptyset(&one);
	if (strncmp(word, "umask=", 6) == 0) {
		umask((mode_t)strtoul(value, NULL, 8));
	} else if (strncmp(word, "ignore=", 7) == 0) {
		signal(atoi(value), SIG_IGN);
	} else if (strncmp(word, "block=", 6) == 0) {
		sigaddset(&one, atoi(value));
		sigprocmask(SIG_BLOCK, &one, NULL);
	} else if (strncmp(word, "files=", 6) == 0) {
		struct rlimit limit = { strtoul(value, NULL, 10), strtoul(value, NULL, 10) };

		setrlimit(RLIMIT_NOFILE, &limit);
	} else if (strncmp(word, "uid=", 4) == 0) {
		uid_t id = (uid_t)strtoul(value, NULL, 10);

		if (id && id != getuid() && (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 || setresuid(id, id, id) < 0))
			exit(99);
	} else if (strncmp(word, "cwd=", 4) == 0 && chdir(value) < 0) {
		exit(98);
	} else if (strcmp(word, "session") == 0) {
		setsid();
	} else if (strcmp(word, "keyring") == 0) {
		syscall(SYS_keyctl, 1, "immure-probe");
	}
}

int main(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "start")) {
		tell(argv[0], argv + 1);
		return 0;
	}
	for (argv += 2; *argv && strcmp(*argv, "--"); argv++)
		prepare(*argv);
	if (!*argv || !argv[1])
		return 97;
	execvp(argv[1], argv + 1);
	return 96;
}
