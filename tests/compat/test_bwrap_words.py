# SPDX-License-Identifier: Apache-2.0
"""Small promises of bubblewrap's words: what tools read, empty names, numbers of processes, ids in namespaces of others, large files."""
import contextlib
import os
import subprocess

import pytest

ALL = ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]


def ok(done):
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return done.stdout


def test_the_version_is_the_last_word(either):
    """As Flatpak's and others' build files take it."""
    words = ok(either.run("--version")).split()
    assert words[0] == "bubblewrap" and len(words) == 2
    if either.is_ours:
        assert words[1] == "0.11.0"


def test_the_program_s_name_may_be_empty(ours):
    assert "start argv0 \n" in ok(ours.run(*ALL, "--argv0", "", ours.probe, "environment"))
    assert "start argv0 x\n" in ok(ours.run(*ALL, "--argv0", "x", ours.probe, "environment"))


@pytest.mark.parametrize("words", [[], ["--disable-userns"], ["--disable-userns", "--cap-add", "ALL"], ["--disable-userns", "--uid", "7", "--cap-add", "CAP_SYS_ADMIN"]],
                         ids=" ".join)
def test_the_program_is_number_two(ours, words):
    """Whoever makes the innermost user namespace takes no number of the sandbox."""
    done = ours.run(*ALL, "--unshare-pid", "--unshare-user", *words, "sh", "-c", "echo $$; unshare --user true")
    assert done.stdout == "2\n"
    assert done.returncode == (1 if words else 0), done.stderr


@contextlib.contextmanager
def somebodys_namespace(uid, maps):
    """A descriptor of a user namespace of UID's, in which MAPS are written by root."""
    words = ["setpriv", "--reuid=%d" % uid, "--regid=%d" % uid, "--clear-groups"] if uid else []
    with subprocess.Popen([*words, "unshare", "--user", "sh", "-c", "echo; exec sleep 60"], stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        for name in ("uid_map", "gid_map"):
            with open("/proc/%d/%s" % (holder.pid, name), "w", encoding="utf-8") as file:
                file.write(maps)
        descriptor = os.open("/proc/%d/ns/user" % holder.pid, os.O_RDONLY)
        yield descriptor
        os.close(descriptor)
        holder.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to map what is not one's own")
@pytest.mark.parametrize("words, ids", [([], "7 7"), (["--uid", "8"], "8 7"), (["--gid", "9"], "7 9"), (["--uid", "8", "--gid", "9"], "8 9"), (["--uid", None], "7 7")],
                         ids=["nothing said", "uid", "gid", "both", "the number outside"])
def test_an_id_that_is_not_said_is_the_one_that_the_namespace_has_for_the_caller(either, words, ids):
    """bubblewrap changes each id for itself, and only when it is another number than the caller's."""
    words = [str(either.uid) if word is None else word for word in words]
    with somebodys_namespace(either.uid, "7 %d 1\n8 200000 100\n" % either.uid) as descriptor:
        done = either.run(*ALL[:3], "--userns", descriptor, *words, "sh", "-c", "echo $(id -u) $(id -g)", pass_fds=[descriptor])
    assert ok(done) == ids + "\n"


@pytest.mark.parametrize("option, place", [("--file", "/tmp/large"), ("--bind-data", "/tmp/large"), ("--ro-bind-data", "/tmp/large")])
def test_a_file_from_a_descriptor_may_be_large(either, option, place):
    size = 40 << 20
    with open(either.make("large", ""), "wb") as file:
        file.truncate(size - 4)
        file.seek(0, os.SEEK_END)
        file.write(b"end\n")
    with open(either.folder / "large", "rb") as file:
        done = either.run(*ALL, "--tmpfs", "/tmp", option, file.fileno(), place, "sh", "-c", "stat -c %%s %s; tail -c 4 %s" % (place, place),
                          pass_fds=[file.fileno()])
    assert ok(done) == "%d\nend\n" % size


@pytest.mark.parametrize("option", ["--bind-fd", "--ro-bind-fd"])
def test_a_descriptor_shows_what_it_is_open_on_and_nothing_else(ours, option):
    """A folder that was moved is found; where another has taken the name, nothing is shown."""
    for name in ("moved", "gone"):
        ours.make(name)
        ours.make(name + "/file", name)
    held = [os.open(ours.folder / name, os.O_PATH | os.O_DIRECTORY) for name in ("moved", "gone")]
    (ours.folder / "moved").rename(ours.folder / "elsewhere")
    ours.make("moved")
    shown = [ours.run(*ALL[:3], "--tmpfs", "/tmp", option, descriptor, "/tmp/d", "cat", "/tmp/d/file", pass_fds=held) for descriptor in held]
    assert [ok(done) for done in shown] == ["moved", "gone"]

    (ours.folder / "gone/file").unlink()
    (ours.folder / "gone").rmdir()
    missing = ours.run(*ALL[:3], "--tmpfs", "/tmp", option, held[1], "/tmp/d", "ls", "/tmp/d", pass_fds=held)
    ours.make("gone (deleted)/secret", "secret")  # what the kernel tells as the path of a folder that is gone
    other = ours.run(*ALL[:3], "--tmpfs", "/tmp", option, held[1], "/tmp/d", "ls", "/tmp/d", pass_fds=held)
    for descriptor in held:
        os.close(descriptor)
    assert missing.returncode == 1 and missing.stdout == "" and "No such file" in missing.stderr
    assert other.returncode == 1 and other.stdout == "", other.stderr
    assert "E-SOURCE-MOVED" in other.stderr and "Stale file handle" in other.stderr
