/* SPDX-License-Identifier: Apache-2.0 */
/* Counting a jail's processes by /proc. proc(5) */
#include "jails/census.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "sys/file.h"
#include "sys/folder.h"
#include "sys/machine.h"

enum { PORTS = 1024, LISTENING = 10 };

struct process {
	pid_t pid, parent;
	uint64_t memory_bytes, cpu_ns;
};

/* The fields behind the name, which may hold anything, ")" too: state, parent, ... */
static int read_stat(int folder, struct process *process)
{
	unsigned long long user, system, waited_user, waited_system;
	const uint64_t tick_ns = UINT64_C(1000000000) / sys_clock_ticks();
	char text[1024];
	const char *at;

	if (sys_read_below(folder, "stat", text, sizeof(text)) <= 0)
		return -ESRCH;
	at = strrchr(text, ')');
	if (!at || sscanf(at + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu", &process->parent, &user, &system,
			  &waited_user, &waited_system) != 5)
		return -EPROTO;
	process->cpu_ns = (user + system + waited_user + waited_system) * tick_ns;
	return 0;
}

static void read_memory(int folder, struct process *process)
{
	char text[4096];
	const char *at;

	if (sys_read_below(folder, "status", text, sizeof(text)) <= 0)
		return;
	at = strstr(text, "\nRssAnon:");
	process->memory_bytes = at ? strtoull(at + strlen("\nRssAnon:"), NULL, 10) * 1024 : 0;
}

static int add_process(struct processes *processes, const struct process *process)
{
	if (processes->count == processes->room) {
		const size_t room = processes->room ? 2 * processes->room : 256;
		struct process *list = realloc(processes->list, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		processes->list = list;
		processes->room = room;
	}
	processes->list[processes->count++] = *process;
	return 0;
}

struct look {
	struct processes *processes;
	int proc;
};

static int visit(void *argument, const char *name)
{
	const struct look *look = argument;
	struct process process = { 0 };
	auto_close int folder = -1;
	uint64_t pid;

	if (number_parse(name, INT32_MAX, &pid) < 0)
		return 0;
	folder = sys_openat(look->proc, name, O_RDONLY | O_DIRECTORY, 0);
	process.pid = (pid_t)pid;
	if (folder < 0 || read_stat(folder, &process) < 0)
		return 0; /* it has died meanwhile */
	read_memory(folder, &process);
	return add_process(look->processes, &process);
}

static int compare_pids(const void *left, const void *right)
{
	const pid_t a = ((const struct process *)left)->pid, b = ((const struct process *)right)->pid;

	return a < b ? -1 : a > b;
}

int processes_look(struct processes *processes)
{
	auto_close int proc = sys_open("/proc", O_RDONLY | O_DIRECTORY, 0);
	struct look look = { processes, proc };
	int rc;

	*processes = (struct processes){ 0 };
	rc = proc < 0 ? proc : sys_each_entry(proc, visit, &look);
	if (rc == 0 && processes->count)
		qsort(processes->list, processes->count, sizeof(processes->list[0]), compare_pids);
	return rc;
}

void processes_free(struct processes *processes)
{
	free(processes->list);
	*processes = (struct processes){ 0 };
}

static const struct process *find(const struct processes *processes, pid_t pid)
{
	const struct process wanted = { .pid = pid };

	return bsearch(&wanted, processes->list, processes->count, sizeof(wanted), compare_pids);
}

/* A chain of parents has an end; but the list was not made in one moment. */
static bool descends(const struct processes *processes, const struct process *process, pid_t root)
{
	for (size_t i = 0; process && i < processes->count; i++) {
		if (process->parent == root)
			return true;
		process = find(processes, process->parent);
	}
	return false;
}

static void count(const struct process *process, struct census *census)
{
	census->processes++;
	census->memory_bytes += process->memory_bytes;
	census->cpu_ns += process->cpu_ns;
}

bool census_take(const struct processes *processes, pid_t root, bool with_root, struct census *census)
{
	*census = (struct census){ 0 };
	for (size_t i = 0; i < processes->count; i++) {
		const struct process *process = &processes->list[i];

		if (process->pid == root ? with_root : descends(processes, process, root))
			count(process, census);
	}
	return census->processes > 0;
}

pid_t census_first_child(const struct processes *processes, pid_t parent)
{
	for (size_t i = 0; i < processes->count; i++)
		if (processes->list[i].parent == parent)
			return processes->list[i].pid;
	return 0;
}

/* "  0: 0100007F:1F90 00000000:0000 0A ...": the local address and the state, in hexadecimal. */
static unsigned read_ports(pid_t pid, const char *name, unsigned *ports, unsigned used)
{
	char path[64], *text = malloc(1 << 20), *line;
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid, name);
	size = text ? sys_read_file(path, text, 1 << 20) : -1;
	for (line = size > 0 ? strchr(text, '\n') : NULL; line && used < PORTS; line = strchr(line + 1, '\n')) {
		unsigned port, state;

		if (sscanf(line + 1, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &port, &state) == 2 && state == LISTENING)
			ports[used++] = port;
	}
	free(text);
	return used;
}

static int compare(const void *left, const void *right)
{
	const unsigned a = *(const unsigned *)left, b = *(const unsigned *)right;

	return a < b ? -1 : a > b;
}

void census_ports(pid_t pid, struct text *out)
{
	unsigned ports[PORTS], used = read_ports(pid, "tcp", ports, 0);

	used = read_ports(pid, "tcp6", ports, used);
	qsort(ports, used, sizeof(ports[0]), compare);
	for (unsigned i = 0; i < used; i++)
		if (i == 0 || ports[i] != ports[i - 1])
			text_add(out, "%s%u", i ? "," : "", ports[i]);
}
