# SPDX-License-Identifier: Apache-2.0
"""
Sentences by which programs know that no sandbox can be had here, and how: they look for another way then (without a new /proc, without
any sandbox) or tell what to mend. bubblewrap's own, each for the failure for which bubblewrap says it.
"""
import contextlib
import errno
import os
import re
import struct
import subprocess

import pytest

from harness import DEBIAN, ENVIRONMENT

ROOT = ["--ro-bind", "/", "/"]
OUTER = [DEBIAN, "--unshare-user"]
UNSHARE, KEYCTL = 272, 250
CLONE, CLONE3, SETHOSTNAME, SOCKET, IOCTL = 56, 435, 170, 41, 16
OPEN_TREE, MOVE_MOUNT, FSOPEN, OPEN_TREE_ATTR = 428, 429, 430, 467

BESIDE = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="a network is made beside only where there is another processor")


@contextlib.contextmanager
def forbidden(*calls):
    """Words that start a program for which those calls fail; no sandbox but that."""
    rows = [(0x20, 0, 0, 0)]
    for number, code in calls:
        rows += [(0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | code)]
    reader, writer = os.pipe()
    os.write(writer, b"".join(struct.pack("HBBI", *row) for row in [*rows, (0x06, 0, 0, 0x7FFF0000)]))
    os.close(writer)
    yield reader, [DEBIAN, "--dev-bind", "/", "/", "--seccomp", reader]
    os.close(reader)


def complaint(bwrap, *words, **options):
    """The first line of what is said, behind the program's name."""
    done = bwrap.run(*words, **options)
    assert done.returncode == 1 and not done.stdout, done
    return re.match("bwrap: (.*)\n", done.stderr)[1]


def through(bwrap, *outer):
    """The same program as the same user, started by those words."""
    inner, start = bwrap.path, list(map(str, outer))

    class Through:
        @staticmethod
        def run(*words, **options):
            bwrap.path = start[0]
            try:
                return bwrap.run(*start[1:], "--", inner, *words, **options)
            finally:
                bwrap.path = inner
    return Through


def test_where_parts_of_proc_are_covered(either):
    inside = through(either, *OUTER, "--unshare-pid", "--bind", "/", "/", "--proc", "/proc", "--tmpfs", "/proc/fs")
    words = ["--unshare-user", "--unshare-pid", *ROOT, "--dev", "/dev"]
    assert complaint(inside, *words, "--proc", "/proc", "true") == "Can't mount proc on /newroot/proc: Operation not permitted"
    assert complaint(inside, *words, "--tmpfs", "/tmp", "--proc", "/tmp/deep/proc", "true") == "Can't mount proc on /newroot/tmp/deep/proc: Operation not permitted"
    assert inside.run(*words, "true").returncode == 0, "without a new /proc it can be had"


def test_where_user_namespaces_are_used_up(either):
    inside = through(either, *OUTER, "--dev-bind", "/", "/", "--disable-userns")
    assert complaint(inside, "--unshare-user", *ROOT, "true") == \
        "Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)"


@pytest.mark.parametrize("number, said", [(errno.EPERM, "No permissions to create a new namespace, likely because the kernel"),
                                          (errno.EINVAL, "Creating new namespace failed, likely because the kernel"),
                                          (errno.EAGAIN, "Creating new namespace failed: Resource temporarily unavailable")])
def test_where_user_namespaces_are_forbidden(ours, number, said):
    """bubblewrap 0.8 has another word in the first."""
    with forbidden((CLONE3, errno.ENOSYS), (CLONE, number)) as (reader, outer):
        assert complaint(through(ours, *outer), "--unshare-user", *ROOT, "true", pass_fds=[reader]).startswith(said)


def test_where_ids_cannot_be_mapped(either):
    inside = through(either, DEBIAN, "--dev-bind", "/", "/", "--ro-bind", "/proc", "/proc")
    assert complaint(inside, "--unshare-user", *ROOT, "true") == "setting up uid map: Read-only file system"


@pytest.mark.parametrize("words", [["--unshare-user", "--unshare-net"], ["--unshare-all"]])
def test_where_a_network_cannot_be_set_up(either, words):
    """The words before the error differ by what is tried."""
    with forbidden((SOCKET, errno.EPERM)) as (reader, outer):
        assert complaint(through(either, *outer), *words, *ROOT, "true", pass_fds=[reader]).startswith("loopback: Failed ")


@pytest.mark.parametrize("number, said", [(errno.EPERM, "loopback: Failed RTM_NEWLINK: Operation not permitted"),
                                          (errno.ENOSPC, "Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)")])
@pytest.mark.parametrize("more", [[], [(OPEN_TREE, errno.EPERM), (OPEN_TREE_ATTR, errno.EPERM)]])
@BESIDE
def test_where_a_network_cannot_be_made_beside(ours, number, said, more):
    """What comes later fails as well, and is not what is told."""
    with forbidden((UNSHARE, number), *more) as (reader, outer):
        assert complaint(through(ours, *outer), "--unshare-all", *ROOT, "true", pass_fds=[reader]) == said


def test_where_a_network_may_not_be_brought_up(ours):
    """bubblewrap asks in another way, by messages of rtnetlink(7)."""
    with forbidden((IOCTL, errno.EPERM)) as (reader, outer):
        assert complaint(through(ours, *outer), "--unshare-user", "--unshare-net", *ROOT, "true", pass_fds=[reader]) == \
            "loopback: Failed RTM_NEWLINK: Operation not permitted"


def test_where_no_name_may_be_given(either):
    with forbidden((SETHOSTNAME, errno.EPERM)) as (reader, outer):
        assert complaint(through(either, *outer), "--unshare-user", "--unshare-uts", "--hostname", "jail", *ROOT, "true", pass_fds=[reader]) == \
            "Can't set hostname to jail: Operation not permitted"


@pytest.mark.parametrize("option, said", [("--tmpfs", "tmpfs on /newroot/tmp"), ("--mqueue", "mqueue on /newroot/tmp"), ("--dev", "tmpfs on /newroot/tmp")])
def test_where_no_file_system_may_be_made(ours, option, said):
    """bubblewrap needs another call for it."""
    with forbidden((FSOPEN, errno.EPERM)) as (reader, outer):
        assert complaint(through(ours, *outer), "--unshare-user", "--unshare-ipc", *ROOT, option, "/tmp", "true", pass_fds=[reader]) == \
            "Can't mount %s: Operation not permitted" % said


@pytest.mark.parametrize("calls", [(OPEN_TREE, OPEN_TREE_ATTR), (MOVE_MOUNT,)])
def test_where_nothing_may_be_mounted(ours, calls):
    """Other calls than bubblewrap's one, mount(2)."""
    with forbidden(*((number, errno.EPERM) for number in calls)) as (reader, outer):
        assert complaint(through(ours, *outer), "--unshare-user", "--bind", "/", "/", "true", pass_fds=[reader]) == \
            "Can't bind mount /oldroot/ on /newroot/: Operation not permitted"


@pytest.mark.parametrize("number", [FSOPEN, MOVE_MOUNT])
def test_where_there_is_no_root_to_begin_with(ours, number):
    with forbidden((number, errno.EPERM)) as (reader, outer):
        assert complaint(through(ours, *outer), "--unshare-user", "--bind", "/usr", "/usr", "true", pass_fds=[reader]) == \
            "Failed to mount tmpfs: Operation not permitted"


def test_where_no_overlay_may_be_laid(ours):
    ours.make("lower")
    with forbidden((FSOPEN, errno.EPERM)) as (reader, outer):
        assert complaint(through(ours, *outer), "--unshare-user", "--bind", "/", "/", "--overlay-src", ours.folder / "lower", "--tmp-overlay", "/mnt", "true",
                         pass_fds=[reader]).startswith("Can't make overlay mount on /newroot/mnt: ")


@pytest.mark.parametrize("words, said", [
    (["--remount-ro", "/absent"], "Can't remount readonly on /newroot/absent: "),
    (["--dir", "/folder", "--remount-ro", "/folder"], "Can't remount readonly on /newroot/folder: ")])
def test_what_is_no_mount_is_not_made_read_only(either, words, said):
    assert complaint(either, *words, "true").startswith(said)


def test_a_file_is_not_put_on_a_folder(either):
    """On the host's own, where the place is not immure's."""
    either.make("folder")
    s = either.folder
    assert complaint(either, *ROOT, "--bind", s, s, "--ro-bind", "/dev/null", s / "folder", "true") == "Can't create file at %s/folder: Is a directory" % s


@pytest.mark.parametrize("option, kind, said", [("--userns", "user", "Joining specified user namespace failed"), ("--pidns", "net", "Setting pidns failed")])
def test_a_namespace_that_cannot_be_joined(ours, option, kind, said):
    """Of one's own user namespace bubblewrap says more; of a wrong kind the same."""
    with open("/proc/self/ns/" + kind, encoding="utf-8") as file:
        assert complaint(ours, option, file.fileno(), *ROOT, "true", pass_fds=[file.fileno()]).startswith(said + ": ")


@pytest.mark.parametrize("name", ["a (b)", "a, b: c -> d", "x" * 250], ids=["brackets", "marks", "long"])
@pytest.mark.parametrize("words, said", [
    (["--dir", "{}"], "Can't mkdir {}: Read-only file system"),
    (["--file", "0", "{}"], "Can't create file {}: Read-only file system"),
    (["--symlink", "x", "{}"], "Can't make symlink at {}: Read-only file system"),
    (["--chdir", "{}"], "Can't chdir to {}: No such file or directory")], ids=["dir", "file", "symlink", "chdir"])
def test_a_place_is_told_whole_whatever_its_name(either, name, words, said):
    place = "/usr/" + name
    assert complaint(either, *ROOT, *(word.format(place) for word in words), "true") == said.format(place)


def test_what_is_shown_is_told_whole_whatever_its_name(ours):
    ours.make("a folder (1)")
    with forbidden((OPEN_TREE, errno.EPERM), (OPEN_TREE_ATTR, errno.EPERM)) as (reader, outer):
        assert complaint(through(ours, *outer), "--unshare-user", "--bind", ours.folder / "a folder (1)", "/mnt", "true", pass_fds=[reader]) == \
            "Can't bind mount /oldroot%s/a folder (1) on /newroot/mnt: Operation not permitted" % ours.folder


def test_a_name_gives_a_terminal_no_orders(ours):
    assert complaint(ours, *ROOT, "--dir", "/usr/a\x1b[31m\nb", "true") == "Can't mkdir /usr/a?[31m?b: Read-only file system"


@pytest.mark.parametrize("words, said", [
    (["--dir", "/{}"], "Can't mkdir /{}: "), (["--file", "0", "/{}"], "Can't create file /{}: "), (["--symlink", "x", "/{}"], "Can't make symlink at /{}: "),
    (["--ro-bind", "/etc/hostname", "/{}"], "Can't create file at /{}: ")], ids=["dir", "file", "symlink", "bind"])
def test_what_cannot_be_made_in_a_tree_of_ones_own(either, words, said):
    assert complaint(either, "--ro-bind", "/usr", "/usr", *(word.format("n" * 300) for word in words), "true").startswith(said.format("n" * 300))


def test_what_the_kernel_takes_for_no_filter(either):
    reader, writer = os.pipe()
    os.write(writer, b"\xff" * 8)
    os.close(writer)
    assert complaint(either, *ROOT, "--seccomp", reader, "true", pass_fds=[reader]).startswith(
        "Unable to set up system call filtering as requested: prctl(PR_SET_SECCOMP) reported EINVAL")
    os.close(reader)


def test_a_plan_that_cannot_be_written_is_told(ours):
    explaining = {**ENVIRONMENT, "IMMURE_EXPLAIN": "1"}
    with open("/dev/full", "w", encoding="utf-8") as full, ours.start(*ROOT, "true", env=explaining, stdout=full, stderr=subprocess.PIPE) as done:
        assert done.stderr.read() == "bwrap: the plan cannot be written: No space left on device\n"
    assert done.returncode == 1


OPTIONS_IN_A_REMEDY = r"--[a-z0-9-]+"


@pytest.mark.parametrize("call, number, id", [
    (KEYCTL, errno.EDQUOT, "E-KEYS-LIMIT"),
    pytest.param(UNSHARE, errno.EINVAL, "E-NAMESPACE-MISSING", marks=BESIDE)])
def test_what_a_hardened_one_is_to_try_names_options_that_are_there(ours, call, number, id):
    with forbidden((call, number)) as (reader, outer):
        done = through(ours, *outer).run("--unshare-all", *ROOT, "true", pass_fds=[reader], env={**ENVIRONMENT, "IMMURE_HARDEN": "1"})
    assert done.returncode == 1 and id in done.stderr, done.stderr
    assert not set(re.findall(OPTIONS_IN_A_REMEDY, done.stderr)) - set(ours.run("--help").stdout.split())


@pytest.mark.parametrize("words", [["--ro-bind", "/usr", "/usr", "--dir", "/usr/new"], ["--dir", "/a", "--remount-ro", "/a"],
                                   ["--ro-bind", "/usr", "/usr", "--file", "0", "/usr/new"]])
def test_what_to_try_names_options_that_are_there(ours, words):
    done = ours.run(*words, "true")
    listed = ours.run("--help").stdout.split()
    assert "\n  try: " in done.stderr
    assert not [word for word in re.findall(OPTIONS_IN_A_REMEDY, done.stderr) if word not in listed]
