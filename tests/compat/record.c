/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the front end for bubblewrap says to immure, as text: its own sources, with the few functions of immure.h that it calls
 * replaced by ones that print. Nothing is run and nothing is asked of the machine, so the text is the same everywhere.
 *
 *	record CALLER [FD<DATA...] [WORD...]     CALLER: root, user, old-root, hard-root, hard-user; "|" in DATA is a NUL
 *	record --list                            all options with their arguments
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compat/bwrap.h"

#define ALL_CAPABILITIES ((1ULL << 41) - 1)

static const struct {
	const char *name;
	struct bwrap_caller caller;
} callers[] = {
	{ "root", { .capabilities = ALL_CAPABILITIES & ~(1ULL << 24), .last_capability = 40, .has_userns = true, .has_cgroupns = true } },
	{ "user", { .uid = 1000, .gid = 100, .last_capability = 40, .has_userns = true, .has_cgroupns = true } },
	{ "old-root", { .capabilities = ALL_CAPABILITIES, .last_capability = 37 } },
	{ "hard-root", { .capabilities = ALL_CAPABILITIES, .last_capability = 40, .has_userns = true, .has_cgroupns = true, .has_selinux = true, .is_hardened = true } },
	{ "hard-user", { .uid = 1000, .gid = 100, .last_capability = 40, .has_userns = true, .has_cgroupns = true, .is_hardened = true } },
};

const char *immure_version(void)
{
	return "VERSION";
}

/* The real one is the same for words that differ in one letter, and that is all that the tests need. */
unsigned immure_word_distance(const char *left, const char *right)
{
	size_t front = 0, back = 0;
	const size_t left_size = strlen(left), right_size = strlen(right), least = left_size < right_size ? left_size : right_size;

	while (front < least && left[front] == right[front])
		front++;
	while (back < least - front && left[left_size - 1 - back] == right[right_size - 1 - back])
		back++;
	return (unsigned)((left_size > right_size ? left_size : right_size) - front - back);
}

int immure_spec_set(struct immure_spec *spec, const char *key, const char *value, const char *where, struct immure_error *err)
{
	(void)spec;
	(void)err;
	printf("%s%s%s  [%s]\n", key, value ? "=" : "", value ? value : "", where);
	return 0;
}

static void print_member(const char *name, const char *value)
{
	if (value)
		printf(" %s=\"%s\"", name, value);
}

int immure_spec_mount(struct immure_spec *spec, const struct immure_mount *mount, const char *where, struct immure_error *err)
{
	(void)spec;
	(void)err;
	printf("mount %s", mount->key);
	print_member("source", mount->source);
	print_member("target", mount->target);
	if (mount->descriptor >= 0)
		printf(" descriptor=%d", mount->descriptor);
	if (mount->mode >= 0)
		printf(" mode=%04o", (unsigned)mount->mode);
	if (mount->size)
		printf(" size=%llu", (unsigned long long)mount->size);
	for (const char *const *lower = mount->lowers; lower && *lower; lower++)
		print_member("lower", *lower);
	print_member("upper", mount->upper);
	print_member("work", mount->work);
	printf("%s  [%s]\n", mount->is_optional ? " optional" : "", where);
	return 0;
}

/* "3<--dir|/a|": what descriptor 3 holds. */
static void hold(const char *word)
{
	const int number = atoi(word), descriptor = memfd_create("data", 0);
	char *data = strdup(strchr(word, '<') + 1);

	if (descriptor < 0 || !data)
		abort();
	for (char *at = data; *at; at++) {
		const char byte = *at == '|' ? '\0' : *at;

		if (write(descriptor, &byte, 1) != 1)
			abort();
	}
	if (lseek(descriptor, 0, SEEK_SET) < 0 || dup2(descriptor, number) < 0)
		abort();
	free(data);
}

static int record(const struct bwrap_caller *caller, int count, char *const words[])
{
	struct bwrap bwrap;
	struct immure_error err;
	int used, rc;

	bwrap_init(&bwrap, caller, "bwrap");
	bwrap.complaints = stdout;
	used = bwrap_read(&bwrap, count, words);
	rc = used < 0 ? used : 0;
	if (rc == 0 && !bwrap.is_answered)
		rc = bwrap_check(&bwrap);
	if (rc == 0 && !bwrap.is_answered)
		rc = bwrap_check_sources(&bwrap);
	if (rc == 0 && !bwrap.is_answered)
		rc = bwrap_tell(&bwrap, NULL, &err);
	if (rc < 0)
		bwrap_print(&bwrap, 3, bwrap.error);
	for (size_t i = 0; rc == 0 && i < bwrap.consumed_count; i++)
		printf("used up: %d  [%s]\n", bwrap.consumed[i].descriptor, bwrap.consumed[i].where);
	for (int i = used; rc == 0 && i < count; i++)
		printf("command: %s\n", words[i]);
	bwrap_free(&bwrap);
	return rc < 0;
}

int main(int argc, char *argv[])
{
	int at = 2;

	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		for (const struct bwrap_option *option = bwrap_options; option->name; option++)
			printf("%s%s%s\n", option->name, *option->arguments ? " " : "", option->arguments);
		return 0;
	}
	while (at < argc && argv[at][0] >= '0' && argv[at][0] <= '9' && strchr(argv[at], '<'))
		hold(argv[at++]);
	for (size_t i = 0; argc > 1 && i < sizeof(callers) / sizeof(callers[0]); i++)
		if (strcmp(callers[i].name, argv[1]) == 0)
			return record(&callers[i].caller, argc - at, argv + at);
	fprintf(stderr, "record: no such caller\n");
	return 2;
}
