/* SPDX-License-Identifier: Apache-2.0 */
/* Names of jails and pods. */
#include "jails/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool name_is_one(const char *name)
{
	const size_t length = strspn(name, LETTERS DIGITS "_.-");

	return length && length <= NAME_MOST && !name[length] && strchr(LETTERS DIGITS, name[0]);
}

int name_check(const char *name, struct error *err)
{
	if (name_is_one(name))
		return 0;
	error_mistake(err, "\"%.80s\" is no name of a jail or a pod", name);
	error_remedy(err, "E-STATE-NAME", "1 to %d letters, digits, \"_\", \".\" and \"-\", the first a letter or a digit", NAME_MOST);
	return -EINVAL;
}

static const char *const kinds[] = {
	"amber", "bold", "brisk", "calm", "clear", "crisp", "deep", "early", "faint", "firm", "gentle", "grand", "green", "keen", "late",
	"light", "lone", "mild", "narrow", "north", "pale", "plain", "quick", "quiet", "round", "sharp", "silver", "slow", "steep",
	"still", "warm", "wide",
};
static const char *const things[] = {
	"alder", "arch", "basin", "bridge", "brook", "cedar", "cliff", "cove", "dune", "ferry", "field", "fjord", "gable", "garden",
	"gate", "glade", "harbor", "heath", "hedge", "hill", "lake", "ledge", "marsh", "meadow", "mill", "orchard", "pier", "ridge",
	"river", "stone", "tower", "vale",
};

/* Four digits more make it likely that it is free. */
const char *name_make(uint64_t random, char buffer[NAME_ROOM])
{
	snprintf(buffer, NAME_ROOM, "%s-%s-%04x", kinds[random % ARRAY_SIZE(kinds)], things[(random >> 8) % ARRAY_SIZE(things)],
		 (unsigned)(random >> 16 & 0xffff));
	return buffer;
}
