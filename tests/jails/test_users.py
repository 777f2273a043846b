# SPDX-License-Identifier: Apache-2.0
"""Another user in a jail that is there: one that its map holds, as confined as the program, and never the host's root."""
import json
import os

import pytest

from conftest import await_true, needs_scopes
from keeper import EXEC_TERMINAL, Refused
from test_visits import DAEMON, PROBE, sleepers

SLEEP = ("--", "/bin/sleep", "1000")
ID = ("--", "/bin/sh", "-c", "echo $(id -u) $(id -g) $(id -G) $HOME $PWD")


@pytest.fixture
def roots(keep):
    if keep.uid:
        pytest.skip("an ordinary user's jail has one id")
    return keep.pod()


def probe(client, pod, *options):
    code, out, err = client.execute(pod.words(*options, "--workdir", "/", "--", "/usr/bin/python3", "-c", PROBE), "web")
    assert code == 0, err
    return json.loads(out)


def refused(client, pod, identifier, *options, words=()):
    with pytest.raises(Refused) as refusal:
        client.exec(pod.words(*options, "--", "/bin/true"), "web")
    assert refusal.value.identifier == identifier and refusal.value.exit_code == 125, refusal.value.text
    for word in words:
        assert word in refusal.value.text


@pytest.mark.parametrize("options", [(), ("--memory", "64M", "--pids", "40"), ("--cap-add", "net_bind_service,chown"), ("--user", "root"),
                                     ("--user", "root", "--securebits", "none", "--cap-add", "chown"), ("--pidns", "host", "--proc", "bind"),
                                     ("--groups", "7,8"), ("--userns", "host", "--pidns", "host", "--proc", "bind"), ("--seccomp", "strict", "--seccomp-allow", "fork")])
def test_another_user_differs_in_nothing_but_its_ids(roots, options):
    client = roots.client()
    client.run(roots.words(*options, *SLEEP), "web")
    own = probe(client, roots)
    for user, group in (("5", "6"), ("0", "0"), ("65534", "65534")):
        other = probe(client, roots, "--user", user, "--group", group)
        base = int(own["status"]["Uid"].split()[0]) - (0 if "root" in options else 1000)
        assert other["status"].pop("Uid").split() == [str(base + int(user))] * 4
        assert other["status"].pop("Gid").split() == [str(base + int(group))] * 4
        assert other["status"].pop("Groups") == ""
        assert other["environment"].pop("HOME") == (own["environment"]["HOME"] if user == ("0" if "root" in options else "1000") else "/")
        for mine, name in ((own, "status"), (other, "status")):
            mine[name] = {k: v for k, v in mine[name].items() if k not in ("Uid", "Gid", "Groups")}
        for view in (own, other):
            view["environment"] = {k: v for k, v in view["environment"].items() if k not in ("HOME", "USER")}
        assert other == own
        client_own = probe(client, roots)
        own = client_own


def test_groups_are_those_asked_for_and_no_others(roots):
    client = roots.client()
    client.run(roots.words("--groups", "7", *SLEEP), "web")
    for options, ids in (((), "1000 1000 1000 7"), (("--user", "5"), "5 1000 1000"), (("--user", "5", "--group", "6", "--groups", "8,9"), "5 6 6 8 9"),
                         (("--groups", "8"), "1000 1000 1000 8"), (("--user", "root"), "0 0 0")):
        code, out, err = client.execute(roots.words(*options, *ID), "web")
        assert code == 0 and out.rsplit(" ", 2)[0] == ids, (options, out, err)


def test_an_id_that_the_map_does_not_hold_is_refused_and_told(pod, client, keep):
    client.run(pod.words(*SLEEP), "web")
    refused(client, pod, "E-ID-UNMAPPED", "--user", "65536", words=["uid 65536", "which holds 1000" if keep.uid else "which holds 0-65535"])
    refused(client, pod, "E-ID-UNMAPPED", "--user", "1000", "--group", "70000", words=["gid 70000"])
    refused(client, pod, "E-USER-UNKNOWN", "--user", "nosuch")
    refused(client, pod, "E-GROUP-UNKNOWN", "--user", "1000", "--group", "nosuch")
    if keep.uid:
        refused(client, pod, "E-ID-UNMAPPED", "--user", "0")
        refused(client, pod, "E-GROUPS-SINGLE", "--groups", "5")
    else:
        refused(client, pod, "E-GROUP-UNKNOWN", "--groups", "nosuch")
        refused(client, pod, "E-ID-UNMAPPED", "--groups", "70000", words=["group 70000"])
    code, out, _ = client.execute(pod.words("--user", "1000", *ID), "web")
    assert code == 0 and out.startswith("1000 1000")


def test_explicit_maps_are_what_counts(roots):
    client = roots.client()
    client.run(roots.words("--uid-map", "1000:1879113728:1", "--uid-map", "5:1879113729:3", "--gid-map", "1000:1879113728:1", *SLEEP), "web")
    refused(client, roots, "E-ID-UNMAPPED", "--user", "8", words=["holds 1000, 5-7"])
    refused(client, roots, "E-ID-UNMAPPED", "--user", "6", "--group", "6", words=["gid 6", "holds 1000"])
    assert client.execute(roots.words("--user", "6", *ID), "web")[1].startswith("6 1000")


@pytest.mark.parametrize("options, user", [(("--allow-host-root", "--uid-map", "0:0:2000", "--gid-map", "0:0:2000"), "5"),
                                           (("--userns", "host", "--user", "4321", "--pidns", "host", "--proc", "bind"), "4322")])
def test_the_hosts_root_is_behind_nobody(roots, options, user):
    client = roots.client()
    client.run(roots.words(*options, *SLEEP), "web")
    refused(client, roots, "E-HOST-ROOT", "--user", "0")
    refused(client, roots, "E-HOST-ROOT", "--user", user, "--group", "0")
    refused(client, roots, "E-HOST-ROOT", "--groups", "0")
    assert client.execute(roots.words("--user", user, "--group", "5", *ID), "web")[1].startswith(f"{user} 5 5")


def test_a_root_gets_no_capability_that_the_program_has_not(roots):
    client = roots.client()
    client.run(roots.words("--leave", "capabilities", *SLEEP), "web")
    refused(client, roots, "E-ENTER-CAPABILITIES", "--user", "0")
    assert client.execute(roots.words("--user", "5", "--", "/bin/grep", "-q", "CapEff:.0000000000000000", "/proc/self/status"), "web")[0] == 0


def test_who_has_the_callers_ids_has_no_other_beside(keep):
    if not keep.uid:
        pytest.skip("root gives its programs other ids")
    pod = keep.pod()
    client = pod.client()
    client.run(pod.words("--userns", "host", "--may-lack", "namespaces", "--leave", "limits", *SLEEP), "web")
    refused(client, pod, "E-IDS-KEPT", "--user", "5")
    assert client.execute(pod.words("--", "/bin/true"), "web")[0] == 0


def test_a_terminal_is_its_users(roots):
    client = roots.client()
    client.run(roots.words(*SLEEP), "web")
    _, master = client.exec(roots.words("--user", "33", "--", "/bin/sh", "-c", "stat -c 'owner %u' $(tty); echo x > $(tty)"), "web", EXEC_TERMINAL)
    assert client.ended() == 0
    assert b"owner 33" in os.read(master, 4096)
    os.close(master)


def test_what_another_user_leaves_behind_is_ended_where_nothing_else_ends_it(roots):
    client = roots.client()
    client.run(roots.words("--user", "root", "--pidns", "host", "--proc", "bind", *SLEEP), "web")
    before = set(sleepers())
    assert client.execute(roots.words("--user", "5", "--", "/bin/sh", "-c", DAEMON), "web")[0] == 0
    await_true(lambda: not set(sleepers()) - before)


@pytest.mark.parametrize("share", [("net",), ("pid", "ipc")])
def test_in_a_pod_it_is_one_of_the_members_ids(roots, share):
    needs_scopes(share)
    client = roots.client()
    client.share(roots.words("--", "x"), "pod", share)
    client.run(roots.words(*SLEEP), "web")
    assert client.execute(roots.words("--user", "5", "--group", "6", *ID), "web")[1].startswith("5 6 6")
    with pytest.raises(Refused) as refusal:
        client.exec(roots.words("--user", "70000", "--", "/bin/true"), "web")
    assert refusal.value.identifier == "E-ID-UNMAPPED"
