/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of pods: a mistake here would share what was not asked for, or leave a member out of the pod's bounds. */
#include <errno.h>
#include <setjmp.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"
#include "feature/pod.h"
#include "immure.h"

struct room {
	struct immure_spec *spec;
	struct plan *plan;
	struct arena arena;
	struct error err;
};

static void open_room(struct room *room, const char *host, const char *option, const char *value)
{
	static const char *const command[] = { "/bin/true", NULL };
	struct immure_error err;
	char path[4096];

	*room = (struct room){ .spec = immure_spec_new(), .plan = calloc(1, sizeof(*room->plan)) };
	assert_non_null(room->spec);
	assert_non_null(room->plan);
	snprintf(path, sizeof(path), "%s/hosts/%s.json", getenv("TESTS"), host);
	assert_int_equal(immure_spec_host(room->spec, path, &err), 0);
	assert_int_equal(immure_spec_command(room->spec, (char *const *)(uintptr_t)command, &err), 0);
	if (option && immure_spec_set(room->spec, option, value, "test", &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(resolve(room->spec, &room->err), 0);
}

static void close_room(struct room *room)
{
	immure_spec_free(room->spec);
	arena_free(&room->arena);
	free(room->plan);
}

static int make(struct room *room)
{
	return plan_make(room->plan, &room->arena, &room->spec->spec, &room->spec->host, &room->err);
}

/* The holder of a pod on that machine. */
static int hold(struct room *room, unsigned kinds)
{
	int rc = pod_shape(&room->spec->spec, kinds, &room->spec->host, &room->err);

	if (rc == 0 && (kinds & SHARE_CGROUP))
		pod_place(&room->spec->host, NULL);
	return rc < 0 ? rc : make(room);
}

/* Or it would be made, and no jail could ever join it. */
static void processes_are_shared_only_where_landlock_tells_them_apart(void **state)
{
	struct room room;

	(void)state;
	open_room(&room, "debian12-root", NULL, NULL);
	room.spec->host.landlock_abi = 6;
	assert_int_equal(hold(&room, SHARE_PID), 0);
	close_room(&room);
	open_room(&room, "debian12-root", NULL, NULL);
	room.spec->host.landlock_abi = 5;
	assert_int_equal(hold(&room, SHARE_PID), -EINVAL);
	assert_string_equal(room.err.id, "E-PIDNS-JOIN");
	close_room(&room);
}

static struct pod_share share_all(unsigned kinds, bool has_userns)
{
	struct pod_share share = { .pod = "lab", .kinds = kinds, .ids = IDS_SINGLE };

	for (unsigned kind = 0; kind < NAMESPACES; kind++)
		share.worlds[kind] = "/proc/self/fd/9";
	if (!has_userns)
		share.worlds[0] = NULL;
	return share;
}

static int find(const struct plan *plan, enum op op, int from)
{
	for (int i = from; i < plan->count; i++)
		if (plan->steps[i].op == op)
			return i;
	return -1;
}

static void a_holder_executes_nothing(void **state)
{
	static const char *const hosts[] = { "debian12-root", "debian12-user", "hybrid-root", "hybrid-user", "k8s-userns-root" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		for (unsigned kinds = 0; kinds < SHARE_CGROUP; kinds++) {
			struct room room;

			if ((kinds & SHARE_MOUNTS) && !(kinds & SHARE_PID))
				continue;
			open_room(&room, hosts[i], NULL, NULL);
			room.spec->host.landlock_abi = 6; /* SHARE_PID is refused without its scopes */
			if (hold(&room, kinds) < 0)
				fail_msg("%s, %u: %s", hosts[i], kinds, room.err.frame[0]);
			assert_true(room.plan->is_holder);
			for (int at = 0; at < room.plan->count; at++)
				assert_int_not_equal(room.plan->steps[at].side, PAYLOAD);
			assert_int_equal(find(room.plan, OP_EXEC, 0), -1);
			assert_int_equal(room.plan->owns_pids, (kinds & SHARE_PID) != 0);
			assert_int_equal((room.plan->clone_flags & CLONE_NEWNET) != 0, (kinds & SHARE_NET) != 0);
			assert_int_equal((room.plan->clone_flags & CLONE_NEWIPC) != 0, (kinds & SHARE_IPC) != 0);
			assert_int_equal((room.plan->clone_flags & CLONE_NEWUTS) != 0, (kinds & SHARE_UTS) != 0);
			close_room(&room);
		}
	}
}

static void a_member_s_user_namespace_is_made_before_anybody_sees_init(void **state)
{
	const struct pod_share share = share_all(SHARE_NET | SHARE_PID, true);
	struct room room;
	int user, pid, own, birth;

	(void)state;
	open_room(&room, "debian12-user", NULL, NULL);
	room.spec->host.landlock_abi = 7;
	room.spec->spec.is_kept = true;
	assert_int_equal(pod_join(&room.spec->spec, &share, &room.err), 0);
	assert_int_equal(make(&room), 0);
	user = find(room.plan, OP_JOIN_NAMESPACE, 0);
	assert_int_equal(room.plan->steps[user].flags, CLONE_NEWUSER); /* which gives the right to the others */
	pid = find(room.plan, OP_JOIN_NAMESPACE, user + 1);
	own = find(room.plan, OP_OWN_USERNS, 0);
	birth = find(room.plan, OP_CLONE, 0);
	assert_true(user < pid && pid < own && own < birth);
	assert_int_equal(room.plan->steps[birth].flags & (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET), 0);
	assert_true(room.plan->is_born_hidden);
	assert_int_equal(find(room.plan, OP_OWN_ID_MAP, 0), -1);
	assert_int_not_equal(find(room.plan, OP_BORROW_MOUNT, 0), -1); /* /proc of the pod's processes */
	assert_int_equal(find(room.plan, OP_LOOPBACK, 0), -1);
	close_room(&room);
}

static void roots_members_have_ids_of_their_own(void **state)
{
	const struct pod_share share = share_all(SHARE_NET | SHARE_IPC, false);
	struct room room;

	(void)state;
	open_room(&room, "debian12-root", NULL, NULL);
	assert_int_equal(pod_join(&room.spec->spec, &share, &room.err), 0);
	assert_int_equal(make(&room), 0);
	assert_int_not_equal(find(room.plan, OP_LEASE_IDS, 0), -1);
	assert_true(room.plan->clone_flags & CLONE_NEWUSER);
	assert_int_equal(room.plan->clone_flags & (CLONE_NEWNET | CLONE_NEWIPC), 0);
	assert_true(room.plan->clone_flags & CLONE_NEWUTS);
	close_room(&room);
}

/* Each controller's group of a member lies in that of the pod, whether the member limits anything or not. */
static void every_member_is_within_the_pod_s_bounds(void **state)
{
	static const char *const hosts[] = { "debian12-root", "hybrid-root", "debian12-delegated" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		const struct pod_share share = share_all(SHARE_CGROUP, strstr(hosts[i], "root") == NULL);
		struct room pod, member;
		int made = 0, joined = 0;

		open_room(&pod, hosts[i], "memory", "100M");
		if (hold(&pod, SHARE_CGROUP) < 0)
			fail_msg("%s: %s", hosts[i], pod.err.frame[0]);
		assert_int_equal(find(pod.plan, OP_CGROUP_JOIN, 0), -1); /* no process is in the pod's own */
		assert_int_equal(find(pod.plan, OP_CGROUP_WATCH, 0), -1);
		assert_int_not_equal(find(pod.plan, OP_JOURNAL, 0), -1);
		open_room(&member, hosts[i], NULL, NULL);
		assert_int_equal(pod_join(&member.spec->spec, &share, &member.err), 0);
		pod_place(&member.spec->host, pod.plan);
		if (make(&member) < 0)
			fail_msg("%s: %s", hosts[i], member.err.frame[0]);
		for (int at = find(pod.plan, OP_CGROUP_CREATE, 0); at >= 0; at = find(pod.plan, OP_CGROUP_CREATE, at + 1)) {
			const size_t length = strlen(pod.plan->steps[at].subject);

			made++;
			for (int in = find(member.plan, OP_CGROUP_CREATE, 0); in >= 0; in = find(member.plan, OP_CGROUP_CREATE, in + 1))
				joined += strncmp(member.plan->steps[in].subject, pod.plan->steps[at].subject, length) == 0 &&
					  member.plan->steps[in].subject[length] == '/';
		}
		assert_true(made > 0);
		assert_int_equal(joined, made);
		assert_int_equal(find(member.plan, OP_CGROUP_ASIDE, 0), -1);
		close_room(&pod);
		close_room(&member);
	}
}

/* A user of systemd's: init of a jail that comes later could not be moved into another one's scope. */
static void the_keeper_goes_into_the_scope_that_bounds_all_and_the_holder_s_init_does_not(void **state)
{
	const struct scope_place *place;
	struct room pod;
	int at;

	(void)state;
	open_room(&pod, "debian12-user", "memory", "100M");
	if (hold(&pod, SHARE_CGROUP) < 0)
		fail_msg("%s", pod.err.frame[0]);
	at = find(pod.plan, OP_CGROUP_SCOPE, 0);
	assert_int_not_equal(at, -1);
	place = pod.plan->steps[at].data;
	assert_true(place->is_launchers);
	assert_int_equal(find(pod.plan, OP_CGROUP_JOIN, 0), -1);
	assert_true(find(pod.plan, OP_CGROUP_CREATE, 0) > at);
	assert_int_equal(find(pod.plan, OP_CGROUP_SCOPE, at + 1), -1);
	close_room(&pod);
	open_room(&pod, "debian12-user", "memory", "100M");
	assert_int_equal(make(&pod), 0); /* a jail by itself */
	place = pod.plan->steps[find(pod.plan, OP_CGROUP_SCOPE, 0)].data;
	assert_false(place->is_launchers);
	close_room(&pod);
}

static void what_is_shared_cannot_be_asked_for_otherwise(void **state)
{
	static const struct { const char *option, *value; unsigned kinds; } rows[] = {
		{ "net", "none", SHARE_NET }, { "hostname", "x", SHARE_UTS }, { "ipcns", "host", SHARE_IPC }, { "pidns", "new", SHARE_PID },
		{ "tmpfs", "/x", SHARE_MOUNTS | SHARE_PID }, { "root", "empty", SHARE_MOUNTS | SHARE_PID },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct pod_share share = share_all(rows[i].kinds, true), other = share_all(0, true);
		struct room room;

		open_room(&room, "debian12-root", rows[i].option, rows[i].value);
		assert_true(pod_join(&room.spec->spec, &share, &room.err) < 0);
		assert_string_equal(room.err.id, "E-POD-SHARED");
		close_room(&room);
		open_room(&room, "debian12-root", rows[i].option, rows[i].value);
		assert_int_equal(pod_join(&room.spec->spec, &other, &room.err), 0);
		close_room(&room);
	}
}

static void shares_are_read_by_name(void **state)
{
	struct error err = { 0 };
	unsigned kinds = 99;

	(void)state;
	assert_int_equal(share_parse("net,pid,cgroup", &kinds, &err), 0);
	assert_int_equal(kinds, SHARE_NET | SHARE_PID | SHARE_CGROUP);
	assert_int_equal(share_parse("", &kinds, &err), 0);
	assert_int_equal(kinds, 0);
	assert_true(share_parse("net,user", &kinds, &err) < 0);
	assert_true(share_parse("ne", &kinds, &err) < 0);
	assert_int_equal(kinds, 0); /* as it was */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes_are_shared_only_where_landlock_tells_them_apart),
		cmocka_unit_test(a_holder_executes_nothing),
		cmocka_unit_test(a_member_s_user_namespace_is_made_before_anybody_sees_init),
		cmocka_unit_test(roots_members_have_ids_of_their_own),
		cmocka_unit_test(every_member_is_within_the_pod_s_bounds),
		cmocka_unit_test(the_keeper_goes_into_the_scope_that_bounds_all_and_the_holder_s_init_does_not),
		cmocka_unit_test(what_is_shared_cannot_be_asked_for_otherwise),
		cmocka_unit_test(shares_are_read_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
