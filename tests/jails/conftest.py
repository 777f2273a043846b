# SPDX-License-Identifier: Apache-2.0
"""Keepers for tests: of root and of an ordinary user, each with a folder of its own, and none left behind."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1])]
import keeper as protocol  # noqa: E402
from guard import guarded  # noqa: E402
from keeper import PATIENCE, await_true, descendants, groups_called, helpers_that_wait, state_of, status_of  # noqa: E402,F401

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("IMMURE_BUILD", TOP / "build"))
NOBODY = 65534


@pytest.fixture(scope="session")
def executables():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="immure-test-"))
    folder.chmod(0o755)
    for path in (BUILD / "immure", BUILD / "immure-full", BUILD / "tests" / "immure-drive", BUILD / "tests" / "hostile"):
        if path.exists():
            shutil.copy2(path, folder / path.name)
            (folder / path.name).chmod(0o755)
    with guarded(folder):
        yield folder


def is_alive(pid):
    return state_of(pid) not in ("", "Z", "X")


def needs_scopes(share):
    if "pid" in share and not protocol.has_scopes():
        pytest.skip("processes are shared with Landlock's scopes alone (Linux 6.12)")


def await_helpers(keeper, count=1):
    found = []

    def are_there():
        found[:] = helpers_that_wait(keeper)
        return len(found) == count
    await_true(are_there)
    return found


def await_processes(client, count, waiting=0):
    """Below CLIENT's keeper are COUNT, and so many helpers that wait; and it has done what those who have gone left to do."""
    keeper = client.pid()
    await_true(lambda: len(helpers_that_wait(keeper)) == waiting and len(descendants(keeper)) == 1 + count + waiting,
               lambda: f"waiting {helpers_that_wait(keeper)} of {descendants(keeper)}, not {waiting} of {1 + count + waiting}")
    client.settle()
    return keeper


class Keep:
    """Makes pods, and ends those that a test leaves."""

    def __init__(self, executables, uid):
        self.executables, self.uid = executables, uid
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pods-", dir=executables))
        os.chown(self.folder, uid, uid)
        self.drop = [] if uid == os.geteuid() else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        self.pods = []

    def pod(self, name="pod", prefix=(), full=False):
        pod = protocol.Pod(self.folder, self.executables / "immure-drive", name, [*prefix, *self.drop], full)
        self.pods.append(pod)
        return pod

    def close(self):
        for pod in self.pods:
            for client in pod.clients:
                client.close()
            try:
                pid = protocol.Client(pod.folder, timeout=5).pid()
                os.kill(pid, signal.SIGKILL)
            except (OSError, AssertionError, protocol.Refused):
                pass
        subprocess.run([*self.drop, self.executables / "immure", "gc"], capture_output=True, check=False, timeout=PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(params=["root", "user"])
def keep(request, executables):
    own = os.geteuid()
    if request.param == "root" and own != 0:
        pytest.skip("needs root")
    it = Keep(executables, 0 if request.param == "root" else own or NOBODY)
    yield it
    it.close()


@pytest.fixture
def pod(keep):
    return keep.pod()


@pytest.fixture
def client(pod):
    return pod.client()
