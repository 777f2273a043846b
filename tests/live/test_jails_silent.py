# SPDX-License-Identifier: Apache-2.0
"""A keeper that does not answer holds up nobody who asks for others."""
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest
from patience import PATIENCE, await_true
from test_jails import SLEEP, jails, ok, refused  # noqa: F401 # pylint: disable=unused-import


def stop(pid):
    os.kill(pid, signal.SIGSTOP)
    await_true(lambda: pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T")


@pytest.fixture
def silent(jails):
    """The name of a jail whose keeper is stopped, and of one whose keeper is not."""
    stopped, other = f"stopped-{os.getpid()}", f"other-{os.getpid()}"
    for name in (stopped, other):
        ok(jails.run("run", "-d", "--name", name, *SLEEP))
    keeper = json.loads(ok(jails.run("inspect", stopped)))["state"]["keeper"]
    stop(keeper)
    yield stopped, other, keeper
    os.kill(keeper, signal.SIGCONT)


def states(jails):
    return {line.split()[0]: line.split()[2] for line in ok(jails.run("ps")).splitlines()}


def test_a_jail_whose_keeper_does_not_answer_is_listed_as_silent(jails, silent):
    stopped, other, keeper = silent
    assert states(jails)[stopped] == "silent"
    await_true(lambda: states(jails)[other] == "running")  # a busy machine may be late as well
    os.kill(keeper, signal.SIGCONT)
    await_true(lambda: states(jails)[stopped] == "running")


def test_what_is_asked_of_it_is_refused_with_the_process_to_look_at(jails, silent, tmp_path):
    """Its errors go to a file: the descriptors that were sent lie in the keeper's socket until it goes on."""
    if jails.uid == 0:
        pytest.skip("the patience is long, and no user's own")
    stopped, other, keeper = silent
    with open(tmp_path / "errors", "w+", encoding="utf-8") as errors:
        ended = subprocess.run(jails.words("exec", stopped, "true"), stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, check=False, cwd="/", timeout=PATIENCE)
        errors.seek(0)
        told = errors.read()
    assert ended.returncode == 125 and "E-KEEPER-SILENT" in told and f"kill -CONT {keeper}" in told, told
    ok(jails.run("exec", other, "true"))


def test_events_of_the_others_are_told(jails, silent):
    _, other, _ = silent
    with subprocess.Popen(jails.words("events", "--follow"), stdout=subprocess.PIPE, text=True, cwd="/") as child:
        time.sleep(0.1)
        ok(jails.run("kill", other))
        for line in child.stdout:
            event = json.loads(line)
            if (event["jail"], event["event"]) == (other, "exit"):
                break
        child.kill()
