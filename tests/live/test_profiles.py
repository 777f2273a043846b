# SPDX-License-Identifier: Apache-2.0
"""Per profile: its workload runs, and a forbidden call is stopped. Each call is made by number, so that no library hides it."""
import platform

import pytest

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="calls are given by their x86_64 numbers")

NUMBERS = {"socket": 41, "accept": 43, "listen": 50, "unshare": 272, "vmsplice": 278, "keyctl": 250, "bpf": 321, "io_uring_setup": 425,
           "clone3": 435, "ioctl": 16, "userfaultfd": 323, "mount": 165, "getpid": 39, "personality": 135, "futex_new": 1000}
EPERM, ENOSYS = 1, 38

# Makes one call and says its errno; 0: it was let through to the kernel and worked.
ASK = """
import ctypes, sys
call = ctypes.CDLL(None, use_errno=True).syscall
words = [ctypes.c_ulong(int(word)) for word in sys.argv[1:]]
print(ctypes.get_errno() if call(*words) < 0 else 0)
"""
THREADS = """
import threading, subprocess
found = []
workers = [threading.Thread(target=lambda: found.append(sum(range(1000)))) for _ in range(4)]
[worker.start() for worker in workers]; [worker.join() for worker in workers]
print(len(found), subprocess.run(["/bin/echo", "child"], capture_output=True, text=True).stdout.strip())
"""
TALK = """
import socket, threading
server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=lambda: server.accept()[0].sendall(b"served")).start()
print(socket.create_connection(server.getsockname()).recv(16).decode())
"""


def ask(immure, profile, name, *args):
    done = immure.run("run", "--seccomp", profile, "--", "/usr/bin/python3", "-c", ASK, NUMBERS[name], *args)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("profile", ["default", "strict", "judge", "shell", "server", "client"])
def test_threads_and_processes_work(immure, profile):
    done = immure.run("run", "--seccomp", profile, "--", "/usr/bin/python3", "-c", THREADS)
    assert (done.returncode, done.stdout) == (0, "4 child\n"), done.stderr


def test_a_shell_pipes_and_counts(immure):
    done = immure.run("run", "--seccomp", "shell", "--", "/bin/sh", "-c", "seq 5 | sort -r | head -1; cd /tmp && mkfifo p && ls")
    assert (done.returncode, done.stdout) == (0, "5\np\n"), done.stderr


@pytest.mark.parametrize("profile", ["default", "server"])
def test_a_server_serves(immure, profile):
    done = immure.run("run", "--seccomp", profile, "--", "/usr/bin/python3", "-c", TALK)
    assert (done.returncode, done.stdout) == (0, "served\n"), done.stderr


def test_tiny_computes_and_makes_nothing(immure):
    assert immure.run("run", "--seccomp", "tiny", "--", "/bin/echo", "hello").stdout == "hello\n"
    assert immure.run("run", "--seccomp", "tiny", "--", "/bin/cat", "/etc/passwd").returncode == 0
    refused = immure.run("run", "--seccomp", "tiny", "--", "/usr/bin/touch", "/tmp/new")
    allowed = immure.run("run", "--", "/usr/bin/touch", "/tmp/new")
    assert refused.returncode != 0 and allowed.returncode == 0
    assert immure.run("run", "--seccomp", "tiny", "--", "/bin/sh", "-c", "/bin/true; echo made").stdout == ""


# The same call is let through with the filter off: whatever the kernel then says, it is not the filter's answer.
FORBIDDEN = [
    ("default", "keyctl", (0, 0), EPERM),
    ("default", "bpf", (99, 0, 0), EPERM),
    ("default", "userfaultfd", (1,), EPERM),
    ("default", "unshare", (0x10000000,), EPERM),
    ("default", "socket", (40, 1, 0), EPERM),
    ("default", "socket", (16, 3, 15), EPERM),
    ("default", "personality", (0x0400000,), EPERM),
    ("default", "clone3", (0, 0), ENOSYS),
    ("default", "io_uring_setup", (0, 0), ENOSYS),
    ("default", "futex_new", (), ENOSYS),
    ("strict", "accept", (0, 0, 0), EPERM),
    ("strict", "unshare", (0x400,), EPERM),
    ("judge", "socket", (2, 1, 0), EPERM),
    ("shell", "vmsplice", (0, 0, 0, 0), EPERM),
    ("server", "socket", (2, 3, 1), EPERM),
    ("client", "listen", (0, 1), EPERM),
]


@pytest.mark.parametrize("profile,name,args,errnum", FORBIDDEN, ids=lambda value: str(value).replace(" ", ""))
def test_a_forbidden_call_is_stopped(immure, profile, name, args, errnum):
    assert ask(immure, profile, name, *args) == errnum
    assert ask(immure, profile, "getpid") == 0


@pytest.mark.parametrize("name,args", [("keyctl", (0, 0)), ("personality", (0x0400000,)), ("socket", (2, 1, 0)),
                                       ("unshare", (0x400,)), ("vmsplice", (0, 0, 0, 0)), ("accept", (0, 0, 0))])
def test_without_a_filter_the_kernel_answers(immure, name, args):
    assert ask(immure, "off", name, *args) not in (EPERM, ENOSYS)


@pytest.mark.parametrize("request_number", [0x5412, 0x5412 | 1 << 32, 0x541c, 0x541c | 0xff << 40])
def test_terminals_cannot_be_typed_into(immure, request_number):
    assert ask(immure, "default", "ioctl", 0, request_number, 0) == EPERM
    assert ask(immure, "off", "ioctl", 0, request_number, 0) == 25  # ENOTTY: /dev/null is none


def test_killing_ends_the_process(immure):
    done = immure.run("run", "--seccomp-action", "kill", "--", "/usr/bin/python3", "-c", ASK, NUMBERS["keyctl"], 0, 0)
    assert done.returncode == 128 + 31, done.stderr


def test_a_deny_and_an_allow_are_added(immure):
    words = ["/usr/bin/python3", "-c", ASK]
    denied = immure.run("run", "--seccomp-deny", "vmsplice(arg1 == 0)", "--", *words, NUMBERS["vmsplice"], 0, 0, 0, 0)
    allowed = immure.run("run", "--seccomp-allow", "keyctl", "--", *words, NUMBERS["keyctl"], 0, 0)
    assert denied.stdout == "1\n", denied.stderr
    assert allowed.stdout not in ("1\n", "38\n"), allowed.stderr
    assert allowed.returncode == 0, allowed.stderr
