/* SPDX-License-Identifier: Apache-2.0 */
/* immure schema: a JSON Schema of policy files, from the rows. Editors complete and check policies by it. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

/* What each type permits. YAML writes many values without quotes, so numbers are welcome wherever they make sense. */
static const struct {
	const char *type, *schema;
} shapes[] = {
	{ "flag", "\"type\": \"boolean\"" },
	{ "count", "\"anyOf\": [{\"type\": \"integer\", \"minimum\": 1}, {\"const\": \"none\"}]" },
	{ "size", "\"anyOf\": [{\"type\": \"integer\", \"minimum\": 0}, {\"type\": \"string\", "
		  "\"pattern\": \"^([0-9]+(\\\\.[0-9]+)?([KMGT](i?B)?|B)?|none)$\"}]" },
	{ "duration", "\"anyOf\": [{\"type\": \"number\", \"minimum\": 0}, {\"type\": \"string\", "
		      "\"pattern\": \"^([0-9]+(\\\\.[0-9]+)?(ns|us|ms|s|m|h|d)?|none)$\"}]" },
	{ "share", "\"anyOf\": [{\"type\": \"number\", \"minimum\": 0.01, \"maximum\": 8192}, {\"const\": \"none\"}]" },
	{ "octal", "\"type\": [\"string\", \"integer\"]" },
	{ "name", "\"type\": [\"string\", \"integer\"]" },
	{ "ports", "\"type\": \"integer\", \"minimum\": 1, \"maximum\": 65535" },
	{ "words", "\"type\": [\"string\", \"integer\"]" },
	{ "id-maps", "\"type\": \"string\", \"pattern\": \"^[0-9]+:[0-9]+:[0-9]+$\"" },
	{ "rlimits", "\"type\": \"string\", \"pattern\": \"^[a-z]+=[^:]+(:[^:]+)?$\"" },
};

static void print_value(const struct immure_option *option)
{
	const char *schema = "\"type\": \"string\"";

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (strcmp(shapes[i].type, option->type) == 0)
			schema = shapes[i].schema;
	if (!option->choices) {
		fputs(schema, stdout);
		return;
	}
	printf("\"enum\": [");
	for (const char *const *choice = option->choices; *choice; choice++) {
		print_string(*choice);
		/* In YAML an unquoted yes, no or off is a boolean for many readers. */
		if (strcmp(*choice, "yes") == 0 || strcmp(*choice, "no") == 0 || strcmp(*choice, "off") == 0)
			printf(", %s", strcmp(*choice, "yes") == 0 ? "true" : "false");
		if (choice[1])
			printf(", ");
	}
	putchar(']');
}

static void print_property(const struct immure_option *option)
{
	printf(",\n\t\t");
	print_string(option->key);
	printf(": {\"description\": ");
	print_string(option->help);
	printf(", ");
	if (option->is_list) {
		printf("\"anyOf\": [{");
		print_value(option);
		printf("}, {\"type\": \"array\", \"items\": {");
		print_value(option);
		printf("}}]}");
	} else {
		print_value(option);
		putchar('}');
	}
}

int cli_schema(int argc, char *argv[])
{
	struct immure_option option;

	(void)argc;
	(void)argv;
	printf("{\n\t\"$schema\": \"http://json-schema.org/draft-07/schema#\",\n\t\"title\": \"policy of immure %s\",\n"
	       "\t\"type\": \"object\",\n\t\"additionalProperties\": false,\n\t\"properties\": {\n"
	       "\t\t\"extends\": {\"description\": \"policy files read before this one, relative to it\",\n"
	       "\t\t\t\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"array\", \"items\": {\"type\": \"string\"}}]},\n"
	       "\t\t\"mounts\": {\"description\": \"single settings such as ro: /usr, in their order\", \"type\": \"array\",\n"
	       "\t\t\t\"items\": {\"type\": \"object\", \"minProperties\": 1, \"maxProperties\": 1}},\n"
	       "\t\t\"command\": {\"description\": \"the program and its arguments, when the command line names none\",\n"
	       "\t\t\t\"type\": \"array\", \"minItems\": 1, \"items\": {\"type\": [\"string\", \"number\", \"boolean\"]}}",
	       immure_version());
	for (unsigned i = 0; immure_option_at(i, &option) == 0; i++)
		if (!option.is_for_words_only)
			print_property(&option);
	printf("\n\t}\n}\n");
	return 0;
}
