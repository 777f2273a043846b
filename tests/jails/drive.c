/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests of the keeper cannot do by themselves:
 *	start FOLDER POD [full]            makes the pod's socket and lock in FOLDER, and starts its keeper
 *	run FOLDER POD NAME < WORDS        asks the keeper for a jail and waits for its end, by src/jails/client.h
 *	words [OPTION...] -- PROGRAM ...   writes a spec's words on stdout
 *	attach NAME wait|exec              by the public API: waits a moment for the jail, or executes a program in it, then is attached
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "feature/words.h"
#include "jails/client.h"
#include "jails/state.h"
#include "sys/append.h"
#include "sys/file.h"

static int fail(const char *what, const struct error *err)
{
	char text[ERROR_FRAMES * ERROR_TEXT];

	error_print(err, text, sizeof(text));
	fprintf(stderr, "%s: %s\n", what, text);
	return 125;
}

static int start(char *const *words)
{
	auto_state struct state state = { -1, -1 };
	auto_pod_place struct pod_place place = { -1, -1, -1 };
	struct keeper_start start = { .pod = words[1], .needs_full = words[2] != NULL };
	struct error err = { 0 };

	if (state_open(&state, words[0], &err) < 0 || pod_reserve(&state, words[1], &place, &err) < 0)
		return fail("reserve", &err);
	start.folder = place.folder;
	start.lock = place.lock;
	start.listener = sys_listen(place.folder, STATE_SOCKET);
	if (start.listener < 0)
		return 4;
	return keeper_start(&start, &err) < 0 ? fail("start", &err) : 0;
}

static int run_and_wait(int folder, const char *name, struct error *err)
{
	struct packet_run run = { .log_bytes = 1 << 20 };
	struct packet_name who = { { 0 } };
	static struct packet reply;
	static char bytes[1 << 20];
	const ssize_t size = read(0, bytes, sizeof(bytes));
	auto_close int words = sys_memory_file("words");
	int socket = keeper_connect(folder, KEEPER_PATIENCE_MS, err), rc;

	if (socket < 0 || size < 0 || sys_write_all(words, bytes, (size_t)size) < 0)
		return socket < 0 ? socket : -EIO;
	snprintf(run.name, sizeof(run.name), "%s", name);
	snprintf(who.name, sizeof(who.name), "%s", name);
	rc = keeper_ask(socket, &(struct packet_parts){ .type = PACKET_RUN, .fixed = &run, .fds = &words, .fd_count = 1 }, &reply, err);
	if (rc == 0)
		printf("%s\n", packet_type_name(reply.type));
	if (rc == 0)
		rc = keeper_ask(socket, &(struct packet_parts){ .type = PACKET_WAIT, .fixed = &who }, &reply, err);
	if (rc == 0)
		printf("%s %d\n", packet_type_name(reply.type), reply.ended.exit_code);
	sys_close(socket);
	return rc;
}

static int run(char *const *words)
{
	struct error err = { 0 };
	char path[4096];
	int folder;

	snprintf(path, sizeof(path), "%s/pods/%s", words[0], words[1]);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return run_and_wait(folder, words[2], &err) < 0 ? fail("run", &err) : 0;
}

static int write_words(int count, char *const *words)
{
	struct immure_spec *spec = immure_spec_new();
	auto_text struct text text = { 0 };
	struct immure_error story;
	struct error err = { 0 };
	int used = immure_spec_arguments(spec, count, words, &story);

	if (used < 0 || immure_spec_command(spec, words + used, &story) < 0) {
		fprintf(stderr, "%s\n", story.text);
		return 125;
	}
	if (resolve(spec, &err) < 0 || spec_write_words(&spec->spec, &text, &err) < 0)
		return fail("words", &err);
	return sys_write_all(1, text.bytes, text.used) < 0;
}

static int attach_after(const char *name, const char *first)
{
	char *program[] = { "true", NULL };
	const struct immure_exec exec = { .argv = program };
	struct immure_jail *jail = NULL;
	struct immure_error story = { 0 };
	struct immure_end end;
	int code, rc = immure_jail_open(name, &jail, &story);

	if (rc == 0 && strcmp(first, "exec") == 0)
		rc = immure_jail_exec(jail, &exec, &end, &story);
	else if (rc == 0)
		rc = immure_jail_wait(jail, 1, &code, &story) == -ETIMEDOUT ? 0 : -1;
	if (rc == 0)
		rc = immure_jail_attach(jail, IMMURE_ATTACH_REPLAY, NULL, &end, &story);
	if (rc < 0)
		fprintf(stderr, "%s\n", story.text);
	immure_jail_close(jail);
	return rc < 0 ? 125 : end.exit_code;
}

int main(int argc, char *argv[])
{
	if (argc > 3 && strcmp(argv[1], "start") == 0)
		return start(argv + 2);
	if (argc > 4 && strcmp(argv[1], "run") == 0)
		return run(argv + 2);
	if (argc > 2 && strcmp(argv[1], "words") == 0)
		return write_words(argc - 2, argv + 2);
	if (argc > 3 && strcmp(argv[1], "attach") == 0)
		return attach_after(argv[2], argv[3]);
	return 2;
}
