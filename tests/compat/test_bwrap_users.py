# SPDX-License-Identifier: Apache-2.0
"""
Command lines of the shapes that well-known users of bubblewrap make: desktop applications, sandboxes of coding agents, helpers
that look into files of strangers, build tools; and sandboxes in sandboxes.
"""
import contextlib
import json
import os
import socket
import subprocess

import pytest

from harness import allow_but
from patience import PATIENCE

USR = ["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin", "--symlink", "usr/lib", "/lib",
       "--symlink", "usr/lib64", "/lib64"]
USTAT, ECONNREFUSED = 136, 111


@contextlib.contextmanager
def holding(*contents):
    """Descriptors that read those bytes; closed here afterwards."""
    held = []
    for content in contents:
        reader, writer = os.pipe()
        os.write(writer, content)
        os.close(writer)
        held.append(reader)
    try:
        yield held
    finally:
        for fd in held:
            os.close(fd)


def words_for_args(words):
    return b"".join(str(word).encode() + b"\0" for word in words)


@pytest.fixture
def application(either):
    """A runtime and an application as they are installed, and the application's own folder."""
    for path in ("runtime/.ref", "app/.ref", "app/share/data"):
        either.make(path, "x\n")
    either.make("app/bin/run", "#!/bin/sh\necho running as $0 in $PWD\ncat /.flatpak-info /run/user/flatpak-info\nls /app\n")
    (either.folder / "app/bin/run").chmod(0o755)
    for path in ("own/cache", "own/config", "own/data", "instance"):
        either.make(path)
    either.make("instance/info", "instance\n")
    return either


def test_a_desktop_application(application):
    """Its options come through a descriptor, files through others, and its state goes to a third."""
    s = application.folder
    with holding(b"[Application]\nname=org.example.App\n", b"user:x:1000:1000::/home:/bin/sh\n", b"user:x:1000:\n", allow_but(USTAT, ECONNREFUSED)) as held:
        info, passwd, group, rules = held
        told, tell = os.pipe()
        alive, keep = os.pipe()
        options = ["--ro-bind", "/usr", "/usr", "--lock-file", "/app/.ref", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
                   "--symlink", "usr/lib64", "/lib64", "--symlink", "usr/sbin", "/sbin", "--proc", "/proc", "--tmpfs", "/tmp", "--dir", "/var/tmp",
                   "--dir", "/run/host", "--dir", "/run/user", "--setenv", "XDG_RUNTIME_DIR", "/run/user", "--symlink", "../run", "/var/run",
                   "--ro-bind-try", "/etc/absent", "/run/host/absent", "--ro-bind", "/sys/block", "/sys/block", "--ro-bind", "/sys/bus", "/sys/bus",
                   "--ro-bind", "/sys/class", "/sys/class", "--ro-bind", "/sys/dev", "/sys/dev", "--ro-bind", "/sys/devices", "/sys/devices",
                   "--bind", s / "own", "/var/data", "--ro-bind-data", passwd, "/etc/passwd", "--ro-bind-data", group, "/etc/group",
                   "--file", info, "/run/user/flatpak-info", "--ro-bind", s / "instance/info", "/.flatpak-info", "--perms", "0700", "--dir", "/run/user/0",
                   "--unshare-pid", "--unshare-ipc", "--dev", "/dev", "--setenv", "PATH", "/app/bin:/usr/bin", "--unsetenv", "KEPT", "--dir", "/home",
                   "--die-with-parent", "--seccomp", rules, "--info-fd", tell, "--sync-fd", keep, "--chdir", "/var/data"]
        lines = ["--args", None, "--ro-bind", s / "app", "/app", "--", "run", "with", "words"]
        with holding(words_for_args(["--ro-bind", s / "app", "/app", *options])) as (args,):
            done = application.run("--args", args, *lines[6:], pass_fds=[args, *held, tell, keep])
        os.close(tell)
        os.close(keep)
        with os.fdopen(told) as file:
            said = json.load(file)
        assert os.read(alive, 1) == b"", "nobody is left"
        os.close(alive)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "running as /app/bin/run in /var/data\ninstance\n[Application]\nname=org.example.App\nbin\nshare\n"
    assert {"child-pid", "pid-namespace", "ipc-namespace", "mnt-namespace"} <= set(said)


def test_a_desktop_application_in_one_line(application):
    """As an older script starts it, with data of the caller's on its descriptors."""
    s = application.folder
    with holding(b"text of 10\n", b"a:x:1:1::/:/bin/sh\n", b"a:x:1:\n", allow_but(USTAT, ECONNREFUSED)) as held:
        done = application.run(
            "--ro-bind", "/usr", "/usr", "--ro-bind", s / "app", "/app", "--lock-file", "/app/.ref", "--dev", "/dev", "--proc", "/proc", "--dir", "/tmp",
            "--symlink", "/tmp", "/var/tmp", "--symlink", "/run", "/var/run", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
            "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin", "--dir", "/run/user/1000", "--dev-bind-try", "/dev/dri", "/dev/dri",
            "--bind", s / "own", "/home/own", "--unshare-pid", "--setenv", "XDG_RUNTIME_DIR", "/run/user/1000", "--setenv", "SHELL", "/bin/sh",
            "--file", held[0], "/run/user/1000/info", "--bind-data", held[1], "/etc/passwd", "--bind-data", held[2], "/etc/group", "--seccomp", held[3],
            "/bin/sh", "-c", "cat /run/user/1000/info /etc/passwd; cd /var/tmp && pwd -P; touch /home/own/data/made; echo $XDG_RUNTIME_DIR", pass_fds=held)
    assert done.stdout == "text of 10\na:x:1:1::/:/bin/sh\n/tmp\n/run/user/1000\n", done.stderr
    assert (s / "own/data/made").exists()


@pytest.fixture
def project(either):
    """A folder that an agent may change, with what it must not."""
    either.make("work/file", "old\n")
    either.make("work/.git/config", "[core]\n")
    either.make("work/.git/hooks")
    either.make("home/.ssh/key", "secret\n")
    either.make("home/.profile", "profile\n")
    return either


def agent_words(project, *more):
    """The host read-only, a folder of it writable, parts of that closed again, and what does not exist kept from being made."""
    s = project.folder
    return ["--new-session", "--die-with-parent", "--unshare-net", "--bind", s / "work", s / "work", "--ro-bind", s / "work/.git/config", s / "work/.git/config",
            "--ro-bind", s / "work/.git/hooks", s / "work/.git/hooks", "--ro-bind", "/dev/null", s / "work/.profile", "--tmpfs", s / "home/.ssh",
            "--ro-bind", "/dev/null", s / "home/.profile", "--dev", "/dev", "--unshare-pid", "--unshare-user", "--proc", "/proc", *more]


ACTS = """
cd "$S/work"; echo new > file && cat file
(echo x > .git/config) 2>/dev/null || echo config closed
(touch .git/hooks/new) 2>/dev/null || echo hooks closed
(echo x > .profile) 2>/dev/null; test -s .profile || echo profile empty
cat "$S/home/.ssh/key" 2>/dev/null || echo key hidden
(touch /usr/new "$S/elsewhere") 2>/dev/null || echo elsewhere closed
cat "$S/home/.profile"; echo in $$
ls /sys/class/net
"""


def test_a_coding_agents_sandbox(project):
    s = project.folder
    done = project.run("--ro-bind", "/", "/", *agent_words(project), "--", "/bin/bash", "-c", ACTS, env={"PATH": "/usr/bin:/bin", "S": str(s)})
    assert done.returncode in (0, 2), done.stderr
    said = done.stdout.splitlines()
    assert said[:7] == ["new", "config closed", "hooks closed", "profile empty", "key hidden", "elsewhere closed", "in 2"], done.stderr
    assert (s / "work/file").read_text() == "new\n" and (s / "work/.git/config").read_text() == "[core]\n"
    assert (s / "work/.profile").read_text() == "", "the place that was made to mount on stays, as callers know who remove it"


def test_a_coding_agents_network_goes_through_a_socket(project):
    """The only way out is a socket in a bound folder."""
    s = project.folder
    project.make("socks")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(s / "socks/proxy"))
        os.chmod(s / "socks/proxy", 0o777)
        listener.listen()
        script = "import socket; s=socket.socket(socket.AF_UNIX); s.connect('%s'); print(s.recv(9).decode()); s.close(); " % (s / "socks/proxy") + \
            "t=socket.socket(); t.settimeout(2); print(t.connect_ex(('192.0.2.1', 80)) != 0)"
        with project.start("--ro-bind", "/", "/", *agent_words(project, "--bind", s / "socks", s / "socks"), "--", "/usr/bin/python3", "-c", script,
                           stdout=subprocess.PIPE) as run:
            listener.settimeout(PATIENCE)
            peer = listener.accept()[0]
            peer.sendall(b"hello")
            peer.close()
            assert run.communicate(timeout=PATIENCE)[0] == "hello\nTrue\n"


def test_an_agents_walls_of_nothing(project):
    """Folders that are hidden under empty ones without permissions, and files under an empty one of the caller's."""
    s = project.folder
    with holding(b"") as (empty,):
        done = project.run("--new-session", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--bind", s / "work", s / "work", "--unshare-user",
                           "--unshare-pid", "--unshare-net", "--proc", "/proc", "--perms", "000", "--tmpfs", s / "home/.ssh", "--remount-ro", s / "home/.ssh",
                           "--perms", "000", "--ro-bind-data", empty, s / "home/.profile", "--",
                           "sh", "-c", 'cat "$1/.profile" "$1/.ssh/key"; touch "$1/.ssh/new"; echo end', "sh", s / "home", pass_fds=[empty])
    assert done.stdout == "end\n", "root inside is root only of the namespace, and sees empty ones"
    assert (s / "home/.ssh/key").read_text() == "secret\n"


def test_a_filter_behind_the_agents_sandbox(project):
    """A helper inside makes a second, stricter one of the same words before the command."""
    with holding(allow_but(USTAT, ECONNREFUSED)) as (rules,):
        done = project.run("--ro-bind", "/", "/", *agent_words(project), "--seccomp", rules, "--", project.probe, "start", "--", project.probe, "acts", "status",
                           pass_fds=[rules])
    assert "acts call-136 ECONNREFUSED\n" in done.stdout, done.stderr


def test_a_thumbnailer(either):
    """It sees one file, writes another, and nothing else of the user's."""
    either.make("in/picture", "picture\n")
    either.make("out")
    done = either.run(*USR, "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--ro-bind-try", "/etc/alternatives", "/etc/alternatives", "--proc", "/proc", "--dev",
                      "/dev", "--chdir", "/", "--setenv", "GIO_USE_VFS", "local", "--unshare-all", "--die-with-parent", "--tmpfs", "/tmp", "--bind", either.folder / "out",
                      "/tmp/out", "--ro-bind", either.folder / "in/picture", "/tmp/picture", "sh", "-c", "tr a-z A-Z </tmp/picture >/tmp/out/small; ls / /tmp /home 2>/dev/null")
    assert (either.folder / "out/small").read_text() == "PICTURE\n", done.stderr
    assert "home" not in done.stdout and "out\npicture\n" in done.stdout


def test_a_browsers_child(either):
    """Many options through one descriptor, sockets of the parent's open for the program, a filter, no network."""
    left, right = socket.socketpair()
    options = ["--die-with-parent", "--unshare-pid", "--unshare-uts", "--unshare-net", "--ro-bind", "/usr/share", "/usr/share", "--ro-bind-try", "/usr/local/share",
               "/usr/local/share", "--ro-bind", "/usr", "/usr", "--ro-bind-try", "/etc", "/etc", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
               "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--unsetenv", "TMPDIR", "--dir", "/run", "--ro-bind", "/sys/block", "/sys/block"]
    with holding(words_for_args(options * 1), allow_but(USTAT, ECONNREFUSED)) as (args, rules):
        with left, right:
            done = either.run("--args", args, "--seccomp", rules, "--", "/usr/bin/python3", "-c",
                              "import socket,sys; s=socket.socket(fileno=int(sys.argv[1])); s.sendall(b'inside'); s.close()", right.fileno(),
                              pass_fds=[args, rules, right.fileno()])
            left.settimeout(PATIENCE)
            assert left.recv(9) == b"inside", done.stderr
    assert done.returncode == 0


def test_a_build_in_its_own_root(either):
    """A tree of its own as root, root inside, a cache kept."""
    either.make("root/usr")
    either.make("cache")
    either.make("root/etc/name", "built\n")
    done = either.run("--bind", either.folder / "root", "/", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink",
                      "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--bind", either.folder / "cache", "/var/cache/build", "--unshare-user", "--unshare-pid",
                      "--uid", 0, "--gid", 0, "--cap-add", "CAP_CHOWN", "--setenv", "HOME", "/root", "--dir", "/root", "--chdir", "/root",
                      "sh", "-c", "id -u; cat /etc/name; echo new > /etc/made; touch /var/cache/build/kept; pwd")
    assert done.stdout == "0\nbuilt\n/root\n", done.stderr
    assert (either.folder / "root/etc/made").stat().st_uid == either.uid and (either.folder / "cache/kept").exists()


RECURSE = ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL", "--bind", "/", "/", "--bind", "/proc", "/proc"]


def test_a_sandbox_in_a_sandbox_by_its_own_image(either):
    done = either.run(*RECURSE, "--", "/proc/self/exe", "--unshare-all", "--bind", "/", "/", "--bind", "/proc", "/proc", "echo", "hello")
    assert done.stdout == "hello\n", done.stderr


def test_a_sandbox_in_a_sandbox_with_a_root_of_its_own(either):
    done = either.run(*RECURSE, "--", "/proc/self/exe", "--unshare-all", *USR, "--ro-bind", "/etc", "/etc", "--dir", "/var/tmp", "--proc", "/proc", "--dev", "/dev",
                      "sh", "-c", "ls /; echo $$")
    assert done.stdout.splitlines()[-1] == "2" and "usr" in done.stdout.split() and "root" not in done.stdout.split(), done.stderr


def test_three_sandboxes_deep(either):
    """The host's /proc goes along: no kernel lets anybody mount a new one where parts of the old are covered, as root's are."""
    layer = [either.path, "--unshare-user", "--unshare-pid", "--dev-bind", "/", "/", "--tmpfs", "/mnt"]
    done = either.run(*layer[1:], *layer, *layer, "sh", "-c", "echo $$; grep NStgid /proc/thread-self/status | wc -w")
    assert done.stdout == "2\n5\n", done.stderr


def test_no_sandbox_in_a_sandbox_that_forbids_it(either):
    layer = [either.path, "--unshare-user", "--dev-bind", "/", "/"]
    assert either.run(*layer[1:], *layer, "echo", "inside").stdout == "inside\n"
    done = either.run(*layer[1:], "--disable-userns", *layer, "echo", "inside")
    assert done.returncode == 1 and done.stdout == ""


def test_an_ordinary_users_sandbox_starts_anothers_tool(either, programs):
    """Ours within bubblewrap's and bubblewrap's within ours: neither closes what the other needs."""
    if programs.is_self:
        pytest.skip("immure-bwrap is not built")
    outer = ["--unshare-user", "--unshare-pid", "--dev-bind", "/", "/"]
    for inner in ("/usr/bin/bwrap", programs.ours):
        done = either.run(*outer, inner, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "sh", "-c", "echo $$")
        assert done.stdout == "2\n", (inner, done.stderr)
