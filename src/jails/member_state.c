/* SPDX-License-Identifier: Apache-2.0 */
/* What a member says of itself: a JSON object, over the socket and in its folder. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>

#include "base/json.h"
#include "base/signal_name.h"
#include "jails/member.h"
#include "jails/state.h"
#include "jails/store.h"
#include "jails/usage.h"
#include "sys/file.h"
#include "sys/process.h"

const char *member_state_name(enum member_state state)
{
	static const char *const names[] = {
		[MEMBER_STARTING] = "starting", [MEMBER_RUNNING] = "running", [MEMBER_PAUSED] = "paused", [MEMBER_ENDED] = "ended",
		[MEMBER_REMOVED] = "removed",
	};

	return names[state];
}

static void print_time(struct text *out, const char *key, uint64_t time_ns)
{
	char stamp[LOG_STAMP + 1];

	if (!time_ns)
		return;
	log_print_time(time_ns, stamp);
	text_add(out, ", \"%s\": \"%s\"", key, stamp);
}

static void print_end(const struct member *member, struct text *out)
{
	const struct result *result = &member->kept.result;

	text_add(out, ", \"reason\": \"%s\", \"exit_code\": %d", reason_name(result->reason), member->exit_code);
	if (result->signal)
		text_add(out, ", \"signal\": %d", result->signal);
	text_add(out, ", \"wall_ns\": %llu, \"user_ns\": %llu, \"system_ns\": %llu, \"peak_memory_bytes\": %llu",
		 (unsigned long long)result->wall_ns, (unsigned long long)result->user_ns, (unsigned long long)result->system_ns,
		 (unsigned long long)result->peak_memory_bytes);
}

/* Enough to know it by; a state fits into a packet. */
static void print_command(const struct member *member, struct text *out)
{
	enum { MOST_WORD = 256, MOST = 8 << 10 };

	text_add(out, ", \"command\": [");
	for (char **word = member->kept.spec.command; word && *word && out->used < MOST; word++) {
		char beginning[MOST_WORD];

		snprintf(beginning, sizeof(beginning), "%s", *word);
		text_add(out, "%s", word == member->kept.spec.command ? "" : ",");
		json_add_string(out, beginning);
	}
	text_add(out, "]");
}

static void print_log(const struct member *member, struct text *out)
{
	if (!member->has_log)
		return;
	text_add(out, ", \"log_bytes\": %llu, \"log_lost_bytes\": %llu", (unsigned long long)member->log.limit,
		 (unsigned long long)member->log.lost);
	if (member->log.lost_errno)
		text_add(out, ", \"log_errno\": %d", member->log.lost_errno);
}

/* Where the program's sockets are, and how it ends when it is asked to. */
static void print_worlds(const struct member *member, struct text *out)
{
	char buffer[SIGNAL_TEXT];
	uint64_t started_ns;
	bool has_network = false;

	for (int i = 0; member->kept.plan && i < member->kept.plan->count; i++) {
		const struct step *step = &member->kept.plan->steps[i];

		has_network |= (step->op == OP_JOIN_NAMESPACE || step->op == OP_UNSHARE) && step->flags & CLONE_NEWNET;
	}
	has_network |= member->kept.plan && member->kept.plan->clone_flags & CLONE_NEWNET;
	started_ns = member->kept.watch.start_ns;
	text_add(out, ", \"network\": \"%s\", \"stop_signal\": \"%s\"", has_network ? "own" : "host",
		 signal_name((int)member->stop_signal, buffer));
	if (member_lives(member) && member->was_started)
		text_add(out, ", \"uptime_ns\": %llu", (unsigned long long)(sys_now_ns() - started_ns));
}

/* The state comes first: who only wants to know that reads no further. */
void member_print_state(const struct member *member, struct text *out)
{
	static const char *const ways[] = { [PAUSE_GROUP] = "cgroup", [PAUSE_FREEZER] = "freezer", [PAUSE_SIGNALS] = "signals" };

	text_add(out, STATE_BEGIN "\"%s\", \"name\": ", member_state_name(member->state));
	json_add_string(out, member->name);
	text_add(out, ", \"pod\": ");
	json_add_string(out, member->pod);
	if (member->pause)
		text_add(out, ", \"paused_by\": \"%s\"", ways[member->pause]);
	else if (member_lives(member) && member->was_started)
		text_add(out, ", \"pauses_by\": \"%s\"", ways[member_pause_way(member)]);
	text_add(out, ", \"keeper\": %d", (int)sys_pid());
	if (member_lives(member))
		text_add(out, ", \"pid\": %d", (int)member->kept.run.init);
	print_time(out, "started", member->started_ns);
	print_time(out, "ended", member->ended_ns);
	if (!member_lives(member))
		print_end(member, out);
	print_worlds(member, out);
	if (member_lives(member))
		usage_print(member, out);
	text_add(out, ", \"terminal\": %s, \"output_bytes\": %llu", member->output.is_terminal ? "true" : "false",
		 (unsigned long long)member->output.passed);
	health_print(member, out);
	print_log(member, out);
	print_command(member, out);
	text_add(out, "}");
}

int member_write_state(const struct member *member)
{
	auto_text struct text text = { 0 };

	member_print_state(member, &text);
	text_add(&text, "\n");
	return text.is_short ? -ENOMEM : store_write(member->folder, STATE_JAIL, text.bytes, text.used);
}

void member_remove_files(struct member *member, const struct state *state)
{
	if (member->folder < 0)
		return;
	sys_close(member->folder);
	member->folder = -1;
	(void)!jail_remove(state, member->pod, member->name, NULL);
}
