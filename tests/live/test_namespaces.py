# SPDX-License-Identifier: Apache-2.0
"""Each namespace new, the host's, or joined; whatever is chosen, everything ends with the run."""
import itertools
import os
import subprocess
import time

import pytest

from patience import await_true, words_of


KINDS = {"net": "net", "utsns": "uts", "ipcns": "ipc", "cgroupns": "cgroup", "timens": "time", "pidns": "pid", "userns": "user"}


NUMBERS = itertools.count(os.getpid())


def outside(name):
    return os.readlink(f"/proc/self/ns/{name}")


def alive(word):
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and word.encode() in words_of(pid)]


@pytest.mark.parametrize("option,name", KINDS.items())
def test_a_new_namespace_is_another(immure, option, name):
    done = immure.run("run", *([f"--{option}", "new"] if option != "net" else []), "--", "readlink", f"/proc/self/ns/{name}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() != outside(name)


@pytest.mark.parametrize("option,name", [(k, v) for k, v in KINDS.items() if k not in ("pidns", "userns")])
def test_the_hosts_namespace_is_the_same(immure, option, name):
    done = immure.run("run", f"--{option}", "host", "--", "readlink", f"/proc/self/ns/{name}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == outside(name)


def on_one_processor():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def program_and_network(immure, *options, **more):
    done = immure.run("run", *options, "--", "/bin/sh", "-c", "readlink /proc/self/ns/net; cat /proc/net/if_inet6; echo $$", **more)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs a second processor")
@pytest.mark.parametrize("options", [[], ["--init", "no"], ["--cap-add", "net_admin"]])
def test_a_network_that_is_made_on_another_processor_is_the_same(immure, options):
    """Its own, with lo up, and the helper that made it took no number that the program would have."""
    beside = immure.run("explain", *options, "--", "/bin/true").stdout
    assert "have a helper make a network namespace" in beside
    assert "helper make" not in immure.run("explain", *options, "--", "/bin/true", preexec_fn=on_one_processor).stdout
    found, alone = program_and_network(immure, *options), program_and_network(immure, *options, preexec_fn=on_one_processor)
    assert found[0] != outside("net") and found[1].split()[-1] == "lo"
    assert found[1:] == alone[1:]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs a second processor")
def test_a_network_is_made_where_there_is_no_room_for_a_helper(immure):
    """Launcher and init are two processes; the helper would be a third."""
    if os.geteuid() != 0:
        pytest.skip("needs a user with no other processes")
    uid = 900000 + next(NUMBERS)
    few = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "prlimit", "--nproc=2"]
    words = [immure.path, "run", "--init", "no", "--pids", "none", "--", "/bin/cat", "/proc/net/if_inet6"]
    done = subprocess.run([*few, *words], capture_output=True, text=True, timeout=30, check=False, cwd="/", stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and done.stdout.split()[-1] == "lo", done.stderr
    # the control: with an init there is none for the program either
    words[2:4] = []
    done = subprocess.run([*few, *words], capture_output=True, text=True, timeout=30, check=False, cwd="/", stdin=subprocess.DEVNULL)
    assert done.returncode == 125


def test_clocks_are_shifted(immure):
    script = "import time; print(time.clock_gettime(time.CLOCK_MONOTONIC), time.clock_gettime(time.CLOCK_BOOTTIME))"
    done = immure.run("run", "--monotonic-offset", "10h", "--boottime-offset", "20h", "--", "/usr/bin/python3", "-c", script)
    assert done.returncode == 0, done.stderr
    monotonic, boottime = map(float, done.stdout.split())
    assert 35900 < monotonic - time.clock_gettime(time.CLOCK_MONOTONIC) < 36100
    assert 71900 < boottime - time.clock_gettime(time.CLOCK_BOOTTIME) < 72100


def test_with_the_hosts_pids_every_orphan_ends(immure):
    word = f"{3000 + os.getpid()}.25"
    done = immure.run("run", "--pidns", "host", "--proc", "bind", "--", "/bin/sh", "-c",
                      f"setsid sh -c 'sleep {word} & sleep {word}' & (setsid sleep {word} &); sleep 0.3; exit 5")
    assert done.returncode == 5, done.stderr
    await_true(lambda: not alive(word))


def test_with_the_hosts_pids_a_killed_launcher_leaves_nothing(immure):
    word = f"{3000 + os.getpid()}.5"
    with subprocess.Popen(immure.words("run", "--pidns", "host", "--proc", "bind", "--", "/bin/sh", "-c",
                                       f"setsid sleep {word} & sleep {word}"), cwd="/", stdin=subprocess.DEVNULL) as run:
        await_true(lambda: len(alive(word)) >= 2)
        run.kill()
        run.wait()
    await_true(lambda: not alive(word))


def test_with_the_hosts_pids_the_program_cannot_kill_what_is_outside(immure):
    with subprocess.Popen(immure.words("run", "--", "/bin/true")[:-4] + ["/bin/sleep", "1000"]) as victim:
        await_true(lambda: words_of(victim.pid)[:1] == [b"/bin/sleep"])
        done = immure.run("run", "--pidns", "host", "--proc", "bind", "--", "/bin/sh", "-c", f"kill -9 {victim.pid}; kill -9 $PPID; kill -9 -1; echo here")
        assert done.stdout == "here\n" and done.returncode == 0, done.stderr
        assert victim.poll() is None
        victim.kill()


def test_a_new_proc_without_a_pid_namespace_is_refused(immure):
    done = immure.run("run", "--pidns", "host", "--", "/bin/true")
    assert done.returncode == 125 and "E-PROC-PIDNS" in done.stderr


@pytest.fixture
def other(immure):
    """The PID of a program in another jail."""
    word = f"{4000 + next(NUMBERS)}.75"
    with subprocess.Popen(immure.words("run", "--", "/bin/sleep", word), cwd="/", stdin=subprocess.DEVNULL) as run:
        try:
            yield await_true(lambda: [pid for pid in alive(word) if words_of(pid)[:1] == [b"/bin/sleep"]])[0] # none for who has just ended
        finally:
            run.kill()


def test_all_namespaces_of_another_jail_are_joined(immure, other):
    joins = [word for option in ("userns", "pidns", "mountns", "net", "utsns", "ipcns", "cgroupns") for word in (f"--{option}", f"join:{other}")]
    done = immure.run("run", *joins, "--", "/bin/sh", "-c", "for n in user pid mnt net uts ipc cgroup; do readlink /proc/self/ns/$n; done")
    assert done.returncode == 0, done.stderr
    theirs = [os.readlink(f"/proc/{other}/ns/{name}") for name in ("user", "pid", "mnt", "net", "uts", "ipc", "cgroup")]
    assert done.stdout.split()[:7] == theirs


def test_only_the_network_is_joined(immure, other):
    joins = ["--net", f"join:{other}"] + ([] if immure.uid == 0 else ["--userns", f"join:{other}"])
    done = immure.run("run", *joins, "--", "/bin/sh", "-c", "readlink /proc/self/ns/net; readlink /proc/self/ns/uts; echo $$")
    net, uts, pid = done.stdout.split()
    assert net == os.readlink(f"/proc/{other}/ns/net") and uts != os.readlink(f"/proc/{other}/ns/uts") and pid == "2"


def test_joining_what_is_not_a_process_is_refused(immure):
    for target in ("0", "x", "-1", "99999999999"):
        assert immure.run("run", "--net", f"join:{target}", "--", "/bin/true").returncode == 125


def test_without_a_tree_the_hosts_files_are_closed(immure):
    done = immure.run("run", "--mountns", "host", "--", "/bin/sh", "-c", "cat /etc/hostname; ls /root; touch /tmp/immure-x; echo > /dev/null && echo ok")
    assert done.stdout == "ok\n" and not os.path.exists("/tmp/immure-x")
