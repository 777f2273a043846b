/* SPDX-License-Identifier: Apache-2.0 */
/* Asking systemd for a transient scope. */
#include "bus/scope.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

enum { PATIENCE_US = 20 * 1000 * 1000 };

static void free_bus(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}

static void free_message(sd_bus_message **message)
{
	sd_bus_message_unref(*message);
}

static int add_pids(sd_bus_message *message, const struct scope *scope)
{
	int rc = sd_bus_message_open_container(message, 'r', "sv");

	if (rc >= 0)
		rc = sd_bus_message_append(message, "s", "PIDs");
	if (rc >= 0)
		rc = sd_bus_message_open_container(message, 'v', "au");
	if (rc >= 0)
		rc = sd_bus_message_append_array(message, 'u', scope->pids, scope->pid_count * sizeof(scope->pids[0]));
	if (rc >= 0)
		rc = sd_bus_message_close_container(message);
	return rc < 0 ? rc : sd_bus_message_close_container(message);
}

/* A scope that has failed would otherwise stay listed. systemd.unit(5), CollectMode= */
static int add_properties(sd_bus_message *message, const struct scope *scope)
{
	int rc = sd_bus_message_open_container(message, 'a', "(sv)");

	if (rc >= 0)
		rc = sd_bus_message_append(message, "(sv)", "Description", "s", "a program walled in by immure");
	if (rc >= 0)
		rc = sd_bus_message_append(message, "(sv)", "Slice", "s", scope->slice);
	if (rc >= 0)
		rc = sd_bus_message_append(message, "(sv)", "Delegate", "b", 1);
	if (rc >= 0)
		rc = sd_bus_message_append(message, "(sv)", "CollectMode", "s", "inactive-or-failed");
	if (rc >= 0)
		rc = add_pids(message, scope);
	return rc < 0 ? rc : sd_bus_message_close_container(message);
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
static int open_users(sd_bus **bus, const char *runtime)
{
	char address[1024];
	int rc = runtime ? write_address(address, sizeof(address), runtime) : -ENOENT;

	if (rc >= 0)
		rc = sd_bus_new(bus);
	if (rc >= 0)
		rc = sd_bus_set_address(*bus, address);
	if (rc >= 0)
		rc = sd_bus_set_bus_client(*bus, 1);
	return rc < 0 ? rc : sd_bus_start(*bus);
}

int bus_start_scope(const struct scope *scope)
{
	__attribute__((cleanup(free_bus))) sd_bus *bus = NULL;
	__attribute__((cleanup(free_message))) sd_bus_message *message = NULL;
	int rc = scope->is_system ? sd_bus_open_system(&bus) : open_users(&bus, scope->runtime);

	if (rc >= 0)
		rc = sd_bus_message_new_method_call(bus, &message, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
						    "org.freedesktop.systemd1.Manager", "StartTransientUnit");
	if (rc >= 0)
		rc = sd_bus_message_append(message, "ss", scope->name, "fail");
	if (rc >= 0)
		rc = add_properties(message, scope);
	if (rc >= 0)
		rc = sd_bus_message_append(message, "a(sa(sv))", 0);
	if (rc >= 0)
		rc = sd_bus_call(bus, message, PATIENCE_US, NULL, NULL);
	return rc < 0 ? rc : 0;
}
