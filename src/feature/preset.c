/* SPDX-License-Identifier: Apache-2.0 */
/* From a preset's name to its settings in a spec. */
#include "feature/preset.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "feature/feature.h"

static const struct preset *find(const char *name)
{
	for (const struct preset *preset = shipped_presets; preset->name; preset++)
		if (strcmp(preset->name, name) == 0)
			return preset;
	return NULL;
}

static const char *nearest_to(const char *name)
{
	unsigned least = (unsigned)strlen(name) / 3 + 2;
	const char *nearest = NULL;

	for (const struct preset *preset = shipped_presets; preset->name; preset++) {
		const unsigned distance = text_distance(preset->name, name);

		if (distance >= least)
			continue;
		least = distance;
		nearest = preset->name;
	}
	return nearest;
}

static int refuse(const char *name, struct error *err)
{
	const char *near = nearest_to(name);

	error_mistake(err, near ? "there is no preset \"%s\"; did you mean \"%s\"?" : "there is no preset \"%s\"", name, near);
	error_remedy(err, "E-PRESET-UNKNOWN", "immure presets lists them");
	return -EINVAL;
}

int preset_load(struct spec *spec, const char *name, struct error *err)
{
	const struct preset *preset = find(name);

	if (!preset)
		return refuse(name, err);
	for (const struct preset_setting *setting = preset->settings; setting->key; setting++) {
		const struct origin origin = { .layer = LAYER_PRESET, .source = preset->source, .line = setting->line, .column = setting->column };
		const struct field *field = find_field(setting->key);
		int rc = field ? field_set(field, spec, setting->text, &origin, err)
			       : error_mistake(err, "%s: there is no setting \"%s\"", preset->source, setting->key);

		if (rc < 0)
			return rc;
	}
	return 0;
}
