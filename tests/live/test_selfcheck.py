# SPDX-License-Identifier: Apache-2.0
"""When a step of set-up silently does nothing, the program must not start: exit 125, and the self-check says so."""
import os
import shutil
import subprocess

import pytest

from conftest import BUILD, NOBODY
from patience import PATIENCE

SKIP = BUILD / "tests" / "immure-skip"
# What is skipped, and options that make it matter.
BOTH = [("unshare", ["--timens", "new"]), ("keyring", []), ("pivot", []), ("session", []), ("signals", []), ("umask:2", []),
        ("personality", ["--no-aslr"]), ("rlimit:1", ["--rlimit", "nofile=77"]), ("drop-bounding", []), ("capabilities", []),
        ("securebits", []), ("no-new-privs", ["--landlock", "off", "--seccomp", "off"]), ("set-read-only", ["--dir", "/zz"]),
        ("chdir", ["--workdir", "/tmp"])]
if len(os.sched_getaffinity(0)) > 1:  # otherwise init is born into its network
    BOTH += [("network-begin", []), ("network-enter", [])]
ROOT = [("unshare", ["--memory", "64M"]), ("groups", ["--groups", "5"]), ("die-with-launcher:2", []), ("gid", []), ("uid", []), ("chdir", ["--workdir", "/tmp"])]


# With one thing left as the caller has it, the others are looked at as before; a value that is left is compared with the caller's.
LEFT = [("umask:2", ["--leave", "session"]), ("umask:2", ["--leave", "umask"]), ("signals", ["--leave", "session,personality"]),
        ("session", ["--leave", "signals,umask"]), ("personality", ["--leave", "session,signals", "--no-aslr"]),
        ("keyring", ["--leave", "session,signals,personality"]), ("capabilities", ["--leave", "bounding"]),
        ("drop-bounding", ["--leave", "groups,limits"]), ("rlimit:1", ["--leave", "limits", "--rlimit", "nofile=77"]),
        ("no-new-privs", ["--leave", "capabilities", "--landlock", "off", "--seccomp", "off"])]


@pytest.fixture(scope="module")
def skipping(executables):
    if not SKIP.exists():
        pytest.skip(f"{SKIP} is not built")
    shutil.copy2(SKIP, executables / "immure-skip")
    (executables / "immure-skip").chmod(0o755)
    return str(executables / "immure-skip")


def run(skipping, uid, skipped, options):
    drop = [] if uid == 0 else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    return subprocess.run([*drop, skipping, "run", *options, "--", "/bin/echo", "started"], capture_output=True, text=True, timeout=PATIENCE,
                          check=False, cwd="/", stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "IMMURE_SKIP": skipped})


def users():
    return [0, NOBODY] if os.geteuid() == 0 else [os.geteuid()]


@pytest.mark.parametrize("uid", users())
def test_with_nothing_skipped_the_program_starts(skipping, uid):
    done = run(skipping, uid, "nothing", [])
    assert (done.returncode, done.stdout) == (0, "started\n"), done.stderr


@pytest.mark.parametrize("uid", users())
@pytest.mark.parametrize("skipped,options", BOTH)
def test_a_skipped_step_stops_the_run(skipping, uid, skipped, options):
    done = run(skipping, uid, skipped, options)
    assert done.returncode == 125 and "started" not in done.stdout, (done.stdout, done.stderr)


@pytest.mark.parametrize("uid", users())
@pytest.mark.parametrize("skipped,options", LEFT)
def test_what_is_not_left_is_still_looked_at(skipping, uid, skipped, options):
    os.umask(0o057)
    try:
        done = run(skipping, uid, "nothing", options)
        assert (done.returncode, done.stdout) == (0, "started\n"), done.stderr
        done = run(skipping, uid, skipped, options)
        assert done.returncode == 125 and "started" not in done.stdout, (done.stdout, done.stderr)
    finally:
        os.umask(0o022)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("skipped,options", ROOT)
def test_a_skipped_step_of_root_stops_the_run(skipping, skipped, options):
    done = run(skipping, 0, skipped, options)
    assert done.returncode == 125 and "started" not in done.stdout, (done.stdout, done.stderr)
    if skipped != "groups":
        assert "E-CHECK" in done.stderr or "step" in done.stderr


@pytest.mark.parametrize("uid", users())
def test_an_inherited_descriptor_that_would_leak_is_found(skipping, uid):
    """Without closing, descriptor 900, a folder of the host, would lead out."""
    folder = os.open("/", os.O_RDONLY)
    os.dup2(folder, 900, inheritable=True)
    drop = [] if uid == 0 else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    words = [*drop, skipping, "run", "--", "/bin/ls", "/proc/self/fd"]
    try:
        for skipped, code in (("nothing", 0), ("descriptors", 125)):
            done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd="/", stdin=subprocess.DEVNULL,
                                  env={"PATH": "/usr/bin:/bin", "IMMURE_SKIP": skipped}, pass_fds=(900,))
            assert done.returncode == code, (skipped, done.stderr)
            assert "900" not in done.stdout
    finally:
        os.close(folder)
        os.close(900)
