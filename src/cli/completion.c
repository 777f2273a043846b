/* SPDX-License-Identifier: Apache-2.0 */
/* immure completion SHELL: what bash, zsh and fish complete, from the rows. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/words.h"

int takes_file(const struct immure_option *option)
{
	return strcmp(option->type, "path") == 0 || strcmp(option->type, "mounts") == 0 || strcmp(option->key, "policy") == 0 ||
	       strcmp(option->key, "seccomp") == 0;
}

/* The words that fit an option: its choices, or the names of what is shipped. */
static void print_words(const struct immure_option *option, const char *separator)
{
	struct immure_text text;
	const char *gap = "";

	for (const char *const *choice = option->choices; choice && *choice; choice++, gap = separator)
		printf("%s%s", gap, *choice);
	if (strcmp(option->key, "preset") == 0)
		for (unsigned i = 0; immure_preset_at(i, &text) == 0; i++, gap = separator)
			printf("%s%s", gap, text.name);
	if (strcmp(option->key, "seccomp") == 0)
		for (unsigned i = 0; immure_profile_at(i, &text) == 0; i++, gap = separator)
			printf("%s%s", gap, text.name);
}

static int has_words(const struct immure_option *option)
{
	return option->choices || strcmp(option->key, "preset") == 0 || strcmp(option->key, "seccomp") == 0;
}

/* Single quotes are closed around a quote: 'it'\''s'. */
static void print_quoted(const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'')
			printf("'\\''");
		else if (strchr(special, *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void print_verbs(const char *separator)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		printf("%s%s", verb == verbs ? "" : separator, verb->name);
}

static void print_bash_values(void)
{
	struct immure_option option;

	for (unsigned i = 0; immure_option_at(i, &option) == 0; i++) {
		if (!option.metavar)
			continue;
		printf("\t--%s", option.key);
		if (option.letter)
			printf("|-%c", option.letter);
		printf(") COMPREPLY=(");
		if (has_words(&option)) {
			printf("$(compgen -W '");
			print_words(&option, " ");
			printf("' -- \"$word\")");
		}
		printf("%s); return;;\n", takes_file(&option) ? " $(compgen -f -- \"$word\")" : "");
	}
}

/* Verbs with options of their own, and those that want the name of a jail. */
static void print_bash_verbs(void)
{
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (!verb->options && !verb->names_jail)
			continue;
		printf("\t%s) case $word in -*) COMPREPLY=($(compgen -W '--help", verb->name);
		for (const struct verb_option *option = verb->options; option && option->name; option++)
			printf(" --%s", option->name);
		printf("' -- \"$word\"));; *) COMPREPLY=(");
		if (verb->names_jail)
			printf("$(compgen -W \"$(immure ps --all --quiet 2>/dev/null)\" -- \"$word\")");
		printf("%s);; esac; return;;\n", verb->names_file ? " $(compgen -f -- \"$word\")" : "");
	}
}

static void print_bash(void)
{
	struct immure_option option;

	printf("# bash completion of immure; made by immure completion bash\n_immure() {\n"
	       "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} i\n\tCOMPREPLY=()\n"
	       "\tif [ \"$COMP_CWORD\" -eq 1 ]; then COMPREPLY=($(compgen -W '");
	print_verbs(" ");
	printf("' -- \"$word\")); return; fi\n\tcase ${COMP_WORDS[1]} in\n"
	       "\tpresets|profiles|completion) COMPREPLY=($(immure \"${COMP_WORDS[1]}\" 2>/dev/null | while read -r name _; do\n"
	       "\t\techo \"$name\"; done | { local names; mapfile -t names; compgen -W \"${names[*]}\" -- \"$word\"; })); return;;\n"
	       "\trun|explain) ;;\n");
	print_bash_verbs();
	printf("\t*) return;;\n\tesac\n"
	       "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n\t\tif [ \"${COMP_WORDS[i]}\" = -- ]; then\n"
	       "\t\t\tCOMPREPLY=($(compgen -f -c -- \"$word\")); return\n\t\tfi\n\tdone\n\tcase $before in\n");
	print_bash_values();
	printf("\tesac\n\tcase $word in\n\t-*) COMPREPLY=($(compgen -W '--");
	for (unsigned i = 0; immure_option_at(i, &option) == 0; i++)
		printf(" --%s", option.key);
	printf("' -- \"$word\"));;\n\t*) COMPREPLY=($(compgen -f -c -- \"$word\"));;\n\tesac\n}\n"
	       "complete -o filenames -F _immure immure\n");
}

static void print_zsh_option(const struct immure_option *option)
{
	printf(" \\\n\t\t'%s", option->is_list ? "*" : "");
	printf("--%s%s[", option->key, option->metavar ? "=" : "");
	print_quoted(option->help, "[]:");
	putchar(']');
	if (option->metavar) {
		putchar(':');
		print_quoted(option->metavar, "[]:");
		putchar(':');
		if (has_words(option)) {
			putchar('(');
			print_words(option, " ");
			putchar(')');
		} else if (takes_file(option)) {
			printf("_files");
		}
	}
	putchar('\'');
}

static void print_zsh_verbs(void)
{
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (!verb->options && !verb->names_jail)
			continue;
		printf("\t%s) compadd -- --help", verb->name);
		for (const struct verb_option *option = verb->options; option && option->name; option++)
			printf(" --%s", option->name);
		if (verb->names_jail)
			printf(" ${(f)\"$(immure ps --all --quiet 2>/dev/null)\"}");
		printf("%s; return;;\n", verb->names_file ? "; _files" : "");
	}
}

static void print_zsh(void)
{
	struct immure_option option;

	printf("#compdef immure\n# made by immure completion zsh\n_immure() {\n\tif (( CURRENT == 2 )); then\n\t\tcompadd ");
	print_verbs(" ");
	printf("\n\t\treturn\n\tfi\n\tcase $words[2] in\n\trun|explain) ;;\n");
	print_zsh_verbs();
	printf("\t*) return;;\n\tesac\n\tshift words; (( CURRENT-- ))\n"
	       "\t_arguments -S");
	for (unsigned i = 0; immure_option_at(i, &option) == 0; i++)
		print_zsh_option(&option);
	printf(" \\\n\t\t'*::program:_normal'\n}\n_immure \"$@\"\n");
}

static void print_fish_options(const struct verb *verb)
{
	for (const struct verb_option *option = verb->options; option && option->name; option++) {
		printf("complete -c immure -n '__fish_seen_subcommand_from %s' -l %s", verb->name, option->name);
		if (option->letter)
			printf(" -s %c", option->letter);
		printf("%s -d '", option->metavar ? " -x" : "");
		print_quoted(option->help, "");
		printf("'\n");
	}
}

static void print_fish(void)
{
	const char *const rule = "complete -c immure -n '__fish_seen_subcommand_from run explain'";
	struct immure_option option;

	printf("# fish completion of immure; made by immure completion fish\n");
	for (const struct verb *verb = verbs; verb->name; verb++) {
		printf("complete -c immure -f -n __fish_use_subcommand -a %s -d '", verb->name);
		print_quoted(verb->help, "");
		printf("'\n");
		if (verb->names_jail)
			printf("complete -c immure%s -n '__fish_seen_subcommand_from %s' -a '(immure ps --all --quiet 2>/dev/null)'\n",
			       verb->names_file ? "" : " -f", verb->name);
		print_fish_options(verb);
	}
	for (unsigned i = 0; immure_option_at(i, &option) == 0; i++) {
		printf("%s -l %s", rule, option.key);
		if (option.letter)
			printf(" -s %c", option.letter);
		if (option.metavar)
			printf(takes_file(&option) ? " -r" : " -x");
		if (has_words(&option)) {
			printf(" -a '");
			print_words(&option, " ");
			putchar('\'');
		}
		printf(" -d '");
		print_quoted(option.help, "");
		printf("'\n");
	}
}

int cli_completion(int argc, char *argv[])
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = { { "bash", print_bash }, { "zsh", print_zsh }, { "fish", print_fish } };
	struct nearest nearest = nearest_to(argc > 0 ? argv[0] : "");

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (argc == 0) {
			printf("%s\n", shells[i].name);
			continue;
		}
		nearest_offer(&nearest, shells[i].name);
		if (strcmp(shells[i].name, argv[0]) != 0)
			continue;
		shells[i].print();
		return 0;
	}
	return argc == 0 ? 0 : complain_unknown("shell", &nearest, "immure completion");
}
