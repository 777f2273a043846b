/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is on disk of jails that stay: a name belongs to one, what a stranger put there is not touched, what is dead is told from what
 * lives, and what is removed is gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "jails/state.h"
#include "jails/store.h"
#include "sys/file.h"

enum { RACERS = 50, SKIPPED = 77 };

struct room {
	char folder[64], path[256];
	struct state state;
};

static int enter(void **state)
{
	struct room *room = calloc(1, sizeof(*room));

	strcpy(room->folder, "/tmp/immure-test-state-XXXXXX");
	assert_non_null(mkdtemp(room->folder));
	assert_int_equal(state_open(&room->state, room->folder, NULL), 0);
	*state = room;
	return 0;
}

static int leave(void **state)
{
	struct room *room = *state;
	char command[128];

	state_close(&room->state);
	snprintf(command, sizeof(command), "rm -rf %s", room->folder);
	assert_int_equal(system(command), 0);
	free(room);
	return 0;
}

static const char *path_of(struct room *room, const char *below)
{
	snprintf(room->path, sizeof(room->path), "%s/%s", room->folder, below);
	return room->path;
}

static bool is_there(struct room *room, const char *below)
{
	struct stat state;

	return lstat(path_of(room, below), &state) == 0;
}

static void make_file(struct room *room, const char *below, const char *text)
{
	FILE *file = fopen(path_of(room, below), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(room->path, 0600), 0);
}

/* A jail by itself, as a starter makes it; the descriptors stay open as its keeper's would. */
static void start(struct room *room, const char *name, struct pod_place *place)
{
	int folder;

	assert_int_equal(pod_reserve(&room->state, name, place, NULL), 0);
	folder = jail_reserve(&room->state, name, name, NULL);
	assert_true(folder >= 0);
	assert_int_equal(store_write(folder, STATE_JAIL, STATE_BEGIN "\"running\"}", sizeof(STATE_BEGIN "\"running\"}") - 1), 0);
	close(folder);
}

static void refused(const struct error *err, const char *id)
{
	assert_non_null(err->id);
	assert_string_equal(err->id, id);
	assert_true(err->frames > 0 && err->remedy[0]);
}

struct found {
	const char *name;
	bool is_there;
	enum jail_state state;
};

static int look(void *argument, const struct state_entry *entry)
{
	struct found *found = argument;

	if (!entry->jail || strcmp(entry->jail, found->name) != 0)
		return 0;
	found->is_there = true;
	found->state = entry->state;
	return 0;
}

static struct found find(struct room *room, const char *name)
{
	struct found found = { .name = name };

	assert_int_equal(state_each(&room->state, look, &found), 0);
	return found;
}

/* ---- names ---- */

static void names_are_words_and_no_paths(void **state)
{
	static const char *const good[] = { "a", "web1", "Web.2_x-y", "0" };
	static const char *const bad[] = { "", ".", "..", ".a", "-a", "_a", "a/b", "a b", "a\n", "\303\244", "a:b",
		"0123456789012345678901234567890123456789012345678901234567890123" };
	char name[NAME_ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(name_check(good[i], NULL), 0);
	assert_int_equal(name_check(bad[ARRAY_SIZE(bad) - 1] + 1, NULL), 0); /* 63 are good */
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = { 0 };

		assert_int_equal(name_check(bad[i], &err), -EINVAL);
		refused(&err, "E-STATE-NAME");
	}
	for (uint64_t i = 0, random = 1; i < 1000; i++, random = random * 6364136223846793005ULL + 1442695040888963407ULL)
		assert_true(name_is_one(name_make(random, name)));
}

static void a_name_is_taken_once_and_its_taker_is_told(void **state)
{
	struct room *room = *state;
	auto_pod_place struct pod_place place = { -1, -1, -1 }, other = { -1, -1, -1 };
	struct error err = { 0 };
	char pod[NAME_ROOM];

	start(room, "web", &place);
	assert_int_equal(state_find(&room->state, "web", pod, NULL), 0);
	assert_string_equal(pod, "web");
	assert_int_equal(pod_reserve(&room->state, "web", &other, &err), -EEXIST);
	refused(&err, "E-STATE-TAKEN");
	assert_int_equal(find(room, "web").state, JAIL_RUNNING);

	pod_place_close(&place); /* the keeper is gone */
	err = (struct error){ 0 };
	assert_int_equal(pod_reserve(&room->state, "web", &other, &err), -EEXIST);
	refused(&err, "E-STATE-LOST");
	assert_int_equal(find(room, "web").state, JAIL_LOST);

	make_file(room, "pods/web/jails/web/state.json", STATE_BEGIN "\"ended\", \"status\": 0}");
	assert_int_equal(find(room, "web").state, JAIL_ENDED);
	err = (struct error){ 0 };
	assert_int_equal(pod_reserve(&room->state, "web", &other, &err), -EEXIST);
	refused(&err, "E-STATE-TAKEN");

	assert_int_equal(pod_remove(&room->state, "web", -1, NULL), 0);
	assert_int_equal(pod_reserve(&room->state, "web", &other, NULL), 0); /* the control */
}

static void members_of_a_pod_share_the_names_of_all(void **state)
{
	struct room *room = *state;
	auto_pod_place struct pod_place pod = { -1, -1, -1 }, lone = { -1, -1, -1 };
	struct error err = { 0 };
	char found[NAME_ROOM];
	int folder;

	assert_int_equal(pod_reserve(&room->state, "shop", &pod, NULL), 0);
	start(room, "web", &lone);
	assert_int_equal(jail_reserve(&room->state, "shop", "web", &err), -EEXIST);
	refused(&err, "E-STATE-TAKEN");
	folder = jail_reserve(&room->state, "shop", "db", NULL);
	assert_true(folder >= 0);
	close(folder);
	assert_int_equal(state_find(&room->state, "db", found, NULL), 0);
	assert_string_equal(found, "shop");
	assert_true(find(room, "db").is_there);
	folder = jail_open(&room->state, "shop", "db", NULL);
	assert_true(folder >= 0);
	close(folder);

	assert_int_equal(jail_remove(&room->state, "shop", "db", NULL), 0);
	assert_false(find(room, "db").is_there || is_there(room, "names/db"));
	err = (struct error){ 0 };
	assert_int_equal(jail_remove(&room->state, "shop", "db", &err), -ENOENT);
	refused(&err, "E-STATE-NONE");
	err = (struct error){ 0 };
	assert_int_equal(jail_reserve(&room->state, "nowhere", "db", &err), -ENOENT);
	refused(&err, "E-STATE-NONE");
}

/* ---- races ---- */

static int race(struct room *room, bool is_one_name)
{
	pid_t racers[RACERS];
	int gate[2], tried[2], won = 0;

	assert_int_equal(pipe(gate), 0);
	assert_int_equal(pipe(tried), 0); /* ends when all have */
	for (int i = 0; i < RACERS; i++) {
		racers[i] = fork();
		assert_true(racers[i] >= 0);
		if (racers[i] == 0) {
			struct pod_place place = { -1, -1, -1 };
			struct state own;
			struct error err = { 0 };
			char name[32], byte;
			int rc;

			close(gate[1]);
			snprintf(name, sizeof(name), is_one_name ? "same" : "racer-%d", i);
			if (read(gate[0], &byte, 1) != 0 || state_open(&own, room->folder, NULL) < 0)
				_exit(3);
			rc = pod_reserve(&own, name, &place, &err);
			if (rc == 0) {
				rc = jail_reserve(&own, name, name, NULL);
				close(tried[1]);
				if (read(tried[0], &byte, 1) != 0) /* the keeper lives while the others try */
					_exit(6);
				_exit(rc >= 0 ? 0 : 4);
			}
			_exit(rc == -EEXIST && err.id && strcmp(err.id, "E-STATE-TAKEN") == 0 ? 1 : 5);
		}
	}
	close(gate[0]);
	close(gate[1]);
	close(tried[0]);
	close(tried[1]);
	for (int i = 0; i < RACERS; i++) {
		int status;

		assert_int_equal(waitpid(racers[i], &status, 0), racers[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
		won += WEXITSTATUS(status) == 0;
	}
	return won;
}

static void of_fifty_starters_of_one_name_one_wins(void **state)
{
	assert_int_equal(race(*state, true), 1);
}

static void fifty_starters_of_different_names_all_win(void **state)
{
	struct room *room = *state;

	assert_int_equal(race(room, false), RACERS);
	for (int i = 0; i < RACERS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "racer-%d", i);
		assert_int_equal(find(room, name).state, JAIL_LOST); /* they have ended meanwhile */
		assert_int_equal(pod_remove(&room->state, name, -1, NULL), 0);
		assert_false(find(room, name).is_there);
	}
}

static void the_lock_is_told_from_its_holder_being_dead(void **state)
{
	struct room *room = *state;
	auto_pod_place struct pod_place place = { -1, -1, -1 };
	struct error err = { 0 };
	int status, ready[2];
	pid_t keeper;
	char byte;

	start(room, "web", &place);
	assert_int_equal(pipe(ready), 0);
	keeper = fork(); /* inherits the lock, as the keeper does by exec */
	if (keeper == 0) {
		close(ready[1]);
		pause();
		_exit(0);
	}
	pod_place_close(&place);
	assert_int_equal(pod_is_kept(&room->state, "web"), 1);
	assert_int_equal(pod_remove(&room->state, "web", -1, &err), -EBUSY);
	refused(&err, "E-STATE-TAKEN");
	assert_true(is_there(room, "pods/web/jails/web"));
	kill(keeper, SIGKILL);
	assert_int_equal(waitpid(keeper, &status, 0), keeper);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0);
	close(ready[0]);
	assert_int_equal(pod_is_kept(&room->state, "web"), 0);
	assert_int_equal(pod_remove(&room->state, "web", -1, NULL), 0);
	assert_false(is_there(room, "pods/web") || is_there(room, "names/web"));
}

/* ---- files ---- */

static void a_file_is_replaced_whole(void **state)
{
	struct room *room = *state;
	auto_close int folder = open(room->folder, O_RDONLY | O_DIRECTORY);
	auto_text struct text text = { 0 };
	struct stat mode;

	assert_int_equal(store_write(folder, "f", "one", 3), 0);
	make_file(room, ".new-f", "left by a writer that was killed");
	assert_int_equal(store_write(folder, "f", "t\0o!", 4), 0);
	assert_false(is_there(room, ".new-f"));
	assert_int_equal(store_read(folder, "f", 4, &text), 0);
	assert_int_equal(text.used, 4);
	assert_memory_equal(text.bytes, "t\0o!", 4);
	assert_int_equal(store_read(folder, "f", 3, &text), -EFBIG);
	assert_int_equal(store_read(folder, "g", 3, &text), -ENOENT);
	assert_int_equal(lstat(path_of(room, "f"), &mode), 0);
	assert_int_equal(mode.st_mode & 07777, 0600);
}

static void what_is_no_plain_file_of_ones_own_is_refused(void **state)
{
	struct room *room = *state;
	auto_close int folder = open(room->folder, O_RDONLY | O_DIRECTORY);
	auto_text struct text text = { 0 };

	assert_int_equal(store_write(folder, "f", "one", 3), 0);
	assert_int_equal(store_read(folder, "f", 9, &text), 0); /* the control */
	assert_int_equal(symlink("f", path_of(room, "link")), 0);
	assert_int_equal(store_read(folder, "link", 9, &text), -EPERM);
	assert_int_equal(mkfifo(path_of(room, "pipe"), 0600), 0);
	assert_int_equal(store_read(folder, "pipe", 9, &text), -EPERM); /* and does not wait */
	assert_int_equal(mkdir(path_of(room, "folder"), 0700), 0);
	assert_int_equal(store_read(folder, "folder", 9, &text), -EPERM);
	assert_int_equal(chmod(path_of(room, "f"), 0620), 0);
	assert_int_equal(store_read(folder, "f", 9, &text), -EPERM);
	assert_int_equal(chmod(path_of(room, "f"), 0600), 0);
	assert_int_equal(store_read(folder, "f", 9, &text), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path_of(room, "f"), 65534, 65534), 0);
		assert_int_equal(store_read(folder, "f", 9, &text), -EPERM);
	}
	/* what is written goes into the link's place, not through it */
	assert_int_equal(store_write(folder, "link", "new", 3), 0);
	assert_int_equal(symlink("f", path_of(room, ".new-x")), 0);
	assert_int_equal(store_write(folder, "x", "new", 3), 0);
	assert_int_equal(chown(path_of(room, "f"), geteuid(), getegid()), 0);
	text_free(&text);
	assert_int_equal(store_read(folder, "f", 9, &text), 0);
	assert_string_equal(text.bytes, "one");
}

static int write_on_a_full_disk(struct room *room)
{
	auto_text struct text text = { 0 };
	char many[200000] = "";
	int folder;

	if (geteuid() || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("immure-test", room->folder, "tmpfs", 0, "size=64k") < 0)
		return SKIPPED;
	folder = open(room->folder, O_RDONLY | O_DIRECTORY);
	if (store_write(folder, "f", "old", 3) < 0 || store_write(folder, "f", many, sizeof(many)) != -ENOSPC)
		return 1;
	if (store_read(folder, "f", 9, &text) < 0 || strcmp(text.bytes, "old") != 0 || is_there(room, ".new-f"))
		return 2;
	return store_write(folder, "f", "new", 3) == 0 ? 0 : 3;
}

static void a_full_disk_leaves_the_old_file(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(write_on_a_full_disk(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(status, 0);
}

static int reserve_on_a_full_disk(struct room *room)
{
	struct pod_place place = { -1, -1, -1 };
	struct state own;

	if (geteuid() || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("immure-test", room->folder, "tmpfs", 0, "nr_inodes=5,mode=0700") < 0)
		return SKIPPED;
	/* the folder, pods, names, a name, a pod: and no lock */
	if (state_open(&own, room->folder, NULL) < 0)
		return 1;
	if (pod_reserve(&own, "web", &place, NULL) != -ENOSPC || place.lock >= 0)
		return 2;
	return is_there(room, "names/web") || is_there(room, "pods/web") ? 3 : 0;
}

static void a_start_that_fails_half_way_leaves_nothing(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(reserve_on_a_full_disk(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(status, 0);
}

/* ---- hostile folders ---- */

static void a_state_folder_of_others_is_refused(void **state)
{
	struct room *room = *state;
	struct state own = { -1, -1 };
	struct error err = { 0 };

	assert_int_equal(chmod(room->folder, 0777), 0);
	assert_int_equal(state_open(&own, room->folder, &err), -EPERM);
	refused(&err, "E-STATE-FOLDER");
	assert_int_equal(chmod(room->folder, 0700), 0);
	assert_int_equal(state_open(&own, room->folder, NULL), 0); /* the control */
	state_close(&own);
	assert_int_equal(chmod(path_of(room, "pods"), 0770), 0);
	err = (struct error){ 0 };
	assert_int_equal(state_open(&own, room->folder, &err), -EPERM);
	refused(&err, "E-STATE-OWNER");
	assert_int_equal(rmdir(path_of(room, "pods")), 0);
	assert_int_equal(symlink("/tmp", path_of(room, "pods")), 0);
	assert_int_equal(state_open(&own, room->folder, NULL), -EPERM);
	assert_int_equal(unlink(path_of(room, "pods")), 0);
	make_file(room, "pods", "");
	assert_int_equal(state_open(&own, room->folder, NULL), -EPERM);
}

static void links_and_strangers_in_it_are_neither_followed_nor_removed(void **state)
{
	struct room *room = *state;
	auto_pod_place struct pod_place place = { -1, -1, -1 };
	struct error err = { 0 };
	char pod[NAME_ROOM], outside[96], victim[128];

	snprintf(outside, sizeof(outside), "%s/outside", room->folder);
	assert_int_equal(mkdir(outside, 0700), 0);
	make_file(room, "outside/state.json", STATE_BEGIN "\"ended\"}");
	start(room, "web", &place);
	pod_place_close(&place);

	assert_int_equal(symlink(outside, path_of(room, "pods/linked")), 0); /* a pod that is a link */
	assert_int_equal(pod_open(&room->state, "linked", &err), -EPERM);
	refused(&err, "E-STATE-OWNER");
	assert_int_equal(pod_remove(&room->state, "linked", -1, NULL), -EPERM);
	assert_int_equal(symlink(outside, path_of(room, "pods/web/jails/evil")), 0); /* a jail that is one */
	assert_false(find(room, "evil").is_there);
	assert_true(find(room, "web").is_there); /* the control */
	assert_int_equal(symlink("../../outside", path_of(room, "names/evil")), 0); /* a name that leads out */
	assert_int_equal(state_find(&room->state, "evil", pod, NULL), -EPERM);
	make_file(room, "names/plain", "web");
	assert_int_equal(state_find(&room->state, "plain", pod, NULL), -EPERM);
	assert_int_equal(state_find(&room->state, "../names/web", pod, NULL), -ENOENT);

	err = (struct error){ 0 };
	assert_true(pod_remove(&room->state, "web", -1, &err) < 0); /* it holds what is not immure's */
	assert_non_null(err.id);
	snprintf(victim, sizeof(victim), "%s/state.json", outside);
	assert_int_equal(access(victim, F_OK), 0);
	assert_true(is_there(room, "names/web")); /* and while it is there its name is taken */
	assert_int_equal(unlink(path_of(room, "pods/web/jails/evil")), 0);
	assert_int_equal(pod_remove(&room->state, "web", -1, NULL), 0);
}

static void unknown_files_stay_and_are_told(void **state)
{
	struct room *room = *state;
	auto_pod_place struct pod_place place = { -1, -1, -1 };
	struct error err = { 0 };

	start(room, "web", &place);
	make_file(room, "pods/web/jails/web/log", "x");
	make_file(room, "pods/web/jails/web/log.1", "x");
	make_file(room, "pods/web/jails/web/thesis", "x");
	make_file(room, "pods/web/pod.json", "{}");
	pod_place_close(&place);
	assert_int_equal(pod_remove(&room->state, "web", -1, &err), -ENOTEMPTY);
	refused(&err, "E-STATE-STRANGE");
	assert_true(is_there(room, "pods/web/jails/web/thesis"));
	assert_int_equal(unlink(path_of(room, "pods/web/jails/web/thesis")), 0);
	assert_int_equal(pod_remove(&room->state, "web", -1, NULL), 0);
	assert_false(is_there(room, "pods/web") || is_there(room, "names/web"));
}

static void a_lock_that_is_a_pipe_or_a_link_is_refused(void **state)
{
	struct room *room = *state;
	auto_pod_place struct pod_place place = { -1, -1, -1 };

	start(room, "web", &place);
	assert_int_equal(pod_is_kept(&room->state, "web"), 1);
	assert_int_equal(unlink(path_of(room, "pods/web/lock")), 0);
	assert_int_equal(mkfifo(path_of(room, "pods/web/lock"), 0600), 0);
	assert_int_equal(pod_is_kept(&room->state, "web"), -EPERM);
	assert_int_equal(pod_remove(&room->state, "web", -1, NULL), -EPERM);
	assert_int_equal(unlink(path_of(room, "pods/web/lock")), 0);
	assert_int_equal(symlink("/dev/null", path_of(room, "pods/web/lock")), 0);
	assert_int_equal(pod_is_kept(&room->state, "web"), -EPERM);
}

/* ---- what nobody asks for ---- */

static void what_killed_starters_left_is_collected_and_lost_jails_stay(void **state)
{
	struct room *room = *state;
	auto_pod_place struct pod_place half = { -1, -1, -1 }, lost = { -1, -1, -1 }, alive = { -1, -1, -1 };

	assert_int_equal(pod_reserve(&room->state, "half", &half, NULL), 0); /* killed before its jail was there */
	start(room, "lost", &lost);
	start(room, "alive", &alive);
	make_file(room, "pods/lost/socket", "");
	make_file(room, "pods/alive/socket", "");
	assert_int_equal(symlink("alive", path_of(room, "names/orphan")), 0); /* killed before the jail's folder was made */
	assert_int_equal(symlink("gone", path_of(room, "names/gone")), 0);    /* and before the pod's */
	pod_place_close(&half);
	pod_place_close(&lost);
	assert_int_equal(state_collect(&room->state), 3);
	assert_false(is_there(room, "pods/half") || is_there(room, "names/half"));
	assert_false(is_there(room, "names/orphan") || is_there(room, "names/gone"));
	assert_false(is_there(room, "pods/lost/socket"));
	assert_true(is_there(room, "pods/alive/socket") && is_there(room, "names/alive") && is_there(room, "names/lost"));
	assert_int_equal(find(room, "lost").state, JAIL_LOST);
	assert_int_equal(find(room, "alive").state, JAIL_RUNNING);
	assert_int_equal(state_collect(&room->state), 0);
}

static void names_of_the_half_made_are_free_again(void **state)
{
	struct room *room = *state;
	auto_pod_place struct pod_place half = { -1, -1, -1 }, again = { -1, -1, -1 };

	assert_int_equal(pod_reserve(&room->state, "half", &half, NULL), 0);
	assert_int_equal(pod_reserve(&room->state, "half", &again, NULL), -EEXIST); /* its starter lives: the control */
	pod_place_close(&half);
	assert_int_equal(pod_reserve(&room->state, "half", &again, NULL), 0);
	pod_place_close(&again);
	assert_int_equal(mkdir(path_of(room, "pods/bare"), 0700), 0); /* not even a lock */
	assert_int_equal(pod_reserve(&room->state, "bare", &again, NULL), 0);
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_words_and_no_paths),
		ROOM(a_name_is_taken_once_and_its_taker_is_told),
		ROOM(members_of_a_pod_share_the_names_of_all),
		ROOM(of_fifty_starters_of_one_name_one_wins),
		ROOM(fifty_starters_of_different_names_all_win),
		ROOM(the_lock_is_told_from_its_holder_being_dead),
		ROOM(a_file_is_replaced_whole),
		ROOM(what_is_no_plain_file_of_ones_own_is_refused),
		ROOM(a_full_disk_leaves_the_old_file),
		ROOM(a_start_that_fails_half_way_leaves_nothing),
		ROOM(a_state_folder_of_others_is_refused),
		ROOM(links_and_strangers_in_it_are_neither_followed_nor_removed),
		ROOM(unknown_files_stay_and_are_told),
		ROOM(a_lock_that_is_a_pipe_or_a_link_is_refused),
		ROOM(what_killed_starters_left_is_collected_and_lost_jails_stay),
		ROOM(names_of_the_half_made_are_free_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
