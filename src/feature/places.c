/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a tree while it is planned in order. A list is enough: a jail has tens of mounts. */
#include "feature/places.h"

#include <string.h>

#include "base/path.h"

bool places_begin(struct places *places, struct arena *arena, int room)
{
	places->list = arena_alloc(arena, (size_t)room * sizeof(*places->list));
	places->room = room;
	return places->list != NULL;
}

const struct known_place *places_above(const struct places *places, const char *path)
{
	const struct known_place *best = places->list;

	for (int i = 1; i < places->count; i++)
		if (places->list[i].length > best->length && path_is_under(path, places->list[i].path))
			best = &places->list[i];
	return best;
}

bool places_know(const struct places *places, const char *path)
{
	const struct known_place *above = places_above(places, path);

	if (above->kind == KNOWN_DIRECTORY)
		return true;
	return above->kind != KNOWN_LINK && strcmp(above->path, path) == 0;
}

static void add(struct places *places, const char *path, enum known_kind kind, int within, unsigned skip)
{
	if (places->count < places->room)
		places->list[places->count++] = (struct known_place){ path, (unsigned)strlen(path), kind, within, skip };
}

void places_add(struct places *places, const char *path, enum known_kind kind)
{
	const struct known_place *above = places_above(places, path);

	add(places, path, kind, above->within, above->skip);
}

void places_cover(struct places *places, const char *path, enum known_kind kind, int slot)
{
	int kept = 0;

	for (int i = 0; i < places->count; i++)
		if (!path_is_under(places->list[i].path, path))
			places->list[kept++] = places->list[i];
	places->count = kept;
	add(places, path, kind, slot, path[1] ? (unsigned)strlen(path) + 1 : 1);
}

void places_forget(struct places *places)
{
	places->count = 1;
	places->list[0].kind = KNOWN_FOREIGN;
}

void places_lead(const struct places *places, struct step *step)
{
	const struct known_place *above = places_above(places, step->subject);
	const unsigned length = (unsigned)strlen(step->subject);

	step->how |= STEP_DIRECT;
	if (above->within == SLOT_ROOT)
		return;
	step->how |= STEP_WITHIN;
	step->within = above->within;
	step->skip = above->skip < length ? above->skip : length;
}
