/* SPDX-License-Identifier: Apache-2.0 */
/* immure ps, immure stats: jails that stay, in a table or as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"

const struct verb_option ps_options[] = {
	{ "all", 'a', NULL, "those that have ended as well" },
	{ "json", 0, NULL, "an array with all that is known of each" },
	{ "quiet", 'q', NULL, "names alone" },
	{ 0 },
};
const struct verb_option stats_options[] = {
	{ "json", 0, NULL, "as JSON" },
	{ 0 },
};

enum { PS_ALL, PS_JSON, PS_QUIET };
enum { COLUMNS = 10, CELL = 96 };

struct row {
	char cells[COLUMNS][CELL];
};

struct table {
	const struct words *words;
	struct row *rows;
	size_t count;
	unsigned columns;
	const char *separator;  /* of JSON */
};

static void print_duration(char *cell, int64_t nanoseconds)
{
	const long long seconds = nanoseconds / 1000000000;

	if (nanoseconds < 0)
		strcpy(cell, "-");
	else if (seconds < 60)
		snprintf(cell, CELL, "%llds", seconds);
	else if (seconds < 3600)
		snprintf(cell, CELL, "%lldm%llds", seconds / 60, seconds % 60);
	else if (seconds < 86400)
		snprintf(cell, CELL, "%lldh%lldm", seconds / 3600, seconds / 60 % 60);
	else
		snprintf(cell, CELL, "%lldd%lldh", seconds / 86400, seconds / 3600 % 24);
}

static void print_bytes(char *cell, int64_t bytes)
{
	static const char units[] = "BKMGT";
	double number = (double)bytes;
	unsigned unit = 0;

	while (number >= 1024 && unit + 2 < sizeof(units)) {
		number /= 1024;
		unit++;
	}
	if (bytes < 0)
		strcpy(cell, "-");
	else
		snprintf(cell, CELL, unit && number < 10 ? "%.1f%c" : "%.0f%c", number, units[unit]);
}

static void print_cpu(char *cell, int64_t nanoseconds)
{
	if (nanoseconds < 0)
		strcpy(cell, "-");
	else if (nanoseconds < 1000000000)
		snprintf(cell, CELL, "%lldms", (long long)nanoseconds / 1000000);
	else
		snprintf(cell, CELL, "%.1fs", (double)nanoseconds / 1e9);
}

static void print_number(char *cell, int64_t number)
{
	if (number < 0)
		strcpy(cell, "-");
	else
		snprintf(cell, CELL, "%lld", (long long)number);
}

static void print_state(char *cell, const struct immure_jail_info *info)
{
	if (info->exit_code >= 0 && strcmp(info->state, "ended") == 0)
		snprintf(cell, CELL, "ended (%lld)", (long long)info->exit_code);
	else if (*info->paused_by)
		snprintf(cell, CELL, "%s (%s)", info->state, info->paused_by);
	else
		snprintf(cell, CELL, "%s", info->state);
}

static int is_over(const struct immure_jail_info *info)
{
	return strcmp(info->state, "ended") == 0;
}

static int add_row(struct table *table)
{
	struct row *rows = realloc(table->rows, (table->count + 1) * sizeof(*rows));

	if (!rows)
		return -12;
	table->rows = rows;
	memset(&rows[table->count++], 0, sizeof(*rows));
	return 0;
}

static int print_json(struct table *table, const struct immure_jail_info *info)
{
	printf("%s%s", table->separator, info->json);
	table->separator = ",\n ";
	return 0;
}

static int see_jail(void *argument, const struct immure_jail_info *info)
{
	struct table *table = argument;
	const struct chosen *chosen = table->words->chosen;
	struct row *row;

	if (!chosen[PS_ALL].count && is_over(info))
		return 0;
	if (chosen[PS_JSON].count)
		return print_json(table, info);
	if (add_row(table) < 0)
		return -12;
	row = &table->rows[table->count - 1];
	snprintf(row->cells[0], CELL, "%s", info->name);
	snprintf(row->cells[1], CELL, "%s", info->pod);
	print_state(row->cells[2], info);
	print_number(row->cells[3], info->pids);
	print_duration(row->cells[4], info->uptime_ns);
	print_bytes(row->cells[5], info->memory_bytes);
	print_cpu(row->cells[6], info->cpu_ns);
	snprintf(row->cells[7], CELL, "%s", *info->health ? info->health : "-");
	snprintf(row->cells[8], CELL, "%s", *info->ports ? info->ports : "-");
	snprintf(row->cells[9], CELL, "%s", info->command);
	return 0;
}

/* The last column is as long as it is; the others are as wide as their widest cell. */
static void print_table(const struct table *table, const char *const *heads)
{
	int widths[COLUMNS] = { 0 };

	for (unsigned i = 0; i < table->columns; i++) {
		widths[i] = (int)strlen(heads[i]);
		for (size_t j = 0; j < table->count; j++)
			if ((int)strlen(table->rows[j].cells[i]) > widths[i])
				widths[i] = (int)strlen(table->rows[j].cells[i]);
	}
	for (size_t j = 0; j <= table->count; j++)
		for (unsigned i = 0; i < table->columns; i++) {
			const char *cell = j ? table->rows[j - 1].cells[i] : heads[i];

			if (i + 1 < table->columns)
				printf("%-*s  ", widths[i], cell);
			else
				printf("%s\n", cell);
		}
}

static int finish(struct table *table, int rc, const struct immure_error *err, const char *const *heads)
{
	if (rc == 0 && heads)
		print_table(table, heads);
	free(table->rows);
	return rc < 0 ? complain(err) : 0;
}

static int see_name(void *argument, const char *name, const char *state)
{
	if (*(const int *)argument || strcmp(state, "ended") != 0)
		puts(name);
	return 0;
}

static int print_names(int is_for_all)
{
	struct immure_error err;

	return immure_jail_names(see_name, &is_for_all, &err) < 0 ? complain(&err) : 0;
}

int cli_ps(int argc, char *argv[])
{
	static const char *const heads[] = { "NAME", "POD", "STATE", "PIDS", "UPTIME", "MEMORY", "CPU", "HEALTH", "PORTS", "COMMAND" };
	struct words words;
	struct table table = { .words = &words, .columns = 10, .separator = "" };
	struct immure_error err;
	int rc = take_words(verb_of_name("ps"), argc, argv, &(struct bounds){ 0, 0, 1 }, &words);

	if (rc)
		return rc;
	if (words.chosen[PS_QUIET].count && !words.chosen[PS_JSON].count)
		return print_names(words.chosen[PS_ALL].count > 0);
	if (words.chosen[PS_JSON].count)
		printf("[");
	rc = immure_jails(NULL, see_jail, &table, &err);
	if (words.chosen[PS_JSON].count)
		printf("]\n");
	return finish(&table, rc, &err, words.chosen[PS_JSON].count ? NULL : heads);
}

static int see_usage(void *argument, const struct immure_jail_info *info)
{
	struct table *table = argument;
	struct row *row;

	if (is_over(info) && table->words->argc == 0)
		return 0;
	if (table->words->chosen[0].count)
		return print_json(table, info);
	if (add_row(table) < 0)
		return -12;
	row = &table->rows[table->count - 1];
	snprintf(row->cells[0], CELL, "%s", info->name);
	print_state(row->cells[1], info);
	print_number(row->cells[2], info->pids);
	print_bytes(row->cells[3], info->memory_bytes);
	print_cpu(row->cells[4], info->cpu_ns);
	print_duration(row->cells[5], info->uptime_ns);
	if (info->cpu_ns >= 0 && info->uptime_ns > 0)
		snprintf(row->cells[6], CELL, "%.1f%%", 100.0 * (double)info->cpu_ns / (double)info->uptime_ns);
	else
		strcpy(row->cells[6], "-");
	return 0;
}

int cli_stats(int argc, char *argv[])
{
	static const char *const heads[] = { "NAME", "STATE", "PIDS", "MEMORY", "CPU", "UPTIME", "CPU/UPTIME" };
	struct words words;
	struct table table = { .words = &words, .columns = 7, .separator = "" };
	struct immure_error err;
	int rc = take_words(verb_of_name("stats"), argc, argv, &(struct bounds){ 0, 1, 1 }, &words);
	int is_json;

	if (rc)
		return rc;
	is_json = words.chosen[0].count > 0;
	if (is_json && !words.argc)
		printf("[");
	rc = immure_jails(words.argc ? words.argv[0] : NULL, see_usage, &table, &err);
	if (is_json && rc == 0)
		printf(words.argc ? "\n" : "]\n");
	return finish(&table, rc, &err, is_json ? NULL : heads);
}
