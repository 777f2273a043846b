/* SPDX-License-Identifier: Apache-2.0 */
/* The exported part about embedded texts: presets, profiles, topics. For the full library only. */
#include <errno.h>

#include "api/api.h"
#include "load/embedded.h"

static int text_at(const struct embedded_text *texts, unsigned index, struct immure_text *text)
{
	for (; texts->name; texts++) {
		if (index--)
			continue;
		*text = (struct immure_text){ texts->name, texts->summary, texts->text };
		return 0;
	}
	return -ENOENT;
}

int immure_preset_at(unsigned index, struct immure_text *preset)
{
	return text_at(preset_texts, index, preset);
}

int immure_profile_at(unsigned index, struct immure_text *profile)
{
	return text_at(profile_texts, index, profile);
}

int immure_topic_at(unsigned index, struct immure_text *topic)
{
	return text_at(topic_texts, index, topic);
}
