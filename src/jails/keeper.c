/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's loop: one poll over clients and members, and what follows when a member starts or ends. */
#include "jails/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>

#include "jails/visit.h"
#include "sys/append.h"
#include "sys/file.h"
#include "sys/folder.h"
#include "sys/process.h"
#include "sys/seal.h"

enum { FIRST_JAIL_S = 30, LAST_READERS_S = 2, END_GRACE_MS = 10000, PACKETS_IN_A_TURN = 16, POLLED_ROOM = 64,
       OWN_DESCRIPTORS = 3, NAMES_AGAIN_MS = 20, NAMES_WITHIN_S = 10, DOOR_MS = 200,
       GREETING_MS = 100, FAILED_TURNS = 600, FAILED_TURN_MS = 100 };

struct member *keeper_find(const struct keeper *keeper, const char *name)
{
	struct member *only = NULL;
	unsigned count = 0;

	for (struct member *member = keeper->members; member; member = member->next) {
		if (member->state == MEMBER_REMOVED)
			continue;
		if (strcmp(member->name, name) == 0)
			return member;
		only = member;
		count++;
	}
	return !*name && count == 1 ? only : NULL;
}

void keeper_fit_screen(const struct keeper *keeper, struct member *member)
{
	unsigned rows = 0, columns = 0;

	for (unsigned i = 0; i < keeper->clients.count; i++) {
		const struct client *client = keeper->clients.client[i];

		if (client->is_over || client->talk != TALK_ATTACHED || client->subject != member || !client->rows || !client->columns)
			continue;
		rows = !rows || client->rows < rows ? client->rows : rows;
		columns = !columns || client->columns < columns ? client->columns : columns;
	}
	output_resize(member, rows, columns);
}

static bool keeps_any(const struct keeper *keeper)
{
	for (const struct member *member = keeper->members; member; member = member->next)
		if (member->state != MEMBER_REMOVED)
			return true;
	return false;
}

bool keeper_has_names(struct keeper *keeper)
{
	const uint64_t now_ns = sys_now_ns();

	if (keeper->state.is_locked || keeper->names_timer >= 0)
		return keeper->state.is_locked;
	keeper->names = state_lock(&keeper->state, NULL);
	keeper->state.is_locked = keeper->names >= 0;
	if (keeper->state.is_locked || !keeper->names_since_ns)
		keeper->names_since_ns = keeper->state.is_locked ? 0 : now_ns;
	if (keeper->state.is_locked || now_ns - keeper->names_since_ns > UINT64_C(1000000000) * NAMES_WITHIN_S)
		return true;
	keeper->names_timer = sys_timer(UINT64_C(1000000) * NAMES_AGAIN_MS);
	return keeper->names_timer < 0;
}

/* An init that was born meanwhile has the descriptor as well. */
static void let_names_go(struct keeper *keeper)
{
	if (!keeper->state.is_locked)
		return;
	keeper->state.is_locked = false;
	(void)!sys_flock(keeper->names, LOCK_UN);
	sys_close(keeper->names);
	keeper->names = -1;
}

/* Its name is free from now on, and who comes to this keeper is too late. */
int keeper_remove_pod(struct keeper *keeper, struct error *err)
{
	keeper->is_removed = true;
	return pod_remove(&keeper->state, keeper->pod, KEEPER_LOCK, err);
}

void keeper_give_up(struct keeper *keeper)
{
	if (!keeper->is_removed && !keeper->is_lasting && !keeps_any(keeper) && keeper_has_names(keeper))
		(void)!keeper_remove_pod(keeper, NULL);
}

void keeper_remove(struct keeper *keeper, struct member *member)
{
	member_remove_files(member, &keeper->state);
	member->state = MEMBER_REMOVED;
	keeper_give_up(keeper);
	if (kept_set_timer(&member->kept, UINT64_C(1000000000) * LAST_READERS_S) < 0)
		kept_stop_timer(&member->kept);
}

struct client *keeper_next_waiting(const struct keeper *keeper, const struct member *member, enum packet_type question, unsigned *at)
{
	while (*at < keeper->clients.count) {
		struct client *client = keeper->clients.client[(*at)++];

		if (!client->is_over && client->talk == TALK_WAITING && client->subject == member && client->question == question)
			return client;
	}
	return NULL;
}

static void tell_start(const struct keeper *keeper, struct member *member)
{
	const struct packet_started started = { .pid = member->kept.run.init };
	const struct packet_attach attached = { .flags = ATTACH_INPUT | ATTACH_REPLAY, .rows = member->output.rows,
						.columns = member->output.columns };
	struct client *client;
	unsigned at = 0;

	member->is_start_told = true;
	while ((client = keeper_next_waiting(keeper, member, PACKET_RUN, &at))) {
		client->talk = TALK_READY;
		client_post(client, &(struct packet_parts){ .type = PACKET_STARTED, .fixed = &started });
		if (member->attaches_starter)
			keeper_attach(keeper, client, member, &attached);
	}
}

static void let_go(const struct keeper *keeper, const struct member *member)
{
	for (unsigned i = 0; i < keeper->clients.count; i++)
		if (keeper->clients.client[i]->subject == member)
			client_drop(keeper->clients.client[i]);
}

/* Those who asked for its end have it. */
static void tell_enders(const struct keeper *keeper, const struct member *member)
{
	static const enum packet_type questions[] = { PACKET_STOP, PACKET_KILL, PACKET_REMOVE };
	struct client *client;

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		unsigned at = 0;

		while ((client = keeper_next_waiting(keeper, member, questions[i], &at)))
			answer_ok(client);
	}
}

/* It never ran: nothing of it stays but the answer. */
static void tell_failure(struct keeper *keeper, struct member *member)
{
	struct error err = member->kept.err;
	struct client *client;
	unsigned at = 0;

	if (member->is_cut_short) {
		err = (struct error){ 0 };
		error_mistake(&err, "%s was stopped before its program was executed", member->name);
	} else if (!err.errnum) { /* no step failed, and nobody heard that it was there */
		error_mistake(&err, "%s was killed before its program was executed", member->name);
		member->exit_code = 125;
	}
	keeper_remove(keeper, member);
	while ((client = keeper_next_waiting(keeper, member, PACKET_RUN, &at)))
		answer_error(client, &err, member->exit_code);
	tell_enders(keeper, member);
	let_go(keeper, member); /* who was too quick to attach or wait */
}

static bool is_to_go(const struct keeper *keeper, const struct member *member)
{
	unsigned first = 0;

	return !member->was_started || member->goes_at_end || keeper_next_waiting(keeper, member, PACKET_REMOVE, &first);
}

static void tell_end(struct keeper *keeper, struct member *member)
{
	struct client *client;
	unsigned waiting = 0;

	visits_end(keeper, member);
	if (is_to_go(keeper, member))
		keeper_remove(keeper, member); /* before anybody is told: then its name is free */
	for (unsigned i = 0; i < keeper->clients.count; i++) {
		client = keeper->clients.client[i];
		if (client->subject == member && client->talk == TALK_ATTACHED)
			answer_end(client, member);
	}
	while ((client = keeper_next_waiting(keeper, member, PACKET_WAIT, &waiting)))
		answer_end(client, member);
	tell_enders(keeper, member);
}

static void note_changes(struct keeper *keeper, struct member *member)
{
	if (member->was_started && !member->is_start_told)
		tell_start(keeper, member);
	if (member->state != MEMBER_ENDED || member->is_end_told || (is_to_go(keeper, member) && !keeper_has_names(keeper)))
		return;
	member->is_end_told = true;
	keeper->clients.is_short = false; /* its descriptors are free */
	if (member->was_started)
		tell_end(keeper, member);
	else
		tell_failure(keeper, member);
}

/* Whether somebody still reads its scroll-back, or is going to be told something of it. */
static bool is_in_use(const struct keeper *keeper, const struct member *member)
{
	if (visits_have(keeper, member))
		return true;
	for (unsigned i = 0; i < keeper->clients.count; i++)
		if (keeper->clients.client[i]->subject == member)
			return true;
	return false;
}

static void sweep_members(struct keeper *keeper)
{
	struct member **link = &keeper->members;

	while (*link) {
		struct member *member = *link;

		if (member->state != MEMBER_REMOVED || is_in_use(keeper, member)) {
			link = &member->next;
			continue;
		}
		*link = member->next;
		member_free(member);
	}
}

/* What it says next is put off where it is about names, and those are not to be had now. */
static bool must_wait(struct keeper *keeper, struct client *client)
{
	const int next = packet_next(client->socket);

	client->waits_for_names = (next == PACKET_RUN || next == PACKET_SHARE || next == PACKET_REMOVE) && !keeper_has_names(keeper);
	return client->waits_for_names;
}

/* Who is going to be told that the program runs is not woken before, unless that takes a while. */
static bool may_owe_greeting(const struct client *client)
{
	return client->greeted_ns && client->talk == TALK_VISITING &&
	       sys_now_ns() - client->greeted_ns < UINT64_C(1000000) * GREETING_MS;
}

static void hear_clients(struct keeper *keeper, const struct pollfd *polled, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		struct client *client = keeper->clients.client[i - 1];
		const bool is_gone = polled[i].revents & (POLLHUP | POLLERR);

		if (polled[i].revents & POLLOUT)
			client_flush(client);
		if (client->is_held && is_gone)
			client_drop(client); /* what it typed last has no room */
		for (int turn = 0; polled[i].revents & (POLLIN | POLLHUP | POLLERR) && !client->is_held && turn < PACKETS_IN_A_TURN; turn++) {
			if (must_wait(keeper, client) || !client_hear(client, &keeper->packet))
				break;
			keeper_hear(keeper, client, &keeper->packet);
			packet_close_descriptors(&keeper->packet);
		}
		if (!may_owe_greeting(client))
			client_greet(client);
	}
	if (polled[0].revents)
		clients_accept(&keeper->clients);
}

static void note_client_gone(void *argument, struct client *client)
{
	visits_forget(argument, client);
	if (client->talk == TALK_ATTACHED && client->subject)
		keeper_fit_screen(argument, client->subject);
}

static void refresh_clients(struct keeper *keeper)
{
	for (unsigned i = 0; i < keeper->clients.count; i++) {
		struct client *client = keeper->clients.client[i];
		const struct member *member = client->subject;

		client->is_held = client->waits_for_names || (client->talk == TALK_ATTACHED && client->may_write && member &&
				  (member->state == MEMBER_STARTING || output_has_waiting(member)));
		if (client_is_behind(client))
			client_flush(client);
	}
	clients_sweep(&keeper->clients, note_client_gone, keeper);
}

static void hear_signals(struct keeper *keeper)
{
	struct signalfd_siginfo info;

	while (sys_read(keeper->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		keeper->has_dead_children |= info.ssi_signo == SIGCHLD;
		if (info.ssi_signo == SIGCHLD || keeper->is_asked_to_end)
			continue;
		keeper->is_asked_to_end = true;
		common_stop(keeper, END_GRACE_MS);
	}
}

/* Nothing is kept any more, and everybody has been told: or does not listen. */
static bool is_over(struct keeper *keeper)
{
	bool is_behind = false;

	for (const struct member *member = keeper->members; member; member = member->next)
		if (!keeper->is_asked_to_end || member_lives(member))
			return false;
	if (keeper->is_lasting && !keeper->is_asked_to_end)
		return false;
	if (keeper->visits || (!keeper->has_kept && !keeper->is_asked_to_end && !keeper->is_late))
		return false;
	for (unsigned i = 0; i < keeper->clients.count; i++)
		is_behind |= client_is_behind(keeper->clients.client[i]);
	if (!is_behind || keeper->is_late)
		return true;
	if (keeper->timer < 0)
		keeper->timer = sys_timer(UINT64_C(1000000000) * LAST_READERS_S);
	return keeper->timer < 0;
}

static struct pollfd *make_room(struct keeper *keeper)
{
	unsigned most = OWN_DESCRIPTORS + 1 + CLIENTS + KEPT_DESCRIPTORS;

	for (const struct member *member = keeper->members; member; member = member->next)
		most += KEPT_DESCRIPTORS;
	for (const struct visit *visit = keeper->visits; visit; visit = visit->next)
		most += KEPT_DESCRIPTORS;
	if (most <= keeper->polled_room)
		return keeper->polled;
	free(keeper->polled);
	keeper->polled = malloc((most + POLLED_ROOM) * sizeof(*keeper->polled));
	keeper->polled_room = keeper->polled ? most + POLLED_ROOM : 0;
	return keeper->polled;
}

static unsigned poll_kept(struct kept *kept, struct pollfd *polled, unsigned count)
{
	kept->polled = count;
	kept->polled_count = kept_poll(kept, polled + count);
	return count + kept->polled_count;
}

static void try_names_again(struct keeper *keeper)
{
	sys_auto_close(&keeper->names_timer);
	for (unsigned i = 0; i < keeper->clients.count; i++)
		keeper->clients.client[i]->waits_for_names = false;
}

static bool owes_greeting(const struct keeper *keeper)
{
	for (unsigned i = 0; i < keeper->clients.count; i++)
		if (keeper->clients.client[i]->greeted_ns)
			return true;
	return false;
}

/* What was wanting for the next client may be there again, though nobody here has given anything back. */
static int rest(struct keeper *keeper, struct pollfd *polled, unsigned count)
{
	const bool is_short = keeper->clients.is_short;

	keeper->clients.is_short = false;
	if (keeper->has_strays)
		return sys_wait_ready(polled, count, 0);
	if (owes_greeting(keeper))
		return sys_wait_ready(polled, count, GREETING_MS);
	return is_short ? sys_wait_ready(polled, count, DOOR_MS) : sys_rest_until_ready(&keeper->rest, polled, count);
}

/* All that is waited for: the keeper's own, the listener and its clients, whose number goes into *CLIENTS, and the runs. How many. */
static unsigned name_descriptors(struct keeper *keeper, struct pollfd *polled, unsigned *clients)
{
	unsigned count = OWN_DESCRIPTORS;

	polled[0] = (struct pollfd){ .fd = keeper->signals, .events = POLLIN };
	polled[1] = (struct pollfd){ .fd = keeper->timer, .events = POLLIN };
	polled[2] = (struct pollfd){ .fd = keeper->names_timer, .events = POLLIN };
	*clients = clients_poll(&keeper->clients, polled + count);
	count += *clients;
	if (keeper->common.is_made)
		count = poll_kept(&keeper->common.kept, polled, count);
	for (struct member *member = keeper->members; member; member = member->next)
		count = poll_kept(&member->kept, polled, count);
	for (struct visit *visit = keeper->visits; visit; visit = visit->next)
		count = poll_kept(&visit->kept, polled, count);
	return count;
}

static void serve_runs(struct keeper *keeper, const struct pollfd *polled)
{
	if (keeper->common.is_made)
		common_serve(keeper, polled + keeper->common.kept.polled, keeper->common.kept.polled_count);
	for (struct member *member = keeper->members; member; member = member->next) {
		member_serve(member, polled + member->kept.polled, member->kept.polled_count);
		note_changes(keeper, member);
		if (member->state == MEMBER_REMOVED && member->kept.timer < 0)
			let_go(keeper, member); /* they had their time to read */
	}
	for (struct visit *visit = keeper->visits; visit; visit = visit->next)
		visit_serve(visit, polled + visit->kept.polled, visit->kept.polled_count);
}

/* One turn: waits until something happens, and does what follows from it. */
static int serve(struct keeper *keeper)
{
	struct pollfd *polled = make_room(keeper);
	unsigned clients;
	int rc = polled ? rest(keeper, polled, name_descriptors(keeper, polled, &clients)) : -ENOMEM;

	if (rc < 0)
		return rc;
	if (polled[0].revents)
		hear_signals(keeper);
	if (polled[1].revents)
		keeper->is_late = true;
	if (polled[2].revents)
		try_names_again(keeper);
	serve_runs(keeper, polled);
	hear_clients(keeper, polled + OWN_DESCRIPTORS, clients);
	health_go_on(keeper);
	common_go_on(keeper);
	refresh_clients(keeper);
	visits_sweep(keeper);
	sweep_members(keeper);
	strays_reap(keeper);
	let_names_go(keeper);
	return 0;
}

static int open_keeper(struct keeper *keeper, const char *pod)
{
	sigset_t all, asked;
	int rc = 0;

	*keeper = (struct keeper){ .pod = pod, .state = { .pods = -1, .names = -1, .never_waits = true }, .names = -1, .names_timer = -1, .signals = -1, .timer = -1 };
	clients_open(&keeper->clients, KEEPER_LISTENER, sys_effective_user());
	sigfillset(&all);
	for (int fd = KEEPER_LISTENER; rc >= 0 && fd < KEEPER_FIRST_FREE; fd++)
		rc = sys_keep_on_exec(fd, false);
	if (rc >= 0)
		rc = sys_block_signals(&all, NULL);
	if (rc >= 0)
		rc = sys_listen_on(KEEPER_LISTENER);
	if (rc < 0)
		return rc;
	sigemptyset(&asked);
	sigaddset(&asked, SIGTERM);
	sigaddset(&asked, SIGINT);
	sigaddset(&asked, SIGHUP);
	sigaddset(&asked, SIGCHLD); /* of children that are the keeper's own by their pidfds as well */
	rc = keeper->signals = sys_signal_descriptor(&asked);
	if (rc >= 0)
		rc = keeper->state.pods = sys_openat(KEEPER_FOLDER, "..", O_RDONLY | O_DIRECTORY, 0);
	if (rc >= 0)
		rc = keeper->state.names = sys_openat(KEEPER_FOLDER, "../../names", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	keeper->is_lasting = sys_exists_at(KEEPER_FOLDER, STATE_POD);
	if (rc >= 0 && !keeper->is_lasting)
		rc = keeper->timer = sys_timer(UINT64_C(1000000000) * FIRST_JAIL_S);
	sys_rest_find(&keeper->rest);
	return rc < 0 ? rc : 0;
}

/* Jails that have ended and were not removed stay listed; who comes now finds no keeper. */
static void close_keeper(struct keeper *keeper)
{
	keeper->state.never_waits = false; /* nobody is served any more */
	keeper_give_up(keeper);
	clients_close(&keeper->clients);
	/* A jail whose visitors nobody reaps cannot end; nor can a visitor whom the jail traces be reaped before it is dying. */
	for (struct member *member = keeper->members; member; member = member->next)
		if (member_lives(member))
			member_kill(member);
	sys_ignore_children(); /* strays among them, which nobody looks for any more */
	visits_close(keeper);
	while (keeper->members) {
		struct member *member = keeper->members;

		keeper->members = member->next;
		member_free(member);
	}
	common_close(&keeper->common);
	let_names_go(keeper);
	sys_auto_close(&keeper->names_timer);
	state_close(&keeper->state);
}

/* RC is of a turn. What it lacks for waiting, memory say, may come back, and the jails are not to die of it. */
static int forgive(struct keeper *keeper, int rc)
{
	keeper->failed_turns = rc < 0 ? keeper->failed_turns + 1 : 0;
	if (rc == 0 || keeper->failed_turns > FAILED_TURNS)
		return rc;
	sys_pause(FAILED_TURN_MS);
	return 0;
}

/*
 * Where an ordinary user's own immure is executed, the user's jails could write to it once a descriptor of it is in their hands, by
 * a script whose interpreter is /proc/self/exe, say (CVE-2019-5736). Memory files that may not be executed (vm.memfd_noexec) are the
 * machine's choice; the look at what is executed is left then.
 */
static void leave_own_file(const char *pod)
{
	const char *const argv[] = { "immure", "keeper", pod, NULL };

	(void)!sys_execute_sealed_copy(argv);
}

int keeper_live(const char *pod, scope_starter *start_scope)
{
	struct keeper *keeper;
	int rc;

	leave_own_file(pod);
	keeper = malloc(sizeof(*keeper));
	rc = sys_set_dumpable(false);

	if (rc >= 0)
		rc = keeper ? open_keeper(keeper, pod) : -ENOMEM;
	if (rc < 0)
		return 125;
	keeper->start_scope = start_scope;
	while (rc == 0 && !is_over(keeper))
		rc = forgive(keeper, serve(keeper));
	close_keeper(keeper);
	free(keeper->polled);
	free(keeper);
	return rc < 0 ? 125 : 0;
}
