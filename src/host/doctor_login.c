/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of an ordinary user's jails at the end of a login. logind.conf(5), loginctl(1), user-runtime-dir@.service(5) */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/doctor.h"
#include "sys/file.h"

/* The name by which the login manager knows its user; "": it does not know him. */
static void find_login(uint32_t uid, char name[256])
{
	char path[64], text[8192] = "";
	const char *at;

	snprintf(path, sizeof(path), "/run/systemd/users/%u", uid);
	name[0] = '\0';
	if (sys_read_file(path, text, sizeof(text)) <= 0)
		return;
	at = strstr(text, "NAME=");
	if (at && strcspn(at + 5, "/\n") < 256)
		snprintf(name, 256, "%.*s", (int)strcspn(at + 5, "/\n"), at + 5);
}

void check_login(struct doctor *doctor, struct finding *finding)
{
	const struct host *host = doctor->host;
	char runtime[64], name[256], linger[320];

	snprintf(runtime, sizeof(runtime), "/run/user/%u/", host->uid);
	find_login(host->uid, name);
	snprintf(linger, sizeof(linger), "/var/lib/systemd/linger/%s", name);
	if (!host->uid) {
		answer(doctor, finding, VERDICT_YES, "root's jails belong to no login");
	} else if (!text_starts(host->state_folder, runtime) || !name[0]) {
		answer(doctor, finding, VERDICT_YES, "no login manager takes %s away", host->state_folder);
	} else if (sys_exists(linger)) {
		answer(doctor, finding, VERDICT_YES, "%s lingers", name);
	} else {
		answer(doctor, finding, VERDICT_PARTLY, "until the last logout");
		blame(doctor, finding, "then %s goes, by which jails that stay are found; those in a scope of the user's systemd end, and with "
		      "KillUserProcesses=yes all", host->state_folder);
		advise(doctor, finding, "loginctl enable-linger");
	}
}
