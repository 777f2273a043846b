# SPDX-License-Identifier: Apache-2.0
"""User namespaces inside: forbidden, unless they are asked for; lost would be a whole class of defence, or a working nested sandbox."""

import shutil

import pytest


def test_no_user_namespace_is_made_inside(immure):
    result = immure.run("run", "--", "unshare", "--user", "true")
    assert result.returncode == 1
    assert "unshare" in result.stderr


def test_nor_where_the_filter_would_allow_it(immure):
    result = immure.run("run", "--seccomp", "off", "--", "unshare", "--user", "true")
    assert result.returncode == 1
    assert "No space left" in result.stderr  # max_user_namespaces is 0: user_namespaces(7)


def test_asked_for_it_is_made(immure):
    result = immure.run("run", "--nested-userns", "--", "unshare", "--user", "--map-root-user", "id", "-u")
    assert (result.returncode, result.stdout) == (0, "0\n"), result.stderr


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")
def test_a_sandbox_runs_inside_without_landlock(immure):
    words = ("--nested-userns", "--landlock", "off", "--", "bwrap", "--ro-bind", "/", "/", "--unshare-all", "echo", "inside")
    result = immure.run("run", *words)
    assert (result.returncode, result.stdout) == (0, "inside\n"), result.stderr


@pytest.mark.parametrize("words", [[], ["--cap-add", "all"], ["--cap-add", "all", "--ids", "single", "--allow-host-root"]], ids=["none", "all", "all, one id"])
def test_the_program_is_number_two_whatever_its_capabilities(immure, words):
    """One that could raise the limit is put into a user namespace within the jail's; whoever maps its ids takes no number."""
    result = immure.run("run", *words, "--seccomp", "off", "--", "sh", "-c", "echo $$; unshare --user true")
    assert result.stdout == "2\n", result.stderr
    assert result.returncode == 1
