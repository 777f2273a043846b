/* SPDX-License-Identifier: Apache-2.0 */
/* What options do that are no operations on files: flags, descriptors, ids, variables, capabilities. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "compat/bwrap.h"

static void *member_of(struct bwrap *bwrap, const struct bwrap_option *option)
{
	return (char *)bwrap + option->member;
}

static void warn_last(const struct bwrap *bwrap, const struct bwrap_option *option)
{
	bwrap_warn(bwrap, "Only the last %s option will take effect", option->name);
}

int act_help(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	(void)option;
	(void)arguments;
	bwrap_print_usage(bwrap->output, bwrap->own_name);
	bwrap->is_answered = true;
	return 0;
}

int act_version(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	(void)option;
	(void)arguments;
	fprintf(bwrap->output, "bubblewrap %s\n", BWRAP_SPOKEN); /* callers take the last word of the line */
	bwrap->is_answered = true;
	return 0;
}

int act_nothing(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	(void)bwrap;
	(void)option;
	(void)arguments;
	return 0;
}

int act_flag(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	bool *flag = member_of(bwrap, option);

	(void)arguments;
	*flag = true;
	return 0;
}

int act_clear_flag(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	bool *flag = member_of(bwrap, option);

	(void)arguments;
	*flag = false;
	return 0;
}

int act_unshare_all(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	(void)option;
	(void)arguments;
	bwrap->unshare_user_try = bwrap->unshare_ipc = bwrap->unshare_pid = bwrap->unshare_net = bwrap->unshare_uts = true;
	bwrap->unshare_cgroup_try = true;
	return 0;
}

int act_text(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	const char **text = member_of(bwrap, option);

	if (*text)
		warn_last(bwrap, option);
	*text = arguments[0];
	return 0;
}

int act_once(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	const char **text = member_of(bwrap, option);

	if (*text)
		return bwrap_refuse(bwrap, "%s used multiple times", option->name);
	*text = arguments[0];
	return 0;
}

int act_descriptor(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	int *descriptor = member_of(bwrap, option);

	if (*descriptor >= 0)
		warn_last(bwrap, option);
	return bwrap_read_descriptor(bwrap, arguments[0], descriptor);
}

int act_id(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	int64_t *id = member_of(bwrap, option);
	long number;

	if (*id != BWRAP_UNSET_ID)
		warn_last(bwrap, option);
	if (bwrap_read_number(arguments[0], UINT32_MAX - 1L, &number) < 0)
		return bwrap_refuse(bwrap, "Invalid %s: %s", option->name + strlen("--"), arguments[0]);
	*id = number;
	return 0;
}

/* ---- the environment: what counts is the last word about a name ---- */

static int set_variable(struct bwrap *bwrap, const struct bwrap_option *option, const char *name, const char *pair)
{
	struct bwrap_variable *list;

	if (!*name || strchr(name, '='))
		return bwrap_refuse(bwrap, "%s: \"%s\" cannot be the name of a variable", option->name, name);
	for (size_t i = 0; i < bwrap->variable_count; i++) {
		if (strcmp(bwrap->variables[i].name, name) != 0)
			continue;
		bwrap->variables[i].pair = pair;
		return 0;
	}
	list = bwrap_room(bwrap, bwrap->variables, bwrap->variable_count, sizeof(*list));
	if (!list)
		return -1;
	bwrap->variables = list;
	list[bwrap->variable_count++] = (struct bwrap_variable){ .name = name, .pair = pair };
	return 0;
}

int act_set_variable(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	const size_t name_size = strlen(arguments[0]), value_size = strlen(arguments[1]) + 1;
	char *pair = malloc(name_size + 1 + value_size);

	if (pair) {
		memcpy(pair, arguments[0], name_size);
		pair[name_size] = '=';
		memcpy(pair + name_size + 1, arguments[1], value_size);
	}
	return bwrap_own(bwrap, pair) ? set_variable(bwrap, option, arguments[0], pair) : -1;
}

int act_unset_variable(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	return set_variable(bwrap, option, arguments[0], NULL);
}

int act_clear_environment(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	(void)option;
	(void)arguments;
	bwrap->is_environment_cleared = true;
	free(bwrap->variables);
	bwrap->variables = NULL;
	bwrap->variable_count = 0;
	return 0;
}

/* ---- locks and filters ---- */

int act_lock_file(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	const char **list = bwrap_room(bwrap, bwrap->lock_files, bwrap->lock_count, sizeof(*list));

	(void)option;
	if (!list)
		return -1;
	bwrap->lock_files = list;
	list[bwrap->lock_count++] = arguments[0];
	return 0;
}

int act_seccomp(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	if (bwrap->filter_count)
		return bwrap_refuse(bwrap, "--seccomp cannot be combined with --add-seccomp-fd");
	if (bwrap->seccomp_fd >= 0)
		warn_last(bwrap, option);
	return bwrap_read_descriptor(bwrap, arguments[0], &bwrap->seccomp_fd);
}

int act_add_seccomp(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	int *list, descriptor = -1;

	if (bwrap->seccomp_fd >= 0)
		return bwrap_refuse(bwrap, "--add-seccomp-fd cannot be combined with --seccomp");
	if (bwrap_read_descriptor(bwrap, arguments[0], &descriptor) < 0)
		return -1;
	list = bwrap_room(bwrap, bwrap->filters, bwrap->filter_count, sizeof(*list));
	if (!list)
		return -1;
	bwrap->filters = list;
	list[bwrap->filter_count++] = descriptor;
	return bwrap_consume(bwrap, descriptor, option->name);
}

/* ---- capabilities ---- */

/* By number, as in linux/capability.h. */
static const char *const capabilities[] = {
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
	"CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
	"CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
	"CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
	"CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
	"CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
};

enum { CAPABILITIES = sizeof(capabilities) / sizeof(capabilities[0]) };

const char *bwrap_capability_name(unsigned number)
{
	return number < CAPABILITIES ? capabilities[number] : NULL;
}

int bwrap_capability_number(const char *name)
{
	long number;

	for (int i = 0; i < CAPABILITIES; i++)
		if (strcasecmp(capabilities[i], name) == 0)
			return i;
	return isdigit((unsigned char)*name) && bwrap_read_number(name, CAPABILITIES - 1, &number) == 0 ? (int)number : -1;
}

int act_capability(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	const bool is_all = strcasecmp(arguments[0], "ALL") == 0;
	const int number = is_all ? 0 : bwrap_capability_number(arguments[0]);
	const uint64_t mask = is_all ? UINT64_MAX : 1ULL << (number & 63);

	if (number < 0)
		return bwrap_refuse(bwrap, "unknown cap: %s\n  try: a name of capabilities(7), as CAP_NET_ADMIN", arguments[0]);
	bwrap->has_capability_words = true;
	bwrap->capabilities = *option->key == '+' ? bwrap->capabilities | mask : bwrap->capabilities & ~mask;
	return 0;
}

int act_label(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	(void)arguments;
	bwrap->label = option->name;
	return 0;
}
