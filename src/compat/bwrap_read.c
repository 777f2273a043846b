/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the words: finds each option's row, counts its arguments, and sees to it that a modifier is followed by what it modifies. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compat/bwrap.h"

static int refuse_unknown(struct bwrap *bwrap, const char *word)
{
	unsigned nearest = (unsigned)strlen(word) / 3 + 1;
	const char *name = NULL;

	for (const struct bwrap_option *option = bwrap_options; option->name; option++) {
		const unsigned distance = immure_word_distance(word, option->name);

		if (distance >= nearest)
			continue;
		nearest = distance;
		name = option->name;
	}
	return bwrap_refuse(bwrap, "Unknown option %s%s%s", word, name ? "\n  try: " : "", name ? name : "");
}

static int refuse_count(struct bwrap *bwrap, const struct bwrap_option *option)
{
	static const char *const counts[] = { "no argument", "an argument", "two arguments", "three arguments" };

	return bwrap_refuse(bwrap, "%s takes %s: %s", option->name, counts[bwrap_argument_count(option)], option->arguments);
}

static int refuse_lonely_lower(struct bwrap *bwrap)
{
	return bwrap_refuse(bwrap, "--overlay-src must be followed by another --overlay-src or one of --overlay, --tmp-overlay, or --ro-overlay");
}

/* What a modifier said must have been taken by the operation after it. */
static int check_modifiers(struct bwrap *bwrap, const struct bwrap_option *option)
{
	const bool is_lower = option->act == act_lower;

	if (bwrap->next_lower_count && !is_lower)
		return refuse_lonely_lower(bwrap);
	if ((option->flags & IS_MODIFIER) && !is_lower)
		return 0;
	if (bwrap->next_mode >= 0)
		return bwrap_refuse(bwrap, "--perms must be followed by an option that creates a file");
	if (bwrap->next_size)
		return bwrap_refuse(bwrap, "--size must be followed by --tmpfs");
	return 0;
}

/* One option; returns how many words it is. */
static int read_option(struct bwrap *bwrap, int count, char *const words[])
{
	const struct bwrap_option *option = bwrap_find_option(words[0]);
	int arguments;

	if (!option)
		return refuse_unknown(bwrap, words[0]);
	arguments = (int)bwrap_argument_count(option);
	if (count <= arguments)
		return refuse_count(bwrap, option);
	if (option->act(bwrap, option, words + 1) < 0)
		return -1;
	return bwrap->is_answered || check_modifiers(bwrap, option) == 0 ? 1 + arguments : -1;
}

static int read_words(struct bwrap *bwrap, int count, char *const words[])
{
	int at = 0;

	while (at < count && !bwrap->is_answered) {
		int used;

		if (strcmp(words[at], "--") == 0)
			return at + 1;
		if (words[at][0] != '-')
			break;
		used = read_option(bwrap, count - at, words + at);
		if (used < 0)
			return -1;
		at += used;
	}
	return at;
}

static int count_words(struct bwrap *bwrap, size_t more)
{
	bwrap->words_seen += more;
	return bwrap->words_seen <= BWRAP_MOST_WORDS ? 0 : bwrap_refuse(bwrap, "Exceeded maximum number of arguments %d", BWRAP_MOST_WORDS);
}

int bwrap_read(struct bwrap *bwrap, int count, char *const words[])
{
	int used = count_words(bwrap, (size_t)count);

	if (used == 0)
		used = read_words(bwrap, count, words);
	if (used < 0 || bwrap->is_answered)
		return used;
	if (bwrap->next_lower_count)
		return refuse_lonely_lower(bwrap);
	if (bwrap->next_mode >= 0 || bwrap->next_size)
		bwrap_warn(bwrap, "%s at the end of the options has no effect", bwrap->next_size ? "--size" : "--perms");
	return used;
}

/* A word of options may be as long as the caller likes, but not without bound. */
static char *grow_data(char *data, size_t *room)
{
	char *larger = NULL;

	if (*room > BWRAP_MOST_BYTES) {
		errno = EFBIG;
	} else {
		*room *= 2;
		larger = realloc(data, *room);
	}
	if (!larger)
		free(data);
	return larger;
}

/* All that can be read, with a NUL behind it; NULL: errno says why. The caller frees it. */
static char *read_data(int descriptor, size_t *size)
{
	struct stat status;
	size_t room = 4096;
	ssize_t got;
	char *data;

	if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size < BWRAP_MOST_BYTES)
		room += (size_t)status.st_size;
	data = malloc(room);
	for (*size = 0; data; *size += got > 0 ? (size_t)got : 0) {
		if (*size + 1 == room)
			data = grow_data(data, &room);
		got = data ? read(descriptor, data + *size, room - *size - 1) : 0;
		if (got == 0 || (got < 0 && errno != EINTR))
			break;
	}
	if (data && got == 0) {
		data[*size] = '\0';
		return data;
	}
	free(data);
	return NULL;
}

static size_t count_strings(const char *data, size_t size)
{
	size_t count = 0;

	for (size_t at = 0; at < size; at += strlen(data + at) + 1)
		count++;
	return count;
}

static int read_strings(struct bwrap *bwrap, char *data, size_t size)
{
	const size_t count = count_strings(data, size);
	char **words;
	int used = 0;

	if (count_words(bwrap, count) < 0)
		return -1;
	words = calloc(count + 1, sizeof(*words));
	if (!words)
		return bwrap_refuse(bwrap, "no memory");
	for (size_t i = 0; i < count; i++, data += strlen(data) + 1)
		words[i] = data;
	bwrap->is_in_data = true;
	used = read_words(bwrap, (int)count, words);
	bwrap->is_in_data = false;
	if (used >= 0 && (size_t)used < count && !bwrap->is_answered)
		bwrap_warn(bwrap, "--args: options end before \"%s\"; it and what follows is ignored", words[used]);
	free(words);
	return used < 0 ? -1 : 0;
}

int act_arguments(struct bwrap *bwrap, const struct bwrap_option *option, char *const arguments[])
{
	int descriptor = -1;
	size_t size;
	char *data;

	(void)option;
	if (bwrap->is_in_data)
		return bwrap_refuse(bwrap, "--args not supported in arguments file");
	if (bwrap_read_descriptor(bwrap, arguments[0], &descriptor) < 0)
		return -1;
	data = read_data(descriptor, &size);
	if (!data)
		return bwrap_refuse(bwrap, "Can't read --args data: %s", strerror(errno));
	close(descriptor);
	return bwrap_own(bwrap, data) ? read_strings(bwrap, data, size) : -1;
}
