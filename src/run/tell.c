/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is told to others by descriptors, as JSON: who the first process of the jail is and in which namespaces, as soon as it
 * exists; and, where a whole life is told, how the program ended. It has the form that bubblewrap's --info-fd and
 * --json-status-fd have. Nobody has to read it: a reader that is gone is no failure.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "run/op.h"
#include "run/watch.h"

enum { STANDARD = 2, MESSAGE = 512 };

/* Indices of sys/namespace.h, in the order in which they are told. */
static const unsigned char told[] = { 6, 5, 2, 3, 1, 4 };

/* Behind the USED bytes of TEXT. */
static int add_namespaces(const struct run *run, uint64_t kinds, const char *before, char *text, size_t *used)
{
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		uint64_t inode;
		int rc;

		if (!(kinds & namespace_flags[told[i]]))
			continue;
		rc = sys_namespace_of(run->init_pidfd, run->init, told[i], &inode);
		if (rc < 0)
			return rc;
		*used += (size_t)snprintf(text + *used, MESSAGE - *used, ",%s\"%s-namespace\": %" PRIu64, before,
					  namespace_names[told[i]], inode);
	}
	return 0;
}

static int tell(int fd, const char *text)
{
	int rc = sys_write_unharmed(fd, text, strlen(text));

	return rc == -EPIPE ? 0 : rc;
}

/* The reader waits for the end. What is also one of the standard descriptors stays the program's. */
static void finish_telling(int fd)
{
	if (fd > STANDARD)
		sys_close(fd);
}

int op_tell_birth(struct run *run, const struct step *step)
{
	char text[MESSAGE];
	size_t used = (size_t)snprintf(text, sizeof(text), "{\n    \"child-pid\": %d", (int)run->init);
	int rc = add_namespaces(run, step->flags, "\n    ", text, &used);

	snprintf(text + used, sizeof(text) - used, "\n}\n");
	if (rc == 0)
		rc = tell((int)step->number, text);
	finish_telling((int)step->number);
	return rc;
}

int op_tell_life(struct run *run, const struct step *step)
{
	char text[MESSAGE];
	size_t used = (size_t)snprintf(text, sizeof(text), "{ \"child-pid\": %d", (int)run->init);
	int rc = add_namespaces(run, step->flags, " ", text, &used);

	snprintf(text + used, sizeof(text) - used, " }\n");
	return rc < 0 ? rc : tell((int)step->number, text);
}

void forget_tellers(const struct run *run)
{
	for (int i = 0; i < run->plan->count; i++)
		if (run->plan->steps[i].op == OP_TELL_BIRTH || run->plan->steps[i].op == OP_TELL_LIFE)
			finish_telling((int)run->plan->steps[i].number);
}

struct teller {
	int fd;
};

static int start(struct watch *watch, void *state, const struct step *step)
{
	struct teller *teller = state;

	(void)watch;
	teller->fd = (int)step->number;
	return 0;
}

static void finish(struct watch *watch, void *state)
{
	const struct teller *teller = state;
	char text[64];

	snprintf(text, sizeof(text), "{ \"exit-code\": %d }\n", result_exit_code(watch->result, watch->run->plan));
	if (watch->is_started && watch->result->reason != REASON_SETUP)
		tell(teller->fd, text);
	finish_telling(teller->fd);
}

const struct source source_life = {
	.name = "life", .op = OP_TELL_LIFE, .size = sizeof(struct teller), .start = start, .finish = finish,
};
