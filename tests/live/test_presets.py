# SPDX-License-Identifier: Apache-2.0
"""Each preset starts an ordinary program, and stops what it is there to stop."""
import os
import pathlib
import shutil
import tempfile

import pytest

from conftest import reachable

TOP = pathlib.Path(__file__).resolve().parents[2]
PRESETS = [path.stem for path in sorted((TOP / "presets").glob("*.yaml"))]
# Limits that this machine may not have must not hide what is tested here.
LENIENT = ["--may-lack", "memory,swap,cpus,cpu-time,pids"]


@pytest.fixture
def work(tmp_path, immure):
    folder = tmp_path / "work"
    folder.mkdir()
    reachable(folder)
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


# Nothing for which systemd would be asked, which is the full executable's business.
UNCOUNTED = [word for key in ("memory", "swap", "cpus", "cpu-time", "pids") for word in ("--" + key, "none")]
INSIDE = """ulimit -a; umask; hostname; env; grep -E 'Cap|NoNew|Seccomp:' /proc/self/status; cat /proc/self/personality
awk '{ print $5, $6 }' /proc/self/mountinfo; awk '{ print $1 }' /proc/net/dev; tty"""


@pytest.fixture(scope="module")
def alone(executables):
    """A folder in which the quick executable lies alone: it cannot hand anything over."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        shutil.copy2(executables / "immure", folder)
        yield pathlib.Path(folder)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_needs_no_second_executable_and_is_the_same_there(immure, alone, executables, preset, work):
    if not may_start(immure, preset):
        pytest.skip("enclave is for root")
    words = ["run", "-p", preset, *UNCOUNTED, "--may-lack", "pids", "--", "sh", "-c", INSIDE]
    quick, full = (type(immure)(folder, immure.uid) for folder in (alone, executables))
    full.path += "-full"
    here, there = quick.run(*words, cwd=work), full.run(*words, cwd=work)
    assert (here.returncode, here.stdout) == (there.returncode, there.stdout), here.stderr
    assert "NoNewPrivs:\t1" in here.stdout and "Seccomp:\t2" in here.stdout


def test_a_policy_file_is_handed_over(immure, alone, work):
    """The control: where the quick executable is alone, what it hands over fails."""
    policy = work / "policy.yaml"
    policy.write_text("preset: judge\n")
    done = type(immure)(alone, immure.uid).run("run", "-f", policy, *UNCOUNTED, "--", "true", cwd=work)
    assert done.returncode == 125 and "cannot run the full executable" in done.stderr
    assert immure.run("run", "-f", policy, *UNCOUNTED, "--", "true", cwd=work).returncode == 0


def test_a_limit_of_the_command_line_replaces_the_presets(immure):
    said = immure.run("run", "-p", "service", *LENIENT, "--rlimit", "nofile=100", "--", "sh", "-c", "ulimit -n")
    own = immure.run("run", "-p", "service", *LENIENT, "--", "sh", "-c", "ulimit -n")
    assert said.stdout == "100\n" != own.stdout and own.returncode == 0, said.stderr + own.stderr
