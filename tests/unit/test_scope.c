/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd is asked for a scope. The other side is a child that speaks as a bus and as systemd's manager; without a scope a user's
 * limits are refused on most desktops. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <cmocka.h>

#include "bus/scope.h"

static const struct scope asked = { .name = "immure-7.scope", .slice = "app.slice", .pids = { 41, 42 }, .pid_count = 2 };

/* Of the manager's answers. */
enum { ASKED_WELL = 7, ASKED_WRONGLY };

static int read_property(sd_bus_message *message, unsigned *seen)
{
	const char *name, *text;
	const void *pids;
	size_t size;
	int truth;

	if (sd_bus_message_read(message, "s", &name) <= 0)
		return -EBADMSG;
	if (strcmp(name, "PIDs") == 0) {
		if (sd_bus_message_enter_container(message, 'v', "au") <= 0 || sd_bus_message_read_array(message, 'u', &pids, &size) <= 0)
			return -EBADMSG;
		*seen |= size == sizeof(asked.pids) && memcmp(pids, asked.pids, size) == 0 ? 1 : 0;
		return sd_bus_message_exit_container(message);
	}
	if (strcmp(name, "Delegate") == 0) {
		if (sd_bus_message_read(message, "v", "b", &truth) <= 0)
			return -EBADMSG;
		*seen |= truth ? 2 : 0;
		return 0;
	}
	if (sd_bus_message_read(message, "v", "s", &text) <= 0)
		return -EBADMSG;
	if (strcmp(name, "Slice") == 0 && strcmp(text, asked.slice) == 0)
		*seen |= 4;
	if (strcmp(name, "CollectMode") == 0 && strcmp(text, "inactive-or-failed") == 0)
		*seen |= 8;
	return 0;
}

static int is_asked_well(sd_bus_message *message)
{
	const char *name, *mode;
	unsigned seen = 0;

	if (sd_bus_message_read(message, "ss", &name, &mode) <= 0 || strcmp(name, asked.name) != 0 || strcmp(mode, "fail") != 0 ||
	    sd_bus_message_enter_container(message, 'a', "(sv)") <= 0)
		return 0;
	while (sd_bus_message_enter_container(message, 'r', "sv") > 0)
		if (read_property(message, &seen) < 0 || sd_bus_message_exit_container(message) < 0)
			return 0;
	return seen == 15;
}

static int answer(sd_bus_message *message, void *refuses, sd_bus_error *error)
{
	(void)error;
	if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus", "Hello"))
		return sd_bus_reply_method_return(message, "s", ":1.1");
	if (!sd_bus_message_is_method_call(message, "org.freedesktop.systemd1.Manager", "StartTransientUnit"))
		return 0;
	if (*(int *)refuses)
		sd_bus_reply_method_errorf(message, SD_BUS_ERROR_ACCESS_DENIED, "not today");
	else
		sd_bus_reply_method_return(message, "o", "/org/freedesktop/systemd1/job/1");
	sd_bus_flush(sd_bus_message_get_bus(message));
	_exit(is_asked_well(message) ? ASKED_WELL : ASKED_WRONGLY);
}

static void serve(int listener, int refuses)
{
	const int fd = accept(listener, NULL, NULL);
	sd_id128_t id = { 0 };
	sd_bus *bus;

	if (fd < 0 || sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fd, fd) < 0 || sd_id128_randomize(&id) < 0 ||
	    sd_bus_set_server(bus, 1, id) < 0 || sd_bus_add_filter(bus, NULL, answer, &refuses) < 0 || sd_bus_start(bus) < 0)
		_exit(1);
	while (sd_bus_process(bus, NULL) >= 0)
		sd_bus_wait(bus, 1000000);
	_exit(2);
}

struct place {
	char folder[64];
	struct sockaddr_un address;
	pid_t manager;
};

static void open_place(struct place *place, int refuses)
{
	const int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	*place = (struct place){ .folder = "/tmp/immure test,XXXXXX", .address = { .sun_family = AF_UNIX } };
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->address.sun_path, sizeof(place->address.sun_path), "%s/bus", place->folder);
	assert_int_equal(bind(listener, (struct sockaddr *)&place->address, sizeof(place->address)), 0);
	assert_int_equal(listen(listener, 4), 0);
	place->manager = fork();
	assert_true(place->manager >= 0);
	if (!place->manager)
		serve(listener, refuses);
	close(listener);
}

/* How the manager ended. */
static int close_place(struct place *place)
{
	int status;

	assert_int_equal(waitpid(place->manager, &status, 0), place->manager);
	unlink(place->address.sun_path);
	rmdir(place->folder);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int ask(const char *runtime)
{
	struct scope scope = asked;

	scope.runtime = runtime;
	return bus_start_scope(&scope);
}

static void the_users_manager_is_asked_for_a_scope_with_both_processes(void **state)
{
	struct place place;

	(void)state;
	open_place(&place, 0);
	assert_int_equal(ask(place.folder), 0);
	assert_int_equal(close_place(&place), ASKED_WELL);
}

static void a_refusal_is_told(void **state)
{
	struct place place;

	(void)state;
	open_place(&place, 1);
	assert_int_equal(ask(place.folder), -EACCES);
	assert_int_equal(close_place(&place), ASKED_WELL);
	assert_int_equal(ask("/nonexistent"), -ENOENT);
	assert_int_equal(ask(NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_users_manager_is_asked_for_a_scope_with_both_processes),
		cmocka_unit_test(a_refusal_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
