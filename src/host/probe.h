/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at the machine. Each section is probed when a spec needs it. */
#ifndef IMMURE_HOST_PROBE_H
#define IMMURE_HOST_PROBE_H

#include "host/host.h"
#include "spec/spec.h"

/* The facts that every plan needs: cheap calls only. */
int host_probe_basic(struct host *host, struct error *err) MUST_CHECK;

/*
 * What the caller's standard descriptors are; before anything else is opened, because one that is closed gets /dev/null here: else
 * the next thing to be opened would become the program's input or output. HAS_LIMIT: output is counted.
 */
int host_probe_standard(struct host *host, bool has_limit, struct error *err) MUST_CHECK;

/* The facts that SPEC needs beyond them: what stands at its paths, accounts, cgroups, sub-ids. SPEC is absolute already. */
int host_probe_spec(struct host *host, const struct spec *spec, struct error *err) MUST_CHECK;

/* Reads what each --file of SPEC shall hold. */
int host_read_contents(struct spec *spec, struct error *err) MUST_CHECK;

/* The users and groups that SPEC names, looked up in the files of --root DIR (open as ROOT): no NSS, numbers never. */
int host_probe_accounts(struct host *host, const struct spec *spec, int root, struct error *err) MUST_CHECK;

/* What SPEC needs to know of namespaces and ids: sub-ids, joined namespaces, whether any can be made, the initial ramfs. */
int host_probe_worlds(struct host *host, const struct spec *spec, struct error *err) MUST_CHECK;

#endif
