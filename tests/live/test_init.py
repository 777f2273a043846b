# SPDX-License-Identifier: Apache-2.0
"""Init as the program sees it: lost would be that process 1 of a jail is somebody, or tells something."""

import os

import pytest

STATUS = "sleep 0.2; grep -E '^(Uid|Gid|Groups|CapEff|CapPrm)' /proc/1/status"  # init lets go just after the program began


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_without_a_user_namespace_init_is_not_the_hosts_root(immure):
    if immure.uid != 0:
        pytest.skip("needs root")
    result = immure.run("run", "--userns", "host", "--", "sh", "-c", STATUS)
    assert result.returncode == 0, result.stderr
    fields = {line.split(":")[0]: line.split(":")[1].split() for line in result.stdout.splitlines()}
    for name in ("Uid", "Gid"):
        assert all(int(number) >= 1879048192 for number in fields[name]), fields
    assert fields["Groups"] == []
    kill_only = f"{1 << 5:016x}"  # CAP_KILL: the program has another id
    assert fields["CapEff"] == fields["CapPrm"] == [kill_only]


def test_the_control_sees_its_own_words_in_its_command_line(immure):
    result = immure.run("run", "--", "cat", "/proc/self/cmdline")
    assert result.stdout == "cat\0/proc/self/cmdline\0"


def test_the_launchers_words_are_gone_when_the_program_starts(immure):
    for _ in range(20):
        result = immure.run("run", "--env", "SECRET=word-of-the-launcher", "--", "cat", "/proc/1/cmdline")
        assert result.returncode == 0, result.stderr
        assert result.stdout.strip("\0 ") == ""
