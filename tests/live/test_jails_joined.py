# SPDX-License-Identifier: Apache-2.0
"""Jails that stay, joined by their names: another jail in the same network, and only while that one runs."""
import os

from test_jails import SLEEP, jails, ok, refused  # noqa: F401 # pylint: disable=unused-import

NETWORK = ("/bin/readlink", "/proc/self/ns/net")


def joins(command, name):
    return ["--net", f"join:{name}"] + ([] if command.uid == 0 else ["--userns", f"join:{name}"])


def test_a_jail_that_stays_is_joined_by_its_name(jails):
    name = f"joined-{os.getpid()}"
    ok(jails.run("run", "-d", "--name", name, *SLEEP))
    theirs = ok(jails.run("exec", name, "--", *NETWORK))
    assert ok(jails.run("run", *joins(jails, name), "--", *NETWORK)) == theirs
    assert ok(jails.run("run", "--", *NETWORK)) != theirs
    ok(jails.run("run", "-d", "--name", f"{name}-2", *joins(jails, name), *SLEEP))
    assert ok(jails.run("exec", f"{name}-2", "--", *NETWORK)) == theirs


def test_a_jail_that_does_not_run_is_not_joined(jails):
    name = f"unjoined-{os.getpid()}"
    ok(jails.run("run", "-d", "--name", name, *SLEEP))
    refused(jails.run("run", "--net", f"join:{name}x", "--", "true"), f"join:{name}x", f"did you mean {name}?")
    ok(jails.run("kill", name))
    refused(jails.run("run", "--net", f"join:{name}", "--", "true"), f"join:{name}", "does not run")
