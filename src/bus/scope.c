/* SPDX-License-Identifier: Apache-2.0 */
/* Asking systemd for a transient scope. */
#include "bus/scope.h"

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

int bus_start_scope(const struct scope *scope)
{
	__attribute__((cleanup(free_bus))) sd_bus *bus = NULL;
	__attribute__((cleanup(free_message))) sd_bus_message *message = NULL;
	int rc = scope->is_system ? sd_bus_open_system(&bus) : sd_bus_open_user(&bus);

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
