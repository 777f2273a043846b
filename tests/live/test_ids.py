# SPDX-License-Identifier: Apache-2.0
"""Who the program is: inside, behind, and what is refused."""
import os

import pytest

READ_MAP = "cat /proc/self/uid_map; id -u; id -g"


@pytest.mark.parametrize("user", ["4294967295", "4294967296", "99999999999999999999", "-1", "0x10", "1e3", "", " 5"])
def test_numbers_that_are_no_ids_are_refused(immure, user):
    done = immure.run("run", "-u", user, "--", "/bin/echo", "started")
    assert done.returncode == 125 and not done.stdout, done.stdout


@pytest.mark.parametrize("user,uid", [("root", "0"), ("0", "0"), ("nobody", "65534"), ("1234", "1234")])
def test_the_program_is_who_was_asked_and_never_host_root(immure, user, uid):
    done = immure.run("run", "-u", user, "--", "/bin/sh", "-c", READ_MAP)
    assert done.returncode == 0, done.stderr
    inside, behind, _, found, *_ = done.stdout.split()
    assert found == uid and behind != "0"


def test_two_jails_of_root_share_no_ids(immure):
    if immure.uid:
        pytest.skip("a range of its own needs root")
    first, second = (immure.run("run", "--", "cat", "/proc/self/uid_map").stdout.split() for _ in range(2))
    assert first[2] == "65536" and int(first[1]) >= 1879048192
    assert int(second[1]) % 65536 == int(first[1]) % 65536


def test_an_id_outside_the_map_is_refused_before_anything_runs(immure):
    if immure.uid:
        pytest.skip("an explicit map needs root, or sub-ids")
    words = ["--uid-map", "0:200000:10", "--gid-map", "0:200000:10"]
    done = immure.run("run", *words, "--", "/bin/true")
    assert done.returncode == 125 and "E-ID-UNMAPPED" in done.stderr
    done = immure.run("run", *words, "-u", "5", "-g", "5", "--", "/bin/sh", "-c", READ_MAP)
    assert done.stdout.split() == ["0", "200000", "10", "5", "5"], done.stderr
    assert immure.run("run", "-u", "70000", "--", "/bin/true").returncode == 125


def test_a_map_without_root_inside_works(immure):
    if immure.uid:
        pytest.skip("needs root")
    done = immure.run("run", "--uid-map", "1000:200000:1", "--gid-map", "1000:200001:1", "--", "/bin/sh", "-c", READ_MAP + "; touch ~/x && echo home")
    assert done.stdout.split() == ["1000", "200000", "1", "1000", "1000", "home"], done.stderr


def test_host_root_needs_words(immure):
    if immure.uid:
        pytest.skip("needs root")
    for words in (["--uid-map", "0:0:1", "--gid-map", "0:0:1", "-u", "0"], ["--ids", "single"], ["--userns", "host", "-u", "0"]):
        done = immure.run("run", *words, "--", "/bin/true")
        assert done.returncode == 125 and "E-HOST-ROOT" in done.stderr, words


def test_root_without_a_user_namespace_gets_a_leased_id_and_a_home(immure):
    if immure.uid:
        pytest.skip("needs root")
    done = immure.run("run", "--userns", "host", "--", "/bin/sh", "-c", "id -u; touch ~/x && echo home; readlink /proc/self/ns/user")
    uid, home, namespace = done.stdout.split()
    assert int(uid) >= 1879048192 and home == "home" and namespace == os.readlink("/proc/self/ns/user")


def test_groups_with_a_single_id_are_refused(immure):
    done = immure.run("run", "--groups", "5", "--", "id", "-G")
    if immure.uid:
        assert done.returncode == 125 and "E-GROUPS-SINGLE" in done.stderr
    else:
        assert set(done.stdout.split()) == {"1000", "5"}
