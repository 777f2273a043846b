# SPDX-License-Identifier: Apache-2.0
"""What bash offers for the front ends' words, from their tables of options."""
import os
import pathlib
import shlex
import subprocess

import pytest

from patience import PATIENCE


TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("IMMURE_BUILD", TOP / "build"))


def offered(name, *words, cwd):
    """For the last of WORDS."""
    line = [name, *words]
    script = "source %s; COMP_WORDS=(%s); COMP_CWORD=%d; %s; printf '%%s\\n' \"${COMPREPLY[@]}\"" % (
        shlex.quote(str(BUILD / "docs" / (name + ".bash"))), " ".join(map(shlex.quote, line)), len(line) - 1, "_" + name.replace("-", "_"))
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True, timeout=PATIENCE, cwd=cwd)
    assert not done.stderr
    return done.stdout.split()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "roots").mkdir()
    (tmp_path / "rolls").write_text("")
    return tmp_path


@pytest.mark.parametrize("words", [["-r", "ro"], ["-nr", "ro"], ["-n", "-u", "root", "-r", "ro"]])
def test_a_root_is_a_folder(folder, words):
    assert offered("immure-capejail", *words, cwd=folder) == ["roots"]


def test_what_follows_the_program_is_its_own(folder):
    assert sorted(offered("immure-capejail", "-n", "cat", "ro", cwd=folder)) == ["rolls", "roots"]
    assert offered("immure-capejail", "-n", "--", "cat", "-", cwd=folder) == []
    assert "-r" in offered("immure-capejail", "-n", "-", cwd=folder)


def test_users_are_offered_and_what_cannot_be_known_is_not(folder):
    assert "root" in offered("immure-capejail", "-u", "roo", cwd=folder)
    assert offered("immure-capejail", "-e", "ro", cwd=folder) == []


def test_every_option_is_offered(folder):
    for name in ("immure-capejail", "immure-bwrap"):
        done = subprocess.run([BUILD / name, "-h" if name == "immure-capejail" else "--help"], capture_output=True, text=True, check=True, timeout=PATIENCE)
        options = [line.split()[0] for line in done.stdout.splitlines() if line.startswith(("  -", "    --"))]
        assert len(options) > 6
        assert set(options) <= set(offered(name, "-", cwd=folder))


def test_places_of_bubblewrap_s_options(folder):
    assert sorted(offered("immure-bwrap", "--ro-bind", "ro", cwd=folder)) == ["rolls", "roots"]
    assert sorted(offered("immure-bwrap", "--ro-bind", "/usr", "ro", cwd=folder)) == ["rolls", "roots"]
    assert offered("immure-bwrap", "--uid", "ro", cwd=folder) == []
