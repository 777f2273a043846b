/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at the machine. Each section is probed when a spec needs it. */
#ifndef IMMURE_HOST_PROBE_H
#define IMMURE_HOST_PROBE_H

#include "host/host.h"
#include "spec/spec.h"

/* Only state_folder, from uid and runtime; NULL: no memory. */
void host_find_state_folder(struct host *host);
/* The facts that every plan needs: cheap calls only, no walk through the file system. HOST has the caller already. */
int host_probe_basic(struct host *host, struct error *err) MUST_CHECK;

/*
 * Fill in SPEC's caller, in the process that asks. The standard descriptors at each run and before anything else is opened: one that
 * is closed gets /dev/null here, else the next thing to be opened would become the program's input or output.
 */
int host_look_at_standard(struct spec *spec, struct error *err) MUST_CHECK;
int host_look_at_caller(struct spec *spec, struct error *err) MUST_CHECK;

/* The facts that SPEC needs beyond the basic ones: what stands at its paths and at those of the host view, accounts, cgroups, sub-ids. SPEC is absolute already. */
int host_probe_spec(struct host *host, const struct spec *spec, struct error *err) MUST_CHECK;

/* Reads what each --file of SPEC shall hold. */
int host_read_contents(struct spec *spec, struct error *err) MUST_CHECK;
/* The filters of --seccomp-fd. */
int host_read_programs(struct spec *spec, struct error *err) MUST_CHECK;

/* The users and groups that SPEC names, looked up in the files of --root DIR (open as ROOT): no NSS, numbers never. */
/* The accounts that SPEC names, in the files of its root as they are now; what was found for another spec is forgotten. */
int host_look_up_user(struct host *host, const struct spec *spec, struct error *err) MUST_CHECK;
int host_probe_accounts(struct host *host, const struct spec *spec, int root, struct error *err) MUST_CHECK;

/* What SPEC needs to know of namespaces and ids: sub-ids, joined namespaces, whether any can be made, the initial ramfs. */
int host_probe_worlds(struct host *host, const struct spec *spec, struct error *err) MUST_CHECK;

#endif
