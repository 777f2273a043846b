/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the user's systemd for a transient scope. libsystemd is loaded here and by nobody else: six more libraries come with it, a millisecond that
 * every run and command would pay which asks for no scope.
 */
#include "bus/scope.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/own.h"

enum { PATIENCE_US = 20 * 1000 * 1000 };

struct library {
	__typeof__(sd_bus_new) *new_bus;
	__typeof__(sd_bus_set_address) *set_address;
	__typeof__(sd_bus_set_bus_client) *set_bus_client;
	__typeof__(sd_bus_start) *start;
	__typeof__(sd_bus_call) *call;
	__typeof__(sd_bus_flush_close_unref) *close_bus;
	__typeof__(sd_bus_message_new_method_call) *new_call;
	__typeof__(sd_bus_message_append) *append;
	__typeof__(sd_bus_message_unref) *free_message;
};

static const struct {
	const char *name;
	size_t offset;
} names[] = {
	{ "sd_bus_new", offsetof(struct library, new_bus) },
	{ "sd_bus_set_address", offsetof(struct library, set_address) },
	{ "sd_bus_set_bus_client", offsetof(struct library, set_bus_client) },
	{ "sd_bus_start", offsetof(struct library, start) },
	{ "sd_bus_call", offsetof(struct library, call) },
	{ "sd_bus_flush_close_unref", offsetof(struct library, close_bus) },
	{ "sd_bus_message_new_method_call", offsetof(struct library, new_call) },
	{ "sd_bus_message_append", offsetof(struct library, append) },
	{ "sd_bus_message_unref", offsetof(struct library, free_message) },
};

/* It stays loaded: a keeper may ask again. */
static int library_load(struct library *library)
{
	void *handle = dlopen("libsystemd.so.0", RTLD_NOW);

	for (size_t i = 0; handle && i < ARRAY_SIZE(names); i++) {
		void *function = dlsym(handle, names[i].name);

		if (!function)
			return -ENOTSUP;
		memcpy((char *)library + names[i].offset, &function, sizeof(function));
	}
	return handle ? 0 : -ENOTSUP;
}

struct question {
	struct library sd;
	sd_bus *bus;
	sd_bus_message *message;
};

static void question_free(struct question *question)
{
	if (question->message)
		question->sd.free_message(question->message);
	if (question->bus)
		question->sd.close_bus(question->bus);
}

/* "unix:path=RUNTIME/bus"; what an address may not hold is written as %xx. D-Bus specification, "Server Addresses" */
static int write_address(char *address, size_t room, const char *runtime)
{
	static const char plain[] = "-_/.\\*0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t used = (size_t)snprintf(address, room, "unix:path=");

	for (const char *at = runtime; *at && used + 8 < room; at++)
		used += (size_t)snprintf(address + used, room - used, strchr(plain, *at) ? "%c" : "%%%02x", (unsigned char)*at);
	if (used + 8 >= room)
		return -ENAMETOOLONG;
	strcpy(address + used, "/bus");
	return 0;
}

/* Found as the plan has found it, by the folder: the keeper of a jail that stays has no environment that would name the bus. */
static int open_bus(struct question *question, const char *runtime)
{
	const struct library *sd = &question->sd;
	char address[1024];
	int rc = runtime ? write_address(address, sizeof(address), runtime) : -ENOENT;

	if (rc >= 0)
		rc = sd->new_bus(&question->bus);
	if (rc >= 0)
		rc = sd->set_address(question->bus, address);
	if (rc >= 0)
		rc = sd->set_bus_client(question->bus, 1);
	return rc < 0 ? rc : sd->start(question->bus);
}

/* CollectMode: a scope that has failed would otherwise stay listed; systemd.unit(5). PIDs come last: where one is asked for, the second
 * argument is read by nobody. */
static int write_question(struct question *question, const struct scope *scope)
{
	const struct library *sd = &question->sd;
	int rc = sd->new_call(question->bus, &question->message, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
			      "org.freedesktop.systemd1.Manager", "StartTransientUnit");

	if (rc >= 0)
		rc = sd->append(question->message, "ssa(sv)", scope->name, "fail", 5,
				"Description", "s", "a program walled in by immure",
				"Slice", "s", scope->slice,
				"Delegate", "b", 1,
				"CollectMode", "s", "inactive-or-failed",
				"PIDs", "au", (int)scope->pid_count, scope->pids[0], scope->pids[1]);
	return rc < 0 ? rc : sd->append(question->message, "a(sa(sv))", 0);
}

int bus_start_scope(const struct scope *scope)
{
	__attribute__((cleanup(question_free))) struct question question = { 0 };
	int rc = library_load(&question.sd);

	if (rc == 0)
		rc = open_bus(&question, scope->runtime);
	if (rc >= 0)
		rc = write_question(&question, scope);
	if (rc >= 0)
		rc = question.sd.call(question.bus, question.message, PATIENCE_US, NULL, NULL);
	return rc < 0 ? rc : 0;
}
