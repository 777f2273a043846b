/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs immure and fails one system call of one performer, or kills the performer just before that call. By ptrace(2), so the
 * program under test is the one that is shipped. What happened is told line by line in a report:
 *
 *	call ROLE INDEX NUMBER   each system call, in the order seen; ROLE: launcher, init, payload (before its exec), helper
 *	started                  the payload's exec has succeeded
 *	hit                      the call was reached
 *	launcher PID, exit CODE, signal NUMBER, timeout, leftover COUNT
 *
 *	inject REPORT SECONDS ROLE INDEX ACTION COMMAND...    ACTION: an errno's number, "kill", or "none"
 *	inject REPORT SECONDS ROLE INDEX ACTION -p PID        PID is there and becomes the launcher: from "ready" on stdout to SIGTERM
 *	inject REPORT SECONDS ROLE INDEX ACTION -k COMMAND... starts a keeper, which is the launcher then; whom COMMAND starts in between
 *	                                                      is "between". It ends with the client, and the keeper goes on
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum role { LAUNCHER, INIT, PAYLOAD, HELPER, CLIENT, BETWEEN, UNKNOWN, ROLES };
static const char *const role_names[] = { "launcher", "init", "payload", "helper", "client", "between", "unknown" };

struct task {
	pid_t pid;
	enum role role;
	bool has_begun;   /* its first stop was seen */
	bool is_held;     /* stopped until its parent tells whose child it is */
	bool is_failing;  /* the call it is in is being failed */
};

struct injection {
	enum role role;
	long index;
	int errnum;       /* 0: kill; -1: nothing */
};

enum { TASKS = 64, CLIENT_GONE_US = 150000, OTHERS_GONE_S = 60 };

struct tracer {
	struct injection injection;
	struct task tasks[TASKS];
	long counts[ROLES];
	int task_count;
	FILE *report;
	unsigned long clone_flags; /* of the launcher's last clone3 */
	bool has_init, has_payload;
};

#if defined(__x86_64__)
static void skip_call(pid_t pid)
{
	struct user_regs_struct regs;

	ptrace(PTRACE_GETREGS, pid, 0, &regs);
	regs.orig_rax = (unsigned long long)-1;
	ptrace(PTRACE_SETREGS, pid, 0, &regs);
}

static void answer_call(pid_t pid, int errnum)
{
	struct user_regs_struct regs;

	ptrace(PTRACE_GETREGS, pid, 0, &regs);
	regs.rax = (unsigned long long)-errnum;
	ptrace(PTRACE_SETREGS, pid, 0, &regs);
}
#else
#error "registers of this processor are not known here"
#endif

static struct task *find_task(struct tracer *tracer, pid_t pid)
{
	for (int i = 0; i < tracer->task_count; i++)
		if (tracer->tasks[i].pid == pid)
			return &tracer->tasks[i];
	if (tracer->task_count == TASKS)
		exit(98);
	tracer->tasks[tracer->task_count] = (struct task){ .pid = pid, .role = UNKNOWN };
	return &tracer->tasks[tracer->task_count++];
}

static void forget_task(struct tracer *tracer, const struct task *task)
{
	tracer->tasks[task - tracer->tasks] = tracer->tasks[--tracer->task_count];
}

/* The launcher's other children are programs that it runs by vfork, and holders of a mere user namespace; init's, helpers that it forks. */
static enum role role_of_child(struct tracer *tracer, enum role parent, int event)
{
	if (parent == CLIENT || parent == BETWEEN)
		return parent == CLIENT ? BETWEEN : LAUNCHER;
	if (parent == LAUNCHER && event != PTRACE_EVENT_VFORK && tracer->clone_flags != CLONE_NEWUSER && !tracer->has_init) {
		tracer->has_init = true;
		return INIT;
	}
	if (parent == INIT && event == PTRACE_EVENT_VFORK && !tracer->has_payload) {
		tracer->has_payload = true;
		return PAYLOAD;
	}
	return HELPER;
}

static void adopt(struct tracer *tracer, enum role parent, int event, pid_t pid)
{
	struct task *child = find_task(tracer, pid);

	child->role = role_of_child(tracer, parent, event);
	if (!child->is_held)
		return;
	child->is_held = false;
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
}

static bool is_target(const struct tracer *tracer, const struct task *task)
{
	return tracer->injection.errnum >= 0 && task->role == tracer->injection.role &&
	       tracer->counts[task->role] == tracer->injection.index;
}

static void on_entry(struct tracer *tracer, struct task *task, long long number, unsigned long long argument)
{
	const bool is_hit = is_target(tracer, task);

	if (task->role == LAUNCHER && number == SYS_clone3) /* the flags come first in its struct */
		tracer->clone_flags = (unsigned long)ptrace(PTRACE_PEEKDATA, task->pid, argument, 0) & ~(unsigned long)CLONE_PIDFD;

	fprintf(tracer->report, "call %s %ld %lld\n", role_names[task->role], tracer->counts[task->role]++, number);
	if (!is_hit)
		return;
	fprintf(tracer->report, "hit\n");
	if (tracer->injection.errnum == 0) {
		kill(task->pid, SIGKILL);
		return;
	}
	task->is_failing = true;
	skip_call(task->pid);
}

/* The kernel says whether a call begins or ends: a newborn's first stop may be either. */
static void on_call(struct tracer *tracer, struct task *task)
{
	struct __ptrace_syscall_info info = { 0 };

	ptrace(PTRACE_GET_SYSCALL_INFO, task->pid, sizeof(info), &info);
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		on_entry(tracer, task, (long long)info.entry.nr, info.entry.args[0]);
	} else if (task->is_failing) {
		task->is_failing = false;
		answer_call(task->pid, tracer->injection.errnum);
	}
}

/* Returns false when the task was let go. */
static bool on_event(struct tracer *tracer, struct task *task, int event)
{
	unsigned long message = 0;

	ptrace(PTRACE_GETEVENTMSG, task->pid, 0, &message);
	if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE)
		adopt(tracer, task->role, event, (pid_t)message);
	if (event != PTRACE_EVENT_EXEC || task->role != PAYLOAD)
		return true;
	fprintf(tracer->report, "started\n");
	ptrace(PTRACE_DETACH, task->pid, 0, 0);
	forget_task(tracer, task);
	return false;
}

static void on_stop(struct tracer *tracer, struct task *task, int status)
{
	int signal = WSTOPSIG(status);

	if (signal == (SIGTRAP | 0x80)) {
		on_call(tracer, task);
		signal = 0;
	} else if (status >> 16 && status >> 16 != PTRACE_EVENT_STOP) {
		if (!on_event(tracer, task, status >> 16))
			return;
		signal = 0;
	} else if (!task->has_begun && (signal == SIGSTOP || status >> 16)) {
		task->has_begun = true;
		task->is_held = task->role == UNKNOWN;
		if (task->is_held)
			return;
		signal = 0;
	} else if (status >> 16) {
		signal = 0;
	}
	ptrace(PTRACE_SYSCALL, task->pid, 0, signal);
}

static pid_t start(char *command[], int options)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execvp(command[0], command);
		_exit(97);
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
	       PTRACE_O_TRACEEXEC | options);
	/* Up to its own exec the child is no immure yet. */
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
	return pid;
}

/* One that runs already, and goes on when this process is gone. */
static pid_t seize(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
		   PTRACE_O_TRACEEXEC) < 0 || ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0)
		exit(94);
	waitpid(pid, &status, __WALL);
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
	puts("ready");
	fflush(stdout);
	return pid;
}

static volatile sig_atomic_t is_over;

static void on_alarm(int signal)
{
	(void)signal;
	is_over = 1;
}

/* Until FIRST is dead, and unless it was a client nobody is left; or time is over. */
static void trace(struct tracer *tracer, pid_t first, bool is_client)
{
	int status;
	pid_t pid;

	while (!is_over && (pid = waitpid(-1, &status, __WALL)) != -1) {
		struct task *task = find_task(tracer, pid);

		if (WIFSTOPPED(status)) {
			on_stop(tracer, task, status);
			continue;
		}
		forget_task(tracer, task);
		if (pid != first)
			continue;
		fprintf(tracer->report, WIFSIGNALED(status) ? "signal %d\n" : "exit %d\n",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		if (is_client)
			ualarm(CLIENT_GONE_US, 0);
		else
			alarm(OTHERS_GONE_S);
	}
}

/* Whoever is still there is killed; this process is their subreaper. */
static int count_leftovers(void)
{
	char path[64], children[4096] = "";
	int count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "re");
	if (file && !fgets(children, sizeof(children), file))
		children[0] = '\0';
	if (file)
		fclose(file);
	for (char *save = NULL, *word = strtok_r(children, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		kill((pid_t)atol(word), SIGKILL);
		count++;
	}
	return count;
}

static bool has_ended(const struct tracer *tracer, pid_t pid)
{
	for (int i = 0; i < tracer->task_count; i++)
		if (tracer->tasks[i].pid == pid)
			return false;
	return true;
}

int main(int argc, char *argv[])
{
	struct tracer tracer = { 0 };
	struct sigaction action = { .sa_handler = on_alarm };
	bool is_client = argc > 7 && strcmp(argv[6], "-k") == 0;
	pid_t first;

	if (argc < 7)
		return 96;
	tracer.report = fopen(argv[1], "we");
	if (!tracer.report)
		return 95;
	for (int i = 0; i < ROLES; i++)
		if (strcmp(role_names[i], argv[3]) == 0)
			tracer.injection.role = (enum role)i;
	tracer.injection.index = atol(argv[4]);
	tracer.injection.errnum = strcmp(argv[5], "none") == 0 ? -1 : strcmp(argv[5], "kill") == 0 ? 0 : atoi(argv[5]);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigaction(SIGALRM, &action, NULL); /* without SA_RESTART: waitpid ends */
	sigaction(SIGTERM, &action, NULL);
	first = strcmp(argv[6], "-p") == 0 && argc > 7 ? seize((pid_t)atol(argv[7])) : start(argv + 6 + is_client, is_client ? 0 : PTRACE_O_EXITKILL);
	*find_task(&tracer, first) = (struct task){ .pid = first, .role = is_client ? CLIENT : LAUNCHER, .has_begun = true };
	fprintf(tracer.report, "%s %d\n", role_names[is_client ? CLIENT : LAUNCHER], (int)first);
	alarm((unsigned)atoi(argv[2]));
	trace(&tracer, first, is_client);
	if (is_over && !(is_client && has_ended(&tracer, first)))
		fprintf(tracer.report, "timeout\n");
	/* Whoever was born lately has a stop before him that nobody waits for any more. */
	for (int i = 0; is_client && i < tracer.task_count; i++)
		kill(tracer.tasks[i].pid, SIGCONT);
	if (!is_client)
		fprintf(tracer.report, "leftover %d\n", count_leftovers());
	fclose(tracer.report);
	return 0;
}
