/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deny ERRNO RULE[,RULE...] COMMAND [ARGUMENT...]: runs COMMAND with some system calls made to fail, as an outer
 * sandbox or an older kernel would. A RULE is a name or number, with :MASK only if the first argument has a bit of
 * MASK, with =VALUE only if the first argument is VALUE. Calls of foreign architectures pass. With CAP_SYS_ADMIN
 * no_new_privs stays as it was, so that setuid programs behind the filter work as in a container.
 */
#include <ctype.h>
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { NO_STATUS = 125, CANNOT_EXECUTE = 126 };

static const struct { const char *name; int number; } errnos[] = {
	{ "EPERM", EPERM }, { "ENOSYS", ENOSYS }, { "EACCES", EACCES }, { "EINVAL", EINVAL }, { "ENOMEM", ENOMEM },
	{ "ENOSPC", ENOSPC }, { "EINTR", EINTR }, { "EAGAIN", EAGAIN }, { "EMFILE", EMFILE }, { "EOPNOTSUPP", EOPNOTSUPP },
};

static int die(const char *what, const char *subject)
{
	fprintf(stderr, "deny: %s: %s\n", what, subject);
	exit(NO_STATUS);
}

static unsigned long long parse_number(const char *text)
{
	char *end;
	unsigned long long number;

	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-')
		die("not a number", text);
	return number;
}

static unsigned int parse_errno(const char *text)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(*errnos); i++)
		if (strcmp(errnos[i].name, text) == 0)
			return errnos[i].number;
	return parse_number(text);
}

static int parse_call(const char *text)
{
	int number;

	if (isdigit((unsigned char)*text))
		return parse_number(text);
	number = seccomp_syscall_resolve_name(text);
	return number < 0 ? die("no such system call", text) : number;
}

static int deny_bits(scmp_filter_ctx filter, unsigned int action, int call, unsigned long long mask)
{
	int failed = 0;

	for (unsigned long long bit = 1; bit && !failed; bit <<= 1)
		if (mask & bit)
			failed = seccomp_rule_add(filter, action, call, 1, SCMP_A0(SCMP_CMP_MASKED_EQ, bit, bit));
	return failed;
}

static int deny_rule(scmp_filter_ctx filter, unsigned int action, char *rule)
{
	char *mark = strpbrk(rule, ":="), kind = mark ? *mark : 0;
	int call;

	if (mark)
		*mark++ = 0;
	call = parse_call(rule);
	if (kind == ':')
		return deny_bits(filter, action, call, parse_number(mark));
	if (kind == '=')
		return seccomp_rule_add(filter, action, call, 1, SCMP_A0(SCMP_CMP_EQ, parse_number(mark)));
	return seccomp_rule_add(filter, action, call, 0);
}

static int load(scmp_filter_ctx filter)
{
	int failed;

	if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW) ||
	    seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0))
		return -EINVAL;
	failed = seccomp_load(filter);
	if (failed && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		failed = seccomp_load(filter);
	return failed;
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	unsigned int action;

	if (argc < 4 || !filter)
		return die("usage", "deny ERRNO RULE[,RULE...] COMMAND [ARGUMENT...]");
	action = SCMP_ACT_ERRNO(parse_errno(argv[1]));
	for (char *rule = strtok(argv[2], ","); rule; rule = strtok(NULL, ","))
		if (deny_rule(filter, action, rule))
			return die("no such rule", rule);
	if (load(filter))
		return die("the filter was refused", argv[2]);
	seccomp_release(filter);
	execvp(argv[3], argv + 3);
	die(argv[3], strerror(errno));
	return CANNOT_EXECUTE;
}
