# SPDX-License-Identifier: Apache-2.0
"""Each preset starts an ordinary program, and stops what it is there to stop."""
import os
import pathlib

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
PRESETS = [path.stem for path in sorted((TOP / "presets").glob("*.yaml"))]
# Limits that this machine may not have must not hide what is tested here.
LENIENT = ["--may-lack", "memory,swap,cpus,cpu-time,pids"]


@pytest.fixture
def work(tmp_path, immure):
    folder = tmp_path / "work"
    folder.mkdir()
    for above in (folder, tmp_path, tmp_path.parent, tmp_path.parent.parent):
        above.chmod(0o755)
    os.chown(folder, immure.uid or 65534, immure.uid or 65534)
    return folder


def may_start(immure, preset):
    return preset != "enclave" or immure.uid == 0


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_starts_a_program(immure, preset, work):
    if not may_start(immure, preset):
        done = immure.run("run", "-p", preset, *LENIENT, "--", "true", cwd=work)
        assert done.returncode == 125 and "E-NAMESPACE-ROOT" in done.stderr
        return
    done = immure.run("run", "-p", preset, *LENIENT, "--", "sh", "-c", "echo $((6 * 7))", cwd=work)
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr


@pytest.mark.parametrize("preset", PRESETS)
def test_only_what_works_on_a_folder_changes_it(immure, preset, work):
    if not may_start(immure, preset):
        pytest.skip("enclave is for root")
    immure.run("run", "-p", preset, *LENIENT, "--", "touch", str(work / "made"), cwd=work)
    assert (work / "made").exists() == (preset in ("agent", "build"))


def test_a_submission_has_no_socket_and_an_agent_has(immure, work):
    script = "import socket; socket.socket(socket.AF_INET); print('made')"
    judged = immure.run("run", "-p", "judge", *LENIENT, "--", "python3", "-c", script, cwd=work)
    free = immure.run("run", "-p", "agent", *LENIENT, "--", "python3", "-c", script, cwd=work)
    assert judged.returncode == 1 and "blocked: socket" in judged.stderr
    assert (free.returncode, free.stdout) == (0, "made\n"), free.stderr


def test_the_command_line_overrules_a_preset(immure, work):
    words = ["run", "-p", "judge", *LENIENT]
    assert immure.run(*words, "--wall-time", "200ms", "--", "sleep", "20", cwd=work).returncode == 124
    assert immure.run(*words, "--", "sleep", "0.3", cwd=work).returncode == 0
