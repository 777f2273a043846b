# SPDX-License-Identifier: Apache-2.0
"""The attack program, and what became of an attack: inside a jail, or free as its positive control."""
import ctypes
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
NOBODY = 65534
FREE_WORLD = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--mount-proc", "--ipc", "--uts"]


def _live():
    spec = importlib.util.spec_from_file_location("live_conftest", HERE.parent / "live" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_shared = _live()
executables, immure, pytest_configure = _shared.executables, _shared.immure, _shared.pytest_configure
from patience import PATIENCE, await_true  # noqa: E402


def verdict(process):
    """THROUGH, or the errno of the refusal, or the signal that ended the attack. Anything else is a broken test."""
    last = process.stdout.strip().splitlines()[-1:] or [""]
    if process.returncode == 0 and last[0] == "THROUGH":
        return "THROUGH"
    refused = re.fullmatch(r"REFUSED (\w+)", last[0])
    if process.returncode == 1 and refused:
        return refused[1]
    if process.returncode in (159, -31):
        return "SIGSYS"
    raise AssertionError(f"the attack did not run: {process}")


@pytest.fixture(scope="session")
def attack(executables):
    """The path of the attack program: static, so that it runs under any root."""
    return str(shutil.copy2(_shared.BUILD / "tests/attack", executables / "attack"))


def landlock_abi():
    """landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)"""
    return ctypes.CDLL(None).syscall(444, None, 0, 1)


def with_descriptor(number, path, words):
    """The command WORDS with PATH open on descriptor NUMBER."""
    return ["/bin/bash", "-c", f'exec {number}<{path}; exec "$@"', "-", *words]


class Assault:
    """Attacks by one user of immure."""

    def __init__(self, immure, attack):
        self.immure, self.path, self.uid = immure, attack, immure.uid

    def jailed(self, *words, options=(), **rest):
        return verdict(self.immure.run("run", "-q", *options, "--", self.path, *words, errors="replace", **rest))

    def output(self, *words, options=(), **rest):
        return self.immure.run("run", "-q", *options, "--", self.path, *words, errors="replace", **rest).stdout

    def jailed_with(self, number, path, *words, options=()):
        """With PATH open on descriptor NUMBER of the caller."""
        words = with_descriptor(number, path, self.immure.words("run", "-q", *options, "--", self.path, *words))
        return verdict(subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=PATIENCE, cwd="/",
                                      stdin=subprocess.DEVNULL, check=False))

    def free(self, *words, wrap=None, **rest):
        """Not jailed, as the same user."""
        drop = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"] if self.uid != os.geteuid() else []
        rest.setdefault("stdin", subprocess.DEVNULL)
        command = [*drop, self.path, *map(str, words)]
        return verdict(subprocess.run(wrap(command) if wrap else command, capture_output=True, text=True, errors="replace",
                                      timeout=PATIENCE, cwd="/", check=False, **rest))

    def as_root(self, *words):
        """Not jailed, as root, in namespaces that are thrown away."""
        if os.geteuid():
            pytest.skip("the positive control needs root")
        return verdict(subprocess.run([*FREE_WORLD, self.path, *map(str, words)], capture_output=True, text=True,
                                      errors="replace", timeout=PATIENCE, cwd="/", stdin=subprocess.DEVNULL, check=False))


@pytest.fixture
def assault(immure, attack):
    return Assault(immure, attack)


@pytest.fixture
def canary(immure):
    """A process outside, of the user who starts the jail, with something to steal."""
    drop = [] if immure.uid == os.geteuid() else ["setpriv", f"--reuid={immure.uid}", f"--regid={immure.uid}", "--clear-groups"]
    with subprocess.Popen([*drop, "/usr/bin/env", "-i", "CANARY=sings", "/bin/sleep", "1000"], stdin=subprocess.DEVNULL,
                          cwd="/") as process:
        await_true(lambda: pathlib.Path(f"/proc/{process.pid}/comm").read_text() == "sleep\n")
        yield process
        assert process.poll() is None, "the canary was killed"
        process.kill()


@pytest.fixture
def folder(immure, tmp_path):
    """A folder of the jail's user, reachable by him; of root's jails the owner is an ordinary user."""
    own = _shared.reachable(tmp_path) / "work"
    own.mkdir()
    if os.geteuid() == 0:
        os.chown(own, NOBODY, NOBODY)
    return own
